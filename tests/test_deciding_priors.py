"""Which numbers a prior decides."""

import json

import numpy as np
import pandas as pd
import pytest

from socgrad.checks.deciding_priors import about_priors, prior_weights
from socgrad.fitting import fit
from socgrad.model.gradient_model import GradientModel
from socgrad.model.priors import Normal, Priors
from socgrad.simulation.england import simulate
from socgrad.simulation.truth import Truth
from socgrad.tables.diagnostics import check_sampling
from tables import areas_of, simulated, simulated_areas


@pytest.fixture(scope="module")
def few():
    """Nineteen authorities of alike means and a strong cross-level term, -1.6."""
    truth = Truth(intercept=-4.0, within=0.5, between=0.3, cross_level=-1.6, slope_sd=0.5)
    table = simulate(
        authorities=19, areas=247, authority_sd=0.012, stages={"events": truth}, random_seed=5
    )
    return simulated_areas(table.frame)


def fitted(areas, **priors):
    """Fit without a compiler."""
    return fit(GradientModel(areas, priors=Priors(**priors)), method="laplace", random_seed=1)


def test_a_strong_term_that_its_prior_holds_is_named(few):
    """Normal(0, 0.2) makes next to nothing of -1.6; check_sampling says that the prior decides."""
    usual = fitted(few)
    check = check_sampling(usual)
    assert abs(float(usual["posterior"]["cross_level"].mean())) < 0.4
    assert check.converged
    assert check.priors.loc["cross_level", "decides"]
    assert check.statement.split("The prior decides on ")[1].startswith("cross_level (")
    # A wide prior lets the counts speak, and is no longer said to decide.
    wide = fitted(few, cross_level=Normal(0.0, 5.0))
    assert float(wide["posterior"]["cross_level"].mean()) < -0.8
    assert not check_sampling(wide).priors.loc["cross_level", "decides"]


def test_usual_tables_decide_for_themselves():
    """Twenty authorities with thousands of events: no coefficient is the prior's."""
    table = prior_weights(fitted(areas_of(simulated(authorities=20, areas=800, seed=4), "counts")))
    coefficients = ["intercept", "within", "between", "cross_level", "level_sd", "slope_sd"]
    assert not table.loc[coefficients, "decides"].any()


def test_normal_case_by_hand(split_fit, change_fit):
    """Prior Normal(0, 1), likelihood as strong: half the prior widens by 1 / sqrt(3 / 4)."""
    noise = np.random.default_rng(1).standard_normal((2, 50_000))
    draws = (1.0 + np.sqrt(0.5) * noise) / 1.0

    def changed(posterior):
        posterior = posterior[["within"]].isel(draw=[0] * 50_000).drop_vars("draw")
        return posterior.assign(within=(("chain", "draw"), draws))

    tree = change_fit(split_fit, posterior=changed)
    tree.attrs["priors"] = json.dumps({"within": [0.0, 1.0]})
    row = prior_weights(tree).loc["within"]
    assert row["growth"] == pytest.approx(1 / np.sqrt(0.75), rel=0.01)
    # Likelihood Normal(2, 1): the posterior mean moves from 1 to 2 / 1.5.
    assert row["shift"] == pytest.approx((2 / 1.5 - 1) / np.sqrt(0.5), rel=0.02)


def test_without_priors_nothing_is_said(split_fit):
    """A file that does not record its priors is not judged by them."""
    copy = split_fit.copy()
    copy.attrs = {name: value for name, value in split_fit.attrs.items() if name != "priors"}
    table = prior_weights(copy)
    assert table.empty
    assert about_priors(table) == ""


@pytest.mark.parametrize(
    ("shift", "growth", "words"),
    [
        (-0.4, 1.29, "moves it by 0.4 of its sd and widens it by 29%"),
        (0.9, 0.999, "moves it by 0.9 of its sd"),
        (0.9, 0.95, "moves it by 0.9 of its sd and narrows it by 5%"),
        (0.01, 1.2, "widens it by 20%"),
    ],
)
def test_what_a_weaker_prior_does_is_said_where_it_does_it(shift, growth, words):
    """No widening by -0%."""
    table = pd.DataFrame(
        {"shift": [shift], "growth": [growth], "decides": [True]}, index=["within"]
    )
    assert f"within (a prior half as strong {words})" in about_priors(table)
