"""Figure of rates over neighbourhood deprivation, in groups of authorities."""

from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import xarray as xr

from socgrad.estimands.curves import curve_at, rate_at
from socgrad.estimands.observed_rates import observed_rate_by_group
from socgrad.estimands.rates import integrated_rate_at
from socgrad.plots.lines import (
    RATE_PER,
    draw_observed,
    rates_in_words,
    supported,
    without_events,
)
from socgrad.plots.style import (
    STYLE,
    axes_or_new,
    band,
    colours,
    deprivation_axis,
    draw_band,
    make_room,
    rate_axis,
)
from socgrad.plots.words import rate_words
from socgrad.ranks import quantile_groups, weighted_quantile
from socgrad.reading.arguments import check_choice
from socgrad.reading.geography import geography
from socgrad.reading.posterior import coefficients, require_split
from socgrad.reading.support import FEW

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["inverse_intervention_lines"]

_GROUPS: Final = {
    2: ("More affluent half", "More deprived half"),
    3: ("Most affluent third", "Middle third", "Most deprived third"),
    5: (
        "Most affluent fifth",
        "Second fifth",
        "Middle fifth",
        "Fourth fifth",
        "Most deprived fifth",
    ),
}


def inverse_intervention_lines(
    fit: xr.DataTree,
    *,
    groups: Literal[2, 3, 5] = 3,
    rates: Literal["average", "integrated"] = "average",
    observed: int | None = None,
    prob: float = 0.95,
    deprivation: str = "Deprivation",
    events: str | None = None,
    exposure: str | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw expected rates against neighbourhood deprivation, one line per group of authorities.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    groups
        Number of groups of authorities by mean deprivation, each with the same number of children
        as far as whole authorities allow: 2, 3 or 5.
    rates
        "average": of an authority without effects, the middle one of its kind; "integrated": the
        mean of all authorities of its mean, which observed rates of a group are nearer to.
    observed
        Number of national groups of neighbourhoods, 2 or more (10 for tenths): the observed rate of
        each in each group of authorities is set over the lines as a point, where 10 or more
        neighbourhoods with counts of their own back it. By default none.
    prob
        Probability of the bands, and of the intervals of observed rates, between 0 and 1.
    deprivation
        What deprivation measures, in words, for the label of the horizontal axis.
    events, exposure
        What is counted and what it is counted per ("children", say), in words, for the label of the
        vertical axis; by default the stage and the columns that the fit was made from.
    ax
        Axes to draw on; by default new ones.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on, rates per 10,000 on a logarithmic scale.

    Raises
    ------
    EstimandError
        If the model leaves deprivation or the split out, if `groups` or `prob` is none of the
        values above, or if there are too few authorities to make the groups; if `observed` is given
        for a fit without events.
    SchemaError
        If `fit` is not a socgrad fit.
    SocgradError
        If matplotlib is not installed.

    Notes
    -----
    Each line is ``expected_rate`` of an authority without effects of its own, at the child-weighted
    median of the mean deprivations of its group (or that rate integrated over authorities), from
    the 5th to the 95th percentile of the deprivation that the group's own children live in. Points
    are those of ``observed_rate_by_group``, at the mean deprivation of their neighbourhoods, with
    intervals of Poisson counts. A rate of zero has no place on a logarithmic axis: a group without
    events is a hollow triangle at the upper limit of its interval, and the key counts them.

    Interpretation
    --------------
    Read it upwards: at one and the same neighbourhood deprivation, where the line of affluent
    authorities lies above that of deprived ones, equally deprived neighbourhoods meet more
    intervention in affluent authorities (the inverse intervention effect). Read it to the right:
    the steeper a line, the steeper the gradient within such authorities.

    Examples
    --------
    >>> import socgrad as sg
    >>> from socgrad.reading.example import example_fit
    >>> from matplotlib.figure import Figure
    >>> ax = sg.plots.inverse_intervention_lines(example_fit(), ax=Figure().subplots())
    >>> ax.get_ylabel(), len(ax.lines)
    ('Events per 10,000', 3)
    """
    terms, land = coefficients(fit), geography(fit)
    require_split(terms, "inverse_intervention_lines")
    check_choice("groups", groups, tuple(_GROUPS))
    check_choice("rates", rates, ("average", "integrated"))
    counted = None
    if observed is not None:
        counted = observed_rate_by_group(
            fit, groups=observed, authority_groups=groups, prob=prob, rate_per=RATE_PER
        )
    ax = axes_or_new(ax)
    found = np.zeros(2, dtype=int)
    group = quantile_groups(land.authority_mean, land.authority_children, groups)
    for number, name in enumerate(_GROUPS[groups]):
        members = group == number + 1
        mean = float(
            weighted_quantile(
                land.authority_mean[members], land.authority_children[members], 0.5
            ).item()
        )
        x = supported(land, members[land.authority_of_area])
        curve = curve_at(terms, land, mean)
        rate = integrated_rate_at(terms, curve, x) if rates == "integrated" else rate_at(curve, x)
        line = band(RATE_PER * rate, x.to_numpy(), prob=prob)
        colour = colours()(number / (groups - 1))
        draw_band(
            ax,
            line,
            colour=colour,
            label=f"{name} of authorities (median authority: {100 * mean:.0f}%)",
        )
        if counted is not None:
            cell = counted["authority_group"] == number + 1
            backed = counted[cell & (counted["areas"] >= FEW)]
            found += np.array(draw_observed(ax, backed, colour))
    without_events(ax, *found.tolist(), colour=STYLE.quiet)
    deprivation_axis(ax, f"{deprivation} in the neighbourhood (%)")
    rate_axis(ax, rate_words(fit, events, exposure, per=RATE_PER))
    # The names stand in the order of the lines.
    make_room(ax, rows=groups + 1 + int(found[0] > 0))
    ax.legend(
        loc="upper left",
        edgecolor="none",
        framealpha=1,
        labelcolor="linecolor",
        fontsize="small",
        title=rates_in_words(prob, counted),
        title_fontsize="small",
        alignment="left",
    )
    return ax
