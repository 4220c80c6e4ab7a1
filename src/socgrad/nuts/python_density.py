"""NUTS by nutpie on a log density that is a Python function: a public interface of nutpie."""

from collections.abc import Callable

import numpy as np
import xarray as xr
from nutpie.compiled_pyfunc import from_pyfunc

from socgrad.arrays import FloatArray
from socgrad.nuts.nutpie_draws import draws_by_nutpie
from socgrad.nuts.options import NutsOptions

__all__ = ["sample_function"]

# How far from zero a chain may start, in the units of the density.
_AWAY = 0.5


def sample_function(
    density: Callable[[FloatArray], tuple[float, FloatArray]], size: int, options: NutsOptions
) -> tuple[FloatArray, xr.Dataset]:
    """Draw points whose log density is given, with its gradient.

    Parameters
    ----------
    density : callable
        From a point (size,) to its log density and gradient; about standard normal.
    size : int
    options : NutsOptions
        How to sample.

    Returns
    -------
    points : ndarray, shape (chains, draws, size)
    sample_stats : xarray.Dataset
        Dims (chain, draw).
    """

    def expand(*_: object) -> Callable[..., dict[str, FloatArray]]:
        return lambda point, **__: {"point": np.asarray(point)}

    model = from_pyfunc(
        size,
        lambda: density,
        expand,
        [np.dtype("float64")],
        [(size,)],
        ["point"],
        make_initial_point_fn=lambda seed: np.random.default_rng(seed).uniform(-_AWAY, _AWAY, size),
    )
    posterior, statistics = draws_by_nutpie(model, options)
    return posterior["point"].to_numpy(), statistics
