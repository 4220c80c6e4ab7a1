"""Structural and realised rates: what counts say of single neighbourhoods, and of localities."""

import numpy as np
import pytest
import xarray as xr

from area_by_area import area_rates
from conftest import changed
from locality_tables import locality_fit
from socgrad.errors import EstimandError
from socgrad.estimands.group_rates import authority_rate, rate_by_group
from socgrad.estimands.inequality import rii, sii
from socgrad.ranks import quantile_groups
from socgrad.reading.example import example_fit
from socgrad.reading.geography import geography
from socgrad.reading.observed import observed_counts

SPREAD = 0.6


def many_draws_of_one(*, spread: float = SPREAD, draws: int = 4000) -> xr.DataTree:
    """The first draw of the example fit with its counts, many times, overdispersed."""

    def repeated(posterior):
        one = posterior.isel(chain=[0], draw=np.zeros(draws, dtype=int))
        wide = one.assign_coords(draw=np.arange(draws))
        return wide.assign(overdispersion=xr.full_like(wide["intercept"], spread))

    return changed(example_fit(events=True), posterior=repeated)


def test_realised_rates_by_hand():
    """Their mean and variance over draws are those of gamma factors given each area's count."""
    fit = many_draws_of_one()
    land, counts = geography(fit), observed_counts(fit, purpose="This test")
    expected = land.exposure * area_rates(fit.isel(draw=[0]), own_effects=True)[0, 0]
    shape, rate = 1 / SPREAD**2 + counts.events, 1 / SPREAD**2 + expected
    found = authority_rate(fit, rates="realised", rate_per=1).isel(chain=0)
    for j, label in enumerate(found["authority"].to_numpy()):
        own, exposure = land.authority_of_area == j, land.authority_exposure[j]
        mean = (expected * shape / rate)[own].sum() / exposure
        sd = np.sqrt((expected**2 * shape / rate**2)[own].sum()) / exposure
        draws = found.sel(authority=label)
        assert float(draws.mean()) == pytest.approx(mean, abs=4 * sd / np.sqrt(4000))
        assert float(draws.std()) == pytest.approx(sd, rel=0.06)


def test_realised_rates_are_nearer_to_the_observed_ones():
    """Structural rates leave out what single neighbourhoods have, and miss the counts by it."""
    fit = many_draws_of_one()
    land, counts = geography(fit), observed_counts(fit, purpose="This test")
    events = np.bincount(land.authority_of_area, counts.events)
    observed = events / land.authority_exposure
    off = {
        kind: np.abs(authority_rate(fit, rates=kind, rate_per=1).mean(("chain", "draw")) - observed)
        for kind in ("structural", "realised")
    }
    assert float(off["realised"].max()) < 0.7 * float(off["structural"].max())


def test_factors_of_localities_by_hand():
    """Areas of one locality share a factor, which all of its counts inform."""
    fit = locality_fit().isel(chain=[0], draw=np.zeros(4000, dtype=int))
    fit = changed(fit, posterior=lambda p: p.assign_coords(draw=np.arange(4000)))
    land, counts = geography(fit), observed_counts(fit, purpose="This test")
    expected = land.exposure * area_rates(fit.isel(draw=[0]), own_effects=True)[0, 0]
    variance = float(fit["posterior"]["locality_sd"][0, 0]) ** 2
    of_locality = [np.bincount(land.locality_of_area, x) for x in (counts.events, expected)]
    shape, rate = (1 / variance + x for x in of_locality)
    both = authority_rate(fit, rates="realised", rate_per=1).isel(chain=0)
    home = np.zeros(len(shape), dtype=int)
    home[land.locality_of_area] = land.authority_of_area
    mean = np.bincount(home, of_locality[1] * shape / rate) / land.authority_exposure
    sd = np.sqrt(np.bincount(home, of_locality[1] ** 2 * shape / rate**2)) / land.authority_exposure
    np.testing.assert_array_less(np.abs(both.mean("draw") - mean), 4 * sd / np.sqrt(4000))
    np.testing.assert_allclose(both.std("draw"), sd, rtol=0.06)


def test_sums_that_belong_together_hold_the_same_factors():
    """With one seed, groups and authorities have the same events, and an index its own mean."""
    fit = many_draws_of_one(draws=50)
    land = geography(fit)
    options = {"rates": "realised", "random_seed": 4}
    groups = rate_by_group(fit, groups=2, rate_per=1, **options)
    own = authority_rate(fit, rate_per=1, **options)
    group = quantile_groups(land.deprivation, land.children, 2)
    sizes = xr.DataArray(np.bincount(group - 1, land.exposure), dims="group")
    events = (own * xr.DataArray(land.authority_exposure, dims="authority")).sum("authority")
    np.testing.assert_allclose((groups * sizes).sum("group"), events, rtol=1e-9)
    nation = events / land.exposure.sum()
    for method in ("poisson", "linear"):
        index = sii(fit, method=method, rate_per=1, **options)
        share = rii(fit, method=method, relative_to="mean", **options)
        np.testing.assert_allclose(share * nation, index, rtol=1e-9)
        assert float(abs(index - sii(fit, method=method, rate_per=1)).min()) > 0


def test_in_a_poisson_model_the_two_are_one():
    """Nothing departs from the lines, and nothing is said of it."""
    fit = example_fit(events=True)
    for estimand in (authority_rate, rate_by_group, sii, rii):
        xr.testing.assert_identical(estimand(fit), estimand(fit, rates="realised"))
        assert "structural" not in estimand(fit).attrs["reference"]
    for kind in ("structural", "realised"):
        reference = authority_rate(many_draws_of_one(draws=10), rates=kind).attrs["reference"]
        assert f"{kind} rates" in reference


def test_a_spread_that_vanishes_leaves_the_lines():
    """Factors of neighbourhoods that hardly vary are 1."""
    fit = many_draws_of_one(spread=1e-9, draws=10)
    lines, own = (authority_rate(fit, rates=kind) for kind in ("structural", "realised"))
    np.testing.assert_allclose(own, lines, rtol=1e-5)


def test_what_cannot_be_realised_is_refused(fit_with_events):
    """Totals say nothing of neighbourhoods, and logs of realised rates no index."""
    wide = changed(
        fit_with_events, posterior=lambda p: p.assign(overdispersion=0.3 + 0 * p["within"])
    )
    with pytest.raises(EstimandError, match=r"1 of 6 authorities .* known by their totals alone"):
        authority_rate(wide, rates="realised")
    with pytest.raises(EstimandError, match="method='log-linear' is least squares through log"):
        sii(many_draws_of_one(draws=5), method="log-linear", rates="realised")
    with pytest.raises(EstimandError, match="rates is 'real'; expected 'structural' or 'realised'"):
        rate_by_group(example_fit(), rates="real")
    bare = changed(
        example_fit(), posterior=lambda p: p.assign(overdispersion=0.3 + 0 * p["within"])
    )
    with pytest.raises(EstimandError, match="rates='realised' needs the observed events"):
        authority_rate(bare, rates="realised")
