"""A small fit to try the summaries on, without a table and without sampling."""

import json
from typing import Final

import numpy as np
import xarray as xr

from socgrad.predictor import authority_level, authority_slope, log_rate
from socgrad.schema import SCHEMA_VERSION, STRATIFIED_SCHEMA_VERSION

__all__ = ["example_fit", "example_fit_of_stages"]

_CHAINS: Final = 2
_DRAWS: Final = 50
_AREAS_PER_AUTHORITY: Final = 100
_PER: Final = 0.10
_AUTHORITIES: Final = ("Ashby", "Barlow", "Corham", "Denwick", "Elmstone", "Farleigh")
#: Areas crowd at the least deprived end where this exceeds 1, at the most deprived where below.
_TILT: Final = (2.0, 1.75, 1.0, 0.8, 0.7, 0.65)
#: Mean and standard deviation of the draws.
_PARAMETERS: Final = {
    "intercept": (-4.60, 0.05),
    "within": (0.55, 0.03),
    "between": (0.33, 0.06),
    "cross_level": (-0.06, 0.02),
    "level_sd": (0.20, 0.02),
    "slope_sd": (0.10, 0.01),
    "correlation": (0.30, 0.10),
}
_LEVEL_EFFECTS: Final = (0.10, -0.20, 0.15, 0.05, -0.15, 0.05)
_SLOPE_EFFECTS: Final = (0.05, -0.02, -0.10, 0.08, 0.02, -0.03)
_EFFECT_SD: Final = (0.04, 0.02)
#: How much steeper, and rarer, each stage is than referral, on the log scale.
_STAGES: Final = {"referral": (0.0, 0.0), "assessment": (0.05, -0.4), "plan": (0.14, -1.9)}
#: Correlations of authority effects between neighbouring stages, and between the first and last.
_CORRELATIONS: Final = {"level_correlation": (0.85, 0.7), "slope_correlation": (0.75, 0.6)}


def example_fit(*, events: bool = False) -> xr.DataTree:
    """Make a fit of six invented authorities, with draws set around chosen values.

    Parameters
    ----------
    events
        Whether it holds observed events: counts drawn at the chosen values, one for each area.

    Returns
    -------
    xarray.DataTree
        As from `socgrad.fit`: a split Poisson model with random slopes and a cross-level term,
        2 chains of 50 draws, 100 areas in each authority, a step of 0.10. The draws
        are independent normal numbers, not the posterior of any data: use it to learn what the
        summaries give, not what is true.

    Examples
    --------
    >>> from socgrad.reading.example import example_fit
    >>> dict(example_fit()["posterior"].sizes)
    {'chain': 2, 'draw': 50, 'authority': 6}
    >>> int(example_fit(events=True)["observed_data"]["events"].sum())
    2540
    """
    rng = np.random.default_rng(2019)
    posterior = xr.Dataset(
        coords={
            "chain": np.arange(_CHAINS),
            "draw": np.arange(_DRAWS),
            "authority": np.array(_AUTHORITIES, dtype=object),
        }
    )
    for name, (mean, sd) in _PARAMETERS.items():
        noise = rng.standard_normal((_CHAINS, _DRAWS))
        posterior[name] = (("chain", "draw"), mean + sd * noise)
    for name, means, sd in zip(
        ("level_effect", "slope_effect"), (_LEVEL_EFFECTS, _SLOPE_EFFECTS), _EFFECT_SD, strict=True
    ):
        noise = rng.standard_normal((_CHAINS, _DRAWS, len(_AUTHORITIES)))
        posterior[name] = (("chain", "draw", "authority"), np.array(means) + sd * noise)
    groups = {"posterior": posterior, "constant_data": _constants()}
    if events:
        groups["observed_data"] = _counts(groups["constant_data"])
    tree = xr.DataTree.from_dict(groups)
    tree.attrs["socgrad_schema"] = SCHEMA_VERSION
    return tree


def example_fit_of_stages(*, chained: bool = False) -> xr.DataTree:
    """Make a fit of three stages: `example_fit` thrice, each stage rarer and steeper.

    Parameters
    ----------
    chained
        Whether each stage is on the one before it, rather than on children.

    Returns
    -------
    xarray.DataTree
        As from `socgrad.fit` on a `StratifiedModel`: the draws have dim stratum (referral,
        assessment, plan), and so have exposure and `has_data`. On children, the noise of the draws
        is the same in every stage, as if one had drawn them jointly, and there are correlations of
        authority effects between stages; along the chain, the later stages differ less between
        authorities than referral does.

    Examples
    --------
    >>> from socgrad.reading.example import example_fit_of_stages
    >>> example_fit_of_stages()["posterior"]["slope_effect"].dims
    ('chain', 'draw', 'stratum', 'authority')
    """
    single = example_fit()
    draws, data = single["posterior"].to_dataset(), single["constant_data"].to_dataset()
    stages = [_stage(draws, *shift) for shift in _STAGES.values()]
    if chained:
        shifts = np.diff(list(_STAGES.values()), axis=0)
        stages = [stages[0], *(_step(draws, *shift, seed=k) for k, shift in enumerate(shifts))]
    labels = np.array(list(_STAGES), dtype=object)
    along = xr.DataArray(labels, coords={"stratum": labels}, dims="stratum", name="stratum")
    joined = xr.concat(stages, along).transpose("chain", "draw", "stratum", ...)
    if not chained:
        between = _correlations(joined)
        across = between["level_slope_correlation"].to_numpy()
        own = np.diagonal(across, axis1=-2, axis2=-1)
        joined = joined.assign(between | {"correlation": (("chain", "draw", "stratum"), own)})
    share = xr.ones_like(along, dtype=np.int64)
    fewer = xr.DataArray([1.0, 0.1, 0.05] if chained else [1.0] * 3, coords=along.coords)
    data = data.assign(has_data=share * data["has_data"], exposure=fewer * data["exposure"])
    tree = xr.DataTree.from_dict({"posterior": joined, "constant_data": data})
    tree.attrs["socgrad_schema"] = STRATIFIED_SCHEMA_VERSION
    relation, effects = ("chain", "independent") if chained else ("stages", "joint")
    tree.attrs["strata"] = json.dumps({"relation": relation, "authority_effects": effects})
    return tree


def _stage(draws: xr.Dataset, steeper: float, rarer: float) -> xr.Dataset:
    """The same draws, steeper and rarer."""
    return draws.assign(within=draws["within"] + steeper, intercept=draws["intercept"] + rarer)


def _step(draws: xr.Dataset, steeper: float, rarer: float, *, seed: int) -> xr.Dataset:
    """Draws of the share that goes on from a stage: like its own, but closer to no differences."""
    rng = np.random.default_rng(seed)
    step = 0.3 * draws
    for name, centre in (("within", steeper), ("intercept", rarer)):
        noise = 0.02 * rng.standard_normal(draws[name].shape)
        step[name] = centre + xr.zeros_like(draws[name]) + noise
    return step


def _correlations(stages: xr.Dataset) -> dict[str, xr.DataArray]:
    """Correlations between stages: chosen values with noise; 1 of a stage with itself."""
    apart = np.abs(np.arange(len(_STAGES))[:, None] - np.arange(len(_STAGES)))
    noise = 0.2 * np.random.default_rng(3).standard_normal((_CHAINS, _DRAWS, 1, 1))
    made = {}
    for name, chosen in _CORRELATIONS.items():
        drawn = np.tanh(np.arctanh(np.array([0.0, *chosen]))[apart] + noise)
        made[name] = xr.DataArray(
            np.where(apart == 0, 1.0, drawn),
            coords={dim: stages[dim] for dim in ("chain", "draw", "stratum")}
            | {"stratum_bis": stages["stratum"].to_numpy()},
            dims=("chain", "draw", "stratum", "stratum_bis"),
        )
    levels, slopes = (np.linalg.cholesky(made[name].to_numpy()) for name in _CORRELATIONS)
    # Of independent parts, each level's goes with its slope's: a matrix of correlations again.
    across = stages["correlation"].isel(stratum=0).to_numpy()[..., None, None] * (
        levels @ np.swapaxes(slopes, -1, -2)
    )
    made["level_slope_correlation"] = made["level_correlation"].copy(data=across)
    return made


def _constants() -> xr.Dataset:
    """Areas of every authority over the same range of deprivation, in different shares."""
    authorities = len(_AUTHORITIES)
    authority = np.repeat(np.arange(authorities), _AREAS_PER_AUTHORITY)
    rank = np.tile((np.arange(_AREAS_PER_AUTHORITY) + 0.5) / _AREAS_PER_AUTHORITY, authorities)
    deprivation = 0.02 + 0.40 * rank ** np.array(_TILT)[authority]
    children = 200.0 + 10 * (np.arange(len(authority)) * 7 % 31)

    weight = np.bincount(authority, weights=children)
    mean = np.bincount(authority, weights=children * deprivation) / weight
    national = np.average(deprivation, weights=children)
    labels = [f"{_AUTHORITIES[j][0]}{i:03d}" for i, j in enumerate(authority)]
    return xr.Dataset(
        {
            "authority_of_area": ("area", authority),
            "deprivation": ("area", deprivation),
            "children": ("area", children),
            "exposure": ("area", children),
            "has_data": ("area", np.ones(len(authority), dtype=np.int64)),
            "within_part": ("area", (deprivation - mean[authority]) / _PER),
            "authority_mean": ("authority", mean),
            "between_part": ("authority", (mean - national) / _PER),
            "national_mean": ((), national),
            "per": ((), _PER),
        },
        coords={
            "area": np.array(labels, dtype=object),
            "authority": np.array(_AUTHORITIES, dtype=object),
        },
    )


def _counts(constants: xr.Dataset) -> xr.Dataset:
    """Draw the events of each area at the values that the draws are set around."""
    mean = {name: value for name, (value, _) in _PARAMETERS.items()}
    b, j = constants["between_part"].to_numpy(), constants["authority_of_area"].to_numpy()
    level = authority_level(mean["intercept"], mean["between"], 0.0, b, np.array(_LEVEL_EFFECTS))
    slope = authority_slope(mean["within"], mean["cross_level"], b, np.array(_SLOPE_EFFECTS))
    rate = np.exp(log_rate(level[j], slope[j], constants["within_part"].to_numpy()))
    events = np.random.default_rng(2022).poisson(constants["exposure"].to_numpy() * rate)
    return xr.Dataset(
        {"events": ("counted_area", events)}, coords={"counted_area": constants["area"].to_numpy()}
    )
