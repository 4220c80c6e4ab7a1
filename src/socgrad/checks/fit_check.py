"""Whether the model fits the counts: posterior predictive checks, in words."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from scipy.stats import binom

from socgrad.checks.area_residuals import residuals_about
from socgrad.checks.bends import Bend
from socgrad.checks.completed import completed
from socgrad.checks.counts import chosen_draws, counts_by_position, lines_at, population_at
from socgrad.checks.doubted_counts import doubted_counts
from socgrad.checks.fit_words import (
    BENT,
    WITHOUT_DEPRIVATION,
    about_bend,
    about_bend_by_authority,
    about_dispersion,
    about_localities,
    about_neighbours,
    about_tails,
)
from socgrad.checks.further_tests import further_tests
from socgrad.checks.neighbours import counted_pairs
from socgrad.checks.replicates import (
    AreaReplicates,
    AuthorityReplicates,
    area_replicates,
    authority_replicates,
)
from socgrad.errors import EstimandError, MisfitWarning
from socgrad.notebooks.html import frame_table, heading
from socgrad.ranks import held_groups
from socgrad.reading.by_stratum import quietly
from socgrad.reading.geography import Geography, geography
from socgrad.reading.posterior import Coefficients, coefficients
from socgrad.reading.random_numbers import generator

__all__ = ["FitCheck", "check_fit"]

type Floats = npt.NDArray[np.float64]

_PACKAGE: Final = str(Path(__file__).parents[1])
#: Tail on either side beyond which a statistic is called different: one in a hundred both ways.
_TAIL: Final = 0.005
_GROUPS: Final = 10
#: Least number of counts drawn again: of 199 the rarest share is 1 in 200, and no verdict.
_REPLICATES: Final = 200
#: Statistics that overdispersed counts put off by themselves.
_FOLLOWING: Final = frozenset({"zeros", "busiest_tenth", "largest", "log_linearity"})
#: Statistics that a bend puts off by itself.
_OF_A_BEND: Final = _FOLLOWING | {"dispersion", "overdispersion", "localities"}
_UNSEEN: Final = (
    "Whether neighbouring areas are alike beyond their deprivation cannot be seen: the table names "
    "no localities, and no neighbours= were given."
)
_DRAWN: Final = (
    "{:,} counts are known within bounds only, and were drawn from the model within them: inside "
    "their bounds they agree with it by construction."
)
#: Authorities named before the rest are only counted.
_NAMED: Final = 5


@dataclass(frozen=True, eq=False, repr=False)
class FitCheck:
    """What `check_fit` found.

    Attributes
    ----------
    adequate : bool
        Whether no statistic lies in the outer hundredth of what the model expects.
    statement : str
        The same in words, with what to do where it is not so.
    statistics : pandas.DataFrame
        One row per statistic: `observed` (mean over draws, where it depends on them), `expected`
        (median over counts drawn again), `lower` and `upper` (their central 99%), `pr_above` (share
        of draws whose new counts have at least as large a statistic) and `as_expected`.
    groups : pandas.DataFrame
        National tenths of neighbourhoods by deprivation, 1 the least deprived (fewer groups where
        deprivation has too few values): observed `events`,
        `expected`, and the central 95% of events drawn again. Empty without counted areas.
    authorities : pandas.DataFrame
        One row per authority with counts or a total: `events`; `expected`, `lower`, `upper`, median
        and central 95% of a new authority's events in the same neighbourhoods; `pr_below`, the
        share of those below the authority's own (ties by half), all four NaN for one authority
        alone; `dispersion` among its areas, and
        `dispersion_pr_above` as above (NaN for a total).
    problems : tuple of str
        What is not as expected, and what to do about it: the statement without its numbers.
    counts_doubted : bool
        Whether the counts look as if they had been suppressed or rounded; the statement says how.
    """

    adequate: bool
    statement: str
    statistics: pd.DataFrame
    groups: pd.DataFrame
    authorities: pd.DataFrame
    problems: tuple[str, ...] = ()
    counts_doubted: bool = False

    def __repr__(self) -> str:
        """Whether the model fits, by how many statistics, and where to read more."""
        good, whole = int(self.statistics["as_expected"].sum()), len(self.statistics)
        return (
            f"FitCheck(adequate={self.adequate}, {good} of {whole} statistics as expected; "
            ".statement, .statistics, .groups, .authorities)"
        )

    def __str__(self) -> str:
        """The same, and the statistics but for the largest count, which is one area's."""
        return "\n".join([repr(self), self._shown().to_string(float_format="{:.3g}".format)])

    def _repr_html_(self) -> str:
        return heading(repr(self)) + frame_table(self._shown())

    def _shown(self) -> pd.DataFrame:
        return self.statistics.drop(index="largest", errors="ignore")


def check_fit(
    fit: xr.DataTree, *, draws: int = 500, neighbours: object = None, random_seed: int = 0
) -> FitCheck:
    """Check whether counts drawn from the fitted model look like the counts it was fitted to.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`, with
        its counts.
    draws
        Most draws of the posterior to use, evenly spaced, at least 1. Counts are drawn again 200
        times at least, of fewer draws several times each: fewer could not show that a statistic
        lies in the outer hundredth.
    neighbours
        Table of two columns of area labels, one row for each pair of areas that adjoin (pairs with
        areas that are not counted are left out). Without it, and without localities in the table,
        whether neighbouring areas are alike cannot be seen, and the statement says so.
    random_seed
        Of the counts drawn again.

    Returns
    -------
    FitCheck
        A verdict, in words, and three tables.

    Raises
    ------
    EstimandError
        If the fit holds no counts, or several strata; if `draws` is below 1; if draws of a doubted
        fit expect more events than can be counted, or none where there are some; if `neighbours` is
        no table of two columns, or has no two areas that are counted.
    SchemaError
        If `fit` is not a socgrad fit.

    Warns
    -----
    MisfitWarning
        If a statistic is not as the model expects, with the statement.

    Notes
    -----
    For each draw new counts are made of every area with its authority's fitted effects, and of
    every authority with effects drawn anew; factors of localities are drawn anew in both.
    Statistics: `dispersion`, the mean of (y - mu)**2 / var(y); `localities`, the same of the counts
    of localities, where the table has them, in the model or not; `zeros`, the share of areas
    without events; `busiest_tenth`, the share of all events in the tenth of areas with most;
    `largest`; `log_linearity`, the sum over tenths of neighbourhoods
    by deprivation of (events - expected)**2 / variance; `outlying_authority`, the largest
    absolute log of events over those expected without effects (half an event added to both), not of
    one authority alone.
    Counts that are known within bounds (suppressed or rounded ones) are drawn in every draw, given
    what was published of them, and given their authority's total where it is known, before they
    are compared with counts drawn again; tables then show their means. Such counts agree with the
    model in all that their bounds leave open, so the more is hidden, the less can be found.

    Predictive shares of fitted counts are conservative: they reach the outer hundredth less than
    once in a hundred fits of the right model. Known totals inform `outlying_authority` only.

    Others need no counts drawn again, because their distribution under the model is known:
    `overdispersion`, a score test of Poisson counts that weighs areas by what they expect; `bend`,
    of a spline added to the lines in one step, each authority keeping a level and a slope of its
    own; `bend_by_authority`, of one that changes with authorities' mean deprivation;
    `heavy_tails`, the kurtosis of authorities' effects; `neighbours`, Moran's statistic of areas
    that adjoin. The levels of these tests add up to three fits in a hundred of a right model;
    docs/validation.md says what was found of which tables. The bend is looked for first: a bend
    makes counts vary, while overdispersion bends nothing.

    Interpretation
    --------------
    A dispersion of 1.4 where 0.98 to 1.02 is expected says that like neighbourhoods differ by more
    than chance: a Poisson model then claims more certainty than it has. An authority outside its
    interval is no finding about its practice before its data have been looked at.

    References
    ----------
    Gelman, Meng & Stern 1996, Statistica Sinica 6(4) (posterior predictive discrepancies).
    Gabry et al. 2019, Journal of the Royal Statistical Society A 182(2),
    https://doi.org/10.1111/rssa.12378. Gelman, Van Mechelen, Verbeke, Heitjan & Meulders 2005,
    Biometrics 61(1), https://doi.org/10.1111/j.0006-341X.2005.031007.x (hidden data).

    Examples
    --------
    >>> import socgrad as sg
    >>> table = sg.simulate(authorities=8, areas=200, random_seed=1).frame
    >>> areas = sg.Areas.from_frame(table, area="area", authority="authority", events="referral",
    ...                             children="children", deprivation="deprivation",
    ...                             complete=True)
    >>> fitted = sg.fit(sg.GradientModel(areas), method="laplace", random_seed=1)
    >>> check = sg.check_fit(fitted)
    >>> check.adequate
    True
    >>> check.statistics.loc["dispersion", "observed"].round(2).item()
    1.0
    """
    counts = counts_by_position(fit)
    pairs = None
    if neighbours is not None and len(counts.area):
        labels = fit["constant_data"]["area"].to_numpy()
        pairs = counted_pairs(neighbours, labels[counts.area].tolist())
    terms, land = coefficients(fit), geography(fit)
    at = chosen_draws(terms, draws)
    if len(at) < _REPLICATES:
        # Fewer counts drawn again could never show that a statistic lies in the outer hundredth.
        at = np.resize(at, _REPLICATES)
    rngs = generator(random_seed, terms.stratum).spawn(4)
    population = population_at(fit, at)
    areas, lines = None, lines_at(fit, at)
    hidden = int((counts.kernel >= 0).sum() + (counts.total_kernel >= 0).sum())
    with quietly():
        counts = completed(counts, lines, land, rngs[3])
        authorities = authority_replicates(counts, population, land, rngs[0])
        if len(counts.area):
            # Deprivation of few distinct values makes fewer groups than ten, none of it one.
            group = np.zeros(len(land.children), dtype=np.int64)
            if land.has_deprivation:
                group = held_groups(land.deprivation, land.children, _GROUPS) - 1
            areas = area_replicates(
                counts,
                lines,
                land,
                group=group,
                groups=int(group.max()) + 1,
                rng=rngs[1],
            )
        # What one authority alone is fitted by cannot be held against others like it.
        statistics = _statistics(areas, None if terms.is_alone else authorities)
    _refuse_wild_draws(statistics)
    residuals = None
    if areas is not None:
        residuals = residuals_about(
            counts, lines, land, mean=areas.expected, uncertainty=areas.uncertainty
        )
    further = further_tests(residuals, terms, land, pairs=pairs, rng=rngs[2])
    statistics = pd.concat([statistics, further.rows]).rename_axis("statistic")
    table = _authority_table(areas, authorities, land)
    if terms.is_alone:
        table[["expected", "lower", "upper", "pr_below"]] = np.nan
    family = "poisson" if "overdispersion" not in fit["posterior"] else "negative_binomial"
    if terms.has_localities:
        family = "localities" if family == "poisson" else "both spreads"
    problems = _problems(
        statistics, areas, table, family, bend=further.bend, terms=terms, land=land
    )
    doubts = doubted_counts(counts, land) if problems and len(counts.area) and not hidden else []
    facts = "; ".join(
        f"{str(name).replace('_', ' ')} {row.observed:.3g} "
        f"({row.lower:.3g} to {row.upper:.3g} expected)"
        for name, row in statistics.iterrows()
    )
    adequate = not problems
    opening = "The counts are as the model expects" if adequate else "The model does not fit"
    unseen = []
    if areas is not None and pairs is None and not land.locality_of_area.size:
        unseen = [_UNSEEN]
    drawn = [_DRAWN.format(hidden)] if hidden else []
    statement = " ".join([f"{opening}: {facts}.", *doubts, *problems, *unseen, *drawn])
    if problems:
        warnings.warn(statement, MisfitWarning, skip_file_prefixes=(_PACKAGE,))
    groups = _group_table(areas)
    return FitCheck(adequate, statement, statistics, groups, table, tuple(problems), bool(doubts))


def _refuse_wild_draws(statistics: pd.DataFrame) -> None:
    """Refuse to judge by draws under which the counts could not have been."""
    numbers = statistics[["observed", "expected", "lower", "upper"]]
    wild = statistics.index[~np.isfinite(numbers).all(axis=1)].tolist()
    if wild:
        raise EstimandError(
            f"{len(wild)} of {len(statistics)} statistics are no finite number (first: {wild[0]}): "
            "in some draws no events, or more than can be counted, are expected where there are "
            "some. Look at socgrad.check_sampling(fit) before the fit is checked."
        )


def _statistics(
    areas: AreaReplicates | None, authorities: AuthorityReplicates | None
) -> pd.DataFrame:
    """Each statistic, observed and drawn again."""
    pairs: dict[str, tuple[Floats | float, Floats]] = {}
    if areas is not None:
        pairs["dispersion"] = (areas.dispersion, areas.dispersion_again)
        if areas.localities.size:
            pairs["localities"] = (areas.localities, areas.localities_again)
        pairs["zeros"] = (areas.zeros, areas.zeros_again)
        pairs["busiest_tenth"] = (areas.busiest, areas.busiest_again)
        pairs["largest"] = (areas.largest, areas.largest_again)
        if areas.groups.shape[-1] > 1:
            variance = np.where(areas.groups_variance > 0, areas.groups_variance, 1.0)
            pairs["log_linearity"] = (
                ((areas.groups - areas.groups_mean) ** 2 / variance).sum(axis=1),
                ((areas.groups_again - areas.groups_mean) ** 2 / variance).sum(axis=1),
            )
    if authorities is not None:
        # Half an event keeps the log finite for an authority without any.
        log_expected = np.log(authorities.expected + 0.5)
        pairs["outlying_authority"] = (
            np.abs(np.log(authorities.events + 0.5) - log_expected).max(axis=1),
            np.abs(np.log(authorities.again + 0.5) - log_expected).max(axis=1),
        )
    if not pairs:
        raise EstimandError(
            "This fit is of the total of one authority, which its level follows whatever the "
            "model: there is nothing to check. Counts by neighbourhood can be checked."
        )
    rows = {}
    for name, (observed, again) in pairs.items():
        # The counts themselves are one draw more: few draws can then show nothing.
        above = float((np.sum(again >= observed) + 1) / (again.size + 1))
        below = float((np.sum(again <= observed) + 1) / (again.size + 1))
        lower, upper = np.quantile(again, [_TAIL, 1 - _TAIL])
        rows[name] = {
            "observed": float(np.mean(observed)),
            "expected": float(np.median(again)),
            "lower": float(lower),
            "upper": float(upper),
            "pr_above": above,
            # Only too much of a distance is a fault; the others may err on either side.
            "as_expected": above >= _TAIL
            and (name in ("log_linearity", "outlying_authority") or below >= _TAIL),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("statistic")


def _group_table(areas: AreaReplicates | None) -> pd.DataFrame:
    """Observed and expected events of the tenths."""
    if areas is None:
        return pd.DataFrame(columns=["events", "expected", "lower", "upper"])
    lower, upper = np.quantile(areas.groups_again, [0.025, 0.975], axis=0)
    return pd.DataFrame(
        {
            "events": _numbers(areas.groups),
            "expected": areas.groups_mean.mean(axis=0),
            "lower": lower,
            "upper": upper,
        },
        index=pd.RangeIndex(1, areas.groups.shape[-1] + 1, name="group"),
    )


def _numbers(events: Floats) -> Floats:
    """Events of columns; their mean over draws where they are drawn."""
    means: Floats = events[0] if len(events) == 1 else events.mean(axis=0)
    return means


def _authority_table(
    areas: AreaReplicates | None, authorities: AuthorityReplicates, land: Geography
) -> pd.DataFrame:
    """Each authority against new ones of the same neighbourhoods, and among its own areas."""
    y, again, at = authorities.events, authorities.again, authorities.authority
    lower, expected, upper = np.quantile(again, [0.025, 0.5, 0.975], axis=0)
    table = pd.DataFrame(
        {
            "events": _numbers(y),
            "expected": expected,
            "lower": lower,
            "upper": upper,
            "pr_below": ((again < y).sum(axis=0) + 0.5 * (again == y).sum(axis=0) + 0.5)
            / (len(again) + 1),
            "dispersion": np.nan,
            "dispersion_pr_above": np.nan,
        },
        index=pd.Index(land.authority_mean["authority"].to_numpy()[at], name="authority"),
    )
    if land.authority_name.size:
        table.insert(0, "authority_name", land.authority_name[at])
    if areas is not None:
        own, other = areas.by_authority[:, at], areas.by_authority_again[:, at]
        table["dispersion"] = own.mean(axis=0)
        share = ((other >= own).sum(axis=0) + 1) / (len(other) + 1)
        table["dispersion_pr_above"] = np.where(np.isnan(own[0]), np.nan, share)
    return table


def _problems(
    statistics: pd.DataFrame,
    areas: AreaReplicates | None,
    table: pd.DataFrame,
    family: str,
    *,
    bend: Bend | None,
    terms: Coefficients,
    land: Geography,
) -> list[str]:
    """What is not as expected, and what to do about it."""
    odd = {str(name) for name in statistics.index[~statistics["as_expected"].astype(bool)]}
    problems = []
    within = float(terms.within.mean()) if terms.has_deprivation else None
    if "bend" in odd and bend is not None and within is not None:
        problems.append(
            about_bend(
                bend,
                per=land.per,
                within=within,
                cross_level=float(terms.cross_level.mean()) if terms.has_cross_level else None,
                following=sorted(odd & _OF_A_BEND),
            )
        )
        odd -= _OF_A_BEND | {"bend_by_authority"}
    if areas is not None and odd & {"dispersion", "overdispersion"}:
        too_much = "overdispersion" in odd or bool(statistics["pr_above"]["dispersion"] < _TAIL)
        problems.append(
            about_dispersion(
                family,
                areas.coefficient,
                too_much=too_much,
                within=None if within is None else within * 0.10 / land.per,
                compared=bend,
            )
        )
        if too_much and family == "poisson":
            # What follows would be judged against chance that is too small: a bend, unless it is
            # seen beyond chance as large as that, too; then it may be why counts vary.
            if "log_linearity" in odd:
                seen, most = statistics["observed"], statistics["upper"]
                if seen["log_linearity"] > most["log_linearity"] * seen["dispersion"]:
                    odd -= {"log_linearity"}
                    problems.append(BENT if within is not None else WITHOUT_DEPRIVATION)
            if also := sorted(odd & _FOLLOWING):
                problems.append(
                    f"Then check again: {', '.join(also).replace('_', ' ')} may differ for no "
                    "other reason."
                )
            odd -= _FOLLOWING
    if "localities" in odd:
        too_much = bool(statistics["pr_above"]["localities"] < _TAIL)
        problems.append(about_localities(family, too_much=too_much))
    seen = statistics["observed"]
    problems += [
        words(float(seen[name]))
        for name, words in (
            ("neighbours", about_neighbours),
            ("bend_by_authority", about_bend_by_authority),
            ("heavy_tails", about_tails),
        )
        if name in odd
    ]
    if "zeros" in odd:
        more = bool(statistics["observed"]["zeros"] > statistics["expected"]["zeros"])
        problems.append(
            f"{'More' if more else 'Fewer'} areas are without events than expected"
            + (
                ": ask whether missing or suppressed counts were entered as 0."
                if more
                else ": ask whether areas without events were left out of the table."
            )
        )
    if odd & {"busiest_tenth", "largest"}:
        problems.append(
            "Events crowd in the busiest areas otherwise than expected: look at the largest counts "
            "and their exposure (institutions, boundary changes, placements)."
        )
    if "log_linearity" in odd:
        problems.append(BENT if within is not None else WITHOUT_DEPRIVATION)
    return [*problems, *_about_outliers(table, "outlying_authority" in odd)]


def _about_outliers(table: pd.DataFrame, is_odd: bool) -> list[str]:
    """Authorities in the outer hundredth, where they are too many or too far out."""
    is_outer = (table["pr_below"] < _TAIL) | (table["pr_below"] > 1 - _TAIL)
    words = table["authority_name"] if "authority_name" in table else table.index.to_series()
    outer = words[is_outer].tolist()
    usual = 2 * _TAIL * len(table)
    crowded = binom.sf(len(outer) - 1, len(table), 2 * _TAIL) < 2 * _TAIL
    if is_odd or (outer and crowded):
        names = ", ".join(map(str, outer[:_NAMED])) + (" ..." if len(outer) > _NAMED else "")
        return [
            f"{len(outer)} of {len(table)} authorities lie in the outer hundredth of new "
            f"authorities like them ({usual:.1f} expected{': ' + names if names else ''}): check "
            "their counts and exposure first; normal effects pull such authorities to the middle."
        ]
    return []
