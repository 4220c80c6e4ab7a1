"""Effects of authorities and regions in a graph, with their spreads: of one stratum or of several.

What strata share is here; the effects themselves are those of `socgrad.nuts.effects` where there is
one stratum, and of `socgrad.nuts.joint_effects` where there are several.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from socgrad.model.terms import Term
from socgrad.nuts.correlations import factor_loadings
from socgrad.nuts.effects import (
    level_and_slope_effects,
    level_effects,
    region_effects,
    suggested_levels,
)
from socgrad.nuts.joint_covariance import full_covariance
from socgrad.nuts.joint_effects import joint_effects, joint_levels
from socgrad.nuts.pymc_quietly import pm, pt
from socgrad.nuts.spreads import standard_deviations

__all__ = ["authority_effects", "positive"]

type Variable = Any  # PyTensor's variables carry no useful static types.


@dataclass(frozen=True, eq=False)
class _Spreads:
    """Standard deviations of effects; of one stratum with a correlation, of several with loadings.

    Loadings are rows of levels, then of slopes, times their standard deviations. `slope_sd` is None
    where authorities have no slopes of their own.
    """

    level_sd: Variable
    slope_sd: Variable | None
    correlation: Variable | None = None
    loadings: Variable | None = None


def authority_effects(
    data: dict[str, Variable],
    terms: Mapping[str, Term],
    *,
    expected_level: Variable,
    expected_slope: Variable,
    spread: Variable | None,
    strata: int,
    correlations: str,
) -> tuple[Variable, Variable]:
    """Effects of levels and slopes of authorities, those of their regions among the former.

    Parameters
    ----------
    data
        The graph's data, by name.
    terms
        The terms of the first stratum's model, of which `level_sd` is one.
    expected_level, expected_slope
        Level and slope of each authority without effects; of several strata with dims (stratum,
        authority).
    spread
        Of the gamma factors, if there are any.
    strata, correlations
        How many strata there are; of several, "full" or "factor".
    """
    sds = _of_one(data, terms) if strata == 1 else _of_several(data, terms, strata, correlations)
    known_level, known_slope = _information(data, spread, strata)
    of_region = 0.0
    if "region_sd" in terms:
        level_sd, region_sd = sds.level_sd, positive(data, "region_sd", strata)
        effect = region_effects(
            data,
            expected_level=expected_level,
            expected_slope=expected_slope,
            level_sd=level_sd if strata == 1 else level_sd[:, None],
            region_sd=region_sd if strata == 1 else region_sd[:, None],
            known=known_level,
            dims=("region",) if strata == 1 else ("stratum", "region"),
        )
        of_region = effect @ data["authority_in_region"].T
        expected_level = expected_level + of_region
    if sds.slope_sd is None:
        suggested = suggested_levels(
            data, expected_level=expected_level, expected_slope=expected_slope
        )
        if sds.loadings is None:
            level = level_effects(suggested, level_sd=sds.level_sd, known=known_level)
        else:
            level = joint_levels(suggested, loadings=sds.loadings, known=known_level)
        return of_region + level, 0.0 * level
    expected = {"expected_level": expected_level, "expected_slope": expected_slope}
    if sds.loadings is None:
        level, slope = level_and_slope_effects(
            data,
            **expected,
            level_sd=sds.level_sd,
            slope_sd=sds.slope_sd,
            correlation=sds.correlation,
            known_level=known_level,
            known_slope=known_slope,
        )
    else:
        level, slope = joint_effects(data, **expected, slope_sd=sds.slope_sd, loadings=sds.loadings)
    return of_region + level, slope


def positive(data: dict[str, Variable], name: str, strata: int) -> Variable:
    """A normal variable above zero, of several strata one of each."""
    prior = data[f"prior_{name}"]
    return pm.TruncatedNormal(
        name,
        mu=prior[..., 0],
        sigma=prior[..., 1],
        lower=0.0,
        dims=None if strata == 1 else "stratum",
    )


def _information(
    data: dict[str, Variable], spread: Variable | None, strata: int
) -> tuple[Variable, Variable]:
    """What events say of levels and slopes; of several strata, factors are taken off already."""
    if strata > 1:
        return data["level_information"], data["slope_information"]
    # Events that share a gamma factor say less: by how much depends on how many of them do.
    lost = 1.0 + (0.0 if spread is None else spread**2) * data["events_per_factor"]
    known_level, known_slope = (data[f"{n}_information"] / lost for n in ("level", "slope"))
    # A factor that areas share says nothing of how their rates differ.
    return known_level, known_slope + data["shared_slope_information"]


def _of_one(data: dict[str, Variable], terms: Mapping[str, Term]) -> _Spreads:
    level_sd = positive(data, "level_sd", 1)
    if "slope_sd" not in terms:
        return _Spreads(level_sd, None)
    slope_sd, shape = positive(data, "slope_sd", 1), data["prior_correlation"]
    unit = pm.Beta("correlation_unit", shape, shape)
    return _Spreads(level_sd, slope_sd, pm.Deterministic("correlation", 2.0 * unit - 1.0))


def _of_several(
    data: dict[str, Variable], terms: Mapping[str, Term], strata: int, correlations: str
) -> _Spreads:
    """Standard deviations and loadings, and the correlations that these make."""
    random = [name for name in ("level_sd", "slope_sd") if name in terms]
    prior = pt.concatenate([data[f"prior_{name}"] for name in random])
    if correlations == "full":
        sds, loadings = full_covariance(data, prior, strata=strata, effects=strata * len(random))
    else:
        sds = standard_deviations("spreads_raw", prior[:, 0], prior[:, 1], data["spread_mixing"])
        loadings = factor_loadings(strata, data["prior_correlation"])
    own = [
        pm.Deterministic(name, sds[k * strata : (k + 1) * strata], dims="stratum")
        for k, name in enumerate(random)
    ]
    _report_correlations(loadings @ loadings.T, strata, has_slopes=len(own) > 1)
    return _Spreads(own[0], own[1] if len(own) > 1 else None, loadings=sds[:, None] * loadings)


def _report_correlations(correlations: Variable, strata: int, *, has_slopes: bool) -> None:
    dims = ("stratum", "stratum_bis")
    pm.Deterministic("level_correlation", correlations[:strata, :strata], dims=dims)
    if not has_slopes:
        return
    pm.Deterministic("slope_correlation", correlations[strata:, strata:], dims=dims)
    across = pm.Deterministic("level_slope_correlation", correlations[:strata, strata:], dims=dims)
    pm.Deterministic("correlation", across[np.arange(strata), np.arange(strata)], dims="stratum")
