"""From the neighbourhoods of one census to those of another, without losing a child."""

from __future__ import annotations  # pandas' own classes are not generic at run time

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from socgrad.arrays import FloatArray, IntArray
from socgrad.door.number_checks import check_known, check_whole
from socgrad.door.table_checks import refuse
from socgrad.errors import SpecificationError, TableError
from socgrad.places.codes import codes, refuse_unmatched
from socgrad.places.text_tables import find_column, number_column, read_text_table

__all__ = ["Crosswalk", "read_crosswalk"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Crosswalk:
    """Shares of the children of each area of one census that live in each area of another.

    Make one with `read_crosswalk`.

    Parameters
    ----------
    origin, target
        Codes of the areas that tables come with, and of those that they are brought to.
    weights
        Shares, (target, origin), sparse; every column sums to 1.
    year
        Year of the children by whom the shares were made.
    unit_of_origin, unit_of_target
        Position of the smallest unit that is whole in both censuses.
    unit
        Labels of these units: the one area's code, on the side where it is one; else all codes of
        the target, joined by +.
    """

    origin: pd.Index[Any]
    target: pd.Index[Any]
    weights: sparse.csr_array
    year: int
    unit: pd.Index[Any]
    unit_of_origin: IntArray
    unit_of_target: IntArray

    def __repr__(self) -> str:
        split = int((np.bincount(self.weights.nonzero()[1]) > 1).sum())
        return (
            f"Crosswalk({len(self.origin):,} to {len(self.target):,} areas by children of "
            f"{self.year}; split: {split:,}; units whole in both: {len(self.unit):,})"
        )

    def children(
        self,
        children: pd.Series[Any],
        *,
        year: int,
        other_year: Literal["refuse", "allow"] = "refuse",
    ) -> pd.Series[Any]:
        """Bring children to the areas of the target.

        Parameters
        ----------
        children
            Children of every area of the origin, by code.
        year
            Their year.
        other_year
            Refuse another year than that of the shares, or allow it, where none of that year is
            published for the target: new estates then count as if they had stood already.

        Returns
        -------
        pandas.Series
            By code of the target; its sum is that of `children`. Of areas that were split they may
            be fractions, as weights and exposures may.

        Raises
        ------
        TableError
            If areas are absent, or unknown to the crosswalk, or numbers missing.
        SpecificationError
            If the years differ.

        Examples
        --------
        >>> from socgrad.places.crosswalks import example_crosswalk
        >>> crosswalk = example_crosswalk()
        >>> crosswalk.children(pd.Series({"E01000001": 300.0, "E01000002": 400.0}), year=2021)
        E01000001    300.0
        E01000003    100.0
        E01000004    300.0
        Name: children, dtype: float64
        """
        if other_year not in {"refuse", "allow"}:
            raise SpecificationError(f"other_year={other_year!r}: expected 'refuse' or 'allow'.")
        if year != self.year and other_year == "refuse":
            raise SpecificationError(
                f"Children of {year}, and shares by children of {self.year}. Where estates were "
                "built between them, rates would be far off. Pass children of that year to "
                "read_crosswalk; where none are published, other_year='allow' goes on, and say so."
            )
        number = self._numbers(children, "children")
        return self._moved(number, "children")

    def deprivation(self, deprivation: pd.Series[Any], children: pd.Series[Any]) -> pd.Series[Any]:
        """Bring deprivation to the areas of the target, as a mean over children.

        Parameters
        ----------
        deprivation
            Proportion 0-1 of every area of the origin, by code.
        children
            Children of every area of the origin, by code.

        Returns
        -------
        pandas.Series
            By code of the target: ``x_t = sum_i w_ti C_i x_i / sum_i w_ti C_i``. Areas made from
            one alone have its deprivation; a split area gives its parts its own, since nothing
            tells them apart. Where no child lives, areas count equally.

        Interpretation
        --------------
        The mean over all children is the same before and after. Differences inside a split area are
        not seen: rather take deprivation as it is published for the new areas.

        Examples
        --------
        >>> from socgrad.places.crosswalks import example_crosswalk
        >>> crosswalk = example_crosswalk()
        >>> children = pd.Series({"E01000001": 300.0, "E01000002": 400.0})
        >>> deprivation = pd.Series({"E01000001": 0.1, "E01000002": 0.3})
        >>> crosswalk.deprivation(deprivation, children).tolist()
        [0.1, 0.3, 0.3]
        """
        x = self._numbers(deprivation, "deprivation")
        weight = self._numbers(children, "children")
        moved, total = self.weights @ (x * weight), self.weights @ weight
        linked = self.weights.copy()
        linked.data = np.ones_like(linked.data)
        bare = (linked @ x) / (linked @ np.ones(len(x)))
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.where(total > 0, moved / total, bare)
        return pd.Series(mean, index=self.target, name="deprivation")

    def counts(
        self, counts: pd.Series[Any], *, split: Literal["join", "refuse"] = "join"
    ) -> pd.Series[Any]:
        """Bring counts to units that are whole in both censuses; none is cut in fractions.

        Parameters
        ----------
        counts
            Whole numbers of every area of the origin, by code; missing ones stay missing.
        split
            Join areas of the target that were made of one split area to one unit, or refuse.

        Returns
        -------
        pandas.Series
            By label of the unit. A unit with an area whose count is missing has a missing count.

        Raises
        ------
        TableError
            If counts are fractions, areas absent, or ``split="refuse"`` and any was split.

        Examples
        --------
        >>> from socgrad.places.crosswalks import example_crosswalk
        >>> example_crosswalk().counts(pd.Series({"E01000001": 3, "E01000002": 7}))
        E01000001    3.0
        E01000002    7.0
        Name: counts, dtype: float64
        """
        if split not in {"join", "refuse"}:
            raise SpecificationError(f"split={split!r}: expected 'join' or 'refuse'.")
        number = self._numbers(counts, "counts", missing=True)
        check_whole(number, self.origin, where="counts")
        sizes = np.bincount(self.unit_of_target, minlength=len(self.unit))
        if split == "refuse":
            cut = sizes[self.unit_of_origin] > 1
            refuse(
                cut,
                self.origin,
                "Areas of the table are split in the other census",
                "Their counts belong to one part or the other, and nothing says which. "
                "split='join' counts in units that are whole in both.",
            )
        return self._summed(number, self.unit_of_origin, "counts")

    def join_units(
        self, values: pd.Series[Any], *, of: Literal["origin", "target"]
    ) -> pd.Series[Any]:
        """Sum children (of the origin or of the target) over the units that `counts` counts in.

        Parameters
        ----------
        values
            Children of every area, by code.
        of
            Which census these areas are of.

        Returns
        -------
        pandas.Series
            By label of the unit; its sum is that of `values`.

        Examples
        --------
        >>> from socgrad.places.crosswalks import example_crosswalk
        >>> children = pd.Series({"E01000001": 310, "E01000003": 100, "E01000004": 300})
        >>> example_crosswalk().join_units(children, of="target").tolist()
        [310.0, 400.0]
        """
        if of not in {"origin", "target"}:
            raise SpecificationError(f"of={of!r}: expected 'origin' or 'target'.")
        places = self.origin if of == "origin" else self.target
        position = self.unit_of_origin if of == "origin" else self.unit_of_target
        name = str(values.name or "children")
        return self._summed(_by_code(values, places, name), position, name)

    def balance(self, before: pd.Series[Any], after: pd.Series[Any]) -> pd.DataFrame:
        """Children (or counts) in and out, and the difference, in all and of split areas alone.

        Examples
        --------
        >>> from socgrad.places.crosswalks import example_crosswalk
        >>> crosswalk = example_crosswalk()
        >>> children = pd.Series({"E01000001": 300.0, "E01000002": 400.0})
        >>> crosswalk.balance(children, crosswalk.children(children, year=2021))
                         places in  places out     in    out  difference
        unchanged              1.0         1.0  300.0  300.0         0.0
        split or merged        1.0         2.0  400.0  400.0         0.0
        all                    2.0         3.0  700.0  700.0         0.0
        """
        given = self._numbers(before, "before", missing=True)
        sizes = np.bincount(self.unit_of_origin, minlength=len(self.unit))
        sizes = np.maximum(sizes, np.bincount(self.unit_of_target, minlength=len(self.unit)))
        of_units = len(after) == len(self.unit) and bool(after.index.isin(self.unit).all())
        labels, unit = (self.unit, np.arange(len(self.unit)))
        if not of_units:
            labels, unit = self.target, self.unit_of_target
        found = _by_code(after, labels, "after", missing=True)
        rows = {}
        for name, least, most in (("unchanged", 1, 1), ("split or merged", 2, np.inf)):
            own = (sizes >= least) & (sizes <= most)
            these, those = own[self.unit_of_origin], own[unit]
            rows[name] = (
                these.sum(),
                those.sum(),
                np.nansum(given[these]),
                np.nansum(found[those]),
            )
        table = pd.DataFrame(rows, index=["places in", "places out", "in", "out"], dtype=float).T
        table.loc["all"] = table.sum()
        return table.assign(difference=table["out"] - table["in"])

    def _numbers(self, values: pd.Series[Any], name: str, *, missing: bool = False) -> FloatArray:
        return _by_code(values, self.origin, name, missing=missing)

    def _moved(self, number: FloatArray, name: str) -> pd.Series[Any]:
        return pd.Series(self.weights @ number, index=self.target, name=name)

    def _summed(self, number: FloatArray, position: IntArray, name: str) -> pd.Series[Any]:
        total = np.bincount(position, weights=number, minlength=len(self.unit))
        return pd.Series(total, index=self.unit, name=name)


def read_crosswalk(
    path: str | Path,
    *,
    children: pd.Series[Any],
    year: int,
    to: Literal["2021", "2011"] = "2021",
) -> Crosswalk:
    """Read the lookup between LSOAs of 2011 and of 2021, and share by children of a year.

    Parameters
    ----------
    path
        The lookup as published, with a row for each link: columns such as ``LSOA11CD`` and
        ``LSOA21CD``. Links may be unchanged (U), split (S), merged (M) or complex (X).
    children
        Children of every area of the census that `to` names, by code. Only those of areas that
        share a split one are read.
    year
        Year of these children.
    to
        Census to which tables are brought.

    Returns
    -------
    Crosswalk
        With shares ``w_ti = C_t / sum C_t'`` over the areas t' that area i is linked to; equal ones
        where no child lives in any of them.

    Raises
    ------
    TableError
        If the lookup has no such columns, or repeats a link; if children of an area are absent.

    Notes
    -----
    For complex links (in England nine, of six areas of 2011) the share that each part took is not
    published: those shares are by the children of whole areas. Counts by units need no shares.

    References
    ----------
    Goodchild & Lam 1980, Geo-Processing 1, 297-312, on areal interpolation.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from socgrad import places
    >>> text = '''LSOA11CD,LSOA21CD,CHGIND
    ... E01000001,E01000001,U
    ... E01000002,E01000003,S
    ... E01000002,E01000004,S
    ... '''
    >>> children = pd.Series({"E01000001": 310, "E01000003": 100, "E01000004": 300})
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "lookup.csv"
    ...     _ = file.write_text(text)
    ...     crosswalk = places.read_crosswalk(file, children=children, year=2021)
    >>> crosswalk
    Crosswalk(2 to 3 areas by children of 2021; split: 1; units whole in both: 2)
    """
    if to not in {"2021", "2011"}:
        raise SpecificationError(f"to={to!r}: expected '2021' or '2011'.")
    file = Path(path).name
    table = read_text_table(path, header=r"^lsoa(11|21)(_?cd|_?code)$", such_as="LSOA11CD")
    column_of = {
        census: find_column(
            table, rf"lsoa{census[2:]}(_?cd|_?code)", what=f"codes of {census}", file=file
        )
        for census in ("2011", "2021")
    }
    link = pd.DataFrame(
        {
            census: codes(table[name], where=f"Column {name!r} of {file}")
            for census, name in column_of.items()
        }
    )
    twice = link.duplicated()
    if twice.any():
        raise TableError(f"{file} repeats {int(twice.sum()):,} links. Expected each once.")
    return make_crosswalk(link["2021" if to == "2011" else "2011"], link[to], children, year)


def make_crosswalk(
    origin: pd.Series[Any], target: pd.Series[Any], children: pd.Series[Any], year: int
) -> Crosswalk:
    """Share each area of the origin among those of the target that it is linked to."""
    i, origins = pd.factorize(origin, sort=True)
    t, targets = pd.factorize(target, sort=True)
    size = _by_code(children, pd.Index(targets), "children of the target", extra=True)
    held = np.bincount(i, weights=size[t])
    links = np.bincount(i)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(held[i] > 0, size[t] / held[i], 1 / links[i])
    weights = sparse.csr_array((share, (t, i)), shape=(len(targets), len(origins)))
    # Areas and links are a graph of two sides; its components are whole in both censuses.
    joined = sparse.coo_array(
        (np.ones(len(i)), (i, len(origins) + t)), shape=(len(origins) + len(targets),) * 2
    )
    count, unit = connected_components(joined, directed=False)
    of_origin, of_target = unit[: len(origins)], unit[len(origins) :]
    return Crosswalk(
        origin=pd.Index(origins),
        target=pd.Index(targets),
        weights=weights,
        year=int(year),
        unit=_unit_labels(pd.Index(origins), of_origin, pd.Index(targets), of_target, count),
        unit_of_origin=of_origin.astype(np.int64),
        unit_of_target=of_target.astype(np.int64),
    )


def example_crosswalk() -> Crosswalk:
    """Two areas, of which the second was split in parts with 100 and 300 children."""
    return make_crosswalk(
        pd.Series(["E01000001", "E01000002", "E01000002"]),
        pd.Series(["E01000001", "E01000003", "E01000004"]),
        pd.Series({"E01000001": 310, "E01000003": 100, "E01000004": 300}),
        2021,
    )


def _unit_labels(
    origins: pd.Index[Any],
    of_origin: IntArray,
    targets: pd.Index[Any],
    of_target: IntArray,
    count: int,
) -> pd.Index[Any]:
    """The one code of the target, else the one of the origin, else all of the target."""
    many = np.bincount(of_target, minlength=count)
    label = np.empty(count, dtype=object)
    label[of_target] = targets.to_numpy(dtype=object)
    single = np.bincount(of_origin, minlength=count) == 1
    taken = np.where((single & (many > 1))[of_origin])[0]
    label[of_origin[taken]] = origins.to_numpy(dtype=object)[taken]
    for unit in np.flatnonzero(~single & (many > 1)):
        label[unit] = "+".join(targets[of_target == unit])
    return pd.Index(label)


def _by_code(
    values: pd.Series[Any],
    places: pd.Index[Any],
    name: str,
    *,
    missing: bool = False,
    extra: bool = False,
) -> FloatArray:
    """Numbers in the order of the crosswalk, by code; what is absent is refused."""
    if not isinstance(values, pd.Series):
        raise TableError(
            f"{name} is a {type(values).__name__}. Expected a pandas Series by code, as "
            "frame.set_index('area')['children'] is."
        )
    given = values.index
    refuse(
        given.duplicated(),
        given,
        f"{name} has areas more than once",
        "Expected one number of each.",
    )
    if not extra:
        refuse_unmatched(given, places, first=name, second="the crosswalk")
    refuse_unmatched(places, given, first="the crosswalk", second=name)
    ordered = values.reindex(places)
    number = (
        number_column(ordered.astype("str").mask(ordered.isna()), where=name)
        if not pd.api.types.is_numeric_dtype(ordered.dtype)
        else ordered.to_numpy(dtype=np.float64, na_value=np.nan)
    )
    if not missing:
        check_known(number, places, where=name)
    return number
