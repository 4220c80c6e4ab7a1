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
        yield {name: import_module(f"public_{name}") for name in ("tables", "priors", "totals")}


@pytest.fixture(scope="module")
def england(modules: dict[str, ModuleType]) -> object:
    """Read the two public tables."""
    folder = os.environ.get("SOCGRAD_DATA")
    if not folder:
        pytest.skip("SOCGRAD_DATA does not name the folder of public data")
    return modules["tables"].read_england(Path(folder))


def lsoa(*rows: tuple[str, str, str]) -> pd.DataFrame:
    """LSOAs from name, authority of 2019 and authority of 2021."""
    frame = pd.DataFrame(rows, columns=["lsoa11nm", "utla19cd", "utla21cd"])
    return frame.assign(utla19nm="Authority " + frame["utla19cd"])


def dfe(**names: str) -> pd.DataFrame:
    """Authorities of the DfE's table."""
    return pd.DataFrame({"la_name": pd.Series(names)})


def test_areas_keep_an_authority_whose_code_both_tables_have(
    modules: dict[str, ModuleType],
) -> None:
    """Nothing is listed when all codes match, and the code of 2021 is not looked at."""
    areas, matching = modules["tables"].match_authorities(
        lsoa(("Ashby 001A", "E1", "E2"), ("Barton 001A", "E2", "E2")), dfe(E1="Ashby", E2="Barton")
    )
    assert areas["authority"].tolist() == ["E1", "E2"]
    assert matching.empty


def test_areas_are_matched_by_a_later_code_and_by_their_old_district(
    modules: dict[str, ModuleType],
) -> None:
    """Both ways of reconciling a reorganisation are used, and named in both tables."""
    areas, matching = modules["tables"].match_authorities(
        lsoa(
            ("Wycombe 001A", "E10000002", "E06000060"),
            ("Poole 001A", "E06000058", "E06000058"),
            ("Christchurch 001A", "E06000058", "E06000058"),
        ),
        dfe(E06000060="Buckinghamshire", E06000029="Poole", E10000009="Dorset"),
    )
    assert areas["authority"].tolist() == ["E06000060", "E06000029", "E10000009"]
    done = matching.set_index("code")["what was done"]
    assert sorted(done.index) == sorted(
        ["E06000060", "E06000029", "E10000009", "E10000002", "E06000058"]
    )
    assert done["E06000060"] == "matched by its code of 2021 (utla21cd), 1 LSOAs"
    assert done["E06000029"] == "rebuilt from the 2011 districts in the LSOA names, 1 LSOAs"
    assert "1 LSOAs to Dorset (E10000009)" in done["E06000058"]


def test_what_cannot_be_matched_is_left_out_by_name(modules: dict[str, ModuleType]) -> None:
    """An authority of either table alone is named, with its reason, and its areas go."""
    areas, matching = modules["tables"].match_authorities(
        lsoa(("Ashby 001A", "E1", "E1"), ("Barton 001A", "E2", "E2")), dfe(E1="Ashby", E3="Corham")
    )
    assert areas["authority"].tolist() == ["E1"]
    assert matching.to_numpy().tolist() == [
        ["E3", "Corham", "DfE", "LEFT OUT: no LSOAs"],
        ["E2", "Authority E2", "LSOA", "1 LSOAs LEFT OUT: no DfE total"],
    ]


def test_the_old_district_counts_only_in_reorganised_authorities(
    modules: dict[str, ModuleType],
) -> None:
    """A district of the same name elsewhere is not moved to Dorset."""
    areas, _ = modules["tables"].match_authorities(
        lsoa(("Poole 001A", "E9", "E9"), ("Ashby 001A", "E1", "E1")),
        dfe(E1="Ashby", E06000029="Poole"),
    )
    assert areas["authority"].tolist() == ["E1"]


@pytest.mark.mcmc
def test_real_england_is_matched_without_losing_a_child(england: object) -> None:
    """All authorities but two are matched, four of them under other codes, exactly."""
    assert len(england.areas) == 32_837
    assert len(england.totals) == 150
    # Summed over the LSOAs assigned, children of mid-2017 are the DfE's own figures.
    assert (england.checked, england.differing) == (150, 0)
    by_other_means = england.matching.query("table == 'DfE'")["authority"]
    assert sorted(by_other_means) == ["Bournemouth", "Buckinghamshire", "Dorset", "Poole"]
    left_out = england.matching.query("table == 'both'")["authority"]
    assert sorted(left_out) == ["City of London", "Isles of Scilly"]


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
    for words in ("RECONSTRUCTED", "Bournemouth: rebuilt", "PLAN STARTS", "carried", "ecological"):
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
