import numpy as np
import pytest

from socgrad.estimands.exposure_sums import authority_sums as authority_sums_of
from socgrad.estimands.exposure_sums import group_sums

AUTHORITIES, AREAS, GROUPS = 5, 400, 4


def table(seed: int = 1) -> dict[str, np.ndarray]:
    """Make areas of five authorities in random order, with skewed within parts."""
    rng = np.random.default_rng(seed)
    return {
        "authority": rng.integers(AUTHORITIES, size=AREAS),
        "within_part": rng.gamma(2, 1, size=AREAS) - 2,
        "weight": rng.integers(50, 600, size=AREAS).astype(float),
    }


def draws(spread: float, number: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Make levels and slopes around -4 and 0.5."""
    rng = np.random.default_rng(2)
    shape = (number, AUTHORITIES)
    return -4 + 0.3 * rng.normal(size=shape), 0.5 + spread * rng.normal(size=shape)


def authority_sums(level, slope, **areas):
    """Sum by authority: authorities are the groups."""
    groups = slope.shape[1]
    return group_sums(level, slope, **areas, group=areas["authority"], groups=groups)


def row_by_row(level, slope, areas, group, groups):
    """Sum area by area for every draw."""
    j, w = areas["authority"], areas["within_part"]
    rates = areas["weight"] * np.exp(level[:, j] + slope[:, j] * w)
    return np.stack([rates[:, group == g].sum(axis=1) for g in range(groups)], axis=1)


@pytest.mark.parametrize("spread", [0.0, 0.001, 0.05, 0.3, 2.0])
def test_sums_equal_the_sum_over_rows(spread):
    """However far the slopes range, the result is the row-by-row sum to rounding error."""
    areas, (level, slope) = table(), draws(spread)
    group = np.random.default_rng(3).integers(GROUPS, size=AREAS)
    expected = row_by_row(level, slope, areas, group, GROUPS)
    found = group_sums(level, slope, **areas, group=group, groups=GROUPS)
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    expected = row_by_row(level, slope, areas, areas["authority"], AUTHORITIES)
    np.testing.assert_allclose(authority_sums(level, slope, **areas), expected, rtol=1e-10)


def test_groups_add_up_to_authorities():
    """The sum over groups is the sum over authorities."""
    areas, (level, slope) = table(), draws(0.1)
    group = np.random.default_rng(4).integers(GROUPS, size=AREAS)
    by_group = group_sums(level, slope, **areas, group=group, groups=GROUPS)
    by_authority = authority_sums(level, slope, **areas)
    np.testing.assert_allclose(by_group.sum(axis=1), by_authority.sum(axis=1), rtol=1e-12)


def test_order_of_areas_is_irrelevant():
    """Shuffled rows give the same sums."""
    areas, (level, slope) = table(), draws(0.1)
    order = np.random.default_rng(5).permutation(AREAS)
    shuffled = {name: values[order] for name, values in areas.items()}
    np.testing.assert_allclose(
        authority_sums(level, slope, **shuffled), authority_sums(level, slope, **areas), rtol=1e-13
    )


def test_sums_by_hand():
    """Two areas of one authority, one draw of level log 2 and slope log 3."""
    # 2 * (10 * 3**1 + 5 * 3**-1) = 60 + 10/3
    found = authority_sums(
        np.array([[np.log(2)]]),
        np.array([[np.log(3)]]),
        authority=np.array([0, 0]),
        within_part=np.array([1.0, -1.0]),
        weight=np.array([10.0, 5.0]),
    )
    np.testing.assert_allclose(found, [[60 + 10 / 3]], rtol=1e-14)


def test_an_absent_group_sums_to_nothing():
    """A group without areas is zero, so that nobody's events land in it."""
    areas, (level, slope) = table(), draws(0.1)
    group = np.zeros(AREAS, dtype=int)
    found = group_sums(level, slope, **areas, group=group, groups=2)
    np.testing.assert_array_equal(found[:, 1], 0)
    assert (found[:, 0] > 0).all()


@pytest.mark.parametrize("spread", [0.0, 0.05, 0.3, 2.0])
def test_sums_by_authority_equal_the_sum_over_rows(spread):
    """With weights of either sign, however far the slopes range."""
    areas, (level, slope) = table(), draws(spread, number=300)
    signed = areas["weight"] - 300
    shape = {name: areas[name] for name in ("authority", "within_part")}
    found = authority_sums_of(level, slope, **shape, weights=[signed, areas["weight"]])
    for sums, weight in zip(found, (signed, areas["weight"]), strict=True):
        expected, scale = (
            row_by_row(level, slope, areas | {"weight": w}, areas["authority"], AUTHORITIES)
            for w in (weight, abs(weight))
        )
        assert (abs(sums - expected) <= 1e-10 * scale).all()
