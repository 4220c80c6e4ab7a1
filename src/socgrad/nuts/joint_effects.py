"""Authority effects of all strata at once, in the form that the sampler finds easy.

The multivariate form of `socgrad.nuts.effects`. The effects are loadings times independent standard
normal variables x; what an authority's events say of its effects is about normal; so the
conditional posterior of x is about normal too, and the free variables are x standardised by it. Its
precision is the identity plus what the data know, whatever the correlations are: strata that are
near copies of one another, or hardly known, need no care of their own.

Slopes come first, then levels given the slopes. The log of an authority's expected events bends
with its slope; where only its total is known, of many events, that bend is wide beside what the
total leaves of the level. So the levels are standardised about what the total says of them at the
slopes that they are drawn with.
"""

from typing import Any

import numpy as np

from socgrad.arrays import FloatArray
from socgrad.nuts.drawing import Size, source_and_shape
from socgrad.nuts.pymc_quietly import pm, pt
from socgrad.nuts.standardising import standardise

__all__ = ["joint_effects", "joint_levels"]

type Variable = Any  # PyTensor's variables carry no useful static types.


def joint_effects(
    data: dict[str, Variable],
    *,
    expected_level: Variable,
    expected_slope: Variable,
    slope_sd: Variable,
    loadings: Variable,
) -> tuple[Variable, Variable]:
    """Level and slope effects, shape (strata, authorities) each.

    Parameters
    ----------
    data
        The graph's data, by name: what each stratum's events say of each authority.
    expected_level, expected_slope
        Level and slope of each stratum and authority without effects.
    slope_sd
        Standard deviations of slopes, by stratum.
    loadings
        Shape (2 strata, k): rows of levels, then rows of slopes, times their standard deviations.
        The effects' covariance is loadings @ loadings.T.

    Notes
    -----
    The events of an authority are taken to say, independently, total = level + at slope ~
    Normal(estimate, 1 / level_information) and slope ~ Normal(estimate, 1 / slope_information); and
    of the level at a given slope, what a parabola in the slope leaves of the total. As in
    `socgrad.nuts.effects` this steers the sampler only; the density of the effects is the model's.
    """
    strata = expected_level.shape[0]
    names = ("centring_at", "centring_spread", "level_information", "slope_information")
    at, spread, known_level, known_slope = (data[name] for name in names)
    slope = data["centring_slope"] - expected_slope
    # Seen from where the slope is likely to be.
    off = slope / (1.0 + known_slope * slope_sd[:, None] ** 2)
    level = data["centring_level"] - expected_level
    total = level + at * slope - 0.5 * spread * off**2
    root = _slopes_first(loadings, strata)
    said = pt.stack([at, known_level, known_slope, total, slope])
    more = pt.stack([spread, level])
    raw = pm.CustomDist(
        "effects_raw",
        root,
        said,
        more,
        logp=_log_density,
        random=_draw,
        signature="(e,k),(f,s,a),(g,s,a)->(k,a)",
        dtype="float64",
        dims=("component", "authority"),
    )
    independent, _ = _independent(raw, root, said, more)
    effects = root @ independent
    both = (("level_effect", effects[:strata]), ("slope_effect", effects[strata:]))
    made = [pm.Deterministic(n, values, dims=("stratum", "authority")) for n, values in both]
    return made[0], made[1]


def joint_levels(suggested: Variable, *, loadings: Variable, known: Variable) -> Variable:
    """Level effects, shape (strata, authorities), where authorities have no slopes of their own.

    Parameters
    ----------
    suggested
        Those that events suggest, from `socgrad.nuts.effects.suggested_levels`.
    loadings
        Shape (strata, strata): of levels, times their standard deviations.
    known
        Information about levels in the events of each stratum and authority.
    """
    root = pt.linalg.cholesky(loadings @ loadings.T)
    raw = pm.CustomDist(
        "effects_raw",
        root,
        known,
        suggested,
        logp=_log_density_of_levels,
        random=_draw_levels,
        signature="(s,s),(s,a),(s,a)->(s,a)",
        dtype="float64",
        dims=("component", "authority"),
    )
    independent, _ = _levels_alone(raw, root, known, suggested)
    return pm.Deterministic("level_effect", root @ independent, dims=("stratum", "authority"))


def _levels_alone(
    raw: Variable, root: Variable, known: Variable, suggested: Variable
) -> tuple[Variable, Variable]:
    """Independent variables of levels that no slopes go with, and the log determinant."""
    own, none = pt.concatenate([root, pt.zeros_like(root)]), pt.zeros_like(known)
    return standardise(own, pt.stack([none, known, none, suggested, none]), raw)


def _log_density_of_levels(
    value: Variable, root: Variable, known: Variable, suggested: Variable
) -> Variable:
    return _normal_density(*_levels_alone(value, root, known, suggested))


def _draw_levels(
    root: FloatArray,
    known: FloatArray,
    suggested: FloatArray,
    rng: np.random.Generator | None = None,
    size: Size = None,
) -> FloatArray:
    """Standardised variables of independent standard normal ones."""
    rng, shape = source_and_shape(rng, size)
    independent = rng.standard_normal((*shape, *known.shape))
    precision = np.eye(len(root)) + root.T @ (known.T[..., None] * root)
    factor = np.linalg.cholesky(precision)
    towards = np.linalg.solve(factor, (root.T @ (known * suggested)).T[..., None])[..., 0].T
    turned = np.einsum("aij,...ia->...ja", factor, independent)
    drawn: FloatArray = turned - towards
    return drawn


def _slopes_first(loadings: Variable, strata: Variable) -> Variable:
    """Loadings of the same covariance of which slopes have none on the first half of components.

    Rows are levels, then slopes; the first components are the levels' own, given the slopes.
    """
    turned = pt.concatenate([loadings[strata:], loadings[:strata]])
    factor = pt.linalg.cholesky(turned @ turned.T)
    levels = pt.concatenate([factor[strata:, strata:], factor[strata:, :strata]], axis=1)
    slopes = pt.concatenate([factor[:strata, strata:], factor[:strata, :strata]], axis=1)
    return pt.concatenate([levels, slopes])


def _independent(
    raw: Variable, root: Variable, said: Variable, more: Variable
) -> tuple[Variable, Variable]:
    """The independent variables of standardised ones, and the log determinant of the change."""
    strata = said.shape[1]
    first, log_determinant = standardise(root, said, raw)
    # The last components are those of slopes, and do not depend on what is done to the first.
    of_slopes = first[strata:]
    none = pt.zeros_like(said[0])
    estimate = _level_left(root, said, more, of_slopes)
    own = pt.concatenate([root[:strata, :strata], pt.zeros((strata, strata))])
    of_levels, _ = standardise(own, pt.stack([none, said[1], none, estimate, none]), raw[:strata])
    return pt.concatenate([of_levels, of_slopes]), log_determinant


def _level_left(root: Any, said: Any, more: Any, of_slopes: Any) -> Any:
    """What the events say of levels at these slopes, less what goes with the slopes."""
    strata = said.shape[1]
    # How far the slope is from the one about which the parabola stands.
    apart = root[strata:, strata:] @ of_slopes - said[4]
    level = more[1] - said[0] * apart - 0.5 * more[0] * apart**2
    return level - root[:strata, strata:] @ of_slopes


def _log_density(value: Variable, root: Variable, said: Variable, more: Variable) -> Variable:
    """Log density of the standardised variables: of x, and of the change of variables."""
    return _normal_density(*_independent(value, root, said, more))


def _normal_density(independent: Variable, log_determinant: Variable) -> Variable:
    constant = 0.5 * np.log(2.0 * np.pi)
    return -0.5 * pt.sum(independent**2) - constant * independent.size - log_determinant


def _draw(
    root: FloatArray,
    said: FloatArray,
    more: FloatArray,
    rng: np.random.Generator | None = None,
    size: Size = None,
) -> FloatArray:
    """Standardised variables of independent standard normal ones."""
    rng, shape = source_and_shape(rng, size)
    strata, authorities = said.shape[-2:]
    independent = rng.standard_normal((*shape, 2 * strata, authorities))
    drawn = np.empty_like(independent)
    for place in np.ndindex(shape):
        drawn[place] = _standardised(independent[place], root, said, more)
    return drawn


def _standardised(
    independent: FloatArray, root: FloatArray, said: FloatArray, more: FloatArray
) -> FloatArray:
    """The inverse of `_independent`, with NumPy."""
    strata = said.shape[1]
    at, known_level, known_slope, total, slope = np.moveaxis(said, 2, 1)[..., None]
    r = np.broadcast_to(root[strata:], (said.shape[2], strata, root.shape[1]))
    q = root[:strata] + at * r
    precision = np.eye(root.shape[1])
    weighted = np.zeros((said.shape[2], root.shape[1], 1))
    for rows, weight, estimate in ((q, known_level, total), (r, known_slope, slope)):
        across = np.swapaxes(rows, 1, 2)
        precision = precision + across @ (weight * rows)
        weighted = weighted + across @ (weight * estimate)
    left = _level_left(root, said, more, independent[strata:])
    own = root[:strata, :strata]
    factor = np.linalg.cholesky(precision)
    shift = np.linalg.solve(factor, weighted)[..., 0].T
    levels = own.T @ (said[1] * left)
    shift[:strata] = np.linalg.solve(factor[:, :strata, :strata], levels.T[..., None])[..., 0].T
    turned = np.swapaxes(factor, 1, 2) @ independent.T[..., None]
    # Levels are standardised given the slopes: without what goes with these.
    turned[:, :strata] = (
        np.swapaxes(factor[:, :strata, :strata], 1, 2) @ independent[:strata].T[..., None]
    )
    standardised: FloatArray = turned[..., 0].T - shift
    return standardised
