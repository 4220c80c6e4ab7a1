"""The main job runs, says what it does, and writes what it prints."""

import re
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

EXAMPLES = Path(__file__).parents[1] / "examples"
SCRIPTS = [path.stem for path in EXAMPLES.glob("briefing*.py")]
FITS = ("stages", "chain", "returns", "age", "ethnicity", "need", "category")

#: Rows of each finding. Four stages: 10 tenths; 1 gradient, 4 ratios of pairs of stages, 5 steps to
#: a plan, 4 products of these, 5 shares; 2 scales; 3 places in 2 contrasts; 1 ratio, 3 gradients, 2
#: limits. Groups: 4 ages, 5 ethnicities, 5 needs, 5 categories, and ratios to the first of each.
#: Returns: 3, and 1 duration; 2 in F4's rows.
ROWS = {
    "F1": 4 * 10,
    "F2": 4 + 4 + 5 + 4 + 5,
    "F3": 4 * 2,
    "F4": 4 * 6,
    "F5": 4 * 6,
    "F6": (4 + 5 + 5 + 5) + (3 + 4 + 4 + 4),
    "F7": 3 + 1,
    "F8": 2 * 6,
}


@dataclass(frozen=True, eq=False)
class Run:
    """A finished run of the briefing."""

    status: int
    printed: str
    out: Path

    def table(self, name: str) -> pd.DataFrame:
        """Read a table that was written."""
        return pd.read_csv(self.out / f"{name}.csv")

    @property
    def page(self) -> str:
        """The page that was written."""
        return (self.out / "briefing.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run the briefing on 12 authorities, with too few draws to be reported."""
    out = tmp_path_factory.mktemp("briefing") / "out"
    small = ["--authorities", "12", "--areas", "600", "--draws", "60", "--method", "laplace"]
    small.append("--no-joint")  # compiling is dear: correlations are tested without a sampler below
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "briefing.py"), *small, "--out", str(out)],
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
    """Import the script, which finds its neighbours as it does when it is run."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    import briefing

    yield briefing
    for name in SCRIPTS:
        sys.modules.pop(name, None)


@pytest.mark.mcmc
def test_files_are_written(run: Run) -> None:
    """A page; a table and figures for each finding; the authorities' gradients; every fit."""
    tables = {f"{name}.csv" for name in (*ROWS, "authority_gradients")}
    figures = {f"{name}.png" for name in ROWS} | {"F2_2.png"}
    assert {path.name for path in run.out.iterdir()} == (
        tables | figures | {f"{name}.nc" for name in FITS} | {"briefing.html"}
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
    # Twelve authorities drive all stages, so that misses come together.
    assert table["truth"].between(table["lower_95"], table["upper_95"]).mean() > 0.5


@pytest.mark.mcmc
def test_every_row_is_printed_within_a_hundred_columns(run: Run) -> None:
    """What is written is what was printed: labels, estimates and truths, in a readable width."""
    lines = run.printed.splitlines()
    assert max(map(len, lines)) <= 100
    for name in ROWS:
        decimals = 1 if name == "F1" else 2
        for row in run.table(name).itertuples():
            numbers = (row.estimate, row.lower_95, row.upper_95, row.truth)
            words = [f"{number:.{decimals}f}" for number in numbers]
            assert any(
                row.quantity in line and all(word in line for word in words) for line in lines
            ), row


@pytest.mark.mcmc
def test_the_page_stands_alone(run: Run) -> None:
    """Styles and pictures are within the page; nothing is fetched; every link leads somewhere."""
    assert len(re.findall(r'src="data:image/png;base64,', run.page)) == len(ROWS) + 1
    assert not re.search(r'(src|href)="(https?:)?//', run.page)
    for link in re.findall(r'href="([^"]+)"', run.page):
        assert f'id="{link[1:]}"' in run.page if link[0] == "#" else (run.out / link).exists()
    assert run.page.count("<img ") == run.page.count(' alt="')


@pytest.mark.mcmc
def test_the_page_has_every_number(run: Run) -> None:
    """Each finding has its section, and each row of its table a row there."""
    for name in ROWS:
        section = run.page.split(f'<section id="{name}">')[1].split("</section>")[0]
        for row in run.table(name).itertuples():
            decimals = 1 if name == "F1" else 2
            assert f"<td>{row.quantity}</td><td>{row.estimate:.{decimals}f}</td>" in section


@pytest.mark.mcmc
def test_estimates_are_those_of_the_saved_fits(run: Run) -> None:
    """A colleague with the file alone gets the numbers of the table."""
    table = run.table("F2")
    summary = sg.summarise(sg.gradient(sg.load(run.out / "stages.nc")), prob=0.95)
    assert len(summary) == 4
    np.testing.assert_allclose(table["estimate"][:4], summary["estimate"])
    np.testing.assert_allclose(table["upper_95"][:4], summary["upper"])


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
    """Each step is announced; 240 draws cannot have an effective size of 400, and it says so."""
    for words in (
        "Simulating 600 neighbourhoods in 12 authorities",
        "Fitting the stages: Referrals, Child in need plans",
        "Fitting by category of abuse",
        "Drawing",
    ):
        assert words in run.printed
    assert "NOT DONE: the sampler did not converge in every fit" in run.printed
    assert "did not converge in every fit: do not use these numbers" in run.page
    assert run.status == 1


def test_converged_fits_end_well(
    briefing: ModuleType, split_fit: xr.DataTree, capsys: pytest.CaptureFixture[str]
) -> None:
    """With enough independent draws in every fit the check passes; one bad fit spoils it."""
    rng = np.random.default_rng(1)
    draws = xr.Dataset(
        {name: (("chain", "draw"), rng.standard_normal((4, 1000))) for name in ("intercept",)}
    )
    constants = split_fit["constant_data"].to_dataset()
    good = xr.DataTree.from_dict({"posterior": draws, "constant_data": constants})
    answers = {
        name: briefing.Answer(fit, {}, {}) for name, fit in (("stages", good), ("age", split_fit))
    }
    assert briefing.check({"stages": answers["stages"]})[1]
    statements, converged = briefing.check(answers)
    assert not converged
    assert "The stages: The sampler converged" in capsys.readouterr().out
    assert statements[1].startswith("By age: The sampler did not converge")


def test_a_posterior_at_the_truth_gives_the_truth(briefing: ModuleType) -> None:
    """Truth and estimate are of one quantity: where draws are the truth, all columns agree."""
    # Without groups every rate is log-linear, and every truth exact.
    flow = sg.stages.simulate_flow(groups=False, authorities=12, areas=600, random_seed=1)
    answers = {
        name: briefing.Answer(
            certain_fit(flow, strata, outcomes, joint=name == "stages"), names, outcomes
        )
        for name, (strata, names, outcomes) in briefing.questions(flow).items()
    }
    with pytest.warns(sg.errors.SupportWarning):  # twelve authorities leave gaps
        found = briefing.findings(answers, flow)
    # Fitted together, the four stages have six correlations more.
    assert {one.name: len(one.table) for one in found} == ROWS | {"F2": ROWS["F2"] + 6}
    assert "steep at referrals are steep at child protection plans too" in found[1].found
    for table in [*(one.table for one in found), briefing.own_gradients(answers["stages"], flow)]:
        np.testing.assert_allclose(table["estimate"], table["truth"], rtol=1e-7)


def certain_fit(flow, strata: sg.Strata, outcomes: dict, *, joint: bool) -> xr.DataTree:
    """Make a fit whose every draw is the truth of each stratum, and of their correlations."""
    from socgrad.manifest import assemble
    from socgrad.strata_tree import join_strata

    model = sg.StratifiedModel(strata, authority_effects="joint" if joint else "independent")
    trees, slopes = {}, []
    for label, outcome in outcomes.items():
        by = [] if outcome.by is None else [outcome.by]
        truth = flow.truth_of(outcome.events, exposure=outcome.exposure, by=by)
        own = flow.effects_of(outcome.events, exposure=outcome.exposure, by=by)
        if by:
            own = own[own[outcome.by] == outcome.group]
        line = truth.loc[outcome.group if by else outcome.events]
        draws = {
            name: (("chain", "draw"), np.full((2, 10), line[name]))
            for name in ("intercept", "within", "between", "cross_level")
        }
        own = own.set_index("authority").loc[strata.first.authority]
        slopes.append(own["slope_effect"])
        for name in ("level_effect", "slope_effect"):
            draws[name] = (("chain", "draw", "authority"), np.tile(own[name], (2, 10, 1)))
        posterior = xr.Dataset(draws, coords={"authority": strata.first.authority.to_numpy()})
        trees[label] = assemble(
            model.models[label], posterior, xr.Dataset(), sampler={}, packages=(), random_seed=1
        )
    alike = np.tile(np.corrcoef(slopes), (2, 10, 1, 1))
    dims = ("chain", "draw", "stratum", "stratum_bis")
    shared = xr.Dataset(
        {f"{kind}_correlation": (dims, alike) for kind in ("level", "slope")},
        coords={dim: list(outcomes) for dim in dims[2:]},
    )
    return join_strata(model, trees, random_seed=1, shared=shared if joint else None)


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        ((1.57, 1.62, 1.68), "62% more (57% to 68%)"),
        ((0.80, 0.84, 0.88), "16% fewer (12% to 20%)"),
        ((0.95, 1.02, 1.10), "2% more (-5% to +10%)"),
        ((0.90, 0.98, 1.07), "2% fewer (-10% to +7%)"),
    ],
)
@pytest.mark.usefixtures("briefing")
def test_a_change_is_said_in_its_direction(ratio: tuple[float, ...], words: str) -> None:
    """Ratios below 1 are fewer, and an interval on both sides of 1 keeps its signs."""
    from briefing_tables import change

    row = pd.Series(dict(zip(("lower_95", "estimate", "upper_95"), ratio, strict=True)))
    assert change(row, "more", "fewer") == words
