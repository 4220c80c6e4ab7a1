"""Tables of findings: rows with an estimate, its interval and the truth, and how they are said."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd
import xarray as xr

import socgrad as sg
from briefing_truth import Outcome
from socgrad.ranks import weighted_quantile

__all__ = [
    "Answer",
    "Finding",
    "Row",
    "authority_means",
    "blocks",
    "change",
    "covers",
    "in_blocks",
    "lower",
    "per_stratum",
    "rows",
]

COLUMNS = ("stage", "quantity", "estimate", "lower_95", "upper_95", "truth")


@dataclass(frozen=True, eq=False)
class Answer:
    """A fit of several strata, their names in print, and what each counts."""

    fit: xr.DataTree
    names: Mapping[str, str]
    outcomes: Mapping[str, Outcome]

    @property
    def strata(self) -> list[str]:
        """Labels of the strata, in the fit's order."""
        return list(self.names)


class Row(NamedTuple):
    """One row of a finding."""

    stage: str
    quantity: str
    estimate: float
    lower: float
    upper: float
    truth: float

    @property
    def held(self) -> bool:
        """Whether the interval holds the truth."""
        return self.lower <= self.truth <= self.upper


def blocks(table: pd.DataFrame) -> Iterator[tuple[str, list[Row]]]:
    """Rows of a table, block by block."""
    every = [Row(*values) for values in zip(*(table[name] for name in COLUMNS), strict=True)]
    for stage in dict.fromkeys(row.stage for row in every):
        yield stage, [row for row in every if row.stage == stage]


@dataclass(frozen=True, eq=False)
class Finding:
    """One finding: what is claimed, what was found, and the numbers.

    `table` has the columns stage (a block of rows), quantity, estimate, lower_95, upper_95, truth.
    """

    name: str
    claim: str
    question: str
    found: str
    table: pd.DataFrame
    decimals: int = 2


def rows(
    stage: str, labels: Sequence[str], draws: xr.DataArray, truth: Sequence[float]
) -> pd.DataFrame:
    """Summarise draws as rows of a finding: estimate, 95% interval, truth."""
    summary = sg.summarise(draws, prob=0.95)
    return pd.DataFrame(
        {
            "stage": stage,
            "quantity": labels,
            "estimate": summary["estimate"].to_numpy(),
            "lower_95": summary["lower"].to_numpy(),
            "upper_95": summary["upper"].to_numpy(),
            "truth": truth,
        }
    )


def per_stratum(
    answer: Answer,
    labels: Sequence[str],
    draws: xr.DataArray,
    truth: Callable[[Outcome], Sequence[float]],
) -> pd.DataFrame:
    """Rows of every stratum, one block each."""
    return pd.concat(
        [
            rows(
                answer.names[one],
                labels,
                draws.sel(stratum=one).drop_vars("stratum"),
                truth(answer.outcomes[one]),
            )
            for one in answer.strata
        ],
        ignore_index=True,
    )


def in_blocks(table: pd.DataFrame, answer: Answer) -> pd.DataFrame:
    """Bring the rows of each stratum together, in the strata's order."""
    order = list(answer.names.values())
    return table.sort_values(
        "stage", key=lambda names: names.map(order.index), kind="stable", ignore_index=True
    )


def authority_means(frame: pd.DataFrame) -> list[float]:
    """Deprivation of the authorities in which the 10th, 50th and 90th child of 100 lives."""
    by_authority = frame["authority"]
    children = frame["children"].groupby(by_authority).sum()
    means = (frame["deprivation"] * frame["children"]).groupby(by_authority).sum() / children
    return [float(mean) for mean in weighted_quantile(means, children, (0.1, 0.5, 0.9))]


def covers(table: pd.DataFrame) -> pd.Series:
    """Whether each interval holds the truth."""
    return table["truth"].between(table["lower_95"], table["upper_95"])


def change(row: pd.Series, more: str, less: str) -> str:
    """How far a ratio is from 1, in words, with its interval: 62% more (57% to 68%)."""
    low, middle, high = (100 * (row[name] - 1) for name in ("lower_95", "estimate", "upper_95"))
    if low < 0 < high:
        return f"{abs(middle):.0f}% {more if middle > 0 else less} ({low:+.0f}% to {high:+.0f}%)"
    ends = sorted((abs(low), abs(high)))
    word = more if middle > 0 else less
    return f"{abs(middle):.0f}% {word} ({ends[0]:.0f}% to {ends[1]:.0f}%)"


def lower(name: str, keep: str = "") -> str:
    """A name within a sentence; groups of ethnicity keep their capital, ages have a word more."""
    if keep == "ethnicity":
        return f"{name} children"
    if keep == "age":
        return f"children aged {name}"
    return name[0].lower() + name[1:]
