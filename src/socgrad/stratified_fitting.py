"""Fitting strata one after another, each a model of its own."""

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr

from socgrad.gathered_warnings import GatheredWarnings
from socgrad.model.gradient_model import GradientModel
from socgrad.model.stratified_model import StratifiedModel
from socgrad.progress import stage
from socgrad.strata_tree import join_strata

__all__ = ["fit_strata"]


def fit_strata(
    model: StratifiedModel,
    fit_one: Callable[[Any, GradientModel, int], xr.DataTree],
    *,
    random_seed: int,
) -> xr.DataTree:
    """Fit each stratum by itself, and join the fits.

    Parameters
    ----------
    model : StratifiedModel
        The specification, its authority effects independent.
    fit_one : callable
        Fits the model of a label with a seed.
    random_seed : int
        From it each stratum has a seed of its own, so that their draws are independent.

    Returns
    -------
    xarray.DataTree
        As `socgrad.strata_tree.join_strata` makes it.

    Warns
    -----
    SocgradWarning
        What the fits warn of, once for all strata and by the name of each.
    """
    labels = model.strata.labels
    seeds = np.random.SeedSequence(random_seed).generate_state(len(labels), np.uint32) >> 1
    trees: dict[Any, xr.DataTree] = {}
    said = GatheredWarnings()
    for label, seed in zip(labels, seeds.tolist(), strict=True):
        try:
            with said.of(label), stage(f"stratum {len(trees) + 1} of {len(labels)}"):
                trees[label] = fit_one(label, model.models[label], seed)
        except Exception as error:
            error.add_note(f"This happened in stratum {label!r} ({len(trees)} were fitted).")
            raise
    said.say(len(labels), "strata")
    return join_strata(model, trees, random_seed=random_seed)
