"""Counts of a fit, those within bounds drawn from what each draw says of them.

A check of counts needs counts. One that is known within bounds is drawn again in every draw of the
posterior, given what was published of it and, where the authority's total is known, given that: so
counts drawn from the model are compared with counts, not with marks (Gelman, Van Mechelen, Verbeke,
Heitjan & Meulders 2005, Biometrics 61(1), doi 10.1111/j.0006-341X.2005.031007.x).
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from socgrad.checks.counts import FittedCounts, Lines, area_blocks, total_moments
from socgrad.checks.locality_counts import count_blocks
from socgrad.checks.shared_forms import has_no_closed_form, told_by_all
from socgrad.reading.geography import Geography

__all__ = ["completed"]

type Floats = npt.NDArray[np.float64]


def completed(
    counts: FittedCounts, lines: Lines, land: Geography, rng: np.random.Generator
) -> FittedCounts:
    """Draw the counts and totals that are known within bounds, once for each draw.

    Parameters
    ----------
    counts, lines, land
        Of one fit.
    rng
        Source of randomness.

    Returns
    -------
    FittedCounts
        The counts as they are if all are known; else with `events` (draws, counted) and `total`
        (draws, totals), and no kernels.
    """
    if not counts.has_bounds:
        return counts
    from socgrad.laws.kernel_draws import draw_given_kernels  # noqa: PLC0415 numba takes time

    draws = len(lines.level)
    events = np.tile(counts.events, (draws, 1))
    hidden = np.flatnonzero(counts.kernel >= 0)
    tied = np.isin(land.authority_of_area[counts.area[hidden]], counts.constrained)
    alone, summed = hidden[~tied], hidden[tied]
    r = lines.overdispersion[:, None] ** 2
    if has_no_closed_form(counts, lines):
        for block in count_blocks(counts, lines, land):
            _, factor = told_by_all(counts, lines, land, rows=block.rows, mean=block.mean, rng=rng)
            own = counts.kernel[block.rows] >= 0
            at, mean = block.rows[own], (block.mean * factor[:, block.locality])[:, own]
            events[:, at] = draw_given_kernels(counts.kernels, counts.kernel[at], mean, r, rng)
        alone = alone[:0]
    for rows, mean in area_blocks(lines, land, counts.area[alone]):
        at = alone[rows]
        events[:, at] = draw_given_kernels(counts.kernels, counts.kernel[at], mean, r, rng)
    if len(summed):
        events[:, summed] = _given_sums(counts, lines, land, summed, rng)
    total = np.tile(counts.total, (draws, 1))
    bounded = np.flatnonzero(counts.total_kernel >= 0)
    if len(bounded):
        among_areas = np.isin(land.authority_of_area, counts.authority)
        mean, variance = total_moments(lines, land, among=among_areas)
        at = counts.authority[bounded]
        total[:, bounded] = draw_given_kernels(
            counts.kernels, counts.total_kernel[bounded], mean[:, at], variance[:, at], rng
        )
    none = np.full(len(counts.kernel), -1), np.full(len(counts.total_kernel), -1)
    return replace(counts, events=events, total=total, kernel=none[0], total_kernel=none[1])


def _given_sums(
    counts: FittedCounts,
    lines: Lines,
    land: Geography,
    among: npt.NDArray[np.int64],
    rng: np.random.Generator,
) -> Floats:
    """Hidden counts of authorities whose total is known."""
    from socgrad.laws.kernel_draws import draw_given_sums  # noqa: PLC0415 as above

    home = land.authority_of_area[counts.area]
    order = np.argsort(home[among], kind="stable")
    rows = among[order]
    first = np.searchsorted(home[rows], counts.constrained)
    known = np.bincount(home, np.nan_to_num(counts.events), minlength=land.authority_mean.size)
    sums = (counts.constrained_total - known[counts.constrained]).round().astype(np.int64)
    log_mean = np.concatenate(
        [np.log(mean) for _, mean in area_blocks(lines, land, counts.area[rows])], axis=1
    )
    found = np.empty(log_mean.shape)
    found[:, order] = draw_given_sums(
        counts.kernels,
        (np.append(first, len(rows)).astype(np.int64), counts.kernel[rows]),
        log_mean,
        sums,
        rng,
    )
    return found
