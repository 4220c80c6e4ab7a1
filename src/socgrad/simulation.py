"""Simulated tables of neighbourhood counts, with the truth that made them."""

import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd

from socgrad.errors import SpecificationError
from socgrad.geography import Sizes, area_counts, simulated_areas
from socgrad.predictor import authority_level, authority_slope, log_rate

__all__ = ["PUBLISHED_STAGES", "Simulation", "Truth", "calibrated", "simulate"]

type Floats = np.ndarray[tuple[int], np.dtype[np.float64]]
type Integers = np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass(frozen=True, kw_only=True)
class Truth:
    """The parameters that one stage is simulated with, named as in `socgrad.schema.PARAMETERS`.

    All but the correlation are on the log-rate scale, per step of deprivation (ten percentage
    points unless `simulate` is told otherwise).

    Parameters
    ----------
    intercept
        Log events per child, average authority at its mean deprivation. See `calibrated`.
    within
        Log rate ratio per step of deprivation between neighbourhoods of one authority.
    between
        Log rate ratio per step of authority mean deprivation.
    curvature
        Log rate per squared step of authority mean deprivation.
    cross_level
        Change of the log gradient per step of authority mean deprivation.
    level_sd, slope_sd
        Standard deviations of the authority effects on level and slope, at least 0.
    correlation
        Correlation of the two effects, -1 to 1.
    overdispersion
        Coefficient of variation of a gamma effect of each neighbourhood, at least 0; 0 gives
        Poisson counts, otherwise counts are negative binomial with ``phi = overdispersion**-2``.
    """

    intercept: float
    within: float
    between: float
    curvature: float = 0.0
    cross_level: float = 0.0
    level_sd: float = 0.0
    slope_sd: float = 0.0
    correlation: float = 0.0
    overdispersion: float = 0.0

    def __post_init__(self) -> None:
        values = asdict(self)
        if bad := [name for name, value in values.items() if not np.isfinite(value)]:
            raise SpecificationError(f"Truth: {', '.join(bad)} is not finite. Pass finite numbers.")
        scales = ("level_sd", "slope_sd", "overdispersion")
        if negative := [name for name in scales if values[name] < 0]:
            raise SpecificationError(
                f"Truth: {', '.join(negative)} is below 0. Expected a standard deviation or a "
                "coefficient of variation, 0 or more."
            )
        if abs(self.correlation) > 1:
            raise SpecificationError(
                f"Truth: correlation is {self.correlation}. Expected a number from -1 to 1."
            )

    @property
    def contextual(self) -> float:
        """Log rate ratio per step of authority mean deprivation, neighbourhood deprivation equal.

        ``between - within``: below 0, rates are higher in affluent authorities (the inverse
        intervention effect). It holds at the national mean deprivation, between authorities half a
        step below and half a step above it; elsewhere `cross_level` and `curvature` enter too.
        """
        return self.between - self.within


def _published(
    rate: float, within: float, contextual: float, cross_level: float, sds: tuple[float, float]
) -> Truth:
    """Truth from a rate per 10,000 at the national mean and rate ratios per ten points."""
    return Truth(
        intercept=float(np.log(rate / 10_000)),
        within=float(np.log(within)),
        between=float(np.log(within) + np.log(contextual)),
        cross_level=cross_level,
        level_sd=sds[0],
        slope_sd=sds[1],
        correlation=-0.2,
    )


#: Gradients as published for England, 2018-19 (https://doi.org/10.1093/bjsw/bcab255). Intercepts
#: give, with England's geography, the national numbers of referrals (650,900) and of child
#: protection plans started (66,700) in 2018-19, of section 47 enquiries (201,000) in 2019-20, and
#: of children in need at 31 March 2019 who were neither on such a plan nor looked after (269,100),
#: because no number of child in need plans is published. Contextual ratios follow a fit to
#: published authority totals; the other values are plausible, not published.
PUBLISHED_STAGES: Final[Mapping[str, Truth]] = MappingProxyType(
    {
        "referral": _published(421.0, 1.62, 0.84, -0.04, (0.26, 0.10)),
        "child_in_need_plan": _published(171.5, 1.64, 0.83, -0.04, (0.28, 0.10)),
        "section_47": _published(123.6, 1.69, 0.81, -0.05, (0.30, 0.11)),
        "child_protection_plan": _published(38.35, 1.80, 0.75, -0.05, (0.28, 0.12)),
    }
)


@dataclass(frozen=True)
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
    """

    frame: pd.DataFrame
    truth: pd.DataFrame
    effects: pd.DataFrame
    national_mean: float
    per: float
    random_seed: int


@dataclass(frozen=True)
class _Parts:
    """Deprivation split as the model splits it, in steps."""

    of: Integers
    authorities: list[str]
    children: Floats
    means: Floats
    national_mean: float
    within: Floats
    between: Floats


def _parts(frame: pd.DataFrame, per: float) -> _Parts:
    of, authorities = pd.factorize(frame["authority"])
    x = frame["deprivation"].to_numpy(float)
    children = frame["children"].to_numpy(float)
    means = np.bincount(of, children * x) / np.bincount(of, children)
    national = float(np.average(x, weights=children))
    return _Parts(
        of=of,
        authorities=list(authorities),
        children=children,
        means=means,
        national_mean=national,
        within=(x - means[of]) / per,
        between=(means - national) / per,
    )


def _log_rates(truth: Truth, parts: _Parts, level_effect: Floats, slope_effect: Floats) -> Floats:
    """Log events per child of each area."""
    level = authority_level(
        truth.intercept, truth.between, truth.curvature, parts.between, level_effect
    )
    slope = authority_slope(truth.within, truth.cross_level, parts.between, slope_effect)
    rates: Floats = log_rate(level[parts.of], slope[parts.of], parts.within)
    return rates


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

    Notes
    -----
    With ``v_i = level_sd**2 + 2 correlation level_sd slope_sd w_i + (slope_sd w_i)**2`` the
    expected rate of area i is ``exp(log_rate_i + v_i / 2)``, so the intercept is
    ``log(rate / 10,000)`` less the log of the child-weighted mean of that at an intercept of 0.

    Examples
    --------
    >>> import socgrad as sg
    >>> table = sg.simulate(authorities=20, areas=400, random_seed=1).frame
    >>> truth = sg.Truth(intercept=0.0, within=0.5, between=0.3, level_sd=0.2)
    >>> truth = sg.calibrated(truth, table, rate=50.0)
    >>> simulation = sg.simulate(authorities=20, areas=400, stages={"plans": truth}, random_seed=1)
    """
    if not 0 < rate < 10_000:
        raise SpecificationError(
            f"rate is {rate}. Expected events per 10,000 children, above 0 and below 10,000."
        )
    parts = _parts(frame, per)
    nothing = np.zeros(len(parts.authorities))
    s0, s1, w = truth.level_sd, truth.slope_sd, parts.within
    variance = s0**2 + 2 * truth.correlation * s0 * s1 * w + (s1 * w) ** 2
    expected = np.exp(
        _log_rates(replace(truth, intercept=0.0), parts, nothing, nothing) + variance / 2
    )
    mean = np.average(expected, weights=parts.children)
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
    random_seed
        Whole number, 0 or more. The geography depends on it and on the sizes alone, and the counts
        of a stage on these, its name and its truth: another stage more changes nothing else.

    Returns
    -------
    Simulation
        The table, the truth and the authority effects. Given the rates, counts of different stages
        are independent; real stages count the same children again.

    Examples
    --------
    >>> import socgrad as sg
    >>> simulation = sg.simulate(authorities=10, areas=300, random_seed=2019)
    >>> simulation.frame.columns.tolist()[:5]
    ['area', 'authority', 'region', 'children', 'deprivation']
    >>> simulation.truth.loc["referral", "within"].round(3)
    0.482
    """
    if not 0 <= stage_correlation <= 1:
        raise SpecificationError(
            f"stage_correlation is {stage_correlation}. Expected a number from 0 to 1."
        )
    # Not all streams from one parent: a stage's own must not depend on how many stages there are.
    geography, shared = (np.random.default_rng([random_seed, k]) for k in (0, 1))
    frame = simulated_areas(
        area_counts(sizes, authorities=authorities, areas=areas),
        authority_mean=authority_mean,
        authority_sd=authority_sd,
        within_sd=within_sd,
        rng=geography,
    )
    parts = _parts(frame, per)
    common = shared.standard_normal((2, authorities))
    effects = []
    for stage, truth in stages.items():
        rng = np.random.default_rng([random_seed, 2, zlib.crc32(stage.encode())])
        own = rng.standard_normal((2, authorities))
        z = np.sqrt(stage_correlation) * common + np.sqrt(1 - stage_correlation) * own
        level_effect = truth.level_sd * z[0]
        rest = np.sqrt(1 - truth.correlation**2)
        slope_effect = truth.slope_sd * (truth.correlation * z[0] + rest * z[1])
        mean = parts.children * np.exp(_log_rates(truth, parts, level_effect, slope_effect))
        if truth.overdispersion > 0:
            phi = truth.overdispersion**-2
            mean = mean * rng.gamma(phi, 1 / phi, size=len(mean))
        frame[stage] = rng.poisson(mean)
        level = authority_level(
            truth.intercept, truth.between, truth.curvature, parts.between, level_effect
        )
        slope = authority_slope(truth.within, truth.cross_level, parts.between, slope_effect)
        effects.append(
            pd.DataFrame(
                {
                    "stage": stage,
                    "authority": parts.authorities,
                    "authority_mean": parts.means,
                    "between_part": parts.between,
                    "level_effect": level_effect,
                    "slope_effect": slope_effect,
                    "level": level,
                    "slope": slope,
                    "gradient": np.exp(slope),
                }
            )
        )
    truths = {name: asdict(t) | {"contextual": t.contextual} for name, t in stages.items()}
    return Simulation(
        frame=frame,
        truth=pd.DataFrame.from_dict(truths, orient="index").rename_axis("stage"),
        effects=pd.concat(effects, ignore_index=True),
        national_mean=parts.national_mean,
        per=per,
        random_seed=random_seed,
    )
