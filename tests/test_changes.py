"""Changes between years, within draws."""

import numpy as np
import pytest
import xarray as xr

import socgrad as sg
from socgrad.errors import EstimandError
from socgrad.estimands.changes import change, steepened, trend
from socgrad.reading.labels import label_draws
from socgrad.reading.years_example import example_fit_of_years

FIT = example_fit_of_years()


def test_a_change_is_taken_draw_by_draw():
    """The example's log gradient falls by 0.04 a year in every draw."""
    draws = change(sg.gradient(FIT), start=2019, end=2021)
    np.testing.assert_allclose(draws, np.exp(-0.08), rtol=1e-12)
    assert draws.attrs["null"] == 1.0
    assert draws.attrs["units"].endswith("2021 over 2019")
    np.testing.assert_allclose(change(sg.gradient(FIT), start=2021, end=2019), np.exp(0.08))


def test_changes_chain():
    """From 2019 to 2021 is from 2019 to 2020 and on."""
    own = sg.gradient(FIT, target="each")
    whole = change(own)
    steps = change(own, end=2020) * change(own, start=2020)
    np.testing.assert_allclose(whole, steps, rtol=1e-12)
    assert whole.dims == ("chain", "draw", "authority")


def test_differences_of_what_is_no_ratio():
    """The slope index is a difference itself."""
    own = sg.inequality.sii(FIT)
    expected = own.sel(year=2021) - own.sel(year=2019)
    np.testing.assert_allclose(change(own), expected, rtol=1e-12)
    assert change(own).attrs["null"] == 0.0
    ratio = change(own, scale="ratio")
    np.testing.assert_allclose(ratio, own.sel(year=2021) / own.sel(year=2019), rtol=1e-12)


def test_a_trend_is_the_line_through_all_years():
    """Of an exact line, its step."""
    np.testing.assert_allclose(trend(sg.gradient(FIT)), np.exp(-0.04), rtol=1e-12)
    own = sg.inequality.sii(FIT)
    by_hand = np.polyfit([2019, 2020, 2021], own.isel(chain=0, draw=3).to_numpy(), 1)[0]
    assert trend(own).isel(chain=0, draw=3).item() == pytest.approx(by_hand)


def test_authorities_that_became_steeper():
    """The share of draws in which the ratio is above the factor asked for."""
    ratio = change(sg.gradient(FIT, target="each"))
    np.testing.assert_array_equal(steepened(FIT), ratio > 1)
    np.testing.assert_array_equal(steepened(FIT, by=1.05), ratio > 1.05)
    assert sg.summarise(steepened(FIT))["lower"].isna().all()


def test_references_name_breaks_and_independent_fits():
    """What a change rests on is said beside it."""
    own = sg.gradient(FIT)
    own.attrs |= {"breaks": [2020], "years": "independent"}
    words = change(own).attrs["reference"]
    assert "across the break before 2020" in words
    assert "years fitted by themselves" in words
    assert "break" not in change(own, start=2020, end=2021).attrs["reference"]


def test_every_estimand_by_year_can_be_summarised():
    """Rows have a column year."""
    table = sg.summarise(
        sg.gradient(FIT),
        sg.inverse_intervention(FIT),
        sg.inequality.rii(FIT),
        sg.variation.vpc(FIT),
    )
    assert table["year"].isin([2019, 2020, 2021]).all()
    assert sg.gradient(sg.stratum(FIT, 2020))["year"].item() == 2020


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: change(sg.gradient(sg.stratum(FIT, 2020))), "have no dim year"),
        (lambda: change(3), "have no dim year .int."),
        (lambda: change(sg.gradient(FIT), start=2018), "start=2018 is no year of these draws"),
        (lambda: change(sg.gradient(FIT), start=2020, end=2020), "start and end are both 2020"),
        (lambda: change(np.log(sg.gradient(FIT))), "were computed from an estimand"),
        (lambda: change(np_labelled(), scale="ratio"), "has no ratio"),
        (lambda: change(sg.gradient(FIT), scale="log"), "scale"),
        (lambda: change(sg.gradient(FIT).isel(year=[0])), "are of one year"),
        (lambda: steepened(FIT, by=0.0), "by=0.0 is no factor"),
        (lambda: sg.compare_gradients(FIT), "are 3 years. Compare them by socgrad.years.change"),
    ],
)
def test_what_is_refused(call, words):
    """In words."""
    with pytest.raises(EstimandError, match=words):
        call()


def np_labelled() -> xr.DataArray:
    """Draws below 0."""
    own = -sg.inequality.sii(FIT)
    return label_draws(own, estimand="minus", units="x", reference="y", null=0.0)
