"""Parity with glmmTMB's ar1 on a stored table (tests/golden/years.R made its estimates)."""

import functools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from socgrad.fitting import fit
from socgrad.model.drift import Drift
from socgrad.model.priors import Normal, Priors
from socgrad.model.stratified_model import StratifiedModel
from socgrad.table.panel import Panel

pytestmark = pytest.mark.mcmc

GOLDEN = Path(__file__).parent / "golden"
NAMES = {"intercept": "", "within": ":within", "between": ":between",
         "cross_level": ":within:between"}  # fmt: skip


@functools.cache
def draws() -> xr.Dataset:
    """Draws of the model that glmmTMB fitted: levels drift, slopes do not."""
    panel = Panel.from_frame(
        pd.read_csv(GOLDEN / "years.csv.gz"),
        year="year",
        area="area",
        authority="authority",
        deprivation="deprivation",
        children="children",
        events="events",
        complete=True,
    )
    # Each year has its own prior, which what all years share would meet eight times.
    wide = Normal(0.0, 5.0)
    priors = Priors(within=wide, between=wide, cross_level=wide)
    model = StratifiedModel(panel, authority_effects=Drift(slopes="none"), priors=priors)
    tree = fit(model, method="laplace", draws=500, random_seed=2, progress=False)
    return tree["posterior"].to_dataset()


@functools.cache
def reference() -> pd.DataFrame:
    """Estimates and standard errors of glmmTMB, by term."""
    return pd.read_csv(GOLDEN / "years.csv").set_index("term")


@pytest.mark.parametrize("name", NAMES)
def test_coefficients_of_every_year_lie_within_a_quarter_sd(name):
    """Posterior means of each year, in posterior SDs from the maximum likelihood estimates."""
    own = draws()[name]
    years = own["stratum"].to_numpy()
    expected = reference()["estimate"].reindex([f"year{year}{NAMES[name]}" for year in years])
    assert expected.notna().all()
    middle, sd = (getattr(own, each)(("chain", "draw")).to_numpy() for each in ("mean", "std"))
    assert (np.abs(middle - expected.to_numpy()) / sd < 0.25).all()
    errors = reference()["se"].reindex(expected.index).to_numpy()
    np.testing.assert_allclose(sd, errors, rtol=0.15)


def test_spreads_of_drift_are_those_of_ar1():
    """The innovation of a year, its autocorrelation, and the constant part, in posterior SDs."""
    for name in ("level_constant_sd", "slope_constant_sd", "level_drift_sd",
                 "level_autocorrelation"):  # fmt: skip
        own = draws()[name]
        away = (float(own.median()) - reference()["estimate"][name]) / float(own.std())
        assert abs(away) < 0.6, (name, away)
