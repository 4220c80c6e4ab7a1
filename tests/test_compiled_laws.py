"""Laws of counts as they are compiled, against the same laws as they are written."""

import numpy as np
import pytest

from socgrad.laws.compiled_localities import locality_terms
from socgrad.laws.compiled_negative_binomial import (
    negative_binomial_count,
    negative_binomial_terms,
    negative_binomial_total,
)
from socgrad.laws.compiled_poisson import poisson_terms, poisson_total
from socgrad.laws.gamma_factors import rising
from socgrad.laws.negative_binomial import of_factor, of_total

LEVEL, SLOPE = -0.3, 0.4
STEP = 1e-20j


@pytest.fixture(scope="module")
def rows():
    """Events, w and log exposure of some rows; one has very many events."""
    rng = np.random.default_rng(1)
    within, offset = rng.normal(size=40), rng.normal(1.0, 0.7, 40)
    events = rng.poisson(np.exp(offset + 0.2)).astype(float)
    events[7], offset[7] = 1e9, np.log(1e9)
    return events, within, offset


def means(rows, level=LEVEL, slope=SLOPE):
    """Expected events."""
    return np.exp(rows[2] + level + slope * rows[1])


def close(found, expected):
    """As equal as sums of such numbers can be."""
    assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("r", [1e-8, 0.03, 0.5, 4.0])
@pytest.mark.parametrize("order", ["as they come", "by events"])
def test_negative_binomial_rows(rows, r, order):
    """Their value, and derivatives by level, slope and log r, whatever the order of rows."""
    if order == "by events":
        rows = tuple(each[np.argsort(rows[0])] for each in rows)
    y, w, offset = rows

    def written(level=LEVEL, slope=SLOPE, log_r=None):
        return of_factor(
            y, means(rows, level, slope), r if log_r is None else np.exp(log_r), xp=np
        ).sum()

    out = np.zeros(10)
    by_r = negative_binomial_terms(y, w, offset, 0, len(y), LEVEL, SLOPE, r, True, out)
    close(out[0], written())
    close(out[1], written(level=LEVEL + STEP).imag / STEP.imag)
    close(out[2], written(slope=SLOPE + STEP).imag / STEP.imag)
    # Large parts of it cancel.
    at_r = written(log_r=np.log(r) + STEP).imag / STEP.imag
    assert by_r == pytest.approx(at_r, rel=1e-12, abs=1e-14 * abs(out[0]))
    alone = np.zeros(10)
    negative_binomial_terms(y, w, offset, 0, len(y), LEVEL, SLOPE, r, False, alone)
    close(alone[0], out[0])


def test_negative_binomial_rows_come_to_poisson_rows(rows):
    """As r vanishes no digits are lost: 1/r would multiply what is."""
    few = tuple(np.delete(each, 7) for each in rows)
    y, w, offset = few
    out, plain, small = np.zeros(10), np.zeros(10), np.zeros(4)
    negative_binomial_terms(y, w, offset, 0, len(y), LEVEL, SLOPE, 1e-13, True, out)
    poisson_terms(w, offset, 0, len(y), LEVEL, SLOPE, True, plain, small)
    np.testing.assert_allclose(out, plain, rtol=1e-10)
    close(plain[0], -means(few).sum())
    close(plain[5], -(means(few) * w**2).sum())


def test_one_count_is_a_row(rows):
    """A count by itself says what it does among rows."""
    y, w, offset = (each[3:4] for each in rows)
    out, found = np.zeros(10), np.zeros(7)
    by_r = negative_binomial_terms(y, w, offset, 0, 1, LEVEL, SLOPE, 0.3, True, out)
    negative_binomial_count(y[0], np.log(means((y, w, offset))[0]), 0.3, True, found)
    np.testing.assert_allclose(found[:5], [*out[[0, 1, 3, 6]], by_r], rtol=1e-12)


def test_localities(rows):
    """Areas that share a factor: their sums, as one negative binomial count."""
    y, w, offset = (each[8:20] for each in rows)

    def written(level=LEVEL, slope=SLOPE):
        return of_factor(y.sum(), means((y, w, offset), level, slope).sum(), 0.2, xp=np)

    out, small = np.zeros(10), np.zeros(4)
    locality_terms(y.sum(), w, offset, 0, len(y), LEVEL, SLOPE, 0.2, out, small)
    close(out[0], written())
    close(out[1], written(level=LEVEL + STEP).imag / STEP.imag)
    close(out[2], written(slope=SLOPE + STEP).imag / STEP.imag)


@pytest.mark.parametrize("y", [0.0, 3.0, 4_000.0])
def test_totals(y):
    """A total's log probability, but its log y!, in its log mean and log squared variation."""
    lead, q = np.log(y + 2.0), np.log(0.05)
    found, plain = np.zeros(10), np.zeros(10)
    negative_binomial_total(y, lead, q, found)
    assert found[0] == pytest.approx(of_total(y, lead, np.exp(q), xp=np), rel=1e-11, abs=1e-11)
    poisson_total(y, lead, plain)
    close(plain[0], y * lead - np.exp(lead))

    def written(log_mean, log_r):
        return of_total(y, log_mean, np.exp(log_r), xp=np)

    assert found[1] == pytest.approx(written(lead + STEP, q).imag / STEP.imag, rel=1e-9)
    step = 1e-6
    by_q = (written(lead, q + step) - written(lead, q - step)).real / (2 * step)
    assert found[4] == pytest.approx(by_q, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("shape", [(6,), (2, 3), (1, 2, 3)])
@pytest.mark.parametrize(
    "r", [[1e-9, 0.01, 0.05, 0.083, 0.002, 0.03], [1e-9, 0.01, 0.5, 3.0, 0.084, 0.2]]
)
def test_rising_is_a_sum_of_logs(r, shape):
    """By hand, term by term: where all variances are small, where some are, in any shape."""
    events, r = np.array([0.0, 1.0, 7.0, 40.0, 300.0, 2.0]), np.array(r)
    expected = [np.log1p(v * np.arange(n)).sum() for n, v in zip(events, r, strict=True)]
    found = rising(events.reshape(shape), r.reshape(shape), xp=np)
    np.testing.assert_allclose(found.ravel(), expected, rtol=1e-11, atol=1e-13)
