"""Single cases of the simulated England: each child's case flows through the stages."""

from dataclasses import dataclass

import numpy as np

from socgrad.arrays import BoolArray, FloatArray, IntArray
from socgrad.simulation.expected import MONTHS, Expected
from socgrad.simulation.groups import CATEGORY_OF_NEED, level_shares

__all__ = ["Cases", "Episodes", "draw_closures", "draw_episodes", "draw_new", "draw_stages"]


@dataclass(frozen=True, eq=False)
class Cases:
    """Cases with the child's area, age, ethnicity and need, as positions, (cases,) each."""

    area: IntArray
    age: IntArray
    ethnicity: IntArray
    need: IntArray

    def __len__(self) -> int:
        return len(self.area)

    def keep(self, which: BoolArray) -> "Cases":
        """Return the cases where `which` is true."""
        return Cases(*(values[which] for values in vars(self).values()))

    def with_more(self, other: "Cases") -> "Cases":
        """Return these cases, then the other ones."""
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return Cases(*(np.concatenate(pair) for pair in pairs))


@dataclass(frozen=True, eq=False)
class Episodes:
    """Cases open at some time of the year, (cases,) each."""

    cases: Cases
    open_before: BoolArray
    months_open: FloatArray
    closed: BoolArray


def _draw(expected: Expected, stage: str, factor: FloatArray, rng: np.random.Generator) -> Cases:
    """Draw as many cases as a stage has, times a factor of each area, (n,)."""
    rate = expected.area_rate(stage, effects=True) * factor
    mean = expected.mix(stage, ("age", "ethnicity")) * rate[:, None, None]
    counts = rng.poisson(mean)
    cells = np.repeat(np.arange(counts.size), counts.ravel())
    area, age, ethnicity = np.unravel_index(cells, counts.shape)
    chance = np.cumsum(expected.relative(stage, "need"), axis=1)
    chance /= chance[:, -1:]
    uniform = rng.random(len(cells))
    need = (uniform[:, None] > chance[area, :-1]).sum(axis=1)
    return Cases(area, age, ethnicity, need)


def _chance(expected: Expected, stage: str, cases: Cases) -> FloatArray:
    """Probability that each case of the stage before goes on to this one; above 1 if too high."""
    before = expected.previous[stage]
    assert before is not None
    own, earlier = (expected.area_rate(name, effects=True) for name in (stage, before))
    chance: FloatArray = (own / earlier)[cases.area]
    for dimension in ("age", "ethnicity", "need"):
        levels = [level_shares(name, dimension, expected.previous) for name in (stage, before)]
        if expected.grouped or dimension == "need":
            chance *= np.exp(levels[0] - levels[1])[getattr(cases, dimension)]
    return chance


def draw_closures(expected: Expected, rng: np.random.Generator) -> tuple[Cases, BoolArray]:
    """Draw the cases closed in the year before, and which are referred again within 12 months."""
    closures = _draw(expected, "child_in_need", np.ones(len(expected.relief)), rng)
    chance = expected.returns["rereferral"].rate(expected.parts, effects=True)
    return closures, rng.random(len(closures)) < chance[closures.area]


def draw_new(expected: Expected, rng: np.random.Generator) -> Cases:
    """Draw the referrals that do not follow a case closed in the year before.

    With those that do, they are as many as the line of referrals says: a Poisson number of all
    referrals, less the share that is expected to have come back.
    """
    cases = _draw(expected, "referral", np.ones(len(expected.relief)), rng)
    share = expected.returns["rereferral"].rate(expected.parts, effects=True)[cases.area]
    stage: str | None = "child_in_need"
    while stage is not None and expected.previous[stage] is not None:
        share = share * _chance(expected, stage, cases)
        stage = expected.previous[stage]
    return cases.keep(rng.random(len(cases)) >= share)


def draw_stages(
    expected: Expected, referrals: Cases, rng: np.random.Generator
) -> tuple[dict[str, BoolArray], IntArray, dict[str, float]]:
    """Draw which referrals reach each stage, plans' category of abuse, and what a cap cost.

    Returns
    -------
    tuple
        Whether each referral reaches a stage, is a repeat plan; category of abuse of each plan, -1
        for the others; share of each stage's expected events lost to a probability above 1.
    """
    reached: dict[str, BoolArray] = {}
    capped: dict[str, float] = {}
    for stage, before in expected.previous.items():
        if before is None:
            reached[stage] = np.ones(len(referrals), dtype=bool)
            continue
        chance = np.where(reached[before], _chance(expected, stage, referrals), 0.0)
        capped[stage] = float(np.maximum(chance - 1, 0).sum() / chance.sum())
        reached[stage] = rng.random(len(referrals)) < chance
    plans = reached["child_protection_plan"]
    repeat = expected.returns["repeat_plan"].rate(expected.parts, effects=True)
    reached["repeat_plan"] = plans & (rng.random(len(referrals)) < repeat[referrals.area])
    limits = np.cumsum(CATEGORY_OF_NEED, axis=1)[:, :-1]
    category = np.full(len(referrals), -1)
    needs = referrals.need[plans]
    category[plans] = (rng.random(len(needs))[:, None] > limits[needs]).sum(axis=1)
    return reached, category, capped


def draw_episodes(expected: Expected, started: Cases, rng: np.random.Generator) -> Episodes:
    """Draw the cases open when the year begins, and how long they and the new ones stay open."""
    closing = expected.returns["closed"].rate(expected.parts, effects=True)
    stock = _draw(expected, "child_in_need", 1 / (MONTHS * closing), rng)
    cases = stock.with_more(started)
    before = np.arange(len(cases)) < len(stock)
    left = MONTHS * np.where(before, 1.0, rng.random(len(cases)))
    length = rng.exponential(1 / closing[cases.area])
    return Episodes(cases, before, np.minimum(length, left), length < left)
