"""Lines that say how far a fit is, and what becomes of one that is stopped."""

import os
import signal
import threading
import time

import pytest

from socgrad import progress
from socgrad.fitting import fit
from socgrad.model.gradient_model import GradientModel
from socgrad.model.stratified_model import StratifiedModel
from socgrad.progress import duration, stage
from strata_tables import stage_strata
from tables import small_areas


@pytest.fixture
def at_once(monkeypatch):
    """Lines come after hundredths of seconds instead of seconds."""
    monkeypatch.setattr(progress, "_FIRST", 0.02)
    monkeypatch.setattr(progress, "_EVERY", 0.02)


def lines_within(seconds, capsys):
    """What standard error holds after a wait."""
    time.sleep(seconds)
    return capsys.readouterr().err.splitlines()


@pytest.mark.usefixtures("at_once")
def test_a_line_says_where_one_is_outermost_first(capsys):
    """Stages within one another are one line, with the time since the outermost began."""
    with stage("strata"), stage(lambda: "stratum 2 of 3"):
        lines = lines_within(0.2, capsys)
    assert lines[0] == "socgrad, after 0 s: strata; stratum 2 of 3"
    assert len(lines) > 1
    assert lines_within(0.1, capsys) == []


@pytest.mark.usefixtures("at_once")
def test_a_stage_that_has_ended_is_not_named(capsys):
    """After an inner stage the line is the outer one's alone; after an error, too."""
    with stage("outer"):
        with pytest.raises(ZeroDivisionError), stage("inner"):
            raise ZeroDivisionError
        assert lines_within(0.2, capsys)[0] == "socgrad, after 0 s: outer"


@pytest.mark.usefixtures("at_once")
def test_a_line_says_that_a_first_fit_compiles(capsys):
    """Who waits for the first fit is told what for; before and after it nothing is said of it."""
    import numba

    with stage("outer"):
        assert "compiling" not in "".join(lines_within(0.1, capsys))
        numba.njit(lambda x: x + 1)(1)
        assert "outer; compiling, once on this machine" in capsys.readouterr().err
        with stage("compiling in a stage of its own"):  # as what PyMC compiles, which is not kept
            numba.njit(lambda x: x + 2)(1)
            assert "on this machine" not in capsys.readouterr().err
        assert "compiling" not in "".join(lines_within(0.1, capsys)[1:])


@pytest.mark.parametrize(("words", "lines"), [("a bar speaks", False), ("", True)])
@pytest.mark.usefixtures("at_once")
def test_no_lines_where_none_are_wanted(capsys, words, lines):
    """Nothing is written without lines, or where a stage has no words."""
    with stage("outer", lines=lines), stage(words):
        assert lines_within(0.2, capsys) == []


@pytest.mark.usefixtures("at_once")
def test_nothing_is_written_after_the_end(capsys):
    """A line whose words take long to find is not written once the stage has ended."""
    asked = threading.Event()

    def slow():
        asked.set()
        time.sleep(0.1)
        return "slow"

    with stage(slow):
        assert asked.wait(5)
    capsys.readouterr()
    time.sleep(0.2)
    assert capsys.readouterr().err == ""


def test_short_work_is_silent(capsys):
    """The first line comes after ten seconds."""
    assert progress._FIRST == 10
    with stage("short"):
        assert lines_within(0.05, capsys) == []


@pytest.mark.parametrize(
    ("seconds", "words"), [(9.6, "10 s"), (99, "99 s"), (150, "2 min"), (9000, "2.5 h")]
)
def test_times_are_said_as_people_say_them(seconds, words):
    """Seconds, minutes or hours."""
    assert duration(seconds) == words


@pytest.mark.usefixtures("at_once")
def test_strata_are_counted_and_not_named(capsys, monkeypatch):
    """A line of strata says which of how many it is; labels may be restricted."""
    monkeypatch.setattr("socgrad.fitting.sampled", lambda *_: time.sleep(0.1))
    strata = stage_strata()
    with pytest.raises(AttributeError):
        fit(StratifiedModel(strata), method="laplace", random_seed=1)
    err = capsys.readouterr().err
    assert f"strata one after another; stratum 1 of {len(strata)}" in err
    assert not any(str(label) in err for label in strata.labels)


@pytest.mark.mcmc
@pytest.mark.usefixtures("at_once")
def test_nuts_says_how_many_draws_it_has(capsys):
    """Lines count draws, and are not written where progress=False."""
    options = {"method": "nuts", "draws": 1500, "chains": 2, "random_seed": 1}
    fit(GradientModel(small_areas()), **options)
    assert " of 4,000 draws (" in capsys.readouterr().err
    fit(GradientModel(small_areas()), progress=False, **options)
    assert capsys.readouterr().err == ""


@pytest.mark.mcmc
def test_an_interrupted_fit_stops_and_returns_nothing():
    """Ctrl-C ends NUTS in under two seconds, by KeyboardInterrupt, not with the draws so far."""
    model = GradientModel(small_areas())
    fit(model, method="nuts", draws=10, tune=10, chains=1, random_seed=1)  # compiled by now
    pressed = []

    def press():
        pressed.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    # Shells start what runs in the background with Ctrl-C ignored: this would never end.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        threading.Timer(0.5, press).start()
        with pytest.raises(KeyboardInterrupt):
            fit(model, method="nuts", draws=10_000_000, random_seed=1, progress=False)
    finally:
        signal.signal(signal.SIGINT, before)
    assert time.monotonic() - pressed[0] < 2
