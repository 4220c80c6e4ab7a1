import dataclasses
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
    for name in ("stages", "priors", "england"):
        sys.modules.pop(f"public_{name}", None)


@pytest.fixture
def england(stages: ModuleType) -> object:
    """Three authorities of two neighbourhoods, one of them without a count of plans."""
    codes = ["E06000001", "E06000001", "E06000002", "E06000002", "E06000003", "E06000003"]
    lsoa = pd.DataFrame(
        {
            "lsoa11cd": [f"L{number}" for number in range(6)],
            "authority": codes,
            "children": [100.0, 300.0, 200.0, 200.0, 500.0, 300.0],
            "idaci_score_recon": [0.05, 0.15, 0.10, 0.30, 0.20, 0.40],
        }
    )
    counts = pd.DataFrame(
        {
            "time_period": [2019] * 3 + [2020] * 3,
            "new_la_code": ["E06000001", "E06000002", "E06000003"] * 2,
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
    assert names["E06000002"] == "Barton"


def test_a_suppressed_total_is_not_zero(stages: ModuleType, england: object) -> None:
    """Its authority is out of that stage's likelihood, in the others', and in all means."""
    areas, totals, _ = stages.year_of(england, 2019)
    counts = counts_named(stages, "referrals", "cpp_start")
    strata, exceeding = stages.strata_of_year(areas, totals, counts)
    assert exceeding == ""
    plans = strata["Plan starts"]
    assert plans.total_events.tolist() == pytest.approx([3.0, np.nan, 12.0], nan_ok=True)
    assert strata["Referrals"].total_events.tolist() == [20.0, 30.0, 80.0]
    # Authority means are those of the children: (100 * 0.05 + 300 * 0.15) / 400 = 0.125.
    assert plans.authority_mean.tolist() == pytest.approx([0.125, 0.20, 0.275])


def test_counts_that_cannot_both_be_right_are_doubted(stages: ModuleType) -> None:
    """118 conferences beside 1,291 plans are; a pair of few events, as far off, is not.

    Log ratios of the others are 0.01 to 0.13 about 0.07, with a chance of 0.06: 118 / 1,291 is 2.4
    off, 3 / 1 is 1.0 off, with a chance of 1.2.
    """
    referrals, icpc, plans = counts_named(stages, "referrals", "icpc", "cpp_start")
    totals = pd.DataFrame(
        {
            "referrals": [5000.0, 5100.0, 4900.0, 5000.0, 5050.0, np.nan, 5000.0],
            "icpc": [505.0, 535.0, 550.0, 570.0, 118.0, 3.0, 0.0],
            "cpp_start": [500.0, 500.0, 500.0, 500.0, 1291.0, 1.0, 400.0],
        },
        index=[f"E{number}" for number in range(7)],
    )
    found = stages.doubtful(totals, [icpc, plans])
    why = "Conferences 118 beside Plan starts 1,291"
    assert found == [("Conferences", "E4", why), ("Plan starts", "E4", why)]
    assert stages.doubtful(totals, [referrals]) == []
    # Referrals and conferences are no neighbours.
    assert stages.doubtful(totals, [referrals, icpc]) == []
    apart = [dataclasses.replace(one, kind="need") for one in (icpc, plans)]
    assert stages.doubtful(totals, apart) == []


def test_stages_that_exceed_the_one_before_are_named(
    stages: ModuleType, england: object, capsys: pytest.CaptureFixture[str]
) -> None:
    """More plans than referrals are no error, and are said in the report; categories have no order.

    Plans started: 3, none known, 12; taken as the stage after them, referrals (20, 30, 80) exceed
    them in the two authorities that have both, by 17 + 68 = 85.
    """
    areas, totals, _ = stages.year_of(england, 2019)
    referrals, plans = counts_named(stages, "referrals", "cpp_start")
    _, words = stages.strata_of_year(areas, totals, [plans, referrals])
    assert words == (
        "Referrals exceeds Plan starts in 2 of 3 authority totals (E06000001, E06000003), by 85 "
        "events in all"
    )
    apart = [dataclasses.replace(one, kind="category") for one in (plans, referrals)]
    assert stages.strata_of_year(areas, totals, apart)[1] == ""
    stages.report(*reported("B"), [(2019, "stage", "")], [(2019, words)])
    assert f"  2019: {words}" in capsys.readouterr().out


def reported(name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A table of two counts, the second of which many authorities hide, and who they are."""
    row = {"year": 2019, "kind": "stage", "events": 100, "authorities": 9}
    ratios = {
        f"{what}{end}": value
        for what in ("between", "between_rates", "contextual", "over_first", "level_correlation")
        for end, value in (("", 0.8), ("_lower", 0.7), ("_upper", 0.9))
    }
    few, many = ({"count": one, "many_left_out": one == name} for one in ("A", name))
    table = pd.DataFrame([row | ratios | one | {"left_out": 1} for one in (few, many)])
    columns = ["year", "count", "code", "authority", "why"]
    left_out = [(2019, name, "E2", "Barton", "no count"), (2019, name, "E3", "Corham", "B 1")]
    return table, pd.DataFrame(left_out, columns=columns)


def test_rows_with_many_suppressed_counts_are_marked(
    stages: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is left of a count that a tenth of the authorities hide is no fair sample."""
    stages.report(*reported("B"), [(2019, "stage", "")])
    printed = capsys.readouterr().out
    assert "0.80+ " in printed
    assert "0.80+*" in printed
    assert "Over the contextual ratio of a, in the same draw" in printed
    assert "2019 B: Barton\n" in printed
    assert "2019 Corham, doubted: B 1" in printed
    assert "All fits converged" in printed


@pytest.mark.slow
@pytest.mark.mcmc
def test_real_england_agrees_with_the_earlier_trial(stages: ModuleType, tmp_path: Path) -> None:
    """Referrals and plan starts of 2019, jointly: contextual ratios within the trial's intervals.

    Each count alone gives about the same ratio; only the joint fit says how two of them compare.
    """
    folder = os.environ.get("SOCGRAD_DATA")
    if not folder:
        pytest.skip("SOCGRAD_DATA does not name the folder of public data")
    counts = counts_named(stages, "referrals", "cpp_start", "Sexual_Initial", "Neglect_Initial")
    england = stages.read_years(Path(folder))
    table = stages.run(england, tmp_path, seed=1, year=2019, counts=counts, draws=500)
    rows = table.set_index("count")
    assert 0.76 < rows.loc["Referrals", "contextual"] < 0.94
    assert 0.62 < rows.loc["Plan starts", "contextual"] < 0.81
    assert rows["many_left_out"].to_dict() == {
        "Referrals": False,
        "Plan starts": False,
        "Plan starts: neglect": False,
        "Plan starts: sexual": True,
    }
    compared = rows.loc["Plan starts"]
    ratio = compared["contextual"] / rows.loc["Referrals", "contextual"]
    assert compared["over_first"] == pytest.approx(ratio, rel=0.02)
    assert compared["over_first_lower"] < compared["over_first"] < compared["over_first_upper"]
    assert 0.3 < compared["level_correlation"] < 0.9
    assert rows.drop("Plan starts")["over_first"].isna().all()
    left_out = pd.read_csv(tmp_path / "public_stages_left_out.csv")
    assert len(left_out) == rows["left_out"].sum()
    some = counts[:2]
    alone = stages.run(
        england, tmp_path, seed=1, year=2019, counts=some, effects="independent"
    ).set_index("count")
    assert "over_first" not in alone
    together = rows.loc[alone.index]
    # With 8,000 draws either way 0.83 and 0.71 alone, 0.85 and 0.69 together: a quarter of the half
    # width of an interval.
    half = (together["contextual_upper"] - together["contextual_lower"]) / 2
    assert ((alone["contextual"] - together["contextual"]).abs() / half).max() < 1 / 3
