"""Draws from the priors, as a fit."""

import numpy as np
import pytest

import socgrad as sg
from socgrad.errors import EstimandError, SpecificationError
from socgrad.model.gradient_model import GradientModel
from socgrad.model.priors import Normal, PositiveNormal, Priors
from socgrad.simulation.prior_draws import draw_prior
from tables import small_areas


@pytest.fixture(scope="module")
def model():
    """Twelve authorities; a prior of each kind that is not the default."""
    priors = Priors(
        within=Normal(0.5, 0.1), intercept=Normal(-4.0, 0.5), level_sd=PositiveNormal(0.3, 0.001)
    )
    return GradientModel(small_areas(), priors=priors)


def test_draws_have_the_priors(model):
    """Means and standard deviations are the priors', to four standard errors of 20,000 draws."""
    draws = draw_prior(model, draws=20_000)["posterior"]
    for name, mean, sd in (
        ("within", 0.5, 0.1),
        ("intercept", -4.0, 0.5),
        ("between", 0.0, 0.5),
        ("cross_level", 0.0, 0.2),
        # A beta(2, 2) on (-1, 1) has variance 4 / 20.
        ("correlation", 0.0, np.sqrt(0.2)),
        # A half-normal of scale 0.25: mean 0.25 sqrt(2 / pi), sd 0.25 sqrt(1 - 2 / pi).
        ("slope_sd", 0.19947, 0.15070),
    ):
        assert float(draws[name].mean()) == pytest.approx(mean, abs=4 * sd / np.sqrt(20_000))
        assert float(draws[name].std()) == pytest.approx(sd, rel=0.03)
    assert float(draws["level_effect"].std()) == pytest.approx(0.3, rel=0.02)
    # Effects share the correlation of their draw, which is 0 on average and positive in half.
    own = draws["correlation"] > 0.5
    both = (draws["level_effect"] * draws["slope_effect"]).mean("authority")
    assert float(both.where(own).mean()) > 0.02


def test_every_summary_reads_it(model):
    """Rates per 10,000 by deprivation, gradients and their table come out as from a fit."""
    prior = draw_prior(model, draws=2000)
    assert dict(prior["posterior"].sizes) == {"chain": 1, "draw": 2000, "authority": 12}
    rate = sg.summarise(
        sg.rates.expected_rate(prior, deprivation=prior["constant_data"].national_mean)
    )
    # 10,000 exp(-4) = 183, from exp(-0.98) to exp(0.98) times that.
    assert rate["estimate"].iloc[0] == pytest.approx(183, rel=0.1)
    assert rate["upper"].iloc[0] == pytest.approx(183 * np.exp(0.98), rel=0.15)
    assert sg.summarise(sg.gradient(prior))["estimate"].iloc[0] == pytest.approx(
        np.exp(0.5), rel=0.02
    )
    compared = sg.prior_checks.compare_prior(prior)
    np.testing.assert_allclose(compared["learned"].astype(float), 0.0, atol=0.15)


def test_absent_terms_are_absent():
    """A null model has no gradient, a pooled one has `pooled`, Poisson no overdispersion."""
    areas = small_areas()
    null = draw_prior(GradientModel(areas, deprivation="none"))["posterior"]
    assert set(null.data_vars) == {"intercept", "level_sd", "level_effect"}
    pooled = draw_prior(GradientModel(areas, deprivation="pooled", family="negative_binomial"))
    assert set(pooled["posterior"].data_vars) == {
        "intercept", "pooled", "level_sd", "slope_sd", "correlation", "overdispersion",
        "level_effect", "slope_effect",
    }  # fmt: skip


def test_a_prior_has_no_counts(model):
    """It cannot be mistaken for a fit: counts are missing, and the sampler is named."""
    prior = draw_prior(model)
    assert "prior" in prior.attrs["sampler"]
    with pytest.raises(EstimandError, match="this fit holds none"):
        sg.check_fit(prior)


def test_the_seed_decides(model):
    """The same seed gives the same draws."""
    first, again, other = (
        draw_prior(model, draws=3, random_seed=s)["posterior"] for s in (1, 1, 2)
    )
    assert first.to_dataset().equals(again.to_dataset())
    assert not first.to_dataset().equals(other.to_dataset())


def test_arguments_are_checked(model):
    """No draws, or a negative seed, are refused."""
    with pytest.raises(SpecificationError, match="got draws=0, random_seed=0"):
        draw_prior(model, draws=0)
    with pytest.raises(SpecificationError, match="random_seed=-1"):
        draw_prior(model, random_seed=-1)
