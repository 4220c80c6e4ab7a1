"""Strata: several tables of counts over one geography, checked together.

Stages of a process, age groups, ethnicities, needs, categories of abuse, years: each stratum is
an `Areas` with its own events and its own exposure. What belongs to the place is shared: areas,
authorities, deprivation, children and the means that they weight.
"""

from __future__ import annotations  # pandas' own classes are not generic at run time

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

import numpy as np
import pandas as pd

from socgrad.coarsening.columns import Coarsening, ColumnRule
from socgrad.door.by_authority import totals_by_stratum
from socgrad.door.label_checks import coded_labels
from socgrad.door.table_checks import as_pandas
from socgrad.equality import ComparedAsAWhole
from socgrad.errors import TableError
from socgrad.notebooks.html import block
from socgrad.table.areas import Areas
from socgrad.table.count_columns import check_rules, own_rule
from socgrad.table.ledgers import own_ledger
from socgrad.table.long_tables import ChildrenOf, MissingRows, long_tables, with_absent
from socgrad.table.official_names import Names, name_roles
from socgrad.table.option_checks import check_leave_out
from socgrad.table.stage_tables import (
    PREVIOUS_STAGE,
    exposure_columns,
    refuse_coarsened_exposure,
    refuse_strangers,
    refuse_total_stratum,
    stage_columns,
    warn_of_exceeding,
    without_unmatched,
)

__all__ = ["Relation", "Strata"]

type Relation = Literal["stages", "chain", "groups", "years"]
type Totals = Mapping[Any, Mapping[Any, Any] | pd.Series[Any]]
type LeaveOut = Literal["refuse", "leave out"]

_SHARED = (
    "area",
    "authority",
    "authority_of_area",
    "deprivation",
    "children",
    "authority_mean",
    "national_mean",
    "per",
    "covariates",
    "authority_covariates",
    "locality",
    "locality_of_area",
    "region",
    "region_of_authority",
    "area_name",
    "authority_name",
)
#: What may differ between the years of a panel: the same places, of another deprivation.
_BY_YEAR = frozenset(
    {"deprivation", "children", "authority_mean", "national_mean"}
    | {"covariates", "authority_covariates"}
)
_WORDS = {"groups": "groups", "stages": "stages", "chain": "stages", "years": "years"}


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Strata(ComparedAsAWhole, Mapping[Any, Areas]):
    """An ordered mapping from stratum to its `Areas`, all over the same places.

    Make one with `Strata.from_stages` (one column of events for each stratum) or
    `Strata.from_long` (one row for each area and stratum), which check all that a model relies on.

    Parameters
    ----------
    tables
        `Areas` of each stratum, in the order that counts as the order of the stages. Labels are
        text or whole numbers.
    relation
        What the strata are to each other: "stages" count the same children again; in a "chain" each
        stage's exposure is the events of the stage before; "groups" count different events. "years"
        are those of a `Panel`, and alone may differ in deprivation, children and means.

    Raises
    ------
    TableError
        If there are fewer than two strata, their labels are of no single kind, or they are not over
        the same places.
    """

    tables: Mapping[Any, Areas]
    relation: Relation = "groups"

    def __post_init__(self) -> None:
        if not isinstance(self.tables, Mapping) or not all(
            isinstance(one, Areas) for one in self.tables.values()
        ):
            raise TableError(
                "tables must be a mapping from label to Areas, as Strata.from_stages and "
                f"Strata.from_long make it; got {type(self.tables).__name__}."
            )
        labels = list(self.tables)
        if len(labels) < 2:
            raise TableError(
                f"{len(labels)} stratum was given. Expected two or more: one alone is an Areas, "
                "Areas.from_frame, and its model a GradientModel."
            )
        where = "The labels of the strata"
        checked = coded_labels(pd.Series(labels, dtype=object), where=where)[1]
        whole = checked.dtype.kind == "i"
        if self.relation not in _WORDS:
            raise TableError(
                f"relation={self.relation!r} is unknown. Expected 'stages', 'chain' or 'groups'."
            )
        names = [name for name in _SHARED if self.relation != "years" or name not in _BY_YEAR]
        first = self.tables[labels[0]]
        tables = {}
        for label in labels:
            one = self.tables[label]
            unlike = [name for name in names if not _same(getattr(first, name), getattr(one, name))]
            if unlike:
                raise TableError(
                    f"Strata {labels[0]!r} and {label!r} differ in {', '.join(unlike)}. Expected "
                    "one geography: the same areas, authorities, deprivation, children and means "
                    "for all. Areas without events in a stratum stay in its table, with missing "
                    "counts or zero exposure."
                )
            # One copy of what is shared: twenty strata of England are then hardly more than one.
            shared = {name: getattr(first, name) for name in names}
            tables[int(label) if whole else label] = replace(one, **shared)
        object.__setattr__(self, "tables", tables)

    def __getitem__(self, label: Any) -> Areas:
        return self.tables[label]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.tables)

    def __len__(self) -> int:
        return len(self.tables)

    @property
    def labels(self) -> tuple[Any, ...]:
        """Labels of the strata, in order."""
        return tuple(self.tables)

    @property
    def first(self) -> Areas:
        """The first stratum, for what all share."""
        return self.tables[self.labels[0]]

    @property
    def report(self) -> pd.DataFrame:
        """Rows in, rows kept and each reason: columns stratum, step, rows, authorities, reason."""
        parts = [
            areas.report.assign(stratum=label)[["stratum", *areas.report.columns]]
            for label, areas in self.items()
        ]
        return pd.concat(parts, ignore_index=True)

    def __repr__(self) -> str:
        names = ", ".join(map(str, self.labels[:6])) + (" ..." if len(self) > 6 else "")
        return (
            f"{type(self).__name__}({len(self)} {_WORDS[self.relation]}"
            f"{', each on the one before' if self.relation == 'chain' else ''}: {names}; "
            f"{len(self.first.area):,} areas, {len(self.first.authority):,} authorities)"
        )

    def _repr_html_(self) -> str:
        return block(str(self).splitlines())

    def __str__(self) -> str:
        wide = max(len("stratum"), *(len(str(label)) for label in self))
        head = f"{'stratum':<{wide}} {'events':>10} {'exposure':>13} {'counted':>8} {'totals':>7}"
        lines = [repr(self), f"{head} {'no count':>9} {'no exposure':>12}"]
        for label, areas in self.items():
            rows = areas.report.set_index("step")["rows"]
            totals = ~np.isnan(areas.total_bounds[0])
            known = areas.counted | areas.within_bounds
            lines.append(
                f"{label!s:<{wide}} {areas.number_of_events:>10} {areas.exposure.sum():>13,.0f} "
                f"{int(known.sum()):>8,} {int(totals.sum()):>7,} "
                f"{rows['left out: no count']:>9,} {rows['left out: no exposure']:>12,}"
            )
        return "\n".join(lines)

    @classmethod
    def from_stages(
        cls,
        frame: object,
        *,
        area: str,
        authority: str,
        deprivation: str | None = None,
        children: str,
        stages: Sequence[str] | Mapping[str, str | None],
        exposure: str | Mapping[str, str] | None = None,
        nested: bool = True,
        totals: Totals | None = None,
        coarsening: Coarsening | Mapping[Any, Coarsening] | None = None,
        totals_coarsening: ColumnRule | Mapping[Any, ColumnRule] | None = None,
        authority_means: Mapping[Any, float] | pd.Series[Any] | None = None,
        national_mean: float | None = None,
        per: float = 0.10,
        missing_events: LeaveOut = "refuse",
        zero_exposure: LeaveOut | None = None,
        unmatched_events: LeaveOut = "refuse",
        complete: bool | None = None,
        total_rows: Literal["refuse", "keep"] = "refuse",
        covariates: Sequence[str] = (),
        authority_covariates: object = None,
        locality: str | None = None,
        region: str | None = None,
        names: Names | None = None,
        ledger: object = None,
    ) -> Self:
        """Check a table of areas, one row each, with a column of events for each stage.

        Parameters
        ----------
        frame, area, authority, deprivation, children
            As in `Areas.from_frame`. Children weight every mean, whatever the exposure is.
        stages
            Columns of events in the order of the stages, or a mapping from a stage's label to its
            column (None where only its authority totals are known).
        exposure
            What the events are divided by: children if not given; one column for all stages; a
            mapping from stage to column (children for stages it does not name); or
            "previous stage": the first stage on children, every other one on the events of the
            stage before it, so that each gradient is that of a decision.
        nested
            Whether the stages count the same children again. False for columns that are no stages
            of one another, such as categories of abuse.
        totals
            Counts by authority label, for each stage that has any: ``{stage: {authority: count}}``.
        coarsening, totals_coarsening
            As in `Areas.from_frame`: one for all stages, or one for each, ``{stage: ...}``. A stage
            that was suppressed or rounded is no exposure.
        authority_means, national_mean, per, missing_events, complete, total_rows
            As in `Areas.from_frame`, for all stages.
        covariates, authority_covariates, locality, region, names
            As in `Areas.from_frame`; they belong to the places, whatever the stage.
        ledger
            As in `Areas.from_frame`: each stage keeps its own rows.
        zero_exposure
            As in `Areas.from_frame`. By default "refuse"; with "previous stage" "leave out", since
            an area without a referral can have no assessment.
        unmatched_events
            Refuse events in areas without exposure (a plan where nobody was assessed), or leave
            those areas out of the stage's likelihood, with a warning of how many events that is.

        Returns
        -------
        Strata
            One `Areas` per stage.

        Raises
        ------
        TableError
            If the table is not what the model needs; the message names the stage.

        Warns
        -----
        StageOrderWarning
            If nested stages have areas, or authority totals, with more events than the stage
            before; or if events without exposure are left out. With counts.
        SampleOfAreasWarning, SuppressionWarning
            As in `Areas.from_frame`.

        Examples
        --------
        >>> import pandas as pd
        >>> from socgrad.table.strata import Strata
        >>> frame = pd.DataFrame(
        ...     {
        ...         "lsoa": ["E01", "E02", "E03", "E04"],
        ...         "la": ["Ashby", "Ashby", "Barton", "Barton"],
        ...         "idaci": [0.05, 0.15, 0.25, 0.45],
        ...         "children": [400, 400, 300, 300],
        ...         "referrals": [10, 20, 20, 40],
        ...         "plans": [1, 2, 2, 4],
        ...     }
        ... )
        >>> chain = Strata.from_stages(
        ...     frame, area="lsoa", authority="la", deprivation="idaci", children="children",
        ...     stages=["referrals", "plans"], exposure="previous stage", complete=True,
        ... )
        >>> chain
        Strata(2 stages, each on the one before: referrals, plans; 4 areas, 2 authorities)
        >>> chain["plans"].exposure.tolist()
        [10.0, 20.0, 20.0, 40.0]
        """
        given = totals_by_stratum(totals)
        columns = stage_columns(stages, given)
        exposures = exposure_columns(columns, exposure, children=children, totals=given)
        chained = isinstance(exposure, str) and exposure == PREVIOUS_STAGE
        if chained and not nested:
            raise TableError(
                f'exposure="{PREVIOUS_STAGE}" says that each stage comes out of the one before, '
                "and nested=False that none does. Leave one of them out."
            )
        if zero_exposure is None:
            zero_exposure = "leave out" if chained else "refuse"
        check_leave_out("unmatched_events", unmatched_events)
        check_rules(coarsening, argument="coarsening", bounds=True)
        check_rules(totals_coarsening, argument="totals_coarsening", bounds=False)
        for name, rules in (("coarsening", coarsening), ("totals_coarsening", totals_coarsening)):
            refuse_strangers(name, rules if isinstance(rules, Mapping) else {}, columns)
        own = {
            label: own_rule(coarsening, label, there=events is not None)
            for label, events in columns.items()
        }
        refuse_coarsened_exposure(columns, exposures, own)
        table = as_pandas(frame)
        changed = {}
        if unmatched_events == "leave out":
            changed = without_unmatched(table, columns, exposures, own)
        tables: dict[Any, Areas] = {}
        for label, events in columns.items():
            with _named(label):
                tables[label] = Areas.from_frame(
                    changed.get(label, table),
                    area=area,
                    authority=authority,
                    deprivation=deprivation,
                    children=children,
                    events=events,
                    exposure=exposures[label],
                    totals=given.get(label),
                    coarsening=own[label],
                    totals_coarsening=own_rule(totals_coarsening, label, there=label in given),
                    authority_means=authority_means,
                    national_mean=national_mean,
                    per=per,
                    missing_events=missing_events,
                    zero_exposure=zero_exposure,
                    complete=_complete(complete, authority_means, again=bool(tables)),
                    total_rows=total_rows,
                    covariates=covariates,
                    authority_covariates=authority_covariates,
                    locality=locality,
                    region=region,
                    names=names,
                    ledger=ledger,
                )
        if nested:
            warn_of_exceeding(tables)
            return cls(tables=tables, relation="chain" if chained else "stages")
        refuse_total_stratum(tables)
        return cls(tables=tables, relation="groups")

    @classmethod
    def from_long(
        cls,
        frame: object,
        *,
        stratum: str | Sequence[str],
        area: str,
        authority: str,
        deprivation: str | None = None,
        children: str,
        events: str | None = None,
        exposure: str | None = None,
        children_of: ChildrenOf = "stratum",
        order: Sequence[Any] | None = None,
        nested: bool = False,
        totals: Totals | None = None,
        coarsening: Coarsening | Mapping[Any, Coarsening] | None = None,
        totals_coarsening: ColumnRule | Mapping[Any, ColumnRule] | None = None,
        authority_means: Mapping[Any, float] | pd.Series[Any] | None = None,
        national_mean: float | None = None,
        per: float = 0.10,
        missing_rows: MissingRows = "refuse",
        missing_events: LeaveOut = "refuse",
        zero_exposure: LeaveOut = "refuse",
        complete: bool | None = None,
        total_rows: Literal["refuse", "keep"] = "refuse",
        covariates: Sequence[str] = (),
        authority_covariates: object = None,
        locality: str | None = None,
        region: str | None = None,
        names: Names | None = None,
        ledger: object = None,
    ) -> Self:
        """Check a long table, one row for each area and stratum (age, ethnicity, need ...).

        Parameters
        ----------
        frame, area, authority, deprivation
            As in `Areas.from_frame`; authority and deprivation are the area's, the same in all of
            its rows.
        stratum
            Column of the stratum, or several columns: ``["age", "ethnicity"]`` gives strata such as
            "0-4, Asian".
        children
            Column of children: of the stratum or of the area, as `children_of` says.
        events
            Column of counts.
        exposure
            Column of the rate's denominator; children if not named.
        children_of
            "stratum": the children of this age, ethnicity ...; the weights of every mean are then
            all of the area's children, added up over the strata. "area": all of the area's
            children, the same in each of its rows.
        order
            Labels in the order wanted; by default that of the categories of a categorical column,
            else sorted.
        nested
            Whether the strata count the same children again, as stages do.
        totals
            Counts by authority label, for each stratum that has any.
        coarsening, totals_coarsening
            As in `Areas.from_frame`: one for all strata, or one for each, ``{stratum: ...}``.
        missing_rows
            An area without a row for a stratum: refuse it; "leave out" of that stratum's
            likelihood, with a report (no child of that stratum lives there, or nothing is known);
            or "no events" among the area's children (with ``children_of="area"``).
        authority_means, national_mean, per, missing_events, zero_exposure, complete, total_rows
            As in `Areas.from_frame`, for all strata.
        covariates, authority_covariates, locality, region, names
            As in `Areas.from_frame`; area covariates, localities, regions and names are the same in
            all rows of an area.
        ledger
            As in `Areas.from_frame`, of all strata together.

        Returns
        -------
        Strata
            One `Areas` per stratum, each with all areas.

        Raises
        ------
        TableError
            If the table is not what the model needs; the message names the stratum where it is of
            one. Also if one stratum is the total of the others.

        Warns
        -----
        SocgradWarning
            If children "of the stratum" are the same in all rows of every area.
        StageOrderWarning, SampleOfAreasWarning, SuppressionWarning
            As in `from_stages`.

        Notes
        -----
        Means are over places, not over strata: an authority's deprivation is that of all its
        children, in every stratum, so that gradients and contextual effects of two strata compare
        the same authorities.

        Examples
        --------
        >>> import pandas as pd
        >>> frame = pd.DataFrame(
        ...     {
        ...         "lsoa": ["E01", "E01", "E02", "E02", "E03", "E03", "E04", "E04"],
        ...         "la": ["Ashby"] * 4 + ["Barton"] * 4,
        ...         "idaci": [0.05, 0.05, 0.15, 0.15, 0.25, 0.25, 0.45, 0.45],
        ...         "age": ["0-4", "5-17"] * 4,
        ...         "children": [100, 300, 100, 300, 50, 250, 150, 150],
        ...         "plans": [1, 1, 2, 1, 1, 2, 4, 2],
        ...     }
        ... )
        >>> from socgrad.table.strata import Strata
        >>> strata = Strata.from_long(
        ...     frame, stratum="age", area="lsoa", authority="la", deprivation="idaci",
        ...     children="children", events="plans", complete=True,
        ... )
        >>> strata["0-4"].exposure.tolist(), strata["0-4"].children.tolist()
        ([100.0, 100.0, 50.0, 150.0], [400.0, 400.0, 300.0, 300.0])
        """
        given = totals_by_stratum(totals)
        check_rules(coarsening, argument="coarsening", bounds=True)
        check_rules(totals_coarsening, argument="totals_coarsening", bounds=False)
        parts = long_tables(
            frame,
            stratum=stratum,
            area=area,
            authority=authority,
            deprivation=deprivation,
            children=children,
            events=events,
            exposure=exposure,
            children_of=children_of,
            missing_rows=missing_rows,
            order=order,
            coarsening=coarsening,
            covariates=covariates,
            levels={"locality": locality, "region": region} | name_roles(names),
        )
        for name, named in (
            ("totals", given),
            ("coarsening", coarsening),
            ("totals_coarsening", totals_coarsening),
        ):
            refuse_strangers(name, named if isinstance(named, Mapping) else {}, parts.frames)
        tables: dict[Any, Areas] = {}
        for label, table in parts.frames.items():
            absent = parts.absent[label]
            excused = len(absent) > 0 and missing_rows == "leave out"
            with _named(label):
                made = Areas.from_frame(
                    table,
                    area=area,
                    authority=authority,
                    deprivation=deprivation,
                    children=children,
                    events=events,
                    exposure=parts.exposure,
                    totals=given.get(label),
                    coarsening=own_rule(coarsening, label, there=True),
                    totals_coarsening=own_rule(totals_coarsening, label, there=label in given),
                    authority_means=authority_means,
                    national_mean=national_mean,
                    per=per,
                    missing_events=missing_events,
                    zero_exposure="leave out" if excused else zero_exposure,
                    complete=_complete(complete, authority_means, again=bool(tables)),
                    total_rows=total_rows,
                    covariates=covariates,
                    authority_covariates=authority_covariates,
                    locality=locality,
                    region=region,
                    names=names,
                )
                made = with_absent(
                    made, absent, missing_rows, refuse_idle=excused and zero_exposure == "refuse"
                )
                tables[label] = made
        rows = own_ledger(ledger, _sums(frame, events, exposure, tables))
        tables = {label: replace(made, ledger=rows) for label, made in tables.items()}
        if nested:
            warn_of_exceeding(tables)
        else:
            refuse_total_stratum(tables)
        return cls(tables=tables, relation="stages" if nested else "groups")


@contextmanager
def _named(label: Any) -> Iterator[None]:
    """Name the stratum whose table is refused."""
    try:
        yield
    except TableError as error:
        raise TableError(f"Stratum {label!r}: {error}") from error


def _complete(complete: bool | None, authority_means: object, *, again: bool) -> bool | None:
    """Look at the geography once: the first table's warning holds for all."""
    return True if again and complete is None and authority_means is None else complete


def _sums(
    frame: object, events: str | None, exposure: str | None, tables: Mapping[Any, Areas]
) -> dict[str, tuple[float, float]]:
    """Bounds of the sums over areas and strata of events and of exposure, by their columns."""
    table, found = as_pandas(frame), {}
    for name in filter(None, (events, exposure)):
        held = float(pd.to_numeric(table[name], errors="coerce").sum())
        found[name] = held, held
    if events is not None and any(one.coarsened is not None for one in tables.values()):
        ends = zip(*(one.event_bounds for one in tables.values()), strict=True)
        low, high = (float(sum(np.nansum(bound) for bound in each)) for each in ends)
        found[events] = low, high
    return found


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, pd.Index | pd.DataFrame):
        return bool(one.equals(other))
    return bool(np.array_equal(one, other))
