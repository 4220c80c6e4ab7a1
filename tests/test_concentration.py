import numpy as np
import pytest

from area_by_area import area_rates
from socgrad.errors import EstimandError
from socgrad.estimands.concentration import concentration_index
from socgrad.estimands.inequality import sii
from socgrad.estimands.ranked_units import ranked_units
from socgrad.ranks import ridit_ranks
from socgrad.reading.geography import geography
from test_inequality import exposed, two_areas


@pytest.mark.parametrize("name", ["split_fit", "curved_fit", "pooled_fit"])
def test_twice_the_excess_of_the_mean_rank(request, change_fit, name):
    """The index is twice how far the mean rank of events lies above that of the exposure."""
    fit = change_fit(request.getfixturevalue(name), constants=exposed)
    land = geography(fit)
    rank = ridit_ranks(land.deprivation, land.children)
    events = area_rates(fit, own_effects=True) * land.exposure
    expected = 2 * (
        events @ rank / events.sum(axis=-1) - land.exposure @ rank / land.exposure.sum()
    )
    np.testing.assert_allclose(concentration_index(fit), expected, rtol=1e-10)


@pytest.mark.parametrize("by", ["nation", "authority"])
def test_erreygers_is_the_linear_slope(split_fit, by):
    """Erreygers's index is 8 var(rank) times the linear slope index per unit of exposure."""
    units = ranked_units(geography(split_fit), by)
    slope = sii(split_fit, by=by, method="linear", rate_per=1)
    variance = units.variance if by == "authority" else units.variance.item()
    found = concentration_index(split_fit, by=by, form="erreygers")
    np.testing.assert_allclose(found, 8 * variance * slope, rtol=1e-9)


def test_forms_by_hand(fixed_fit, change_fit):
    """Two halves with rates 0.05 and 0.2: the index is 0.3, and its forms follow."""
    truth = {"intercept": np.log(0.1), "within": np.log(4.0), "between": 0.0, "cross_level": 0.0}
    fit = change_fit(fixed_fit(truth), constants=two_areas)
    # Covariance of rates (0.05, 0.2) and ranks (1/4, 3/4): 0.075 * 0.25 = 0.01875.
    # 2 * 0.01875 / 0.125 = 0.3; over 1 - 0.125: 0.342857; 4 * 0.125 * 0.3 = 0.15.
    for form, expected in (("standard", 0.3), ("wagstaff", 0.3 / 0.875), ("erreygers", 0.15)):
        index = concentration_index(fit, form=form)
        np.testing.assert_allclose(index, expected, rtol=1e-9)
        assert index.attrs["null"] == 0
    assert concentration_index(fit, form="wagstaff").name == "concentration_index_wagstaff"


def test_rates_per_anything_give_one_index(split_fit, change_fit):
    """Ten times as many events leave the standard index as it is."""
    more = change_fit(split_fit, posterior=lambda p: p.assign(intercept=p["intercept"] + 2.3))
    np.testing.assert_allclose(concentration_index(more), concentration_index(split_fit), rtol=1e-9)


def test_bounded_forms_are_refused_without_a_bound(split_fit, change_fit):
    """An event or more per unit of exposure has no bound of one."""
    many = change_fit(split_fit, posterior=lambda p: p.assign(intercept=p["intercept"] + 5))
    assert (concentration_index(many) > 0).all()
    with pytest.raises(EstimandError, match="and the nation has an event or more per unit"):
        concentration_index(many, form="wagstaff")
    with pytest.raises(EstimandError, match=r"and \d of 6 authorities \(first: \w+\) has an event"):
        concentration_index(many, form="erreygers", by="authority")


def test_options_are_checked(split_fit, null_fit):
    """A misspelt form and a model without deprivation are refused."""
    with pytest.raises(EstimandError, match="form is 'gini'; expected 'standard', 'wagstaff' or"):
        concentration_index(split_fit, form="gini")
    with pytest.raises(EstimandError, match="concentration_index is not defined for a null model"):
        concentration_index(null_fit)
