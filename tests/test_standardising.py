"""Standardised effects: against NumPy's Cholesky factors, and their derivatives."""

import numpy as np
import pytest

pytestmark = pytest.mark.mcmc

STRATA, AUTHORITIES = 3, 7


def inputs(components):
    """Loadings, what the events say, and standardised values, all arbitrary."""
    rng = np.random.default_rng(8)
    loadings = rng.normal(size=(2 * STRATA, components))
    loadings[0, 1:] = 0.0
    shape = (STRATA, AUTHORITIES)
    known_total, known_slope = rng.gamma(1.0, 20.0, shape), rng.gamma(1.0, 5.0, shape)
    known_total[1, 2] = known_slope[1, 2] = 0.0
    at, total, slope = rng.normal(size=(3, *shape))
    raw = rng.normal(size=(components, AUTHORITIES))
    return loadings, np.stack([at, known_total, known_slope, total, slope]), raw


@pytest.mark.parametrize("components", [6, 8])
def test_vectors_are_the_conditional_posterior(components):
    """X = m + inverse(C') z and log det C, authority by authority with NumPy."""
    from socgrad.nuts.standardising import _forward

    given = inputs(components)
    loadings, (at, known_total, known_slope, total, slope), raw = given
    found, log_determinant, _ = _forward(*given)
    by_hand = 0.0
    for j in range(AUTHORITIES):
        r = loadings[STRATA:]
        q = loadings[:STRATA] + at[:, [j]] * r
        precision = np.eye(components) + q.T @ (known_total[:, [j]] * q)
        precision += r.T @ (known_slope[:, [j]] * r)
        weighted = q.T @ (known_total[:, j] * total[:, j]) + r.T @ (known_slope[:, j] * slope[:, j])
        factor = np.linalg.cholesky(precision)
        x = np.linalg.solve(precision, weighted) + np.linalg.solve(factor.T, raw[:, j])
        by_hand += np.log(np.diag(factor)).sum()
        assert found[:, j] == pytest.approx(x, rel=1e-10)
    assert float(log_determinant) == pytest.approx(by_hand, rel=1e-12)


@pytest.mark.parametrize("which", [0, 1, 2], ids=["loadings", "said", "raw"])
def test_derivatives_are_those_of_the_values(which):
    """Backward derivatives equal central differences of the forward values, in any direction."""
    from socgrad.nuts.standardising import _backward, _forward

    given = list(inputs(8))
    rng = np.random.default_rng(1)
    d_x, d_log = rng.normal(size=given[-1].shape), np.array(0.7)

    def value(step):
        moved = given.copy()
        moved[which] = given[which] + step * direction
        x, log_determinant, _ = _forward(*moved)
        return np.sum(d_x * x) + d_log * log_determinant

    direction = rng.normal(size=given[which].shape)
    if which == 1:
        direction[:3] = 0.0  # data
    x, _, factor = _forward(*given)
    found = _backward(*given[:2], factor, x, d_x, d_log)
    numeric = (value(1e-6) - value(-1e-6)) / 2e-6
    assert np.sum(found[which] * direction) == pytest.approx(numeric, rel=1e-6)
