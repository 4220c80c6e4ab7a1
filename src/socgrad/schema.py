"""What crosses the seam: names, dimensions and units of a fit's `xarray.DataTree`.

The left wing writes a tree of this form and the right wing reads it; neither imports the other. The
tree that `pymc.sample` returns for `socgrad.pymc_model(model)` has the same names, so every summary
accepts it too.
"""

from typing import Final

import xarray as xr

from socgrad.errors import SchemaError

__all__ = [
    "CONSTANTS",
    "EFFECTS",
    "PARAMETERS",
    "SCHEMA_VERSION",
    "check_tree",
]

#: Raised by one whenever a reader of the old form would read the new one wrongly, or not at all.
SCHEMA_VERSION: Final = 1

#: Group `posterior`, dims (chain, draw). A term that the model leaves out is absent, not zero.
#: All but the correlation are on the log-rate scale, per step `per` of deprivation.
PARAMETERS: Final[dict[str, str]] = {
    "intercept": "log events per unit of exposure, average authority at its mean deprivation",
    "within": "log rate ratio per step of deprivation, between neighbourhoods of one authority",
    "pooled": "log rate ratio per step of deprivation, within and between not told apart",
    "between": "log rate ratio per step of authority mean deprivation",
    "curvature": "log rate per squared step of authority mean deprivation",
    "cross_level": "change of the log gradient per step of authority mean deprivation",
    "level_sd": "standard deviation of authority levels, log rate",
    "slope_sd": "standard deviation of authority slopes, log rate ratio per step",
    "correlation": "correlation of authority levels and slopes",
    "overdispersion": "coefficient of variation of neighbourhood rates about the model",
}

#: Group `posterior`, dims (chain, draw, authority).
EFFECTS: Final[dict[str, str]] = {
    "level_effect": "deviation of an authority's level, log rate",
    "slope_effect": "deviation of an authority's slope, log rate ratio per step",
}

#: Group `constant_data`: dims and meaning. Nothing here is derived from events.
CONSTANTS: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "authority_of_area": (("area",), "position of the area's authority along dim authority"),
    "deprivation": (("area",), "deprivation of the area, proportion 0-1"),
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


def check_tree(tree: xr.DataTree) -> None:
    """Raise `SchemaError` unless `tree` is a fit that this version can read."""
    for group, names in (("posterior", ("intercept",)), ("constant_data", tuple(CONSTANTS))):
        if group not in tree.children:
            raise SchemaError(
                f"This tree has no group {group!r} (it has {sorted(tree.children) or 'none'}). "
                "Expected a fit from socgrad.fit, socgrad.load, or pymc.sample on "
                "socgrad.pymc_model(model)."
            )
        missing = [name for name in names if name not in tree[group].data_vars]
        if missing:
            raise SchemaError(
                f"Group {group!r} lacks {', '.join(missing)}. Expected a fit from socgrad.fit, "
                "socgrad.load, or pymc.sample on socgrad.pymc_model(model)."
            )
    # Trees straight from pymc.sample carry no version: their names were checked above.
    version = tree.attrs.get("socgrad_schema", SCHEMA_VERSION)
    if int(version) != SCHEMA_VERSION:
        raise SchemaError(
            f"This fit has socgrad schema {version}; this version of socgrad reads schema "
            f"{SCHEMA_VERSION}. Load it with the version named in its attrs "
            f"({tree.attrs.get('socgrad_version', 'not recorded')}), or fit the model again."
        )
