import numpy as np
import pytest

from socgrad.errors import EstimandError
from socgrad.estimands.ranked_units import rank_within_authorities, ranked_units, words_for
from socgrad.ranks import ridit_ranks
from socgrad.reading.geography import geography


def test_ranks_within_authorities_are_those_of_each_alone(split_fit):
    """Every authority's areas are ranked as if there were no others, in any order of areas."""
    land = geography(split_fit)
    order = np.random.default_rng(1).permutation(land.deprivation.size)
    constants = split_fit["constant_data"].to_dataset().isel(area=order)
    split = geography(_with_constants(split_fit, constants))
    found = rank_within_authorities(split)
    np.testing.assert_array_equal(found, rank_within_authorities(land)[order])
    for j in range(6):
        own = land.authority_of_area == j
        expected = ridit_ranks(land.deprivation[own], land.children[own])
        np.testing.assert_array_equal(rank_within_authorities(land)[own], expected)


def _with_constants(fit, constants):
    copy = fit.copy()
    copy["constant_data"] = type(fit)(constants)
    return copy


def test_moments_weigh_by_exposure(split_fit, change_fit):
    """Ranks are of children; their mean and variance are those of the exposure."""
    land = geography(split_fit)
    units = ranked_units(land, "nation")
    np.testing.assert_allclose(units.mean_rank, 0.5, rtol=1e-12)
    tilted = change_fit(
        split_fit, constants=lambda c: c.assign(exposure=c["exposure"] * c["deprivation"])
    )
    other = ranked_units(geography(tilted), "nation")
    np.testing.assert_array_equal(other.rank, units.rank)
    assert other.mean_rank.item() > 0.55


def one_deprivation(data):
    """Give Ashby one deprivation throughout, and take Barlow's exposure away."""
    ashby, barlow = (data["authority_of_area"] == k for k in (0, 1))
    return data.assign(
        deprivation=data["deprivation"].where(~ashby, 0.1),
        exposure=data["exposure"].where(~barlow, 0.0),
    )


def test_authorities_of_one_deprivation_are_left_out(split_fit, change_fit):
    """They have no index, and the words say how many and which."""
    units = ranked_units(geography(change_fit(split_fit, constants=one_deprivation)), "authority")
    assert units.left_out == ("Ashby", "Barlow")
    assert units.kept.tolist() == [2, 3, 4, 5]
    assert words_for(units).endswith(
        "; 2 without exposure at two deprivations left out (first: Ashby)"
    )


def test_nothing_to_rank_is_refused(split_fit, change_fit):
    """All-equal deprivation has no ranks, in the nation or in any authority."""
    flat = change_fit(
        split_fit, constants=lambda c: c.assign(deprivation=0 * c["deprivation"] + 0.2)
    )
    with pytest.raises(EstimandError, match="each of 6 authorities has exposure at fewer than two"):
        ranked_units(geography(flat), "authority")
    with pytest.raises(EstimandError, match="the nation has exposure at fewer than two"):
        ranked_units(geography(flat), "nation")
    with pytest.raises(EstimandError, match="by is 'region'; expected 'nation' or 'authority'"):
        ranked_units(geography(split_fit), "region")
