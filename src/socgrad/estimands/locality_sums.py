"""Sums over localities: expected events of each, and their squares by authority."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from socgrad.estimands.aggregates import line_draws
from socgrad.estimands.area_rates import area_rates
from socgrad.estimands.exposure_sums import authority_sums
from socgrad.localities import area_pairs
from socgrad.reading.geography import Geography
from socgrad.reading.posterior import Coefficients

__all__ = ["LocalityBlock", "locality_events", "locality_squares"]

type Floats = npt.NDArray[np.float64]
type Integers = npt.NDArray[np.int64]

# Draws times areas of one block: 8 MB for each array.
_BLOCK = 1_000_000


@dataclass(frozen=True, eq=False)
class LocalityBlock:
    """Some localities, their areas one after the other, and the expected events of these.

    `first` says where each locality's areas begin; `mean` is (chain * draw, areas).
    """

    locality: Integers
    areas: Integers
    first: Integers
    mean: Floats

    @property
    def expected(self) -> Floats:
        """Expected events of each locality, (chain * draw, localities)."""
        summed: Floats = np.add.reduceat(self.mean, self.first, axis=1)
        return summed


def locality_events(
    terms: Coefficients, land: Geography, areas: Integers
) -> Iterator[LocalityBlock]:
    """Expect N_i rate_i events in the named areas of each locality, a block of them at a time.

    Parameters
    ----------
    terms, land
        Of one fit.
    areas
        Positions of areas; a locality without any is left out.
    """
    areas = areas[np.argsort(land.locality_of_area[areas], kind="stable")]
    lines = line_draws(terms, land, own_effects=True)
    locality, first = np.unique(land.locality_of_area[areas], return_index=True)
    ends = np.append(first[1:], len(areas))
    size = max(1, _BLOCK // len(lines[0]))
    begin = 0
    while begin < len(locality):
        # As many whole localities as fit, one at least.
        end = max(int(np.searchsorted(ends, first[begin] + size, side="right")), begin + 1)
        rows = areas[first[begin] : ends[end - 1]]
        events = area_rates(terms, land, lines, rows)
        events *= land.exposure[rows]
        starts = first[begin:end] - first[begin]
        yield LocalityBlock(locality[begin:end], rows, starts, events)
        begin = end


def locality_squares(terms: Coefficients, land: Geography) -> Floats:
    """Sum over each authority's localities of their expected events, squared, with its effects.

    Parameters
    ----------
    terms, land
        Of one fit with localities.

    Returns
    -------
    numpy.ndarray
        Shape (chain * draw, authority), all authorities.
    """
    number = land.authority_mean.size
    if not (terms.has_area_covariates or terms.has_departures):
        # A sum of squares is a sum over pairs of areas, at twice the line.
        pairs = area_pairs(land.locality_of_area)
        level, slope = line_draws(terms, land, own_effects=True)
        (squares,) = authority_sums(
            2.0 * level,
            2.0 * slope,
            authority=land.authority_of_area[pairs.first],
            within_part=pairs.mean(land.within_part),
            weights=[pairs.weight(land.exposure)],
        )
        return squares
    total = np.zeros((terms.intercept.size, number))
    home = np.zeros(len(land.locality), dtype=np.int64)
    home[land.locality_of_area] = land.authority_of_area
    for block in locality_events(terms, land, np.arange(len(land.within_part))):
        rows = np.arange(len(block.locality))
        own = (np.ones(len(rows)), (rows, home[block.locality]))
        total += block.expected**2 @ sparse.csr_array(own, shape=(len(rows), number))
    return total
