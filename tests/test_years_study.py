"""Coverage of models of years, and a control without drift (slow: tests/years_study.py)."""

import pytest

from years_study import study, summary

pytestmark = pytest.mark.slow


def test_intervals_hold_the_truth():
    """Of yearly coefficients, their changes, drift and authorities' own changes."""
    table = summary(study("drifting", 20)).set_index("term")
    assert (table["share"] > 0.95 - 4 * table["standard_error"].clip(lower=0.02)).all(), table


def test_no_drift_is_not_taken_for_one():
    """Hardly any authority is said to have changed where none did."""
    table = summary(study("still", 20)).set_index("term")
    assert table.loc["claimed", "share"] < 0.01
    assert table.loc["change of contextual", "share"] >= 0.8
