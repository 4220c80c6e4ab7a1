"""Two columns of bounds in the place of counts."""

from __future__ import annotations  # a class names itself in its methods

from dataclasses import dataclass

from socgrad.errors import TableError

__all__ = ["Bounds"]


@dataclass(frozen=True)
class Bounds:
    """Two columns say between which bounds each count lies, both included.

    For whatever no rule describes: hiding rules that differ by place, counts that were read off
    shares, intervals as they are printed. With a column of ``events`` too, that is the count where
    it has one, and the bounds speak where it has none.

    Parameters
    ----------
    low, high : str
        Columns of the smallest and of the largest count that is possible: whole numbers, zero or
        more. Where ``high`` alone is missing there is no upper bound; where both are, nothing is
        known, which is refused or left out as a missing count is.

    Raises
    ------
    TableError
        If these are not two names.

    Notes
    -----
    The bounds must come from a rule that looks at the cell's own count alone: then every count
    between them is hidden alike, and the likelihood is the chance of the whole interval.

    Examples
    --------
    >>> from socgrad.coarsening import Bounds
    >>> Bounds("plans_from", "plans_to")
    Bounds(low='plans_from', high='plans_to')
    """

    low: str
    high: str

    def __post_init__(self) -> None:
        if not (isinstance(self.low, str) and isinstance(self.high, str)) or self.low == self.high:
            raise TableError(
                f"Bounds takes the names of two columns, not {self.low!r} and {self.high!r}. "
                'Expected such as Bounds("plans_from", "plans_to").'
            )
