"""The main job runs, says what it does, and writes what it prints."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import socgrad as sg
from socgrad.simulation.england import Simulation

EXAMPLES = Path(__file__).parents[1] / "examples"
STAGES = ("referral", "child_in_need_plan", "section_47", "child_protection_plan")

#: Rows of each finding: 10 tenths; 1 gradient, and 4 ratios of pairs of stages; 2 scales; 3 places
#: in 2 contrasts; 1 ratio, 3 gradients, 2 limits.
ROWS = {"F1": 4 * 10, "F2": 4 + 4, "F3": 4 * 2, "F4": 4 * 6, "F5": 4 * 6}


@dataclass(frozen=True, eq=False)
class Run:
    """A finished run of the briefing."""

    status: int
    printed: str
    out: Path

    def table(self, name: str) -> pd.DataFrame:
        """Read a table that was written."""
        return pd.read_csv(self.out / f"{name}.csv")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run the briefing on 12 authorities, with too few draws to be reported."""
    out = tmp_path_factory.mktemp("briefing") / "out"
    options = ["--authorities", "12", "--areas", "300", "--draws", "50", "--out", str(out)]
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "briefing.py"), *options],
        capture_output=True,
        text=True,
        check=False,
        cwd=out.parent,
        timeout=300,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Run(done.returncode, done.stdout, out)


@pytest.fixture
def briefing(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """Import the script, which finds its neighbour as it does when it is run."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    import briefing

    yield briefing
    for name in ("briefing", "briefing_truth"):
        sys.modules.pop(name, None)


@pytest.fixture
def simulation() -> Simulation:
    """Simulate 12 authorities of 25 areas."""
    return sg.simulate(authorities=12, areas=300, random_seed=1)


@pytest.mark.mcmc
def test_files_are_written(run: Run) -> None:
    """Five findings, the authorities' gradients, and two figures and a fit for each stage."""
    tables = {f"{name}.csv" for name in (*ROWS, "authority_gradients")}
    figures = {f"{kind}_{s}.png" for s in STAGES for kind in ("inverse_intervention", "gradients")}
    assert {path.name for path in run.out.iterdir()} == (
        tables | figures | {f"{stage}.nc" for stage in STAGES}
    )
    for name in figures:
        content = (run.out / name).read_bytes()
        assert content.startswith(b"\x89PNG")
        assert len(content) > 10_000


@pytest.mark.mcmc
@pytest.mark.parametrize("name", ROWS)
def test_findings_have_ordered_intervals_and_the_truth(run: Run, name: str) -> None:
    """Each row has an estimate within its interval, and a truth; most truths lie there too."""
    table = run.table(name)
    columns = ["stage", "quantity", "estimate", "lower_95", "upper_95", "truth"]
    assert table.columns.tolist() == columns
    assert len(table) == ROWS[name]
    assert not table.duplicated(["stage", "quantity"]).any()
    assert (table["lower_95"] < table["estimate"]).all()
    assert (table["estimate"] < table["upper_95"]).all()
    assert (table["truth"] > 0).all()
    # Twelve authorities drive all four stages, so that misses come together.
    assert table["truth"].between(table["lower_95"], table["upper_95"]).mean() > 0.5


@pytest.mark.mcmc
def test_every_row_is_printed_within_a_hundred_columns(run: Run) -> None:
    """What is written is what was printed: labels, estimates and truths, in a readable width."""
    lines = run.printed.splitlines()
    assert max(map(len, lines)) <= 100
    for name, decimals in (("F1", 1), ("F2", 2), ("F3", 2), ("F4", 2), ("F5", 2)):
        for row in run.table(name).itertuples():
            numbers = (row.estimate, row.lower_95, row.upper_95, row.truth)
            words = [f"{number:.{decimals}f}" for number in numbers]
            assert any(
                row.quantity in line and all(word in line for word in words) for line in lines
            ), row


@pytest.mark.mcmc
def test_estimates_are_those_of_the_saved_fits(run: Run) -> None:
    """A colleague with the file alone gets the numbers of the table."""
    table = run.table("F2")
    for stage, row in zip(STAGES, table.itertuples(), strict=False):
        fit = sg.load(run.out / f"{stage}.nc")
        summary = sg.summarise(sg.gradient(fit), prob=0.95).iloc[0]
        assert row.estimate == pytest.approx(summary["estimate"])
        assert (row.lower_95, row.upper_95) == pytest.approx((summary["lower"], summary["upper"]))


@pytest.mark.mcmc
def test_own_gradients_name_every_authority(run: Run) -> None:
    """Each authority stands there with its own gradient, once for each stage."""
    own = run.table("authority_gradients")
    assert own.groupby("stage")["authority"].nunique().tolist() == [12] * 4
    assert len(own) == 48
    assert (own["lower_95"] < own["upper_95"]).all()
    assert "of 12 intervals hold the truth" in run.printed


@pytest.mark.mcmc
def test_progress_is_visible_and_few_draws_are_not_passed_off(run: Run) -> None:
    """Each step is announced; 200 draws cannot have an effective size of 400, and it says so."""
    for words in (
        "Simulating 300 neighbourhoods in 12 authorities",
        "Fitting referrals",
        "Drawing",
    ):
        assert words in run.printed
    assert "NOT DONE: the sampler did not converge in every fit" in run.printed
    assert run.status == 1


def test_converged_fits_end_well(
    briefing: ModuleType, split_fit: xr.DataTree, capsys: pytest.CaptureFixture[str]
) -> None:
    """With enough independent draws in every fit the briefing says so, and exits with 0."""
    rng = np.random.default_rng(1)
    draws = xr.Dataset(
        {name: (("chain", "draw"), rng.standard_normal((4, 1000))) for name in ("intercept",)}
    )
    constants = split_fit["constant_data"].to_dataset()
    fit = xr.DataTree.from_dict({"posterior": draws, "constant_data": constants})
    assert briefing.conclude({"referral": fit}) == 0
    assert "the sampler converged in every fit" in capsys.readouterr().out
    assert briefing.conclude({"referral": fit, "section_47": split_fit}) == 1
    assert "Do not use these tables" in capsys.readouterr().out


def test_a_posterior_at_the_truth_gives_the_truth(
    briefing: ModuleType, simulation: Simulation
) -> None:
    """Truth and estimate are of one quantity: where draws are the truth, all columns agree."""
    fits = {stage: certain_fit(simulation, stage) for stage in STAGES}
    with pytest.warns(sg.errors.SupportWarning):  # twelve authorities leave gaps
        tables = [table for _, _, table, _ in briefing.findings(fits, simulation)]
    tables.append(briefing.own_gradients(fits, simulation))
    for table in tables:
        np.testing.assert_allclose(table["estimate"], table["truth"], rtol=1e-9)


def certain_fit(simulation: Simulation, stage: str) -> xr.DataTree:
    """Make a fit whose every draw is the truth of a stage."""
    from socgrad.model.compression import constants

    areas = sg.Areas.from_frame(
        simulation.frame,
        area="area",
        authority="authority",
        events=stage,
        children="children",
        deprivation="deprivation",
        complete=True,
    )
    seam = constants(sg.GradientModel(areas))
    names = ("intercept", "within", "between", "cross_level")
    draws = {
        name: (("chain", "draw"), np.full((2, 10), simulation.truth.loc[stage, name]))
        for name in names
    }
    effects = simulation.effects[simulation.effects["stage"] == stage].set_index("authority")
    for name in ("level_effect", "slope_effect"):
        own = effects.loc[seam["authority"].to_numpy(), name].to_numpy()
        draws[name] = (("chain", "draw", "authority"), np.tile(own, (2, 10, 1)))
    posterior = xr.Dataset(draws, coords={"authority": seam["authority"].to_numpy()})
    return xr.DataTree.from_dict({"posterior": posterior, "constant_data": seam})
