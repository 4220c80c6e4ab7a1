"""One authority's neighbourhoods beside the totals of all others."""

import numpy as np
import pytest

import socgrad as sg
from socgrad.errors import PriorWarning
from socgrad.laplace.pilot import pilot
from socgrad.laplace.predictors import predictors
from socgrad.laplace.preparation import _raw_surfaces
from socgrad.model.compression import likelihood_data
from socgrad.model.priors import Normal

STAGE = "referral"


def simulated(own, seed=3):
    """Forty authorities of which one is counted: the table, and the simulation behind it."""
    simulation = sg.simulate(authorities=40, areas=1200, random_seed=seed)
    frame = simulation.frame
    totals = frame.groupby("authority")[STAGE].sum().drop(own)
    frame = frame.assign(events=frame[STAGE].where(frame["authority"] == own))
    areas = sg.Areas.from_frame(
        frame,
        area="area",
        authority="authority",
        deprivation="deprivation",
        children="children",
        events="events",
        totals=totals,
        complete=True,
    )
    return areas, simulation


@pytest.mark.parametrize("own", ["A001", "A020", "A030"])
def test_totals_far_from_expected_do_not_mislead_the_start(own):
    """A total above its expectation bends upwards along the slope, which is no information.

    Taken as such it made the matrix of the regression indefinite, or coefficients of 0.7 to 4.
    """
    areas, _ = simulated(own)
    with pytest.warns(PriorWarning, match="39 authorities are known only as totals, and 1 by"):
        model = sg.GradientModel(areas)
    data = likelihood_data(model)
    intercept = Normal(*map(float, data["prior_intercept"].to_numpy()))
    start = pilot(model, _raw_surfaces(model, data), predictors(model), intercept)
    at = dict(zip(start.coordinates.names, start.point.tolist(), strict=True))
    # The truth is 0.48, 0.31 and -0.04; the scatter of first guesses is some 0.2.
    assert at["within"] == pytest.approx(0.48, abs=0.3)
    assert at["between"] == pytest.approx(0.31, abs=0.3)
    assert at["cross_level"] == pytest.approx(-0.04, abs=0.3)


def test_own_gradient_and_the_others_are_found():
    """With published gradients: the truth lies within, and the gradient is that of its counts."""
    areas, simulation = simulated("A001")
    model = sg.GradientModel(areas, priors=sg.published.priors(STAGE))
    fit = sg.fit(model, method="laplace", draws=500, chains=2, random_seed=1)
    assert fit.attrs["pareto_k"] < 0.7
    truth = simulation.truth.loc[STAGE]
    effects = simulation.effects.query("stage == @STAGE").set_index("authority")
    mine = sg.gradient(fit, target="each").sel(authority="A001")
    low, high = np.quantile(mine, [0.025, 0.975])
    assert low < effects.loc["A001", "gradient"] < high
    # Its neighbourhoods tell it, whatever the prior of all: a tenth is left of that prior's width.
    assert np.log(mine).std() < 0.25 * fit["posterior"]["slope_sd"].mean()
    for name, draws in (
        ("between", fit["posterior"]["between"]),
        ("contextual", np.log(sg.inverse_intervention(fit, deprivation=simulation.national_mean))),
    ):
        low, high = np.quantile(draws, [0.005, 0.995])
        assert low < truth[name] < high


@pytest.mark.slow
def test_nuts_agrees():
    """The same by the written density: means within a tenth, spreads within a tenth."""
    areas, _ = simulated("A001")
    model = sg.GradientModel(areas, priors=sg.published.priors(STAGE))
    fits = [
        sg.fit(model, method=method, draws=2000, random_seed=1, progress=False)
        for method in ("laplace", "nuts")
    ]
    for name in ("intercept", "within", "between", "cross_level", "level_sd", "slope_sd"):
        one, other = (fit["posterior"][name].to_numpy() for fit in fits)
        assert one.mean() == pytest.approx(other.mean(), abs=0.1 * other.std())
        assert one.std() == pytest.approx(other.std(), rel=0.1)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::socgrad.errors.SocgradWarning")
def test_default_priors_do_for_england():
    """One of 150 authorities, with default priors: the sampler converges, the truth lies within."""
    simulation = sg.simulate(random_seed=1)
    frame = simulation.frame
    totals = frame.groupby("authority")[STAGE].sum().drop("A001")
    frame = frame.assign(events=frame[STAGE].where(frame["authority"] == "A001"))
    roles = {name: name for name in ("area", "authority", "deprivation", "children", "events")}
    areas = sg.Areas.from_frame(frame, **roles, totals=totals, complete=True)
    fit = sg.fit(sg.GradientModel(areas), random_seed=1)
    assert sg.check_sampling(fit).converged
    effects = simulation.effects.query("stage == @STAGE").set_index("authority")
    low, high = np.quantile(sg.gradient(fit, target="each").sel(authority="A001"), [0.025, 0.975])
    assert low < effects.loc["A001", "gradient"] < high
    for name in ("within", "between", "level_sd"):
        low, high = np.quantile(fit["posterior"][name], [0.005, 0.995])
        assert low < simulation.truth.loc[STAGE, name] < high
