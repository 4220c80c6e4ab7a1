"""The door: from the caller's table to validated areas within authorities.

Everything is checked here, once. What is inside trusts it.
"""

from __future__ import annotations  # pandas' own classes are not generic at run time

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from textwrap import shorten
from typing import Any, Literal, Self

import numpy as np
import pandas as pd

from socgrad.arrays import BoolArray, FloatArray, IntArray, TextArray
from socgrad.coarsening.columns import Coarsening, ColumnRule
from socgrad.coarsening.kernels import CoarsenedCounts
from socgrad.coarsening.rounding import Exact, MidpointRounded, Rounded
from socgrad.door.by_authority import given_means, given_totals
from socgrad.door.label_checks import coded_labels, labels
from socgrad.door.number_checks import (
    check_known,
    check_no_percentiles,
    check_proportion,
    numbers,
)
from socgrad.door.table_checks import as_pandas, column, refuse
from socgrad.equality import ComparedAsAWhole
from socgrad.notebooks.html import frame_table, heading
from socgrad.table.area_checks import (
    check_estimable,
    check_roles,
    sorted_rows,
    warn_if_larger_totals,
    warn_if_more_events,
    warn_if_sample,
    warn_of_means,
)
from socgrad.table.count_columns import bounds_roles, count_column, warn_if_coarsened
from socgrad.table.covariate_columns import area_covariates, authority_covariate_table
from socgrad.table.known_counts import known_counts
from socgrad.table.ledgers import ledger_lines, own_ledger
from socgrad.table.nesting import LEVELS, nested_levels
from socgrad.table.official_names import Names, official_names
from socgrad.table.option_checks import check_arguments
from socgrad.table.provenance import source_notes
from socgrad.table.total_rows import check_no_totals
from socgrad.within_between import weighted_means

__all__ = ["Areas"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Areas(ComparedAsAWhole):
    """Neighbourhoods within authorities: deprivation, children, exposure and known events.

    Make one with `Areas.from_frame`, which checks all that the model relies on. Rows are sorted by
    authority label, then area label. Arrays are read-only.

    Parameters
    ----------
    area, authority
        Labels of n areas and of J authorities, unique; authorities are sorted.
    authority_of_area
        Position of each area's authority, (n,).
    deprivation, children, exposure, events
        Of each area, as in `from_frame`, (n,); events are NaN where not known.
    counted
        Areas whose own count enters the likelihood, (n,).
    total_events
        Events of each authority that is given as a total; NaN for the others, (J,).
    authority_mean, national_mean
        Child-weighted mean deprivation of each authority, (J,), and of all, proportion 0-1.
    per
        Step of deprivation for every rate ratio, proportion; 0.10 is ten percentage points.
    names
        The caller's column name for each role; for totals alone, the name of their Series.
    report
        Rows in, rows kept and each reason: columns step, rows, authorities, reason.
    covariates, authority_covariates
        Columns that formulas may name: one row per area, one row per authority.
    locality, locality_of_area
        Labels of groups of areas inside authorities, by authority, and the position of each area's,
        (n,); both empty where none were named.
    region, region_of_authority
        Labels of groups of authorities, and the position of each authority's, (J,); likewise.
    area_name, authority_name
        Official names, (n,) and (J,); empty where none were given.
    ledger
        What became of the records that events and exposure were counted from, if that was given:
        columns stage, reason, amount, unit, children.
    sources
        Notes of the public files that table and totals came from, as `places` leaves them.
    coarsened
        What is known of each area's count, (n,), if any of them is suppressed or rounded and was
        declared so; None where all are exact or missing.
    coarsened_totals
        The same of each authority's total, (J,).
    """

    area: pd.Index[Any]
    authority: pd.Index[Any]
    authority_of_area: IntArray
    deprivation: FloatArray
    children: FloatArray
    exposure: FloatArray
    events: FloatArray
    counted: BoolArray
    total_events: FloatArray
    authority_mean: FloatArray
    national_mean: float
    per: float
    names: Mapping[str, str]
    report: pd.DataFrame
    covariates: pd.DataFrame = field(default_factory=pd.DataFrame)
    authority_covariates: pd.DataFrame = field(default_factory=pd.DataFrame)
    locality: pd.Index[Any] = field(default_factory=lambda: pd.Index([], dtype=object))
    locality_of_area: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    region: pd.Index[Any] = field(default_factory=lambda: pd.Index([], dtype=object))
    region_of_authority: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    area_name: TextArray = field(default_factory=lambda: np.zeros(0, dtype=object))
    authority_name: TextArray = field(default_factory=lambda: np.zeros(0, dtype=object))
    ledger: pd.DataFrame = field(default_factory=lambda: own_ledger(None, {}))
    sources: tuple[Mapping[str, str], ...] = ()
    coarsened: CoarsenedCounts | None = None
    coarsened_totals: CoarsenedCounts | None = None

    @property
    def has_deprivation(self) -> bool:
        """Whether the table has a column of deprivation; without one it is held as 0 throughout."""
        return "deprivation" in self.names

    @property
    def within_bounds(self) -> BoolArray:
        """Areas whose own count enters the likelihood as bounds, not as a number, (n,)."""
        if self.coarsened is None:
            return np.zeros(len(self.area), dtype=bool)
        return self.coarsened.is_interval & (self.exposure > 0)

    @property
    def known(self) -> BoolArray:
        """Areas of whose own count the likelihood knows anything, a number or bounds, (n,)."""
        if self.coarsened is None:
            return self.counted
        return self.counted | (self.within_bounds & self.coarsened.is_informative)

    @property
    def totals_within_bounds(self) -> BoolArray:
        """Authorities whose total enters the likelihood as bounds, not as a number, (J,)."""
        size = len(self.authority)
        if self.coarsened_totals is None:
            return np.zeros(size, dtype=bool)
        exposed = np.bincount(self.authority_of_area, self.exposure, minlength=size) > 0
        return self.coarsened_totals.is_interval & exposed

    @property
    def totals_known(self) -> BoolArray:
        """Authorities of whose total the likelihood knows anything, a number or bounds, (J,)."""
        exact = ~np.isnan(self.total_events)
        if self.coarsened_totals is None:
            return exact
        return exact | (self.totals_within_bounds & self.coarsened_totals.is_informative)

    @property
    def has_both(self) -> BoolArray:
        """Authorities with a total beside counts of their areas within bounds, (J,)."""
        own = np.bincount(self.authority_of_area, self.within_bounds, minlength=len(self.authority))
        return self.totals_known & (own > 0)

    @property
    def authority_of_locality(self) -> IntArray:
        """Position of each locality's authority."""
        found = np.zeros(len(self.locality), dtype=np.int64)
        found[self.locality_of_area] = self.authority_of_area[: len(self.locality_of_area)]
        return found

    @property
    def event_bounds(self) -> tuple[FloatArray, FloatArray]:
        """Bounds of each area's count in the likelihood, equal where counted, else NaN, (n,)."""
        known = np.where(self.counted, self.events, np.nan)
        if self.coarsened is None:
            return known, known
        within = self.within_bounds
        return (
            np.where(within, self.coarsened.low, known),
            np.where(within, self.coarsened.high, known),
        )

    @property
    def total_bounds(self) -> tuple[FloatArray, FloatArray]:
        """Bounds of each authority's total in the likelihood, equal where known, else NaN, (J,)."""
        known = self.total_events
        if self.coarsened_totals is None:
            return known, known
        within = self.totals_within_bounds
        return (
            np.where(within, self.coarsened_totals.low, known),
            np.where(within, self.coarsened_totals.high, known),
        )

    @property
    def number_of_events(self) -> str:
        """Events in the likelihood, as text: their number, or the bounds of it."""
        low, high = self.event_bounds
        own = np.bincount(self.authority_of_area, ~np.isnan(low), minlength=len(self.authority))
        # A total beside counts of its own areas is of the same events.
        least, most = (
            np.nansum(of_areas) + np.nansum(of_authorities[own == 0])
            for of_areas, of_authorities in zip((low, high), self.total_bounds, strict=True)
        )
        if least == most:
            return f"{int(least):,}"
        return f"{int(least):,}-{int(most):,}" if np.isfinite(most) else f"{int(least):,} or more"

    def __post_init__(self) -> None:
        for value in vars(self).values():
            if isinstance(value, np.ndarray):
                value.setflags(write=False)

    def __repr__(self) -> str:
        within = self.within_bounds
        totals = ~np.isnan(self.total_bounds[0])
        with_data = totals.copy()
        with_data[self.authority_of_area[self.counted | within]] = True
        bounds = f"areas within bounds: {int(within.sum()):,}, " if within.any() else ""
        return (
            f"Areas({len(self.area):,} areas, {len(self.authority):,} authorities, "
            f"{self.number_of_events} events; areas counted: {int(self.counted.sum()):,}, "
            f"{bounds}authority totals: {int(totals.sum()):,}, "
            f"authorities without data: {int((~with_data).sum()):,}"
            f"{'' if self.has_deprivation else '; without deprivation'})"
        )

    def _repr_html_(self) -> str:
        return heading(repr(self)) + frame_table(self.report, caption="What became of the rows")

    def __str__(self) -> str:
        # One screen: a reason that names a hundred authorities is whole in `report` only.
        rows = [
            f"{row.step:<24} {row.rows:>9,} {row.authorities:>11,}  {shorten(str(row.reason), 48)}"
            for row in self.report.itertuples()
        ]
        head = f"{'step':<24} {'rows':>9} authorities  reason"
        return "\n".join([repr(self), head, *rows, *ledger_lines(self.ledger)])

    @classmethod
    def from_frame(
        cls,
        frame: object,
        *,
        area: str,
        authority: str,
        deprivation: str | None = None,
        children: str,
        events: str | None = None,
        exposure: str | None = None,
        totals: Mapping[Any, Any] | pd.Series[Any] | None = None,
        coarsening: Coarsening | None = None,
        totals_coarsening: ColumnRule | None = None,
        authority_means: Mapping[Any, float] | pd.Series[Any] | None = None,
        national_mean: float | None = None,
        per: float = 0.10,
        missing_events: Literal["refuse", "leave out"] = "refuse",
        zero_exposure: Literal["refuse", "leave out"] = "refuse",
        complete: bool | None = None,
        total_rows: Literal["refuse", "keep"] = "refuse",
        covariates: Sequence[str] = (),
        authority_covariates: object = None,
        locality: str | None = None,
        region: str | None = None,
        names: Names | None = None,
        ledger: object = None,
    ) -> Self:
        """Check a table of areas, one row each, and keep what the model needs.

        Parameters
        ----------
        frame
            A pandas DataFrame, or any table with a ``to_pandas`` method (polars, pyarrow). The
            order of the rows and the index do not matter.
        area, authority
            Columns of labels: text or whole numbers, none missing. Spellings that a reader cannot
            tell apart (case, spaces, accents of their own ...) are refused.
        deprivation
            Column of deprivation, proportion 0-1 (IDACI: 0.25, not 25). Without one, areas serve
            ``GradientModel(areas, deprivation="none")``, and nothing is said along deprivation.
        children
            Column of children, zero or more: the weights of every mean.
        events
            Column of neighbourhood counts, if there are any.
        exposure
            Column of the rate's denominator; children if not named. It may be another stage's
            events, closed cases, or child-months.
        totals
            Counts by authority label, for authorities known only as a total, whose areas must all
            be in the table. With ``events`` too, their areas must have missing counts, or counts
            that ``coarsening`` says are suppressed or rounded: then they have to add up.
        coarsening
            How the column of events was suppressed or rounded before it was published, one of
            `socgrad.coarsening`: ``Suppressed({"c": (1, 5)})``, with ``others=Rounded(5)`` where
            the other counts are rounded; ``Rounded(5)``; ``MidpointRounded(6)``; or
            ``Bounds("low", "high")``, two columns in its place or beside it. What is known of each
            count enters the likelihood; nothing is filled in. ``Exact()`` says that counts are as
            they were counted.
        totals_coarsening
            The same for ``totals``.
        authority_means
            Child-weighted mean deprivation m by authority label, proportion 0-1, for a table that
            holds a sample of areas. Every authority of the table needs one; others are ignored.
        national_mean
            Child-weighted national mean deprivation c, proportion 0-1.
        per
            Step of deprivation for every rate ratio, proportion above 0, up to 1.
        missing_events
            Refuse counts that are missing (or c, x, z, : or blank), or leave those areas out of the
            likelihood. An authority in neither ``events`` nor ``totals`` has missing counts too.
            Leaving out assumes that being unknown has nothing to do with the count. Suppressed
            counts (1-5; marked ``c``, ``*``, ``low`` ...) are not so: in a simulated England,
            leaving them out moved the contextual ratio of plans from 0.725 to 0.942. Say in
            ``coarsening`` what their marks hide.
        zero_exposure
            Refuse areas with zero exposure, or leave them out of the likelihood.
        complete
            True: every area of each authority is in the table. False: it is a sample, and
            ``authority_means`` is needed. None: warn when the table looks like a sample.
        total_rows
            Rows that look like totals of others (a nation, regions, an authority's own): "refuse"
            them, by their children and their events, names or deprivation; or "keep" all rows,
            because each is an area.
        covariates
            Further columns that the formulas of `GradientModel` may name: numbers, text or
            categories, none missing. Text that is all numbers is read as numbers; categories
            keep their order, and the first is what the others are compared with. Those that are
            one value in each authority serve as authority covariates too.
        authority_covariates
            A table of authorities, one row each, whose columns the formulas for authorities may
            name. Its index, or a column named as in ``authority``, holds their labels.
        locality
            Column of labels of a level between areas and authorities, such as the MSOA of each
            LSOA, for ``GradientModel(areas, localities=True)``. Each lies in one authority.
        region
            Column of labels of a level above authorities, one for all rows of an authority, for
            ``GradientModel(areas, regions=True)``.
        names
            Official names, for tables and figures; labels stay what numbers are matched by. By
            "authority" or "area": a column of the table, or a mapping or Series by label, as
            ``names={"authority": "utla19nm"}``. One for each, no two alike.
        ledger
            The ledger of `returns.count`, if events or exposure come from it: its rows for these
            columns are held against their sums, and go with the report and with the fit.

        Returns
        -------
        Areas
            Sorted by authority label, then area label.

        Raises
        ------
        TableError
            If the table is not what the model needs; the message says where and what to do.

        Warns
        -----
        SampleOfAreasWarning
            If the median reliability of the authority means is below 0.9.
        SuppressionWarning
            If counts with a mark of suppression that was not declared are left out.
        CoarsenedCountsWarning
            If ``coarsening`` is not given and the counts look suppressed, rounded or without their
            zeros: what it looks like, how far that moves the gradient, and what declares it. If it
            says what marks hide, and the numbers beside them look rounded.
        SocgradWarning
            If children are the exposure, and an area of 100 or more has over 5 events for each, or
            a total exceeds them; if an area has as many children as all others, and nothing else
            says that it is a total; if given means lie far from the table's areas; if a label has
            letters of another alphabet.

        Notes
        -----
        Over all areas i of authority j, also those without events or exposure, with children C and
        deprivation x: ``m_j = sum(C_i * x_i) / sum(C_i)``; the national mean c is the same sum over
        every area. With ``authority_means`` and no ``national_mean``, c is their mean, weighted by
        the children in the table. Areas left out of the likelihood stay in these means, so that
        two outcomes of one table share them.

        References
        ----------
        Lüdtke et al. (2008), https://doi.org/10.1037/a0012869, on means from a sample of areas.

        Examples
        --------
        >>> frame = pd.DataFrame(
        ...     {
        ...         "lsoa": ["E01", "E02", "E03", "E04"],
        ...         "la": ["Ashby", "Ashby", "Barton", "Barton"],
        ...         "idaci": [0.05, 0.15, 0.25, 0.45],
        ...         "children": [400, 400, 300, 300],
        ...         "plans": [1, 2, 2, 4],
        ...     }
        ... )
        >>> areas = Areas.from_frame(
        ...     frame, area="lsoa", authority="la", deprivation="idaci", children="children",
        ...     events="plans", complete=True,
        ... )
        >>> areas  # doctest: +ELLIPSIS
        Areas(4 areas, 2 authorities, 9 events; areas counted: 4, authority totals: 0, ...)
        >>> areas.authority_mean
        array([0.1 , 0.35])
        """
        check_arguments(
            per=per,
            national_mean=national_mean,
            missing_events=missing_events,
            zero_exposure=zero_exposure,
            complete=complete,
            total_rows=total_rows,
            authority_means=authority_means,
            coarsening=coarsening,
            totals_coarsening=totals_coarsening,
            has_events=events is not None,
            has_totals=totals is not None,
            has_deprivation=deprivation is not None,
        )
        optional = {
            "deprivation": deprivation,
            "events": events,
            "locality": locality,
            "region": region,
        }
        roles = {
            "area": area,
            "authority": authority,
            "children": children,
            "exposure": children if exposure is None else exposure,
        }
        roles |= {role: name for role, name in optional.items() if name is not None}
        check_roles(roles | bounds_roles(coarsening))
        table = as_pandas(frame)
        columns = {role: column(table, name, role=role) for role, name in roles.items()}
        where = {role: f"Column {name!r} ({role})" for role, name in roles.items()}
        unsorted = labels(columns.pop("area"), where=where["area"])
        code, authorities = coded_labels(columns.pop("authority"), where=where["authority"])
        authorities = authorities.rename("authority")
        order = sorted_rows(unsorted, code, authorities, roles)
        keys, group, size = unsorted[order].rename("area"), code[order], len(authorities)
        levels = {role: columns.pop(role) for role in LEVELS if role in columns}
        nested = nested_levels(levels, where, order, group, authorities)
        number = {
            role: numbers(values.iloc[order], keys, where=where[role])
            for role, values in columns.items()
            if role != "events"
        }
        for role, held in number.items():
            check_known(held, keys, where=where[role])
        x, weights = number.get("deprivation", np.zeros(len(keys))), number["children"]
        if deprivation is not None:
            check_proportion(x, keys, where=where["deprivation"])
            check_no_percentiles(x, where=where["deprivation"])

        read = count_column(
            table, events, coarsening, order=order, area=keys, authority_of_area=group
        )
        whole, hidden_totals = given_totals(
            {} if totals is None else totals, authorities, totals_coarsening or Exact()
        )
        number["events"] = read.published.shown
        check_no_totals(number, keys, group, authorities, roles, keep=total_rows == "keep")
        if events is not None and roles["exposure"] == roles["children"]:
            warn_if_more_events(number["events"], number["children"], keys, roles)
        known = known_counts(
            read.published,
            whole,
            suppressed_events=read.suppressed,
            suppressed_totals=hidden_totals,
            marks=read.marks,
            others=coarsening if isinstance(coarsening, Rounded | MidpointRounded) else Exact(),
            exposure=number["exposure"],
            area=keys,
            authority=authorities,
            authority_of_area=group,
            leave_out_missing=missing_events == "leave out",
            leave_out_zero_exposure=zero_exposure == "leave out",
            events_name=events,
            exposure_name=roles["exposure"],
        )

        if events is not None:
            alone = np.isnan(whole.counts.low)[group]
            warn_if_coarsened(read, number["exposure"], alone, events=events, rule=coarsening)

        own = area_covariates(table, covariates, keys=keys, order=order)
        theirs = pd.DataFrame(index=authorities)
        if authority_covariates is not None:
            theirs = authority_covariate_table(
                authority_covariates, authorities, authority=authority, taken=own.columns.tolist()
            )

        total = np.bincount(group, weights=weights, minlength=size)
        refuse(
            total == 0,
            authorities,
            f"{where['children']} is 0 in all areas of authorities",
            "Means over an authority are weighted by children, so they cannot be known.",
        )
        mean = weighted_means(x, weights, group, size)
        own_mean = mean if complete and authority_means is not None else None
        if authority_means is not None:
            mean = given_means(authority_means, authorities)
        centre = float(np.average(mean, weights=total)) if national_mean is None else national_mean
        if roles["exposure"] == roles["children"]:
            warn_if_larger_totals(whole.shown, total, authorities, roles)
        if deprivation is not None:
            warn_of_means(mean, national_mean, x, group, authorities, own=own_mean)
            check_estimable(x, mean, group, where=where["deprivation"])
            if complete is None and authority_means is None:
                warn_if_sample(x, weights, group, size)
        return cls(
            area=keys,
            authority=authorities,
            authority_of_area=group,
            deprivation=x,
            children=weights,
            exposure=number["exposure"],
            events=read.published.counts.exact,
            counted=known.counted,
            total_events=known.total_events,
            authority_mean=mean,
            national_mean=float(centre),
            per=float(per),
            names={"events": str(getattr(totals, "name", None) or "events"), **roles},
            report=known.report,
            covariates=own,
            authority_covariates=theirs,
            ledger=own_ledger(ledger, _sums(roles, number["exposure"], read.published.counts)),
            sources=source_notes(frame, totals, authority_covariates),
            coarsened=read.published.counts if read.published.counts.kernels else None,
            coarsened_totals=whole.counts if whole.counts.kernels else None,
            **nested,
            **official_names(
                names, table, order=order, area=keys, authority=authorities, authority_of_area=group
            ),
        )


def _sums(
    names: Mapping[str, str], exposure: FloatArray, counts: CoarsenedCounts
) -> dict[str, tuple[float, float]]:
    """Bounds of the sums over areas of events and of exposure, by the caller's names."""
    found = {}
    if "events" in names:
        found[names["events"]] = float(np.nansum(counts.low)), float(np.nansum(counts.high))
    return found | {names["exposure"]: (float(exposure.sum()), float(exposure.sum()))}
