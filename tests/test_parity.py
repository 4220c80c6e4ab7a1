"""Parity with lme4 and glmmTMB on stored tables (golden/parity.R wrote their estimates)."""

import functools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from socgrad.areas import Areas
from socgrad.fitting import fit
from socgrad.models import GradientModel

pytestmark = pytest.mark.mcmc

GOLDEN = Path(__file__).parent / "golden"
REFERENCE = json.loads((GOLDEN / "parity.json").read_text())["fits"]

MODELS = {
    "poisson": ("poisson", {}),
    "poisson_random_intercept": ("poisson", {"random_slopes": False}),
    "poisson_null": ("poisson", {"deprivation": "none"}),
    "negative_binomial": ("negative_binomial", {"family": "negative_binomial"}),
}


@functools.cache
def posterior(name):
    """The posterior of the model that the R fits of this name have."""
    table, options = MODELS[name]
    areas = Areas.from_frame(
        pd.read_csv(GOLDEN / f"{table}.csv.gz"),
        area="area",
        authority="authority",
        events="events",
        children="children",
        deprivation="deprivation",
        complete=True,
    )
    model = GradientModel(areas, **options)
    return fit(model, draws=2000, random_seed=12, progress=False)["posterior"]


def references():
    """Every reference fit, with the model it is compared with."""
    for key, reference in REFERENCE.items():
        name, engine = key.rsplit("_", 1)
        yield pytest.param(name, reference, id=f"{name}-{engine}")


@pytest.mark.parametrize(("name", "reference"), list(references()))
def test_fixed_effects_within_a_quarter_posterior_sd(name, reference):
    """Posterior means lie within 0.25 posterior SD of the maximum likelihood estimates."""
    draws = posterior(name)
    for term, estimate in reference["estimates"].items():
        z = (float(draws[term].mean()) - estimate) / float(draws[term].std())
        assert abs(z) < 0.25, (term, z)


@pytest.mark.parametrize(("name", "reference"), list(references()))
def test_standard_deviations_within_a_tenth(name, reference):
    """Posterior medians of the SDs and of the overdispersion lie within 10%."""
    draws = posterior(name)
    compared = [n for n in ("level_sd", "slope_sd", "overdispersion") if n in reference]
    assert "level_sd" in compared
    for term in compared:
        ratio = float(np.median(draws[term])) / reference[term]
        assert abs(ratio - 1) < 0.10, (term, ratio)
