"""Fitting strata one after another, each a model of its own."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import xarray as xr

from socgrad.errors import SocgradWarning
from socgrad.model.gradient_model import GradientModel
from socgrad.model.stratified_model import StratifiedModel
from socgrad.progress import stage
from socgrad.strata_tree import join_strata

__all__ = ["fit_strata"]

_PACKAGE: Final = (str(Path(__file__).parent),)


def fit_strata(
    model: StratifiedModel,
    fit_one: Callable[[GradientModel, int], xr.DataTree],
    *,
    random_seed: int,
) -> xr.DataTree:
    """Fit each stratum by itself, and join the fits.

    Parameters
    ----------
    model : StratifiedModel
        The specification, its authority effects independent.
    fit_one : callable
        Fits one model with a seed.
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
    said: dict[type[Warning], dict[Any, str]] = {}
    for label, seed in zip(labels, seeds.tolist(), strict=True):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", SocgradWarning)
            try:
                with stage(f"stratum {len(trees) + 1} of {len(labels)}"):
                    trees[label] = fit_one(model.models[label], seed)
            except Exception as error:
                error.add_note(f"This happened in stratum {label!r} ({len(trees)} were fitted).")
                raise
        for one in caught:
            if not issubclass(one.category, SocgradWarning):
                warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
                continue
            said.setdefault(one.category, {})[label] = str(one.message)
    for category, words in said.items():
        named = " ".join(f"[{label}] {message}" for label, message in words.items())
        warnings.warn(
            f"In {len(words)} of {len(labels)} strata: {named}",
            category,
            skip_file_prefixes=_PACKAGE,
        )
    return join_strata(model, trees, random_seed=random_seed)
