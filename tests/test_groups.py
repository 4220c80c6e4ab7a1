import numpy as np
import pytest
import xarray as xr

from socgrad.errors import EstimandError
from socgrad.estimands.groups import cells
from socgrad.ranks import quantile_groups
from socgrad.reading.geography import geography


def test_cells_are_groups_within_groups_of_authorities(split_fit):
    """Each area keeps its national group, and has its authority's."""
    land = geography(split_fit)
    made = cells(land, groups=4, authority_groups=3)
    np.testing.assert_array_equal(
        (made.cell - 1) % 4 + 1, quantile_groups(land.deprivation, land.children, 4)
    )
    own = (made.cell - 1) // 4 + 1
    order = np.argsort(np.argsort(land.authority_mean.to_numpy()))
    # Six authorities of nearly the same number of children, two in each third.
    np.testing.assert_array_equal(own, (order // 2 + 1)[land.authority_of_area])
    assert made.number == 12
    assert made.words(5) == "group 2 of authority group 2"
    assert cells(land, groups=4, authority_groups=None).words(2) == "group 3"


def test_unfolding_keeps_each_value_in_its_cell(split_fit):
    """The value of cell k stands at its authority group and group."""
    made = cells(geography(split_fit), groups=4, authority_groups=3)
    flat = xr.DataArray(
        np.arange(24.0).reshape(2, 12), dims=("draw", "group"), coords={"draw": [7, 8]}
    )
    unfolded = made.unfold(flat)
    assert unfolded.dims == ("draw", "authority_group", "group")
    assert float(unfolded.sel(draw=8, authority_group=2, group=3)) == 12 + 6
    assert unfolded["authority_group"].to_numpy().tolist() == [1, 2, 3]


def test_more_groups_than_authorities_are_refused(split_fit):
    """Six authorities make no seven groups."""
    with pytest.raises(EstimandError, match="of 7 groups hold no"):
        cells(geography(split_fit), groups=4, authority_groups=7)
