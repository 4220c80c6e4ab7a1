"""Every public function of a fit with a non-linear gradient: it follows, stays, or says why not."""

import warnings

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import socgrad as sg
from conftest import changed
from public_names import public_names
from socgrad.errors import (
    ConvergenceWarning,
    EstimandError,
    MisfitWarning,
    SchemaError,
    SupportWarning,
)
from socgrad.estimands.aggregates import (
    authority_log_sums,
    authority_rates,
    group_rates,
    line_draws,
)
from socgrad.estimands.area_rates import area_rates
from socgrad.reading.departure_example import bent_example_fit
from socgrad.reading.example import example_fit
from socgrad.reading.geography import geography
from socgrad.reading.posterior import coefficients

SHAPES = ("tenths", "spline")
PLACES = pd.DataFrame({"deprivation": [0.05, 0.2, 0.4], "children": 300, "home": "Elmstone"})


def expected_by_tenth(fit):
    """What a check expects of groups, whether it finds a misfit or not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MisfitWarning)
        return sg.check_fit(fit).groups["expected"]


def log_likelihood(fit):
    """That of each area with counts."""
    return sg.for_arviz.add_log_likelihood(fit)["log_likelihood"]["events"]


#: Numbers that departures move, because they are of rates along deprivation.
FOLLOW = {
    "absolute_gap": sg.inequality.absolute_gap,
    "for_arviz.add_log_likelihood": lambda fit: sg.for_arviz.add_log_likelihood(fit)[
        "log_likelihood"
    ]["events"],
    "attributable_fraction": sg.inequality.attributable_fraction,
    "attributable_rate": sg.inequality.attributable_rate,
    "authority_rate": sg.rates.authority_rate,
    "between on rates": lambda fit: sg.between(fit, scale="rates"),
    "check_fit": expected_by_tenth,
    "concentration_index": sg.inequality.concentration_index,
    "deprivation_ratio": sg.shapes.deprivation_ratio,
    "excess_events": sg.inequality.excess_events,
    "excess_events of areas": lambda fit: sg.inequality.excess_events(
        fit, by="area", authority="Ashby"
    ),
    "expected_rate": lambda fit: sg.rates.expected_rate(
        fit, deprivation=[0.05, 0.2], target="each"
    ),
    "expected_rate integrated": lambda fit: sg.rates.expected_rate(fit, target="integrated"),
    "journal_rates": lambda fit: sg.tables.rate_table(fit)["fitted"],
    "leave_out": lambda fit: sg.leave_out(fit).table["elpd"],
    "leave_out of areas": lambda fit: sg.leave_out(fit, unit="area").table["elpd"],
    "predict_authority_events": sg.predictions.predict_authority_events,
    "predict_events": lambda fit: sg.predictions.predict_events(fit, PLACES, exposure="children"),
    "predict_rate": lambda fit: sg.predictions.predict_rate(
        fit, PLACES, authority="home", target="own"
    ),
    "rate_by_group": sg.rates.rate_by_group,
    "rate_table": lambda fit: sg.tables.rate_table(fit)["fitted"],
    "relative_gap": sg.inequality.relative_gap,
    "rii": sg.inequality.rii,
    "sii": lambda fit: sg.inequality.sii(fit, by="authority", method="linear"),
    "vpc": sg.variation.vpc,
    "what_if": lambda fit: sg.predictions.what_if(fit, "Elmstone", shift=-0.01)["difference"],
}

#: Numbers of lines, of authorities' effects or of contrasts at equal deprivation: they stay.
STAY = {
    "authority_ranks": lambda fit: sg.variation.authority_ranks(fit, top=2)["gradient_rank"],
    "authority_sd": sg.variation.authority_sd,
    "between": sg.between,
    "crossing": lambda fit: sg.crossing(fit)["crossing"],
    "gradient": lambda fit: sg.gradient(fit, target="each"),
    "gradient_sd": sg.variation.gradient_sd,
    "inverse_intervention": sg.inverse_intervention,
    "level_slope_correlation": sg.variation.level_slope_correlation,
    "median_rate_ratio": sg.variation.median_rate_ratio,
    "observed_authority_rate": lambda fit: sg.rates.observed_authority_rate(fit)["rate"],
    "observed_rate_by_group": lambda fit: sg.rates.observed_rate_by_group(fit)["rate"],
    "pairwise_steeper": sg.variation.pairwise_steeper,
    "steepening": sg.steepening,
    "steeper_than": lambda fit: sg.variation.steeper_than(fit, authority="Ashby"),
    "variance_explained": lambda fit: sg.variation.variance_explained(fit, null=null_fit()),
}

#: What they say where departures leave them nothing to give.
REFUSE = {
    "gradient of steps at a point": (
        lambda fit: sg.gradient(fit, deprivation=0.2),
        "steps have no gradient at a point",
        "tenths",
    ),
    "departure_from_line of a line": (
        lambda _: sg.shapes.departure_from_line(example_fit()),
        "1 by construction",
        "tenths",
    ),
}

#: Public names that read no fit of one stratum, or nothing that departures could touch.
OTHERS = {
    *("Areas", "GradientModel", "Normal", "OutcomeModel", "PositiveNormal", "Priors", "Strata"),
    *(
        "StratifiedModel",
        "Truth",
        "simulate",
        "simulate_flow",
        "fit",
    ),
    "rate_ratio",
    # Of tables and of draws, whatever these are of.
    *("inequality_of_rates", "journal_table", "label_draws", "summarise", "to_csv", "to_html"),
    *("to_great_table", "to_latex", "to_markdown", "check_sampling", "compare_left_out"),
    # Of several strata: by `by_stratum`, each of these is one of the estimands above.
    *("by_stratum", "stratum", "compare", "compare_gradients", "stratum_correlations"),
    *("gradient_by_step", "population_gradient", "duration_ratio", "relabel"),
    # A page of all of these: `test_pages`.
    "report",
    # Of covariates, outcomes and localities, which this fit has none of.
    *("covariate_ratio", "moderated_gradient", "outcome_association", "locality_ratio"),
    "region_ratio",
    # Tested by themselves, here or where the name says.
    *("compare_prior", "draw_prior", "load", "pymc_model", "save", "scenario"),
    # Needs the priors that a fit records: `test_shape_recovery`.
    "prior_sensitivity",
}


def null_fit():
    """A null fit of the same areas."""
    kept = ["intercept", "level_effect", "level_sd"]
    return changed(example_fit(), posterior=lambda p: p[kept].assign(level_sd=2 * p["level_sd"]))


def bent(shape, *, times=1.0):
    """The example fit, its departures times a factor."""

    def scaled(posterior):
        return posterior.assign(departure_coefficient=times * posterior["departure_coefficient"])

    return changed(bent_example_fit(shape, events=True), posterior=scaled)


def numbers(function, fit):
    """What a function gives, as an array; gaps and weights of six authorities are no matter."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SupportWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)
        return np.asarray(function(fit), dtype=float)


def test_every_public_name_is_here():
    """A new estimand is put into one of the lists above, with a thought."""
    listed = {name.split(" ")[0] for name in (*FOLLOW, *STAY, *REFUSE) if "." not in name} | OTHERS
    assert set(public_names()) - listed == set()
    assert listed - set(public_names()) == set()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", FOLLOW)
def test_rates_follow_the_departure(name, shape):
    """Without departures the numbers are those of the line; with them they are others."""
    function = FOLLOW[name]
    line = numbers(function, example_fit(events=True))
    np.testing.assert_allclose(numbers(function, bent(shape, times=0.0)), line, rtol=1e-9)
    moved = numbers(function, bent(shape))
    assert moved.shape == line.shape
    assert np.isfinite(moved).all()
    assert not np.allclose(moved, line, rtol=1e-3)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", STAY)
def test_contrasts_at_equal_deprivation_stay(name, shape):
    """The departure is the same in every authority, so it cancels."""
    function = STAY[name]
    line = numbers(function, example_fit(events=True))
    np.testing.assert_allclose(numbers(function, bent(shape)), line, rtol=1e-9)


@pytest.mark.parametrize("name", REFUSE)
def test_the_rest_says_why_not(name):
    """Each refusal names its reason."""
    function, words, shape = REFUSE[name]
    with pytest.raises(EstimandError, match=words):
        function(bent(shape))


@pytest.fixture(scope="module", params=SHAPES)
def fit(request):
    """The example fit with departures."""
    return bent(request.param)


@pytest.fixture(scope="module")
def log_rates(fit):
    """Log rates of all areas written out from the equation: with own effects, and without."""
    draws, c = fit["posterior"].to_dataset(), fit["constant_data"].to_dataset()
    b, w = c["between_part"], c["within_part"].to_numpy()
    j = c["authority_of_area"].to_numpy()
    columns = geography(fit).departures.at(c["deprivation"].to_numpy())
    off = draws["departure_coefficient"].to_numpy().reshape(100, -1) @ columns.T
    found = {}
    for own in (True, False):
        level = draws["intercept"] + draws["between"] * b + own * draws["level_effect"]
        slope = draws["within"] + draws["cross_level"] * b + own * draws["slope_effect"]
        dims = ("chain", "draw", "authority")
        level, slope = (each.transpose(*dims).to_numpy().reshape(100, 6) for each in (level, slope))
        found[own] = level[:, j] + slope[:, j] * w + off
    return found


def test_sums_over_areas_are_those_of_the_equation(fit, log_rates):
    """By authority with and without effects, by group, and of logs."""
    terms, land = coefficients(fit), geography(fit)
    n = land.exposure
    home = (land.authority_of_area[:, None] == np.arange(6)).astype(float)
    for own, logs in log_rates.items():
        got = authority_rates(terms, land, own_effects=own).to_numpy().reshape(100, 6)
        np.testing.assert_allclose(got, (np.exp(logs) * n) @ home / (n @ home), rtol=1e-10)
    weight = np.cos(np.arange(600))
    (sums,) = authority_log_sums(terms, land, weight)
    np.testing.assert_allclose(sums, (log_rates[True] * weight) @ home, rtol=1e-9, atol=1e-9)
    group = 1 + np.arange(600) % 3
    events = np.exp(log_rates[True]) * n
    wanted = [events[:, group == g].sum(1) / n[group == g].sum() for g in (1, 2, 3)]
    by_group = group_rates(terms, land, group=group, groups=3).to_numpy().reshape(100, 3)
    np.testing.assert_allclose(by_group, np.stack(wanted, axis=1), rtol=1e-10)


def test_points_of_curves_are_areas(fit, log_rates):
    """A rate at an area's deprivation, and a prediction for such a row, is the area's own rate."""
    land = geography(fit)
    some = [0, 99]
    x = land.deprivation[some]
    wanted = 10_000 * np.exp(log_rates[True][:, some])
    curve = numbers(lambda f: sg.rates.expected_rate(f, target="each", deprivation=x), fit)
    np.testing.assert_allclose(curve[:, :, 0].reshape(100, 2), wanted, rtol=1e-10)
    table = pd.DataFrame({"deprivation": x, "home": "Ashby"})
    rows = numbers(
        lambda f: sg.predictions.predict_rate(f, table, authority="home", target="own"), fit
    )
    np.testing.assert_allclose(rows.reshape(100, 2), wanted, rtol=1e-10)


def test_overdispersed_totals_square_the_rates_of_areas(fit, log_rates):
    """The variance of an authority's total is that of the sum of its areas, departures and all."""
    from socgrad.checks.counts import lines_at, total_moments

    spread = changed(fit, posterior=lambda p: p.assign(overdispersion=0 * p["intercept"] + 0.3))
    land = geography(spread)
    mu = np.exp(log_rates[True]) * land.exposure
    home = (land.authority_of_area[:, None] == np.arange(6)).astype(float)
    mean, variance = total_moments(
        lines_at(spread, np.arange(100)), land, among=np.ones(600, dtype=bool)
    )
    np.testing.assert_allclose(mean, mu @ home, rtol=1e-10)
    np.testing.assert_allclose(variance, 0.09 * (mu**2 @ home) / (mu @ home) ** 2, rtol=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
def test_counts_of_overdispersed_totals_vary_as_the_areas_do(shape):
    """Variance of a drawn total: its mean, plus overdispersion squared times squared means."""
    spread = 0.8
    same = changed(
        bent(shape, times=4.0),  # so that it matters
        posterior=lambda p: (
            p.isel(draw=[0] * 4000, chain=[0])
            .assign_coords(draw=np.arange(4000))
            .assign(overdispersion=(("chain", "draw"), np.full((1, 4000), spread)))
        ),
    )
    terms, land = coefficients(same), geography(same)
    lines = line_draws(terms, land, own_effects=True)
    mu = (area_rates(terms, land, lines, slice(None)) * land.exposure)[0]
    j = land.authority_of_area
    wanted = np.bincount(j, mu) + spread**2 * np.bincount(j, mu**2)
    drawn = sg.predictions.predict_authority_events(same, random_seed=3)
    # A variance of 4,000 draws has a relative standard error of about sqrt(2 / 4000) = 2.2%.
    np.testing.assert_allclose(drawn.var(("chain", "draw")), wanted, rtol=0.11)


def test_a_scenario_moves_along_the_curve(fit):
    """Neighbourhoods that are moved take the departure of where they come to lie."""
    moved = sg.predictions.scenario(fit, "Elmstone", shift=0.03)
    land, before = geography(moved), geography(fit)
    own = before.authority_of_area == 4
    np.testing.assert_allclose(land.deprivation[own], before.deprivation[own] + 0.03)
    terms = coefficients(moved)
    columns = land.level_design(terms, np.flatnonzero(own))
    np.testing.assert_allclose(columns, before.departures.at(before.deprivation[own] + 0.03))


def test_a_file_without_events_gives_the_same(fit, tmp_path):
    """Edges, knots and weights go along; formulas and counts are not needed."""
    again = sg.load(sg.save(fit, tmp_path / "fit.nc", include_events=False))
    for function in (
        sg.shapes.departure_from_line,
        sg.rates.rate_by_group,
        sg.shapes.deprivation_ratio,
    ):
        xr.testing.assert_allclose(function(fit), function(again), rtol=1e-12)
    assert again.attrs["socgrad_schema"] == 4


def test_coefficients_without_columns_are_refused(fit):
    """A tree that lost what makes the columns is not read as a line."""
    lost = changed(fit, constants=lambda c: c.drop_vars("departure_weights"))
    with pytest.raises(SchemaError, match="'constant_data' has no departure_weights"):
        sg.gradient(lost)
