"""Bars, curves, points and funnels show the numbers of their estimands."""

import matplotlib
import numpy as np
import pytest
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import FillBetweenPolyCollection, LineCollection
from matplotlib.figure import Figure
from scipy.stats import norm

from socgrad.errors import EstimandError, SchemaError
from socgrad.estimands.contextual import inverse_intervention
from socgrad.estimands.group_rates import rate_by_group
from socgrad.estimands.observed_rates import observed_rate_by_group
from socgrad.estimands.rates import expected_rate
from socgrad.plots import (
    authority_curve,
    gradient_funnel,
    inverse_intervention_curve,
    inverse_intervention_lines,
    rate_bars,
)
from socgrad.plots.style import STYLE
from socgrad.ranks import weighted_quantile
from socgrad.reading.example import example_fit, example_fit_of_stages
from socgrad.reading.geography import geography
from socgrad.reading.support import areas_near_mean, count_near

EXTRAPOLATED = pytest.mark.filterwarnings("ignore::socgrad.errors.SupportWarning")


@pytest.fixture
def ax() -> Axes:
    """Make axes outside pyplot, which nobody has to close."""
    return Figure(layout="constrained").subplots()


@pytest.fixture(scope="module")
def counted() -> xr.DataTree:
    """Make a fit with a count for every area."""
    return example_fit(events=True)


def whiskers(ax: Axes) -> list[np.ndarray]:
    """Ends of the intervals, one array (bars, ends) for each set."""
    sets = [c for c in ax.collections if isinstance(c, LineCollection)]
    return [np.array(lines.get_segments())[:, :, 1] for lines in sets]


def test_bars_are_observed_rates_and_points_fitted(counted: xr.DataTree, ax: Axes) -> None:
    """Heights, points and whiskers are those of the two estimands."""
    rate_bars(counted, prob=0.9, events="Plans", exposure="children", ax=ax)
    observed = observed_rate_by_group(counted, prob=0.9)
    fitted = rate_by_group(counted, areas="counted")
    np.testing.assert_allclose([bar.get_height() for bar in ax.patches], observed["rate"])
    np.testing.assert_allclose(ax.lines[0].get_ydata(), fitted.median(("chain", "draw")))
    bars, points = whiskers(ax)
    np.testing.assert_allclose(bars, observed[["lower", "upper"]])
    np.testing.assert_allclose(points.T, fitted.quantile([0.05, 0.95], ("chain", "draw")))
    assert ax.get_ylabel() == "Plans per 10,000 children"
    assert ax.get_xlabel() == "Tenths of all children by neighbourhood deprivation"
    assert ax.get_ylim()[0] == 0
    key = [text.get_text() for text in ax.get_legend().get_texts()]
    assert key == ["Observed rate, 90% interval", "Fitted rate, 90% interval"]
    labels = [text.get_text() for text in ax.get_xticklabels()]
    assert labels[0] == "1\nleast deprived"
    assert labels[-1] == "10\nmost deprived"


def test_bars_without_events_are_fitted_rates(split_fit: xr.DataTree, ax: Axes) -> None:
    """A fit without events refuses observed bars, and draws fitted ones where asked to."""
    with pytest.raises(EstimandError, match="needs the observed events"):
        rate_bars(split_fit, ax=ax)
    rate_bars(split_fit, groups=7, observed=False, ax=ax)
    fitted = rate_by_group(split_fit, groups=7)
    np.testing.assert_allclose(
        [bar.get_height() for bar in ax.patches], fitted.median(("chain", "draw"))
    )
    (bars,) = whiskers(ax)
    np.testing.assert_allclose(bars.T, fitted.quantile([0.025, 0.975], ("chain", "draw")))
    assert ax.get_xlabel().startswith("Groups of all children")


def test_bars_of_several_strata_are_refused(ax: Axes) -> None:
    """They would lie upon each other: the message says how to choose one."""
    with pytest.raises(SchemaError, match=r"Choose it: socgrad\.stratum\(fit, label\)"):
        rate_bars(example_fit_of_stages(), observed=False, ax=ax)


@EXTRAPOLATED
def test_the_curve_is_the_inverse_intervention_ratio(split_fit: xr.DataTree, ax: Axes) -> None:
    """Line and band are median and tails of the estimand, by default at P90 over P10."""
    inverse_intervention_curve(split_fit, prob=0.8, ax=ax)
    _, line = ax.lines
    x = line.get_xdata() / 100
    ratio = inverse_intervention(split_fit, deprivation=x, authority_quantiles=(0.1, 0.9))
    np.testing.assert_allclose(line.get_ydata(), ratio.median(("chain", "draw")), rtol=1e-12)
    band = [c for c in ax.collections if isinstance(c, FillBetweenPolyCollection)][1]
    vertices = band.get_paths()[0].vertices
    tails = ratio.quantile([0.1, 0.9], ("chain", "draw")).to_numpy()
    assert vertices[:, 1].min() == pytest.approx(tails.min())
    assert vertices[:, 1].max() == pytest.approx(tails.max())
    land = geography(split_fit)
    ends = weighted_quantile(land.deprivation, land.children, (0.01, 0.99))
    np.testing.assert_allclose(x[[0, -1]], ends)
    assert ax.lines[0].get_ydata() == [1, 1]


def test_shading_is_where_both_sides_have_neighbourhoods(
    split_fit: xr.DataTree, change_fit, ax: Axes
) -> None:
    """Outside it one of the two has fewer than 10 within a quarter step."""

    def no_poor_areas_in_affluent_ones(data: xr.Dataset) -> xr.Dataset:
        affluent = data["authority_of_area"].isin([0, 1]) & (data["deprivation"] > 0.2)
        return data.assign(has_data=data["has_data"].where(~affluent, 0))

    fit = change_fit(split_fit, constants=no_poor_areas_in_affluent_ones)
    land = geography(fit)
    means = np.sort(land.authority_mean.to_numpy())[[0, 5]]
    inverse_intervention_curve(fit, authority_means=tuple(means), ax=ax)
    shade = next(c for c in ax.collections if isinstance(c, FillBetweenPolyCollection))
    xs = np.concatenate([path.vertices[:, 0] for path in shade.get_paths()])
    x = ax.lines[1].get_xdata()
    both = np.minimum(*(count_near(land, areas_near_mean(land, m), x / 100) for m in means)) >= 10
    assert both.any()
    assert not both.all()
    assert (xs.min(), xs.max()) == (x[both].min(), x[both].max())
    assert xs.max() < 24  # the last area with data is at 20%, a quarter step is 2.5 points
    assert ax.get_ylabel().endswith(f"{100 * means[1]:.0f}% over {100 * means[0]:.0f}%")


def test_a_curve_without_cross_level_term_is_flat(parallel_fit: xr.DataTree, ax: Axes) -> None:
    """Two named authorities at equal effects: one ratio everywhere, and the axis names them."""
    inverse_intervention_curve(parallel_fit, authorities=("Ashby", "Farleigh"), ax=ax)
    assert np.ptp(ax.lines[1].get_ydata()) < 1e-14  # rounding
    assert ax.get_ylabel().endswith("authority Farleigh over Ashby")


def test_a_pooled_model_has_no_curve(pooled_fit: xr.DataTree, ax: Axes) -> None:
    """Equal rates are assumed there, not found."""
    with pytest.raises(EstimandError, match="inverse_intervention_curve is not defined for a pool"):
        inverse_intervention_curve(pooled_fit, ax=ax)


@EXTRAPOLATED
def test_integrated_lines_are_integrated_rates(split_fit: xr.DataTree, ax: Axes) -> None:
    """The lines of a group can be those of the mean of its kind of authority."""
    inverse_intervention_lines(split_fit, groups=3, rates="integrated", ax=ax)
    means = np.sort(geography(split_fit).authority_mean.to_numpy())[[1, 3, 5]]  # see test_plots
    for line, mean in zip(ax.lines, means, strict=True):
        x = line.get_xdata() / 100
        rate = expected_rate(split_fit, deprivation=x, authority_mean=mean, target="integrated")
        np.testing.assert_allclose(line.get_ydata(), rate.median(("chain", "draw"))[0], rtol=1e-12)


def test_points_over_the_lines_are_observed_rates(counted: xr.DataTree, ax: Axes) -> None:
    """Each group of authorities has its own tenths, where 10 neighbourhoods or more back them."""
    inverse_intervention_lines(counted, groups=2, observed=10, prob=0.9, ax=ax)
    table = observed_rate_by_group(counted, authority_groups=2, prob=0.9)
    kept = table[table["areas"] >= 10]
    assert 0 < len(kept) < len(table)
    points = [line for line in ax.lines if line.get_marker() == "o"]
    sets = whiskers(ax)
    for own, (line, ends) in enumerate(zip(points, sets, strict=True), start=1):
        cells = kept[kept["authority_group"] == own]
        np.testing.assert_allclose(line.get_ydata(), cells["rate"])
        np.testing.assert_allclose(line.get_xdata(), 100 * cells["deprivation"])
        np.testing.assert_allclose(ends, cells[["lower", "upper"]])
    title = ax.get_legend().get_title().get_text()
    assert title.endswith("points: observed rates with theirs")
    assert matplotlib.colors.to_hex(points[0].get_color()) == STYLE.affluent.lower()


@EXTRAPOLATED
def test_one_authority_beside_the_average_of_its_mean(counted: xr.DataTree, ax: Axes) -> None:
    """Its own line, that of an average authority as deprived, and its own groups as points."""
    authority_curve(counted, authority="Corham", observed=5, name="Corham County", ax=ax)
    average, own, points = ax.lines
    x = own.get_xdata() / 100
    each = expected_rate(counted, deprivation=x, target="each").sel(authority="Corham")
    np.testing.assert_allclose(own.get_ydata(), each.median(("chain", "draw")))
    mean = float(geography(counted).authority_mean.sel(authority="Corham"))
    usual = expected_rate(counted, deprivation=x, authority_mean=mean)
    np.testing.assert_allclose(average.get_ydata(), usual.median(("chain", "draw"))[0])
    table = observed_rate_by_group(counted, groups=5, authority="Corham")
    np.testing.assert_allclose(points.get_ydata(), table["rate"])
    np.testing.assert_allclose(whiskers(ax)[0], table[["lower", "upper"]])
    key = [text.get_text() for text in ax.get_legend().get_texts()]
    assert key == [f"Average authority as deprived ({100 * mean:.0f}%)", "Corham County"]
    assert ax.get_yscale() == "log"


def test_an_authority_that_is_not_there_has_no_line(
    split_fit: xr.DataTree, null_fit: xr.DataTree, ax: Axes
) -> None:
    """A misspelt label, a model without deprivation, points without events."""
    with pytest.raises(EstimandError, match="No authority 'Asby' in this fit"):
        authority_curve(split_fit, authority="Asby", ax=ax)
    with pytest.raises(EstimandError, match="authority_curve is not defined for a null model"):
        authority_curve(null_fit, authority="Ashby", ax=ax)
    with pytest.raises(EstimandError, match="needs the observed events"):
        authority_curve(split_fit, authority="Ashby", observed=5, ax=ax)


def test_thin_cells_have_no_point(counted: xr.DataTree, ax: Axes) -> None:
    """Of 50 cells of 600 areas some have fewer than 10 neighbourhoods: left out."""
    inverse_intervention_lines(counted, groups=5, observed=10, ax=ax)
    table = observed_rate_by_group(counted, authority_groups=5)
    kept = table[(table["areas"] >= 10) & (table["events"] > 0)]
    drawn = sum(len(line.get_xdata()) for line in ax.lines if line.get_marker() == "o")
    assert 0 < drawn == len(kept) < len(table)


def test_points_need_events(split_fit: xr.DataTree, ax: Axes) -> None:
    """Without events there is nothing to set over the lines; a misspelt option is refused."""
    with pytest.raises(EstimandError, match="observed_rate_by_group needs the observed events"):
        inverse_intervention_lines(split_fit, observed=10, ax=ax)
    with pytest.raises(EstimandError, match="rates is 'mean'; expected 'average' or 'integrated'"):
        inverse_intervention_lines(split_fit, rates="mean", ax=ax)


def test_the_funnel_is_of_slope_effects(split_fit: xr.DataTree, ax: Axes) -> None:
    """Points are medians of exp(slope effect) over 1 / SD, coloured by their probability."""
    gradient_funnel(split_fit, prob=0.9, ax=ax)
    effect = split_fit["posterior"]["slope_effect"]
    ratio = np.exp(effect).median(("chain", "draw")).to_numpy()
    precision = 1 / effect.std(("chain", "draw"), ddof=1).to_numpy()
    share = (effect > 0).mean(("chain", "draw")).to_numpy()
    steeper, flatter, unsure = (line for line in ax.lines if line.get_marker() == "o")
    among = (share > 0.95, share < 0.05, (share <= 0.95) & (share >= 0.05))
    assert all(part.any() for part in among)
    for line, part in zip((steeper, flatter, unsure), among, strict=True):
        np.testing.assert_allclose(line.get_ydata(), ratio[part])
        np.testing.assert_allclose(line.get_xdata(), precision[part])
    assert steeper.get_color() == STYLE.deprived
    # The limits are those of a normal posterior about 1.
    lower, upper = ax.lines[:2]
    np.testing.assert_allclose(upper.get_ydata(), np.exp(norm.ppf(0.95) / upper.get_xdata()))
    np.testing.assert_allclose(lower.get_ydata() * upper.get_ydata(), 1)


def test_the_funnel_names_those_furthest_out(split_fit: xr.DataTree, ax: Axes) -> None:
    """Only authorities that differ surely are named, in the caller's words."""
    gradient_funnel(split_fit, names={"Corham": "Corham County"}, ax=ax)
    effect = split_fit["posterior"]["slope_effect"]
    share = (effect > 0).mean(("chain", "draw")).to_numpy()
    sure = {
        name
        for name, p in zip(effect["authority"].to_numpy(), share, strict=True)
        if not 0.025 <= p <= 0.975
    }
    named = {text.get_text() for text in ax.texts}
    assert "Corham County" in named
    assert named - {"Corham County"} <= sure - {"Corham"}


def test_the_funnel_needs_random_slopes(
    no_slopes_fit: xr.DataTree, null_fit: xr.DataTree, ax: Axes
) -> None:
    """Without slopes that differ there is nothing to show."""
    with pytest.raises(EstimandError, match="this model has no random slopes"):
        gradient_funnel(no_slopes_fit, ax=ax)
    with pytest.raises(EstimandError, match="gradient_funnel is not defined for a null model"):
        gradient_funnel(null_fit, ax=ax)


def emptied(counted: xr.DataTree) -> xr.DataTree:
    """The fit whose 150 least deprived areas have no events."""
    groups = {name: node.to_dataset() for name, node in counted.children.items()}
    data = groups["constant_data"]
    few = np.argsort(data["deprivation"].to_numpy(), kind="stable")[:150]
    events = groups["observed_data"]["events"].to_numpy().copy()
    events[np.isin(groups["observed_data"]["counted_area"], data["area"].to_numpy()[few])] = 0
    groups["observed_data"] = groups["observed_data"].assign(events=("counted_area", events))
    tree = xr.DataTree.from_dict(groups)
    tree.attrs = dict(counted.attrs)
    return tree


@EXTRAPOLATED
def test_groups_without_events_are_upper_limits(counted: xr.DataTree, ax: Axes) -> None:
    """On a logarithmic axis they are triangles at their upper limits, and the key counts them."""
    fit = emptied(counted)
    authority_curve(fit, authority="Denwick", observed=20, ax=ax)
    table = observed_rate_by_group(fit, groups=20, authority="Denwick")
    table = table[table["areas"] > 0]
    none = table[table["events"] == 0]
    assert len(none) >= 2
    (triangles,) = (line for line in ax.lines if line.get_marker() == "v" and len(line.get_xdata()))
    np.testing.assert_allclose(triangles.get_xdata(), 100 * none["deprivation"])
    np.testing.assert_allclose(triangles.get_ydata(), none["upper"])
    assert (none["upper"] > 0).all()
    (points,) = (line for line in ax.lines if line.get_marker() == "o")
    assert len(points.get_xdata()) == len(table) - len(none)
    key = [text.get_text() for text in ax.get_legend().get_texts()]
    assert key[-1] == f"No events in {len(none)} of {len(table)} groups: upper limit"


@EXTRAPOLATED
def test_lines_of_groups_of_authorities_count_them_too(counted: xr.DataTree, ax: Axes) -> None:
    """Over all lines one entry of the key says how many groups have no events."""
    fit = emptied(counted)
    inverse_intervention_lines(fit, groups=2, observed=10, ax=ax)
    table = observed_rate_by_group(fit, groups=10, authority_groups=2)
    table = table[table["areas"] >= 10]
    none = table[table["events"] == 0]
    assert len(none) >= 2
    drawn = [y for line in ax.lines if line.get_marker() == "v" for y in line.get_ydata()]
    np.testing.assert_allclose(sorted(drawn), sorted(none["upper"]))
    key = [text.get_text() for text in ax.get_legend().get_texts()]
    assert key[-1] == f"No events in {len(none)} of {len(table)} groups: upper limit"
