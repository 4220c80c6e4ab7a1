"""One authority alone: its level and its gradient, and the reason of all that it cannot say."""

import warnings

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.figure import Figure

import socgrad as sg
from conftest import changed
from interpreted import interpreted
from public_names import public_names
from socgrad.departures import smooth_departures
from socgrad.engines.choice import ENGINES
from socgrad.errors import (
    ConvergenceWarning,
    EstimandError,
    MisfitWarning,
    SpecificationError,
    SupportWarning,
)
from socgrad.reading.example import example_fit
from tables import simulated

PLACES = pd.DataFrame({"deprivation": [0.05, 0.2, 0.4], "children": 300, "home": "Ashby"})
ROLES = {
    "area": "area",
    "authority": "authority",
    "deprivation": "deprivation",
    "children": "children",
}


def one_frame():
    """The largest authority of a simulated table."""
    frame = simulated(authorities=6, areas=300, seed=5).frame
    return frame[frame["authority"] == frame["authority"].value_counts().index[0]]


def one_areas(**options):
    """Its areas, past the door."""
    return sg.Areas.from_frame(one_frame(), events="events", **ROLES, **options)


def lone_fit(**terms):
    """The example fit of one authority: its level and slope as intercept and within."""
    whole = example_fit(events=True)
    posterior, data = (whole[name].to_dataset() for name in ("posterior", "constant_data"))
    own = np.flatnonzero(data["authority_of_area"] == 0)
    effect = posterior.sel(authority="Ashby", drop=True)
    b = data["between_part"].sel(authority="Ashby", drop=True)
    level = effect["intercept"] + effect["between"] * b + effect["level_effect"]
    slope = effect["within"] + effect["cross_level"] * b + effect["slope_effect"]
    draws = xr.Dataset({"intercept": level, "within": slope} | terms)
    counts = whole["observed_data"].to_dataset().isel(counted_area=own)
    land = data.isel(area=own, authority=[0])
    tree = xr.DataTree.from_dict(
        {"posterior": draws, "constant_data": land, "observed_data": counts}
    )
    tree.attrs = dict(whole.attrs)
    return tree


def bent_fit():
    """The same, off the line along a spline."""
    lone = lone_fit()
    data = lone["constant_data"].to_dataset()
    made = smooth_departures(data["deprivation"].to_numpy(), data["children"].to_numpy(), knots=3)
    names = ["bend 1"]
    like = lone["posterior"]["intercept"]
    bend = (0.1 * xr.ones_like(like)).expand_dims(departure=names, axis=-1)
    return changed(
        lone,
        posterior=lambda p: p.assign(departure_coefficient=bend),
        constants=lambda c: c.assign_coords(departure=names).assign(
            departure_knots=("departure_place", made.places),
            departure_weights=(("departure_part", "departure"), made.weights),
        ),
    )


def log_likelihood(fit):
    """That of each area with counts."""
    return sg.for_arviz.add_log_likelihood(fit)["log_likelihood"]["events"]


#: What one authority says.
ANSWER = {
    "absolute_gap": sg.inequality.absolute_gap,
    "for_arviz.add_log_likelihood": lambda fit: sg.for_arviz.add_log_likelihood(fit)[
        "log_likelihood"
    ]["events"],
    "attributable_fraction": sg.inequality.attributable_fraction,
    "attributable_rate": lambda fit: sg.inequality.attributable_rate(
        fit, by="authority", reference="own"
    ),
    "authority_rate": sg.rates.authority_rate,
    "check_fit": lambda fit: sg.check_fit(fit).statistics["observed"],
    "concentration_index": sg.inequality.concentration_index,
    "departure_from_line": lambda _: sg.shapes.departure_from_line(bent_fit()),
    "deprivation_ratio": lambda fit: sg.shapes.deprivation_ratio(
        fit, deprivation=0.3, reference=0.1
    ),
    "excess_events": sg.inequality.excess_events,
    "excess_events of areas": lambda fit: sg.inequality.excess_events(
        fit, against="national_mean", by="area", authority="Ashby"
    ),
    "expected_rate": sg.rates.expected_rate,
    "expected_rate of each": lambda fit: sg.rates.expected_rate(fit, target="each"),
    "gradient": sg.gradient,
    "gradient of each": lambda fit: sg.gradient(fit, target="each"),
    "leave_out": lambda fit: sg.leave_out(fit, unit="area").table["elpd"],
    "observed_authority_rate": lambda fit: sg.rates.observed_authority_rate(fit)["rate"],
    "observed_rate_by_group": lambda fit: sg.rates.observed_rate_by_group(fit, groups=5)["rate"],
    "predict_authority_events": sg.predictions.predict_authority_events,
    "predict_events": lambda fit: sg.predictions.predict_events(fit, PLACES, exposure="children"),
    "predict_rate": lambda fit: sg.predictions.predict_rate(fit, PLACES),
    "predict_rate of its own": lambda fit: sg.predictions.predict_rate(
        fit, PLACES, authority="home", target="own"
    ),
    "rate_by_group": lambda fit: sg.rates.rate_by_group(fit, groups=5),
    "rate_table": lambda fit: sg.tables.rate_table(fit)["fitted"],
    "relative_gap": sg.inequality.relative_gap,
    "rii": sg.inequality.rii,
    "sii": sg.inequality.sii,
    "vpc": lambda _: sg.variation.vpc(locality_fit(), level="locality"),
    "plots.authority_curve": lambda fit: drawn(sg.plots.authority_curve, fit, authority="Ashby"),
    "plots.authority_lines": lambda fit: drawn(sg.plots.authority_lines, fit),
    "plots.departure_curve": lambda _: drawn(sg.plots.departure_curve, bent_fit()),
    "plots.caterpillar": lambda fit: drawn(sg.plots.caterpillar, sg.gradient(fit, target="each")),
    "plots.gradient_ladder": lambda fit: drawn(sg.plots.gradient_ladder, {"a": fit, "b": fit}),
    "plots.rate_bars": lambda fit: drawn(sg.plots.rate_bars, fit),
}

#: What it does not, because that is how authorities differ.
REFUSE = {
    "authority_ranks": sg.variation.authority_ranks,
    "authority_sd": sg.variation.authority_sd,
    "between": sg.between,
    "between on rates": lambda fit: sg.between(fit, scale="rates"),
    "crossing": sg.crossing,
    "excess_events over the average level": lambda fit: sg.inequality.excess_events(
        fit, against="average_level"
    ),
    "excess_events over the average gradient": lambda fit: sg.inequality.excess_events(
        fit, against="average_gradient"
    ),
    "expected_rate integrated": lambda fit: sg.rates.expected_rate(fit, target="integrated"),
    "expected_rate at another mean": lambda fit: sg.rates.expected_rate(fit, authority_mean=0.2),
    "gradient of a new authority": lambda fit: sg.gradient(fit, target="new"),
    "gradient at another mean": lambda fit: sg.gradient(fit, authority_mean=0.2),
    "gradient_sd": sg.variation.gradient_sd,
    "inverse_intervention": sg.inverse_intervention,
    "leave_out the authority": sg.leave_out,
    "level_slope_correlation": sg.variation.level_slope_correlation,
    "median_rate_ratio": sg.variation.median_rate_ratio,
    "pairwise_steeper": sg.variation.pairwise_steeper,
    "predict_authority_events of a new one": lambda fit: sg.predictions.predict_authority_events(
        fit, target="new"
    ),
    "predict_rate of a new one": lambda fit: sg.predictions.predict_rate(fit, PLACES, target="new"),
    "predict_rate integrated": lambda fit: sg.predictions.predict_rate(
        fit, PLACES, target="integrated"
    ),
    "predict_rate at another mean": lambda fit: sg.predictions.predict_rate(
        fit, PLACES, authority_mean=0.2
    ),
    "scenario": lambda fit: sg.predictions.scenario(fit, "Ashby", shift=-0.01),
    "sensitivity.heavy_tails": sg.sensitivity.heavy_tails,
    "steepening": sg.steepening,
    "steeper_than": lambda fit: sg.variation.steeper_than(fit, authority="Ashby"),
    "variance_explained": lambda fit: sg.variation.variance_explained(fit, null=fit),
    "vpc of authorities": sg.variation.vpc,
    "what_if": lambda fit: sg.predictions.what_if(fit, "Ashby", times=0.9),
    "plots.gradient_funnel": sg.plots.gradient_funnel,
    "plots.gradients_by_deprivation": sg.plots.gradients_by_deprivation,
    "plots.inverse_intervention_curve": sg.plots.inverse_intervention_curve,
    "plots.inverse_intervention_lines": sg.plots.inverse_intervention_lines,
}

#: Public names that read no fit of one stratum, or nothing of which the number of authorities says
#: anything.
OTHERS = {
    *("Areas", "GradientModel", "Normal", "OutcomeModel", "PositiveNormal", "Priors", "Strata"),
    *(
        "StratifiedModel",
        "Truth",
    ),
    *("simulate", "simulate_flow", "fit", "rate_ratio"),
    # Of tables and of draws, whatever these are of.
    *("inequality_of_rates", "journal_table", "journal_rates", "label_draws", "summarise"),
    *("to_csv", "to_html", "to_great_table", "to_latex", "to_markdown", "check_sampling"),
    "compare_left_out",
    # Of several strata: by `by_stratum`, each of these is one of the estimands above.
    *("by_stratum", "stratum", "compare", "compare_gradients", "stratum_correlations"),
    *("gradient_by_step", "population_gradient", "duration_ratio", "relabel"),
    # A page of all of these: `test_pages`.
    "report",
    # Of covariates, outcomes, localities and regions, which this fit has none of.
    *("covariate_ratio", "moderated_gradient", "outcome_association", "locality_ratio"),
    "region_ratio",
    # Below.
    *("compare_prior", "draw_prior", "load", "prior_sensitivity", "pymc_model", "save"),
}


def locality_fit():
    """The same with a factor of each locality."""
    like = example_fit()["posterior"].to_dataset()["intercept"]
    return lone_fit(locality_sd=0.3 * xr.ones_like(like))


def drawn(plot, *given, **options):
    """How many lines, bars and points a figure has."""
    figure = Figure()
    made = plot(*given, ax=figure.subplots(), **options)
    axes = made.axes[0] if isinstance(made, Figure) else made
    return len(axes.lines) + len(axes.collections) + len(axes.patches) + len(axes.containers)


def answer(function, fit):
    """What a function gives, as an array; few areas and draws are no matter here."""
    with warnings.catch_warnings():
        for kind in (SupportWarning, MisfitWarning, ConvergenceWarning):
            warnings.simplefilter("ignore", kind)
        return np.asarray(function(fit), dtype=float)


@pytest.fixture(scope="module")
def lone():
    """A fit of one authority."""
    return lone_fit()


def test_every_public_name_is_here():
    """A new estimand or figure is put into one of the lists above, with a thought."""
    listed = {name.split(" ")[0] for name in (*ANSWER, *REFUSE)}
    estimands = {name for name in listed if "." not in name} | OTHERS
    assert set(public_names()) - estimands == set()
    assert estimands - set(public_names()) == set()
    plots = {name.removeprefix("plots.") for name in listed if name.startswith("plots.")}
    # The map has draws of authorities, whatever they are of; figures of years, of stages, and of
    # what checks and `compare_prior` found.
    others = {"authority_map", "over_years", "changed_authorities", "stage_funnel"}
    others |= {"checked_counts", "prior_and_posterior"}
    assert plots | others == set(sg.plots.__all__)


@pytest.mark.parametrize("name", ANSWER)
def test_its_own_level_and_gradient_are_answered(name, lone):
    """Every number is finite, and there is one at least."""
    found = answer(ANSWER[name], lone)
    assert found.size
    assert np.isfinite(found).all()
    assert found.any()


@pytest.mark.parametrize("name", REFUSE)
def test_how_authorities_differ_is_refused(name, lone):
    """Each refusal says what one authority cannot say."""
    with pytest.raises(EstimandError, match=r"authorities differ, .* of one authority alone"):
        answer(REFUSE[name], lone)


@pytest.mark.parametrize(
    "function",
    [
        sg.gradient,
        lambda fit, **of: sg.rates.expected_rate(fit, deprivation=[0.05, 0.15], **of),
        lambda fit, **of: sg.shapes.deprivation_ratio(fit, deprivation=0.15, reference=0.05, **of),
    ],
    ids=["gradient", "expected_rate", "deprivation_ratio"],
)
def test_the_average_authority_is_the_only_one(function, lone):
    """The same numbers without dim authority, under the name of the authority."""
    own, average = function(lone, target="each"), function(lone)
    assert set(own.dims) - set(average.dims) == {"authority"}
    same = own.isel(authority=0).transpose(*average.dims)
    np.testing.assert_allclose(average, same)
    assert average.attrs["reference"].endswith("Ashby, alone")


@pytest.mark.parametrize("name", ["expected_rate", "gradient", "predict_rate", "sii", "vpc"])
def test_the_nation_it_lies_in_says_nothing_of_it(name, lone):
    """Another national mean changes neither its level nor its gradient."""

    def moved(constants):
        away = constants["national_mean"] + 0.1
        b = (constants["authority_mean"] - away) / constants["per"]
        return constants.assign(national_mean=away, between_part=b)

    elsewhere = changed(lone, constants=moved)
    np.testing.assert_allclose(answer(ANSWER[name], elsewhere), answer(ANSWER[name], lone))


@pytest.mark.filterwarnings("ignore::socgrad.errors.SupportWarning")
def test_its_numbers_are_those_it_has_among_others(lone):
    """The same line, read from a fit of six authorities, gives the same rates."""
    rates = sg.rates.expected_rate(lone, deprivation=[0.12, 0.18])
    among = sg.rates.expected_rate(example_fit(), deprivation=[0.12, 0.18], target="each")
    own = among.sel(authority="Ashby", drop=True).transpose(*rates.dims)
    np.testing.assert_allclose(rates, own)


def test_labels_speak_of_the_authority(lone):
    """Groups and ranks of all children are those of the authority's, not of a nation's."""
    for function in (
        sg.inequality.sii,
        sg.inequality.excess_events,
        sg.rates.rate_by_group,
        sg.inequality.relative_gap,
    ):
        words = function(lone).attrs["reference"]
        assert "the authority" in words
        assert "nation" not in words


def test_a_file_without_events_gives_the_same(lone, tmp_path):
    """There are no effects for it to lack."""
    again = sg.load(sg.save(lone, tmp_path / "one.nc", include_events=False))
    xr.testing.assert_allclose(sg.gradient(again), sg.gradient(lone))


def test_a_total_alone_leaves_nothing_to_check(lone):
    """Its level follows its total, whatever the model is."""
    total = changed(lone)
    events = xr.Dataset(
        {"total_events": ("total_authority", [430])}, coords={"total_authority": ["Ashby"]}
    )
    total["observed_data"] = xr.DataTree(events)
    with pytest.raises(EstimandError, match="total of one authority, which its level follows"):
        sg.check_fit(total)


@pytest.mark.parametrize(
    "options",
    [
        {"random_slopes": True},
        {"cross_level": True},
        {"curvature": True},
        {"regions": True},
        {"authority_covariates": "~ gini"},
        {"moderators": "~ gini"},
    ],
    ids=lambda options: next(iter(options)),
)
def test_terms_of_how_authorities_differ_are_refused(options):
    """By name, and with what to do."""
    (name,) = options
    with pytest.raises(SpecificationError, match=rf"{name}=.* differ, .* single authority \(A\d+"):
        sg.GradientModel(one_areas(), **options)


def test_priors_of_how_authorities_differ_are_refused():
    """A prior of what is not there is a slip."""
    priors = sg.Priors(level_sd=sg.PositiveNormal(0.2, 0.1), between=sg.Normal(0.3, 0.1))
    with pytest.raises(SpecificationError, match=r"between, level_sd, .*\(authorities: 1, "):
        sg.GradientModel(one_areas(), priors=priors)


def test_joint_strata_are_refused():
    """Effects of one authority correlate with nothing; independent strata are two such models."""
    frame = one_frame().assign(half=lambda table: table["events"] // 2)
    strata = sg.Strata.from_stages(frame, stages=["events", "half"], nested=False, **ROLES)
    with pytest.raises(SpecificationError, match=r"'joint' correlates .* single authority"):
        sg.StratifiedModel(strata, authority_effects="joint")
    assert not sg.StratifiedModel(strata).random_slopes


def test_an_outcome_needs_several():
    """Its regression is over authorities."""
    with pytest.raises(SpecificationError, match="one authority alone"):
        sg.OutcomeModel(sg.GradientModel(one_areas()), outcome={"A": 1.0}, name="absence, %")


def test_terms_are_intercept_and_within():
    """Of the default model, and of its prior draws."""
    prior = sg.prior_checks.draw_prior(sg.GradientModel(one_areas()), draws=10)
    assert set(prior["posterior"].data_vars) == {"intercept", "within"}
    assert answer(sg.gradient, prior).size == 10


def test_engines_that_integrate_over_authorities_leave_it_to_others():
    """Quadrature and the written density need effects; nested Laplace and the graph do not."""
    from combination_engines import _task

    task = _task(sg.GradientModel(one_areas()))
    takers = [engine.name for engine in ENGINES if not engine.lacks(task)]
    assert takers == ["nested Laplace", "NUTS on the marginal", "PyMC graph"]


def test_the_graph_has_the_density_written_out():
    """Normal priors and Poisson counts, row by row."""
    from scipy.stats import norm, poisson

    areas = one_areas()
    model = sg.GradientModel(areas)
    graph = sg.pymc_model(model)
    log_density = graph.compile_logp(mode=interpreted())
    priors = model.step_priors
    rate = areas.events.sum() / areas.exposure.sum()

    def by_hand(intercept, within):
        expected = areas.exposure * np.exp(intercept + within * model.within_part)
        return (
            norm.logpdf(intercept, np.log(rate), 1.5)
            + norm.logpdf(within, priors.within.mean, priors.within.sd)
            + poisson.logpmf(areas.events, expected).sum()
        )

    assert {each.name for each in graph.free_RVs} == {"intercept", "within"}
    for point in ((-4.1, 0.5), (-3.8, 0.2)):
        given = dict(zip(("intercept", "within"), map(np.asarray, point), strict=True))
        assert float(log_density(given)) == pytest.approx(by_hand(*point), rel=1e-9)


@pytest.fixture(scope="module")
def fitted():
    """One authority, fitted by the default engine."""
    return sg.fit(sg.GradientModel(one_areas()), random_seed=1)


def test_the_posterior_is_that_of_a_grid(fitted):
    """Means and standard deviations of level and slope, summed over a plane by hand."""
    areas = one_areas()
    w = sg.GradientModel(areas).within_part
    rate = areas.events.sum() / areas.exposure.sum()
    levels, slopes = np.linspace(-0.5, 0.5, 201) + np.log(rate), np.linspace(-0.2, 1.2, 201)
    # Sums of events and of expected events are all that the density needs.
    sums = (areas.exposure * np.exp(slopes[:, None] * w)).sum(axis=1)
    log = (
        levels[:, None] * areas.events.sum()
        + slopes * (areas.events @ w)
        - np.exp(levels)[:, None] * sums
        - 0.5 * ((levels[:, None] - np.log(rate)) / 1.5) ** 2
        - 0.5 * (slopes / 0.5) ** 2
    )
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    for name, at, share in (
        ("intercept", levels, weight.sum(axis=1)),
        ("within", slopes, weight.sum(axis=0)),
    ):
        mean = at @ share
        sd = np.sqrt((at - mean) ** 2 @ share)
        draws = fitted["posterior"][name].to_numpy()
        # Some 1,300 draws are effective: standard errors of 0.03 sd and of 2% of the sd.
        assert draws.mean() == pytest.approx(mean, abs=0.1 * sd)
        assert draws.std() == pytest.approx(sd, rel=0.08)
    # Effects that are held at zero: their weights vary by some 3e-6, and so does what is left.
    assert fitted.attrs["laplace_error"] < 1e-5


def test_a_far_start_finds_the_mode():
    """Many events and a steep gradient: forty standard deviations from where the search begins."""
    frame = one_frame()
    rng = np.random.default_rng(1)
    steep = np.linspace(0.02, 0.7, len(frame))
    rates = np.exp(-3.2 + 4.6 * (steep - 0.2))
    frame = frame.assign(deprivation=steep, events=rng.poisson(rates * 4e4 / len(frame)))
    frame["children"] = 4e4 / len(frame)
    model = sg.GradientModel(sg.Areas.from_frame(frame, events="events", **ROLES))
    fit = sg.fit(model, method="laplace", draws=250, random_seed=1)
    assert fit.attrs["pareto_k"] < 0.6
    assert fit["posterior"]["within"].mean() == pytest.approx(0.46, abs=0.05)


def test_priors_are_compared(fitted):
    """Of what is in the model alone."""
    assert sg.prior_checks.compare_prior(fitted).index.tolist() == ["intercept", "within"]
    assert sg.prior_checks.prior_sensitivity(fitted).index.tolist() == ["intercept", "within"]


@pytest.mark.slow
def test_nuts_agrees(fitted):
    """The same posterior by the PyMC graph, which compiles."""
    again = sg.fit(sg.GradientModel(one_areas()), method="nuts", random_seed=1, progress=False)
    for name in ("intercept", "within"):
        one, other = (fit["posterior"][name].to_numpy() for fit in (fitted, again))
        assert one.mean() == pytest.approx(other.mean(), abs=0.15 * other.std())
        assert one.std() == pytest.approx(other.std(), rel=0.1)
