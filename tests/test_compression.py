"""The arrays of a model: constants of the seam, statistics of the likelihood."""

import dataclasses

import numpy as np
import pytest

from locality_tables import simulated_with_localities, small_localities, with_localities
from socgrad.model.compression import constants, likelihood_data, quadrature_error
from socgrad.model.gradient_model import GradientModel
from socgrad.model.priors import Normal, Priors, rate_ratio
from socgrad.schema import CONSTANTS
from socgrad.table.areas import Areas
from tables import simulated, simulated_areas, small_areas

PRIORS = Priors(within=rate_ratio(1.65, interval=(1.5, 1.82)))


def test_constants_are_those_of_the_schema():
    """The seam gets the names and dimensions that the schema promises."""
    seam = constants(GradientModel(small_areas()))
    assert {name: seam[name].dims for name in seam} == {n: d for n, (d, _) in CONSTANTS.items()}


def test_parts_add_up_to_deprivation():
    """Within and between part of an area add up to its distance from the national mean."""
    seam = constants(GradientModel(small_areas()))
    total = seam["within_part"] + seam["between_part"].isel(authority=seam["authority_of_area"])
    expected = (seam["deprivation"] - seam["national_mean"]) / seam["per"]
    np.testing.assert_allclose(total, expected, atol=1e-12)


def test_pooled_parts_hold_all_deprivation_in_the_within_part():
    """Without the split there is no between part."""
    seam = constants(GradientModel(small_areas(), deprivation="pooled"))
    expected = (seam["deprivation"] - seam["national_mean"]) / seam["per"]
    np.testing.assert_allclose(seam["within_part"], expected, atol=1e-12)
    assert not seam["between_part"].any()


@pytest.mark.parametrize("kind", ["counts", "totals", "mixture"])
def test_every_event_is_counted_once(kind):
    """Statistics of counts and totals together hold all events of the table."""
    frame = simulated().frame
    data = likelihood_data(GradientModel(small_areas(kind), priors=PRIORS))
    counted = float(data["count_events"].sum()) if "count_events" in data else 0.0
    totals = float(data["sum_events"].sum()) if "sum_events" in data else 0.0
    assert counted + totals == frame["events"].sum()
    assert ("count_events" in data, "sum_events" in data) == {
        "counts": (True, False),
        "totals": (False, True),
        "mixture": (True, True),
    }[kind]


def test_node_exposures_sum_to_exposure():
    """The Gauss rule of an authority holds all of its exposure."""
    areas = small_areas()
    data = likelihood_data(GradientModel(areas))
    np.testing.assert_allclose(
        data["count_node_exposure"].sum("count_node"),
        np.bincount(areas.authority_of_area, areas.exposure),
        rtol=1e-12,
    )
    assert data.attrs["quadrature_error"] < 1e-11


def test_row_order_is_irrelevant():
    """A shuffled table gives the same statistics."""
    frame = simulated().frame
    shuffled = frame.sample(frac=1, random_state=5)
    one, other = (likelihood_data(GradientModel(simulated_areas(f))) for f in (frame, shuffled))
    for name in one:
        np.testing.assert_allclose(one[name], other[name], rtol=1e-12, err_msg=str(name))


def test_areas_without_a_count_leave_the_statistics():
    """An area whose count is left out takes its exposure with it, and stays in the means."""
    frame = simulated().frame.astype({"events": "float64"})
    frame.loc[[3, 40], "events"] = np.nan
    areas = simulated_areas(frame, missing_events="leave out")
    data = likelihood_data(GradientModel(areas))
    left_out = frame.loc[[3, 40], "children"].sum()
    assert float(data["count_node_exposure"].sum()) == pytest.approx(
        frame["children"].sum() - left_out
    )
    np.testing.assert_array_equal(areas.authority_mean, small_areas().authority_mean)


def test_distinct_numbers_of_events_by_hand():
    """Each number of events above 0 stands once, with how many areas have it."""
    events = small_areas().events
    data = likelihood_data(GradientModel(small_areas()))
    numbers = sorted(set(events[events > 0].tolist()))
    np.testing.assert_array_equal(data["distinct_events"], numbers)
    np.testing.assert_array_equal(data["distinct_rows"], [(events == y).sum() for y in numbers])


def test_intercept_prior_is_the_crude_rate_unless_given():
    """By default the intercept is expected at the log crude rate of what was counted."""
    areas = small_areas("mixture")
    data = likelihood_data(GradientModel(areas))
    events = simulated().frame["events"].sum()
    assert data["prior_intercept"].to_numpy() == pytest.approx(
        [np.log(events / areas.exposure.sum()), 1.5]
    )
    given = GradientModel(areas, priors=dataclasses.replace(PRIORS, intercept=Normal(-5.0, 0.2)))
    assert likelihood_data(given)["prior_intercept"].to_numpy().tolist() == [-5.0, 0.2]


def test_quadrature_error_grows_outside_the_range():
    """Slopes far outside the range are reproduced less well, and the error says so."""
    model = GradientModel(small_areas())
    data = likelihood_data(model)
    assert quadrature_error(model, data, (-2.0, 2.0)) < 1e-10
    assert quadrature_error(model, data, (-2.0, 30.0)) > 1e-6
    # Where rates overflow, the error of exposures is that of the largest terms: all, and no NaN.
    assert 0.1 < quadrature_error(model, data, (-2.0, 5_000.0)) <= 1.0


def test_areas_without_exposure_have_no_share_in_the_error():
    """The most deprived of each authority has no children; its slope's end decides nothing."""
    frame = simulated().frame.copy()
    totals = frame.groupby("authority")["events"].sum()
    frame.loc[frame.groupby("authority")["deprivation"].idxmax(), "children"] = 0
    areas = Areas.from_frame(
        frame, area="area", authority="authority", deprivation="deprivation", children="children",
        totals=totals, complete=True, zero_exposure="leave out",
    )  # fmt: skip
    model = GradientModel(areas, priors=PRIORS)
    data = likelihood_data(model)
    assert (areas.exposure == 0).any()
    assert quadrature_error(model, data, (-2.0, 2.0)) < 1e-10
    assert 0.0 < quadrature_error(model, data, (-2.0, 5_000.0)) <= 1.0


def test_areas_with_data_are_marked():
    """The seam says which areas gave data, by themselves or within a total."""
    assert constants(GradientModel(small_areas("mixture")))["has_data"].all()
    frame = simulated().frame.astype({"events": "float64"})
    frame.loc[[3, 40], "events"] = np.nan
    seam = constants(GradientModel(simulated_areas(frame, missing_events="leave out")))
    gone = frame.loc[[3, 40], "area"]
    np.testing.assert_array_equal(seam["area"][seam["has_data"] == 0], sorted(gone))


@pytest.mark.parametrize("kind", ["counts", "mixture"])
def test_localities_hold_all_events_and_exposure(kind):
    """Counts and rules of localities are those of their counted areas."""
    areas = small_localities(kind)
    data = likelihood_data(GradientModel(areas, localities=True, priors=PRIORS))
    here = areas.counted
    of = areas.locality_of_area[here]
    present = np.unique(of)
    np.testing.assert_allclose(
        data["locality_node_exposure"].sum("locality_node"),
        np.bincount(of, areas.exposure[here])[present],
        rtol=1e-12,
    )
    events = np.bincount(of, areas.events[here])[present]
    np.testing.assert_array_equal(data["locality_events"], events)
    np.testing.assert_array_equal(data["row_locality"], np.searchsorted(present, of))
    np.testing.assert_array_equal(data["locality_authority"], areas.authority_of_locality[present])
    numbers = sorted(set(events[events > 0].tolist()))
    np.testing.assert_array_equal(data["distinct_events"], numbers)
    np.testing.assert_array_equal(data["distinct_rows"], [(events == y).sum() for y in numbers])


def test_quadrature_of_localities_is_checked():
    """The rules of localities are exact within the range, and far outside it too: few areas."""
    model = GradientModel(small_localities(), localities=True)
    data = likelihood_data(model)
    assert data.attrs["quadrature_error"] < 1e-11
    assert quadrature_error(model, data, (-2.0, 9.0)) < 1e-7
    spoilt = data.assign(locality_node_exposure=1.01 * data["locality_node_exposure"])
    assert quadrature_error(model, spoilt, (-1.0, 1.0)) == pytest.approx(0.01)


def test_covariates_of_areas_go_to_the_nodes_of_their_locality():
    """Expected events of localities by nodes are those by rows, covariates included."""
    frame = simulated_with_localities().frame
    kind = np.where(np.arange(len(frame)) % 3 == 0, "rural", "urban")
    areas = with_localities(frame.assign(kind=kind), covariates=("kind",))
    model = GradientModel(areas, localities=True, covariates="~ kind", area_moderators="~ kind")
    data = likelihood_data(model)
    level, slope, zeta, xi = -4.0, 0.5, 0.3, -0.2
    shifts, turns = (
        data[f"locality_node_{name}"].to_numpy()[..., 0] for name in ("covariate", "area_moderator")
    )
    at = data["locality_node_within"].to_numpy()
    rates = np.exp(level + zeta * shifts + (slope + xi * turns) * at)
    reached = (data["locality_node_exposure"].to_numpy() * rates).sum(axis=1)
    z = model.designs.covariates.matrix[:, 0]
    a = model.designs.area_moderators.matrix[:, 0]
    mean = areas.exposure * np.exp(level + zeta * z + (slope + xi * a) * model.within_part)
    np.testing.assert_allclose(reached, np.bincount(areas.locality_of_area, mean), rtol=1e-9)


def test_areas_of_a_locality_are_constants_of_the_fit():
    """Whoever reads the fit knows them, in the model or not."""
    areas = small_localities()
    seam = constants(GradientModel(areas))
    np.testing.assert_array_equal(seam["locality_of_area"], areas.locality_of_area)
    np.testing.assert_array_equal(seam["authority_of_locality"], areas.authority_of_locality)
    assert seam["locality"].to_numpy().tolist() == areas.locality.tolist()
    assert "locality_of_area" not in constants(GradientModel(small_areas()))


def test_squares_of_localities_hold_covariates_of_areas():
    """Squared expected events of localities, by authority, from the nodes of pairs of areas."""
    frame = simulated_with_localities().frame
    kind = np.where(np.arange(len(frame)) % 3 == 0, "rural", "urban")
    areas = with_localities(frame.assign(kind=kind), "totals", covariates=("kind",))
    model = GradientModel(areas, localities=True, covariates="~ kind", priors=PRIORS)
    data = likelihood_data(model)
    level, slope, zeta = -4.0, 0.5, 0.3
    shifts = zeta * data["square_node_covariate"].to_numpy()[..., 0]
    rates = np.exp(2 * (level + shifts + slope * data["square_node_within"].to_numpy()))
    reached = (data["square_node_exposure"].to_numpy() * rates).sum(axis=1)
    z = model.designs.covariates.matrix[:, 0]
    mean = areas.exposure * np.exp(level + zeta * z + slope * model.within_part)
    squares = np.bincount(areas.locality_of_area, mean) ** 2
    expected = np.bincount(areas.authority_of_locality, squares)
    np.testing.assert_allclose(reached, expected, rtol=1e-9)
