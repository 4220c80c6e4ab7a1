"""One tree of several strata, joined from the trees of each."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import xarray as xr

from socgrad.coarsening.stored import stacked
from socgrad.model.stratified_model import StratifiedModel
from socgrad.schema import (
    COVARIATE_GROUP,
    PER_STRATUM,
    PER_YEAR,
    SCHEMA_VERSION,
    STRATIFIED_SCHEMA_VERSION,
    YEARS_SCHEMA_VERSION,
)
from socgrad.table.panel import Panel

__all__ = ["join_strata"]

#: What differs between the trees of strata by accident.
_OF_THE_RUN: Final = ("created_at", "random_seed", "socgrad_schema")


def join_strata(
    model: StratifiedModel,
    trees: Mapping[Any, xr.DataTree],
    *,
    random_seed: int,
    sample_stats: xr.Dataset | None = None,
    shared: xr.Dataset | None = None,
) -> xr.DataTree:
    """Join the fits of all strata into one tree.

    Parameters
    ----------
    model : StratifiedModel
        The model that was fitted.
    trees : mapping
        The tree of each stratum, as from `socgrad.manifest.assemble`, in the model's order.
    random_seed : int
        The seed that reproduces all of them.
    sample_stats : xarray.Dataset, optional
        Of strata that were sampled together: dims (chain, draw), in place of those of the trees.
    shared : xarray.Dataset, optional
        Draws that belong to no single stratum, such as correlations between strata.

    Returns
    -------
    xarray.DataTree
        Posterior dims (chain, draw, stratum[, authority]); exposure and `has_data` dims (stratum,
        area); counts NaN where a stratum has none; what was recorded once per fit either in
        `sample_stats`, dim stratum (numbers), or in attrs as JSON by label, the names of which are
        in attr `per_stratum`. Attr `strata` says what the strata are to each other.
    """
    first = trees[model.strata.labels[0]]
    labels = np.array(model.strata.labels, dtype=None if _whole(model) else object)
    along = xr.DataArray(labels, dims="stratum", name="stratum")

    def group(name: str) -> list[xr.Dataset]:
        return [trees[label][name].to_dataset() for label in model.strata.labels]

    posterior = _stacked(group("posterior"), along)
    if shared is not None:
        posterior = posterior.merge(shared)
    constants = first["constant_data"].to_dataset()
    for name in PER_STRATUM:
        held = xr.concat([one[name] for one in group("constant_data")], along)
        constants[name] = held.assign_attrs(constants[name].attrs)
    if isinstance(model.strata, Panel):
        constants = _by_year(constants, group("constant_data"), along)
    statistics = _statistics(group("sample_stats"), along) if sample_stats is None else sample_stats
    numbers, words = _recorded([trees[label].attrs for label in model.strata.labels], along)
    groups = {node: tree.to_dataset() for node, tree in first.children.items()}
    if COVARIATE_GROUP in groups and isinstance(model.strata, Panel):
        groups[COVARIATE_GROUP] = _along_years(
            groups[COVARIATE_GROUP], group(COVARIATE_GROUP), along
        )
    groups |= {
        "posterior": posterior,
        "constant_data": constants,
        "sample_stats": statistics.merge(numbers),
        "observed_data": _counts(group("observed_data"), along),
    }
    tree = xr.DataTree.from_dict(groups)
    tree.attrs = words
    tree.attrs |= {
        "socgrad_schema": (
            YEARS_SCHEMA_VERSION if isinstance(model.strata, Panel) else STRATIFIED_SCHEMA_VERSION
        ),
        "stratum_schema": first.attrs.get("socgrad_schema", SCHEMA_VERSION),
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "random_seed": str(random_seed),
        "strata": json.dumps(
            {
                "relation": model.strata.relation,
                "authority_effects": "joint" if model.is_joint else "independent",
            }
        ),
    }
    if isinstance(model.strata, Panel):
        tree.attrs["years"] = json.dumps(_years(model, model.strata))
    if not model.is_joint:
        tree.attrs["stratum_seeds"] = json.dumps(
            {str(label): trees[label].attrs["random_seed"] for label in model.strata.labels}
        )
    return tree


def _years(model: StratifiedModel, panel: Panel) -> dict[str, object]:
    """What a fit says of its years: breaks, indices, drift and national coefficients."""
    over = model.over_years
    drift = None if over is None else over.drift
    national = None if over is None else over.national
    return {
        "breaks": list(panel.breaks),
        "index": {str(year): name for year, name in panel.index.items()},
        "drift": None
        if drift is None or over is None
        else asdict(drift) | {"breaks": list(over.breaks_of(drift))},
        "national": None
        if national is None or over is None
        else asdict(national) | {"breaks": list(over.breaks_of(national))},
    }


def _by_year(constants: xr.Dataset, parts: list[xr.Dataset], along: xr.DataArray) -> xr.Dataset:
    """Constants of all years: those that differ have dim stratum."""
    there = [name for name in PER_YEAR if name in constants]
    changed = _along_years(constants[there], [one[there] for one in parts], along)
    return constants.drop_vars(there).assign(changed.data_vars)


def _along_years(first: xr.Dataset, parts: list[xr.Dataset], along: xr.DataArray) -> xr.Dataset:
    """Variables of all years, with dim stratum where they differ."""
    made = first
    for name, values in first.data_vars.items():
        every = [one[name].to_numpy() for one in parts]
        if not all(np.array_equal(every[0], other) for other in every):
            dims = ("stratum", *values.dims)
            made = made.assign({name: (dims, np.stack(every), values.attrs)})
    return made.assign_coords(stratum=along) if "stratum" in made.dims else made


def _whole(model: StratifiedModel) -> bool:
    return isinstance(model.strata.labels[0], int)


def _stacked(parts: list[xr.Dataset], along: xr.DataArray) -> xr.Dataset:
    """Draws of all strata; chains and draws are those of the first, by position."""
    made = xr.Dataset(coords=parts[0].coords | {"stratum": along})
    for name, draws in parts[0].data_vars.items():
        dims = ("chain", "draw", "stratum", *(d for d in draws.dims if d not in ("chain", "draw")))
        values = np.stack(
            [one[name].transpose("chain", "draw", ...).to_numpy() for one in parts], axis=2
        )
        made[name] = (dims, values, draws.attrs)
    return made


def _statistics(parts: list[xr.Dataset], along: xr.DataArray) -> xr.Dataset:
    """What the samplers recorded of each draw; NaN, or False, where one of them did not."""
    names = dict.fromkeys(name for one in parts for name in one.data_vars)
    made = xr.Dataset(coords=parts[0].coords | {"stratum": along})
    for name in names:
        like = next(one[name] for one in parts if name in one)
        if like.dims != ("chain", "draw"):
            continue
        absent = np.full(like.shape, False if like.dtype == bool else np.nan)
        values = [one[name].to_numpy() if name in one else absent for one in parts]
        made[name] = (("chain", "draw", "stratum"), np.stack(values, axis=2))
    return made


def _counts(parts: list[xr.Dataset], along: xr.DataArray) -> xr.Dataset:
    """Counts of all strata, NaN where a stratum has none."""
    made: dict[str, xr.DataArray] = {}
    for name in ("events", "total_events"):
        held = [one[name].astype(float) if name in one else None for one in parts]
        some = [one for one in held if one is not None]
        if some:
            blank = xr.full_like(some[0], np.nan)
            filled = [blank if one is None else one for one in held]
            made[name] = xr.concat(filled, along, join="outer")
    return xr.Dataset(made | stacked(parts, along))


def _recorded(
    attrs: list[dict[Any, Any]], along: xr.DataArray
) -> tuple[xr.Dataset, dict[str, Any]]:
    """Attrs of the trees: equal ones as they are, numbers by stratum, texts as JSON by label."""
    names = dict.fromkeys(name for one in attrs for name in one if name not in _OF_THE_RUN)
    numbers = xr.Dataset(coords={"stratum": along})
    words: dict[str, Any] = {}
    per_stratum = []
    for name in names:
        values = [one.get(name) for one in attrs]
        like = next(value for value in values if value is not None)
        if isinstance(like, str):
            if all(value == like for value in values):
                words[name] = like
            else:
                of = dict(zip(map(str, along.to_numpy().tolist()), values, strict=True))
                words[name] = json.dumps(of)
                per_stratum.append(name)
        else:
            shape = np.shape(like)
            filled = [np.full(shape, np.nan) if value is None else value for value in values]
            dims = ("stratum", "bound")[: 1 + len(shape)]
            numbers[name] = (dims, np.array(filled, dtype=float))
    return numbers, words | {"per_stratum": json.dumps(per_stratum)}
