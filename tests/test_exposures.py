"""Exposures other than children: closed cases, months open, plans, the stage before.

Each on a simulated table: the gradient that it was made with is found again, areas without exposure
leave the likelihood and stay in the means, and the inverse-intervention contrast works.
"""

import numpy as np
import pytest

from socgrad.estimands.contextual import inverse_intervention
from socgrad.estimands.durations import duration_ratio
from socgrad.estimands.gradients import gradient
from socgrad.estimands.group_rates import authority_rate, rate_by_group
from socgrad.fitting import fit
from socgrad.model.gradient_model import GradientModel
from socgrad.reading.geography import geography
from socgrad.table.areas import Areas
from socgrad.tables.summaries import summarise
from strata_tables import ROLES, stage_frame, stage_strata

# A dozen authorities of thirty areas back few points of a contextual contrast.
pytestmark = pytest.mark.filterwarnings("ignore::socgrad.errors.SupportWarning")

# Log rate ratio per 10 points within and between authorities, of all events below.
WITHIN, BETWEEN = 0.25, 0.05


def parts():
    """Within and between parts of the stages' table, and its frame."""
    frame = stage_frame().copy()
    weight = frame["children"]
    weighted = (frame["deprivation"] * weight).groupby(frame["authority"]).sum()
    means = frame["authority"].map(weighted / weight.groupby(frame["authority"]).sum())
    national = np.average(frame["deprivation"], weights=weight)
    return frame, (frame["deprivation"] - means) / 0.1, (means - national) / 0.1


def counted(exposure, *, rate, seed):
    """Events on an exposure, with the gradient above, and whatever the children are."""
    frame, w, b = parts()
    rng = np.random.default_rng(seed)
    log_rate = np.log(rate) + WITHIN * w + BETWEEN * b
    base = exposure(frame, rng)
    return frame.assign(base=base, events=rng.poisson(base * np.exp(log_rate)))


def fitted(frame):
    """Fit events on the column `base`, areas without any left out of the likelihood."""
    areas = Areas.from_frame(
        frame, **ROLES, events="events", exposure="base", zero_exposure="leave out"
    )
    return areas, fit(GradientModel(areas), method="laplace", random_seed=8)


def closed_cases(frame, rng):
    """Cases closed in the year: some areas have none."""
    return rng.binomial(frame["referral"], 0.4)


def months_open(frame, rng):
    """Child-months, which are no whole numbers."""
    return np.round(rng.gamma(4.0, 2.0, len(frame)) * (frame["referral"] > 2), 1)


def plans(frame, rng):
    """Plans started, of which few are in many areas."""
    return rng.binomial(frame["referral"], 0.25)


@pytest.mark.parametrize(
    ("exposure", "rate", "seed"),
    [(closed_cases, 0.25, 1), (months_open, 0.3, 2), (plans, 0.4, 3)],
    ids=["re-referrals", "closures", "repeat plans"],
)
def test_events_on_another_exposure(exposure, rate, seed):
    """The gradient of the rate is found; children weight the means; idle areas stay in them."""
    frame = counted(exposure, rate=rate, seed=seed)
    areas, tree = fitted(frame)
    idle = areas.exposure == 0
    assert idle.sum() > 0
    steps = areas.report.set_index("step")["rows"]
    assert steps["left out: no exposure"] == idle.sum()
    assert steps["kept for the means"] == len(frame)
    np.testing.assert_array_equal(areas.authority_mean, stage_strata()["referral"].authority_mean)
    np.testing.assert_array_equal(geography(tree).has_data, ~idle)

    # Four posterior standard deviations: one replicate, fixed seed.
    log = np.log(gradient(tree))
    assert abs(float(log.mean()) - WITHIN) < 4 * float(log.std())
    assert float(log.std()) < 0.1
    inverse = inverse_intervention(tree)
    expected = BETWEEN - WITHIN
    off = np.log(inverse.isel(deprivation=1))
    assert abs(float(off.mean()) - expected) < 4 * float(off.std())
    # Rates are per exposure: events over exposure, as they were counted.
    crude = frame["events"].sum() / frame["base"].sum()
    rates = rate_by_group(tree, groups=2, rate_per=1).median(("chain", "draw"))
    assert float(rates.min()) < crude < float(rates.max())
    assert authority_rate(tree).sizes["authority"] == 12


def test_slower_closures_are_longer_involvement():
    """A closure rate that rises with deprivation is a duration that falls, by its inverse."""
    _, tree = fitted(counted(months_open, rate=0.3, seed=2))
    longer = summarise(duration_ratio(gradient(tree)))
    assert longer.index[0][0] == "duration_gradient"
    assert longer["estimate"].item() == pytest.approx(np.exp(-WITHIN), abs=0.1)
    assert longer["upper"].item() < 1


def test_assessments_on_referrals():
    """Of the stage before, the gradient is that of the decision; nobody there, nothing decided."""
    strata = stage_strata(exposure="previous stage")
    tree = fit(GradientModel(strata["assessment"]), method="laplace", random_seed=8)
    # The table of stages was made with 0.10 per 10 points of raw deprivation.
    log = np.log(gradient(tree))
    assert abs(float(log.mean()) - 0.10) < 4 * float(log.std())
    even = np.log(inverse_intervention(tree).isel(deprivation=1))
    assert abs(float(even.mean())) < 4 * float(even.std())
