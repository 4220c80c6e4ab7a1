"""The corpus of hostile tables: every door refuses in our own words, or reads what is meant.

Cells, dtypes and options that were seen in files, or that a slip in a script makes, at every door
that takes a table, a column or a mapping by label (`hostile`).
"""

import datetime
import functools
import warnings
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import hostile
from door import same, table
from socgrad.errors import SocgradError, SocgradWarning

#: Written 1, in ways that all mean 1.
ONES = (1, 1.0, "1", " 1 ", "1.0", "+1", "1e0", Decimal(1), np.int8(1), np.uint64(1), np.float32(1))

#: No number, whatever Python or pandas make of it.
NO_NUMBERS = (
    True,
    np.True_,
    np.bool_(0),
    1j,
    np.complex64(1),
    b"1",
    bytearray(b"1"),
    [1],
    (1,),
    {1},
    {"n": 1},
    np.array([1.0]),
    object(),
    len,
    pd.Timestamp("2019-03-31"),
    datetime.date(2019, 3, 31),
    datetime.timedelta(days=1),
    pd.Interval(0, 1),
    pd.Period("2019"),
    Fraction(1, 1),
    "True",
    "false",
    "0x1",
    "1_0",
    "1,0",
    "1 000",
    "£1",
    "1%",
    "<5",
    "1-5",
    "1 to 5",
    "one",
    "\uff11",
    "1\x00",
    "\ud800",
    "-",
    "\u2013",
    "--",
    "#REF!",
    "1;2",
    "1e",
    ".",
)

#: Numbers that no door takes.
WRONG_NUMBERS = (np.inf, -np.inf, "inf", "-Infinity", 1e300, -1e300, 10**400, 2**2000, "1e300")

#: Not there, in all ways of saying so.
GAPS = (
    None,
    np.nan,
    pd.NA,
    pd.NaT,
    "",
    "  ",
    "NA",
    "n/a",
    "nan",
    "null",
    ":",
    "..",
    "z",
    "[x]",
    "c",
    "*",
)


#: One door of each way in meets every cell; the others share the cells, a third each, for time.
WHOLE = {"events", "totals", "covariates", "places: deprivation", "rates: rate"} | {
    "authority",
    "regions: authority",
    "places: authority",
    "Strata: label",
}


def share_of(name, doors, cells):
    """Cells that a door meets."""
    return cells if name in WHOLE else cells[list(doors).index(name) % 3 :: 3]


@pytest.mark.parametrize("name", hostile.NUMBER_DOORS)
def test_numbers_are_read(name):
    """Whatever type or spelling holds a 1, it is 1."""
    read = hostile.quiet(hostile.NUMBER_DOORS[name])
    assert [read(cell) for cell in ONES] == [1.0] * len(ONES)


@pytest.mark.parametrize("name", hostile.NUMBER_DOORS)
def test_what_is_no_number_is_refused(name):
    """The column or argument, how many of how many, where, and what to do."""
    read = hostile.quiet(hostile.NUMBER_DOORS[name])
    for cell in share_of(name, hostile.NUMBER_DOORS, (*NO_NUMBERS, *WRONG_NUMBERS, *GAPS)):
        assert_refused(read, cell, "1 of ")


#: Labels that are refused wherever they stand among labels of text.
NO_LABELS = (
    None,
    np.nan,
    pd.NA,
    pd.NaT,
    "",
    "  ",
    "\u00a0",
    "\u200b",
    "\u3164",
    "nan",
    "NaN",
    "None",
    "NULL",
    "<NA>",
    "NaT",
    "N/A",
    "#N/A",
    "inf",
    " nan ",
    True,
    np.True_,
    1,
    1.5,
    np.inf,
    2**70,
    10**400,
    1j,
    b"Ashby",
    (1, 2),
    frozenset({1}),
    pd.Timestamp("2019-03-31"),
    datetime.date(2019, 3, 31),
    Decimal(1),
    pd.Interval(0, 1),
    object(),
    len,
    "\ud800",
    "Ashby\x00",
    "Ash\x07by",
)

#: And those that cannot be keys of a mapping, where labels stand in a column.
UNHASHABLE = ([1], {"a": 1}, {1}, np.array([1, 2]))


@pytest.mark.parametrize("name", hostile.LABEL_DOORS)
def test_what_is_no_label_is_refused(name):
    """Missing, unreadable or of another kind: said of labels, with how many and what to do."""
    read = hostile.quiet(hostile.LABEL_DOORS[name])
    for cell in share_of(name, hostile.LABEL_DOORS, NO_LABELS):
        assert_refused(read, cell)


@pytest.mark.parametrize(
    "name", ["area", "authority", "locality", "region", "places: authority", "rates: by"]
)
def test_lists_are_no_labels(name):
    """Nor are mappings or arrays: such a cell is shown with its row."""
    read = hostile.quiet(hostile.LABEL_DOORS[name])
    for cell in UNHASHABLE:
        assert_refused(read, cell, "of another kind in ", " at 0")


@pytest.mark.parametrize("name", hostile.LABEL_DOORS)
def test_labels_are_read(name):
    """As they are written."""
    read = hostile.quiet(hostile.LABEL_DOORS[name])
    for cell in hostile.LABELS:
        assert cell in read(cell), (name, cell)


#: Pairs that a reader takes for one.
ALIKE = (
    ("Ynys M\u00f4n", "Ynys Mo\u0302n"),
    ("Stoke on Trent", "Stoke\u00a0on Trent"),
    ("Stoke on Trent", "Stoke  on Trent"),
    ("Stoke-on-Trent", "Stoke\u2011on\u2011Trent"),
    ("Stoke-on-Trent", "Stoke\u2013on\u2013Trent"),
    ("King's Lynn", "King\u2019s Lynn"),
    ("King's Lynn", "King`s Lynn"),
    ("Stra\u00dfe", "STRASSE"),
    ("Ashford", "Ash\u00adford"),
    ("Ashford", "Ashford\u200b"),
    ("Ashford", "\ufeffAshford"),
    ("Ashford", "\uff21shford"),
    ("Ashford", "ASHFORD"),
    ("Ashford", "Ashford\t"),
    ("Sheffield", "She\ufb00ield"),
)


@pytest.mark.parametrize("column", ["lsoa", "la"])
def test_spellings_that_look_alike_are_refused(column):
    """Joined by label they would be two places; both are shown, unlike as they are written."""

    def read(pair):
        return hostile.from_frame(frame=table().assign(**{column: ["A1", "A2", "A3", "A4", *pair]}))

    for pair in ALIKE:
        assert_refused(read, pair, "look alike", "1 pair of 6 labels", *map(ascii, pair))


@pytest.mark.parametrize("argument", ["totals", "authority_means", "authority_covariates"])
def test_spellings_that_nearly_match_are_hinted_at(argument):
    """What is matched by label says so where a spelling keeps the two apart."""

    def read(pair):
        ours, theirs = pair
        values = pd.Series([0.2, 0.3, 0.4], index=[theirs, "Barton", "Corby"])
        given = {
            "totals": {"totals": 10 * values, "events": None},
            "authority_means": {"authority_means": values},
            "authority_covariates": {"authority_covariates": values.to_frame("c")},
        }[argument]
        return hostile.from_frame(frame=table().replace({"la": {"Ashby": ours}}), **given)

    for pair in ALIKE:
        assert_refused(read, pair, "look alike and differ by case, by white space or")


def test_letters_of_another_alphabet_warn():
    """A Cyrillic a in a Latin name; a table in Greek throughout is no odder than ours."""
    frame = table().replace({"la": {"Ashby": "B\u0430rnet"}})
    with pytest.warns(SocgradWarning, match=r"another alphabet .* in 1 of 3 .*CYRILLIC SMALL") as w:
        hostile.from_frame(frame=frame)
    assert w[0].filename == hostile.__file__
    greek = {"Ashby": "\u0391\u03b8\u03ae\u03bd\u03b1", "Barton": "\u03a0\u03ac\u03c4\u03c1\u03b1"}
    hostile.from_frame(
        frame=table().replace({"la": greek | {"Corby": "\u03a3\u03b5\u03c1\u03c1\u03ad\u03c2"}})
    )
    hostile.from_frame(
        frame=table().replace({"la": {"Ashby": "\u4eac\u90fd", "Barton": "Malm\u00f6"}})
    )


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.array([1, 2, 3, 4, 5, 6]).astype(bool), "holds boolean values"),
        (pd.date_range("2019-01-01", periods=6), "holds datetime64 values"),
        (pd.timedelta_range("1D", periods=6), "holds timedelta64 values"),
        (pd.period_range("2019", periods=6, freq="Y"), "holds period values"),
        (pd.interval_range(0, 6), "holds interval values"),
        (np.arange(6) * 1j, "holds complex values"),
        (np.array([0.5, 1.5, 2, 3, 4, 5]), "labels with fractions: 2 of 6"),
        (np.array([np.inf, 1, 2, 3, 4, 5]), "labels that are infinite: 1 of 6"),
        (np.array([2.0**60, 1, 2, 3, 4, 5]), "more digits than are kept: 1 of 6"),
        (np.array([2.0**25, 1, 2, 3, 4, 5], dtype=np.float32), "more digits .*: 1 of 6"),
        (np.array([2**63 + 1, 1, 2, 3, 4, 5], dtype=np.uint64), "more digits .*: 1 of 6"),
        (pd.array([1, 2, 3, 4, 5, None], dtype="Int64"), "missing or blank labels in rows: 1 of 6"),
        (pd.Categorical([1.5, 2, 3, 4, 5, 6]), "labels with fractions"),
        (pd.Categorical([True, False] * 3), "holds boolean values"),
    ],
    ids=lambda value: str(getattr(value, "dtype", "")),
)
@pytest.mark.parametrize("role", ["area", "authority", "locality", "region"])
def test_columns_of_no_labels(role, values, words):
    """Dates, flags, measures, and whole numbers that lost digits."""
    with pytest.raises(SocgradError, match=rf"'code' \({role}\).*{words}") as caught:
        hostile.from_frame(frame=table().assign(code=values), **{role: "code"})
    assert_teaches(caught.value)


CONVERSIONS = {
    "Sparse": lambda s: s.astype(pd.SparseDtype(s.dtype)),
    "float16 or 32": lambda s: s.astype(np.float32 if s.max() > 1 else np.float64),
    "arrow decimal": lambda s: s.round(3).astype(str).astype(pd.ArrowDtype(pa.decimal128(12, 3))),
    "arrow double": lambda s: s.astype(pd.ArrowDtype(pa.float64())),
    "Float64": lambda s: s.astype("Float64"),
    "string": lambda s: s.astype(str).astype("string"),
    "string[pyarrow]": lambda s: s.astype(str).astype("string[pyarrow]"),
    "category": lambda s: s.astype("category"),
    "category of text": lambda s: s.astype(str).astype("category"),
    "Decimal": lambda s: s.map(lambda v: Decimal(str(v))).astype(object),
    "big-endian": lambda s: pd.Series(s.to_numpy(dtype=">f8"), index=s.index),
}


@pytest.mark.parametrize("convert", CONVERSIONS.values(), ids=CONVERSIONS)
@pytest.mark.parametrize("column", ["idaci", "children", "contacts", "plans"])
def test_every_dtype_of_numbers(column, convert):
    """However the column is stored, the numbers are the same."""
    frame = table()
    found = hostile.from_frame(
        frame=frame.assign(**{column: convert(frame[column])}), exposure="contacts"
    )
    assert same(found, hostile.from_frame(exposure="contacts"))


FRAMES = {
    "polars": pl.from_pandas,
    "arrow": lambda frame: pa.Table.from_pandas(frame, preserve_index=False),
    "arrow batch": lambda frame: (
        pa.Table.from_pandas(frame, preserve_index=False).combine_chunks().to_batches()[0]
    ),
}


@pytest.mark.parametrize("convert", FRAMES.values(), ids=FRAMES)
def test_every_door_takes_other_tables(convert):
    """Polars and arrow, wherever a table is taken, say what pandas says."""
    assert same(hostile.from_frame(frame=convert(table())), hostile.from_frame())
    for make, frame in (
        (hostile.from_long, hostile.long_frame()),
        (functools.partial(hostile.from_stages, nested=False), table()),
    ):
        given, plain = make(frame=convert(frame)), make(frame=frame)
        assert all(same(given[label], plain[label]) for label in plain)
    quiet = functools.partial(warnings.catch_warnings, action="ignore")
    with quiet():
        one, other = (
            hostile.places_with(frame=f(hostile.places())) for f in (convert, pd.DataFrame)
        )
        np.testing.assert_array_equal(one, other)
    rates = pd.DataFrame({"rate": [2.0, 3.0], "people": [2, 2], "tenth": [1, 2]})
    assert hostile.rates_with(table=convert(rates)).equals(hostile.rates_with())
    theirs = pd.DataFrame({"la": ["Corby", "Ashby", "Barton"], "c": [3.0, 1.0, 2.0]})
    found = hostile.from_frame(authority_covariates=convert(theirs)).authority_covariates
    assert found["c"].to_dict() == {"Ashby": 1.0, "Barton": 2.0, "Corby": 3.0}
    values = {name: float(k % 7) for k, name in enumerate(hostile.MANY)}
    controls = pd.DataFrame({"c": np.arange(20) * 7 % 11, "la": hostile.MANY})
    model = hostile.OutcomeModel(
        hostile.gradients(), outcome=values, name="absence", controls=convert(controls[::-1])
    )
    assert model.control_names == ("c",)
    np.testing.assert_array_equal(model.control_values[:, 0], controls["c"])


def test_categories_have_no_order_of_appearance():
    """Polars numbers categories as they appear; a reference must not depend on the rows' order."""
    frame = pl.from_pandas(table().assign(c=list("wswsnw")))
    frame = frame.with_columns(pl.col("c").cast(pl.Categorical))
    for given in (frame, frame.reverse()):
        found = hostile.from_frame(frame=given, covariates=["c"]).covariates["c"]
        assert found.cat.categories.tolist() == ["n", "s", "w"]


#: What is passed by mistake where a name, a word, a number or a mapping is wanted.
SLIPS = (5, 2.5, True, b"plans", [], ["plans"], {}, {"plans"}, object(), len, np.nan, "", "\ud800")


def option_cases(door, options):
    """Every option of a door."""
    return [(door, option) for option in options.split()]


@pytest.mark.parametrize(
    ("door", "option"),
    [
        *option_cases(
            hostile.from_frame,
            "frame area authority deprivation children events exposure totals authority_means "
            "national_mean per missing_events zero_exposure complete total_rows covariates "
            "authority_covariates locality region",
        ),
        *option_cases(
            hostile.from_long,
            "frame stratum area authority deprivation children events exposure children_of order "
            "totals missing_rows missing_events zero_exposure covariates total_rows",
        ),
        *option_cases(
            hostile.from_stages,
            "frame stages exposure totals unmatched_events missing_events zero_exposure covariates",
        ),
        *option_cases(
            hostile.places_with, "frame deprivation exposure authority authority_mean target"
        ),
        *option_cases(hostile.rates_with, "table rate population deprivation by most_deprived"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_slips_in_options_are_refused_or_mean_something(door, option):
    """Never in the words of another library: ours name the option, or what it is a role of."""
    for slip in SLIPS:
        meant = (door.__name__, option, ascii(slip)) in MEANT
        said = ""
        try:
            hostile.quiet(lambda given: door(**{option: given}))(slip)
        except SocgradError as error:
            said = str(error)
        assert bool(said) != meant, (slip, said)
        known = (option, "table", "Column", "stages", "strat")
        assert meant or any(word in said for word in known), (slip, said)


#: Slips that are what an option means.
MEANT = {
    ("from_frame", "totals", "{}"),
    ("from_frame", "complete", "True"),
    *(
        (door, "covariates", given)
        for door in ("from_frame", "from_long", "from_stages")
        for given in ("[]", "{}", "['plans']", "{'plans'}")
        if not (door == "from_long" and "plans" in given)
    ),
    ("from_long", "totals", "{}"),
    ("from_stages", "totals", "{}"),
    ("from_stages", "exposure", "{}"),
    ("places_with", "exposure", "5"),
    ("places_with", "exposure", "2.5"),
}


def assert_refused(read, cell, *words):
    """The door refuses the cell in our own words."""
    try:
        found = read(cell)
    except SocgradError as error:
        assert_teaches(error, *words)
    else:
        raise AssertionError(f"{cell!r} was read as {found!r}")


def assert_teaches(error, *words):
    """A message that says what, how many or where, and, in a sentence of its own, what to do."""
    text = str(error)
    assert ". " in text, text
    assert text.rstrip().endswith("."), text
    assert len(text) < 1500, text
    assert text.encode("utf-8"), text  # it reaches a log
    for word in words:
        assert word in text, text
