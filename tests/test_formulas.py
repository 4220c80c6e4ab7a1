import numpy as np
import pandas as pd
import pytest

from socgrad.errors import SpecificationError
from socgrad.formulas import design, named_in


@pytest.fixture
def table():
    """Twelve rows: a number, a category, an ordered grade."""
    grade = pd.CategoricalDtype(["poor", "fair", "good"], ordered=True)
    return pd.DataFrame(
        {
            "x": np.arange(1.0, 13.0),
            "kind": pd.Categorical(["a", "b", "c", "a"] * 3),
            "grade": pd.Categorical(["good", "poor", "fair"] * 4, dtype=grade),
        },
        index=[f"row{k}" for k in range(12)],
    )


@pytest.mark.parametrize(
    "formula",
    [
        "~ kind + scale(log(x))",
        "kind * x",
        "grade + poly(x, 2)",
        "bs(x, df=4)",
        "C(kind, Treatment('b'))",
        "I(x**2)",
        "np.log(x):grade",
        "{x**2} + sqrt(x)",
    ],
)
def test_new_rows_are_transformed_as_the_fitted_ones_were(table, formula):
    """A few of the fitted rows, given anew, get the very columns they had."""
    made = design(formula, table, where="covariates")
    assert made.matrix.shape == (12, len(made.names))
    np.testing.assert_allclose(made.of(table.iloc[[7, 2]]), made.matrix[[7, 2]], atol=1e-12)


def test_scale_is_that_of_the_fitted_rows(table):
    """1 to 12 have mean 6.5 and SD sqrt(143 / 12) = 3.452: a new 10 is 3.5 / 3.452 above."""
    made = design("scale(x)", table, where="covariates")
    value = made.of(pd.DataFrame({"x": [10.0]}))
    assert value.item() == pytest.approx(3.5 / np.sqrt(143 / 12))


def test_ordered_categories_keep_their_order(table):
    """The first level in the given order is the one compared with, not the first by alphabet."""
    assert design("grade", table, where="covariates").names == ("grade[fair]", "grade[good]")
    assert design("kind", table, where="covariates").names == ("kind[b]", "kind[c]")


def test_each_column_knows_its_term_and_variables(table):
    """An interaction is made of both columns."""
    made = design("kind:x", table, where="covariates")
    assert set(made.terms) == {"kind:x"}
    assert set(made.variables) == {frozenset({"kind", "x"})}
    assert named_in("~ kind + log(x)", where="covariates") == {"kind", "x"}


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("", "must be a formula such as"),
        (None, "must be a formula such as"),
        ("y ~ x", "has a left-hand side"),
        ("x + (1 | kind)", r"has a group effect \(\|\)"),
        ("0 + kind", r"has no intercept \(0 \+ or - 1\)"),
        ("offset(x)", "has an offset"),
        ("1", "has no term. Leave covariates out"),
        ("x +", "cannot be read: Don't know how to parse"),
        ("logg(x)", "unknown function 'logg'"),
        ("os.system('ls')", "unknown function 'os.system'"),
        ("np.linalg.norm(x)", "unknown function 'np.linalg.norm'"),
        ("kindd", r"names 'kindd', which no column .* Did you mean 'kind'\?"),
        ("x**2", r"\*\* of one term .* write I\(x\*\*2\)"),
        ("log(x - 1)", r"'log\(x - 1\)' is not finite in 1 of 12 rows \(first: 'row0'\)"),
        ("kind * bs(x, df=4)", "Interaction with 'bs' is not supported"),
    ],
)
def test_what_cannot_be_read_is_refused(table, formula, words, capsys):
    """The message says which argument, what and why; the library's own prints are not seen."""
    with pytest.raises(SpecificationError, match=words):
        design(formula, table, where="covariates")
    assert capsys.readouterr().out == ""


def test_missing_values_are_named(table):
    """Which column, in how many rows, and the first of them."""
    holed = table.assign(x=table["x"].where(table["x"] > 2))
    with pytest.raises(
        SpecificationError, match=r"'x' is missing in 2 of 12 rows \(first: row0, r"
    ):
        design("kind + x", holed, where="moderators")


def test_new_rows_need_the_columns_and_the_levels(table):
    """An absent column, a missing value and an unseen category are three different errors."""
    made = design("kind + x", table, where="covariates")
    with pytest.raises(SpecificationError, match=r"no column 'x'. Expected 'kind', 'x'"):
        made.of(table[["kind"]])
    with pytest.raises(SpecificationError, match="'x' is missing in 1 of 2 new rows"):
        made.of(pd.DataFrame({"kind": ["a", "b"], "x": [1.0, np.nan]}))
    with pytest.raises(SpecificationError, match=r"'kind' has 1 levels .*\(first: 'z'\)"):
        made.of(pd.DataFrame({"kind": ["a", "z"], "x": [1.0, 2.0]}))


def test_some_columns_may_be_asked_for_alone(table):
    """Columns of what is not named are NaN; half of an interaction is refused."""
    made = design("kind + scale(x)", table, where="covariates")
    np.testing.assert_allclose(made.of_some(pd.DataFrame({"kind": ["b"]})), [[1.0, 0.0, np.nan]])
    crossed = design("kind:x", table, where="covariates")
    with pytest.raises(SpecificationError, match="of which only 'x' has a value"):
        crossed.of_some(pd.DataFrame({"x": [1.0]}))


def test_more_columns_than_a_model_can_have_are_not_made():
    """1,200 values as levels would give a matrix of 1,200 columns, refused before it is made."""
    long = pd.DataFrame({"x": np.arange(1200.0), "y": np.arange(1200.0) % 7})
    with pytest.raises(SpecificationError, match=r"some 1,207 columns, 1,200 .* 'C\(x\)'"):
        design("C(y) + C(x)", long, where="covariates")
    assert len(design("C(y) + x", long, where="covariates").names) == 7
