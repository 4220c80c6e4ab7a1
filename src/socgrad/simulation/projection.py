"""What the model would find in expected counts: their closest levels and slopes by authority.

Where rates are log-linear within each authority, these are its level and slope exactly. Where they
are a mixture of groups with gradients of their own, or bend, they are the values that a Poisson
likelihood comes to with ever more data.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from socgrad.arrays import BoolArray, FloatArray
from socgrad.simulation.parts import Parts

__all__ = ["Fixed", "fixed_part", "lines"]

#: Newton steps: from a slope of 0.4 per step, five reach machine precision.
_STEPS: Final = 40


@dataclass(frozen=True)
class Fixed:
    """The line of an average authority, on the log-rate scale per step, and how it changes."""

    intercept: float
    within: float
    between: float
    cross_level: float


def lines(
    events: FloatArray, exposure: FloatArray, parts: Parts
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Return each authority's level and slope, and which authorities have any.

    Parameters
    ----------
    events, exposure
        Expected, of each area, (n,).
    parts
        Deprivation of these areas.

    Returns
    -------
    tuple
        Level (log rate at the authority's mean deprivation) and slope (per step), NaN for an
        authority without expected events or with fewer than two areas that have exposure, (J,);
        and whether they are defined, (J,).

    Notes
    -----
    They maximise ``sum(events * log_rate - exposure * exp(log_rate))`` over the areas of each
    authority, with ``log_rate = level + slope w``.
    """
    of, w, size = parts.authority_of_area, parts.within_part, len(parts.authorities)

    def total(values: FloatArray) -> FloatArray:
        return np.bincount(of, weights=values, minlength=size)

    seen = exposure > 0
    first = np.full(size, np.inf)
    last = np.full(size, -np.inf)
    np.minimum.at(first, of[seen], w[seen])
    np.maximum.at(last, of[seen], w[seen])
    sum_events, sum_events_w, sum_exposure = total(events), total(events * w), total(exposure)
    defined = (sum_events > 0) & (last > first)
    with np.errstate(divide="ignore", invalid="ignore"):
        level = np.where(defined, np.log(sum_events / sum_exposure), 0.0)
    slope = np.where(defined, 0.4, 0.0)
    for _ in range(_STEPS):
        mean = exposure * np.exp(level[of] + slope[of] * w)
        m0, m1, m2 = total(mean), total(mean * w), total(mean * w * w)
        g0, g1 = sum_events - m0, sum_events_w - m1
        determinant = np.where(defined, m0 * m2 - m1 * m1, 1.0)
        to_level = np.where(defined, (m2 * g0 - m1 * g1) / determinant, 0.0)
        to_slope = np.where(defined, (m0 * g1 - m1 * g0) / determinant, 0.0)
        # A step of more than one in the log would leave the region where Newton converges.
        shrink = 1 / np.maximum(1, np.maximum(np.abs(to_level), np.abs(to_slope)))
        level, slope = level + shrink * to_level, slope + shrink * to_slope
        if max(np.abs(to_level).max(), np.abs(to_slope).max()) < 1e-10:
            break
    return np.where(defined, level, np.nan), np.where(defined, slope, np.nan), defined


def fixed_part(events: FloatArray, exposure: FloatArray, parts: Parts) -> Fixed:
    """Return the average authority's line, from expected counts without authority effects.

    Least squares of the authorities' levels and slopes on their between parts, each authority
    counting once, as in the model when data are plentiful.
    """
    level, slope, defined = lines(events, exposure, parts)
    design = np.column_stack([np.ones(int(defined.sum())), parts.between_part[defined]])
    both = np.column_stack([level[defined], slope[defined]])
    (intercept, within), (between, cross_level) = np.linalg.lstsq(design, both, rcond=None)[0]
    return Fixed(float(intercept), float(within), float(between), float(cross_level))
