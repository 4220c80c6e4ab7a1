"""A fit of years carried on by one."""

import json

import numpy as np
import pytest

import socgrad as sg
from socgrad.errors import EstimandError, SchemaError
from socgrad.estimands.forecasts import next_year
from socgrad.reading.example import example_fit_of_stages
from socgrad.reading.years_example import example_fit_of_years
from socgrad.yearly_covariances import drift_covariance


def test_a_walk_goes_on_from_where_it_is():
    """National coefficients: the last year's, and a step of the size that the model has."""
    fit = example_fit_of_years()
    posterior = fit["posterior"].to_dataset()
    many = xr_tiled(fit, 40)
    ahead = next_year(many, random_seed=1)["posterior"]["within"]
    last = many["posterior"]["within"].sel(stratum=2021)
    away = (ahead - last).to_numpy()
    assert away.mean() == pytest.approx(0.0, abs=4 * 0.05 / np.sqrt(away.size))
    assert away.std() == pytest.approx(0.05, rel=0.08)
    assert posterior.sizes["stratum"] == 3


def xr_tiled(fit, times):
    """The same draws several times over."""
    made = fit.copy()
    draws = fit["posterior"].to_dataset()
    tiled = draws.isel(draw=np.tile(np.arange(draws.sizes["draw"]), times))
    made["posterior"] = type(fit)(tiled.assign_coords(draw=np.arange(tiled.sizes["draw"])))
    return made


def test_effects_go_on_as_their_drift_says():
    """Against the conditional normal distribution of one authority, worked by matrices."""
    fit = example_fit_of_years()
    draws = fit["posterior"].to_dataset()
    numbers = {
        name: draws[name].isel(chain=0, draw=0).to_numpy()
        for name in draws
        if draws[name].dims == ("chain", "draw")
    }
    forms = ("random walk", "random walk")
    whole = drift_covariance(np.arange(2019.0, 2023.0), forms, (), numbers)
    old = [0, 1, 2, 4, 5, 6]
    u = np.concatenate(
        [draws[n].isel(chain=0, draw=0, authority=2) for n in ("level_effect", "slope_effect")]
    )
    mean = whole[3, old] @ np.linalg.solve(whole[np.ix_(old, old)], u)
    # Where a walk is known, the next step starts from the last one.
    assert mean == pytest.approx(u[2], abs=0.01)
    one = fit.copy()
    same = draws.isel(chain=[0], draw=np.zeros(4000, int)).assign_coords(draw=np.arange(4000))
    one["posterior"] = type(fit)(same)
    found = next_year(one, random_seed=2)["posterior"]["level_effect"].isel(authority=2)
    left = whole[3, 3] - whole[3, old] @ np.linalg.solve(whole[np.ix_(old, old)], whole[old, 3])
    assert float(found.mean()) == pytest.approx(mean, abs=4 * np.sqrt(left / 4000))
    assert float(found.std()) == pytest.approx(np.sqrt(left), rel=0.06)


def test_the_year_ahead_is_a_fit_for_every_estimand():
    """And predictions add the noise of counts."""
    fit = example_fit_of_years()
    ahead = next_year(fit, random_seed=3)
    assert sg.gradient(ahead)["year"].item() == 2022
    assert json.loads(ahead.attrs["carried_on"])["from"] == 2021
    assert "observed_data" not in ahead.children
    now = sg.predictions.predict_authority_events(sg.stratum(fit, 2021), random_seed=1)
    then = sg.predictions.predict_authority_events(ahead, random_seed=1)
    # Walk, drift and counts: wider than counts about known rates.
    assert (then.std(("chain", "draw")) > 1.5 * now.std(("chain", "draw"))).all()


def test_what_cannot_be_carried_on():
    """Fits that do not say how years hang together."""
    with pytest.raises(SchemaError, match="This is no fit of years"):
        next_year(example_fit_of_stages(), random_seed=1)
    fit = example_fit_of_years()
    facts = json.loads(fit.attrs["years"])
    fit.attrs["years"] = json.dumps(facts | {"national": None})
    with pytest.raises(EstimandError, match=r"fitted without national=years\.National"):
        next_year(fit, random_seed=1)
    fit = example_fit_of_years()
    del fit.attrs["priors"]
    with pytest.raises(EstimandError, match="does not hold its priors"):
        next_year(fit, random_seed=1)
