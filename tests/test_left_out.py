"""Predictive scores of what is left out."""

import warnings

import numpy as np
import pytest
import xarray as xr
from arviz_stats import loo
from scipy.special import logsumexp
from scipy.stats import poisson

from socgrad import schema
from socgrad.checks import counts as blocks
from socgrad.checks.left_out import compare_left_out, leave_out
from socgrad.errors import ConvergenceWarning, EstimandError
from socgrad.fitting import fit
from socgrad.model.gradient_model import GradientModel
from socgrad.model.priors import Normal, Priors
from tables import areas_of, simulated, simulated_areas

# The default intercept is centred at the crude rate, which a left-out authority would move.
PRIORS = Priors(within=Normal(0.5, 0.2), intercept=Normal(-4.0, 1.0))

PARAMETERS = [name for name in schema.PARAMETERS if name not in ("pooled", "curvature")]


def fitted(areas, seed=2, **options):
    """Fit without a compiler: with a seed whose scores are not in doubt, as those of half are."""
    model = GradientModel(areas, priors=PRIORS, **options)
    return fit(model, method="laplace", random_seed=seed)


@pytest.fixture(scope="module")
def simulation():
    """Thirty authorities of twelve areas or so: none decides alone what they share."""
    return simulated(authorities=30, areas=360, seed=6)


@pytest.fixture(scope="module")
def full(simulation):
    """The fit to all counts."""
    return fitted(areas_of(simulation, "counts"))


def refitted_score(simulation, name):
    """Log p(counts of one authority | all others): a fit without it, new effects drawn densely."""
    frame = simulation.frame.astype({"events": float})
    own = (frame["authority"] == name).to_numpy()
    tree = fitted(
        simulated_areas(frame.assign(events=frame["events"].mask(own)), missing_events="leave out")
    )
    draws = tree["posterior"].to_dataset()
    data = tree["constant_data"].to_dataset()
    j = data["authority"].to_numpy().tolist().index(name)
    rows = data["authority_of_area"].to_numpy() == j
    b = float(data["between_part"][j])
    w, exposure = (data[v].to_numpy()[rows] for v in ("within_part", "exposure"))
    y = frame["events"].to_numpy()[own]
    flat = {v: draws[v].to_numpy().ravel() for v in draws if v in PARAMETERS}
    rng = np.random.default_rng(3)
    values = []
    for _ in range(40):
        z = rng.standard_normal((2, flat["within"].size))
        rho = flat["correlation"]
        level = flat["intercept"] + flat["between"] * b + flat["level_sd"] * z[0]
        turn = flat["slope_sd"] * (rho * z[0] + np.sqrt(1 - rho**2) * z[1])
        slope = flat["within"] + flat["cross_level"] * b + turn
        mean = exposure * np.exp(level[:, None] + slope[:, None] * w)
        values.append(poisson.logpmf(y, mean).sum(axis=1))
    return logsumexp(values) - np.log(np.size(values))


PARAMETERS = (
    "intercept",
    "within",
    "between",
    "cross_level",
    "level_sd",
    "slope_sd",
    "correlation",
)


def test_scores_are_those_of_refits(simulation, full):
    """The authorities with least, middling and most elpd score as fits without them say."""
    scores = leave_out(full, draws=4000)
    ordered = scores.table["elpd"].sort_values().index
    for name in ordered[[0, 14, 29]]:
        expected = refitted_score(simulation, name)
        # Monte Carlo error of the refit's own 160,000 pairs is about 0.01 to 0.03.
        assert scores.table.loc[name, "elpd"] == pytest.approx(expected, abs=0.05)
    assert scores.table["pareto_k"].max() < 0.7
    assert scores.quadrature_error < 1e-3


def test_sums_and_words(full, simulation):
    """The sum, its standard error and the statement are those of the table."""
    scores = leave_out(full)
    assert scores.elpd == pytest.approx(scores.table["elpd"].sum())
    # Of thirty scores: sqrt(30) times their standard deviation.
    assert scores.se == pytest.approx(np.sqrt(30) * scores.table["elpd"].std())
    assert scores.statement.startswith("30 authorities left out one at a time: elpd -")
    events = simulation.frame.groupby("authority")["events"].sum()
    assert scores.table["events"].to_dict() == events.to_dict()
    areas = simulation.frame.groupby("authority").size()
    assert scores.table["areas"].to_dict() == areas.to_dict()


def test_areas_are_those_of_arviz(full, monkeypatch):
    """Area by area the scores are ArviZ's, whatever the size of the blocks."""
    monkeypatch.setattr(blocks, "_BLOCK", 4000 * 7)
    scores = leave_out(full, unit="area", draws=4000)
    lines = blocks.lines_at(full, np.arange(4000))
    counts = blocks.counts_by_position(full)
    land = blocks.geography(full)
    mean = np.concatenate([m for _, m in blocks.area_blocks(lines, land, counts.area)], axis=1)
    values = poisson.logpmf(counts.events, mean).reshape(4, 1000, -1)
    tree = xr.DataTree.from_dict(
        {
            "log_likelihood": xr.Dataset({"events": (("chain", "draw", "area"), values)}),
            "posterior": full["posterior"].to_dataset(),
        }
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # two of the areas have heavy tails, which is as it should
        expected = loo(tree, pointwise=True, reff=1.0)
    assert scores.elpd == pytest.approx(float(expected.elpd), rel=1e-6)
    np.testing.assert_allclose(scores.table["elpd"], expected.elpd_i, rtol=1e-6)
    np.testing.assert_allclose(scores.table["pareto_k"], expected.pareto_k, rtol=1e-6)


def test_deprivation_predicts_authorities(full, simulation):
    """The model that made the counts beats one without deprivation, by more than chance."""
    null = fit(
        GradientModel(
            areas_of(simulation, "counts"),
            deprivation="none",
            priors=Priors(intercept=Normal(-4.0, 1.0)),
        ),
        method="laplace",
        random_seed=1,
    )
    first, second = leave_out(full), leave_out(null)
    table = compare_left_out({"null": second, "full": first})
    assert table.index.tolist() == ["full", "null"]
    assert table.loc["full", ["difference", "se"]].tolist() == [0.0, 0.0]
    difference = second.table["elpd"] - first.table["elpd"]
    assert table.loc["null", "difference"] == pytest.approx(difference.sum())
    assert table.loc["null", "se"] == pytest.approx(np.sqrt(30) * difference.std())
    assert table.loc["null", "difference"] < -2 * table.loc["null", "se"]


def test_totals_are_left_out_too(simulation):
    """A total is one count: its score is better than that of its authority's many counts."""
    scores = leave_out(fitted(areas_of(simulation, "mixture"), seed=13))
    totals = scores.table.iloc[::2]["elpd"]
    assert totals.min() > scores.table.iloc[1::2]["elpd"].max()
    assert len(scores.table) == 30


def test_areas_of_totals_are_refused(simulation):
    """Totals have no areas to leave out."""
    tree = fitted(areas_of(simulation, "totals"))
    with pytest.raises(EstimandError, match=r"only authority totals\. Choose unit='authority'"):
        leave_out(tree, unit="area")


def test_heavy_tails_are_named():
    """Of ten authorities an odd one decides how much they differ, and the statement says so."""
    tree = fitted(areas_of(simulated(authorities=10, areas=160, seed=6), "counts"), seed=1)
    with pytest.warns(ConvergenceWarning, match=r"of \d are unsure \(pareto_k above 0\.7: A"):
        scores = leave_out(tree, draws=4000)
    assert scores.table["pareto_k"].idxmax() == "A008"


def test_arguments_are_checked(full):
    """Unknown units, no draws, and no counts are refused."""
    with pytest.raises(EstimandError, match="unit is 'region'; expected 'authority' or 'area'"):
        leave_out(full, unit="region")
    with pytest.raises(EstimandError, match="draws is 0"):
        leave_out(full, draws=0)


def test_only_like_is_compared(full, simulation):
    """One model, other units and other counts are refused."""
    scores = leave_out(full)
    for wrong, found in (([scores, scores], "list"), ({"a": full, "b": full}, "dict of DataTree")):
        with pytest.raises(EstimandError, match=rf"results of leave_out by name .*got {found}\."):
            compare_left_out(wrong)
    with pytest.raises(EstimandError, match="1 model was given"):
        compare_left_out({"full": scores})
    with pytest.raises(EstimandError, match="'b' one area"):
        compare_left_out({"a": scores, "b": leave_out(full, unit="area")})
    more = simulation.frame.assign(events=simulation.frame["events"] + 1)
    other = leave_out(fitted(simulated_areas(more)))
    with pytest.raises(EstimandError, match="'a' and 'b' are of different counts"):
        compare_left_out({"a": scores, "b": other})
