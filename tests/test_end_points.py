import numpy as np
import pytest
from scipy.optimize import minimize

from socgrad.estimands.end_points import least_squares_ends, poisson_ends


def ranks_and_rates(seed=1):
    """Ranks of thirty groups, their shares, and forty draws of rates that rise with rank."""
    rng = np.random.default_rng(seed)
    share = rng.dirichlet(np.full(30, 4.0))
    rank = np.cumsum(share) - share / 2
    rates = np.exp(-4 + 2 * rank + 0.3 * rng.normal(size=(40, 30)))
    return rank, share, rates


def test_least_squares_equals_numpy():
    """The line is NumPy's weighted polynomial of degree one."""
    rank, share, rates = ranks_and_rates()
    middle = share @ rank
    found = least_squares_ends(
        (rates @ share)[:, None],
        (rates @ (share * (rank - middle)))[:, None],
        mean_rank=np.array([middle]),
        variance=np.array([share @ (rank - middle) ** 2]),
    )
    for draw, rate in enumerate(rates):
        slope, start = np.polyfit(rank, rate, 1, w=np.sqrt(share))
        np.testing.assert_allclose(
            [end[draw, 0] for end in found], [start, start + slope], rtol=1e-9
        )


def test_poisson_maximises_the_likelihood():
    """No line near the one found has a higher Poisson likelihood, and SciPy finds the same."""
    rank, share, rates = ranks_and_rates()
    mean = (rates @ share)[:, None]
    found = poisson_ends(
        mean,
        (rates @ (share * rank))[:, None] / mean,
        position=rank[None],
        weight=share[None],
    )
    for draw in (0, 17):

        def loss(line, rate=rates[draw]):
            eta = line[0] + line[1] * rank
            return 1e3 * share @ (np.exp(eta) - rate * eta)

        best = minimize(loss, [-4.0, 2.0], method="BFGS", options={"gtol": 1e-9}).x
        expected = [np.exp(best[0]), np.exp(best[0] + best[1])]
        np.testing.assert_allclose([end[draw, 0] for end in found], expected, rtol=1e-5)


def test_poisson_by_hand():
    """Two halves with rates 1 and 4: the line doubles every quarter rank."""
    # Through (1/4, 1) and (3/4, 4): exp(b/2) = 4, so the ends are 1/2 and 8.
    ends = poisson_ends(
        np.array([[2.5]]),
        np.array([[0.65]]),
        position=np.array([[0.25, 0.75]]),
        weight=np.ones((1, 2)),
    )
    np.testing.assert_allclose([end.item() for end in ends], [0.5, 8.0], rtol=1e-12)


@pytest.mark.parametrize("tilt", [-40.0, -3.0, 0.0, 1e-6, 0.7, 15.0, 60.0])
def test_poisson_finds_any_line_again(tilt):
    """Rates that lie on a log-linear line give this line, flat or very steep."""
    rank = (np.arange(200) + 0.5) / 200
    rate = np.exp(tilt * (rank - 0.5))
    ends = poisson_ends(
        np.array([[rate.mean()]]),
        np.array([[rate @ rank / rate.sum()]]),
        position=rank[None],
        weight=np.ones((1, 200)),
    )
    np.testing.assert_allclose(
        np.log([end.item() for end in ends]), [-tilt / 2, tilt / 2], rtol=1e-8, atol=1e-9
    )


def test_a_steeper_line_than_floats_hold_ends():
    """All events at one end give finite ends, not an endless search."""
    ends = poisson_ends(
        np.array([[1.0]]),
        np.array([[0.75]]),
        position=np.array([[0.25, 0.75]]),
        weight=np.ones((1, 2)),
    )
    assert np.isfinite([end.item() for end in ends]).all()
    assert ends[1].item() > 1
