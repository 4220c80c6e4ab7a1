"""The figures of `briefing.py`: where a reader would rather look than read."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

import socgrad as sg
from briefing_stages import ALIKE, STEPS
from briefing_tables import Answer, Finding, blocks
from socgrad.plots.style import STYLE, colours

__all__ = ["Picture", "draw_figures"]

# What deprivation measures, on the axes of the figures.
DEPRIVATION = "Children in low-income families"
#: File and what it shows, for those who cannot see it.
type Picture = tuple[Path, str]


def draw_figures(
    found: Sequence[Finding], answers: Mapping[str, Answer], own: pd.DataFrame, out: Path
) -> dict[str, list[Picture]]:
    """Draw the figures of each finding into a folder."""
    tables = {finding.name: finding.table for finding in found}
    stages = answers["stages"]
    first, last = stages.strata[0], stages.strata[-1]
    pictures = {
        "F1": [(rates(tables["F1"]), "Rates by tenth of neighbourhoods, a line for each stage.")],
        "F2": [
            (steps(tables["F2"], stages), "Gradient of each stage, and what each step adds."),
            (slopes(own, stages, tables["F2"]),
             "Gradients of authorities at the first and the last stage; how alike stages are."),
        ],
        "F3": [(forest(tables["F3"], "Rate ratio per 10 points of authority deprivation"),
                "Ratios between authorities 10 points apart, by stage.")],
        "F4": [(inverse(stages, (first, last)),
                "Rates over neighbourhood deprivation, a line for each third of authorities.")],
        "F5": [(gradients(stages, (first, last)),
                "Each authority's gradient over its deprivation.")],
        "F6": [(forest(without_ratios(tables["F6"]), "Rate ratio per 10 points, average authority"),
                "Gradients by age, ethnicity, need and category of abuse.")],
        "F7": [(forest(tables["F7"], "Ratio per 10 points of neighbourhood deprivation"),
                "Gradients of closures, durations, re-referrals and repeat plans.")],
        "F8": [(forest(tables["F8"], "Rate ratio, more over less deprived authority"),
                "Ratios of re-referrals and repeat plans at equal neighbourhood deprivation.")],
    }  # fmt: skip
    drawn: dict[str, list[Picture]] = {}
    for name, own_figures in pictures.items():
        for number, (figure, words) in enumerate(own_figures):
            path = out / f"{name}{'' if number == 0 else f'_{number + 1}'}.png"
            figure.savefig(path, dpi=130)
            drawn.setdefault(name, []).append((path, words))
    return drawn


def rates(table: pd.DataFrame) -> Figure:
    """F1: rates by tenth of neighbourhoods, estimates as lines, truths as rings."""
    figure = Figure(figsize=(7.6, 4.6), layout="constrained")
    ax = figure.subplots()
    tenth = np.arange(1, 11)
    stages = list(table.groupby("stage", sort=False))
    for place, (stage, block) in enumerate(stages):
        colour = colours()(place / max(len(stages) - 1, 1))
        ax.plot(tenth, block["estimate"], color=colour, linewidth=STYLE.line)
        ax.fill_between(
            tenth, block["lower_95"], block["upper_95"], color=colour, alpha=0.25, linewidth=0
        )
        ax.plot(tenth, block["truth"], "o", mfc="none", mec=STYLE.ink, markersize=6, mew=0.8)
        ax.annotate(
            str(stage), (10, block["estimate"].iloc[-1]), (8, 0), textcoords="offset points",
            color=colour, va="center", fontsize=9,
        )  # fmt: skip
    ax.set_yscale("log")
    ax.yaxis.set_major_locator(FixedLocator([20, 50, 100, 200, 500, 1000, 2000]))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.set_xticks(tenth, ["1\nleast deprived", *map(str, range(2, 10)), "10\nmost deprived"])
    ax.set_xlim(0.7, 12.9)
    ax.set_ylabel("Per 10,000 children (doubling: equal steps)")
    ax.set_xlabel("Tenths of neighbourhoods, with equal numbers of children")
    ax.set_title("Lines: estimate and 95% interval. Rings: truth.", loc="left", fontsize=9)
    tidy(ax)
    return figure


def forest(table: pd.DataFrame, label: str) -> Figure:
    """Estimates with their intervals, one row each in blocks, truths as rings."""
    height = 0.8 + 0.27 * len(table) + 0.42 * table["stage"].nunique()
    figure = Figure(figsize=(7.6, height), layout="constrained")
    draw_forest(figure.subplots(), table, label)
    return figure


def draw_forest(ax: Axes, table: pd.DataFrame, label: str) -> None:
    """Draw the rows of a table, first on top, under the names of their blocks."""
    names, places, headings = [], [], []
    at = 0.0
    for stage, block in blocks(table):
        headings.append((at, stage))
        at += 1
        for row in block:
            ax.plot([row.lower, row.upper], [at, at], color=STYLE.affluent, linewidth=2.2)
            ax.plot(row.estimate, at, "|", color=STYLE.affluent, markersize=9, mew=2)
            ax.plot(row.truth, at, "o", mfc="none", mec=STYLE.ink, markersize=6, mew=0.9)
            names.append(row.quantity)
            places.append(at)
            at += 1
        at += 0.4
    low = min(1.0, float(table[["lower_95", "truth"]].to_numpy().min()))
    high = max(1.0, float(table[["upper_95", "truth"]].to_numpy().max()))
    room = 0.06 * (high - low)
    ax.set_xlim(low - room, high + room)
    ax.set_ylim(at - 0.6, -0.7)
    ax.axvline(1, color=STYLE.quiet, linewidth=0.9)
    ax.set_yticks(places, names, fontsize=8.5)
    for place, words in headings:
        ax.annotate(
            words, (0, place), (6, 0), xycoords=("axes fraction", "data"), weight="bold",
            textcoords="offset points", va="center", fontsize=8.5, color=STYLE.ink,
        )  # fmt: skip
    ax.set_xlabel(label)
    ax.set_title("Bars: estimate and 95% interval. Rings: truth.", loc="left", fontsize=9)
    tidy(ax)
    ax.tick_params(axis="y", length=0)


def steps(table: pd.DataFrame, stages: Answer) -> Figure:
    """F2: the gradient of each stage, and the ratio that each step of the way adds."""
    names = list(stages.names.values())
    whole = table[table["stage"].isin(names)].assign(stage="Gradient among all children")
    whole["quantity"] = names
    added = table[table["stage"] == STEPS]
    added = added.assign(stage="Along the way to a plan: what each step adds")
    return forest(pd.concat([whole, added]), "Rate ratio per 10 points, average authority")


def slopes(own: pd.DataFrame, stages: Answer, found: pd.DataFrame) -> Figure:
    """F2: whether an authority that is steep at the first stage stays steep at the last."""
    names = [stages.names[stages.strata[0]], stages.names[stages.strata[-1]]]
    table = own.pivot_table(index="authority", columns="stage", values=["estimate", "truth"])
    alike = found[found["stage"] == ALIKE]
    figure = Figure(figsize=(5.4, 4.8) if alike.empty else (11.4, 4.4), layout="constrained")
    grid = figure.add_gridspec(1, 1 if alike.empty else 2)
    ax = figure.add_subplot(grid[0])
    if not alike.empty:
        draw_forest(figure.add_subplot(grid[1]), alike, "Correlation")
    ax.plot(table["truth"][names[0]], table["truth"][names[1]], "o", mfc="none",
            mec=STYLE.quiet, markersize=5, mew=0.7, label="truth")  # fmt: skip
    ax.plot(table["estimate"][names[0]], table["estimate"][names[1]], "o", color=STYLE.affluent,
            markersize=4, label="estimate")  # fmt: skip
    for axis, name in ((ax.set_xlabel, names[0]), (ax.set_ylabel, names[1])):
        axis(f"Gradient of {name[0].lower() + name[1:]}")
    ax.legend(frameon=False, fontsize=9, loc="lower right")
    ax.set_title("Each dot is an authority", loc="left", fontsize=10)
    tidy(ax)
    return figure


def inverse(stages: Answer, strata: Sequence[str]) -> Figure:
    """F4: expected rates over neighbourhood deprivation, by groups of authorities."""
    return side_by_side(
        stages,
        strata,
        lambda fit, name, ax: sg.plots.inverse_intervention_lines(
            fit, deprivation=DEPRIVATION, events=name, exposure="children", ax=ax
        ),
    )


def gradients(stages: Answer, strata: Sequence[str]) -> Figure:
    """F5: each authority's gradient over its deprivation."""
    return side_by_side(
        stages,
        strata,
        lambda fit, _, ax: sg.plots.gradients_by_deprivation(fit, deprivation=DEPRIVATION, ax=ax),
    )


def side_by_side(
    stages: Answer, strata: Sequence[str], draw: Callable[[xr.DataTree, str, Axes], Axes]
) -> Figure:
    """Two stages beside each other."""
    figure = Figure(figsize=(11.4, 4.4), layout="constrained")
    for ax, one in zip(figure.subplots(1, len(strata)), strata, strict=True):
        draw(sg.stratum(stages.fit, one), stages.names[one], ax)
        ax.set_title(stages.names[one], loc="left")
    return figure


def without_ratios(table: pd.DataFrame) -> pd.DataFrame:
    """Gradients of groups, without their ratios, which the eye makes by itself."""
    return table[~table["stage"].str.startswith("Ratios")]


def tidy(ax: Axes) -> None:
    """Leave out what carries nothing."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(color=STYLE.grid, linewidth=0.7)
    ax.set_axisbelow(True)
