"""Rules that change every count in the same way, and what a number so changed says of its count."""

from __future__ import annotations  # a class names itself in its methods

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from socgrad.arrays import FloatArray, IntArray
from socgrad.coarsening.kernels import Kernel
from socgrad.errors import TableError

__all__ = ["Exact", "MidpointRounded", "Rounded"]

type Rounding = Literal["nearest", "up", "down", "random"]
type Ties = Literal["up", "down", "even", "unknown"]

#: No table of small areas is rounded to more than this.
_MOST: Final = 1000

_HOW: Final = ("nearest", "up", "down", "random")
_TIES: Final = ("up", "down", "even", "unknown")


@dataclass(frozen=True)
class Exact:
    """Numbers are counts as they were counted.

    A column without a declaration is taken so, too; `Exact` also says that it is known to be so,
    and no warning doubts it.

    Examples
    --------
    >>> from socgrad.coarsening import Exact
    >>> Exact().kernel(7)
    Kernel(low=7, high=7, weight=None)
    """

    @property
    def words(self) -> str:
        """What was done to the numbers."""
        return "exact counts"

    def kernel(self, shown: int) -> Kernel | None:
        """Chance of the number shown, given each count: it is the count."""
        return Kernel(shown, shown)

    def publish(
        self,
        count: IntArray,
        rng: np.random.Generator,  # noqa: ARG002 every rule takes one
    ) -> npt.NDArray[Any]:
        """Show counts as they are."""
        return count


@dataclass(frozen=True, repr=False)
class Rounded:
    """Numbers are counts rounded to multiples of a base, each by its own count alone.

    Parameters
    ----------
    to
        The base: 3, 5, 10 ...; 1 leaves counts as they are (for ``below`` alone). Up to 1000.
    how
        "nearest" multiple; always "up" or "down"; or "random": to one of the two multiples about
        the count, the nearer one with the greater chance, so that the mean is the count (unbiased
        random rounding, as to base 3 or 5).
    ties
        Where a count lies halfway between two multiples, as 5 does with an even base of 10:
        "up" (as people and Excel do), "down", "even" (to the even multiple, as Python, R and NumPy
        do), or "unknown" (each with a chance of one half). For "nearest" alone.
    below
        Counts below this were set to 0 before they were rounded: 8 for up to 7, as OpenSAFELY's
        measures do.

    Raises
    ------
    TableError
        If the base, the threshold or a rule is none.

    Notes
    -----
    Of a multiple m of the base b, "nearest" leaves counts within b / 2 of m; "up" m - b + 1 to m;
    "down" m to m + b - 1; "random" m - b + 1 to m + b - 1, with
    ``P(m | k) = 1 - abs(k - m) / b``. Rounded numbers do not add up to a rounded total: nothing is
    had by subtracting them.

    Examples
    --------
    >>> from socgrad.coarsening import Rounded
    >>> Rounded(5).kernel(0), Rounded(10).kernel(10)
    (Kernel(low=0, high=2, weight=None), Kernel(low=5, high=14, weight=None))
    >>> Rounded(5, below=8).kernel(0).high, Rounded(5, below=8).kernel(5)
    (7, None)
    >>> Rounded(2, how="random").kernel(4)
    Kernel(low=3, high=5, weight=(0.5, 1.0, 0.5))
    """

    to: int
    how: Rounding = "nearest"
    ties: Ties = "up"
    below: int = 0

    def __post_init__(self) -> None:
        for name, value, least in (("to", self.to, 1), ("below", self.below, 0)):
            check_base(name, value, least=least, most=_MOST)
        for name, given, allowed in (("how", self.how, _HOW), ("ties", self.ties, _TIES)):
            if given not in allowed:
                raise TableError(
                    f"Rounded({name}={given!r}) is unknown. Expected one of "
                    f"{', '.join(map(repr, allowed))}."
                )
        if self.to == 1 and not self.below:
            raise TableError(
                "Rounded(to=1) leaves every count as it is. Expected the base that numbers were "
                "rounded to, such as 5; or below=5, if counts of 1-4 were set to 0."
            )

    def __repr__(self) -> str:
        given = [(name, getattr(self, name)) for name in ("how", "ties", "below")]
        told = [f", {name}={value!r}" for name, value in given if value != getattr(Rounded, name)]
        return f"Rounded({self.to}{''.join(told)})"

    @property
    def words(self) -> str:
        """What was done to the numbers."""
        ways = {"nearest": "", "up": " upwards", "down": " downwards", "random": " at random"}
        rounded = f"rounded to {self.to}{ways[self.how]}" if self.to > 1 else ""
        zero = f"below {self.below} set to 0" if self.below else ""
        return ", then ".join(filter(None, (zero, rounded)))

    def kernel(self, shown: int) -> Kernel | None:
        """Chance of the number shown, given each count; None if no count gives it."""
        first = max(shown - self.to + 1, 0)
        last = max(shown + self.to - 1, self.below - 1 if shown == 0 else 0)
        count = np.arange(first, last + 1)
        lower, chance = self._lower(count)
        upper = np.where(lower + self.to == shown, chance, 0.0)
        return Kernel.from_weights(first, np.where(lower == shown, 1 - chance, upper))

    def publish(self, count: IntArray, rng: np.random.Generator) -> npt.NDArray[Any]:
        """Round counts; ties of an unknown rule fall at random."""
        lower, chance = self._lower(count)
        return np.asarray(lower + self.to * (rng.random(len(count)) < chance), dtype=np.int64)

    def _lower(self, count: IntArray) -> tuple[IntArray, FloatArray]:
        """Multiple at or below each count, and the chance that the next one is shown instead."""
        kept = np.where(count < self.below, 0, count)
        lower = kept // self.to * self.to
        rest = kept - lower
        if self.how == "random":
            return lower, rest / self.to
        if self.how != "nearest":
            return lower, (rest > 0) * float(self.how == "up")
        chance = (2 * rest > self.to).astype(np.float64)
        halfway = 2 * rest == self.to
        if self.ties == "even":
            chance[halfway] = (lower // self.to % 2)[halfway]
        else:
            chance[halfway] = {"up": 1.0, "down": 0.0, "unknown": 0.5}[self.ties]
        return lower, chance


@dataclass(frozen=True, repr=False)
class MidpointRounded:
    """Numbers are counts rounded to the midpoint of their step; zero stays zero.

    With the usual base of 6, as OpenSAFELY releases tables: 0, then 3 for 1-6, 9 for 7-12, 15 for
    13-18 and so on.

    Parameters
    ----------
    to
        Width of a step, 2 to 1000.

    Raises
    ------
    TableError
        If the base is none.

    Notes
    -----
    A count k > 0 is shown as b * ceil(k / b) - floor(b / 2) with the base b.

    Examples
    --------
    >>> from socgrad.coarsening import MidpointRounded
    >>> rule = MidpointRounded(6)
    >>> rule.kernel(0), rule.kernel(9), rule.kernel(5)
    (Kernel(low=0, high=0, weight=None), Kernel(low=7, high=12, weight=None), None)
    """

    to: int = 6

    def __post_init__(self) -> None:
        check_base("to", self.to, least=2, most=_MOST)

    def __repr__(self) -> str:
        return f"MidpointRounded({self.to})"

    @property
    def words(self) -> str:
        """What was done to the numbers."""
        return f"rounded to the midpoints of steps of {self.to}"

    def kernel(self, shown: int) -> Kernel | None:
        """Chance of the number shown, given each count; None if no count gives it."""
        if shown == 0:
            return Kernel(0, 0)
        high = shown + self.to // 2
        return None if high % self.to else Kernel(high - self.to + 1, high)

    def publish(
        self,
        count: IntArray,
        rng: np.random.Generator,  # noqa: ARG002 every rule takes one
    ) -> npt.NDArray[Any]:
        """Round counts to midpoints."""
        return np.asarray(-(-count // self.to) * self.to - self.to // 2 * (count > 0))


def check_base(name: str, value: object, *, least: int, most: int) -> None:
    """Refuse what is no whole number of a base or threshold."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or not least <= value <= most:  # type: ignore[operator]
        raise TableError(
            f"{name}={value!r} is no base of rounding or threshold. Expected a whole number from "
            f"{least:,} to {most:,}."
        )
