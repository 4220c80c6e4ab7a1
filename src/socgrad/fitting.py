"""Fitting: from a model to a tree of draws."""

import os
import secrets
import sys
import warnings
from typing import Literal

import numpy as np
import xarray as xr

from socgrad.compression import likelihood_data, quadrature_error
from socgrad.errors import QuadratureWarning, SpecificationError
from socgrad.manifest import assemble
from socgrad.models import GradientModel
from socgrad.predictor import authority_slope

__all__ = ["fit"]

# Relative error of an authority's expected events that no count of children could show.
_NEGLIGIBLE = 1e-6


def fit(
    model: GradientModel,
    *,
    method: Literal["nuts"] = "nuts",
    draws: int = 1000,
    tune: int = 1000,
    chains: int = 4,
    cores: int | None = None,
    target_accept: float = 0.9,
    random_seed: int | None = None,
    progress: bool | None = None,
) -> xr.DataTree:
    """Fit a model and return its posterior as one self-contained tree.

    Parameters
    ----------
    model : GradientModel
        The specification.
    method : {"nuts"}
        The engine: NUTS (nutpie on the PyMC graph).
    draws, tune, chains : int
        Draws kept per chain (at least 1), discarded before them (at least 1), and chains (at least
        1; four are wanted for R-hat to mean anything).
    cores : int, optional
        Chains run at a time. By default as many as there are processors, at most `chains`. The
        draws do not depend on it.
    target_accept : float
        Mean acceptance probability, between 0 and 1; nearer 1 takes smaller, safer steps.
    random_seed : int, optional
        At least 0; the one seed of everything random. By default one is drawn and recorded.
    progress : bool, optional
        Whether to show a progress bar. By default where standard error is a terminal.

    Returns
    -------
    xarray.DataTree
        Groups `posterior` (dims chain, draw[, authority]), `sample_stats`, `constant_data`,
        `observed_data`; the manifest is in `attrs` (versions, seed, sampler and model as JSON, hash
        of the data, units, reference values). Its size grows with authorities, not with areas times
        draws.

    Raises
    ------
    SpecificationError
        If an option is out of range.

    Warns
    -----
    QuadratureWarning
        If drawn slopes left the range for which the compressed exposures are exact, and the error
        there is not negligible.

    Interpretation
    --------------
    The draws describe what the counts and the priors say together. Ask `check_sampling` whether the
    sampler converged before reading any estimate.

    Examples
    --------
    >>> import socgrad as sg
    >>> table = sg.simulate(authorities=8, areas=200, random_seed=1).frame
    >>> areas = sg.Areas.from_frame(table, area="area", authority="authority", events="referral",
    ...                             children="children", deprivation="deprivation")
    >>> fitted = sg.fit(sg.GradientModel(areas), random_seed=1)  # doctest: +SKIP
    """
    if method != "nuts":
        raise SpecificationError(f"method={method!r} is not an engine; expected 'nuts'.")
    counts = {"draws": draws, "tune": tune, "chains": chains, "cores": cores}
    _check_options(counts, target_accept, random_seed)
    if cores is None:
        cores = min(chains, os.cpu_count() or 1)
    if random_seed is None:
        random_seed = secrets.randbits(31)
    if progress is None:
        progress = sys.stderr.isatty()
    # PyMC and nutpie take seconds to import: only a fit that needs them pays for them.
    from socgrad.nuts import sample_nuts  # noqa: PLC0415

    posterior, sample_stats = sample_nuts(
        model,
        draws=draws,
        tune=tune,
        chains=chains,
        cores=cores,
        target_accept=target_accept,
        random_seed=random_seed,
        progress=progress,
    )
    tree = assemble(
        model,
        posterior,
        sample_stats,
        sampler={
            "method": method,
            "name": "nutpie",
            "draws": draws,
            "tune": tune,
            "chains": chains,
            "target_accept": target_accept,
        },
        packages=("pymc", "pytensor", "nutpie"),
        random_seed=random_seed,
    )
    _record_quadrature(model, tree)
    return tree


def _check_options(
    counts: dict[str, int | None], target_accept: float, random_seed: int | None
) -> None:
    for name, value in counts.items():
        if value is not None and value < 1:
            raise SpecificationError(f"{name} must be at least 1; got {value}.")
    if not 0 < target_accept < 1:
        raise SpecificationError(f"target_accept must lie between 0 and 1; got {target_accept}.")
    if random_seed is not None and random_seed < 0:
        raise SpecificationError(f"random_seed must be at least 0; got {random_seed}.")


def _record_quadrature(model: GradientModel, tree: xr.DataTree) -> None:
    """Record for which slopes the compression is exact, and check that the draws stayed there."""
    data = likelihood_data(model)
    low, high = data.attrs["slope_range"]
    tree.attrs["slope_range"] = np.array([low, high])
    tree.attrs["quadrature_error"] = data.attrs["quadrature_error"]
    posterior = tree["posterior"].to_dataset()
    within = posterior.get("within", posterior.get("pooled"))
    if within is None:
        return
    slopes = authority_slope(
        within,
        posterior.get("cross_level", 0.0),
        tree["constant_data"]["between_part"],
        posterior.get("slope_effect", 0.0),
    )
    drawn = float(slopes.min()), float(slopes.max())
    tree.attrs["slopes_drawn"] = np.array(drawn)
    if low <= drawn[0] and drawn[1] <= high:
        return
    error = quadrature_error(model, drawn)
    tree.attrs["quadrature_error"] = max(error, tree.attrs["quadrature_error"])
    if error > _NEGLIGIBLE:
        warnings.warn(
            f"Drawn slopes run from {np.exp(drawn[0]):.3g} to {np.exp(drawn[1]):.3g} (rate ratios "
            f"per {model.areas.per:g}), outside {np.exp(low):.3g} to {np.exp(high):.3g}, for which "
            f"the compressed exposures are exact; the relative error there is {error:.1g}. Such "
            "slopes are no social gradient: check the data, or tighten Priors.within and "
            "Priors.slope_sd.",
            QuadratureWarning,
            stacklevel=3,
        )
