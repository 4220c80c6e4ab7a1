"""Gradients that are no line, sampled: the truth is found, and a line is found to be one."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bent_tables import bent_fit, bent_table
from socgrad.checks.left_out import compare_left_out, leave_out
from socgrad.checks.priors import prior_sensitivity
from socgrad.estimands.deprivation_ratios import departure_from_line
from socgrad.estimands.gradients import gradient
from socgrad.fitting import fit
from socgrad.model.gradient_model import GradientModel
from socgrad.reading.geography import geography
from socgrad.tables.diagnostics import check_sampling


@pytest.mark.mcmc
@pytest.mark.parametrize(
    ("truth", "shape", "method"),
    [
        ("tenths", "tenths", "laplace"),
        ("parabola", "spline", "laplace"),
        ("line", "spline", "laplace"),
        pytest.param("parabola", "spline", "nuts", marks=pytest.mark.slow),
        pytest.param("tenths", "tenths", "nuts", marks=pytest.mark.slow),
    ],
)
def test_departures_are_recovered(truth, shape, method):
    """Each coefficient within 3.5 SDs of the truth's share in its column, and draws in order."""
    table, tree = bent_table(truth), bent_fit(truth, shape, method=method)
    check = check_sampling(tree)
    assert check.converged, check
    if method == "nuts":
        assert check.divergences == 0
        assert check.table["rhat"].max() < 1.02
    columns = geography(tree).departures.at(table.areas.deprivation)
    share = table.areas.children / table.areas.children.sum()
    # Columns are orthogonal, of mean square 1 / number.
    wanted = (columns * share[:, None]).T @ table.bend * columns.shape[1]
    draws = tree["posterior"]["departure_coefficient"]
    found, spread = draws.mean(("chain", "draw")), draws.std(("chain", "draw"))
    assert (np.abs(found - wanted) < 3.5 * spread).all()
    assert spread.max() < 0.05
    # No slope changes with authority deprivation, and the curve is not taken for one that does.
    cross = tree["posterior"]["cross_level"]
    assert abs(float(cross.mean())) < 2.5 * float(cross.std())


@pytest.mark.mcmc
def test_a_parabola_has_the_gradients_of_its_tangents():
    """Per 10 points at x: the trend's 0.6, and twice the bend times the distance from the mean."""
    tree = bent_fit("parabola", "spline")
    centre = float(tree["constant_data"]["national_mean"])
    x = [centre - 0.05, centre, centre + 0.10]
    log_gradient = np.log(gradient(tree, deprivation=x))
    # 0.6 - 0.12 X at X = -0.5, 0 and 1.
    wanted = np.array([0.66, 0.60, 0.48])
    found, spread = log_gradient.mean(("chain", "draw")), log_gradient.std(("chain", "draw"))
    assert (np.abs(found - wanted) < 3.5 * spread).all()
    assert float(spread.max()) < 0.06


@pytest.mark.mcmc
def test_a_line_through_a_parabola_makes_up_a_cross_level_term():
    """Rates that flatten look like gradients that are flatter in deprived authorities."""
    line = fit(GradientModel(bent_table("parabola").areas), method="laplace", random_seed=5)
    cross = line["posterior"]["cross_level"]
    assert float(cross.mean()) < -2.5 * float(cross.std())


@pytest.mark.mcmc
def test_a_line_departs_from_nothing():
    """No tenth of neighbourhoods is surely off the line by more than a twentieth."""
    off = departure_from_line(bent_fit("line", "spline"))
    low, high = off.quantile([0.025, 0.975], ("chain", "draw"))
    assert (low < 1.05).all()
    assert (high > 0.95).all()


@pytest.mark.mcmc
def test_a_curve_predicts_authorities_better():
    """Left out one at a time, by more than chance; and the counts decide on the departures."""
    line = fit(GradientModel(bent_table("parabola").areas), method="laplace", random_seed=5)
    curve = bent_fit("parabola", "spline")
    table = compare_left_out({"line": leave_out(line), "curve": leave_out(curve)})
    assert table.index[0] == "curve"
    assert table.loc["line", "difference"] < -2 * table.loc["line", "se"]
    sensitivity = prior_sensitivity(curve)
    assert sensitivity.loc["departure[1]", "diagnosis"] == "the counts decide"


@pytest.mark.mcmc
@pytest.mark.parametrize("shape", ["tenths", "spline"])
def test_estimates_are_those_of_lme4(shape):
    """Posterior means within a quarter SD of maximum likelihood (`golden/shapes.R`).

    With a wide prior of departures: the default one draws nine columns in by as much.
    """
    golden = pd.read_csv(Path(__file__).parent / "golden" / "shapes.csv").set_index("shape")
    wanted = golden.loc[shape].set_index("term")
    draws = bent_fit("parabola", shape, prior_sd=5.0)["posterior"].to_dataset()
    names = {"(Intercept)": "intercept", "w": "within", "b": "between", "w:b": "cross_level"}
    for term, row in wanted.iterrows():
        column = term.removeprefix("departure")
        found = (
            draws["departure_coefficient"].sel(departure=column)
            if column != term
            else draws[names[term]]
        )
        assert abs(float(found.mean()) - row["estimate"]) < 0.25 * float(found.std()), term
        assert float(found.std()) == pytest.approx(row["se"], rel=0.15), term
