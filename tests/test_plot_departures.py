"""The figure of departures shows what the estimand says."""

import numpy as np
import pytest
from matplotlib.collections import FillBetweenPolyCollection
from matplotlib.figure import Figure

from socgrad.errors import EstimandError
from socgrad.estimands.deprivation_ratios import departure_from_line
from socgrad.plots import authority_lines, departure_curve
from socgrad.reading.departure_example import bent_example_fit
from socgrad.reading.example import example_fit
from socgrad.reading.geography import geography


@pytest.mark.parametrize("shape", ["tenths", "spline"])
def test_the_curve_is_the_estimand(shape):
    """Median and band are those of `departure_from_line`: along a spline, at means of tenths."""
    fit = bent_example_fit(shape)
    ax = departure_curve(fit, prob=0.9, ax=Figure().subplots())
    percent, middle = ax.lines[-1].get_data()
    if shape == "tenths":
        found, heights = departure_from_line(fit), np.asarray(middle)[::2]
    else:
        some = slice(4, -4, 3)
        found = departure_from_line(fit, deprivation=(np.asarray(percent) / 100)[some])
        heights = np.asarray(middle)[some]
    low, median, high = found.quantile([0.05, 0.5, 0.95], ("chain", "draw")).to_numpy()
    np.testing.assert_allclose(heights, median, rtol=1e-9)
    (band,) = [c for c in ax.collections if isinstance(c, FillBetweenPolyCollection)]
    corners = band.get_paths()[0].vertices[:, 1]
    for edge in (low, high):
        assert all(np.isclose(corners, value, rtol=1e-9).any() for value in edge)
    assert "90% interval" in ax.get_legend().get_texts()[0].get_text()


def test_steps_are_drawn_from_edge_to_edge():
    """Each tenth has one height, and covers the deprivation from its edge to the next one's."""
    fit = bent_example_fit("tenths")
    ax = departure_curve(fit, ax=Figure().subplots())
    x, y = (np.asarray(values) for values in ax.lines[-1].get_data())
    assert len(x) == 20
    np.testing.assert_array_equal(y[::2], y[1::2])
    np.testing.assert_allclose(x[2::2] / 100, geography(fit).departures.places)


def test_a_line_is_not_drawn(split_fit):
    """There is nothing to see."""
    with pytest.raises(EstimandError, match="departure_curve has nothing to draw"):
        departure_curve(split_fit)


def test_lines_of_authorities_bend_too():
    """On a logarithmic axis a line of the example is straight, that of the bent fit is not."""
    bends = []
    for fit in (example_fit(), bent_example_fit()):
        x, y = authority_lines(fit, ax=Figure().subplots()).lines[0].get_data()
        log_rate, along = np.log(y), np.asarray(x)
        straight = np.polyval(np.polyfit(along, log_rate, 1), along)
        bends.append(np.abs(log_rate - straight).max())
    # Medians over draws bend a little by themselves.
    assert bends[0] < 0.01
    assert bends[1] > 0.1
