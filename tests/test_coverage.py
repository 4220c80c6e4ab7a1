"""Coverage of 95% intervals over replicates (slow: tests/coverage_study.py says what it does)."""

import pytest

from coverage_study import KINDS, TERMS, coverage, study

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("kind", KINDS)
def test_intervals_cover_nominally(kind):
    """Over 200 replicates, 95% intervals of every term cover 90 to 99%."""
    table = coverage(study(kind, 200, method="nuts")).set_index("term")
    assert set(table.index) == set(TERMS)
    assert table["coverage"].between(0.90, 0.99).all(), table
