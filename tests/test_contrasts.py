import numpy as np
import pytest
import xarray as xr

from socgrad.errors import EstimandError
from socgrad.estimands.contrasts import contrast, log_ratio_at
from socgrad.reading.geography import geography
from socgrad.reading.posterior import coefficients


def make(fit, **named):
    """Set two authorities of a fit side by side."""
    return contrast(coefficients(fit), geography(fit), **named)


def test_default_is_half_a_step_either_side(split_fit):
    """Without a name the contrast is c - per/2 to c + per/2, for the step asked for."""
    c = float(split_fit["constant_data"]["national_mean"])
    xr.testing.assert_identical(
        log_ratio_at(make(split_fit), 0.2),
        log_ratio_at(make(split_fit, authority_means=(c - 0.05, c + 0.05)), 0.2),
    )
    xr.testing.assert_identical(
        log_ratio_at(make(split_fit, per=0.2), 0.2),
        log_ratio_at(make(split_fit, authority_means=(c - 0.1, c + 0.1)), 0.2),
    )
    assert make(split_fit, per=0.2).per == 0.2


def test_quantiles_are_authority_means(split_fit):
    """Quantiles find the means of the authorities in which those children live."""
    means = split_fit["constant_data"]["authority_mean"].to_numpy()
    # Six authorities with nearly equal children: 0.1 is the first, 0.9 the sixth.
    low, high = np.sort(means)[[0, 5]].tolist()
    xr.testing.assert_identical(
        log_ratio_at(make(split_fit, authority_quantiles=(0.1, 0.9)), 0.2),
        log_ratio_at(make(split_fit, authority_means=(low, high)), 0.2),
    )


def test_named_authorities_with_equal_effects_are_their_means(split_fit):
    """With equal effects a name stands for nothing but the authority's mean."""
    data = split_fit["constant_data"]
    means = [float(data["authority_mean"].sel(authority=k)) for k in ("Ashby", "Farleigh")]
    named = make(split_fit, authorities=("Ashby", "Farleigh"))
    xr.testing.assert_allclose(
        log_ratio_at(named, 0.2),
        log_ratio_at(make(split_fit, authority_means=tuple(means)), 0.2),
        rtol=1e-12,
    )
    assert named.names == ("Ashby (mean 0.153)", "Farleigh (mean 0.262)")
    assert [int(among.sum()) for among in named.areas] == [100, 100]


def test_own_effects_are_added(split_fit):
    """At the national mean own effects add the difference of levels and of slopes times w."""
    equal, own = (
        log_ratio_at(make(split_fit, authorities=("Ashby", "Farleigh"), effects=effects), 0.2)
        for effects in ("equal", "own")
    )
    p, mean = split_fit["posterior"], split_fit["constant_data"]["authority_mean"]
    shift = p["level_effect"] + p["slope_effect"] * (0.2 - mean) / 0.1
    expected = shift.sel(authority="Farleigh", drop=True) - shift.sel(authority="Ashby", drop=True)
    xr.testing.assert_allclose(own - equal, expected, rtol=1e-10)


def test_only_one_name(split_fit):
    """Two ways to name a contrast are refused, a step around the mean included."""
    with pytest.raises(EstimandError, match="named in 2 ways: authority_means, authorities"):
        make(split_fit, authority_means=(0.1, 0.2), authorities=("Ashby", "Corham"))
    with pytest.raises(EstimandError, match="named in 2 ways: authority_quantiles, per"):
        make(split_fit, authority_quantiles=(0.1, 0.9), per=0.1)


@pytest.mark.parametrize(
    "named",
    [
        {"authority_means": (0.1, 0.2, 0.3)},
        {"authority_quantiles": (0.5, 0.5)},
        {"authorities": ("Ashby", "Ashby")},
        {"authorities": "AB"},
        {"authority_means": 0.2},
    ],
)
def test_a_contrast_is_of_two(split_fit, named):
    """Three values, twice the same, or one label or number are refused."""
    with pytest.raises(EstimandError, match="does not name a first and a second"):
        make(split_fit, **named)


def test_quantiles_on_one_authority_are_refused(split_fit):
    """Two quantiles may fall on one and the same large authority."""
    with pytest.raises(EstimandError, match=r"both fall on the authority mean 0\.153"):
        make(split_fit, authority_quantiles=(0.05, 0.1))


def test_own_effects_need_names(split_fit):
    """A kind of authority has no effects of its own."""
    with pytest.raises(EstimandError, match="effects='own' needs named authorities"):
        make(split_fit, authority_means=(0.1, 0.2), effects="own")


def test_values_are_checked(split_fit):
    """Percentages, shares beyond 1 and unknown labels are refused."""
    with pytest.raises(EstimandError, match="authority_mean must be one or more proportions"):
        make(split_fit, authority_means=(10, 20))
    with pytest.raises(EstimandError, match="quantile probabilities lie outside 0-1"):
        make(split_fit, authority_quantiles=(10, 90))
    with pytest.raises(EstimandError, match="No authority 'Atlantis'"):
        make(split_fit, authorities=("Ashby", "Atlantis"))
