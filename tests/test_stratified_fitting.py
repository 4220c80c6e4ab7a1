"""Fits of several strata: one after another, in one tree."""

import json
import warnings

import numpy as np
import pytest
import xarray as xr

from fits import INFORMED
from socgrad import fitting
from socgrad.errors import ConvergenceWarning, SchemaError, SpecificationError
from socgrad.estimands.gradients import gradient
from socgrad.fitting import fit
from socgrad.model.priors import Priors
from socgrad.model.stratified_model import StratifiedModel
from socgrad.reading.by_stratum import stratum, stratum_labels
from socgrad.reading.storage import load, save
from socgrad.schema import EFFECTS, PARAMETERS, check_tree
from socgrad.stratified_fitting import fit_strata
from socgrad.table.strata import Strata
from socgrad.tables.diagnostics import check_sampling
from socgrad.tables.summaries import summarise
from strata_tables import ROLES, chain_fit, stage_fit, stage_frame, stage_strata


def test_a_stratum_is_the_fit_of_its_own_model():
    """Taken out of the tree, a stratum is the fit of its areas alone with the same seed."""
    model = StratifiedModel(stage_strata())
    one = stratum(stage_fit(), "assessment")
    alone = fit(
        model.models["assessment"], method="laplace", random_seed=int(one.attrs["random_seed"])
    )
    for group in ("posterior", "constant_data", "sample_stats", "observed_data"):
        mine = one[group].to_dataset().drop_vars("stratum", errors="ignore")
        theirs = alone[group].to_dataset()
        for name in theirs.data_vars:
            np.testing.assert_array_equal(mine[name], theirs[name])
            assert mine[name].dims == theirs[name].dims
    assert set(alone.attrs) - set(one.attrs) == set()
    for name in set(alone.attrs) - {"created_at"}:
        np.testing.assert_array_equal(one.attrs[name], alone.attrs[name])


def test_the_tree_is_what_the_schema_says():
    """Draws have dim stratum; so have exposure and has_data, and nothing else of the places."""
    tree = stage_fit()
    check_tree(tree)
    assert tree.attrs["socgrad_schema"] == 2
    assert json.loads(tree.attrs["strata"]) == {
        "relation": "stages",
        "authority_effects": "independent",
    }
    names = set(tree["posterior"].data_vars)
    assert names == (
        set(PARAMETERS) - {"pooled", "curvature", "overdispersion", "locality_sd", "region_sd"}
    ) | set(EFFECTS)
    assert tree["posterior"]["within"].dims == ("chain", "draw", "stratum")
    assert tree["posterior"]["level_effect"].dims == ("chain", "draw", "stratum", "authority")
    with_stratum = {n for n, v in tree["constant_data"].data_vars.items() if "stratum" in v.dims}
    assert with_stratum == {"exposure", "has_data"}
    assert tree["sample_stats"]["importance_ess"].dims == ("stratum",)


def test_strata_are_drawn_independently():
    """Each stratum has a seed of its own, and its draws are hardly correlated with others'."""
    assert len(set(json.loads(stage_fit().attrs["stratum_seeds"]).values())) == 3
    level = stage_fit()["posterior"]["intercept"]
    r = np.corrcoef(level.to_numpy().reshape(-1, 3).T)
    assert np.abs(r[np.triu_indices(3, 1)]).max() < 0.1


def test_same_seed_same_draws():
    """The one seed fixes every stratum, and another seed changes them."""
    model = StratifiedModel(stage_strata())
    again, other = (
        fit(model, method="laplace", random_seed=seed, draws=1000, chains=4) for seed in (3, 5)
    )
    xr.testing.assert_identical(
        again["posterior"].to_dataset(), stage_fit()["posterior"].to_dataset()
    )
    assert not np.array_equal(again["posterior"]["within"], other["posterior"]["within"])


def test_chain_has_the_previous_stage_as_exposure():
    """The exposure of each stage along the chain is what the stage before counted."""
    data, counts = chain_fit()["constant_data"], chain_fit()["observed_data"]
    np.testing.assert_array_equal(
        data["exposure"].sel(stratum="plan"), counts["events"].sel(stratum="assessment").fillna(0)
    )
    idle = data["exposure"].sel(stratum="plan") == 0
    assert idle.sum() > 0
    np.testing.assert_array_equal(data["has_data"].sel(stratum="plan"), ~idle)


def test_files_keep_strata(tmp_path):
    """A saved fit of strata gives the same numbers, and each stratum its own attrs."""
    again = load(save(stage_fit(), tmp_path / "stages.nc"))
    assert stratum_labels(again) == ["referral", "assessment", "plan"]
    xr.testing.assert_identical(gradient(again), gradient(stage_fit()))
    for name in ("data_sha256", "random_seed", "importance_ess"):
        assert stratum(again, "plan").attrs[name] == stratum(stage_fit(), "plan").attrs[name]


def test_a_file_without_events_has_no_hash(tmp_path):
    """What is dropped for disclosure is dropped of every stratum."""
    again = load(
        save(stage_fit(), tmp_path / "public.nc", include_events=False, totals_are_public=True)
    )
    one = stratum(again, "plan")
    assert "data_sha256" not in one.attrs
    assert "random_seed" not in one.attrs
    assert "observed_data" not in again.children
    xr.testing.assert_identical(gradient(again), gradient(stage_fit()))
    with pytest.raises(SchemaError, match="may itself be a restricted count"):
        save(chain_fit(), tmp_path / "chain.nc", include_events=False)


def test_sampling_is_checked_by_stratum():
    """The verdict is over all strata, with one table."""
    check = check_sampling(stage_fit())
    assert check.converged
    assert check.table.index.get_level_values("stratum").unique().tolist() == [
        "referral",
        "assessment",
        "plan",
    ]


def test_summaries_have_each_stratum_s_effective_size():
    """`ess_bulk` is at most the importance effective size of the row's own stratum."""
    limit = stage_fit()["sample_stats"]["importance_ess"].to_numpy()
    assert len(set(limit)) == 3
    table = summarise(gradient(stage_fit()))
    assert (table["ess_bulk"].to_numpy() <= limit).all()


def test_recovers_the_order_of_the_stages():
    """The table was made with gradients that steepen by 0.10 and 0.15: so do the estimates."""
    within = stage_fit()["posterior"]["within"].mean(("chain", "draw"))
    assert np.all(np.diff(within) > 0.03)


def test_warnings_and_errors_name_the_stratum():
    """What one fit warns of is said once, by the stratum's name; an error keeps the name too."""
    model = StratifiedModel(stage_strata())

    def doubtful(_, single, seed):
        if single.areas is not model.strata["plan"]:
            return fit(single, method="laplace", draws=50, random_seed=seed)
        warnings.warn("these draws are bad", ConvergenceWarning, stacklevel=2)
        return fit(single, method="laplace", draws=50, random_seed=seed)

    with pytest.warns(ConvergenceWarning, match=r"In 1 of 3 strata: \[plan\] these draws") as w:
        fit_strata(model, doubtful, random_seed=1)
    assert w[0].filename == __file__

    def failing(*_):
        raise RuntimeError("no")

    with pytest.raises(RuntimeError) as caught:
        fit_strata(model, failing, random_seed=1)
    assert caught.value.__notes__ == ["This happened in stratum 'referral' (0 were fitted)."]


def test_strata_of_which_only_some_have_totals():
    """Counts of one stratum and totals of another live in one tree, and come apart again."""
    totals = stage_frame().groupby("authority")["plan"].sum()
    strata = stage_strata(stages={"referral": "referral", "plan": None}, totals={"plan": totals})
    model = StratifiedModel(strata, priors={"referral": Priors(), "plan": INFORMED})
    tree = fit(model, method="laplace", random_seed=2)
    assert set(stratum(tree, "referral")["observed_data"].data_vars) == {"events"}
    plan = stratum(tree, "plan")["observed_data"]
    assert set(plan.data_vars) == {"total_events"}
    np.testing.assert_array_equal(plan["total_events"], totals)
    assert plan["total_events"].dtype == np.int64


def test_strata_with_covariates_of_authorities():
    """Each stratum has coefficients of its own, and comes apart as a fit with covariates."""
    gini = stage_frame()["authority"].str[1:].astype(float) % 5
    frame = stage_frame().assign(gini=gini)
    strata = Strata.from_stages(frame, **ROLES, stages=["referral", "plan"], covariates=["gini"])
    model = StratifiedModel(strata, authority_covariates="gini", moderators="gini")
    tree = fit(model, method="laplace", random_seed=3)
    held = tree["posterior"]["moderator_coefficient"]
    assert held.dims == ("chain", "draw", "stratum", "moderator")
    one = stratum(tree, "plan")
    alone = fit(model.models["plan"], method="laplace", random_seed=int(one.attrs["random_seed"]))
    assert one.attrs["socgrad_schema"] == alone.attrs["socgrad_schema"]
    np.testing.assert_array_equal(gradient(one), gradient(alone))
    assert gradient(tree).sizes["stratum"] == 2


def test_options_are_checked_once():
    """An option of the engine that is wrong is refused before anything is fitted."""
    model = StratifiedModel(stage_strata())
    with pytest.raises(SpecificationError, match="tune: NUTS only"):
        fit(model, method="laplace", tune=5)


@pytest.mark.mcmc
def test_nuts_agrees_with_the_other_engine():
    """NUTS, compiled once, finds each stratum where the compile-free engine does."""
    tree = fit(
        StratifiedModel(stage_strata()),
        method="nuts",
        draws=500,
        tune=500,
        random_seed=6,
        progress=False,
    )
    assert "diverging" in tree["sample_stats"]
    assert tree["sample_stats"]["diverging"].dtype == bool
    for label in stratum_labels(tree):
        one, other = (gradient(stratum(t, label)) for t in (tree, stage_fit()))
        spread = float(other.std())
        assert abs(float(one.mean() - other.mean())) < 0.25 * spread


def test_finished_strata_are_kept(tmp_path, monkeypatch):
    """A fit that is stopped goes on where it ended, and gives what one that ran through gives."""
    model = StratifiedModel(stage_strata())
    options = {"method": "laplace", "draws": 50, "random_seed": 3}
    whole = fit(model, **options, into=tmp_path / "whole")
    fit_one, asked = fitting._fit_one, []

    def stopped(one, *rest):
        asked.append(one.areas)
        if len(asked) == 2:
            raise KeyboardInterrupt
        return fit_one(one, *rest)

    monkeypatch.setattr(fitting, "_fit_one", stopped)
    with pytest.raises(KeyboardInterrupt):
        fit(model, **options, into=tmp_path / "parts")
    assert (tmp_path / "parts" / "referral.nc").exists()
    resumed = fit(model, **options, into=tmp_path / "parts")
    assert [each is model.strata["referral"] for each in asked] == [True, False, False, False]
    for group in ("posterior", "constant_data", "observed_data", "sample_stats"):
        xr.testing.assert_identical(resumed[group].to_dataset(), whole[group].to_dataset())
    np.testing.assert_array_equal(
        gradient(whole), gradient(fit(model, method="laplace", draws=50, random_seed=3))
    )


def test_a_kept_stratum_warns_as_it_did(tmp_path, monkeypatch):
    """What was doubted when it was fitted is said again by the stratum's name."""
    model = StratifiedModel(stage_strata())
    fit_one = fitting._fit_one

    def doubtful(one, *rest):
        if one.areas is model.strata["plan"]:
            warnings.warn("these draws are bad", ConvergenceWarning, stacklevel=2)
            warnings.warn("and these few", ConvergenceWarning, stacklevel=2)
        return fit_one(one, *rest)

    monkeypatch.setattr(fitting, "_fit_one", doubtful)
    expected = r"In 1 of 3 strata: \[plan\] these draws are bad and these few"
    for _ in range(2):
        with pytest.warns(ConvergenceWarning, match=expected):
            fit(model, method="laplace", draws=400, into=tmp_path, random_seed=3)
        # All are kept, by the folder's own seed.
        monkeypatch.setattr(fitting, "_fit_one", lambda *_: pytest.fail("it is there"))


def test_only_strata_by_themselves_are_kept():
    """What is fitted at once has nothing to take up."""
    for model in (
        StratifiedModel(stage_strata(), authority_effects="joint"),
        StratifiedModel(stage_strata()).models["plan"],
    ):
        with pytest.raises(SpecificationError, match="into= keeps strata that are fitted one aft"):
            fit(model, into="fits")
