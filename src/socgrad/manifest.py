"""A fit's tree: draws, constants, counts, and the manifest that says where they came from."""

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version

import numpy as np
import xarray as xr

from socgrad.model.compression import constants, intercept_prior
from socgrad.model.gradient_model import GradientModel
from socgrad.schema import EFFECTS, OUTCOME, PARAMETERS, SCHEMA_VERSION
from socgrad.table.areas import Areas

__all__ = ["assemble", "data_hash"]

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
    names = [name for name in (*PARAMETERS, *EFFECTS, *OUTCOME) if name in posterior]
    draws = posterior[names].assign_coords(authority=seam["authority"]).drop_attrs()
    for name in names:
        draws[name].attrs["long_name"] = (PARAMETERS | EFFECTS | OUTCOME)[name]
    tree = xr.DataTree.from_dict(
        {
            "posterior": draws,
            "sample_stats": sample_stats.drop_attrs(),
            "constant_data": seam,
            "observed_data": _observed(model.areas),
        }
    )
    areas = model.areas
    tree.attrs |= {
        "socgrad_schema": SCHEMA_VERSION,
        "socgrad_version": version("socgrad"),
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "random_seed": str(random_seed),
        "sampler": json.dumps(dict(sampler)),
        "model": json.dumps(_specification(model)),
        "priors": json.dumps(_priors(model)),
        "columns": json.dumps(dict(areas.names)),
        "rows": areas.report.to_json(orient="records"),
        "data_sha256": data_hash(areas),
        "versions": json.dumps(
            {"python": platform.python_version()}
            | {name: version(name) for name in (*_VERSIONS_OF, *packages)}
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
                "national_mean": areas.national_mean,
                "per": areas.per,
                "average_authority": "authority mean at the national mean, effects 0",
            }
        ),
    }
    return tree


def data_hash(areas: Areas) -> str:
    """SHA-256 of everything that the likelihood and the means read, labels included."""
    digest = hashlib.sha256()
    for labels in (areas.area, areas.authority):
        digest.update("\x1f".join(map(str, labels)).encode())
    for array in (
        areas.authority_of_area,
        areas.deprivation,
        areas.children,
        areas.exposure,
        areas.events,
        areas.counted,
        areas.total_events,
        areas.authority_mean,
        np.array([areas.national_mean, areas.per]),
    ):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


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
    return xr.Dataset(counts)


def _specification(model: GradientModel) -> dict[str, object]:
    return {
        "family": model.family,
        "deprivation": model.deprivation,
        "random_slopes": model.random_slopes,
        "cross_level": model.cross_level,
        "curvature": model.curvature,
        "priors": asdict(model.priors),
    }


def _priors(model: GradientModel) -> dict[str, list[float]]:
    """Priors of the terms present, per step of the model: mean and sd; of the beta, both shapes."""
    split, step = model.deprivation == "split", model.step_priors
    present = {
        "within": model.deprivation != "none",
        "between": split,
        "cross_level": model.cross_level,
        "curvature": model.curvature,
        "level_sd": True,
        "slope_sd": model.random_slopes,
        "overdispersion": model.family == "negative_binomial",
    }
    priors = {"intercept": intercept_prior(model).tolist()}
    for name in (name for name, there in present.items() if there):
        prior = getattr(step, name)
        priors[name] = [prior.mean, prior.sd]
    if model.random_slopes:
        priors["correlation"] = [step.correlation] * 2
    return priors
