"""Long tables: one row per area and stratum, taken apart into one table of areas per stratum.

Nothing is checked here that the door checks of each stratum's table; only what has to be known to
take the table apart: that what belongs to the area is the same in all of its rows.
"""

from __future__ import annotations  # pandas' own classes are not generic at run time

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal

import numpy as np
import pandas as pd

from socgrad.arrays import BoolArray, FloatArray, IntArray
from socgrad.coarsening.columns import Coarsening, unknown_cell
from socgrad.door.label_checks import check_labelled, coded_labels, labels
from socgrad.door.number_checks import check_known, numbers
from socgrad.door.table_checks import as_pandas, column, column_names, name_some, refuse
from socgrad.errors import SocgradWarning, TableError
from socgrad.table.area_checks import check_roles
from socgrad.table.areas import Areas
from socgrad.table.count_columns import bounds_roles, own_rule

__all__ = ["ChildrenOf", "LongTables", "MissingRows", "long_tables", "with_absent"]

type ChildrenOf = Literal["stratum", "area"]
type MissingRows = Literal["refuse", "leave out", "no events"]

_PACKAGE: Final = (str(Path(__file__).parents[1]),)


@dataclass(frozen=True, eq=False, kw_only=True)
class LongTables:
    """A long table taken apart.

    Parameters
    ----------
    frames
        One table of areas per stratum, all areas in each, in the strata's order.
    exposure
        Column of exposure in these tables.
    absent
        Areas without a row, by stratum.
    """

    frames: dict[Any, pd.DataFrame]
    exposure: str
    absent: dict[Any, pd.Index[Any]]


def long_tables(
    frame: object,
    *,
    stratum: str | Sequence[str],
    area: str,
    authority: str,
    deprivation: str | None,
    children: str,
    events: str | None,
    exposure: str | None,
    children_of: ChildrenOf,
    missing_rows: MissingRows,
    order: Sequence[Any] | None,
    coarsening: Coarsening | Mapping[Any, Coarsening] | None = None,
    covariates: Sequence[str] = (),
    levels: Mapping[str, str | None] = MappingProxyType({}),
) -> LongTables:
    """Take a long table apart by stratum.

    Raises
    ------
    TableError
        If a row is there twice, an area has two authorities, deprivations or (if they are the
        area's) numbers of children; if rows are missing and `missing_rows` refuses them; if an
        option is unknown or `order` does not name the strata.
    """
    _check_options(children_of, missing_rows, exposure, events)
    names = {"area": area, "authority": authority} | (
        {} if deprivation is None else {"deprivation": deprivation}
    )
    check_roles(
        names
        | {"children": children}
        | ({} if events is None else {"events": events})
        | ({} if exposure is None else {"exposure": exposure})
    )
    table = as_pandas(frame)
    of, found = _strata(table, stratum, order)
    where = {role: f"Column {name!r} ({role})" for role, name in names.items()}
    place, areas = coded_labels(column(table, area, role="area"), where=where["area"])
    cell = place * len(found) + of
    _refuse_twice(cell, place, of, areas, found)

    first = np.unique(place, return_index=True)[1]
    for role in (each for each in names if each != "area"):
        _refuse_unlike(column(table, names[role], role=role), place, first, areas, where[role])
    fixed = [("covariate", name) for name in column_names(covariates, argument="covariates")]
    fixed += [(role, name) for role, name in levels.items() if name is not None]
    for role, name in fixed:
        values = column(table, name, role=role)
        _refuse_unlike(values, place, first, areas, f"Column {name!r} ({role})")
    others = [*dict.fromkeys(name for _, name in fixed)]
    base = table.iloc[first][[*names.values(), *others]].reset_index(drop=True)

    their = f"Column {children!r} (children)"
    keys = areas[place]
    number = numbers(column(table, children, role="children"), keys, where=their)
    check_known(number, keys, where=their)
    if children_of == "area":
        _refuse_unlike(pd.Series(number), place, first, areas, their)
        base[children] = number[first]
    else:
        _warn_if_repeated(number, place, first, len(found), children)
        base[children] = np.bincount(place, weights=number)

    parts = {"events": events, "exposure": exposure}
    for role, name in parts.items():
        if name is not None:
            column(table, name, role=role)
    held = f"{children} of the stratum" if exposure is None else exposure
    if exposure is None and children_of == "area":
        held = children
    frames, absent = {}, {}
    for code, label in enumerate(found):
        rows = np.flatnonzero(of == code)
        at = place[rows]
        own = base.copy()
        gone = np.ones(len(areas), dtype=bool)
        gone[at] = False
        rule = own_rule(coarsening, label, there=True)
        none = 0 if missing_rows == "no events" else unknown_cell(rule)
        for name in filter(None, (events, *bounds_roles(rule).values())):
            counts = column(table, name, role="events")
            own[name] = _spread(counts.iloc[rows], at, gone, none)
        if held not in own:
            given = pd.Series(number[rows]) if exposure is None else table[exposure].iloc[rows]
            own[held] = _spread(given, at, gone, 0)
        frames[label], absent[label] = own, areas[gone]
    if missing_rows == "refuse":
        _refuse_absent(cell, areas, found)
    return LongTables(frames=frames, exposure=held, absent=absent)


def with_absent(
    areas: Areas, absent: pd.Index[Any], missing_rows: MissingRows, *, refuse_idle: bool
) -> Areas:
    """Report the areas that have no row for this stratum; the others need an exposure."""
    gone: BoolArray = areas.area.isin(absent)
    if refuse_idle:
        refuse(
            (areas.exposure == 0) & ~gone,
            areas.area,
            f"Column {areas.names['exposure']!r} (exposure) is 0 in areas",
            'If these zeros are right, pass zero_exposure="leave out": the areas leave the '
            "likelihood of this stratum, stay in the means and are reported.",
        )
    row = {
        "step": "not in the table",
        "rows": int(gone.sum()),
        "authorities": len(np.unique(areas.authority_of_area[gone])),
        "reason": f'no row for this stratum, missing_rows="{missing_rows}"'
        if gone.any()
        else "none",
    }
    report = areas.report
    report = pd.concat([report[:1], pd.DataFrame([row]), report[1:]], ignore_index=True)
    return replace(areas, report=report)


def _check_options(
    children_of: str, missing_rows: str, exposure: str | None, events: str | None
) -> None:
    for name, value, allowed in (
        ("children_of", children_of, ("stratum", "area")),
        ("missing_rows", missing_rows, ("refuse", "leave out", "no events")),
    ):
        if not isinstance(value, str) or value not in allowed:
            raise TableError(
                f"{name}={value!r} is unknown. Expected {', '.join(map(repr, allowed))}."
            )
    if missing_rows == "no events" and (children_of == "stratum" or exposure is not None):
        raise TableError(
            'missing_rows="no events" needs an exposure that is known without the row, and only '
            'the area\'s children are: children_of="area" and no column of exposure. Else complete '
            'the table, or pass missing_rows="leave out".'
        )
    if missing_rows == "no events" and events is None:
        raise TableError('missing_rows="no events" needs a column of events.')


def _strata(
    table: pd.DataFrame, stratum: str | Sequence[str], order: Sequence[Any] | None
) -> tuple[IntArray, list[Any]]:
    """Position of each row's stratum, and the labels of the strata in order."""
    names = [stratum] if isinstance(stratum, str) else column_names(stratum, argument="stratum")
    if not names:
        raise TableError("stratum names no column. Expected one or more columns of labels.")
    given = [column(table, name, role="stratum") for name in names]
    for name, values in zip(names, given, strict=True):
        check_labelled(values.isna().to_numpy(dtype=bool), where=f"Column {name!r} (stratum)")
    if len(given) > 1:
        words = given[0].astype(str)
        for values in given[1:]:
            words = words + ", " + values.astype(str)
        given = [words]
    (values,) = given
    where = f"Column {' and '.join(map(repr, names))} (stratum)"
    code, found = coded_labels(values.reset_index(drop=True), where=where)
    known = found.tolist()
    if order is None and isinstance(values.dtype, pd.CategoricalDtype):
        own = set(known)
        order = [label for label in values.cat.categories.tolist() if label in own]
    if order is None:
        return code, known
    if isinstance(order, str) or not isinstance(order, Sequence | pd.Index | np.ndarray):
        raise TableError(
            f"order is a {type(order).__name__}. Expected a list of the labels of the strata, as "
            f"{known[:3]}."
        )
    order = list(order)
    if sorted(map(str, order)) != sorted(map(str, known)):
        lacking = [label for label in known if label not in order]
        strangers = [label for label in order if label not in known]
        raise TableError(
            f"order does not name the strata of the table once each: it lacks {lacking or 'none'} "
            f"and names {strangers or 'none'} that are not there. Filter the table first if some "
            "are not wanted."
        )
    ordered = labels(pd.Series(list(order)), where="order").tolist()
    position = np.array([ordered.index(label) for label in known])
    return position[code], ordered


def _spread(
    values: pd.Series[Any], at: IntArray, gone: BoolArray, absent: str | float
) -> pd.Series[Any]:
    """Values of a stratum's rows in the order of all areas; a given value where it has no row."""
    full = np.empty(len(gone), dtype=object)
    full[at] = values.to_numpy(dtype=object, na_value=np.nan)
    full[gone] = absent
    return pd.Series(full).infer_objects()


def _refuse_twice(
    cell: IntArray, place: IntArray, of: IntArray, areas: pd.Index[Any], found: list[Any]
) -> None:
    order = np.argsort(cell, kind="stable")
    again = np.zeros(len(cell), dtype=bool)
    again[order[1:]] = cell[order[1:]] == cell[order[:-1]]
    if again.any():
        rows = np.flatnonzero(again)[:5]
        raise TableError(
            f"{int(again.sum()):,} of {len(cell):,} rows repeat an area and stratum "
            f"({name_some([f'{areas[place[i]]} in {found[of[i]]!r}' for i in rows])}). Expected "
            "one row for each: add them up by label, or name every column that tells strata apart, "
            "stratum=[...]."
        )


def _refuse_unlike(
    values: pd.Series[Any], place: IntArray, first: IntArray, areas: pd.Index[Any], where: str
) -> None:
    """Refuse an area whose rows differ in what belongs to the area."""
    code, _ = pd.factorize(values, use_na_sentinel=False)
    unlike = np.zeros(len(areas), dtype=bool)
    unlike[place[code != code[first][place]]] = True
    refuse(
        unlike,
        areas,
        f"{where} differs between the rows of one area, in areas",
        "It belongs to the area, whatever the stratum: bring the rows to one value, by label.",
    )


def _warn_if_repeated(
    number: FloatArray, place: IntArray, first: IntArray, strata: int, name: str
) -> None:
    """Warn where the children look like the area's, repeated in each of its rows."""
    several = np.bincount(place) > 1
    if strata < 2 or several.sum() < 5 or not np.array_equal(number, number[first][place]):
        return
    warnings.warn(
        f"Column {name!r} (children) is the same in all rows of each of {int(several.sum()):,} "
        "areas: it looks like the area's children, repeated, not those of the stratum. Taken as "
        "the stratum's they are added up over the strata, and are each stratum's exposure. If they "
        'are the area\'s, pass children_of="area".',
        SocgradWarning,
        skip_file_prefixes=_PACKAGE,
    )


def _refuse_absent(cell: IntArray, areas: pd.Index[Any], found: list[Any]) -> None:
    there = np.zeros(len(areas) * len(found), dtype=bool)
    there[cell] = True
    gone = np.flatnonzero(~there)
    if gone.size:
        first = [f"{areas[i // len(found)]} in {found[i % len(found)]!r}" for i in gone[:5]]
        raise TableError(
            f"{gone.size:,} of {there.size:,} rows are missing from the table, one for each area "
            f"and stratum ({name_some(first)}{' ...' if gone.size > 5 else ''}). If there was "
            'nobody in them, or nothing is known, pass missing_rows="leave out": they leave the '
            "likelihood of that stratum and are reported. If rows without events were left out of "
            'the table, pass missing_rows="no events" (with children_of="area"), or complete it.'
        )
