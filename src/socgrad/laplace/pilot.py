"""First guesses, good enough to climb from: authorities one by one, coefficients across them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from socgrad.arrays import FloatArray
from socgrad.laplace.centres import centre
from socgrad.laplace.coordinates import Coordinates, coordinates, factor_name
from socgrad.laplace.line_priors import LinePrior
from socgrad.laplace.predictors import Predictors
from socgrad.laplace.surfaces import Derivatives, Surface
from socgrad.laplace.tabulated_counts import RowSurface
from socgrad.model.gradient_model import GradientModel
from socgrad.model.priors import Normal, PositiveNormal

__all__ = ["Pilot", "pilot"]

# Standard deviations of levels, slopes and neighbourhood rates as published studies have them.
_GUESSES = {"level_sd": 0.3, "slope_sd": 0.15, "overdispersion": 0.3}
_COEFFICIENTS = {
    "intercept": (0, 0),
    "within": (1, 0),
    "pooled": (1, 0),
    "between": (0, 1),
    "cross_level": (1, 1),
    "curvature": (0, 2),
}


@dataclass(frozen=True, eq=False)
class Pilot:
    """Where to start: the coordinates, a point, its scale, and each authority's level and slope.

    `hidden` is about the largest overdispersion that the counts cannot tell from none.
    """

    coordinates: Coordinates
    point: FloatArray
    scale: FloatArray
    starts: tuple[tuple[FloatArray, FloatArray], ...]
    hidden: float


def pilot(
    model: GradientModel,
    surfaces: Sequence[Surface | RowSurface],
    theirs: Predictors,
    intercept: Normal,
) -> Pilot:
    """Fit each authority under a wide prior, then regress the results on deprivation."""
    held: dict[str, PositiveNormal] = {
        name: getattr(model.step_priors, name) for name in ("level_sd", "slope_sd")
    }
    held["overdispersion"] = getattr(model.step_priors, factor_name(model) or "overdispersion")
    guesses = {
        name: prior.mean if prior.mean > 0 else min(_GUESSES[name], prior.sd)
        for name, prior in held.items()
    }
    unbent = coordinates(model, intercept, {})
    names = [
        name
        for name, prior in zip(unbent.names, unbent.priors, strict=True)
        if isinstance(prior, Normal)
    ]
    priors = [prior for prior in unbent.priors if isinstance(prior, Normal)]
    precision = np.diag([prior.sd**-2.0 for prior in priors])
    weighted = np.array([prior.mean * prior.sd**-2.0 for prior in priors])

    starts, level_information, slope_information, pairs = [], [], [], 0.0
    for surface in surfaces:
        own = theirs.of(surface.authority)
        b = own.between_part
        start, at = _wide(surface, intercept, model, len(b))
        starts.append(start)
        # Observed level and slope with their information, H v + gradient; effects integrated out.
        # A total far above what is expected bends upwards along the slope, of which it tells none.
        across = at.level_slope**2 / np.maximum(at.level_level, 1e-300)
        slope_slope = np.maximum(at.slope_slope, across)
        information = np.array([[at.level_level, at.level_slope], [at.level_slope, slope_slope]])[
            :, :, 0
        ]
        # The expectation of y (y - 1) is all but the squared mean.
        pairs += getattr(surface, "pairs", 0.0)
        score = np.array([at.level[0], at.slope[0]])
        score += np.einsum("abj,bj->aj", information, np.array(start))
        level_information.append(information[0, 0])
        slope_information.append((slope_slope - across)[0])
        spread = np.diag([guesses["level_sd"] ** -2.0, guesses["slope_sd"] ** -2.0])
        kept = np.eye(2) - np.linalg.solve(
            (information.T + spread).swapaxes(1, 2), information.T
        ).swapaxes(1, 2)
        reduced = kept @ information.T
        design = np.zeros((len(b), 2, len(names)))
        for column, name in enumerate(names):
            if name in _COEFFICIENTS:
                row, power = _COEFFICIENTS[name]
                design[:, row, column] = b**power
            else:
                row = int(name in own.slope)
                design[:, row, column] = (own.level, own.slope)[row][name]
        precision += np.einsum("jap,jab,jbq->pq", design, reduced, design)
        weighted += np.einsum("jap,jab,bj->p", design, kept, score)

    covariance = np.linalg.inv(precision)
    values = guesses | dict(zip(names, (covariance @ weighted).tolist(), strict=True))
    bend = {
        "level_sd": _hidden(np.concatenate(level_information)),
        "slope_sd": _hidden(np.concatenate(slope_information)),
        "overdispersion": (2.0 / pairs) ** 0.25 if pairs > 0 else np.inf,
    }
    bend = {name: min(size, held[name].mean + held[name].sd) for name, size in bend.items()}
    scaled = coordinates(model, intercept, bend)
    d, p = len(scaled.names), len(names)
    scale = 0.2 * np.eye(d)
    scale[d - p :, d - p :] = np.linalg.cholesky(covariance)
    return Pilot(scaled, scaled.point(values), scale, tuple(starts), bend["overdispersion"])


def _hidden(information: FloatArray) -> float:
    """Largest standard deviation of effects that observations of such information hide."""
    total = float(np.sum(information**2))
    return (2.0 / total) ** 0.25 if total > 0 else np.inf


def _wide(
    surface: Surface | RowSurface, intercept: Normal, model: GradientModel, size: int
) -> tuple[tuple[FloatArray, FloatArray], Derivatives]:
    """Mode of each authority under a wide prior, and the derivatives of its likelihood there."""
    main = 0.0 if model.deprivation == "none" else model.step_priors.within.mean
    one = np.ones((1, 1))
    prior = LinePrior(
        level=np.full((1, size), intercept.mean),
        slope=np.full((1, size), main),
        level_level=one * 0.7**-2.0,
        level_slope=0.0 * one,
        slope_slope=one * 0.3**-2.0,
        log_determinant=0.0 * one,
        overdispersion=one * _GUESSES["overdispersion"],
        varying=model.deprivation != "none",
    )
    given = surface.given(prior.overdispersion)
    at = centre(given, prior)
    return (at.level[0], at.slope[0]), given.derivatives(at.level, at.slope)
