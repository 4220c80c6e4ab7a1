import numpy as np
import pandas as pd
import pytest

from covariate_tables import covariate_table
from socgrad.errors import TableError
from socgrad.table.areas import Areas
from socgrad.table.covariate_columns import constant_within


def areas(**changes):
    """Validate the small table, with arguments changed."""
    table = covariate_table()
    given = {"covariates": ["setting"], "authority_covariates": table.authorities} | changes
    frame = given.pop("frame", table.areas)
    return Areas.from_frame(
        frame,
        area="area",
        authority="authority",
        events="events",
        children="children",
        deprivation="deprivation",
        complete=True,
        **given,
    )


def test_columns_join_by_label_whatever_the_order():
    """Shuffled areas and shuffled authorities give the same columns."""
    table = covariate_table()
    plain = areas()
    shuffled = areas(
        frame=table.areas.sample(frac=1, random_state=1),
        authority_covariates=table.authorities.iloc[::-1],
    )
    pd.testing.assert_frame_equal(plain.covariates, shuffled.covariates)
    pd.testing.assert_frame_equal(plain.authority_covariates, shuffled.authority_covariates)
    own = table.areas.set_index("area")["setting"]
    assert (plain.covariates["setting"] == own[plain.area]).all()


def test_labels_of_authorities_may_be_a_column():
    """A column named as the areas' own serves as the index does; other authorities go."""
    table = covariate_table()
    more = pd.concat([table.authorities, table.authorities.iloc[:1].rename({"A001": "Z"})])
    by_column = areas(authority_covariates=more.rename_axis("authority").reset_index())
    pd.testing.assert_frame_equal(by_column.authority_covariates, areas().authority_covariates)


def test_numbers_and_categories_are_told_apart():
    """Truth values and whole numbers become numbers; text becomes sorted categories."""
    frame = covariate_table().areas
    frame = frame.assign(dense=frame["density"] > 20, whole=3 * np.arange(len(frame)))
    columns = areas(frame=frame, covariates=["dense", "whole", "setting"]).covariates
    assert [str(kind) for kind in columns.dtypes] == ["float64", "float64", "category"]
    assert columns["setting"].cat.categories.tolist() == ["rural", "urban"]


def test_numbers_as_text_are_numbers():
    """All of them; codes with a leading 0, and what is categorical by name, stay categories."""
    frame = covariate_table().areas
    text = frame["density"].round(3).map(repr)
    codes = pd.Series(np.arange(len(frame)) % 3, frame.index).map("0{}".format)
    frame = frame.assign(text=text, codes=codes, named=codes.str[1:].astype("category"))
    columns = areas(frame=frame, covariates=["text", "codes", "named"]).covariates
    assert [str(kind) for kind in columns.dtypes] == ["float64", "category", "category"]
    number = frame.set_index("area")["density"].round(3)
    np.testing.assert_array_equal(columns["text"], number[columns.index])


@pytest.mark.parametrize(
    ("mark", "words"),
    [
        ("c", r"'text' \(covariate\), where c is no number, is missing: 1 of 240 \(A001-0001\)"),
        ("1,2", r"'text' \(covariate\) holds text that is not a number in 1 of 240 .*'1,2' at A00"),
        ("-", r"'text' \(covariate\) holds a dash in 1 of 240 rows \(A001-0001\)"),
    ],
)
def test_numbers_as_text_with_a_mark_are_no_categories(mark, words):
    """One mark would otherwise make a category of every value."""
    frame = covariate_table().areas
    frame = frame.assign(text=frame["density"].map(repr))
    frame.loc[frame["area"] == "A001-0001", "text"] = mark
    with pytest.raises(TableError, match=words):
        areas(frame=frame, covariates=["text"])


def test_names_that_a_fit_has_itself_are_refused_before_sampling():
    """A covariate called area would collide with the labels of areas in the tree."""
    given = covariate_table().authorities
    with pytest.raises(TableError, match=r"cannot be called 'area', .*columns=\{'area': 'area"):
        areas(authority_covariates=given.assign(area=1.0))
    with pytest.raises(TableError, match=r"covariates is a int \(5\)\. Expected a list"):
        areas(covariates=5)


def test_an_ordered_category_keeps_its_order():
    """Levels without rows are dropped."""
    order = pd.CategoricalDtype(["urban", "suburban", "rural"], ordered=True)
    frame = covariate_table().areas
    frame = frame.assign(setting=frame["setting"].astype(order))
    column = areas(frame=frame).covariates["setting"]
    assert column.cat.categories.tolist() == ["urban", "rural"]
    assert column.cat.ordered


def test_missing_values_of_areas_are_refused_at_the_door():
    """Which rows, and why all need a value."""
    frame = covariate_table().areas
    holed = frame.assign(setting=frame["setting"].where(frame.index > 1))
    with pytest.raises(
        TableError, match=r"'setting' \(covariate\) is missing: 2 of 240 \(A001-0001, A001-0002\)"
    ):
        areas(frame=holed)


def test_missing_values_of_authorities_wait_for_a_formula():
    """A table of authorities may have gaps in columns that no model names."""
    given = covariate_table().authorities
    gap = given.assign(spending=np.where(given.index == "A002", np.nan, 1.0))
    assert areas(authority_covariates=gap).authority_covariates["spending"].isna().sum() == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"covariates": "setting"}, r"covariates='setting' is one text. Expected a list"),
        (
            {"covariates": ["seting"]},
            r"'seting' \(covariate\) is not in the table. Did you mean 's",
        ),
        ({"covariates": ["when"]}, "holds datetime64 values|holds datetime values"),
        ({"covariates": ["a/b"]}, r"'a/b' cannot be the name of a covariate"),
        ({"covariates": ["endless"]}, r"'endless' \(covariate\) has infinite values: 1 of 240"),
    ],
)
def test_columns_that_cannot_serve_are_refused(changes, words):
    """The column, the problem and what to do."""
    frame = covariate_table().areas
    frame = frame.assign(when=pd.Timestamp("2019-03-31"), endless=np.inf).copy()
    frame["a/b"] = 1.0
    frame.loc[frame.index[1:], "endless"] = 0.0
    with pytest.raises(TableError, match=words):
        areas(frame=frame, **changes)


def test_a_table_of_authorities_has_each_once():
    """Doubled rows, absent rows and a name that areas have too are refused."""
    given = covariate_table().authorities
    with pytest.raises(TableError, match=r"has authorities more than once: 1 of 13 \(A001\)"):
        areas(authority_covariates=pd.concat([given, given.iloc[:1]]))
    with pytest.raises(TableError, match=r"has no row for authorities: 2 of 12 \(A001, A002\)"):
        areas(authority_covariates=given.iloc[2:])
    with pytest.raises(TableError, match="setting: named both in covariates and in authority_cov"):
        areas(authority_covariates=given.assign(setting="x"))


def test_columns_constant_in_each_authority_are_told_from_the_others():
    """A column of areas that repeats its authority's value serves for authorities too."""
    frame = covariate_table().areas
    frame = frame.assign(ofsted="grade " + frame["authority"].str[-1])
    found = areas(frame=frame, covariates=["ofsted", "setting"])
    constant, varying = constant_within(found.covariates, found.authority_of_area, found.authority)
    assert constant["ofsted"].tolist() == [f"grade {label[-1]}" for label in found.authority]
    assert list(varying) == ["setting"]
    assert len(varying["setting"]) == 11
