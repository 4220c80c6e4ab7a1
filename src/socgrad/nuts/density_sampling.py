"""NUTS by nutpie on the density that is written out: no PyMC, and nothing to compile."""

import functools
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr
from nutpie.compile_pymc import CompiledPyMCModel

from socgrad.arrays import FloatArray
from socgrad.laws import compiled_gamma as gamma_functions
from socgrad.laws import compiled_negative_binomial as negative_binomial_rows
from socgrad.model.gradient_model import GradientModel
from socgrad.nuts import density, steering
from socgrad.nuts.density import draws, log_density, problem_of
from socgrad.nuts.numba_on_disk import for_c, numbers_at
from socgrad.nuts.nutpie_draws import draws_by_nutpie
from socgrad.nuts.options import NutsOptions
from socgrad.nuts.problems import first_guess, packed_problem, parameters
from socgrad.schema import COEFFICIENTS, EFFECTS

__all__ = ["NUTPIE_IS_KNOWN", "is_known", "sample_density"]

_GIVEN: Final = frozenset(
    {
        "dims",
        "_n_dim",
        "_coords",
        "_shapes",
        "compiled_logp_func",
        "compiled_expand_func",
        "initial_point_func",
        "shared_data",
        "shared_var_keys",
        "user_data",
        "n_expanded",
        "shape_info",
        "logp_func",
        "expand_func",
    }
)


def is_known(model: type) -> bool:
    """Whether a class of nutpie's takes all that it is given here, and needs nothing else."""
    if not is_dataclass(model):
        return False
    taken = {field.name for field in fields(model) if field.init}
    needed = {
        field.name
        for field in fields(model)
        if field.init and field.default is MISSING and field.default_factory is MISSING
    }
    return needed <= _GIVEN <= taken


#: Whether nutpie is one whose functions in C are called as here. They are not part of what it
#: promises to keep: with another version, models go through `nuts.sampling`.
NUTPIE_IS_KNOWN: Final = is_known(CompiledPyMCModel)


@functools.cache
def _functions_for_c() -> tuple[Any, Any]:
    """The density with its gradient, and what makes draws of a point, as nutpie calls them."""
    modules = density, negative_binomial_rows, steering, gamma_functions

    @for_c("density", *modules)
    def density_for_c(size, point, gradient, value, data):  # type: ignore[no-untyped-def]
        length = int(numbers_at(data, (1,), np.float64)[0])
        problem = problem_of(numbers_at(data, (length,), np.float64))
        found = log_density(numbers_at(point, (size,)), numbers_at(gradient, (size,)), problem)
        numbers_at(value, (1,))[0] = found
        # nutpie takes 3 and 4 for a step that went too far, as of its own functions.
        for k in range(size):
            if not np.isfinite(gradient[k]):
                return 3
        return 0 if np.isfinite(found) else 4

    @for_c("draws", *modules)
    def draws_for_c(size, count, point, values, data):  # type: ignore[no-untyped-def]
        length = int(numbers_at(data, (1,), np.float64)[0])
        problem = problem_of(numbers_at(data, (length,), np.float64))
        draws(numbers_at(point, (size,)), numbers_at(values, (count,)), problem)
        return 0

    return density_for_c, draws_for_c


def sample_density(
    model: GradientModel, data: xr.Dataset, options: NutsOptions
) -> tuple[xr.Dataset, xr.Dataset]:
    """Draw from the posterior of a model that `nuts.problems.is_written_out`.

    Parameters
    ----------
    model : GradientModel
        The specification.
    data : xarray.Dataset
        Its likelihood data.
    options : NutsOptions
        How to sample.

    Returns
    -------
    posterior, sample_stats : xarray.Dataset
        Dims (chain, draw[, authority, or names of covariates]).
    """
    shapes = parameters(model)
    compiled = _for_nutpie(shapes, packed_problem(model, data), _starts(first_guess(model, data)))
    posterior, statistics = draws_by_nutpie(compiled, options)
    dims = {n: dim for n, (dim, _) in COEFFICIENTS.items()} | dict.fromkeys(EFFECTS, "authority")
    named = {
        name: (("chain", "draw", *((dims[name],) if shape else ())), posterior[name].to_numpy())
        for name, shape in shapes.items()
    }
    return xr.Dataset(named, {name: posterior[name] for name in ("chain", "draw")}), statistics


def _starts(guess: FloatArray) -> Callable[[int], FloatArray]:
    """Starting points by seed: a guess, up to 1 away from it in every direction."""
    return lambda seed: guess + np.random.default_rng(seed).uniform(-1.0, 1.0, len(guess))


def _for_nutpie(
    shapes: dict[str, tuple[int, ...]], packed: FloatArray, starts: Callable[[int], FloatArray]
) -> CompiledPyMCModel:
    """Give nutpie two functions in C and their data, in the form in which it keeps its own."""
    sizes = [int(np.prod(shape)) for shape in shapes.values()]
    ends = np.cumsum(sizes)
    places = [slice(int(end) - size, int(end)) for end, size in zip(ends, sizes, strict=True)]
    number = int(ends[-1])
    density_for_c, draws_for_c = _functions_for_c()
    return CompiledPyMCModel(
        dims={},
        _n_dim=number,
        _coords={"unconstrained_parameter": pd.RangeIndex(number)},
        _shapes=shapes,
        compiled_logp_func=density_for_c,
        compiled_expand_func=draws_for_c,
        initial_point_func=starts,
        shared_data={},
        shared_var_keys={},
        user_data=packed,
        n_expanded=number,
        shape_info=(list(shapes), places, list(shapes.values())),
        logp_func=None,
        expand_func=None,
    )
