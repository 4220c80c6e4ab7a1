"""A fit's tree: draws, constants, counts, and the manifest that says where they came from."""

import functools
import json
import platform
from collections.abc import Hashable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version as version_of
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from socgrad.coarsening.kernels import CoarsenedCounts
from socgrad.coarsening.stored import bounds_to_store
from socgrad.data_hash import data_digest
from socgrad.model.compression import constants
from socgrad.model.covariates import authority_table
from socgrad.model.gradient_model import GradientModel
from socgrad.model.terms import model_terms
from socgrad.schema import (
    COEFFICIENTS,
    COVARIATE_GROUP,
    COVARIATE_SCHEMA_VERSION,
    DEPARTURE_SCHEMA_VERSION,
    EFFECTS,
    LEVEL_SCHEMA_VERSION,
    OUTCOME,
    PARAMETERS,
    REGION_EFFECTS,
    SCHEMA_VERSION,
)
from socgrad.table.areas import Areas

__all__ = ["assemble", "data_hash"]

# To read one takes two milliseconds of each fit.
version = functools.cache(version_of)
_VERSIONS_OF = ("socgrad", "numpy", "scipy", "pandas", "xarray", "arviz")


def assemble(
    model: GradientModel,
    posterior: xr.Dataset,
    sample_stats: xr.Dataset,
    *,
    sampler: Mapping[str, object],
    packages: tuple[str, ...],
    random_seed: int,
) -> xr.DataTree:
    """Join draws with the model's constants, its counts and a manifest.

    Parameters
    ----------
    model : GradientModel
        The model that was fitted.
    posterior, sample_stats : xarray.Dataset
        Draws, dims (chain, draw[, authority]), and what the sampler recorded about them.
    sampler : mapping
        Name and options of the sampler, as JSON can hold them.
    packages : tuple of str
        Further distributions whose versions matter.
    random_seed : int
        The seed that reproduces the fit.

    Returns
    -------
    xarray.DataTree
        Of the form that `socgrad.schema` describes.
    """
    seam = constants(model)
    meanings = PARAMETERS | EFFECTS | {n: words for n, (_, words) in COEFFICIENTS.items()} | OUTCOME
    meanings |= REGION_EFFECTS
    names = [name for name in meanings if name in posterior]
    # A graph that served another model first has that one's labels.
    labels = {dim: seam[dim].to_numpy() for dim in posterior[names].dims if dim in seam.coords}
    labels["authority"] = seam["authority"].to_numpy()
    draws = _plain(posterior[names], labels)
    for name in names:
        draws[name].attrs["long_name"] = meanings[name]
    tree = xr.DataTree.from_dict(
        {
            "posterior": draws,
            "sample_stats": _plain(sample_stats, {}),
            "constant_data": seam,
            "observed_data": _observed(model.areas),
        }
    )
    if model.formulas.any:
        tree[COVARIATE_GROUP] = xr.DataTree(_covariate_columns(model))
    areas = model.areas
    formulae = ("formulae",) * model.formulas.any
    tree.attrs |= {
        "socgrad_schema": _schema(model),
        "socgrad_version": version("socgrad"),
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "random_seed": str(random_seed),
        "sampler": json.dumps(dict(sampler)),
        "model": json.dumps(_specification(model)),
        "priors": json.dumps(_priors(model)),
        "columns": json.dumps(dict(areas.names)),
        "counts_of": _counts_of(areas),
        "rows": areas.report.to_json(orient="records"),
        **({} if areas.ledger.empty else {"ledger": areas.ledger.to_json(orient="records")}),
        **(
            {"sources": json.dumps([dict(note) for note in areas.sources])} if areas.sources else {}
        ),
        "data_sha256": data_hash(areas),
        "versions": json.dumps(
            {"python": platform.python_version()}
            | {name: version(name) for name in (*_VERSIONS_OF, *packages, *formulae)}
        ),
        "units": json.dumps(
            {
                "deprivation": "proportion, 0 to 1",
                "coefficients": f"log rate ratio per {areas.per:g} of deprivation",
                "rates": "events per unit of exposure",
            }
        ),
        "reference": json.dumps(
            {
                "national_mean": areas.national_mean if areas.has_deprivation else None,
                "per": areas.per,
                "average_authority": "authority mean at the national mean, effects 0",
            }
        ),
    }
    return tree


def _plain(draws: xr.Dataset, labels: Mapping[Hashable, npt.NDArray[Any]]) -> xr.Dataset:
    """The same draws with these labels, and nothing that a sampler said of them."""
    kept = {str(name): (own.dims, own.to_numpy()) for name, own in draws.coords.items()}
    columns = {str(name): (own.dims, own.data) for name, own in draws.data_vars.items()}
    return xr.Dataset(columns, coords={**kept, **labels})


def data_hash(areas: Areas) -> str:
    """SHA-256 of everything that the likelihood and the means read, labels included."""
    events = np.where(areas.counted, areas.events, np.nan)
    return data_digest(
        vars(areas),
        events=events,
        total_events=areas.total_events,
        coarsened=_bounds(areas),
        coarsened_totals=_total_bounds(areas),
    )


def _observed(areas: Areas) -> xr.Dataset:
    counts: dict[str, xr.DataArray] = {}
    if areas.counted.any():
        counts["events"] = xr.DataArray(
            areas.events[areas.counted].astype(np.int64),
            coords={"counted_area": areas.area[areas.counted].to_numpy()},
        )
    known = ~np.isnan(areas.total_events)
    if known.any():
        counts["total_events"] = xr.DataArray(
            areas.total_events[known].astype(np.int64),
            coords={"total_authority": areas.authority[known].to_numpy()},
        )
    bounds = {"events": _bounds(areas), "total_events": _total_bounds(areas)}
    labels = {"events": areas.area, "total_events": areas.authority}
    return xr.Dataset(counts | bounds_to_store(bounds, labels))


def _counts_of(areas: Areas) -> str:
    """What there are counts of: totals of authorities hold no comparison of their areas."""
    totals = ~np.isnan(areas.total_events) | areas.totals_within_bounds
    of = {"areas": areas.counted | areas.within_bounds, "authorities": totals}
    return " and ".join(name for name, known in of.items() if known.any())


def _bounds(areas: Areas) -> CoarsenedCounts | None:
    """Bounds of areas' counts in the likelihood."""
    return None if areas.coarsened is None else areas.coarsened.only(areas.within_bounds)


def _total_bounds(areas: Areas) -> CoarsenedCounts | None:
    """Bounds of authorities' totals in the likelihood."""
    known = areas.coarsened_totals
    return None if known is None else known.only(areas.totals_within_bounds)


def _covariate_columns(model: GradientModel) -> xr.Dataset:
    """The columns that the formulas name, as numbers; of categories, codes and levels."""
    areas = model.areas
    tables = {"authority": authority_table(areas), "area": areas.covariates}
    made: dict[str, tuple[str, npt.ArrayLike, dict[str, object]]] = {}
    for name in sorted(model.designs.variables):
        dim = next(dim for dim, table in tables.items() if name in table)
        values = tables[dim][name]
        if isinstance(values.dtype, pd.CategoricalDtype):
            levels = json.dumps(values.cat.categories.tolist())
            attrs = {"levels": levels, "ordered": int(bool(values.cat.ordered))}
            made[name] = (dim, values.cat.codes.to_numpy().astype(np.int64), attrs)
        else:
            made[name] = (dim, values.to_numpy(), {})
    coords = {"area": areas.area.to_numpy(), "authority": areas.authority.to_numpy()}
    return xr.Dataset(made, coords, {"formulas": json.dumps(asdict(model.formulas))})


def _schema(model: GradientModel) -> int:
    """The schema whose readers know all that this model has."""
    if model.localities or model.regions:
        return LEVEL_SCHEMA_VERSION
    if model.departures is not None:
        return DEPARTURE_SCHEMA_VERSION
    return COVARIATE_SCHEMA_VERSION if model.formulas.any else SCHEMA_VERSION


def _specification(model: GradientModel) -> dict[str, object]:
    return {
        "family": model.family,
        "deprivation": model.deprivation,
        "random_slopes": model.random_slopes,
        "cross_level": model.cross_level,
        "curvature": model.curvature,
        "shape": model.shape,
        "knots": model.knots,
        "localities": model.localities,
        "regions": model.regions,
        **asdict(model.formulas),
        "priors": asdict(model.priors),
    }


def _priors(model: GradientModel) -> dict[str, list[float] | list[list[float]]]:
    """Priors of the terms present, per step of the model: mean and sd; of the beta, both shapes.

    Those of columns have such a pair for each. That of a pooled coefficient is by the name in
    `Priors`.
    """
    return {
        term.kind.prior_name or name: term.prior.tolist()
        for name, term in model_terms(model).items()
    }
