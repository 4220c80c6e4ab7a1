"""Effects of authorities that were not observed, drawn from what a fit says of authorities.

The strata of a joint fit describe the same authorities, so one that is drawn has effects in all of
them that correlate as the fit says. In independent fits nothing ties them, and each stratum has
random numbers of its own.
"""

import numpy as np
import numpy.typing as npt
import xarray as xr

from socgrad.reading.posterior import Coefficients
from socgrad.reading.random_numbers import generator

__all__ = ["new_authority_effects"]

type Floats = npt.NDArray[np.float64]


def new_authority_effects(
    terms: Coefficients,
    random_seed: int,
    *,
    number: int | None = None,
    of_known_region: bool = False,
) -> tuple[xr.DataArray, xr.DataArray]:
    """Level and slope effects of authorities that were not observed, one pair per draw and each.

    The same seed gives the same pairs, whichever estimand asks. Without random slopes the slope
    effect is zero. With regions, the level holds that of a region that was not observed either,
    one for each authority, unless `of_known_region`.

    Parameters
    ----------
    terms
        Of one fit, or of one stratum.
    random_seed
        A whole number from 0.
    number
        How many authorities, along dim authority; by default one, without that dim.
    of_known_region
        Whether the region of the authorities is known, so that its effect is added elsewhere.

    Returns
    -------
    tuple of xarray.DataArray
        Level and slope effect, dims chain, draw[, authority].
    """
    dims = ("chain", "draw") if number is None else ("chain", "draw", "authority")
    shape = tuple(terms.intercept.sizes[name] for name in dims[:2])
    shape += () if number is None else (number,)
    level, slope = (
        xr.DataArray(values, dims=dims) for values in _standardised(terms, random_seed, shape)
    )
    level, slope = terms.level_sd * level, terms.slope_sd * slope
    if terms.has_regions and not of_known_region:
        rng = generator(random_seed, terms.stratum).spawn(4)[3]
        level = level + terms.region_sd * xr.DataArray(rng.standard_normal(shape), dims=dims)
    return level, slope


def _standardised(
    terms: Coefficients, random_seed: int, shape: tuple[int, ...]
) -> tuple[Floats, Floats]:
    """Level and slope effects over their standard deviations, shape (chain, draw[, authority])."""
    if terms.joint is not None:
        level, slope = terms.joint.loadings
        # Not by stratum: these are the numbers of one authority, in all of them.
        z = generator(random_seed).standard_normal((*shape, level.shape[-1]))
        return np.einsum("cd...k,cdk->cd...", z, level), np.einsum("cd...k,cdk->cd...", z, slope)
    z = generator(random_seed, terms.stratum).standard_normal((2, *shape))
    rho = terms.correlation
    if rho.dims:
        rho = rho.transpose("chain", "draw")
    r = np.reshape(rho.to_numpy(), (*rho.shape, *[1] * (len(shape) - rho.ndim)))
    return z[0], r * z[0] + np.sqrt((1 - r) * (1 + r)) * z[1]
