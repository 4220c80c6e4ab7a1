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

EXAMPLES = Path(__file__).parents[1] / "examples"
SCRIPTS = [path.stem for path in EXAMPLES.glob("briefing*.py")]

#: Rows that have a truth, by study and question. Four stages: 10 tenths; 1 gradient; 3 ratios to
#: the first; 2 scales; 3 places; 3 authorities and 1 ratio. By splines two stages: 10 tenths, 2
#: halves, 3 places. A chain of five: 3 each. Returns: 3. Groups: 4, 5, 5, 5, and ratios to the
#: first of each.
ROWS = {
    "Stages of intervention": 4 * (10 + 1 + 2 + 3 + 4) + 3,
    "Stages of intervention, with gradients that may bend": 2 * (10 + 3 + 3),
    "Each stage on the one before": 5 * 3,
    "Ends and returns": 3 * (1 + 3),
    "By age": 4 + 3,
    "By ethnicity": 5 + 4,
    "By assessed need": 5 + 4,
    "By category of abuse": 5 + 4,
}


@dataclass(frozen=True, eq=False)
class Run:
    """A finished run of the briefing."""

    status: int
    printed: str
    out: Path

    @property
    def findings(self) -> pd.DataFrame:
        """Every number beside its truth."""
        return pd.read_csv(self.out / "findings.csv", keep_default_na=False)

    @property
    def page(self) -> str:
        """The page that was written."""
        return (self.out / "briefing.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run the briefing on 12 authorities, with too few draws to be reported."""
    out = tmp_path_factory.mktemp("briefing") / "out"
    small = ["--authorities", "12", "--areas", "600", "--draws", "60", "--method", "laplace"]
    small += ["--no-joint", "--no-figures"]  # compiling and drawing are dear, and tested elsewhere
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "briefing.py"), *small, "--out", str(out)],
        capture_output=True,
        text=True,
        check=False,
        cwd=out.parent,
        timeout=600,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Run(done.returncode, done.stdout, out)


@pytest.fixture
def briefing(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """Import the script, which finds its neighbour as it does when it is run."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    import briefing

    yield briefing
    for name in SCRIPTS:
        sys.modules.pop(name, None)


@pytest.mark.mcmc
def test_files_are_written(run: Run) -> None:
    """A page, its numbers, and every fit."""
    names = {"briefing.html", "findings.csv"} | {f"study_{n}.nc" for n in range(1, 9)}
    assert {path.name for path in run.out.iterdir()} == names


@pytest.mark.mcmc
def test_findings_have_ordered_intervals_and_the_truth(run: Run) -> None:
    """Each row has an estimate within its interval, and a truth; most truths lie there too."""
    table = run.findings
    assert table.groupby("study").size().to_dict() == ROWS
    assert not table.duplicated(["study", "question", "of", "quantity"]).any()
    assert (table["lower"] < table["estimate"]).all()
    assert (table["estimate"] < table["upper"]).all()
    assert (table["truth"] > 0).all()
    # Twelve authorities drive all stages, so that misses come together; lines miss a bend.
    bent = table[table["study"].str.endswith("may bend")]
    assert bent["truth"].between(bent["lower"], bent["upper"]).mean() > 0.7
    assert table["truth"].between(table["lower"], table["upper"]).mean() > 0.5


@pytest.mark.mcmc
def test_estimates_are_those_of_the_saved_fits(run: Run) -> None:
    """A colleague with the file alone gets the numbers of the table."""
    table = run.findings
    own = table[(table["study"] == "Stages of intervention") & (table["question"] == "gradient")]
    summary = sg.summarise(sg.gradient(sg.load(run.out / "study_1.nc")), prob=0.95)
    np.testing.assert_allclose(own["estimate"], summary["estimate"])
    np.testing.assert_allclose(own["upper"], summary["upper"])


@pytest.mark.mcmc
def test_the_page_says_what_it_is_of_and_what_to_make_of_it(run: Run) -> None:
    """It is no data about England; line and spline stand side by side; too few draws are named."""
    assert "These are not data about England" in run.page
    section = run.page.split("<h2>Straight line or spline?</h2>")[1].split("</section>")[0]
    assert section.count("<tr><td>") == 2 * (2 + 3)
    assert "do not use these numbers" in run.page
    assert "NOT DONE: the sampler did not converge in every fit" in run.printed
    assert "Fitting tables of counts" in run.printed
    assert max(map(len, run.printed.splitlines())) <= 100
    assert run.status == 1


def test_a_posterior_at_the_truth_gives_the_truth(briefing: ModuleType) -> None:
    """Truth and estimate are of one quantity: where draws are the truth, both columns agree."""
    # Without groups every rate is log-linear, and every truth exact.
    flow = sg.stages.simulate_flow(groups=False, authorities=12, areas=600, random_seed=1)
    made = dict(briefing.studies(flow, together=True))
    del made[briefing.SPLINES]
    fits = {
        heading: certain_fit(flow, study.strata, study.outcomes, joint=study.together)
        for heading, study in made.items()
    }
    for study in made.values():
        if "fit" in study.questions:
            study.questions.remove("fit")
    found = []

    def sections(tables: dict[str, pd.DataFrame]) -> list[sg.pages.Section]:
        found.append(briefing.beside_truth(tables, made, flow))
        return [briefing.all_beside_truth(found[0])]

    page = briefing.page_of(fits, made, flow, sections, figures=False)
    # Fitted together, the four stages have six correlations more of levels, and six of gradients.
    rows = ROWS | {briefing.LINES: ROWS[briefing.LINES] + 12}
    assert found[0].groupby("study").size().to_dict() == {name: rows[name] for name in made}
    np.testing.assert_allclose(found[0]["estimate"], found[0]["truth"], rtol=1e-7)
    assert "correlation" in page.found["Stages of intervention: alike"][0]


@pytest.mark.usefixtures("briefing")
def test_truths_of_bent_rates_are_those_of_the_areas() -> None:
    """Both halves of a bent gradient make up the way from the 10th to the 90th percentile."""
    import briefing_truth as true

    flow = sg.stages.simulate_flow(bend=1.0, authorities=12, areas=600, random_seed=1)
    # In an authority log rates are its line and the bend, whatever its effects.
    parts = flow.expected.parts
    own = parts.authority_of_area == 3
    rate = flow.expected.column("referral", effects=False) / parts.children
    line = flow.expected.stages["referral"].truth
    slope = line.within + line.cross_level * parts.between_part[3]
    bend = np.log(rate[own]) - slope * parts.within_part[own]
    np.testing.assert_allclose(np.ptp(bend - np.log(flow.expected.relief[own])), 0, atol=1e-12)

    outcome = true.Outcome("referral")
    lower, upper, ratio = true.truth_of(flow, "shape", {"referral": outcome}, bends=True)
    assert lower > true.gradient_at(flow, outcome, flow.national_mean) > upper
    assert ratio == pytest.approx(lower / upper)
    straight = sg.stages.simulate_flow(bend=0.0, authorities=12, areas=600, random_seed=1)
    of_a_line = true.gradient_at(straight, outcome, straight.national_mean)
    np.testing.assert_allclose(
        true.truth_of(straight, "shape", {"referral": outcome}, bends=True),
        [of_a_line, of_a_line, 1.0],
    )
    for bends in (False, True):
        at = true.truth_of(straight, "contextual", {"referral": outcome}, bends=bends)
        np.testing.assert_allclose(
            at, true.truth_of(straight, "contextual", {"referral": outcome}, bends=not bends)
        )


def certain_fit(flow, strata: sg.Strata, outcomes: dict, *, joint: bool) -> xr.DataTree:
    """Make a fit whose every draw is the truth of each stratum, and of their correlations."""
    from socgrad.manifest import assemble
    from socgrad.strata_tree import join_strata

    model = sg.StratifiedModel(strata, authority_effects="joint" if joint else "independent")
    trees, effects = {}, {"level": [], "slope": []}
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
        for kind, values in effects.items():
            values.append(own[f"{kind}_effect"])
        for name in ("level_effect", "slope_effect"):
            draws[name] = (("chain", "draw", "authority"), np.tile(own[name], (2, 10, 1)))
        posterior = xr.Dataset(draws, coords={"authority": strata.first.authority.to_numpy()})
        trees[label] = assemble(
            model.models[label], posterior, xr.Dataset(), sampler={}, packages=(), random_seed=1
        )
    dims = ("chain", "draw", "stratum", "stratum_bis")
    shared = xr.Dataset(
        {
            f"{kind}_correlation": (dims, np.tile(np.corrcoef(values), (2, 10, 1, 1)))
            for kind, values in effects.items()
        },
        coords={dim: list(outcomes) for dim in dims[2:]},
    )
    return join_strata(model, trees, random_seed=1, shared=shared if joint else None)
