"""Every estimand on a fit with regions: an effect of its region is part of an authority's own."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import socgrad as sg
from conftest import changed
from public_names import public_names
from region_tables import NARROW, region_draws, simulated_with_regions, with_regions
from socgrad.checks.counts import lines_at, population_at
from socgrad.errors import EstimandError, SchemaError
from socgrad.manifest import data_hash
from socgrad.reading.disclosure import without_events
from socgrad.reading.geography import geography
from socgrad.reading.posterior import coefficients
from socgrad.schema import LEVEL_SCHEMA_VERSION
from test_third_level import FOLLOW, OTHERS, UNMOVED

pytestmark = pytest.mark.filterwarnings("ignore::socgrad.errors.SupportWarning")

#: Estimands that ask how much authorities differ, tested below.
SPREAD = {"authority_sd", "level_slope_correlation", "median_rate_ratio", "expected_rate"}


@pytest.fixture(scope="module")
def fit():
    """Draws of a model of eighteen authorities in eight regions."""
    return region_draws()


@pytest.fixture(scope="module")
def folded(fit):
    """The same rates without regions: each effect of a region in those of its authorities."""
    terms = coefficients(fit)

    def fold(posterior):
        effect = (posterior["level_effect"] + terms.level_region).transpose(
            "chain", "draw", "authority"
        )
        dropped = posterior.drop_vars(["region_effect", "region_sd", "region"])
        return dropped.assign(level_effect=effect)

    return changed(
        fit, posterior=fold, constants=lambda c: c.drop_vars(["region_of_authority", "region"])
    )


def test_lists_are_those_of_the_third_level():
    """What is tested for localities is tested for regions, one way or another."""
    assert set(UNMOVED) >= SPREAD
    assert "region_ratio" in OTHERS
    assert "vpc" in FOLLOW


@pytest.mark.parametrize("name", sorted(set(UNMOVED) - SPREAD))
def test_effects_of_regions_are_part_of_authorities(name, fit, folded):
    """Rates, gradients and indices are as if each authority's effect held its region's."""
    function = public_names()[name]
    own, other = function(fit, **UNMOVED[name]), function(folded, **UNMOVED[name])
    if isinstance(own, pd.DataFrame):
        pd.testing.assert_frame_equal(own, other)
    else:
        xr.testing.assert_allclose(own, other, rtol=1e-12)


@pytest.mark.parametrize("target", ["average", "each"])
def test_rates_of_authorities_that_are_known(target, fit, folded):
    """Each in its own region, the average one in none."""
    own, other = (sg.rates.expected_rate(tree, target=target) for tree in (fit, folded))
    xr.testing.assert_allclose(own, other, rtol=1e-12)


def test_spread_is_of_authorities_of_any_region(fit, folded):
    """Their variance is that of authorities of one region plus that of regions."""
    wide, narrow = sg.variation.authority_sd(fit), sg.variation.authority_sd(folded)
    expected = np.sqrt(narrow**2 + fit["posterior"]["region_sd"] ** 2)
    np.testing.assert_allclose(wide, expected, rtol=1e-12)
    # exp(0.9539 sd), 0.9539 = sqrt(2) times the third quartile of a standard normal.
    np.testing.assert_allclose(
        np.log(sg.variation.median_rate_ratio(fit)) / wide, 0.953873, rtol=1e-5
    )
    correlation = sg.variation.level_slope_correlation(fit)
    np.testing.assert_allclose(
        correlation, sg.variation.level_slope_correlation(folded) * narrow / wide, rtol=1e-10
    )


def test_new_authorities_lie_in_new_regions(fit, folded):
    """Spread of a new authority's log rate, and the mean over all of them, hold regions."""
    at = {"deprivation": float(fit["constant_data"]["national_mean"])}
    sd = float(sg.variation.authority_sd(fit).mean())
    new = np.log(sg.rates.expected_rate(fit, target="new", **at))
    average = np.log(sg.rates.expected_rate(fit, target="average", **at))
    assert float((new - average).std()) == pytest.approx(sd, rel=0.15)
    mean = np.log(sg.rates.expected_rate(fit, target="integrated", **at)) - average
    half = sg.variation.authority_sd(fit).to_numpy().ravel() ** 2 / 2
    np.testing.assert_allclose(mean.to_numpy().ravel(), half, rtol=1e-9)
    place = pd.DataFrame({"deprivation": [at["deprivation"]]})
    rows = np.log(sg.predictions.predict_rate(fit, place, target="new"))
    assert float((rows - average.to_numpy()).std()) == pytest.approx(sd, rel=0.15)
    fewer = np.log(sg.predictions.predict_rate(folded, place, target="new"))
    assert float(fewer.std()) < float(rows.std())


def test_shares_of_variance_add_up(fit, folded):
    """Regions and authorities within them share what authorities of any region have."""
    at = {"deprivation": 0.2, "exposure": 400}
    regions, authorities = sg.variation.vpc(fit, level="region", **at), sg.variation.vpc(fit, **at)
    v = sg.variation.authority_sd(fit, deprivation=0.2) ** 2
    u = v - fit["posterior"]["region_sd"] ** 2
    # Both are over one total: (exp(s) - 1) to exp(s) (exp(u) - 1), s the variance of regions.
    s = v - u
    ratio = np.expm1(s) / (np.exp(s) * np.expm1(u))
    np.testing.assert_allclose((regions / authorities).squeeze(), ratio.squeeze(), rtol=1e-9)
    assert "authorities of one region" in authorities.attrs["units"]
    assert regions.attrs["units"].endswith("between regions")
    with pytest.raises(EstimandError, match=r"level='region' asks for .*regions=True"):
        sg.variation.vpc(folded, level="region")


def test_a_new_authority_in_its_place_keeps_its_region(fit, folded):
    """Authorities of high regions have more events, also when their own effects are drawn anew."""
    home = fit["constant_data"]["region_of_authority"].to_numpy()
    own = fit["posterior"]["region_effect"].transpose("chain", "draw", "region").to_numpy()
    effect = own.reshape(-1, own.shape[-1])[:, home]
    for target in ("average", "new"):
        with_them, without = (
            np.log(sg.predictions.predict_authority_events(tree, target=target) + 0.5)
            .to_numpy()
            .reshape(effect.shape)
            for tree in (fit, folded)
        )
        slopes = [np.polyfit(effect.ravel(), y.ravel(), 1)[0] for y in (with_them, without)]
        assert slopes[0] == pytest.approx(1.0, abs=0.2)
        assert slopes[1] == pytest.approx(0.0, abs=0.2)


def test_checks_know_the_region_of_an_authority(fit, folded):
    """Before its own counts an authority's line is that of its region; with effects, its own."""
    at = np.arange(0, 400, 40)
    terms = coefficients(fit)
    people, plain = population_at(fit, at), population_at(folded, at)
    region = terms.level_region.transpose("chain", "draw", "authority").to_numpy()
    np.testing.assert_allclose(people.level - plain.level, region.reshape(400, -1)[at], atol=1e-12)
    np.testing.assert_allclose(lines_at(fit, at).level, lines_at(folded, at).level, rtol=1e-12)


def test_average_level_is_the_nations(fit):
    """Excess over the average level holds what a region adds."""
    excess = sg.inequality.excess_events(fit, against="average_level", by="authority")
    terms, land = coefficients(fit), geography(fit)
    total = terms.level_effect
    # exp(effect) - 1 has the sign of the authority's whole effect, its region's included.
    same = np.sign(excess.to_numpy()) == np.sign(total.transpose("chain", "draw", ...).to_numpy())
    assert same.all()
    assert land.authority_mean.size == 18


def test_excess_events_know_the_regions_of_the_fit(fit, folded):
    """By default those of the model; they add up to the nation, and may be given otherwise."""
    by_region = sg.inequality.excess_events(fit, by="region")
    assert set(by_region["region"].to_numpy()) == set(fit["posterior"]["region"].to_numpy())
    np.testing.assert_allclose(by_region.sum("region"), sg.inequality.excess_events(fit), rtol=1e-9)
    home = fit["constant_data"]["region_of_authority"].to_numpy()
    labels = fit["constant_data"]["authority"].to_numpy().tolist()
    given = dict(zip(labels, fit["posterior"]["region"].to_numpy()[home], strict=True))
    xr.testing.assert_allclose(
        sg.inequality.excess_events(folded, by="region", regions=given), by_region
    )
    with pytest.raises(EstimandError, match="by='region' needs regions"):
        sg.inequality.excess_events(folded, by="region")


def test_a_scenario_leaves_the_region_where_it_is(fit):
    """Turning an authority's line keeps its region's effect once, in pooled models too."""
    altered = sg.predictions.scenario(fit, "A001", average_slope=True)
    xr.testing.assert_allclose(
        altered["posterior"]["level_effect"], fit["posterior"]["level_effect"], rtol=1e-10
    )
    xr.testing.assert_equal(
        altered["posterior"]["region_effect"], fit["posterior"]["region_effect"]
    )


def test_ratios_of_regions(fit, folded):
    """Exp of their effects, by name; a fit without regions says where to find fixed ones."""
    ratio = sg.variation.region_ratio(fit)
    np.testing.assert_allclose(ratio, np.exp(fit["posterior"]["region_effect"]), rtol=1e-12)
    assert ratio.attrs["null"] == 1.0
    areas = with_regions(simulated_with_regions())
    assert ratio["region"].to_numpy().tolist() == areas.region.tolist()
    with pytest.raises(
        EstimandError, match=r"this model has none.*socgrad\.covariates\.covariate_ratio"
    ):
        sg.variation.region_ratio(folded)


def test_explained_variance_is_of_regions_too(fit, folded):
    """A null model of regions and a full one compare by both variances together."""
    draws = fit["posterior"].to_dataset()
    null = changed(
        fit,
        posterior=lambda p: (
            p[["intercept", "level_effect", "level_sd", "region_sd"]]
            .assign(region_effect=p["region_effect"])
            .assign(level_sd=2 * p["level_sd"])
        ),
    )
    own, other = draws["level_sd"] ** 2, draws["region_sd"] ** 2
    expected = 1 - (own + other) / (4 * own + other)
    found = sg.variation.variance_explained(fit, null=null)
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    assert not np.allclose(found, sg.variation.variance_explained(folded, null=null))


def test_a_file_keeps_its_regions(fit, tmp_path):
    """With the counts or without; a tree without the lookup is refused."""
    assert fit.attrs["socgrad_schema"] == LEVEL_SCHEMA_VERSION
    again = sg.load(sg.save(fit, tmp_path / "fit.nc"))
    xr.testing.assert_equal(sg.variation.region_ratio(again), sg.variation.region_ratio(fit))
    xr.testing.assert_equal(
        sg.rates.expected_rate(without_events(fit)), sg.rates.expected_rate(fit)
    )
    torn = changed(fit, constants=lambda c: c.drop_vars("region_of_authority"))
    with pytest.raises(SchemaError, match="has no region_of_authority"):
        sg.gradient(torn)


def test_priors_of_regions(fit):
    """Shown beside the draws, on the scale of log rates."""
    row = sg.prior_checks.compare_prior(fit).loc["region_sd"]
    assert row["scale"] == "log rate"
    assert row["prior"] == pytest.approx(0.3, abs=0.002)
    assert abs(row["learned"]) < 0.3
    effects = fit["posterior"]["region_effect"] / fit["posterior"]["region_sd"]
    assert float(effects.std()) == pytest.approx(1.0, abs=0.05)


def test_the_hash_is_of_the_data_without_regions():
    """Regions are the model's, so that a null model without them has the same data."""
    simulation = simulated_with_regions()
    one = with_regions(simulation)
    frame = simulation.frame.assign(
        region=simulation.frame["region"].where(simulation.frame["authority"] != "A001", "R99")
    )
    other = with_regions(dataclasses.replace(simulation, frame=frame))
    assert data_hash(one) == data_hash(other)
    more = dataclasses.replace(simulation, frame=frame.assign(children=frame["children"] + 1))
    assert data_hash(one) != data_hash(with_regions(more))


def test_strata_with_regions():
    """Each stratum has its own effects of regions."""
    frame = simulated_with_regions().frame
    frame = frame.assign(more=frame["events"] + 1)
    strata = sg.Strata.from_stages(
        frame,
        area="area",
        authority="authority",
        deprivation="deprivation",
        children="children",
        stages=["events", "more"],
        region="region",
        nested=False,
        complete=True,
    )
    model = sg.StratifiedModel(strata, regions=True, priors=NARROW)
    assert model.models["more"].regions
    assert strata.first.region.tolist() == with_regions(simulated_with_regions()).region.tolist()
