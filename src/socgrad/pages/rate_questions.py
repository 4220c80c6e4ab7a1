"""Questions on rates: how they rise over deprivation, and how unequal they are."""

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from socgrad.errors import EstimandError
from socgrad.estimands.attributable import attributable_fraction
from socgrad.estimands.group_rates import rate_by_group
from socgrad.estimands.inequality import rii, sii
from socgrad.estimands.observed_rates import observed_rate_by_group
from socgrad.pages.answers import (
    Answer,
    Picture,
    Question,
    in_parts,
    ratio_of,
    row_of,
    rows,
)
from socgrad.pages.subject import Part, Subject
from socgrad.pages.words import in_a_list, rate, times, upper_first
from socgrad.plots.bars import rate_bars
from socgrad.plots.style import STYLE, colours, quiet_frame, rate_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["INEQUALITY", "RATES", "no_deprivation", "no_effects"]

_TENTHS: Final = 10
_RATE_PER: Final = 10_000


def no_deprivation(subject: Subject) -> str:
    """Why nothing can be said of deprivation, if the model leaves it out."""
    if subject.first.terms.has_deprivation:
        return ""
    if subject.first.terms.is_alone:
        return "The model leaves deprivation out: it says how high the authority's rate is."
    return "The model leaves deprivation out: it says how authorities differ, and no more."


def no_effects(subject: Subject) -> str:
    """Why nothing can be said of single authorities or of sums over them, if these are left out."""
    if subject.first.terms.has_effects:
        return ""
    return (
        "The fit was released without what is known of single authorities, which would give their "
        "totals back. Whoever holds the counts can answer this."
    )


def _no_rates(subject: Subject) -> str:
    return no_deprivation(subject) or no_effects(subject)


def _rates(subject: Subject) -> Answer:
    draws = rate_by_group(subject.fit, groups=_TENTHS, rate_per=_RATE_PER)
    numbers = [str(n) for n in range(1, _TENTHS + 1)]
    labels = [f"Tenth {n}" for n in numbers]
    labels[0] += " (least deprived)"
    labels[-1] += " (most deprived)"
    table = rows(subject, draws, labels)
    found = []
    ends = draws.isel(group=-1, drop=True) / draws.isel(group=0, drop=True)
    apart = rows(subject, ratio_of(ends, draws), ["Most over least deprived"])
    for part in subject.spoken:
        least, most = row_of(table, part), row_of(table, part, _TENTHS - 1)
        ratio = row_of(apart, part)
        moves = "rise" if ratio["lower"] > 1 else "fall" if ratio["upper"] < 1 else "go"
        found.append(
            f"Rates of {part.events} {moves} from {rate(least)} per {_RATE_PER:,} "
            f"{part.exposure} among the least deprived tenth of all children to {rate(most)} among "
            f"the most deprived{'; whether they rise is not certain' if moves == 'go' else ''}."
        )
    seen = _observed(subject)
    if seen is not None:
        table["observed"] = seen
    return Answer(
        found,
        table,
        f"Expected events per {_RATE_PER:,}, by tenths of all children from the least to the most "
        "deprived neighbourhoods" + ("; observed: what was counted" if seen is not None else ""),
        [_picture(subject, table, counted=seen is not None)],
    )


def _picture(subject: Subject, table: pd.DataFrame, *, counted: bool) -> Picture:
    if len(subject.parts) == 1:
        part = subject.first
        return Picture(
            lambda ax: rate_bars(
                part.fit,
                observed=counted,
                prob=subject.prob,
                deprivation="deprivation",
                events=upper_first(part.noun),
                exposure=part.exposure,
                ax=ax,
            ),
            f"{upper_first(part.noun)} per {_RATE_PER:,} {part.exposure}, by tenths of all "
            "children.",
        )
    return Picture(
        lambda ax: _lines(ax, subject, table),
        f"Rates per {_RATE_PER:,} by tenths of all children, a line for each of "
        f"{in_a_list([part.name for part in subject.parts])}; bands are intervals.",
        (5.0, 4.6),
    )


def _lines(ax: "Axes", subject: Subject, table: pd.DataFrame) -> None:
    """Rates of every part over tenths, on a scale on which equal ratios are equal steps."""
    tenth = np.arange(1, _TENTHS + 1)
    styles = ("-", "--", "-.", ":")
    for place, part in enumerate(subject.parts):
        own = table[table["of"] == part.name]
        colour = colours()(place / (len(subject.parts) - 1))
        ax.fill_between(
            tenth, own["lower"], own["upper"], color=colour, alpha=STYLE.band_opacity, linewidth=0
        )
        # Lines are told apart by their dashes too, not by colour alone.
        ax.plot(
            tenth,
            own["estimate"],
            styles[place % len(styles)],
            color=colour,
            linewidth=STYLE.line,
            label=part.name,
        )
    quiet_frame(ax)
    per = {part.exposure for part in subject.parts}
    rate_axis(ax, f"Rate per {_RATE_PER:,} {per.pop() if len(per) == 1 else ''}".strip())
    ax.set_xticks(tenth, ["1\nleast", *map(str, range(2, _TENTHS)), "10\nmost"])
    ax.set_xlabel("Tenths of all children by neighbourhood deprivation")
    ax.figure.legend(loc="outside upper left", frameon=False, ncols=2, fontsize="small")


def _observed(subject: Subject) -> pd.Series | None:
    """Observed rates, where every group of every part has enough events to be shown.

    One group left out could be had back from the others, so it is all of them or none. Where some
    authorities are known by their totals alone, what was counted is of other places than what was
    fitted, and is not set beside it.
    """
    if any(part.evidence.by_total for part in subject.parts):
        return None
    try:
        tables = [
            observed_rate_by_group(
                part.fit,
                groups=_TENTHS,
                rate_per=_RATE_PER,
                suppress_below=subject.suppress_below,
            )["rate"]
            for part in subject.parts
        ]
    except EstimandError:  # totals, or a fit kept without its counts
        return None
    seen = pd.concat(tables, ignore_index=True)
    return None if seen.isna().any() or len(seen) != _TENTHS * len(subject.parts) else seen


RATES: Final = Question(
    "rates",
    lambda _: "How do rates change with the deprivation of the neighbourhood?",
    _no_rates,
    _rates,
    rests_on=("within", "pooled"),
)


def _inequality(subject: Subject) -> Answer:
    measures = (
        (rii(subject.fit), "Most over least deprived end (relative index)"),
        (sii(subject.fit), f"Most less least deprived end (slope index), per {_RATE_PER:,}"),
        (attributable_fraction(subject.fit), "Share of events above the least deprived rate"),
    )
    tables = [rows(subject, draws, [words]) for draws, words in measures]
    table = in_parts(subject, pd.concat(tables))
    return Answer(
        [_unequal(table, part) for part in subject.spoken],
        table,
        "From the least to the most deprived end of all neighbourhoods, ranked by deprivation",
    )


def _unequal(table: pd.DataFrame, part: Part) -> str:
    ratio, gap, share = (row_of(table, part, at) for at in range(3))
    percent = [f"{100 * share[name]:.0f}" for name in ("estimate", "lower", "upper")]
    return (
        f"Rates of {part.events} at the most deprived end are {times(ratio)} those at the least "
        f"deprived end, a gap of {rate(gap)} per {_RATE_PER:,} {part.exposure}. If "
        "all neighbourhoods had the rate of the least deprived tenth, there would be "
        f"{percent[0]}% fewer ({percent[1]}% to {percent[2]}%): a measure of the gap, no forecast."
    )


INEQUALITY: Final = Question(
    "inequality",
    lambda _: "How unequal are rates over all neighbourhoods?",
    _no_rates,
    _inequality,
    rests_on=("within", "pooled"),
)
