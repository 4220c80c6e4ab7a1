"""Marks in the place of counts, and what each of them says of the count that it hides."""

from __future__ import annotations  # a class names itself in its methods

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from socgrad.arrays import IntArray
from socgrad.coarsening.kernels import Kernel
from socgrad.coarsening.rounding import Exact, MidpointRounded, Rounded
from socgrad.door.number_checks import is_number, plain_marks
from socgrad.errors import TableError

__all__ = ["SMALLEST_SHOWN", "Mark", "Suppressed"]

#: As upper bound of a mark: the smallest count that the area's authority shows.
SMALLEST_SHOWN: Final = "smallest shown"

type Mark = str | int
type Interval = tuple[int, int | Literal["smallest shown"] | None] | None

_EXPECTED: Final = (
    "Expected (lowest, highest) as whole numbers, both included, such as (1, 5); (6, None) without "
    f'an upper bound; (1, "{SMALLEST_SHOWN}") for a mark that also protects other cells; or None '
    "where nothing is known"
)


@dataclass(frozen=True, repr=False)
class Suppressed:
    """Counts are hidden behind marks, each of which stands for an interval of counts.

    Parameters
    ----------
    marks : mapping
        What each mark says of the count: ``(lowest, highest)``, both included; ``(lowest, None)``
        without an upper bound; ``(lowest, "smallest shown")``, up to the smallest count from
        ``lowest`` on that the area's authority shows; or None where nothing is known. A mark is
        text, read without regard to case and outer spaces; "" stands for empty and missing cells;
        a whole number stands for cells that hold it, as where 1-5 were all written as 3.
    others : Exact, Rounded or MidpointRounded
        How the numbers that are shown were made: as counted (default), or rounded.

    Raises
    ------
    TableError
        If a mark or interval is none.

    Notes
    -----
    The likelihood of an interval is right where the rule looks at the cell's own count alone:
    all counts of 1-5 are hidden, and no others. Then no shown count lies in the interval of a mark,
    and with rounded ``others`` what is shown cannot stand for a hidden count either.

    Cells that are hidden to protect others (secondary suppression: so that nobody subtracts) are
    hidden for their neighbours' counts. To take them as unknown (None) is nearly right, and loses
    what they would say. Where *one* mark serves both, its cells are a mixture: say ``(1, "smallest
    shown")``, since the smallest shown cells are those that are hidden next. To call a secondary
    cell ``(6, None)`` is wrong: small counts are chosen for it, and in a trial that moved the
    gradient by 1.3 standard deviations; with the smallest shown as the upper bound, not at all.

    Examples
    --------
    >>> from socgrad.coarsening import Rounded, Suppressed
    >>> Suppressed({"c": (1, 5), "z": None})
    Suppressed({'c': (1, 5), 'z': None})
    >>> hidden = Suppressed({"*": (1, 7)}, others=Rounded(5))
    >>> hidden.kernel(0), hidden.kernel(10).low, hidden.kernel(5)
    (Kernel(low=0, high=0, weight=None), 8, None)
    """

    marks: Mapping[Mark, Interval]
    others: Exact | Rounded | MidpointRounded = field(default=Exact(), kw_only=True)

    def __post_init__(self) -> None:
        if not isinstance(self.marks, Mapping) or not self.marks:
            raise TableError(
                f"Suppressed takes a mapping from mark to interval, not {self.marks!r}. "
                'Expected such as Suppressed({"c": (1, 5)}).'
            )
        if not isinstance(self.others, Exact | Rounded | MidpointRounded):
            raise TableError(
                f"others={self.others!r} does not say how numbers were made. Expected Exact(), "
                "Rounded(...) or MidpointRounded(...) of socgrad.coarsening."
            )
        marks = {_checked_mark(mark): _checked(mark, it) for mark, it in self.marks.items()}
        if len(marks) < len(self.marks):
            raise TableError(
                f"Suppressed names a mark twice: {list(self.marks)}. Marks are read without regard "
                "to case and outer spaces: give each once."
            )
        object.__setattr__(self, "marks", marks)

    def __repr__(self) -> str:
        others = "" if self.others == Exact() else f", others={self.others!r}"
        return f"Suppressed({dict(self.marks)!r}{others})"

    def __hash__(self) -> int:
        return hash((frozenset(self.marks.items()), self.others))

    @property
    def hidden(self) -> list[tuple[int, int]]:
        """Ranges of counts that are never shown, because a mark hides all of them."""
        return [
            (interval[0], interval[1])
            for interval in self.marks.values()
            if interval is not None and isinstance(interval[1], int)
        ]

    @property
    def words(self) -> str:
        """What was done to the numbers that are shown."""
        return self.others.words

    def mark_kernel(self, mark: Mark) -> Kernel:
        """Chance of a mark, given each count; without the bound that is the smallest shown."""
        interval = self.marks[mark]
        if interval is None:
            return Kernel(0, None)
        low, high = interval
        return Kernel(low, high if isinstance(high, int) else None)

    def kernel(self, shown: int) -> Kernel | None:
        """Chance of the number shown, given each count; None if no count gives it."""
        own = self.others.kernel(shown)
        return None if own is None else own.without(self.hidden)

    def publish(self, count: IntArray, rng: np.random.Generator) -> npt.NDArray[Any]:
        """Show counts by this rule: only marks that hide a whole interval are given."""
        shown = self.others.publish(count, rng).astype(object)
        for mark, interval in reversed(list(self.marks.items())):
            if interval is not None and isinstance(interval[1], int):
                inside = (count >= interval[0]) & (count <= interval[1])
                shown[inside] = np.nan if mark == "" else mark
        return shown


def interval_words(interval: Interval) -> str:
    """An interval as a report says it: 1-5, 6 or more, anything."""
    if interval is None:
        return "anything"
    low, high = interval
    if high is None:
        return f"{low:,} or more"
    return f"{low:,} to the smallest shown" if isinstance(high, str) else f"{low:,}-{high:,}"


def _checked_mark(mark: object) -> Mark:
    if isinstance(mark, str):
        (plain,) = plain_marks([mark])
        if is_number(plain):
            raise TableError(
                f"Suppressed has the text {mark!r} as a mark. If cells that hold this number hide "
                f"others, give it as a number, such as {{3: (1, 5)}}."
            )
        return plain
    if isinstance(mark, int | np.integer) and not isinstance(mark, bool) and mark >= 0:
        return int(mark)
    raise TableError(
        f"Suppressed has {mark!r} as a mark. Expected the text of the cell, such as 'c' or '<5'; "
        "'' for empty and missing cells; or the whole number that stands for small counts."
    )


def _checked(mark: object, interval: object) -> Interval:
    if interval is None:
        return None
    if isinstance(interval, tuple | list) and len(interval) == 2:
        low, high = interval
        if _is_count(low) and high in (None, np.inf):
            return int(low), None
        if _is_count(low) and isinstance(high, str) and high == SMALLEST_SHOWN:
            return int(low), "smallest shown"
        if _is_count(low) and _is_count(high) and low <= high:
            return int(low), int(high)
    raise TableError(f"Suppressed has the interval {interval!r} for {mark!r}. {_EXPECTED}.")


def _is_count(value: object) -> bool:
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    return whole and value >= 0  # type: ignore[operator]
