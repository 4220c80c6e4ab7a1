import dataclasses
import os
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture(scope="module")
def modules() -> Iterator[dict[str, ModuleType]]:
    """Import the example and the modules beside it, as running the script does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(EXAMPLES)
        yield {name: import_module(f"public_{name}") for name in ("england", "priors", "totals")}


@pytest.fixture(scope="module")
def england(modules: dict[str, ModuleType]) -> object:
    """Read the two public tables."""
    folder = os.environ.get("SOCGRAD_DATA")
    if not folder:
        pytest.skip("SOCGRAD_DATA does not name the folder of public data")
    return modules["england"].read_england(Path(folder))


@pytest.mark.mcmc
def test_real_england_is_matched_without_losing_a_child(england: object) -> None:
    """All authorities but two are matched, Dorset's three of old as one unit with two of now."""
    assert len(england.areas) == 32_837
    assert len(england.totals) == 148
    assert england.totals.loc["E06000028+E06000029+E10000009", "la_name"].count(" and ") == 2
    # Summed over the LSOAs assigned, children of mid-2017 are the DfE's own figures.
    assert (england.checked, england.differing) == (148, 0)
    report = england.match.report.set_index("code")
    assert report["unit"].notna().all()
    others = report.index[report["what"] != "same code"]
    assert sorted(others) == sorted(
        ["E06000028", "E06000029", "E10000009", "E06000058", "E06000059", "E10000002", "E06000060"]
    )


@pytest.mark.mcmc
def test_a_blank_total_is_named_and_is_not_zero(
    england: object, modules: dict[str, ModuleType]
) -> None:
    """An authority with a blank stays in the means and out of the likelihood."""
    stage = modules["priors"].STAGES[0]
    totals = england.totals.copy()
    totals.loc["E06000001", stage.column] = np.nan
    blanked = dataclasses.replace(england, totals=totals)
    full = modules["totals"].areas_of_stage(england, stage)
    areas = modules["totals"].areas_of_stage(blanked, stage)
    assert np.isnan(areas.total_events).sum() == 1
    assert np.isnan(areas.total_events[areas.authority.get_loc("E06000001")])
    assert areas.national_mean == full.national_mean


@pytest.mark.mcmc
def test_the_report_sizes_the_effect_and_says_how_much_is_prior(
    england: object,
    modules: dict[str, ModuleType],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Plan starts: the trial's ratio comes out, the gradient is the prior's, the rest is data."""
    stage, grid = modules["priors"].STAGES[3], modules["priors"].GRID
    tables = modules["totals"].run(
        england, tmp_path, seed=7, stages=[stage], grid=[grid[0], grid[3]], draws=500
    )
    rows = tables["estimates"].set_index(["estimand", "at"])
    contextual = rows.loc[("contextual", "national mean")]
    _, low, high = stage.trial
    assert low < contextual["estimate"] < high
    # The interval is as wide as the trial's: 0.81 - 0.62.
    assert contextual["upper"] - contextual["lower"] == pytest.approx(high - low, abs=0.04)
    assert rows.loc[("within", ""), "prior_share"] > 0.6
    assert rows.loc[("between", ""), "prior_share"] < 0.05
    assert contextual["prior_share"] < 0.05
    assert 0.3 < contextual["carried"] < 0.8
    # A steeper gradient leaves less for the authority: at least one for one.
    assert -1.5 < contextual["per_within"] < -1.0
    # Letting the steepening go where it will moves the ratio, downwards for plans.
    first, wide = tables["grid"]["contextual"]
    assert wide < first - 0.02

    printed = capsys.readouterr().out
    lines = [line for line in printed.splitlines() if str(tmp_path) not in line]
    assert max(map(len, lines)) <= 100
    for words in ("RECONSTRUCTED", "E06000028  joined", "PLAN STARTS", "carried", "ecological"):
        assert words in printed
    assert "plan starts: The sampler" in printed
    written = pd.read_csv(tmp_path / "public_totals_estimates.csv")
    assert written["estimate"].tolist() == pytest.approx(tables["estimates"]["estimate"].tolist())
    assert (tmp_path / "public_totals_matching.csv").exists()


@pytest.mark.mcmc
def test_the_ordinary_slope_is_that_of_least_squares(
    england: object, modules: dict[str, ModuleType]
) -> None:
    """The slope before any model agrees with NumPy's polynomial fit."""
    stage = modules["priors"].STAGES[0]
    areas = modules["totals"].areas_of_stage(england, stage)
    children = np.bincount(areas.authority_of_area, weights=areas.children)
    expected, _ = np.polyfit(
        10 * areas.authority_mean, np.log(areas.total_events / children), deg=1
    )
    slope, lower, upper = modules["totals"].ordinary_slope(england, stage)
    assert slope == pytest.approx(np.exp(expected))
    assert lower < slope < upper
