import numpy as np
import pytest
import xarray as xr

from socgrad.errors import EstimandError, SchemaError
from socgrad.reading.geography import geography
from socgrad.reading.posterior import coefficients, labelled, require_deprivation, require_split


def test_present_terms_are_the_draws(split_fit):
    """A term of the model is read as it stands."""
    terms = coefficients(split_fit)
    for name in ("intercept", "within", "between", "cross_level", "level_effect", "slope_sd"):
        xr.testing.assert_identical(getattr(terms, name), split_fit["posterior"][name])


@pytest.mark.parametrize(
    ("name", "flags"),
    [
        ("split_fit", (True, True, True, True, False)),
        ("curved_fit", (True, True, True, True, True)),
        ("parallel_fit", (True, True, True, False, False)),
        ("no_slopes_fit", (True, True, False, True, False)),
        ("pooled_fit", (True, False, True, False, False)),
        ("null_fit", (False, False, False, False, False)),
    ],
)
def test_flags_tell_the_models_apart(request, name, flags):
    """Deprivation, split, slopes, cross-level and curvature are flagged by presence."""
    t = coefficients(request.getfixturevalue(name))
    found = t.has_deprivation, t.has_split, t.has_slopes, t.has_cross_level, t.has_curvature
    assert found == flags


def test_absent_terms_are_zero_without_dims(null_fit):
    """An absent term adds nothing wherever it enters."""
    terms = coefficients(null_fit)
    for name in ("within", "between", "curvature", "cross_level", "slope_effect", "correlation"):
        assert getattr(terms, name).dims == ()
        assert float(getattr(terms, name)) == 0.0


def test_pooled_coefficient_serves_as_within(pooled_fit):
    """The pooled coefficient is the slope, measured from the national mean everywhere."""
    terms, land = coefficients(pooled_fit), geography(pooled_fit)
    assert terms.is_pooled
    np.testing.assert_array_equal(terms.within, pooled_fit["posterior"]["pooled"])
    np.testing.assert_array_equal(land.origin, land.national_mean)


def test_split_origin_is_the_authority_mean(split_fit):
    """In a split model each authority is measured from its own mean."""
    land = geography(split_fit)
    assert not coefficients(split_fit).is_pooled
    np.testing.assert_array_equal(land.origin, land.authority_mean)


def test_geography_reads_constant_data_not_attrs(split_fit):
    """A tree without attrs, as from pymc.sample, gives the same reference values."""
    bare = split_fit.copy()
    bare.attrs = {}
    data = split_fit["constant_data"]
    land = geography(bare)
    assert land.per == float(data["per"])
    assert land.national_mean == float(data["national_mean"])
    np.testing.assert_array_equal(land.deprivation, data["deprivation"])
    assert land.authority_children.sum() == float(data["children"].sum())


def test_unknown_variables_are_ignored(split_fit, change_fit):
    """Raw effects and other working variables of pymc.sample change nothing."""
    more = change_fit(
        split_fit, posterior=lambda p: p.assign(level_raw=p["level_effect"], lp=p["within"])
    )
    xr.testing.assert_identical(coefficients(more).within, coefficients(split_fit).within)


def test_effects_are_joined_by_label(split_fit, change_fit):
    """Authorities in another order in the posterior are put back by label, not by position."""
    turned = change_fit(split_fit, posterior=lambda p: p.isel(authority=slice(None, None, -1)))
    xr.testing.assert_identical(
        coefficients(turned).level_effect, coefficients(split_fit).level_effect
    )


def test_effects_of_other_authorities_are_refused(split_fit, change_fit):
    """An authority without effects names itself."""
    fewer = change_fit(split_fit, posterior=lambda p: p.isel(authority=slice(1, None)))
    with pytest.raises(SchemaError, match=r"no level_effect for 1 of 6 .* \(first: 'Ashby'\)"):
        coefficients(fewer)


@pytest.mark.parametrize("read", [coefficients, geography])
def test_another_tree_is_refused(read):
    """A tree that is no fit is refused before anything is read."""
    with pytest.raises(SchemaError, match="no group 'posterior'"):
        read(xr.DataTree())


def test_position_of_an_authority(split_fit):
    """A label gives its place; an unknown one gives the first labels."""
    land = geography(split_fit)
    assert land.position("Corham") == 2
    with pytest.raises(EstimandError, match=r"No authority 'corham' .* which has 6 .* 'Ashby'"):
        land.position("corham")


def test_integer_labels_are_found(split_fit, change_fit):
    """Authority codes may be integers."""

    def numbered(data):
        return data.assign_coords(authority=np.arange(101, 107))

    land = geography(change_fit(split_fit, posterior=numbered, constants=numbered))
    assert land.position(103) == 2
    with pytest.raises(EstimandError, match="No authority '103'"):
        land.position("103")


def test_labels_of_an_estimand(split_fit):
    """Dims come in order and attrs are complete, without a null where there is none."""
    draws = split_fit["posterior"]["level_effect"].transpose("authority", "draw", "chain")
    made = labelled(draws, split_fit, estimand="e", units="u", per=0.1, reference="r")
    assert made.dims == ("chain", "draw", "authority")
    assert made.name == "e"
    assert len(made.attrs.pop("draws").split()) == 6  # a mark for each authority
    assert made.attrs == {"estimand": "e", "units": "u", "per": 0.1, "reference": "r"}
    ratio = labelled(draws, split_fit, estimand="e", units="u", per=0.1, reference="r", null=1.0)
    assert ratio.attrs["null"] == 1.0


@pytest.mark.parametrize("group", ["/", "posterior"])
def test_importance_size_is_copied(split_fit, group):
    """Resampled draws carry their effective size along, from the root or the posterior."""
    weighted = split_fit.copy()
    weighted[group].attrs["importance_ess"] = 61.5
    made = labelled(
        weighted["posterior"]["within"], weighted, estimand="e", units="u", per=0.1, reference="r"
    )
    assert made.attrs["importance_ess"] == 61.5


def test_null_and_pooled_models_are_refused_with_the_reason(split_fit, pooled_fit, null_fit):
    """What a model leaves out cannot be asked of it."""
    require_split(coefficients(split_fit), "between")
    require_deprivation(coefficients(pooled_fit), "gradient")
    with pytest.raises(EstimandError, match="between is not defined for a pooled model"):
        require_split(coefficients(pooled_fit), "between")
    for require in (require_split, require_deprivation):
        with pytest.raises(EstimandError, match="gradient is not defined for a null model"):
            require(coefficients(null_fit), "gradient")
