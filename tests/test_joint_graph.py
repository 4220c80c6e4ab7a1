"""The joint graph: its density against SciPy, its generators against the equation."""

import numpy as np
import pytest
from scipy import optimize, stats

from interpreted import interpreted
from joint_tables import alike, joint_strata, stage
from socgrad.model.compression import constants, likelihood_data
from socgrad.model.priors import Priors, rate_ratio
from socgrad.model.stratified_model import StratifiedModel
from years_tables import small

pytestmark = pytest.mark.mcmc

PRIORS = Priors(within=rate_ratio(1.65, interval=(1.5, 1.82)))
STAGES = {"many": stage(400, within=1.6), "few": stage(60, within=1.8)}


#: What steers the free variables of standard deviations and correlations.
STEERING = ("effect_place", "spread_mixing", "partial_mixing", "level_tilt")


def factor_of(partial):
    """Rows of the Cholesky factor from partial correlations, in the order of the triangle."""
    size = int((1 + np.sqrt(1 + 8 * len(partial))) / 2)
    root = np.eye(size, dtype=partial.dtype)
    for i, k, r in zip(*np.tril_indices(size, -1), partial, strict=True):
        root[i, k] = r * np.sqrt(1 - np.sum(root[i, :k] ** 2))
    for i in range(size):
        root[i, i] = np.sqrt(1 - np.sum(root[i, :i] ** 2))
    return root


def partials_of(correlations):
    """Partial correlations of a matrix, by the steps of Cholesky; complex numbers keep theirs."""
    size = len(correlations)
    root = np.zeros_like(correlations)
    for i in range(size):
        for k in range(i + 1):
            rest = correlations[i, k] - np.sum(root[i, :k] * root[k, :k])
            root[i, k] = np.sqrt(rest) if i == k else rest / root[k, k]
    rows = zip(*np.tril_indices(size, -1), strict=True)
    return np.array([root[i, k] / np.sqrt(1 - np.sum(root[i, :k] ** 2)) for i, k in rows])


def parts_of(raw, spread_scale, steering):
    """SDs of levels and slopes and their partial correlations, from the free variables."""
    place, spread_mixing, partial_mixing, tilt = steering
    effects, strata = len(spread_scale), len(tilt)
    x = spread_mixing @ raw[:effects]
    v = (x + np.sqrt(x**2 + 4)) / 2
    totals = spread_scale * v * np.exp(-0.5 / v**2)
    root = factor_of(np.tanh(partial_mixing @ raw[effects:] / 2))[place]
    covariance = totals[:, None] * (root @ root.T) * totals
    back = np.eye(effects)
    back[np.arange(strata), strata + np.arange(strata)] = -tilt
    covariance = back @ covariance @ back.T
    sds = np.sqrt(np.diag(covariance))
    return sds, partials_of(covariance / np.outer(sds, sds))


def raw_of(sds, correlations, spread_scale, steering):
    """The free variables of standard deviations and correlations of levels and slopes."""
    place, spread_mixing, partial_mixing, tilt = steering
    strata = len(tilt)
    forth = np.eye(len(sds))
    forth[np.arange(strata), strata + np.arange(strata)] = tilt
    covariance = forth @ (sds[:, None] * correlations * sds) @ forth.T
    totals = np.sqrt(np.diag(covariance))
    order = np.argsort(place)
    partial = partials_of((covariance / np.outer(totals, totals))[np.ix_(order, order)])
    x = [sd_position(*each) for each in zip(totals, spread_scale, strict=True)]
    return np.concatenate(
        [
            np.linalg.solve(spread_mixing, x),
            np.linalg.solve(partial_mixing, 2 * np.arctanh(partial)),
        ]
    )


def sd_position(value, scale):
    """The x of a standard deviation: log(sd / scale) = log v - 1 / (2 v**2), x = v - 1 / v."""
    v = optimize.brentq(lambda v: np.log(v) - 0.5 / v**2 - np.log(value / scale), 0.05, 50)
    return v - 1 / v


def model_of(**options):
    """Two strata in twelve authorities, of which half are known by totals."""
    made = joint_strata(
        STAGES, alike(2, 0.6, 0.5), authorities=12, areas=240, seed=4, totals="half"
    )
    return StratifiedModel(made.strata, authority_effects="joint", priors=PRIORS, **options)


def graph_of(**options):
    """The joint graph of the two strata."""
    from socgrad.nuts.pymc_models import pymc_model

    return pymc_model(model_of(**options))


@pytest.mark.parametrize("correlations", ["full", "factor"])
@pytest.mark.parametrize("terms", [{"deprivation": "pooled"}, {"curvature": True}], ids=str)
def test_initial_point_has_finite_density(correlations, terms):
    """Every variant starts where the log-density is finite."""
    graph = graph_of(correlations=correlations, **terms)
    assert np.isfinite(graph.compile_logp(mode=interpreted())(graph.initial_point()))


@pytest.mark.parametrize(
    ("correlations", "family"),
    [("full", "poisson"), ("factor", "poisson"), ("full", "negative_binomial")],
)
def test_density_equals_scipy_by_hand(correlations, family):
    """Priors, effects and counts add up to the density written out with SciPy, row by row."""
    from socgrad.nuts.graph_data import graph_data

    model = model_of(correlations=correlations, family=family)
    models = list(model.models.values())
    data = graph_data(models, [likelihood_data(one) for one in models])
    graph = graph_of(correlations=correlations, family=family)
    rng = np.random.default_rng(7)
    coefficient = np.array([-3.1, -5.0, 0.45, 0.6, 0.2, 0.3, -0.03, -0.06])
    level_sd, slope_sd = np.array([0.25, 0.35]), np.array([0.1, 0.15])
    centre, scale = (data[f"coefficient_{name}"].to_numpy() for name in ("centre", "scale"))
    # All priors but those of effects, each with the log Jacobian of its scale.
    sds, spread_prior = np.concatenate([level_sd, slope_sd]), np.array([0.5, 0.5, 0.25, 0.25])
    hand = np.sum(stats.halfnorm.logpdf(sds, scale=spread_prior))
    point = {"coefficients_raw": np.linalg.solve(scale, coefficient - centre)}
    mean, sd = (data[f"coefficient_{name}"].to_numpy() for name in ("mean", "sd"))
    crude = [float(each["prior_intercept"][0]) for each in map(likelihood_data, models)]
    prior = [PRIORS.within.mean] * 2
    assert mean == pytest.approx([*crude, *prior, 0.0, 0.0, 0.0, 0.0])
    assert sd == pytest.approx([1.5, 1.5, *[PRIORS.within.sd] * 2, 0.5, 0.5, 0.2, 0.2])
    # coefficient = centre + scale raw
    hand += stats.norm.logpdf(coefficient, mean, sd).sum() + np.linalg.slogdet(scale)[1]

    if correlations == "full":
        unit = rng.uniform(0.2, 0.8, 6)
        # LKJ(2), as betas of the partial correlations (Lewandowski et al. 2009, section 3.2).
        shape = 2 + (4 - 2 - np.tril_indices(4, -1)[1]) / 2
        hand += np.sum(stats.beta.logpdf(unit, shape, shape) + np.log(unit * (1 - unit)))
        loadings = factor_of(2 * unit - 1)
        steering = [data[name].to_numpy() for name in STEERING]
        point["covariance_raw"] = raw_of(sds, loadings @ loadings.T, spread_prior / 2, steering)
        derivatives = np.empty((10, 10))
        for k in range(10):
            step = point["covariance_raw"] + 1e-30j * np.eye(10)[k]
            moved, partial = parts_of(step, spread_prior / 2, steering)
            derivatives[:, k] = np.concatenate([moved, 2 * np.arctanh(partial)]).imag / 1e-30
        hand += np.linalg.slogdet(derivatives)[1]
    else:
        x = np.array([sd_position(*each) for each in zip(sds, spread_prior / 2, strict=True)])
        mixing = data["spread_mixing"].to_numpy()
        v = (x + np.sqrt(x**2 + 4)) / 2
        hand += np.log(sds / v).sum() + np.linalg.slogdet(mixing)[1]
        point["spreads_raw"] = np.linalg.solve(mixing, x)
        names = ("level_loading", "slope_loading", "factor_correlation", "own_correlation")
        units = {name: rng.uniform(0.2, 0.8, 1 if "factor" in name else 2) for name in names}
        for name, unit in units.items():
            value = np.log(unit / (1 - unit))
            point[f"{name}_unit_logodds__"] = value[0] if "factor" in name else value
            shape = 1 if "loading" in name else 2
            hand += np.sum(stats.beta.logpdf(unit, shape, shape) + np.log(unit * (1 - unit)))
        a, c, (r,), own = (2 * units[name] - 1 for name in names)
        la, lc = np.sqrt(1 - a**2), np.sqrt(1 - c**2)
        loadings = np.array(
            [
                [a[0], 0, la[0], 0, 0, 0],
                [a[1], 0, 0, la[1], 0, 0],
                [c[0] * r, c[0] * np.sqrt(1 - r**2), lc[0] * own[0], 0,
                 lc[0] * np.sqrt(1 - own[0] ** 2), 0],
                [c[1] * r, c[1] * np.sqrt(1 - r**2), 0, lc[1] * own[1],
                 0, lc[1] * np.sqrt(1 - own[1] ** 2)],
            ]
        )  # fmt: skip
    sds = np.concatenate([level_sd, slope_sd])
    covariance = sds[:, None] * (loadings @ loadings.T) * sds
    b = constants(models[0])["between_part"].to_numpy()
    expected = np.concatenate(
        [
            coefficient[[0, 1], None] + coefficient[[4, 5], None] * b,
            coefficient[[2, 3], None] + coefficient[[6, 7], None] * b,
        ]
    )
    # The standardised variables that give chosen effects, authority by authority, with NumPy:
    # components of levels given slopes, then those of slopes.
    turned = np.linalg.cholesky(covariance[np.ix_([2, 3, 0, 1], [2, 3, 0, 1])])
    root = np.block(
        [[turned[2:, 2:], turned[2:, :2]], [np.zeros((2, 2)), turned[:2, :2]]]
    )  # rows: levels, slopes
    x = rng.normal(size=(4, len(b)))
    effects = root @ x
    field = {name: data[name].to_numpy() for name in data}
    known0, known1, at, spread = (
        field[f"{name}"]
        for name in ("level_information", "slope_information", "centring_at", "centring_spread")
    )
    slope = field["centring_slope"] - expected[2:]
    off = slope / (1 + known1 * slope_sd[:, None] ** 2)
    total = field["centring_level"] - expected[:2] + at * slope - spread * off**2 / 2
    # At the slopes there are, the events say of levels what a parabola leaves.
    apart = effects[2:] - slope
    level = field["centring_level"] - expected[:2] - at * apart - spread * apart**2 / 2
    raw = np.empty_like(x)
    for j in range(len(b)):
        seen = np.vstack([root[:2] + at[:, [j]] * root[2:], root[2:]])
        weight = np.concatenate([known0[:, j], known1[:, j]])
        estimate = np.concatenate([total[:, j], slope[:, j]])
        factor = np.linalg.cholesky(np.eye(4) + seen.T @ (weight[:, None] * seen))
        raw[:, j] = factor.T @ x[:, j] - np.linalg.solve(factor, seen.T @ (weight * estimate))
        left = level[:, j] - root[:2, 2:] @ x[2:, j]
        own = np.linalg.cholesky(np.eye(2) + root[:2, :2].T @ (known0[:, [j]] * root[:2, :2]))
        raw[:2, j] = own.T @ x[:2, j]
        raw[:2, j] -= np.linalg.solve(own, root[:2, :2].T @ (known0[:, j] * left))
        hand += stats.norm.logpdf(x[:, j]).sum() - np.log(np.diag(factor)).sum()
    point["effects_raw"] = raw
    # That is the normal density of the effects themselves, but for the determinant of the loadings.
    by_effects = stats.multivariate_normal.logpdf(effects.T, cov=covariance).sum()
    by_components = stats.norm.logpdf(x).sum() - len(b) * np.linalg.slogdet(root)[1]
    assert by_effects == pytest.approx(by_components, rel=1e-10)

    log_level, log_slope = expected[:2] + effects[:2], expected[2:] + effects[2:]
    overdispersion = np.array([0.3, 0.5])
    if family == "negative_binomial":
        point["overdispersion_interval__"] = np.log(overdispersion)
        hand += np.sum(stats.halfnorm.logpdf(overdispersion, scale=0.5) + np.log(overdispersion))
    for s, one in enumerate(models):
        areas = one.areas
        j, within = areas.authority_of_area, constants(one)["within_part"].to_numpy()
        rates = areas.exposure * np.exp(log_level[s, j] + log_slope[s, j] * within)
        counted = areas.counted
        known = ~np.isnan(areas.total_events)
        sums = np.bincount(j, rates)[known]
        if family == "poisson":
            hand += stats.poisson.logpmf(areas.events[counted], rates[counted]).sum()
            hand += stats.poisson.logpmf(areas.total_events[known], sums).sum()
            continue
        r = overdispersion[s] ** 2
        share = 1 / (1 + r * rates[counted])
        hand += stats.nbinom.logpmf(areas.events[counted], 1 / r, share).sum()
        size = sums**2 / (r * np.bincount(j, rates**2)[known])
        hand += stats.nbinom.logpmf(areas.total_events[known], size, size / (size + sums)).sum()
    assert float(graph.compile_logp(mode=interpreted())(point)) == pytest.approx(hand, rel=1e-10)


@pytest.mark.parametrize(
    ("correlations", "family"),
    [("full", "poisson"), ("factor", "poisson"), ("full", "negative_binomial")],
)
def test_compact_graph_has_the_same_density(correlations, family):
    """The graph that is sampled, its data in two vectors, has the density of the one to read."""
    from socgrad.nuts.graph import compact_data, compact_model, full_data

    options = {"correlations": correlations, "family": family}
    model = model_of(**options)
    data = full_data(model, [likelihood_data(one) for one in model.models.values()])
    plain, compact = graph_of(**options), compact_model(model, data)
    # Another outcome has other distinct numbers of events: their length is free.
    by_number = {"distinct_events", "distinct_rows", "number_stratum"}
    assert set(compact_data(data)) == {"numbers", "positions"} | by_number
    point = plain.initial_point()
    rng = np.random.default_rng(3)
    point = {name: value + 0.1 * rng.normal(size=value.shape) for name, value in point.items()}
    assert set(compact.initial_point()) == set(point)
    found, expected = (
        float(one.compile_logp(mode=interpreted())(point)) for one in (compact, plain)
    )
    assert np.isfinite(expected)
    assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("correlations", "family"),
    [("full", "poisson"), ("factor", "poisson"), ("full", "negative_binomial")],
)
def test_gradient_is_that_of_the_density(correlations, family):
    """The gradient, through effects standardised in two stages, is the central difference."""
    graph = graph_of(correlations=correlations, family=family)
    point = graph.initial_point()
    rng = np.random.default_rng(5)
    point = {name: value + 0.1 * rng.normal(size=value.shape) for name, value in point.items()}
    # Value and gradient in one: compiling is what takes time.
    density = graph.logp_dlogp_function(ravel_inputs=True, mode=interpreted())
    density.set_extra_values({})
    at = np.concatenate([point[each.name].ravel() for each in graph.value_vars])
    direction, step = rng.normal(size=at.shape), 1e-5
    up, down = (float(density(at + sign * step * direction)[0]) for sign in (1, -1))
    assert density(at)[1] @ direction == pytest.approx((up - down) / (2 * step), rel=1e-6)


def test_prior_effects_have_the_loadings_moments():
    """Effects drawn from the prior have the variances and correlations of fixed loadings.

    The factor takes the effects best known first. Events say of slopes a quarter of what they say
    of levels (priors of SDs 0.25 and 0.5), times the variance of w; the many are 7 times the few.
    """
    import pymc as pm

    graph = graph_of()
    assert graph["effect_place"].get_value().tolist() == [0, 2, 1, 3]
    sds, correlations = np.array([0.3, 0.2, 0.1, 0.15]), np.eye(4)
    correlations[0, 2] = correlations[2, 0] = 0.8
    steering = [graph[name].get_value() for name in STEERING]
    raw = raw_of(sds, correlations, np.array([0.25, 0.25, 0.125, 0.125]), steering)
    free = pm.do(graph, {"coefficients_raw": np.zeros(8), "covariance_raw": raw})
    names = ("level_sd", "slope_sd", "level_slope_correlation", "level_effect", "slope_effect")
    *told, level, slope = pm.draw(
        [free[name] for name in names],
        draws=400,
        random_seed=np.random.default_rng(3),
        mode=interpreted(),
    )
    assert [each[0].tolist() for each in told[:2]] == [
        pytest.approx([0.3, 0.2]),
        pytest.approx([0.1, 0.15]),
    ]
    np.testing.assert_allclose(told[2][0], correlations[:2, 2:], atol=1e-12)
    # 400 draws of 12 authorities: standard errors of SDs 1%, of a correlation below 0.015.
    assert level.std(axis=(0, 2)) == pytest.approx([0.3, 0.2], rel=0.05)
    assert slope.std(axis=(0, 2)) == pytest.approx([0.1, 0.15], rel=0.05)
    pairs = np.corrcoef(np.concatenate([level, slope], axis=1).transpose(1, 0, 2).reshape(4, -1))
    assert pairs[0, 2] == pytest.approx(0.8, abs=0.03)
    assert np.abs(pairs[[0, 0, 1, 1, 2], [1, 3, 2, 3, 3]]).max() < 0.06


def test_prior_draws_are_from_the_stated_priors():
    """SDs drawn are half-normal and correlations betas, whatever steers the free variables."""
    import pymc as pm

    graph = graph_of()
    assert graph["level_tilt"].get_value().min() > 0.05
    names = ("level_sd", "slope_sd", "level_correlation", "level_slope_correlation")
    drawn = pm.draw(
        [graph[name] for name in names],
        draws=1000,
        random_seed=np.random.default_rng(8),
        mode=interpreted(),
    )
    for sd, scale in zip(drawn[:2], (0.5, 0.25), strict=True):
        for own in sd.T:
            assert stats.kstest(own, stats.halfnorm(scale=scale).cdf).pvalue > 1e-3
    # LKJ(2) of four effects: (r + 1) / 2 ~ Beta(2 + 4 / 2 - 1, the same)
    across = drawn[3].reshape(1000, 4).T
    for own in (drawn[2][:, 0, 1], *across):
        assert stats.kstest((own + 1) / 2, stats.beta(3, 3).cdf).pvalue > 1e-3


def test_generated_counts_have_the_mean_of_the_equation():
    """Counts and totals of both strata, drawn at fixed coefficients and effects, average right."""
    import pymc as pm

    model = model_of()
    graph = graph_of()
    fixed = {
        "intercept": np.array([-3.0, -5.0]),
        "within": np.array([0.4, 0.6]),
        "between": np.array([0.2, 0.3]),
        "cross_level": np.array([-0.05, 0.0]),
        "level_effect": np.zeros((2, 12)),
        "slope_effect": np.zeros((2, 12)),
    }
    free = pm.do(graph, fixed)
    events, totals = pm.draw(
        [free["events"], free["total_events"]],
        draws=1000,
        random_seed=np.random.default_rng(5),
        mode=interpreted(),
    )
    mean, sums = [], []
    for s, one in enumerate(model.models.values()):
        seam, areas = constants(one), one.areas
        b, j = seam["between_part"].to_numpy(), areas.authority_of_area
        level = fixed["intercept"][s] + fixed["between"][s] * b
        slope = fixed["within"][s] + fixed["cross_level"][s] * b
        rates = areas.exposure * np.exp(level[j] + slope[j] * seam["within_part"].to_numpy())
        mean.append(rates[areas.counted])
        sums.append(np.bincount(j, rates)[~np.isnan(areas.total_events)])
    for drawn, expected in ((events, np.concatenate(mean)), (totals, np.concatenate(sums))):
        z = (drawn.mean(axis=0) - expected) / np.sqrt(expected / 1000)
        assert np.abs(z).max() < 4.5


def test_years_that_are_tied_have_no_graph():
    """Drift of authorities, and national coefficients over years, are not left out in silence."""
    from socgrad import years
    from socgrad.errors import SpecificationError
    from socgrad.nuts.pymc_models import pymc_model

    _, panel = small()
    for given in (
        {"authority_effects": years.Drift(levels="random walk", slopes="random walk")},
        {"national": years.National(form="random walk")},
    ):
        model = StratifiedModel(panel, **({"authority_effects": "joint"} | given))
        with pytest.raises(SpecificationError, match=r"no graph in PyMC.*socgrad\.fit"):
            pymc_model(model)


def test_independent_strata_have_no_joint_graph():
    """A model of independent strata is refused, and told what it has instead."""
    from socgrad.errors import SpecificationError
    from socgrad.nuts.pymc_models import pymc_model

    independent = StratifiedModel(model_of().strata, priors=PRIORS)
    with pytest.raises(SpecificationError, match=r"has no graph of all strata.*pymc_model"):
        pymc_model(independent)


def test_mixing_holds_partial_correlations_of_copies_together():
    """Partial correlations with the first effect correlate as the others do, given the first."""
    from socgrad.nuts.correlations import partial_mixing

    # Effects 2 and 3 correlate by 0.9, each with the first by 0.5: given it, by
    # (0.9 - 0.25) / (1 - 0.25) = 0.8667. A single one is left for the second column.
    mixing = partial_mixing(np.array([[1, 0.5, 0.5], [0.5, 1, 0.9], [0.5, 0.9, 1]]))
    # Order: (2, 1), (3, 1), (3, 2).
    expected = [[1, 0.8667, 0], [0.8667, 1, 0], [0, 0, 1]]
    np.testing.assert_allclose(mixing @ mixing.T, expected, atol=1e-4)
    assert np.array_equal(mixing, np.tril(mixing))
