"""The benchmarks run: on tiny tables, to see that the commands work, not what they measure."""

import contextlib
import importlib
import io
import runpy
import sys
import warnings
from pathlib import Path

import pandas as pd
import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"

pytestmark = pytest.mark.mcmc


def run(script: str, out: Path, *options: str) -> tuple[str, str]:
    """Run a benchmark here, as its command does; return what it wrote and what it printed.

    In this process, so that what one of them imports and compiles serves the next.
    """
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        patch.setattr(sys, "argv", [script, "--out", str(out), *options])
        patch.syspath_prepend(BENCHMARKS)
        warnings.simplefilter("ignore")
        with contextlib.redirect_stdout(printed):
            runpy.run_path(str(BENCHMARKS / script), run_name="__main__")
    return out.read_text(encoding="utf-8"), printed.getvalue()


def table_of(script: str, out: Path, *options: str) -> tuple[pd.DataFrame, str]:
    """Run a benchmark that writes a table; return it and what was printed."""
    _, printed = run(script, out, *options)
    return pd.read_csv(out), printed


@pytest.mark.slow  # compiles graphs of PyMC for most of a minute
def test_agreement_compares_every_quantity(tmp_path):
    """A case has parameters, estimands and both effects, each with a verdict, and stays."""
    options = ("--only", "of 5 areas", "--effective", "300")
    table, _ = table_of("agreement.py", tmp_path / "agreement.csv", *options)
    assert {"level_sd", "log inverse intervention, P90", "slope_effect"} <= set(table["quantity"])
    assert table["agrees"].notna().all()
    again, printed = table_of("agreement.py", tmp_path / "agreement.csv", *options)
    pd.testing.assert_frame_equal(table, again)
    assert "20 authorities of 5 areas" in printed


def test_calibration_ranks_every_quantity(tmp_path):
    """Each quantity has as many ranks as there are replicates, spread over twenty bins."""
    table, _ = table_of(
        "calibration.py", tmp_path / "calibration.csv",
        "--replicates", "2", "--authorities", "8", "--areas", "160",
    )  # fmt: skip
    assert set(table["family"]) == {"poisson", "negative_binomial"}
    counts = table["bins"].str.split().map(lambda bins: [int(each) for each in bins])
    assert (counts.map(len) == 20).all()
    assert (counts.map(sum) == 2).all()
    assert {"overdispersion", "log likelihood"} <= set(table["quantity"])


def test_speed_reports_stages_and_memory(tmp_path):
    """A run of an engine has its stages, which fit into the whole, and its memory."""
    table, _ = table_of(
        "speed.py", tmp_path / "speed.csv", "--only", "laplace", "--families", "poisson",
        "--repeats", "1", "--authorities", "8", "--areas", "160",
    )  # fmt: skip
    row = table.iloc[0]
    assert row[["import", "read", "prepare", "fit", "save"]].sum() < row["whole"]
    assert 20 < row["peak"] < 2000
    assert row["ess/s"] > 0


def test_england_is_compared_with_the_published_one(tmp_path):
    """Every published number, share and rate stands beside the simulated one."""
    out = tmp_path / "england.csv"
    small = ("--seeds", "1", "--authorities", "8", "--areas", "400")
    table, printed = table_of("england.py", out, *small)
    assert len(table) == 11 + 5 + 4
    assert table.notna().all(axis=None)
    assert (table["lowest"] == table["highest"]).all()
    assert "child_protection_plan" in printed


def test_summaries_time_every_estimand(tmp_path):
    """Each has a row, the sum is their sum, and memory is that of all of them."""
    table, printed = table_of(
        "summaries.py", tmp_path / "summaries.csv",
        "--authorities", "12", "--areas", "600", "--draws", "50",
    )  # fmt: skip
    table = table.set_index("estimand")
    each = table.drop(index=["all estimands", "their tables"])
    assert {"sii authority poisson", "vpc", "excess_events area"} <= set(each.index)
    assert each["seconds"].sum() == pytest.approx(table.loc["all estimands", "seconds"], abs=0.1)
    assert 0 <= table.loc["all estimands", "peak_mb"] < 200
    assert " rows in " in printed


def test_nested_contrasts_compare_both_ways(tmp_path):
    """A share of stages has a row for independent fits and one for the chain."""
    table, _ = table_of(
        "nested_contrasts.py", tmp_path / "nested.csv", "--share", "0.6",
        "--replicates", "2", "--authorities", "8", "--areas", "160",
    )  # fmt: skip
    assert table["method"].tolist() == ["chain", "independent"]
    assert (table["reported_sd"] > 0).all()


def test_own_gradients_are_held_against_the_truth(tmp_path):
    """Five stages, fitted one by one and as a chain, which are alike at the first stage alone."""
    table, _ = table_of(
        "chain_gradients.py", tmp_path / "chain.csv", "--seeds", "1",
        "--authorities", "8", "--areas", "400",
    )  # fmt: skip
    assert (table["gradients"] == 8).all()
    assert table["coverage"].between(0.5, 1.0).all()
    wide = table.pivot_table(index="stage", columns="fit", values="rmse")
    assert wide.loc["referral", "chain"] == pytest.approx(wide.loc["referral", "independent"])
    assert (wide.drop("referral")["chain"] != wide.drop("referral")["independent"]).all()


def test_strata_are_timed(tmp_path):
    """All strata are fitted after a first two, and take longer than none."""
    table, _ = table_of(
        "strata.py", tmp_path / "strata.csv", "--only", "laplace",
        "--strata", "3", "--authorities", "8", "--areas", "160",
    )  # fmt: skip
    assert table["strata"].tolist() == [3]
    assert (table[["first", "all", "each", "all_cpu"]] > 0).all(axis=None)


@pytest.mark.slow  # compiles graphs of PyMC for most of a minute
def test_robustness_holds_three_graphs_side_by_side(tmp_path):
    """One posterior through three sets of free variables: estimates agree, work is counted."""
    table, printed = table_of(
        "robustness.py", tmp_path / "robustness.csv", "--only", "of 5 areas", "--draws", "100"
    )
    assert table["graph"].tolist() == ["socgrad", "centred", "non-centred"]
    assert table["within"].max() - table["within"].min() < 0.1
    assert (table[["ess", "gradients", "tuning", "per_thousand", "ratio"]] > 0).all(axis=None)
    assert "non-centred" in printed


@pytest.mark.slow  # compiles graphs of PyMC for most of a minute
def test_shapes_are_timed(tmp_path):
    """A shape has its seconds and its cells, more than authorities, and others stay."""
    table, _ = table_of(
        "shapes.py", tmp_path / "shapes.csv", "--only", "tenths",
        "--authorities", "8", "--areas", "160",
    )  # fmt: skip
    assert table["shape"].tolist() == ["tenths"]
    assert 8 < table.loc[0, "cells"] <= 80
    assert (table[["first", "further", "rate_by_group"]] > 0).all(axis=None)


def test_localities_cost_what_they_cost(tmp_path):
    """Integrated out or not there at all: seconds, memory and estimates side by side."""
    table, printed = table_of(
        "third_level.py", tmp_path / "third.csv", "--only", "none, laplace", "gamma, laplace",
        "--authorities", "12", "--areas", "360", "--draws", "100",
    )  # fmt: skip
    assert table["case"].tolist() == ["none, laplace", "gamma, laplace"]
    assert table["numbers_per_draw"].tolist() == [31, 32]
    assert table["locality_sd"].notna().tolist() == [False, True]
    assert "locality_sd" in printed


def matrix(written):
    """Cells of the printed matrix of one stratum, by feature."""
    table = written.split("\n\n")[3].splitlines()
    rows = ([cell.strip() for cell in row.split("|")[1:-1]] for row in table)
    return {cells[0]: cells[1:] for cells in rows}


def test_combinations_are_printed(tmp_path):
    """A feature's cells with the engines that take them, a fit, and the reasons of refusals."""
    path, one = tmp_path / "combinations.md", ("--strata", "one")
    written, _ = run("combinations.py", path, "--only", "null", *one, "--fit", "laplace")
    rows = matrix(written)
    assert rows["one"][0] == "P counts"
    letters, ended = rows["null"][0].split()
    assert "Q" in letters
    assert ended == "well"
    written, printed = run("combinations.py", path, "--only", "both spreads", *one)
    spreads = matrix(written)["both spreads"]
    assert spreads[:4] == ["."] * 4
    assert "." not in spreads[4:]
    assert "Reasons of refusals (cells):" in printed


def test_returns_are_read_counted_and_right(tmp_path):
    """A run has its seconds and its memory, and no count that differs from what is known."""
    table, _ = table_of("returns.py", tmp_path / "returns.csv", "--children", "300")
    row = table.iloc[0]
    assert row["wrong"] == 0
    assert 200 < row["children"] < 400
    assert 0 < row["read"] < row["whole"]
    assert 50 < row["peak"] < 1000


def test_many_fits_are_timed(tmp_path):
    """Every fit of the plan is made, and the steps are most of the time from call to table."""
    table, _ = table_of(
        "many.py", tmp_path / "many.csv", "--only", "in turn",
        "--years", "1", "--authorities", "8", "--areas", "400",
    )  # fmt: skip
    row = table.iloc[0]
    assert (row["fits"], row["workers"], row["speed_up"]) == (4, 1, 1)
    assert row["sum"] == pytest.approx(row[["model", "fit", "check", "save"]].sum(), abs=0.01)
    assert row["sum"] < row["wall"]
    assert row["worker_mb"] > 100


def test_kinds_of_models_are_timed(tmp_path, monkeypatch):
    """Each is read, fitted and saved; a process's report has what vouches for its draws."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    kinds = importlib.import_module("kinds")
    path = tmp_path / "table.csv"
    kinds.write_table(path, overdispersion=0.0, authorities=12, areas=240)
    models = {type(kinds.model_of(case, path)).__name__ for case in kinds.CASES}
    assert models == {"GradientModel", "StratifiedModel", "OutcomeModel"}
    report = kinds.child("one stratum", path)
    assert report["importance_ess"] > 100
    assert 0.1 < report["within"] < 1.0
