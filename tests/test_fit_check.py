"""Posterior predictive checks of the fit."""

import dataclasses

import numpy as np
import pytest

from bent_tables import bent_table
from socgrad.checks.fit_check import check_fit
from socgrad.checks.replicates import _Tally
from socgrad.errors import EstimandError, MisfitWarning
from socgrad.fitting import fit
from socgrad.model.gradient_model import GradientModel
from socgrad.model.priors import Normal, Priors
from tables import areas_of, simulated, simulated_areas


def fitted(areas, random_seed=1, **options):
    """Fit without a compiler."""
    model = GradientModel(areas, priors=Priors(within=Normal(0.5, 0.3)), **options)
    return fit(model, method="laplace", random_seed=random_seed)


@pytest.fixture(scope="module")
def simulation():
    """Twenty authorities of forty areas, of the model."""
    return simulated(authorities=20, areas=800, seed=4)


@pytest.fixture(scope="module")
def right(simulation):
    """The fit of the model that made the counts."""
    return fitted(areas_of(simulation, "counts"))


@pytest.fixture(scope="module")
def varied():
    """Counts with rates that vary by a coefficient of 0.4 among like areas."""
    return simulated(authorities=20, areas=800, seed=4, overdispersion=0.4)


def test_the_right_model_fits(right):
    """Counts of the model itself pass, without a warning, and every table is there."""
    check = check_fit(right)
    assert check.adequate is True
    assert check.statement.startswith("The counts are as the model expects: dispersion ")
    assert check.statistics.index.tolist() == [
        "dispersion",
        "zeros",
        "busiest_tenth",
        "largest",
        "log_linearity",
        "outlying_authority",
        "overdispersion",
        "bend",
        "bend_by_authority",
        "heavy_tails",
    ]
    assert check.statistics.loc["dispersion", "observed"] == pytest.approx(1.0, abs=0.15)
    assert check.groups.index.tolist() == list(range(1, 11))
    assert len(check.authorities) == 20


def test_tables_hold_the_counts(right, simulation):
    """Events by tenth and by authority are those of the table."""
    check = check_fit(right, draws=20)
    frame = simulation.frame
    assert check.groups["events"].sum() == frame["events"].sum()
    expected = frame.groupby("authority")["events"].sum()
    assert check.authorities["events"].to_dict() == expected.to_dict()
    # Fitted effects reproduce the national total closely: its Poisson sd is a per cent.
    assert check.groups["expected"].sum() == pytest.approx(frame["events"].sum(), rel=0.02)


def test_a_bend_is_not_taken_for_chance(varied):
    """A line through a parabola: both more varied counts and the bend are named, and the shape.

    Overdispersed counts along a line are not called bent.
    """
    line = fitted(bent_table("parabola").areas)
    with pytest.warns(MisfitWarning, match="not log-linear: a spline.*shape='spline' before"):
        check_fit(line, draws=200)
    with pytest.warns(MisfitWarning) as told:
        check_fit(fitted(areas_of(varied, "counts")), draws=200)
    assert "log-linear" not in str(told[0].message)


def test_poisson_should_be_negative_binomial(varied):
    """Overdispersed counts: the advice names the family and about the right coefficient."""
    tree = fitted(areas_of(varied, "counts"))
    with pytest.warns(MisfitWarning, match="fit family='negative_binomial'"):
        check = check_fit(tree)
    assert check.adequate is False
    assert check.statistics.loc["dispersion", "pr_above"] == pytest.approx(1 / 501)
    assert "authorities seem to differ by more than they do" in check.statement
    # The truth is 0.4; authority effects take up a little of it.
    said = float(check.statement.split("coefficient of about ")[1].split(")")[0])
    assert said == pytest.approx(0.4, abs=0.08)
    assert "missing or suppressed" not in check.statement


def test_the_negative_binomial_mends_it(varied):
    """The advice, taken, makes the same counts pass."""
    check = check_fit(fitted(areas_of(varied, "counts"), family="negative_binomial"))
    assert check.adequate, check.statement
    assert check.statistics.loc["dispersion", "observed"] == pytest.approx(1.0, abs=0.15)


def test_smoothed_counts_are_found(simulation, right):
    """Counts that are their own expectations vary too little."""
    means = right["posterior"].mean(("chain", "draw"))
    land = right["constant_data"]
    j = land["authority_of_area"].to_numpy()
    b = land["between_part"].to_numpy()
    level = float(means["intercept"]) + float(means["between"]) * b + means["level_effect"].values
    slope = float(means["within"]) + float(means["cross_level"]) * b + means["slope_effect"].values
    rate = np.exp(level[j] + slope[j] * land["within_part"].to_numpy())
    smooth = simulation.frame.assign(events=np.round(land["exposure"].to_numpy() * rate))
    with pytest.warns(MisfitWarning, match="vary less than chance makes them.*smoothed"):
        check = check_fit(fitted(simulated_areas(smooth)))
    assert check.statistics.loc["dispersion", "observed"] < 0.3


def test_missing_entered_as_zero_is_found(varied):
    """One area in eight set to 0: more zeros than a negative binomial makes."""
    frame = varied.frame.copy()
    frame.loc[::8, "events"] = 0
    tree = fitted(simulated_areas(frame), family="negative_binomial")
    with pytest.warns(MisfitWarning, match="missing or suppressed counts were entered as 0"):
        check = check_fit(tree)
    assert not check.statistics.loc["zeros", "as_expected"]


def test_a_bent_gradient_is_found(simulation):
    """Counts halved in the most deprived areas bend the line, and the tenths show it."""
    frame = simulation.frame.copy()
    far = frame["deprivation"] > frame["deprivation"].quantile(0.9)
    frame.loc[far, "events"] //= 2
    tree = fitted(simulated_areas(frame), family="negative_binomial")
    with pytest.warns(MisfitWarning, match="not log-linear"):
        check = check_fit(tree)
    last = check.groups.loc[10]
    assert last["events"] < last["expected"]


def test_an_outlying_authority_is_named(simulation):
    """An authority with a tenth of its events lies outside, and is named."""
    frame = simulation.frame.copy()
    name = frame["authority"].iloc[0]
    own = frame["authority"] == name
    frame.loc[own, "events"] = frame.loc[own, "events"] // 20
    tree = fitted(simulated_areas(frame))
    with pytest.warns(MisfitWarning, match=f"expected: {name}.: check their counts"):
        check = check_fit(tree)
    assert check.authorities.loc[name, "pr_below"] < 0.005


def test_totals_alone_can_be_checked(simulation):
    """Totals have no areas: only authorities are compared, and the tenths are empty."""
    # One seed in three has a draw far out, of which the engine says that it doubts it.
    check = check_fit(fitted(areas_of(simulation, "totals"), random_seed=3))
    assert check.adequate, check.statement
    assert check.statistics.index.tolist() == ["outlying_authority", "heavy_tails"]
    assert check.groups.empty
    assert check.authorities["dispersion"].isna().all()
    # New authorities of the same neighbourhoods: their intervals cover most of the totals.
    inside = check.authorities["events"].between(
        check.authorities["lower"], check.authorities["upper"]
    )
    assert inside.sum() >= 17


def test_a_mixture_has_both(simulation):
    """Authorities with totals stand beside those with counts, the dispersion of the latter only."""
    check = check_fit(fitted(areas_of(simulation, "mixture")), draws=100)
    assert len(check.authorities) == 20
    assert check.authorities["dispersion"].isna().sum() == 10
    assert check.statistics.index[0] == "dispersion"


def test_the_seed_decides(right):
    """The same seed gives the same tables, another seed others."""
    first, again = check_fit(right, draws=50), check_fit(right, draws=50)
    other = check_fit(right, draws=50, random_seed=1)
    assert first.statistics.equals(again.statistics)
    assert not first.statistics.equals(other.statistics)


def test_few_draws_show_it_too(varied):
    """A hundred draws are used twice each: a hundred counts could never be one in two hundred."""
    with pytest.warns(MisfitWarning, match="vary more than Poisson chance allows"):
        check = check_fit(fitted(areas_of(varied, "counts")), draws=100)
    assert not check.adequate
    assert check.statistics.loc["dispersion", "pr_above"] == pytest.approx(1 / 201)


def test_draws_must_be_some(right):
    """No draws, no check."""
    with pytest.raises(EstimandError, match="draws is 0"):
        check_fit(right, draws=0)


def test_busiest_tenth_by_hand():
    """Of ten areas with 6, 3 and eight times 1 events, the busiest has 6 of 17."""
    tally = _Tally.empty(1).plus(np.array([[6.0, 3, 1, 1, 1, 1, 1, 1, 1, 1]]))
    assert tally.areas[0].tolist() == [0, 8, 0, 1, 0, 0, 1]
    assert tally.busiest[0] == pytest.approx(6 / 17)
    # Fifteen areas: the busiest and half of the next, (6 + 3 / 2) of 22.
    more = tally.plus(np.array([[1.0, 1, 1, 1, 1]]))
    assert more.busiest[0] == pytest.approx(7.5 / 22)


def test_verdict_is_frozen(right):
    """What was found cannot be changed afterwards."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        check_fit(right, draws=5).adequate = True


@pytest.mark.parametrize("shares", [(0.4, 0.3, 0.3), (0.8, 0.15, 0.05), (0.2, 0.2, 0.2, 0.2, 0.2)])
def test_deprivation_of_few_values_is_judged_too(shares):
    """In classes, however uneven, groups are as many as there are values, and none is refused."""
    frame = simulated(authorities=8, areas=240, seed=5).frame.copy()
    cuts = frame["deprivation"].quantile(np.cumsum(shares)[:-1])
    place = np.searchsorted(cuts, frame["deprivation"])
    frame["deprivation"] = np.linspace(0.05, 0.35, len(shares))[place]
    frame["events"] = np.random.default_rng(1).poisson(
        frame["children"] * 0.02 * np.exp(5 * frame["deprivation"])
    )
    check = check_fit(fitted(simulated_areas(frame)))
    assert 2 <= len(check.groups) <= len(shares)
    assert check.groups["events"].sum() == frame["events"].sum()
    assert check.adequate


def test_tally_of_counts_of_any_size():
    """Zeros, largest and busiest tenth are those of the counts, also where counts are huge."""
    rng = np.random.default_rng(2)
    for factor in (1.0, 1e7):
        counts = np.floor(factor * rng.poisson(np.exp(rng.normal(1, 2, (20, 1000)))))
        tally = _Tally.empty(20).plus(counts[:, :300]).plus(counts[:, 300:])
        assert tally.areas.shape[1] < 20_000
        np.testing.assert_array_equal(tally.largest, counts.max(axis=1))
        np.testing.assert_array_equal(tally.zeros, (counts == 0).sum(axis=1))
        ordered = -np.sort(-counts, axis=1)
        busiest = ordered[:, :100].sum(axis=1) / ordered.sum(axis=1)
        np.testing.assert_allclose(tally.busiest, busiest, rtol=1e-3)
