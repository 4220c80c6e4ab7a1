"""The trees of fits: draws of an engine with constants, counts, manifest and records."""

import json
import warnings
from pathlib import Path
from typing import Any, Final

import xarray as xr

from socgrad.engines.task import Drawn, Task
from socgrad.manifest import assemble
from socgrad.model.stratified_model import StratifiedModel
from socgrad.quadrature_record import record_quadrature
from socgrad.schema import CORRELATIONS, DRIFT
from socgrad.strata_tree import join_strata

__all__ = ["joint_tree", "tree_of"]

_PACKAGE: Final = (str(Path(__file__).parent),)


def tree_of(task: Task, drawn: Drawn) -> xr.DataTree:
    """The tree of one stratum, or of one with an outcome of its authorities."""
    (model,), (data,) = task.models, task.data
    tree = assemble(
        model,
        drawn.posterior,
        drawn.sample_stats,
        sampler=drawn.sampler,
        packages=drawn.packages,
        random_seed=task.options.random_seed,
    )
    tree.attrs |= dict(drawn.vouched)
    record_quadrature(model, tree, data)
    if (outcome := task.outcome) is not None:
        tree.attrs["outcome"] = json.dumps(
            {
                "name": outcome.name,
                "terms": outcome.terms,
                "authorities": int(outcome.known.sum()),
                "has_standard_errors": outcome.standard_errors is not None,
            }
        )
    return tree


def joint_tree(model: StratifiedModel, task: Task, drawn: Drawn) -> xr.DataTree:
    """The tree of strata that were sampled together.

    Returns
    -------
    xarray.DataTree
        As `socgrad.strata_tree.join_strata` makes it; draws of all strata belong together, and
        `posterior` also holds `socgrad.schema.CORRELATIONS`, and of years that drift
        `socgrad.schema.DRIFT`.

    Warns
    -----
    QuadratureWarning
        What `socgrad.quadrature_record` warns of, by stratum.
    """
    sampler = dict(drawn.sampler) | {
        "authority_effects": "joint",
        "correlations": model.correlations,
    }
    trees: dict[Any, xr.DataTree] = {}
    for (label, one), data in zip(model.models.items(), task.data, strict=True):
        trees[label] = assemble(
            one,
            drawn.posterior.sel(stratum=label, drop=True),
            xr.Dataset(),
            sampler=sampler,
            packages=drawn.packages,
            random_seed=task.options.random_seed,
        )
        trees[label].attrs |= dict(drawn.vouched)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            record_quadrature(one, trees[label], data)
        for each in caught:
            warnings.warn(
                f"Stratum {label!r}: {each.message}", each.category, skip_file_prefixes=_PACKAGE
            )
    meanings = CORRELATIONS | {name: words for name, (words, _, _) in DRIFT.items()}
    there = [name for name in meanings if name in drawn.posterior]
    shared = drawn.posterior[there].drop_attrs()
    for name in there:
        shared[name].attrs["long_name"] = meanings[name]
    return join_strata(
        model,
        trees,
        random_seed=task.options.random_seed,
        sample_stats=drawn.sample_stats.drop_attrs(),
        shared=shared,
    )
