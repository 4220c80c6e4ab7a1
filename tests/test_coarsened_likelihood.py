"""What is published of counts as a likelihood: row by row, under totals, and in fits."""

import itertools

import numpy as np
import pandas as pd
import pytest
from numpy.polynomial import polynomial
from scipy.special import gammaln, logsumexp
from scipy.stats import nbinom, poisson

import socgrad as sg
from coarsened_tables import COLUMNS, MARKS
from misfit_tables import misfit_table
from socgrad.coarsening import Rounded
from socgrad.errors import PriorWarning, SpecificationError
from socgrad.laplace import preparation
from socgrad.laplace.coarsened_rows import CoarsenedRows
from socgrad.laplace.coarsened_totals import CoarsenedTotals
from socgrad.laplace.compiled_polynomials import derivatives, values
from socgrad.laws.coarsened import kernel_terms
from socgrad.laws.constrained import log_constants
from socgrad.laws.kernels import OPEN, Kernels
from socgrad.model.compression import likelihood_data

NONE = np.zeros(0)
THREES = np.array([1.0, 2.0, 3.0, 2.0, 1.0]) / 3.0


def terms(low, high, weight, eta, r):
    """Value and derivatives of one kernel."""
    found = np.zeros(7)
    kernel_terms(low, high, weight, 0 if len(weight) else -1, eta, r, True, found)
    return found


@pytest.mark.parametrize("r", [0.0, 0.04, 2.0])
@pytest.mark.parametrize("eta", [-3.0, 0.5, 6.0])
@pytest.mark.parametrize(
    ("low", "high", "weight"),
    [(1, 5, NONE), (0, 4, NONE), (1, 5, THREES), (6, OPEN, NONE), (100, 300, NONE), (7, 7, NONE)],
)
def test_kernels_are_sums_of_probabilities(low, high, weight, eta, r):
    """Against SciPy; derivatives by the log mean and the log of r, against differences."""
    mean = np.exp(eta)
    top = high if high != OPEN else int(low + mean + 60 * np.sqrt(mean * (1 + r * mean)) + 200)
    count = np.arange(low, top + 1)
    own = poisson(mean) if r == 0 else nbinom(1 / r, 1 / (1 + r * mean))
    logs = own.logpmf(count) + (np.log(weight) if len(weight) else 0.0)
    found = terms(low, high, weight, eta, r)
    assert found[0] == pytest.approx(logsumexp(logs), rel=1e-9)
    h = 1e-4
    up, down = terms(low, high, weight, eta + h, r), terms(low, high, weight, eta - h, r)
    np.testing.assert_allclose(found[1:4], (up - down)[:3] / (2 * h), rtol=1e-6, atol=1e-6)
    if r:
        ends = (terms(low, high, weight, eta, r * np.exp(step)) for step in (h, -h))
        up, down = ends
        np.testing.assert_allclose(found[4:], (up - down)[:3] / (2 * h), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("kernel", "total"), [([0, 0, 2], 7), ([0, 1, 1, 2], 9), ([3, 0, 2], 6), ([0, 0], 10), ([0], 1)]
)
def test_counts_of_a_known_sum(kernel, total):
    """Against a sum over all counts that are possible; corners included."""
    kernels = Kernels(
        np.array([1, 0, 0, 1]), np.array([5, OPEN, 4, 5]), np.array([-1, -1, -1, 0]), THREES
    )
    rng = np.random.default_rng(1)
    within, log_exposure = rng.normal(size=(2, len(kernel)))
    slope = 0.7
    first = np.array([0, len(kernel)])
    rows = first, np.array(kernel), within, log_exposure
    found, exact = log_constants(kernels, rows, np.array([total]), np.array([[slope]]))
    ends = [(kernels.low[k], total if kernels.high[k] == OPEN else kernels.high[k]) for k in kernel]
    logs = []
    for counts in itertools.product(*(range(low, high + 1) for low, high in ends)):
        if sum(counts) == total:
            k = np.array(counts)
            weight = [THREES[c - 1] if own == 3 else 1.0 for c, own in zip(k, kernel, strict=True)]
            eta = log_exposure + slope * within
            logs.append(np.sum(k * eta - gammaln(k + 1) + np.log(weight)))
    assert found[0, 0] == pytest.approx(logsumexp(logs), abs=1e-9)
    assert exact.all()


@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
def test_sums_of_many_counts_are_near_enough(share):
    """Against a convolution of every area's chances: by the saddlepoint, or exact near corners."""
    areas = 400
    kernels = Kernels(np.array([1]), np.array([5]), np.array([-1]), NONE)
    rng = np.random.default_rng(2)
    within, log_exposure = rng.normal(size=areas), np.log(rng.uniform(0.5, 4.0, areas))
    total = int(areas * (1 + 4 * share))
    rows = np.array([0, areas]), np.zeros(areas, dtype=np.int64), within, log_exposure
    slope = 0.4
    found, exact = log_constants(kernels, rows, np.array([total]), np.array([[slope]]))
    assert bool(exact[0]) == (share > 0.99)
    count = np.arange(1, 6)
    # Any tilt gives the same: this one keeps the chance of the total from vanishing.
    tilt = {0.3: 0.0, 0.9: 2.0, 0.999: 7.0}[share]
    eta = log_exposure + slope * within + tilt
    logs = count * eta[:, None] - gammaln(count + 1)
    scale = logsumexp(logs, axis=1)
    chance = np.ones(1)
    for own in np.exp(logs - scale[:, None]):
        chance = np.convolve(chance, own)
    expected = np.log(chance[total - areas]) + scale.sum() - total * tilt
    assert found[0, 0] == pytest.approx(expected, abs=1e-3)


@pytest.fixture(scope="module")
def table():
    """Plans of 30 authorities as counted, and as an agency would publish them."""
    frame = sg.simulate(authorities=30, areas=1500, random_seed=3).frame
    plans = frame["child_protection_plan"].to_numpy()
    hidden = np.where((plans >= 1) & (plans <= 5), "c", plans.astype(str))
    five = (np.floor(plans / 5 + 0.5) * 5).astype(int)
    return frame.assign(plans=plans, hidden=hidden, five=five)


@pytest.fixture(scope="module")
def fits(table):
    """Of counts as counted, suppressed, suppressed beside totals, and rounded."""
    totals = table.groupby("authority")["plans"].sum()
    doors = {
        "counted": {"events": "plans"},
        "hidden": {"events": "hidden", "coarsening": MARKS},
        "beside totals": {"events": "hidden", "coarsening": MARKS, "totals": totals},
        "rounded": {"events": "five", "coarsening": Rounded(5)},
    }
    models = {
        name: sg.GradientModel(sg.Areas.from_frame(table, **COLUMNS, **door))
        for name, door in doors.items()
    }
    return {name: sg.fit(model, method="laplace", random_seed=1) for name, model in models.items()}


@pytest.mark.parametrize("name", ["hidden", "beside totals", "rounded"])
def test_hidden_counts_give_the_gradient_back(fits, name):
    """Within one sd of all counts, where leaving counts out is off by more than ten."""
    whole, own = fits["counted"]["posterior"], fits[name]["posterior"]
    sd = float(whole["within"].std())
    assert float(own["within"].mean()) == pytest.approx(float(whole["within"].mean()), abs=sd)
    assert 0.8 * sd < float(own["within"].std()) < 1.5 * sd
    assert fits[name].attrs["pareto_k"] < 0.6


def test_totals_give_levels_back(fits):
    """What suppression loses of the intercept, totals of authorities bring back."""
    sd = {name: float(fit["posterior"]["intercept"].std()) for name, fit in fits.items()}
    assert sd["beside totals"] < 1.03 * sd["counted"]
    assert sd["hidden"] > 1.05 * sd["counted"]


def test_what_bounds_cannot_have(table):
    """Refused by the model, with the reason and what to do."""
    totals = table.groupby("authority")["plans"].sum()
    door = {**COLUMNS, "events": "hidden", "coarsening": MARKS}
    both = sg.Areas.from_frame(table, **door, totals=totals)
    with pytest.raises(SpecificationError, match=r"depends on more.*Leave out the totals"):
        sg.GradientModel(both, family="negative_binomial")
    with pytest.raises(SpecificationError, match=r"depends on more.*Leave out the totals"):
        sg.GradientModel(both, shape="spline")
    local = table.assign(msoa=table["authority"] + "-" + (table.index // 5).astype(str))
    areas = sg.Areas.from_frame(local, **door, totals=totals, locality="msoa")
    with pytest.raises(SpecificationError, match=r"the model has localities.*depends on more"):
        sg.GradientModel(areas, localities=True)


@pytest.mark.parametrize("overdispersion", [0.0, 0.4])
def test_totals_within_bounds_by_hand(table, overdispersion):
    """The chance of 1 to 5 events of a whole authority, matched in mean and variance."""
    totals = table.groupby("authority")["plans"].sum().astype(object)
    hidden = totals.index[3]
    totals[hidden] = "c"
    areas = sg.Areas.from_frame(table, **COLUMNS, totals=totals, totals_coarsening=MARKS)
    family = "negative_binomial" if overdispersion else "poisson"
    prior = sg.Priors(within=sg.rate_ratio(1.8, interval=(1.65, 1.96)))
    with pytest.warns(PriorWarning):
        model = sg.GradientModel(areas, family=family, priors=prior)
    made = CoarsenedTotals.of(likelihood_data(model), is_poisson=not overdispersion)
    assert areas.authority[made.authority].tolist() == [hidden]
    level, slope = np.array([[-9.0]]), np.array([[0.6]])
    given = made.given(np.array([[overdispersion]]))
    own = areas.authority_of_area == 3
    mean = areas.exposure[own] * np.exp(level[0, 0] + slope[0, 0] * model.within_part[own])
    expected, r = mean.sum(), overdispersion**2 * (mean**2).sum() / mean.sum() ** 2
    law = poisson(expected) if r == 0 else nbinom(1 / r, 1 / (1 + r * expected))
    by_hand = np.log(law.pmf(np.arange(1, 6)).sum())
    found = given.grid(level[None], np.zeros((1, 1, 1)), slope[None])[0, 0, 0, 0]
    assert found == pytest.approx(by_hand, rel=1e-6)


def test_graphs_refuse_bounds(table):
    """Of totals, which they would leave out in silence; of areas they take them, in strata, too."""
    door = {"events": "hidden", "coarsening": MARKS}
    totals = table.groupby("authority")["plans"].sum().astype(object)
    totals[totals.index[3]] = "c"
    areas = sg.Areas.from_frame(table, **COLUMNS, totals=totals, totals_coarsening=MARKS)
    model = sg.GradientModel(areas, priors=sg.published.priors("child_protection_plan"))
    with pytest.raises(
        SpecificationError, match=r"poisson coarsened totals, for which there is no graph in PyMC"
    ):
        sg.pymc_model(model)
    strata = sg.Strata.from_long(
        pd.concat([table.assign(group=label) for label in ("a", "b", "c")]),
        stratum="group",
        children_of="area",
        **COLUMNS,
        **door,
    )
    joint = sg.StratifiedModel(strata, authority_effects="joint")
    assert sg.pymc_model(joint).potentials


def test_what_a_total_says_is_tabulated_to_a_stated_error(table):
    """The error of the table goes with the likelihood data."""
    totals = table.groupby("authority")["plans"].sum()
    door = {**COLUMNS, "events": "hidden", "coarsening": MARKS}
    areas = sg.Areas.from_frame(table, **door, totals=totals)
    assert 0 < likelihood_data(sg.GradientModel(areas)).attrs["constraint_error"] < 2e-3


@pytest.fixture(scope="module")
def overdispersed():
    """Overdispersed counts, all of them rounded: nothing is known exactly."""
    made = misfit_table(np.random.default_rng([2026, 13, 1, 1]), overdispersion=0.4).frame
    rule = Rounded(5)
    shown = rule.publish(made["events"].to_numpy(), np.random.default_rng(1))
    areas = sg.Areas.from_frame(
        made.assign(events=shown), **COLUMNS, events="events", coarsening=rule
    )
    return sg.GradientModel(areas, family="negative_binomial")


def test_overdispersion_without_a_count_that_is_known(overdispersed):
    """The truth is 0.4; moments of counts that are known, of which there are none, gave 0.19."""
    fit = sg.fit(overdispersed, method="laplace", random_seed=1, draws=250)
    assert fit.attrs["pareto_k"] < 0.6
    spread = fit["posterior"]["overdispersion"]
    assert abs(float(spread.mean()) - 0.4) < 2.5 * float(spread.std())
    assert float(spread.std()) > 0.02


def test_a_mode_at_the_edge_of_a_table_is_none(overdispersed, monkeypatch):
    """From a wrong start the search goes on; it gave draws about the edge of its table, 0.14."""
    monkeypatch.setattr(CoarsenedRows, "squared_variation", lambda *_: 0.0)
    fit = sg.fit(overdispersed, method="laplace", random_seed=1, draws=250)
    spread = fit["posterior"]["overdispersion"]
    assert abs(float(spread.mean()) - 0.4) < 2.5 * float(spread.std())
    # Where it would never arrive, it says so.
    monkeypatch.setattr(preparation, "is_at_edge", lambda *_: False)
    with pytest.raises(SpecificationError, match="moved out of what was tabulated"):
        sg.fit(overdispersed, method="laplace", random_seed=1, draws=250)


def test_overdispersion_beyond_the_first_table():
    """Moments say 0.16, the likelihood 0.41; at the first table's edge the sd was 0.007."""
    made = misfit_table(np.random.default_rng([2026, 13, 1, 0]), overdispersion=0.4).frame
    areas = sg.Areas.from_frame(made, **COLUMNS, events="events")
    model = sg.GradientModel(areas, family="negative_binomial")
    fit = sg.fit(model, method="laplace", random_seed=1, draws=250)
    assert fit.attrs["pareto_k"] < 0.6
    spread = fit["posterior"]["overdispersion"]
    assert abs(float(spread.mean()) - 0.4) < 2.5 * float(spread.std())
    assert 0.02 < float(spread.std()) < 0.04


def test_a_table_does_not_rise_far_out():
    """Along tangents alone this one had a second mode 20 sds away, and k-hat 3.4."""
    made = misfit_table(np.random.default_rng([2026, 13, 1, 36]), overdispersion=0.4).frame
    hidden = sg.coarsening.Suppressed({"c": (0, 4)})
    shown = hidden.publish(made["events"].to_numpy(), np.random.default_rng(36))
    areas = sg.Areas.from_frame(
        made.assign(events=shown), **COLUMNS, events="events", coarsening=hidden
    )
    model = sg.GradientModel(areas, family="negative_binomial")
    fit = sg.fit(model, method="laplace", random_seed=36, draws=250)
    assert fit.attrs["pareto_k"] < 0.6
    assert float(fit["posterior"]["slope_sd"].mean()) == pytest.approx(0.12, abs=0.06)


def test_a_parabola_goes_on_as_it_is():
    """-2 s^2 + s u - u^2 - u, far beyond -1 to 1 as inside."""
    coefficients = np.zeros((3, 3, 1, 1))
    coefficients[2, 0], coefficients[1, 1] = -2.0, 1.0
    coefficients[0, 2], coefficients[0, 1] = -1.0, -1.0
    along = np.array([-5.0, -0.5, 3.0])[:, None, None]
    up = np.tile(np.array([-4.0, 0.2, 2.0, 30.0])[:, None, None], (3, 1, 1, 1))
    exact = -2 * along[:, None] ** 2 + along[:, None] * up - up**2 - up
    np.testing.assert_allclose(values(coefficients, along, up), exact, rtol=1e-12)
    # Curvature upwards is left out: u^2 + s^2 goes on along its tangents.
    upwards = np.zeros((3, 3, 1, 1))
    upwards[2, 0] = upwards[0, 2] = 1.0
    at_three = np.full((1, 1, 1), 3.0)
    assert values(upwards, at_three, at_three[None]).item() == pytest.approx(2 + 2 * 2 * 2)


def test_compiled_polynomials_are_those_of_numpy():
    """Inside the box and expanded beyond it, with one layer of coefficients and with many."""
    rng = np.random.default_rng(4)
    for layers in (1, 6):
        coefficients = rng.standard_normal((5, 7, layers, 3))

        def at(s, u, *orders, coefficients=coefficients):
            """A derivative of every polynomial, by NumPy's class of them."""
            for axis, order in enumerate(orders):
                coefficients = polynomial.polyder(coefficients, order, axis=axis)
            each = np.broadcast_to(coefficients, (*coefficients.shape[:2], 6, 3))
            found = np.empty(u.shape)
            for place in np.ndindex(u.shape):
                here = place[:1] + place[-2:]
                found[place] = polynomial.polyval2d(
                    np.broadcast_to(s, u.shape)[place], u[place], each[:, :, here[-2], here[-1]]
                )
            return found

        along, up = 1.3 * rng.standard_normal((2, 6, 3)), 1.3 * rng.standard_normal((2, 4, 6, 3))
        s, u = np.clip(along, -1, 1)[:, None], np.clip(up, -1, 1)
        steep, far = along[:, None] - s, up - u
        wanted = at(s, u) + far * (at(s, u, 0, 1) + 0.5 * far * np.minimum(at(s, u, 0, 2), 0.0))
        wanted += steep * (at(s, u, 1, 0) + far * at(s, u, 1, 1))
        wanted += 0.5 * steep**2 * np.minimum(at(s, u, 2, 0), 0.0)
        np.testing.assert_allclose(values(coefficients, along, up), wanted, rtol=1e-9)
        s, u = s[0, 0], u[0, 0]
        orders = ((0, 1), (1, 0), (0, 2), (1, 1), (2, 0), (2, 1))
        wanted = np.stack([at(s, u, *each) for each in orders])
        found = derivatives(coefficients, s, u)
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9)
        if layers == 1:
            np.testing.assert_array_equal(derivatives(coefficients, s[:1], u[:1]), found[:, :1])


def test_totals_that_say_nothing_leave_what_others_say():
    """Of twenty totals three are "10+", where hundreds are expected, and one is a blank."""
    table = sg.simulate(authorities=20, areas=600, random_seed=1).frame
    totals = table.groupby("authority")["referral"].sum()
    shown = totals.astype(object)
    shown.iloc[[0, 3, 7]], shown.iloc[5] = "10+", "c"
    rule = sg.coarsening.Suppressed(
        {"10+": (10, None), "c": (0, None)}, others=sg.coarsening.Exact()
    )
    places = table[["area", "authority", "deprivation", "children"]]
    door = {name: name for name in places} | {"complete": True}
    priors = sg.Priors(
        within=sg.Normal(0.5, 0.05),
        cross_level=sg.Normal(-0.05, 0.05),
        slope_sd=sg.PositiveNormal(0.12, 0.03),
    )
    models = [
        sg.GradientModel(sg.Areas.from_frame(places, **door, **given), priors=priors)
        for given in (
            {"totals": shown, "totals_coarsening": rule},
            {"totals": totals.drop(totals.index[[0, 3, 5, 7]]), "missing_events": "leave out"},
        )
    ]
    fits = [sg.fit(each, method="laplace", draws=500, random_seed=1) for each in models]
    for name in ("intercept", "level_sd", "within"):
        one, other = (each["posterior"][name] for each in fits)
        assert abs(float(one.mean() - other.mean())) < 0.15 * float(other.std()), name
