"""What nutpie makes of a compiled model: draws, and what it recorded of them."""

import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import nutpie
import xarray as xr

from socgrad.nuts.options import NutsOptions
from socgrad.progress import duration, in_notebook, stage

__all__ = ["draws_by_nutpie"]

_STATISTICS = ("diverging", "energy", "logp", "n_steps", "step_size", "depth")


def draws_by_nutpie(compiled: Any, options: NutsOptions) -> tuple[xr.Dataset, xr.Dataset]:
    """Sample a compiled model.

    Parameters
    ----------
    compiled : nutpie.CompiledModel
        The model.
    options : NutsOptions
        How to sample.

    Returns
    -------
    posterior, sample_stats : xarray.Dataset
        Dims chain, draw, then those of each variable.

    Raises
    ------
    KeyboardInterrupt
        If the user stops it: what had been drawn by then is no fit, and is discarded.
    """
    latest: list[Any] = []

    def remember(chains: Sequence[Any]) -> None:
        latest[:] = chains

    has_bar = options.progress and (sys.stderr.isatty() or in_notebook())
    with stage(_nothing if has_bar else _how_far(latest)):
        # In the background, because nutpie gives an interrupted run back as if it were whole.
        sampler = nutpie.sample(
            compiled,
            draws=options.draws,
            tune=options.tune,
            chains=options.chains,
            cores=options.cores,
            seed=options.random_seed,
            target_accept=options.target_accept,
            progress_bar=has_bar,
            progress_callback=remember,
            progress_rate=500,
            save_warmup=False,
            blocking=False,
        )
        try:
            trace = sampler.wait()
        except BaseException:
            sampler.cancel()
            raise
    statistics = trace["sample_stats"].to_dataset()
    return (
        trace["posterior"].to_dataset(),
        statistics[[name for name in _STATISTICS if name in statistics]],
    )


def _nothing() -> str:
    return ""


def _how_far(chains: Sequence[Any]) -> Callable[[], str]:
    """What a line says of chains, of which nutpie tells from time to time."""
    began = time.monotonic()

    def words() -> str:
        done = sum(chain.finished_draws for chain in chains)
        if not done:
            return "NUTS is about to draw"
        wanted = sum(chain.total_draws for chain in chains)
        divergent = sum(chain.divergences for chain in chains)
        left = (time.monotonic() - began) * (wanted / done - 1)
        return (
            f"NUTS has {done:,} of {wanted:,} draws ({done / wanted:.0%}), {divergent:,} "
            f"divergent; about {duration(left)} to go"
        )

    return words
