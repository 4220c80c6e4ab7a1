"""The door: what Areas takes in, what it refuses, and what it reports."""

import copy
import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from socgrad.areas import Areas
from socgrad.errors import SampleOfAreasWarning, TableError

NAMES = {"area": "lsoa", "authority": "la", "deprivation": "idaci", "children": "children"}


def table():
    """Three authorities of two areas, small enough for a pencil."""
    return pd.DataFrame(
        {
            "lsoa": ["A1", "A2", "B1", "B2", "C1", "C2"],
            "la": ["Ashby", "Ashby", "Barton", "Barton", "Corby", "Corby"],
            "idaci": [0.1, 0.2, 0.3, 0.5, 0.2, 0.6],
            "children": [100, 300, 200, 200, 100, 100],
            "contacts": [10, 20, 30, 40, 50, 60],
            "plans": [1, 2, 3, 4, 0, 5],
        }
    )


def door(frame, **options):
    """Pass a table through the door, every area of it present unless the test says otherwise."""
    return Areas.from_frame(frame, **({**NAMES, "events": "plans", "complete": True} | options))


def changed(column, values):
    """The table with some values of one column replaced, by position."""
    frame = table().astype({column: object})
    for position, value in values.items():
        frame.loc[position, column] = value
    return frame.assign(**{column: frame[column].infer_objects()})


def large(seed=1, *, authorities=12, size=60):
    """A complete-looking table: authorities of sixty areas."""
    rng = np.random.default_rng(seed)
    la = np.repeat(np.arange(authorities), size)
    level = rng.uniform(0.1, 0.4, authorities)
    return pd.DataFrame(
        {
            "lsoa": np.arange(authorities * size),
            "la": la,
            "idaci": np.clip(level[la] + rng.normal(0, 0.08, la.size), 0, 1),
            "children": rng.integers(100, 900, la.size),
            "plans": rng.poisson(3, la.size),
        }
    )


def same(one, other):
    """Whether two Areas hold the same numbers, NaN for NaN."""
    for name in (
        "authority_of_area",
        "deprivation",
        "children",
        "exposure",
        "events",
        "counted",
        "total_events",
        "authority_mean",
        "national_mean",
    ):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    return True


# --- Relations ----------------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(6)))
def test_row_order_is_irrelevant(order):
    """Rows come out sorted by authority and area, however they came in."""
    areas = door(table().iloc[list(order)])
    assert list(areas.area) == ["A1", "A2", "B1", "B2", "C1", "C2"]
    assert same(areas, door(table()))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text("abcdéß漢 ", min_size=1), min_size=9, max_size=9, unique=True))
def test_labels_are_irrelevant(names):
    """Other labels in the same order, of any script, give the same numbers."""
    names = sorted(f"x{name}x" for name in names)
    la = dict(zip(["Ashby", "Barton", "Corby"], names[:3], strict=True))
    frame = table().assign(lsoa=names[3:], la=table()["la"].map(la)).sample(frac=1, random_state=1)
    areas = door(frame)
    assert list(areas.area) == names[3:]
    assert list(areas.authority) == names[:3]
    assert same(areas, door(table()))


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 1000))
def test_means_do_not_depend_on_the_scale_of_children(factor):
    """Children times k leaves every mean as it was, and multiplies the exposure by k."""
    one = door(table())
    other = door(table().assign(children=factor * table()["children"]))
    np.testing.assert_allclose(other.authority_mean, one.authority_mean, rtol=1e-12)
    assert other.national_mean == pytest.approx(one.national_mean, rel=1e-12)
    np.testing.assert_array_equal(other.exposure, factor * one.exposure)


def test_means_do_not_depend_on_what_is_known_of_events():
    """Areas without a count or an exposure leave the likelihood and stay in the means."""
    frame = changed("plans", {1: None, 4: None, 5: None}).assign(contacts=[1, 1, 0, 1, 1, 1])
    frame.loc[2, "plans"] = 0
    areas = door(frame, exposure="contacts", missing_events="leave out", zero_exposure="leave out")
    np.testing.assert_array_equal(areas.authority_mean, door(table()).authority_mean)
    assert areas.national_mean == door(table()).national_mean
    assert areas.counted.tolist() == [True, False, False, True, False, False]


# --- What it holds ------------------------------------------------------------------------------


def test_means_by_hand():
    """Authority and national means are weighted by children."""
    areas = door(table())
    # (100 * 0.1 + 300 * 0.2) / 400;  (200 * 0.3 + 200 * 0.5) / 400;  (100 * 0.2 + 100 * 0.6) / 200
    np.testing.assert_allclose(areas.authority_mean, [0.175, 0.4, 0.4], rtol=1e-14)
    # (70 + 160 + 80) / 1000
    assert areas.national_mean == pytest.approx(0.31, rel=1e-14)


def test_neighbourhood_counts():
    """Every area with a count is counted; exposure is children unless named."""
    areas = door(table())
    assert areas.events.tolist() == [1, 2, 3, 4, 0, 5]
    assert areas.counted.all()
    assert np.isnan(areas.total_events).all()
    assert areas.exposure.tolist() == areas.children.tolist() == [100, 300, 200, 200, 100, 100]
    assert areas.authority_of_area.tolist() == [0, 0, 1, 1, 2, 2]
    assert areas.authority_of_area.dtype == np.int64
    assert door(table(), exposure="contacts").exposure.tolist() == [10, 20, 30, 40, 50, 60]


def test_authority_totals():
    """Totals alone: no area is counted, each authority has its total, matched by label."""
    totals = pd.Series({"Corby": 7, "Ashby": 0, "Barton": 9}, name="section 47")
    areas = door(table(), events=None, totals=totals)
    assert areas.total_events.tolist() == [0, 9, 7]
    assert not areas.counted.any()
    assert np.isnan(areas.events).all()
    assert areas.names["events"] == "section 47"


def test_a_mixture_of_counts_and_totals():
    """Some authorities with area counts, others with a total only; a missing total is none."""
    frame = changed("plans", {2: None, 3: None})
    areas = door(frame, totals={"Barton": 9, "Ashby": None})
    assert areas.counted.tolist() == [True, True, False, False, True, True]
    np.testing.assert_array_equal(areas.total_events, [np.nan, 9, np.nan])
    assert "4 areas counted, 1 authority totals, 0 authorities without data" in repr(areas)
    assert "17 events" in repr(areas)  # 1 + 2 + 0 + 5 in areas, 9 as a total


def test_an_authority_without_data_stays():
    """An authority with neither counts nor total keeps its place, and the report names it."""
    frame = changed("plans", {2: None, 3: None})
    areas = door(frame, missing_events="leave out")
    assert list(areas.authority) == ["Ashby", "Barton", "Corby"]
    report = areas.report.set_index("step")
    assert report.loc["authorities without data", ["rows", "authorities"]].tolist() == [2, 1]
    assert "Barton" in report.loc["authorities without data", "reason"]
    assert "1 authorities without data" in repr(areas)


def test_totals_may_leave_authorities_out():
    """An authority in no totals is left out when the caller declares it."""
    areas = door(table(), events=None, totals={"Ashby": 3, "Corby": 4}, missing_events="leave out")
    np.testing.assert_array_equal(areas.total_events, [3, np.nan, 4])


def test_report_accounts_for_every_row():
    """Counted, totalled and the two ways of being left out add up to the rows in."""
    frame = changed("plans", {1: "c", 2: None, 3: None, 4: 0})
    frame["contacts"] = [1, 1, 0, 1, 0, 1]
    areas = door(
        frame,
        exposure="contacts",
        totals={"Barton": 3},
        missing_events="leave out",
        zero_exposure="leave out",
    )
    rows = areas.report.set_index("step")["rows"]
    assert rows.to_dict() == {
        "rows in": 6,
        "kept for the means": 6,
        "neighbourhood counts": 2,
        "in authority totals": 1,
        "left out: no count": 1,
        "left out: no exposure": 2,
        "authorities without data": 0,
    }
    assert areas.report.set_index("step").loc["left out: no exposure", "authorities"] == 2


def test_values_are_read_only_and_the_table_is_untouched():
    """Nothing inside can be written to, and the caller's table stays as it was."""
    frame = table().assign(lsoa=range(6))
    areas = door(frame)
    for value in vars(areas).values():
        if isinstance(value, np.ndarray):
            assert not value.flags.writeable
    pd.testing.assert_frame_equal(frame, table().assign(lsoa=range(6)))
    frame.loc[0, ["lsoa", "idaci"]] = [9, 0.9]
    assert areas.area[0] == 0
    assert areas.deprivation[0] == 0.1


def test_areas_can_be_copied_and_sent_elsewhere():
    """A frozen value survives pickling, as when fits run on other machines."""
    areas = door(table())
    assert same(pickle.loads(pickle.dumps(areas)), areas)
    assert same(copy.deepcopy(areas), areas)


def test_names_are_the_callers():
    """Messages and plots can use the caller's own words."""
    assert door(table(), per=0.05).names == {
        "area": "lsoa",
        "authority": "la",
        "deprivation": "idaci",
        "children": "children",
        "exposure": "children",
        "events": "plans",
    }


def test_per_is_kept():
    """The step of deprivation is part of the value."""
    assert door(table()).per == 0.10
    assert door(table(), per=0.05).per == 0.05


def test_zero_children_weigh_nothing():
    """With an exposure of its own an area may have no children: its weight is zero."""
    areas = door(table().assign(children=[0, 300, 200, 200, 100, 100]), exposure="contacts")
    assert areas.authority_mean[0] == pytest.approx(0.2, rel=1e-14)


def test_an_authority_of_one_area_is_fine():
    """Its within part is zero; it still says something about the level."""
    areas = door(table().drop(index=1))
    assert areas.authority_mean[0] == 0.1


# --- Given means and samples of areas -----------------------------------------------------------


def test_given_means_are_used():
    """Means over all areas, of more authorities than the table holds, replace the table's own."""
    means = {"Corby": 0.3, "Ashby": 0.1, "Barton": 0.4, "Derby": 0.5}
    areas = door(table(), authority_means=means, complete=False)
    assert areas.authority_mean.tolist() == [0.1, 0.4, 0.3]
    # (400 * 0.1 + 400 * 0.4 + 200 * 0.3) / 1000
    assert areas.national_mean == pytest.approx(0.26, rel=1e-14)
    assert door(table(), authority_means=pd.Series(means), national_mean=0.2).national_mean == 0.2
    assert door(table(), national_mean=0.25).national_mean == 0.25


def test_a_sample_of_areas_is_noticed():
    """Few areas in each authority: a warning that says what happens and the ways out."""
    frame = large()
    sample = frame.groupby("la").head(4)
    with pytest.warns(
        SampleOfAreasWarning,
        match=r"median of 4 areas.*shrink towards zero: from -0.118 to -0.087.*authority_means=.*"
        r"complete=True",
    ) as caught:
        door(sample, complete=None)
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        door(frame, complete=None)
        door(sample, complete=True)
        means = dict.fromkeys(range(12), 0.2) | {0: 0.3}
        door(sample, complete=None, authority_means=means)


def test_a_sample_needs_given_means():
    """To say that the table is a sample is to promise the means."""
    with pytest.raises(TableError, match=r"complete=False says .* Pass authority_means"):
        door(table(), complete=False)


def test_given_means_cover_every_authority():
    """A mean that is absent, or missing, is named."""
    with pytest.raises(
        TableError, match=r"authority_means lacks authorities of the table: 2 of 3 \(Barton, Corby"
    ):
        door(table(), authority_means={"Ashby": 0.1, "Barton": np.nan})


def test_given_means_are_proportions():
    """Percentages are refused here too."""
    means = {"Ashby": 10, "Barton": 40, "Corby": 30}
    with pytest.raises(TableError, match=r"authority_means has values above 1, up to 40.*by 100"):
        door(table(), authority_means=means)


@pytest.mark.parametrize("value", [20.0, -0.1, np.nan])
def test_the_national_mean_is_a_proportion(value):
    """A percentage, a negative number or NaN is refused."""
    with pytest.raises(TableError, match=r"national_mean=.* is not a deprivation.*0\.20, not 20"):
        door(table(), national_mean=value)


# --- Kinds of table -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "convert",
    [
        lambda f: f.assign(la=f["la"].astype("category")),
        lambda f: f.assign(
            la=pd.Categorical(
                f["la"], ["Unused", "Corby", "Barton", "Ashby", "Never"], ordered=True
            ),
            lsoa=f["lsoa"].astype("category"),
        ),
        lambda f: f.assign(plans=pd.Categorical(f["plans"].astype(str), ordered=False)),
        lambda f: f.convert_dtypes(),
        lambda f: f.convert_dtypes(dtype_backend="pyarrow"),
        lambda f: f.astype({"lsoa": "string", "la": "string", "plans": "Int64"}),
        lambda f: f.astype({"lsoa": object, "la": object, "idaci": object, "plans": object}),
        lambda f: f.astype({"idaci": "Float64", "children": "uint16", "plans": "int8"}),
        lambda f: f.astype({"idaci": str, "children": str, "plans": str}),
        lambda f: f.assign(plans=f["plans"].map("  {} ".format)),
        lambda f: f.set_index(["la", "idaci"], drop=False),
        lambda f: f.set_index(np.zeros(6)),
        lambda f: f.iloc[::-1],
        lambda f: f[f.columns[::-1]].assign(extra=pd.NaT),
    ],
    ids=[
        "categorical",
        "ordered, unused categories",
        "categorical numbers",
        "nullable",
        "pyarrow",
        "string and Int64",
        "objects",
        "small numbers",
        "numeric text",
        "numeric text with spaces",
        "MultiIndex",
        "duplicate index",
        "reversed",
        "columns reversed, extra column",
    ],
)
def test_kinds_of_table(convert):
    """Whatever holds the table, the numbers are the same and the labels are plain text."""
    areas = door(convert(table()))
    assert same(areas, door(table()))
    assert areas.area.dtype == areas.authority.dtype == pd.Index(["text"]).dtype
    assert list(areas.authority) == ["Ashby", "Barton", "Corby"]


@pytest.mark.parametrize(
    "dtype", ["int64", "Int32", "int64[pyarrow]", "float64", object, "category"]
)
def test_whole_number_codes(dtype):
    """Whole-number codes stay numbers and sort as numbers, not as text."""
    frame = table().assign(lsoa=[9, 10, 11, 100, 2, 3], la=[9, 9, 10, 10, 100, 100])
    areas = door(frame.astype({"lsoa": dtype, "la": dtype}).iloc[::-1])
    assert areas.area.dtype == areas.authority.dtype == np.int64
    assert list(areas.authority) == [9, 10, 100]
    assert list(areas.area) == [9, 10, 11, 100, 2, 3]
    assert same(areas, door(table()))


def test_polars():
    """A polars frame, with categories and nulls, works as a pandas one does."""
    frame = pl.from_pandas(changed("plans", {2: None, 3: None}))
    areas = door(frame.with_columns(pl.col("la").cast(pl.Categorical)), totals={"Barton": 7})
    assert same(areas, door(changed("plans", {2: None, 3: None}), totals={"Barton": 7}))
    assert same(door(pl.from_pandas(table()).to_arrow()), door(table()))


@pytest.mark.parametrize("frame", [[1, 2], {"lsoa": ["A1"]}, None, pl.LazyFrame({"lsoa": ["A"]})])
def test_other_things_are_not_tables(frame):
    """A list, a mapping, nothing, or a lazy frame is refused by its type."""
    with pytest.raises(TableError, match=f"not {type(frame).__name__}.*pandas or polars DataFrame"):
        door(frame)


def test_totals_with_categorical_or_nullable_labels():
    """Totals come from another file, with dtypes of its own; they match by label."""
    index = pd.CategoricalIndex(["Corby", "Barton", "Ashby"])
    one = door(table(), events=None, totals=pd.Series([7, 9, 1], index=index, dtype="Int64"))
    assert one.total_events.tolist() == [1, 9, 7]
    two = door(
        table(), events=None, totals=pd.Series(["7", "9", "1"], index=index.astype("string"))
    )
    assert same(one, two)


# --- Refusals: columns and options --------------------------------------------------------------


def test_a_column_not_there_suggests_close_names():
    """A slip in a name is met with the likely one."""
    with pytest.raises(TableError, match=r"'IDACIS' \(deprivation\) is not in .* mean 'idaci'\?"):
        door(table(), deprivation="IDACIS")
    with pytest.raises(TableError, match=r"'zzz' \(events\) is not in .*columns are lsoa, la, ida"):
        door(table(), events="zzz")


def test_a_column_in_the_index():
    """Labels left in the index are found, and the way out is named."""
    with pytest.raises(TableError, match=r"index has that name: pass frame.reset_index\(level='ls"):
        door(table().set_index("lsoa"))


def test_a_column_that_appears_twice():
    """Which of two columns of one name is meant cannot be known."""
    frame = pd.concat([table(), table()[["plans"]]], axis=1)
    with pytest.raises(TableError, match=r"'plans' \(events\) appears 2 times"):
        door(frame)


@pytest.mark.parametrize(
    "options", [{"deprivation": "children"}, {"authority": "lsoa"}, {"exposure": "plans"}]
)
def test_one_column_for_two_roles(options):
    """Only children and exposure may share a column."""
    with pytest.raises(
        TableError, match=r"is named for .* and .*only children and exposure may be"
    ):
        door(table(), **options)
    assert same(door(table(), exposure="children"), door(table()))


def test_an_empty_table():
    """A filter that matched nothing is the likely cause."""
    with pytest.raises(TableError, match=r"The table is empty \(0 rows, 6 columns\)"):
        door(table().head(0))


@pytest.mark.parametrize("per", [0, -0.1, 10, np.nan])
def test_per_is_a_positive_proportion(per):
    """Ten percentage points are 0.10, not 10."""
    with pytest.raises(TableError, match=r"per=.* is not a step.*0\.10 is ten percentage points"):
        door(table(), per=per)


@pytest.mark.parametrize("option", ["missing_events", "zero_exposure"])
def test_unknown_options(option):
    """Only the two documented words are known."""
    with pytest.raises(TableError, match=f"{option}='drop' is unknown. Expected \"refuse\" or"):
        door(table(), **{option: "drop"})


def test_neither_events_nor_totals():
    """Without any count there is nothing to model."""
    with pytest.raises(TableError, match=r"Neither events nor totals is given.*events=.*totals="):
        door(table(), events=None)


# --- Refusals: labels ---------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["lsoa", "la"])
@pytest.mark.parametrize("gap", [None, np.nan, pd.NA, "", "  "])
def test_missing_labels(column, gap):
    """A row without its label, blank or missing, is named by its position."""
    with pytest.raises(TableError, match=rf"'{column}' .*missing or blank labels.*: 1 of 6 \(2\)"):
        door(changed(column, {2: gap}))


def test_duplicate_areas():
    """One row per area: strata and periods come in tables of their own."""
    frame = pd.concat([table(), table().iloc[[1, 3]]])
    with pytest.raises(
        TableError, match=r"'lsoa' \(area\) has areas that appear more than once: 2 of 8 \(A2, B2\)"
    ):
        door(frame)


def test_an_area_in_two_authorities():
    """Both authorities are named."""
    with pytest.raises(
        TableError, match=r"areas in two authorities: 1 of 6 \(A1\). A1 is in (Ashby|Barton) and"
    ):
        door(changed("lsoa", {2: "A1"}))


def test_labels_of_mixed_kinds():
    """Text and numbers in one column would never match each other."""
    with pytest.raises(TableError, match=r"'la' \(authority\) holds mixed-integer values.*astype"):
        door(changed("la", {0: 1, 1: 1}))


def test_labels_with_fractions():
    """A measure named as a label is a slip."""
    with pytest.raises(TableError, match=r"'code' \(area\) has labels with fractions: 2 of 6"):
        door(table().assign(code=[0.5, 1.5, 2, 3, 4, 5]), area="code")


# --- Refusals: numbers --------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["idaci", "children", "contacts"])
@pytest.mark.parametrize("gap", [None, np.nan, pd.NA, ":", ""])
def test_missing_numbers(column, gap):
    """Deprivation, children and exposure are needed of every area."""
    with pytest.raises(TableError, match=rf"'{column}' .* has missing values: 2 of 6 \(A2, B2\)"):
        door(changed(column, {1: gap, 3: gap}), exposure="contacts")


@pytest.mark.parametrize("column", ["idaci", "children", "contacts", "plans"])
def test_text_that_is_not_a_number(column):
    """Thousands separators and ranges are named with their place."""
    with pytest.raises(TableError, match=rf"'{column}' .*not a number in 1 of 6 .*'1,234' at B1"):
        door(changed(column, {2: "1,234"}), exposure="contacts")


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (pd.date_range("2019-01-01", periods=6), "datetime64"),
        ([True, False] * 3, "boolean"),
        (np.arange(6) * 1j, "complex"),
    ],
)
def test_columns_of_other_kinds(values, kind):
    """Dates, flags and complex numbers are no counts."""
    with pytest.raises(TableError, match=rf"'plans' \(events\) holds {kind} values. Expected num"):
        door(table().assign(plans=values))


@pytest.mark.parametrize("column", ["idaci", "children", "contacts", "plans"])
@pytest.mark.parametrize("value", [np.inf, -np.inf, "inf"])
def test_infinite_values(column, value):
    """A division by zero upstream is caught here."""
    with pytest.raises(TableError, match=rf"'{column}' .* has infinite values: 1 of 6 \(C1\)"):
        door(changed(column, {4: value}), exposure="contacts")


def test_percentages():
    """Deprivation is a proportion; percentages, ranks and scores are told apart by size."""
    with pytest.raises(TableError, match=r"values above 1, up to 60: 6 of 6 \(.*divide by 100"):
        door(table().assign(idaci=100 * table()["idaci"]))
    with pytest.raises(TableError, match=r"'idaci' .* negative values: 1 of 6 \(A2\)"):
        door(changed("idaci", {1: -0.1}))


@pytest.mark.parametrize("column", ["children", "contacts"])
def test_negative_children_and_exposure(column):
    """Neither weights nor denominators can be below zero."""
    with pytest.raises(TableError, match=rf"'{column}' .* has negative values: 1 of 6 \(A1\)"):
        door(changed(column, {0: -1}), exposure="contacts")


@pytest.mark.parametrize(("value", "word"), [(-1, "negative"), (2.5, "fractional")])
def test_events_are_whole_numbers(value, word):
    """Of areas and of totals: rates and differences are no counts."""
    with pytest.raises(TableError, match=rf"'plans' \(events\) has {word} counts: 1 of 6 \(B2\)"):
        door(changed("plans", {3: value}))
    totals = {"Ashby": 1, "Barton": value, "Corby": 3}
    with pytest.raises(TableError, match=rf"totals has {word} counts: 1 of 3 \(Barton\)"):
        door(table(), events=None, totals=totals)


# --- Refusals: counts that are not known --------------------------------------------------------


@pytest.mark.parametrize("mark", [None, np.nan, pd.NA, "c", "x", "z", ":", "", " ", "C", "..", "*"])
def test_missing_counts_are_never_zero(mark):
    """Suppressed, absent and blank counts are refused, or left out when the caller says so."""
    frame = changed("plans", {1: mark, 4: mark})
    with pytest.raises(
        TableError,
        match=r"'plans' has missing counts: 2 of 6 \(A2, C1\).*not zero.*missing_events=.leave",
    ):
        door(frame)
    areas = door(frame, missing_events="leave out")
    assert areas.counted.tolist() == [True, False, True, True, False, True]
    np.testing.assert_array_equal(areas.events, [1, np.nan, 3, 4, np.nan, 5])
    assert areas.report.set_index("step").loc["left out: no count", "rows"] == 2


def test_authorities_without_a_total():
    """With totals alone, the authorities that have none are named."""
    with pytest.raises(TableError, match=r"without a total in totals: 2 of 3 \(Barton, Corby\)"):
        door(table(), events=None, totals={"Ashby": 3, "Corby": "c"})


def test_double_counting():
    """An authority is known by its areas or by its total, never both."""
    with pytest.raises(
        TableError, match=r"also have counts in column 'plans': 1 of 3 \(Barton\).*tw"
    ):
        door(changed("plans", {2: None}), totals={"Barton": 7})


def test_totals_of_unknown_authorities():
    """Codes that match no authority are named: reorganisations change them."""
    totals = {"Ashby": 1, "Barton": 2, "Corby": 3, "Derby": 4, "Exeter": 5}
    with pytest.raises(
        TableError, match=r"no authority of the table: 2 of 5 \(Derby, Exeter\).*reorganised"
    ):
        door(table(), events=None, totals=totals)
    with pytest.raises(TableError, match=r"no authority of the .*holds text and the other whole"):
        door(table(), events=None, totals={1: 5})


def test_totals_named_twice():
    """A total for each authority, once."""
    totals = pd.Series([1, 2, 3], index=["Ashby", "Ashby", "Corby"])
    with pytest.raises(TableError, match=r"totals names an authority more than once: 1 of 3 \(Ash"):
        door(table(), events=None, totals=totals)


def test_totals_by_position():
    """A bare list would be joined by position, so it is refused."""
    with pytest.raises(TableError, match=r"totals is a list.*by label, never by position"):
        door(table(), events=None, totals=[1, 2, 3])


def test_no_count_at_all():
    """All counts missing and left out leaves nothing."""
    with pytest.raises(TableError, match="No count is known"):
        door(table().assign(plans=np.nan), missing_events="leave out")
    with pytest.raises(TableError, match="No count is known"):
        door(table(), events=None, totals={}, missing_events="leave out")


def test_all_zero_counts():
    """Without a single event there is no rate to compare."""
    with pytest.raises(TableError, match=r"All counts are zero, in 6 areas and 0 authority totals"):
        door(table().assign(plans=0))


def test_zero_exposure():
    """Refused with the way to declare it; then it leaves the likelihood and is reported."""
    frame = table().assign(contacts=[10, 20, 30, 40, 0, 60])
    with pytest.raises(
        TableError, match=r"zero exposure \(column 'contacts'\): 1 of 6 \(C1\).*leav"
    ):
        door(frame, exposure="contacts")
    areas = door(frame, exposure="contacts", zero_exposure="leave out")
    assert areas.counted.tolist() == [True, True, True, True, False, True]


def test_events_without_exposure():
    """An impossible count is refused whatever the options."""
    frame = table().assign(contacts=[0, 20, 30, 40, 0, 60])
    for zero in ("refuse", "leave out"):
        with pytest.raises(TableError, match=r"events without exposure .* 1 of 6 \(A1\)"):
            door(frame, exposure="contacts", zero_exposure=zero)


def test_totals_without_exposure():
    """A total of zero over no exposure says nothing; any other is impossible."""
    frame = table().assign(contacts=[0, 0, 30, 40, 50, 60])
    options = {"events": None, "exposure": "contacts", "zero_exposure": "leave out"}
    with pytest.raises(TableError, match=r"a total but without exposure .* 1 of 3 \(Ashby\)"):
        door(frame, totals={"Ashby": 1, "Barton": 2, "Corby": 3}, **options)
    areas = door(frame, totals={"Ashby": 0, "Barton": 2, "Corby": 3}, **options)
    np.testing.assert_array_equal(areas.total_events, [np.nan, 2, 3])


def test_authorities_without_children():
    """Their mean deprivation has no weights."""
    frame = table().assign(children=[0, 0, 200, 200, 100, 100])
    with pytest.raises(TableError, match=r"Authorities without children .* 1 of 3 \(Ashby\)"):
        door(frame, exposure="contacts")


# --- Refusals: what cannot be estimated ---------------------------------------------------------


def test_a_single_authority():
    """Between and contextual effects need authorities to differ."""
    with pytest.raises(
        TableError, match=r"'la' .* single authority. Between, cross-level and conte"
    ):
        door(table().assign(la="Ashby"))


def test_all_equal_deprivation():
    """No gradient from a constant."""
    with pytest.raises(TableError, match=r"'idaci' .* is 0.2 in all 6 areas, so no gradient can"):
        door(table().assign(idaci=0.2))


def test_equal_authority_means():
    """No contextual effect from equally deprived authorities."""
    frame = table().assign(children=100, idaci=[0.1, 0.3, 0.05, 0.35, 0.2, 0.2])
    with pytest.raises(TableError, match=r"same mean, 0.2, in all 3 authorities. Between, cross-l"):
        door(frame)


def test_no_deprivation_within_authorities():
    """No gradient within authorities from their means alone."""
    frame = table().assign(idaci=[0.1, 0.1, 0.3, 0.3, 0.2, 0.2])
    with pytest.raises(TableError, match="does not vary within any of the 3 authorities"):
        door(frame)


def test_messages_stay_short():
    """A thousand bad rows are counted, and the first five named."""
    frame = large(size=100).assign(idaci=np.nan)
    with pytest.raises(TableError, match=r"1,200 of 1,200 \(0, 1, 2, 3, 4 and 1,195 more\)"):
        door(frame)
