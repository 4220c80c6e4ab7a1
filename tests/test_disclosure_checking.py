"""Outputs against rules: each rule by a table that meets it and one that does not."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import socgrad as sg
from socgrad.disclosure import PRESETS, Rules, check_disclosure
from socgrad.errors import SocgradWarning, SpecificationError, TableError, withhold_details
from socgrad.reading.example import example_fit, example_fit_of_stages


def counts(events, **columns):
    """A table of counts as the observed rates give it, each from many neighbourhoods."""
    events = np.array(events, dtype=float)
    table = pd.DataFrame(columns | {"events": events, "exposure": 1000.0, "rate": 10 * events})
    table.attrs["largest_share"] = [0.2] * len(table)
    return table


def only(*outputs, **options):
    """The record of the first output."""
    return next(iter(check_disclosure(*outputs, **options).results.values()))


def test_small_counts_fail_with_their_cells():
    """Nine events are fewer than ten; the rate gives them back, so it is a cell of its own."""
    record = only(counts([9, 10], group=[1, 2]))
    assert record.status == "fail"
    assert record.summary == "fail; threshold: 2 cells"
    assert record.sdc["cells"]["threshold"] == [[0, 1], [0, 3]]
    assert record.sdc["summary"]["suppressed"] is False
    assert record.outcome.iloc[0].tolist() == ["ok", "threshold; ", "ok", "threshold; "]
    assert record.outcome.iloc[1].tolist() == ["ok"] * 4


@pytest.mark.parametrize(
    ("events", "statuses"),
    [(0, "fail pass pass"), (4, "fail fail fail"), (7, "fail pass fail"), (10, "pass pass pass")],
)
def test_presets_differ(events, statuses):
    """Thresholds of 10 and 5, zeros or not, and multiples of 5."""
    found = [only(counts([events]), rules=name).status for name in PRESETS]
    assert found == statuses.split()


def test_one_neighbourhood_that_has_nearly_all_events_fails():
    """A share of 0.95 is above 0.9; without shares a person has to look."""
    table = counts([40, 50])
    table.attrs["largest_share"] = [0.95, 0.9]
    assert only(table).sdc["cells"]["dominance"] == [[0, 0]]
    table.attrs.clear()
    record = only(table)
    assert record.status == "review"
    assert "dominance could not be checked" in record.comments[0]


def test_the_tables_carry_the_share_of_the_busiest_neighbourhood():
    """By hand, from the counts of the example; strata one after another."""
    fit = example_fit(events=True)
    events = fit["observed_data"]["events"].to_numpy().reshape(6, 100)
    table = sg.rates.observed_authority_rate(fit)
    np.testing.assert_allclose(table.attrs["largest_share"], events.max(1) / events.sum(1))
    groups = sg.rates.observed_rate_by_group(fit, groups=3)
    assert (
        sg.tables.rate_table(fit, groups=3).attrs["largest_share"] == groups.attrs["largest_share"]
    )


def test_a_suppressed_count_that_its_margin_gives_back_fails():
    """One hole in a row of known sum is no hole; two are."""
    parts = counts([np.nan, 20, 30], group=[1, 2, 3])
    total = counts([57])
    record = only(parts, total)
    assert record.sdc["cells"]["differencing"] == [[0, 1]]
    assert only(parts).status == "review"
    two = counts([np.nan, np.nan, 30], group=[1, 2, 3])
    assert only(two, total).status == "review"


def test_rates_left_beside_a_suppressed_count_fail():
    """A rate and its exposure are the count."""
    table = counts([np.nan, 20])
    table["rate"] = [70.0, 200.0]
    assert only(table).sdc["cells"]["differencing"] == [[0, 2]]


def test_groupings_that_do_not_nest_are_for_review():
    """Thirds beside halves leave slices between them."""
    three, two = counts([30] * 3, group=[1, 2, 3]), counts([45] * 2, group=[1, 2])
    assert only(three).status == "pass"
    record = only(three, two)
    assert record.status == "review"
    assert "different numbers of groups" in record.comments[0]


def test_suppression_by_the_options_passes_to_review():
    """What `suppress_below` hides is neither small nor given back, and a person has to agree."""
    fit = example_fit(events=True)
    table = sg.rates.observed_rate_by_group(fit, groups=10)
    assert only(table, rules=Rules(threshold=300), fit=fit).status == "fail"
    hidden = sg.rates.observed_rate_by_group(fit, groups=10, suppress_below=300)
    assert hidden["events"].isna().any()
    assert hidden.loc[hidden["events"].isna(), ["rate", "lower", "upper"]].isna().all(axis=None)
    record = only(hidden, rules=Rules(threshold=300), fit=fit)
    assert record.status == "review"
    assert record.sdc["summary"]["suppressed"] is True


def test_rounding_by_the_options_meets_the_rule():
    """Multiples of 5, with rates that give the rounded count."""
    fit = example_fit(events=True)
    for ask in (
        sg.rates.observed_authority_rate,
        sg.rates.observed_rate_by_group,
        sg.tables.rate_table,
    ):
        assert only(ask(fit), rules="rounded_to_5").status == "fail"
        rounded = ask(fit, round_to=5)
        assert only(rounded, rules="rounded_to_5").status == "review"
        rate = rounded["observed" if "observed" in rounded else "rate"]
        np.testing.assert_allclose(rate * rounded["exposure"] / 10_000, rounded["events"])


def test_summaries_of_authorities_stand_on_their_events():
    """An authority with too few events fails, in its row; without the fit all are for review."""
    fit = example_fit(events=True)
    table = sg.summarise(sg.gradient(fit, target="each"))
    events = sg.rates.observed_authority_rate(fit)["events"]
    rules = Rules(threshold=int(events.min()) + 1)
    cells = only(table, rules=rules, fit=fit).sdc["cells"]["threshold"]
    assert cells == [[int(events.idxmin()), table.columns.get_loc("estimate")]]
    assert only(table, rules=rules).status == "review"
    assert only(table, fit=fit).status == "pass"


def test_coefficients_need_degrees_of_freedom():
    """600 counted neighbourhoods and 7 coefficients leave 593."""
    fit = example_fit(events=True)
    table = sg.summarise(sg.gradient(fit))
    assert only(table, rules=Rules(degrees_of_freedom=593), fit=fit).status == "pass"
    record = only(table, rules=Rules(degrees_of_freedom=594), fit=fit)
    assert record.summary == "fail; degrees-of-freedom: 1 cells"
    assert only(table).status == "review"


def test_draws_of_places_fail_and_figures_are_for_review():
    """Draws of authorities give totals back; what a figure shows cannot be read."""
    plt = pytest.importorskip("matplotlib.pyplot")
    fit = example_fit(events=True)
    assert only(sg.gradient(fit, target="each")).status == "fail"
    assert only(sg.gradient(fit)).status == "review"
    figure, axes = plt.subplots()
    assert [only(one).output_type for one in (figure, axes)] == ["figure", "figure"]
    assert only(axes).status == "review"
    plt.close(figure)


def test_tables_of_a_check_are_looked_at_one_by_one():
    """The largest count of an area is an extreme; groups and authorities are counts."""
    fit = example_fit(events=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check = sg.check_fit(fit, draws=20)
    checked = check_disclosure(check, fit=fit, names=["check"])
    assert list(checked.results) == ["check.statistics", "check.groups", "check.authorities"]
    assert checked.results["check.statistics"].sdc["summary"]["extreme"] == 1
    assert checked.status == "fail"


def test_the_log_is_json_without_counts_and_labels(tmp_path):
    """Status, rules and cells are there; neither an authority's name nor its events."""
    fit = example_fit(events=True)
    table = sg.rates.observed_authority_rate(fit)
    checked = check_disclosure(table, rules=Rules(threshold=300), names=["rates"])
    text = checked.to_json(tmp_path / "log.json")
    log = json.loads((tmp_path / "log.json").read_text(encoding="utf-8"))
    assert log == json.loads(text)
    assert log["results"]["rates"]["status"] == log["status"] == "fail"
    assert log["rules"] == {
        "name": "own",
        "threshold": 300,
        "zeros_are_disclosive": True,
        "dominance": 0.9,
        "rounding": None,
        "degrees_of_freedom": 10,
    }
    assert not any(str(name) in text for name in table["authority"])
    assert not any(f" {events}" in text for events in table["events"] if events != 300)


def test_it_never_says_safe():
    """Checked against rules: no more is said."""
    statement = check_disclosure(counts([100])).statement
    assert statement.startswith("Checked against these rules (threshold_10): 1 pass, 0 review")
    assert "safe" not in statement


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (check_disclosure, "Nothing to check"),
        (
            lambda: check_disclosure(counts([1]), rules="strict"),
            "rules='strict' is no preset; expected",
        ),
        (
            lambda: check_disclosure(counts([1]), names=["a", "b"]),
            "2 names were given for 1 outputs",
        ),
        (lambda: Rules(threshold=0), "threshold must be a whole number from 1; got 0"),
        (lambda: Rules(dominance=90), "dominance is 90; expected a share above 0"),
        (lambda: sg.disclosure.protect(pd.DataFrame({"x": [1]})), "no column 'events'"),
        (
            lambda: sg.disclosure.protect(counts([1]), round_to=1),
            "round_to must be a whole number from 2",
        ),
    ],
)
def test_what_cannot_be_is_refused(call, words):
    """Each message says what was expected."""
    with pytest.raises(SpecificationError, match=words):
        call()


def test_messages_can_leave_out_values_and_labels():
    """Numbers and what is in quotes or brackets go, also nested; by default all is there."""
    error = TableError("3 of 40 areas have 'x' (first: 'E01' (row 7)), such as [1.5, 2].")
    warning = SocgradWarning("Elsewhere 1,234 events (Ashby, Corham).")
    assert "E01" in str(error)
    withhold_details()
    try:
        assert str(error) == "… of … areas have … …, such as …."
        assert str(warning) == "Elsewhere … events …."
    finally:
        withhold_details(False)
    assert str(warning) == "Elsewhere 1,234 events (Ashby, Corham)."


def test_strata_are_told_apart():
    """Rows of a stratum stand on the events of that stratum: none in one authority of one."""
    fit = example_fit_of_stages().copy()
    labels = fit["constant_data"]["area"].to_numpy()
    events = np.full((3, 600), 20.0)
    events[2, :100] = 0
    held = xr.DataArray(
        events,
        dims=("stratum", "counted_area"),
        coords={"stratum": ["referral", "assessment", "plan"], "counted_area": labels},
    )
    fit["observed_data"] = xr.DataTree(xr.Dataset({"events": held}))
    table = sg.summarise(sg.gradient(fit, target="each"))
    record = only(table, fit=fit)
    (row,) = {at for at, _ in record.sdc["cells"]["threshold"]}
    assert table["stratum"].iloc[row] == "plan"
    assert table["authority"].iloc[row] == fit["constant_data"]["authority"].to_numpy()[0]
