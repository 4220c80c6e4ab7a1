"""Simulated strata whose authority effects correlate, with the truth that made them."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from socgrad.simulation.england import simulate
from socgrad.simulation.truth import Truth
from socgrad.table.strata import Strata
from socgrad.within_between import split, weighted_means


@dataclass(frozen=True, eq=False)
class Joint:
    """Strata, their true effects (levels of all strata, then slopes; rows are authorities)."""

    strata: Strata
    frame: pd.DataFrame
    effects: np.ndarray


def alike(strata: int, level: float, slope: float, own: float = -0.2) -> np.ndarray:
    """Correlations of effects: levels with levels, slopes with slopes, and level with slope.

    `own` is that of the two factors and of the stratum's own parts, as in the factor structure.
    """
    same = np.eye(strata, dtype=bool)
    levels = np.where(same, 1.0, level)
    slopes = np.where(same, 1.0, slope)
    shared = own * np.sqrt(level * slope)
    across = np.where(same, shared + own * np.sqrt((1 - level) * (1 - slope)), shared)
    return np.block([[levels, across], [across.T, slopes]])


def joint_strata(
    truths: dict[str, Truth],
    correlations: np.ndarray,
    *,
    authorities: int,
    areas: int,
    seed: int,
    totals: Literal["none", "half", "all"] = "none",
) -> Joint:
    """Counts of strata, independent given rates, on one simulated geography.

    Poisson, but for a truth's overdispersion: a gamma factor of each area.

    `totals`: which authorities are known by their totals only, of "half" every second one.
    """
    rng = np.random.default_rng([seed, 1])
    first = next(iter(truths.values()))
    frame = simulate(
        authorities=authorities, areas=areas, stages={"any": first}, random_seed=seed
    ).frame.drop(columns="any")
    of, labels = pd.factorize(frame["authority"])
    children, deprivation = (
        frame[name].to_numpy(dtype=np.float64) for name in ("children", "deprivation")
    )
    mean = weighted_means(deprivation, children, of, authorities)
    within, between = split(
        deprivation,
        authority_of_area=of,
        authority_mean=mean,
        national_mean=float(np.average(deprivation, weights=children)),
        per=0.10,
    )
    values, vectors = np.linalg.eigh(correlations)
    # The symmetric root: vectors of equal values are another processor's to choose.
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    sds = [t.level_sd for t in truths.values()] + [t.slope_sd for t in truths.values()]
    effects = rng.standard_normal((authorities, len(sds))) @ root.T * sds
    for s, (name, truth) in enumerate(truths.items()):
        level = truth.intercept + truth.between * between + effects[:, s]
        slope = truth.within + truth.cross_level * between + effects[:, len(truths) + s]
        mean = children * np.exp(level[of] + slope[of] * within)
        if truth.overdispersion:
            shape = truth.overdispersion**-2
            mean *= rng.gamma(shape, 1 / shape, size=len(mean))
        frame[name] = rng.poisson(mean)
    given = {}
    if totals != "none":
        sums = frame.groupby("authority")[list(truths)].sum()
        chosen = sums.index[:: 2 if totals == "half" else 1]
        given["totals"] = {name: sums.loc[chosen, name].to_dict() for name in truths}
        frame = frame.astype(dict.fromkeys(truths, "float64"))
        frame.loc[frame["authority"].isin(chosen), list(truths)] = np.nan
    strata = Strata.from_stages(
        frame,
        area="area",
        authority="authority",
        deprivation="deprivation",
        children="children",
        stages=list(truths),
        nested=False,
        complete=True,
        **given,
    )
    assert strata.first.authority.tolist() == list(labels)
    return Joint(strata, frame, effects)


def stage(rate: float, *, within: float, level_sd: float = 0.3, slope_sd: float = 0.12) -> Truth:
    """A stratum of `rate` events per 10,000 children in an average authority."""
    return Truth(
        intercept=float(np.log(rate / 10_000)),
        within=float(np.log(within)),
        between=float(np.log(0.8 * within)),
        cross_level=-0.05,
        level_sd=level_sd,
        slope_sd=slope_sd,
    )
