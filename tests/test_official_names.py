"""Official names: read once at the door, kept beside the codes, shown in tables and figures."""

import functools

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.figure import Figure

import socgrad as sg
from socgrad.errors import EstimandError, SchemaError, TableError
from tables import simulated

CODES = {f"E0600000{k}": f"Town {k}, Upper" for k in range(1, 9)}
NAMES = {"authority": "town", "area": "place"}


def table():
    """Eight authorities by code, with columns of names."""
    frame = simulated(authorities=8, areas=80).frame
    code = dict(zip(sorted(frame["authority"].unique()), CODES, strict=True))
    frame = frame.assign(authority=frame["authority"].map(code))
    return frame.assign(town=frame["authority"].map(CODES), place="Place " + frame["area"])


def areas_of(frame=None, **options):
    """Validated areas of it."""
    roles = {name: name for name in ("area", "authority", "deprivation", "children", "events")}
    return sg.Areas.from_frame(
        table() if frame is None else frame, **{**roles, "complete": True, **options}
    )


@functools.cache
def the_fit():
    """A fit with names."""
    return sg.fit(sg.GradientModel(areas_of(names=NAMES)), draws=200, random_seed=2)


def test_names_stand_by_their_labels():
    """In the order of the labels, whatever that of the rows; and the labels are as they were."""
    areas = areas_of(table().sample(frac=1, random_state=2), names=NAMES)
    assert dict(zip(areas.authority, areas.authority_name, strict=True)) == CODES
    assert areas.area_name.tolist() == [f"Place {label}" for label in areas.area]
    assert areas.authority.equals(areas_of().authority)


@pytest.mark.parametrize("given", [CODES | {"E06000099": "Elsewhere"}, pd.Series(CODES)[::-1]])
def test_names_by_label_are_those_of_a_column(given):
    """A mapping or a Series gives the same; names of other places are ignored."""
    found = areas_of(names={"authority": given})
    assert found.authority_name.tolist() == areas_of(names=NAMES).authority_name.tolist()
    assert found.area_name.size == 0


def blank(frame):
    """A name is missing in two rows."""
    return frame.assign(town=frame["town"].where(frame.index > 1, None))


def two_years(frame):
    """One authority has its old name in one row."""
    changed = frame["town"].copy()
    changed.iloc[0] = "Old town"
    return frame.assign(town=changed)


def exchanged(frame):
    """Codes and names in each other's columns."""
    return frame.assign(town=frame["authority"], authority=frame["town"])


SEVENTH = "E06000007"


@pytest.mark.parametrize(
    ("change", "names", "words"),
    [
        (None, "town", r"names is a str\. Expected a mapping from \"area\" or \"authority\""),
        (None, {"la": "town"}, r"names has la\. Expected a mapping"),
        (None, {"authority": 3}, r"names\['authority'\] is a int\. Expected"),
        (None, {"authority": "twon"}, r"Column 'twon' \(name of the authority\) .* mean 'town'"),
        (blank, NAMES, r"'town' \(names of authorities\) .*missing or blank .*2 of 80"),
        (two_years, NAMES, r"several names for 1 of 8 authorities \(E0600000\d: '.*' and '.*'\)"),
        (exchanged, NAMES, r"holds codes where names are expected: 8 of 8 .*Were the two exchange"),
        (
            lambda f: f.assign(town=f["town"].replace({CODES[SEVENTH]: "Town 1, Upper"})),
            NAMES,
            r"one name to several authorities: 2 of 8 \(Town 1, Upper \(E06000001\), .*county",
        ),
        (
            None,
            {"authority": {key: name for key, name in CODES.items() if key != SEVENTH}},
            r"names\['authority'\] has no name for places of the table: 1 of 8 \(E06000007\)",
        ),
        (None, {"authority": {name: key for key, name in CODES.items()}}, r"no name for places"),
        (None, {"authority": dict.fromkeys(CODES, 5)}, r"holds whole numbers\. Expected names"),
        (None, {"area": "town"}, r"one name to several areas: 80 of 80"),
    ],
)
def test_names_that_are_none_are_refused(change, names, words):
    """What, where, how many, and what to do."""
    frame = table() if change is None else change(table())
    with pytest.raises(TableError, match=words):
        areas_of(frame, names=names)


def test_names_are_no_part_of_the_data():
    """The hash of a fit's data, and its draws, are those without names."""
    bare = sg.fit(sg.GradientModel(areas_of()), draws=200, random_seed=2)
    assert bare.attrs["data_sha256"] == the_fit().attrs["data_sha256"]
    np.testing.assert_array_equal(bare["posterior"]["within"], the_fit()["posterior"]["within"])
    assert "authority_name" not in sg.summarise(sg.gradient(bare, target="each"))


def test_tables_have_names_beside_labels():
    """A column of each, and names in words; draws that were selected keep theirs."""
    gradients = sg.gradient(the_fit(), target="each")
    summary = sg.summarise(gradients, sg.between(the_fit()))
    own = summary.loc["gradient"]
    assert dict(zip(own["authority"], own["authority_name"], strict=True)) == CODES
    assert own.index.tolist() == [f"authority={name}" for name in CODES.values()]
    assert summary.loc["between", "authority_name"].isna().all()
    one = sg.summarise(gradients.sel(authority=SEVENTH))
    assert one["authority_name"].item() == CODES[SEVENTH]
    assert one.index[0][1] == f"authority={CODES[SEVENTH]}"
    assert CODES[SEVENTH] in sg.tables.to_markdown(sg.tables.journal_table(one))
    ranks = sg.summarise(sg.variation.authority_ranks(the_fit(), top=2)["gradient_rank"])
    assert ranks["authority_name"].tolist() == list(CODES.values())
    observed = sg.rates.observed_authority_rate(the_fit()).set_index("authority")["authority_name"]
    assert observed.to_dict() == CODES
    assert sg.check_fit(the_fit(), draws=100).authorities["authority_name"].to_dict() == CODES
    assert sg.leave_out(the_fit()).table["authority_name"].to_dict() == CODES


def test_figures_have_names():
    """Rows of a caterpillar and the key of a curve; the caller's own words come first."""
    gradients = sg.gradient(the_fit(), target="each")
    axes = sg.plots.caterpillar(gradients, ax=Figure().subplots()).axes[0]
    assert {text.get_text() for text in axes.get_yticklabels()} == set(CODES.values())
    axes = sg.plots.caterpillar(gradients, names={SEVENTH: "Ours"}, ax=Figure().subplots()).axes[0]
    assert "Ours" in {text.get_text() for text in axes.get_yticklabels()}
    ax = sg.plots.authority_curve(the_fit(), authority=SEVENTH, ax=Figure().subplots())
    assert CODES[SEVENTH] in ax.get_legend_handles_labels()[1]


def test_a_name_where_a_label_is_wanted_is_answered_with_the_label():
    """Numbers are asked for by label."""
    with pytest.raises(EstimandError, match=r"is the name of an authority whose label is 'E0600"):
        sg.plots.authority_curve(the_fit(), authority=CODES[SEVENTH], ax=Figure().subplots())


@pytest.mark.parametrize("keep", [True, False])
def test_names_go_through_a_file(tmp_path, keep):
    """With or without events, since they are of places; no name may be there twice."""
    options = {} if keep else {"totals_are_public": True}
    path = sg.save(the_fit(), tmp_path / "fit.nc", include_events=keep, **options)
    held = sg.load(path)["constant_data"]
    assert held["authority_name"].to_series().to_dict() == CODES
    assert held["area_name"].to_numpy().tolist() == areas_of(names=NAMES).area_name.tolist()
    if keep:
        forged = the_fit().copy(deep=True)
        forged["constant_data"]["authority_name"][:] = "One town"
        with pytest.raises(
            SchemaError, match=r"authority_name are missing or there twice \(7 of 8"
        ):
            sg.load(sg.save(forged, tmp_path / "forged.nc"))


def test_strata_share_names():
    """Both doors take them; estimands of all strata have them."""
    frame = table().assign(half=lambda f: f["events"] // 2)
    roles = {name: name for name in ("area", "authority", "deprivation", "children")}
    stages = sg.Strata.from_stages(
        frame, **roles, stages=["events", "half"], names=NAMES, complete=True
    )
    long = pd.concat([frame.assign(age="0-4"), frame.assign(age="5-17")], ignore_index=True)
    ages = sg.Strata.from_long(
        long, **roles, stratum="age", events="events", children_of="area", nested=True,
        names=NAMES, complete=True,
    )  # fmt: skip
    for strata in (stages, ages):
        assert all(one.authority_name.tolist() == list(CODES.values()) for one in strata.values())
    tree = sg.fit(sg.StratifiedModel(stages), draws=100, random_seed=2)
    summary = sg.summarise(sg.gradient(tree, target="each"))
    assert summary["authority_name"].tolist() == list(CODES.values()) * 2
    other = long["age"].eq("5-17") & long["authority"].eq(SEVENTH)
    with pytest.raises(TableError, match=r"'town' \(name of the authority\) differs between"):
        sg.Strata.from_long(
            long.assign(town=long["town"].mask(other, "Other")), **roles, stratum="age",
            events="events", children_of="area", nested=True, names=NAMES, complete=True,
        )  # fmt: skip


def test_units_of_two_dates_have_the_names_of_their_parts():
    """By hand: two new authorities are one old one, by the name of the old; others as they are."""
    match = sg.places.match_authorities(
        pd.Series(["E06000061", "E06000062", "E06000047"]),
        pd.Series({"E10000021": 900, "E06000047": 666}),
    )
    old = pd.Series({"E10000021": "Northamptonshire", "E06000047": "County Durham"})
    assert match.names(old) == {"E10000021": "Northamptonshire", "E06000047": "County Durham"}
    new = pd.Series({"E06000061": "North", "E06000062": "West"})
    assert match.names(new) == {"E10000021": "North and West"}


def test_figures_and_statements_call_authorities_by_name():
    """The axis of a curve of two authorities, and authorities that `check_fit` finds far out."""
    first, second = list(CODES)[:2]
    ax = sg.plots.inverse_intervention_curve(
        the_fit(), authorities=(first, second), ax=Figure().subplots()
    )
    assert ax.get_ylabel().endswith(f"authority {CODES[second]} over {CODES[first]}")
    fit = the_fit().copy()
    counts = fit["observed_data"].to_dataset()
    own = fit["constant_data"]["authority_of_area"].to_numpy() == 0
    counts["events"] = counts["events"].where(~own, 40 * counts["events"] + 40)
    fit["observed_data"] = xr.DataTree(counts)
    with pytest.warns(sg.errors.MisfitWarning):
        statement = sg.check_fit(fit, draws=100).statement
    assert f"expected: {CODES[first]}" in statement
    assert first not in statement
