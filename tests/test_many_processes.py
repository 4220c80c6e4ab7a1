"""Many fits in other processes: the same draws there, and nothing lost when one is killed."""

import multiprocessing
import os
import re
import subprocess
import sys
import textwrap
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import socgrad
from many_plans import QUICK, Converged, killed_once, model_of, plan_of, quick_fit
from socgrad.errors import SocgradWarning
from socgrad.many import fit_many, read_many
from socgrad.many.folder import FitFolder
from socgrad.many.threads import limited_threads
from socgrad.processors import limited_to, processors

KEYS = ("a", "b", "c")
HERE = Path(__file__).parent


def pool():
    """Two new processes: this one has threads, which a copy of it could not use."""
    return ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn"))


def run(folder, model=model_of, **options):
    """Fit three tables."""
    return fit_many(
        plan_of(*KEYS), model_of=model, into=folder, random_seed=1, options=QUICK, **options
    )


def draws(folder):
    """Draws of every fit, by name."""
    return {name: fit["posterior"]["within"].to_numpy() for name, fit in read_many(folder)}


@pytest.fixture(scope="module")
def in_turn(tmp_path_factory):
    """Draws of the plan, fitted one after another."""
    folder = tmp_path_factory.mktemp("in_turn")
    run(folder)
    return draws(folder)


def test_a_killed_worker_loses_what_was_under_way(tmp_path, in_turn):
    """Its rows say so; the next run fits them, and the draws are those of fits in turn."""
    model = partial(killed_once, marker=str(tmp_path / "marker"))
    with pool() as executor, pytest.warns(SocgradWarning, match="have no result"):
        table = run(tmp_path / "fits", model, executor=executor)
    assert table.loc["b", "state"] == "lost"
    assert "terminated abruptly" in table.loc["b", "error"]
    done = [file.stem for file in (tmp_path / "fits").glob("*.json")]
    again = run(tmp_path / "fits", model)
    assert (again.loc[done, "state"] == "kept").all()
    assert again.loc["b", "state"] == "fitted"
    found = draws(tmp_path / "fits")
    assert found.keys() == in_turn.keys()
    assert all(np.array_equal(found[key], in_turn[key]) for key in KEYS)


def test_a_killed_driver_is_taken_up(tmp_path, in_turn):
    """Kill -9 in the second fit: the first is kept, the others are fitted."""
    script = textwrap.dedent("""
        import sys
        from functools import partial
        from many_plans import QUICK, killed_once, plan_of
        from socgrad.many import fit_many
        model_of = partial(killed_once, marker=sys.argv[2])
        fit_many(plan_of("a", "b", "c"), model_of=model_of, into=sys.argv[1], random_seed=1,
                 options=QUICK)
    """)
    folder = tmp_path / "fits"
    path = os.pathsep.join([str(Path(socgrad.__file__).parents[1]), str(HERE)])
    killed = subprocess.run(
        [sys.executable, "-c", script, str(folder), str(tmp_path / "marker")],
        env={**os.environ, "PYTHONPATH": path},
        check=False,
    )
    assert killed.returncode == -9
    assert run(folder)["state"].tolist() == ["kept", "fitted", "fitted"]
    found = draws(folder)
    assert all(np.array_equal(found[key], in_turn[key]) for key in KEYS)


def test_two_drivers_share_a_folder(tmp_path, monkeypatch):
    """What another process is at comes last, and is waited for."""
    monkeypatch.setattr("socgrad.many.work.fit", lambda *_, **__: quick_fit())
    monkeypatch.setattr("socgrad.many.keeping.check_sampling", lambda _: Converged)
    folder = FitFolder(tmp_path, create=True)
    script = textwrap.dedent("""
        import sys
        from socgrad.many.folder import FitFolder
        with FitFolder(sys.argv[1], create=False).claimed("a", wait=True):
            print("held", flush=True)
            sys.stdin.readline()
    """)
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(Path(socgrad.__file__).parents[1])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout.readline() == "held\n"
        with folder.claimed("a", wait=False) as ours, folder.claimed("b", wait=False) as free:
            assert (ours, free) == (False, True)
        order = []

        def noted(number):
            order.append(number)
            if order.count(1) == 1 and number == 3:
                other.stdin.write("\n")
                other.stdin.flush()
            return model_of(number)

        assert run(tmp_path, noted)["state"].tolist() == ["fitted"] * 3
    assert order == [1, 2, 3, 1]


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
def test_dask_gives_the_same_draws(tmp_path, in_turn):
    """A cluster of two workers: the draws of fits in turn, then all are kept."""
    distributed = pytest.importorskip("distributed", reason="the extra 'distributed' is missing")
    with (
        distributed.LocalCluster(2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        client.run(sys.path.insert, 0, str(HERE))
        table = run(tmp_path, executor=client.get_executor())
        again = run(tmp_path, executor=client.get_executor())
    assert table["state"].tolist() == ["fitted"] * 3
    assert again["state"].tolist() == ["kept"] * 3
    found = draws(tmp_path)
    assert all(np.array_equal(found[key], in_turn[key]) for key in KEYS)


@pytest.fixture(scope="module")
def loky_pool():
    """Two processes of loky."""
    loky = pytest.importorskip("loky", reason="the extra 'many' is missing")
    pool = loky.ProcessPoolExecutor(2)
    yield pool
    pool.shutdown()


def test_loky_gives_the_same_draws(tmp_path, in_turn, loky_pool):
    """The draws of fits in turn, which then are all there."""
    assert run(tmp_path, executor=loky_pool)["state"].tolist() == ["fitted"] * 3
    assert run(tmp_path)["state"].tolist() == ["kept"] * 3
    found = draws(tmp_path)
    assert all(np.array_equal(found[key], in_turn[key]) for key in KEYS)


def test_the_page_on_many_fits_runs_as_printed(monkeypatch, loky_pool):
    """Its cells, of one outcome and year: each is fitted, kept, summarised and drawn."""
    import loky

    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("agg")
    asked = []
    monkeypatch.setattr(
        loky, "get_reusable_executor", lambda max_workers: asked.append(max_workers) or loky_pool
    )
    page = (HERE.parent / "docs" / "how-to" / "many-fits.md").read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```\{code-cell\} ipython3\n(.*?)```", page, re.DOTALL))
    for all_of_them, one in (
        ('["referral", "section_47", "child_protection_plan"]', '["referral"]'),
        ("range(2019, 2024)", "range(2019, 2020)"),
    ):
        assert code.count(all_of_them) == 1
        code = code.replace(all_of_them, one)
    held = {"__name__": "a page"}
    exec(compile(code, "page", "exec"), held)
    pyplot.close("all")
    assert asked == [2]
    assert held["table"]["state"].tolist() == ["fitted"] * 4
    assert held["again"]["state"].tolist() == ["kept"] * 4
    assert not held["table"]["doubted"].any()
    assert held["summary"][["estimate", "lower", "upper"]].notna().all(axis=None)
    drawn = [line for ax in held["figure"].axes for line in ax.containers]
    assert len(drawn) == 4


def test_threads_are_limited_and_given_back(monkeypatch):
    """Within, BLAS has one and a fit its share; afterwards all is as before."""
    threadpoolctl = pytest.importorskip("threadpoolctl")
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 2}, raising=False)
    before = {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS")}
    assert processors() == 3  # of those that are given, not of the machine's
    with limited_threads(2):
        assert processors() == 2
        assert {each["num_threads"] for each in threadpoolctl.threadpool_info()} == {1}
        assert os.environ["OMP_NUM_THREADS"] == "1"
        with limited_to(None):
            assert processors() == 2
    assert processors() == 3
    assert os.environ.get("OMP_NUM_THREADS") == before["OMP_NUM_THREADS"]
