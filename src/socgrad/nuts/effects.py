"""Authority effects of the PyMC graph, in the form that the sampler finds easy.

With an estimate of an effect and the information behind it, both from the authority's own events,
the effect's conditional posterior is about normal. The free variables are the effects standardised
by it, so they are about standard normal and independent of the standard deviations, for common and
for very rare events alike. The density of the effects is the model's in any case.

`nuts.steering` has the same steps, and their derivatives, in numbers.
"""

from typing import Any

from socgrad.nuts.pymc_quietly import pm, pt

__all__ = ["level_and_slope_effects", "level_effects", "region_effects"]

type Variable = Any  # PyTensor's variables carry no useful static types.


def level_effects(
    data: dict[str, Variable],
    *,
    expected_level: Variable,
    expected_slope: Variable,
    level_sd: Variable,
    known: Variable,
) -> Variable:
    """Level effects ~ Normal(0, level_sd), where authorities have no slopes of their own.

    Parameters
    ----------
    data
        The graph's data, by name.
    expected_level, expected_slope
        Level and slope of each authority without effects.
    level_sd
        Standard deviation of the effects.
    known
        Information that an authority's events carry on its level.
    """
    followed, _ = _followed(expected_slope - data["centring_slope"], data)
    estimate = data["centring_level"] - expected_level - followed
    gain = 1.0 + known * level_sd**2
    unit = _standard("level", towards=level_sd * known * estimate / gain, gain=gain)
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

    Events say of the slope what their spread over deprivation says, and what they say of the level
    besides: the level that they suggest falls with the slope, about along a line, while the
    population's rises or falls with it as the correlation says; near where the lines meet the slope
    is likely to be. Given the slope, events suggest a level, as well known as they are many. Were
    both lines straight, these would be the conditional posteriors.
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
    # The events' line bends, so that it says more of slopes far off: as much as it bends over them.
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
    regions: int,
) -> Variable:
    """Effects of regions ~ Normal(0, region_sd), standardised by what their authorities say.

    The level that an authority's events suggest at its expected slope says of its region what its
    own effect and the number of its events leave: precision 1 / (level_sd**2 + 1 / known).

    Parameters
    ----------
    data, expected_level, expected_slope, level_sd, known
        As in `level_effects`.
    region_sd
        Standard deviation of the effects.
    regions
        How many there are.
    """
    followed, _ = _followed(expected_slope - data["centring_slope"], data)
    ahead = data["centring_level"] - expected_level - followed
    said = known / (1.0 + known * level_sd**2)
    lies_in = pt.eq(pt.arange(regions)[:, None], data["region_of_authority"][None, :])
    information = (lies_in * said).sum(axis=1)
    gain = 1.0 + information * region_sd**2
    towards = region_sd * (lies_in * (said * ahead)).sum(axis=1) / gain
    unit = _standard("region", towards=towards, gain=gain, dims="region")
    return pm.Deterministic("region_effect", region_sd * unit, dims="region")


def _followed(apart: Variable, data: dict[str, Variable]) -> tuple[Variable, Variable]:
    """Log of expected events over the slope, less its value at the slope that steers; its slope.

    A smooth curve, close to a parabola about the slope that an authority's own events suggest. A
    total suggests none, so the curve itself is taken there: with the parabola, about one draw in
    10,000 of totals diverged.
    """
    turn = data["centring_at"] + data["centring_spread"] * apart
    followed = 0.5 * (data["centring_at"] + turn) * apart
    if "sum_events" not in data:
        return followed, turn
    rows = data["sum_authority"]
    slope = (data["centring_slope"] + apart)[rows]
    mass = data["sum_node_exposure"] * pt.exp(slope[:, None] * data["sum_node_within"])
    total = mass.sum(axis=1)
    return (
        pt.set_subtensor(followed[rows], pt.log(total) - data["centring_log_sum"][rows]),
        pt.set_subtensor(turn[rows], (mass * data["sum_node_within"]).sum(axis=1) / total),
    )


def _standard(name: str, *, towards: Variable, gain: Variable, dims: str = "authority") -> Variable:
    """Standard normal variable of each authority, or region, which its own data standardise.

    Its conditional posterior is about Normal(towards, 1 / gain), gain the precision over that of
    the population alone. The free variable is (it - towards) * sqrt(gain): non-centred where the
    data say little, centred where they say much, and as far as need be between.
    """
    root = pt.sqrt(gain)
    raw = pm.Normal(f"{name}_raw", mu=-towards * root, sigma=root, dims=dims)
    return raw / root + towards
