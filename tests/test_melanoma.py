"""Melanoma mortality in Europe: a model without split or random slopes, against lme4 (25 nodes)."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from socgrad.fitting import fit
from socgrad.model.gradient_model import GradientModel
from socgrad.table.areas import Areas

pytestmark = pytest.mark.mcmc


@pytest.fixture(scope="module")
def folder():
    """The folder of real data, or a skip that says why."""
    if "SOCGRAD_DATA" not in os.environ:
        pytest.skip("SOCGRAD_DATA names no folder of real data")
    return Path(os.environ["SOCGRAD_DATA"]) / "benchmarks"


def test_region_only_model_agrees_with_lme4(folder):
    """Counties in regions: the UV coefficient, the intercept and the region SD are lme4's."""
    frame = pd.read_csv(folder / "mmmec_melanoma.csv")
    reference = json.loads((folder / "reference_estimates.json").read_text())
    reference = reference["mmmec_melanoma"]["region_only_agq25"]
    low, width = frame["uvbi"].min(), np.ptp(frame["uvbi"])
    frame["uv"] = (frame["uvbi"] - low) / width
    areas = Areas.from_frame(
        frame,
        area="county",
        authority="region",
        events="deaths",
        children="expected",
        deprivation="uv",
        complete=True,
    )
    model = GradientModel(areas, deprivation="pooled", random_slopes=False)
    posterior = fit(model, method="nuts", draws=2000, random_seed=3, progress=False)["posterior"]
    # One step is 0.10 of the range of the UV index; the intercept stands at the national mean.
    uv = posterior["pooled"] / (0.10 * width)
    intercept = posterior["intercept"] - uv * (low + areas.national_mean * width)
    for draws, (estimate, _) in ((uv, reference["uvbi"]), (intercept, reference["intercept"])):
        assert abs(float(draws.mean()) - estimate) < 0.25 * float(draws.std())
    sd = float(np.median(posterior["level_sd"]))
    assert sd == pytest.approx(np.sqrt(reference["var_region"]), rel=0.10)
