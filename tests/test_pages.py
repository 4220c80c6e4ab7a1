"""A page says what a fit can answer, in words that hold, and refuses the rest with reasons."""

import dataclasses
import re
import warnings
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import socgrad as sg
from socgrad.errors import EstimandError, SchemaError, SpecificationError
from socgrad.pages.answers import ask
from socgrad.pages.authority_questions import OWN_GRADIENTS
from socgrad.pages.contextual_questions import CONTEXTUAL, STEEPENING
from socgrad.pages.figures import drawn
from socgrad.pages.gradient_questions import SHAPE
from socgrad.pages.questions import QUESTIONS
from socgrad.pages.rate_questions import RATES
from socgrad.pages.strata_questions import ALIKE
from socgrad.pages.subject import read_subject
from socgrad.pages.trust import trust
from socgrad.pages.words import change, in_a_list, lower_first, number
from socgrad.reading.covariate_example import area_covariate_example_fit
from socgrad.reading.departure_example import bent_example_fit
from socgrad.reading.example import example_fit, example_fit_of_stages
from socgrad.reading.years_example import example_fit_of_years

STAGES = {"referral": "Referrals", "assessment": "Assessments", "plan": "Child protection plans"}


def page_of(fit, **options):
    """A page without figures, which is what takes time."""
    return sg.report(fit, **{"figures": False, "events": "plans"} | options)


def subject_of(fit, suppress_below=10):
    """What a question is put to."""
    return read_subject(
        fit,
        events="plans",
        exposure="children",
        deprivation="deprivation",
        names={},
        authority=None,
        prob=0.95,
        suppress_below=suppress_below,
    )


@pytest.fixture(scope="module")
def single():
    """A page of a plain fit of six authorities, with its counts."""
    return page_of(example_fit(events=True), authority="Ashby")


@pytest.fixture(scope="module")
def stages():
    """A page of three stages fitted together."""
    return page_of(example_fit_of_stages(), names=STAGES)


def test_sentences_say_what_estimands_give(single):
    """The gradient of the sentence and of the table is that of the estimand."""
    row = sg.summarise(sg.gradient(example_fit())).iloc[0]
    own = single.tables["gradient"].iloc[0]
    assert own[["estimate", "lower", "upper"]].tolist() == pytest.approx(
        row[["estimate", "lower", "upper"]].tolist()
    )
    percent = [f"{100 * (row[name] - 1):.0f}%" for name in ("estimate", "lower", "upper")]
    assert f"{percent[0]} more ({percent[1]} to {percent[2]}) plans" in single.found["gradient"][0]


def test_every_question_is_answered_or_refused(single, stages):
    """No question is lost, and each refusal has a reason."""
    for page in (single, stages):
        assert set(page.found) | set(page.refused) == {question.name for question in QUESTIONS}
        assert not set(page.found) & set(page.refused)
        assert all(page.found.values())
        assert all(len(reason) > 20 for reason in page.refused.values())


def test_tables_have_one_form(single, stages):
    """Every table says of what, which quantity, and its number within its interval."""
    for page in (single, stages):
        for table in page.tables.values():
            assert table.columns[:5].tolist() == ["of", "quantity", "estimate", "lower", "upper"]
            assert (table["lower"] <= table["estimate"]).all()
            assert (table["estimate"] <= table["upper"]).all()
            assert not table.duplicated(["of", "quantity"]).any()


def test_the_page_holds_every_number(stages):
    """Every row of every table is a row of the page."""
    rows = re.findall(r'<tr><th scope="row">', stages.html)
    assert len(rows) >= sum(map(len, stages.tables.values()))
    for row in stages.tables["rates"].itertuples():
        assert f"<td>{number(row.estimate)}</td>" in stages.html


@pytest.mark.parametrize(
    ("make", "answered", "refused"),
    [
        (example_fit_of_years, {"years", "alike"}, {"comparison"}),
        (area_covariate_example_fit, {"covariates"}, {"shape"}),
        (lambda: bent_example_fit("spline"), {"shape"}, {"covariates"}),
    ],
    ids=["years", "covariates", "spline"],
)
def test_questions_depend_on_the_fit(make, answered, refused):
    """What a fit has is asked of it, what it lacks is refused; no warning gets lost on the way."""
    page = page_of(make())
    assert answered <= set(page.found)
    assert refused <= set(page.refused)


def test_years_are_no_groups():
    """Nobody is told that years are one set of counts, or asked which of them is steepest."""
    page = page_of(example_fit_of_years(), questions=["comparison", "alike"])
    assert "differ by year alone" in page.refused["comparison"]
    assert "Are the same authorities high in every year?" in page.html


def test_fits_that_say_less_say_so(pooled_fit, null_fit, no_slopes_fit):
    """A pooled, a null and a fit without random slopes each name what they leave out."""
    assert "deprivation='pooled'" in ask(CONTEXTUAL, subject_of(pooled_fit)).reason
    null = page_of(null_fit)
    assert set(null.found) == {"authorities"}
    assert "leaves deprivation out" in null.refused["rates"]
    assert "the same gradient" in ask(OWN_GRADIENTS, subject_of(no_slopes_fit)).reason


def test_a_chain_says_among_whom(stages):
    """In a chain a stage is said to be among those at the one before; else it is not."""
    chain = page_of(example_fit_of_stages(chained=True), names=STAGES)
    assert "steps" in chain.found
    assert "one by one" in chain.refused["alike"]
    assert {"comparison", "alike"} <= set(stages.found)
    assert {"steps", "years"} <= set(stages.refused)
    assert "child protection plans among assessments" in chain.found["gradient"][0]
    assert "per 10,000 assessments" in chain.found["rates"][2]
    assert "among assessments" not in " ".join(stages.found["gradient"])


def test_the_inverse_intervention_effect_is_called_so_where_it_is(single, change_fit):
    """Below 1 for certain: the effect; above 1: its contrary; between: left open."""
    # The example's effect is certain where neighbourhoods are deprived, and open elsewhere.
    words = single.found["contextual"][-1]
    assert "(the inverse intervention effect) among neighbourhoods of 22% and 38%" in words
    assert "not certain to differ among neighbourhoods of 5% deprivation" in words
    rng = np.random.default_rng(4)

    def contextual(log_ratio):
        def moved(posterior):
            noise = xr.DataArray(0.05 * rng.standard_normal((2, 50)), dims=("chain", "draw"))
            flat = posterior.assign(cross_level=0 * posterior["cross_level"])
            return flat.assign(between=posterior["within"] + log_ratio + noise)

        fit = change_fit(example_fit(), posterior=moved)
        return CONTEXTUAL.answer(subject_of(fit)).found[-1]

    assert contextual(-0.4).endswith("the inverse intervention effect.")
    assert "rates of plans are higher in deprived authorities among" in contextual(0.3)
    assert "leave open which authorities" in contextual(0.0)


def test_only_what_is_asked_is_answered():
    """Other questions are neither answered nor refused, and the counts are not held against it."""
    page = page_of(example_fit(events=True), questions=["gradient", "shape"])
    assert (set(page.found), set(page.refused)) == ({"gradient"}, {"shape"})
    assert "Does the model fit the counts?" not in page.html
    assert "Was the computation complete?" in page.html


def test_one_authority_is_looked_at_by_name(single):
    """Its own gradient stands beside that of an average authority as deprived."""
    assert "In Ashby" in single.found["one_authority"][0]
    own = sg.summarise(sg.gradient(example_fit(), target="each").sel(authority="Ashby"))
    assert single.tables["one_authority"]["estimate"].iloc[0] == pytest.approx(
        own["estimate"].iloc[0]
    )


def test_observed_rates_are_shown_whole_or_not_at_all():
    """One tenth below the limit hides all: it could be had back from the others."""
    fit = example_fit(events=True)
    seen = sg.rates.observed_rate_by_group(fit)
    least = int(seen["events"].min())
    shown = RATES.answer(subject_of(fit, least)).table
    np.testing.assert_allclose(shown["observed"], seen["rate"])
    assert "observed" not in RATES.answer(subject_of(fit, least + 1)).table
    assert "observed" not in RATES.answer(subject_of(example_fit(), least)).table


def test_no_count_of_an_area_or_authority_is_shown():
    """Counts that cannot occur by chance are nowhere on the page, nor is the largest one."""
    rng = np.random.default_rng(5)
    table = sg.simulate(authorities=12, areas=300, random_seed=3).frame
    table["plans"] = rng.integers(100_003, 900_001, len(table)) | 1
    table["children"] = 50_000_000
    areas = sg.Areas.from_frame(
        table, area="area", authority="authority", events="plans", children="children",
        deprivation="deprivation", complete=True, coarsening=sg.coarsening.Exact(),
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # no model fits such counts
        fit = sg.fit(sg.GradientModel(areas), method="laplace", draws=100, random_seed=1)
        page = page_of(fit)
    numbers = set(re.findall(r"\d+", page.html.replace(",", "")))
    secret = [*table["plans"], *table.groupby("authority")["plans"].sum(), table["plans"].sum()]
    assert not numbers & {str(count) for count in secret}
    assert '<th scope="row">largest' not in page.html


def test_words_from_outside_are_escaped():
    """No word from outside becomes markup; the page stays well formed and stands alone."""
    evil = '<script>alert("x")</script>'
    page = page_of(
        {evil: example_fit_of_stages(), "Again": example_fit()},
        title=evil,
        author=evil,
        introduction=evil,
        deprivation=evil,
        exposure=evil,
        names={"plan": evil, "referral": "R&D"},
        sections=[sg.pages.Section(evil, evil, pd.DataFrame({evil: [evil]}))],
    )
    assert "<script>alert" not in page.html
    assert page.html.count("<script>") == 1  # the page's own
    assert "&lt;script&gt;alert" in page.html
    assert "R&amp;D" in page.html
    assert "<script>" not in page._repr_html_()
    outline = Outline()
    outline.feed(page.html)
    assert outline.open == []
    assert len(set(outline.ids)) == len(outline.ids)
    assert {link.removeprefix("#") for link in outline.links} <= set(outline.ids)
    assert outline.levels[0] == 1
    assert outline.levels.count(1) == 1
    assert max(np.diff(outline.levels)) <= 1
    assert not re.search(r'(src|href)="(https?:)?//', page.html)
    assert "Again: gradient" in page.tables


class Outline(HTMLParser):
    """Tags that are open, ids, links and images of a page."""

    void = frozenset({"meta", "img", "br", "link"})

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.links, self.images, self.levels = [], [], [], [], []

    def handle_starttag(self, tag, attrs):
        """Count what begins."""
        given = dict(attrs)
        self.ids += [given["id"]] if "id" in given else []
        self.links += [given["href"]] if "href" in given else []
        self.images += [given] if tag == "img" else []
        self.levels += [int(tag[1])] if re.fullmatch(r"h\d", tag) else []
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag):
        """Close what is open."""
        assert self.open.pop() == tag


def test_figures_are_drawn_with_words_and_leave_settings_alone():
    """Every figure is SVG within the page, says what it shows, and changes no setting."""
    from matplotlib import rcParams

    before = dict(rcParams)
    page = sg.report(example_fit(events=True), events="plans")
    assert dict(rcParams) == before
    outline = Outline()
    outline.feed(page.html)
    assert len(outline.images) == 3
    for image in outline.images:
        assert image["src"].startswith("data:image/svg+xml;base64,")
        assert len(image["alt"]) > 60
    assert "73% more" not in outline.images[0]["alt"]
    bars = RATES.answer(subject_of(example_fit())).pictures[0]
    assert drawn(bars) == drawn(bars)


def test_a_fit_that_did_not_converge_is_said_at_the_top(single):
    """A hundred draws are too few, and the page opens with that."""
    assert not single.converged
    assert single.html.index("do not use these numbers") < single.html.index("How to read")


def test_enough_draws_converge(change_fit):
    """With two thousand independent draws there is nothing to warn of."""
    rng = np.random.default_rng(2)

    def drawn_again(posterior):
        made = {
            name: (("chain", "draw", *values.dims[2:]),
                   values.mean().item() + 0.01 * rng.standard_normal((4, 500, *values.shape[2:])))
            for name, values in posterior.data_vars.items()
        }  # fmt: skip
        return xr.Dataset(made, {"authority": posterior["authority"]})

    found = trust(subject_of(change_fit(example_fit(), posterior=drawn_again)))
    assert found.converged
    assert found.verdicts[0].words[0].startswith("Yes")


def test_sections_and_pages_are_saved(single, tmp_path):
    """A page is written as it is, and a figure of one's own needs words."""
    path = single.save(tmp_path / "page.html")
    assert path.read_text(encoding="utf-8") == single.html
    from matplotlib.figure import Figure

    figure = Figure()
    figure.subplots().plot([1, 2])
    with pytest.raises(SpecificationError, match="has no words"):
        sg.pages.Section("Map", figure=figure)

    def made(tables):
        words = f"{len(tables['rates'])} tenths"
        return [sg.pages.Section("Map", words, figure=figure, shows="A line.")]

    page = page_of(example_fit(), questions=["rates"], sections=made)
    assert 'alt="Figure: A line."' in page.html
    assert "<p>10 tenths</p>" in page.html
    assert "questions answered" in repr(single)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"authority": "Nowhere"}, EstimandError, "No authority 'Nowhere'"),
        ({"prob": 1.2}, EstimandError, "prob is 1.2"),
        ({"suppress_below": 0}, SpecificationError, "suppress_below must be a whole number"),
        ({"events": {"x": "plans"}}, SpecificationError, "no such fit"),
        ({"questions": ["height"]}, SpecificationError, "Expected a list of some of rates"),
        ({"questions": {"x": ["rates"]}}, SpecificationError, "no such fit"),
        ({"sections": ["Own"]}, SpecificationError, r"pages\.Section"),
        ({"deprivation": 0.1}, SpecificationError, r"deprivation is 0\.1\. Expected words\."),
        ({"exposure": 0.1}, SpecificationError, r"Expected words or a mapping from labels"),
        ({"names": "plans"}, SpecificationError, r"names is 'plans'\. Expected a mapping from"),
    ],
)
def test_options_out_of_range_are_refused(options, error, words):
    """Each says what is wrong with it."""
    with pytest.raises(error, match=words):
        page_of(example_fit(), **options)


def test_what_is_no_fit_is_refused():
    """A table, nothing, or a tree of something else."""
    with pytest.raises(EstimandError, match="Expected a fit"):
        page_of([1, 2])
    with pytest.raises(SpecificationError, match="no fits to report"):
        page_of({})
    with pytest.raises(SchemaError, match="no group 'posterior'"):
        page_of(xr.DataTree())


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        ((1.57, 1.62, 1.68), "62% more (57% to 68%)"),
        ((0.80, 0.84, 0.88), "16% fewer (12% to 20%)"),
        ((0.95, 1.02, 1.10), "2% more (−5% to +10%)"),
        ((0.90, 0.98, 1.07), "2% fewer (−10% to +7%)"),
    ],
)
def test_a_change_is_said_in_its_direction(ratio, words):
    """Ratios below 1 are fewer, and an interval on both sides of 1 keeps its signs."""
    row = pd.Series(dict(zip(("lower", "estimate", "upper"), ratio, strict=True)))
    assert change(row, "more", "fewer") == words


def test_words_join_and_numbers_round():
    """Lists have an and; numbers three digits; abbreviations stay."""
    assert in_a_list(["a"]) == "a"
    assert in_a_list(["a", "b", "c"]) == "a, b and c"
    assert [number(x) for x in (1370.4, 20.93, 4.657, -12.34)] == ["1,370", "20.9", "4.66", "−12.3"]
    assert [lower_first(x) for x in ("Section 47", "CIN plans")] == ["section 47", "CIN plans"]


def test_a_bend_is_judged_by_the_ratio_of_its_halves():
    """In every draw: halves whose own intervals overlap may differ for certain, or not."""
    fit = bent_example_fit("spline")
    answer = ask(SHAPE, subject_of(fit))
    low, middle, high = subject_of(fit).places
    per = 0.10
    below = sg.shapes.deprivation_ratio(fit, deprivation=middle, reference=low)
    above = sg.shapes.deprivation_ratio(fit, deprivation=high, reference=middle)
    ratio = below ** (per / (middle - low)) / above.to_numpy() ** (per / (high - middle))
    row = answer.table.iloc[2]
    assert row["quantity"] == "The first over the second"
    assert row["estimate"] == pytest.approx(float(ratio.median()), rel=1e-6)
    steeper, flatter = float(ratio.quantile(0.025)) > 1, float(ratio.quantile(0.975)) < 1
    words = "steeper among" if steeper else "flatter among" if flatter else "not certain"
    assert words in answer.found[0]


def test_authorities_alike_in_deprivation_have_no_affluent_one():
    """Said in words."""
    same = subject_of(bent_example_fit("spline"))
    land = same.first.land
    alike = dataclasses.replace(land, authority_mean=0.0 * land.authority_mean + 0.2)
    same.first.__dict__["land"] = alike  # as if cached
    refusal = ask(STEEPENING, same)
    assert "equally deprived" in refusal.reason


def test_a_correlation_of_either_sign_is_not_certain(change_fit):
    """A sentence claims no direction that its interval leaves open."""
    stages = example_fit_of_stages()
    rates, gradients = ask(ALIKE, subject_of(stages)).found
    assert "high rates of referral, given their deprivation, tend to have high rates" in rates
    assert "tend to have steep gradients of plan" in gradients

    def halved(posterior):
        sign = xr.where(posterior["draw"] % 2 == 0, 1.0, -1.0)
        return posterior.assign(slope_correlation=posterior["slope_correlation"] * sign)

    unsure = change_fit(stages, posterior=halved)
    assert "is not certain: correlation" in ask(ALIKE, subject_of(unsure)).found[1]
