"""The block engine: densities, their derivatives, what Laplace misses, and draws."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import logsumexp

from combinations import Cell, model_of
from region_tables import NARROW, simulated_with_regions, with_regions
from socgrad.blocks import effects
from socgrad.blocks.authorities import evaluated
from socgrad.blocks.climbing import CLOSE, CLOSEST, started
from socgrad.blocks.compiled import evaluate
from socgrad.blocks.covariance import Bartlett, Factors, Partials, Structure
from socgrad.blocks.data import counts_of
from socgrad.blocks.effects import draw_effects
from socgrad.blocks.marginal import Found, State
from socgrad.blocks.mode import mode
from socgrad.blocks.pilot import pilot
from socgrad.blocks.segments import (
    COARSENED,
    CONSTRAINT,
    LOCALITY,
    MASS,
    OVERDISPERSED,
    SHARED,
    TOTAL,
    Rows,
)
from socgrad.blocks.totals import Totals
from socgrad.engines.blocks import BLOCKS
from socgrad.engines.quadrature import QUADRATURE
from socgrad.engines.task import Task
from socgrad.fitting import fit
from socgrad.laplace.preparation import prepared
from socgrad.laws.kernels import OPEN, Kernels
from socgrad.model.compression import likelihood_data
from socgrad.model.gradient_model import GradientModel
from socgrad.model.terms import model_terms
from socgrad.nuts.options import NutsOptions
from socgrad.simulation.england import simulate
from socgrad.table.areas import Areas
from socgrad.tables.diagnostics import check_sampling
from tables import small_areas

AUTHORITIES, STRATA = 6, 11
EFFECTS = 2 * STRATA
# Of areas, and of localities.
SPREAD = np.zeros((STRATA, 2))
SPREAD[[1, 4, 6, 10], 0] = 0.2, 0.25, 0.3, 0.15
SPREAD[[2, 9, 10], 1] = 0.3, 0.4, 0.45
#: Strata of which something coarser was published.
HIDDEN = (5, 6)
KINDS = (
    MASS,
    OVERDISPERSED,
    LOCALITY,
    TOTAL,
    TOTAL,
    COARSENED,
    COARSENED,
    TOTAL,
    CONSTRAINT,
    SHARED,
    SHARED,
)
# Suppressed; at least 4; rounded at random to 3; a total rounded to 5.
LOW, HIGH = np.array([1, 4, 1, 28]), np.array([5, OPEN, 5, 32])
WEIGHT = np.array([1, 2, 3, 2, 1]) / 3.0
FIRST_WEIGHT = np.array([-1, -1, 0, -1])
REGIONS = {"alone": [], "in regions": [0, 2, AUTHORITIES]}


class Mixture:
    """A stratum of each law, for six authorities; one has no counts in two of them."""

    def __init__(self, regions):
        rng = np.random.default_rng(1)
        names = ("kind", "events", "kernel", "within", "offset", "own", "published", "square")
        made = {name: [] for name in names}
        first, rows, squares = [0], [0], [0]
        linear = np.zeros((AUTHORITIES, STRATA, 2))
        is_total = np.zeros((AUTHORITIES, STRATA), dtype=bool)
        for j, b in np.ndindex(AUTHORITIES, STRATA):
            if j == 5 and b in (0, 3):
                first.append(len(made["kind"]))
                continue
            n = 12
            w, offset = 0.8 * rng.normal(size=n), np.log(rng.uniform(1, 4, n))
            y = rng.poisson(np.exp(offset + 0.1 + 0.4 * w)).astype(float)
            if KINDS[b] == CONSTRAINT:
                y = rng.normal(size=n) / np.arange(1.0, n + 1.0) ** 3
            kind = KINDS[b]
            ends = (0, 5, n) if kind in (LOCALITY, SHARED) else (0, n)
            is_total[j, b] = kind == TOTAL
            if kind not in (TOTAL, CONSTRAINT) and b not in HIDDEN:
                linear[j, b] = y.sum(), y @ w
            begin = rows[-1]
            for low, high in itertools.pairwise(ends):
                made["kind"].append(kind)
                made["events"].append(y[low:high].sum())
                made["kernel"].append(3 if b == 7 else -1)
                rows.append(begin + high)
                made["square"] += list(w) * (b == 4)
                squares.append(len(made["square"]))
            published = np.arange(n) % 3
            if b == 1:
                published = np.full(n, -1)
            elif kind == SHARED:
                published = np.where(np.arange(n) % 2, published, -1)
                linear[j, b] = (y * (published < 0)).sum(), (y * (published < 0)) @ w
                y = np.where(published < 0, y, 0.0)
            every = (("within", w), ("offset", offset), ("own", y), ("published", published))
            for name, values in every:
                made[name] += list(values)
            first.append(len(made["kind"]))
        self.rows = Rows(
            first_segment=np.array(first),
            kind=np.array(made["kind"]),
            first_row=np.array(rows),
            first_square=np.array(squares),
            events=np.array(made["events"]),
            kernel=np.array(made["kernel"]),
            within=np.array(made["within"]),
            row_events=np.array(made["own"]),
            row_kernel=np.array(made["published"]),
            square_within=np.array(made["square"]),
            linear=linear,
            is_total=is_total,
            kernels=Kernels(LOW, HIGH, FIRST_WEIGHT, WEIGHT),
            slopes=np.tile([-1.0, 2.0], (STRATA, 1)),
        )
        self.offset = np.array(made["offset"])
        self.square_offset = rng.uniform(0, 1, len(made["square"]))
        self.mean = 0.1 * rng.normal(size=(AUTHORITIES, EFFECTS))
        root = 0.2 * np.tril(rng.normal(size=(EFFECTS, EFFECTS))) + np.eye(EFFECTS)
        self.precision = 5.0 * root @ root.T
        self.region_precision = np.array([4.0, 6.0, 8.0, 5.0, 3.0, 4.0, 7.0, 6.0, 5.0, 4.0, 6.0])
        self.spread = SPREAD.copy()
        self.first_member = np.array(regions or [0], dtype=np.int64)

    def at(self, **moved):
        """Log marginal with some of the inputs moved, and its derivatives."""
        given = {name: moved.get(name, getattr(self, name)) for name in self.__dict__}
        size = (AUTHORITIES, EFFECTS)
        found = {
            "mean": np.zeros(size),
            "precision": np.zeros((1, EFFECTS, EFFECTS)),
            "spread": np.zeros((STRATA, 2)),
            "region_precision": np.zeros(STRATA),
            "offset": np.zeros(len(self.offset)),
            "square_offset": np.zeros(len(self.square_offset)),
        }
        regions = len(self.first_member) - 1
        member = np.arange(AUTHORITIES if regions else 0)
        told = np.zeros((0, STRATA, 5))
        value = evaluated(
            self.rows, given["offset"], given["square_offset"], given["mean"],
            given["precision"][None], np.zeros(AUTHORITIES, dtype=np.int64), given["spread"],
            given["region_precision"], member, self.first_member, given["mean"].copy(),
            np.zeros((regions, STRATA)), told, told, 1e-18, 2, *found.values(),
            np.zeros((*size, EFFECTS)), np.zeros((regions, STRATA, STRATA)),
        )  # fmt: skip
        return value, found


@pytest.fixture(scope="module", params=REGIONS)
def mixture(request):
    """All laws, authorities by themselves or in two regions."""
    return Mixture(REGIONS[request.param])


def difference(function, step=1e-5):
    """A central difference at zero."""
    return (function(step) - function(-step)) / (2 * step)


@pytest.mark.parametrize("name", ["mean", "offset", "square_offset"])
def test_derivatives_by_means_and_offsets(mixture, name):
    """Those by a population's means, and by the offset of any row of any law."""
    values = getattr(mixture, name)
    found = mixture.at()[1][name].ravel()
    rng = np.random.default_rng(2)
    for k in rng.choice(values.size, 12, replace=False):

        def moved(step, k=k):
            changed = values.copy()
            changed.ravel()[k] += step
            return mixture.at(**{name: changed})[0]

        assert found[k] == pytest.approx(difference(moved), abs=2e-5)


def test_derivatives_by_the_precision(mixture):
    """In random symmetric directions, log determinants left out."""
    found = mixture.at()[1]["precision"][0]
    rng = np.random.default_rng(3)
    for _ in range(3):
        away = rng.normal(size=(EFFECTS, EFFECTS))
        away = away + away.T
        expected = difference(lambda h, a=away: mixture.at(precision=mixture.precision + h * a)[0])
        assert (found * away).sum() == pytest.approx(expected, abs=2e-5)


def test_derivatives_by_spreads(mixture):
    """By the log of each stratum's squared variation, and by precisions of regions."""
    _, found = mixture.at()
    for k in np.flatnonzero(SPREAD):
        unit = np.eye(SPREAD.size)[k].reshape(SPREAD.shape)
        expected = difference(lambda h, u=unit: mixture.at(spread=SPREAD * np.exp(h * u))[0])
        assert found["spread"].ravel()[k] == pytest.approx(expected, abs=2e-5)
    for b in range(STRATA):
        unit, now = np.eye(STRATA)[b], mixture.region_precision
        expected = difference(lambda h, u=unit, p=now: mixture.at(region_precision=p + h * u)[0])
        assert found["region_precision"][b] == pytest.approx(expected, abs=2e-5)


STRUCTURES = (
    Partials(
        np.zeros(4), np.array([0.5, 0.5, 0.25, 0.25]), 2.0, np.full(4, 0.02), np.array([2, 0, 3, 1])
    ),
    Bartlett(np.zeros(4), np.array([0.5, 0.5, 0.25, 0.25]), 2.0),
    Totals(
        np.zeros(4),
        np.array([0.5, 0.5, 0.25, 0.25]),
        2.0,
        np.full(4, 0.1),
        np.array([0.6, 0.9]),
        np.array([[3.0, 0.0], [-12.0, 16.0]]),
    ),
)


def spread_of(structure, x, step=1e-6):
    """Log determinant of the change from points to the covariance's lower triangle."""
    low = np.tril_indices(4)
    columns = [
        (structure.covariance(x + step * e) - structure.covariance(x - step * e))[low] / (2 * step)
        for e in np.eye(structure.size)
    ]
    return np.linalg.slogdet(np.array(columns))[1]


def test_one_prior_on_three_scales():
    """Partial correlations, Bartlett's factor and that of totals: one density of covariances."""
    rng = np.random.default_rng(4)
    apart = []
    for _ in range(4):
        draws = rng.normal(size=(4, 20))
        covariance = draws @ draws.T * 0.0025
        densities = []
        for structure in STRUCTURES:
            x = structure.point(covariance)
            np.testing.assert_allclose(structure.covariance(x), covariance, rtol=1e-10)
            densities.append(float(structure.log_prior(x)) - spread_of(structure, x))
        apart.append(np.array(densities) - densities[0])
    np.testing.assert_allclose(apart, [apart[0]] * 4, atol=1e-6)


@pytest.mark.parametrize("structure", STRUCTURES[:2], ids=["partials", "Bartlett"])
def test_derivatives_written_out_are_those_of_complex_steps(structure):
    """By a covariance and of the prior, at points on both sides of where they are mirrored."""
    rng = np.random.default_rng(5)
    for _ in range(3):
        x = 0.8 * rng.normal(size=structure.size)
        slope = rng.normal(size=(4, 4))
        slope = slope + slope.T
        by_steps = Structure.by_covariance(structure, x, slope)
        np.testing.assert_allclose(structure.by_covariance(x, slope), by_steps, rtol=1e-9)
        pull = Structure.pull(structure, x)
        np.testing.assert_allclose(structure.pull(x), pull, rtol=1e-9, atol=1e-12)


def test_two_factors_by_hand():
    """Levels of two strata correlate by the product of their loadings, and across by r too."""
    structure = Factors(np.zeros(4), np.ones(4), 2.0, np.ones(4))
    a, c, own, r = (0.8, 0.5), (0.6, -0.4), (0.3, 0.1), -0.2
    x = np.concatenate([np.full(4, np.arcsinh(1.0 - 1e-5)), np.arctanh([*a, *c, *own, r])])
    found = structure.covariance(x)
    assert found[0, 0] == pytest.approx(1.0)
    assert found[0, 1] == pytest.approx(0.8 * 0.5)
    assert found[2, 3] == pytest.approx(0.6 * -0.4)
    assert found[0, 3] == pytest.approx(-0.2 * 0.8 * -0.4)
    left = 0.3 * np.sqrt((1 - 0.8**2) * (1 - 0.6**2))
    assert found[0, 2] == pytest.approx(-0.2 * 0.8 * 0.6 + left)


def task_of(model, draws=250):
    """A task of one stratum."""
    options = NutsOptions(draws, 1, 4, 1, 0.9, 3, progress=False)
    return Task((model,), (likelihood_data(model),), options)


@pytest.mark.parametrize("family", ["poisson", "negative_binomial"])
def test_the_marginal_is_that_of_quadrature(family):
    """Between two points the marginal changes as adaptive quadrature says, once corrected."""
    model = GradientModel(small_areas(overdispersion=0.4), family=family)
    (data,) = task_of(model).data
    terms = model_terms(model)
    ready = pilot([model], [terms], counts_of([model], [terms], [data]), **MIXED)
    at = mode(ready.marginal, ready.point)
    marginal, other = at.marginal, prepared(model, data).marginal
    rng = np.random.default_rng(5)
    points = at.point + 0.7 * rng.normal(size=(2, len(at.point))) @ at.root.T
    shared = marginal.coordinates.shared(points)
    sds = np.sqrt(np.einsum("nkk->nk", shared.covariance))
    values = {
        "level_sd": sds[:, 0],
        "slope_sd": sds[:, 1],
        "correlation": shared.covariance[:, 0, 1] / sds[:, 0] / sds[:, 1],
        "overdispersion": shared.spread[:, 0, 0],
    } | {
        each.name: shared.coefficients[:, k, 0]
        for k, each in enumerate(marginal.coordinates.coefficients)
    }
    theirs = coordinates_at(other.coordinates, values)
    ours = marginal.values(points) - marginal.coordinates.log_prior(points)
    expected = other.log_likelihood(theirs, 0, (13, 13))
    many = [draw_effects(marginal, x[None], np.array([400]), rng).log_weight for x in points]
    missed = [np.log(np.mean(np.exp(each))) for each in many]
    error = np.sqrt(sum(np.var(each) / len(each) for each in many))
    assert np.diff(ours + missed) == pytest.approx(np.diff(expected), abs=4.5 * error + 2e-3)


def test_one_pair_of_candidates_is_enough_where_two_hardly_vary(monkeypatch):
    """Weights vary more and say the same, and so do effects; how much they vary is seen."""
    model = GradientModel(small_areas())
    terms, data = model_terms(model), likelihood_data(model)
    ready = pilot([model], [terms], counts_of([model], [terms], [data]), **MIXED)
    at = mode(ready.marginal, ready.point)
    rng = np.random.default_rng(4)
    points = at.point + 0.5 * rng.normal(size=(300, len(at.point))) @ at.root.T
    made = []
    for quiet in (0.0, np.inf):
        monkeypatch.setattr(effects, "_QUIET", quiet)
        drawn = draw_effects(at.marginal, points, np.full(300, 100), np.random.default_rng(6))
        weight, noise = (each.reshape(300, 100)[25:] for each in (drawn.log_weight, drawn.noise))
        own = weight.var(axis=1, ddof=1)
        # Two pairs tell their variance themselves, somewhat too low; of one it is that of draws.
        assert noise.mean() == pytest.approx(own.mean(), rel=1e-9 if quiet else 0.3)
        assert not quiet or noise.std() < 1e-12
        missed = logsumexp(weight, axis=1) - np.log(100)
        made.append((missed, own, drawn.effects.reshape(300, 100, *drawn.effects.shape[1:])[25:]))
    (two, of_two, pairs), (one, of_one, single) = made
    assert 1.5 < of_one.mean() / of_two.mean() < 3.0
    np.testing.assert_allclose(one, two, atol=5 * np.sqrt((of_one + of_two).max() / 100))
    apart = np.hypot(pairs.std(axis=1), single.std(axis=1)) / np.sqrt(100)
    assert (np.abs(pairs.mean(axis=1) - single.mean(axis=1)) < 5 * apart).all()


@pytest.mark.parametrize("close", [CLOSE, CLOSEST])
def test_weights_of_regions_are_of_the_values_that_they_correct(close):
    """However near the modes are sought: a value is the same with derivatives, and once corrected.

    The draws of regions need the derivatives' matrices, the values that weigh points do not.
    """
    model = GradientModel(with_regions(simulated_with_regions()), regions=True, priors=NARROW)
    terms, data = model_terms(model), likelihood_data(model)
    ready = pilot([model], [terms], counts_of([model], [terms], [data]), **MIXED)
    # Two standard deviations from the mode, so that modes of effects are sought from afar.
    at = mode(ready.marginal, ready.point)
    x = at.point + 2.0 * at.root @ np.ones(len(at.point)) / np.sqrt(len(at.point))
    marginal, one = replace(at.marginal, close=close), at.marginal.at(x)
    values = [
        evaluate(marginal, one, marginal.start.copy(), Found.of(marginal, want), want)
        for want in (0, 1)
    ]
    assert values[0] == values[1]
    reached = [
        each.value(x) + float(logsumexp(drawn.log_weight) - np.log(400))
        for each in (marginal, at.marginal)
        for drawn in [draw_effects(each, x[None], np.array([400]), np.random.default_rng(2))]
    ]
    assert reached[0] == pytest.approx(reached[1], abs=0.02)


MIXED = {"correlations": "full", "normal": False}


def coordinates_at(coordinates, values):
    """Points of the quadrature engine at values of parameters, by its own inverse."""
    from scipy.special import ndtri

    columns = []
    for name, bend in zip(coordinates.names, coordinates.bend, strict=True):
        value = values[name]
        if name in ("level_sd", "slope_sd", "overdispersion"):
            columns.append(np.arcsinh(value / bend))
        elif name == "correlation":
            columns.append(ndtri((value + 1) / 2))
        else:
            columns.append(value)
    return np.stack(columns, axis=1)


def test_modes_are_sought_from_where_counts_say():
    """One Newton step, by hand; where a search begins changes no density and no derivative."""
    model = GradientModel(small_areas())
    terms, data = model_terms(model), likelihood_data(model)
    ready = pilot([model], [terms], counts_of([model], [terms], [data]), **MIXED)
    at = mode(ready.marginal, ready.point)
    marginal, start = at.marginal, at.marginal.start
    x = at.point + at.root @ np.linspace(-1.0, 1.0, len(at.point))
    there = marginal.at(x)
    q, told = there.precision[0], start.told
    n = 2
    room = (*[np.zeros(n) for _ in range(5)], np.zeros((n, n)), *[np.zeros(n) for _ in range(5)])
    moved = 0.0
    for j, mean in enumerate(there.mean):
        v = start.modes[j].copy()
        started(j, mean, q, told, v, room)
        first, (ll, ls, ss) = told[j, 0, :2], told[j, 0, 2:]
        gradient = first - q @ (start.modes[j] - mean)
        step = np.linalg.solve(q - np.array([[ll, ls], [ls, ss]]), gradient)
        np.testing.assert_allclose(v, start.modes[j] + step, rtol=1e-9, atol=1e-12)
        moved = max(moved, np.abs(step).max())
    assert moved > 0.01
    value, gradient = marginal.gradient(x)
    untold = marginal.gradient(x, State(start.modes.copy(), start.regions.copy()))
    assert untold[0] == pytest.approx(value, abs=1e-8)
    np.testing.assert_allclose(untold[1], gradient, rtol=1e-7, atol=1e-7)


def test_draws_are_those_of_quadrature():
    """Means of parameters and effects agree within Monte Carlo error; sds within a tenth."""
    task = task_of(GradientModel(small_areas()), draws=500)
    one, two = BLOCKS.sample(task), QUADRATURE.sample(task)
    assert one.doubt == ""
    assert one.vouched["importance_ess"] > 500
    assert one.vouched["laplace_error"] < 0.1
    size = 1 / one.vouched["importance_ess"] + 1 / two.vouched["importance_ess"]
    for name, theirs in two.posterior.data_vars.items():
        ours = one.posterior[name]
        sd = theirs.std(("chain", "draw"))
        z = (ours.mean(("chain", "draw")) - theirs.mean(("chain", "draw"))) / (sd * np.sqrt(size))
        assert float(np.abs(z).max()) < 4.5, name
        assert float(np.abs(ours.std(("chain", "draw")) / sd - 1).max()) < 0.2, name


def test_a_mode_far_off_is_found():
    """With millions of events a spline's mode is hundreds of standard deviations from the start."""
    table = simulate(authorities=30, areas=600, random_seed=1).frame
    table["children"] *= 200
    relative = table["deprivation"] / table["deprivation"].mean()
    rise = 4 * (table["deprivation"] - table["deprivation"].mean())
    expected = 0.05 * table["children"] * np.exp(rise + np.log(relative) - (relative - 1))
    areas = Areas.from_frame(
        table.assign(events=np.random.default_rng(2).poisson(expected)), area="area",
        authority="authority", events="events", children="children", deprivation="deprivation",
        complete=True,
    )  # fmt: skip
    drawn = BLOCKS.sample(task_of(GradientModel(areas, shape="spline"), draws=250))
    assert drawn.doubt == ""
    assert drawn.vouched["importance_ess"] > 400


@pytest.mark.parametrize("feature", ["plain", "localities"])
def test_joint_strata_of_few_authorities_need_no_sampler(feature):
    """Eighteen, in two strata: the weights are even enough (k-hat of localities was 0.77)."""
    model = model_of(Cell(feature, strata="joint"))
    tree = fit(model, method="laplace", draws=500, random_seed=3, progress=False)
    assert check_sampling(tree).converged
