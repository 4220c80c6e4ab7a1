"""A simulated England in which children flow through the stages: its tables and its truth."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from socgrad.arrays import FloatArray, IntArray
from socgrad.simulation.expected import Expected, check_by
from socgrad.simulation.groups import GROUPS
from socgrad.simulation.pathway import PATHWAY
from socgrad.simulation.projection import fixed_part, lines

__all__ = ["OUTCOMES", "SOURCES", "Flow", "count"]

#: Columns of events, and the exposure that each is usually set against.
OUTCOMES: Final[Mapping[str, str]] = {
    **dict.fromkeys(PATHWAY, "children"),
    "open_after": "children",
    "rereferral": "closed_last_year",
    "repeat_plan": "child_protection_plan",
    "closed": "months_open",
}
#: The table of cases that each column is counted in.
SOURCES: Final = {
    **dict.fromkeys((*PATHWAY, "repeat_plan"), "referrals"),
    **dict.fromkeys(("closed_last_year", "rereferral"), "closures"),
    **dict.fromkeys(("open_before", "months_open", "closed", "open_after"), "episodes"),
}


@dataclass(frozen=True, eq=False)
class Flow:
    """A simulated England, case by case, and everything that made it.

    Parameters
    ----------
    frame
        One row per area: `area`, `authority`, `region`, `children`, `deprivation` (proportion), a
        column of counts for each stage, and those of ends and returns: `closed_last_year` (cases
        closed in the year before), `rereferral` (of these, referred again within twelve months),
        `repeat_plan` (plans started that are not the child's first), `open_before` and
        `open_after` (cases of need open when the year begins and ends), `months_open`
        (case-months open in the year) and `closed` (cases closed in it).
    referrals, closures, episodes
        One row per case: `area`, `age`, `ethnicity`, `need`, and whether it is counted in each
        column; plans have a `category` of abuse.
    truth
        One row per column of `OUTCOMES`, as `truth_of` gives it.
    effects
        One row per column of `OUTCOMES` and authority, as `effects_of` gives it.
    expected
        Expected numbers by area and group.
    correlations
        Of an authority's effects at two stages: the same for level and slope, by pair of stages.
    capped
        Share of each stage's expected events that a probability above 1 lost.
    national_mean
        Child-weighted national mean deprivation, proportion.
    per
        Step of deprivation, proportion.
    random_seed
        The seed given.
    """

    frame: pd.DataFrame
    referrals: pd.DataFrame
    closures: pd.DataFrame
    episodes: pd.DataFrame
    truth: pd.DataFrame
    effects: pd.DataFrame
    expected: Expected
    correlations: pd.DataFrame
    capped: Mapping[str, float]
    national_mean: float
    per: float
    random_seed: int

    def long(self, *by: str) -> pd.DataFrame:
        """Return counts by area and group, one row each, also where there are none.

        Parameters
        ----------
        by
            Some of ``"age"``, ``"ethnicity"``, ``"need"`` and ``"category"`` (of abuse).

        Returns
        -------
        pandas.DataFrame
            Rows by area and group; columns `area`, `authority`, `region`, `deprivation`,
            `children` (of the area: the weights of means), the groups, `group_children` (the
            group's own children, an exposure; need and category are the case's, so that all
            children of the area count) and the columns of `frame`. By category there are plans
            alone, since no other stage has one.
        """
        by = check_by(by)
        wide = self.frame[["area", "authority", "region", "deprivation", "children"]]
        sizes = [len(GROUPS[name]) for name in by]
        cells = int(np.prod(sizes))
        table = wide.loc[wide.index.repeat(cells)].reset_index(drop=True)
        for axis, name in enumerate(by):
            code = np.tile(
                np.repeat(np.arange(sizes[axis]), int(np.prod(sizes[axis + 1 :]))),
                len(wide) * int(np.prod(sizes[:axis])),
            )
            table[name] = pd.Categorical.from_codes(code, pd.Index(GROUPS[name]))
        table["group_children"] = self.expected.column("children", by).astype(np.int64).ravel()
        for name in ("child_protection_plan", "repeat_plan") if "category" in by else SOURCES:
            cases: pd.DataFrame = getattr(self, SOURCES[name])
            cell = cases["area"].cat.codes.to_numpy().astype(np.int64)
            for dimension, size in zip(by, sizes, strict=True):
                cell = cell * size + cases[dimension].cat.codes.to_numpy()
            table[name] = count(cases, name, cell, len(table))
        return table

    def truth_of(
        self, events: str, *, exposure: str = "children", by: Sequence[str] = ()
    ) -> pd.DataFrame:
        """Return the true line of an average authority.

        Parameters
        ----------
        events, exposure
            Columns of the table.
        by
            Dimensions of groups, as in `long`; a row for each group, one row if there are none.

        Returns
        -------
        pandas.DataFrame
            Columns `intercept`, `within`, `between`, `cross_level` and `contextual`
            (between less within), log scale, per step; indexed by group.

        Notes
        -----
        Over all children, expected events over expected exposure are exactly log-linear: for every
        stage, for a stage over another one, and for a return over its cases. There these are the
        numbers simulated with. Rates of one group, and all rates with a `bend`, are not quite; then
        these are the parameters that the model comes to with ever more data: each authority's own
        line is the Poisson projection of its expected events (no noise, no authority effects), and
        the average is the least squares line of these over the authorities' mean deprivation.
        """
        by = check_by(by)
        numbers = [self.expected.column(name, by, effects=False) for name in (events, exposure)]
        rows = []
        for mean, size in zip(*(_by_cell(values) for values in numbers), strict=True):
            fixed = fixed_part(mean, size, self.expected.parts)
            rows.append(vars(fixed) | {"contextual": fixed.between - fixed.within})
        return pd.DataFrame(rows, index=_cells(by, events))

    def effects_of(
        self, events: str, *, exposure: str = "children", by: Sequence[str] = ()
    ) -> pd.DataFrame:
        """Return every authority's own true line, as `truth_of` has the average one.

        Parameters
        ----------
        events, exposure, by
            As in `truth_of`.

        Returns
        -------
        pandas.DataFrame
            One row per group and authority: the groups, `authority`, `authority_mean`
            (proportion), `between_part`, `level_effect`, `slope_effect`, `level` (log rate at the
            authority's mean deprivation), `slope` (log rate ratio per step) and `gradient`.
        """
        by, parts = check_by(by), self.expected.parts
        truth = self.truth_of(events, exposure=exposure, by=by)
        numbers = [self.expected.column(name, by) for name in (events, exposure)]
        tables = []
        for row, (mean, size) in enumerate(
            zip(*(_by_cell(values) for values in numbers), strict=True)
        ):
            level, slope, _ = lines(mean, size, parts)
            line = truth.iloc[row]
            b = parts.between_part
            tables.append(
                pd.DataFrame(
                    {
                        "authority": parts.authorities,
                        "authority_mean": parts.authority_mean,
                        "between_part": b,
                        "level_effect": level - line["intercept"] - line["between"] * b,
                        "slope_effect": slope - line["within"] - line["cross_level"] * b,
                        "level": level,
                        "slope": slope,
                        "gradient": np.exp(slope),
                    }
                )
            )
        for position, name in enumerate(reversed(by), start=1):
            for key, table in zip(truth.index, tables, strict=True):
                table.insert(0, name, key[-position] if len(by) > 1 else key)
        return pd.concat(tables, ignore_index=True)


def count(cases: pd.DataFrame, name: str, cell: IntArray, cells: int) -> IntArray | FloatArray:
    """Sum a column of cases over cells; a number of cases is whole, months are not."""
    values = cases[name].to_numpy()
    if values.dtype == bool:
        whole: IntArray = np.bincount(cell[values], minlength=cells)
        return whole
    months: FloatArray = np.bincount(cell, weights=values, minlength=cells)
    return months


def _by_cell(values: FloatArray) -> Iterator[FloatArray]:
    """Each group's numbers over the areas, groups in the order of their table."""
    yield from values.reshape(len(values), -1).T


def _cells(by: Sequence[str], events: str) -> pd.Index:
    """Labels of the groups, in the order of `_by_cell`."""
    if not by:
        return pd.Index([events], name="events")
    if len(by) == 1:
        return pd.Index(GROUPS[by[0]], name=by[0])
    return pd.MultiIndex.from_product([GROUPS[name] for name in by], names=list(by))
