"""Pointwise log-likelihoods for ArviZ."""

import numpy as np
import pytest
from scipy.stats import nbinom, poisson

from socgrad.checks.counts import area_blocks, counts_by_position, lines_at
from socgrad.checks.log_likelihood import add_log_likelihood
from socgrad.errors import EstimandError
from socgrad.fitting import fit
from socgrad.laws.poisson import counts as poisson_counts
from socgrad.laws.poisson import totals as poisson_totals
from socgrad.model.compression import likelihood_data
from socgrad.model.gradient_model import GradientModel
from socgrad.model.priors import Normal, Priors
from socgrad.reading.geography import geography
from tables import small_areas


def model_of(family, kind="mixture"):
    """Twelve authorities, every second known by its total."""
    priors = Priors(within=Normal(0.5, 0.2))
    return GradientModel(small_areas(kind, overdispersion=0.3), family=family, priors=priors)


@pytest.fixture(scope="module", params=["poisson", "negative_binomial"])
def tree(request):
    """A fit of a mixture, and its log-likelihoods."""
    fitted = fit(model_of(request.param), method="laplace", draws=50, chains=2, random_seed=1)
    return add_log_likelihood(fitted)


def test_values_are_scipys(tree):
    """Each count's log probability is SciPy's, in the draw and area where it stands."""
    counts, land = counts_by_position(tree), geography(tree)
    lines = lines_at(tree, np.arange(100))
    (_, mean), *_ = area_blocks(lines, land, counts.area)
    r = lines.overdispersion[:, None] ** 2
    y = counts.events
    expected = poisson.logpmf(y, mean)
    if r.any():
        expected = nbinom.logpmf(y, 1 / r, 1 / (1 + r * mean))
    got = tree["log_likelihood"]["events"]
    assert got.dims == ("chain", "draw", "counted_area")
    np.testing.assert_allclose(got.to_numpy().reshape(100, -1), expected, rtol=1e-8)
    assert got["counted_area"].to_numpy().tolist() == (
        tree["observed_data"]["counted_area"].to_numpy().tolist()
    )
    assert tree["log_likelihood"]["total_events"].sizes["total_authority"] == 6


def test_sums_are_those_of_the_sampler():
    """Both wings have one likelihood: sums over counts are the compressed density of the left."""
    model = model_of("poisson")
    tree = add_log_likelihood(fit(model, method="laplace", draws=5, chains=1, random_seed=1))
    lines, data = lines_at(tree, np.arange(5)), likelihood_data(model)
    values = {name: data[name].to_numpy() for name in data.data_vars}
    for kind, density, name in (
        ("count", poisson_counts, "events"),
        ("sum", poisson_totals, "total_events"),
    ):
        at = values[f"{kind}_authority"]
        wanted = ("events", "events_within", "node_within", "node_exposure", "constant")
        given = {n: values[f"{kind}_{n}"] for n in wanted if f"{kind}_{n}" in values}
        for draw in range(5):
            expected = density(lines.level[draw, at], lines.slope[draw, at], **given, xp=np)
            got = float(tree["log_likelihood"][name][0, draw].sum())
            assert got == pytest.approx(float(expected), rel=1e-10)


def test_the_fit_itself_is_left_alone():
    """The group is added to a copy."""
    fitted = fit(model_of("poisson", "counts"), method="laplace", draws=5, chains=1, random_seed=1)
    tree = add_log_likelihood(fitted)
    assert "log_likelihood" not in fitted.children
    assert tree.attrs == fitted.attrs
    assert list(tree["log_likelihood"].data_vars) == ["events"]


def test_too_large_is_refused_before_it_is_made(tree):
    """The message says how much it would be, and what to do instead."""
    with pytest.raises(EstimandError, match=r"takes .* GB, above most_gigabytes=1e-06.*leave_out"):
        add_log_likelihood(tree, most_gigabytes=1e-6)
