"""How numbers are said to a reader of policy: changes in percent, rates, intervals, lists."""

from collections.abc import Sequence

import pandas as pd

__all__ = [
    "change",
    "difference",
    "in_a_list",
    "lower_first",
    "number",
    "rate",
    "times",
    "upper_first",
    "with_interval",
]


def change(row: "pd.Series", more: str, less: str) -> str:
    """How far a ratio is from 1, with its interval: 62% more (57% to 68%).

    Parameters
    ----------
    row
        With estimate, lower and upper.
    more, less
        The words for a ratio above 1 and below it.
    """
    low, middle, high = (100 * (float(row[name]) - 1) for name in ("lower", "estimate", "upper"))
    word = more if middle > 0 else less
    if low < 0 < high:
        return f"{abs(middle):.0f}% {word} ({_signed(low)} to {_signed(high)})"
    ends = sorted((abs(low), abs(high)))
    return f"{abs(middle):.0f}% {word} ({ends[0]:.0f}% to {ends[1]:.0f}%)"


def times(row: "pd.Series") -> str:
    """A ratio as a multiple, with its interval: 2.3 times (2.1 to 2.6)."""
    digits = 2 if float(row["estimate"]) < 2 else 1
    return (
        f"{row['estimate']:.{digits}f} times "
        f"({row['lower']:.{digits}f} to {row['upper']:.{digits}f})"
    )


def difference(row: "pd.Series") -> str:
    """A difference with its sign and its interval: +0.04 (−0.25 to +0.24)."""
    low, middle, high = (
        f"{float(row[name]):+.2g}".replace("-", "−") for name in ("lower", "estimate", "upper")
    )
    return f"{middle} ({low} to {high})"


def rate(row: "pd.Series") -> str:
    """A rate with its interval: 1,370 (1,350 to 1,390)."""
    return f"{number(row['estimate'])} ({number(row['lower'])} to {number(row['upper'])})"


def with_interval(row: "pd.Series") -> str:
    """A ratio or a correlation with its interval: 1.21 (1.16 to 1.25)."""
    low, middle, high = (
        f"{float(row[name]):z.2f}".replace("-", "−") for name in ("lower", "estimate", "upper")
    )
    return f"{middle} ({low} to {high})"


def number(value: float) -> str:
    """A number in three digits at most where it is small, thousands marked; no zero has a sign."""
    if abs(value) >= 100:
        return f"{value:,.0f}".replace("-", "−")
    return f"{value:z.{1 if abs(value) >= 10 else 2}f}".replace("-", "−")


def in_a_list(words: Sequence[str]) -> str:
    """Words one after the other: a, b and c."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def lower_first(words: str) -> str:
    """Words within a sentence; abbreviations stay as they are."""
    return words if words[:2].isupper() else words[:1].lower() + words[1:]


def upper_first(words: str) -> str:
    """Words that begin a sentence."""
    return words[:1].upper() + words[1:]


def _signed(percent: float) -> str:
    return f"{percent:+z.0f}%".replace("-", "−")
