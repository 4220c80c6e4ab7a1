"""Observed rates: what was counted, over what it was counted among, to stand beside the fitted."""

from collections.abc import Hashable

import numpy as np
import pandas as pd
import xarray as xr

from socgrad.arrays import BoolArray, FloatArray, IntArray
from socgrad.errors import EstimandError
from socgrad.estimands.curves import check_rate_per
from socgrad.estimands.groups import cells
from socgrad.estimands.poisson_intervals import poisson_interval
from socgrad.reading.by_stratum import along, stratum, stratum_labels
from socgrad.reading.geography import geography
from socgrad.reading.observed import observed_counts
from socgrad.reading.protection import protect

__all__ = ["observed_authority_rate", "observed_rate_by_group"]


def observed_rate_by_group(
    fit: xr.DataTree,
    *,
    groups: int = 10,
    authority_groups: int | None = None,
    authority: Hashable | None = None,
    prob: float = 0.95,
    rate_per: float = 10_000,
    suppress_below: int | None = None,
    round_to: int | None = None,
) -> pd.DataFrame:
    """Compute the observed rate in national groups of neighbourhoods, with Byar's intervals.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`, with
        its events.
    groups
        Number of groups with equal children, as far as whole neighbourhoods allow, 2 or more; the
        groups of `rate_by_group`.
    authority_groups
        Number of groups of authorities by mean deprivation, 2 or more, each cut by the national
        groups of neighbourhoods. By default authorities are not told apart.
    authority
        Label of one authority, whose neighbourhoods alone are counted, in the national groups that
        they belong to. By default all.
    prob
        Coverage of the intervals, within 0-1, ends excluded.
    rate_per
        Units of exposure that a rate counts, above 0.
    suppress_below, round_to
        Rows with fewer events are suppressed (NaN), and events rounded to multiples of a number, as
        by `socgrad.disclosure.protect`. By default neither.

    Returns
    -------
    pandas.DataFrame
        One row for each group, least deprived first (of a fit of several strata, for each stratum,
        named in column `stratum`), with columns

        * `authority_group` (where asked for) and `group`, from 1, the least deprived;
        * `deprivation`: child-weighted mean of the counted neighbourhoods, proportion;
        * `areas`, `areas_not_counted`: neighbourhoods with a count of their own, and without (their
          events unknown, as of a mark that may be anything, or known in their authority's total
          alone): left out of what follows;
        * `events`, `exposure`: their sums;
        * `rate`, `lower`, `upper`: events per `rate_per` of exposure and its interval; NaN where no
          neighbourhood is counted;
        * if counts of the fit are known within bounds only: `areas_within_bounds`, `least_events`,
          `most_events`, `least_rate` and `most_rate`. `events` and `rate` are NaN where these
          differ, and the interval reaches from the lower limit of the least events to the upper
          limit of the most (infinite where a count has no upper bound).

        Attrs prob, units, caption, and `largest_share`, the share of each row's events that one
        neighbourhood has, for `socgrad.disclosure.check_disclosure`.

    Raises
    ------
    EstimandError
        If the fit holds no events, or none of neighbourhoods; if `authority` is not in the fit, or
        given along with `authority_groups`; if another option is out of range; if counts that
        are known within bounds are to be suppressed or rounded again.
    SchemaError
        If `fit` is not a socgrad fit.

    Notes
    -----
    ::

        rate_g = rate_per * sum of events / sum of exposure, over the counted neighbourhoods of g

    with the limits of `poisson_interval`. They hold the chance of Poisson counts alone. Fitted
    rates of the same neighbourhoods: ``rate_by_group(fit, areas="counted")``.

    Interpretation
    --------------
    The facts that a model has to answer to: where the fitted rate lies outside the observed
    interval in several groups, the straight line of the model does not hold there.

    References
    ----------
    Breslow & Day 1987, Statistical Methods in Cancer Research II, IARC.

    Examples
    --------
    >>> from socgrad.reading.example import example_fit
    >>> from socgrad.estimands.observed_rates import observed_rate_by_group
    >>> table = observed_rate_by_group(example_fit(events=True), groups=3)
    >>> table[["group", "events", "rate", "lower", "upper"]].round(0).astype(int).values.tolist()
    [[1, 347, 50, 45, 55], [2, 761, 109, 101, 117], [3, 1432, 205, 195, 216]]
    """
    labels = stratum_labels(fit)
    if labels:
        return _of_strata(
            labels,
            [
                observed_rate_by_group(
                    stratum(fit, label),
                    groups=groups,
                    authority_groups=authority_groups,
                    authority=authority,
                    prob=prob,
                    rate_per=rate_per,
                    suppress_below=suppress_below,
                    round_to=round_to,
                )
                for label in labels
            ],
            along(fit),
        )
    per = check_rate_per(rate_per)
    land = geography(fit)
    counts = observed_counts(fit, purpose="observed_rate_by_group", takes_bounds=True)
    known = counts.known
    if not known.any():
        raise EstimandError(
            f"observed_rate_by_group needs events of neighbourhoods; this fit knows those of "
            f"{int((~np.isnan(counts.total_bounds[0])).sum())} authorities as totals only. Use "
            "observed_authority_rate, or rate_by_group for the fitted rates."
        )
    if authority is not None and authority_groups is not None:
        raise EstimandError(
            "authority and authority_groups were both given, and one authority makes no groups. "
            "Give one of them."
        )
    made = cells(land, groups=groups, authority_groups=authority_groups)
    among = np.ones_like(known)
    if authority is not None:
        among = land.authority_of_area == land.position(authority)
    counted = known & among

    def total(values: FloatArray) -> FloatArray:
        return np.bincount(made.cell[counted] - 1, weights=values[counted], minlength=made.number)

    areas = np.bincount(made.cell[counted] - 1, minlength=made.number)
    least, most = counts.event_bounds
    table = _rates(
        areas,
        np.bincount(made.cell[among] - 1, minlength=made.number) - areas,
        (total(least), total(most)),
        total(land.exposure),
        within_bounds=total((~counts.counted).astype(float)) if counts.has_bounds else None,
        prob=prob,
        per=per,
    )
    table.insert(
        0, "deprivation", _over(total(land.children * land.deprivation), total(land.children))
    )
    position = np.arange(made.number)
    table.insert(0, "group", position % groups + 1)
    if authority_groups is not None:
        table.insert(0, "authority_group", position // groups + 1)
    table = _described(table, prob=prob, rate_per=rate_per)
    if not counts.has_bounds:
        table.attrs["largest_share"] = _largest_share(
            made.cell[counted] - 1, counts.events[counted], made.number
        )
    return _protected(table, suppress_below=suppress_below, round_to=round_to)


def observed_authority_rate(
    fit: xr.DataTree,
    *,
    prob: float = 0.95,
    rate_per: float = 10_000,
    suppress_below: int | None = None,
    round_to: int | None = None,
) -> pd.DataFrame:
    """Compute the observed rate of every authority, with Byar's interval.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`, with
        its events.
    prob
        Coverage of the intervals, within 0-1, ends excluded.
    rate_per
        Units of exposure that a rate counts, above 0.
    suppress_below, round_to
        Rows with fewer events are suppressed (NaN), and events rounded to multiples of a number, as
        by `socgrad.disclosure.protect`. By default neither.

    Returns
    -------
    pandas.DataFrame
        One row for each authority, in the order of the fit, with columns `authority`; `known`
        ("areas", "total" or "nothing"); `areas`, `areas_not_counted`, `events`, `exposure`, `rate`,
        `lower` and `upper` as of `observed_rate_by_group`. Of a total all areas with exposure
        count. An authority of which nothing is known has a rate of NaN. Counts that are known
        within bounds add columns as there. Attrs prob, units, caption.

    Raises
    ------
    EstimandError
        If the fit holds no events; if `prob` or `rate_per` is out of range; if counts that are
        known within bounds are to be suppressed or rounded again.
    SchemaError
        If `fit` is not a socgrad fit.

    Notes
    -----
    ::

        rate_j = rate_per * events_j / exposure_j, over its counted neighbourhoods, or its total

    with the limits of `poisson_interval`.

    Interpretation
    --------------
    The published kind of rate. Its interval says what chance may have done in one period; it says
    nothing of deprivation: compare authorities with `expected_rate(target="each")`.

    References
    ----------
    Breslow & Day 1987, Statistical Methods in Cancer Research II, IARC.

    Examples
    --------
    >>> from socgrad.reading.example import example_fit
    >>> from socgrad.estimands.observed_rates import observed_authority_rate
    >>> table = observed_authority_rate(example_fit(events=True)).set_index("authority")
    >>> table.loc["Ashby", ["events", "rate", "lower", "upper"]].astype(int).tolist()
    [436, 125, 113, 137]
    """
    strata = stratum_labels(fit)
    if strata:
        return _of_strata(
            strata,
            [
                observed_authority_rate(
                    stratum(fit, label),
                    prob=prob,
                    rate_per=rate_per,
                    suppress_below=suppress_below,
                    round_to=round_to,
                )
                for label in strata
            ],
            along(fit),
        )
    per = check_rate_per(rate_per)
    land = geography(fit)
    counts = observed_counts(fit, purpose="observed_authority_rate", takes_bounds=True)
    labels = land.authority_mean["authority"].to_numpy()
    totals, bounds = counts.total_bounds, counts.event_bounds
    totalled = ~np.isnan(totals[0])
    own, counted = land.authority_of_area, counts.known

    def total(values: FloatArray, among: BoolArray) -> FloatArray:
        return np.bincount(own[among], weights=values[among], minlength=labels.size)

    every = np.ones_like(counted)
    # A total is of all the areas that have exposure; else only areas with counts have a part.
    areas = np.where(
        totalled,
        total((land.exposure > 0).astype(float), every),
        total(np.ones(counted.size), counted),
    ).astype(np.int64)
    least, most = (
        np.where(totalled, of_total, total(of_areas, counted))
        for of_total, of_areas in zip(totals, bounds, strict=True)
    )
    table = _rates(
        areas,
        np.bincount(own, minlength=labels.size) - areas,
        (least, most),
        np.where(totalled, land.authority_exposure, total(land.exposure, counted)),
        within_bounds=total((~counts.counted).astype(float), counted)
        if counts.has_bounds
        else None,
        prob=prob,
        per=per,
    )
    table.insert(0, "known", np.where(totalled, "total", np.where(areas > 0, "areas", "nothing")))
    if land.authority_name.size:
        table.insert(0, "authority_name", land.authority_name)
    table.insert(0, "authority", labels)
    table = _described(table, prob=prob, rate_per=rate_per)
    if (
        not totalled.any() and not counts.has_bounds
    ):  # of a total nobody knows whose events it holds
        table.attrs["largest_share"] = _largest_share(
            own[counted], counts.events[counted], labels.size
        )
    return _protected(table, suppress_below=suppress_below, round_to=round_to)


def _protected(
    table: pd.DataFrame, *, suppress_below: int | None, round_to: int | None
) -> pd.DataFrame:
    """Suppress and round, unless the counts were suppressed or rounded when they came."""
    if "least_events" in table and (suppress_below is not None or round_to is not None):
        raise EstimandError(
            "suppress_below and round_to are for counts, and some of this fit are known within "
            "bounds only: sums of their bounds cannot be suppressed or rounded as counts are. "
            "Leave both out, and look at least_events and most_events."
        )
    return protect(table, suppress_below=suppress_below, round_to=round_to)


def _largest_share(cell: IntArray, events: FloatArray, number: int) -> list[float]:
    """The share of each cell's events that its busiest neighbourhood has; 0 without events."""
    largest = np.zeros(number)
    np.maximum.at(largest, cell, events)
    whole = np.bincount(cell, weights=events, minlength=number)
    shares: list[float] = np.nan_to_num(_over(largest, whole)).tolist()
    return shares


def _rates(
    areas: IntArray,
    areas_not_counted: IntArray,
    bounds: tuple[FloatArray, FloatArray],
    exposure: FloatArray,
    *,
    within_bounds: FloatArray | None,
    prob: float,
    per: float,
) -> pd.DataFrame:
    """Rates of rows, whose events lie between two bounds: equal where all were counted."""
    least, most = bounds
    lower, _ = poisson_interval(least, prob=prob)
    finite = np.isfinite(most)
    upper = np.where(finite, poisson_interval(np.where(finite, most, 0.0), prob=prob)[1], np.inf)
    made: dict[str, np.ndarray] = {"areas": areas, "areas_not_counted": areas_not_counted}
    if within_bounds is None:
        made["events"] = least.astype(np.int64)
    else:
        made["areas_within_bounds"] = within_bounds.astype(np.int64)
        made["events"] = np.where(least == most, least, np.nan)
        made |= {"least_events": least, "most_events": most}
    made["exposure"] = exposure
    made["rate"] = per * _over(made["events"].astype(np.float64), exposure)
    if within_bounds is not None:
        made["least_rate"], made["most_rate"] = (
            per * _over(least, exposure),
            per * _over(most, exposure),
        )
    made |= {"lower": per * _over(lower, exposure), "upper": per * _over(upper, exposure)}
    return pd.DataFrame(made)


def _over(part: FloatArray, whole: FloatArray) -> FloatArray:
    """Divide, NaN where there is nothing to divide by."""
    quotient: FloatArray = np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)
    return quotient


def _of_strata(labels: list[Hashable], tables: list[pd.DataFrame], word: str) -> pd.DataFrame:
    """One table of the tables of all strata, the stratum in the first column."""
    for label, table in zip(labels, tables, strict=True):
        table.insert(0, word, label)  # type: ignore[arg-type]
    joined = pd.concat(tables, ignore_index=True)
    joined.attrs = dict(tables[0].attrs)
    shares = [table.attrs["largest_share"] for table in tables if "largest_share" in table.attrs]
    joined.attrs.pop("largest_share", None)
    if len(shares) == len(tables):
        joined.attrs["largest_share"] = [one for share in shares for one in share]
    return joined


def _described(table: pd.DataFrame, *, prob: float, rate_per: float) -> pd.DataFrame:
    units = f"events per {rate_per:,g} of exposure"
    table.attrs = {
        "prob": prob,
        "units": units,
        "caption": f"Observed {units}, with {100 * prob:g}% intervals for Poisson counts (Byar; "
        "exact below 10 events).",
    }
    return table
