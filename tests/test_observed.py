import numpy as np
import pytest
import xarray as xr

from socgrad.errors import EstimandError, SchemaError
from socgrad.reading.observed import observed_counts
from socgrad.reading.storage import load, save


def test_counts_are_joined_by_label(fit_with_events):
    """Each area has its own count whatever the order of the group, and totals their authority."""
    counts = observed_counts(fit_with_events, purpose="This")
    # The fixture gives area k of the first five authorities 7,000,003 + 1,000,033 k events.
    assert counts.events[[0, 499]].tolist() == [7_000_003, 7_000_003 + 1_000_033 * 499]
    assert counts.counted.tolist() == [True] * 500 + [False] * 100
    np.testing.assert_array_equal(counts.total_events, [np.nan] * 5 + [8_123_457_891])
    turned = fit_with_events.copy()
    observed = turned["observed_data"].to_dataset()
    turned["observed_data"] = observed.isel(counted_area=slice(None, None, -1))
    np.testing.assert_array_equal(observed_counts(turned, purpose="This").events, counts.events)


def test_a_fit_without_events_is_refused(split_fit, fit_with_events, tmp_path):
    """Saved without them or made without them: the message says what to do."""
    bare = load(save(fit_with_events, tmp_path / "fit.nc", include_events=False))
    for fit in (split_fit, bare):
        with pytest.raises(
            EstimandError, match=r"This table needs the observed events, .*include_events=False"
        ):
            observed_counts(fit, purpose="This table")


def test_counts_survive_a_file(fit_with_events, tmp_path):
    """A file with events gives the same counts."""
    again = load(save(fit_with_events, tmp_path / "fit.nc"))
    first, second = (observed_counts(fit, purpose="This") for fit in (fit_with_events, again))
    np.testing.assert_array_equal(first.events, second.events)
    np.testing.assert_array_equal(first.total_events, second.total_events)


def test_counts_of_another_fit_are_refused(fit_with_events):
    """Labels that the fit does not have are counted and named."""
    groups = {name: node.to_dataset() for name, node in fit_with_events.children.items()}
    labels = groups["observed_data"]["counted_area"].to_numpy().copy()
    labels[:2] = ["elsewhere", "nowhere"]
    groups["observed_data"] = groups["observed_data"].assign_coords(counted_area=labels)
    with pytest.raises(SchemaError, match=r"events for 2 of 500 labels .*first: 'elsewhere'"):
        observed_counts(xr.DataTree.from_dict(groups), purpose="This")
