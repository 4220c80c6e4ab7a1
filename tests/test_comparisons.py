"""What each column compares is read off the encoding, whatever the formula says."""

import pandas as pd
import pytest

from socgrad.formulas import design

TABLE = pd.DataFrame(
    {
        "region": pd.Categorical(list("WSNWSN"), ["W", "S", "N"], ordered=True),
        "gini": [1.0, 2.0, 4.0, 5.0, 7.0, 8.0],
    }
)
NEXT = "all else equal"


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (
            "~ region",
            {
                "region[S]": ("of region S against W", "the same place with region W"),
                "region[N]": ("of region N against W", "the same place with region W"),
            },
        ),
        (
            "~ C(region, Treatment('S'))",
            {
                "C(region, Treatment('S'))[W]": (
                    "of region W against S",
                    "the same place with region S",
                ),
                "C(region, Treatment('S'))[N]": (
                    "of region N against S",
                    "the same place with region S",
                ),
            },
        ),
        (
            "~ C(region, Sum())",
            {
                f"C(region, Sum())[{level}]": (
                    f"of region {level} against the mean of its levels",
                    "the mean over the 3 levels of region, each counted once",
                )
                for level in "WS"
            },
        ),
        # Sum of squares about the mean of 4.5: 37.5; divided by 6, and not by 5: 2.5 ** 2.
        (
            "~ scale(gini)",
            {
                "scale(gini)": (
                    "per standard deviation of gini (2.5 over the table's rows, divided by n)",
                    "the same place, one standard deviation of gini less",
                )
            },
        ),
        ("~ gini", {"gini": ("per unit of gini", "the same place, one unit less of gini")}),
    ],
)
def test_references_are_named(formula, expected):
    """The level left out, the mean of all, or a unit less."""
    made = design(formula, TABLE, where="covariates")
    found = {
        name: (one.unit, one.reference)
        for name, one in zip(made.names, made.comparisons, strict=True)
    }
    assert found == {name: (unit, f"{than}, {NEXT}") for name, (unit, than) in expected.items()}


def test_columns_of_a_curve_and_of_a_product():
    """None of them is read alone."""
    curve = design("~ poly(gini, 2)", TABLE, where="covariates").comparisons
    assert [one.reference for one in curve] == [
        "one column of a curve, read with all of poly(gini, 2)"
    ] * 2
    both = design("~ region * gini", TABLE, where="covariates")
    words = dict(zip(both.names, both.comparisons, strict=True))
    assert words["region[S]:gini"].unit == "of the product of region S against W and unit of gini"
