"""Whether the values of a fit are those that a fit can have, and fit together."""

from __future__ import annotations  # pandas' own classes are not generic at run time

import json
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from socgrad.arrays import FloatArray
from socgrad.coarsening.kernels import CoarsenedCounts
from socgrad.coarsening.stored import BOUNDED, KERNELS, has_stored_bounds, stored_bounds
from socgrad.data_hash import data_digest
from socgrad.errors import SchemaError
from socgrad.reading.stored_form import FORMS, Form
from socgrad.schema import COVARIATE_GROUP, PER_STRATUM, PER_YEAR
from socgrad.terms import TERMS

__all__ = ["check_data_hash", "check_values", "hash_of_data"]

#: What rounding does to correlations of 1 and to sums of deprivation.
_ROUNDING: Final = 1e-7
#: Attributes that are read as JSON, and what has to be in each; `per_stratum` is a list of names.
_JSON: Final[dict[str, tuple[str, ...]]] = {
    "model": (),
    "priors": (),
    "outcome": ("name", "terms", "authorities"),
    "strata": ("relation", "authority_effects"),
    "years": ("breaks", "index", "drift", "national"),
}


def check_values(tree: xr.DataTree) -> None:
    """Refuse values that no fit has: out of range, not finite, or at odds with one another.

    The tree is one that `socgrad.reading.stored_form.check_form` has passed.

    Raises
    ------
    SchemaError
        With the variable, how many of its values, the first of them, and what was expected.
    """
    for group, node in tree.children.items():
        data = node.to_dataset(inherit=False)
        for name, values in data.data_vars.items():
            form = FORMS.get(f"{group}/{name}")
            if form is not None and form.text:
                _check_labels(f"{group}/{name}", pd.Index(values.to_numpy()))
            elif form is not None:
                _check_range(f"{group}/{name}", values.to_numpy(), form, data)
        for name, index in data.indexes.items():
            _check_labels(f"{group}/{name}", index)
    _check_attributes(tree)
    _check_authorities(tree)
    for year in _years(tree):
        _check_split(tree, year)
        _check_places(_of_year(tree["constant_data"].to_dataset(), year))
    _check_terms_of_model(tree)
    if COVARIATE_GROUP in tree.children:
        columns = tree[COVARIATE_GROUP].to_dataset()
        for year in range(columns.sizes["stratum"]) if "stratum" in columns.dims else [None]:
            _check_columns(_of_year(columns, year))
    if "observed_data" in tree.children:
        _check_kernels(tree["observed_data"].to_dataset())


def _check_range(where: str, values: npt.NDArray[Any], form: Form, data: xr.Dataset) -> None:
    numbers = values.astype(np.float64)
    least, most = form.least, form.most
    expected = "numbers, none missing"
    if form.along is not None:
        least, most = 0.0, float(data.sizes.get(form.along, 0) - 1)
        expected = f"positions along dim {form.along!r}, 0 to {most:.0f}"
    elif np.isfinite(least) or np.isfinite(most):
        bounds = f"from {least:g}" + (f" to {most:g}" if np.isfinite(most) else "")
        expected = f"{'whole ' if form.whole else ''}numbers {bounds}"
    with np.errstate(invalid="ignore"):
        bad = ~np.isfinite(numbers)
        if form.blank:
            bad &= ~np.isnan(numbers)
        bad |= (numbers < least - _ROUNDING * (least != 0.0)) | (numbers > most + _ROUNDING)
        if form.whole or form.along is not None:
            bad |= np.isfinite(numbers) & (numbers != np.round(numbers))
    if bad.any():
        first = numbers[bad].ravel()[0]
        raise SchemaError(
            f"{where} is {first:g} in {int(bad.sum())} of {bad.size} places (that is the first). "
            f"Expected {expected}."
        )


def _check_labels(where: str, index: pd.Index[Any]) -> None:
    if index.hasnans or not index.is_unique:
        many = index[index.duplicated() | index.isna()]
        raise SchemaError(
            f"Labels along {where} are missing or there twice ({len(many)} of {len(index)}; first: "
            f"{many[0]!r}). Expected each once."
        )


def _check_attributes(tree: xr.DataTree) -> None:
    names = _json(tree.attrs, "per_stratum", list)
    if not all(isinstance(name, str) for name in names):
        raise SchemaError("Attribute 'per_stratum' is no list of names.")
    for name, needed in _JSON.items():
        held = _json(tree.attrs, name, dict)
        lacking = [] if name in names or name not in tree.attrs else sorted(set(needed) - set(held))
        if lacking:
            raise SchemaError(f"Attribute {name!r} does not say {', '.join(lacking)}.")


def _json(attrs: Mapping[Any, Any], name: str, kind: type) -> Any:
    """What an attribute says, empty where there is none."""
    if name not in attrs:
        return kind()
    try:
        made = json.loads(attrs[name])
    except (TypeError, ValueError, RecursionError) as error:
        raise SchemaError(f"Attribute {name!r} is no JSON text ({error}).") from error
    if not isinstance(made, kind):
        raise SchemaError(
            f"Attribute {name!r} is a JSON {type(made).__name__}; expected a {kind.__name__}."
        )
    return made


def _check_authorities(tree: xr.DataTree) -> None:
    """Refuse draws of other authorities than the constants'."""
    own = tree["constant_data"].to_dataset().indexes
    drawn = tree["posterior"].to_dataset().indexes
    columns = [kind.dim for kind in TERMS.values() if kind.dim is not None]
    for dim in ("authority", "region", *columns):
        if dim not in own or dim not in drawn:
            continue
        other = own[dim].symmetric_difference(drawn[dim])
        if len(other):
            raise SchemaError(
                f"Labels of dim {dim!r} differ between posterior and constant_data ({len(other)}; "
                f"first: {other[0]!r}). Expected one fit's groups, as socgrad.fit made them."
            )


def _years(tree: xr.DataTree) -> list[int | None]:
    """Positions of the years whose places differ; None alone where all are the same."""
    held = tree["constant_data"].to_dataset()
    changes = any("stratum" in held[name].dims for name in PER_YEAR if name in held)
    return list(range(held.sizes["stratum"])) if changes else [None]


def _of_year(held: xr.Dataset, year: int | None) -> xr.Dataset:
    return held if year is None else held.isel(stratum=year)


def _check_split(tree: xr.DataTree, year: int | None) -> None:
    """Refuse parts of deprivation that do not add up to it."""
    held = _of_year(tree["constant_data"].to_dataset(), year)
    home = held["authority_of_area"].to_numpy().astype(np.int64)
    per, national = float(held["per"]), float(held["national_mean"])
    mean, between = held["authority_mean"].to_numpy(), held["between_part"].to_numpy()
    within, x = held["within_part"].to_numpy(), held["deprivation"].to_numpy()
    split = "within" in tree["posterior"].data_vars
    wholes = {} if "pooled" in tree["posterior"].data_vars else {"authority": mean[home]}
    wholes |= {} if split else {"national": np.full(len(x), national)}
    differ = {of: float(np.abs(within * per + origin - x).max()) for of, origin in wholes.items()}
    if min(differ.values()) > _ROUNDING:
        of = min(differ, key=differ.__getitem__)
        raise SchemaError(
            f"constant_data/within_part, times per ({per:g}), is not deprivation less its {of} "
            f"mean: they differ by up to {differ[of]:.2g}. Expected the constants of one fit."
        )
    gap = float(np.abs(between * per - (mean - national)).max())
    if split and gap > _ROUNDING:
        raise SchemaError(
            f"constant_data/between_part, times per ({per:g}), is not authority_mean less "
            f"national_mean: they differ by up to {gap:.2g}. Expected the constants of one fit."
        )


def _check_places(held: xr.Dataset) -> None:
    """Refuse authorities without children, torn localities, and departures in disorder."""
    home = held["authority_of_area"].to_numpy().astype(np.int64)
    total = np.bincount(home, weights=held["children"], minlength=held.sizes["authority"])
    if (total <= 0).any():
        raise SchemaError(
            f"constant_data has {int((total <= 0).sum())} authorities without children (first: "
            f"{held.indexes['authority'][total <= 0][0]!r}), so without a mean deprivation."
        )
    if {"locality_of_area", "authority_of_locality"} <= set(held.data_vars):
        locality = held["locality_of_area"].to_numpy().astype(np.int64)
        other = held["authority_of_locality"].to_numpy()[locality] != home
        if other.any():
            raise SchemaError(
                f"constant_data has {int(other.sum())} areas in another authority than their "
                f"locality (first: {held.indexes['area'][other][0]!r})."
            )
    for name, more in (("departure_edges", 2), ("departure_knots", 0)):
        if name not in held:
            continue
        places = held[name].to_numpy()
        if (np.diff(places) <= 0).any():
            raise SchemaError(f"constant_data/{name} does not rise: {places.tolist()}.")
        parts = held.sizes.get("departure_part", 0)
        if parts != len(places) + more:
            raise SchemaError(
                f"constant_data/departure_weights has {parts} parts for {len(places)} of {name}; "
                f"expected {len(places) + more}."
            )


def _check_terms_of_model(tree: xr.DataTree) -> None:
    """Refuse a fit without draws of a term that it has a prior of."""
    recorded = _json(tree.attrs, "priors", dict)
    if "priors" in _json(tree.attrs, "per_stratum", list):
        recorded = {
            name: pairs for key in recorded for name, pairs in _json(recorded, key, dict).items()
        }
    draws = tree["posterior"].data_vars
    for name, pairs in recorded.items():
        try:
            np.array(pairs, dtype=np.float64)
        except (TypeError, ValueError):
            raise SchemaError(f"Attribute 'priors': that of {name!r} is no numbers.") from None
        also = [term for term, kind in TERMS.items() if name in (term, kind.prior_name)]
        if also and not any(term in draws for term in also):
            raise SchemaError(
                f"posterior has no {' or '.join(also)}, of which the fit records a prior. Expected "
                "the draws of all terms of its model."
            )


def _check_columns(held: xr.Dataset) -> None:
    """Refuse columns of covariates that are no numbers, or codes without a level."""
    for name, values in held.data_vars.items():
        where = f"{COVARIATE_GROUP}/{name}"
        if values.dims not in (("area",), ("authority",)) or values.dtype.kind not in "iuf":
            raise SchemaError(
                f"{where} has dims {values.dims} and type {values.dtype}. Expected numbers along "
                "area or authority."
            )
        form = Form(("area",))
        if "levels" in values.attrs:
            try:
                levels = json.loads(values.attrs["levels"])
                ordered = int(values.attrs["ordered"])
            except (KeyError, TypeError, ValueError, RecursionError) as error:
                raise SchemaError(f"{where} does not say what its levels are.") from error
            plain = isinstance(levels, list) and all(isinstance(v, str | int) for v in levels)
            if not plain or len(set(levels)) < len(levels) or ordered not in (0, 1):
                raise SchemaError(f"{where} has levels that are no list of different labels.")
            form = Form(("area",), 0.0, float(len(levels) - 1), whole=True)
        _check_range(where, values.to_numpy(), form, held)


def _check_kernels(held: xr.Dataset) -> None:
    """Refuse counts within bounds without bounds, or whose weights are not those between them."""
    if not has_stored_bounds(held):
        return
    if not set(KERNELS) <= set(held.data_vars):
        raise SchemaError(
            f"observed_data has counts within bounds without {', '.join(KERNELS)}, which say "
            "within what bounds. Expected all variables of one fit."
        )
    low, high = (held[f"kernel_{end}"].to_numpy().astype(np.float64) for end in ("low", "high"))
    wrong = (high >= 0) & (high < low)
    weights = held["kernel_weight"].to_numpy()
    there = ~np.isnan(weights)
    number = there.sum(axis=1)
    first = np.arange(weights.shape[1]) < number[:, None]
    wrong |= (there != first).any(axis=1) | ((number > 0) & (number != high - low + 1))
    if wrong.any():
        raise SchemaError(
            f"{int(wrong.sum())} of {wrong.size} kernels of observed_data end below their "
            "beginning, or have weights that are not those of the counts between. Expected the "
            "bounds that socgrad.fit stored."
        )


def check_data_hash(tree: xr.DataTree) -> None:
    """Hold a fit's data against the hash that it records, where the counts are there.

    Raises
    ------
    SchemaError
        If they differ.
    """
    if "data_sha256" not in tree.attrs or "observed_data" not in tree.children:
        return
    held = tree["constant_data"].to_dataset()
    counts = tree["observed_data"].to_dataset()
    if not counts.data_vars:
        return
    recorded = str(tree.attrs["data_sha256"])
    if "stratum" not in tree["posterior"].dims:
        _compare(hash_of_data(held, counts), recorded, "The data")
        return
    labels = tree["posterior"].to_dataset()["stratum"].to_numpy().tolist()
    each: Mapping[str, str] = dict.fromkeys(map(str, labels), recorded)
    if "data_sha256" in _json(tree.attrs, "per_stratum", list):
        each = _json(tree.attrs, "data_sha256", dict)
    for place, label in enumerate(labels):
        own = held.assign(
            {
                n: held[n].isel(stratum=place)
                for n in (*PER_STRATUM, *PER_YEAR)
                if n in held and "stratum" in held[n].dims
            }
        )
        theirs = counts.isel(stratum=place) if "stratum" in counts.dims else counts
        _compare(
            hash_of_data(own, theirs), each.get(str(label), ""), f"The data of stratum {label!r}"
        )


def hash_of_data(held: xr.Dataset, counts: xr.Dataset) -> str:
    """The hash of a fit's data (`socgrad.data_hash`), from its constants and its counts.

    Raises
    ------
    SchemaError
        If there are counts of areas or authorities that the constants do not have.
    """
    places = {"area": held.indexes["area"], "authority": held.indexes["authority"]}
    filled: dict[str, FloatArray] = {}
    bounds: dict[str, CoarsenedCounts] = {}
    for name, dim, own in (
        ("events", "counted_area", "area"),
        ("total_events", "total_authority", "authority"),
    ):
        filled[name] = np.full(len(places[own]), np.nan)
        if name in counts:
            position = _position(places[own], counts.indexes[dim], name)
            filled[name][position] = counts[name].to_numpy().astype(np.float64)
        variable, along = BOUNDED[name]
        # Of a stratum of several, rows that others have are blank.
        known = counts.dropna(along, subset=[variable]) if variable in counts else counts
        if variable in known and known[variable].size:
            position = _position(places[own], known.indexes[along], variable)
            bounds[name] = stored_bounds(known, name, position, len(places[own]))
    named = {str(name): held[name].to_numpy() for name in {**held.data_vars, **held.coords}}
    return data_digest(
        named,
        events=filled["events"],
        total_events=filled["total_events"],
        coarsened=bounds.get("events"),
        coarsened_totals=bounds.get("total_events"),
    )


def _position(places: pd.Index[Any], labels: pd.Index[Any], name: str) -> npt.NDArray[np.int64]:
    position: npt.NDArray[np.int64] = places.get_indexer(labels).astype(np.int64)
    if (position < 0).any():
        raise SchemaError(
            f"observed_data/{name} has {int((position < 0).sum())} labels that constant_data "
            f"does not have (first: {labels[position < 0][0]!r}). Expected one fit's groups."
        )
    return position


def _compare(found: str, recorded: str, what: str) -> None:
    if found != recorded:
        raise SchemaError(
            f"{what} have another hash than the fit records (data_sha256 {recorded[:12]!r}..., "
            f"found {found[:12]!r}...): labels, counts or other numbers of the areas were changed "
            "after the fit. Use the fit as socgrad.fit returned it."
        )
