"""Importance sampling: the climb, the proposal, the weights, and effects given the rest."""

import numpy as np
import pytest
from scipy.special import gammaln
from scipy.stats import norm

from socgrad.laplace.effects import draw_effects
from socgrad.laplace.importance import effective_size, resampled, smoothed
from socgrad.laplace.line_priors import population
from socgrad.laplace.mode import climb
from socgrad.laplace.nodes import integrand
from socgrad.laplace.placing import placed
from socgrad.laplace.preparation import prepared
from socgrad.laplace.proposal import Proposal
from socgrad.model.compression import constants, likelihood_data
from socgrad.model.gradient_model import GradientModel
from socgrad.model.priors import Priors, rate_ratio
from tables import simulated, simulated_areas, small_areas


def test_climb_finds_a_normal_from_afar():
    """Mode and scale of a correlated normal, started ten standard deviations away."""
    factor = np.array([[2.0, 0.0], [0.6, 0.5]])

    def log_density(x):
        z = np.linalg.solve(factor, (x - [3.0, -1.0]).T)
        return -0.5 * (z * z).sum(axis=0)

    mode, scale = climb(log_density, np.array([-15.0, 3.0]), 0.1 * np.eye(2))
    np.testing.assert_allclose(mode, [3.0, -1.0], atol=1e-6)
    np.testing.assert_allclose(scale, factor, atol=1e-6)


def bent(x):
    """Log density of a banana: x0 ~ N(0, 1), x1 ~ N(0.5 x0^2, 0.5 exp(0.3 x0))."""
    spread = np.log(0.5) + 0.3 * x[:, 0]
    rest = (x[:, 1] - 0.5 * x[:, 0] ** 2) * np.exp(-spread)
    return -0.5 * x[:, 0] ** 2 - 0.5 * rest**2 - spread


def test_proposal_bends_towards_its_target():
    """Fitted to weighted draws of a banana, the proposal becomes several times as efficient."""
    rng = np.random.default_rng(4)
    mode, scale = climb(bent, np.zeros(2), np.eye(2))
    proposal = Proposal.along_axes(bent, mode, scale, np.array([False, False]))
    sizes = []
    for _ in range(4):
        x = proposal.draw(2000, rng)
        weights = smoothed(bent(x) - proposal.log_density(x))
        sizes.append(weights.effective_size / len(x))
        proposal = proposal.fitted(x, weights.weight)
    assert sizes[-1] > max(0.7, 1.5 * sizes[0])
    assert weights.pareto_k < 0.5


@pytest.mark.parametrize("mirrored", [False, True])
def test_proposal_density_integrates_to_one(mirrored):
    """Over a fine grid the density sums to 1, reflections included."""
    rng = np.random.default_rng(5)
    mode, scale = climb(bent, np.zeros(2), np.eye(2))
    proposal = Proposal.along_axes(bent, mode + 0.3, scale, np.array([mirrored, False]))
    x = proposal.draw(1000, rng)
    proposal = proposal.fitted(x, np.exp(bent(x)))
    first = np.linspace(0.0 if mirrored else -12.0, 12.0, 601)
    second = np.linspace(-15.0, 30.0, 1501)
    grid = np.stack(np.meshgrid(first, second, indexing="ij"), axis=-1).reshape(-1, 2)
    heights = np.exp(proposal.log_density(grid)).reshape(601, 1501)
    total = np.trapezoid(np.trapezoid(heights, second, axis=1), first)
    assert total == pytest.approx(1.0, abs=2e-3)
    assert (x[:, 0] >= 0).all() == mirrored


def test_weights_of_a_known_tail():
    """Pareto ratios of shape 0.5 are recognised, and smoothing keeps their order and sum."""
    rng = np.random.default_rng(6)
    log_ratio = 0.5 * rng.exponential(size=20_000)  # exp(E / 2) has tail index 2: shape 0.5
    weights = smoothed(log_ratio)
    assert weights.pareto_k == pytest.approx(0.5, abs=0.1)
    assert weights.weight.sum() == pytest.approx(1.0)
    largest = np.argsort(log_ratio)[-10:]
    assert (np.diff(weights.weight[largest]) >= 0).all()


def test_equal_weights_are_all_effective():
    """With weights all but equal nothing is lost, and the tail is light."""
    rng = np.random.default_rng(7)
    weights = smoothed(1e-3 * rng.random(4000))
    assert weights.effective_size == pytest.approx(4000, rel=1e-4)
    assert weights.pareto_k < 0.5


def test_rounding_errors_have_no_tail():
    """However their shape would look: a heavy tail of 1e-10 of the largest weight is none."""
    tail = np.random.default_rng(7).pareto(0.2, 4000)
    log_ratio = 1e-10 * tail / tail.max()
    assert smoothed(log_ratio).pareto_k == -np.inf
    assert smoothed(1e10 * log_ratio).pareto_k > 1.0


def test_effective_size_by_hand():
    """Weights 2, 1, 1: (2 + 1 + 1)^2 / (4 + 1 + 1) = 16 / 6."""
    assert effective_size(np.array([2.0, 1.0, 1.0])) == pytest.approx(16 / 6)


def test_resampling_is_proportional_and_shuffled():
    """Systematic: each position comes up its expected number of times, to within one."""
    rng = np.random.default_rng(8)
    weight = np.array([0.5, 0.1, 0.25, 0.15])
    positions = resampled(weight, 1000, rng)
    assert np.abs(np.bincount(positions) - 1000 * weight).max() <= 1
    assert (np.diff(positions) < 0).any()


@pytest.mark.parametrize("random_slopes", [True, False])
def test_effects_have_the_moments_of_their_density(random_slopes):
    """Draws at fixed shared parameters match each authority's integrals on a fine grid."""
    areas = small_areas(intercept=-7.5)  # a few events per authority: skewed posteriors
    model = GradientModel(areas, random_slopes=random_slopes)
    marginal = prepared(model, likelihood_data(model)).marginal
    values = {"intercept": -7.4, "within": 0.5, "between": 0.3, "cross_level": 0.0}
    x = marginal.coordinates.point(values | {"level_sd": 0.6, "slope_sd": 0.4})
    number = 40_000
    level, slope = draw_effects(
        marginal, np.broadcast_to(x, (number, len(x))).copy(), np.random.default_rng(9)
    )
    seam = constants(model)
    w, b = seam["within_part"].to_numpy(), seam["between_part"].to_numpy()
    grid0 = np.linspace(-3.5, 3.0, 261)
    grid1 = np.linspace(-2.4, 2.4, 241) if random_slopes else np.zeros(1)
    for j in range(3):
        rows = areas.authority_of_area == j
        line = -7.4 + 0.3 * b[j] + (0.5 + grid1[:, None]) * w[rows]
        rate = areas.exposure[rows] * np.exp(line)
        # sum_i [y_i log mu_i - mu_i] on the grid of slope (rows) and level (columns)
        y = areas.events[rows]
        logs = (y * np.log(rate)).sum(axis=1)[:, None] + y.sum() * grid0
        logs = logs - rate.sum(axis=1)[:, None] * np.exp(grid0)
        logs = logs + norm.logpdf(grid0, 0, 0.6)
        if random_slopes:
            logs = logs + norm.logpdf(grid1, 0, 0.4)[:, None]
        mass = np.exp(logs - logs.max())
        mass /= mass.sum()
        for drawn, grid, share in (
            (level[:, j], grid0, mass.sum(axis=0)),
            (slope[:, j], grid1, mass.sum(axis=1)),
        )[: 1 + random_slopes]:
            mean = share @ grid
            sd = np.sqrt(share @ (grid - mean) ** 2)
            skewness = share @ ((grid - mean) / sd) ** 3
            # Standard errors: sd / 200 of the mean, about sd / 280 of the sd, 0.012 of skewness.
            assert drawn.mean() == pytest.approx(mean, abs=0.02 * sd)
            assert drawn.std() == pytest.approx(sd, rel=0.02)
            reached = np.mean(((drawn - drawn.mean()) / drawn.std()) ** 3)
            assert reached == pytest.approx(skewness, abs=0.08)


@pytest.mark.parametrize("known", ["totals", "mixture"])
@pytest.mark.parametrize("family", ["poisson", "negative_binomial"])
def test_effects_of_totals_follow_their_curve(family, known):
    """A total pins a curve of levels and slopes; draws match integrals with many nodes."""
    areas = small_areas(known, overdispersion=0.4 if family == "negative_binomial" else 0.0)
    priors = Priors(within=rate_ratio(1.65, interval=(1.5, 1.82)))
    model = GradientModel(areas, family=family, priors=priors)
    ready = prepared(model, likelihood_data(model))
    marginal, number = ready.marginal, 20_000
    x = np.broadcast_to(ready.proposal.middle, (number, len(ready.proposal.middle))).copy()
    drawn = draw_effects(marginal, x, np.random.default_rng(2))
    values = marginal.coordinates.parameters(x[:1])
    for surface, start in zip(marginal.surfaces, marginal.starts, strict=True):
        prior = population(values, marginal.predictors.of(surface.authority), varying=True)
        given = surface.given(prior.overdispersion)
        grid = placed(given, prior, start).grid((21, 21))
        logs = integrand(given, prior, grid) + grid.log_weight
        mass = np.exp(logs - logs.max(axis=(0, 1)))
        mass /= mass.sum(axis=(0, 1))
        levels = grid.level[:, None] + grid.step - prior.level
        slopes = np.broadcast_to((grid.slope - prior.slope)[:, None], levels.shape)
        for effect, at in zip(drawn, (levels, slopes), strict=True):
            mean = (mass * at).sum(axis=(0, 1))[0]
            sd = np.sqrt((mass * at**2).sum(axis=(0, 1))[0] - mean**2)
            reached = effect[:, surface.authority]
            # Standard errors are 0.007 sd of means and 0.5% of sds.
            np.testing.assert_allclose((reached.mean(axis=0) - mean) / sd, 0.0, atol=0.035)
            np.testing.assert_allclose(reached.std(axis=0) / sd, 1.0, atol=0.03)


@pytest.mark.parametrize("random_slopes", [True, False])
def test_effects_without_counts_are_those_of_the_population(random_slopes):
    """Standard deviations and correlation of the prior, among authorities that have counts."""
    frame = simulated().frame.astype({"events": "float64"})
    unknown = sorted(frame["authority"].unique())[3:5]
    frame.loc[frame["authority"].isin(unknown), "events"] = float("nan")
    model = GradientModel(
        simulated_areas(frame, missing_events="leave out"), random_slopes=random_slopes
    )
    marginal = prepared(model, likelihood_data(model)).marginal
    values = {"intercept": -6.5, "within": 0.5, "between": 0.3, "cross_level": 0.0}
    point = marginal.coordinates.point(values | {"level_sd": 0.6, "slope_sd": 0.4})
    if random_slopes:
        # The correlation is 2 Phi(its coordinate) - 1.
        point[marginal.coordinates.names.index("correlation")] = norm.ppf(0.25)
    x = np.broadcast_to(point, (20_000, len(point))).copy()
    level, slope = draw_effects(marginal, x, np.random.default_rng(9))
    assert model.areas.authority[3:5].tolist() == unknown
    # Standard errors are 0.007 sd of means, 0.5% of sds and 0.006 of the correlation.
    for own in (3, 4):
        assert level[:, own].mean() == pytest.approx(0.0, abs=0.02)
        assert level[:, own].std() == pytest.approx(0.6, rel=0.02)
        if not random_slopes:
            assert (slope[:, own] == 0.0).all()
            continue
        assert slope[:, own].std() == pytest.approx(0.4, rel=0.02)
        assert np.corrcoef(level[:, own], slope[:, own])[0, 1] == pytest.approx(-0.5, abs=0.02)
    # The two are told apart, and so are those with counts.
    assert abs(np.corrcoef(level[:, 3], level[:, 4])[0, 1]) < 0.03
    assert level[:, 0].std() < 0.5


def test_log_factorials_are_not_needed():
    """The marginal leaves constants out: the same posterior whatever the counts' factorials."""
    model = GradientModel(small_areas())
    data = likelihood_data(model)
    other = data.assign(count_constant=data["count_constant"] + gammaln(50.0))
    one, two = (prepared(model, each).marginal for each in (data, other))
    x = np.array([one.coordinates.point(dict.fromkeys(one.coordinates.names, 0.3))])
    reached = [marginal.log_density(x, nodes=[(3, 3)]) for marginal in (one, two)]
    np.testing.assert_array_equal(*reached)


def test_a_heavy_tail_has_the_proposal_fitted_to_all_draws(monkeypatch):
    """The same posterior comes out; a light tail is left alone."""
    from socgrad.laplace import sampling

    model = GradientModel(small_areas())
    data = likelihood_data(model)
    again = []
    fitted = sampling._Fitted.again
    monkeypatch.setattr(
        sampling._Fitted, "again", lambda self, rng: again.append(len(self.x)) or fitted(self, rng)
    )

    def drawn():
        made = sampling.sample_laplace(model, data, draws=500, chains=4, random_seed=4)
        assert made.pareto_k < 0.7
        return made.posterior["within"]

    light = drawn()
    assert again == []
    monkeypatch.setattr(sampling, "_WORST_TAIL", -10.0)
    heavy = drawn()
    assert len(again) == 2
    assert min(again) >= 1000
    error = float(light.std()) * np.sqrt(2 / 2000)
    assert abs(float(light.mean() - heavy.mean())) < 4.5 * error
    assert float(heavy.std()) == pytest.approx(float(light.std()), rel=0.1)
