import numpy as np
import pandas as pd
import pytest
import xarray as xr

from socgrad.errors import EstimandError
from socgrad.estimands.contextual import inverse_intervention
from socgrad.estimands.crossings import crossing
from socgrad.estimands.gradients import gradient
from socgrad.estimands.rates import expected_rate
from socgrad.reading.example import example_fit_of_stages
from socgrad.reading.labels import label_draws
from socgrad.tables.html import to_html
from socgrad.tables.journal import journal_table, number
from socgrad.tables.latex import to_latex
from socgrad.tables.markdown import to_markdown
from socgrad.tables.summaries import summarise


def made(values, name="thing", null=None, units="each"):
    """Make labelled draws of two chains from a flat list of numbers."""
    draws = xr.DataArray(np.reshape(values, (2, -1)).astype(float), dims=("chain", "draw"))
    return label_draws(draws, estimand=name, units=units, reference="none", null=null)


def test_cells_are_the_summarys_numbers(split_fit):
    """Each row holds median and limits of its estimand, rounded, and the words of its place."""
    summary = summarise(gradient(split_fit), inverse_intervention(split_fit), prob=0.9)
    table = journal_table(summary, caption="Gradients")
    assert table.header == ("Quantity", "At", "Estimate (90% interval)", "Pr(>1)")
    assert (table.words, table.caption, len(table.rows)) == (2, "Gradients", 4)
    for cells, (_, row) in zip(table.rows, summary.iterrows(), strict=True):
        assert cells[2] == f"{row.estimate:.2f} ({row.lower:.2f} to {row.upper:.2f})"
    assert table.rows[0][:2] == ("Gradient", "")
    assert table.rows[1][0] == "Inverse intervention"
    assert table.rows[1][1].endswith("%")


def test_notes_say_units_and_references_once(split_fit):
    """Three rows of one estimand share one note; what an estimate is comes first."""
    notes = journal_table(summarise(gradient(split_fit), inverse_intervention(split_fit))).notes
    assert len(notes) == 3
    assert notes[0] == (
        "Estimate: posterior median (95% interval, equal-tailed); Pr: posterior probability of a "
        "value above that of no difference."
    )
    assert notes[1].startswith(
        "Gradient: rate ratio per 10 points of neighbourhood deprivation; reference: the less depr"
    )


def test_places_are_said_in_words(split_fit):
    """Authorities and strata stand for themselves, others after their name, in percent."""
    own = gradient(split_fit, target="each").sel(authority=["Ashby", "Corham"])
    assert [row[1] for row in journal_table(summarise(own)).rows] == ["Ashby", "Corham"]
    rates = expected_rate(split_fit, deprivation=0.25, authority_mean=[0.2, 0.25])
    assert [row[1] for row in journal_table(summarise(rates)).rows] == [
        "authority mean 20%, deprivation 25%",
        "authority mean 25%, deprivation 25%",
    ]
    stages = journal_table(summarise(gradient(example_fit_of_stages())))
    assert [row[1] for row in stages.rows] == ["referral", "assessment", "plan"]


def test_digits_follow_the_size_of_the_numbers():
    """Ratios have two digits; others three in all; what is asked for is what is given."""
    middle = np.linspace(0.9, 1.1, 100)

    def cell(values, null=None, decimals=None):
        return journal_table(summarise(made(values, null=null)), decimals=decimals).rows[0][1]

    # Medians are 1; the limits of 100 even draws are 0.905 and 1.095 of it.
    assert cell(middle, null=1.0) == "1.00 (0.91 to 1.09)"
    assert cell(541.2 * middle) == "541 (490 to 593)"
    assert cell(52.4 * middle) == "52.4 (47.4 to 57.4)"
    assert cell(0.0524 * middle) == "0.0524 (0.0474 to 0.0574)"
    assert cell(12345 * middle) == "12,345 (11,172 to 13,518)"
    assert cell(-52.4 * middle) == "\u221252.4 (\u221257.4 to \u221247.4)"
    assert cell(541.2 * middle, decimals=1) == "541.2 (489.8 to 592.6)"


def test_numbers_without_sign_or_with_a_true_one():
    """What rounds to zero has no sign."""
    assert number(-0.004, 2) == "0.00"
    assert number(-0.006, 2) == "\u22120.01"
    assert number(1234567.0, 0) == "1,234,567"


def test_extreme_probabilities_are_bounds():
    """No draw above one is less than 0.01, not zero; the heading says above what."""
    middle = np.linspace(0.9, 1.1, 100)
    rows = [journal_table(summarise(made(middle + by, null=1.0))).rows[0] for by in (-1, 1, 0.05)]
    # 100 even draws from 0.95 to 1.15: those above 1 are 75.
    assert [row[2] for row in rows] == ["<0.01", ">0.99", "0.75"]


def test_two_nulls_are_told_in_the_cells():
    """A ratio and a difference in one table each say above what their probability is."""
    middle = np.linspace(0.9, 1.1, 100)
    table = journal_table(
        summarise(made(middle, "ratio", 1.0), made(middle, "difference", 0.0), made(middle, "rate"))
    )
    assert table.header[-1] == "Pr"
    assert [row[-1] for row in table.rows] == ["0.50 (>1)", ">0.99 (>0)", ""]


def test_without_nulls_there_is_no_probability(split_fit):
    """Rates have no null value, so no column of probabilities, and no note on it."""
    table = journal_table(summarise(expected_rate(split_fit)))
    assert table.header == ("Quantity", "At", "Estimate (95% interval)")
    assert "Pr" not in table.notes[0]


def test_a_share_has_no_interval(split_fit):
    """The probability of a crossing within support is one number."""
    table = journal_table(summarise(crossing(split_fit)))
    share = dict(zip(table.header, table.rows[1], strict=True))["Estimate (95% interval)"]
    assert share == f"{float(crossing(split_fit)['within_support'].mean()):.2f}"


def test_labels_rename_estimands(split_fit):
    """The caller's words stand in rows and notes; a name that is not there is refused."""
    summary = summarise(gradient(split_fit))
    table = journal_table(summary, labels={"gradient": "Plans"})
    assert table.rows[0][0] == "Plans"
    assert table.notes[1].startswith("Plans: ")
    with pytest.raises(EstimandError, match=r"labels names 1 .*'gradeint'.* holds 'gradient'"):
        journal_table(summary, labels={"gradeint": "Plans"})


def test_what_is_no_summary_is_refused(split_fit):
    """Another table, a reset index and digits below zero."""
    summary = summarise(gradient(split_fit))
    with pytest.raises(EstimandError, match="DataFrame is no summary: it lacks estimate, lower"):
        journal_table(pd.DataFrame({"x": [1]}))
    with pytest.raises(EstimandError, match="it lacks the index of estimand and at"):
        journal_table(summary.reset_index())
    with pytest.raises(EstimandError, match="DataArray is no summary"):
        journal_table(gradient(split_fit))
    with pytest.raises(EstimandError, match="decimals is -1; expected 0 or more digits"):
        journal_table(summary, decimals=-1)


@pytest.mark.parametrize("layout", [to_markdown, to_latex, to_html])
def test_a_summary_is_not_laid_out(layout):
    """Words and digits are chosen first."""
    with pytest.raises(
        EstimandError, match=r"found DataFrame\. .*socgrad\.tables\.journal_table\(summ"
    ):
        layout(summarise(made([1, 2])))
