"""Effects that go from year to year: their precision, and the numbers of any covariance."""

from dataclasses import replace

import numpy as np
import pytest

from socgrad.blocks.climbing import CLOSE
from socgrad.blocks.compiled import evaluate, integrate
from socgrad.blocks.effects import draw_effects
from socgrad.blocks.information import information
from socgrad.blocks.marginal import Found, State
from socgrad.model.drift import Drift, National
from socgrad.model.priors import Normal, PositiveNormal, Priors
from socgrad.model.stratified_model import StratifiedModel
from test_years_blocks import marginal_of
from years_tables import panel_of, small

BREAK = Drift(breaks=(2020,))
MIXED = Drift(levels="random walk", slopes="trend")
PRIORS = Priors(
    within=Normal(0.55, 0.1), cross_level=Normal(-0.05, 0.05), slope_sd=PositiveNormal(0.1, 0.05)
)
CASES = {
    "counts": (BREAK, {}),
    "mixed forms": (MIXED, {}),
    "no slopes": (Drift(levels="random walk", slopes="none"), {"random_slopes": False}),
    "overdispersed": (MIXED, {"family": "negative_binomial"}),
}


def totals_of_some():
    """A panel of which every second authority is known by its totals alone."""
    frame = small()[0].frame
    hidden = frame["authority"].isin(sorted(frame["authority"].unique())[::2])
    own = frame[hidden].groupby(["year", "authority"])["events"].sum()
    made = replace(small()[0], frame=frame.assign(events=frame["events"].mask(hidden)))
    totals = {year: own[year] for year in frame["year"].unique()}
    return panel_of(made, totals=totals, missing_events="leave out")


def totals_of_a_year():
    """A panel of which one year is known by its totals alone."""
    frame = small()[0].frame
    total = frame[frame["year"] == 2019].groupby("authority")["events"].sum()
    shown = frame["events"].where(frame["year"] != 2019)
    made = replace(small()[0], frame=frame.assign(events=shown))
    return panel_of(made, totals={2019: total}, missing_events="leave out")


def pair(panel, drift, **options):
    """The same marginal by the arrow and by any covariance, and a point near its mode."""
    model = StratifiedModel(panel, authority_effects=drift, national=National(), **options)
    marginal, point = marginal_of(model)
    structure = marginal.coordinates.structure
    dense = replace(marginal.coordinates, structure=Unordered(structure))
    effects = 2 * dense.strata
    start = State(marginal.start.modes[:, :effects], marginal.start.regions)
    point = point + 0.05 * np.random.default_rng(1).standard_normal(len(point))
    return marginal, replace(marginal, coordinates=dense, start=start), point


class Unordered:
    """A structure without what it knows of the order of years."""

    def __init__(self, structure):
        self.structure = structure

    def __getattr__(self, name):
        return getattr(self.structure, name)

    def arrow(self, _):
        """None: any covariance."""


@pytest.mark.filterwarnings("ignore:4 years say little")
@pytest.mark.parametrize("drift", [BREAK, MIXED, Drift(levels="none", slopes="none", breaks=())])
def test_the_precision_is_that_of_the_covariance(drift):
    """Effects of the joint precision of effects and what years share have the covariance."""
    model = StratifiedModel(small()[1], authority_effects=drift)
    marginal, point = marginal_of(model)
    coordinates = marginal.coordinates
    effects = coordinates.parts(point)[2]
    arrow, covariance = coordinates.arrow(effects), coordinates.covariance(effects)
    joint = np.linalg.inv(arrow.dense())
    size = len(covariance)
    np.testing.assert_allclose(joint[:size, :size], covariance, rtol=1e-6, atol=1e-10)
    _, expected = np.linalg.slogdet(arrow.dense())
    assert float(arrow.log_determinant) == pytest.approx(expected, rel=1e-9)


@pytest.mark.filterwarnings("ignore:4 years say little")
@pytest.mark.parametrize("case", CASES)
def test_years_give_the_same_as_any_covariance(case):
    """Value and gradient of the marginal, counts of every kind."""
    drift, options = CASES[case]
    same(*pair(small()[1], drift, **options))


@pytest.mark.parametrize("panel", [totals_of_a_year, totals_of_some])
def test_totals_give_the_same(panel):
    """Of one year or of some authorities: another coordinate in place of the level."""
    same(*pair(panel(), MIXED, priors=PRIORS))


def test_columns_of_areas_give_the_same():
    """Coefficients of covariates of areas, by the scores of rows."""
    frame = small()[0].frame
    density = np.random.default_rng(5).normal(size=len(frame))
    panel = panel_of(replace(small()[0], frame=frame.assign(density=density)),
                     covariates=["density"])  # fmt: skip
    same(*pair(panel, MIXED, covariates="density"))


def same(ordered, dense, point):
    """Both ways give the same value and the same gradient."""
    value, gradient = ordered.gradient(point)
    expected, of_expected = dense.gradient(point)
    assert ordered.coordinates.arrow(ordered.coordinates.parts(point)[2]) is not None
    assert value == pytest.approx(expected, abs=1e-6)
    np.testing.assert_allclose(gradient, of_expected, rtol=1e-5, atol=1e-5)
    assert ordered.value(point) == pytest.approx(expected, abs=1e-6)
    # What weights are made of is about modes that are nearly so: the curvature there differs, too.
    assert replace(ordered, close=CLOSE).value(point) == pytest.approx(expected, abs=5e-3)


def test_a_value_near_the_modes_and_its_integrals_agree():
    """What the mode's place changes in a value, it changes in the weight: both use the same one."""
    ordered, _, point = pair(totals_of_some(), MIXED, priors=PRIORS)
    ordered = replace(ordered, close=CLOSE)
    at, found = ordered.at(point), Found.of(ordered, 0)
    size = (3, len(at.mean), 2, ordered.start.modes.shape[1])
    drawn = integrate(
        ordered,
        at,
        state=ordered.start.copy(),
        found=found,
        region_effect=np.zeros((len(at.mean), 4)),
        normals=np.random.default_rng(1).standard_normal(size),
        uniform=np.full(size[:2], 0.5),
    )
    assert drawn.laplace == evaluate(ordered, at, ordered.start.copy(), found, 0)


def test_draws_are_weighed_alike():
    """What Laplace's method misses, and the effects drawn, agree but for chance."""
    ordered, dense, point = pair(small()[1], MIXED)
    times = np.array([400])
    made = [
        draw_effects(each, point[None], times, np.random.default_rng(3))
        for each in (ordered, dense)
    ]
    for name in ("log_weight", "noise"):
        one, other = (getattr(each, name) for each in made)
        apart = np.hypot(one.std(), other.std()) / np.sqrt(400)
        assert abs(one.mean() - other.mean()) < 4 * apart
    one, other = (each.effects for each in made)
    apart = np.hypot(one.std(axis=0), other.std(axis=0)) / np.sqrt(400)
    assert (np.abs(one.mean(axis=0) - other.mean(axis=0)) < 4.5 * apart).all()
    np.testing.assert_allclose(one.std(axis=0), other.std(axis=0), rtol=0.25)


def test_counts_tell_the_coefficients_what_differences_say():
    """The precision of coefficients, against differences of their gradient."""
    ordered, _, point = pair(small()[1], MIXED)
    state = ordered.start.copy()
    ordered.gradient(point, state)
    known = information(replace(ordered, start=state), point)
    step = 1e-4 * np.eye(len(point))[: len(known)]
    found = np.array([
        (ordered.gradient(point - away)[1] - ordered.gradient(point + away)[1]) / 2e-4
        for away in step
    ])[:, : len(known)]  # fmt: skip
    scale = np.sqrt(np.outer(np.diag(found), np.diag(found)))
    assert np.abs(known - found).max() > 0
    np.testing.assert_allclose(known / scale, found / scale, atol=0.02)


def test_a_change_of_own_means_gives_the_same():
    """An authority covariate that differs between years, in levels."""
    panel = panel_of(small()[0], mean_change="own_change")
    same(*pair(panel, MIXED, authority_covariates="~ own_change"))


@pytest.mark.parametrize("years", [(2018, 2019), (2018, 2021)])
def test_two_years_are_enough(years):
    """Next to each other, or with two missing between them."""
    frame = small()[0].frame
    two = replace(small()[0], frame=frame[frame["year"].isin(years)])
    same(*pair(panel_of(two), MIXED))


def test_an_index_that_changes_is_a_break():
    """Means, and the moves of authorities, are those of each index."""
    panel = panel_of(small()[0], index={2018: "a", 2019: "a", 2020: "b", 2021: "b"})
    walk = Drift(levels="random walk", slopes="random walk")
    ordered, dense, point = pair(panel, walk)
    assert {"level_break_sd", "slope_break_sd"} <= set(ordered.coordinates.structure.named(point))
    same(ordered, dense, point)
