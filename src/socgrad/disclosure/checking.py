"""Checking outputs against an output checker's rules."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr

from socgrad.checks.fit_check import FitCheck
from socgrad.coarsening.stored import BOUNDED
from socgrad.disclosure.margins import given_back, keys_of
from socgrad.disclosure.records import Checked, Record, record_of
from socgrad.disclosure.rules import Rules, rules_of
from socgrad.errors import SpecificationError
from socgrad.estimands.observed_rates import observed_authority_rate
from socgrad.reading.by_stratum import along, stratum_labels
from socgrad.reading.protection import COUNTED

__all__ = ["check_disclosure"]

#: Columns of a summary that name a place; its row then stands on that place's counts.
_PLACES: Final = ("authority", "area", "region", "locality")
_BOUNDS: Final = ("least_events", "most_events", "least_rate", "most_rate")
_FEWER: Final = ("events", *COUNTED, *_BOUNDS)
type _Cells = dict[str, list[tuple[int, int]]]


def check_disclosure(
    *outputs: object,
    rules: Rules | str = "threshold_10",
    fit: xr.DataTree | None = None,
    names: Sequence[str] | None = None,
) -> Checked:
    """Check outputs that are to be released together against an output checker's rules.

    Parameters
    ----------
    *outputs
        Tables of `summarise`, `rate_table`, `observed_rate_by_group` and `observed_authority_rate`;
        what `check_fit` returns; draws of estimands; figures and axes. Give those that leave
        together in one call: numbers of one may give back what another suppresses.
    rules
        A name of `socgrad.disclosure.PRESETS`, or `Rules` of your own.
    fit
        The fit behind the outputs, with its events: says on how many events rows of named
        authorities stand, and how many neighbourhoods coefficients rest on. Without it such rows
        are for review.
    names
        Names of the outputs in the result, as many as there are; by default output_0, output_1 ...

    Returns
    -------
    Checked
        `status`, `statement`, and for each output its record in ACRO's words: status, sdc, summary,
        outcome; `to_json` for the log, which holds positions of cells, no counts and no labels.

    Raises
    ------
    SpecificationError
        If there are no outputs, names are not as many or not unique, or `rules` is no preset.
    EstimandError
        If `fit` holds no events.

    Notes
    -----
    * threshold: a row's events, or those of the authority it is of, are fewer than the threshold.
      Rates are checked with their events, which their exposure gives back;
    * dominance: one neighbourhood has more than a share of a row's events;
    * rounding: events, or rate times exposure, are no multiples of the rule's number;
    * differencing: a suppressed count is a sum or difference of counts in the outputs. Counts of
      two groupings that do not nest (thirds and tenths) are for review;
    * degrees-of-freedom: of coefficients, counted neighbourhoods and totals less coefficients;
    * extreme: the largest count of an area, which `check_fit` gives;
    * draws of named places fail: their mean and spread tell totals. Figures are for review, since
      their numbers cannot be read: check the table behind each.

    An output that is suppressed or rounded stays for review, since a person has to agree.

    Interpretation
    --------------
    "pass" says that no rule of those named was met. It does not say that an output may be released:
    rules do not know what else has been published.

    References
    ----------
    Smith, Preen, Albashir et al. 2023, SACRO: Semi-Automated Checking of Research Outputs, UNECE
    Expert Meeting on Statistical Data Confidentiality (vocabulary).

    Examples
    --------
    >>> import socgrad as sg
    >>> from socgrad.reading.example import example_fit
    >>> fit = example_fit(events=True)
    >>> table = sg.rates.observed_rate_by_group(fit, groups=3)
    >>> checked = sg.disclosure.check_disclosure(table, sg.summarise(sg.gradient(fit)), fit=fit)
    >>> checked.status, list(checked.results)
    ('pass', ['output_0', 'output_1'])
    """
    name, wanted = rules_of(rules)
    if not outputs:
        raise SpecificationError("Nothing to check: give the outputs that are to be released.")
    called = [f"output_{k}" for k in range(len(outputs))] if names is None else list(names)
    if len(called) != len(outputs) or len(set(called)) != len(called):
        raise SpecificationError(
            f"{len(called)} names were given for {len(outputs)} outputs. Expected one of its own "
            "for each."
        )
    totals = None if fit is None else _totals(fit)
    flat = [
        (label, part)
        for label, one in zip(called, outputs, strict=True)
        for part in _parts(label, one)
    ]
    tables = [part[1] for _, part in flat if _holds_counts(part[1])]
    back = iter(given_back(tables))
    mixed = _groupings(tables) > 1
    results: dict[str, Record] = {}
    for _, (label, output) in flat:
        if _holds_counts(output):
            results[label] = _of_counts(output, wanted, next(back), mixed=mixed)
        elif isinstance(output, pd.DataFrame):
            results[label] = _of_summary(output, wanted, totals, fit)
        else:
            results[label] = _of_others(output)
    return Checked(rules_name=name, rules=wanted, results=results)


def _parts(label: str, output: object) -> list[tuple[str, Any]]:
    """An output, or its tables where it has several."""
    if isinstance(output, FitCheck):
        parts = {
            "statistics": output.statistics,
            "groups": output.groups,
            "authorities": output.authorities,
        }
        return [(f"{label}.{name}", table) for name, table in parts.items()]
    return [(label, output)]


def _holds_counts(output: object) -> bool:
    return isinstance(output, pd.DataFrame) and "events" in output.columns


def _groupings(tables: Sequence[pd.DataFrame]) -> int:
    """How many ways of cutting neighbourhoods into groups there are."""
    plain = [table.reset_index() for table in tables]
    return len({int(table["group"].max()) for table in plain if "group" in table})


def _of_counts(table: pd.DataFrame, rules: Rules, back: set[int], *, mixed: bool) -> Record:
    """Check a table of counts, cell by cell."""
    cells: _Cells = {}
    comments: list[str] = []
    events = table["events"].to_numpy(dtype=float)
    if "least_events" in table:
        events = np.where(np.isnan(events), table["least_events"], events)
        comments.append("counts known within bounds were checked by the least that they may be")
    hidden = np.isnan(events)
    at = {name: _column(table, name) for name in _FEWER if name in table.columns}
    small = [row for row in np.flatnonzero(~hidden) if rules.is_small(events[row])]
    cells["threshold"] = [(int(row), at[name]) for row in small for name in at]
    cells["differencing"] = [(row, at["events"]) for row in sorted(back) if hidden[row]]
    # A rate that was left beside a suppressed count gives it back with its exposure.
    cells["differencing"] += [
        (int(row), at[name])
        for name in at
        if name != "events"
        for row in np.flatnonzero(hidden & table[name].notna().to_numpy())
    ]
    shares = table.attrs.get("largest_share")
    if shares is not None and len(shares) == len(table):
        over = np.flatnonzero(~hidden & (np.asarray(shares) > rules.dominance))
        cells["dominance"] = [(int(row), at["events"]) for row in over]
    else:
        comments.append(
            "dominance could not be checked: the table does not say whose counts it sums"
        )
    if rules.rounding is not None:
        rest = np.abs(events / rules.rounding - np.round(events / rules.rounding))
        cells["rounding"] = [(int(row), at["events"]) for row in np.flatnonzero(rest > 1e-9)]
    if table.attrs.get("protection", {}).get("round_to") is not None:
        comments.append("counts are rounded: totals must be rounded apart, not summed")
    if mixed and "group" in keys_of(table):
        comments.append(
            "outputs cut neighbourhoods into different numbers of groups: their "
            "differences are counts of small slices"
        )
    return record_of("table", table, cells, suppressed=bool(hidden.any()), comments=comments)


def _of_summary(
    table: pd.DataFrame, rules: Rules, totals: pd.Series | None, fit: xr.DataTree | None
) -> Record:
    """Check a summary: by the events behind named places, or by degrees of freedom."""
    cells: _Cells = {}
    comments: list[str] = []
    if "observed" in table.columns and "largest" in table.index:
        cells["extreme"] = [(table.index.tolist().index("largest"), _column(table, "observed"))]
    column = _column(table, "estimate") if "estimate" in table.columns else 0
    named = [place for place in _PLACES if place in table.columns]
    if named and named != ["authority"]:
        comments.append(f"rows are of places ({', '.join(named)}) whose events are not known here")
    elif named and totals is None:
        comments.append("rows are of named authorities: give fit= to check the events behind them")
    elif named and totals is not None:
        keys = [key for key in ("stratum", "year", "authority") if key in table.columns]
        known = totals if len(keys) > 1 else _least(totals)
        for row, key in enumerate(table[keys].itertuples(index=False, name=None)):
            own = known.get(key if len(keys) > 1 else key[0], np.nan)
            if pd.notna(own) and rules.is_small(own):
                cells.setdefault("threshold", []).append((row, column))
    elif fit is None:
        comments.append("estimates of a model: give fit= to check its degrees of freedom")
    elif _freedom(fit) < rules.degrees_of_freedom:
        cells["degrees-of-freedom"] = [(row, column) for row in range(len(table))]
    return record_of("model", table, cells, suppressed=False, comments=comments)


def _of_others(output: object) -> Record:
    """Check what is no table: draws, and what cannot be read."""
    nothing = pd.DataFrame()
    if isinstance(output, xr.DataArray | xr.Dataset):
        places = [place for place in _PLACES if place in output.dims]
        return record_of(
            "draws",
            pd.DataFrame(index=[0], columns=["draws"]),
            {"threshold": [(0, 0)]} if places else {},
            suppressed=False,
            comments=[
                "draws are not for release by themselves: their mean and spread give totals "
                "back; release a summary"
            ],
        )
    kind = "figure" if hasattr(output, "savefig") or hasattr(output, "figure") else "other"
    words = "what a figure shows cannot be read: check the table behind it"
    if kind == "other":
        words = f"a {type(output).__name__} cannot be read: check it by eye"
    return record_of(kind, nothing, {}, suppressed=False, comments=[words])


def _column(table: pd.DataFrame, name: str) -> int:
    """Where a column stands."""
    return table.columns.tolist().index(name)


def _totals(fit: xr.DataTree) -> pd.Series:
    """Events of each authority (and stratum)."""
    table = observed_authority_rate(fit)
    known = table[table["known"] != "nothing"]
    keys = [along(fit), "authority"] if stratum_labels(fit) else ["authority"]
    # Of counts within bounds the least that there may be.
    return known.set_index(keys)["least_events" if "least_events" in known else "events"]


def _least(totals: pd.Series) -> pd.Series:
    """The fewest events that an authority has in any stratum."""
    return totals.groupby(level="authority").min()


def _freedom(fit: xr.DataTree) -> int:
    """Counted neighbourhoods and totals, less coefficients, of the stratum that has fewest."""
    held = fit["observed_data"].to_dataset()
    counted = np.zeros(1)
    for name in (*BOUNDED, *(variable for variable, _ in BOUNDED.values())):
        if name in held:  # the last dim is of areas or authorities, that before it of strata
            counted = counted + np.isfinite(held[name].to_numpy()).sum(axis=-1)
    draws = fit["posterior"].to_dataset()
    own = {"chain", "draw", "stratum"}
    number = sum(
        int(np.prod([size for dim, size in one.sizes.items() if dim not in own]))
        for one in draws.data_vars.values()
        if not {"authority", "region"} & set(one.dims)
    )
    return int(counted.min()) - number
