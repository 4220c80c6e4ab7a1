"""Figures over years."""

import numpy as np
import pytest

import socgrad as sg
from socgrad.errors import EstimandError
from socgrad.reading.years_example import example_fit_of_years

figure = pytest.importorskip("matplotlib.figure")
FIT = example_fit_of_years()


def axes():
    """Axes of a figure that pyplot does not know."""
    return figure.Figure().subplots()


def test_a_line_through_the_medians():
    """Of every year, on a logarithmic scale."""
    draws = sg.gradient(FIT)
    ax = sg.plots.over_years(draws, ax=axes())
    np.testing.assert_allclose(ax.lines[0].get_ydata(), draws.median(("chain", "draw")))
    assert ax.get_yscale() == "log"
    assert [text.get_text() for text in ax.get_xticklabels()] == ["2019", "2020", "2021"]


def test_the_line_stops_at_a_break():
    """Years on both sides are not joined."""
    draws = sg.gradient(FIT)
    draws.attrs["breaks"] = [2021]
    ax = sg.plots.over_years(draws, ax=axes())
    assert [line.get_xdata().tolist() for line in ax.lines[:2]] == [[2019, 2020], [2021]]


def test_authorities_that_surely_changed_are_named():
    """The others are grey lines without a name."""
    draws = sg.gradient(FIT, target="each")
    rises = sg.years.steepened(FIT).mean(("chain", "draw"))
    sure = (rises > 0.95) | (rises < 0.05)
    ax = sg.plots.changed_authorities(draws, ax=axes())
    named = {text.get_text() for text in ax.texts}
    assert named == set(rises["authority"].to_numpy()[sure.to_numpy()])
    assert 0 < len(named) < 6
    coloured = [line for line in ax.lines if line.get_alpha() == 1.0]
    assert len(coloured) == len(named)
    heights = sorted(text.xyann[1] for text in ax.texts)
    assert (np.diff(heights) > 0.049).all()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: sg.plots.over_years(sg.gradient(FIT, target="each")), "2 named dims"),
        (
            lambda: sg.plots.over_years(sg.gradient(sg.stratum(FIT, 2020), target="each")),
            "expected year",
        ),
        (lambda: sg.plots.changed_authorities(sg.gradient(FIT)), "dims year and authority"),
        (
            lambda: sg.plots.changed_authorities(sg.gradient(FIT, target="each"), sure=0.3),
            "sure is 0.3",
        ),
        (
            lambda: sg.plots.changed_authorities(sg.gradient(FIT, target="each"), end=2030),
            "end=2030 are not two years",
        ),
        (
            lambda: sg.plots.changed_authorities(np.log(sg.gradient(FIT, target="each"))),
            "were computed from an estimand",
        ),
    ],
)
def test_what_is_refused(call, words):
    """In words."""
    with pytest.raises(EstimandError, match=words):
        call()
