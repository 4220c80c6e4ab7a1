"""A page of every kind of fit: what each says of itself, and refuses to say."""

import functools
import json
import re
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
from socgrad.reading.years_example import example_fit_of_years
from strata_tables import stage_strata

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


def test_without_counts_it_is_still_known_of_what_they_were():
    """A release of a fit of totals gives no gradient as found; one of counts of areas does."""
    released = {
        counts: sg.release.coefficients(fitted(counts=counts)) for counts in ("totals", "counts")
    }
    assert isinstance(asked("gradient", released["totals"]), Refusal)
    assert "assumed, not found" in asked("contextual", released["totals"]).notes[0]
    assert isinstance(asked("gradient", released["counts"]), Answer)
    assert [one.attrs["counts_of"] for one in released.values()] == ["authorities", "areas"]


def test_a_mixture_counts_its_totals():
    """Nine of eighteen authorities are known by totals; gradients are answered all the same."""
    subject = subject_of(fitted(counts="mixed"), suppress_below=1)
    assert "For 9 of 18 authorities only the total was counted." in method(subject)
    assert isinstance(ask(ASKED["gradient"], subject), Answer)
    # What was counted is of the other nine, and does not stand beside what was fitted of all.
    assert "observed" not in ask(RATES, subject).table
    assert "observed" in ask(RATES, subject_of(fitted(), suppress_below=1)).table
    whole = sum(evidence(fitted(counts=counts)).events for counts in ("counts", "totals"))
    assert 2 * evidence(subject.fit).events == whole


def test_a_gradient_that_nobody_counted_is_not_said_to_be_an_authoritys_own():
    """Of a mixture, half of the authorities have none, and one of them is not looked at closely."""
    fit = fitted(counts="mixed")
    assert (
        "Of 9 of these 18 authorities only totals are known" in asked("own_gradients", fit).notes[1]
    )
    assert len(asked("own_gradients", fitted()).notes) == 1
    assert "Of A001 only totals are known" in asked("one_authority", fit, authority="A001").reason
    assert isinstance(asked("one_authority", fit, authority="A002"), Answer)


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
    said = next(words for words in method(subject) if "within bounds" in words)
    assert f"of {hidden} of 160 neighbourhoods were" in said
    assert "(marked 'c': 1-5): every count that they allow" in said
    assert "drawn by the model itself" in trust(subject).verdicts[1].words[1]
    assert "observed" not in ask(RATES, subject).table


def test_totals_beside_hidden_counts_are_not_all_that_is_known():
    """Neighbourhoods were counted; what is known for certain is counted once."""
    fit = hidden_fit().copy()
    observed = fit["observed_data"].to_dataset()
    labels = fit["constant_data"]["authority"].to_numpy()
    totals = xr.DataArray(np.arange(100, 108), {"total_authority": labels}, name="total_events")
    fit["observed_data"] = xr.DataTree(xr.merge([observed, totals]))
    known = evidence(fit)
    assert (known.by_total, known.beside, known.events) == (frozenset(), 8, 828)
    words = method(subject_of(fit))
    assert any(one.startswith("Totals of 8 of 8 authorities are known beside") for one in words)
    assert not any("only the total" in one for one in words)
    assert isinstance(asked("gradient", fit), Answer)


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


def test_strata_fitted_together_are_not_said_to_be_fitted_one_by_one():
    """Stages of a joint fit count the same children again: that is why intervals are wide."""
    model = sg.StratifiedModel(stage_strata(), authority_effects="joint")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sg.errors.SocgradWarning)  # few authorities and draws
        fit = sg.fit(model, method="laplace", draws=100, random_seed=3)
    assert sg.compare_gradients(fit).attrs["conservative"]
    (note,) = ask(STEEPEST, subject_of(fit)).notes
    assert note.startswith("The sets of counts were fitted together")
    assert note.endswith("these intervals are wider than need be.")


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


def test_joint_strata_in_regions_are_compared_within_them():
    """Levels are those of authorities beyond their region's; gradients have no region."""
    fit = fitted("regions", strata="joint")
    rates, gradients = asked("alike", fit).found
    assert "given their deprivation and region" in rates
    assert "given their deprivation, " in gradients
    assert "their deprivation (rates: and their region)" in asked("alike", fit).unit
    said = asked("regions", fit).found
    assert [noun in words for noun, words in zip(("first", "second"), said, strict=True)] == [
        True
    ] * 2


def test_joint_strata_without_slopes_have_the_gradient_of_their_deprivation():
    """No gradient is an authority's own, and yet it may change with deprivation."""
    fit = fitted("no slopes", strata="joint")
    refusal = asked("own_gradients", fit)
    assert "all equally deprived authorities the same gradient" in refusal.reason
    assert any(
        "level of its own; level and gradient may change" in one for one in method(subject_of(fit))
    )
    assert len(asked("alike", fit).found) == 1
    assert "of their rates in two" in asked("alike", fit).unit
    steeper = asked("steepening", fit)
    assert len(steeper.found) == 2
    assert not steeper.pictures  # in which each authority would lie on the line
    assert asked("steepening", fitted()).pictures


def test_years_with_splines_bend_in_each_year():
    """Both halves of deprivation in every year, and what changed is said to be certain or not."""
    fit = fitted("spline", strata="years")
    shape = asked("shape", fit)
    assert ["plans in 2019" in shape.found[0], "plans in 2020" in shape.found[1]] == [True, True]
    answer = asked("years", fit)
    row = answer.table.iloc[2]
    assert row["lower"] < 1 < row["upper"]
    assert ", it is not certain whether the gradient changed: " in answer.found[2]
    assert "rates in the less deprived half of neighbourhoods became " in answer.found[0]


@functools.cache
def years_by_totals():
    """Three years that tell no neighbourhood from another."""
    fit = example_fit_of_years().copy()
    posterior = fit["posterior"]
    shape = (posterior.sizes["stratum"], posterior.sizes["authority"])
    fit["observed_data"] = xr.DataTree(
        xr.Dataset(
            {"total_events": (("stratum", "total_authority"), np.full(shape, 500))},
            {name: posterior[of].to_numpy() for name, of in _TOTALS_OF.items()},
        )
    )
    return fit


_TOTALS_OF = {"stratum": "stratum", "total_authority": "authority"}


def test_years_of_totals_change_in_rates_alone():
    """Gradients are refused for all years; what changed is rates, and what they rest on is said."""
    fit = years_by_totals()
    for name in NEEDS_NEIGHBOURHOODS:
        assert "hold no comparison of neighbourhoods" in asked(name, fit).reason
    answer = asked("years", fit)
    assert len(answer.found) == 1
    # Nor of halves of neighbourhoods: the rate of all, by hand from authorities' rates.
    own = sg.rates.authority_rate(fit).isel(year=[0, -1])
    children = np.bincount(
        fit["constant_data"]["authority_of_area"], fit["constant_data"]["children"]
    )
    whole = (own * xr.DataArray(children, dims="authority")).sum("authority")
    ratio = (whole.isel(year=1) / whole.isel(year=0)).median()
    assert answer.table["estimate"].iloc[0] == pytest.approx(float(ratio), rel=1e-9)
    assert "half" not in " ".join([*answer.found, *answer.table["quantity"]])
    assert "radient" not in " ".join([*answer.found, *answer.table["quantity"]])
    assert "assumed, not found" in answer.notes[0]
    assert method(subject_of(fit))[1] == "Only totals of whole authorities were counted."


@pytest.mark.parametrize(
    ("feature", "strata"), [("regions", "joint"), ("no slopes", "joint"), ("spline", "years")]
)
def test_pages_say_no_number_that_is_none(feature, strata):
    """No NaN, no exponent and no zero with a sign, in sentences or tables."""
    html = sg.report(fitted(feature, strata=strata), events="plans", figures=False).html
    assert not re.search(
        r"\bnan\b|\binf\b|\de[+-]\d|[−-]0(\.0+)?(?![\d.])", html.partition("<main")[2]
    )


@pytest.mark.parametrize(
    ("amounts", "said"),
    [
        ((3572, 170, 30, 3), "5% of the records of plans"),
        ((99_000, 30, 10, 3), "Less than 1% of the records of plans"),
        ((999, 170, 30, 3), ""),  # of few, a share would say how many
        ((3572, 0, 0, 3), ""),
    ],
)
def test_records_that_no_neighbourhood_has_are_said(amounts, said):
    """Those with no place in the ledger of the fit's own counts; not those that were no events."""
    fit = example_fit().copy()
    reasons = ("counted", "no area on that day", "outside the areas", "the same record again")
    rows = [
        {"stage": "plan", "reason": reason, "amount": amount}
        for reason, amount in zip(reasons, amounts, strict=True)
    ]
    other = {"stage": "referral", "reason": "no area on that day", "amount": 5000}
    fit.attrs |= {"columns": json.dumps({"events": "plan"}), "ledger": json.dumps([*rows, other])}
    words = [one for one in method(subject_of(fit)) if "records of" in one]
    assert [one.startswith(said) for one in words] == [True] * bool(said)
    if said:
        assert "(no area on that day and outside the areas)" in words[0]
