"""Compressed likelihoods against SciPy, row by row."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from scipy.special import gammaln, loggamma

from interpreted import interpreted
from locality_tables import small_localities
from socgrad.laws import localities, negative_binomial, poisson
from socgrad.model.compression import constants, likelihood_data
from socgrad.model.gradient_model import GradientModel
from socgrad.model.priors import Priors, rate_ratio
from tables import small_areas

PRIORS = Priors(within=rate_ratio(1.65, interval=(1.5, 1.82)))


def authorities(model, seed, spread=0.4):
    """Levels and slopes at random around plausible values."""
    rng = np.random.default_rng(seed)
    n = len(model.areas.authority)
    return rng.normal(-4, spread, n), rng.normal(0.5, spread, n)


def rows(model, level, slope):
    """Expected events of every area."""
    seam = constants(model)
    j = seam["authority_of_area"].to_numpy()
    return model.areas.exposure * np.exp(level[j] + slope[j] * seam["within_part"].to_numpy())


def compressed(data, level, slope, overdispersion=None, xp=np):
    """The compressed log-likelihood, counts and totals together."""
    total = 0.0
    if "count_events" in data:
        j, i = data["count_authority"].to_numpy(), data["row_authority"].to_numpy()
        sums = {n: data[f"count_{n}"].to_numpy() for n in ("events", "events_within", "constant")}
        if overdispersion is None:
            nodes = {n: data[f"count_{n}"].to_numpy() for n in ("node_within", "node_exposure")}
            total += poisson.counts(level[j], slope[j], **sums, **nodes, xp=xp)
        else:
            names = (
                "row_events",
                "row_within",
                "row_log_exposure",
                "distinct_events",
                "distinct_rows",
            )
            total += negative_binomial.counts(
                level[j],
                slope[j],
                overdispersion,
                row_level=level[i],
                row_slope=slope[i],
                **sums,
                **{n: data[n].to_numpy() for n in names},
                xp=xp,
            )
    if "sum_events" in data:
        j = data["sum_authority"].to_numpy()
        names = ("events", "node_within", "node_exposure", "constant")
        sums = {n: data[f"sum_{n}"].to_numpy() for n in names}
        if overdispersion is None:
            total += poisson.totals(level[j], slope[j], **sums, xp=xp)
        else:
            total += negative_binomial.totals(
                level[j],
                slope[j],
                overdispersion,
                **sums,
                square_within=data["square_node_within"].to_numpy(),
                square_exposure=data["square_node_exposure"].to_numpy(),
                xp=xp,
            )
    return float(total) if xp is np else total


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), kind=st.sampled_from(["counts", "totals", "mixture"]))
def test_poisson_equals_scipy_row_by_row(seed, kind):
    """Counts and totals have SciPy's Poisson log-probability to 1e-9."""
    model = GradientModel(small_areas(kind), priors=PRIORS)
    data = likelihood_data(model)
    level, slope = authorities(model, seed)
    mean, areas = rows(model, level, slope), model.areas
    known = ~np.isnan(areas.total_events)
    sums = np.bincount(areas.authority_of_area, mean)[known]
    by_row = stats.poisson.logpmf(areas.events[areas.counted], mean[areas.counted]).sum()
    by_row += stats.poisson.logpmf(areas.total_events[known], sums).sum()
    assert compressed(data, level, slope) == pytest.approx(by_row, rel=1e-9)


@settings(max_examples=20)
@given(
    seed=st.integers(0, 10_000),
    kind=st.sampled_from(["counts", "totals", "mixture"]),
    overdispersion=st.floats(0.05, 1.5),
)
def test_negative_binomial_equals_scipy_row_by_row(seed, kind, overdispersion):
    """So with gamma effects; totals have the moments of the sum of their neighbourhoods."""
    model = GradientModel(small_areas(kind), family="negative_binomial", priors=PRIORS)
    data = likelihood_data(model)
    level, slope = authorities(model, seed)
    mean, areas = rows(model, level, slope), model.areas
    known = ~np.isnan(areas.total_events)

    def logpmf(events, mean, variance):
        size = mean**2 / (variance - mean)
        return stats.nbinom.logpmf(events, size, size / (size + mean)).sum()

    area_variance = mean + overdispersion**2 * mean**2
    here = areas.counted
    by_row = logpmf(areas.events[here], mean[here], area_variance[here])
    sums = np.bincount(areas.authority_of_area, mean)[known]
    variances = np.bincount(areas.authority_of_area, area_variance)[known]
    by_row += logpmf(areas.total_events[known], sums, variances)
    assert compressed(data, level, slope, overdispersion) == pytest.approx(by_row, rel=1e-8)


def test_negative_binomial_becomes_poisson():
    """Without overdispersion the negative binomial is the Poisson, to rounding error."""
    model = GradientModel(small_areas(), family="negative_binomial")
    data = likelihood_data(model)
    level, slope = authorities(model, 5)
    assert compressed(data, level, slope, 1e-7) == pytest.approx(
        compressed(data, level, slope), abs=1e-6
    )


def test_scaling_exposure_moves_only_the_level():
    """Children × k with the level lowered by log k leaves the likelihood as it was."""
    model = GradientModel(small_areas())
    k = 7.0
    scaled = GradientModel(dataclasses.replace(model.areas, exposure=k * model.areas.exposure))
    level, slope = authorities(model, 6)
    assert compressed(likelihood_data(scaled), level - np.log(k), slope) == pytest.approx(
        compressed(likelihood_data(model), level, slope), rel=1e-12
    )


def by_row(model, level, slope, spread):
    """The log-likelihood row by row, up to a constant, from complex levels and slopes too."""
    areas, seam = model.areas, constants(model)
    j, within = areas.authority_of_area, seam["within_part"].to_numpy()
    mean = areas.exposure * np.exp(level[j] + slope[j] * within)
    known = ~np.isnan(areas.total_events)
    here, events = areas.counted, areas.events[areas.counted]

    def summed(values):
        sums = np.zeros(len(level), dtype=values.dtype)
        np.add.at(sums, j, values)
        return sums[known]

    totals, sums = areas.total_events[known], summed(mean)
    if spread is None:
        value = (events * np.log(mean[here]) - mean[here]).sum()
        return value + (totals * np.log(sums) - sums).sum()
    r = spread**2
    value = (events * np.log(mean[here]) - (events + 1 / r) * np.log(1 + r * mean[here])).sum()
    # phi of each total depends on the means, so its gamma functions do too.
    phi = sums**2 / (r * summed(mean**2))
    value += (loggamma(totals + phi) - loggamma(phi)).sum()
    return value + (totals * np.log(sums / phi) - (totals + phi) * np.log(1 + sums / phi)).sum()


@pytest.fixture(scope="module")
def gradients():
    """Gradients by levels and slopes, as PyTensor derives them, by kind of counts and family."""
    # Importing PyTensor raises the recursion limit, which hypothesis minds within a test.
    pytest.importorskip("socgrad.nuts.pymc_quietly")
    return {}


@pytest.mark.mcmc
@pytest.mark.parametrize("family", ["poisson", "negative_binomial"])
@pytest.mark.parametrize("kind", ["counts", "totals", "mixture"])
@settings(max_examples=15)
@given(seed=st.integers(0, 10_000), overdispersion=st.floats(0.1, 1.2))
def test_gradient_equals_that_row_by_row(gradients, kind, family, seed, overdispersion):
    """The gradient of the compressed form is the row by row one to 1e-9, by complex steps."""
    from socgrad.nuts.pymc_quietly import pm, pt

    model = GradientModel(small_areas(kind), family=family, priors=PRIORS)
    spread = overdispersion if family == "negative_binomial" else None
    if (kind, family) not in gradients:
        levels, slopes, phi = pt.dvector(), pt.dvector(), pt.dscalar()
        value = compressed(
            likelihood_data(model), levels, slopes, phi if spread is not None else None, xp=pt
        )
        inputs = [levels, slopes, phi]
        outputs = pt.grad(value, inputs[:2])
        gradients[kind, family] = pm.compile(
            inputs, outputs, mode=interpreted(), on_unused_input="ignore"
        )
    level, slope = authorities(model, seed)
    found = np.concatenate(gradients[kind, family](level, slope, overdispersion))
    n, step = len(level), 1e-30
    exact = np.empty(2 * n)
    for k in range(2 * n):
        # A complex step has no cancellation: it is exact to rounding error.
        point = np.concatenate([level, slope]).astype(complex)
        point[k] += step * 1j
        exact[k] = by_row(model, point[:n], point[n:], spread).imag / step
    np.testing.assert_allclose(found, exact, rtol=1e-9, atol=1e-9 * np.abs(exact).max())


def with_localities(data, level, slope, locality_sd):
    """The compressed log-likelihood of counts whose localities share a factor."""
    j, g = (data[f"{name}_authority"].to_numpy() for name in ("count", "locality"))
    names = ("events", "events_within", "constant")
    return localities.counts(
        level[j],
        slope[j],
        locality_sd,
        locality_level=level[g],
        locality_slope=slope[g],
        **{n: data[f"count_{n}"].to_numpy() for n in names},
        locality_events=data["locality_events"].to_numpy(),
        locality_within=data["locality_node_within"].to_numpy(),
        locality_exposure=data["locality_node_exposure"].to_numpy(),
        distinct_events=data["distinct_events"].to_numpy(),
        distinct_rows=data["distinct_rows"].to_numpy(),
        xp=np,
    )


def test_a_locality_of_three_areas_by_numerical_integration():
    """The closed form is the integral of three Poisson probabilities over their shared factor."""
    events, w = np.array([2.0, 0.0, 5.0]), np.array([-0.5, 0.2, 1.1])
    exposure, level, slope, sd = np.array([300.0, 250.0, 400.0]), -4.8, 0.6, 0.45
    mean = exposure * np.exp(level + slope * w)
    shape = sd**-2

    def integrand(factor):
        return stats.gamma.pdf(factor, shape, scale=1 / shape) * np.prod(
            stats.poisson.pmf(events, factor * mean)
        )

    expected, error = integrate.quad(integrand, 0, 8, points=[0.5, 1.0, 2.0], epsabs=1e-14)
    reached = localities.counts(
        np.array([level]),
        np.array([slope]),
        sd,
        locality_level=np.array([level]),
        locality_slope=np.array([slope]),
        events=np.array([7.0]),
        # 2 * -0.5 + 0 * 0.2 + 5 * 1.1
        events_within=np.array([4.5]),
        locality_events=np.array([7.0]),
        locality_within=w[None],
        locality_exposure=exposure[None],
        # One locality of 7 events.
        distinct_events=np.array([7.0]),
        distinct_rows=np.ones(1),
        constant=float((events * np.log(exposure) - gammaln(events + 1)).sum()),
        xp=np,
    )
    assert error < 1e-11
    assert np.exp(reached) == pytest.approx(expected, rel=1e-9)


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), locality_sd=st.floats(0.05, 1.5))
def test_localities_are_negative_multinomial(seed, locality_sd):
    """A negative binomial of each locality's events times a multinomial over its areas."""
    model = GradientModel(small_localities(), localities=True)
    level, slope = authorities(model, seed)
    mean, areas = rows(model, level, slope), model.areas
    of, size = areas.locality_of_area, locality_sd**-2
    total, expected = (np.bincount(of, values) for values in (areas.events, mean))
    by_hand = stats.nbinom.logpmf(total, size, size / (size + expected)).sum()
    for m in range(len(total)):
        own = of == m
        share = mean[own] / expected[m]
        by_hand += stats.multinomial.logpmf(areas.events[own], total[m], share)
    reached = with_localities(likelihood_data(model), level, slope, locality_sd)
    assert reached == pytest.approx(by_hand, rel=1e-9)


def test_localities_without_spread_are_poisson():
    """As the spread vanishes the likelihood becomes the Poisson's."""
    model = GradientModel(small_localities(), localities=True)
    level, slope = authorities(model, 5)
    data = likelihood_data(model)
    assert with_localities(data, level, slope, 1e-7) == pytest.approx(
        compressed(data, level, slope), abs=1e-5
    )


def test_localities_of_one_area_are_the_negative_binomial():
    """Each area a locality: the same number from the other form."""
    areas = small_localities()
    alone = dataclasses.replace(
        areas, locality=areas.area, locality_of_area=np.arange(len(areas.area))
    )
    level, slope = authorities(GradientModel(areas), 8)
    reached = with_localities(
        likelihood_data(GradientModel(alone, localities=True)), level, slope, 0.6
    )
    other = likelihood_data(GradientModel(areas, family="negative_binomial"))
    assert reached == pytest.approx(compressed(other, level, slope, 0.6), rel=1e-10)


@pytest.mark.parametrize("locality_sd", [0.1, 0.9])
def test_totals_have_the_moments_of_the_sum_of_their_localities(locality_sd):
    """Variance M + r sum of squared localities, from pairs of areas."""
    model = GradientModel(small_localities("totals"), localities=True, priors=PRIORS)
    level, slope = authorities(model, 4)
    mean, areas = rows(model, level, slope), model.areas
    sums = np.bincount(areas.authority_of_area, mean)
    squares = np.bincount(
        areas.authority_of_locality, np.bincount(areas.locality_of_area, mean) ** 2
    )
    size = sums**2 / (locality_sd**2 * squares)
    expected = stats.nbinom.logpmf(areas.total_events, size, size / (size + sums)).sum()
    reached = compressed(likelihood_data(model), level, slope, locality_sd)
    assert reached == pytest.approx(expected, rel=1e-9)
