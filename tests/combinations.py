"""Every combination of features, counts, families and strata: small tables, and models of them."""

import functools
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd

import socgrad as sg

#: What each feature asks of a model; of `both spreads` see `Cell.family`.
FEATURES: Final = MappingProxyType(
    {
        "plain": {},
        "authority covariates": {"authority_covariates": "~ scale(gini)"},
        "moderators": {"moderators": "~ scale(gini)"},
        "area covariates": {"covariates": "~ setting"},
        "area moderators": {"covariates": "~ setting", "area_moderators": "~ setting"},
        "pooled": {"deprivation": "pooled"},
        "curvature": {"curvature": True},
        "no slopes": {"random_slopes": False},
        "null": {"deprivation": "none"},
        "tenths": {"shape": "tenths"},
        "spline": {"shape": "spline"},
        "localities": {"localities": True},
        "regions": {"regions": True},
        "both spreads": {"localities": True},
        "outcome": {},
    }
)
COUNTS: Final = ("counts", "totals", "mixed", "one authority")
FAMILIES: Final = ("poisson", "negative_binomial")
STRATA: Final = ("one", "independent", "joint")
#: Two years that are fitted together: cells of their own, since drift is a covariance of its own.
YEARS: Final = "years"

#: What the features add to the truth that counts are simulated with.
_TRUTHS: Final = {
    "localities": {"locality_sd": 0.3},
    "both spreads": {"locality_sd": 0.3},
    "regions": {"region_sd": 0.2},
}
_INTERCEPTS: Final = {"first": -3.5, "second": -4.0}
_AUTHORITIES, _AREAS, _AREAS_PER_LOCALITY, _SEED = 18, 360, 5, 1
_ROLES: Final = {
    "area": "area",
    "authority": "authority",
    "deprivation": "deprivation",
    "children": "children",
    "complete": True,
}

type Model = sg.GradientModel | sg.StratifiedModel | sg.OutcomeModel


@dataclass(frozen=True)
class Cell:
    """One combination.

    Attributes
    ----------
    feature, counts, family, strata
        A key of `FEATURES`; one each of `COUNTS`, `FAMILIES` and `STRATA` (or `YEARS`).
        Overdispersion of areas beside a factor of each locality is the feature `both spreads`,
        which has the negative binomial alone; `localities` have Poisson counts alone.
    """

    feature: str
    counts: str = field(default="counts", kw_only=True)
    family: str = field(default="poisson", kw_only=True)
    strata: str = field(default="one", kw_only=True)

    def __str__(self) -> str:
        return f"{self.feature}, {self.counts}, {self.family}, {self.strata}"


def cells() -> Iterator[Cell]:
    """All of them, each once: strata by strata, row by row."""
    elsewhere = {("localities", "negative_binomial"), ("both spreads", "poisson")}
    for strata, feature, family, counts in itertools.product(STRATA, FEATURES, FAMILIES, COUNTS):
        if (feature, family) not in elsewhere:
            yield Cell(feature, counts=counts, family=family, strata=strata)


def cells_of_years() -> Iterator[Cell]:
    """Those of years: all counts with Poisson, counted ones with a negative binomial."""
    for cell in cells():
        if cell.strata == "joint" and (cell.family == "poisson" or cell.counts == "counts"):
            yield replace(cell, strata=YEARS)


def model_of(cell: Cell) -> Model:
    """The model of a cell, by the public door alone; what the door refuses, it raises.

    Totals need a prior of `within`; what else they say little of has narrow priors too.
    """
    options = dict(FEATURES[cell.feature])
    options |= {"family": cell.family, "priors": _priors(cell)}
    gradient: sg.GradientModel | sg.StratifiedModel
    if cell.strata == "one":
        gradient = sg.GradientModel(areas_of(cell), **options)
    elif cell.strata == YEARS:
        drift = sg.years.Drift(levels="random walk", slopes="trend")
        gradient = sg.StratifiedModel(
            panel_of(cell), authority_effects=drift, national=sg.years.National(), **options
        )
    else:
        gradient = sg.StratifiedModel(strata_of(cell), authority_effects=cell.strata, **options)
    if cell.feature == "outcome":
        return sg.OutcomeModel(gradient, outcome=_outcome(), name="persistent absence, %")
    return gradient


def areas_of(cell: Cell) -> sg.Areas:
    """The counts of one stratum."""
    frame, totals = _known(cell)
    return sg.Areas.from_frame(
        frame,
        events=None if cell.counts == "totals" else "first",
        totals=totals.get("first"),
        **_ROLES,
        **_also_named(cell, frame),
    )


def strata_of(cell: Cell) -> sg.Strata:
    """The counts of two."""
    frame, totals = _known(cell)
    return sg.Strata.from_stages(
        frame,
        stages=list(_INTERCEPTS),
        nested=False,
        totals=totals or None,
        **_ROLES,
        **_also_named(cell, frame),
    )


def panel_of(cell: Cell) -> sg.years.Panel:
    """The counts of two years, which are the two stages; the second year has other children."""
    frame, totals = _known(cell)
    years = dict(zip((2019, 2020), _INTERCEPTS, strict=True))
    table = pd.concat([
        frame.assign(year=year, events=frame[stage], children=frame["children"] + year - 2019)
        for year, stage in years.items()
    ])  # fmt: skip
    named = _also_named(cell, frame)
    return sg.years.Panel.from_frame(
        table,
        year="year",
        events=None if cell.counts == "totals" else "events",
        totals={year: totals[stage] for year, stage in years.items()} if totals else None,
        missing_events="leave out" if totals else "refuse",
        **_ROLES,
        **named,
    )


def _known(cell: Cell) -> tuple[pd.DataFrame, dict[str, dict[str, float]]]:
    """The table as far as it is known, and totals by stratum of authorities known by no more."""
    frame = _table(cell.feature, cell.family)
    stages = list(_INTERCEPTS)
    if cell.counts == "one authority":
        largest = frame["authority"].value_counts().index[0]
        return frame[frame["authority"] == largest], {}
    sums = frame.groupby("authority")[stages].sum()
    chosen = {"counts": sums.index[:0], "totals": sums.index, "mixed": sums.index[::2]}[cell.counts]
    if chosen.empty:
        return frame, {}
    frame = frame.astype(dict.fromkeys(stages, "float64"))
    frame.loc[frame["authority"].isin(chosen), stages] = np.nan
    return frame, {stage: sums.loc[chosen, stage].to_dict() for stage in stages}


@functools.cache
def _table(feature: str, family: str) -> pd.DataFrame:
    """A simulated table that holds what the feature speaks of."""
    truths = {
        stage: sg.Truth(
            intercept=intercept,
            within=0.5,
            between=0.3,
            cross_level=-0.05,
            level_sd=0.3,
            slope_sd=0.12,
            correlation=-0.2,
            overdispersion=0.3 if family == "negative_binomial" else 0.0,
            **_TRUTHS.get(feature, {}),
        )
        for stage, intercept in _INTERCEPTS.items()
    }
    frame = sg.simulate(
        stages=truths,
        authorities=_AUTHORITIES,
        areas=_AREAS,
        areas_per_locality=_AREAS_PER_LOCALITY,
        random_seed=_SEED,
    ).frame
    rural = np.random.default_rng(_SEED).random(len(frame)) < 0.3
    return frame.assign(setting=np.where(rural, "rural", "urban"))


@functools.cache
def _authorities() -> pd.DataFrame:
    """What is known of each authority, by label: the same in every table."""
    labels = np.sort(_table("plain", "poisson")["authority"].unique())
    drawn = np.random.default_rng(_SEED).standard_normal((2, len(labels)))
    return pd.DataFrame({"gini": 0.35 + 0.03 * drawn[0], "absence": 4 + 0.5 * drawn[1]}, labels)


def _outcome() -> pd.Series:
    return _authorities()["absence"]


def _also_named(cell: Cell, frame: pd.DataFrame) -> dict[str, object]:
    """Further columns of the door, as far as the feature names them."""
    options = FEATURES[cell.feature]
    named: dict[str, object] = {}
    if "covariates" in options:
        named["covariates"] = ["setting"]
    if {"authority_covariates", "moderators"} & options.keys():
        named["authority_covariates"] = _authorities()[["gini"]].loc[frame["authority"].unique()]
    if "localities" in options:
        named["locality"] = "locality"
    if "regions" in options:
        named["region"] = "region"
    return named


def _priors(cell: Cell) -> sg.Priors:
    if cell.counts != "totals":
        return sg.Priors()
    priors = {"within": sg.rate_ratio(1.65, interval=(1.5, 1.82))}
    if cell.feature not in ("no slopes", "null"):
        priors["slope_sd"] = sg.PositiveNormal(0.12, 0.03)
    if cell.feature not in ("pooled", "null"):
        priors["cross_level"] = sg.Normal(-0.05, 0.05)
    return sg.Priors(**priors)
