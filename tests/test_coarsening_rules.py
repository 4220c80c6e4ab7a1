"""Rules of suppression and rounding: what a shown number says of its count."""

import numpy as np
import pytest

from socgrad.coarsening import (
    Bounds,
    CoarsenedCounts,
    Exact,
    Kernel,
    MidpointRounded,
    Rounded,
    Suppressed,
)
from socgrad.errors import TableError

RULES = [
    Exact(),
    Rounded(5),
    Rounded(5, how="up"),
    Rounded(5, how="down"),
    Rounded(3, how="random"),
    Rounded(10),
    Rounded(10, ties="down"),
    Rounded(10, ties="even"),
    Rounded(10, ties="unknown"),
    Rounded(5, below=8),
    Rounded(1, below=5),
    Rounded(2, how="random", below=4),
    MidpointRounded(6),
    MidpointRounded(5),
    Suppressed({"c": (1, 5)}),
    Suppressed({"c": (0, 4)}, others=Rounded(5)),
    Suppressed({"*": (1, 7)}, others=Rounded(10, ties="unknown")),
    Suppressed({"*": (1, 3)}, others=Rounded(3, how="random")),
]


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_a_kernel_is_the_chance_of_what_is_published(rule):
    """Published again and again, each count shows each number as often as its kernel says."""
    rng = np.random.default_rng(7)
    times = 4000
    for count in range(31):
        shown = rule.publish(np.full(times, count), rng)
        values, often = np.unique([-1 if s in ("c", "*") else s for s in shown], return_counts=True)
        total = 0.0
        for value, number in zip(values.tolist(), often.tolist(), strict=True):
            if value < 0:
                assert any(low <= count <= high for low, high in rule.hidden)
                total += number / times
                continue
            kernel = rule.kernel(value)
            weight = 1.0 if kernel.weight is None else kernel.weight[count - kernel.low]
            assert kernel.low <= count <= kernel.high
            assert number / times == pytest.approx(weight, abs=0.04)
            total += weight
        assert total == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_kernels_leave_nothing_out(rule):
    """Over all numbers that can be shown, the chances of a count that is not hidden add up to 1."""
    chance = np.zeros(60)
    for shown in range(130):
        kernel = rule.kernel(shown)
        if kernel is None:
            continue
        own = np.arange(kernel.low, kernel.high + 1)
        weight = np.ones(len(own)) if kernel.weight is None else np.array(kernel.weight)
        assert weight[0] > 0
        assert weight[-1] > 0
        chance[own[own < 60]] += weight[own < 60]
    for low, high in getattr(rule, "hidden", []):
        assert not chance[low : high + 1].any()
        chance[low : high + 1] = 1
    np.testing.assert_allclose(chance, 1, atol=1e-12)


def test_kernels_by_hand():
    """Nearest 5, midpoint-6, up to 7 to 0 and then nearest 5, random 4, ties of 10."""
    assert Rounded(5).kernel(10) == Kernel(8, 12)
    assert Rounded(5).kernel(0) == Kernel(0, 2)
    assert Rounded(5).kernel(7) is None
    assert [MidpointRounded(6).kernel(n) for n in (0, 3, 9, 6)] == [
        Kernel(0, 0), Kernel(1, 6), Kernel(7, 12), None,
    ]  # fmt: skip
    assert [Rounded(5, below=8).kernel(n) for n in (0, 5, 10)] == [
        Kernel(0, 7), None, Kernel(8, 12),
    ]  # fmt: skip
    weight = (0.25, 0.5, 0.75, 1.0, 0.75, 0.5, 0.25)
    assert Rounded(4, how="random").kernel(4) == Kernel(1, 7, weight)
    assert Rounded(10).kernel(10) == Kernel(5, 14)
    assert Rounded(10, ties="down").kernel(10) == Kernel(6, 15)
    assert Rounded(10, ties="even").kernel(10) == Kernel(6, 14)
    assert Rounded(10, ties="even").kernel(20) == Kernel(15, 25)
    assert Rounded(10, ties="unknown").kernel(0) == Kernel(0, 5, (1.0,) * 5 + (0.5,))


def test_even_ties_are_those_of_numpy():
    """np.round sends halves to the even multiple, as ties='even' does."""
    count = np.arange(200)
    shown = Rounded(10, ties="even").publish(count, np.random.default_rng(1))
    np.testing.assert_array_equal(shown, 10 * np.round(count / 10))


def test_shown_numbers_hide_nothing_that_a_mark_hides():
    """With 1-7 hidden, a rounded 0 is a zero and a rounded 10 is 8 to 12."""
    rule = Suppressed({"*": (1, 7)}, others=Rounded(5))
    assert [rule.kernel(n) for n in (0, 5, 10)] == [Kernel(0, 0), None, Kernel(8, 12)]
    # A hole within what is possible has no chance.
    assert Suppressed({"*": (10, 10)}, others=Rounded(5)).kernel(10) == Kernel(
        8, 12, (1.0, 1.0, 0.0, 1.0, 1.0)
    )


def test_values():
    """They compare, hash and print as they are written."""
    assert Suppressed({" C ": (1, 5)}) == Suppressed({"c": [1, 5]})
    assert hash(Suppressed({"c": (1, 5), "z": None})) == hash(Suppressed({"z": None, "c": (1, 5)}))
    assert Suppressed({"c": (1, 5)}) != Suppressed({"c": (1, 4)})
    rule = Suppressed({"c": (1, 5), 3: (1, "smallest shown"), "": (6, None)}, others=Rounded(5))
    assert eval(repr(rule)) == rule
    for other in (Rounded(10, how="up", below=3), Rounded(10, ties="even"), MidpointRounded(6)):
        assert eval(repr(other)) == other
    assert eval(repr(Bounds("a", "b"))) == Bounds("a", "b")
    assert Suppressed({"c": (6, np.inf)}).marks == {"c": (6, None)}


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Rounded(0), r"to=0 is no base of rounding.*from 1 to 1,000"),
        (lambda: Rounded(2.5), r"to=2.5 is no base"),
        (lambda: Rounded(True), r"to=True is no base"),
        (lambda: Rounded(1), r"Rounded\(to=1\) leaves every count as it is.*below=5"),
        (lambda: Rounded(5, how="off"), r"how='off'.*'nearest', 'up', 'down', 'random'"),
        (lambda: Rounded(10, ties="odd"), r"ties='odd'.*'up', 'down', 'even', 'unknown'"),
        (lambda: Rounded(5, below=-1), r"below=-1 is no base of rounding or threshold"),
        (lambda: MidpointRounded(1), r"to=1 is no base.*from 2"),
        (lambda: Suppressed({}), r"mapping from mark to interval, not \{\}.*\{\"c\": \(1, 5\)\}"),
        (lambda: Suppressed("c"), r"mapping from mark to interval, not 'c'"),
        (lambda: Suppressed({"c": 5}), r"interval 5 for 'c'. Expected \(lowest, highest\)"),
        (lambda: Suppressed({"c": (5, 1)}), r"interval \(5, 1\) for 'c'"),
        (lambda: Suppressed({"c": (1, "most")}), r"interval \(1, 'most'\).*\"smallest shown\""),
        (lambda: Suppressed({"c": (True, 5)}), r"interval \(True, 5\) for 'c'"),
        (lambda: Suppressed({"3": (1, 5)}), r"text '3' as a mark.*as a number.*\{3: \(1, 5\)\}"),
        (lambda: Suppressed({None: (1, 5)}), r"None as a mark.*'' for empty and missing"),
        (lambda: Suppressed({"c": (1, 5), "C": (1, 4)}), r"names a mark twice: \['c', 'C'\]"),
        (lambda: Suppressed({"c": (1, 5)}, others=5), r"others=5 .*Expected Exact\(\), Rounded"),
        (lambda: Bounds("a", "a"), r"names of two columns, not 'a' and 'a'"),
        (lambda: Bounds(1, "a"), r"names of two columns, not 1 and 'a'"),
    ],
)
def test_what_is_no_rule_is_refused(make, words):
    """Each refusal shows how it is written."""
    with pytest.raises(TableError, match=words):
        make()


def test_counts_share_their_kernels():
    """Rows with one mark have one kernel; exact and missing counts have none."""
    hidden, high = Kernel(1, 5), Kernel(9, None)
    counts = CoarsenedCounts.from_kernels([hidden, Kernel(0, 0), high, Kernel(1, 5), None])
    assert counts.kernels == (hidden, high)
    assert counts.kernel.tolist() == [0, -1, 1, 0, -1]
    np.testing.assert_array_equal(counts.high, [5, 0, np.inf, 5, np.nan])
    np.testing.assert_array_equal(counts.exact, [np.nan, 0, np.nan, np.nan, np.nan])
    assert counts.is_informative.tolist() == [True, True, True, True, False]
    some = counts.take(np.array([1, 2, 4]))
    assert some.kernels == (high,)
    assert some.kernel.tolist() == [-1, 0, -1]
    assert "3 counts: 1 exact, 1 within bounds, 1 missing; 1 kernels" in repr(some)
    put = some.placed(np.array([3, 0, 1]), 5)
    assert put.kernel.tolist() == [0, -1, -1, -1, -1]
    np.testing.assert_array_equal(put.low, [9, np.nan, np.nan, 0, np.nan])
    with pytest.raises(ValueError, match="read-only"):
        put.low[0] = 1
