"""Known truths come back: every likelihood, every parameter."""

import numpy as np
import pytest

from fits import KINDS, sampled

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
    """R-hat, effective sizes and divergences of every shared fit are good."""
    from socgrad.tables.diagnostics import check_sampling

    report = check_sampling(sampled(kind).tree)
    assert report.converged, report


def test_shuffled_deprivation_has_no_gradient():
    """Negative control: without a relation the gradient's interval covers 1."""
    from socgrad.fitting import fit
    from socgrad.model.gradient_model import GradientModel
    from tables import simulated, simulated_areas

    frame = simulated(authorities=40, areas=1600, seed=11, overdispersion=0.0).frame.copy()
    frame["deprivation"] = (
        frame.groupby("authority")["deprivation"]
        .transform(lambda x: np.random.default_rng(len(x)).permutation(x))
        .to_numpy()
    )
    tree = fit(GradientModel(simulated_areas(frame)), method="nuts", random_seed=6, progress=False)
    low, high = np.quantile(tree["posterior"]["within"], [0.005, 0.995])
    assert low < 0 < high
