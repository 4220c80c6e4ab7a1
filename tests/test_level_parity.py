"""Localities against lme4 on a stored table; regions in `test_recovery`, which samples them."""

import pandas as pd
import pytest

from level_reference import GOLDEN, REFERENCE, apart, ratios
from locality_tables import with_localities
from socgrad.fitting import fit
from socgrad.model.gradient_model import GradientModel


def test_localities_are_those_of_a_random_intercept():
    """A gamma factor, integrated out, says what lme4's normal intercept of localities says."""
    table = pd.read_csv(GOLDEN / "localities.csv.gz")
    model = GradientModel(with_localities(table), localities=True)
    draws = fit(model, method="laplace", random_seed=12)["posterior"].to_dataset()
    reference = REFERENCE["localities"]
    # The mean of a log-normal factor is exp(variance / 2), that of socgrad's factor 1.
    draws["intercept"] = draws["intercept"] - reference["locality_sd"] ** 2 / 2
    differences = apart(draws, reference)
    assert max(map(abs, differences.values())) < 0.25, differences
    found = ratios(draws, reference, ("level_sd", "slope_sd", "locality_sd"))
    assert max(abs(ratio - 1) for ratio in found.values()) < 0.10, found
    assert found["locality_sd"] == pytest.approx(1.0, abs=0.02)
