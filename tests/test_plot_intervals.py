"""Rows and rungs show the numbers of their estimand, and colours what they claim."""

import itertools

import matplotlib
import numpy as np
import pytest
import xarray as xr
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from socgrad.errors import EstimandError
from socgrad.estimands.authority_ranks import authority_ranks
from socgrad.estimands.gradients import gradient
from socgrad.estimands.inequality import sii
from socgrad.estimands.rates import expected_rate
from socgrad.plots import caterpillar, gradient_ladder
from socgrad.plots.style import STYLE
from socgrad.ranks import weighted_quantile
from socgrad.reading.by_stratum import stratum
from socgrad.reading.example import example_fit_of_stages
from socgrad.reading.geography import geography
from socgrad.reading.labels import label_draws


@pytest.fixture
def ax() -> Axes:
    """Make axes outside pyplot, which nobody has to close."""
    return Figure(layout="constrained").subplots()


def many(rows: int, *, spread: float = 0.3, sd: float = 0.1) -> xr.DataArray:
    """Make draws of a ratio for many authorities."""
    rng = np.random.default_rng(4)
    centre = spread * rng.standard_normal(rows)
    draws = np.exp(centre + sd * rng.standard_normal((2, 100, rows)))
    array = xr.DataArray(
        draws,
        dims=("chain", "draw", "authority"),
        coords={"authority": [f"LA {k}" for k in range(rows)]},
    )
    return label_draws(array, estimand="ratio", units="ratio", reference="average", null=1.0)


def segments(ax: Axes) -> np.ndarray:
    """Ends of the intervals from top to bottom (or left to right)."""
    (lines,) = (c for c in ax.collections if isinstance(c, LineCollection))
    return np.array(lines.get_segments())


def names(ax: Axes) -> list[str]:
    """Names of the rows from top to bottom."""
    return [text.get_text() for text in ax.get_yticklabels()]


def test_rows_are_medians_and_intervals(split_fit: xr.DataTree, ax: Axes) -> None:
    """Each name stands beside its own median and interval, the largest at the top."""
    own = gradient(split_fit, target="each")
    caterpillar(own, prob=0.8, ax=ax)
    median = own.median(("chain", "draw"))
    order = np.argsort(-median.to_numpy())
    assert names(ax) == own["authority"].to_numpy()[order].tolist()
    (dots,) = (c for c in ax.collections if not isinstance(c, LineCollection))
    np.testing.assert_allclose(dots.get_offsets()[:, 0], median[order])
    tails = own.quantile([0.1, 0.9], ("chain", "draw"))[:, order]
    np.testing.assert_allclose(segments(ax)[:, :, 0].T, tails)
    low, high = ax.get_ylim()
    assert low > high  # the first row is the upper one
    assert ax.get_xlabel().replace("\n", " ") == own.attrs["units"]
    assert ax.get_xscale() == "log"


def test_given_order_and_names(split_fit: xr.DataTree, ax: Axes) -> None:
    """Rows can stay in the order of the draws, and labels have words."""
    own = gradient(split_fit, target="each")
    caterpillar(own, order="given", names={"Ashby": "City of Ashby"}, label="Gradient", ax=ax)
    assert names(ax) == ["City of Ashby", *own["authority"].to_numpy().tolist()[1:]]
    assert ax.get_xlabel() == "Gradient"


def test_ranks_begin_with_the_first(split_fit: xr.DataTree, ax: Axes) -> None:
    """Of ranks the smallest stands at the top, on a linear axis and against nothing."""
    ranks = authority_ranks(split_fit, top=2)["gradient_rank"]
    caterpillar(ranks, order="smallest", ax=ax)
    median = ranks.median(("chain", "draw"))
    assert (
        names(ax)[0] == median["authority"].to_numpy()[int(median.to_numpy().argmin())] == "Ashby"
    )
    (dots,) = (c for c in ax.collections if not isinstance(c, LineCollection))
    assert (np.diff(dots.get_offsets()[:, 0]) >= 0).all()
    assert ax.get_xscale() == "linear"


def test_differences_are_held_against_zero(split_fit: xr.DataTree, ax: Axes) -> None:
    """The slope index of every authority lies above zero here, and the axis has its units."""
    index = sii(split_fit, by="authority")
    caterpillar(index, reference=0, ax=ax)
    assert ax.get_xscale() == "linear"
    assert ax.lines[0].get_xdata()[0] == 0
    (dots,) = (c for c in ax.collections if not isinstance(c, LineCollection))
    np.testing.assert_allclose(
        dots.get_offsets()[:, 0], np.sort(index.median(("chain", "draw")))[::-1]
    )
    found = {matplotlib.colors.to_hex(colour).upper() for colour in dots.get_facecolors()}
    assert found == {STYLE.deprived}


def test_authorities_are_held_to_their_own_average_by_default(
    split_fit: xr.DataTree, ax: Axes
) -> None:
    """Every gradient lies surely above 1: what differs is who lies above the average of them."""
    own = gradient(split_fit, target="each")
    caterpillar(own, order="given", ax=ax)
    average = np.exp(np.log(own).mean("authority"))
    share = (own > average).mean(("chain", "draw")).to_numpy()
    expected = np.where(share > 0.975, STYLE.deprived, STYLE.quiet)
    expected = np.where(share < 0.025, STYLE.affluent, expected)
    assert len(set(expected)) > 1
    (dots,) = (c for c in ax.collections if not isinstance(c, LineCollection))
    found = [matplotlib.colors.to_hex(colour).upper() for colour in dots.get_facecolors()]
    assert found == [colour.upper() for colour in expected]
    assert ax.lines[0].get_xdata()[0] == pytest.approx(float(average.median()))
    key = [text.get_text() for text in ax.figure.legends[0].get_texts()]
    assert key[0] == "above the average of those shown, Pr > 0.975"


def test_differences_are_held_to_their_mean_by_default(split_fit: xr.DataTree, ax: Axes) -> None:
    """The average of differences is their mean, not that of ratios."""
    index = sii(split_fit, by="authority")
    caterpillar(index, ax=ax)
    assert ax.lines[0].get_xdata()[0] == pytest.approx(float(index.mean("authority").median()))


def test_colours_say_what_is_sure(ax: Axes) -> None:
    """A row is coloured where the draws lie on one side of the reference, draw by draw."""
    draws = many(40)
    # The reference moves with every draw: only the draw-by-draw comparison sees the difference.
    shift = np.exp(np.random.default_rng(9).standard_normal((2, 100, 1)))
    moved = label_draws(draws * shift, estimand="r", units="r", reference="r", null=1.0)
    reference = xr.DataArray(shift[..., 0], dims=("chain", "draw"))
    caterpillar(moved, reference=reference, order="given", prob=0.9, ax=ax)
    share = (draws > 1).mean(("chain", "draw")).to_numpy()
    expected = np.where(share > 0.95, STYLE.deprived, STYLE.quiet)
    expected = np.where(share < 0.05, STYLE.affluent, expected)
    assert len(set(expected)) == 3
    (dots,) = (c for c in ax.collections if not isinstance(c, LineCollection))
    found = [matplotlib.colors.to_hex(colour).upper() for colour in dots.get_facecolors()]
    assert found == [colour.upper() for colour in expected]
    key = [text.get_text() for text in ax.figure.legends[0].get_texts()]
    assert key[0].endswith("Pr > 0.95")
    (line,) = ax.lines
    assert line.get_xdata()[0] == pytest.approx(float(reference.median()))


def test_panels_share_150_rows() -> None:
    """New figures have a panel for each 50 rows, in order, on one scale, all names readable."""
    pyplot.switch_backend("agg")
    try:
        draws = many(149)
        figure = caterpillar(draws)
        figure.canvas.draw()
        assert [len(names(panel)) for panel in figure.axes] == [50, 50, 49]
        order = np.argsort(-draws.median(("chain", "draw")).to_numpy())
        together = [name for panel in figure.axes for name in names(panel)]
        assert together == [f"LA {k}" for k in order]
        assert len({panel.get_xlim() for panel in figure.axes}) == 1
        for panel in figure.axes:
            boxes = [text.get_window_extent() for text in panel.get_yticklabels()]
            tops = sorted((box.y0, box.y1) for box in boxes)
            assert all(low[1] <= high[0] + 1 for low, high in itertools.pairwise(tops))
            assert panel.get_yticklabels()[0].get_fontsize() >= 6
    finally:
        pyplot.close("all")


@pytest.mark.parametrize("rows", [2, 20, 120])
def test_the_key_fits_the_figure(rows: int) -> None:
    """Few rows or many, nothing of the key is cut off and no panel lies under it."""
    pyplot.switch_backend("agg")
    try:
        figure = caterpillar(many(rows), reference_name="the average authority of its mean")
        figure.canvas.draw()
        key = figure.legends[0].get_window_extent()
        assert key.x0 >= 0
        assert key.x1 <= figure.bbox.width
        assert key.y0 >= max(panel.get_window_extent().y1 for panel in figure.axes)
    finally:
        pyplot.close("all")


def test_rows_fill_the_panels_given() -> None:
    """Two axes share the rows between them; rates without a null value have a linear axis."""
    axes = Figure().subplots(1, 2)
    figure = caterpillar(many(5), ax=list(axes))
    assert figure is axes[0].figure
    assert [len(names(panel)) for panel in axes] == [3, 2]


@pytest.mark.filterwarnings("ignore::socgrad.errors.SupportWarning")  # small authorities
def test_without_a_null_value_there_is_no_reference(split_fit: xr.DataTree, ax: Axes) -> None:
    """Rates stand on a linear axis, all grey, without a key."""
    rates = expected_rate(split_fit, deprivation=0.2, target="each").isel(deprivation=0)
    caterpillar(rates, ax=ax)
    assert ax.get_xscale() == "linear"
    assert not ax.lines
    assert not ax.figure.legends


def test_what_cannot_be_rows_is_refused(split_fit: xr.DataTree, ax: Axes) -> None:
    """No draws, no label, no dim or two, a reference with rows of its own, options."""
    own = gradient(split_fit, target="each")
    with pytest.raises(EstimandError, match=r"Expected draws of an estimand, .*found DataTree"):
        caterpillar(split_fit, ax=ax)
    with pytest.raises(EstimandError, match="not as an estimand returned them"):
        caterpillar(own**2, ax=ax)
    with pytest.raises(EstimandError, match=r"have 0 named dims \(none\)"):
        caterpillar(gradient(split_fit), ax=ax)
    with pytest.raises(EstimandError, match=r"2 named dims \(stratum, authority\)"):
        caterpillar(gradient(example_fit_of_stages(), target="each"), ax=ax)
    with pytest.raises(EstimandError, match=r"reference is a DataTree; expected draws of one"):
        caterpillar(own, reference=split_fit, ax=ax)
    with pytest.raises(EstimandError, match=r"reference has dims .*authority"):
        caterpillar(own, reference=own, ax=ax)
    with pytest.raises(EstimandError, match="order is 'size'; expected 'largest', 'smalle"):
        caterpillar(own, order="size", ax=ax)
    with pytest.raises(EstimandError, match="prob is 95"):
        caterpillar(own, prob=95, ax=ax)
    with pytest.raises(EstimandError, match="ax holds no axes"):
        caterpillar(own, ax=[])


def rungs(ax: Axes, number: int) -> np.ndarray:
    """Heights of the points of one of several ladders."""
    return [line for line in ax.lines if line.get_marker() == "o"][number].get_ydata()


def test_rungs_are_gradients_of_the_strata(ax: Axes) -> None:
    """Each stage has the median and interval of its own gradient, in the order of the fit."""
    fit = example_fit_of_stages()
    gradient_ladder(fit, prob=0.9, ax=ax)
    steep = gradient(fit)
    np.testing.assert_allclose(rungs(ax, 0), steep.median(("chain", "draw")))
    tails = steep.quantile([0.05, 0.95], ("chain", "draw"))
    np.testing.assert_allclose(segments(ax)[:, :, 1].T, tails)
    assert [text.get_text() for text in ax.get_xticklabels()] == ["Referral", "Assessment", "Plan"]
    assert [text.get_text() for text in ax.texts] == [
        f"{value:.2f}" for value in steep.median(("chain", "draw")).to_numpy()
    ]
    # The line to the next rung rises, so numbers stand below it: nothing runs through them.
    assert (np.diff(steep.median(("chain", "draw"))) > 0).all()
    assert all(text.get_va() == "top" and text.xyann[1] < 0 for text in ax.texts)


def test_words_of_rungs_are_broken_between_words_alone(ax: Axes) -> None:
    """Long names of stages are told in words, and no word is cut or parted at its hyphens."""
    fit = example_fit_of_stages()
    names = ("child_in_need_plan", "Investigations (section 47)", "Reassessments-and-referrals")
    stages = zip(names, ("referral", "assessment", "plan"), strict=True)
    gradient_ladder({name: stratum(fit, label) for name, label in stages}, ax=ax)
    assert [text.get_text() for text in ax.get_xticklabels()] == [
        "Child in need\nplan",
        "Investigations\n(section 47)",
        "Reassessments-and-referrals",
    ]


def test_named_fits_are_as_good_as_strata() -> None:
    """Fits by name, in the order given, draw the same rungs."""
    fit = example_fit_of_stages()
    first, second = Figure().subplots(1, 2)
    gradient_ladder(fit, ax=first)
    gradient_ladder({name: stratum(fit, name) for name in ("plan", "referral")}, ax=second)
    np.testing.assert_allclose(rungs(second, 0), rungs(first, 0)[[2, 0]])
    assert [text.get_text() for text in second.get_xticklabels()] == ["Plan", "Referral"]


def test_ladders_of_affluent_and_deprived_authorities(ax: Axes) -> None:
    """At quantiles of authority means each ladder is the gradient there, and the key says whose."""
    fit = example_fit_of_stages()
    gradient_ladder(fit, authority_quantiles=(0.1, 0.9), ax=ax)
    land = geography(stratum(fit, "plan"))
    means = weighted_quantile(land.authority_mean, land.authority_children, (0.1, 0.9))
    for number, mean in enumerate(means):
        expected = gradient(fit, authority_mean=mean).median(("chain", "draw")).squeeze()
        np.testing.assert_allclose(rungs(ax, number), expected)
    key = [text.get_text() for text in ax.get_legend().get_texts()]
    assert key[0].startswith("Authority at the 10th percentile")
    assert key[1].startswith("Authority at the 90th percentile")


def test_a_ladder_of_draws_is_refused(split_fit: xr.DataTree) -> None:
    """Draws of an estimand are no fit, and the message names the figure for them."""
    with pytest.raises(EstimandError, match=r"got a DataArray.*there is caterpillar"):
        gradient_ladder(gradient(split_fit))


def test_what_makes_no_ladder_is_refused(split_fit: xr.DataTree, ax: Axes) -> None:
    """One fit without strata, none, and fits of different steps."""
    with pytest.raises(EstimandError, match="no strata, and gradient_ladder draws several"):
        gradient_ladder(split_fit, ax=ax)
    with pytest.raises(EstimandError, match="There are no fits to draw"):
        gradient_ladder({}, ax=ax)
    groups = {name: node.to_dataset() for name, node in split_fit.children.items()}
    groups["constant_data"] = groups["constant_data"].assign(per=0.2)
    other = xr.DataTree.from_dict(groups)
    with pytest.raises(EstimandError, match=r"2 steps of deprivation \(0.1, 0.2\)"):
        gradient_ladder({"a": split_fit, "b": other}, ax=ax)
