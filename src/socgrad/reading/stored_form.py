"""What each variable of a fit is: its dims, and the values that it can have.

One list, derived from the terms of models and from the seam. `check_form` holds a tree against it
without reading a value; `socgrad.reading.stored_values` holds the values.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

import xarray as xr

from socgrad.coarsening.stored import BOUNDED
from socgrad.errors import SchemaError
from socgrad.schema import (
    COEFFICIENTS,
    CONSTANTS,
    CORRELATIONS,
    COVARIATE_GROUP,
    COVARIATE_SCHEMA_VERSION,
    DEPARTURE_SCHEMA_VERSION,
    DEPARTURES,
    DESIGNS,
    DRIFT,
    EFFECTS,
    LEVEL_SCHEMA_VERSION,
    LEVELS,
    NAMES,
    OUTCOME,
    PER_STRATUM,
    PER_YEAR,
    REGION_EFFECTS,
    SCHEMA_VERSION,
)
from socgrad.terms import TERMS

__all__ = ["FORMS", "Form", "check_form"]

_DRAWS: Final = ("chain", "draw")
_UNIT: Final = 1.0
_INFINITE: Final = float("inf")


@dataclass(frozen=True)
class Form:
    """What a variable may be.

    Attributes
    ----------
    dims : tuple of str
        Its dims, in any order; where a fit has strata, dim stratum besides, or not.
    least, most : float
        Bounds of its values, which are finite.
    whole : bool
        Whether they are whole numbers.
    along : str or None
        The dim along which they are positions, from 0.
    blank : bool
        Whether some may be missing.
    text : bool
        Whether they are texts, each once, and no numbers.
    """

    dims: tuple[str, ...]
    least: float = -_INFINITE
    most: float = _INFINITE
    whole: bool = False
    along: str | None = None
    blank: bool = False
    text: bool = False


#: Bounds of a term's draws, by the family of its prior.
_BY_PRIOR: Final = {
    "normal": (-_INFINITE, _INFINITE),
    "positive": (0.0, _INFINITE),
    "correlation": (-_UNIT, _UNIT),
}
#: Bounds of constants; those that are not named are finite.
_BOUNDS: Final[dict[str, dict[str, Any]]] = {
    "authority_of_area": {"along": "authority"},
    "deprivation": {"least": 0.0, "most": _UNIT},
    "children": {"least": 0.0},
    "exposure": {"least": 0.0},
    "has_data": {"least": 0.0, "most": _UNIT, "whole": True},
    "authority_mean": {"least": 0.0, "most": _UNIT},
    "national_mean": {"least": 0.0, "most": _UNIT},
    "per": {"least": 1e-6, "most": _UNIT},
    "locality_of_area": {"along": "locality"},
    "authority_of_locality": {"along": "authority"},
    "region_of_authority": {"along": "region"},
    "departure_edges": {"least": 0.0, "most": _UNIT},
    "departure_knots": {"least": 0.0, "most": _UNIT},
}


def _forms() -> dict[str, Form]:
    made = {}
    for name, kind in TERMS.items():
        least, most = _BY_PRIOR[kind.prior]
        made[f"posterior/{name}"] = Form(
            (*_DRAWS, *((kind.dim,) if kind.dim else ())), least=least, most=most
        )
    for names, own in ((EFFECTS, "authority"), (REGION_EFFECTS, "region")):
        made |= {f"posterior/{name}": Form((*_DRAWS, own)) for name in names}
    made |= {f"posterior/{name}": Form(_DRAWS) for name in OUTCOME}
    made["posterior/outcome_coefficient"] = Form((*_DRAWS, "outcome_term"))
    made["posterior/outcome_sd"] = Form(_DRAWS, least=0.0)
    along = (*_DRAWS, "stratum", "stratum_bis")
    made |= {f"posterior/{name}": Form(along, -_UNIT, _UNIT) for name in CORRELATIONS}
    for name, (_, least, most) in DRIFT.items():
        made[f"posterior/{name}"] = Form(_DRAWS, least=least, most=most)
    for name, (dims, _) in (CONSTANTS | DESIGNS | DEPARTURES | LEVELS).items():
        made[f"constant_data/{name}"] = replace(Form(dims), **_BOUNDS.get(name, {}))
    for name, (dims, _) in NAMES.items():
        made[f"constant_data/{name}"] = Form(dims, text=True)
    for name, dim in (("events", "counted_area"), ("total_events", "total_authority")):
        made[f"observed_data/{name}"] = Form((dim,), least=0.0, whole=True, blank=True)
    for name, dim in BOUNDED.values():
        made[f"observed_data/{name}"] = Form((dim,), along="kernel", blank=True)
    for end, least in (("low", 0.0), ("high", -1.0)):
        made[f"observed_data/kernel_{end}"] = Form(("kernel",), least=least, whole=True)
    weights = Form(("kernel", "kernel_step"), 0.0, _UNIT, blank=True)
    made["observed_data/kernel_weight"] = weights
    return made


#: By group and name.
FORMS: Final[dict[str, Form]] = _forms()

#: Terms that are nothing without another.
_NEEDS: Final = {
    "between": "within",
    "curvature": "between",
    "cross_level": "within",
    "level_effect": "level_sd",
    "slope_effect": "slope_sd",
    "correlation": "slope_sd",
    "region_effect": "region_sd",
}


def check_form(tree: xr.DataTree) -> None:
    """Refuse a fit of which a variable has other dims, sizes or types than it should.

    Reads no values. The tree is one that `socgrad.schema.check_tree` has passed.

    Raises
    ------
    SchemaError
        With the variable, what it is and what was expected.
    """
    sizes: dict[str, tuple[int, str]] = {}
    for group, node in tree.children.items():
        data = node.to_dataset(inherit=False)
        for name, values in {**data.data_vars, **data.coords}.items():
            where = f"{group}/{name}"
            if where in FORMS:
                _check_variable(where, values, FORMS[where], data)
        if group in ("posterior", "constant_data", COVARIATE_GROUP):
            for dim, size in data.sizes.items():
                known, of = sizes.setdefault(str(dim), (size, group))
                if known != size:
                    raise SchemaError(
                        f"Dim {dim!r} has {known} places in group {of!r} and {size} in group "
                        f"{group!r}. Expected one fit's groups, as socgrad.fit made them."
                    )
    _check_terms(tree)
    _check_version(tree)


def _check_variable(where: str, values: Any, form: Form, data: xr.Dataset) -> None:
    dims = tuple(str(dim) for dim in values.dims)
    wanted = set(form.dims)
    group, name = where.split("/")
    of_strata = group != "constant_data" or name in (*PER_STRATUM, *PER_YEAR)
    if set(dims) not in (wanted, wanted | ({"stratum"} if of_strata else set())):
        raise SchemaError(
            f"{where} has dims ({', '.join(dims) or 'none'}); expected "
            f"({', '.join(form.dims) or 'none'})."
        )
    if values.dtype.kind not in ("OUT" if form.text else "iuf"):
        expected = "texts" if form.text else "numbers"
        raise SchemaError(f"{where} holds {values.dtype}; expected {expected}.")
    if 0 in values.shape:
        empty = dims[values.shape.index(0)]
        raise SchemaError(f"{where} has no value: dim {empty!r} has no places.")
    labelled = {"authority", "area", "region", "locality"} & wanted
    bare = sorted(dim for dim in labelled if dim not in data.coords)
    if bare and where.startswith("constant_data"):
        raise SchemaError(f"Dim {bare[0]!r} of {where} has no labels, which say what is what.")


def _check_terms(tree: xr.DataTree) -> None:
    """Refuse draws of which some are nothing without others that are not there."""
    draws = tree["posterior"].data_vars
    for name, other in _NEEDS.items():
        if name in draws and other not in draws:
            raise SchemaError(
                f"posterior/{name} is there without posterior/{other}, of which it is a part. "
                "Expected all draws of the fit."
            )
    if "within" in draws and "pooled" in draws:
        raise SchemaError(
            "posterior has both within and pooled, of which a model has one. Expected the draws "
            "of one fit."
        )


def _check_version(tree: xr.DataTree) -> None:
    """Refuse a fit that says it is of a schema which does not have what it holds."""
    if "socgrad_schema" not in tree.attrs:
        return
    name = "stratum_schema" if "stratum" in tree["posterior"].dims else "socgrad_schema"
    try:
        version = int(tree.attrs.get(name, SCHEMA_VERSION))
    except (TypeError, ValueError):
        raise SchemaError(f"Attribute {name} is no whole number.") from None
    draws = {str(each) for each in tree["posterior"].data_vars}
    needed = {
        "locality_sd": LEVEL_SCHEMA_VERSION,
        "region_sd": LEVEL_SCHEMA_VERSION,
        **dict.fromkeys(COEFFICIENTS, COVARIATE_SCHEMA_VERSION),
        "departure_coefficient": DEPARTURE_SCHEMA_VERSION,
    }
    for term in sorted(draws & set(needed)):
        if version < needed[term]:
            raise SchemaError(
                f"Attribute {name} is {version}, and posterior/{term} is of schema "
                f"{needed[term]}. Expected a fit as socgrad.fit made it."
            )
