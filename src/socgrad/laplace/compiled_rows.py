"""Rows of authorities that share gamma factors: their laws summed at many points, compiled."""

import numpy as np

from socgrad.arrays import FloatArray, IntArray
from socgrad.laws import compiled_expected, compiled_gamma, compiled_localities
from socgrad.laws import compiled_negative_binomial as compiled_counts
from socgrad.laws.compiled_localities import locality_terms
from socgrad.laws.compiled_negative_binomial import negative_binomial_terms
from socgrad.nuts.numba_on_disk import on_disk

__all__ = ["row_terms"]


@on_disk(compiled_counts, compiled_localities, compiled_expected, compiled_gamma)
def terms_of_rows(  # type: ignore[no-untyped-def]
    first, first_node, events, within, offset, alone, level, slope, r, deep, found
):
    """What `row_terms` returns, into `found`; `alone` where each row has one node."""
    small = np.zeros(4)
    for n in range(level.shape[0]):
        for j in range(level.shape[1]):
            out, lo, hi = found[n, j], first[j], first[j + 1]
            if alone:
                negative_binomial_terms(
                    events, within, offset, lo, hi, level[n, j], slope[n, j], r[n], deep, out
                )
            else:
                for row in range(lo, hi):
                    locality_terms(
                        events[row], within, offset, first_node[row], first_node[row + 1],
                        level[n, j], slope[n, j], r[n], out, small,
                    )  # fmt: skip


def row_terms(
    rows: tuple[IntArray, IntArray, FloatArray, FloatArray, FloatArray],
    level: FloatArray,
    slope: FloatArray,
    r: FloatArray,
    *,
    deep: bool,
) -> FloatArray:
    """What the rows of each authority say beside sums of events: (n, j, 10).

    The value, then derivatives by (level, slope) as `socgrad.blocks.segments` has them; without
    `deep` the value alone is right.

    Parameters
    ----------
    rows : tuple of ndarray
        Where the rows of each authority begin (j + 1,), and the nodes of each row (rows + 1,);
        events (rows,); of each node w, and the log of exposure.
    level, slope : ndarray, shape (n, j)
    r : ndarray, shape (n,)
        Squared overdispersion.
    """
    first, first_node, events, within, offset = rows
    found = np.zeros((*level.shape, 10))
    alone = len(within) == len(events)
    terms_of_rows(first, first_node, events, within, offset, alone, level, slope, r, deep, found)
    return found
