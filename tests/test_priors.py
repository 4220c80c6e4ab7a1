"""Priors as rate ratios."""

import dataclasses
import math

import pytest

from socgrad.errors import SpecificationError
from socgrad.model.priors import Normal, PositiveNormal, Priors, rate_ratio


def test_rate_ratio_by_hand():
    """1.80 (1.65 to 1.96) is Normal(log 1.8, log(1.96 / 1.65) / (2 × 1.96))."""
    prior = rate_ratio(1.80, interval=(1.65, 1.96))
    assert prior.mean == pytest.approx(math.log(1.8))
    assert prior.sd == pytest.approx(math.log(1.96 / 1.65) / (2 * 1.959964), rel=1e-6)


def test_rate_ratio_and_interval_are_inverse():
    """The interval that goes in comes out, whatever its probability."""
    for prob in (0.5, 0.9):
        prior = rate_ratio(2.0, interval=(1.0, 4.0), prob=prob)
        assert prior.interval(prob) == pytest.approx((1.0, 4.0))
    # sd = log(4) / (2 × 0.6745) for 50%
    assert rate_ratio(2.0, interval=(1.0, 4.0), prob=0.5).sd == pytest.approx(1.02766, abs=1e-4)


@pytest.mark.parametrize(
    ("median", "interval", "prob"),
    [(1.8, (1.9, 2.0), 0.95), (1.8, (1.7, 1.75), 0.95), (1.8, (0.0, 2.0), 0.95), (1.8, (1, 2), 95)],
)
def test_rate_ratio_refuses_disorder(median, interval, prob):
    """Values out of order, not positive, or a percentage as probability are refused."""
    with pytest.raises(SpecificationError, match="needs 0 < lower < median < upper and 0 < prob"):
        rate_ratio(median, interval=interval, prob=prob)


def test_rate_ratio_refuses_a_lopsided_interval():
    """No log-normal has its median far from the geometric middle of its interval."""
    with pytest.raises(SpecificationError, match=r"its middle is 1\.414"):
        rate_ratio(1.1, interval=(1.0, 2.0))


@pytest.mark.parametrize("sd", [0.0, -1.0, math.inf, math.nan])
def test_standard_deviations_must_be_positive(sd):
    """A prior without spread, or with a negative or infinite one, is refused."""
    with pytest.raises(SpecificationError, match="sd > 0"):
        Normal(0.0, sd)
    with pytest.raises(SpecificationError, match="sd > 0"):
        PositiveNormal(0.0, sd)


def test_positive_normal_refuses_a_negative_mean():
    """A standard deviation is not expected below zero."""
    with pytest.raises(SpecificationError, match="mean >= 0"):
        PositiveNormal(-0.1, 0.2)


def test_correlation_concentration_must_be_positive():
    """The beta prior of the correlation needs a positive concentration."""
    with pytest.raises(SpecificationError, match=r"Priors\.correlation"):
        Priors(correlation=0.0)


def test_priors_are_values():
    """Equal priors are equal, and replacing one leaves the others."""
    changed = dataclasses.replace(Priors(), within=Normal(0.5, 0.1))
    assert changed != Priors()
    assert changed.between == Priors().between
    assert dataclasses.replace(changed, within=Priors().within) == Priors()


def test_priors_per_step_by_hand():
    """In steps of 20 points log ratios double, and terms per step of two things quadruple."""
    two = Priors(within=Normal(0.5, 0.1), cross_level=Normal(-0.05, 0.1)).per_step(0.20)
    assert two.within == Normal(1.0, 0.2)
    assert two.cross_level == Normal(-0.2, 0.4)
    assert two.slope_sd == PositiveNormal(0.0, 0.5)
    assert (two.level_sd, two.correlation) == (Priors().level_sd, Priors().correlation)
    assert Priors().per_step(0.10) == Priors()


def test_priors_of_the_wrong_kind_are_refused():
    """A number, or a prior of the other kind, is told what was expected."""
    with pytest.raises(SpecificationError, match=r"Priors\.within must be a Normal; got 0\.5"):
        Priors(within=0.5)
    with pytest.raises(SpecificationError, match=r"Priors\.slope_sd must be a PositiveNormal"):
        Priors(slope_sd=Normal(0.0, 0.25))


@pytest.mark.parametrize(("median", "interval"), [(1.8, 1.96), ("high", (1.6, 2)), (2, (1, 2, 3))])
def test_rate_ratio_needs_a_number_and_two(median, interval):
    """A single bound, a word or three numbers are answered with an example."""
    with pytest.raises(SpecificationError, match=r"needs numbers, such as rate_ratio\(1\.8, inter"):
        rate_ratio(median, interval=interval)
