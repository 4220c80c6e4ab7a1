"""Figure of a funnel of stages: of equally many children, how many come to each, rich and poor."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
import xarray as xr

from socgrad.errors import EstimandError
from socgrad.estimands.group_rates import rate_by_group
from socgrad.plots.ladders import fits_by_name
from socgrad.plots.style import STYLE, axes_or_new, check_prob
from socgrad.plots.words import in_lines
from socgrad.reading.by_stratum import strata_facts

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["stage_funnel"]

_WORDS: Final = {2: "half", 3: "third", 4: "quarter", 5: "fifth", 10: "tenth", 20: "twentieth"}
_RATE_PER: Final = 10_000
_HEIGHT: Final = 0.7


def stage_funnel(
    fits: "xr.DataTree | Mapping[str, xr.DataTree]",
    *,
    groups: int = 5,
    prob: float = 0.95,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw how many of 10,000 children come to each stage, least and most deprived back to back.

    Parameters
    ----------
    fits
        A fit of several stages on children, or fits by name, the first stage first.
    groups
        Number of national groups of neighbourhoods with equal children, 2 or more, of which the
        least and the most deprived are drawn.
    prob
        Probability of the intervals, between 0 and 1.
    ax
        Axes to draw on; by default new ones.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on: bars to the left for the least, to the right for the most deprived group,
        events per 10,000, with the ratio of the two and its interval on the right.

    Raises
    ------
    EstimandError
        If there are no fits, a fit without strata was given by itself, its strata are a chain (each
        stage on the one before), or an option is out of range.
    SchemaError
        If a fit is not a socgrad fit.
    SocgradError
        If matplotlib is not installed.

    Notes
    -----
    Rates are ``rate_by_group(fit, groups=...)`` of the first and the last group: posterior medians,
    their intervals as lines. The ratio is taken draw by draw.

    Interpretation
    --------------
    Both sides narrow from stage to stage. Where the right side narrows less, deprived children are
    more of those at the later stage than at the earlier one, and the ratio rises downwards.

    References
    ----------
    Bywaters, Brady, Sparks & Bos 2016, Child & Family Social Work 21(3),
    https://doi.org/10.1111/cfs.12154.

    Examples
    --------
    >>> import socgrad as sg
    >>> from matplotlib.figure import Figure
    >>> from socgrad.reading.example import example_fit_of_stages
    >>> ax = sg.plots.stage_funnel(example_fit_of_stages(), groups=3, ax=Figure().subplots())
    >>> [text.get_text() for text in ax.get_yticklabels()]
    ['Referral', 'Assessment', 'Plan']
    """
    check_prob(prob)
    named = fits_by_name(fits, "stage_funnel")
    if any(
        "strata" in fit.attrs and strata_facts(fit).relation == "chain" for fit in named.values()
    ):
        raise EstimandError(
            "These stages are a chain, each on the one before, so their rates are not of children. "
            "Fit the stages on children: Strata.from_stages without exposure."
        )
    tails = [(1 - prob) / 2, 0.5, (1 + prob) / 2]
    ends = []
    ratios = []
    for fit in named.values():
        rates = rate_by_group(fit, groups=groups, rate_per=_RATE_PER)
        pair = rates.isel(group=[0, -1])
        ends.append(pair.quantile(tails, dim=("chain", "draw")).to_numpy())
        over = rates.isel(group=-1, drop=True) / rates.isel(group=0, drop=True)
        ratios.append(over.quantile(tails).to_numpy())
    low, middle, high = np.transpose(ends, (1, 2, 0))  # each: side, stage
    ax = axes_or_new(ax)
    y = np.arange(len(named))
    words = _WORDS.get(groups, f"of {groups} groups")
    for side, sign, colour, whose in (
        (0, -1, STYLE.affluent, "Least deprived"),
        (1, 1, STYLE.deprived, "Most deprived"),
    ):
        ax.barh(
            y,
            sign * middle[side],
            height=_HEIGHT,
            color=colour,
            alpha=0.55,
            label=f"{whose} {words}",
        )
        ax.hlines(y, sign * low[side], sign * high[side], color=STYLE.ink, linewidth=1.2)
        for place, value, end in zip(y, middle[side], high[side], strict=True):
            ax.annotate(
                f"{value:,.0f}" if value >= 10 else f"{value:.1f}",
                (sign * end, place),
                xytext=(4 * sign, 0),
                textcoords="offset points",
                ha="left" if sign > 0 else "right",
                va="center",
                fontsize="small",
            )
    for place, ratio in zip(y, ratios, strict=True):
        ax.annotate(
            "×{1:.1f} ({0:.1f}-{2:.1f})".format(*ratio),
            (1, place),
            xycoords=("axes fraction", "data"),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            weight="bold",
        )
    ax.annotate(
        "ratio", (1, 1), xycoords="axes fraction", xytext=(8, 4), textcoords="offset points"
    )
    ax.axvline(0, color=STYLE.ink, linewidth=STYLE.thin)
    ax.set_yticks(y, [in_lines(name, 18) for name in named])
    ax.set_ylim(len(y) - 0.4, -0.6)
    room = 0.12 * (high[0].max() + high[1].max())
    ax.set_xlim(-high[0].max() - room, high[1].max() + room)
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.tick_params(axis="y", length=0)
    ax.xaxis.set_major_formatter(lambda value, _: f"{abs(value):,g}")
    ax.set_xlabel(f"Per {_RATE_PER:,} children, {100 * prob:g}% interval")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False, fontsize="small")
    return ax
