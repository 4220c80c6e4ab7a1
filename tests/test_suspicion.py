"""Counts that someone coarsened without a word: seen at the door, and honest counts are not."""

import warnings

import numpy as np
import pytest

import socgrad as sg
from coarsened_tables import STAGE, WAYS, counted_table, counts_of, door
from socgrad.coarsening import Exact, MidpointRounded, Rounded, Suppressed
from socgrad.coarsening.suspicion import rounded_beside_marks, suspicion
from socgrad.coarsening.suspicion_words import about_coarsening
from socgrad.errors import CoarsenedCountsWarning, MisfitWarning, TableError

LOOKS = {
    "nearest 5": r"looks rounded to 5: all [\d,]+ numbers .* multiples of 5.* to 2\.52 .*1\.94",
    "nearest 10": r"looks rounded to 10",
    "midpoint-6": r"midpoints of steps of 6: the \d+ numbers above zero are 3, 9, 15.* to 1\.44",
    "1-4 set to 0": r"counts of 1-4 had been set to 0: \d+ areas have 0, \d+ have 5 or more",
    "up to 7 set to 0, then nearest 5": r"below 8 had been set to 0 and the others rounded to 5",
    "1-5 written as 3": r"counts of 1-5 had been written as 3: \d+ areas have 3.* to 1\.45",
    "zeros dropped": r"areas without events were not in the table.*how=\"left\"\)\.fillna\(0\)",
    "1-5 missing": r"counts of 1-5 were missing: \d+ areas have no count.*errors=\"coerce\"",
}


@pytest.mark.parametrize("way", list(WAYS))
def test_each_way_is_seen_and_its_declaration_named(way):
    """The warning says what it looks like, what comes of it, and the argument that declares it."""
    change, rule = WAYS[way]
    shown = change(counted_table(2.5, 3))
    with pytest.warns(CoarsenedCountsWarning, match=LOOKS[way]) as caught:
        door(shown)
    text = str(caught[0].message)
    assert "Column 'plan' (events)" in text
    assert "gradient of 1.80" in text
    if rule is not None:
        assert f"coarsening=socgrad.coarsening.{rule!r}" in text
    with warnings.catch_warnings():  # no warning is left where it is said
        warnings.simplefilter("error")
        door(shown, coarsening=Exact())
        if rule is not None:
            assert door(shown, coarsening=rule).within_bounds.any()


@pytest.mark.parametrize("mean", [0.02, 0.3, 2.0, 8.0, 40.0])
def test_honest_counts_are_not_doubted(mean):
    """Rare events, where zeros abound, and common ones, where none occur; also where some miss."""
    for seed, wide in ((1, 0.0), (2, 1.0)):
        frame = counted_table(mean, seed, overdispersion=wide)
        shown, exposure = counts_of(frame)
        assert suspicion(shown, exposure) is None
        gone = np.random.default_rng(seed).random(len(shown)) < 0.15
        assert suspicion(np.where(gone, np.nan, shown), exposure) is None


def test_a_gap_between_none_and_many_is_honest():
    """Areas that cannot have events beside areas that have thirty leave no gap to explain."""
    rng = np.random.default_rng(4)
    shown = np.where(rng.random(600) < 0.6, 0, rng.poisson(30, 600)).astype(np.float64)
    assert suspicion(shown, np.ones(600)) is None


def test_examples_made_by_hand_are_not_doubted():
    """In a few rows any pattern is chance."""
    assert suspicion(np.full(49, 10.0), np.ones(49)) is None
    found = suspicion(np.tile([0.0, 10.0, 20.0, 30.0], 15), np.ones(60))
    assert found.rule == Rounded(10)


def test_marks_that_are_warned_of_are_not_doubted_again():
    """A mark of suppression has its own warning; another mark is named in the declaration."""
    frame = counted_table(2.5, 3)
    marked = frame[STAGE].astype(object).mask(frame[STAGE].between(1, 5), "z")
    with pytest.warns(CoarsenedCountsWarning, match=r"Suppressed\(\{'z': \(1, 5\)\}\)"):
        door(frame.assign(**{STAGE: marked}))


@pytest.mark.parametrize(("rule", "least"), [(Rounded(5), 5), (MidpointRounded(6), 7)])
def test_numbers_beside_declared_marks_are_looked_at_too(rule, least):
    """Counts below are hidden and the others rounded: one declaration has both."""
    frame = counted_table(6.0, 3)
    shown = frame[STAGE].astype(object)
    large = shown >= least
    shown[large] = rule.publish(shown[large].to_numpy(dtype=np.int64), np.random.default_rng(1))
    frame = frame.assign(**{STAGE: shown.mask(frame[STAGE].between(1, least - 1), "c")})
    marks = {"c": (1, least - 1)}
    with pytest.warns(CoarsenedCountsWarning, match="beside its marks, looks rounded to") as caught:
        door(frame, coarsening=Suppressed(marks))
    said = f"Suppressed({marks!r}, others=socgrad.coarsening.{rule!r})"
    assert f"coarsening=socgrad.coarsening.{said}" in str(caught[0].message)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert door(frame, coarsening=Suppressed(marks, others=rule)).within_bounds.any()


@pytest.mark.parametrize("mean", [0.3, 2.0, 8.0, 40.0])
def test_honest_counts_beside_marks_are_not_doubted(mean):
    """Many or few are shown, and what is missing between says nothing of them."""
    for seed in (1, 2, 3):
        frame = counted_table(mean, seed, overdispersion=0.5)
        shown, exposure = counts_of(frame)
        hidden = (shown > 0) & (shown < 5)
        assert rounded_beside_marks(np.where(hidden, np.nan, shown), exposure) is None


def test_a_mark_in_a_rounded_column_is_declared_with_the_rounding():
    """What was said of the numbers stays said where the refusal shows how to declare the mark."""
    frame = counted_table(2.5, 3)
    marked = Rounded(5).publish(frame[STAGE].to_numpy(), np.random.default_rng(1)).astype(object)
    marked[frame[STAGE].between(1, 4)] = "c"
    match = r"Suppressed\(\{'c': \(1, 5\)\}, others=socgrad\.coarsening\.Rounded\(5\)\)"
    with pytest.raises(TableError, match=match):
        door(frame.assign(**{STAGE: marked}), coarsening=Rounded(5), missing_events="refuse")


def test_numbers_beyond_a_hundred_tell_by_their_multiples():
    """Where counts are large, rounding is seen by what all of them have in common."""
    rng = np.random.default_rng(5)
    counts = rng.poisson(400, 80)
    assert suspicion(counts.astype(float), np.ones(80)) is None
    for rule in (Rounded(5), Rounded(10)):
        found = suspicion(rule.publish(counts, rng).astype(float), np.ones(80))
        assert found.rule == rule
        # Each multiple has as many counts behind it as the base.
        assert found.evidence.any_mixture == pytest.approx(80 * np.log(rule.to), rel=0.1)
    assert "400" not in about_coarsening(found, "It")


def test_midpoints_are_told_from_multiples():
    """3, 9 and 15 are multiples of 3, and midpoints of 6."""
    counts = np.random.default_rng(6).poisson(4, 300)
    shown = MidpointRounded(6).publish(counts, np.random.default_rng(1)).astype(float)
    assert suspicion(shown, np.ones(300)).rule == MidpointRounded(6)
    hidden = np.where((counts > 0) & (counts < 4), np.nan, counts)
    assert suspicion(hidden, np.ones(300)).rule == Suppressed({"": (1, 3)})


def test_check_fit_repeats_it_before_it_advises():
    """Rounded counts look overdispersed and bent, and no other model is the remedy."""
    areas = door(WAYS["nearest 5"][0](counted_table(2.5, 3)), coarsening=Exact())
    fit = sg.fit(sg.GradientModel(areas), random_seed=1)
    with pytest.warns(
        MisfitWarning, match=r"The column of events looks rounded to 5.*Rounded\(5\)"
    ):
        text = sg.check_fit(fit, random_seed=1).statement
    assert text.index("looks rounded to 5") < text.index("Fit shape='spline' before")
