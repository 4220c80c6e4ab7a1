"""How tables, models, checks and journal tables look in a session and in a notebook."""

import dataclasses
import types

import numpy as np
import pandas as pd
import polars as pl
import pytest

import socgrad as sg
from combinations import FEATURES, Cell, model_of
from socgrad.equality import holds_the_same
from socgrad.errors import ConvergenceWarning
from socgrad.model.equations import equation, terms_in
from socgrad.model.terms import model_terms
from socgrad.notebooks.html import frame_table
from socgrad.reading.example import example_fit
from strata_tables import stage_strata
from tables import small_areas


@pytest.mark.parametrize("feature", [one for one in FEATURES if one != "outcome"])
@pytest.mark.parametrize("family", ["poisson", "negative_binomial"])
def test_equations_name_the_terms_that_a_model_has(feature, family):
    """None is missing, and none is there that is not estimated."""
    model = model_of(Cell(feature, family=family))
    assert terms_in(equation(model)) == list(model_terms(model))
    assert str(model).splitlines()[1:] == [f"    {line}" for line in equation(model)]


def test_models_are_shown_as_what_was_chosen():
    """What is so by default is not repeated; priors neither."""
    areas = small_areas()
    assert repr(sg.GradientModel(areas)) == f"GradientModel({areas!r})"
    chosen = sg.GradientModel(
        areas,
        family="negative_binomial",
        cross_level=False,
        priors=sg.Priors(within=sg.Normal(0.5, 0.1)),
    )
    assert repr(chosen) == (
        f"GradientModel({areas!r}, family='negative_binomial', cross_level=False, "
        "priors=Priors(within=Normal(mean=0.5, sd=0.1)))"
    )
    assert repr(sg.GradientModel(areas, deprivation="none")).endswith("deprivation='none')")


def test_models_in_notebooks_have_their_priors():
    """Each term with its meaning, and its prior as it was given."""
    shown = sg.GradientModel(
        small_areas(), priors=sg.Priors(within=sg.Normal(0.5, 0.1))
    )._repr_html_()
    assert "slope_j = within + cross_level * b_j + slope_effect_j" in shown
    for words in ("Normal(mean=0.5, sd=0.1)", "PositiveNormal(mean=0.0, sd=0.25)", "Beta(2, 2)"):
        assert words in shown


def test_equal_values_are_equal():
    """Made from the same, they are the same; one count, one option or one prior apart, not."""
    one, other = small_areas(), small_areas()
    assert one == other
    assert hash(one) == hash(other)
    assert sg.GradientModel(one) == sg.GradientModel(other)
    assert hash(sg.GradientModel(one)) == hash(sg.GradientModel(other))
    events = one.events.copy()
    events[3] += 1
    assert dataclasses.replace(one, events=events) != one
    assert sg.GradientModel(one) != sg.GradientModel(one, curvature=True)
    priors = sg.Priors(within=sg.Normal(0.5, 0.1))
    assert sg.GradientModel(one) != sg.GradientModel(one, priors=priors)
    assert one != "areas"
    assert len({one, other}) == 1


def test_strata_say_how_their_effects_go_together():
    """No model of strata is shown with the covariance of one stratum by itself."""
    strata = stage_strata()
    alone, joint = (
        str(sg.StratifiedModel(strata, authority_effects=how)) for how in ("independent", "joint")
    )
    assert "(level_sd, slope_sd, correlation)" in alone
    assert alone.endswith("each stratum by itself")
    assert "Sigma(level_sd" not in joint
    assert "effects of all strata ~ Normal(0, Sigma), full correlations" in joint


def test_arrays_and_tables_are_compared_as_a_whole():
    """NaN is like NaN, and names of columns count."""
    nan = np.array([1.0, np.nan])
    assert holds_the_same({"a": (nan, "b")}, {"a": (nan.copy(), "b")})
    assert not holds_the_same(nan, np.array([1.0, 2.0]))
    assert not holds_the_same([1, 2], [1])
    assert not holds_the_same(1, 1.0)
    frame = pd.DataFrame({"a": [1.0, np.nan]})
    assert holds_the_same(frame, frame.copy())
    assert not holds_the_same(frame, frame.rename(columns={"a": "b"}))
    assert not holds_the_same(frame["a"], frame["a"].rename("b"))
    one, other = pl.DataFrame({"a": [1, 2]}), pl.DataFrame({"a": [1, 2]})
    assert holds_the_same(one, other)
    assert not holds_the_same(one, pl.DataFrame({"a": [1, 3]}))


def test_checks_are_short_and_keep_the_largest_count_to_themselves():
    """A largest count is that of a single area: it is in the statistics, where it is asked for."""
    check = sg.check_fit(example_fit(events=True))
    largest = check.statistics.loc["largest", "observed"]
    for shown in (repr(check), str(check), check._repr_html_()):
        assert "largest" not in shown
        assert f"{largest:.3g}" not in shown.replace("<", " ").replace(">", " ").split()
    assert len(str(check)) < 1000
    assert "dispersion" in str(check)
    with pytest.warns(ConvergenceWarning):
        sampling = sg.check_sampling(example_fit())
    assert len(repr(sampling)) < 100
    assert str(sampling) == sampling.statement
    assert "<th" in sampling._repr_html_()


def test_labels_are_escaped_in_notebooks():
    """Whatever users call their strata or columns, it is text."""
    summary = sg.summarise(sg.gradient(example_fit()))
    table = sg.tables.journal_table(
        summary, caption="<script>alert(1)</script>", labels={"gradient": "<b>"}
    )
    shown = table._repr_html_()
    assert "<script>" not in shown
    assert "<b>" not in shown
    assert "&lt;b&gt;" in shown
    assert "<i>" not in frame_table(pd.DataFrame({"<i>": ["<i>"]}))


def test_tables_in_notebooks_say_what_became_of_the_rows():
    """The report of the door, numbers with thousands apart."""
    shown = small_areas()._repr_html_()
    assert "rows in" in shown
    assert "What became of the rows" in shown
    frame = pd.DataFrame({"what": ["a"], "n": [12345], "x": [0.12345], "none": [np.nan]})
    assert [piece in frame_table(frame) for piece in ("12,345", "0.123", "nan")] == [
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    "name",
    [name for name in sg.__all__ if isinstance(getattr(sg, name), types.ModuleType)],
)
def test_namespaces_show_public_names_alone(name):
    """What a tab after the dot offers can be called, or is a class."""
    namespace = getattr(sg, name)
    assert dir(namespace) == sorted(namespace.__all__)
