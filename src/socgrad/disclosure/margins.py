"""Secondary disclosure: suppressed counts that other numbers, published too, give back."""

from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd

__all__ = ["KEYS", "given_back", "keys_of"]

#: Columns that say what a row of counts is of.
KEYS = ("stratum", "year", "authority", "authority_group", "group")


def keys_of(table: pd.DataFrame) -> tuple[str, ...]:
    """The columns of a table that say what its rows are of."""
    return tuple(key for key in KEYS if key in table.columns or key in table.index.names)


def given_back(tables: Sequence[pd.DataFrame]) -> list[set[int]]:
    """Find the rows of each table whose suppressed events the other numbers give back.

    Each published count is a sum over the finest cells; a suppressed one is given back where it is
    a combination of published ones. Sums are those of a table over the keys that another one lacks,
    of tables whose groups are the same.

    Parameters
    ----------
    tables
        With `events` (NaN where suppressed), and columns of `KEYS`. A table without any of them
        holds one total.
    """
    plain = [table.reset_index() for table in tables]
    names: dict[tuple[Hashable, ...], int] = {}

    def number(key: tuple[Hashable, ...]) -> int:
        return names.setdefault(key, len(names))

    def cell(table: pd.DataFrame, row: int, keys: Sequence[str]) -> tuple[Hashable, ...]:
        return tuple((key, table[key].iloc[row]) for key in keys)

    own: list[list[int]] = []
    values: dict[int, float] = {}
    for table in plain:
        keys = keys_of(table)
        own.append([number(cell(table, row, keys)) for row in range(len(table))])
        for at, events in zip(own[-1], table["events"].to_numpy(dtype=float), strict=True):
            if not np.isnan(events):
                values[at] = events
    sums: list[dict[int, float]] = []
    for fine in plain:
        for coarse in plain:
            lacking = set(keys_of(fine)) - set(keys_of(coarse))
            shared = keys_of(coarse)
            if not lacking or not set(shared) <= set(keys_of(fine)):
                continue
            for row in range(len(coarse)):
                whole = cell(coarse, row, shared)
                parts = [
                    number(cell(fine, k, keys_of(fine)))
                    for k in range(len(fine))
                    if cell(fine, k, shared) == whole
                ]
                if parts:
                    sums.append({number(whole): -1.0} | dict.fromkeys(parts, 1.0))
    unknown = sorted(set(range(len(names))) - set(values))
    found = _determined(sums, unknown)
    return [{row for row, at in enumerate(rows) if at in found} for rows in own]


def _determined(sums: list[dict[int, float]], unknown: list[int]) -> set[int]:
    """Which unknowns have one value alone that all sums agree with."""
    if not sums or not unknown:
        return set()
    place = {at: k for k, at in enumerate(unknown)}
    matrix = np.zeros((len(sums), len(unknown)))
    for row, one in enumerate(sums):
        for at, weight in one.items():
            if at in place:
                matrix[row, place[at]] = weight
    _, size, rows = np.linalg.svd(matrix)
    free = rows[int((size > 1e-9).sum()) :]
    loose = np.abs(free).max(axis=0, initial=0.0) if len(free) else np.zeros(len(unknown))
    return {at for at, k in place.items() if loose[k] < 1e-9}
