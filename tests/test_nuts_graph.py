"""The PyMC graph: its density against SciPy, its generator against the equation."""

import itertools

import numpy as np
import pytest
from scipy import stats

from interpreted import interpreted
from locality_tables import simulated_with_localities, small_localities, with_localities
from region_tables import simulated_with_regions, with_regions
from socgrad.model.compression import constants, likelihood_data
from socgrad.model.gradient_model import GradientModel
from socgrad.model.priors import Priors, rate_ratio
from tables import small_areas

pytestmark = pytest.mark.mcmc

PRIORS = Priors(within=rate_ratio(1.65, interval=(1.5, 1.82)))

#: Every gradient with and without slopes; the negative binomial, another law of the same levels and
#: slopes, with most terms and with fewest.
VARIANTS = [
    {"family": "poisson", "deprivation": deprivation, "random_slopes": slopes, **terms}
    for (deprivation, terms), slopes in itertools.product(
        (
            ("split", {"cross_level": True, "curvature": True}),
            ("split", {"cross_level": False}),
            ("pooled", {}),
            ("none", {}),
        ),
        (True, False),
    )
    if not (deprivation == "none" and slopes)
]
VARIANTS += [VARIANTS[k] | {"family": "negative_binomial"} for k in (0, -1)]


@pytest.fixture(scope="module")
def pymc():
    """PyMC, imported once and only for this file."""
    return pytest.importorskip("pymc")


def build(kind, options):
    """The graph of one variant."""
    from socgrad.nuts.pymc_models import pymc_model

    if "localities" in options:
        return pymc_model(GradientModel(small_localities(kind), priors=PRIORS, **options))
    return pymc_model(GradientModel(small_areas(kind), priors=PRIORS, **options))


LOCALITIES = [
    {"localities": True},
    {"localities": True, "deprivation": "pooled", "random_slopes": False},
    {"localities": True, "deprivation": "none"},
]


@pytest.mark.parametrize(
    "options", VARIANTS + LOCALITIES, ids=lambda o: "-".join(map(str, o.values()))
)
def test_initial_point_has_finite_density_and_gradient(options, pymc):  # noqa: ARG001
    """Every variant starts where log-density and gradient are finite."""
    graph = build("mixture", options)
    point = graph.initial_point()
    density = graph.logp_dlogp_function(initial_point=point, ravel_inputs=True, mode=interpreted())
    value, gradient = density(np.concatenate([np.ravel(v) for v in point.values()]))
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("family", ["poisson", "negative_binomial"])
def test_density_equals_scipy_by_hand(family, pymc):  # noqa: ARG001
    """Priors, effects and counts add up to the density written out with SciPy, row by row."""
    areas = small_areas()
    model = GradientModel(areas, family=family, priors=PRIORS)
    from socgrad.nuts.graph_data import graph_data
    from socgrad.nuts.pymc_models import pymc_model

    graph = pymc_model(model)
    rng = np.random.default_rng(4)
    n = len(areas.authority)
    p = {"intercept": -4.1, "within": 0.45, "between": 0.2, "cross_level": -0.03}
    level_sd, slope_sd, unit, spread = 0.25, 0.15, 0.4, 0.3
    seam = constants(model)
    data = graph_data([model], [likelihood_data(model)])
    b = seam["between_part"].to_numpy()
    at, spread_of, known0, known1, guess0, guess1, per_area = (
        data[name].to_numpy()
        for name in (
            "centring_at",
            "centring_spread",
            "level_information",
            "slope_information",
            "centring_level",
            "centring_slope",
            "events_per_factor",
        )
    )
    if family == "negative_binomial":
        known0, known1 = (known / (1 + spread**2 * per_area) for known in (known0, known1))
    u0, u1 = rng.normal(0, 0.2, n), rng.normal(0, 0.1, n)
    expected_level = p["intercept"] + p["between"] * b
    expected_slope = p["within"] + p["cross_level"] * b
    rho = 2 * unit - 1
    cross = rho * level_sd * slope_sd

    def standardised(effect, mean, variance, estimate, information):
        precision = 1 / variance + information
        centre = (mean / variance + information * estimate) / precision
        return (effect - centre) * np.sqrt(precision), -0.5 * np.log(precision)

    def seen(slope):
        # Level effect that the events suggest at a slope effect: log expected events is a parabola
        # about the authority's own slope.
        t = expected_slope + slope - guess1
        return guess0 - expected_level - at * t - spread_of * t**2 / 2

    # The level falls with the slope as the events have it, and rises as the population has it.
    own = guess1 - expected_slope
    first = known1 * own / (1 / slope_sd**2 + known1)
    falls = -(at + spread_of * (first - own))
    rises = rho * level_sd / slope_sd
    rest = level_sd**2 * (1 - rho**2)
    known = (rises - falls) ** 2 / (rest + 1 / known0)
    meet = (seen(first) - falls * first) / (rises - falls)
    # The precision is over that of the population by the larger root of a quadratic: what the lines
    # say were they straight, and what the bend adds over slopes as far off as are left.
    straight = 1 + slope_sd**2 * (known1 + known)
    bend = (spread_of * slope_sd**2) ** 2 / (rest + 1 / known0)
    gain = np.array([np.roots([1, -a, -b]).max() for a, b in zip(straight, bend, strict=True)])
    centre = slope_sd**2 * (known1 * own + known * meet) / gain
    z1, jacobian1 = (u1 - centre) * np.sqrt(gain) / slope_sd, np.log(slope_sd / np.sqrt(gain))
    z0, jacobian0 = standardised(u0, rises * u1, rest, seen(u1), known0)
    point = p | {
        "level_sd_interval__": np.log(level_sd),
        "slope_sd_interval__": np.log(slope_sd),
        "correlation_unit_logodds__": np.log(unit / (1 - unit)),
        "level_raw": z0,
        "slope_raw": z1,
    }
    if family == "negative_binomial":
        point["overdispersion_interval__"] = np.log(spread)
    total = float(graph.compile_logp(mode=interpreted())(point))

    normal, half = stats.norm.logpdf, stats.halfnorm.logpdf
    hand = sum(
        normal(p[name], getattr(PRIORS, name).mean, getattr(PRIORS, name).sd)
        for name in ("within", "between", "cross_level")
    )
    crude = np.log(areas.events.sum() / areas.exposure.sum())
    hand += normal(p["intercept"], crude, 1.5)
    # Each log Jacobian of a scale is its log; of the unit correlation, log(unit (1 - unit)).
    hand += half(level_sd, scale=0.5) + np.log(level_sd)
    hand += half(slope_sd, scale=0.25) + np.log(slope_sd)
    hand += stats.beta.logpdf(unit, 2, 2) + np.log(unit * (1 - unit))
    # Effects have the bivariate normal density of the model, and each is standardised.
    sigma = np.array([[level_sd**2, cross], [cross, slope_sd**2]])
    hand += stats.multivariate_normal.logpdf(np.column_stack([u0, u1]), cov=sigma).sum()
    hand += (jacobian0 + jacobian1).sum()
    j = areas.authority_of_area
    level, slope = expected_level + u0, expected_slope + u1
    mean = areas.exposure * np.exp(level[j] + slope[j] * seam["within_part"].to_numpy())
    if family == "poisson":
        hand += stats.poisson.logpmf(areas.events, mean).sum()
    else:
        hand += half(spread, scale=0.5) + np.log(spread)
        size = spread**-2
        hand += stats.nbinom.logpmf(areas.events, size, size / (size + mean)).sum()
    assert total == pytest.approx(hand, rel=1e-11)


@pytest.mark.parametrize("family", ["poisson", "negative_binomial"])
def test_the_sampled_graph_is_the_one_to_inspect(family, pymc):  # noqa: ARG001
    """Data in two vectors or under their names give the same density and gradient."""
    from socgrad.nuts.graph import compact_model, full_data
    from socgrad.nuts.pymc_models import pymc_model

    model = GradientModel(small_areas("mixture"), family=family, priors=PRIORS)
    data = full_data(model, [likelihood_data(model)])
    named, compact = pymc_model(model), compact_model(model, data)
    rng = np.random.default_rng(3)
    point = {k: v + rng.normal(0, 0.1, np.shape(v)) for k, v in named.initial_point().items()}
    values = [graph.compile_logp(mode=interpreted())(point) for graph in (named, compact)]
    assert values[0] == pytest.approx(values[1], rel=1e-12)
    slopes = [graph.compile_dlogp(mode=interpreted())(point) for graph in (named, compact)]
    np.testing.assert_allclose(slopes[0], slopes[1], rtol=1e-10)


@pytest.mark.parametrize("family", ["poisson", "negative_binomial"])
def test_generator_has_the_moments_of_the_equation(family, pymc):
    """Counts and totals drawn at a fixed point have the means and variances that they should."""
    graph = build("mixture", {"family": family})
    fixed = {
        "intercept": np.array(-4.0),
        "within": np.array(0.5),
        "between": np.array(0.3),
        "cross_level": np.array(-0.05),
        "level_effect": np.zeros(12),
        "slope_effect": np.zeros(12),
    }
    if family == "negative_binomial":
        fixed["overdispersion"] = np.array(0.5)
    observed = [graph["events"], graph["total_events"]]
    free = pymc.do(graph, fixed)
    events, totals = pymc.draw(
        [free["events"], free["total_events"]], draws=4000, random_seed=np.random.default_rng(2)
    )
    assert len(observed) == 2
    model = GradientModel(small_areas("mixture"), family=family)
    seam, areas = constants(model), model.areas
    b = seam["between_part"].to_numpy()
    j = areas.authority_of_area
    level, slope = -4.0 + 0.3 * b, 0.5 - 0.05 * b
    mean = areas.exposure * np.exp(level[j] + slope[j] * seam["within_part"].to_numpy())
    variance = mean + (0.25 * mean**2 if family == "negative_binomial" else 0.0)
    known = ~np.isnan(areas.total_events)
    for drawn, m, v in (
        (events, mean[areas.counted], variance[areas.counted]),
        (totals, *(np.bincount(j, x)[known] for x in (mean, variance))),
    ):
        z = (drawn.mean(axis=0) - m) / np.sqrt(v / 4000)
        assert np.abs(z).max() < 4.5
        ratio = drawn.var(axis=0) / v
        assert ratio.mean() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize(
    ("known", "options"),
    [("mixture", {"shape": "tenths"}), ("counts", {"area_moderators": "~ kind"})],
    ids=["mixture", "counts"],
)
def test_localities_and_covariates_of_areas_by_hand(known, options, pymc):  # noqa: ARG001
    """Counts of localities, and totals of them, with covariates of areas and bends: by SciPy."""
    from socgrad.nuts.pymc_models import pymc_model

    frame = simulated_with_localities().frame
    kind = np.where(np.arange(len(frame)) % 3 == 0, "rural", "urban")
    areas = with_localities(frame.assign(kind=kind), known, covariates=("kind",))
    model = GradientModel(areas, localities=True, covariates="~ kind", priors=PRIORS, **options)
    graph = pymc_model(model)
    density = graph.compile_logp(vars=graph.observed_RVs, mode=interpreted())
    effects = graph.compile_fn(
        graph.replace_rvs_by_values([graph["level_effect"], graph["slope_effect"]]),
        inputs=graph.value_vars,
        mode=interpreted(),
        on_unused_input="ignore",
    )
    rng = np.random.default_rng(6)
    seam, totals = constants(model), ~np.isnan(areas.total_events)
    b, w = seam["between_part"].to_numpy(), seam["within_part"].to_numpy()
    j, m = areas.authority_of_area, areas.locality_of_area
    z, a = (
        columns.matrix[:, 0] if columns.names else np.zeros(len(w))
        for columns in (model.designs.covariates, model.designs.area_moderators)
    )
    for _ in range(2):
        start = graph.initial_point()
        point = {k: v + rng.normal(0, 0.2, np.shape(v)) for k, v in start.items()}
        u, v = effects(point)
        zeta, xi = point["covariate_coefficient"], point.get("area_moderator_coefficient", 0.0)
        sd = np.exp(point["locality_sd_interval__"])
        line = point["intercept"] + point["between"] * b + u
        turn = point["within"] + point["cross_level"] * b + v
        mean = areas.exposure * np.exp(line[j] + zeta * z + (turn[j] + xi * a) * w)
        if "shape" in options:
            mean *= np.exp(model.designs.named["departure"].matrix @ point["departure_coefficient"])
        size, expected = sd**-2, 0.0
        for one in np.unique(m[areas.counted]):
            y, mu = areas.events[m == one], mean[m == one]
            expected += stats.nbinom.logpmf(y.sum(), size, size / (size + mu.sum()))
            expected += stats.multinomial.logpmf(y, y.sum(), mu / mu.sum())
        sums = np.bincount(j, mean)[totals]
        squares = np.bincount(areas.authority_of_locality, np.bincount(m, mean) ** 2)[totals]
        phi = sums**2 / (sd**2 * squares)
        known_sums = areas.total_events[totals]
        expected += stats.nbinom.logpmf(known_sums, phi, phi / (phi + sums)).sum()
        assert float(density(point)) == pytest.approx(expected, rel=1e-9)


def test_generator_of_localities(pymc):
    """Areas of one locality share a factor when drawn; totals have its variance."""
    graph = build("mixture", {"localities": True})
    fixed = {
        name: np.array(value)
        for name, value in (
            ("intercept", -4.0),
            ("within", 0.5),
            ("between", 0.3),
            ("cross_level", -0.05),
            ("locality_sd", 0.5),
        )
    } | {name: np.zeros(12) for name in ("level_effect", "slope_effect")}
    free = pymc.do(graph, fixed)
    events, totals = pymc.draw(
        [free["events"], free["total_events"]], draws=4000, random_seed=np.random.default_rng(2)
    )
    model = GradientModel(small_localities("mixture"), localities=True, priors=PRIORS)
    seam, areas = constants(model), model.areas
    b, j = seam["between_part"].to_numpy(), areas.authority_of_area
    mean = areas.exposure * np.exp(
        (-4.0 + 0.3 * b)[j] + (0.5 - 0.05 * b)[j] * seam["within_part"].to_numpy()
    )
    here, m = areas.counted, areas.locality_of_area
    own = m[here] == m[here][0]
    assert own.sum() > 1
    together = np.cov(events[:, own].T)
    mu = mean[here][own]
    np.testing.assert_allclose(together, np.diag(mu) + 0.25 * np.outer(mu, mu), rtol=0.2, atol=1.0)
    known = ~np.isnan(areas.total_events)
    sums = np.bincount(areas.locality_of_area, mean)
    variance = np.bincount(j, mean) + 0.25 * np.bincount(areas.authority_of_locality, sums**2)
    ratio = totals.var(axis=0) / variance[known]
    assert ratio.mean() == pytest.approx(1, abs=0.05)


def test_effects_of_regions_are_normal(pymc):
    """Standardised by what counts say, they still are Normal(0, region_sd) before the counts."""
    from socgrad.nuts.pymc_models import pymc_model

    areas = with_regions(simulated_with_regions())
    graph = pymc_model(GradientModel(areas, regions=True))
    spreads = {"region_sd": 0.3, "level_sd": 0.2, "slope_sd": 0.1}
    fixed = pymc.do(graph, {name: np.array(value) for name, value in spreads.items()})
    region, level = pymc.draw(
        [fixed["region_effect"], fixed["level_effect"]],
        draws=4000,
        random_seed=np.random.default_rng(3),
    )
    assert region.shape == (4000, 8)
    for effects, sd in ((region, 0.3), (level, 0.2)):
        p = [stats.kstest(one, stats.norm(0, sd).cdf).pvalue for one in effects.T]
        # Of some twenty tests the smallest is below 0.0005 in one study of a hundred.
        assert min(p) > 5e-4
    apart = np.corrcoef(np.hstack([region, level]).T)
    assert np.abs(apart - np.eye(len(apart))).max() < 4.5 / np.sqrt(4000)
    point = graph.initial_point()
    density = graph.logp_dlogp_function(initial_point=point, ravel_inputs=True, mode=interpreted())
    value, gradient = density(np.concatenate([np.ravel(v) for v in point.values()]))
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


def test_regions_move_the_levels_of_their_authorities(pymc):  # noqa: ARG001
    """The counts' density is that of levels with the effect of their region."""
    from socgrad.nuts.pymc_models import pymc_model

    areas = with_regions(simulated_with_regions())
    graph = pymc_model(GradientModel(areas, regions=True))
    names = ("intercept", "within", "between", "cross_level")
    wanted = [graph[n] for n in ("level_effect", "slope_effect", "region_effect")]
    values = graph.compile_fn(
        graph.replace_rvs_by_values(wanted),
        inputs=graph.value_vars,
        mode=interpreted(),
        on_unused_input="ignore",
    )
    density = graph.compile_logp(vars=graph.observed_RVs, mode=interpreted())
    rng = np.random.default_rng(5)
    point = {k: v + rng.normal(0, 0.2, np.shape(v)) for k, v in graph.initial_point().items()}
    u, v, r = values(point)
    a, w, between, cross = (float(point[n]) for n in names)
    seam = constants(GradientModel(areas))
    b, j = seam["between_part"].to_numpy(), areas.authority_of_area
    level = a + between * b + u + r[areas.region_of_authority]
    slope = w + cross * b + v
    mean = areas.exposure * np.exp(level[j] + slope[j] * seam["within_part"].to_numpy())
    expected = stats.poisson.logpmf(areas.events, mean).sum()
    assert float(density(point)) == pytest.approx(expected, rel=1e-9)
