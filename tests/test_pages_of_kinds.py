"""A page of every kind of fit: what each says of itself, and refuses to say."""

import functools
import json
import warnings

import numpy as np
import pytest
import xarray as xr

import socgrad as sg
from combinations import Cell, model_of
from locality_tables import locality_fit
from region_tables import region_draws, simulated_with_regions, with_regions
from socgrad.errors import ConvergenceWarning
from socgrad.pages.answers import Answer, Refusal, ask
from socgrad.pages.evidence import evidence
from socgrad.pages.method import method
from socgrad.pages.questions import QUESTIONS
from socgrad.pages.rate_questions import RATES
from socgrad.pages.strata_questions import STEEPEST
from socgrad.pages.subject import read_subject
from socgrad.pages.trust import trust
from socgrad.reading.covariate_example import area_covariate_example_fit
from socgrad.reading.example import example_fit

ASKED = {question.name: question for question in QUESTIONS}


@functools.cache
def fitted(feature="plain", counts="counts", **more):
    """A fit of eighteen authorities by the engine that compiles nothing."""
    return sg.fit(model_of(Cell(feature, counts=counts, **more)), draws=200, random_seed=3)


def subject_of(fit, **options):
    """What questions are put to."""
    words = {"events": "plans", "exposure": "children", "deprivation": "deprivation"}
    rest = {"names": {}, "authority": None, "prob": 0.95, "suppress_below": 10}
    return read_subject(fit, **(words | rest | options))


def asked(name, fit, **options):
    """The answer to one question."""
    return ask(ASKED[name], subject_of(fit, **options))


NEEDS_NEIGHBOURHOODS = ("gradient", "shape", "steepening", "own_gradients")


def test_totals_answer_nothing_that_compares_neighbourhoods():
    """Gradients are refused, with what was assumed; what rests on them says so, beside it."""
    fit = fitted(counts="totals")
    row = sg.summarise(sg.gradient(fit)).iloc[0]
    assumed = f"{100 * (row['estimate'] - 1):.0f}% more"
    for name in NEEDS_NEIGHBOURHOODS:
        refusal = asked(name, fit)
        assert isinstance(refusal, Refusal)
        assert "hold no comparison of neighbourhoods" in refusal.reason
        assert assumed in refusal.reason
    for name in ("rates", "contextual", "inequality"):
        note = asked(name, fit).notes[0]
        assert "assumed, not found" in note
        assert assumed in note
    assert not asked("between", fit).notes
    assert isinstance(asked("one_authority", fit, authority="A001"), Refusal)


def test_a_named_authority_is_refused_in_the_open():
    """Who named one is told why nothing is said of it."""
    fit = fitted(counts="totals")
    options = {"questions": ["one_authority"], "figures": False}
    assert "What of A001?" in sg.report(fit, authority="A001", **options).html
    assert "What of" not in sg.report(fit, **options).html


def test_totals_say_how_they_were_known_and_checked():
    """How it was done and whether to trust it: no neighbourhood was looked at."""
    subject = subject_of(fitted(counts="totals"))
    assert "Only totals of whole authorities were counted." in method(subject)
    checks = {one.name: one for one in trust(subject).verdicts}
    assert "nothing here can tell" in checks["fit"].words[1]
    assert checks["priors"].words[0].startswith("In part")
    assert "prior decides" not in " ".join(checks["sampling"].words)


def test_a_mixture_counts_its_totals():
    """Nine of eighteen authorities are known by totals; gradients are answered all the same."""
    subject = subject_of(fitted(counts="mixed"))
    assert "For 9 of 18 authorities only the total was counted." in method(subject)
    assert isinstance(ask(ASKED["gradient"], subject), Answer)


@functools.cache
def hidden_fit():
    """Eight authorities whose counts from 1 to 5 are hidden."""
    rule = sg.coarsening.Suppressed({"c": (1, 5)})
    frame = sg.simulate(authorities=8, areas=160, random_seed=5).frame
    shown = rule.publish(frame["child_protection_plan"].to_numpy(), np.random.default_rng(1))
    areas = sg.Areas.from_frame(
        frame.assign(plans=shown), area="area", authority="authority", events="plans",
        children="children", deprivation="deprivation", coarsening=rule, complete=True,
    )  # fmt: skip
    return sg.fit(sg.GradientModel(areas), draws=200, random_seed=3)


def test_hidden_counts_are_said():
    """How many were hidden, that the check draws them, and no observed rates beside the fitted."""
    fit = hidden_fit()
    subject = subject_of(fit, suppress_below=1)
    hidden = evidence(fit).hidden_areas
    assert hidden > 20
    assert any(f"of {hidden} of 160 neighbourhoods were" in words for words in method(subject))
    assert "drawn by the model itself" in trust(subject).verdicts[1].words[1]
    assert "observed" not in ask(RATES, subject).table


def test_a_model_without_deprivation_compares_authorities_as_they_are():
    """No one is said to be equally deprived, no gradient explained, no gradient found to bend."""
    page = sg.report(fitted("null"), events="plans", figures=False)
    words = page.found["authorities"][0]
    assert "as deprived as they happen to be" in words
    assert "How much do authorities differ?" in page.html
    assert "A gradient is the ratio" not in page.html
    assert page.html.count("The model leaves deprivation out: it says how") == 1
    assert "not log-linear" not in page.html
    assert "Rates differ between tenths of deprivation" in page.html


def test_one_authority_without_deprivation_is_not_said_to_differ(null_fit, change_fit):
    """Of one alone there are no others to differ from."""
    alone = change_fit(
        null_fit,
        posterior=lambda p: p.drop_vars(["level_sd", "level_effect"]).isel(authority=[0]),
        constants=lambda c: c.isel(
            authority=[0], area=np.flatnonzero(c["authority_of_area"].to_numpy() == 0)
        ),
    )
    assert "how high the authority's rate is" in asked("rates", alone).reason


def test_localities_have_a_question():
    """The share is the estimand's, at the middle of neighbourhoods."""
    fit = locality_fit()
    subject = subject_of(fit)
    row = ask(ASKED["localities"], subject).table.iloc[0]
    share = sg.variation.vpc(fit, deprivation=subject.places[1], level="locality")
    assert row["estimate"] == pytest.approx(float(share.median()), rel=1e-9)
    assert "something in common" in " ".join(method(subject))
    assert isinstance(asked("localities", example_fit()), Refusal)


def test_regions_are_compared_one_by_one():
    """As many are said to differ as have intervals on one side of 1."""
    answer = asked("regions", region_draws())
    table = answer.table
    apart = ((table["lower"] > 1) | (table["upper"] < 1)).sum()
    words = f"certainly differ in {apart} of {len(table)}" if apart else f"none of {len(table)}"
    assert words in answer.found[0]
    assert len(asked("authorities", region_draws()).table) == 3


def test_covariates_say_what_they_compare():
    """Each comparison in words, whether certain or not; the page says what is held equal."""
    page = sg.report(
        area_covariate_example_fit(), figures=False, questions=["covariates", "gradient"]
    )
    found = page.found["covariates"]
    table = page.tables["covariates"]
    assert len(found) == len(table)
    assert all(": rates of" in words or ": gradients of" in words for words in found)
    assert not any("[" in words for words in found)


def test_an_outcome_is_called_by_its_name(change_fit):
    """With its unit, its sign, and what authorities are equal in."""
    noise = np.random.default_rng(1).standard_normal((2, 50))

    def with_outcome(posterior):
        return posterior.assign(
            outcome_intercept=(("chain", "draw"), 4 + 0.1 * noise),
            outcome_coefficient=(
                ("chain", "draw", "outcome_term"), np.stack([2 + 0.5 * noise, noise], axis=-1)
            ),
            outcome_sd=(("chain", "draw"), 1 + 0.01 * noise),
        ).assign_coords(outcome_term=["gradient", "deprivation"])  # fmt: skip

    fit = change_fit(example_fit(), posterior=with_outcome)
    about = {"name": "absence, %", "terms": ["gradient", "deprivation"], "authorities": 6}
    fit.attrs["outcome"] = json.dumps(about)
    answer = asked("outcomes", fit)
    assert "Authorities with steeper gradients have higher outcomes" in answer.found[0]
    assert "equally deprived" in answer.found[0]
    assert "“absence, %”" in answer.found[0]
    assert "+0.19 (" in answer.found[0]  # 2 log 1.1
    assert any("is known of 6 authorities" in words for words in method(subject_of(fit)))


def test_what_priors_decide_is_said_beside_the_answer():
    """In draws of the prior everything is."""
    fit = sg.prior_checks.draw_prior(model_of(Cell("plain")), draws=1000)
    assert "say little about the gradient within authorities" in asked("gradient", fit).notes[0]
    assert not asked("gradient", fitted()).notes


def test_a_rise_is_claimed_only_where_it_is_certain(change_fit):
    """Of a gradient that may be up or down, rates go from one to the other."""
    noise = xr.DataArray(
        0.2 * np.random.default_rng(1).standard_normal((2, 50)), dims=("chain", "draw")
    )

    def flat(posterior):
        zero = {name: 0 * posterior[name] for name in ("cross_level", "slope_effect")}
        return posterior.assign(zero | {"within": noise, "between": noise})

    words = asked("rates", change_fit(example_fit(), posterior=flat)).found[0]
    assert " go from " in words
    assert words.endswith("whether they rise is not certain.")
    assert " rise from " in asked("rates", example_fit()).found[0]


def test_an_uncertain_comparison_has_its_number():
    """Two strata, fitted one by one: which is steeper is not certain, and by how much it seems."""
    fit = fitted(strata="independent")
    answer = ask(STEEPEST, subject_of(fit))
    row = answer.table.iloc[0]
    assert row["lower"] < 1 < row["upper"]
    assert "is not certain: " in answer.found[0]
    assert f"{abs(100 * (row['estimate'] - 1)):.0f}%" in answer.found[0]
    assert "fitted one by one" in answer.notes[0]
    assert method(subject_of(fit))[-2].startswith("First and second were")


def test_regions_of_a_model_without_deprivation_are_not_equally_deprived():
    """Nothing was compared at equal deprivation, and no word says so."""
    areas = with_regions(simulated_with_regions(authorities=30, areas=900, seed=12))
    model = sg.GradientModel(areas, deprivation="none", regions=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # of few draws
        fit = sg.fit(model, method="laplace", draws=100, random_seed=1)
    page = sg.report(fit, events="plans", figures=False)
    said = " ".join(sentence for part in page.found.values() for sentence in part)
    assert "average region" in said or "regions is it certain" in said
    assert "equal deprivation" not in said
    assert "equally deprived" not in said
