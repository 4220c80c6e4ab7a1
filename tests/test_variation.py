import numpy as np
import pytest
import xarray as xr

from socgrad.errors import EstimandError, SupportWarning
from socgrad.estimands.rates import expected_rate
from socgrad.estimands.slope_variation import gradient_sd, level_slope_correlation
from socgrad.estimands.variation import authority_sd, median_rate_ratio
from socgrad.tables.summaries import summarise

SPREAD = {"level_sd": 0.3, "slope_sd": 0.1, "correlation": -0.5}


def test_sd_by_hand(fixed_fit):
    """At the mean, a step above it and two below, with the effects' covariance written out."""
    fit = fixed_fit(SPREAD)
    np.testing.assert_allclose(authority_sd(fit), 0.3, rtol=1e-12)
    np.testing.assert_allclose(level_slope_correlation(fit), -0.5, rtol=1e-12)
    at = {"deprivation": [0.2, 0.3, 0.0], "authority_mean": 0.2}
    with pytest.warns(SupportWarning):
        sd = authority_sd(fit, **at).isel(chain=1, draw=3)
    # w = 1: 0.09 - 0.03 + 0.01 = 0.07; w = -2: 0.09 + 0.06 + 0.04 = 0.19
    np.testing.assert_allclose(sd, np.sqrt([0.09, 0.07, 0.19]), rtol=1e-12)
    with pytest.warns(SupportWarning):
        rho = level_slope_correlation(fit, **at).isel(chain=1, draw=3)
    # covariance of level at w and slope: -0.015 + 0.01 w, over 0.1 sd
    expected = np.array([-0.015, -0.005, -0.035]) / (0.1 * np.sqrt([0.09, 0.07, 0.19]))
    np.testing.assert_allclose(rho, expected, rtol=1e-12)
    np.testing.assert_allclose(gradient_sd(fit), 0.1, rtol=1e-12)
    np.testing.assert_allclose(gradient_sd(fit, per=0.2), 0.2, rtol=1e-12)
    # exp(sqrt(2) * 0.674490 * 0.3) = exp(0.286161)
    np.testing.assert_allclose(median_rate_ratio(fit), np.exp(0.2861613), rtol=1e-6)


def test_sd_is_that_of_new_authorities(split_fit, change_fit):
    """The spread of rates simulated for new authorities is the standard deviation, at any x."""

    def many(posterior):
        kept = posterior[["intercept", "within", "between"]].isel(draw=[0] * 10_000)
        one = xr.ones_like(kept["intercept"])
        return kept.assign({name: value * one for name, value in SPREAD.items()}).assign_coords(
            draw=np.arange(10_000)
        )

    fit = change_fit(split_fit, posterior=many)
    x = {"deprivation": [0.1, 0.2, 0.3], "authority_mean": 0.2}
    new = np.log(expected_rate(fit, target="new", **x)) - np.log(expected_rate(fit, **x))
    spread = new.squeeze("authority_mean").std(("chain", "draw"))
    expected = authority_sd(fit, **x).isel(chain=0, draw=0)
    np.testing.assert_allclose(spread, expected, rtol=0.03)  # 20,000 draws: 0.5% each
    # Half of all pairs of authorities have a ratio, higher over lower, below the median one.
    pairs = np.exp(np.abs(new[0].to_numpy() - new[1].to_numpy())).squeeze()
    ratio = median_rate_ratio(fit, **x).isel(chain=0, draw=0)
    np.testing.assert_allclose((pairs < ratio.to_numpy()).mean(axis=0), 0.5, atol=0.02)


def test_the_mean_is_where_the_model_says(split_fit):
    """Without a deprivation the terms of the model come back; at m = x they agree."""
    posterior = split_fit["posterior"]
    np.testing.assert_allclose(authority_sd(split_fit), posterior["level_sd"], rtol=1e-12)
    np.testing.assert_allclose(
        level_slope_correlation(split_fit), posterior["correlation"], rtol=1e-12
    )
    np.testing.assert_allclose(
        authority_sd(split_fit, deprivation=0.21, authority_mean=0.21).squeeze("deprivation"),
        posterior["level_sd"],
        rtol=1e-12,
    )


def test_the_authority_mean_moves_the_fan(split_fit):
    """The same neighbourhood lies elsewhere in the fan of a more deprived authority."""
    low, high, median = (
        authority_sd(split_fit, deprivation=0.3, authority_mean=m) for m in (0.17, 0.24, None)
    )
    assert (low > high).all()
    assert float(median.mean()) not in (float(low.mean()), float(high.mean()))


def test_pooled_and_null_models(pooled_fit, null_fit, no_slopes_fit):
    """A pooled fan opens from the national mean; without slopes there is none."""
    c = float(pooled_fit["constant_data"]["national_mean"])
    at_c = authority_sd(pooled_fit, deprivation=c, authority_mean=0.1).squeeze("deprivation")
    np.testing.assert_allclose(at_c, authority_sd(pooled_fit), rtol=1e-12)
    assert "at the national mean" in authority_sd(pooled_fit).attrs["reference"]
    for fit in (null_fit, no_slopes_fit):
        flat = authority_sd(fit, deprivation=[0.1, 0.3])
        np.testing.assert_allclose(flat.isel(deprivation=0), flat.isel(deprivation=1))
        for function in (gradient_sd, level_slope_correlation):
            with pytest.raises(EstimandError, match="for a model without random slopes"):
                function(fit)


def test_arguments_are_checked(split_fit):
    """A mean without a deprivation, several means, and percentages are refused."""
    with pytest.raises(EstimandError, match="authority_mean was given without deprivation"):
        authority_sd(split_fit, authority_mean=0.2)
    with pytest.raises(EstimandError, match="authority_mean has 2 values; expected one"):
        authority_sd(split_fit, deprivation=0.2, authority_mean=[0.1, 0.2])
    with pytest.raises(EstimandError, match="Divide percentages by 100"):
        median_rate_ratio(split_fit, deprivation=20)


def test_rows_of_a_table(split_fit):
    """All of them become rows of one table; the ratio has its null."""
    table = summarise(
        authority_sd(split_fit),
        authority_sd(split_fit, deprivation=[0.1, 0.3]),
        median_rate_ratio(split_fit, deprivation=[0.1, 0.3]),
        gradient_sd(split_fit),
        level_slope_correlation(split_fit),
    )
    assert len(table) == 7
    assert table.loc["median_rate_ratio", "null"].eq(1).all()
