import numpy as np
import pandas as pd
import pytest

from conftest import changed
from covariate_tables import covariate_table
from socgrad.errors import EstimandError, SupportWarning, TableError
from socgrad.estimands.aggregates import line_draws
from socgrad.estimands.area_rates import area_rates
from socgrad.estimands.predictions import predict_authority_events, predict_rate
from socgrad.model.gradient_model import GradientModel
from socgrad.reading.covariate_example import area_covariate_example_fit
from socgrad.reading.geography import geography
from socgrad.reading.posterior import coefficients
from socgrad.simulation.prior_draws import draw_prior


@pytest.fixture(scope="module")
def fit():
    """Prior draws of a model whose area covariates are a category and a split number."""
    model = GradientModel(
        covariate_table().validated(),
        covariates="setting + scale(log(density))",
        area_moderators="setting",
        within_between=["density"],
    )
    return draw_prior(model, draws=30, random_seed=1)


def fitted_rows(authority="A003"):
    """The table's own rows of one authority, as if they were new."""
    frame = covariate_table().areas
    return frame[frame["authority"] == authority].set_index("area").sort_index()


def test_fitted_rows_given_anew_have_their_fitted_rates(fit):
    """Own target: authority effects, category, and the deviation from the authority's own mean."""
    frame = fitted_rows()
    terms, land = coefficients(fit), geography(fit)
    areas = fit["constant_data"].to_dataset().indexes["area"].get_indexer(frame.index)
    wanted = area_rates(terms, land, line_draws(terms, land, own_effects=True), areas)
    rate = predict_rate(fit, frame, authority="authority", target="own", rate_per=1)
    np.testing.assert_allclose(rate.to_numpy().reshape(wanted.shape), wanted, rtol=1e-9)


def test_of_an_average_authority_covariates_deviate_from_national_means(fit):
    """Rural against urban, all else equal: the coefficient, and its moderator times w."""
    frame = pd.DataFrame(
        {"deprivation": [0.3, 0.3], "setting": ["rural", "urban"], "density": [20.0, 20.0]}
    )
    rate = predict_rate(fit, frame)
    draws, c = fit["posterior"], float(fit["constant_data"]["national_mean"])
    zeta = draws["covariate_coefficient"].sel(covariate="setting[urban]")
    xi = draws["area_moderator_coefficient"].sel(area_moderator="setting[urban]")
    wanted = np.exp(zeta + xi * (0.3 - c) / 0.10)
    np.testing.assert_allclose(rate[..., 1] / rate[..., 0], wanted, rtol=1e-9)


def test_what_a_new_table_lacks_is_named(fit):
    """A column, a level; and a fit without the columns to transform by."""
    frame = fitted_rows()
    with pytest.raises(EstimandError, match="of the new table: The new rows have no column 'densi"):
        predict_rate(fit, frame.drop(columns="density"))
    with pytest.raises(EstimandError, match="'setting' has 1 levels that the fitted rows have not"):
        predict_rate(fit, frame.assign(setting="coastal"))
    bare = fit.copy()
    del bare["covariate_data"]
    with pytest.raises(EstimandError, match="no group 'covariate_data'"):
        predict_rate(bare, frame)


def test_new_values_are_checked_as_the_fitted_ones(fit):
    """The log of 0, a column that is there twice, and values far beyond the fitted ones."""
    frame = fitted_rows()
    with pytest.raises(EstimandError, match=r"'scale\(log\(density\)\)' is not finite in 1 of "):
        predict_rate(fit, frame.assign(density=[0.0, *frame["density"][1:]]))
    with pytest.raises(TableError, match=r"'density' \(covariate\) appears 2 times"):
        predict_rate(fit, pd.concat([frame, frame[["density"]]], axis=1))
    with pytest.warns(SupportWarning, match=rf"density in 1 of {len(frame)} rows, up to 1e\+06"):
        predict_rate(fit, frame.assign(density=[1e6, *frame["density"][1:]]))
    text = predict_rate(fit, frame.assign(density=frame["density"].map(repr)))
    np.testing.assert_array_equal(text, predict_rate(fit, frame))


def test_overdispersed_totals_square_the_rates_of_areas():
    """Variance of a total: its mean plus overdispersion squared times the sum of squared means."""
    spread = 0.4
    fit = changed(
        area_covariate_example_fit(),
        posterior=lambda p: (
            p.isel(draw=[0] * 4000, chain=[0])
            .assign_coords(draw=np.arange(4000))
            .assign(overdispersion=(("chain", "draw"), np.full((1, 4000), spread)))
        ),
    )
    terms, land = coefficients(fit), geography(fit)
    lines = line_draws(terms, land, own_effects=True)
    mu = (area_rates(terms, land, lines, slice(None)) * land.exposure)[0]
    j = land.authority_of_area
    wanted = np.bincount(j, mu) + spread**2 * np.bincount(j, mu**2)
    drawn = predict_authority_events(fit, random_seed=3)
    # A variance of 4,000 draws has a relative standard error of about sqrt(2 / 4000) = 2.2%.
    np.testing.assert_allclose(drawn.var(("chain", "draw")), wanted, rtol=0.11)
