"""A panel: counts of the same areas in several years, with deprivation and children of each year.

What a year's table needs is checked by the door of `Areas`, by year; here is what years add: that
places are the same, what deprivation is measured from, and where years are not comparable.
"""

from __future__ import annotations  # pandas' own classes are not generic at run time

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal, Self

import numpy as np
import pandas as pd

from socgrad.arrays import FloatArray
from socgrad.coarsening.columns import Coarsening, ColumnRule
from socgrad.door.by_authority import totals_by_stratum
from socgrad.door.table_checks import as_pandas
from socgrad.errors import SocgradWarning, TableError
from socgrad.table.areas import Areas
from socgrad.table.count_columns import check_rules, own_rule
from socgrad.table.long_tables import with_absent
from socgrad.table.mean_changes import with_mean_change
from socgrad.table.official_names import Names
from socgrad.table.stage_tables import refuse_strangers
from socgrad.table.strata import Relation, Strata
from socgrad.table.yearly_tables import YearlyTables, yearly_tables
from socgrad.within_between import weighted_means

__all__ = ["Panel"]

type Totals = Mapping[Any, Mapping[Any, Any] | pd.Series[Any]]
type Means = Literal["period", "year"]

_PACKAGE: Final = (str(Path(__file__).parents[1]),)


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Panel(Strata):
    """Years of one set of areas: an ordered mapping from year to its `Areas`.

    Make one with `Panel.from_frame`, which checks all that a model relies on.

    Parameters
    ----------
    tables
        `Areas` of each year, by year, in order.
    breaks
        First years of what is not comparable with the years before, after the first year.
    index
        Name of the index of deprivation of each year; empty where none was named.

    Raises
    ------
    TableError
        If labels are no whole years in order, or the years are not over the same places.
    """

    relation: Relation = "years"
    breaks: tuple[int, ...] = ()
    index: Mapping[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.relation != "years":
            raise TableError(
                f"A panel has relation='years', not {self.relation!r}. Make one with "
                "Panel.from_frame; stages and groups are Strata."
            )
        super().__post_init__()
        years = list(self.tables)
        if not all(isinstance(year, int) for year in years) or sorted(years) != years:
            raise TableError(
                f"The years of a panel are {', '.join(map(str, years[:6]))}. Expected whole "
                "numbers in order, such as 2018, 2019, 2020."
            )
        if strangers := [year for year in self.breaks if not years[0] < year <= years[-1]]:
            raise TableError(
                f"breaks name {', '.join(map(str, strangers))}. Expected years after {years[0]}, "
                f"up to {years[-1]}: the first of what is not comparable with the years before."
            )
        object.__setattr__(self, "breaks", tuple(sorted({int(year) for year in self.breaks})))
        object.__setattr__(self, "index", MappingProxyType(dict(self.index)))

    def __str__(self) -> str:
        lines = [Strata.__str__(self).replace("stratum", "year   ", 1)]
        if self.breaks:
            lines.append(f"breaks before {', '.join(map(str, self.breaks))}")
        return "\n".join(lines)

    @classmethod
    def from_frame(
        cls,
        frame: object,
        *,
        year: str,
        area: str,
        authority: str,
        deprivation: str,
        children: str,
        events: str | None = None,
        exposure: str | None = None,
        totals: Totals | None = None,
        coarsening: Coarsening | Mapping[int, Coarsening] | None = None,
        totals_coarsening: ColumnRule | Mapping[int, ColumnRule] | None = None,
        authorities: Literal["same"] | int = "same",
        means: Means = "period",
        mean_change: str | None = None,
        centre: int | None = None,
        index: str | Mapping[int, str] | None = None,
        breaks: Sequence[int] = (),
        per: float = 0.10,
        missing_rows: Literal["refuse", "leave out"] = "refuse",
        missing_events: Literal["refuse", "leave out"] = "refuse",
        zero_exposure: Literal["refuse", "leave out"] = "refuse",
        complete: bool | None = None,
        total_rows: Literal["refuse", "keep"] = "refuse",
        covariates: Sequence[str] = (),
        authority_covariates: object = None,
        locality: str | None = None,
        region: str | None = None,
        names: Names | None = None,
    ) -> Self:
        """Check a long table, one row for each area and year.

        Parameters
        ----------
        frame, area, authority, deprivation, children, events, exposure
            As in `Areas.from_frame`; each may differ between years, but for the area's authority.
        year
            Column of whole years. A year that is missing keeps the others' distance.
        totals
            Counts by authority label, for each year that has any: ``{year: {authority: count}}``.
        coarsening, totals_coarsening
            As in `Areas.from_frame`: one for all years, or one for each, ``{year: ...}``.
        authorities
            "same": an area has one authority in all of its rows. A year: every area has the
            authority that it has in that year, as after a reorganisation; areas keep their counts.
        means
            Where within parts are measured from. "period": the authority's mean over all years of
            one index of deprivation, so that an authority whose own mean moves does not seem to
            drift. "year": the authority's mean of each year.
        mean_change
            A name for how far each authority's mean deprivation of the year is from the mean that
            within parts are measured from, in steps of `per`: an authority covariate, for
            ``authority_covariates="~ name"``, whose coefficient is what a change of an authority's
            own mean does to the rates of all its neighbourhoods, whatever their own deprivation.
            Needs ``means="period"``, and means that change.
        centre
            Year whose national mean is the centre of between parts in all years. By default the
            national mean of the period, or of each year, as `means` says.
        index
            Column with the name of each year's index of deprivation, or a mapping from year to it.
            The first year of another index is a break, and has means of its own.
        breaks
            Further years from which on counts are not comparable with those before.
        per, missing_events, zero_exposure, complete, total_rows
            As in `Areas.from_frame`, for all years.
        missing_rows
            An area without a row for a year: refuse it, or "leave out" of that year's likelihood,
            with a report; its deprivation and children are those of the nearest year.
        covariates, authority_covariates, locality, region, names
            As in `Areas.from_frame`. Area covariates may differ between years; the others are the
            same in all rows of an area.

        Returns
        -------
        Panel
            One `Areas` per year, each with all areas.

        Raises
        ------
        TableError
            If the table is not what the model needs; the message names the year where it is of one.

        Warns
        -----
        SocgradWarning
            If deprivation changes between some years and not between others, as where an index was
            published anew, and `index` is not given.
        SampleOfAreasWarning, SuppressionWarning, CoarsenedCountsWarning
            As in `Areas.from_frame`.

        Notes
        -----
        With ``means="period"`` the model of year t is ::

            log rate_it = level_jt + slope_jt (x_it - m_j) / per

        with m_j over all years of one index, weighted by children. An authority that becomes more
        deprived by d then has higher rates by ``slope * d``: its average child lives in a more
        deprived neighbourhood. What else goes with such a change has a coefficient of its own with
        `mean_change`. With ``means="year"`` that is a part of its level, and of its drift.

        Examples
        --------
        >>> import pandas as pd
        >>> from socgrad.table.panel import Panel
        >>> frame = pd.DataFrame(
        ...     {
        ...         "lsoa": ["E01", "E02", "E03", "E04"] * 2,
        ...         "la": ["Ashby", "Ashby", "Barton", "Barton"] * 2,
        ...         "year": [2019] * 4 + [2020] * 4,
        ...         "idaci": [0.05, 0.15, 0.25, 0.45] * 2,
        ...         "children": [400, 400, 300, 300, 410, 390, 310, 290],
        ...         "plans": [1, 2, 2, 4, 2, 2, 3, 4],
        ...     }
        ... )
        >>> panel = Panel.from_frame(
        ...     frame, year="year", area="lsoa", authority="la", deprivation="idaci",
        ...     children="children", events="plans", complete=True,
        ... )
        >>> panel
        Panel(2 years: 2019, 2020; 4 areas, 2 authorities)
        """
        given = totals_by_stratum(totals)
        check_rules(coarsening, argument="coarsening", bounds=True)
        check_rules(totals_coarsening, argument="totals_coarsening", bounds=False)
        _check_options(means, missing_rows)
        parts = yearly_tables(
            as_pandas(frame),
            year=year,
            area=area,
            authority=authority,
            deprivation=deprivation,
            children=children,
            exposure=exposure,
            events=events,
            coarsening=coarsening,
            authorities=authorities,
            index=index,
            missing_rows=missing_rows,
            fixed={"locality": locality, "region": region},
        )
        for name, named in (
            ("totals", given),
            ("coarsening", coarsening),
            ("totals_coarsening", totals_coarsening),
        ):
            refuse_strangers(name, named if isinstance(named, Mapping) else {}, parts.frames)
        tables: dict[int, Areas] = {}
        for label, table in parts.frames.items():
            excused = len(parts.absent[label]) > 0
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
                    coarsening=own_rule(coarsening, label, there=events is not None),
                    totals_coarsening=own_rule(totals_coarsening, label, there=label in given),
                    per=per,
                    missing_events=missing_events,
                    zero_exposure="leave out" if excused else zero_exposure,
                    complete=True if tables and complete is None else complete,
                    total_rows=total_rows,
                    covariates=covariates,
                    authority_covariates=authority_covariates,
                    locality=locality,
                    region=region,
                    names=names,
                )
                tables[label] = with_absent(
                    made,
                    parts.absent[label],
                    missing_rows,
                    refuse_idle=excused and zero_exposure == "refuse",
                )
        tables = _centred(tables, parts, means, centre)
        if mean_change is not None:
            tables = with_mean_change(tables, mean_change, means)
        if not parts.index:
            _warn_of_new_index(tables)
        found = {*breaks, *parts.new_index}
        return cls(tables=tables, breaks=tuple(sorted(found)), index=parts.index)


def _centred(
    tables: dict[int, Areas], parts: YearlyTables, means: Means, centre: int | None
) -> dict[int, Areas]:
    """The same with the means that within and between parts are measured from."""
    if centre is not None and centre not in tables:
        raise TableError(
            f"centre={centre!r} is no year of this table. Expected one of "
            f"{', '.join(map(str, tables))}."
        )
    if centre is not None and parts.new_index:
        raise TableError(
            f"centre={centre} would be the national mean of all years, and the index of "
            f"deprivation changes in {', '.join(map(str, parts.new_index))}: means of two indices "
            "are not on one scale. Leave centre out."
        )
    made = {}
    for stretch in parts.stretches:
        every = [tables[year] for year in stretch]
        anchor, middle = _means(every)
        for year, areas in zip(stretch, every, strict=True):
            own = areas.authority_mean if means == "year" else anchor
            nation = areas.national_mean if means == "year" else middle
            nation = nation if centre is None else tables[centre].national_mean
            made[year] = replace(areas, authority_mean=own.copy(), national_mean=nation)
    return made


def _means(every: Sequence[Areas]) -> tuple[FloatArray, float]:
    """Mean deprivation of each authority and of all, over several years, weighted by children."""
    x, weights = (
        np.concatenate([getattr(each, name) for each in every])
        for name in ("deprivation", "children")
    )
    of = np.concatenate([each.authority_of_area for each in every])
    return weighted_means(x, weights, of, len(every[0].authority)), float(
        np.average(x, weights=weights)
    )


def _warn_of_new_index(tables: Mapping[int, Areas]) -> None:
    years = list(tables)
    share = {
        after: float(np.mean(tables[after].deprivation != tables[before].deprivation))
        for before, after in pairwise(years)
    }
    new = [year for year, changed in share.items() if changed > 0.5]
    if new and len(new) < len(share):
        warnings.warn(
            f"Deprivation of most areas changes in {', '.join(map(str, new))} and in no other "
            "year, as where an index was published anew. Changes of the index are then read as "
            "changes of the places. Name each year's index, index={2018: 'IDACI 2015', ...}: its "
            "first year is then a break. If places did change, name one index for all years.",
            SocgradWarning,
            skip_file_prefixes=_PACKAGE,
        )


def _check_options(means: str, missing_rows: str) -> None:
    for name, value, allowed in (
        ("means", means, ("period", "year")),
        ("missing_rows", missing_rows, ("refuse", "leave out")),
    ):
        if not isinstance(value, str) or value not in allowed:
            raise TableError(
                f"{name}={value!r} is unknown. Expected {' or '.join(map(repr, allowed))}."
            )


@contextmanager
def _named(year: int) -> Iterator[None]:
    """Name the year whose table is refused."""
    try:
        yield
    except TableError as error:
        raise TableError(f"Year {year}: {error}") from error
