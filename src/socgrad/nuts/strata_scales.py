"""What steers the sampler where strata are sampled together: scales of their free variables."""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from socgrad.arrays import FloatArray, IntArray
from socgrad.model.coefficients import Coefficient, by_column, coefficients_of
from socgrad.model.terms import Term
from socgrad.nuts.coefficient_scales import coefficient_scales, invertible, rough_effects
from socgrad.nuts.correlations import partial_mixing
from socgrad.nuts.spreads import spread_mixing

__all__ = ["scales_of_strata"]

type Variables = dict[str, tuple[tuple[str, ...], FloatArray | IntArray]]


def scales_of_strata(terms: Sequence[Mapping[str, Term]], data: xr.Dataset) -> Variables:
    """Priors of the free variables of strata, given the scales on which they are independent.

    Parameters
    ----------
    terms : sequence of mapping
        The terms of each stratum's model, the same in all.
    data : xarray.Dataset
        The graph's data: priors of spreads, and what the events of each stratum say of each
        authority.

    Returns
    -------
    dict
        `coefficient_*`: prior of the free coefficients, with the scales of
        `socgrad.nuts.coefficient_scales`; `spread_mixing`, from `socgrad.nuts.spreads`;
        `level_tilt`, of `socgrad.nuts.joint_covariance`; `effect_place`: the order, best known
        first, in which `socgrad.nuts.correlations` takes the levels of all strata and their slopes;
        and `partial_mixing`, from there.
    """
    groups, strata = by_column(coefficients_of(terms)[0]), len(terms)
    mean, sd = np.concatenate([one.prior for its in groups for one in its]).T
    tilt = _tilt(data)
    # Slopes that do not differ between authorities have rough estimates all the same.
    rows = {"level": np.arange(strata), "slope": strata + np.arange(strata)}
    columns = [
        (its[0].column[0], np.concatenate([rows["slope" if o.of_slope else "level"] for o in its]))
        for its in groups
    ]
    kinds = ("level", "slope")
    rough = rough_effects(
        np.concatenate([data[f"centring_{kind}"] for kind in kinds]),
        np.concatenate([data[f"{kind}_information"] for kind in kinds]),
        terms=columns,
    )
    centre, scale = coefficient_scales(rough, terms=columns, prior_mean=mean, prior_sd=sd)
    made: Variables = {
        "coefficient_centre": (("coefficient",), centre),
        "coefficient_scale": (("coefficient", "coefficient_bis"), _tilted(scale, groups, tilt)),
        "coefficient_mean": (("coefficient",), mean),
        "coefficient_sd": (("coefficient",), sd),
    }
    random = [kind for kind in kinds if f"{kind}_sd" in terms[0]]
    effects = np.concatenate([rows[kind] for kind in random])
    covariance = rough.covariance[np.ix_(effects, effects)]
    spreads = np.concatenate([data[f"prior_{kind}_sd"] for kind in random])
    mixing = spread_mixing(
        covariance, rough.noise[effects], prior_mean=spreads[:, 0], prior_sd=spreads[:, 1]
    )
    places = _places(data, random)
    order = np.argsort(places)
    root = np.sqrt(np.maximum(np.diag(covariance), 1e-12))
    alike = invertible((covariance / np.outer(root, root))[np.ix_(order, order)])
    return made | {
        "level_tilt": (("stratum",), tilt),
        "effect_place": (("effect",), places),
        "partial_mixing": (("partial", "partial_bis"), partial_mixing(alike)),
        "spread_mixing": (("effect", "effect_bis"), mixing),
    }


def _places(data: xr.Dataset, random: Sequence[str]) -> IntArray:
    """Place of each effect, levels and then slopes, in the order of what events say of them.

    That is their information beside the variance that effects have a priori.
    """
    told = [
        data[f"{kind}_information"].sum("authority")
        * (data[f"prior_{kind}_sd"] ** 2).sum("moment")  # mean and SD of the prior of an SD
        for kind in random
    ]
    order = np.argsort(-np.concatenate(told), kind="stable")
    places: IntArray = np.empty_like(order)
    places[order] = np.arange(len(order))
    return places


def _tilt(data: xr.Dataset) -> FloatArray:
    """Where events stand on average, in the steps of w, as far as they do not tell the slope.

    Mean over authorities by what their events say of the level; 0 where counts of neighbourhoods
    tell slopes more closely than their prior does, and where authorities have no slopes of their
    own.
    """
    level, slope = (data[f"{name}_information"].to_numpy() for name in ("level", "slope"))
    if "prior_slope_sd" not in data:
        return np.zeros(len(level))
    weight = level / (1.0 + 0.1 * level)
    prior = (data["prior_slope_sd"] ** 2).sum("moment").to_numpy()
    untold = 1.0 / (1.0 + slope * prior[:, None])
    tilt: FloatArray = np.sum(weight * untold * data["centring_at"].to_numpy(), axis=1)
    return tilt / np.maximum(weight.sum(axis=1), 1e-12)


def _tilted(
    scale: FloatArray, groups: Sequence[Sequence[Coefficient]], tilt: FloatArray
) -> FloatArray:
    """Scale of the coefficients where those of levels are known only with those of slopes.

    What is known is the coefficient of level + tilt slope, where both multiply the same column.
    """
    strata = len(tilt)
    level, first, at = np.eye(len(scale)), 0, np.arange(strata)
    for its in groups:
        for i, one in enumerate(its):
            for k, other in enumerate(its):
                if other.of_slope and not one.of_slope:
                    level[strata * (first + i) + at, strata * (first + k) + at] = -tilt
        first += len(its)
    root = level @ scale
    lower: FloatArray = np.linalg.cholesky(root @ root.T)
    return lower
