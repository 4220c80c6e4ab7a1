"""What each column of a design compares, in words, read off the encoding that was fitted."""

from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import numpy as np

__all__ = ["Comparison", "comparisons"]

#: Transforms whose columns mean something together alone.
_BASES: Final = frozenset({"bs", "poly", "cr", "cc", "ns", "te"})
#: Transforms that divide by a standard deviation, that of all rows: formulae divides by n,
#: R by n - 1.
_SCALED: Final = frozenset({"scale", "standardize"})

_ELSE: Final = "all else equal"


@dataclass(frozen=True)
class Comparison:
    """What a coefficient compares.

    Attributes
    ----------
    unit : str
        What a unit of the column is: "per standard deviation of gini", "of region W against N".
    reference : str
        What it is compared with.
    """

    unit: str
    reference: str


def comparisons(term: Any) -> list[Comparison]:
    """Say what each column of a fitted term of the library formulae compares, in its order."""
    parts = [_of_component(part) for part in term.components]
    if len(parts) == 1:
        return parts[0]
    return [
        Comparison(
            "of the product of " + " and ".join(one.unit.split(" ", 1)[1] for one in several),
            f"what its factors add by themselves, {_ELSE}",
        )
        for several in product(*parts)
    ]


def _of_component(part: Any) -> list[Comparison]:
    if part.kind == "categoric":
        return _of_categories(part)
    labels = [str(label) for label in part.labels]
    function = str(getattr(getattr(part, "call", None), "callee", ""))
    if function in _BASES or len(labels) > 1:
        curve = f"one column of a curve, read with all of {part.name}"
        return [Comparison(f"per unit of {label}", curve) for label in labels]
    if function in _SCALED:
        name = _plain_name(part)
        size = getattr(getattr(part.call, "stateful_transform", None), "std", None)
        width = "" if size is None else f" ({float(size):.3g} over the table's rows, divided by n)"
        deviation = f"standard deviation of {name}"
        return [
            Comparison(f"per {deviation}{width}", f"the same place, one {deviation} less, {_ELSE}")
        ]
    (label,) = labels
    return [
        Comparison(f"per unit of {label}", f"the same place, one unit less of {label}, {_ELSE}")
    ]


def _of_categories(part: Any) -> list[Comparison]:
    """Levels against a level, or against a mean of them, as the contrast matrix has it."""
    name = _plain_name(part)
    matrix = np.asarray(part.contrast_matrix.matrix, dtype=np.float64)
    levels = [str(level) for level in part.levels]
    left_out = [level for level, row in zip(levels, matrix, strict=True) if not row.any()]
    found = []
    for label, column in zip(part.contrast_matrix.labels, matrix.T, strict=True):
        unit, against = f"of {name} {label}", f"as the coding of {name} says"
        one = np.count_nonzero(column == 1.0) == 1
        if one and len(left_out) == 1 and np.count_nonzero(column) == 1:
            unit += f" against {left_out[0]}"
            against = f"the same place with {name} {left_out[0]}"
        elif one and np.isclose(column.sum(), 0.0):
            unit += " against the mean of its levels"
            against = f"the mean over the {len(levels)} levels of {name}, each counted once"
        elif one and not left_out:
            against = f"other levels of {name}"
        found.append(Comparison(unit, f"{against}, {_ELSE}"))
    return found


def _plain_name(part: Any) -> str:
    names = sorted(set(part.var_names) - {""})
    return names[0] if len(names) == 1 else str(part.name)
