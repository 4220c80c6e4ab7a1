"""A proposal that is bent as third derivatives tell: its density, its draws, and what it is for."""

import itertools
from dataclasses import dataclass

import numpy as np
import pytest
from scipy.special import gammaln
from scipy.stats import norm

from socgrad.blocks.bent import BentStudent, third_derivatives
from socgrad.laplace.importance import smoothed
from socgrad.laplace.proposal import scales_of_sides


@dataclass
class Cubic:
    """A log density -z'z / 2 + sum T_abc z_a z_b z_c / 6 of z, x = point + root z."""

    point: np.ndarray
    root: np.ndarray
    third: np.ndarray

    def gradient(self, x, state=None):  # noqa: ARG002 of the marginal's
        """Value (not looked at), and derivatives by x."""
        z = np.linalg.solve(self.root, x - self.point)
        by_z = -z + 0.5 * np.einsum("abc,b,c->a", self.third, z, z)
        return 0.0, np.linalg.solve(self.root.T, by_z)


@dataclass
class Scales:
    """Normal numbers whose scale is another's exponential, as a coefficient's is a spread's.

    The last number is l ~ Normal(0, sd); the others are Normal(0, exp(l)) given it.
    """

    others: int
    sd: float

    def values(self, x):
        """Log density of points."""
        return (
            norm.logpdf(x[:, -1], 0, self.sd)
            + norm.logpdf(x[:, :-1], 0, np.exp(x[:, -1:])).sum(axis=1)
        )  # fmt: skip

    def gradient(self, x, state=None):  # noqa: ARG002 of the marginal's
        """Value, and derivatives."""
        scaled = x[:-1] ** 2 * np.exp(-2 * x[-1])
        by_scale = -x[-1] / self.sd**2 + np.sum(scaled - 1)
        return 0.0, np.append(-x[:-1] * np.exp(-2 * x[-1]), by_scale)


def cubic(size):
    """One whose third derivatives are symmetric, on correlated scales."""
    rng = np.random.default_rng(1)
    root = np.tril(rng.normal(size=(3, 3))) + 2.0 * np.eye(3)
    drawn = size * rng.normal(size=(3, 3, 3))
    third = sum(np.transpose(drawn, order) for order in itertools.permutations(range(3))) / 6.0
    return Cubic(rng.normal(size=3), root, third)


SIDES = [[0.9, 1.2], [1.3, 0.8]]


def bent(third, *, middle=(0.3, -0.2), mirrored=(False, False), degrees=8.0, sides=SIDES):
    """A proposal of two numbers on correlated scales."""
    return BentStudent(
        np.array(middle),
        np.array([[0.8, 0.0], [0.3, 0.5]]),
        np.array(mirrored),
        np.array(third),
        *np.array(sides),
        degrees,
    )


THIRD = [[0.5, -0.6], [0.7, -0.4]]


def test_third_derivatives_are_read_off_gradients():
    """Of a cubic exactly, whatever the scales."""
    density = cubic(0.1)
    found = third_derivatives(density, density.point, density.root)
    np.testing.assert_allclose(found, np.einsum("iik->ik", density.third), atol=1e-10)


def test_where_there_is_no_density_the_posterior_counts_as_even():
    """One step leads out of the density, as the marginal says it: its number bends nothing."""
    density = cubic(0.1)
    whole = third_derivatives(density, density.point, density.root)
    gradient = density.gradient
    out = density.point + density.root[:, 1]

    def without(x, state=None):
        return (-np.inf, np.zeros(3)) if np.allclose(x, out) else gradient(x, state)

    density.gradient = without
    found = third_derivatives(density, density.point, density.root)
    assert (found[1] == 0.0).all()
    np.testing.assert_allclose(found[[0, 2]], whole[[0, 2]])


def test_sides_are_finite_where_there_is_no_density_at_the_mode():
    """So that an engine doubts its draws, and does not fail on them."""
    with np.errstate(invalid="ignore"):  # as in `engines.engine.attempted`
        nowhere = scales_of_sides(lambda x: np.full(len(x), -np.inf), np.zeros(2), np.eye(2))
    assert np.isfinite(nowhere).all()


@pytest.mark.parametrize("mirrored", [(False, False), (True, False), (True, True)])
def test_the_density_is_one(mirrored):
    """It integrates to that of a Student distribution; reflected, over where it is reflected to."""
    proposal = bent(THIRD, mirrored=mirrored, degrees=30.0)
    ends = [(0.0 if each else -14.0, 14.0) for each in mirrored]
    axes = [np.linspace(*each, 1401) for each in ends]
    step = np.prod([axis[1] - axis[0] for axis in axes])
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    mass = np.exp(proposal.log_density(grid.reshape(-1, 2))).reshape(1401, 1401)
    for axis, each in enumerate(mirrored):
        if each:  # the trapezoidal rule counts the edge at zero by half
            mass = np.moveaxis(mass, axis, 0)
            mass[0] *= 0.5
            mass = np.moveaxis(mass, 0, axis)
    size, nu = 2, 30.0
    log_constant = (
        0.5 * size * np.log(nu * np.pi) + gammaln(nu / 2) - gammaln((nu + size) / 2)
        + np.log(np.linalg.det(proposal.root)) + 0.5 * np.log(SIDES).sum()
    )  # fmt: skip
    assert mass.sum() * step == pytest.approx(np.exp(log_constant), rel=2e-3)


@pytest.mark.parametrize("mirrored", [(False, False), (True, True)])
def test_draws_are_of_the_density(mirrored):
    """Weighted by it they have the moments of another distribution: densities and draws agree."""
    proposal = bent(THIRD, mirrored=mirrored, degrees=4.0)
    x = proposal.draw(400_000, np.random.default_rng(5))
    log_target = norm.logpdf(x, 0.2, 0.6)
    if mirrored[0]:
        log_target = np.logaddexp(log_target, norm.logpdf(x, -0.2, 0.6))
    weight = smoothed(log_target.sum(axis=1) - proposal.log_density(x)).weight
    mean, square = weight @ x, weight @ x**2
    expected = 0.2
    if mirrored[0]:
        # Of a folded normal distribution.
        expected = 0.6 * 2 * norm.pdf(1 / 3) + 0.2 * (2 * norm.cdf(1 / 3) - 1)
    # Standard errors: about 0.002.
    np.testing.assert_allclose(mean, expected, atol=0.01)
    np.testing.assert_allclose(square, 0.2**2 + 0.6**2, atol=0.01)


def test_the_mean_is_half_the_traces_of_third_derivatives():
    """E z_k = sum_i T_iik / 2 to first order: draws go with it."""
    density = cubic(0.25)
    density.point, density.root = np.zeros(3), np.eye(3)
    third = third_derivatives(density, density.point, density.root)
    # To that order the sides' scales are these; those of `about` are read off the density.
    skew = np.diag(third) / 3.0
    proposal = BentStudent(
        density.point, density.root, np.zeros(3, bool), third, np.exp(-skew), np.exp(skew), 1e6
    )
    drawn = proposal.draw(400_000, np.random.default_rng(2))
    assert np.abs(0.5 * third.sum(axis=0)).max() > 0.1
    # Standard errors are 0.0016; squares count for 0.89 of theirs, because they are held far out.
    np.testing.assert_allclose(drawn.mean(axis=0), 0.5 * third.sum(axis=0), rtol=0.2)


def test_numbers_whose_scale_is_anothers_are_followed():
    """Of ten coefficients with one spread, twice as many draws are effective as unbent."""
    target = Scales(10, 0.1)
    # At the mode: l = -10 sd^2, where the precision of l is 1 / sd^2.
    mode = np.append(np.zeros(10), -10 * 0.1**2)
    root = np.diag(np.append(np.full(10, np.exp(mode[-1])), 0.1))
    third = third_derivatives(target, mode, root)
    share = {}
    for name, used in (("bent", np.clip(third, -1, 1)), ("straight", np.zeros_like(third))):
        proposal = BentStudent(mode, root, np.zeros(11, bool), used, *np.ones((2, 11)), 30.0)
        x = proposal.draw(4000, np.random.default_rng(3))
        weights = smoothed(target.values(x) - proposal.log_density(x))
        share[name] = weights.effective_size / len(x)
    assert share["bent"] > max(2.0 * share["straight"], 0.5)
