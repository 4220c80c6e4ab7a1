"""A third level against lme4 on stored tables (tests/golden/levels.R wrote its estimates)."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fits import sampled
from locality_tables import with_localities
from socgrad.fitting import fit
from socgrad.model.gradient_model import GradientModel

GOLDEN = Path(__file__).parent / "golden"
REFERENCE = json.loads((GOLDEN / "levels.json").read_text())["fits"]


def apart(draws, reference):
    """Posterior means less estimates, in posterior SDs."""
    return {
        name: float((draws[name].mean() - estimate) / draws[name].std())
        for name, estimate in reference["estimates"].items()
    }


def ratios(draws, reference, names):
    """Posterior medians of spreads over maximum likelihood estimates."""
    return {name: float(draws[name].median()) / reference[name] for name in names}


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


@pytest.mark.mcmc
def test_regions_are_those_of_a_random_intercept():
    """Coefficients and effects of regions agree; nine regions' spread lies above its estimate."""
    run = sampled("regions counts")
    table = pd.read_csv(GOLDEN / "regions.csv.gz").sort_values(["authority", "area"])
    np.testing.assert_array_equal(table["events"], run.model.areas.events)
    draws, reference = run.tree["posterior"].to_dataset(), REFERENCE["regions"]
    differences = apart(draws, reference)
    assert max(map(abs, differences.values())) < 0.25, differences
    found = ratios(draws, reference, ("level_sd", "slope_sd"))
    assert max(abs(ratio - 1) for ratio in found.values()) < 0.10, found
    # The likelihood of a spread of nine effects is skewed: its median lies above its mode.
    assert 1.0 < ratios(draws, reference, ("region_sd",))["region_sd"] < 1.35
    effects = draws["region_effect"]
    means, spreads = effects.mean(("chain", "draw")), effects.std(("chain", "draw"))
    lme4 = np.array([reference["region_effect"][name] for name in effects["region"].to_numpy()])
    assert float(np.abs((means - lme4) / spreads).max()) < 0.4
    assert np.corrcoef(means, lme4)[0, 1] > 0.98
