"""The gallery's scripts run, as the site runs them."""

import runpy
from pathlib import Path

import pytest

SCRIPTS = sorted((Path(__file__).parents[1] / "examples" / "gallery").glob("plot_*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_script_runs_and_draws(script, monkeypatch):
    """A script runs without a warning and leaves at least one figure."""
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("agg")
    pyplot.close("all")
    monkeypatch.setattr(pyplot, "show", lambda: None)  # agg warns where there is a display
    runpy.run_path(str(script), run_name="__main__")
    drawn = [number for number in pyplot.get_fignums() if pyplot.figure(number).get_axes()]
    pyplot.close("all")
    assert drawn
