import numpy as np
import xarray as xr
from scipy.stats import norm

from socgrad.estimands.gradient_pairs import pairwise_steeper, steeper_than


def test_pairs_are_complementary(split_fit):
    """Pr(a steeper than b) and Pr(b steeper than a) make 1, and agree with the named function."""
    pairs = pairwise_steeper(split_fit)
    off = ~np.eye(6, dtype=bool)
    np.testing.assert_allclose((pairs + pairs.T.to_numpy()).to_numpy()[off], 1.0)
    assert np.isnan(pairs.to_numpy()[~off]).all()
    than = steeper_than(split_fit, authority="Denwick").mean(("chain", "draw"))
    np.testing.assert_allclose(than, pairs["Denwick"].drop("Denwick"))


def test_pairs_have_the_probability_of_normal_draws(split_fit, change_fit):
    """Independent normal effects: the probability is that of their difference, in closed form."""
    rng = np.random.default_rng(8)
    mean, draws = np.array([0.0, 0.02, -0.03, 0.05, 0.1, -0.1]), 4000
    effect = xr.DataArray(
        mean + 0.05 * rng.standard_normal((2, draws, 6)), dims=("chain", "draw", "authority")
    )

    def many(posterior):
        kept = posterior[["intercept", "within"]].isel(draw=[0] * draws)
        labels = {"draw": np.arange(draws), "authority": posterior["authority"]}
        return kept.assign_coords(labels).assign(slope_effect=effect)

    pairs = pairwise_steeper(change_fit(split_fit, posterior=many)).to_numpy()
    expected = norm.cdf((mean[:, None] - mean) / (0.05 * np.sqrt(2)))
    off = ~np.eye(6, dtype=bool)
    np.testing.assert_allclose(pairs[off], expected[off], atol=5 * 0.5 / np.sqrt(2 * draws))
