"""Child-weighted means and the split of deprivation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from socgrad.within_between import mean_reliability, split, weighted_means

seeds = st.integers(0, 2**32 - 1)


def drawn(seed, *, areas=40, groups=5):
    """Random deprivation, children and authorities, each authority present."""
    rng = np.random.default_rng(seed)
    group = np.concatenate([np.arange(groups), rng.integers(0, groups, areas - groups)])
    return rng.uniform(0, 1, areas), rng.integers(1, 900, areas).astype(float), group, groups


@settings(max_examples=25)
@given(seeds)
def test_within_parts_sum_to_zero_under_child_weights(seed):
    """In every authority the child-weighted within parts cancel."""
    x, children, group, groups = drawn(seed)
    mean = weighted_means(x, children, group, groups)
    within, _ = split(x, authority_of_area=group, authority_mean=mean, national_mean=0.3, per=0.1)
    sums = np.bincount(group, weights=children * within)
    np.testing.assert_allclose(sums / children.sum(), 0, atol=1e-12)


@settings(max_examples=25)
@given(seeds, st.floats(1e-3, 1e3))
def test_means_do_not_depend_on_the_scale_of_the_weights(seed, factor):
    """Children counted in tens, or in thousands, give the same means."""
    x, children, group, groups = drawn(seed)
    np.testing.assert_allclose(
        weighted_means(x, factor * children, group, groups),
        weighted_means(x, children, group, groups),
        rtol=1e-12,
    )


@settings(max_examples=25)
@given(seeds)
def test_within_and_between_add_up_to_the_pooled_part(seed):
    """Splitting neither creates nor loses deprivation."""
    x, children, group, groups = drawn(seed)
    mean = weighted_means(x, children, group, groups)
    known = {"authority_of_area": group, "authority_mean": mean, "national_mean": 0.3, "per": 0.1}
    within, between = split(x, **known)
    pooled, none = split(x, **known, pooled=True)
    np.testing.assert_allclose(within + between[group], pooled, atol=1e-12)
    assert not none.any()


def test_weighted_means_by_hand():
    """Two authorities worked out on paper; one without weight has no mean."""
    mean = weighted_means(
        np.array([0.1, 0.2, 0.3, 0.5, 0.9]),
        np.array([100.0, 300.0, 200.0, 200.0, 0.0]),
        np.array([0, 0, 1, 1, 2]),
        3,
    )
    # (100 * 0.1 + 300 * 0.2) / 400 = 0.175;  (200 * 0.3 + 200 * 0.5) / 400 = 0.4
    np.testing.assert_allclose(mean, [0.175, 0.4, np.nan], rtol=1e-14)


@pytest.mark.parametrize(("per", "factor"), [(0.10, 1.0), (0.05, 2.0)])
def test_split_by_hand(per, factor):
    """Parts are counted in steps of per: halve the step and they double."""
    within, between = split(
        np.array([0.1, 0.2, 0.5]),
        authority_of_area=np.array([0, 0, 1]),
        authority_mean=np.array([0.175, 0.4]),
        national_mean=0.2875,
        per=per,
    )
    # (0.1 - 0.175) / 0.1 = -0.75;  (0.175 - 0.2875) / 0.1 = -1.125
    np.testing.assert_allclose(within, factor * np.array([-0.75, 0.25, 1.0]), rtol=1e-12)
    np.testing.assert_allclose(between, factor * np.array([-1.125, 1.125]), rtol=1e-12)


def test_reliability_by_hand():
    """Two pairs of areas: the variance between them, less what sampling explains."""
    reliability = mean_reliability(
        np.array([0.1, 0.2, 0.4, 0.6]), np.ones(4), np.array([0, 0, 1, 1]), 2
    )
    # s2 = 0.005 and 0.02; noise s2/2 = 0.0025 and 0.01; var of means 0.15 and 0.5 = 0.06125;
    # tau2 = 0.06125 - 0.00625 = 0.055; 0.055 / 0.0575 and 0.055 / 0.065
    np.testing.assert_allclose(reliability, [0.055 / 0.0575, 0.055 / 0.065], rtol=1e-12)


def test_reliability_of_a_single_area_uses_the_pooled_variance():
    """An authority of one area is noisier than its neighbours of two, not perfectly known."""
    reliability = mean_reliability(
        np.array([0.1, 0.2, 0.4, 0.6, 0.9]), np.ones(5), np.array([0, 0, 1, 1, 2]), 3
    )
    # its noise is the pooled s2 = (0.005 + 0.02) / 2 = 0.0125; the means are 0.15, 0.5, 0.9
    tau2 = np.var([0.15, 0.5, 0.9], ddof=1) - (0.0025 + 0.01 + 0.0125) / 3
    assert reliability[2] == pytest.approx(tau2 / (tau2 + 0.0125), rel=1e-12)


def test_reliability_grows_with_the_number_of_areas():
    """The same areas twice over say more about their authority."""
    x, children, group, groups = drawn(7)
    x = x / 5 + group / groups
    once = mean_reliability(x, children, group, groups)
    twice = mean_reliability(np.tile(x, 2), np.tile(children, 2), np.tile(group, 2), groups)
    assert (twice > once).all()


@pytest.mark.parametrize(
    ("values", "group"),
    [([0.1, 0.9], [0, 1]), ([0.1, 0.9, 0.1, 0.9], [0, 0, 1, 1])],
    ids=["one area each", "equal means"],
)
def test_reliability_is_zero_without_signal(values, group):
    """Single areas, or equal means, show no difference between authorities beyond chance."""
    reliability = mean_reliability(np.array(values), np.ones(len(values)), np.array(group), 2)
    np.testing.assert_array_equal(reliability, [0.0, 0.0])
