"""Simulated counts of several years, with authorities that drift, and the truth that made them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import Final, Literal

import numpy as np
import pandas as pd

from socgrad.arrays import FloatArray
from socgrad.errors import SpecificationError
from socgrad.laws.draws import drawn_factors
from socgrad.predictor import authority_level, authority_slope, log_rate
from socgrad.simulation.england import simulate as simulate_one
from socgrad.simulation.geography import Sizes
from socgrad.simulation.truth import PUBLISHED_STAGES, Truth
from socgrad.within_between import split, weighted_means

__all__ = ["DriftTruth", "YearsSimulation", "simulate"]

_NATIONAL: Final = ("intercept", "within", "between", "curvature", "cross_level")
_NO_CHANGE: Final[Mapping[str, float]] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class DriftTruth:
    """How simulated authorities drift about the constant part that `Truth` describes.

    Parameters
    ----------
    form : {"autoregressive", "random walk", "trend"}
        As in `socgrad.years.Drift`, of levels and of slopes.
    level_sd, slope_sd
        Standard deviation of a year's innovation, or of the trend a year, at least 0.
    autocorrelation
        Of an autoregressive drift, between -1 and 1.
    jumps
        By year, a number that is added to the level of every second authority from that year on:
        nothing that a smooth drift would do.
    """

    form: Literal["autoregressive", "random walk", "trend"] = "autoregressive"
    level_sd: float = 0.08
    slope_sd: float = 0.03
    autocorrelation: float = 0.8
    jumps: Mapping[int, float] = MappingProxyType({})

    def __post_init__(self) -> None:
        if self.form not in ("autoregressive", "random walk", "trend"):
            raise SpecificationError(
                f"form={self.form!r} is unknown. Expected 'autoregressive', 'random walk' or "
                "'trend'."
            )
        if not (self.level_sd >= 0 and self.slope_sd >= 0 and abs(self.autocorrelation) < 1):
            raise SpecificationError(
                f"DriftTruth has level_sd={self.level_sd}, slope_sd={self.slope_sd} and "
                f"autocorrelation={self.autocorrelation}. Expected standard deviations of 0 or "
                "more, and an autocorrelation between -1 and 1."
            )


@dataclass(frozen=True, eq=False)
class YearsSimulation:
    """A simulated table of areas and years, and everything that made it.

    Parameters
    ----------
    frame
        One row per area and year: `year`, `area`, `authority`, `region`, `children`, `deprivation`
        (proportion) and `events`.
    truth
        One row per year: the fields of `Truth`, on the log scale, and `contextual`.
    effects
        One row per year and authority: `level_effect`, `slope_effect`, and `level` (log rate at the
        authority's mean of the period) and `slope` (log rate ratio per step).
    drift
        How authorities drifted.
    """

    frame: pd.DataFrame
    truth: pd.DataFrame
    effects: pd.DataFrame
    drift: DriftTruth


def simulate(
    *,
    years: Sequence[int],
    truth: Truth = PUBLISHED_STAGES["child_protection_plan"],
    a_year: Mapping[str, float] = _NO_CHANGE,
    drift: DriftTruth = DriftTruth(),
    mean_step_sd: float = 0.0,
    authorities: int = 150,
    areas: int = 32_844,
    sizes: Sizes = "unequal",
    per: float = 0.10,
    random_seed: int,
) -> YearsSimulation:
    """Simulate counts of several years in one England-shaped set of neighbourhoods.

    Parameters
    ----------
    years
        Whole years in order, at least two; they may have gaps.
    truth
        Of the first year; its standard deviations are those of the constant part of authorities.
    a_year
        Change of a national coefficient a year, by name (intercept, within, between, curvature,
        cross_level), on the log scale.
    drift
        How authorities drift about their constant part.
    mean_step_sd
        Standard deviation of a year's change of an authority's mean deprivation, a proportion, at
        least 0: every area of the authority changes by so much (and stays within 0 and 1).
    authorities, areas, sizes, per
        As in `socgrad.simulate`.
    random_seed
        Whole number, 0 or more.

    Returns
    -------
    YearsSimulation
        The table, the truth and the authority effects.

    Raises
    ------
    SpecificationError
        If years are not in order, or a number is outside its range.

    Notes
    -----
    ::

        log rate_it = level_jt + slope_jt (x_it - m_j) / per
        level_jt = intercept_t + between_t b_j + curvature_t b_j**2 + a_j + p_jt
        slope_jt = within_t + cross_level_t b_j + c_j + q_jt

    with m_j the authority's mean of all years, as in `socgrad.years.Panel` with means="period".

    Examples
    --------
    >>> import socgrad as sg
    >>> made = sg.years.simulate(years=range(2018, 2022), authorities=10, areas=300, random_seed=1)
    >>> made.frame.shape
    (1200, 7)
    >>> made.truth.index.tolist()
    [2018, 2019, 2020, 2021]
    """
    when = np.array(list(years) if isinstance(years, Iterable) else years)
    if when.ndim != 1 or when.dtype.kind != "i" or len(when) < 2 or (np.diff(when) < 1).any():
        raise SpecificationError(
            f"years is {years!r}. Expected two or more whole years in order, such as "
            "range(2018, 2024)."
        )
    if strangers := [name for name in a_year if name not in _NATIONAL]:
        raise SpecificationError(
            f"a_year names {', '.join(strangers)}. Expected {', '.join(_NATIONAL)}."
        )
    if not mean_step_sd >= 0:
        raise SpecificationError(f"mean_step_sd is {mean_step_sd}. Expected 0 or more.")
    base = simulate_one(
        stages={"events": truth},
        authorities=authorities,
        areas=areas,
        sizes=sizes,
        per=per,
        random_seed=random_seed,
    ).frame.drop(columns="events")
    of, labels = pd.factorize(base["authority"])
    rng = np.random.default_rng([random_seed, 11])
    moved = np.cumsum(mean_step_sd * rng.standard_normal((len(when), authorities)), axis=0)
    start = base["deprivation"].to_numpy(dtype=np.float64)
    x = np.clip(start + (moved - moved[0])[:, of], 0.0, 1.0)
    children = base["children"].to_numpy(dtype=np.float64)
    anchor = weighted_means(x.mean(axis=0), children, of, authorities)
    centre = float(np.average(x.mean(axis=0), weights=children))
    _, b = split(start, authority_of_area=of, authority_mean=anchor, national_mean=centre, per=per)
    level_effect, slope_effect = _effects(truth, drift, when, authorities, rng)
    frames, effects, truths = [], [], {}
    for at, year in enumerate(when.tolist()):
        since = float(year - when[0])
        now = replace(truth, **{n: getattr(truth, n) + since * v for n, v in a_year.items()})
        level = authority_level(now.intercept, now.between, now.curvature, b, level_effect[at])
        slope = authority_slope(now.within, now.cross_level, b, slope_effect[at])
        w = (x[at] - anchor[of]) / per
        expected = children * np.exp(log_rate(level[of], slope[of], w))
        if truth.overdispersion > 0:
            variance = np.square(truth.overdispersion)
            expected = expected * drawn_factors(variance, expected.shape, rng)
        frames.append(base.assign(deprivation=x[at], events=rng.poisson(expected), year=year))
        truths[year] = asdict(now) | {"contextual": now.contextual}
        own = {"level_effect": level_effect[at], "slope_effect": slope_effect[at]}
        own |= {"level": level, "slope": slope}
        effects.append(pd.DataFrame({"year": year, "authority": labels, **own}))
    frame = pd.concat(frames, ignore_index=True)
    return YearsSimulation(
        frame=frame[["year", *(name for name in frame if name != "year")]],
        truth=pd.DataFrame.from_dict(truths, orient="index").rename_axis("year"),
        effects=pd.concat(effects, ignore_index=True),
        drift=drift,
    )


def _effects(
    truth: Truth, drift: DriftTruth, years: np.ndarray, authorities: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Effects on levels and slopes, (years, authorities) each."""
    z = rng.standard_normal((2, authorities))
    r = truth.correlation
    level = np.tile(truth.level_sd * z[0], (len(years), 1))
    slope = np.tile(truth.slope_sd * (r * z[0] + np.sqrt(1 - r * r) * z[1]), (len(years), 1))
    level += drift.level_sd * _unit_drift(drift, years, authorities, rng)
    slope += drift.slope_sd * _unit_drift(drift, years, authorities, rng)
    for year, size in drift.jumps.items():
        level[years >= year, ::2] += size
    return level, slope


def _unit_drift(
    drift: DriftTruth, years: np.ndarray, authorities: int, rng: np.random.Generator
) -> FloatArray:
    """Drift with innovations of standard deviation 1, (years, authorities)."""
    if drift.form == "trend":
        since = years - (years[0] + years[-1]) / 2
        lines: FloatArray = np.outer(since, rng.standard_normal(authorities))
        return lines
    rho = drift.autocorrelation if drift.form == "autoregressive" else 1.0
    # Every year passes, also those of which there are no counts.
    every = np.arange(years[0], years[-1] + 1)
    p = np.zeros((len(every), authorities))
    if drift.form == "autoregressive":
        p[0] = rng.standard_normal(authorities) / np.sqrt(1 - rho * rho)
    for at in range(1, len(every)):
        p[at] = rho * p[at - 1] + rng.standard_normal(authorities)
    found: FloatArray = p[years - years[0]]
    return found
