"""The script from England's public files to a page and a map, on the real files."""

import os
from functools import partial
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import socgrad as sg
from socgrad import places

EXAMPLES = Path(__file__).parents[1] / "examples"
DATA = os.environ.get("SOCGRAD_DATA")

pytestmark = pytest.mark.skipif(DATA is None, reason="SOCGRAD_DATA is unset")


@pytest.fixture(scope="module")
def england():
    """Import the script as running it does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(EXAMPLES)
        yield import_module("england")


@pytest.fixture(scope="module")
def read(england):
    """The strata and the match of authorities."""
    return england.read(Path(DATA))


def test_no_event_and_no_child_is_lost(england, read):
    """Every number of the Department's files is in the strata, but for what is named."""
    strata, match = read
    left_out = set(match.report.loc[match.report["unit"].isna(), "code"])
    assert left_out == set(england.LEFT_OUT)
    assert len(strata.first.area) == 32_837
    for stage, (stem, column, _) in england.STAGES.items():
        (path,) = (Path(DATA) / "dfe_cin/raw_ees_2022").glob(f"{stem}_*")
        table = places.read_education(path, year=2022)
        table = table[~table["authority"].isin(left_out)]
        totals = strata[stage].total_events
        assert np.nansum(totals) == table[column].sum()
        assert np.isnan(totals).sum() == table[column].isna().sum()
    # Northamptonshire is one in the lookup of 2019 and two in the totals of 2022.
    assert match.of_areas["E10000021"] == "E10000021"
    assert len(strata.first.authority) == 149


def test_the_page_and_the_map_are_written(england, tmp_path, monkeypatch, capsys):
    """Of a few draws of two stages that are independent, which take no sampler."""
    some = {name: england.STAGES[name] for name in ("Referrals", "Plan starts")}
    monkeypatch.setattr(england, "STAGES", some)
    strata, match = england.read(Path(DATA))
    fit_quickly = partial(sg.fit, method="laplace", draws=20, chains=2, random_seed=1)
    apart = partial(sg.StratifiedModel, authority_effects="independent")
    monkeypatch.setattr(sg, "fit", lambda model, **_: fit_quickly(model))
    monkeypatch.setattr(
        sg, "StratifiedModel", lambda strata, *, priors, **_: apart(strata, priors=priors)
    )
    fit = england.fitted(strata, draws=20)
    england.write(fit, match, data=Path(DATA), out=tmp_path)
    page = (tmp_path / "england.html").read_text(encoding="utf-8")
    (table,) = pd.read_html(tmp_path / "england.html")
    # Gradient and between of two stages, the contextual ratio at three deprivations of each.
    assert len(table.iloc[:10].dropna()) == 10
    assert "RECONSTRUCTED" in page
    assert (tmp_path / "england_map.png").stat().st_size > 20_000
    assert "Plan starts" in capsys.readouterr().out


@pytest.mark.slow
def test_england_is_fitted_and_converges(england, tmp_path, capsys):
    """Five stages jointly, with the ratios of `docs/how-to/public-files.md`."""
    england.main(["--data", DATA, "--out", str(tmp_path)])
    printed = capsys.readouterr().out
    assert "did not converge" not in printed
