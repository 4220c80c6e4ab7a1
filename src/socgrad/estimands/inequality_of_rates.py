"""Inequality of published rates: every index from a plain table of groups, without a model."""

from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from socgrad.door.label_checks import coded_labels
from socgrad.door.number_checks import numbers
from socgrad.door.table_checks import as_pandas, column, refuse
from socgrad.errors import TableError
from socgrad.estimands.curves import check_rate_per
from socgrad.estimands.end_points import METHODS, Method, least_squares_ends, poisson_ends
from socgrad.ranks import ridit_ranks
from socgrad.reading.arguments import check_choice

__all__ = ["inequality_of_rates"]

type Floats = npt.NDArray[np.float64]
type Row = tuple[str, str, float, str]

_NEGATIVE: Final = (
    "refused: an end of the linear line is not above zero, where no rate can be, and a ratio to it "
    "says nothing; use the log-linear or the poisson line"
)
_NO_LOG: Final = "refused: a group without events has no log rate; use the poisson line"
_NO_EVENTS: Final = "refused: no events, so no relative index"
_NO_BOUND: Final = "refused: a group has an event or more per unit, so there is no bound of one"
_ONE_END: Final = (
    "refused: all events are in one extreme group, which a log-linear line reaches only at infinity"
)
_NO_LEAST: Final = "refused: the least deprived group has no events, and a ratio to it says nothing"


def inequality_of_rates(
    table: object,
    *,
    rate: str,
    population: str,
    deprivation: str,
    most_deprived: Literal["highest", "lowest"] = "highest",
    by: str | None = None,
    rate_per: float = 10_000,
) -> pd.DataFrame:
    """Compute every index of inequality from rates of deprivation groups, without a model.

    Parameters
    ----------
    table
        One row per group of neighbourhoods (tenths, say, or the neighbourhoods themselves): a
        pandas DataFrame, or any table with a ``to_pandas`` method (polars, pyarrow).
    rate
        Column of rates, events per `rate_per` of population, not negative.
    population
        Column of populations, above 0: the weights of ranks and of fits.
    deprivation
        Column that orders the groups: numbers of tenths, or deprivation.
    most_deprived
        Whether the "highest" or the "lowest" value of `deprivation` is the most deprived group. In
        English official statistics tenth 1 is the most deprived: "lowest".
    by
        Column of units, such as authorities, that get indices each; by default the table is one.
    rate_per
        Units of population that a rate counts, above 0.

    Returns
    -------
    pandas.DataFrame
        Indexed by `measure` and `method` (before them `by`, if given): "sii", "rii" and
        "rii_of_mean" by each of "poisson", "linear" and "log-linear"; with an empty method "mean",
        "concentration_index" (also "_wagstaff" and "_erreygers"), "absolute_gap", "relative_gap",
        "attributable_rate" and "attributable_fraction", against the least deprived group. Columns
        `value` and `note`. Most minus (over) least deprived, in units of `rate` where not relative.
        What does not exist is NaN, and `note` says why.

    Raises
    ------
    EstimandError
        If `most_deprived` is unknown or `rate_per` is not above 0.
    TableError
        If a column is missing; if a number is missing or out of range; if a unit has fewer than two
        values of deprivation.

    Notes
    -----
    Formulas as in `socgrad.inequality.sii`, `socgrad.inequality.rii`,
    `socgrad.inequality.concentration_index`, `socgrad.inequality.absolute_gap` and
    `socgrad.inequality.attributable_rate`, with the groups for neighbourhoods and populations for
    exposures. Values without intervals: groups alone do not say how sure the rates are.

    Interpretation
    --------------
    For checks of published figures, and to see how far the choice of index matters. Above 0 (for
    ratios, above 1): higher rates among the deprived.

    References
    ----------
    Moreno-Betancur et al. 2015, Epidemiology 26(4), https://doi.org/10.1097/EDE.0000000000000311.

    Examples
    --------
    Two equal halves with rates of 10 and 30 per 10,000:

    >>> import pandas as pd
    >>> from socgrad.estimands.inequality_of_rates import inequality_of_rates
    >>> halves = pd.DataFrame({"half": [1, 2], "rate": [10.0, 30.0], "children": [500, 500]})
    >>> found = inequality_of_rates(halves, rate="rate", population="children", deprivation="half")
    >>> found.loc[("sii", "linear"), "value"].round(6).item()
    40.0
    >>> found.loc[("rii", "log-linear"), "value"].round(6).item()
    9.0
    """
    check_choice("most_deprived", most_deprived, ("highest", "lowest"))
    check_rate_per(rate_per)
    frame = as_pandas(table)
    if by is None:
        units = [("the table", np.arange(len(frame)))]
        keys = frame.index
    else:
        code, names = coded_labels(column(frame, by, role="by"), where=f"Column {by!r} (by)")
        units = [(f"{by} {name}", np.flatnonzero(code == k)) for k, name in enumerate(names)]
        keys = names[code]
    rates = _numbers(frame, rate, keys, role="rate")
    weights = _numbers(frame, population, keys, role="population")
    refuse(
        weights == 0,
        keys,
        f"Column {population!r} (population) is 0 in rows",
        "Expected numbers above 0: leave out groups without anybody.",
    )
    order = _numbers(frame, deprivation, keys, role="deprivation", negative=True)
    order = order if most_deprived == "highest" else -order
    found = [_one(rates[own], weights[own], order[own], rate_per, where) for where, own in units]
    return found[0] if by is None else pd.concat(dict(zip(names, found, strict=True)), names=[by])


def _numbers(
    frame: pd.DataFrame, name: str, keys: "pd.Index[Any]", *, role: str, negative: bool = False
) -> Floats:
    """Read a column of numbers, none missing, and below 0 only where they may be."""
    where = f"Column {name!r} ({role})"
    values = numbers(column(frame, name, role=role), keys, where=where)
    refuse(
        np.isnan(values),
        keys,
        f"{where} has missing values",
        "Expected a number in every row; leave out groups that are not known.",
    )
    if not negative:
        refuse(values < 0, keys, f"{where} has negative values", "Expected zero or more.")
    return values


def _one(
    rate: Floats, population: Floats, order: Floats, rate_per: float, where: str
) -> pd.DataFrame:
    """All indices of one set of groups."""
    distinct, group = np.unique(order, return_inverse=True)
    if distinct.size < 2:
        raise TableError(
            f"{where} has {distinct.size} value of deprivation among {rate.size} rows. An index "
            "of inequality needs two or more."
        )
    share = population / population.sum()
    rank = ridit_ranks(order, population)
    mean = float(share @ rate)
    rows: list[Row] = [("mean", "", mean, "")]
    for method in METHODS:
        rows += _slope_rows(rate, share, rank, method)
    rows += _concentration_rows(rate, share, rank, rate_per)
    weight = np.bincount(group, weights=share)
    group_rate = np.bincount(group, weights=share * rate) / weight
    rows += _gap_rows(float(group_rate[0]), float(group_rate[-1]), mean)
    found = pd.DataFrame(rows, columns=["measure", "method", "value", "note"])
    return found.set_index(["measure", "method"])


def _slope_rows(rate: Floats, share: Floats, rank: Floats, method: Method) -> list[Row]:
    """Slope indices by one line."""
    mean = float(share @ rate)
    names = ("sii", "rii", "rii_of_mean")
    if mean == 0 and method != "linear":
        return [(name, method, np.nan, _NO_EVENTS) for name in names]
    if method == "log-linear" and (rate == 0).any():
        return [(name, method, np.nan, _NO_LOG) for name in names]
    if method == "poisson" and np.unique(rank[rate > 0]).tolist() in ([rank.min()], [rank.max()]):
        return [(name, method, np.nan, _ONE_END) for name in names]
    least, most = _ends(rate, share, rank, method)
    is_ratio = least > 0 and most > 0
    refused = _NO_EVENTS if mean == 0 else _NEGATIVE
    relative = (most - least) / mean if mean else np.nan
    return [
        ("sii", method, most - least, ""),
        ("rii", method, most / least if is_ratio else np.nan, "" if is_ratio else refused),
        ("rii_of_mean", method, relative, "" if mean else _NO_EVENTS),
    ]


def _ends(rate: Floats, share: Floats, rank: Floats, method: Method) -> tuple[float, float]:
    """Ends of the line, from moments as for a fit."""
    values = np.log(rate) if method == "log-linear" else rate
    centred = rank - share @ rank
    mean, covariance = share @ values, share @ (centred * values)
    if method == "poisson":
        ends = poisson_ends(
            np.array([[mean]]),
            np.array([[share @ rank + covariance / mean]]),
            position=rank[None],
            weight=share[None],
        )
    else:
        ends = least_squares_ends(
            np.array([[mean]]),
            np.array([[covariance]]),
            mean_rank=np.array([share @ rank]),
            variance=np.array([share @ centred**2]),
        )
    least, most = (float(end.item()) for end in ends)
    return (np.exp(least), np.exp(most)) if method == "log-linear" else (least, most)


def _concentration_rows(rate: Floats, share: Floats, rank: Floats, rate_per: float) -> list[Row]:
    """Concentration index, and its forms for bounded events where the bound holds."""
    mean = float(share @ rate)
    names = ("concentration_index", "concentration_index_wagstaff", "concentration_index_erreygers")
    if mean == 0:
        return [(name, "", np.nan, _NO_EVENTS) for name in names]
    index = float(2 * (share @ ((rank - share @ rank) * rate)) / mean)
    if (rate >= rate_per).any():
        return [(names[0], "", index, ""), *((name, "", np.nan, _NO_BOUND) for name in names[1:])]
    own = mean / rate_per
    values = (index, index / (1 - own), 4 * own * index)
    return [(name, "", value, "") for name, value in zip(names, values, strict=True)]


def _gap_rows(least: float, most: float, mean: float) -> list[Row]:
    """Gaps between the extreme groups, and what lies above the least deprived one."""
    ratio, fraction = np.nan, np.nan
    if least > 0:
        ratio = most / least
    if mean > 0:
        fraction = 1 - least / mean
    return [
        ("absolute_gap", "", most - least, ""),
        ("relative_gap", "", ratio, "" if least > 0 else _NO_LEAST),
        ("attributable_rate", "", mean - least, ""),
        ("attributable_fraction", "", fraction, "" if mean > 0 else _NO_EVENTS),
    ]
