"""Figures of checks: what `check_fit` found, priors beside posteriors, a funnel of stages."""

import warnings

import matplotlib.colors
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from socgrad.checks.fit_check import FitCheck, check_fit
from socgrad.errors import EstimandError, MisfitWarning
from socgrad.estimands.group_rates import rate_by_group
from socgrad.plots import checked_counts, prior_and_posterior, stage_funnel
from socgrad.plots.style import STYLE
from socgrad.reading.by_stratum import stratum
from socgrad.reading.example import example_fit, example_fit_of_stages


@pytest.fixture(scope="module")
def check() -> FitCheck:
    """Give what is found of the stored fit."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MisfitWarning)
        return check_fit(example_fit(events=True), draws=50)


def test_tenths_are_held_against_what_the_model_expects(check: FitCheck) -> None:
    """Points are events over expected ones, bars the central 95% of counts drawn again."""
    left, _ = checked_counts(check, ax=Figure().subplots(1, 2))
    over = check.groups["events"] / check.groups["expected"]
    np.testing.assert_allclose(left.lines[0].get_ydata(), over)
    bars = left.patches
    np.testing.assert_allclose(
        [bar.get_y() + bar.get_height() for bar in bars],
        check.groups["upper"] / check.groups["expected"],
    )
    np.testing.assert_allclose(
        [bar.get_y() for bar in bars], check.groups["lower"] / check.groups["expected"]
    )


def test_statistics_lie_where_they_are_in_their_range(check: FitCheck) -> None:
    """At the ends of the range -1 and 1, what is not as expected in vermilion; far ones clipped."""
    made = pd.DataFrame(
        {
            "observed": [1.0, 1.3, 0.9, 9.0, 108.0],
            "expected": [1.0, 1.0, 1.0, 1.0, 100.0],
            "lower": [0.8, 0.8, 0.8, 0.8, 80.0],
            "upper": [1.6, 1.6, 1.6, 1.6, 120.0],
            "as_expected": [True, True, True, False, True],
        },
        index=["dispersion", "zeros", "busiest_tenth", "heavy_tails", "largest"],
    )
    altered = FitCheck(False, "", made, check.groups, check.authorities)
    _, right = checked_counts(altered, ax=Figure().subplots(1, 2))
    dots = [line for line in right.lines if line.get_marker() != "None"]
    np.testing.assert_allclose([dot.get_xdata()[0] for dot in dots], [0, 0.5, -0.5, 2.5])
    assert [dot.get_color() for dot in dots] == [STYLE.ink] * 3 + [STYLE.deprived]
    assert [text.get_text() for text in right.get_yticklabels()] == [
        "Dispersion",
        "Zeros",
        "Busiest tenth",
        "Heavy tails",
    ]


def test_only_a_check_in_two_panels_is_drawn(check: FitCheck) -> None:
    """Anything else, or one panel, is refused in words."""
    with pytest.raises(EstimandError, match=r"check is a DataFrame; expected what socgrad.check_"):
        checked_counts(check.statistics)  # type: ignore[arg-type]
    with pytest.raises(EstimandError, match="ax holds 1 axes; expected two"):
        checked_counts(check, ax=[Figure().subplots()])


TABLE = pd.DataFrame(
    {
        "scale": ["ratio per 10 points", "ratio per 10 points", "correlation"],
        "prior": [1.0, 1.0, 0.0],
        "prior_lower": [0.4, 0.5, -0.8],
        "prior_upper": [2.6, 2.0, 0.8],
        "posterior": [1.8, 1.2, 0.1],
        "posterior_lower": [1.7, 1.1, -0.5],
        "posterior_upper": [1.9, 1.3, 0.6],
        "learned": [0.998, 0.71, -0.02],
    },
    index=pd.Index(["within", "between", "correlation"], name="parameter"),
)


def test_priors_stand_beside_posteriors() -> None:
    """A panel a scale: ratios on a logarithmic one, and what was learned on the right."""
    first, second = prior_and_posterior(TABLE, ax=Figure().subplots(2, 1))
    assert (first.get_xscale(), second.get_xscale()) == ("log", "linear")
    assert [text.get_text() for text in first.texts] == ["learned > 99%", "learned 71%"]
    assert [text.get_text() for text in second.texts] == ["learned 0%"]
    prior, posterior = (np.array(bars.get_segments())[:, :, 0] for bars in first.collections)
    np.testing.assert_allclose(prior, [[0.4, 2.6], [0.5, 2.0]])
    np.testing.assert_allclose(posterior, [[1.7, 1.9], [1.1, 1.3]])


def test_another_table_or_too_few_axes_are_refused() -> None:
    """The message says which table, and how many axes."""
    with pytest.raises(EstimandError, match=r"not what socgrad.prior_checks.compare_prior"):
        prior_and_posterior(TABLE.drop(columns="learned"))
    with pytest.raises(EstimandError, match=r"ax holds 1 axes, and the table has 2 scales"):
        prior_and_posterior(TABLE, ax=[Figure().subplots()])


@pytest.fixture
def ax() -> Axes:
    """Make axes outside pyplot, which nobody has to close."""
    return Figure().subplots()


def test_the_funnel_has_both_ends_of_every_stage(ax: Axes) -> None:
    """Least deprived to the left, most to the right, their ratio with its interval beside them."""
    fit = example_fit_of_stages()
    stage_funnel(fit, groups=3, ax=ax)
    rates = rate_by_group(fit, groups=3)
    middle = rates.median(("chain", "draw")).to_numpy()
    left, right = ax.patches[:3], ax.patches[3:]
    np.testing.assert_allclose([bar.get_width() for bar in left], -middle[:, 0])
    np.testing.assert_allclose([bar.get_width() for bar in right], middle[:, -1])
    ratio = rates.isel(group=2, drop=True) / rates.isel(group=0, drop=True)
    low, middle, high = ratio.quantile([0.025, 0.5, 0.975], ("chain", "draw")).to_numpy()
    shown = [text.get_text() for text in ax.texts if text.get_text().startswith("×")]
    assert shown == [
        f"×{m:.1f} ({a:.1f}-{z:.1f})" for a, m, z in zip(low, middle, high, strict=True)
    ]
    assert matplotlib.colors.to_hex(right[0].get_facecolor()).upper() == STYLE.deprived


def test_a_chain_is_no_funnel_of_children() -> None:
    """Rates of a chain are of the stage before, whole or one stage of it."""
    chain = example_fit_of_stages(chained=True)
    with pytest.raises(EstimandError, match=r"are a chain.*Fit the stages on children"):
        stage_funnel(chain)
    with pytest.raises(EstimandError, match=r"are a chain"):
        stage_funnel({"Plans": stratum(chain, "plan")})


def test_one_fit_is_no_funnel() -> None:
    """The message says what is expected."""
    with pytest.raises(EstimandError, match="no strata, and stage_funnel draws several"):
        stage_funnel(example_fit())
