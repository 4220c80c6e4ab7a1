"""Groups that ArviZ asks for, and ArviZ's main functions on a fit that has them."""

import numpy as np
import pytest
import xarray as xr
from scipy.stats import nbinom, poisson

import socgrad as sg
from socgrad.errors import EstimandError
from socgrad.fitting import fit
from socgrad.for_arviz import add_log_prior, add_posterior_predictive, add_prior
from socgrad.model.gradient_model import GradientModel
from socgrad.model.priors import Normal, Priors
from socgrad.reading.storage import load, save
from tables import small_areas

ONE = {"var_names": ["within", "level_sd"]}


def model_of(kind, family="poisson"):
    """Twelve authorities; of a mixture, every second is known by its total."""
    priors = Priors(within=Normal(0.5, 0.2))
    return GradientModel(small_areas(kind, overdispersion=0.3), family=family, priors=priors)


def fitted(kind, family="poisson"):
    """A fit without a compiler."""
    return fit(model_of(kind, family), method="laplace", draws=250, chains=4, random_seed=1)


@pytest.fixture(scope="module")
def tree():
    """A fit of counts with every group."""
    bare = fitted("counts")
    tree = add_prior(sg.for_arviz.add_log_likelihood(bare), model_of("counts"), draws=500)
    return add_log_prior(add_posterior_predictive(tree))


@pytest.mark.parametrize("family", ["poisson", "negative_binomial"])
def test_counts_drawn_again_have_the_distribution_of_the_likelihood(family):
    """Ranks of counts drawn again, within SciPy's own distribution of each, are uniform."""
    one = fitted("mixture", family).sel(chain=[0], draw=slice(None, None, 5))
    again = add_posterior_predictive(one, random_seed=3)["posterior_predictive"]
    assert again["events"].dims == ("chain", "draw", "counted_area")
    assert again["total_events"].sizes["total_authority"] == 6
    for name, values in again.data_vars.items():
        observed = one["observed_data"][name]
        dim = values.dims[-1]
        assert values[dim].to_numpy().tolist() == observed[dim].to_numpy().tolist()
    from socgrad.checks.counts import area_blocks, counts_by_position, lines_at
    from socgrad.reading.geography import geography

    lines = lines_at(one, np.arange(50))
    (_, mean), *_ = area_blocks(lines, geography(one), counts_by_position(one).area)
    r = lines.overdispersion[:, None] ** 2
    law = poisson(mean) if family == "poisson" else nbinom(1 / r, 1 / (1 + r * mean))
    drawn = again["events"].to_numpy()[0]
    below, here = law.cdf(drawn - 1), law.pmf(drawn)
    rank = below + np.random.default_rng(1).random(drawn.shape) * here
    shares = np.histogram(rank, bins=10, range=(0, 1))[0] / rank.size
    np.testing.assert_allclose(shares, 0.1, atol=5 * np.sqrt(0.09 / rank.size))
    other = add_posterior_predictive(one, random_seed=4)["posterior_predictive"]
    assert (other["events"] != again["events"]).any()


def test_prior_draws_are_the_model_s(tree):
    """The group has the posterior's variables; its gradient is that of the prior."""
    assert set(tree["prior"].data_vars) == set(tree["posterior"].data_vars)
    within = tree["prior"]["within"]
    assert within.mean().item() == pytest.approx(0.5, abs=5 * 0.2 / np.sqrt(500))
    assert within.std().item() == pytest.approx(0.2, rel=0.2)


def test_another_model_is_refused(tree):
    """Its priors would be those of something else: what differs is named."""
    priors = Priors(within=Normal(0.5, 0.2))
    with pytest.raises(EstimandError, match="not of this model: priors, data_sha256 differ"):
        add_prior(tree, GradientModel(small_areas("counts"), priors=priors))
    areas = small_areas("counts", overdispersion=0.3)
    with pytest.raises(EstimandError, match="not of this model: model, priors differ"):
        add_prior(tree, GradientModel(areas))


def test_sizes_and_seeds_are_refused(tree):
    """What is too large says how to thin; a seed below 0 is none."""
    with pytest.raises(EstimandError, match=r"above most_gigabytes=1e-06. Thin the draws"):
        add_posterior_predictive(tree, most_gigabytes=1e-6)
    with pytest.raises(EstimandError, match="random_seed is -1; expected a whole number"):
        add_posterior_predictive(tree, random_seed=-1)


def test_a_fit_with_groups_is_saved_whole_and_released_without(tree, tmp_path):
    """They come back from a file; a file without events has none that tells of counts."""
    again = load(save(tree, tmp_path / "fit.nc"))
    assert {"posterior_predictive", "prior", "log_prior", "log_likelihood"} <= set(again.children)
    np.testing.assert_array_equal(
        again["posterior_predictive"]["events"], tree["posterior_predictive"]["events"]
    )
    kept = load(save(tree, tmp_path / "open.nc", include_events=False, totals_are_public=True))
    assert {"posterior_predictive", "log_likelihood"} & set(kept.children) == set()


@pytest.fixture
def az():
    """ArviZ, drawing into memory."""
    pytest.importorskip("matplotlib.pyplot").switch_backend("agg")
    import arviz

    yield arviz
    import matplotlib.pyplot as plt

    plt.close("all")


@pytest.mark.filterwarnings("ignore:Estimated shape parameter of Pareto")
def test_arviz_tables_of_a_fit(az, tree):
    """Summaries, leave-one-out and sensitivities read the tree as it is."""
    assert az.summary(tree, **ONE).index.tolist() == ONE["var_names"]
    assert az.ess(tree, **ONE)["within"] > 400
    assert az.rhat(tree, **ONE)["within"] < 1.05
    assert az.loo(tree, var_name="events").elpd < 0
    compared = az.compare({"one": tree, "same": tree}, var_name="events")
    assert compared["elpd_diff"].tolist() == [0, 0]
    assert az.psense_summary(tree, **ONE).index.tolist() == ONE["var_names"]


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("plot_trace_dist", ONE),
        ("plot_rank", ONE),
        ("plot_forest", ONE),
        ("plot_pair", ONE),
        ("plot_autocorr", ONE),
        ("plot_prior_posterior", ONE),
        ("plot_psense_dist", ONE),
        ("plot_ppc_dist", {"num_samples": 10}),
        ("plot_ppc_rootogram", {}),
        ("plot_ppc_pit", {}),
        ("plot_ppc_tstat", {}),
        ("plot_ppc_interval", {}),
        ("plot_loo_pit", {"var_names": ["events"]}),
        ("plot_loo_interval", {"var_names": ["events"]}),
        ("plot_trace", ONE),
        ("plot_ess", ONE),
        ("plot_mcse", ONE),
        ("plot_convergence_dist", ONE),
        ("plot_psense_quantities", ONE),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_arviz_figures_of_a_fit(az, tree, name, given):
    """Each draws something of the tree as it is."""
    import matplotlib.pyplot as plt

    getattr(az, name)(tree, **given)
    axes = [ax for number in plt.get_fignums() for ax in plt.figure(number).axes]
    assert any(ax.has_data() for ax in axes)


@pytest.mark.filterwarnings("ignore")
def test_arviz_figures_of_scores(az, tree):
    """Shapes of weights and differences of models are drawn from what `loo` and `compare` give."""
    import matplotlib.pyplot as plt

    az.plot_khat(az.loo(tree, var_name="events", pointwise=True))
    az.plot_compare(az.compare({"one": tree, "same": tree}, var_name="events"))
    axes = [ax for number in plt.get_fignums() for ax in plt.figure(number).axes]
    assert len(axes) == 2
    assert all(ax.has_data() for ax in axes)


def test_a_fit_without_energies_says_why(tree):
    """ArviZ would name a missing attribute; the message names the engine and the way out."""
    with pytest.raises(EstimandError, match=r"no energies.*quadrature\).*method='nuts'"):
        sg.for_arviz.check_energy(tree)


def test_a_fit_with_energies_is_drawn(az, tree):
    """It is handed on as it is."""
    import matplotlib.pyplot as plt

    energy = np.random.default_rng(1).gamma(20.0, size=(4, 250))
    with_energy = tree.copy()
    statistics = tree["sample_stats"].to_dataset()
    with_energy["sample_stats"] = xr.DataTree(statistics.assign(energy=(("chain", "draw"), energy)))
    assert sg.for_arviz.check_energy(with_energy) is with_energy
    az.plot_energy(with_energy)
    assert any(ax.has_data() for ax in plt.gcf().axes)
