from itertools import pairwise

import numpy as np
import pytest
import xarray as xr

from socgrad.errors import EstimandError
from socgrad.estimands.variance_partition import variance_explained, vpc
from socgrad.reading.example import example_fit_of_stages

SPREAD = {"level_sd": 0.3, "slope_sd": 0.1, "correlation": -0.5, "within": 0.5, "between": 0.0}
AT = {"deprivation": [0.2, 0.3], "authority_mean": 0.2, "exposure": 400}


def spread_fit(fixed_fit, change_fit, overdispersion=None, **values):
    """Give a fit of constants, also overdispersion."""
    fit = fixed_fit({**SPREAD, "intercept": np.log(0.01), "cross_level": 0.0, **values})
    if overdispersion is None:
        return fit
    return change_fit(
        fit, posterior=lambda p: p.assign(overdispersion=0 * p["intercept"] + overdispersion)
    )


@pytest.mark.parametrize("overdispersion", [None, 0.4])
def test_vpc_equals_a_simulation(fixed_fit, change_fit, overdispersion):
    """Counts simulated with authority effects (and gamma effects of areas) split as computed.

    Two neighbourhoods of each simulated authority have counts with this correlation.
    """
    rng = np.random.default_rng(4)
    number = 1_000_000
    fit = spread_fit(fixed_fit, change_fit, overdispersion)
    found = vpc(fit, **AT).isel(chain=0, draw=0)
    z = rng.standard_normal((2, number))
    level, slope = 0.3 * z[0], 0.1 * (-0.5 * z[0] + np.sqrt(0.75) * z[1])
    for k, w in enumerate((0.0, 1.0)):
        rate = 400 * 0.01 * np.exp(0.5 * w + level + slope * w)
        own = [rate, rate]
        if overdispersion is not None:
            shape = overdispersion**-2
            own = [rate * rng.gamma(shape, 1 / shape, number) for _ in range(2)]
        counts = [rng.poisson(one) for one in own]
        np.testing.assert_allclose(found[k], np.corrcoef(*counts)[0, 1], atol=0.005)


def test_vpc_by_hand(fixed_fit, change_fit):
    """Leckie's formula with numbers in place."""
    # v = 0.09, a = 0.4, N rate = 4: M = 4 exp(0.045) = 4.184111; exp(v) - 1 = 0.0941743
    # Poisson: 0.0941743 / (1 / 4.184111 + 0.0941743) = 0.282658
    # NB: 0.0941743 / (0.2389994 + 0.0941743 + 0.16 * 1.0941743) = 0.185294
    for overdispersion, expected in ((None, 0.282658), (0.4, 0.185294)):
        fit = spread_fit(fixed_fit, change_fit, overdispersion)
        np.testing.assert_allclose(vpc(fit, **AT).isel(deprivation=0), expected, rtol=5e-6)


def test_vpc_rises_with_the_expected_count(split_fit):
    """More exposure leaves less to chance: towards 1 without bound, towards 0 with none."""
    shares = [vpc(split_fit, exposure=n) for n in (1e-6, 100, 400, 1e9)]
    for fewer, more in pairwise(shares):
        assert (more > fewer).all()
    assert float(shares[0].max()) < 1e-6
    assert float(shares[-1].min()) > 0.999


def test_vpc_defaults_are_medians(split_fit):
    """The defaults are named and are the medians, given one by one."""
    data = split_fit["constant_data"]
    default = vpc(split_fit)
    assert default.dims == ("chain", "draw")
    exposure = float(np.median(data["exposure"]))
    order = np.argsort(data["deprivation"].to_numpy())
    children = data["children"].to_numpy()[order]
    x = float(data["deprivation"][order[np.searchsorted(children.cumsum(), children.sum() / 2)]])
    same = vpc(split_fit, deprivation=x, exposure=exposure)
    np.testing.assert_allclose(same.squeeze("deprivation"), default, rtol=1e-12)
    assert f"exposure {exposure:g}" in default.attrs["reference"]
    assert f"at deprivation {x:.3g}" in default.attrs["reference"]


def test_vpc_arguments_are_checked(split_fit):
    """An exposure of nothing is refused."""
    for wrong in (0, -3, np.inf):
        with pytest.raises(EstimandError, match=r"expected that of a neighbourhood"):
            vpc(split_fit, exposure=wrong)


def with_level_sd(fit, factor):
    """Drop all but the levels, and scale their standard deviation: a made-up null fit."""
    draws = fit["posterior"].to_dataset()[["intercept", "level_effect", "level_sd"]]
    null = fit.copy()
    null["posterior"] = xr.DataTree(draws.assign(level_sd=factor * draws["level_sd"]))
    return null


def test_variance_explained_by_hand(split_fit):
    """Twice the standard deviation without deprivation: three quarters; the same: nothing."""
    # 1 - 1 / 4, 0, and below 0 where the null model has the smaller one: 1 - 1 / 0.64
    for factor, expected in ((2, 0.75), (1, 0.0), (0.8, -0.5625)):
        found = variance_explained(split_fit, null=with_level_sd(split_fit, factor))
        np.testing.assert_allclose(found, expected, atol=1e-12)
        assert found.attrs["null"] == 0


def test_variance_explained_by_stratum():
    """Each stratum is held against its own null fit."""
    stages = example_fit_of_stages()
    null = with_level_sd(stages, xr.DataArray([2.0, 1.0, 4.0], dims="stratum"))
    found = variance_explained(stages, null=null).median(("chain", "draw"))
    np.testing.assert_allclose(found, [0.75, 0.0, 0.9375], atol=1e-12)


def test_two_fits_must_be_of_one_table(split_fit, null_fit, change_fit):
    """Full for null, null for full, other authorities, other data and other draws are refused."""
    with pytest.raises(EstimandError, match="null is a fit with deprivation"):
        variance_explained(split_fit, null=split_fit)
    with pytest.raises(EstimandError, match="variance_explained is not defined for a null model"):
        variance_explained(null_fit, null=null_fit)
    names = [*"ABCDEF"]
    renamed = change_fit(
        null_fit,
        posterior=lambda p: p.assign_coords(authority=names),
        constants=lambda c: c.assign_coords(authority=names),
    )
    with pytest.raises(EstimandError, match="share 0 of 12 authorities"):
        variance_explained(split_fit, null=renamed)
    fewer = change_fit(null_fit, posterior=lambda p: p.isel(draw=slice(20)))
    with pytest.raises(EstimandError, match="2 chains of 50 draws and the null fit 2 of 20"):
        variance_explained(split_fit, null=fewer)
    one, other = (change_fit(fit) for fit in (split_fit, null_fit))
    one.attrs["data_sha256"], other.attrs["data_sha256"] = "a", "b"
    with pytest.raises(EstimandError, match="are of different data"):
        variance_explained(one, null=other)
