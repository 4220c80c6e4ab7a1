import numpy as np
import pytest

from socgrad.errors import EstimandError
from socgrad.estimands.attributable import attributable_fraction, attributable_rate
from socgrad.estimands.gaps import absolute_gap, relative_gap
from socgrad.estimands.group_rates import authority_rate, rate_by_group
from socgrad.tables.summaries import summarise
from test_inequality import two_areas

TRUTH = {"intercept": np.log(0.01), "within": np.log(4.0), "between": 0.0, "cross_level": 0.0}


@pytest.mark.parametrize("groups", [3, 10])
def test_national_gaps_are_those_of_the_groups(split_fit, groups):
    """Difference and ratio of the last and the first group of `rate_by_group`."""
    rates = rate_by_group(split_fit, groups=groups)
    first, last = rates.isel(group=0, drop=True), rates.isel(group=-1, drop=True)
    np.testing.assert_allclose(absolute_gap(split_fit, groups=groups), last - first, rtol=1e-10)
    np.testing.assert_allclose(relative_gap(split_fit, groups=groups), last / first, rtol=1e-10)


def test_an_authority_alone_is_a_nation(split_fit, change_fit):
    """An authority's gap is the national one of a table of its own areas."""

    def alone(data):
        return data.assign(
            {
                n: data[n].where(data["authority_of_area"] == 3, 0.0)
                for n in ("exposure", "children")
            }
        )

    fit = change_fit(split_fit, constants=alone)
    for function in (absolute_gap, relative_gap):
        own = function(split_fit, by="authority", groups=5).sel(authority="Denwick")
        np.testing.assert_allclose(own, function(fit, groups=5), rtol=1e-10)


def test_gaps_by_hand(fixed_fit, change_fit):
    """Two halves with rates of 50 and 200 per 10,000."""
    fit = change_fit(fixed_fit(TRUTH), constants=two_areas)
    for by in ("nation", "authority"):
        np.testing.assert_allclose(absolute_gap(fit, by=by, groups=2), 150, rtol=1e-12)
        np.testing.assert_allclose(relative_gap(fit, by=by, groups=2), 4, rtol=1e-12)
        # The overall rate is 125: 75 above the least deprived half, 60% of it.
        for reference in ("nation", "own")[: 1 if by == "nation" else 2]:
            options = {"by": by, "reference": reference, "groups": 2}
            np.testing.assert_allclose(attributable_rate(fit, **options), 75, rtol=1e-12)
            np.testing.assert_allclose(attributable_fraction(fit, **options), 0.6, rtol=1e-12)


def test_authorities_without_both_ends_are_left_out(fixed_fit, change_fit):
    """Authorities of one area, or without exposure, have no gap; the reference says how many."""
    fit = change_fit(fixed_fit(TRUTH), constants=two_areas)
    gap = absolute_gap(fit, by="authority", groups=2)
    assert gap["authority"].to_numpy().tolist() == ["Ashby"]
    assert (
        "5 authorities with an empty extreme group left out (first: Barlow)"
        in (gap.attrs["reference"])
    )
    one = change_fit(fit, constants=lambda c: c.assign(deprivation=0 * c["deprivation"] + 0.2))
    with pytest.raises(EstimandError, match="None of 6 authorities has exposure in both the first"):
        absolute_gap(one, by="authority")


def test_attributable_rates_of_authorities_add_up(split_fit):
    """Against the nation's least deprived, weighted by exposure they are the national one."""
    exposure = split_fit["constant_data"]["exposure"].groupby(
        split_fit["constant_data"]["authority_of_area"]
    )
    weight = exposure.sum().to_numpy()
    own = attributable_rate(split_fit, by="authority")
    nation = attributable_rate(split_fit)
    np.testing.assert_allclose(own.to_numpy() @ weight / weight.sum(), nation, rtol=1e-10)
    rate = authority_rate(split_fit)
    fraction = attributable_fraction(split_fit, by="authority")
    np.testing.assert_allclose(own / rate, fraction, rtol=1e-10)


def test_the_reference_matters(split_fit):
    """Own and national least deprived groups give other numbers, and are named."""
    own, nation = (
        attributable_rate(split_fit, by="authority", reference=r) for r in ("own", "nation")
    )
    assert float(abs(own - nation).max()) > 5
    assert "of each authority" in own.attrs["reference"]
    assert "of the nation" in nation.attrs["reference"]
    assert len(summarise(own)) == 6


def test_an_authority_without_exposure_is_left_out(split_fit, change_fit):
    """It has no rate to hold against the nation's least deprived."""
    fit = change_fit(
        split_fit,
        constants=lambda c: c.assign(exposure=c["exposure"].where(c["authority_of_area"] != 2, 0)),
    )
    found = attributable_rate(fit, by="authority")
    assert "Corham" not in found["authority"].to_numpy().tolist()
    assert found.attrs["reference"].endswith("1 authorities without exposure left out")


def test_options_are_checked(split_fit, null_fit, change_fit):
    """Misspelt options, too few groups and models without deprivation are refused."""
    for wrong in (1, 2.5):
        for by in ("nation", "authority"):
            with pytest.raises(EstimandError, match="expected 2 or more, such as 10 for deciles"):
                absolute_gap(split_fit, by=by, groups=wrong)
    with pytest.raises(EstimandError, match="by is 'area'; expected 'nation' or 'authority'"):
        relative_gap(split_fit, by="area")
    with pytest.raises(EstimandError, match="reference='own' is for by='authority'"):
        attributable_rate(split_fit, reference="own")
    with pytest.raises(EstimandError, match="reference is 'mean'; expected 'nation' or 'own'"):
        attributable_fraction(split_fit, reference="mean")
    for function in (absolute_gap, relative_gap, attributable_rate, attributable_fraction):
        with pytest.raises(EstimandError, match="not defined for a null model"):
            function(null_fit)
    idle = change_fit(
        split_fit,
        constants=lambda c: c.assign(exposure=c["exposure"].where(c["deprivation"] > 0.1, 0)),
    )
    with pytest.raises(EstimandError, match="An extreme one of 10 national groups has no exposure"):
        absolute_gap(idle)
