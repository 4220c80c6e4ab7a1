"""Effects of authorities that were not observed: of one fit, and of one authority in all strata."""

import functools
import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from socgrad.errors import EstimandError
from socgrad.estimands.gradients import gradient
from socgrad.estimands.new_authorities import new_authority_effects
from socgrad.estimands.predictions import predict_authority_events, predict_events, predict_rate
from socgrad.estimands.rates import expected_rate
from socgrad.reading.by_stratum import stratum
from socgrad.reading.example import example_fit_of_stages
from socgrad.reading.posterior import coefficients
from strata_tables import stage_fit


def test_new_effects_have_the_drawn_moments(split_fit, change_fit):
    """Effects of a new authority have the posterior's spread and correlation."""

    def many(posterior):
        wide = posterior.isel(draw=np.zeros(20_000, dtype=int), chain=[0])
        return wide.drop_vars(["level_effect", "slope_effect"]).assign(
            level_sd=0 * wide["within"] + 0.2,
            slope_sd=0 * wide["within"] + 0.1,
            correlation=0 * wide["within"] + 0.6,
        )

    level, slope = new_authority_effects(
        coefficients(change_fit(split_fit, posterior=many)), random_seed=7
    )
    # Standard errors with 20,000 draws: 0.001, 0.0005 and 0.0045.
    assert float(level.std()) == pytest.approx(0.2, abs=0.004)
    assert float(slope.std()) == pytest.approx(0.1, abs=0.002)
    correlation = np.corrcoef(level.to_numpy().ravel(), slope.to_numpy().ravel())[0, 1]
    assert correlation == pytest.approx(0.6, abs=0.02)


def test_new_effects_depend_on_the_seed_alone(split_fit):
    """The same seed gives the same authority, another seed another."""
    terms = coefficients(split_fit)
    first, again, other = (new_authority_effects(terms, seed)[1] for seed in (1, 1, 2))
    xr.testing.assert_identical(first, again)
    assert float(abs(first - other).max()) > 0.01


def test_new_authority_has_no_slope_effect_without_random_slopes(no_slopes_fit):
    """What the model leaves out is zero for a new authority too."""
    level, slope = new_authority_effects(coefficients(no_slopes_fit), random_seed=1)
    assert float(abs(slope).max()) == 0.0
    assert float(abs(level).max()) > 0.0


def correlations(draws):
    """Correlations between strata over draws, (strata, strata)."""
    return np.corrcoef(
        draws.transpose("stratum", ...).to_numpy().reshape(draws.sizes["stratum"], -1)
    )


@functools.cache
def unlike_stages():
    """A joint fit of two stages, levels correlated -0.8, slopes 0.4, 20,000 draws of one value."""
    levels = np.array([[1.0, -0.8], [-0.8, 1.0]])
    slopes = np.array([[1.0, 0.4], [0.4, 1.0]])
    across = np.array([[0.3, 0.0], [-0.2, 0.1]])
    fit = example_fit_of_stages().isel(stratum=[0, 2], stratum_bis=[0, 2])
    draws = fit["posterior"].to_dataset()
    draws = draws.isel(chain=[0], draw=np.zeros(20_000, dtype=int)).assign_coords(
        draw=np.arange(20_000)
    )
    made = {"level_sd": ("stratum", [0.5, 0.2]), "slope_sd": ("stratum", [0.1, 0.3])}
    made["correlation"] = ("stratum", np.diagonal(across))
    for name, values in (("level", levels), ("slope", slopes), ("level_slope", across)):
        made[f"{name}_correlation"] = (("stratum", "stratum_bis"), values)
    one = xr.Dataset(made, coords={"stratum": draws["stratum"]})
    wide = one.expand_dims(chain=draws["chain"], draw=draws["draw"])
    fit["posterior"] = xr.DataTree(draws.assign(wide))
    return fit


def test_joint_strata_have_one_new_authority():
    """Its levels and slopes in two strata have the covariance that the fit recorded."""
    parts = [coefficients(stratum(unlike_stages(), label)) for label in ("referral", "plan")]
    drawn = [new_authority_effects(terms, random_seed=5) for terms in parts]
    both = np.stack(
        [effect.to_numpy().ravel() for pair in zip(*drawn, strict=True) for effect in pair]
    )
    expected = [
        [1.0, -0.8, 0.3, 0.0],
        [-0.8, 1.0, -0.2, 0.1],
        [0.3, -0.2, 1.0, 0.4],
        [0.0, 0.1, 0.4, 1.0],
    ]
    # Standard errors with 20,000 draws: 0.007 at most.
    np.testing.assert_allclose(np.corrcoef(both), expected, atol=0.025)
    np.testing.assert_allclose(both.std(axis=1), [0.5, 0.2, 0.1, 0.3], rtol=0.03)


def test_estimands_of_joint_strata_follow_it():
    """Rates and gradients of a new authority correlate as its effects do, in every estimand."""
    fit = unlike_stages()
    mean = float(fit["constant_data"]["national_mean"])
    place = pd.DataFrame({"deprivation": [mean]})
    for rate in (
        expected_rate(fit, deprivation=mean, target="new", random_seed=2),
        predict_rate(fit, place, target="new", random_seed=2),
    ):
        assert correlations(np.log(rate))[0, 1] == pytest.approx(-0.8, abs=0.02)
    steep = gradient(fit, target="new", random_seed=2)
    assert correlations(np.log(steep))[0, 1] == pytest.approx(0.4, abs=0.02)


def test_one_stratum_gives_what_all_give():
    """Taken out of a joint fit, a stratum has the same new authority as within it."""
    fit = example_fit_of_stages()
    rate = expected_rate(fit, target="new", random_seed=3)
    alone = expected_rate(stratum(fit, "plan"), target="new", random_seed=3)
    np.testing.assert_array_equal(rate.sel(stratum="plan"), alone)
    thin = stratum(fit, "plan").isel(draw=slice(None, None, 5))
    assert expected_rate(thin, target="new").sizes["draw"] == 10


def test_joint_levels_alone_are_tied_too():
    """A joint fit without slopes has correlations of levels, and no others are needed."""
    fit = unlike_stages().copy()
    names = ["slope_effect", "slope_sd", "correlation", "slope_correlation"]
    draws = fit["posterior"].to_dataset().drop_vars([*names, "level_slope_correlation"])
    fit["posterior"] = xr.DataTree(draws)
    rate = expected_rate(fit, deprivation=0.2, target="new", random_seed=2)
    assert correlations(np.log(rate))[0, 1] == pytest.approx(-0.8, abs=0.02)


def test_independent_strata_share_no_random_numbers():
    """New authorities of independent strata, and chance in counts of all, are uncorrelated."""
    fit = stage_fit()
    assert json.loads(fit.attrs["strata"])["authority_effects"] == "independent"
    place = pd.DataFrame({"deprivation": [0.2]})
    off = ~np.eye(3, dtype=bool)
    # Standard error with 4,000 draws: 0.016.
    for draws in (
        np.log(predict_rate(fit, place, target="new", random_seed=1)),
        np.log(gradient(fit, target="new", random_seed=1)),
        predict_events(fit, place, exposure=400, random_seed=1),
        predict_authority_events(fit, target="new", random_seed=1).isel(authority=0),
    ):
        assert np.abs(correlations(draws)[off]).max() < 0.07


def test_counts_of_joint_strata_have_their_own_chance():
    """Given their rates, counts of two strata are independent: chance is drawn for each."""
    fit = unlike_stages()
    place = pd.DataFrame({"deprivation": [0.2]})
    events = predict_events(fit, place, exposure=10_000, target="average", random_seed=1)
    assert abs(correlations(events)[0, 1]) < 0.03


def test_seeds_are_whole_numbers_from_0():
    """What NumPy would refuse is refused in our own words."""
    for seed in (-1, 1.5, "a", True):
        with pytest.raises(
            EstimandError, match=r"random_seed is .* expected a whole number from 0"
        ):
            gradient(example_fit_of_stages(), target="new", random_seed=seed)
