"""A null model of a table without deprivation: nothing is said along it, and the rest is right."""

import numpy as np
import pandas as pd
import pytest

import socgrad as sg
from conftest import changed
from socgrad.errors import EstimandError, SocgradError, SpecificationError, TableError
from socgrad.reading.example import example_fit
from test_shapes_of_estimands import FOLLOW, STAY, numbers

ROLES = {"area": "lsoa", "authority": "la", "children": "children"}


@pytest.fixture(scope="module")
def frame():
    """Ten authorities of twelve areas, with rates of their own and nothing else."""
    rng = np.random.default_rng(3)
    table = pd.DataFrame({"lsoa": [f"E{i:03d}" for i in range(120)]})
    table["la"] = np.repeat([f"LA {j}" for j in range(10)], 12)
    table["children"] = rng.integers(200, 600, 120)
    table["idaci"] = rng.uniform(0.05, 0.4, 120).round(3)
    own = np.exp(rng.normal(np.log(0.02), 0.5, 10)).repeat(12)
    table["plans"] = rng.poisson(own * table["children"])
    return table


@pytest.fixture(scope="module")
def areas(frame):
    """The same through the door, without deprivation."""
    bare = frame.drop(columns="idaci")
    return sg.Areas.from_frame(bare, **ROLES, events="plans")


def test_areas_say_that_they_have_none(areas, frame):
    """Beside the same table with its column."""
    assert not areas.has_deprivation
    assert "without deprivation" in repr(areas)
    other = sg.Areas.from_frame(frame, **ROLES, deprivation="idaci", events="plans", complete=True)
    assert other.has_deprivation
    assert "without deprivation" not in repr(other)


@pytest.mark.parametrize("deprivation", ["split", "pooled"])
def test_a_gradient_needs_deprivation(areas, deprivation):
    """Said by the model, with what to do."""
    with pytest.raises(SpecificationError, match=r"these have none.*deprivation=\"none\""):
        sg.GradientModel(areas, deprivation=deprivation)
    with pytest.raises(SpecificationError, match="these have none"):
        sg.GradientModel(areas)


@pytest.mark.parametrize(
    "means",
    [{"national_mean": 0.2}, {"authority_means": {"LA 1": 0.2}}],
    ids=lambda m: next(iter(m)),
)
def test_means_of_what_is_not_there_are_refused(frame, means):
    """A mean of deprivation belongs to a column of it."""
    with pytest.raises(TableError, match="no column of deprivation is named"):
        sg.Areas.from_frame(frame, **ROLES, events="plans", **means)


def test_totals_are_still_found_among_the_rows(frame):
    """By events and names, where deprivation cannot tell."""
    total = frame.drop(columns="idaci").groupby("la", as_index=False).sum(numeric_only=True)
    both = pd.concat([frame, total.assign(lsoa="Total " + total["la"])])
    with pytest.raises(TableError, match="total"):
        sg.Areas.from_frame(both, **ROLES, events="plans")
    # Without events no row can be told for a total by its children alone.
    assert len(
        sg.Areas.from_frame(frame, **ROLES, totals={"LA 1": 5}, missing_events="leave out").area
    )


def test_the_fit_is_that_of_the_null_model(areas, frame, tmp_path):
    """Saved and loaded, too."""
    fits = {}
    other = sg.Areas.from_frame(frame, **ROLES, deprivation="idaci", events="plans", complete=True)
    for name, table in (("bare", areas), ("null", other)):
        model = sg.GradientModel(table, deprivation="none")
        fits[name] = sg.fit(model, method="laplace", draws=1000, random_seed=1)
    for name, draws in fits["null"]["posterior"].data_vars.items():
        own, sd = fits["bare"]["posterior"][name], draws.std(("chain", "draw"))
        gap = own.mean(("chain", "draw")) - draws.mean(("chain", "draw"))
        assert float(abs(gap / sd).max()) < 0.05
        np.testing.assert_allclose(own.std(("chain", "draw")), sd, rtol=0.05)
    sg.save(fits["bare"], tmp_path / "bare.nc", include_events=True)
    loaded = sg.load(tmp_path / "bare.nc")
    np.testing.assert_array_equal(sg.variation.vpc(loaded), sg.variation.vpc(fits["bare"]))
    assert '"national_mean": null' in loaded.attrs["reference"]
    assert "deprivation" not in sg.variation.vpc(loaded).attrs["reference"]
    assert sg.check_fit(loaded).adequate


def test_strata_need_none_either(frame):
    """Wide and long."""
    more = np.random.default_rng(4).poisson(0.03 * frame["children"])
    wide = frame.assign(referrals=frame["plans"] + more)
    stages = sg.Strata.from_stages(wide, **ROLES, stages=["referrals", "plans"])
    long = wide.melt(["lsoa", "la", "children"], ["referrals", "plans"], "stage", "events")
    groups = sg.Strata.from_long(
        long,
        **ROLES,
        stratum="stage",
        events="events",
        children_of="area",
        nested=True,
        order=["referrals", "plans"],
    )
    for strata in (stages, groups):
        assert not any(strata[stage].has_deprivation for stage in ("referrals", "plans"))
        sg.StratifiedModel(strata, deprivation="none")
        with pytest.raises(SpecificationError, match="these have none"):
            sg.StratifiedModel(strata)


def as_null(*, bare):
    """The example fit without its slopes, and without deprivation at all."""
    kept = ["intercept", "level_effect", "level_sd"]
    null = changed(example_fit(events=True), posterior=lambda p: p[kept])
    places = ("deprivation", "authority_mean", "national_mean", "within_part", "between_part")
    none = {name: 0.0 * null["constant_data"][name] for name in places}
    return changed(null, constants=lambda c: c.assign(none)) if bare else null


def answer(function, fit):
    """What an estimand gives of a fit, or that it refuses."""
    try:
        return numbers(function, fit)
    except SocgradError as refusal:
        return str(refusal)


#: Refused for want of deprivation alone: with it, a null model can be summed up along it.
ALONG = {
    "expected_rate",
    "journal_rates",
    "observed_rate_by_group",
    "rate_by_group",
    "rate_table",
}

#: One number for all neighbourhoods, where with deprivation there is one for each place.
ONE_RATE = {"expected_rate integrated"}

#: Its tenths of deprivation are one group.
CHECKS = {"check_fit"}


@pytest.mark.parametrize("name", sorted(FOLLOW | STAY))
def test_estimands_are_those_of_a_null_model_or_refuse(name):
    """No number of a table without deprivation is of deprivation 0."""
    function = (FOLLOW | STAY)[name]
    null, bare = (answer(function, as_null(bare=bare)) for bare in (False, True))
    if name in ALONG:
        assert not isinstance(null, str)
        assert "has no such column" in bare
    elif isinstance(null, str):
        assert bare == null
    elif name in ONE_RATE:
        np.testing.assert_allclose(bare, null[..., 0])
    elif name in CHECKS:
        np.testing.assert_allclose(bare.sum(), null.sum())
        assert bare.size == 1
    else:
        np.testing.assert_allclose(bare, null)


@pytest.mark.parametrize(
    "asked",
    [
        lambda fit: sg.rates.expected_rate(fit, authority_mean=0.2),
        lambda fit: sg.rates.expected_rate(fit, authority_quantiles=0.1),
        lambda fit: sg.variation.vpc(fit, deprivation=0.2),
        lambda fit: sg.variation.vpc(fit, authority_mean=0.2),
        lambda fit: sg.variation.authority_sd(fit, deprivation=0.2),
        lambda fit: sg.predictions.predict_rate(
            fit, pd.DataFrame({"children": [5]}), authority_mean=0.2
        ),
        sg.plots.rate_bars,
    ],
)
def test_what_names_a_deprivation_is_refused(asked):
    """A table without deprivation has no place of deprivation 0.2."""
    with pytest.raises(EstimandError, match="has no such column"):
        asked(as_null(bare=True))


def test_words_do_not_speak_of_deprivation():
    """Of rates, of variation and of places."""
    fit = as_null(bare=True)
    rate = sg.rates.expected_rate(fit)
    assert rate.dims == ("chain", "draw")
    assert rate.attrs["reference"] == "an authority without effects"
    each = sg.rates.expected_rate(fit, target="each")
    assert each.dims == ("chain", "draw", "authority")
    for found in (rate, each, sg.variation.authority_sd(fit), sg.variation.median_rate_ratio(fit)):
        assert "deprivation" not in found.attrs["reference"]


def test_a_page_says_how_authorities_differ(areas):
    """The one thing that is known; what goes along deprivation is refused."""
    model = sg.GradientModel(areas, deprivation="none")
    fit = sg.fit(model, method="laplace", draws=200, random_seed=1)
    page = sg.report(fit, events="plans", figures=False)
    assert list(page.found) == ["authorities"]
    assert "Take two authorities at random" in page.found["authorities"][0]
    assert {"rates", "gradient", "contextual"} <= set(page.refused)


def test_a_release_of_coefficients_and_an_error_of_deprivation(areas):
    """The first has nothing to do with deprivation; the second is of nothing that is there."""
    model = sg.GradientModel(areas, deprivation="none")
    fit = sg.fit(model, method="laplace", draws=500, random_seed=1)
    released = sg.release.coefficients(fit)
    assert set(released["posterior"].data_vars) == {"intercept", "level_sd"}
    assert np.isfinite(sg.release.leakage(fit).select_dtypes("number")).all(axis=None)
    with pytest.raises(SpecificationError, match="have no deprivation, so that it has no error"):
        sg.sensitivity.deprivation_error(areas, sd=0.02)
