"""A table small enough for a pencil, and the way through the door, for tests of areas."""

import numpy as np
import pandas as pd

from socgrad.table.areas import Areas

NAMES = {"area": "lsoa", "authority": "la", "deprivation": "idaci", "children": "children"}


def table():
    """Three authorities of two areas, small enough for a pencil."""
    return pd.DataFrame(
        {
            "lsoa": ["A1", "A2", "B1", "B2", "C1", "C2"],
            "la": ["Ashby", "Ashby", "Barton", "Barton", "Corby", "Corby"],
            "idaci": [0.1, 0.2, 0.3, 0.5, 0.2, 0.6],
            "children": [100, 300, 200, 200, 100, 100],
            "contacts": [10, 20, 30, 40, 50, 60],
            "plans": [1, 2, 3, 4, 0, 5],
        }
    )


def door(frame, **options):
    """Pass a table through the door, every area of it present unless the test says otherwise."""
    return Areas.from_frame(frame, **({**NAMES, "events": "plans", "complete": True} | options))


def changed(column, values):
    """The table with some values of one column replaced, by position."""
    frame = table().astype({column: object})
    for position, value in values.items():
        frame.loc[position, column] = value
    return frame.assign(**{column: frame[column].infer_objects()})


def large(seed=1, *, authorities=12, size=60):
    """A complete-looking table: authorities of sixty areas."""
    rng = np.random.default_rng(seed)
    la = np.repeat(np.arange(authorities), size)
    level = rng.uniform(0.1, 0.4, authorities)
    return pd.DataFrame(
        {
            "lsoa": np.arange(authorities * size),
            "la": la,
            "idaci": np.clip(level[la] + rng.normal(0, 0.08, la.size), 0, 1),
            "children": rng.integers(100, 900, la.size),
            "plans": rng.poisson(3, la.size),
        }
    )


def same(one, other):
    """Whether two Areas hold the same numbers, NaN for NaN."""
    for name in (
        "authority_of_area",
        "deprivation",
        "children",
        "exposure",
        "events",
        "counted",
        "total_events",
        "authority_mean",
        "national_mean",
    ):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    return True
