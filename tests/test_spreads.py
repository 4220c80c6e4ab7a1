"""The scale of standard deviations: there and back, its derivative, its tail, what it undoes."""

import numpy as np
import pytest
from scipy import stats

from interpreted import interpreted

pytestmark = pytest.mark.mcmc

#: From hardly any standard deviation to far above the prior's.
VALUES = np.array([1e-8, 1e-4, 0.01, 0.0758, 0.125, 0.4, 3.0])
SCALE = 0.125


def graph_of(mean, sd, mixing):
    """A graph of these standard deviations alone."""
    import pymc as pm

    from socgrad.nuts.pymc_quietly import pt
    from socgrad.nuts.spreads import standard_deviations

    with pm.Model() as graph:
        pm.Deterministic("sd", standard_deviations("raw", *map(pt.constant, (mean, sd, mixing))))
    return graph


def position(values, scale):
    """The x of a standard deviation: v - 1 / v with log v - 1 / (2 v**2) = log(sd / scale)."""
    from socgrad.nuts.spreads import light_tail_root

    return 2 * np.sinh(light_tail_root(np.log(values / scale), xp=np))


def test_values_come_back():
    """The values at their positions are the values, over eight orders of magnitude."""
    from socgrad.nuts.spreads import light_tail

    a = np.arcsinh(position(VALUES, SCALE) / 2)
    np.testing.assert_allclose(light_tail(a, 0.0, 2 * SCALE, xp=np), VALUES, rtol=1e-11)


def test_positions_are_those_of_the_formula():
    """At sd = s exp(-1/2), x is 0; where sd is large beside s = 0.125, x is about sd / s."""
    x = position(VALUES, SCALE)
    # 0.125 * exp(-0.5) = 0.0758
    assert x[3] == pytest.approx(0.0, abs=1e-3)
    # 3 / 0.125 = 24 = v exp(-1 / (2 v**2)): v = 24.02, x = v - 1 / v = 23.98
    assert x[-1] == pytest.approx(23.98, abs=0.005)
    assert (np.diff(x) > 0).all()


def test_density_is_the_priors_times_the_derivative():
    """Log density of z is SciPy's of the values, and the log determinant of d values / d z."""
    mean, sd = np.array([0.12, 0.0]), np.array([0.05, 0.25])
    mixing = np.array([[0.7, 0.0], [0.4, 1.3]])
    density = graph_of(mean, sd, mixing).compile_logp(mode=interpreted())

    def values(z):
        a = np.arcsinh(mixing @ z / 2)
        return 0.5 * np.hypot(mean, sd) * np.exp(a - np.exp(-2 * a) / 2)

    for z in (np.array([-1.0, 0.2]), np.array([2.0, -1.4])):
        step = 1e-6 * np.eye(2)
        derivative = np.stack([(values(z + h) - values(z - h)) / 2e-6 for h in step], axis=1)
        expected = stats.truncnorm.logpdf(values(z), -mean / sd, np.inf, mean, sd).sum()
        expected += np.linalg.slogdet(derivative)[1]
        assert density({"raw": z}) == pytest.approx(expected, abs=1e-7)


def test_flat_density_near_zero_has_a_normal_tail():
    """Where the density of sd is flat, that of x falls at least as exp(-x**2 / 2) below zero."""
    density = graph_of(np.zeros(1), np.full(1, 2 * SCALE), np.eye(1)).compile_logp(
        mode=interpreted()
    )
    x = position(np.array([1e-12, 1e-9, 1e-6]), SCALE)
    found = np.array([float(density({"raw": np.array([one])})) for one in x])
    assert (found < -(x**2) / 2 + 0.5).all()
    assert x.min() > -10


def test_drawn_values_are_normal_above_zero():
    """Values drawn by the graph have the quantiles of the prior, whatever the mixing."""
    import pymc as pm

    mean, sd = np.array([0.12, 0.0]), np.array([0.05, 0.25])
    mixing = np.array([[0.7, 0.0], [0.4, 1.3]])
    graph = graph_of(mean, sd, mixing)
    drawn = pm.draw(
        graph["sd"], draws=4000, random_seed=np.random.default_rng(5), mode=interpreted()
    )
    for values, one, spread in zip(drawn.T, mean, sd, strict=True):
        test = stats.kstest(values, stats.truncnorm(-one / spread, np.inf, one, spread).cdf)
        assert test.pvalue > 0.001


def test_mixing_has_the_squares_of_the_correlations():
    """Errors of two SDs of effects that correlate by r correlate by r**2, and by 0 of strangers."""
    from socgrad.nuts.spreads import spread_mixing

    sd, r = np.array([0.3, 0.3, 0.1]), 0.9
    covariance = np.outer(sd, sd) * np.array([[1, r, 0], [r, 1, 0], [0, 0, 1]])
    mean, half = np.zeros(3), np.array([0.5, 0.5, 0.25])
    mixing = spread_mixing(covariance, np.zeros(3), mean, half)
    found = mixing @ mixing.T
    root = np.sqrt(np.diag(found))
    expected = [[1, r**2, 0], [r**2, 1, 0], [0, 0, 1]]
    np.testing.assert_allclose(found / np.outer(root, root), expected, atol=1e-12)
    # sd / s = 0.3 / 0.25 = v exp(-1 / (2 v**2)) has v = 1.50, 0.1 / 0.125 = 0.8 has v = 1.16.
    assert root == pytest.approx([1.50, 1.50, 1.16], abs=0.005)
    # Half of a variance is chance: the SD is 0.3 / sqrt(2), and 0.849 has v = 1.20.
    noisy = spread_mixing(covariance, np.array([0.045, 0, 0]), mean, half)
    assert noisy[0, 0] == pytest.approx(1.20, abs=0.005)
