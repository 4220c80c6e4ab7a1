"""Compressed likelihoods against SciPy, row by row."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import gammaln

from socgrad.model import likelihoods
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


def compressed(data, level, slope, overdispersion=None):
    """The compressed log-likelihood, counts and totals together."""
    total = 0.0
    if "count_events" in data:
        j, i = data["count_authority"].to_numpy(), data["row_authority"].to_numpy()
        sums = {n: data[f"count_{n}"].to_numpy() for n in ("events", "events_within", "constant")}
        if overdispersion is None:
            nodes = {n: data[f"count_{n}"].to_numpy() for n in ("node_within", "node_exposure")}
            total += likelihoods.poisson_counts(level[j], slope[j], **sums, **nodes, xp=np)
        else:
            names = ("row_events", "row_within", "row_log_exposure", "exceeding", "steps")
            total += likelihoods.negative_binomial_counts(
                level[j],
                slope[j],
                overdispersion,
                row_level=level[i],
                row_slope=slope[i],
                **sums,
                **{n: data[n].to_numpy() for n in names},
                xp=np,
            )
    if "sum_events" in data:
        j = data["sum_authority"].to_numpy()
        names = ("events", "node_within", "node_exposure", "constant")
        sums = {n: data[f"sum_{n}"].to_numpy() for n in names}
        if overdispersion is None:
            total += likelihoods.poisson_totals(level[j], slope[j], **sums, xp=np)
        else:
            total += likelihoods.negative_binomial_totals(
                level[j],
                slope[j],
                overdispersion,
                **sums,
                square_within=data["square_node_within"].to_numpy(),
                square_exposure=data["square_node_exposure"].to_numpy(),
                log_gamma=gammaln,
                xp=np,
            )
    return float(total)


@settings(max_examples=20, deadline=None)
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


@settings(max_examples=20, deadline=None)
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
