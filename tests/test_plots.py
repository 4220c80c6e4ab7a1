"""Figures show what the estimands say, in the reader's units."""

import sys
from collections.abc import Callable

import matplotlib
import numpy as np
import pytest
import xarray as xr
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.collections import FillBetweenPolyCollection, LineCollection
from matplotlib.figure import Figure

from socgrad.errors import EstimandError, SocgradError
from socgrad.estimands.contextual import inverse_intervention
from socgrad.estimands.gradients import gradient
from socgrad.estimands.rates import expected_rate
from socgrad.plots import (
    authority_lines,
    caterpillar,
    gradient_funnel,
    gradient_ladder,
    gradients_by_deprivation,
    inverse_intervention_curve,
    inverse_intervention_lines,
    rate_bars,
)
from socgrad.plots.style import STYLE
from socgrad.ranks import weighted_quantile
from socgrad.reading.geography import geography

type View = Callable[..., Axes]

# The estimands warn where no authority has the mean asked for; the six of this fit leave gaps.
EXTRAPOLATED = pytest.mark.filterwarnings("ignore::socgrad.errors.SupportWarning")


def fitted_bars(fit: xr.DataTree, **options: Axes) -> Axes:
    """Draw bars of a fit without events."""
    return rate_bars(fit, observed=False, **options)


def caterpillar_of_gradients(fit: xr.DataTree, ax: Axes | None = None) -> Axes:
    """Draw the gradients of all authorities on one panel."""
    return caterpillar(gradient(fit, target="each"), ax=ax).axes[0]


def ladder_of_one(fit: xr.DataTree, **options: Axes) -> Axes:
    """Draw a ladder of one stage."""
    return gradient_ladder({"Plans": fit}, **options)


VIEWS = (
    authority_lines,
    caterpillar_of_gradients,
    fitted_bars,
    gradient_funnel,
    gradients_by_deprivation,
    inverse_intervention_curve,
    inverse_intervention_lines,
    ladder_of_one,
)


@pytest.fixture
def ax() -> Axes:
    """Make axes outside pyplot, which nobody has to close."""
    return Figure().subplots()


def band_edges(ax: Axes, position: int) -> tuple[np.ndarray, np.ndarray]:
    """Give lower and upper edge of a band, in the order of x."""
    bands = [c for c in ax.collections if isinstance(c, FillBetweenPolyCollection)]
    vertices = bands[position].get_paths()[0].vertices
    xs = np.unique(vertices[:, 0])
    edges = [vertices[vertices[:, 0] == x, 1] for x in xs]
    return np.array([e.min() for e in edges]), np.array([e.max() for e in edges])


@EXTRAPOLATED
def test_group_lines_are_expected_rates_of_median_authorities(
    split_fit: xr.DataTree, ax: Axes
) -> None:
    """A line is the median of `expected_rate` at the median mean of its group of authorities."""
    inverse_intervention_lines(split_fit, groups=3, ax=ax)
    # Six authorities in order of deprivation: thirds of two. In each, the second authority has a
    # few more children (35,130 against 34,800; 35,170 against 34,840; 34,900 against 34,880), so
    # half the third's children are reached in it alone: its mean is the weighted median.
    means = np.sort(geography(split_fit).authority_mean.to_numpy())[[1, 3, 5]]
    for line, mean in zip(ax.lines, means, strict=True):
        x = line.get_xdata() / 100
        rate = expected_rate(split_fit, deprivation=x, authority_mean=mean)
        np.testing.assert_allclose(line.get_ydata(), rate.median(("chain", "draw"))[0], rtol=1e-12)


def test_group_lines_end_where_the_middle_of_their_children_lives(
    split_fit: xr.DataTree, ax: Axes
) -> None:
    """A line runs from the 5th to the 95th percentile of its own group's neighbourhoods."""
    inverse_intervention_lines(split_fit, groups=2, ax=ax)
    land = geography(split_fit)
    affluent = np.isin(land.authority_of_area, np.argsort(land.authority_mean.to_numpy())[:3])
    for line, among in zip(ax.lines, (affluent, ~affluent), strict=True):
        ends = weighted_quantile(land.deprivation[among], land.children[among], (0.05, 0.95))
        np.testing.assert_allclose(line.get_xdata()[[0, -1]], 100 * ends)


def test_distance_of_group_lines_is_the_inverse_intervention_ratio(
    fixed_fit: Callable[[dict[str, float]], xr.DataTree], ax: Axes
) -> None:
    """Where parameters are certain, two lines lie apart by the ratio at equal deprivation."""
    values = {"intercept": -5.0, "within": 0.5, "between": 0.3, "cross_level": -0.05}
    fit = fixed_fit(values)
    inverse_intervention_lines(fit, groups=2, ax=ax)
    first, second = ax.lines
    means = np.sort(geography(fit).authority_mean.to_numpy())
    # Each half has three authorities of equal children: the second is the weighted median.
    ratio = inverse_intervention(fit, deprivation=0.2, authority_means=(means[1], means[4]))
    at = [
        np.exp(np.interp(20.0, line.get_xdata(), np.log(line.get_ydata())))
        for line in (first, second)
    ]
    np.testing.assert_allclose(at[1] / at[0], ratio.mean(), rtol=1e-12)


def test_bands_hold_the_probability_asked_for(split_fit: xr.DataTree) -> None:
    """A band's edges are the tails of the draws, and a lower probability gives a narrower band."""
    axes = Figure().subplots(1, 2)
    widths = []
    for panel, prob in zip(axes, (0.95, 0.5), strict=True):
        inverse_intervention_lines(split_fit, prob=prob, ax=panel)
        low, high = band_edges(panel, 0)
        mean = np.sort(geography(split_fit).authority_mean.to_numpy())[1]  # as above
        x = panel.lines[0].get_xdata() / 100
        rate = expected_rate(split_fit, deprivation=x, authority_mean=mean)[:, :, 0]
        tails = rate.quantile([(1 - prob) / 2, (1 + prob) / 2], ("chain", "draw")).to_numpy()
        np.testing.assert_allclose([low, high], tails, rtol=1e-12)
        widths.append(high - low)
        assert f"{100 * prob:g}% interval" in panel.get_legend().get_title().get_text()
    assert (widths[1] < widths[0]).all()


@pytest.mark.parametrize("groups", [2, 3, 5])
def test_groups_are_named_from_affluent_to_deprived(
    split_fit: xr.DataTree, ax: Axes, groups: int
) -> None:
    """The key names one line per group, with its percentage, in words."""
    inverse_intervention_lines(split_fit, groups=groups, ax=ax)
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert len(names) == len(ax.lines) == groups
    assert "affluent" in names[0]
    assert "deprived" in names[-1]
    # The least deprived authorities have means 15.3% and 16.6%; half of 2 groups, as a third, has
    # its median at the second, a fifth holds the first alone.
    assert f"(median authority: {15 if groups == 5 else 17}%)" in names[0]


@EXTRAPOLATED
def test_own_lines_are_medians_of_own_rates(split_fit: xr.DataTree, ax: Axes) -> None:
    """Each authority has the median of its own expected rate, over its own neighbourhoods."""
    authority_lines(split_fit, ax=ax)
    land = geography(split_fit)
    assert len(ax.lines) == 6
    for position, line in enumerate(ax.lines):
        among = land.authority_of_area == position
        ends = weighted_quantile(land.deprivation[among], land.children[among], (0.05, 0.95))
        np.testing.assert_allclose(line.get_xdata()[[0, -1]], 100 * ends)
        rate = expected_rate(split_fit, deprivation=line.get_xdata() / 100, target="each")
        median = rate.isel(authority=position).median(("chain", "draw"))
        np.testing.assert_allclose(line.get_ydata(), median, rtol=1e-12)


def test_own_lines_are_coloured_by_the_authority_mean(split_fit: xr.DataTree, ax: Axes) -> None:
    """The most affluent authority is blue, the most deprived vermilion, and a bar says so."""
    authority_lines(split_fit, ax=ax)
    means = geography(split_fit).authority_mean.to_numpy()
    colour = [matplotlib.colors.to_hex(line.get_color()) for line in ax.lines]
    assert colour[int(means.argmin())] == "#0072b2"
    assert colour[int(means.argmax())] == "#d55e00"
    bar = ax.figure.axes[1]
    assert bar.get_ylabel() == "Deprivation in the authority (%)"
    np.testing.assert_allclose(bar.get_ylim(), (100 * means.min(), 100 * means.max()))


def test_points_are_medians_of_own_gradients(split_fit: xr.DataTree, ax: Axes) -> None:
    """Each authority has its median gradient at its mean deprivation, with its interval."""
    gradients_by_deprivation(split_fit, ax=ax)
    own = gradient(split_fit, target="each")
    dots = ax.lines[0]
    np.testing.assert_allclose(
        dots.get_xdata(), 100 * geography(split_fit).authority_mean.to_numpy()
    )
    np.testing.assert_allclose(dots.get_ydata(), own.median(("chain", "draw")))
    (bars,) = (c for c in ax.collections if isinstance(c, LineCollection))
    drawn = np.array([segment[:, 1] for segment in bars.get_segments()])
    np.testing.assert_allclose(drawn.T, own.quantile([0.025, 0.975], ("chain", "draw")))


@EXTRAPOLATED
def test_line_is_the_gradient_of_average_authorities(split_fit: xr.DataTree, ax: Axes) -> None:
    """The model's line is the median gradient at each authority mean, within its band."""
    gradients_by_deprivation(split_fit, prob=0.8, ax=ax)
    line = ax.lines[1]
    model = gradient(split_fit, authority_mean=line.get_xdata() / 100)
    np.testing.assert_allclose(line.get_ydata(), model.median(("chain", "draw")), rtol=1e-12)
    tails = model.quantile([0.1, 0.9], ("chain", "draw"))
    np.testing.assert_allclose(band_edges(ax, 0), tails, rtol=1e-12)


def test_line_is_flat_without_a_cross_level_term(parallel_fit: xr.DataTree, ax: Axes) -> None:
    """Without a cross-level term the average gradient is the same everywhere."""
    gradients_by_deprivation(parallel_fit, ax=ax)
    assert np.ptp(ax.lines[1].get_ydata()) == 0
    assert ax.lines[1].get_ydata()[0] == pytest.approx(gradient(parallel_fit).median().item())


def test_axes_speak_the_readers_units(split_fit: xr.DataTree) -> None:
    """Percentages, events per 10,000, rate ratios per 10 points; on log scales."""
    first, second, third = Figure().subplots(1, 3)
    inverse_intervention_lines(split_fit, ax=first)
    authority_lines(split_fit, events="Plans", exposure="referrals", ax=second)
    gradients_by_deprivation(split_fit, ax=third)
    # A library that reads any deprivation and any exposure does not say which they are.
    assert first.get_xlabel() == second.get_xlabel() == "Deprivation in the neighbourhood (%)"
    assert third.get_xlabel() == "Deprivation in the authority (%)"
    assert first.get_ylabel() == "Events per 10,000"
    assert second.get_ylabel() == "Plans per 10,000 referrals"
    assert third.get_ylabel() == "Gradient: rate ratio per 10 points of\nneighbourhood deprivation"
    for panel in (first, second, third):
        assert panel.get_yscale() == "log"
        low, high = panel.get_ylim()
        ticks = [t for t in panel.yaxis.get_major_locator()() if low <= t <= high]
        assert len(ticks) >= 3


def test_axes_speak_the_callers_words(split_fit: xr.DataTree) -> None:
    """What deprivation is, what is counted and what it is counted per are the caller's to say."""
    poor = "Children in low-income families"
    first, second, third = Figure().subplots(1, 3)
    inverse_intervention_lines(split_fit, deprivation=poor, exposure="children", ax=first)
    authority_lines(split_fit, deprivation=poor, ax=second)
    gradients_by_deprivation(split_fit, deprivation=poor, ax=third)
    assert first.get_xlabel() == second.get_xlabel() == f"{poor} in the neighbourhood (%)"
    assert (
        third.get_xlabel() == second.figure.axes[3].get_ylabel() == f"{poor} in the authority (%)"
    )
    assert first.get_ylabel() == "Events per 10,000 children"


@pytest.mark.parametrize("view", VIEWS)
def test_settings_of_matplotlib_stay_as_they_were(
    split_fit: xr.DataTree, ax: Axes, view: View
) -> None:
    """A view returns the axes it was given and edits no global setting."""
    before = dict(matplotlib.rcParams)
    assert view(split_fit, ax=ax) is ax
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize("view", VIEWS)
def test_new_axes_are_made_where_none_are_given(split_fit: xr.DataTree, view: View) -> None:
    """Without `ax` each call draws on a figure of its own, which pyplot shows."""
    pyplot.switch_backend("agg")
    try:
        first, second = view(split_fit), view(split_fit)
        assert first.figure is not second.figure
        assert second.figure.number in pyplot.get_fignums()
    finally:
        pyplot.close("all")


@pytest.mark.parametrize("view", VIEWS)
def test_missing_matplotlib_names_the_extra(
    split_fit: xr.DataTree, view: View, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without matplotlib the message says what to install."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(SocgradError, match=r"extra 'plots': pip install 'socgrad\[plots\]'"):
        view(split_fit)


def test_views_refuse_models_without_their_terms(
    pooled_fit: xr.DataTree, null_fit: xr.DataTree, ax: Axes
) -> None:
    """A pooled model has no inverse intervention effect to draw, a null model no lines."""
    with pytest.raises(EstimandError, match="inverse_intervention_lines is not defined for a poo"):
        inverse_intervention_lines(pooled_fit, ax=ax)
    with pytest.raises(EstimandError, match="gradients_by_deprivation is not defined for a pooled"):
        gradients_by_deprivation(pooled_fit, ax=ax)
    with pytest.raises(EstimandError, match="authority_lines is not defined for a null model"):
        authority_lines(null_fit, ax=ax)


def test_options_out_of_range_are_refused(split_fit: xr.DataTree, ax: Axes) -> None:
    """Other numbers of groups, and probabilities that are percentages, are refused."""
    with pytest.raises(EstimandError, match="groups is 4; expected 2, 3 or 5"):
        inverse_intervention_lines(split_fit, groups=4, ax=ax)
    for view in (inverse_intervention_lines, gradients_by_deprivation):
        with pytest.raises(EstimandError, match="prob is 95; expected a probability"):
            view(split_fit, prob=95, ax=ax)


@pytest.mark.parametrize("groups", [2, 5, None])
def test_nothing_is_drawn_under_the_key(split_fit: xr.DataTree, groups: int | None) -> None:
    """The key stands above every band and interval, on figures of the usual size."""
    ax = Figure(figsize=STYLE.size, layout="constrained").subplots()
    if groups is None:
        gradients_by_deprivation(split_fit, ax=ax)
    else:
        inverse_intervention_lines(split_fit, groups=groups, ax=ax)
    ax.figure.canvas.draw()
    highest = max(path.vertices[:, 1].max() for c in ax.collections for path in c.get_paths())
    key = ax.get_legend().get_window_extent().y0
    assert ax.transData.transform((0, highest))[1] < key


def test_group_lines_run_from_blue_to_vermilion(split_fit: xr.DataTree, ax: Axes) -> None:
    """Affluent authorities are blue and deprived ones vermilion, in the band as in the line."""
    inverse_intervention_lines(split_fit, ax=ax)
    lines = [matplotlib.colors.to_hex(line.get_color()) for line in ax.lines]
    assert (lines[0], lines[-1]) == ("#0072b2", "#d55e00")
    bands = [matplotlib.colors.to_hex(band.get_facecolor()[0]) for band in ax.collections]
    assert bands == lines
