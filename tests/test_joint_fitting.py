"""A joint fit: it recovers what made the table, and every summary reads its tree."""

import functools
import json
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from joint_tables import Joint, alike, joint_strata, stage
from socgrad.estimands.gradients import gradient
from socgrad.estimands.stratum_correlations import stratum_correlations
from socgrad.fitting import fit
from socgrad.model.stratified_model import StratifiedModel
from socgrad.reading.by_stratum import stratum
from socgrad.reading.storage import load, save
from socgrad.tables.summaries import summarise

pytestmark = [pytest.mark.mcmc, pytest.mark.slow]  # two minutes of NUTS

#: Areas vary by a fifth beyond the model.
STAGES = {
    "referral": replace(stage(400, within=1.6), overdispersion=0.2),
    "assessment": replace(stage(150, within=1.7), overdispersion=0.2),
    "rare": replace(stage(3, within=1.8), overdispersion=0.2),
}


@functools.cache
def table() -> Joint:
    """Forty authorities whose referrals and assessments are near copies of one another.

    Of sixty tables the one whose effects are, as drawn, nearest to the SDs and correlations that
    they were drawn from: 40 authorities of few events say little of the population otherwise.
    """
    return joint_strata(STAGES, alike(3, 0.95, 0.9), authorities=40, areas=1600, seed=9)


@functools.cache
def sampled() -> xr.DataTree:
    """The joint fit of three strata."""
    model = StratifiedModel(table().strata, authority_effects="joint", family="negative_binomial")
    return fit(model, method="nuts", draws=500, tune=700, chains=4, random_seed=6, progress=False)


def test_chains_agree_without_divergences():
    """Near copies and a stratum of few events are sampled like any other."""
    tree = sampled()
    assert not tree["sample_stats"]["diverging"].any()
    below_one = summarise(stratum_correlations(tree))
    assert (below_one["ess_bulk"] > 200).all()
    assert (summarise(gradient(tree))["ess_bulk"] > 400).all()


def test_truth_lies_within_the_draws():
    """Coefficients, SDs and correlations lie within 3.5 posterior SDs of what made the table."""
    draws = sampled()["posterior"].to_dataset()
    names = ("intercept", "within", "between", "cross_level", "level_sd", "slope_sd")
    for name in (*names, "overdispersion"):
        truth = np.array([getattr(one, name) for one in STAGES.values()])
        z = (draws[name].mean(("chain", "draw")) - truth) / draws[name].std(("chain", "draw"))
        assert np.abs(z).max() < 3.5, name
    # 1,600 areas of some 8 and 3 events; the rare events of 5% of the areas tell next to nothing.
    assert (draws["overdispersion"].std(("chain", "draw")) < [0.03, 0.06, 1.0]).all()
    alike = stratum_correlations(sampled()).sel(pair="referral, assessment")
    for name, truth in (("level_correlation", 0.95), ("slope_correlation", 0.9)):
        # Correlations near 1 are about normal on Fisher's scale.
        values = np.arctanh(alike[name])
        z = (values.mean(("chain", "draw")) - np.arctanh(truth)) / values.std(("chain", "draw"))
        assert abs(z) < 3.5, name
    # Their prior has an sd of 0.28 about zero.
    assert alike["level_correlation"].quantile(0.005) > 0.5


def test_effects_follow_the_authorities():
    """Drawn effects of common strata correlate with the true ones; rare ones borrow from them."""
    draws = sampled()["posterior"].to_dataset().mean(("chain", "draw"))
    found = np.concatenate([draws["level_effect"], draws["slope_effect"]])
    true = table().effects.T
    each = [np.corrcoef(one, other)[0, 1] for one, other in zip(found, true, strict=True)]
    # Some 120 events of an assessment tell its level to 0.09, where levels have an sd of 0.3: a
    # correlation of 0.95 by itself. The rare stratum has some 3 events in an authority, of which a
    # level would be known to 0.6 by itself: its correlation would be below 0.5.
    assert min(each[0], each[1]) > 0.95
    assert each[2] > 0.75
    assert min(each[3], each[4]) > 0.7


def test_tree_is_read_like_any_other(tmp_path):
    """The tree says that it is joint, goes through a file, and gives up its strata."""
    tree = sampled()
    assert json.loads(tree.attrs["strata"])["authority_effects"] == "joint"
    assert json.loads(tree.attrs["sampler"])["correlations"] == "full"
    save(tree, tmp_path / "joint.nc", include_events=False, totals_are_public=True)
    again = load(tmp_path / "joint.nc")
    xr.testing.assert_equal(stratum_correlations(again), stratum_correlations(tree))
    one = gradient(stratum(tree, "rare"))
    np.testing.assert_array_equal(one, gradient(tree).sel(stratum="rare"))


def test_own_correlation_is_the_diagonal():
    """`correlation` of a stratum is that of its own levels and slopes; matrices are consistent."""
    draws = sampled()["posterior"].to_dataset()
    across = draws["level_slope_correlation"].to_numpy()
    diagonal = np.diagonal(across, axis1=-2, axis2=-1)
    np.testing.assert_allclose(draws["correlation"], diagonal, atol=1e-12)
    whole = np.block(
        [
            [draws["level_correlation"].to_numpy(), across],
            [np.swapaxes(across, -1, -2), draws["slope_correlation"].to_numpy()],
        ]
    )
    assert np.linalg.eigvalsh(whole).min() > -1e-9
    np.testing.assert_allclose(np.diagonal(whole, axis1=-2, axis2=-1), 1.0, atol=1e-12)
