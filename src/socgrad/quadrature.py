"""Gauss rules: an authority's exposure in a dozen points.

The Poisson likelihood of an authority's neighbourhoods needs their exposures only through

    S(s) = sum_i N_i exp(s w_i),

a function of the slope s. That is an integral of exp(s w) against the discrete measure that puts
mass N_i at w_i, and the K-node Gauss rule of this measure reproduces it: K = 12 leaves a relative
error of about 1e-12 over every slope that a social gradient can have. The rule comes from the
Lanczos recurrence (with full reorthogonalisation, since the plain one loses orthogonality) and
the eigenvalues of its Jacobi matrix (Golub and Welsch 1969, doi 10.1090/S0025-5718-69-99647-1).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from socgrad.arrays import FloatArray, IntArray

__all__ = ["GaussRules", "chosen_rules", "gauss_rules"]


# Rows of a block: a dozen vectors of them stay in the processor's cache.
_BLOCK = 1 << 15
# Nodes to begin with, and slopes at which a rule is held against its rows.
_FEWEST, _SLOPES = 6, 17
# Below this share of a cell's spread a Lanczos vector is rounding error: no points are left.
_EXHAUSTED = 1e-11


@dataclass(frozen=True, eq=False)
class GaussRules:
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


@dataclass(frozen=True, eq=False)
class _Block:
    """Some cells of about the same number of rows, side by side; `cells` names them.

    `position` and `weight` have shape (cells, rows), short cells padded with rows of weight 0.
    """

    cells: IntArray
    position: FloatArray
    weight: FloatArray


def _blocks(
    cell: IntArray, position: FloatArray, weight: FloatArray, *, cells: int
) -> Iterator[_Block]:
    """Split the rows into blocks of cells that fit the processor's cache."""
    if np.any(cell[1:] < cell[:-1]):
        order = np.argsort(cell, kind="stable")
        position, weight = position[order], weight[order]
    size = np.bincount(cell, minlength=cells)
    first = np.cumsum(size) - size
    by_size = np.argsort(size, kind="stable")
    begin = 0
    while begin < cells:
        # Within a block sizes differ by half at most: little is padded.
        ahead = by_size[begin : begin + _BLOCK]
        fits = (size[ahead] <= 1.5 * size[ahead[0]] + 1) & (
            size[ahead] * np.arange(1, len(ahead) + 1) <= _BLOCK
        )
        number = max(int(np.argmin(fits)) if not fits.all() else len(ahead), 1)
        chosen = ahead[:number]
        rows = np.arange(max(int(size[chosen[-1]]), 1))
        there = rows < size[chosen, None]
        index = np.where(there, first[chosen, None] + rows, 0)
        block_weight = np.where(there, weight[index], 0.0)
        # Rows of weight 0 lie where their cell is, lest they overflow an exponential.
        yield _Block(chosen, np.where(there, position[index], position[index[:, :1]]), block_weight)
        begin += number


@dataclass(eq=False)
class _Lanczos:
    """The Lanczos recurrence of a block's cells, as far as it has been asked for.

    Its coefficients are those of orthonormal polynomials of the measure, in
    z = (position - centre) / scale; `basis` (cells, nodes, rows) holds their values at the rows.
    The rule of K nodes needs the first K of them, so more nodes go on where fewer ended.
    """

    total: FloatArray
    centre: FloatArray
    scale: FloatArray
    z: FloatArray
    basis: FloatArray
    diagonal: FloatArray
    beside: FloatArray

    @classmethod
    def started(cls, block: _Block) -> Self:
        position, weight = block.position, block.weight
        total = weight.sum(axis=1)
        filled = np.where(total > 0, total, 1.0)
        centre = (weight * position).sum(axis=1) / filled
        z = position - centre[:, None]
        spread = np.sqrt((weight * z * z).sum(axis=1) / filled)
        scale = np.where(spread > 0, spread, 1.0)
        z /= scale[:, None]
        first = np.sqrt(weight / filled[:, None])
        diagonal = np.einsum("cr,cr,cr->c", first, z, first)
        return cls(
            total, centre, scale, z, first[:, None], diagonal[:, None], np.empty((len(total), 0))
        )

    def rule(self, nodes: int) -> tuple[FloatArray, FloatArray]:
        """Nodes and weights, shape (cells, nodes): eigenvalues and vectors of the Jacobi matrix."""
        self._extend(nodes)
        jacobi = np.zeros((len(self.total), nodes, nodes))
        on = np.arange(nodes)
        jacobi[:, on, on] = self.diagonal[:, :nodes]
        jacobi[:, on[1:], on[:-1]] = self.beside[:, : nodes - 1]
        at, vectors = np.linalg.eigh(jacobi)  # reads the lower triangle
        position = self.centre[:, None] + self.scale[:, None] * at
        return position, self.total[:, None] * vectors[:, 0, :] ** 2

    def _extend(self, nodes: int) -> None:
        known = self.diagonal.shape[1]
        if nodes <= known:
            return
        more = nodes - known
        self.basis = np.concatenate([self.basis, np.empty((len(self.z), more, self.z.shape[1]))], 1)
        self.diagonal, self.beside = (
            np.concatenate([each, np.empty((len(each), more))], axis=1)
            for each in (self.diagonal, self.beside)
        )
        for k in range(known, nodes):
            before = self.basis[:, :k]
            image = self.z * self.basis[:, k - 1]
            for _ in range(2):  # "twice is enough" (Kahan, Parlett) for orthogonality
                shares = before @ image[:, :, None]
                image -= (shares.transpose(0, 2, 1) @ before)[:, 0]
            norm = np.sqrt(np.einsum("cr,cr->c", image, image))
            norm[norm < _EXHAUSTED] = 0.0
            self.beside[:, k - 1] = norm
            image /= np.where(norm > 0, norm, np.inf)[:, None]
            self.basis[:, k] = image
            self.diagonal[:, k] = np.einsum("cr,cr,cr->c", image, self.z, image)


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
    at, mass = np.zeros((cells, nodes)), np.zeros((cells, nodes))
    for block in _blocks(cell, position, weight, cells=cells):
        lanczos = _Lanczos.started(block)
        number = min(nodes, block.position.shape[1])
        here = lanczos.rule(number)
        at[block.cells, :number], mass[block.cells, :number] = here
        at[block.cells, number:] = lanczos.centre[:, None]
    return at, mass


def chosen_rules(
    cell: IntArray,
    position: FloatArray,
    weight: FloatArray,
    *,
    cells: int,
    slopes: tuple[float, float],
    tolerance: float = 1e-11,
) -> GaussRules:
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
    GaussRules
        With the error reached. A rule with as many nodes as the largest cell has rows is exact but
        for rounding, so the search ends there at the latest.
    """
    rules = [
        (block.cells, *_chosen(block, slopes, tolerance))
        for block in _blocks(cell, position, weight, cells=cells)
    ]
    nodes = max(at.shape[1] for _, at, _, _ in rules)
    every_at, every_mass = np.zeros((cells, nodes)), np.zeros((cells, nodes))
    for where, at, mass, _ in rules:
        every_at[where, : at.shape[1]], every_mass[where, : at.shape[1]] = at, mass
        every_at[where, at.shape[1] :] = at[:, :1]
    return GaussRules(every_at, every_mass, slopes, max(error for _, _, _, error in rules))


def _chosen(
    block: _Block, slopes: tuple[float, float], tolerance: float
) -> tuple[FloatArray, FloatArray, float]:
    """Rules of one block's cells, with as few nodes as will do, and their error."""
    low, high = slopes
    grid = np.linspace(low, high, _SLOPES)
    # Equal steps of the slope multiply each row's term by the same factor: two exponentials a row.
    term = block.weight * np.exp(low * block.position)
    factor = np.exp((high - low) / (_SLOPES - 1) * block.position)
    exact = np.empty((_SLOPES, len(block.cells)))
    for step in range(_SLOPES):
        exact[step] = term.sum(axis=1)
        term *= factor
    scale = np.where(exact > 0, exact, 1.0)
    lanczos, largest = _Lanczos.started(block), block.position.shape[1]
    nodes = min(_FEWEST, largest)
    while True:
        at, mass = lanczos.rule(nodes)
        reached = (mass * np.exp(grid[:, None, None] * at)).sum(axis=2)
        error = float((np.abs(reached - exact) / scale).max())
        if error <= tolerance or nodes == largest:
            return at, mass, error
        nodes = min(nodes + 2, largest)
