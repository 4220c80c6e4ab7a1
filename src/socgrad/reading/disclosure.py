"""What of a fit may leave a secure setting: lists of what is known to be no count.

Lists of what is safe, not of what is not: so that what is new stays out.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr

from socgrad.coarsening.stored import BOUNDED
from socgrad.errors import SchemaError
from socgrad.schema import (
    COEFFICIENTS,
    CONSTANTS,
    CORRELATIONS,
    COVARIATE_GROUP,
    DEPARTURES,
    DESIGNS,
    DRIFT,
    EFFECTS,
    LEVELS,
    NAMES,
    OUTCOME,
    PARAMETERS,
    REGION_EFFECTS,
)

__all__ = [
    "refuse_restricted_covariates",
    "refuse_restricted_exposure",
    "refuse_small_totals",
    "without_events",
]

#: Totals below this are small: what most output checkers ask for.
_SMALL: Final = 10

_GROUPS_WITHOUT_EVENTS: Final = ("posterior", "sample_stats", "constant_data")
#: The log density and the energy are not among them: with the draws they give the sums of counts.
_STATISTICS_WITHOUT_EVENTS: Final = (
    "acceptance_rate",
    "depth",
    "diverging",
    "importance_ess",
    "laplace_error",
    "laplace_quadrature_error",
    "n_steps",
    "pareto_k",
    "quadrature_error",
    "reached_max_treedepth",
    "slope_range",
    "slopes_drawn",
    "step_size",
    "tree_depth",
)
_COORDINATES_WITHOUT_EVENTS: Final = (
    "chain",
    "draw",
    "area",
    "authority",
    "locality",
    "region",
    "stratum",
    "stratum_bis",
    "outcome_term",
    *(dim for dim, _ in COEFFICIENTS.values()),
)
#: Not among them: `data_sha256`, against which small counts can be guessed one by one; the seed,
#: since a fit to guessed counts could be held against the draws; `rows`, which counts the areas
#: whose events or exposure are missing.
_ATTRS_WITHOUT_EVENTS: Final = (
    "columns",
    "counts_of",
    "created_at",
    "importance_ess",
    "laplace_error",
    "laplace_quadrature_error",
    "model",
    "outcome",
    "pareto_k",
    "per_stratum",
    "quadrature_error",
    "reference",
    "release",
    "sampler",
    "slope_range",
    "slopes_drawn",
    "socgrad_schema",
    "socgrad_version",
    "sources",
    "strata",
    "stratum_schema",
    "units",
    "versions",
    "years",
)


def without_events(fit: xr.DataTree) -> xr.DataTree:
    """Keep what is known not to be counts: groups, variables, coordinates and attributes."""
    groups = {name: fit[name].to_dataset() for name in _GROUPS_WITHOUT_EVENTS if name in fit}
    constants = groups["constant_data"]
    kept = [name for name in constants if name in CONSTANTS | DESIGNS | DEPARTURES | LEVELS | NAMES]
    groups["constant_data"] = constants[kept]
    if "sample_stats" in groups:
        statistics = groups["sample_stats"]
        groups["sample_stats"] = statistics[
            [name for name in statistics if name in _STATISTICS_WITHOUT_EVENTS]
        ]
    # Standardised raw effects give the information of an authority's counts; other terms may be
    # imputed counts. No summary reads either.
    draws = groups["posterior"]
    known = PARAMETERS | EFFECTS | CORRELATIONS | COEFFICIENTS | OUTCOME | REGION_EFFECTS
    groups["posterior"] = draws[[name for name in draws if name in known or name in DRIFT]]
    bare = {name: _bare(dataset) for name, dataset in groups.items()}
    if COVARIATE_GROUP in fit:
        # Columns that may go along (`refuse_restricted_covariates`), with levels and formulas.
        bare[COVARIATE_GROUP] = fit[COVARIATE_GROUP].to_dataset()
    tree = xr.DataTree.from_dict(bare)
    tree.attrs = _allowed(fit.attrs)
    return tree


def refuse_restricted_exposure(fit: xr.DataTree) -> None:
    """Refuse an exposure that may itself be a restricted count."""
    constants = fit["constant_data"].to_dataset()
    unlike = (constants["exposure"] != constants["children"]).transpose(..., "area").to_numpy()
    differ = int(np.atleast_2d(unlike).any(axis=0).sum())  # in any stratum, if there are several
    if differ:
        raise SchemaError(
            f"include_events=False keeps the exposure, which differs from the children in {differ} "
            f"of {constants.sizes['area']} areas and may itself be a restricted count (closed "
            "cases, another stage's events). If it may be in the file, say so: "
            "exposure_is_public=True. If not, save with include_events=True and keep the file "
            "where the counts are, or share the tables of socgrad.summarise instead."
        )


def refuse_restricted_covariates(fit: xr.DataTree) -> None:
    """Refuse covariates, which may themselves be restricted, unless someone says they are not."""
    kinds = [name for name in DESIGNS if name in fit["constant_data"].data_vars]
    if kinds:
        raise SchemaError(
            f"include_events=False keeps the covariates ({', '.join(kinds)}), which may themselves "
            "be made of restricted counts. If they may be in the file, say so: "
            "covariates_are_public=True. If not, save with include_events=True and keep the file "
            "where the counts are, or share the tables of socgrad.summarise instead."
        )


def refuse_small_totals(fit: xr.DataTree) -> None:
    """Refuse draws of authority effects, which give totals back, where a total is small."""
    totals = np.concatenate([np.zeros(0), *(_totals(one) for one in _observed(fit))])
    small = int((totals < _SMALL).sum())
    if small:
        raise SchemaError(
            "include_events=False keeps the draws of authority effects, and from these every "
            f"authority's total can be computed exactly: {small} of {totals.size} totals are below "
            f"{_SMALL}. Save socgrad.release.coefficients(fit) instead, which holds neither. If "
            "all totals may be known, say so: totals_are_public=True. If not, save with "
            "include_events=True and keep the file where the counts are."
        )


def _observed(fit: xr.DataTree) -> list[xr.Dataset]:
    """The counts of each stratum, with the label of each area's authority; none without counts."""
    if "observed_data" not in fit.children:
        return []
    held = fit["observed_data"].to_dataset()
    constants = fit["constant_data"].to_dataset()
    for dim in ("counted_area", "bounded_area"):
        if dim in held.coords:
            position = constants.indexes["area"].get_indexer(held.indexes[dim])
            authority = constants["authority_of_area"].to_numpy()[position]
            held = held.assign_coords({f"authority_of_{dim}": (dim, authority)})
    return [held.sel(stratum=k) for k in held["stratum"]] if "stratum" in held.dims else [held]


def _totals(held: xr.Dataset) -> np.ndarray:
    """Totals of authorities with counts, from their areas or as they were given.

    Of counts within bounds the least that they may be.
    """
    found: list[np.ndarray] = [np.zeros(0)]
    counts = [_least(held, "events"), _least(held, "total_events")]
    for dim in ("counted_area", "bounded_area"):
        own = counts[0].get(dim)
        if own is not None:
            own.index = held[f"authority_of_{dim}"].to_numpy()[own.index]
    if counts[0]:
        found.append(pd.concat(counts[0].values()).groupby(level=0).sum().to_numpy())
    return np.concatenate([*found, *counts[1].values()])


def _least(held: xr.Dataset, name: str) -> "dict[str, pd.Series[float]]":
    """Counts that are known, by their dim; the least of those within bounds."""
    variable, dim = BOUNDED[name]
    made = {}
    if name in held:
        made[str(held[name].dims[-1])] = pd.Series(held[name].to_numpy(), dtype=float).dropna()
    if variable in held:
        kernel = pd.Series(held[variable].to_numpy(), dtype=float).dropna()
        made[dim] = kernel.map(pd.Series(held["kernel_low"].to_numpy(), dtype=float))
    return made


def _bare(dataset: xr.Dataset) -> xr.Dataset:
    """Drop coordinates and attributes that are not on the lists, of variables all attributes."""
    dropped = [name for name in dataset.coords if name not in _COORDINATES_WITHOUT_EVENTS]
    bare = dataset.drop_vars(dropped).drop_attrs()
    bare.attrs = _allowed(dataset.attrs)
    meanings = (
        PARAMETERS
        | EFFECTS
        | REGION_EFFECTS
        | CORRELATIONS
        | OUTCOME
        | {name: words for name, (_, words) in (COEFFICIENTS | CONSTANTS | DESIGNS).items()}
        | {name: words for name, (_, words) in (DEPARTURES | LEVELS | NAMES).items()}
        | {name: words for name, (words, _, _) in DRIFT.items()}
    )
    for name in bare.data_vars:
        if name in meanings:
            bare[name].attrs["long_name"] = meanings[str(name)]
    return bare


def _allowed(attrs: Mapping[Any, Any]) -> dict[str, Any]:
    return {name: value for name, value in attrs.items() if name in _ATTRS_WITHOUT_EVENTS}
