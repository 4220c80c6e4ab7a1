import numpy as np
import pandas as pd
import pytest

from socgrad.errors import EstimandError, TableError
from socgrad.estimands.inequality_of_rates import inequality_of_rates

# Child Welfare Inequalities Project, England, 31 March 2015, per 10,000, tenths 1 (least) to 10.
PLANS = [9, 14, 21, 23, 32, 35, 47, 51, 71, 113]
LOOKED_AFTER = [12, 14, 23, 29, 29, 40, 55, 67, 88, 133]

# Office for Health Improvement and Disparities: PHEindicatormethods, tenths most deprived first.
POPULATIONS = [7291, 7997, 6105, 7666, 5790, 6934, 5918, 5974, 7147, 7534]
VALUES = [75.9335, 78.3442, 83.8361, 83.6375, 80.4655, 81.1157, 81.6931, 84.1900, 80.5956, 86.2894]


def tenths(rates, populations=None):
    """One row per tenth."""
    sizes = [1000] * len(rates) if populations is None else populations
    return pd.DataFrame({"tenth": range(1, len(rates) + 1), "rate": rates, "children": sizes})


def indices(rates, populations=None, **options):
    """Values by measure and method."""
    table = tenths(rates, populations)
    return inequality_of_rates(
        table, rate="rate", population="children", deprivation="tenth", **options
    )


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        (PLANS, [41.6, 104, 94.545, 2.273, 11.860, 12.213, 1.2843, 0.3750, 32.6, 78.37, 102.455]),
        (
            LOOKED_AFTER,
            [49.0, 121, 116.121, 2.370, 12.830, 13.932, 1.3014, 0.3910, 37.0, 75.51, 124.091],
        ),
    ],
)
def test_child_welfare_inequalities_project(rates, expected):
    """Every column of the evidence file, to the digits that are printed there."""
    value = indices(rates)["value"]
    found = [
        value["mean", ""],
        value["absolute_gap", ""],
        value["sii", "linear"],
        value["rii_of_mean", "linear"],
        value["rii", "log-linear"],
        value["rii", "poisson"],
        value["rii", "poisson"] ** 0.1,  # rate ratio per tenth
        value["concentration_index", ""],
        value["attributable_rate", ""],
        100 * value["attributable_fraction", ""],
        value["sii", "log-linear"],
    ]
    digits = [1, 0, 3, 3, 3, 3, 4, 4, 1, 2, 3]
    assert [round(x, d) for x, d in zip(found, digits, strict=True)] == expected
    assert value["relative_gap", ""] == pytest.approx(rates[-1] / rates[0])


@pytest.mark.parametrize("rates", [PLANS, LOOKED_AFTER])
def test_a_negative_linear_end_is_refused(rates):
    """The affluent end lies below zero, so there is no ratio, and the note says why."""
    row = indices(rates).loc[("rii", "linear")]
    assert np.isnan(row["value"])
    assert row["note"].startswith("refused: an end of the linear line is not above zero")


def test_ohid_vector():
    """PHEindicatormethods' slope index in our direction: most minus least deprived."""
    value = indices(VALUES, POPULATIONS, most_deprived="lowest", rate_per=100)["value"]
    assert value["sii", "linear"] == pytest.approx(-6.9346, abs=2e-5)
    assert value["rii", "linear"] == pytest.approx(0.91843, abs=2e-5)
    assert 1 / value["rii", "linear"] == pytest.approx(1.08882, abs=2e-5)


def test_the_direction_is_an_option():
    """Calling the other end deprived changes the signs and inverts the ratios."""
    up, down = (indices(PLANS, most_deprived=most)["value"] for most in ("highest", "lowest"))
    for method in ("log-linear", "poisson"):
        assert up["sii", method] == pytest.approx(-down["sii", method])
        assert up["rii", method] == pytest.approx(1 / down["rii", method])
    assert up["concentration_index", ""] == pytest.approx(-down["concentration_index", ""])
    assert up["absolute_gap", ""] == -down["absolute_gap", ""]


def test_by_hand():
    """Two halves of 50 and 200 per 10,000, as for a fit."""
    value = indices([50, 200])["value"]
    # As in test_inequality and test_concentration: 150 over half a rank; times 4 over half a rank.
    assert value["sii", "linear"] == pytest.approx(300)
    assert value["rii", "log-linear"] == pytest.approx(16)
    assert value["rii", "poisson"] == pytest.approx(16)
    assert value["concentration_index", ""] == pytest.approx(0.3)
    assert value["concentration_index_wagstaff", ""] == pytest.approx(0.3 / (1 - 0.0125))
    assert value["concentration_index_erreygers", ""] == pytest.approx(4 * 0.0125 * 0.3)
    assert value["attributable_fraction", ""] == pytest.approx(0.6)


def test_split_and_ordered_rows_change_nothing():
    """A tenth in two rows of the same rate, and rows in any order, give the same."""
    whole = indices(PLANS)["value"]
    table = tenths(PLANS)
    halves = pd.concat([table, table]).assign(children=500).sample(frac=1, random_state=1)
    parts = inequality_of_rates(halves, rate="rate", population="children", deprivation="tenth")
    pd.testing.assert_series_equal(parts["value"], whole, rtol=1e-10)


def test_units_of_a_table():
    """By authority, each has the indices that it has alone."""
    both = pd.concat([tenths(PLANS).assign(la="A"), tenths(LOOKED_AFTER).assign(la="B")])
    found = inequality_of_rates(
        both, rate="rate", population="children", deprivation="tenth", by="la"
    )
    assert found.index.names == ["la", "measure", "method"]
    pd.testing.assert_frame_equal(found.loc["B"], indices(LOOKED_AFTER))
    with pytest.raises(
        TableError, match="'la' \\(by\\) has missing or blank labels in rows: 10 of 20"
    ):
        inequality_of_rates(
            pd.concat([tenths(PLANS).assign(la="A"), tenths(PLANS)]),
            rate="rate", population="children", deprivation="tenth", by="la",
        )  # fmt: skip


def test_groups_without_events():
    """A zero has no log, all zeros no ratio, and events at one end alone no Poisson line."""
    zero = indices([0, 10, 20])
    assert np.isnan(zero.loc[("rii", "log-linear"), "value"])
    assert "no log rate" in zero.loc[("sii", "log-linear"), "note"]
    assert zero.loc[("rii", "poisson"), "value"] > 1
    assert "least deprived group has no events" in zero.loc[("relative_gap", ""), "note"]
    assert zero.loc[("attributable_fraction", ""), "value"] == 1
    none = indices([0, 0])
    assert none.loc[("sii", "linear"), "value"] == 0
    assert none.loc[("absolute_gap", ""), "value"] == 0
    for row in (("rii", "linear"), ("rii", "poisson"), ("concentration_index", "")):
        assert np.isnan(none.loc[row, "value"])
        assert "no events" in none.loc[row, "note"]
    for rates in ([0, 0, 5], [5, 0, 0]):
        assert "one extreme group" in indices(rates).loc[("rii", "poisson"), "note"]
    notes = indices([10, 30, 50])
    assert notes["note"].eq("").eq(notes["value"].notna()).all()


def test_bounded_forms_need_a_bound():
    """A rate of one event per unit or more has no Wagstaff or Erreygers form."""
    found = indices([50, 120], rate_per=100)
    assert found["value"].isna().sum() == 2
    assert "no bound of one" in found.loc[("concentration_index_wagstaff", ""), "note"]


def test_tables_are_checked():
    """Missing columns, missing or negative numbers, and a single deprivation are refused."""
    names = {"rate": "rate", "population": "children", "deprivation": "tenth"}
    table = tenths(PLANS)
    with pytest.raises(TableError, match="'decile' \\(deprivation\\) is not in the table"):
        inequality_of_rates(table, **(names | {"deprivation": "decile"}))
    with pytest.raises(TableError, match=r"'rate' \(rate\) has negative values: 1 of 10 \(0\)"):
        inequality_of_rates(table.assign(rate=[-9, *PLANS[1:]]), **names)
    with pytest.raises(TableError, match=r"\(population\) is 0 in rows: 10 of 10 \(0, 1, 2"):
        inequality_of_rates(table.assign(children=0), **names)
    with pytest.raises(TableError, match=r"'rate' \(rate\) has missing values: 1 of 10 \(0\)"):
        inequality_of_rates(table.assign(rate=["c", *PLANS[1:]]), **names)
    with pytest.raises(TableError, match="the table has 1 value of deprivation among 10 rows"):
        inequality_of_rates(table.assign(tenth=1), **names)
    with pytest.raises(EstimandError, match="most_deprived is 'first'; expected 'highest' or"):
        inequality_of_rates(table, **names, most_deprived="first")
    with pytest.raises(EstimandError, match="rate_per is -1"):
        inequality_of_rates(table, **names, rate_per=-1)
