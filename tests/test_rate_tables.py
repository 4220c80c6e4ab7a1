import numpy as np
import pandas as pd
import pytest

from socgrad.errors import EstimandError
from socgrad.estimands.group_rates import rate_by_group
from socgrad.estimands.observed_rates import observed_rate_by_group
from socgrad.reading.example import example_fit, example_fit_of_stages
from socgrad.tables.rate_tables import journal_rates, rate_table
from uncounted_areas import without_last


@pytest.fixture(scope="module")
def counted():
    """Make a fit with a count for every area."""
    return example_fit(events=True)


def test_columns_are_the_observed_and_the_fitted_rates(counted):
    """Observed as counted, fitted as medians of draws, ratios draw by draw."""
    table = rate_table(counted, groups=5, prob=0.9)
    observed = observed_rate_by_group(counted, groups=5, prob=0.9)
    np.testing.assert_array_equal(table["observed_upper"], observed["upper"])
    np.testing.assert_array_equal(table["events"], observed["events"])
    draws = rate_by_group(counted, groups=5, areas="counted")
    tails = draws.quantile([0.05, 0.5, 0.95], ("chain", "draw"))
    found = table[["fitted_lower", "fitted", "fitted_upper"]].to_numpy().T
    np.testing.assert_allclose(found, tails)
    ratios = (draws / draws.sel(group=1)).quantile([0.05, 0.5, 0.95], ("chain", "draw"))
    np.testing.assert_allclose(table[["ratio_lower", "ratio", "ratio_upper"]].to_numpy().T, ratios)


def test_groups_of_authorities_have_first_groups_of_their_own(counted):
    """Each group of authorities has its rows, and ratios to its own least deprived group."""
    table = rate_table(counted, groups=4, authority_groups=2)
    assert table[["authority_group", "group"]].to_numpy().tolist() == [
        [own, group] for own in (1, 2) for group in (1, 2, 3, 4)
    ]
    assert (table.loc[table["group"] == 1, "ratio"] == 1).all()
    journal = journal_rates(table)
    assert journal.header[:2] == ("Authorities", "Group")
    assert journal.rows[4][:2] == ("2 (most deprived)", "1 (least deprived)")
    assert journal.words == 2


def test_a_fit_without_events_gives_fitted_rates_alone(split_fit):
    """Observed rates are refused where there are none, and left out where that is asked for."""
    with pytest.raises(EstimandError, match="needs the observed events"):
        rate_table(split_fit)
    table = rate_table(split_fit, observed=False)
    assert "observed" not in table
    np.testing.assert_allclose(table["fitted"], rate_by_group(split_fit).median(("chain", "draw")))
    assert journal_rates(table).header == (
        "Group",
        "Fitted rate (95% interval)",
        "Ratio to group 1 (95% interval)",
    )


def test_strata_stand_below_one_another():
    """Fitted rates of each stratum, with its own first group."""
    table = rate_table(example_fit_of_stages(), groups=3, observed=False)
    assert table["stratum"].tolist() == [
        s for s in ("referral", "assessment", "plan") for _ in "abc"
    ]
    assert (table["ratio"].iloc[::3] == 1).all()
    assert journal_rates(table).rows[3][0] == "assessment"


def test_the_journal_form_is_these_numbers(counted):
    """Cells are the table's numbers in words, and the first group is the reference."""
    table = rate_table(counted, groups=3)
    journal = journal_rates(table, caption="Rates")
    row = table.iloc[2]
    assert journal.rows[2] == (
        "3 (most deprived)",
        f"{100 * row.deprivation:.1f}",
        f"{row.events:,.0f}",
        f"{row.exposure:,.0f}",
        f"{row.observed:.1f} ({row.observed_lower:.1f} to {row.observed_upper:.1f})",
        f"{row.fitted:.1f} ({row.fitted_lower:.1f} to {row.fitted_upper:.1f})",
        f"{row.ratio:.2f} ({row.ratio_lower:.2f} to {row.ratio_upper:.2f})",
    )
    assert journal.rows[0][-1] == "1 (reference)"
    assert journal.caption == "Rates"
    assert journal.notes[0].startswith("Rates: events per 10,000 of exposure.")


def test_what_was_left_out_is_said(counted):
    """Neighbourhoods without counts are counted in a note."""
    notes = journal_rates(rate_table(without_last(counted, 70), groups=4)).notes
    assert notes[-1].startswith("70 of 600 neighbourhoods have no count of their own")
    assert not any("left out" in note for note in journal_rates(rate_table(counted)).notes)


def test_another_table_is_refused():
    """What `rate_table` did not make has no such form."""
    with pytest.raises(EstimandError, match="DataFrame is no table of rates by group"):
        journal_rates(pd.DataFrame({"group": [1]}))
