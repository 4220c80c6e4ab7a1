"""The terms that a model has: each with its prior per step and the column that it multiplies."""

from dataclasses import dataclass

import numpy as np

from socgrad.arrays import FloatArray
from socgrad.model.gradient_model import GradientModel
from socgrad.predictor import authority_level, authority_slope
from socgrad.terms import TERMS, TermKind

__all__ = ["Term", "model_terms"]


@dataclass(frozen=True, eq=False)
class Term:
    """A term of a model.

    Attributes
    ----------
    kind : TermKind
    prior : ndarray, shape (2,) or (columns, 2)
        Per step of the model: mean and sd (of a positive one, before the cut at zero); of a
        correlation, both shapes of the beta distribution.
    columns : ndarray or None
        What it multiplies, (authorities, columns) or (areas, columns); None of a spread. Columns of
        the slope of areas are times w.
    """

    kind: TermKind
    prior: FloatArray
    columns: FloatArray | None

    @property
    def name(self) -> str:
        """Of its draws in group `posterior`."""
        return self.kind.name


def model_terms(model: GradientModel) -> dict[str, Term]:
    """The terms of a model by name, in the order of `socgrad.terms.TERMS`."""
    columns = _columns(model)
    present = set(columns) | _spreads(model)
    return {
        name: Term(kind, _prior(model, kind), columns.get(name))
        for name, kind in TERMS.items()
        if name in present
    }


def _spreads(model: GradientModel) -> set[str]:
    """Names of the spreads that a model has."""
    there = {
        "level_sd": model.random_levels,
        "slope_sd": bool(model.random_slopes),
        "correlation": bool(model.random_slopes),
        "overdispersion": model.family == "negative_binomial",
        "locality_sd": model.localities,
        "region_sd": model.regions,
    }
    return {name for name, present in there.items() if present}


def _columns(model: GradientModel) -> dict[str, FloatArray]:
    """What each coefficient multiplies, of those that the model has."""
    b, w, designs = model.between_part, model.within_part, model.designs

    def level(intercept: float, between: float, curvature: float) -> FloatArray:
        return np.asarray(authority_level(intercept, between, curvature, b, 0.0 * b))[:, None]

    def slope(within: float, cross_level: float) -> FloatArray:
        return np.asarray(authority_slope(within, cross_level, b, 0.0 * b))[:, None]

    split = model.deprivation == "split"
    found = {
        "intercept": level(1.0, 0.0, 0.0),
        "between": level(0.0, 1.0, 0.0) if model.has_between else None,
        "curvature": level(0.0, 0.0, 1.0) if model.curvature else None,
        "within": slope(1.0, 0.0) if split else None,
        "pooled": slope(1.0, 0.0) if model.deprivation == "pooled" else None,
        "cross_level": slope(0.0, 1.0) if model.cross_level else None,
    }
    there = {name: column for name, column in found.items() if column is not None}
    for name, made in designs.named.items():
        if made.names:
            at = w[:, None] if name == "area_moderator" else 1.0
            there[f"{name}_coefficient"] = made.matrix * at
    return there


def _prior(model: GradientModel, kind: TermKind) -> FloatArray:
    """Moments of a term's prior, per step of the model."""
    if kind.name == "intercept":
        return model.intercept_prior
    if kind.dim is not None:
        given = model.coefficient_priors[kind.name]
        return np.array([[prior.mean, prior.sd] for prior in given])
    prior = getattr(model.step_priors, kind.prior_name or kind.name)
    return np.array([prior, prior] if kind.prior == "correlation" else [prior.mean, prior.sd])
