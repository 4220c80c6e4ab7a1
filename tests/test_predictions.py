"""Predictions of new places, and of fitted authorities."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from covariate_tables import covariate_table
from socgrad.errors import EstimandError, SocgradError, SupportWarning, TableError
from socgrad.estimands.gradients import gradient
from socgrad.estimands.group_rates import authority_rate
from socgrad.estimands.predictions import predict_authority_events, predict_events, predict_rate
from socgrad.estimands.rates import expected_rate
from socgrad.estimands.what_if import scenario
from socgrad.fitting import fit
from socgrad.model.gradient_model import GradientModel
from socgrad.reading.example import example_fit_of_stages
from socgrad.tables.summaries import summarise

PLACES = pd.DataFrame(
    {
        "deprivation": [0.10, 0.30, 0.20],
        "la": ["Ashby", "Farleigh", "Ashby"],
        "children": [400.0, 500.0, 300.0],
        "la_mean": [0.15, 0.25, 0.15],
    },
    index=["leafy", "poor", "middling"],
)


@pytest.fixture
def overdispersed_fit(split_fit, change_fit):
    """The split fit as a negative binomial with a coefficient of 0.6."""
    return change_fit(
        split_fit,
        posterior=lambda p: p.assign(overdispersion=0.6 + 0 * p["intercept"]),
    )


def test_average_is_that_of_expected_rate(split_fit):
    """Each row has the rate that `expected_rate` gives at its deprivation and mean."""
    got = predict_rate(split_fit, PLACES, authority_mean="la_mean")
    assert got.dims == ("chain", "draw", "row")
    assert got["row"].to_numpy().tolist() == ["leafy", "poor", "middling"]
    expected = expected_rate(split_fit, deprivation=[0.1, 0.2, 0.3], authority_mean=[0.15, 0.25])
    for row, x, mean in (("leafy", 0.1, 0.15), ("poor", 0.3, 0.25), ("middling", 0.2, 0.15)):
        other = expected.sel(deprivation=x, authority_mean=mean)
        np.testing.assert_allclose(got.sel(row=row), other, rtol=1e-12)


@pytest.mark.filterwarnings("ignore::socgrad.errors.SupportWarning")  # of the reference
def test_own_is_that_of_each(split_fit):
    """A row of a fitted authority has that authority's line."""
    got = predict_rate(split_fit, PLACES, authority="la", target="own")
    expected = expected_rate(split_fit, deprivation=[0.1, 0.2, 0.3], target="each")
    for row, x, name in (
        ("leafy", 0.1, "Ashby"),
        ("poor", 0.3, "Farleigh"),
        ("middling", 0.2, "Ashby"),
    ):
        np.testing.assert_allclose(
            got.sel(row=row), expected.sel(deprivation=x, authority=name), rtol=1e-12
        )


def test_integrated_is_the_mean_of_new(split_fit, change_fit):
    """The mean over new authorities tends to the integrated rate; means come from `authority`."""
    wide = change_fit(
        split_fit, posterior=lambda p: p.isel(chain=[0] * 40, draw=[0] * 500)
        .assign_coords(chain=range(40), draw=range(500))
    )  # fmt: skip
    new = predict_rate(wide, PLACES, authority="la", target="new")
    integrated = predict_rate(wide, PLACES, authority="la", target="integrated")
    # 20,000 draws of a rate with a coefficient of variation of about 0.25: 0.2% standard error.
    np.testing.assert_allclose(
        new.mean(("chain", "draw")), integrated.mean(("chain", "draw")), rtol=0.01
    )
    # Rows of one new authority share its effects; rows of another have their own.
    average = predict_rate(wide, PLACES, authority="la")
    effect = np.log(new / average)
    together = float(xr.corr(effect.sel(row="leafy"), effect.sel(row="middling")))
    apart = float(xr.corr(effect.sel(row="leafy"), effect.sel(row="poor")))
    assert together > 0.7
    assert abs(apart) < 0.05


def test_events_have_mean_and_variance_of_the_rate(split_fit, overdispersed_fit):
    """Means are exposure times rate; variances those of a Poisson, or of a negative binomial."""
    frame = pd.DataFrame({"deprivation": np.full(400, 0.2)})
    mean = predict_rate(split_fit, frame, rate_per=1) * 500
    for tree, r in ((split_fit, 0.0), (overdispersed_fit, 0.36)):
        events = predict_events(tree, frame, exposure=500)
        assert events.attrs["units"] == "events"
        assert bool((events == events.round()).all())
        scaled = (events - mean) / np.sqrt(mean * (1 + r * mean))
        # 40,000 standardised counts: standard errors 0.005, and about 0.01 of the variance.
        assert float(scaled.mean()) == pytest.approx(0.0, abs=0.02)
        assert float(scaled.var()) == pytest.approx(1.0, abs=0.05)


def test_exposure_is_stated(split_fit):
    """A column or a number; twice the exposure gives twice the events, never another table's."""
    column = predict_events(split_fit, PLACES, exposure="children").mean(("chain", "draw"))
    rate = predict_rate(split_fit, PLACES, rate_per=1).mean(("chain", "draw"))
    np.testing.assert_allclose(column, rate * PLACES["children"].to_numpy(), rtol=0.25)
    large = predict_events(split_fit, PLACES, exposure=1e6).mean(("chain", "draw"))
    np.testing.assert_allclose(large, 1e6 * rate, rtol=1e-2)
    with pytest.raises(EstimandError, match=r"none was given.*socgrad\.predictions\.predict_rate"):
        predict_events(split_fit, PLACES)
    with pytest.raises(EstimandError, match="exposure is 0; expected a number above 0"):
        predict_events(split_fit, PLACES, exposure=0)
    with pytest.raises(
        TableError, match=r"'children' \(exposure\) .* above 0 in rows: 1 of 3 \(poor"
    ):
        predict_events(split_fit, PLACES.assign(children=[1.0, np.nan, 2.0]), exposure="children")


def test_draws_may_be_too_many(split_fit):
    """The size is refused before it is made."""
    with pytest.raises(EstimandError, match=r"3 rows in 100 draws take .*above most_gigabytes"):
        predict_events(split_fit, PLACES, exposure=1, most_gigabytes=1e-9)
    with pytest.raises(EstimandError, match=r"exposure is 1e\+16; expected .* up to 1e\+12"):
        predict_events(split_fit, PLACES, exposure=1e16)


@pytest.mark.parametrize(
    ("frame", "options", "words"),
    [
        (PLACES.drop(columns="deprivation"), {}, "'deprivation' .* is not in the table"),
        (PLACES.assign(deprivation=[10, 30, 20]), {}, r"above 1, up to 30: 3 of 3 \(leafy, poor"),
        (PLACES.assign(deprivation=[0.1, None, 0.2]), {}, "missing values: 1 of 3 .poor"),
        (PLACES.assign(deprivation=["a", "b", "c"]), {}, "not a number in 2 of 3 rows"),
        (PLACES.iloc[[0, 0]], {}, r"labels that repeat: 1 of 2 \(leafy\)"),
        (PLACES.iloc[:0], {}, "table is empty .0 rows"),
        ([0.1, 0.2], {}, "A table was expected, not list"),
        (PLACES, {"target": "own"}, "Name the column that holds it, authority="),
        (PLACES, {"target": "mine"}, "target is 'mine'; expected 'own'"),
        (PLACES, {"target": "own", "authority": "la", "authority_mean": 0.2}, "with target='own'"),
        (PLACES, {"authority_mean": 15}, "authority_mean is 15; expected a proportion"),
        (
            PLACES,
            {"authority": "children"},
            "'children' .authority. .* not in this fit, in rows: 3 of 3 .400 in row 'leafy'",
        ),
        (PLACES, {"rate_per": 0}, "rate_per"),
    ],
)
def test_tables_are_checked(split_fit, frame, options, words):
    """What is wrong is said with the column, the row and the number."""
    with pytest.raises(SocgradError, match=words):
        predict_rate(split_fit, frame, **options)


def test_new_authorities_may_have_names_of_their_own(split_fit):
    """Labels that are not the fit's need a mean deprivation, and then serve."""
    frame = PLACES.assign(la=["Newtown", "Newtown", "Oldham"])
    with pytest.raises(TableError, match=r"in rows: 3 of 3 \('Newtown' in row 'leafy'"):
        predict_rate(split_fit, frame, authority="la", target="new")
    rate = predict_rate(split_fit, frame, authority="la", authority_mean="la_mean", target="new")
    assert rate.sizes["row"] == 3


def test_thin_support_is_said(split_fit):
    """A place more deprived than any fitted neighbourhood is extrapolated."""
    with pytest.warns(SupportWarning, match="deprivation 0.9 in row 0"):
        predict_rate(split_fit, pd.DataFrame({"deprivation": [0.9]}))


def test_authority_events_are_about_their_rates(split_fit, overdispersed_fit):
    """Mean events are exposure times rate; a negative binomial has the variance of its areas."""
    rate = authority_rate(split_fit, rate_per=1)
    land = split_fit["constant_data"].to_dataset()
    j = land["authority_of_area"].to_numpy()
    exposure = np.bincount(j, land["exposure"].to_numpy())
    mean = rate * exposure
    events = predict_authority_events(split_fit)
    scaled = (events - mean) / np.sqrt(mean)
    assert float(scaled.mean()) == pytest.approx(0.0, abs=0.2)  # 600 counts
    assert float(scaled.var()) == pytest.approx(1.0, abs=0.25)
    more = predict_authority_events(overdispersed_fit)
    # Of one draw and authority: r * sum of mu_i**2, row by row.
    terms = split_fit["posterior"].to_dataset().isel(chain=0, draw=0)
    b = land["between_part"].to_numpy()
    effects = [terms[name].to_numpy() for name in ("level_effect", "slope_effect")]
    level = terms["intercept"].item() + terms["between"].item() * b + effects[0]
    slope = terms["within"].item() + terms["cross_level"].item() * b + effects[1]
    mu = land["exposure"] * np.exp(level[j] + slope[j] * land["within_part"].to_numpy())
    variance = np.bincount(j, mu + 0.36 * mu**2)
    wide = (more - mean).var(("chain", "draw")).to_numpy()
    np.testing.assert_allclose(wide, variance, rtol=0.6)  # 100 draws
    assert float((wide / variance).mean()) == pytest.approx(1.0, abs=0.25)


def test_new_authorities_vary_more(split_fit):
    """Effects drawn anew add their variance; without effects the mean is the average's."""
    own, new, average = (
        predict_authority_events(split_fit, target=target) for target in ("own", "new", "average")
    )
    assert float(new.std(("chain", "draw")).mean()) > 2 * float(own.std(("chain", "draw")).mean())
    assert not average.equals(own)
    table = summarise(new)
    assert table["units"].unique().tolist() == ["events"]
    with pytest.raises(EstimandError, match="target is 'each'; expected 'own', 'average' or 'new'"):
        predict_authority_events(split_fit, target="each")


@pytest.mark.filterwarnings("ignore::socgrad.errors.SupportWarning")  # of the reference
def test_pooled_null_and_strata(pooled_fit, null_fit):
    """Every shape of model predicts; of several strata each by itself."""
    for tree in (pooled_fit, null_fit):
        rate = predict_rate(tree, PLACES, authority="la", target="own")
        expected = expected_rate(tree, deprivation=[0.1], target="each").sel(authority="Ashby")
        np.testing.assert_allclose(rate.sel(row="leafy"), expected.isel(deprivation=0), rtol=1e-12)
    of_stages = predict_events(example_fit_of_stages(), PLACES, exposure="children")
    assert of_stages.dims == ("chain", "draw", "stratum", "row")
    assert summarise(of_stages).shape[0] == 9


def test_covariates_of_authorities_are_kept():
    """Own and new totals keep each authority's covariates; altered gradients count them once."""
    model = GradientModel(
        covariate_table(authorities=30, areas=300).validated(),
        authority_covariates="~ scale(gini) + region",
        moderators="~ scale(gini)",
    )
    fitted = fit(model, method="laplace", draws=200, random_seed=1)
    events = fitted["observed_data"]["events"].to_numpy()
    home = fitted["constant_data"]["authority_of_area"].to_numpy()
    own = predict_authority_events(fitted).mean(("chain", "draw"))
    total = np.bincount(home, events)
    np.testing.assert_allclose(own, total, atol=4 * np.sqrt(total.max()))
    new = predict_authority_events(fitted, target="new")
    inside = (new.quantile(0.01, ("chain", "draw")) <= total) & (
        total <= new.quantile(0.99, ("chain", "draw"))
    )
    assert int(inside.sum()) >= 27
    first, second = fitted["constant_data"]["authority"].to_numpy()[:2].tolist()
    turned = scenario(fitted, first, slope_of=second)
    steep = gradient(turned, target="each")
    np.testing.assert_allclose(steep.sel(authority=first), steep.sel(authority=second), rtol=1e-9)
    before, after = (authority_rate(one).sel(authority=second) for one in (fitted, turned))
    np.testing.assert_allclose(after, before, rtol=1e-12)


def test_rows_are_named_as_pandas_shows_them(split_fit):
    """A row number is a number, without the name of its type."""
    with pytest.raises(TableError, match=r"values above 1, up to 30: 2 of 3 \(1, 2\)"):
        predict_rate(split_fit, pd.DataFrame({"deprivation": [0, 30, 20]}))
