"""The shape of the gradient in a specification: what it adds, and what is refused."""

import numpy as np
import pytest

from fits import INFORMED
from socgrad.errors import SocgradWarning, SpecificationError
from socgrad.estimands.deprivation_ratios import departure_from_line
from socgrad.model.compression import constants
from socgrad.model.gradient_model import GradientModel
from socgrad.model.priors import Normal, Priors
from socgrad.model.stratified_model import StratifiedModel
from socgrad.ranks import quantile_groups
from socgrad.simulation.prior_draws import draw_prior
from strata_tables import stage_strata
from tables import simulated, simulated_areas, small_areas

SHAPES = ("tenths", "spline")


@pytest.mark.parametrize(("shape", "knots", "columns"), [("tenths", None, 9), ("spline", None, 3)])
def test_columns_of_a_shape(shape, knots, columns):
    """Steps of ten tenths leave nine columns beside a line, five knots three."""
    model = GradientModel(small_areas(), shape=shape, knots=knots)
    assert model.designs.departures.matrix.shape == (240, columns)
    assert model.designs.of_areas
    line = GradientModel(small_areas())
    assert line.departures is None
    assert not line.designs.of_areas


def test_knots_are_how_often_a_spline_may_bend():
    """Three to seven, of a spline alone."""
    areas = small_areas()
    for knots in (3, 7):
        assert len(GradientModel(areas, shape="spline", knots=knots).departures.places) == knots
    for given in ({"shape": "spline", "knots": 2}, {"shape": "tenths", "knots": 5}, {"knots": 5}):
        with pytest.raises(SpecificationError, match=r"expected a whole number from 3 to 7, with"):
            GradientModel(areas, **given)
    with pytest.raises(SpecificationError, match="knots=True with shape='spline'"):
        GradientModel(areas, shape="spline", knots=True)


def test_unknown_shapes_are_refused():
    """A misspelt shape names those there are."""
    with pytest.raises(SpecificationError, match="'line', 'tenths', 'spline'"):
        GradientModel(small_areas(), shape="deciles")


@pytest.mark.parametrize("shape", SHAPES)
def test_a_null_model_has_no_shape(shape):
    """Without deprivation there is no gradient that could have one; pooled, there is."""
    with pytest.raises(SpecificationError, match=f"shape='{shape}' is the shape of a gradient"):
        GradientModel(small_areas(), shape=shape, deprivation="none")
    assert GradientModel(small_areas(), shape=shape, deprivation="pooled").departures is not None


@pytest.mark.parametrize("shape", SHAPES)
def test_totals_alone_say_nothing_of_a_shape(shape):
    """Refused; some authorities with counts by neighbourhood suffice."""
    with pytest.raises(SpecificationError, match="all 12 authorities are known only as totals"):
        GradientModel(small_areas("totals"), shape=shape, priors=INFORMED)
    mixed = GradientModel(small_areas("mixture"), shape=shape, priors=INFORMED)
    assert mixed.departures is not None


def test_tenths_without_counts_are_named():
    """Their departures are the prior's, and a warning says which."""
    frame = simulated().frame.astype({"events": float})
    group = quantile_groups(frame["deprivation"], frame["children"], 10)
    frame.loc[group >= 9, "events"] = np.nan
    areas = simulated_areas(frame, missing_events="leave out")
    with pytest.warns(
        SocgradWarning, match=r"2 of 10 tenths .* no neighbourhood with counts \(9, "
    ):
        GradientModel(areas, shape="tenths")


def test_too_few_values_of_deprivation_are_refused():
    """Deprivation rounded to tens of points cannot be cut into tenths."""
    frame = simulated().frame
    areas = simulated_areas(frame.assign(deprivation=(frame["deprivation"] * 10).round() / 10))
    with pytest.raises(SpecificationError, match="cannot be cut into so many equal parts"):
        GradientModel(areas, shape="tenths")
    with pytest.raises(SpecificationError, match="needs 7 distinct knots"):
        GradientModel(areas, shape="spline", knots=7)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_step_is_a_choice_of_units(shape):
    """Columns and priors of departures are the same per 10 and per 20 points."""
    one, other = (
        GradientModel(simulated_areas(simulated().frame, per=per), shape=shape)
        for per in (0.10, 0.20)
    )
    matrices = [model.designs.departures.matrix for model in (one, other)]
    np.testing.assert_allclose(*matrices, rtol=1e-12, atol=1e-14)
    priors = [model.coefficient_priors["departure_coefficient"] for model in (one, other)]
    assert priors[0] == priors[1] == (Normal(0.0, 0.2),) * matrices[0].shape[1]


def test_priors_of_departures():
    """Their mean is 0; they are refused where the gradient is a line, but for a null model."""
    with pytest.raises(SpecificationError, match=r"Priors\.departure has mean 0\.1; expected 0"):
        Priors(departure=Normal(0.1, 0.2))
    narrow = Priors(departure=Normal(0.0, 0.05))
    with pytest.raises(
        SpecificationError, match="Priors are given for departure, which this model"
    ):
        GradientModel(small_areas(), priors=narrow)
    assert GradientModel(small_areas(), deprivation="none", priors=narrow).priors == narrow
    model = GradientModel(small_areas(), shape="spline", priors=narrow)
    assert model.coefficient_priors["departure_coefficient"] == (Normal(0.0, 0.05),) * 3


@pytest.mark.parametrize("shape", SHAPES)
def test_the_prior_is_of_the_departure_of_a_child(shape):
    """Drawn from the prior, log departures have a root mean square over children of its sd."""
    model = GradientModel(small_areas(), shape=shape)
    prior = draw_prior(model, draws=4000, random_seed=3)
    coefficient = prior["posterior"]["departure_coefficient"].to_numpy()[0]
    off = coefficient @ model.designs.departures.matrix.T
    children = model.areas.children
    square = (off**2).mean(axis=0) @ children / children.sum()
    # 4,000 draws of 3 or 8 coefficients: the mean square is known to 2 %.
    assert np.sqrt(square) == pytest.approx(0.2, rel=0.03)
    off = np.log(departure_from_line(prior, deprivation=0.15))
    assert 0.02 < float(off.std()) < 0.4


def test_what_makes_the_columns_crosses_the_seam():
    """Knots or edges, and weights; no column of areas is stored."""
    for shape, places in (("tenths", "departure_edges"), ("spline", "departure_knots")):
        held = constants(GradientModel(small_areas(), shape=shape))
        assert {places, "departure_weights"} <= set(held.data_vars)
        assert "departure_design" not in held
        assert held["departure"].to_numpy().tolist()[:2] == ["1", "2"]


def test_strata_take_a_shape_each_by_itself():
    """All strata have the columns of the map they share."""
    strata = stage_strata()
    model = StratifiedModel(strata, shape="spline", knots=4)
    one, other, _ = (single.designs.departures.matrix for single in model.models.values())
    assert one.shape[1] == 2
    np.testing.assert_array_equal(one, other)


def test_functions_of_deprivation_belong_into_the_shape():
    """A covariate formula that names deprivation is refused, and says where to ask."""
    areas = small_areas()
    with pytest.raises(SpecificationError, match="GradientModel\\(shape='spline'\\)"):
        GradientModel(areas, covariates="deprivation")


def test_a_covariate_that_is_the_shape_again_is_refused():
    """Tenths of deprivation under a name of their own, beside steps, say the same twice."""
    frame = simulated(authorities=12, areas=600).frame
    tenth = quantile_groups(frame["deprivation"], frame["children"], 10)
    areas = simulated_areas(frame.assign(decile=[f"d{t}" for t in tenth]), covariates=["decile"])
    assert GradientModel(areas, covariates="decile").designs.covariates.names
    with pytest.raises(SpecificationError, match=r"'decile\[d.*\]' is collinear"):
        GradientModel(areas, covariates="decile", shape="tenths")
