"""What is asked of the sampled fits: truths come back, other engines and programs agree.

All in one file, which one process runs: another would sample them again.
"""

import json

import numpy as np
import pandas as pd
import pytest

from fits import IN_GRAPHS, KINDS, WRITTEN_OUT, sampled
from level_reference import GOLDEN, REFERENCE, apart, ratios
from socgrad.fitting import fit
from socgrad.manifest import data_hash
from socgrad.model.gradient_model import GradientModel
from socgrad.schema import EFFECTS, PARAMETERS, SCHEMA_VERSION, check_tree
from socgrad.tables.diagnostics import check_sampling
from tables import simulated, simulated_areas

pytestmark = pytest.mark.mcmc


@pytest.mark.parametrize("kind", KINDS)
def test_parameters_lie_in_their_99_percent_intervals(kind):
    """All parameters of the simulation lie inside their 99% intervals."""
    run = sampled(kind)
    truth = run.simulation.truth.loc["events"]
    posterior = run.tree["posterior"]
    names = [n for n in truth.index if n in posterior and n != "curvature"]
    assert {"intercept", "within", "between", "cross_level", "level_sd", "slope_sd"} <= set(names)
    assert ("overdispersion" in names) == kind.startswith("negative")
    missed = {
        name: (truth[name], *bounds)
        for name in names
        if not (
            (bounds := np.quantile(posterior[name], [0.005, 0.995]))[0] <= truth[name] <= bounds[1]
        )
    }
    assert missed == {}


@pytest.mark.parametrize("kind", ["poisson counts", "negative_binomial counts"])
def test_authority_effects_are_covered(kind):
    """About 95% of the authorities' own levels and slopes lie in their 95% intervals."""
    run = sampled(kind)
    effects = run.simulation.effects.set_index("authority")
    for name in ("level_effect", "slope_effect"):
        draws = run.tree["posterior"][name]
        low, high = np.quantile(draws, [0.025, 0.975], axis=(0, 1))
        truth = effects.loc[draws["authority"].to_numpy(), name].to_numpy()
        # 40 authorities: 33 or fewer inside has probability 0.4% when 95% are expected.
        assert ((low <= truth) & (truth <= high)).sum() >= 34


@pytest.mark.parametrize("kind", KINDS)
def test_the_sampler_converged(kind):
    """R-hat, effective sizes, divergences or k-hat of every shared fit are good."""
    report = check_sampling(sampled(kind).tree)
    assert report.converged, report


def test_shuffled_deprivation_has_no_gradient():
    """Negative control: without a relation the gradient's interval covers 1."""
    frame = simulated(authorities=40, areas=1600, seed=11, overdispersion=0.0).frame.copy()
    frame["deprivation"] = (
        frame.groupby("authority")["deprivation"]
        .transform(lambda x: np.random.default_rng(len(x)).permutation(x))
        .to_numpy()
    )
    tree = fit(GradientModel(simulated_areas(frame)), method="nuts", random_seed=6, progress=False)
    low, high = np.quantile(tree["posterior"]["within"], [0.005, 0.995])
    assert low < 0 < high


@pytest.mark.parametrize(
    "kind",
    [*WRITTEN_OUT, *(pytest.param(kind, marks=pytest.mark.slow) for kind in IN_GRAPHS)],
)
def test_posterior_is_that_of_nuts(kind):
    """Means and sds agree within Monte Carlo error for every parameter and effect."""
    import arviz as az

    run = sampled(kind, "nuts")
    tree = fit(run.model, method="laplace", draws=2500, random_seed=7)
    ours, theirs = tree["posterior"], run.tree["posterior"]
    size = tree.attrs["importance_ess"]
    ess = az.ess(run.tree["posterior"].to_dataset())
    for name in theirs.data_vars:
        one, two = ours[name], theirs[name]
        sd = two.std(("chain", "draw"))
        error = sd * np.sqrt(1.0 / ess[name] + 1.0 / size)
        z = (one.mean(("chain", "draw")) - two.mean(("chain", "draw"))) / error
        assert float(np.abs(z).max()) < 4.5, name
        # An sd has the effective size of the squares, with NUTS a quarter of that of the mean. Its
        # relative error is 1 / sqrt(2 ess) for a normal; a skewed one has up to 1 / sqrt(ess).
        squares = az.ess(((two - two.mean(("chain", "draw"))) ** 2).to_dataset(name="square"))
        ratio = one.std(("chain", "draw")) / sd
        limit = 4.5 * np.sqrt(1.0 / squares["square"] + 1.0 / size)
        assert float((np.abs(ratio - 1) / limit).max()) < 1, name


def test_regions_are_those_of_a_random_intercept():
    """Coefficients and effects of regions agree; nine regions' spread lies above its estimate."""
    run = sampled("regions counts")
    table = pd.read_csv(GOLDEN / "regions.csv.gz").sort_values(["authority", "area"])
    np.testing.assert_array_equal(table["events"], run.model.areas.events)
    draws, reference = run.tree["posterior"].to_dataset(), REFERENCE["regions"]
    differences = apart(draws, reference)
    assert max(map(abs, differences.values())) < 0.25, differences
    found = ratios(draws, reference, ("level_sd", "slope_sd"))
    assert max(abs(ratio - 1) for ratio in found.values()) < 0.10, found
    # The likelihood of a spread of nine effects is skewed: its median lies above its mode.
    assert 1.0 < ratios(draws, reference, ("region_sd",))["region_sd"] < 1.35
    effects = draws["region_effect"]
    means, spreads = effects.mean(("chain", "draw")), effects.std(("chain", "draw"))
    lme4 = np.array([reference["region_effect"][name] for name in effects["region"].to_numpy()])
    assert float(np.abs((means - lme4) / spreads).max()) < 0.4
    assert np.corrcoef(means, lme4)[0, 1] > 0.98


def test_the_tree_is_what_the_schema_says():
    """Groups, names and dimensions of a fit are those of the schema, in order of authorities."""
    run = sampled("negative_binomial counts")
    check_tree(run.tree)
    names = set(run.tree["posterior"].data_vars)
    assert names == (set(PARAMETERS) - {"pooled", "curvature", "locality_sd", "region_sd"}) | set(
        EFFECTS
    )
    assert run.tree["posterior"]["level_effect"].dims == ("chain", "draw", "authority")
    assert list(run.tree["posterior"]["authority"].to_numpy()) == list(run.model.areas.authority)
    np.testing.assert_array_equal(run.tree["observed_data"]["events"], run.model.areas.events)


def test_posterior_size_follows_authorities_not_areas():
    """No variable of the posterior has a dimension of areas."""
    posterior = sampled("poisson counts").tree["posterior"]
    assert set(posterior.sizes) == {"chain", "draw", "authority"}


def test_manifest_says_where_the_draws_come_from():
    """Versions, seed, sampler, model, hash and units are in the attrs, as strings or numbers."""
    run = sampled("poisson mixture")
    attrs = run.tree.attrs
    assert attrs["socgrad_schema"] == SCHEMA_VERSION
    assert attrs["random_seed"] == "5"
    assert json.loads(attrs["sampler"])["target_accept"] == 0.95
    assert json.loads(attrs["model"])["priors"]["within"]["mean"] == pytest.approx(np.log(1.65))
    assert {"python", "socgrad", "nutpie"} <= set(json.loads(attrs["versions"]))
    assert attrs["data_sha256"] == data_hash(run.model.areas)
    assert json.loads(attrs["reference"])["per"] == 0.1
    assert json.loads(attrs["rows"])[0]["rows"] == 1600
    assert attrs["quadrature_error"] < 1e-10
    low, high = attrs["slopes_drawn"]
    assert attrs["slope_range"][0] < low < high < attrs["slope_range"][1]
