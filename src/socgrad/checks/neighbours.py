"""Whether areas that adjoin are alike beyond what the model says of them."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from socgrad.checks.area_residuals import AreaResiduals
from socgrad.errors import EstimandError

__all__ = ["counted_pairs", "likeness_of_pairs"]

type Floats = npt.NDArray[np.float64]
type Integers = npt.NDArray[np.int64]

_SHUFFLES: Final = 400


def counted_pairs(neighbours: object, counted: Sequence[Any]) -> Integers:
    """Positions of pairs of neighbours among the counted areas, each pair once, (pairs, 2).

    Parameters
    ----------
    neighbours
        Table of two columns of area labels, one row for each pair that adjoins.
    counted
        Labels of the counted areas.

    Raises
    ------
    EstimandError
        If it is no such table, or no two of its areas are counted in the fit.
    """
    table = neighbours.to_pandas() if hasattr(neighbours, "to_pandas") else neighbours
    if not isinstance(table, pd.DataFrame) or table.shape[1] != 2:
        found = type(table).__name__
        if isinstance(table, pd.DataFrame):
            found = f"a table of {table.shape[1]} columns"
        raise EstimandError(
            f"neighbours is {found}. Expected a table of two columns of area labels, one row for "
            "each pair of areas that adjoin."
        )
    labels = pd.Index(counted)
    first, second = (labels.get_indexer(table[name]) for name in table.columns)
    kept = (first >= 0) & (second >= 0) & (first != second)
    if not kept.any():
        raise EstimandError(
            f"neighbours has {len(table)} pairs, and in none are both areas counted in this fit "
            f"(its first: {labels[0]!r}; the table's: {list(table.iloc[:1].to_numpy().ravel())!r})."
            " Spell and type the labels as in the table that was fitted."
        )
    pairs = np.sort(np.column_stack([first[kept], second[kept]]), axis=1)
    unique: Integers = np.unique(pairs, axis=0)
    return unique


def likeness_of_pairs(
    residuals: AreaResiduals, pairs: Integers, rng: np.random.Generator
) -> tuple[float, Floats]:
    """Mean product of the residuals of two neighbours, and of areas shuffled in their authority.

    Parameters
    ----------
    residuals
        Of one fit.
    pairs
        Positions among the counted areas, (pairs, 2).
    rng
        Source of randomness.

    Returns
    -------
    likeness, shuffled
        Moran's statistic, and its values after shuffling.

    Notes
    -----
    ``I = sum over pairs of r_i r_k / (pairs * mean of r**2)``, with Pearson residuals r. Residuals
    are shuffled among the areas of each authority, so that what authorities' levels take from them
    stays as it is.

    References
    ----------
    Cliff & Ord 1981, Spatial Processes: Models and Applications, Pion.
    """
    r = residuals.pearson
    first, second = pairs.T
    scale = len(pairs) * np.mean(r**2)
    home = np.argsort(residuals.authority, kind="stable")
    shuffled = np.empty(_SHUFFLES)
    for k in range(_SHUFFLES):
        order = np.lexsort((rng.random(len(r)), residuals.authority))
        new = np.empty_like(r)
        new[home] = r[order]
        shuffled[k] = new[first] @ new[second]
    return float(r[first] @ r[second] / scale), shuffled / scale
