"""Checks and scores of fits whose counts are known within bounds."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy.special import gammaln, logsumexp
from scipy.stats import nbinom, poisson

import socgrad as sg
from coarsened_tables import COLUMNS, MARKS
from misfit_tables import misfit_table
from socgrad.checks.authority_likelihoods import authority_likelihoods
from socgrad.checks.completed import completed
from socgrad.checks.counts import chosen_draws, counts_by_position, lines_at, population_at
from socgrad.checks.integrated import integrated_likelihoods
from socgrad.coarsening import Rounded
from socgrad.errors import EstimandError, MisfitWarning
from socgrad.laws.kernel_draws import draw_given_kernels, draw_given_sums
from socgrad.laws.kernels import OPEN, Kernels
from socgrad.reading.geography import geography
from socgrad.reading.posterior import coefficients

WEIGHTS = np.array([1.0, 2.0, 3.0, 2.0, 1.0]) / 3.0
#: 1-5; anything; 1-5, likelier in the middle; 6 and more.
KERNELS = Kernels(
    np.array([1, 0, 1, 6]), np.array([5, OPEN, 5, OPEN]), np.array([-1, -1, 0, -1]), WEIGHTS
)


@pytest.mark.parametrize(
    ("kernel", "mean", "r"),
    [(0, 2.0, 0.0), (0, 30.0, 0.0), (2, 2.0, 0.5), (1, 7.0, 0.3), (3, 2.0, 0.0), (1, 1.0, 2.0)],
)
def test_hidden_counts_have_the_chances_of_their_kernel(kernel, mean, r):
    """Against SciPy's probabilities, by their largest difference from shares of 100,000 draws."""
    rng, size = np.random.default_rng(1), 100_000
    means = np.full((size, 1), mean)
    found = draw_given_kernels(KERNELS, np.array([kernel]), means, np.array(r), rng)[:, 0]
    law = poisson(mean) if r == 0 else nbinom(1 / r, 1 / (1 + r * mean))
    low, high = KERNELS.low[kernel], KERNELS.high[kernel]
    count = np.arange(low, (300 if high == OPEN else high) + 1)
    chance = law.pmf(count) * (WEIGHTS if kernel == 2 else 1.0)
    chance /= chance.sum()
    share = np.bincount(found.astype(int) - low, minlength=len(count)) / size
    assert np.abs(share - chance).max() < 4 * np.sqrt(0.25 / size)


def test_hidden_counts_of_a_known_sum():
    """Means and variances against all counts that are possible; each sum is kept."""
    kernel, mean, total = np.array([0, 2, 0, 2, 1]), np.array([1.0, 2.0, 4.0, 0.5, 3.0]), 11
    rng, size = np.random.default_rng(1), 40_000
    rows = np.array([0, 5]), kernel
    found = draw_given_sums(KERNELS, rows, np.tile(np.log(mean), (size, 1)), np.array([total]), rng)
    assert (found.sum(axis=1) == total).all()
    ends = [(1, 5), (1, 5), (1, 5), (1, 5), (0, total)]
    every = np.array(
        [c for c in itertools.product(*(range(a, b + 1) for a, b in ends)) if sum(c) == total]
    )
    weight = WEIGHTS[every[:, 1] - 1] * WEIGHTS[every[:, 3] - 1]
    chance = np.exp(every @ np.log(mean) - gammaln(every + 1).sum(axis=1)) * weight
    chance /= chance.sum()
    expected = chance @ every
    sd = np.sqrt(chance @ every**2 - expected**2)
    assert (np.abs(found.mean(axis=0) - expected) < 5 * sd / np.sqrt(size)).all()
    np.testing.assert_allclose(found.std(axis=0), sd, rtol=0.03)


@pytest.fixture(scope="module")
def table():
    """Plans of 12 authorities, as counted and with 1-5 hidden."""
    frame = sg.simulate(authorities=12, areas=360, random_seed=3).frame
    plans = frame["child_protection_plan"].to_numpy()
    return frame.assign(plans=plans, hidden=MARKS.publish(plans, np.random.default_rng(1)))


@pytest.fixture(scope="module")
def fits(table):
    """With 1-5 hidden, alone and beside totals; and rounded totals."""
    totals = table.groupby("authority")["plans"].sum()
    tens = pd.Series(Rounded(10).publish(totals.to_numpy(), np.random.default_rng(1)), totals.index)
    hidden = {"events": "hidden", "coarsening": MARKS}
    doors = {
        "hidden": hidden,
        "overdispersed": hidden,
        "both": {**hidden, "totals": totals},
        "totals": {"totals": tens, "totals_coarsening": Rounded(10)},
    }
    made = {}
    for name, door in doors.items():
        areas = sg.Areas.from_frame(table, **COLUMNS, **door)
        priors = sg.published.priors("child_protection_plan") if name == "totals" else sg.Priors()
        family = "negative_binomial" if name == "overdispersed" else "poisson"
        model = sg.GradientModel(areas, family=family, priors=priors)
        made[name] = sg.fit(model, method="laplace", random_seed=1, draws=250)
    return made


def _parts(fit, draws=200):
    at = chosen_draws(coefficients(fit), draws)
    return counts_by_position(fit), lines_at(fit, at), population_at(fit, at), geography(fit)


def test_completed_counts_are_what_was_published(table, fits):
    """Numbers stay, marks become 1 to 5, and known totals are met."""
    for name in ("hidden", "both"):
        counts, lines, _, land = _parts(fits[name])
        made = completed(counts, lines, land, np.random.default_rng(1))
        hidden = counts.kernel >= 0
        assert (made.events[:, ~hidden] == counts.events[~hidden]).all()
        drawn = made.events[:, hidden]
        assert np.isin(drawn, [1, 2, 3, 4, 5]).all()
        assert (drawn.std(axis=0) > 0).any()
        home = land.authority_of_area[counts.area]
        sums = np.stack([np.bincount(home, row) for row in made.events])
        totals = table.groupby("authority")["plans"].sum().to_numpy()
        assert (sums == totals).all() == (name == "both")
    counts, lines, _, land = _parts(fits["totals"])
    made = completed(counts, lines, land, np.random.default_rng(1))
    assert (counts.total_kernel >= 0).all()
    assert made.total.shape == (200, 12)
    assert (np.abs(made.total - totals).max(axis=0) <= 10).all()
    assert (np.abs(made.total - totals).max(axis=0) >= 4).all()


@pytest.mark.parametrize("name", ["hidden", "overdispersed", "both", "totals"])
def test_likelihoods_of_authorities(fits, name):
    """Derivatives against differences, and the integral over effects against a fine grid."""
    counts, _, population, land = _parts(fits[name], 4)
    j, form = next(pair for pair in authority_likelihoods(counts, population, land))
    form = form.at(np.arange(4))
    level, slope = population.level[:, j], population.slope[:, j]
    spread, h = population.overdispersion, 1e-5
    (by_level, by_slope), _ = form.moments(level, slope, spread)
    for step, found in (((h, 0.0), by_level), ((0.0, h), by_slope)):
        up = form.log_likelihood(level + step[0], slope + step[1], spread)
        down = form.log_likelihood(level - step[0], slope - step[1], spread)
        if name != "totals":  # whose matched variance is held while the mean moves
            np.testing.assert_allclose(found, (up - down) / (2 * h), rtol=1e-4, atol=1e-4)
    found = integrated_likelihoods(counts, population, land)
    grid = np.linspace(-7.0, 7.0, 141)
    z0, z1 = grid[:, None, None], grid[None, :, None]
    a, b, c = population.factor
    log_density = form.log_likelihood(
        level + a * z0 + 0.0 * z1, slope + b * z0 + c * z1, spread
    ) - 0.5 * (z0**2 + z1**2)
    by_hand = logsumexp(log_density, axis=(0, 1)) + 2 * np.log(grid[1] - grid[0])
    column = found.authority.tolist().index(j)
    np.testing.assert_allclose(
        found.log_likelihood[:, column], by_hand - np.log(2 * np.pi), atol=2e-3
    )


@pytest.mark.filterwarnings("ignore::socgrad.errors.ConvergenceWarning")  # few draws
def test_scores_are_of_what_was_published(table, fits):
    """The log probability of a mark is that of 1 to 5 events."""
    fit = sg.for_arviz.add_log_likelihood(fits["hidden"])
    values = fit["log_likelihood"]["events"]
    counts, lines, _, land = _parts(fit, values.sizes["chain"] * values.sizes["draw"])
    at = int(np.flatnonzero(counts.kernel >= 0)[4])
    area = counts.area[at]
    j = land.authority_of_area[area]
    rate = lines.level[:, j] + lines.slope[:, j] * land.within_part[area]
    mean = land.exposure[area] * np.exp(rate)
    by_hand = np.log(poisson.pmf(np.arange(1, 6)[:, None], mean).sum(axis=0))
    np.testing.assert_allclose(values.to_numpy().reshape(-1, values.shape[-1])[:, at], by_hand)
    for unit, number in (("area", len(table)), ("authority", 12)):
        scores = sg.leave_out(fit, unit=unit, draws=300)
        assert len(scores.table) == number
        assert np.isfinite(scores.table["elpd"]).all()


@pytest.mark.filterwarnings("ignore::socgrad.errors.ConvergenceWarning")  # few draws
def test_what_has_no_score(fits):
    """With the total known, an area left out is given by the others."""
    with pytest.raises(EstimandError, match=r"total beside counts within bounds.*'authority'"):
        sg.leave_out(fits["both"], unit="area")
    with pytest.raises(EstimandError, match="have no log-likelihood one by one"):
        sg.for_arviz.add_log_likelihood(fits["both"])
    with pytest.raises(EstimandError, match="those alone that are shown"):
        sg.for_arviz.add_posterior_predictive(fits["hidden"])
    assert len(sg.leave_out(fits["both"], draws=200).table) == 12


@pytest.mark.parametrize("name", ["hidden", "both", "totals"])
def test_a_right_model_is_as_expected(fits, name):
    """The statement says how many counts were drawn within their bounds."""
    check = sg.check_fit(fits[name], draws=200)
    assert check.adequate
    held = fits[name]["observed_data"].to_dataset()
    number = held.sizes["bounded_authority" if name == "totals" else "bounded_area"]
    assert f"{number:,} counts are known within bounds only" in check.statement


def test_overdispersion_shows_through_the_marks():
    """Counts that vary by more than chance, 1-5 of them hidden; their own family fits."""
    made = misfit_table(np.random.default_rng(4), overdispersion=0.6).frame
    shown = MARKS.publish(made["events"].to_numpy(), np.random.default_rng(1))
    areas = sg.Areas.from_frame(
        made.assign(events=shown), **COLUMNS, events="events", coarsening=MARKS
    )
    plain = sg.fit(sg.GradientModel(areas), method="laplace", random_seed=1, draws=100)
    with pytest.warns(MisfitWarning, match=r"(?s)negative_binomial.*known within bounds only"):
        check = sg.check_fit(plain, draws=200)
    assert not check.statistics.loc["dispersion", "as_expected"]
    model = sg.GradientModel(areas, family="negative_binomial")
    assert sg.check_fit(sg.fit(model, method="laplace", random_seed=1), draws=200).adequate
