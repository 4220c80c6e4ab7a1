"""Counts known within bounds after the fit: kept in files, and shown by their bounds."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import socgrad as sg
from coarsened_tables import COLUMNS, MARKS
from socgrad.coarsening import Rounded, Suppressed
from socgrad.errors import EstimandError, SchemaError
from socgrad.reading.by_stratum import stratum
from socgrad.reading.observed import observed_counts


@pytest.fixture(scope="module")
def table():
    """Plans as counted, suppressed, and rounded at random."""
    frame = sg.simulate(authorities=20, areas=600, random_seed=3).frame
    plans = frame["child_protection_plan"].to_numpy()
    shown = {
        "plans": plans,
        "hidden": MARKS.publish(plans, np.random.default_rng(1)),
        "rounded": Rounded(3, how="random").publish(plans, np.random.default_rng(1)),
    }
    return frame.assign(**shown)


@pytest.fixture(scope="module")
def areas(table):
    """The suppressed and the rounded table through the door."""
    doors = {"hidden": MARKS, "rounded": Rounded(3, how="random")}
    return {
        name: sg.Areas.from_frame(table, **COLUMNS, events=name, coarsening=rule)
        for name, rule in doors.items()
    }


@pytest.fixture(scope="module")
def fits(areas):
    """Fits of both."""
    return {
        name: sg.fit(sg.GradientModel(one), method="laplace", random_seed=1, draws=200)
        for name, one in areas.items()
    }


@pytest.mark.parametrize("name", ["hidden", "rounded"])
def test_files_keep_bounds(fits, areas, tmp_path, name):
    """Each area's bounds come back, with the chances between them."""
    sg.save(fits[name], tmp_path / "fit.nc")
    again = sg.load(tmp_path / "fit.nc")
    found = observed_counts(again, purpose="This test", takes_bounds=True)
    own = areas[name]
    for ours, theirs in zip(found.event_bounds, own.event_bounds, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    within = own.within_bounds
    kept = [found.coarsened.kernels[k] for k in found.coarsened.kernel[within]]
    assert kept == [own.coarsened.kernels[k] for k in own.coarsened.kernel[within]]


def _changed(fit, **variables):
    counts = fit["observed_data"].to_dataset().assign(variables)
    copy = fit.copy()
    copy["observed_data"] = type(fit)(counts)
    return copy


def _there_and_back(fit, folder):
    sg.save(fit, folder / "fit.nc")
    return sg.load(folder / "fit.nc")


def test_changed_bounds_are_seen(fits, tmp_path):
    """By the hash of the data, and before it by what no kernel can be."""
    counts = fits["rounded"]["observed_data"].to_dataset()
    hidden = counts["event_kernel"].copy(data=np.roll(counts["event_kernel"].to_numpy(), 1))
    low = counts["kernel_low"] + 3
    weight = counts["kernel_weight"].copy()
    weight[0, 0] = np.nan
    for changed, words in (
        ({"event_kernel": hidden}, "another hash"),
        ({"kernel_low": low, "kernel_high": counts["kernel_low"]}, "end below their beginning"),
        ({"kernel_weight": weight}, "have weights that are not"),
        ({"event_kernel": hidden + 1000}, "positions along dim 'kernel'"),
    ):
        with pytest.raises(SchemaError, match=words):
            _there_and_back(_changed(fits["rounded"], **changed), tmp_path)


def test_without_events_there_are_no_bounds(fits, tmp_path):
    """They go where the counts go; small totals are looked for among the least there may be."""
    with pytest.raises(SchemaError, match="of 20 totals are below"):
        sg.save(fits["hidden"], tmp_path / "fit.nc", include_events=False)
    sg.save(fits["hidden"], tmp_path / "fit.nc", include_events=False, totals_are_public=True)
    assert "observed_data" not in sg.load(tmp_path / "fit.nc").children


def test_strata_keep_their_own(table):
    """Also where one is counted and another is suppressed otherwise."""
    frames = {"a": "plans", "b": "hidden", "c": "five"}
    shown = table.assign(five=Suppressed({"s": (0, 3)}).publish(table["plans"].to_numpy(), None))
    rules = {"b": MARKS, "c": Suppressed({"s": (0, 3)})}
    strata = sg.Strata.from_stages(shown, **COLUMNS, stages=frames, coarsening=rules, nested=False)
    model = sg.StratifiedModel(strata)
    tree = sg.fit(model, method="laplace", random_seed=1, draws=100)
    for name, own in strata.items():
        found = observed_counts(stratum(tree, name), purpose="This test", takes_bounds=True)
        for ours, theirs in zip(found.event_bounds, own.event_bounds, strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("name", ["hidden", "rounded"])
def test_observed_rates_lie_within_their_bounds(table, fits, name):
    """Those of the counts behind; where nothing is hidden the two bounds are one."""
    counted = sg.fit(
        sg.GradientModel(sg.Areas.from_frame(table, **COLUMNS, events="plans")),
        method="laplace", random_seed=1, draws=100,
    )  # fmt: skip
    for make in (
        lambda fit: sg.rates.observed_rate_by_group(fit, groups=5, authority_groups=2),
        sg.rates.observed_authority_rate,
    ):
        known, shown = make(counted), make(fits[name])
        assert (shown["least_events"] <= known["events"]).all()
        assert (known["events"] <= shown["most_events"]).all()
        assert (shown["lower"] <= known["lower"]).all()
        assert (known["upper"] <= shown["upper"]).all()
        one = shown["least_events"] == shown["most_events"]
        assert shown["rate"].isna().equals(~one)
        assert (shown["areas"] == known["areas"]).all()
    hidden = int(shown["areas_within_bounds"].sum())
    assert hidden == fits[name]["observed_data"].sizes["bounded_area"]


def test_bounds_in_tables_and_figures(fits):
    """As ranges, and as bars from the least to the most."""
    table = sg.tables.rate_table(fits["hidden"], groups=3)
    journal = sg.tables.journal_rates(table)
    events = journal.rows[0][journal.header.index("Events")]
    low, high = (float(part.replace(",", "")) for part in events.split("-"))
    assert (low, high) == tuple(table[["least_events", "most_events"]].iloc[0])
    assert any("known within bounds only" in note for note in journal.notes)
    ax = sg.plots.rate_bars(fits["hidden"], groups=3, ax=Figure().subplots())
    tops = [bar.get_y() + bar.get_height() for bar in ax.patches]
    for end in ("least_rate", "most_rate"):
        assert set(table[end].round(6)) <= {round(top, 6) for top in tops if np.isfinite(top)}
    curve = sg.plots.inverse_intervention_lines(fits["hidden"], observed=5, ax=Figure().subplots())
    assert "the least and the most" in curve.get_legend().get_title().get_text()


def test_bounds_are_not_protected_again(fits):
    """Sums of bounds are no counts to be suppressed or rounded."""
    with pytest.raises(EstimandError, match="known within bounds only"):
        sg.rates.observed_rate_by_group(fits["hidden"], suppress_below=5)


def test_a_secondary_mark_has_no_most(table):
    """Nothing is known of its count, so a rate with it has no upper end."""
    shown = pd.Series(table["plans"].astype(object))
    shown.iloc[3] = "s"
    areas = sg.Areas.from_frame(
        table.assign(shown=shown),
        **COLUMNS,
        events="shown",
        coarsening=Suppressed({"s": (6, None)}),
    )
    tree = sg.fit(sg.GradientModel(areas), method="laplace", random_seed=1, draws=100)
    rates = sg.rates.observed_authority_rate(tree).set_index("authority")
    own = rates.loc[table["authority"].iloc[3]]
    assert np.isinf(own[["most_events", "upper"]].astype(float)).all()
    assert np.isfinite(rates.drop(index=own.name)["upper"]).all()
    ax = sg.plots.rate_bars(tree, groups=3, ax=Figure().subplots())
    assert np.isfinite(ax.get_ylim()).all()


def test_a_mark_that_may_be_anything_is_not_counted(table):
    """An area of which nothing is known is left out of observed rates."""
    shown = pd.Series(table["plans"].astype(object))
    shown.iloc[3] = "s"
    areas = sg.Areas.from_frame(
        table.assign(shown=shown), **COLUMNS, events="shown", coarsening=Suppressed({"s": None})
    )
    tree = sg.fit(sg.GradientModel(areas), method="laplace", random_seed=1, draws=100)
    rates = sg.rates.observed_rate_by_group(tree, groups=3)
    assert np.isfinite(rates["rate"]).all()
    assert rates["areas_not_counted"].sum() == 1
    assert rates["events"].sum() == table["plans"].drop(index=3).sum()


def test_bounds_that_a_graph_dropped_are_missed(fits):
    """A tree of pymc.sample holds the counts that are shown alone: nothing is said of these."""
    counts = fits["hidden"]["observed_data"].to_dataset()[["events"]]
    bare = fits["hidden"].copy()
    bare["observed_data"] = type(bare)(counts)
    for use in (sg.check_fit, sg.rates.observed_authority_rate):
        with pytest.raises(EstimandError, match=r"those of \d+ of 600 areas that were fitted"):
            use(bare)


def test_bounds_are_checked_before_release(fits):
    """By the least that there may be; bounds count as neighbourhoods towards degrees of freedom."""
    rates = sg.rates.observed_authority_rate(fits["hidden"])
    (found,) = sg.disclosure.check_disclosure(rates).results.values()
    small = set(np.flatnonzero(rates["least_events"] < 10).tolist())
    assert {row for row, _ in found.sdc["cells"]["threshold"]} == small
    assert found.sdc["cells"]["differencing"] == []
    assert any("by the least that they may be" in comment for comment in found.comments)
    summary = sg.summarise(sg.gradient(fits["rounded"]))
    checked = sg.disclosure.check_disclosure(summary, fit=fits["rounded"])
    (found,) = checked.results.values()
    assert found.sdc["cells"]["degrees-of-freedom"] == []
