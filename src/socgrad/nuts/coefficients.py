"""Coefficients of a graph's levels and slopes: of one stratum as they are, of several on scales.

Those of several strata are one vector, in which strata that are alike do not hinder the sampler
(`socgrad.nuts.coefficient_scales`). Those that multiply the same column stand together.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from socgrad.arrays import FloatArray
from socgrad.model.coefficients import by_column, coefficients_of
from socgrad.model.terms import Term
from socgrad.nuts.drawing import Size, source_and_shape
from socgrad.nuts.lines import Shifts
from socgrad.nuts.pymc_quietly import pm, pt

__all__ = ["coefficients", "coefficients_of_areas"]

type Variable = Any  # PyTensor's variables carry no useful static types.


def coefficients(
    data: dict[str, Variable], terms: Sequence[Mapping[str, Term]]
) -> dict[str, Variable]:
    """Coefficients of levels and slopes by name, so that they multiply a value of each authority.

    Parameters
    ----------
    data
        The graph's data, by name.
    terms
        The terms of each stratum's model, the same in all.

    Returns
    -------
    dict
        Of one stratum numbers, and vectors of the coefficients of columns; of several with the
        dims (stratum, authority[, column]), in which they are one long along authority.
    """
    if len(terms) == 1:
        return {
            name: _normal(name, data[f"prior_{name}"], term.kind.dim)
            for name, term in terms[0].items()
            if term.kind.acts_on in ("level", "slope")
        }
    raw = pm.CustomDist(
        "coefficients_raw",
        *(data[f"coefficient_{name}"] for name in ("centre", "scale", "mean", "sd")),
        logp=_log_density,
        random=_draw,
        signature="(c),(c,c),(c),(c)->(c)",
        dtype="float64",
        dims="coefficient",
    )
    every = [one for its in by_column(coefficients_of(terms)[0]) for one in its]
    values = data["coefficient_centre"] + data["coefficient_scale"] @ raw
    values = values.reshape((len(every), len(terms)))
    made: dict[str, Variable] = {}
    for name in dict.fromkeys(one.name for one in every):
        places = [k for k, one in enumerate(every) if one.name == name]
        dim = terms[0][name].kind.dim
        if dim is None:
            made[name] = pm.Deterministic(name, values[places[0]], dims="stratum")[:, None]
        else:
            own = pm.Deterministic(name, values[places].T, dims=("stratum", dim))
            made[name] = own[:, None]
    return made


def coefficients_of_areas(data: dict[str, Variable], terms: Sequence[Mapping[str, Term]]) -> Shifts:
    """Those of columns of areas, which are normal as they are.

    Parameters
    ----------
    data, terms
        As for `coefficients`.
    """
    along = () if len(terms) == 1 else ("stratum",)
    made = {
        dim: _normal(f"{dim}_coefficient", data[f"prior_{dim}_coefficient"], *along, dim)
        for dim in ("covariate", "area_moderator", "departure")
        if f"{dim}_coefficient" in terms[0]
    }
    return Shifts(made.get("covariate"), made.get("area_moderator"), made.get("departure"))


def _normal(name: str, prior: Variable, *dims: str | None) -> Variable:
    named = [dim for dim in dims if dim is not None]
    return pm.Normal(name, mu=prior[..., 0], sigma=prior[..., 1], dims=named or None)


def _log_density(
    value: Variable, centre: Variable, scale: Variable, mean: Variable, sd: Variable
) -> Variable:
    """Log density of raw where coefficient = centre + scale @ raw ~ Normal(mean, sd)."""
    away = (centre + scale @ value - mean) / sd
    constant = 0.5 * np.log(2.0 * np.pi)
    return pt.sum(pt.log(pt.diagonal(scale) / sd) - constant - 0.5 * away**2)


def _draw(  # noqa: PLR0917 PyMC passes by position
    centre: FloatArray,
    scale: FloatArray,
    mean: FloatArray,
    sd: FloatArray,
    rng: np.random.Generator | None = None,
    size: Size = None,
) -> FloatArray:
    rng, shape = source_and_shape(rng, size)
    away = mean + sd * rng.standard_normal((*shape, mean.shape[-1])) - centre
    raw: FloatArray = np.linalg.solve(scale, away[..., None])[..., 0]
    return raw
