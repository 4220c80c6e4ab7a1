import os
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture
def stages(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """Import the example and the modules beside it, as running the script does."""
    monkeypatch.syspath_prepend(EXAMPLES)
    yield import_module("public_stages")
    for name in ("stages", "priors", "tables"):
        sys.modules.pop(f"public_{name}", None)


@pytest.fixture
def england(stages: ModuleType) -> object:
    """Three authorities of two neighbourhoods, one of them without a count of plans."""
    codes = ["E1", "E1", "E2", "E2", "E3", "E3"]
    lsoa = pd.DataFrame(
        {
            "lsoa11cd": [f"L{number}" for number in range(6)],
            "lsoa11nm": [f"Place {number:03d}A" for number in range(6)],
            "utla19cd": codes,
            "utla19nm": codes,
            "utla21cd": codes,
            "children": [100.0, 300.0, 200.0, 200.0, 500.0, 300.0],
            "idaci_score_recon": [0.05, 0.15, 0.10, 0.30, 0.20, 0.40],
        }
    )
    counts = pd.DataFrame(
        {
            "time_period": [2019] * 3 + [2020] * 3,
            "new_la_code": ["E1", "E2", "E3"] * 2,
            "la_name": ["Ashby", "Barton", "Corham"] * 2,
            "referrals": [20.0, 30.0, 80.0, 25.0, 35.0, 90.0],
            "cpp_start": [3.0, np.nan, 12.0, 4.0, 6.0, 11.0],
            "pop_0_17_prev_mid_year": [800.0, 400.0, 800.0, 400.0, np.nan, 1600.0],
        }
    )
    return stages.England(lsoa, counts)


def counts_named(stages: ModuleType, *columns: str) -> list[object]:
    """Counts of these columns, in their order."""
    return [count for count in stages.COUNTS if count.column in columns]


def test_children_are_scaled_to_the_year(stages: ModuleType, england: object) -> None:
    """Twice the children in an authority double in its neighbourhoods; unknown stays as it is."""
    areas, totals, names = stages.year_of(england, 2019)
    assert areas["children"].tolist() == [200.0, 600.0, 200.0, 200.0, 500.0, 300.0]
    areas, totals, names = stages.year_of(england, 2020)
    assert areas["children"].tolist() == [100.0, 300.0, 200.0, 200.0, 1000.0, 600.0]
    assert totals["referrals"].tolist() == [25.0, 35.0, 90.0]
    assert names["E2"] == "Barton"


def test_a_suppressed_total_is_not_zero(stages: ModuleType, england: object) -> None:
    """Its authority is out of that stage's likelihood, in the others', and in all means."""
    areas, totals, _ = stages.year_of(england, 2019)
    strata = stages.strata_of_year(areas, totals, counts_named(stages, "referrals", "cpp_start"))
    plans = strata["Plan starts"]
    assert plans.total_events.tolist() == pytest.approx([3.0, np.nan, 12.0], nan_ok=True)
    assert strata["Referrals"].total_events.tolist() == [20.0, 30.0, 80.0]
    # Authority means are those of the children: (100 * 0.05 + 300 * 0.15) / 400 = 0.125.
    assert plans.authority_mean.tolist() == pytest.approx([0.125, 0.20, 0.275])


def test_rows_with_many_suppressed_counts_are_marked(
    stages: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is left of a count that a tenth of the authorities hide is no fair sample."""
    row = {"year": 2019, "kind": "stage", "events": 100, "authorities": 9}
    ratios = {
        f"{name}{end}": value
        for name in ("between", "between_rates", "contextual")
        for end, value in (("", 0.8), ("_lower", 0.7), ("_upper", 0.9))
    }
    few, many = ({"count": name, "many_left_out": name == "B"} for name in "AB")
    table = pd.DataFrame([row | ratios | one | {"left_out": 1} for one in (few, many)])
    absent = pd.DataFrame(
        [(2019, "B", "E2", "Barton")], columns=["year", "count", "code", "authority"]
    )
    stages.report(table, absent, [(2019, "stage", "")])
    printed = capsys.readouterr().out
    assert "0.80+" in printed
    assert "2019 B: Barton" in printed
    assert "All fits converged" in printed


@pytest.mark.mcmc
def test_real_england_agrees_with_the_earlier_trial(stages: ModuleType, tmp_path: Path) -> None:
    """Referrals and plan starts of 2019: contextual ratios within the trial's intervals."""
    folder = os.environ.get("SOCGRAD_DATA")
    if not folder:
        pytest.skip("SOCGRAD_DATA does not name the folder of public data")
    counts = counts_named(stages, "referrals", "cpp_start", "Sexual_Initial", "Neglect_Initial")
    england = stages.read_years(Path(folder))
    table = stages.run(england, tmp_path, seed=1, years=[2019], counts=counts)
    rows = table.set_index("count")
    assert 0.76 < rows.loc["Referrals", "contextual"] < 0.94
    assert 0.62 < rows.loc["Plan starts", "contextual"] < 0.81
    assert rows["many_left_out"].to_dict() == {
        "Referrals": False,
        "Plan starts": False,
        "Plan starts: neglect": False,
        "Plan starts: sexual": True,
    }
    left_out = pd.read_csv(tmp_path / "public_stages_left_out.csv")
    assert len(left_out) == rows["left_out"].sum()
