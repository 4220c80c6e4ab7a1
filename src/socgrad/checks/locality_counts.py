"""Counts in blocks of whole localities, and what an area's count is expected to be given the rest.

Areas of one locality share a gamma factor, so they are drawn together, and each is informed by the
others.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from socgrad.checks.counts import FittedCounts, Lines, area_blocks
from socgrad.checks.shared_forms import has_no_closed_form, told_by_all
from socgrad.laws.negative_binomial import log_probability
from socgrad.reading.geography import Geography

__all__ = ["WholeLocalities", "count_blocks", "log_probabilities"]

type Floats = npt.NDArray[np.float64]
type Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class WholeLocalities:
    """Some counted areas, whole localities of them, and their expected events in each draw.

    Attributes
    ----------
    rows : ndarray, shape (areas,)
        Positions in `FittedCounts`.
    mean : ndarray, shape (draws, areas)
        Expected events, without the factors of localities.
    first : ndarray, shape (localities,)
        Where each locality begins among the areas.
    locality : ndarray, shape (areas,)
        Locality of each, from 0 within the block.
    """

    rows: Integers
    mean: Floats
    first: Integers
    locality: Integers

    def summed(self, values: Floats) -> Floats:
        """Sum over the areas of each locality; areas are the last axis."""
        result: Floats = np.add.reduceat(values, self.first, axis=-1)
        return result


def count_blocks(counts: FittedCounts, lines: Lines, land: Geography) -> Iterator[WholeLocalities]:
    """Counted areas, block after block; without localities each area is one by itself."""
    if land.locality_of_area.size:
        locality = land.locality_of_area[counts.area]
        order = np.argsort(locality, kind="stable")
        together: Integers = locality[order]
    else:
        order = together = np.arange(len(counts.area))
    for part, mean in area_blocks(lines, land, counts.area[order], together=together):
        first = np.flatnonzero(np.diff(together[part], prepend=-1))
        of = np.repeat(np.arange(len(first)), np.diff([*first, mean.shape[1]]))
        yield WholeLocalities(order[part], mean, first, of)


def log_probabilities(
    counts: FittedCounts, lines: Lines, land: Geography
) -> Iterator[tuple[Integers, Floats]]:
    """Positions of counts, and the log probability of each given the others, (draws, areas).

    Where localities have factors, "the others" tell an area's: given Y events of the other areas of
    its locality where E were expected, the factor is Gamma(1/r + Y, 1/r + E), r = locality_sd**2,
    and the count is negative binomial about mean mu (1 + r Y) / (1 + r E), its factor of variance
    r / (1 + r Y). Where areas have factors of their own, too, or are not all known, the factor is
    integrated out numerically. Elsewhere counts are independent.
    """
    numerically = has_no_closed_form(counts, lines)
    rng = np.random.default_rng(0)  # of factors, which are not asked for
    spread = lines.overdispersion[:, None] ** 2
    r = lines.locality_sd[:, None] ** 2
    for block in count_blocks(counts, lines, land):
        events, mean = counts.events[block.rows], block.mean
        if numerically:
            yield (
                block.rows,
                told_by_all(counts, lines, land, rows=block.rows, mean=mean, rng=rng)[0],
            )
        elif counts.has_bounds:
            yield block.rows, _within_bounds(counts, block, spread)
        elif r.any():
            others = block.summed(events)[block.locality] - events
            expected = np.maximum(block.summed(mean)[:, block.locality] - mean, 0.0)
            told = 1.0 + r * others
            yield block.rows, log_probability(events, mean * told / (1.0 + r * expected), r / told)
        else:
            yield block.rows, log_probability(events, mean, spread)


def _within_bounds(counts: FittedCounts, block: WholeLocalities, spread: Floats) -> Floats:
    """Log probability of counts of which some are within bounds, (draws, areas)."""
    from socgrad.laws.kernel_sums import kernel_values  # noqa: PLC0415 numba takes time

    kernel = counts.kernel[block.rows]
    values = log_probability(counts.events[block.rows], block.mean, spread)
    hidden = kernel >= 0
    eta = np.log(block.mean[:, hidden])
    values[:, hidden] = kernel_values(counts.kernels, kernel[hidden], eta, spread)[0]
    return values
