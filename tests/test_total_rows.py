"""Totals among the rows are refused; areas that are merely large are kept, with a doubt or none."""

import warnings

import numpy as np
import pandas as pd
import pytest

from door import door, large
from socgrad.errors import SocgradWarning, TableError


def city(**values):
    """Two authorities of seven areas; the first of Ashby has as many children as its others."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "lsoa": [f"t{k}" for k in range(14)],
            "la": ["Ashby"] * 7 + ["Barton"] * 7,
            "idaci": rng.uniform(0.05, 0.3, 14),
            "children": [10_000, 1700, 1650, 1700, 1650, 1650, 1650] + [1000] * 7,
            "plans": rng.poisson(20, 14),
        }
    )
    for column, value in values.items():
        frame.loc[0, column] = value
    return frame


def test_a_city_in_its_region_is_an_area():
    """As many children as the rest, but not their events: a doubt, and a switch that ends it."""
    words = r"Area 't0' has 10,000 .*all other areas of authority 'Ashby' together \(10,000\)"
    with pytest.warns(SocgradWarning, match=words) as caught:
        areas = door(city())
    assert caught[0].filename.endswith("door.py")
    assert len(areas.area) == 14
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(door(city(), total_rows="keep").area) == 14


def test_events_and_names_tell_a_total():
    """The others' events together, or the authority's own name."""
    others = int(city()["plans"][1:7].sum())
    for given in ({"plans": others}, {"plans": round(1.015 * others)}, {"lsoa": "ASHBY"}):
        with pytest.raises(TableError, match=r"totals of their authority: 1 of 14 .*total_rows="):
            door(city(**given))
        assert len(door(city(**given), total_rows="keep").area) == 14


def test_without_events_deprivation_tells():
    """That of a total is the mean of its parts; that of a city is its own."""
    totals = {"Ashby": 200, "Barton": 150}
    inside = city().iloc[1:7]
    mean = float(np.average(inside["idaci"], weights=inside["children"]))
    with pytest.raises(TableError, match="totals of their authority"):
        door(city(idaci=mean), events=None, totals=totals)
    with pytest.warns(SocgradWarning, match="'t0' has 10,000"):
        door(city(idaci=mean + 0.05), events=None, totals=totals)


@pytest.mark.parametrize("nation", [False, True])
@pytest.mark.parametrize("events", [True, False])
def test_regional_subtotals_are_refused(events, nation):
    """Rows of regions, and of the nation with them, double all children and all events."""
    frame = large()
    frame["region"] = frame["la"] % 3
    sums = frame.assign(idaci=frame["idaci"] * frame["children"]).groupby("region").sum()
    extra = sums.assign(lsoa=[90001, 90002, 90003], la=[91, 92, 93])
    extra["idaci"] /= extra["children"]
    if nation:
        mean = float(np.average(frame["idaci"], weights=frame["children"]))
        whole = {"lsoa": 90009, "la": 99, "idaci": mean}
        whole |= frame[["children", "plans"]].sum().to_dict()
        extra = pd.concat([extra, pd.DataFrame([whole])])
    both = pd.concat([frame, extra.astype({"lsoa": int, "la": int, "children": int, "plans": int})])
    given = {} if events else {"events": None, "totals": dict.fromkeys(both["la"].unique(), 50)}
    number = 4 if nation else 3
    with pytest.raises(TableError, match=rf"has {number} rows that look like totals of the others"):
        door(both, **given)
    kept = door(both, **given, total_rows="keep")
    assert len(kept.area) == len(both)
    door(frame, **({} if events else {"events": None, "totals": dict.fromkeys(range(12), 50)}))


def test_ordinary_tables_are_hardly_doubted():
    """Of a hundred tables with areas as unlike as towns none is refused, and few are doubted."""
    rng = np.random.default_rng(3)
    doubted = 0
    for seed in range(100):
        frame = large(seed, authorities=6, size=12)
        frame["children"] = np.ceil(rng.lognormal(6, 0.8, len(frame)))
        frame["plans"] = rng.poisson(0.01 * frame["children"])
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            assert len(door(frame).area) == 72
        doubted += len(caught)
    assert doubted <= 3


def test_totals_above_the_children():
    """More events than children in an authority: a wrong total, or children in thousands."""
    totals = {"Ashby": 401, "Barton": 400, "Corby": 5}
    words = r"totals is more than column 'children' .* in 1 of 3 authorities \(Ashby\); most at Ash"
    with pytest.warns(SocgradWarning, match=words):
        door(pd.DataFrame(SMALL), events=None, totals=totals)
    door(pd.DataFrame(SMALL), events=None, totals=totals | {"Ashby": 400})
    door(pd.DataFrame(SMALL), events=None, totals=totals, exposure="contacts")


SMALL = {
    "lsoa": ["A1", "A2", "B1", "B2", "C1", "C2"],
    "la": ["Ashby", "Ashby", "Barton", "Barton", "Corby", "Corby"],
    "idaci": [0.1, 0.2, 0.3, 0.5, 0.2, 0.6],
    "children": [100, 300, 200, 200, 100, 100],
    "contacts": [500, 600, 700, 800, 900, 950],
}


def test_given_means_that_the_areas_do_not_allow():
    """Outside all of an authority's areas, or unlike the mean of all of them."""
    frame = large()
    own = door(frame).authority_mean
    means = dict(enumerate(own.tolist()))
    sampled = {"complete": False}
    door(frame, authority_means=means, **sampled)
    words = (
        r"authority_means is far .* in 1 of 12 authorities \(3\): 0\.95 for 3, whose areas are fr"
    )
    with pytest.warns(SocgradWarning, match=words):
        door(frame, authority_means=means | {3: 0.95}, **sampled)
    with pytest.warns(SocgradWarning, match=rf"whose areas have a mean of {own[3]:.3g}"):
        door(frame, authority_means=means | {3: own[3] + 0.05}, complete=True)


def test_a_national_mean_that_hardly_occurs():
    """Outside all areas; a part of a nation may be more deprived than all of it."""
    frame = large()
    door(frame, national_mean=float(frame["idaci"].min()))
    with pytest.warns(SocgradWarning, match=r"national_mean=0\.95 lies outside the deprivation of"):
        door(frame, national_mean=0.95)
    many = large(authorities=20)
    with pytest.warns(SocgradWarning, match=r"national_mean=0\.02 lies outside"):
        door(many.assign(idaci=many["idaci"].clip(lower=0.01)), national_mean=0.02)
