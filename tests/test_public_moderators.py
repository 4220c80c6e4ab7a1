from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

import socgrad as sg
from tables import simulated

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture(scope="module")
def example():
    """Import the script as running it does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(EXAMPLES)
        yield {name: import_module(f"public_{name}") for name in ("moderators", "england")}


def england_of(public: ModuleType) -> tuple[object, pd.DataFrame]:
    """Simulated totals under the names of the public tables, and covariates of authorities."""
    frame = simulated(authorities=100, areas=1000).frame
    names = {"area": "lsoa11cd", "deprivation": public.DEPRIVATION}
    labels = sorted(frame["authority"].unique())
    totals = frame.groupby("authority")["events"].sum().astype(float)
    england = public.England(
        areas=frame.rename(columns=names),
        totals=pd.DataFrame({"cpp_start": totals, "la_name": labels}),
        match=None,
        checked=0,
        differing=0,
    )
    rng = np.random.default_rng(5)
    london = np.arange(100) % 4 == 0
    covariates = pd.DataFrame(
        {
            "pay": np.where(np.arange(100) == 7, np.nan, rng.lognormal(0.2, 0.1, 100)),
            "region": np.where(london, "Inner London", rng.choice(["North", "South"], 100)),
            "london": np.where(london, "London", "elsewhere"),
        },
        index=labels,
    )
    return england, covariates


def test_every_ratio_stands_beside_what_was_learnt_of_it(example, capsys, monkeypatch):
    """In draws of the prior, which have seen nothing, that is nothing."""

    def unseeing(model, *, method, random_seed):
        assert method == "auto"
        return sg.prior_checks.draw_prior(model, draws=4000, random_seed=random_seed)

    monkeypatch.setattr(example["moderators"].sg, "fit", unseeing, raising=False)
    england, covariates = england_of(example["england"])
    tables = example["moderators"].run(england, covariates, seed=1)
    assert "99 authorities; 1 without the ratio of pay left out." in capsys.readouterr().out
    assert list(tables) == ["deprivation alone", "levels", "levels and gradients"]
    full = tables["levels and gradients"]
    assert full.index.tolist()[-2:] == ["gradient: scale(log(pay))", "gradient: london[elsewhere]"]
    assert full["learned"].drop("contextual ratio at the national mean").abs().max() < 0.15
    assert (full["lower"] < full["upper"]).all()


def test_covariates_are_read_by_year(example, tmp_path):
    """One row per authority of the year, London told apart."""
    (tmp_path / "dfe_cin").mkdir()
    pd.DataFrame(
        {
            "new_la_code": ["E1", "E1", "E2"],
            "time_period": [2018, 2019, 2019],
            "mm_ginc_ratio": [1.1, 1.2, np.nan],
            "region_name": ["North East", "North East", "Inner London"],
        }
    ).to_csv(tmp_path / "dfe_cin" / "ipse_merged_la_year_2010_2022.csv.gz", index=False)
    made = example["moderators"].authority_covariates(tmp_path)
    assert made["pay"].iloc[0] == 1.2
    assert made["london"].tolist() == ["elsewhere", "London"]
