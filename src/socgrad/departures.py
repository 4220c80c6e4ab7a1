"""Departures from a log-linear gradient: functions of deprivation without level and without slope.

A gradient that is non-linear is a line and a departure from it. The departure is a function of
neighbourhood deprivation x alone, the same in every authority, and a sum of columns phi_k(x) that
are orthogonal, over the nation's children, to 1, to x and to one another. So the line stays what
it was: the straight line that fits the curve best. Steps give each child-weighted tenth of
neighbourhoods a departure of its own, and a slope inside tenths that is not the line's; a natural
cubic spline gives a smooth one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from socgrad.arrays import FloatArray, IntArray
from socgrad.errors import EstimandError, SpecificationError
from socgrad.ranks import quantile_groups, weighted_quantile

__all__ = ["KNOTS", "TENTHS", "Departures", "Shape", "departures_by_tenth", "smooth_departures"]

type Shape = Literal["line", "tenths", "spline"]

TENTHS: Final = 10
#: Shares of children below the knots, by their number (Harrell 2015, table 2.3).
KNOTS: Final[dict[int, tuple[float, ...]]] = {
    3: (0.10, 0.50, 0.90),
    4: (0.05, 0.35, 0.65, 0.95),
    5: (0.05, 0.275, 0.50, 0.725, 0.95),
    6: (0.05, 0.23, 0.41, 0.59, 0.77, 0.95),
    7: (0.025, 0.1833, 0.3417, 0.50, 0.6583, 0.8167, 0.975),
}


#: Share of the variance of deprivation inside tenths below which it is rounding error.
_NO_SPREAD: Final = 1e-9


@dataclass(frozen=True, eq=False)
class Departures:
    """The columns phi_k of departures, to be evaluated at any deprivation.

    Attributes
    ----------
    places : ndarray
        Of steps, the least deprivation of the second tenth and of those above it; of a spline, its
        knots. Proportions.
    weights : ndarray, shape (parts, columns)
        Of each column, the weight of each tenth and, last, of x; or of 1, x and the curved parts of
        the spline.
    is_spline : bool
        Whether it is a spline, and not steps.

    Notes
    -----
    Their mean squares over children add up to 1, and are equal: coefficients from Normal(0, s)
    give departures whose mean square over children is expected to be s**2. The first column bends:
    above the line at both ends where its coefficient is positive.
    """

    places: FloatArray
    weights: FloatArray
    is_spline: bool

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, from "1"."""
        return tuple(str(k + 1) for k in range(self.weights.shape[1]))

    def at(self, deprivation: npt.ArrayLike) -> FloatArray:
        """Columns at these deprivations (proportions), shape (..., columns).

        Beyond the outer knots a spline goes on as a line, beyond the outer tenths these do.
        """
        x = np.asarray(deprivation, dtype=np.float64)
        if self.is_spline:
            values: FloatArray = _spline_parts(x, self.places) @ self.weights
            return values
        steps: FloatArray = self.weights[self.tenth_of(x) - 1] + x[..., None] * self.tilt
        return steps

    @property
    def tilt(self) -> FloatArray:
        """Of steps, how much each column changes inside a tenth, per unit of deprivation."""
        assert not self.is_spline, "a spline changes everywhere"
        inside: FloatArray = self.weights[-1]
        return inside

    def slope_at(self, deprivation: npt.ArrayLike) -> FloatArray:
        """Derivatives of the columns of a spline by deprivation (a proportion)."""
        x = np.asarray(deprivation, dtype=np.float64)
        assert self.is_spline, "steps have no derivative"
        values: FloatArray = _spline_slopes(x, self.places) @ self.weights
        return values

    def tenth_of(self, deprivation: npt.ArrayLike) -> IntArray:
        """The tenth, 1 to 10, in which each deprivation lies."""
        x = np.asarray(deprivation, dtype=np.float64)
        return np.searchsorted(self.places, x, side="right").astype(np.int64) + 1


def departures_by_tenth(
    deprivation: FloatArray, children: FloatArray, *, tenths: int = TENTHS
) -> Departures:
    """Steps: each child-weighted tenth of neighbourhoods departs from the line by itself.

    The last column gives rates a slope inside tenths that is not the trend's: without it the trend
    would have to fit both, and the departures of wide tenths would suffer.

    Parameters
    ----------
    deprivation : ndarray, shape (areas,)
        Proportions 0-1.
    children : ndarray, shape (areas,)
        The weights, not negative.
    tenths : int
        Number of groups, at least 3: the line takes two.

    Returns
    -------
    Departures
        With `tenths` - 1 columns, orthogonal to 1 and to deprivation; one less if deprivation does
        not vary inside tenths.

    Raises
    ------
    SpecificationError
        If deprivation has too few distinct values to be cut into as many groups.

    Notes
    -----
    The columns span the steps, less their projections on 1 and x. Those orthogonal to the tenths'
    means m_t are steps themselves (polynomials in m_t, the first of which bends); the last is
    ``m_t - a - s x``, with the regression of m_t on x: s is the share of the variance of x that
    lies between tenths.

    Examples
    --------
    Three equal groups at 0, 0.1 and 0.2: what is left beside a line is to bend it, up at both ends
    and down twice as far in the middle.

    >>> import numpy as np
    >>> from socgrad.departures import departures_by_tenth
    >>> steps = departures_by_tenth(np.array([0.0, 0.1, 0.2]), np.ones(3), tenths=3)
    >>> (steps.at([0.0, 0.1, 0.2])[:, 0] * np.sqrt(2)).round(9).tolist()
    [1.0, -2.0, 1.0]
    """
    some = children > 0
    x, weight = deprivation[some], children[some]
    try:
        group = quantile_groups(x, weight, tenths) - 1
    except EstimandError as error:
        raise SpecificationError(
            f"shape='tenths' needs neighbourhoods in each of {tenths} child-weighted tenths, and "
            f"the {np.unique(x).size} distinct values of deprivation over {x.size} neighbourhoods "
            "with children cannot be cut into so many equal parts. Choose shape='spline', or "
            "leave shape out."
        ) from error
    size = np.bincount(group, weights=weight)
    mean = np.bincount(group, weights=weight * x) / size
    share = np.sqrt(size / size.sum())
    # Polynomials in the groups' means, so that the first column bends, and so on.
    centred = 2 * (mean - mean.min()) / np.ptp(mean) - 1
    powers = np.polynomial.legendre.legvander(centred, tenths - 1)
    q, _ = np.linalg.qr(share[:, None] * powers)
    columns = np.asarray(q[:, 2:] / share[:, None], dtype=np.float64)
    steps = _upward(columns, columns[-1])
    weights = np.vstack([steps, np.zeros((1, tenths - 2))])
    national = np.average(x, weights=weight)
    between, total = (
        np.average((values - national) ** 2, weights=weight) for values in (mean[group], x)
    )
    if total - between > _NO_SPREAD * total:
        inside = between / total
        last = np.append(mean - (1 - inside) * national, -inside)
        weights = np.column_stack([weights, last / np.sqrt(between * (1 - inside))])
    least = np.array([x[group == t].min() for t in range(1, tenths)])
    return Departures(least, weights / np.sqrt(weights.shape[1]), is_spline=False)


def smooth_departures(deprivation: FloatArray, children: FloatArray, *, knots: int) -> Departures:
    """A natural cubic spline: a smooth curve, straight beyond its outer knots.

    Parameters
    ----------
    deprivation : ndarray, shape (areas,)
        Proportions 0-1.
    children : ndarray, shape (areas,)
        The weights, not negative.
    knots : int
        Number of knots, 3 to 7, at child-weighted quantiles of deprivation.

    Returns
    -------
    Departures
        With `knots` - 2 columns, orthogonal to 1 and to deprivation.

    Raises
    ------
    SpecificationError
        If the quantiles are not distinct.

    Notes
    -----
    With knots t_1 < ... < t_K the curved parts are ``d_k(x) - d_{K-1}(x)``, k = 1 ... K - 2, with
    ``d_k(x) = ((x - t_k)_+**3 - (x - t_K)_+**3) / (t_K - t_k)``, in units of the knots' range.

    References
    ----------
    Harrell 2015, Regression Modeling Strategies, 2nd ed., section 2.4, doi
    10.1007/978-3-319-19425-7 (the quantiles). Hastie, Tibshirani & Friedman 2009, The Elements of
    Statistical Learning, 2nd ed., section 5.2.1, doi 10.1007/978-0-387-84858-7 (the basis).

    Examples
    --------
    >>> import numpy as np
    >>> from socgrad.departures import smooth_departures
    >>> x = np.linspace(0.0, 0.5, 101)
    >>> curve = smooth_departures(x, np.ones(101), knots=3)
    >>> curve.places.round(3).tolist()
    [0.05, 0.25, 0.45]
    >>> bool((curve.at([0.0, 0.25, 0.5])[:, 0] > 0).tolist() == [True, False, True])
    True
    """
    places = weighted_quantile(deprivation, children, KNOTS[knots])
    if len(np.unique(places)) < knots:
        raise SpecificationError(
            f"shape='spline' needs {knots} distinct knots, and the child-weighted quantiles "
            f"{', '.join(f'{p:g}' for p in KNOTS[knots])} of deprivation fall on "
            f"{len(np.unique(places))} values ({', '.join(f'{v:.3g}' for v in places)}). Choose "
            "fewer knots=, or shape='line'."
        )
    parts = _spline_parts(deprivation, places)
    share = np.sqrt(children / children.sum())
    # What orthogonalises the columns is triangular: each new one takes off those before it.
    _, r = np.linalg.qr(share[:, None] * parts)
    weights = np.linalg.solve(r, np.eye(knots))[:, 2:] / np.sqrt(knots - 2)
    last = _spline_parts(np.array(deprivation.max()), places) @ weights
    return Departures(places, _upward(weights, last), is_spline=True)


def _upward(weights: FloatArray, last: FloatArray) -> FloatArray:
    """Turn every column upwards at the most deprived end."""
    return np.asarray(weights * np.where(last < 0, -1.0, 1.0))


def _spline_parts(x: FloatArray, knots: Sequence[float] | FloatArray) -> FloatArray:
    """1, x and the curved parts of a natural cubic spline, shape (..., knots)."""
    t = np.asarray(knots, dtype=np.float64)
    width = t[-1] - t[0]
    cubes = np.maximum((x[..., None] - t) / width, 0.0) ** 3
    d = (cubes[..., :-1] - cubes[..., -1:]) / ((t[-1] - t[:-1]) / width)
    return np.concatenate(
        [np.ones_like(x)[..., None], x[..., None], d[..., :-1] - d[..., -1:]], axis=-1
    )


def _spline_slopes(x: FloatArray, knots: FloatArray) -> FloatArray:
    """Derivatives of the same by x."""
    t = knots
    width = t[-1] - t[0]
    squares = 3.0 * np.maximum((x[..., None] - t) / width, 0.0) ** 2 / width
    d = (squares[..., :-1] - squares[..., -1:]) / ((t[-1] - t[:-1]) / width)
    zero, one = np.zeros_like(x)[..., None], np.ones_like(x)[..., None]
    return np.concatenate([zero, one, d[..., :-1] - d[..., -1:]], axis=-1)
