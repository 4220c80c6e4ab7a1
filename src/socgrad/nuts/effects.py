"""Authority effects of the PyMC graph, in the form that the sampler finds easy.

With an estimate of an effect and the information behind it, both from the authority's own events,
the effect's conditional posterior is about normal. The free variables are the effects standardised
by it, so they are about standard normal and independent of the standard deviations, for common and
for very rare events alike. The density of the effects is the model's in any case.
"""

from typing import Any

from socgrad.nuts.pymc_quietly import pm, pt

__all__ = ["level_and_slope_effects", "level_effects"]

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
    effect = _effect(
        "level",
        mean=0.0,
        variance=level_sd**2,
        estimate=_estimate_total(0.0, expected_level, expected_slope, data),
        information=known,
    )
    return pm.Deterministic("level_effect", effect, dims="authority")


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
    """Level and slope effects, bivariate normal, through two variables that the data tell apart.

    `total` is the effect on the log rate where an authority's events are (w = at), which its total
    determines: total = level_effect + at * slope_effect. `turn` is the slope effect itself where
    the data know the slope (share 0), and what `total` leaves of it where they do not:
    turn = slope_effect - share * total. Both are linear in the effects, so the density of the
    effects is the model's whatever `at` and `share` are.
    """
    at = data["centring_at"]
    covariance = slope_sd * (correlation * level_sd + at * slope_sd)
    total_variance = level_sd**2 + at * slope_sd * (2.0 * correlation * level_sd + at * slope_sd)
    unknown = 1.0 / (1.0 + known_slope * slope_sd**2)
    share = unknown * covariance / total_variance
    with_total = (1.0 - unknown) * covariance  # of turn
    turn_variance = slope_sd**2 - unknown * (2.0 - unknown) * covariance**2 / total_variance
    turn = _effect(
        "slope",
        mean=0.0,
        variance=turn_variance,
        estimate=data["centring_slope"] - expected_slope,
        information=known_slope,
    )
    # `turn` fixes the slope but for share * total: a first look at the events gives about that.
    rough = _estimate_total(turn, expected_level, expected_slope, data)
    rough *= 1.0 - 1.0 / (1.0 + known_level * total_variance)
    total = _effect(
        "level",
        mean=with_total / turn_variance * turn,
        variance=total_variance - with_total**2 / turn_variance,
        estimate=_estimate_total(turn + share * rough, expected_level, expected_slope, data),
        information=known_level,
    )
    slope_effect = pm.Deterministic("slope_effect", turn + share * total, dims="authority")
    level_effect = pm.Deterministic("level_effect", total - at * slope_effect, dims="authority")
    return level_effect, slope_effect


def _estimate_total(
    slope_effect: Variable,
    expected_level: Variable,
    expected_slope: Variable,
    data: dict[str, Variable],
) -> Variable:
    """What an authority's events make of its total effect, were this its slope effect.

    The log of its expected events is a smooth curve in its slope, close to a parabola about the
    slope that its own events suggest; a parabola is enough to steer by. Its first derivative there
    is `at`, which the total effect holds already.
    """
    apart = expected_slope - data["centring_slope"]
    bend = 0.5 * data["centring_spread"] * (apart + slope_effect) ** 2
    return data["centring_level"] - expected_level - data["centring_at"] * apart - bend


def _effect(
    name: str, *, mean: Variable, variance: Variable, estimate: Variable, information: Variable
) -> Variable:
    """Effect ~ Normal(mean, variance), standardised by what its own data are expected to add.

    With an estimate of the effect and the information behind it, the effect's conditional posterior
    is about Normal(at, 1 / precision). The free variable is (effect - at) * sqrt(precision), about
    standard normal whatever the variance: non-centred where the data say little, centred where they
    say much, and as far as need be between.
    """
    gain = 1.0 + variance * information  # precision over that of the population alone
    towards = (1.0 - 1.0 / gain) * (estimate - mean)
    scale = pt.sqrt(variance / gain)
    raw = pm.Normal(f"{name}_raw", mu=-towards / scale, sigma=pt.sqrt(gain), dims="authority")
    return mean + towards + scale * raw
