import numpy as np
import pytest

from area_by_area import area_rates
from region_tables import region_draws
from socgrad.errors import EstimandError, TableError
from socgrad.estimands.attributable import attributable_rate
from socgrad.estimands.excess import excess_events
from socgrad.estimands.group_rates import authority_rate
from socgrad.reading.covariate_example import covariate_example_fit
from socgrad.reading.example import example_fit
from socgrad.reading.geography import geography
from socgrad.tables.summaries import summarise
from test_inequality import exposed, two_areas

AGAINST = ("least_deprived", "national_mean", "average_level", "average_gradient")
REGIONS = dict(
    zip(("Ashby", "Barlow", "Corham", "Denwick", "Elmstone", "Farleigh"), "NNSSSM", strict=True)
)


@pytest.mark.parametrize("against", AGAINST)
@pytest.mark.parametrize("name", ["split_fit", "curved_fit", "pooled_fit"])
def test_parts_add_up_in_every_draw(request, change_fit, name, against):
    """Areas make their authority, authorities their region, regions the nation."""
    fit = change_fit(request.getfixturevalue(name), constants=exposed)
    nation = excess_events(fit, against=against)
    authorities = excess_events(fit, against=against, by="authority")
    scale = float(abs(authorities).sum("authority").max())
    np.testing.assert_allclose(authorities.sum("authority"), nation, atol=1e-11 * scale)
    region = excess_events(fit, against=against, by="region", regions=REGIONS)
    assert region["region"].to_numpy().tolist() == ["M", "N", "S"]
    np.testing.assert_allclose(region.sum("region"), nation, atol=1e-11 * scale)
    for own, where in zip(("Ashby", "Farleigh"), ("N", "M"), strict=True):
        areas = excess_events(fit, against=against, by="area", authority=own)
        assert areas.sizes["area"] == 100
        assert areas["area"].to_numpy()[0].startswith(own[0])
        alone = authorities.sel(authority=own)
        np.testing.assert_allclose(areas.sum("area"), alone, atol=1e-10 * scale)
        if where == "M":
            np.testing.assert_array_equal(region.sel(region="M"), alone)


@pytest.mark.parametrize("name", ["split_fit", "curved_fit", "pooled_fit"])
def test_against_equations_written_out(request, change_fit, name):
    """Each reference is the equation with that one thing changed, area by area."""
    fit = change_fit(request.getfixturevalue(name), constants=exposed)
    land = geography(fit)
    rates = area_rates(fit, own_effects=True)
    national = (rates @ land.exposure / land.exposure.sum())[..., None]
    without = {
        f"average_{what}": area_rates(
            change_fit(fit, posterior=lambda p, e=effect: p.assign({e: 0 * p[e]})),
            own_effects=True,
        )
        for what, effect in (("level", "level_effect"), ("gradient", "slope_effect"))
    }
    for against, reference in {"national_mean": national, **without}.items():
        expected = (land.exposure * (rates - reference)).sum(axis=-1)
        found = excess_events(fit, against=against)
        scale = (land.exposure * rates).sum(axis=-1).max()
        np.testing.assert_allclose(found, expected, atol=1e-11 * scale)


def test_against_the_least_deprived_is_the_attributable_rate(split_fit):
    """Excess over exposure is the attributable rate, of the nation and of each authority."""
    exposure = geography(split_fit).authority_exposure
    for by, size in (("nation", exposure.sum()), ("authority", exposure)):
        for groups in (5, 10):
            rate = attributable_rate(split_fit, by=by, groups=groups, rate_per=1)
            found = excess_events(split_fit, by=by, groups=groups)
            np.testing.assert_allclose(found, rate * size, rtol=1e-9)


def test_against_the_nation_sums_to_nothing(split_fit):
    """Above and below the national rate cancel; an authority's excess is its rate's."""
    own = excess_events(split_fit, against="national_mean", by="authority")
    np.testing.assert_allclose(own.sum("authority"), 0, atol=1e-7)
    rate, exposure = authority_rate(split_fit, rate_per=1), geography(split_fit).authority_exposure
    national = (rate * exposure).sum("authority") / exposure.sum()
    np.testing.assert_allclose(own, (rate - national) * exposure, atol=1e-7)


def test_by_hand(fixed_fit, change_fit):
    """Two areas of 100 children at rates 0.05 and 0.2, and effects set by hand."""
    truth = {"intercept": np.log(0.1), "within": np.log(4.0), "between": 0.0, "cross_level": 0.0}
    fit = change_fit(fixed_fit(truth), constants=two_areas)
    # Events 5 and 20: 15 above the least deprived half; 25 against a mean of 12.5 each.
    np.testing.assert_allclose(excess_events(fit, groups=2), 15, rtol=1e-12)
    areas = excess_events(fit, against="national_mean", by="area", authority="Ashby")
    np.testing.assert_allclose(areas.isel(area=[0, 50], chain=0, draw=0), [-7.5, 7.5], rtol=1e-12)
    # Twice the level: 10 and 40 events, 25 too many; at the average gradient as it was.
    high = change_fit(
        fit, posterior=lambda p: p.assign(level_effect=p["level_effect"] + np.log(2.0))
    )
    np.testing.assert_allclose(excess_events(high, against="average_level"), 25, rtol=1e-12)
    np.testing.assert_allclose(excess_events(high, against="average_gradient"), 0, atol=1e-12)
    # Gradient 16 instead of 4: 100 (0.1 / 4 + 0.1 * 4) = 42.5 events instead of 25.
    steep = change_fit(
        fit, posterior=lambda p: p.assign(slope_effect=p["slope_effect"] + np.log(4.0))
    )
    np.testing.assert_allclose(excess_events(steep, against="average_gradient"), 17.5, rtol=1e-12)
    np.testing.assert_allclose(excess_events(steep, against="average_level"), 0, atol=1e-12)


def test_authorities_without_exposure_have_no_excess(split_fit, change_fit):
    """No children, no events: nothing above any reference, and still a row."""
    idle = change_fit(
        split_fit,
        constants=lambda c: c.assign(exposure=c["exposure"].where(c["authority_of_area"] != 2, 0)),
    )
    for against in AGAINST:
        own = excess_events(idle, against=against, by="authority")
        assert own.sizes["authority"] == 6
        np.testing.assert_array_equal(own.sel(authority="Corham"), 0)


def test_covariates_stay_in_the_average(change_fit):
    """An average level or gradient is that of authorities with the same covariates."""
    fit = covariate_example_fit()
    exposure = geography(fit).authority_exposure
    for against, name in (("average_level", "level_effect"), ("average_gradient", "slope_effect")):
        average = change_fit(fit, posterior=lambda p, e=name: p.assign({e: 0 * p[e]}))
        more = authority_rate(fit, rate_per=1) - authority_rate(average, rate_per=1)
        found = excess_events(fit, against=against, by="authority")
        np.testing.assert_allclose(found, more * exposure, atol=1e-9)


def test_null_and_slopeless_models(null_fit, no_slopes_fit):
    """What a model leaves out cannot be a reference; the rest can."""
    with pytest.raises(EstimandError, match="is not defined for a null model"):
        excess_events(null_fit)
    with pytest.raises(EstimandError, match="against='average_gradient' is not defined"):
        excess_events(no_slopes_fit, against="average_gradient")
    assert np.isfinite(excess_events(null_fit, against="average_level")).all()


def test_options_are_checked(split_fit):
    """Unknown options, and options that do not go together, are refused."""
    with pytest.raises(EstimandError, match="against is 'average'; expected 'least_deprived'"):
        excess_events(split_fit, against="average")
    with pytest.raises(EstimandError, match="by is 'county'; expected 'nation', 'region', "):
        excess_events(split_fit, by="county")
    with pytest.raises(EstimandError, match="by='region' needs regions, such as"):
        excess_events(split_fit, by="region")
    with pytest.raises(EstimandError, match="by='area' needs authority, such as"):
        excess_events(split_fit, by="area")
    with pytest.raises(EstimandError, match="authority was given with by='nation'; it is for"):
        excess_events(split_fit, authority="Ashby")
    with pytest.raises(EstimandError, match="No authority 'Ash' in this fit"):
        excess_events(split_fit, by="area", authority="Ash")


def test_every_authority_needs_a_region(split_fit):
    """A missing, misspelt or empty region is refused; authorities elsewhere do no harm."""
    for gap in ({"Corham": None}, {"Corham": np.nan}):
        with pytest.raises(TableError, match=r"no region for authorities: 1 of 6 \(Corham\)\. Exp"):
            excess_events(split_fit, by="region", regions=REGIONS | gap)
    with pytest.raises(TableError, match=r"for authorities: 6 of 6 .* differ by case"):
        excess_events(split_fit, by="region", regions={"ashby": "N"})
    more = excess_events(split_fit, by="region", regions=REGIONS | {"Elsewhere": "X"})
    assert more["region"].to_numpy().tolist() == ["M", "N", "S"]


def test_rows_of_a_table(split_fit):
    """References tell the rows of two excesses apart."""
    table = summarise(
        *(excess_events(split_fit, against=a, by="region", regions=REGIONS) for a in AGAINST)
    )
    assert len(table) == 12
    assert table["null"].eq(0).all()


def test_the_average_level_sets_the_region_aside_too():
    """Its reference has neither an authority's effect nor its region's, and says so."""
    fit = region_draws()
    land, draws = geography(fit), fit["posterior"].to_dataset()
    home = fit["constant_data"]["region_of_authority"].to_numpy()[land.authority_of_area]
    # The equation without regions, and without authorities' levels.
    usual = area_rates(fit, own_effects=True)
    aside = draws["level_effect"].to_numpy()[..., land.authority_of_area]
    reference = usual / np.exp(aside)
    rates = usual * np.exp(draws["region_effect"].to_numpy()[..., home])
    expected = (land.exposure * (rates - reference)).sum(axis=-1)
    found = excess_events(fit, against="average_level")
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert "its region's deviation set aside too" in found.attrs["reference"]
    plain = excess_events(example_fit(), against="average_level")
    assert "region" not in plain.attrs["reference"]
