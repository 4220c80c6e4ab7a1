"""England's public totals of ten years, as one model (real data: SOCGRAD_DATA)."""

import os
import sys
import warnings
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture
def years(monkeypatch):
    """Import the example and the modules beside it, as running the script does."""
    monkeypatch.syspath_prepend(EXAMPLES)
    yield import_module("public_years")
    for name in ("years", "priors", "tables"):
        sys.modules.pop(f"public_{name}", None)


@pytest.fixture
def data():
    """The folder of public data."""
    folder = os.environ.get("SOCGRAD_DATA")
    if not folder:
        pytest.skip("SOCGRAD_DATA does not name the folder of public data")
    return Path(folder)


def test_authorities_of_ten_years_are_one_set(years, data):
    """Splits and mergers are matched; children of each authority are the DfE's own of that year."""
    panel = years.panel_of(data, "cpp_start")
    assert panel.labels == tuple(range(2013, 2023))
    first = panel.first
    assert 145 <= len(first.authority) <= 150
    for areas in panel.values():
        assert (areas.authority == first.authority).all()
        assert 11e6 < areas.children.sum() < 12.5e6
    known = np.mean([areas.totals_known for areas in panel.values()])
    assert known > 0.97


@pytest.mark.mcmc
def test_the_contextual_ratio_hardly_changed(years, data, tmp_path):
    """Plan starts 2013 to 2015: below 1 in each year, and the change better known than years."""
    with warnings.catch_warnings():
        # Three years say little of an autocorrelation, and nothing is read off it here.
        warnings.filterwarnings("ignore", message="3 years say little")
        table = years.run(
            data, tmp_path, count="cpp_start", draws=250, seed=1, years=range(2013, 2016)
        )
    contextual = table.loc["inverse_intervention"]
    assert (contextual["upper"] < 1).all()
    assert (contextual["estimate"] > 0.6).all()
    change = table.loc["change_of_inverse_intervention"].iloc[0]
    assert change["lower"] < 1 < change["upper"]
    assert (tmp_path / "public_years_cpp_start.png").exists()
    apart = np.hypot(*np.log(contextual["upper"] / contextual["lower"]).iloc[[0, -1]])
    assert np.log(change["upper"] / change["lower"]) < 0.8 * apart
