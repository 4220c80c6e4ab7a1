"""What crosses the seam: names, dimensions and units of a fit's `xarray.DataTree`.

The left wing writes a tree of this form and the right wing reads it; neither imports the other. The
tree that `pymc.sample` returns for `socgrad.pymc_model(model)` has the same names, so every summary
accepts it too.
"""

from typing import Final

import numpy as np
import xarray as xr

from socgrad.errors import SchemaError
from socgrad.terms import TERMS

__all__ = [
    "COEFFICIENTS",
    "CONSTANTS",
    "CORRELATIONS",
    "COVARIATE_GROUP",
    "COVARIATE_SCHEMA_VERSION",
    "DEPARTURES",
    "DEPARTURE_SCHEMA_VERSION",
    "DESIGNS",
    "DRIFT",
    "EFFECTS",
    "LEVELS",
    "LEVEL_SCHEMA_VERSION",
    "NAMES",
    "OUTCOME",
    "PARAMETERS",
    "PER_STRATUM",
    "PER_YEAR",
    "REGION_EFFECTS",
    "SCHEMA_VERSION",
    "STRATIFIED_SCHEMA_VERSION",
    "YEARS_SCHEMA_VERSION",
    "check_tree",
    "is_stratified",
]

#: Raised by one whenever a reader of the old form would read the new one wrongly, or not at all.
SCHEMA_VERSION: Final = 1
#: Of a fit of several strata, whose draws and whose constants of `PER_STRATUM` have dim stratum.
#: Its own number, so that a reader who knows of no strata refuses it and still reads the others.
STRATIFIED_SCHEMA_VERSION: Final = 2
#: Of a fit with covariates, for the same reason: without them its rates would be wrong.
COVARIATE_SCHEMA_VERSION: Final = 3
#: Of a fit whose gradient is non-linear, for the same reason; it may have covariates, too.
DEPARTURE_SCHEMA_VERSION: Final = 4
#: Of a fit with a level between areas and authorities, or above these: without it, rates, shares of
#: variance, replicated counts or scores of what is left out would be wrong.
LEVEL_SCHEMA_VERSION: Final = 5
#: Of a fit of years, whose places change along dim stratum: without that, rates would be wrong.
YEARS_SCHEMA_VERSION: Final = 6

#: Group `posterior`, dims (chain, draw). A term that the model leaves out is absent, not zero.
#: All but the correlation are on the log-rate scale, per step `per` of deprivation.
PARAMETERS: Final[dict[str, str]] = {
    name: kind.meaning for name, kind in TERMS.items() if kind.dim is None
}

#: Group `posterior`, dims (chain, draw, authority).
EFFECTS: Final[dict[str, str]] = {
    "level_effect": "deviation of an authority's level, log rate",
    "slope_effect": "deviation of an authority's slope, log rate ratio per step",
}

#: Group `posterior` of a fit with regions, dims (chain, draw, region).
REGION_EFFECTS: Final[dict[str, str]] = {
    "region_effect": "deviation of a region's authorities from the nation's level, log rate",
}

#: Group `posterior` of a fit with an outcome of authorities: dims (chain, draw[, outcome_term]).
OUTCOME: Final[dict[str, str]] = {
    "outcome_intercept": "outcome where effects are 0 and other predictors at their means",
    "outcome_coefficient": "outcome per unit of its predictor: log gradient, log rate, step ...",
    "outcome_sd": "standard deviation of the outcome about its regression",
}

#: Group `posterior`, dims (chain, draw, and the one named): of covariates, where there are any.
COEFFICIENTS: Final[dict[str, tuple[str, str]]] = {
    name: (kind.dim, kind.meaning) for name, kind in TERMS.items() if kind.dim is not None
}

#: Group `constant_data`, where there are covariates: columns centred at child-weighted national
#: means. Labels of the last dim name the columns.
DESIGNS: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "covariate_design": (("area", "covariate"), "area covariates of the level"),
    "authority_covariate_design": (
        ("authority", "authority_covariate"),
        "authority covariates of the level",
    ),
    "moderator_design": (("authority", "moderator"), "authority covariates of the slope"),
    "area_moderator_design": (("area", "area_moderator"), "area covariates of the slope"),
}

#: Group `constant_data`, where the gradient is non-linear: what gives columns of its departures at
#: any deprivation (`socgrad.departures`). Edges of steps, or knots of a spline.
DEPARTURES: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "departure_edges": (
        ("departure_place",),
        "least deprivation of the second tenth of neighbourhoods and of those above, proportion",
    ),
    "departure_knots": (("departure_place",), "knots of the spline: deprivation, proportion"),
    "departure_weights": (
        ("departure_part", "departure"),
        "of each column, weights of tenths and deprivation; of 1, deprivation and spline parts",
    ),
}

#: Group with the columns that the formulas of covariates are made of, and the formulas themselves.
COVARIATE_GROUP: Final = "covariate_data"

#: Group `posterior` of a joint fit of several strata, dims (chain, draw, stratum, stratum_bis).
CORRELATIONS: Final[dict[str, str]] = {
    "level_correlation": "correlation of authority levels in two strata",
    "slope_correlation": "correlation of authority slopes in two strata",
    "level_slope_correlation": "correlation of authority levels in stratum, slopes in stratum_bis",
}

#: Group `posterior` of a fit of years whose authorities drift, dims (chain, draw).
DRIFT: Final[dict[str, tuple[str, float, float]]] = {
    "level_constant_sd": ("sd of the constant part of authority levels, log rate", 0.0, np.inf),
    "slope_constant_sd": (
        "sd of the constant part of authority slopes, log rate ratio per step",
        0.0,
        np.inf,
    ),
    "constant_correlation": ("correlation of the constant parts", -1.0, 1.0),
    "level_drift_sd": ("sd of the drift of an authority's level in a year, log rate", 0.0, np.inf),
    "slope_drift_sd": (
        "sd of the drift of an authority's slope in a year, log rate ratio per step",
        0.0,
        np.inf,
    ),
    "level_autocorrelation": ("correlation of a level's drift with the year before", -1.0, 1.0),
    "slope_autocorrelation": ("correlation of a slope's drift with the year before", -1.0, 1.0),
    "level_break_sd": ("sd of the move of authority levels at a break, log rate", 0.0, np.inf),
    "slope_break_sd": (
        "sd of the move of authority slopes at a break, log rate ratio per step",
        0.0,
        np.inf,
    ),
}

#: Group `constant_data`: dims and meaning. Nothing here is derived from events.
CONSTANTS: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "authority_of_area": (("area",), "position of the area's authority along dim authority"),
    "deprivation": (
        ("area",),
        "deprivation of the area, proportion 0-1; 0 throughout where the table has none",
    ),
    "children": (("area",), "children, the weights of every mean"),
    "exposure": (("area",), "exposure, in the units of the rate's denominator"),
    "within_part": (
        ("area",),
        "(deprivation - authority mean) / per; from the national mean if pooled",
    ),
    "has_data": (("area",), "1 where events are known, by area or in a total; else 0"),
    "authority_mean": (("authority",), "child-weighted mean deprivation, proportion 0-1"),
    "between_part": (
        ("authority",),
        "(authority mean - national mean) / per; zero without the split",
    ),
    "national_mean": ((), "child-weighted national mean deprivation, proportion 0-1"),
    "per": ((), "step of deprivation, proportion; 0.10 is ten percentage points"),
}

#: Group `constant_data`, where areas have localities, or a model has regions: dims and meaning.
LEVELS: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "locality_of_area": (("area",), "position of the area's locality along dim locality"),
    "authority_of_locality": (
        ("locality",),
        "position of the locality's authority along dim authority",
    ),
    "region_of_authority": (
        ("authority",),
        "position of the authority's region along dim region",
    ),
}

#: Group `constant_data`, where the table named them: dims and meaning. Read by people alone.
NAMES: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "area_name": (("area",), "official name of the area"),
    "authority_name": (("authority",), "official name of the authority"),
}

#: Constants that differ between strata: in a fit of several they have dims (stratum, area).
PER_STRATUM: Final = ("exposure", "has_data")

#: Constants that differ between years, too: in a fit of years they have dim stratum where they do.
PER_YEAR: Final = (
    "deprivation",
    "children",
    "within_part",
    "authority_mean",
    "between_part",
    "national_mean",
    *DESIGNS,
    *DEPARTURES,
)


def is_stratified(tree: xr.DataTree) -> bool:
    """Whether a fit holds several strata, along dim stratum."""
    return "posterior" in tree.children and "stratum" in tree["posterior"].dims


def check_tree(tree: xr.DataTree) -> None:
    """Raise `SchemaError` unless `tree` is a fit that this version can read."""
    groups: dict[str, xr.Dataset] = {}
    for group, names in (("posterior", ("intercept",)), ("constant_data", tuple(CONSTANTS))):
        if group not in tree.children:
            raise SchemaError(
                f"This tree has no group {group!r} (it has {sorted(tree.children) or 'none'}). "
                "Expected a fit from socgrad.fit, socgrad.load, or pymc.sample on "
                "socgrad.pymc_model(model)."
            )
        # Looked up in the tree name by name, this would take longer than many an estimand.
        held = groups[group] = tree[group].to_dataset()
        missing = [name for name in names if name not in held.data_vars]
        if missing:
            raise SchemaError(
                f"Group {group!r} lacks {', '.join(missing)}. Expected a fit from socgrad.fit, "
                "socgrad.load, or pymc.sample on socgrad.pymc_model(model)."
            )
    _check_strata(groups["posterior"], groups["constant_data"])
    # Trees straight from pymc.sample carry no version: their names were checked above.
    given = tree.attrs.get("socgrad_schema", SCHEMA_VERSION)
    try:
        version = int(given)
    except (TypeError, ValueError):
        raise SchemaError(
            f"Attribute socgrad_schema is {given!r}; expected a whole number, as from socgrad.fit."
        ) from None
    known = (
        SCHEMA_VERSION,
        STRATIFIED_SCHEMA_VERSION,
        COVARIATE_SCHEMA_VERSION,
        DEPARTURE_SCHEMA_VERSION,
        LEVEL_SCHEMA_VERSION,
        YEARS_SCHEMA_VERSION,
    )
    if version not in known:
        raise SchemaError(
            f"This fit has socgrad schema {version}; this version of socgrad reads schemas "
            f"{', '.join(map(str, known))}. Load it with the version named in "
            f"its attrs ({tree.attrs.get('socgrad_version', 'not recorded')}), or fit the model "
            "again."
        )


def _check_strata(posterior: xr.Dataset, constants: xr.Dataset) -> None:
    """Refuse a fit of which some parts have strata and others, that should, have none."""
    terms = sorted(name for name in (*PARAMETERS, *EFFECTS) if name in posterior.data_vars)
    parts = {f"posterior/{name}": posterior.variables[name].dims for name in terms}
    parts |= {f"constant_data/{name}": constants.variables[name].dims for name in PER_STRATUM}
    without = [name for name, dims in parts.items() if "stratum" not in dims]
    if 0 < len(without) < len(parts):
        raise SchemaError(
            f"{len(without)} of {len(parts)} parts of this fit lack dim stratum, which the others "
            f"have ({', '.join(without)}). Expected all or none: use the tree as socgrad.fit "
            "returned it, or one stratum of it, socgrad.stratum(fit, label)."
        )
