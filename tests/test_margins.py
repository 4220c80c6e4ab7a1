"""Suppressed counts that sums and differences give back, by hand."""

import numpy as np
import pandas as pd

from socgrad.disclosure.margins import given_back

NAN = np.nan


def grid(events):
    """Counts by authority (rows) and group (columns)."""
    rows = [
        {"authority": a, "group": g, "events": value}
        for a, row in zip("AB", events, strict=True)
        for g, value in enumerate(row, start=1)
    ]
    return pd.DataFrame(rows)


def test_one_hole_in_a_row_of_known_sum():
    """4 + ? = 9 has one answer; ? + ? = 9 has many."""
    by_authority = pd.DataFrame({"authority": ["A", "B"], "events": [9, 20]})
    assert given_back([grid([[NAN, 4], [8, 12]]), by_authority]) == [{0}, set()]
    assert given_back([grid([[NAN, NAN], [8, 12]]), by_authority]) == [set(), set()]


def test_rows_and_columns_together_give_back_what_neither_does_alone():
    """Three holes in an L: the column solves one, then the row the next, then the last."""
    by_authority = pd.DataFrame({"authority": ["A", "B"], "events": [9, 20]})
    by_group = pd.DataFrame({"group": [1, 2], "events": [13, 16]})
    holes = grid([[NAN, NAN], [NAN, 12]])
    assert given_back([holes, by_authority]) == [{2}, set()]
    assert given_back([holes, by_authority, by_group]) == [{0, 1, 2}, set(), set()]
    # Four holes in a square keep one degree of freedom: nothing is given back.
    square = grid([[NAN, NAN], [NAN, NAN]])
    assert given_back([square, by_authority, by_group]) == [set(), set(), set()]


def test_a_suppressed_margin_is_given_back_by_its_parts():
    """A total whose parts are all there is no secret."""
    by_authority = pd.DataFrame({"authority": ["A", "B"], "events": [NAN, 20]})
    assert given_back([grid([[5, 4], [8, 12]]), by_authority]) == [set(), {0}]


def test_tables_that_do_not_nest_tell_nothing_of_one_another():
    """Without shared keys or sums there is nothing to take off."""
    one = pd.DataFrame({"group": [1, 2], "events": [NAN, 7]})
    other = pd.DataFrame({"authority": ["A", "B"], "events": [NAN, 20]})
    assert given_back([one, other]) == [set(), set()]
