"""Simulated tables of neighbourhood counts, with the truth that made them."""

import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd

from socgrad.arrays import FloatArray
from socgrad.coarsening.columns import ColumnRule, check_coarsening
from socgrad.errors import SpecificationError
from socgrad.laws.draws import drawn_factors
from socgrad.predictor import log_rate
from socgrad.simulation.geography import (
    Sizes,
    area_counts,
    simulated_areas,
    simulated_localities,
)
from socgrad.simulation.parts import level_and_slope, parts_of
from socgrad.simulation.truth import PUBLISHED_STAGES, Truth

__all__ = ["Simulation", "calibrated", "simulate"]


@dataclass(frozen=True, eq=False)
class Simulation:
    """A simulated table and everything that made it.

    Parameters
    ----------
    frame
        One row per area: `area`, `authority`, `region`, `children`, `deprivation` (proportion), and
        one column of counts per stage. Authority totals are
        ``frame.groupby("authority")[stage].sum()``.
    truth
        One row per stage: the fields of `Truth` and `contextual`, on the log scale.
    effects
        One row per stage and authority: `stage`, `authority`, `authority_mean` (proportion),
        `between_part`, `level_effect`, `slope_effect`, `level` (log rate at the authority's mean
        deprivation), `slope` (log rate ratio per step) and `gradient` (its exponential).
    national_mean
        Child-weighted national mean deprivation, proportion.
    per
        Step of deprivation, proportion.
    random_seed
        The seed given.
    counted
        Counts as they were counted: the rows of `frame`, one column per stage. They differ from
        those in `frame` where `publish` was given.
    """

    frame: pd.DataFrame
    truth: pd.DataFrame
    effects: pd.DataFrame
    national_mean: float
    per: float
    random_seed: int
    counted: pd.DataFrame


def _authority_effects(
    truth: Truth, common: FloatArray, stage_correlation: float, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Level and slope effects of each authority, sharing `common` with the other stages."""
    own = rng.standard_normal(common.shape)
    z = np.sqrt(stage_correlation) * common + np.sqrt(1 - stage_correlation) * own
    r = truth.correlation
    return truth.level_sd * z[0], truth.slope_sd * (r * z[0] + np.sqrt(1 - r * r) * z[1])


def calibrated(truth: Truth, frame: pd.DataFrame, *, rate: float, per: float = 0.10) -> Truth:
    """Return `truth` with the intercept at which the expected national rate is `rate`.

    Parameters
    ----------
    truth
        The parameters; their intercept is replaced.
    frame
        A table with columns `authority`, `children` and `deprivation`, such as
        ``simulate(...).frame``; its events, if any, are not read.
    rate
        Expected events per 10,000 children over the whole table, above 0.
    per
        Step of deprivation, proportion.

    Returns
    -------
    Truth
        A new value. The expectation is over authority effects, not at their average: a log-linear
        model has more events than its average authority suggests, because the exponential is
        convex. One simulated table departs from it by the luck of its authorities (about 3% with
        150 of them).

    Raises
    ------
    SpecificationError
        If `rate` is not above 0 and below 10,000.

    Notes
    -----
    With ``v_i = region_sd**2 + level_sd**2 + 2 correlation level_sd slope_sd w_i +
    (slope_sd w_i)**2`` the expected rate of area i is ``exp(log_rate_i + v_i / 2)``, so the
    intercept is ``log(rate / 10,000)`` less the log of the child-weighted mean of that at an
    intercept of 0.

    Examples
    --------
    >>> import socgrad as sg
    >>> from socgrad.simulation.england import calibrated
    >>> table = sg.simulate(authorities=20, areas=400, random_seed=1).frame
    >>> truth = sg.Truth(intercept=0.0, within=0.5, between=0.3, level_sd=0.2)
    >>> truth = calibrated(truth, table, rate=50.0)
    >>> round(truth.intercept, 1)
    -5.5
    >>> simulation = sg.simulate(authorities=20, areas=400, stages={"plans": truth}, random_seed=1)
    """
    if not 0 < rate < 10_000:
        raise SpecificationError(
            f"rate is {rate}. Expected events per 10,000 children, above 0 and below 10,000."
        )
    parts = parts_of(frame, per)
    w, s0, s1 = parts.within_part, truth.level_sd, truth.slope_sd
    none = np.zeros_like(parts.between_part)
    level, slope = level_and_slope(replace(truth, intercept=0.0), parts.between_part, none, none)
    of = parts.authority_of_area
    variance = truth.region_sd**2 + s0**2 + 2 * truth.correlation * s0 * s1 * w + (s1 * w) ** 2
    relative = np.exp(log_rate(level[of], slope[of], w) + variance / 2)
    mean = np.average(relative, weights=parts.children)
    return replace(truth, intercept=float(np.log(rate / 10_000) - np.log(mean)))


def simulate(
    *,
    stages: Mapping[str, Truth] = PUBLISHED_STAGES,
    authorities: int = 150,
    areas: int = 32_844,
    sizes: Sizes = "unequal",
    authority_mean: float = 0.180,
    authority_sd: float = 0.060,
    within_sd: float = 0.108,
    stage_correlation: float = 0.8,
    per: float = 0.10,
    areas_per_locality: float | None = None,
    publish: ColumnRule | Mapping[str, ColumnRule] | None = None,
    random_seed: int,
) -> Simulation:
    """Simulate counts in an England-shaped table of neighbourhoods, and return the truth with them.

    Parameters
    ----------
    stages
        Name of each column of counts, and the truth it is simulated with.
    authorities, areas
        Number of authorities, at least 2, and of areas in all, at least 2 for each authority.
    sizes
        ``"unequal"`` spreads areas over authorities as in England (23 to 902 of them), ``"equal"``
        gives each the same number, to within one.
    authority_mean, authority_sd
        Mean and standard deviation of the authorities' mean deprivation, proportions.
    within_sd
        Mean over authorities of the standard deviation of deprivation within one, proportion.
    stage_correlation
        Correlation, between any two stages, of the same authority's effects, 0 to 1: the same
        authorities drive all stages.
    per
        Step of deprivation that `stages` is stated in, proportion.
    areas_per_locality
        Areas in a locality on average, at least 1 (England's MSOAs have about five): the table gets
        a column `locality`, for stages with a `locality_sd`. None by default.
    publish
        How an agency publishes the counts: a rule of `socgrad.coarsening` for all stages, or one
        for each by its name, such as ``Suppressed({"c": (1, 5)})``. Marks that hide no whole
        interval are not given: which cells they protect depends on the table that is published.
    random_seed
        Whole number, 0 or more. The geography depends on it and on the sizes alone, and the counts
        of a stage on these, its name and its truth: another stage more changes nothing else.

    Returns
    -------
    Simulation
        The table, the truth and the authority effects. Given the rates, counts of different stages
        are independent; real stages count the same children again.

    Raises
    ------
    SpecificationError
        If there are too few authorities or areas, a number is outside its range, authority means
        would leave 0 to 1, a stage is named like another column, or `publish` names no stage.
    TableError
        If `publish` is no rule.

    Notes
    -----
    Areas follow England's shape of 2019: see `socgrad.simulation.geography`. With the within part w
    and the
    between part b of deprivation, in steps, as in the model::

        log rate_i = level_j + slope_j w_i
        level_j = intercept + between b_j + curvature b_j**2 + region_effect_r + level_effect_j
        slope_j = within + cross_level b_j + slope_effect_j
        events_i ~ Poisson(children_i rate_i e_i g_m)
        e_i ~ Gamma of mean 1, variance overdispersion**2; g_m the same, variance locality_sd**2

    Examples
    --------
    >>> import socgrad as sg
    >>> simulation = sg.simulate(authorities=10, areas=300, random_seed=2019)
    >>> simulation.frame.columns.tolist()[:5]
    ['area', 'authority', 'region', 'children', 'deprivation']
    >>> simulation.truth.loc["referral", ["within", "between", "contextual"]].round(3).to_dict()
    {'within': 0.482, 'between': 0.308, 'contextual': -0.174}
    >>> rule = sg.coarsening.Suppressed({"c": (1, 5)})
    >>> hidden = sg.simulate(authorities=10, areas=300, publish=rule, random_seed=2019)
    >>> hidden.frame["child_protection_plan"][:4].tolist()
    [0, 7, 'c', 0]
    >>> hidden.counted["child_protection_plan"][:4].tolist()
    [0, 7, 4, 0]
    """
    rules = _rules_of(publish, stages)
    if not 0 <= stage_correlation <= 1:
        raise SpecificationError(
            f"stage_correlation is {stage_correlation}. Expected a number from 0 to 1."
        )
    geography, shared = (np.random.default_rng([random_seed, stream]) for stream in (0, 1))
    frame = simulated_areas(
        area_counts(sizes, authorities=authorities, areas=areas),
        authority_mean=authority_mean,
        authority_sd=authority_sd,
        within_sd=within_sd,
        rng=geography,
    )
    if areas_per_locality is not None:
        own = np.random.default_rng([random_seed, 3])
        frame["locality"] = simulated_localities(frame, areas_per_locality, own)
    elif shared_by := [name for name, truth in stages.items() if truth.locality_sd > 0]:
        raise SpecificationError(
            f"{', '.join(shared_by)}: locality_sd is above 0, and the table has no localities. "
            "Give areas_per_locality, about 5 for England's MSOAs."
        )
    if not stages or (taken := [name for name in stages if name in frame]):
        raise SpecificationError(
            f"stages names {', '.join(taken) if stages else 'no stage'}. Expected at least one "
            f"name, none of them one of the table's own: {', '.join(frame.columns)}."
        )
    parts = parts_of(frame, per)
    of = parts.authority_of_area
    common = shared.standard_normal((2, authorities))
    effects = []
    for stage, truth in stages.items():
        # The stream is the name's, so that it does not depend on which other stages there are.
        rng = np.random.default_rng([random_seed, 2, zlib.crc32(stage.encode())])
        level_effect, slope_effect = _authority_effects(truth, common, stage_correlation, rng)
        level, slope = level_and_slope(truth, parts.between_part, level_effect, slope_effect)
        regional = {}
        if truth.region_sd > 0:
            first = np.unique(of, return_index=True)[1]
            region, regions = pd.factorize(frame["region"].iloc[first])
            region_effect = truth.region_sd * rng.standard_normal(len(regions))[region]
            level, regional = level + region_effect, {"region_effect": region_effect}
        expected = parts.children * np.exp(log_rate(level[of], slope[of], parts.within_part))
        if truth.overdispersion > 0:
            variance = np.square(truth.overdispersion)
            expected = expected * drawn_factors(variance, expected.shape, rng)
        if truth.locality_sd > 0:
            code, found = pd.factorize(frame["locality"])
            variance = np.square(truth.locality_sd)
            expected = expected * drawn_factors(variance, (len(found),), rng)[code]
        frame[stage] = rng.poisson(expected)
        effects.append(
            pd.DataFrame(
                {
                    "stage": stage,
                    "authority": parts.authorities,
                    "authority_mean": parts.authority_mean,
                    "between_part": parts.between_part,
                    "level_effect": level_effect,
                    "slope_effect": slope_effect,
                    **regional,
                    "level": level,
                    "slope": slope,
                    "gradient": np.exp(slope),
                }
            )
        )
    counted = frame[list(stages)].copy()
    for stage, rule in rules.items():
        rng = np.random.default_rng([random_seed, 4, zlib.crc32(stage.encode())])
        frame[stage] = rule.publish(counted[stage].to_numpy(), rng)
    truths = {name: asdict(t) | {"contextual": t.contextual} for name, t in stages.items()}
    return Simulation(
        frame=frame,
        truth=pd.DataFrame.from_dict(truths, orient="index").rename_axis("stage"),
        effects=pd.concat(effects, ignore_index=True),
        national_mean=parts.national_mean,
        per=per,
        random_seed=random_seed,
        counted=counted,
    )


def _rules_of(
    publish: ColumnRule | Mapping[str, ColumnRule] | None, stages: Mapping[str, Truth]
) -> dict[str, ColumnRule]:
    """Rule of each stage that has one."""
    if publish is None:
        return {}
    given = publish if isinstance(publish, Mapping) else dict.fromkeys(stages, publish)
    if strangers := [name for name in given if name not in stages]:
        raise SpecificationError(
            f"publish names {', '.join(map(str, strangers))}, which is no stage. Expected names of "
            f"stages ({', '.join(stages)}), or one rule for all."
        )
    for name, rule in given.items():
        check_coarsening(rule, argument=f"publish[{name!r}]", bounds=False)
    return dict(given)
