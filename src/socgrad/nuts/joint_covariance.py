"""Covariance of the authority effects of all strata, on scales on which what events say is simple.

Where only an authority's total is known, its events tell level + tilt slope, tilt being the mean of
w over them, and nothing of the slope. So they tell the covariances of these sums between strata,
closely where strata are alike; those of levels follow only with the slopes' own, of which the prior
alone speaks. A sampler that moves the levels' standard deviations and correlations has to keep to
that narrow ridge. So the free variables are standard deviations and correlations of (total, slope),
total = level + tilt slope; the priors stay those of (level, slope).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from socgrad.arrays import FloatArray, IntArray
from socgrad.nuts.correlations import draw_lkj_factors, lkj_factor, lkj_log_density, lkj_to_raw
from socgrad.nuts.drawing import Size, source_and_shape
from socgrad.nuts.pymc_quietly import pm, pt
from socgrad.nuts.spreads import draw_spreads, spreads_log_density, spreads_of, spreads_to_raw

__all__ = ["full_covariance"]

type Variable = Any  # PyTensor's variables carry no useful static types.

#: Names of the data in the order that the distribution takes them.
_DATA = (
    "prior_correlation",
    "effect_place",
    "spread_mixing",
    "partial_mixing",
    "level_tilt",
)


def full_covariance(
    data: dict[str, Variable], prior: Variable, *, strata: int, effects: int
) -> tuple[Variable, Variable]:
    """Standard deviations of the effects, and loadings of correlations of any kind.

    Parameters
    ----------
    data
        The graph's data, by name: `prior_correlation`; `effect_place`, `spread_mixing`,
        `partial_mixing` and `level_tilt`, which steer the sampler only.
    prior
        Moments of the priors of standard deviations, shape (effects, 2).
    strata, effects
        How many there are: two effects a stratum, or one where authorities have no slopes of their
        own.

    Returns
    -------
    sds : Variable
        Shape (effects,): of levels, then of slopes. Normal above zero a priori.
    loadings : Variable
        Shape (effects, effects). The correlations loadings @ loadings.T are LKJ a priori.

    Notes
    -----
    With T the matrix of (total, slope) from (level, slope) and n effects, the covariances are
    S' = T S T'; det T = 1, so dS' = dS. As S = D R D has the volume 2**n prod(D)**n dD dR::

        p(D', R') = p(D) p(R) prod(D')**n / prod(D)**n,   det R = det R' prod(D')**2 / prod(D)**2

    which is the density of independent priors of D' and R', times p(D) / p(D') and
    (prod(D') / prod(D))**(n + 2 eta - 2).
    """
    given = [prior[:, 0], prior[:, 1], *(data[name] for name in _DATA)]

    def density(value: Variable, *given: Variable) -> Variable:
        mean, sd, concentration, _, of_spreads, of_partials, _ = given
        totals, sds, _ = _parts(value, (effects, strata), given)
        independent = spreads_log_density(value[:effects], mean, sd, of_spreads) + lkj_log_density(
            value[effects:], effects, concentration, of_partials
        )
        moved = 0.5 * (((totals - mean) / sd) ** 2 - ((sds - mean) / sd) ** 2)
        volume = (effects + 2.0 * concentration - 2.0) * pt.log(totals / sds)
        return independent + pt.sum(moved + volume)

    raw = pm.CustomDist(
        "covariance_raw",
        *given,
        logp=density,
        random=_draw,
        signature=f"(e),(e),(),(e),(e,e),(p,p),(s)->({effects * (effects + 1) // 2})",
        dtype="float64",
    )
    _, sds, scaled = _parts(raw, (effects, strata), given)
    return sds, scaled / sds[:, None]


def _parts(
    raw: Variable, sizes: tuple[int, int], given: Sequence[Variable]
) -> tuple[Variable, Variable, Variable]:
    """SDs of totals and slopes; of levels and slopes; and loadings times the latter SDs."""
    mean, sd, _, place, of_spreads, of_partials, tilt = given
    effects, strata = sizes
    totals = spreads_of(raw[:effects], mean, sd, of_spreads)
    scaled = totals[:, None] * lkj_factor(raw[effects:], effects, of_partials)[place]
    if effects > strata:
        levels = scaled[:strata] - tilt[:, None] * scaled[strata:]
        scaled = pt.concatenate([levels, scaled[strata:]])
    return totals, pt.sqrt(pt.sum(scaled**2, axis=1)), scaled


def _draw(  # noqa: PLR0917 PyMC passes by position
    mean: FloatArray,
    sd: FloatArray,
    concentration: FloatArray,
    place: IntArray,
    of_spreads: FloatArray,
    of_partials: FloatArray,
    tilt: FloatArray,
    rng: np.random.Generator | None = None,
    size: Size = None,
) -> FloatArray:
    """Free variables of standard deviations and correlations from their priors."""
    rng, shape = source_and_shape(rng, size)
    effects, strata = len(mean), len(tilt)
    sds = draw_spreads(mean, sd, rng, shape)
    scaled = sds[..., None] * draw_lkj_factors(effects, float(concentration), rng, shape)
    if effects > strata:
        scaled[..., :strata, :] += tilt[:, None] * scaled[..., strata:, :]
    totals = np.linalg.norm(scaled, axis=-1)
    # Rows in the order in which the factor takes the effects.
    unit = (scaled / totals[..., None])[..., np.argsort(place), :]
    factor = np.linalg.cholesky(unit @ np.swapaxes(unit, -1, -2))
    raw = spreads_to_raw(totals, mean, sd, of_spreads), lkj_to_raw(factor, of_partials)
    return np.concatenate(raw, axis=-1)
