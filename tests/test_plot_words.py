"""Figures call counts, exposures and stages by the names that a fit knows."""

import json

import pytest
import xarray as xr
from matplotlib.figure import Figure

from socgrad.errors import EstimandError
from socgrad.estimands.gradients import gradient
from socgrad.plots import (
    authority_curve,
    authority_lines,
    gradient_ladder,
    inverse_intervention_lines,
    rate_bars,
)
from socgrad.plots.words import in_plain_words
from socgrad.reading.by_stratum import stratum
from socgrad.reading.example import example_fit_of_stages
from socgrad.reading.relabelling import relabel
from socgrad.tables.summaries import summarise

COLUMNS = {"events": "cp_plans", "children": "pop_0_17", "exposure": "pop_0_17"}


def named(fit: xr.DataTree, **columns: str) -> xr.DataTree:
    """Say which columns a fit was made from, as `socgrad.fit` does."""
    made = fit.copy()
    made.attrs["columns"] = json.dumps(COLUMNS | columns)
    return made


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("child_in_need_plan", "Child in need plan"),
        ("children_0_17", "Children 0-17"),
        ("CP plans", "CP plans"),
        (2019, "2019"),
    ],
)
def test_labels_and_columns_in_words(name: object, words: str) -> None:
    """Underscores are blanks, but between numbers; capitals stay."""
    assert in_plain_words(name) == words


def test_axes_have_the_names_of_the_table(split_fit: xr.DataTree) -> None:
    """Of children where they are the exposure, else of what the exposure's column says."""
    first, second, third = Figure().subplots(1, 3)
    inverse_intervention_lines(named(split_fit), ax=first)
    assert first.get_ylabel() == "Cp plans per 10,000 children"
    authority = split_fit["posterior"]["authority"].values[0]
    authority_curve(named(split_fit, exposure="Referrals"), authority=authority, ax=second)
    assert second.get_ylabel() == "Cp plans per 10,000 referrals"
    inverse_intervention_lines(named(split_fit), events="Plans", exposure="girls", ax=third)
    assert third.get_ylabel() == "Plans per 10,000 girls"


def test_an_axis_of_one_stage_says_which() -> None:
    """A stage taken out of a fit of several is what was counted."""
    ax = Figure().subplots()
    rate_bars(stratum(example_fit_of_stages(), "assessment"), observed=False, ax=ax)
    assert ax.get_ylabel() == "Assessment per 10,000"


def test_stages_are_relabelled_once() -> None:
    """Tables and figures show the new labels; numbers, and the fit that was given, stay."""
    fit = example_fit_of_stages()
    other = relabel(fit, {"plan": "Protection plans", "referral": "Referrals"})
    assert gradient(other)["stratum"].values.tolist() == [
        "Referrals",
        "assessment",
        "Protection plans",
    ]
    assert gradient(fit)["stratum"].values.tolist() == ["referral", "assessment", "plan"]
    before, after = summarise(gradient(fit)), summarise(gradient(other))
    assert after["estimate"].tolist() == before["estimate"].tolist()
    ax = gradient_ladder(other, ax=Figure().subplots())
    assert ax.get_xticklabels()[2].get_text() == "Protection plans"
    one = stratum(other, "Protection plans")
    assert float(one["posterior"]["within"].mean()) == float(
        stratum(fit, "plan")["posterior"]["within"].mean()
    )


def test_what_is_recorded_of_a_stratum_follows_its_label() -> None:
    """Columns, seeds and priors are found under the new label."""
    fit = example_fit_of_stages()
    fit.attrs |= {
        "per_stratum": json.dumps(["columns"]),
        "columns": json.dumps(
            {one: json.dumps({"events": f"n_{one}"}) for one in ("referral", "assessment", "plan")}
        ),
        "stratum_seeds": json.dumps({"referral": "1", "assessment": "2", "plan": "3"}),
    }
    one = stratum(relabel(fit, {"plan": "Plans"}), "Plans")
    assert json.loads(one.attrs["columns"]) == {"events": "n_plan"}
    assert one.attrs["random_seed"] == "3"


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (
            {"plans": "Plans"},
            r"1 strata that this fit has not \(first: 'plans'\); it has 'referral'",
        ),
        ({"plan": "referral"}, "Two strata would be called 'referral'"),
        ({"plan": " "}, "A new label is ' '; expected text"),
    ],
)
def test_labels_that_do_not_fit_are_refused(labels: dict[str, str], message: str) -> None:
    """Strangers, labels twice, blanks."""
    with pytest.raises(EstimandError, match=message):
        relabel(example_fit_of_stages(), labels)


def test_a_fit_without_strata_is_not_relabelled(split_fit: xr.DataTree) -> None:
    """The message says what is expected."""
    with pytest.raises(EstimandError, match=r"this fit has none\. Expected a fit of several"):
        relabel(split_fit, {"a": "b"})


def test_highlighted_authorities_stand_out_by_name(split_fit: xr.DataTree) -> None:
    """Their lines are opaque and named; the others are fainter."""
    labels = split_fit["posterior"]["authority"].values.tolist()
    ax = authority_lines(split_fit, highlight=[labels[2]], ax=Figure().subplots())
    assert [line.get_alpha() for line in ax.lines] == [0.8, 0.8, 1.0, 0.8, 0.8, 0.8]
    assert [text.get_text() for text in ax.texts] == [str(labels[2])]
    assert ax.texts[0].xy[1] == ax.lines[2].get_ydata()[-1]


def test_intervals_too_narrow_to_be_seen_are_told(split_fit: xr.DataTree) -> None:
    """The key then says how wide they are; wide ones are seen."""
    wide = rate_bars(split_fit, observed=False, ax=Figure().subplots())
    assert wide.get_legend().get_texts()[0].get_text() == "Fitted rate, 95% interval"
    fit = split_fit.copy()
    draws = fit["posterior"].to_dataset()
    fit["posterior"] = xr.DataTree(draws.mean(("chain", "draw")) + 0.001 * (draws - draws.mean()))
    narrow = rate_bars(fit, observed=False, ax=Figure().subplots())
    words = narrow.get_legend().get_texts()[0].get_text()
    assert words.startswith("Fitted rate, 95% interval: at most 0.")
    assert words.endswith("% to either side")
