"""Doors that take tables, labels and numbers, each as a function of one hostile cell.

A door for numbers puts the cell where it expects a number and returns the number that was read; a
door for labels puts it where it expects a label and returns the label. 1 is a number that every
door takes: a proportion, a count, a population.
"""

import functools
import warnings

import numpy as np
import pandas as pd

from door import door, table
from socgrad.door.by_authority import given_regions
from socgrad.estimands.inequality_of_rates import inequality_of_rates
from socgrad.estimands.new_places import exposure_of, places_of
from socgrad.estimands.predictions import predict_events
from socgrad.model.gradient_model import GradientModel
from socgrad.model.outcome_model import OutcomeModel
from socgrad.reading.example import example_fit
from socgrad.reading.geography import geography
from socgrad.table.areas import Areas
from socgrad.table.strata import Strata

AUTHORITIES = ("Ashby", "Barton", "Corby")
#: Labels that are what they are.
LABELS = (
    "Ynys M\u00f4n",
    "E06000001",
    "St. Helens (Met)",
    "a/b",
    "'s",
    "007",
    "\u4eac\u90fd",
    "NA1",
    "Nantes",
)
MANY = [f"LA{k:02d}" for k in range(20)]


def with_cell(frame, column, cell, row=0):
    """The table with one cell changed, its column one of objects."""
    values = frame[column].astype(object).tolist()
    values[row] = cell
    made = frame.copy()
    made[column] = pd.Series(pd.array(values, dtype=object), index=frame.index, dtype=object)
    return made


def quiet(call):
    """Numbers that are merely odd warn, which is no matter here."""

    @functools.wraps(call)
    def called(cell):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return call(cell)

    return called


def number_in(column, attribute, **options):
    """Read the second area's number."""

    def read(cell):
        return getattr(door(with_cell(table(), column, cell, 1), **options), attribute)[1]

    return read


def given_total(cell):
    """A total of one authority."""
    totals = {"Ashby": cell, "Barton": 7, "Corby": 5}
    return door(table(), events=None, totals=totals).total_events[0]


def given_mean(cell):
    """A mean of one authority."""
    means = {"Ashby": cell, "Barton": 0.3, "Corby": 0.2}
    return door(table(), authority_means=means).authority_mean[0]


@functools.cache
def gradients():
    """A model of twenty authorities, for outcomes beside it."""
    frame = pd.DataFrame(
        {
            "lsoa": [f"{name}-{k}" for name in MANY for k in range(3)],
            "la": np.repeat(MANY, 3),
            "idaci": np.linspace(0.05, 0.6, 60),
            "children": 100 + np.arange(60),
            "plans": np.arange(60) % 7,
        }
    )
    return GradientModel(door(frame))


def outcome(cell):
    """An outcome of one authority."""
    values = {name: float(k % 7) for k, name in enumerate(MANY)} | {"LA00": cell}
    return OutcomeModel(gradients(), outcome=values, name="absence").values[0]  # noqa: PD011 - not of pandas


def control(cell):
    """A control of one authority."""
    values = {name: float(k % 7) for k, name in enumerate(MANY)}
    controls = pd.DataFrame({"c": (np.arange(20) * 7 % 11).astype(float)}, index=MANY)
    model = OutcomeModel(
        gradients(), outcome=values, name="absence", controls=with_cell(controls, "c", cell)
    )
    return model.control_values[0, 0]


def covariate(cell):
    """A covariate of one area."""
    frame = with_cell(table().assign(c=[2.0, 3, 4, 5, 6, 7]), "c", cell)
    return door(frame, covariates=["c"]).covariates["c"].iloc[0]


def places():
    """Three neighbourhoods of a fit."""
    return pd.DataFrame(
        {
            "deprivation": [0.1, 0.2, 0.3],
            "la": ["Ashby", "Corham", "Corham"],
            "mean": [0.1, 0.2, 0.3],
            "children": [10.0, 20.0, 30.0],
        }
    )


@functools.cache
def land():
    """The places of a fit."""
    return geography(example_fit())


def checked_places(frame, **options):
    """New places as the door reads them: predictions of many cells would take too long."""
    options = {"deprivation": "deprivation", "authority": None, "authority_mean": None} | options
    return places_of(land(), frame, **options, needs_authority=False)


def place_deprivation(cell):
    """Deprivation of a new place."""
    found = checked_places(with_cell(places(), "deprivation", cell))
    return found.deprivation.to_numpy()[0]


def place_mean(cell):
    """Mean deprivation of a new place's authority."""
    found = checked_places(with_cell(places(), "mean", cell), authority_mean="mean")
    return found.authority_mean.to_numpy()[0]


def place_exposure(cell):
    """Exposure of a new place."""
    return exposure_of(with_cell(places(), "children", cell), "children")[0]


def rates_of(column):
    """Read one number of a table of published rates, by what comes out of it."""

    def read(cell):
        frame = pd.DataFrame({"rate": [2.0, 3.0, 5.0], "people": [2, 2, 2], "tenth": [2, 3, 4]})
        names = {"rate": "rate", "population": "people", "deprivation": "tenth"}
        plain = inequality_of_rates(frame.assign(**{column: [1, *frame[column][1:]]}), **names)
        found = inequality_of_rates(with_cell(frame, column, cell), **names)
        return 1.0 if found.equals(plain) else np.nan

    return read


NUMBER_DOORS = {
    "deprivation": number_in("idaci", "deprivation"),
    "children": number_in("children", "children", exposure="contacts"),
    "exposure": number_in("contacts", "exposure", exposure="contacts"),
    "events": number_in("plans", "events"),
    "totals": given_total,
    "authority_means": given_mean,
    "outcome": outcome,
    "controls": control,
    "covariates": covariate,
    "places: deprivation": place_deprivation,
    "places: authority_mean": place_mean,
    "places: exposure": place_exposure,
    "rates: rate": rates_of("rate"),
    "rates: population": rates_of("people"),
    "rates: deprivation": rates_of("tenth"),
}


def area(cell):
    """The label of one area."""
    return door(with_cell(table(), "lsoa", cell)).area.tolist()


def authority(cell):
    """The label of one authority, in both of its rows."""
    return door(with_cell(with_cell(table(), "la", cell), "la", cell, 1)).authority.tolist()


def level(role):
    """Read a label of localities or regions."""

    def read(cell):
        frame = table().assign(level=table()["la"])
        frame = with_cell(with_cell(frame, "level", cell), "level", cell, 1)
        return getattr(door(frame, **{role: "level"}), role).tolist()

    return read


def table_of(cell):
    """The table, its first authority called so if that is a label."""
    return (
        table().replace({"la": {"Ashby": cell}})
        if isinstance(cell, str) and cell in LABELS
        else table()
    )


def total_label(cell):
    """The label of a total."""
    frame = table_of(cell)
    totals = pd.Series([1, 2, 3], index=pd.Index([cell, "Barton", "Corby"], dtype=object))
    return door(frame, events=None, totals=totals).authority.tolist()


def mean_label(cell):
    """The label of a mean."""
    frame = table_of(cell)
    means = pd.Series([0.1, 0.2, 0.3], index=pd.Index([cell, "Barton", "Corby"], dtype=object))
    return door(frame, authority_means=means).authority.tolist()


def covariate_label(cell):
    """The label of a row of authority covariates."""
    frame = table_of(cell)
    theirs = pd.DataFrame(
        {"c": [1.0, 2.0, 3.0]}, index=pd.Index([cell, "Barton", "Corby"], dtype=object)
    )
    return door(frame, authority_covariates=theirs).authority_covariates.index.tolist()


def control_label(cell):
    """The label of a row of controls."""
    values = {name: float(k % 7) for k, name in enumerate(MANY)}
    controls = pd.DataFrame(
        {"c": (np.arange(21) * 7 % 11).astype(float)}, index=pd.Index([*MANY, cell], dtype=object)
    )
    model = OutcomeModel(gradients(), outcome=values, name="absence", controls=controls)
    return [cell, *model.control_names]


def region_label(cell):
    """A region, given by authority."""
    regions = {"Ashby": cell, "Barton": "North", "Corby": "South"}
    return given_regions(regions, pd.Index(AUTHORITIES))[1].tolist()


def region_key(cell):
    """The authority of a region."""
    index = pd.Index([*AUTHORITIES, cell], dtype=object)
    given_regions(pd.Series("North", index=index), pd.Index(AUTHORITIES))
    return [cell]


def place_authority(cell):
    """The authority of a new place."""
    checked_places(with_cell(places(), "la", cell), authority="la", authority_mean="mean")
    return [cell]


def row_label(cell):
    """The label of a new place's row."""
    frame = places().set_index(pd.Index([cell, "b", "c"], dtype=object))
    return checked_places(frame).row.tolist()


def rates_by(cell):
    """The unit of a table of rates."""
    frame = pd.DataFrame(
        {"rate": [2.0, 3.0] * 2, "people": [2] * 4, "tenth": [1, 2] * 2, "la": ["B", "B", "A", "A"]}
    )
    frame = with_cell(with_cell(frame, "la", cell), "la", cell, 1)
    found = inequality_of_rates(
        frame, rate="rate", population="people", deprivation="tenth", by="la"
    )
    return found.index.get_level_values("la").unique().tolist()


def long_frame():
    """The table twice, for two ages."""
    return pd.concat(
        [table().assign(age="0-4"), table().assign(age="5-17")], ignore_index=True
    ).assign(plans=[1, 2, 3, 4, 0, 5, 2, 2, 2, 2, 2, 2])


def stratum(cell):
    """A stratum of a long table."""
    frame = long_frame()
    for row in range(6):
        frame = with_cell(frame, "age", cell, row)
    return list(
        Strata.from_long(
            frame, stratum="age", area="lsoa", authority="la", deprivation="idaci",
            children="children", events="plans", complete=True,
        ).labels
    )  # fmt: skip


def stratum_key(cell):
    """The label of a stratum's table."""
    one = door(table())
    try:
        tables = {cell: one, "b": one}
    except TypeError:  # it cannot be a key at all
        return None
    return list(Strata(tables=tables).labels)


LABEL_DOORS = {
    "area": area,
    "authority": authority,
    "locality": level("locality"),
    "region": level("region"),
    "totals": total_label,
    "authority_means": mean_label,
    "authority_covariates": covariate_label,
    "controls": control_label,
    "regions: region": region_label,
    "regions: authority": region_key,
    "places: authority": place_authority,
    "places: row": row_label,
    "rates: by": rates_by,
    "from_long: stratum": stratum,
    "Strata: label": stratum_key,
}


def from_frame(**options):
    """The first door with its options, for wrong ones."""
    names = {"area": "lsoa", "authority": "la", "deprivation": "idaci", "children": "children"}
    given = {**names, "events": "plans", "complete": True} | options
    return Areas.from_frame(given.pop("frame", table()), **given)


def from_long(**options):
    """The door of long tables with its options."""
    names = {"area": "lsoa", "authority": "la", "deprivation": "idaci", "children": "children"}
    given = {**names, "events": "plans", "complete": True, "stratum": "age"}
    given |= {"children_of": "area"} | options
    return Strata.from_long(given.pop("frame", long_frame()), **given)


def from_stages(**options):
    """The door of stages with its options."""
    names = {"area": "lsoa", "authority": "la", "deprivation": "idaci", "children": "children"}
    given = {**names, "complete": True, "stages": ["contacts", "plans"]} | options
    return Strata.from_stages(given.pop("frame", table()), **given)


def places_with(**options):
    """Predictions of new places with their options."""
    given = {"deprivation": "deprivation", "exposure": "children"} | options
    return predict_events(example_fit(), given.pop("frame", places()), **given)


def rates_with(**options):
    """Indices of a table of rates with their options."""
    frame = pd.DataFrame({"rate": [2.0, 3.0], "people": [2, 2], "tenth": [1, 2]})
    names = {"rate": "rate", "population": "people", "deprivation": "tenth"}
    given = names | options
    return inequality_of_rates(given.pop("table", frame), **given)
