"""The ledger: what became of every record and of every child, stage by stage, adding up."""

from __future__ import annotations  # pandas' own classes are not generic at run time

from typing import Final

import numpy as np
import pandas as pd

from socgrad.arrays import IntArray
from socgrad.reported_reasons import REASONS

__all__ = ["COUNTED", "child_reasons", "ledger_rows", "reason"]

COUNTED: Final = len(REASONS) - 1


def reason(words: str) -> int:
    """The number of a reason, which grows towards being counted."""
    return REASONS.index(words)


def child_reasons(child: IntArray, reasons: IntArray, children: int) -> IntArray:
    """The reason of each child: that of its record which came nearest to being counted."""
    nearest = np.zeros(children, dtype=np.int64)
    np.maximum.at(nearest, child, reasons)
    return nearest


def ledger_rows(
    stage: str, unit: str, reasons: IntArray, amount: pd.Series[float], per_child: IntArray
) -> pd.DataFrame:
    """Rows of the ledger of one stage: each reason with its amount and its children.

    Parameters
    ----------
    stage, unit
        Name of the stage, and what its amounts are in.
    reasons, amount
        Of each record or part of one.
    per_child
        Reason of each child.
    """
    amounts = np.bincount(reasons, weights=amount, minlength=len(REASONS))
    children = np.bincount(per_child, minlength=len(REASONS))
    there = np.flatnonzero((amounts > 0) | (children > 0) | (np.arange(len(REASONS)) == COUNTED))
    there = there[::-1]
    return pd.DataFrame(
        {
            "stage": stage,
            "reason": [REASONS[k] for k in there],
            "amount": amounts[there],
            "unit": unit,
            "children": children[there],
        }
    )
