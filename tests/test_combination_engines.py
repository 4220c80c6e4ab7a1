"""What evaluates the densities of the matrix of combinations tells a right one from a wrong one."""

import numpy as np
import pytest

from combination_engines import Start, evaluated

START = np.array([0.3, -0.2, 0.1])


def bell(factor, *, value=0.0):
    """A normal log density whose gradient is `factor` times what it should be."""
    return Start(lambda x: (value - 0.5 * float(x @ x), -factor * x), START)


def test_right_gradient_is_good():
    """Finite, and the gradient is that of the value."""
    found = evaluated(bell(1.0))
    assert found.good
    assert found.error < 1e-8


@pytest.mark.parametrize(
    "start",
    [bell(1.001), bell(np.nan), bell(1.0, value=-np.inf), bell(1.0, value=np.nan)],
    ids=["gradient is off", "gradient is NaN", "value is -inf", "value is NaN"],
)
def test_faults_are_seen(start):
    """A gradient that is a thousandth off, and numbers that are none."""
    assert not evaluated(start).good


def test_an_engine_without_gradient_is_judged_by_its_value():
    """As the compile-free engine is."""
    assert evaluated(Start(lambda x: (float(x.sum()), None), START)).good
    assert not evaluated(Start(lambda _: (np.nan, None), START)).good
