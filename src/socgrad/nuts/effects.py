"""Authority effects of the PyMC graph, in the form that the sampler finds easy.

An authority's own events give an estimate of its effect and the information in that estimate; with
these the conditional posterior of the effect is approximately normal. The free variables are the
effects standardised by it. They are approximately standard normal and independent of the standard
deviations, for common and for very rare events alike. The standardisation preconditions the sampler
and does not change the density of the effects.

`nuts.steering` has the same steps, and their derivatives, in numbers.
"""

from collections.abc import Sequence
from typing import Any

from socgrad.nuts.pymc_quietly import pm, pt

__all__ = ["level_and_slope_effects", "level_effects", "region_effects", "suggested_levels"]

type Variable = Any  # PyTensor's variables carry no useful static types.


def level_effects(suggested: Variable, *, level_sd: Variable, known: Variable) -> Variable:
    """Level effects ~ Normal(0, level_sd), where authorities have no slopes of their own.

    Parameters
    ----------
    suggested
        Those that events suggest, from `suggested_levels`.
    level_sd
        Standard deviation of the effects.
    known
        Information about its level in an authority's events.
    """
    gain = 1.0 + known * level_sd**2
    unit = _standard("level", towards=level_sd * known * suggested / gain, gain=gain)
    return pm.Deterministic("level_effect", level_sd * unit, dims="authority")


def level_and_slope_effects(
    data: dict[str, Variable],
    *,
    expected_level: Variable,
    expected_slope: Variable,
    level_sd: Variable,
    slope_sd: Variable,
    correlation: Variable,
    known_level: Variable,
    known_slope: Variable,
) -> tuple[Variable, Variable]:
    """Level and slope effects, bivariate normal: the slope first, then the level given the slope.

    Events inform the slope in two ways. One is their distribution over deprivation. The other comes
    through the level: the level that fits the events best falls approximately linearly with the
    slope, while its conditional mean in the population rises or falls with the slope, by the
    correlation. The slope is likely to be near the value where these two lines meet. Given the
    slope, events determine the level, the better the more events there are. If both relations were
    exactly linear, the variables would be standardised by the exact conditional posteriors.
    """
    ahead = data["centring_level"] - expected_level
    apart = expected_slope - data["centring_slope"]
    # From the spread of events alone, a first place to put the line at.
    first_known = known_slope * slope_sd**2
    first_apart = apart / (1.0 + first_known)
    followed, turn = _followed(first_apart, data)
    gap = ahead - followed + turn * (first_apart - apart)
    rest = level_sd * pt.sqrt(1.0 - correlation**2)  # SD of a level effect given the slope's
    gain = 1.0 + known_level * rest**2
    weight = known_level / gain
    pull = correlation * level_sd + turn * slope_sd
    straight = 1.0 + first_known + weight * pull**2
    # The relation is curved, so events say more about distant slopes; the curvature is allowed for.
    bent = data["centring_spread"] * slope_sd**2
    slope_gain = 0.5 * (straight + pt.sqrt(straight**2 + 4.0 * weight * bent**2))
    towards = (weight * pull * gap - slope_sd * known_slope * apart) / slope_gain
    slope_unit = _standard("slope", towards=towards, gain=slope_gain)
    slope_effect = pm.Deterministic("slope_effect", slope_sd * slope_unit, dims="authority")

    followed, _ = _followed(apart + slope_effect, data)
    expected = correlation * level_sd * slope_unit
    level_unit = _standard(
        "level", towards=rest * weight * (ahead - followed - expected), gain=gain
    )
    level_effect = pm.Deterministic("level_effect", expected + rest * level_unit, dims="authority")
    return level_effect, slope_effect


def region_effects(
    data: dict[str, Variable],
    *,
    expected_level: Variable,
    expected_slope: Variable,
    level_sd: Variable,
    region_sd: Variable,
    known: Variable,
    dims: Sequence[str],
) -> Variable:
    """Effects of regions ~ Normal(0, region_sd), standardised by what their authorities say.

    At its expected slope, an authority's events give an estimate of its level. As an estimate of
    the region's effect it has precision 1 / (level_sd**2 + 1 / known), since the authority's own
    effect and the Poisson variation of its events add to its variance.

    Parameters
    ----------
    data
        The graph's data, by name.
    expected_level, expected_slope
        Level and slope of each authority without effects; of several strata with dims (stratum,
        authority).
    level_sd, region_sd
        Standard deviations of authorities' effects and of regions'; of several strata with dims
        (stratum, one).
    known
        Information about its level in an authority's events.
    dims
        Of the effects.
    """
    ahead = suggested_levels(data, expected_level=expected_level, expected_slope=expected_slope)
    said = known / (1.0 + known * level_sd**2)
    lies_in = data["authority_in_region"]
    gain = 1.0 + (said @ lies_in) * region_sd**2
    towards = region_sd * ((said * ahead) @ lies_in) / gain
    unit = _standard("region", towards=towards, gain=gain, dims=dims)
    return pm.Deterministic("region_effect", region_sd * unit, dims=dims)


def suggested_levels(
    data: dict[str, Variable], *, expected_level: Variable, expected_slope: Variable
) -> Variable:
    """Level effects that authorities' events suggest where their slopes are as expected."""
    followed, _ = _followed(expected_slope - data["centring_slope"], data)
    return data["centring_level"] - expected_level - followed


def _followed(apart: Variable, data: dict[str, Variable]) -> tuple[Variable, Variable]:
    """Log of expected events over the slope, less its value at the reference slope; its slope.

    The curve is smooth, and close to a parabola around the slope that fits an authority's own
    events best. A total has no such slope, so for totals the curve itself is used: with the
    parabola, about one draw in 10,000 of totals diverged.
    """
    turn = data["centring_at"] + data["centring_spread"] * apart
    followed = 0.5 * (data["centring_at"] + turn) * apart
    if "sum_events" not in data:
        return followed, turn
    cells = data["sum_authority"]
    number = apart.shape[-1]
    rows = (cells,) if apart.ndim == 1 else (cells // number, cells % number)
    slope = (data["centring_slope"] + apart)[rows]
    mass = data["sum_node_exposure"] * pt.exp(slope[:, None] * data["sum_node_within"])
    total = mass.sum(axis=1)
    return (
        pt.set_subtensor(followed[rows], pt.log(total) - data["centring_log_sum"][rows]),
        pt.set_subtensor(turn[rows], (mass * data["sum_node_within"]).sum(axis=1) / total),
    )


def _standard(
    name: str, *, towards: Variable, gain: Variable, dims: Sequence[str] = ("authority",)
) -> Variable:
    """Standard normal variable of each authority, or region, standardised by its own data.

    Its conditional posterior is about Normal(towards, 1 / gain), gain the precision over that of
    the population alone. The free variable is (it - towards) * sqrt(gain): non-centred where the
    data say little, centred where they say much, and as far as need be between.
    """
    root = pt.sqrt(gain)
    raw = pm.Normal(f"{name}_raw", mu=-towards * root, sigma=root, dims=dims)
    return raw / root + towards
