"""One stratum of a fit, and estimands of every stratum.

An estimand is written for a fit of one stratum (a stage, an age group, an ethnicity). Under
`by_stratum` it takes a fit of several too, and answers for each.
"""

import functools
import json
import warnings
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import xarray as xr

from socgrad.coarsening.stored import BOUNDED, KERNELS
from socgrad.errors import EstimandError, SchemaError, SupportWarning
from socgrad.reading.arguments import check_is_tree
from socgrad.reading.data_marks import HAS_DATA
from socgrad.reading.joint_effects import JOINT_GROUP, joint_group
from socgrad.reading.labels import marks
from socgrad.reading.official_names import join_names
from socgrad.schema import NAMES, SCHEMA_VERSION, check_tree, is_stratified

__all__ = [
    "StrataFacts",
    "along",
    "by_stratum",
    "quietly",
    "strata_facts",
    "stratum",
    "stratum_labels",
    "years_facts",
]

#: What `summarise` reads of a row may differ between strata: then it is a coordinate along stratum.
_OF_A_ROW: Final = ("units", "reference", "importance_ess")
_PACKAGE: Final = (str(Path(__file__).parents[1]),)
_SEVERAL: Final = {"stratum": "strata", "year": "years"}


@dataclass(frozen=True)
class StrataFacts:
    """What the strata of a fit are to each other, and how they were fitted.

    `relation` is "stages" (the same children counted again), "chain" (each stage on the one before)
    "groups" or "years"; `authority_effects` "independent" or "joint".
    """

    relation: str
    authority_effects: str


def strata_facts(fit: xr.DataTree) -> StrataFacts:
    """Read what a fit says of its strata.

    Raises
    ------
    SchemaError
        If it says nothing, as a tree that was put together by hand.
    """
    if "strata" not in fit.attrs:
        raise SchemaError(
            "This fit does not say what its strata are to each other (attr 'strata'). Use the tree "
            "as socgrad.fit returned it."
        )
    return StrataFacts(**json.loads(fit.attrs["strata"]))


def stratum_labels(fit: xr.DataTree) -> list[Hashable]:
    """Labels of the strata of a fit, in its order; none for a fit without strata."""
    check_is_tree(fit)
    check_tree(fit)
    if not is_stratified(fit):
        return []
    labels: list[Hashable] = fit["posterior"].to_dataset()["stratum"].to_numpy().tolist()
    return labels


def stratum(fit: xr.DataTree, label: Hashable) -> xr.DataTree:
    """Take one stratum out of a fit of several.

    Parameters
    ----------
    fit
        From `socgrad.fit` on a `StratifiedModel`, or `socgrad.load`.
    label
        The stratum (of a panel, the year), spelt and typed as in ``fit["posterior"].stratum``.

    Returns
    -------
    xarray.DataTree
        A fit like any other: without dim stratum, which stays as a coordinate with one value, so
        that what is computed says of which stratum it is. Arrays are views, attrs are kept; of a
        joint fit a group `joint_effects` keeps the correlations with the other strata; what the
        sampler recorded once per stratum (`importance_ess`, `pareto_k`) becomes attrs.

    Raises
    ------
    SchemaError
        If `fit` is no socgrad fit, has no strata, or none of this label.

    Examples
    --------
    >>> from socgrad.estimands.gradients import gradient
    >>> from socgrad.reading.by_stratum import stratum
    >>> from socgrad.reading.example import example_fit_of_stages
    >>> fit = example_fit_of_stages()
    >>> fit["posterior"].stratum.values.tolist()
    ['referral', 'assessment', 'plan']
    >>> gradient(stratum(fit, "plan")).median().round(2).item()
    1.99
    """
    labels = stratum_labels(fit)
    if not labels:
        raise SchemaError(
            f"This fit has no strata, so none is {label!r}. It is one already: use it as it is."
        )
    if label not in labels:
        raise SchemaError(
            f"No stratum {label!r} in this fit, which has {len(labels)}: "
            f"{', '.join(map(repr, labels))}. Spell and type the label as there."
        )
    at = labels.index(label)
    tree = xr.DataTree.from_dict(
        {
            node.path: dataset.isel(stratum=at) if "stratum" in dataset.dims else dataset
            for node in fit.subtree
            for dataset in [node.to_dataset(inherit=False)]
        }
    )
    together = joint_group(fit)
    if together is not None:
        tree[JOINT_GROUP] = xr.DataTree(together)
    if "observed_data" in tree.children:
        tree["observed_data"] = xr.DataTree(_known(tree["observed_data"].to_dataset()))
    tree.attrs = _attrs(fit.attrs, str(label))
    if "sample_stats" in fit.children:
        tree.attrs |= _once_per_stratum(fit["sample_stats"].to_dataset(), at)
    return tree


def by_stratum[**P, R: (xr.DataArray, xr.Dataset)](estimand: Callable[P, R]) -> Callable[P, R]:
    """Let an estimand of one fit take a fit of several strata too.

    Parameters
    ----------
    estimand
        A function whose first argument, `fit`, is a tree, and which returns draws: a DataArray or
        a Dataset, dims chain, draw, then others.

    Returns
    -------
    callable
        The same for a fit without strata. For one with strata: the draws of every stratum, dims
        chain, draw, stratum, then the others. Attrs that are equal in all strata are kept; units,
        reference and importance effective size that differ become coordinates along stratum, which
        `summarise` reads; attr strata says how they follow each other and were fitted. A row that a
        stratum does not have, such as the rate of an authority without exposure, is NaN in all
        draws, and no row of `summarise`. Of a fit of years the dim is called year.

    Notes
    -----
    A further fit among the arguments, if it has strata, is read stratum by stratum too. An error of
    one stratum names the stratum; warnings of few neighbourhoods come once for all.

    Examples
    --------
    >>> from socgrad.estimands.gradients import gradient
    >>> from socgrad.reading.example import example_fit_of_stages
    >>> steep = gradient(example_fit_of_stages())
    >>> steep.dims
    ('chain', 'draw', 'stratum')
    >>> steep.median(("chain", "draw")).round(2).values.tolist()
    [1.73, 1.82, 1.99]
    """

    @functools.wraps(estimand)
    def of_every_stratum(*args: P.args, **kwargs: P.kwargs) -> R:
        fit = args[0] if args else kwargs.get("fit")
        if not isinstance(fit, xr.DataTree) or not is_stratified(fit):
            with quietly():
                return _in_words(estimand(*args, **kwargs), fit)
        labels = stratum_labels(fit)
        call = cast("Callable[..., R]", estimand)

        def of_one(label: Hashable) -> R:
            # Another fit beside the first, such as a null model's, is read stratum by stratum too.
            own = [_own_stratum(value, label) for value in args]
            with quietly():
                return call(*own, **{n: _own_stratum(value, label) for n, value in kwargs.items()})

        return _in_words(_joined(_of_each(of_one, labels, along(fit)), labels), fit)

    return of_every_stratum


def along(fit: object) -> str:
    """What the dim of a fit's strata is called in draws: "year" of a fit of years."""
    said = fit.attrs.get("strata", "{}") if isinstance(fit, xr.DataTree) else "{}"
    return "year" if json.loads(said).get("relation") == "years" else "stratum"


def years_facts(fit: xr.DataTree) -> dict[str, Any]:
    """Read what a fit says of its years: breaks, index, drift and national coefficients.

    Raises
    ------
    SchemaError
        If it is no fit of years.
    """
    check_is_tree(fit)
    if "years" not in fit.attrs or along(fit) != "year":
        raise SchemaError(
            "This is no fit of years. Expected one of a StratifiedModel of a years.Panel, as "
            "socgrad.fit returned it."
        )
    facts: dict[str, Any] = json.loads(fit.attrs["years"])
    return facts


def _in_words[R: (xr.DataArray, xr.Dataset)](draws: R, fit: object) -> R:
    """The same with years along dim year, and with what a change between them rests on."""
    if along(fit) == "stratum" or "stratum" not in draws.coords:
        if "stratum" in draws.dims and isinstance(fit, xr.DataTree):
            facts = strata_facts(fit)
            for one in draws.data_vars.values() if isinstance(draws, xr.Dataset) else [draws]:
                one.attrs["strata"] = f"{facts.relation}, {facts.authority_effects}"
        return draws
    named = draws.rename({"stratum": "year"})
    named = named.assign_coords(year=named["year"].astype(np.int64))
    if "year" not in named.dims or not isinstance(fit, xr.DataTree):
        return named
    own = {"breaks": years_facts(fit)["breaks"], "years": strata_facts(fit).authority_effects}
    for one in named.data_vars.values() if isinstance(named, xr.Dataset) else [named]:
        one.attrs |= own
    return named


def quietly() -> np.errstate:
    """Keep NumPy silent on overflow and the like, as the wild draws of a doubted fit bring them.

    Numbers that are not finite are refused in words, by the estimand or by `socgrad.summarise`.
    """
    return np.errstate(over="ignore", invalid="ignore", divide="ignore")


def _own_stratum(value: object, label: Hashable) -> object:
    if isinstance(value, xr.DataTree) and is_stratified(value):
        return stratum(value, label)
    return value


def _of_each[R](answer: Callable[[Hashable], R], labels: Sequence[Hashable], word: str) -> list[R]:
    """Answers of all strata; errors name the stratum, warnings of support are given once."""
    parts = []
    thin: dict[str, list[Hashable]] = {}
    for label in labels:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                parts.append(answer(label))
            except EstimandError as error:
                raise EstimandError(f"{word.capitalize()} {label!r}: {error}") from error
        for one in caught:
            if issubclass(one.category, SupportWarning):
                thin.setdefault(str(one.message), []).append(label)
            else:
                warnings.warn(one.message, skip_file_prefixes=_PACKAGE)
    for words, where in thin.items():
        warnings.warn(
            f"In {len(where)} of {len(labels)} {_SEVERAL[word]} "
            f"({', '.join(map(str, where))}): {words}",
            SupportWarning,
            skip_file_prefixes=_PACKAGE,
        )
    return parts


def _joined[R: (xr.DataArray, xr.Dataset)](parts: list[R], labels: list[Hashable]) -> R:
    if isinstance(parts[0], xr.DataArray):
        return _joined_draws(parts, labels)
    joined = xr.Dataset(
        {name: _joined_draws([one[name] for one in parts], labels) for name in parts[0].data_vars}
    )
    joined.attrs = _equal_attrs(parts)
    return joined


def _joined_draws(parts: list[xr.DataArray], labels: list[Hashable]) -> xr.DataArray:
    along = xr.DataArray(np.array(labels, dtype=object), dims="stratum", name="stratum")
    bare = [part.drop_vars("stratum", errors="ignore").drop_attrs() for part in parts]
    joined = xr.concat(
        [part.drop_vars([HAS_DATA, *NAMES], errors="ignore") for part in bare],
        along,
        join="outer",
        combine_attrs="drop",
        coords="minimal",
        compat="override",
    )
    joined = joined.transpose("chain", "draw", "stratum", ...)
    joined = joined.rename(parts[0].name)
    if any(HAS_DATA in part.coords for part in parts):
        joined = joined.assign_coords({HAS_DATA: _whose_data(bare, joined)})
    joined = join_names(parts, joined)
    joined.attrs = _equal_attrs(parts)
    rows = int(joined.isnull().all(("chain", "draw")).sum())
    if rows:
        joined.attrs["missing_rows"] = rows
    for name in _OF_A_ROW:
        values = [part.attrs.get(name) for part in parts]
        if name in joined.attrs or all(value is None for value in values):
            continue
        if name == "importance_ess":
            sizes = [np.inf if value is None else value for value in values]
            joined = joined.assign_coords({name: ("stratum", np.array(sizes, dtype=float))})
            joined.attrs[name] = min(sizes)
        else:
            joined = joined.assign_coords({name: ("stratum", np.array(values, dtype=object))})
            joined.attrs[name] = "; ".join(
                f"{label}: {value}" for label, value in zip(labels, values, strict=True)
            )
    joined.attrs["draws"] = marks(joined)
    return joined


def _whose_data(parts: list[xr.DataArray], joined: xr.DataArray) -> xr.Variable:
    """Which authorities have data in which stratum; True where nothing is said against it."""
    said = [
        part[HAS_DATA].reindex(authority=joined["authority"], fill_value=True)
        if HAS_DATA in part.coords
        else xr.ones_like(joined["authority"], dtype=bool)
        for part in parts
    ]
    held = [one.drop_vars([HAS_DATA, *NAMES], errors="ignore") for one in said]
    return xr.concat(held, joined["stratum"], coords="minimal", compat="override").variable


def _equal_attrs(parts: Sequence[xr.DataArray] | Sequence[xr.Dataset]) -> dict[str, Any]:
    first, *others = (part.attrs for part in parts)
    return {
        name: value
        for name, value in first.items()
        if all(name in attrs and np.array_equal(attrs[name], value) for attrs in others)
    }


def _attrs(attrs: Mapping[Any, Any], label: str) -> dict[Any, Any]:
    """Attrs of one stratum: of what differs between strata, its own."""
    own = dict(attrs)
    differ = json.loads(own.pop("per_stratum", "[]"))
    own |= {name: json.loads(attrs[name])[label] for name in differ if name in attrs}
    seeds = json.loads(own.pop("stratum_seeds", "{}"))
    if label in seeds:
        own["random_seed"] = seeds[label]
    version = own.pop("stratum_schema", SCHEMA_VERSION)
    if "socgrad_schema" in own:
        own["socgrad_schema"] = version
    return {name: value for name, value in own.items() if value is not None}


def _known(counts: xr.Dataset) -> xr.Dataset:
    """Counts that a stratum has: of its own areas, and of its own authority totals."""
    kept = {}
    for name, values in counts.data_vars.items():
        known = values.notnull()
        if name not in KERNELS and known.any():
            # To take some of many labels costs as much as an estimand.
            kept[name] = (values if known.all() else values[known]).astype(np.int64)
    bounded = any(variable in kept for variable, _ in BOUNDED.values())
    kernels = {name: counts[name] for name in KERNELS if name in counts and bounded}
    return xr.Dataset(kept | kernels)


def _once_per_stratum(statistics: xr.Dataset, at: int) -> dict[str, Any]:
    """What a sampler recorded with a value, or a pair, per stratum; NaN means not recorded."""
    recorded: dict[str, Any] = {}
    for name, values in statistics.data_vars.items():
        if "stratum" not in values.dims or {"chain", "draw"} & set(values.dims):
            continue
        one = values.isel(stratum=at).to_numpy()
        if not np.isnan(one).any():
            recorded[str(name)] = one if one.ndim else one.item()
    return recorded
