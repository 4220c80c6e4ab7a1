"""One authority's effects from two standard variables, and the derivatives of that.

`nuts.effects` says why the effects take this form, and builds it for PyMC; here it is once more in
numbers, with its adjoints: d_x is the derivative of the log density by x.
"""

from math import exp, log, sqrt
from typing import NamedTuple

from socgrad.arrays import FloatArray
from socgrad.nuts.numba_on_disk import compiled

__all__ = ["Adjoints", "EventsCurve", "Steered", "d_steered", "steered"]


class EventsCurve(NamedTuple):
    """Log of an authority's expected events over its slope, about the slope that steers.

    A parabola with the derivatives `at` and `spread`. Where the total alone is known (`exact`) the
    slope may be far from the one that steers, and a parabola will not do: `within` and `exposure`
    are nodes of the sum, whose logarithm there is `log_sum`.
    """

    exact: bool
    at: float
    spread: float
    slope: float
    log_sum: float
    within: FloatArray
    exposure: FloatArray


class Steered(NamedTuple):
    """An authority's effects, their log density (constants left out), and the steps to them."""

    level_effect: float
    slope_effect: float
    log_density: float
    apart: float
    known_level: float
    known_slope: float
    level_sd: float
    slope_sd: float
    correlation: float
    first_known: float
    first_apart: float
    first_turn: float
    first_bend: float
    gap: float
    rest: float
    gain: float
    pull: float
    straight: float
    bent: float
    slope_gain: float
    slope_unit: float
    slope_share: float
    turn: float
    missing: float
    level_unit: float
    level_share: float


class Adjoints(NamedTuple):
    """Derivatives of the log density by the arguments of `steered`."""

    ahead: float
    apart: float
    known_level: float
    known_slope: float
    level_sd: float
    slope_sd: float
    correlation: float
    slope_raw: float
    level_raw: float


@compiled
def _followed(apart: float, curve: EventsCurve) -> tuple[float, float, float]:
    """The curve less its value where it steers, at a distance, and its first two derivatives."""
    if not curve.exact:
        turn = curve.at + curve.spread * apart
        return (curve.at + 0.5 * curve.spread * apart) * apart, turn, curve.spread
    total, first, second = 0.0, 0.0, 0.0
    for k in range(len(curve.within)):
        within = curve.within[k]
        mass = curve.exposure[k] * exp((curve.slope + apart) * within)
        total += mass
        first += mass * within
        second += mass * within * within
    turn = first / total
    return log(total) - curve.log_sum, turn, second / total - turn * turn


@compiled
def steered(  # noqa: PLR0917 numba compiles positions faster than names
    curve: EventsCurve,
    ahead: float,
    apart: float,
    known_level: float,
    known_slope: float,
    level_sd: float,
    slope_sd: float,
    correlation: float,
    slope_raw: float,
    level_raw: float,
) -> Steered:
    """Effects of an authority: the steps of `nuts.effects.level_and_slope_effects`.

    `ahead` is the level that the events suggest less the level without effects, `apart` the slope
    without effects less the slope that steers.
    """
    first_known = known_slope * slope_sd * slope_sd
    first_apart = apart / (1.0 + first_known)
    followed, first_turn, first_bend = _followed(first_apart, curve)
    gap = ahead - followed + first_turn * (first_apart - apart)
    rest = level_sd * sqrt(1.0 - correlation * correlation)
    gain = 1.0 + known_level * rest * rest
    pull = correlation * level_sd + first_turn * slope_sd
    weight = known_level / gain
    straight = 1.0 + first_known + weight * pull * pull
    bent = curve.spread * slope_sd * slope_sd
    slope_gain = 0.5 * (straight + sqrt(straight * straight + 4.0 * weight * bent * bent))
    slope_share = slope_raw / sqrt(slope_gain)
    slope_unit = slope_share + (weight * pull * gap - slope_sd * known_slope * apart) / slope_gain
    slope_effect = slope_sd * slope_unit
    followed, turn, _ = _followed(apart + slope_effect, curve)
    expected = correlation * level_sd * slope_unit
    missing = ahead - followed - expected
    level_share = level_raw / sqrt(gain)
    level_unit = level_share + rest * weight * missing
    log_density = -0.5 * (
        slope_unit * slope_unit + level_unit * level_unit + log(slope_gain * gain)
    )
    return Steered(
        expected + rest * level_unit,
        slope_effect,
        log_density,
        apart,
        known_level,
        known_slope,
        level_sd,
        slope_sd,
        correlation,
        first_known,
        first_apart,
        first_turn,
        first_bend,
        gap,
        rest,
        gain,
        pull,
        straight,
        bent,
        slope_gain,
        slope_unit,
        slope_share,
        turn,
        missing,
        level_unit,
        level_share,
    )


@compiled
def d_steered(of: Steered, d_level_effect: float, d_slope_effect: float) -> Adjoints:
    """Derivatives of the log density, given those of the likelihood by the two effects."""
    weight = of.known_level / of.gain
    # level_effect = expected + rest * level_unit
    d_level_unit = d_level_effect * of.rest - of.level_unit
    d_missing = d_level_unit * of.rest * weight
    d_rest = d_level_effect * of.level_unit + d_level_unit * weight * of.missing
    d_weight = d_level_unit * of.rest * of.missing
    d_gain = -0.5 * (d_level_unit * of.level_share + 1.0) / of.gain
    d_level_raw = d_level_unit / sqrt(of.gain)
    # missing = ahead - curve(apart + slope_effect) - expected
    d_expected = d_level_effect - d_missing
    d_slope_effect -= d_missing * of.turn
    d_apart = -d_missing * of.turn
    d_ahead = d_missing
    # expected = correlation * level_sd * slope_unit, slope_effect = slope_sd * slope_unit
    d_slope_unit = (
        d_expected * of.correlation * of.level_sd + d_slope_effect * of.slope_sd - of.slope_unit
    )
    d_correlation = d_expected * of.level_sd * of.slope_unit
    d_level_sd = d_expected * of.correlation * of.slope_unit
    d_slope_sd = d_slope_effect * of.slope_unit
    # slope_unit = share + (weight * pull * gap - slope_sd * known_slope * apart) / slope_gain
    d_slope_raw = d_slope_unit / sqrt(of.slope_gain)
    d_slope_gain = (d_slope_unit * (0.5 * of.slope_share - of.slope_unit) - 0.5) / of.slope_gain
    d_sum = d_slope_unit / of.slope_gain
    d_slope_sd -= d_sum * of.known_slope * of.apart
    d_known_slope = -d_sum * of.slope_sd * of.apart
    d_apart -= d_sum * of.slope_sd * of.known_slope
    # slope_gain**2 = straight * slope_gain + weight * bent**2
    d_bent = d_slope_gain / (2.0 * of.slope_gain - of.straight)
    d_straight = d_bent * of.slope_gain
    d_pull = weight * (d_sum * of.gap + 2.0 * d_straight * of.pull)
    d_weight += of.pull * (d_sum * of.gap + d_straight * of.pull) + d_bent * of.bent * of.bent
    d_slope_sd += 4.0 * d_bent * weight * of.bent * of.bent / of.slope_sd
    d_gap = d_sum * weight * of.pull
    d_first_known = d_straight
    # weight = known_level / gain, gain = 1 + known_level * rest**2
    d_gain -= d_weight * weight / of.gain
    d_known_level = d_weight / of.gain + d_gain * of.rest * of.rest
    d_rest += 2.0 * d_gain * of.known_level * of.rest
    # rest and pull
    d_level_sd += d_rest * of.rest / of.level_sd + d_pull * of.correlation
    d_correlation += d_pull * of.level_sd
    d_correlation -= d_rest * of.level_sd * of.level_sd * of.correlation / of.rest
    d_slope_sd += d_pull * of.first_turn
    d_first_turn = d_pull * of.slope_sd + d_gap * (of.first_apart - of.apart)
    # gap = ahead - curve(first_apart) + first_turn * (first_apart - apart): flat in first_apart
    d_ahead += d_gap
    d_apart -= d_gap * of.first_turn
    d_first_apart = d_first_turn * of.first_bend
    # first_apart = apart / (1 + first_known), first_known = known_slope * slope_sd**2
    d_apart += d_first_apart / (1.0 + of.first_known)
    d_first_known -= d_first_apart * of.first_apart / (1.0 + of.first_known)
    d_known_slope += d_first_known * of.slope_sd * of.slope_sd
    d_slope_sd += 2.0 * d_first_known * of.known_slope * of.slope_sd
    return Adjoints(
        d_ahead,
        d_apart,
        d_known_level,
        d_known_slope,
        d_level_sd,
        d_slope_sd,
        d_correlation,
        d_slope_raw,
        d_level_raw,
    )
