"""Rates by group of deprivation in one table: observed beside fitted, and over the first group."""

from typing import Final

import numpy as np
import pandas as pd
import xarray as xr

from socgrad.errors import EstimandError
from socgrad.estimands.group_rates import rate_by_group
from socgrad.estimands.observed_rates import observed_rate_by_group
from socgrad.reading.labels import label_draws
from socgrad.tables.journal import JournalTable, number
from socgrad.tables.summaries import summarise

__all__ = ["journal_rates", "rate_table"]

_INTERVAL: Final = {"estimate": "", "lower": "_lower", "upper": "_upper"}


def rate_table(
    fit: xr.DataTree,
    *,
    groups: int = 10,
    authority_groups: int | None = None,
    observed: bool = True,
    prob: float = 0.95,
    rate_per: float = 10_000,
    suppress_below: int | None = None,
    round_to: int | None = None,
) -> pd.DataFrame:
    """Tabulate rates by group of neighbourhood deprivation: observed, fitted, and their ratios.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    groups
        Number of national groups of neighbourhoods with equal children, 2 or more.
    authority_groups
        Number of groups of authorities by mean deprivation, 2 or more, each cut by the national
        groups. By default authorities are not told apart.
    observed
        Whether to set observed rates beside the fitted ones, which then are of the neighbourhoods
        with counts of their own. False is for a fit saved without events.
    prob
        Probability of all intervals, within 0-1, ends excluded.
    rate_per
        Units of exposure that a rate counts, above 0.
    suppress_below, round_to
        Rows with fewer events are suppressed (NaN), and events rounded to multiples of a number, as
        by `socgrad.disclosure.protect`. By default neither.

    Returns
    -------
    pandas.DataFrame
        One row for each group (of authorities, of each stratum), least deprived first: columns
        `stratum`, `authority_group` (where there are such), `group`; those of
        `observed_rate_by_group`, its rate as `observed`, `observed_lower`, `observed_upper` (with
        `observed` alone); `fitted`, `fitted_lower`, `fitted_upper`, of `rate_by_group`; `ratio`,
        `ratio_lower`, `ratio_upper`: fitted rate over that of the first group, draw by draw. Attrs
        prob, units, rate_per.

    Raises
    ------
    EstimandError
        If the fit holds no events of neighbourhoods (with `observed`); if a group has no exposure;
        if an option is out of range.
    SchemaError
        If `fit` is not a socgrad fit.

    Notes
    -----
    Observed intervals are those of Poisson counts, `poisson_interval`; fitted ones are posterior,
    equal-tailed.

    Interpretation
    --------------
    The last ratio says how many times more events the most deprived children meet than the least
    deprived. Where a fitted rate lies outside the observed interval, the model's straight line does
    not hold in that group.

    References
    ----------
    Bywaters, Brady, Sparks & Bos 2016, Child & Family Social Work 21(3),
    https://doi.org/10.1111/cfs.12154.

    Examples
    --------
    >>> from socgrad.reading.example import example_fit
    >>> from socgrad.tables.rate_tables import rate_table
    >>> table = rate_table(example_fit(events=True), groups=3)
    >>> table[["events", "observed", "fitted", "ratio"]].round(1).values.tolist()
    [[347.0, 49.6, 49.5, 1.0], [761.0, 108.7, 105.1, 2.1], [1432.0, 205.0, 216.2, 4.4]]
    """
    draws = rate_by_group(
        fit,
        groups=groups,
        authority_groups=authority_groups,
        areas="counted" if observed else "all",
        rate_per=rate_per,
    )
    ratio = label_draws(
        draws / draws.sel(group=1, drop=True),
        estimand="ratio",
        units="rate ratio",
        reference="group 1",
        null=1.0,
    )
    fitted = summarise(draws, prob=prob)
    over_first = summarise(ratio, prob=prob)
    names = [name for name in ("stratum", "year", "authority_group", "group") if name in fitted]
    table = fitted[names].reset_index(drop=True)
    if observed:
        counted = observed_rate_by_group(
            fit,
            groups=groups,
            authority_groups=authority_groups,
            prob=prob,
            rate_per=rate_per,
            suppress_below=suppress_below,
            round_to=round_to,
        )
        renamed = {"rate": "observed", "lower": "observed_lower", "upper": "observed_upper"}
        table = table.merge(counted.rename(columns=renamed), on=names, validate="one_to_one")
    for name, summary in (("fitted", fitted), ("ratio", over_first)):
        for column, ending in _INTERVAL.items():
            table[f"{name}{ending}"] = summary[column].to_numpy()
    table.attrs = {"prob": prob, "units": draws.attrs["units"], "rate_per": rate_per}
    if observed:
        kept = ("largest_share", "protection")
        table.attrs |= {name: counted.attrs[name] for name in kept if name in counted.attrs}
    return table


def journal_rates(table: pd.DataFrame, *, caption: str = "") -> JournalTable:
    """Put a table of rates by group into the words and the form of a journal table.

    Parameters
    ----------
    table
        From `socgrad.tables.rate_table`; rows may be selected.
    caption
        What the table shows, one sentence.

    Returns
    -------
    JournalTable
        Columns Group, Deprivation (%), Events, Exposure, Observed rate (its interval), Fitted rate
        (its interval) and Ratio to the first group; strata and groups of authorities before them
        where there are such. For `to_markdown`, `to_latex` and `to_html`.

    Raises
    ------
    EstimandError
        If `table` is not from `rate_table`.

    Examples
    --------
    >>> from socgrad.reading.example import example_fit
    >>> from socgrad.tables.rate_tables import journal_rates, rate_table
    >>> journal = journal_rates(rate_table(example_fit(events=True), groups=3))
    >>> print(*journal.rows[2][:5], sep=" | ")
    3 (most deprived) | 35.5 | 1,432 | 69,840 | 205.0 (194.6 to 215.9)
    """
    if not {"group", "fitted", "ratio"} <= set(table.columns) or "prob" not in table.attrs:
        raise EstimandError(
            f"This {type(table).__name__} is no table of rates by group. Expected one of "
            "socgrad.tables.rate_table, with all columns and its attrs."
        )
    interval = f"{100 * table.attrs['prob']:g}% interval"
    said: dict[str, list[str]] = {}
    if "stratum" in table:
        said["Stratum"] = [str(label) for label in table["stratum"]]
    if "year" in table:
        said["Year"] = [str(year) for year in table["year"]]
    if "authority_group" in table:
        said["Authorities"] = _ends(table["authority_group"])
    said["Group"] = _ends(table["group"])
    words = len(said)
    if "observed" in table:
        said["Deprivation (%)"] = [number(100 * value, 1) for value in table["deprivation"]]
        said["Events"] = _or_bounds(table, "events", "events", 0)
        said["Exposure"] = [number(value, 0) for value in table["exposure"]]
        said[f"Observed rate ({interval})"] = _observed(table)
    said[f"Fitted rate ({interval})"] = _intervals(table, "fitted", 1)
    said[f"Ratio to group 1 ({interval})"] = [
        "1 (reference)" if group == 1 else ratio
        for group, ratio in zip(table["group"], _intervals(table, "ratio", 2), strict=True)
    ]
    notes = [
        f"Rates: {table.attrs['units']}. Groups: equal parts of all children by neighbourhood "
        "deprivation, 1 the least deprived.",
        "Fitted rates and ratios: posterior median, equal-tailed interval.",
    ]
    if "observed" in table:
        notes.append("Observed rates: interval of Poisson counts (Byar; exact below 10 events).")
        if "least_events" in table:
            notes.append(
                f"{int(table['areas_within_bounds'].sum()):,} counts are known within bounds only: "
                "the least and the most that events and rates may be; intervals reach from the "
                "lower limit of the one to the upper limit of the other."
            )
        left_out = int(table["areas_not_counted"].sum())
        if left_out:
            notes.append(
                f"{left_out:,} of {left_out + int(table['areas'].sum()):,} neighbourhoods have no "
                "count of their own and are left out of both rates."
            )
    return JournalTable(
        header=tuple(said),
        rows=tuple(zip(*said.values(), strict=True)),
        words=words,
        caption=caption,
        notes=tuple(notes),
    )


def _ends(groups: "pd.Series[int]") -> list[str]:
    """Numbers of groups, in words at the ends."""
    ends = {1: "1 (least deprived)", int(groups.max()): f"{groups.max()} (most deprived)"}
    return [ends.get(int(group), str(group)) for group in groups]


def _intervals(table: pd.DataFrame, name: str, decimals: int) -> list[str]:
    columns = [table[f"{name}{ending}"] for ending in _INTERVAL.values()]
    return [
        ""
        if np.isnan(value)
        else f"{number(value, decimals)} ({number(low, decimals)} to {number(high, decimals)})"
        for value, low, high in zip(*columns, strict=True)
    ]


def _observed(table: pd.DataFrame) -> list[str]:
    """Observed rates with their intervals; where counts are within bounds, those of the rate."""
    ends = [table[f"observed_{end}"] for end in ("lower", "upper")]
    rates = _or_bounds(table, "observed", "rate", 1)
    return [
        rate and f"{rate} ({number(low, 1)} to {number(high, 1)})"
        for rate, low, high in zip(rates, *ends, strict=True)
    ]


def _or_bounds(table: pd.DataFrame, name: str, of: str, decimals: int) -> list[str]:
    """Numbers of a column; the least and the most where counts are within bounds."""
    said = ["" if np.isnan(value) else number(value, decimals) for value in table[name]]
    if f"least_{of}" not in table:
        return said
    bounds = zip(table[f"least_{of}"], table[f"most_{of}"], strict=True)
    return [
        known or ("" if np.isnan(least) else f"{number(least, decimals)}-{number(most, decimals)}")
        for known, (least, most) in zip(said, bounds, strict=True)
    ]
