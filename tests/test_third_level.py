"""Every public function on a fit with localities: it follows, or says why not."""

import inspect

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import socgrad as sg
from conftest import changed
from locality_tables import (
    INFORMED,
    locality_fit,
    simulated_with_localities,
    small_localities,
    with_localities,
)
from public_names import public_names
from socgrad.errors import EstimandError, SchemaError, TableError
from socgrad.reading.disclosure import without_events
from socgrad.schema import LEVEL_SCHEMA_VERSION

PLACES = pd.DataFrame({"deprivation": [0.1, 0.3], "m": ["a", "b"]}, index=["leafy", "poor"])

#: Estimands of expected rates and gradients: the factors have mean 1, so nothing moves.
UNMOVED = {
    "absolute_gap": {},
    "attributable_fraction": {},
    "attributable_rate": {},
    "authority_ranks": {"top": 3},
    "authority_rate": {},
    "authority_sd": {},
    "between": {"scale": "rates"},
    "concentration_index": {},
    "crossing": {},
    "deprivation_ratio": {},
    "excess_events": {},
    "expected_rate": {"target": "integrated"},
    "gradient": {"target": "each"},
    "gradient_sd": {},
    "inverse_intervention": {},
    "level_slope_correlation": {},
    "median_rate_ratio": {},
    "observed_authority_rate": {},
    "observed_rate_by_group": {},
    "pairwise_steeper": {},
    "rate_by_group": {},
    "relative_gap": {},
    "rii": {},
    "sii": {},
    "steepening": {},
    "steeper_than": {"authority": "A001"},
}
#: What takes more than a fit, or asks for something that this model need not have.
OTHERS = {
    "compare_gradients": "strata",
    "covariate_ratio": "covariates",
    "departure_from_line": "a bend",
    "duration_ratio": "a ratio",
    "gradient_by_step": "strata",
    "moderated_gradient": "covariates",
    "outcome_association": "an outcome",
    "population_gradient": "strata",
    "relabel": "strata",
    "report": "a page of all of these",
    "stratum": "strata",
    "stratum_correlations": "strata",
    "variance_explained": "a null fit",
    "rate_table": "tables of rates",
    "region_ratio": "regions",
    "save": "a path",
    "scenario": "a change",
}
#: What the factors of localities change, tested below or in files of their own.
FOLLOW = {
    "add_log_likelihood",
    "check_fit",
    "check_sampling",
    "compare_prior",
    "leave_out",
    "locality_ratio",
    "predict_authority_events",
    "predict_events",
    "predict_rate",
    "prior_sensitivity",
    "vpc",
    "what_if",
}


@pytest.fixture(scope="module")
def fit():
    """Twelve authorities, their localities in the model."""
    return locality_fit()


@pytest.fixture(scope="module")
def without(fit):
    """The same draws, as those of a model without localities."""
    return changed(
        fit,
        posterior=lambda p: p.drop_vars("locality_sd"),
        constants=lambda c: c.drop_vars(["locality_of_area", "authority_of_locality", "locality"]),
    )


def test_no_public_function_of_a_fit_is_forgotten():
    """Every function whose first argument is a fit stands in one of the lists above."""
    takes_fit = {
        name
        for name, function in public_names().items()
        if callable(function)
        and not inspect.isclass(function)
        and next(iter(inspect.signature(function).parameters), "") == "fit"
    }
    known = set(UNMOVED) | set(OTHERS) | FOLLOW
    assert takes_fit - known == set()


@pytest.mark.filterwarnings("ignore::socgrad.errors.SupportWarning")  # a small table
@pytest.mark.parametrize("name", UNMOVED)
def test_expected_rates_do_not_move(name, fit, without):
    """Factors of mean 1 leave rates, gradients and indices as they are."""
    function = public_names()[name]
    own, other = function(fit, **UNMOVED[name]), function(without, **UNMOVED[name])
    if isinstance(own, pd.DataFrame):
        pd.testing.assert_frame_equal(own, other)
    else:
        xr.testing.assert_equal(own, other)


@pytest.mark.filterwarnings("ignore::socgrad.errors.SupportWarning")
def test_shares_of_variance(fit, without):
    """What localities have is taken from the authorities' share; both are a correlation."""
    at = {"deprivation": 0.2, "exposure": 400}
    authorities, localities = (
        sg.variation.vpc(fit, **at),
        sg.variation.vpc(fit, level="locality", **at),
    )
    assert bool((authorities < sg.variation.vpc(without, **at)).all())
    assert "localities of one authority" in localities.attrs["units"]
    # Leckie's shares with numbers in place, in the first draw.
    draw = {n: float(fit["posterior"][n][0, 0]) for n in fit["posterior"] if "effect" not in n}
    land = fit["constant_data"]
    m = float(sg.variation.vpc(fit, **at).attrs["reference"].split("mean deprivation ")[1][:5])
    means = land["authority_mean"].to_numpy()
    m = means[np.abs(means - m).argmin()]
    b, w = (m - float(land["national_mean"])) / 0.1, (0.2 - m) / 0.1
    s0, s1 = draw["level_sd"], draw["slope_sd"] * w
    v = s0**2 + 2 * draw["correlation"] * s0 * s1 + s1**2
    log_rate = draw["intercept"] + draw["between"] * b
    log_rate += (draw["within"] + draw["cross_level"] * b) * w
    mean, a = 400 * np.exp(log_rate + v / 2), draw["locality_sd"] ** 2
    total = mean + mean**2 * (np.exp(v) * (1 + a) - 1)
    assert float(authorities.to_numpy().ravel()[0]) == pytest.approx(
        mean**2 * np.expm1(v) / total, rel=1e-3
    )
    assert float(localities.to_numpy().ravel()[0]) == pytest.approx(
        mean**2 * np.exp(v) * a / total, rel=1e-3
    )
    with pytest.raises(EstimandError, match="this fit has none"):
        sg.variation.vpc(without, level="locality")
    with pytest.raises(EstimandError, match="level is 'msoa'; expected 'region', 'authority' or"):
        sg.variation.vpc(fit, level="msoa")


def test_rows_of_one_locality_share_their_factor(fit):
    """Two rows of one locality go together; of two, or in two authorities, they do not."""
    frame = pd.DataFrame({"deprivation": [0.2] * 3, "m": ["x", "x", "y"], "la": ["A001"] * 3})
    events = sg.predictions.predict_events(
        fit, frame, exposure=40_000, target="average", locality="m"
    )
    rates = sg.predictions.predict_rate(fit, frame, rate_per=40_000)
    ratio = (events / rates).to_numpy().reshape(-1, 3)
    together = np.corrcoef(ratio.T)
    assert together[0, 1] > 0.95
    assert abs(together[0, 2]) < 0.2
    spread = float(fit["posterior"]["locality_sd"].mean())
    assert ratio[:, 2].std() == pytest.approx(spread, rel=0.2)
    apart = sg.predictions.predict_events(fit, frame, exposure=40_000, target="average")
    alone = (apart / rates).to_numpy().reshape(-1, 3)
    assert abs(np.corrcoef(alone.T)[0, 1]) < 0.2
    home = sg.predictions.predict_events(
        fit,
        frame.assign(la=["A001", "A002", "A002"]),
        exposure=40_000,
        authority="la",
        locality="m",
    )
    own = np.log(home.to_numpy().reshape(-1, 3))
    assert abs(np.corrcoef(own.T)[0, 1]) < 0.3


def test_localities_of_rows_are_checked(fit, without):
    """A model without localities, a missing label, a missing column."""
    with pytest.raises(EstimandError, match=r"locality='m' was given, and this fit has no"):
        sg.predictions.predict_events(without, PLACES, exposure=1, locality="m")
    frame = PLACES.assign(m=["a", None])
    with pytest.raises(
        TableError, match=r"Column 'm' .locality. .* missing or blank labels in row"
    ):
        sg.predictions.predict_events(fit, frame, exposure=1, locality="m")
    with pytest.raises(TableError, match=r"'msoa' .locality. is not in the table"):
        sg.predictions.predict_events(fit, PLACES, exposure=1, locality="msoa")


def test_authority_events_vary_by_their_localities(fit, without):
    """Variance of a drawn total: mean plus locality_sd**2 times squared localities."""
    mean = sg.rates.authority_rate(fit, rate_per=1)
    exposure = np.bincount(
        fit["constant_data"]["authority_of_area"], fit["constant_data"]["exposure"]
    )
    expected = mean * exposure
    from socgrad.estimands.locality_sums import locality_squares
    from socgrad.reading.geography import geography
    from socgrad.reading.posterior import coefficients

    squares = locality_squares(coefficients(fit), geography(fit)).reshape(2, 200, -1)
    r = fit["posterior"]["locality_sd"].to_numpy()[..., None] ** 2
    events = sg.predictions.predict_authority_events(fit)
    scaled = (events - expected) / np.sqrt(expected + r * squares)
    assert float(scaled.mean()) == pytest.approx(0.0, abs=0.06)  # 4,800 standardised counts
    assert float(scaled.var()) == pytest.approx(1.0, abs=0.1)
    plain = sg.predictions.predict_authority_events(without)
    assert bool((events.std(("chain", "draw")) > plain.std(("chain", "draw"))).all())


@pytest.mark.filterwarnings("ignore::socgrad.errors.SupportWarning")
def test_rates_of_new_places_do_not_move(fit, without):
    """Only counts have factors."""
    xr.testing.assert_equal(
        sg.predictions.predict_rate(fit, PLACES), sg.predictions.predict_rate(without, PLACES)
    )
    own, other = (sg.predictions.what_if(tree, "A001", times=0.8) for tree in (fit, without))
    xr.testing.assert_equal(own, other)
    altered = sg.predictions.scenario(fit, "A001", times=0.8)
    assert sg.variation.vpc(altered, level="locality").dims == ("chain", "draw")


def test_priors_of_localities_are_shown(fit):
    """Beside the posterior, and with how far each moves it."""
    row = sg.prior_checks.compare_prior(fit).loc["locality_sd"]
    assert row["scale"] == "coefficient of variation"
    # Half-normal of sd 0.5: median 0.337.
    assert row["prior"] == pytest.approx(0.337, abs=0.001)
    assert row["learned"] > 0.9
    assert (
        sg.prior_checks.prior_sensitivity(fit).loc["locality_sd", "diagnosis"]
        == "the counts decide"
    )


def test_prior_draws_have_localities():
    """Draws of the prior are those of half-normals, and are read as a fit."""
    model = sg.GradientModel(small_localities(), localities=True, priors=INFORMED)
    prior = sg.prior_checks.draw_prior(model, draws=4000)
    assert float(prior["posterior"]["locality_sd"].median()) == pytest.approx(0.337, abs=0.02)
    assert prior.attrs["socgrad_schema"] == LEVEL_SCHEMA_VERSION
    plain = sg.prior_checks.draw_prior(
        sg.GradientModel(small_localities(), priors=INFORMED), draws=10
    )
    assert "locality_sd" not in plain["posterior"]


def test_a_file_keeps_its_localities(fit, tmp_path):
    """With the counts or without: public geography, and every summary of rates."""
    again = sg.load(sg.save(fit, tmp_path / "fit.nc"))
    assert again["constant_data"]["locality"].to_numpy().tolist()[:2] == ["A001-L001", "A001-L002"]
    xr.testing.assert_equal(
        sg.variation.vpc(again, level="locality"), sg.variation.vpc(fit, level="locality")
    )
    bare = without_events(fit)
    assert {"locality_of_area", "authority_of_locality"} <= set(bare["constant_data"].data_vars)
    xr.testing.assert_equal(
        sg.variation.vpc(bare, level="locality"), sg.variation.vpc(fit, level="locality")
    )
    torn = changed(fit, constants=lambda c: c.drop_vars("locality"))
    with pytest.raises(SchemaError, match="no labels along dim locality"):
        sg.gradient(torn)


def test_a_version_that_knows_no_localities_refuses_the_fit(fit):
    """The schema has a number of its own, and the specification says so too."""
    assert fit.attrs["socgrad_schema"] == LEVEL_SCHEMA_VERSION
    assert '"localities": true' in fit.attrs["model"]


def test_the_hash_knows_localities():
    """The same table with other localities is other data."""
    frame = simulated_with_localities().frame
    from socgrad.manifest import data_hash

    one = data_hash(with_localities(frame))
    moved = frame.assign(locality=frame["locality"].where(frame.index > 0, "A001-L002"))
    assert data_hash(with_localities(moved)) != one


def test_strata_with_localities():
    """Each stratum has its own spread, and estimands answer for each."""
    frame = simulated_with_localities().frame
    frame = frame.assign(more=frame["events"] + 1)
    strata = sg.Strata.from_stages(
        frame,
        area="area",
        authority="authority",
        deprivation="deprivation",
        children="children",
        stages=["events", "more"],
        locality="locality",
        nested=False,
        complete=True,
    )
    model = sg.StratifiedModel(strata, localities=True)
    tree = sg.fit(model, method="laplace", draws=100, chains=2, random_seed=1)
    assert tree["posterior"]["locality_sd"].dims == ("chain", "draw", "stratum")
    assert sg.variation.vpc(tree, level="locality").sizes["stratum"] == 2
    ratio = sg.variation.locality_ratio(tree, authority="A003")
    assert ratio.dims == ("chain", "draw", "stratum", "locality")
