"""The ledger of counts that came out of records: what of it belongs to a table of areas."""

from __future__ import annotations  # pandas' own classes are not generic at run time

from collections.abc import Mapping
from typing import Final

import pandas as pd

from socgrad.door.table_checks import as_pandas, name_some
from socgrad.errors import TableError

__all__ = ["ledger_lines", "own_ledger"]

_COLUMNS: Final = ("stage", "reason", "amount", "unit", "children")


def own_ledger(ledger: object, sums: Mapping[str, tuple[float, float]]) -> pd.DataFrame:
    """Rows of a ledger for the columns that a table of areas uses.

    Parameters
    ----------
    ledger
        As `returns.count` makes it, or several of them one below the other; None for none.
    sums
        Smallest and largest sum over all areas of the columns of events and exposure, by name: they
        differ where counts are known within bounds.

    Returns
    -------
    pandas.DataFrame
        Columns stage, reason, amount, unit, children; empty for none.

    Raises
    ------
    TableError
        If it is no ledger, has none of the columns, or counted another number than they hold.
    """
    if ledger is None:
        return pd.DataFrame(columns=_COLUMNS)
    given = as_pandas(ledger)
    absent = [name for name in _COLUMNS if name not in given.columns]
    if absent:
        raise TableError(
            f"ledger has no column {', '.join(absent)}. Expected that of returns.count, whose "
            f"columns are {', '.join(_COLUMNS)}; of several authorities, theirs in one table."
        )
    own = given[given["stage"].isin(list(sums))]
    if own.empty:
        raise TableError(
            f"ledger says nothing of {' or '.join(map(repr, sums))}: its stages are "
            f"{name_some(given['stage'].unique().tolist(), limit=20)}. Pass the ledger of these "
            "counts, or none."
        )
    rows = own.groupby(["stage", "reason", "unit"], sort=False)[["amount", "children"]].sum()
    rows = rows.reset_index()[list(_COLUMNS)]
    counted = rows[rows["reason"] == "counted"].set_index("stage")["amount"]
    for stage, amount in counted.items():
        low, high = sums[str(stage)]
        margin = 1e-9 * amount + 1e-6
        if not low - margin <= amount <= high + margin:
            held = f"{low:,.10g}" + (f" to {high:,.10g}" if high > low else "")
            raise TableError(
                f"The ledger says that {amount:,.10g} of {stage!r} were counted, and the column "
                f"holds {held}. Rows were lost, repeated or changed after counting: give "
                "returns.count the table of areas that goes to the model."
            )
    return rows


def ledger_lines(ledger: pd.DataFrame) -> list[str]:
    """Lines of a ledger, for a report on one screen."""
    if ledger.empty:
        return []
    lines = [
        f"{row.stage:<24} {row.amount:>9,.0f} {row.children:>11,}  {row.reason} ({row.unit})"
        for row in ledger.itertuples()
    ]
    return [f"{'counted from records':<24} {'amount':>9} {'children':>11}  what became", *lines]
