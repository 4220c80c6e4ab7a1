"""Gauss rules: an authority's exposure in a dozen points.

The Poisson likelihood of an authority's neighbourhoods needs their exposures only through

    S(s) = sum_i N_i exp(s w_i),

a function of the slope s. That is an integral of exp(s w) against the discrete measure that puts
mass N_i at w_i, and the K-node Gauss rule of this measure reproduces it: K = 12 leaves a relative
error of about 1e-12 over every slope that a social gradient can have. The rule comes from the
Lanczos recurrence (with full reorthogonalisation, since the plain one loses orthogonality) and
the eigenvalues of its Jacobi matrix (Golub and Welsch 1969, doi 10.1090/S0025-5718-69-99647-1).
"""

from dataclasses import dataclass

import numpy as np

from socgrad.arrays import FloatArray, IntArray

__all__ = ["Rules", "chosen_rules", "exponential_sums", "gauss_rules"]


# Below this share of a cell's spread a Lanczos vector is rounding error: no points are left.
_EXHAUSTED = 1e-11


@dataclass(frozen=True, eq=False)
class Rules:
    """Gauss rules of several cells.

    Attributes
    ----------
    position, weight : ndarray, shape (cells, nodes)
        Nodes, and their non-negative weights, which sum to each cell's total weight. A cell with
        fewer distinct positions than nodes is padded with nodes of weight 0.
    slopes : tuple of float
        The range of s over which `error` was measured.
    error : float
        Largest relative error of sum_k weight_k exp(s position_k), any cell, over that range.
    """

    position: FloatArray
    weight: FloatArray
    slopes: tuple[float, float]
    error: float


def gauss_rules(
    cell: IntArray, position: FloatArray, weight: FloatArray, *, cells: int, nodes: int
) -> tuple[FloatArray, FloatArray]:
    """Gauss rules of the discrete measures {position, weight}, one per cell.

    Parameters
    ----------
    cell : ndarray of int, shape (rows,)
        The cell of each row, 0 to `cells` - 1, in any order.
    position, weight : ndarray, shape (rows,)
        Finite positions, and weights of at least 0.
    cells, nodes : int
        Number of cells, and of nodes per cell.

    Returns
    -------
    position, weight : ndarray, shape (cells, nodes)
        Integrates every polynomial up to degree 2 * nodes - 1 exactly.

    Examples
    --------
    Two equal masses at -1 and 1 are their own two-node rule:

    >>> import numpy as np
    >>> cell, position = np.array([0, 0]), np.array([-1.0, 1.0])
    >>> at, mass = gauss_rules(cell, position, np.ones(2), cells=1, nodes=2)
    >>> at.round(12).tolist(), mass.round(12).tolist()
    ([[-1.0, 1.0]], [[1.0, 1.0]])
    """

    def inner(a: FloatArray, b: FloatArray) -> FloatArray:
        return np.bincount(cell, weights=a * b, minlength=cells)

    total = np.bincount(cell, weights=weight, minlength=cells)
    filled = np.where(total > 0, total, 1.0)
    centre = np.bincount(cell, weights=weight * position, minlength=cells) / filled
    centred = position - centre[cell]
    spread = np.sqrt(inner(weight * centred, centred) / filled)
    scale = np.where(spread > 0, spread, 1.0)
    z = centred / scale[cell]

    diagonal = np.zeros((cells, nodes))
    beside = np.zeros((cells, nodes - 1))
    basis = [np.sqrt(weight / filled[cell])]
    for k in range(nodes):
        image = z * basis[k]
        diagonal[:, k] = inner(basis[k], image)
        if k == nodes - 1:
            break
        for _ in range(2):  # "twice is enough" (Kahan, Parlett) for orthogonality to rounding error
            for vector in basis:
                image = image - inner(image, vector)[cell] * vector
        norm = np.sqrt(inner(image, image))
        norm[norm < _EXHAUSTED] = 0.0
        beside[:, k] = norm
        basis.append(image / np.where(norm > 0, norm, np.inf)[cell])

    jacobi = np.zeros((cells, nodes, nodes))
    on = np.arange(nodes)
    jacobi[:, on, on] = diagonal
    jacobi[:, on[:-1], on[1:]] = beside
    jacobi[:, on[1:], on[:-1]] = beside
    at, vectors = np.linalg.eigh(jacobi)
    return centre[:, None] + scale[:, None] * at, total[:, None] * vectors[:, 0, :] ** 2


def exponential_sums(
    cell: IntArray, position: FloatArray, weight: FloatArray, *, cells: int, slope: float
) -> FloatArray:
    """Sum of weight * exp(slope * position) over each cell's rows, shape (cells,)."""
    return np.bincount(cell, weights=weight * np.exp(slope * position), minlength=cells)


def chosen_rules(
    cell: IntArray,
    position: FloatArray,
    weight: FloatArray,
    *,
    cells: int,
    slopes: tuple[float, float],
    tolerance: float = 1e-11,
) -> Rules:
    """Gauss rules with as few nodes as keep the relative error within `tolerance`.

    Parameters
    ----------
    cell, position, weight, cells
        As in `gauss_rules`.
    slopes : tuple of float
        The range of s for which sum_i weight_i exp(s position_i) is to be reproduced.
    tolerance : float
        Largest relative error allowed in any cell, at any of 17 slopes across the range.

    Returns
    -------
    Rules
        With the error reached. A rule with as many nodes as the largest cell has rows is exact but
        for rounding, so the search ends there at the latest.
    """
    grid = np.linspace(*slopes, 17)
    exact = np.array([exponential_sums(cell, position, weight, cells=cells, slope=s) for s in grid])
    largest = int(np.bincount(cell, minlength=cells).max(initial=1))
    nodes = 6
    while True:
        nodes = min(nodes, largest)
        at, mass = gauss_rules(cell, position, weight, cells=cells, nodes=nodes)
        reached = np.array([(mass * np.exp(s * at)).sum(axis=1) for s in grid])
        error = np.abs(reached - exact) / np.where(exact > 0, exact, 1.0)
        if error.max() <= tolerance or nodes == largest:
            return Rules(at, mass, slopes, float(error.max()))
        nodes += 2
