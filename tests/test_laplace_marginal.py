"""Authority effects integrated out: derivatives and integrals against independent computations."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp
from scipy.stats import beta, multivariate_normal, nbinom, norm, poisson

from locality_tables import small_localities
from socgrad.laplace.coordinates import coordinates
from socgrad.laplace.curves import SlopeRange, slopes_that_matter
from socgrad.laplace.exposure import GaussExposure
from socgrad.laplace.levels import by_prior, without_levels
from socgrad.laplace.line_priors import LinePrior, population
from socgrad.laplace.marginal import Marginal, _log_integrals
from socgrad.laplace.predictors import predictors
from socgrad.laplace.surfaces import PoissonRows
from socgrad.laplace.tabulated_counts import Box, NegativeBinomialRows, tabulated
from socgrad.laplace.totals import NegativeBinomialTotals, PoissonTotals
from socgrad.model.compression import constants, likelihood_data
from socgrad.model.gradient_model import GradientModel
from socgrad.model.priors import Normal, PositiveNormal, Priors, rate_ratio
from tables import small_areas

INFORMED = Priors(within=rate_ratio(1.65, interval=(1.5, 1.82)))
KINDS = {
    "poisson counts": PoissonRows,
    "poisson totals": PoissonTotals,
    "negative_binomial counts": NegativeBinomialRows,
    "negative_binomial totals": NegativeBinomialTotals,
    "localities counts": NegativeBinomialRows,
    "localities totals": NegativeBinomialTotals,
}


def model_of(kind, **terms):
    """Model of twelve simulated authorities, `kind` as in KINDS."""
    family, known = kind.split()
    if family == "localities":
        return GradientModel(small_localities(known), localities=True, priors=INFORMED, **terms)
    areas = small_areas(known, overdispersion=0.4 if family == "negative_binomial" else 0.0)
    return GradientModel(areas, family=family, priors=INFORMED, **terms)


def surface_of(kind):
    """Log-likelihood of twelve simulated authorities."""
    return KINDS[kind].of(likelihood_data(model_of(kind)))


def value(given, level, slope):
    """Log-likelihood at points (n, j)."""
    return given.grid(level[None], np.zeros((1, *level.shape)), slope[None])[0, 0]


@pytest.mark.parametrize(
    "kind", [k for k in KINDS if k not in ("negative_binomial totals", "localities totals")]
)
def test_derivatives_are_those_of_the_values(kind):
    """Gradient and Hessian equal central differences of the log-likelihood itself."""
    rng = np.random.default_rng(1)
    given = surface_of(kind).given(np.array([[0.3], [0.5]]))
    level, slope = rng.normal(-4, 0.3, (2, 12)), rng.normal(0.5, 0.2, (2, 12))
    at = given.derivatives(level, slope)
    h = 1e-4

    def moved(up, along):
        return value(given, level + up * h, slope + along * h)

    np.testing.assert_allclose(at.level, (moved(1, 0) - moved(-1, 0)) / (2 * h), rtol=1e-5)
    np.testing.assert_allclose(at.slope, (moved(0, 1) - moved(0, -1)) / (2 * h), rtol=1e-5)
    middle = 2 * moved(0, 0)
    tolerance = {"rtol": 1e-3, "atol": 1e-3}
    np.testing.assert_allclose(
        at.level_level, -(moved(1, 0) + moved(-1, 0) - middle) / h**2, **tolerance
    )
    np.testing.assert_allclose(
        at.slope_slope, -(moved(0, 1) + moved(0, -1) - middle) / h**2, **tolerance
    )
    mixed = (moved(1, 1) + moved(-1, -1) - moved(1, -1) - moved(-1, 1)) / (4 * h * h)
    np.testing.assert_allclose(at.level_slope, -mixed, **tolerance)
    above, below = (given.derivatives(level + side * h, slope).slope_slope for side in (1, -1))
    if "totals" not in kind:  # there it is that of the expected events alone
        np.testing.assert_allclose(at.level_slope_slope, (above - below) / (2 * h), rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_surfaces_are_the_likelihood_of_the_rows(kind):
    """Differences between two points equal SciPy's log-probabilities of rows or totals."""
    model = model_of(kind)
    surface = KINDS[kind].of(likelihood_data(model))
    areas, seam = model.areas, constants(model)
    w = seam["within_part"].to_numpy()
    of = areas.authority_of_area
    rng = np.random.default_rng(2)
    level, slope = rng.normal(-4, 0.3, (2, 12)), rng.normal(0.5, 0.2, (2, 12))
    r = 0.5**2
    mean = areas.exposure * np.exp(level[:, of] + slope[:, of] * w)

    def probability(events, mean, r):
        if model.family == "poisson" and not model.localities:
            return poisson.logpmf(events, mean)
        return nbinom.logpmf(events, 1 / r, 1 / (1 + r * mean))

    events, home = areas.events, of
    if kind.startswith("localities"):
        mean = np.array([np.bincount(areas.locality_of_area, row) for row in mean])
        home = areas.authority_of_locality
    if kind == "localities counts":
        # A negative binomial of the locality, and a multinomial over its areas.
        at = areas.locality_of_area
        events = np.bincount(at, areas.events)
        logs = np.array([np.log(row)[at] for row in mean])
        inside = areas.events * (level[:, of] + slope[:, of] * w - logs)
        inside = np.array([np.bincount(of, row) for row in inside])
    if kind.endswith("counts"):
        rows = probability(events, mean, r)
        expected = np.array([np.bincount(home, row) for row in rows])
        expected += inside if kind.startswith("localities") else 0.0
    else:
        total = np.array([np.bincount(home, row) for row in mean])
        share = np.array([np.bincount(home, row**2) for row in mean]) / total**2
        expected = probability(areas.total_events, total, r * share)
    reached = value(surface.given(np.full((2, 1), 0.5)), level, slope)
    np.testing.assert_allclose(reached[1] - reached[0], expected[1] - expected[0], rtol=1e-8)


def test_table_stands_for_the_rows_within_its_box():
    """Polynomials reproduce values and derivatives of the negative binomial's rows."""
    rows = surface_of("negative_binomial counts")
    middle = np.full(12, -4.0), np.full(12, 0.5)
    half = np.full(12, 0.8), np.full(12, 0.4)
    box = Box((middle[0], half[0]), (middle[1], half[1]), (0.5, 0.2))
    table = tabulated(rows, box, degrees=(9, 10, 14))
    rng = np.random.default_rng(3)
    t = rng.uniform(-1, 1, (2, 5, 12))
    level, slope = middle[0] + half[0] * t[0], middle[1] + half[1] * t[1]
    overdispersion = rng.uniform(0.3, 0.7, (5, 1))
    exact, reached = rows.given(overdispersion), table.given(overdispersion)
    np.testing.assert_allclose(
        value(reached, level, slope), value(exact, level, slope), rtol=0, atol=1e-4
    )
    for one, other in zip(
        reached.derivatives(level, slope), exact.derivatives(level, slope), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=0, atol=2e-2)


def test_table_goes_on_by_its_curvature_outside_its_box():
    """Beyond the box the log-likelihood falls as a parabola, and has the derivatives of one."""
    rows = surface_of("negative_binomial counts")
    wide = np.full(12, 0.5)
    box = Box((np.full(12, -4.0), wide), (wide, wide), (0.5, 0.2))
    given = tabulated(rows, box, degrees=(5, 6, 9)).given(np.full((4, 1), 0.5))
    level = np.array([[-3.5], [-3.0], [-2.5], [-2.0]]) + np.zeros(12)
    steps = np.diff(value(given, level, np.full((4, 12), 0.5)), n=2, axis=0)
    assert (steps < 0).all()
    np.testing.assert_allclose(steps[1], steps[0], rtol=1e-6)
    # Level and slope both beyond.
    slope, h = np.full((4, 12), 1.4), 1e-4
    found = given.derivatives(level, slope)
    by_level = (value(given, level + h, slope) - value(given, level - h, slope)) / (2 * h)
    by_slope = (value(given, level, slope + h) - value(given, level, slope - h)) / (2 * h)
    beyond = slice(1, None)
    np.testing.assert_allclose(found.level[beyond], by_level[beyond], rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(found.slope[beyond], by_slope[beyond], rtol=1e-4, atol=1e-3)


def shared_of(model, values):
    """A marginal of the model, and the coordinates of named parameters."""
    data = likelihood_data(model)
    intercept = Normal(*data["prior_intercept"].to_numpy())
    scale = coordinates(model, intercept, {"level_sd": 0.1, "slope_sd": 0.1})
    names = {"poisson": PoissonRows, "negative_binomial": NegativeBinomialRows}
    surface = names[model.family].of(data)
    size = len(model.areas.authority)
    start = (np.full(size, -4.0), np.full(size, 0.5))
    marginal = Marginal(scale, (surface,), predictors(model), (start,), bool(model.random_slopes))
    point = scale.point(values)
    if "correlation" in values:
        # (correlation + 1) / 2 is the normal distribution function of the coordinate.
        point[scale.names.index("correlation")] = norm.ppf((values["correlation"] + 1) / 2)
    return marginal, point


VALUES = {
    "intercept": -4.1,
    "within": 0.45,
    "between": 0.2,
    "cross_level": -0.05,
    "level_sd": 0.35,
    "slope_sd": 0.2,
    "correlation": -0.4,
    "overdispersion": 0.5,
}


@pytest.mark.parametrize("family", ["poisson", "negative_binomial"])
def test_marginal_equals_brute_force_integration(family):
    """The difference of two authorities' integrals over level and slope is SciPy's."""
    model = model_of(f"{family} counts")
    values = [
        {k: v for k, v in VALUES.items() if family != "poisson" or k != "overdispersion"}
        | {"level_sd": sd}
        for sd in (0.35, 0.15)
    ]
    marginal, one = shared_of(model, values[0])
    two = shared_of(model, values[1])[1]
    x = np.array([one, two])
    reached = marginal.log_density(x, nodes=[(15, 15)]) - marginal.coordinates.log_prior(x)
    surface = marginal.surfaces[0]
    expected = []
    for value_of in values:
        n = {name: np.array([v]) for name, v in value_of.items()}
        prior = population(n, marginal.predictors, varying=True)
        s0, s1, r = (value_of[k] for k in ("level_sd", "slope_sd", "correlation"))
        covariance = [[s0 * s0, r * s0 * s1], [r * s0 * s1, s1 * s1]]
        # Fine trapezoids over six standard deviations each way: exact for smooth densities.
        grid = np.linspace(-6, 6, 161)
        u0, u1 = np.meshgrid(s0 * grid, s1 * grid, indexing="ij")
        density = multivariate_normal([0, 0], covariance).logpdf(np.stack([u0, u1], axis=-1))
        at = surface.given(np.full((u0.size, 1), value_of.get("overdispersion", 0.0)))
        level = prior.level + u0.reshape(-1, 1)
        slope = prior.slope + u1.reshape(-1, 1)
        logs = value(at, level, slope) + density.reshape(-1, 1)
        top = logs.max(axis=0)
        cell = s0 * s1 * (grid[1] - grid[0]) ** 2
        total = np.sum(np.log(np.exp(logs - top).sum(axis=0) * cell) + top)
        expected.append(
            total + surface.shared(np.array([[value_of.get("overdispersion", 0.0)]]))[0]
        )
    np.testing.assert_allclose(reached, expected, rtol=0, atol=2e-5)


def test_more_nodes_change_the_marginal_less_and_less():
    """Errors of 3, 5 and 7 nodes against 15 fall by ten each time at the least."""
    marginal, x = shared_of(model_of("poisson counts"), VALUES)
    exact = marginal.log_density(x[None], nodes=[(15, 15)])
    reached = [marginal.log_density(x[None], nodes=[(n, n)]) for n in (3, 5, 7)]
    errors = [abs(float((each - exact)[0])) for each in reached]
    assert errors[1] < errors[0] / 10
    assert errors[2] < errors[1] / 10


def test_without_random_slopes_the_integral_is_over_levels_alone():
    """One authority after another, by SciPy's adaptive integration."""
    model = model_of("poisson counts", random_slopes=False)
    values = {k: v for k, v in VALUES.items() if k in coordinates_names(model)}
    marginal, x = shared_of(model, values)
    reached = marginal.log_likelihood(x[None], 0, (15, 15))
    prior = population(
        {k: np.array([v]) for k, v in values.items()}, marginal.predictors, varying=False
    )
    surface = marginal.surfaces[0]
    total = 0.0
    for j in range(12):

        def logs(u, j=j):
            level, slope = prior.level + u, prior.slope
            return value(surface.given(np.zeros((1, 1))), level, slope)[0, j] + norm.logpdf(
                u, 0, 0.35
            )

        grid = np.linspace(-2, 2, 401)
        top = max(logs(u) for u in grid)
        at = grid[np.argmax([logs(u) for u in grid])]
        area, _ = quad(lambda u, t=top, f=logs: np.exp(f(u) - t), at - 1.5, at + 1.5, points=[at])
        total += top + np.log(area)
    np.testing.assert_allclose(reached, total, rtol=0, atol=1e-5)


def coordinates_names(model):
    """Names of the model's shared parameters."""
    return coordinates(model, Normal(0.0, 1.0), {}).names


def test_prior_on_the_scale_without_bounds():
    """Log prior = SciPy's densities plus the logs of the derivatives, by differences."""
    priors = Priors(level_sd=PositiveNormal(0.1, 0.2), correlation=3.0)
    model = GradientModel(small_areas(), priors=priors)
    scale = coordinates(model, Normal(-4.0, 1.5), {"level_sd": 0.07, "slope_sd": 0.02})
    x = np.array([[1.2, 0.7, -0.4, -4.3, 0.5, 0.2, -0.1]])
    h = 1e-6
    one, two = (scale.parameters(x + side * h) for side in (-1, 1))
    at = {name: float(v[0]) for name, v in scale.parameters(x).items()}
    jacobian = sum(np.log((two[name] - one[name])[0] / (2 * h)) for name in scale.names)
    above = 1 - norm.cdf(0, 0.1, 0.2)
    expected = (
        norm.logpdf(at["level_sd"], 0.1, 0.2) - np.log(above)
        + norm.logpdf(at["slope_sd"], 0.0, 0.25) - np.log(0.5)
        + beta.logpdf((at["correlation"] + 1) / 2, 3.0, 3.0) - np.log(2.0)
        + norm.logpdf(at["intercept"], -4.0, 1.5)
        + norm.logpdf(at["within"], 0.0, 0.5)
        + norm.logpdf(at["between"], 0.0, 0.5)
        + norm.logpdf(at["cross_level"], 0.0, 0.2)
    )  # fmt: skip
    np.testing.assert_allclose(scale.log_prior(x)[0], expected + jacobian, rtol=0, atol=1e-7)


@pytest.mark.parametrize("family", ["poisson", "negative_binomial"])
@pytest.mark.parametrize("levels", [1, 9])
@pytest.mark.parametrize(
    ("level_sd", "slope_sd"), [(0.35, 0.2), (0.15, 0.8), (0.03, 0.8), (0.01, 0.6)]
)
def test_totals_equal_brute_force_integration(family, level_sd, slope_sd, levels):
    """Totals lie along curves, with two tops where slopes vary much and levels little."""
    values = {k: v for k, v in VALUES.items() if family != "poisson" or k != "overdispersion"}
    values |= {"level_sd": level_sd, "slope_sd": slope_sd}
    data = likelihood_data(model_of(f"{family} totals"))
    surface = KINDS[f"{family} totals"].of(data)
    model = model_of(f"{family} totals")
    one = {name: np.array([value]) for name, value in values.items()}
    prior = population(one, predictors(model), varying=True)
    given = surface.given(prior.overdispersion)
    start = slopes_that_matter(
        given, prior, SlopeRange.about(given, np.full(12, -4.0), np.full(12, 0.5))
    )
    found = _log_integrals(given, prior, start, (61, levels))[0]
    r = values["correlation"]
    covariance = [[level_sd**2, r * level_sd * slope_sd], [r * level_sd * slope_sd, slope_sd**2]]
    grid = np.linspace(-6.5, 6.5, 401)
    u0, u1 = np.meshgrid(level_sd * grid, slope_sd * grid, indexing="ij")
    density = multivariate_normal([0, 0], covariance).logpdf(np.stack([u0, u1], axis=-1))
    at = surface.given(np.full((u0.size, 1), values.get("overdispersion", 0.0)))
    logs = value(at, prior.level + u0.reshape(-1, 1), prior.slope + u1.reshape(-1, 1))
    logs = logs + density.reshape(-1, 1)
    cell = level_sd * slope_sd * (grid[1] - grid[0]) ** 2
    expected = logsumexp(logs, axis=0) + np.log(cell)
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-4)


def test_totals_far_from_what_is_expected():
    """Fourfold, where levels hardly vary: many prior sds away, and nothing of it is lost."""
    level_sd, slope_sd, r = 0.02, 0.1, VALUES["correlation"]
    values = VALUES | {"level_sd": level_sd, "slope_sd": slope_sd}
    values["intercept"] -= np.log(4)
    model = model_of("poisson totals")
    surface = KINDS["poisson totals"].of(likelihood_data(model))
    one = {name: np.array([value]) for name, value in values.items() if name != "overdispersion"}
    prior = population(one, predictors(model), varying=True)
    given = surface.given(prior.overdispersion)
    start = SlopeRange.about(given, np.full(12, -4.0), np.full(12, 0.5))
    found = _log_integrals(given, prior, slopes_that_matter(given, prior, start), (61, 1))[0]
    u, v = np.linspace(-80, 80, 1601)[:, None], np.linspace(-60, 60, 801)
    log_sums = given.at(prior.slope + slope_sd * v[:, None, None]).log_sums[:, 0]
    density = -(u * u - 2 * r * u * v + v * v) / (2 * (1 - r * r))
    density -= np.log(2 * np.pi * np.sqrt(1 - r * r))
    for j in range(12):
        log_mean = prior.level[0, j] + level_sd * u + log_sums[:, j]
        logs = surface.events[j] * log_mean - np.exp(log_mean) + density
        expected = logsumexp(logs) + np.log(0.1 * 0.15)
        assert found[j] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("level_sd", [0.3, 1.0])
@pytest.mark.parametrize("events", [0, 1, 5, 200])
@pytest.mark.parametrize("variation", [0.0, 0.1])
def test_a_level_integrated_out_by_expansion(events, level_sd, variation):
    """By SciPy's integral over the level, from a place a third of its sd off the likeliest one."""
    one = np.ones((1, 1))
    # One area of exposure 1: events are exp(level) at any slope.
    total = np.array([0]), np.array([float(events)]), GaussExposure(0.0 * one, one)
    surface = PoissonTotals(*total)
    if variation:
        surface = NegativeBinomialTotals(*total, GaussExposure(0.0 * one, variation * one))
    given = surface.given(one).at(0.0 * one)
    precision = level_sd**-2 * one
    prior = LinePrior(
        one, 0.0 * one, precision, 0.0 * one, 0.0 * one, np.log(precision), 0.0 * one, varying=False
    )

    def minus(u):
        value = given.grid(np.array([[[u]]]), np.zeros((1, 1, 1, 1))).item()
        return 0.5 * ((u - 1.0) / level_sd) ** 2 - value

    mode = minimize_scalar(minus, bounds=(-8.0, 8.0), method="bounded").x
    sd = np.sqrt(1.0 / (given.by_level(np.array([[mode]]))[1].item() + precision.item()))
    expected, _ = quad(lambda u: np.exp(minus(mode) - minus(u)), mode - 12 * sd, mode + 12 * sd)
    expected = np.log(expected) - minus(mode) - np.log(level_sd) - 0.5 * np.log(2 * np.pi)
    level = np.full((1, 1, 1), mode + sd / 3)
    expansion = given.expansion(level)
    found = without_levels(expansion, level - by_prior(prior, 0.0 * level), 0.0 * level, prior)
    # Where levels vary by 1 and events are few, what is left is 0.01; nodes are taken there.
    assert found.item() == pytest.approx(expected, abs=0.02 if level_sd == 1.0 else 1e-3)


@pytest.mark.parametrize("random_slopes", [True, False])
def test_levels_of_counts_by_expansion_are_those_of_nodes(random_slopes):
    """Poisson counts of twelve authorities: their sum, by 15 nodes of slopes."""
    model = model_of("poisson counts", random_slopes=random_slopes)
    names = coordinates_names(model)
    marginal, x = shared_of(model, {k: v for k, v in VALUES.items() if k in names})
    by_nodes = marginal.log_likelihood(x[None], 0, (15, 15))
    np.testing.assert_allclose(marginal.log_likelihood(x[None], 0, (15, 1)), by_nodes, atol=1e-3)
