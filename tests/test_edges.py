"""Every summary of a fit with awkward authorities: tiny, all alike, without events, without any."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import socgrad as sg
from tables import simulated

#: Authorities that the awkward ones are made of.
SINGLE, ALIKE, EVENTLESS = "single", "alike", "eventless"


def awkward():
    """Simulate 12 authorities: one of one area, one of one deprivation, one without events."""
    frame = simulated(authorities=12, areas=360, seed=3).frame
    names = dict(zip(frame["authority"].unique()[:3], (SINGLE, ALIKE, EVENTLESS), strict=True))
    frame = frame.replace({"authority": names})
    single = frame["authority"] == SINGLE
    frame = pd.concat([frame[single].head(1), frame[~single]], ignore_index=True)
    frame.loc[frame["authority"] == ALIKE, "deprivation"] = 0.2
    frame.loc[frame["authority"] == EVENTLESS, "events"] = 0
    return frame


@pytest.fixture(scope="module")
def fit():
    """Fit them all."""
    areas = sg.Areas.from_frame(
        awkward(), area="area", authority="authority", events="events", children="children",
        deprivation="deprivation", complete=True,
    )  # fmt: skip
    return sg.fit(sg.GradientModel(areas), method="laplace", random_seed=1, draws=100, chains=4)


OF_AUTHORITIES = {
    "sii": lambda fit: sg.inequality.sii(fit, by="authority"),
    "sii log-linear": lambda fit: sg.inequality.sii(fit, by="authority", method="log-linear"),
    "sii linear": lambda fit: sg.inequality.sii(fit, by="authority", method="linear"),
    "rii": lambda fit: sg.inequality.rii(fit, by="authority"),
    "concentration_index": lambda fit: sg.inequality.concentration_index(fit, by="authority"),
    "absolute_gap": lambda fit: sg.inequality.absolute_gap(fit, by="authority", groups=2),
    "attributable_rate own": lambda fit: sg.inequality.attributable_rate(
        fit, by="authority", reference="own", groups=2
    ),
}
OF_ALL = {
    "attributable_rate": lambda fit: sg.inequality.attributable_rate(fit, by="authority"),
    "attributable_fraction": lambda fit: sg.inequality.attributable_fraction(fit, by="authority"),
    "excess_events": lambda fit: sg.inequality.excess_events(fit, by="authority"),
    "excess_events level": lambda fit: sg.inequality.excess_events(
        fit, by="authority", against="average_level"
    ),
    "excess_events gradient": lambda fit: sg.inequality.excess_events(
        fit, by="authority", against="average_gradient"
    ),
    "authority_ranks": lambda fit: sg.variation.authority_ranks(fit, top=3)["gradient_rank"],
}


@pytest.mark.parametrize("name", OF_AUTHORITIES)
def test_authorities_without_spread_are_left_out(fit, name):
    """No index of inequality for one area, or for areas that are all alike; the rest have one."""
    draws = OF_AUTHORITIES[name](fit)
    found = draws["authority"].to_numpy().tolist()
    assert len(found) == 10
    assert {SINGLE, ALIKE} & set(found) == set()
    assert EVENTLESS in found
    assert np.isfinite(draws).all()
    assert " left out (first: " in draws.attrs["reference"]
    assert len(sg.summarise(draws)) == 10


@pytest.mark.parametrize("name", OF_ALL)
def test_every_authority_has_the_rest(fit, name):
    """Rates, excess events and ranks exist for each of them."""
    draws = OF_ALL[name](fit)
    assert draws.sizes["authority"] == 12
    assert np.isfinite(draws).all()


def test_an_authority_without_events_has_few_expected(fit):
    """Its expected events lie below those at the average level in nearly all draws."""
    below = sg.inequality.excess_events(fit, by="authority", against="average_level")
    assert float((below.sel(authority=EVENTLESS) < 0).mean()) > 0.99


def test_areas_of_a_single_area_authority(fit):
    """Its one area has all of its excess."""
    area = sg.inequality.excess_events(fit, by="area", authority=SINGLE)
    whole = sg.inequality.excess_events(fit, by="authority").sel(authority=SINGLE)
    assert area.sizes["area"] == 1
    np.testing.assert_allclose(area.isel(area=0), whole, rtol=1e-9)


def test_at_the_average_gradient_one_deprivation_changes_nothing(fit):
    """Where all areas stand at the mean, the gradient does not matter."""
    none = sg.inequality.excess_events(fit, by="authority", against="average_gradient")
    np.testing.assert_allclose(none.sel(authority=[SINGLE, ALIKE]), 0, atol=1e-9)


def test_indices_agree_with_those_of_observed_rates(fit):
    """With many events, the fit's indices are those of the areas' observed rates."""
    table = awkward().assign(rate=lambda f: 10_000 * f["events"] / f["children"])
    plain = sg.inequality.inequality_of_rates(
        table, rate="rate", population="children", deprivation="deprivation"
    )["value"]
    for key, draws in (
        (("sii", "linear"), sg.inequality.sii(fit, method="linear")),
        (("sii", "poisson"), sg.inequality.sii(fit, method="poisson")),
        (("rii", "poisson"), sg.inequality.rii(fit, method="poisson")),
        (("concentration_index", ""), sg.inequality.concentration_index(fit)),
        (
            ("mean", ""),
            sg.inequality.attributable_rate(fit) / sg.inequality.attributable_fraction(fit),
        ),
    ):
        # Least squares with other weights than the likelihood's, so not the same number exactly.
        assert abs(plain[key] - float(draws.mean())) < 3 * float(draws.std())
        assert float(draws.std()) < 0.1 * plain[key]


def test_saved_fits_give_the_same(fit, tmp_path):
    """A file without events answers with the same numbers, bit by bit."""
    again = sg.load(sg.save(fit, tmp_path / "fit.nc", include_events=False, totals_are_public=True))
    for call in (OF_AUTHORITIES | OF_ALL).values():
        xr.testing.assert_identical(call(again), call(fit))
