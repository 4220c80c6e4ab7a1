import numpy as np
import pandas as pd
import pytest

from socgrad.simulation.parts import parts_of
from socgrad.simulation.projection import fixed_part, lines


@pytest.fixture
def parts():
    """Three authorities of two, three and two areas, children all alike."""
    frame = pd.DataFrame(
        {
            "authority": ["A", "A", "B", "B", "B", "C", "C"],
            "children": [100] * 7,
            "deprivation": [0.05, 0.15, 0.1, 0.2, 0.3, 0.2, 0.4],
        }
    )
    return parts_of(frame, 0.10)


def test_a_line_is_its_own_projection(parts):
    """Log-linear expected counts give back level and slope, whatever the exposure."""
    level, slope = np.array([-4.0, -3.5, -5.0]), np.array([0.3, 0.6, -0.2])
    of, w = parts.authority_of_area, parts.within_part
    exposure = np.array([3.0, 400.0, 20.0, 1.0, 90.0, 5.0, 70.0])
    found = lines(exposure * np.exp(level[of] + slope[of] * w), exposure, parts)
    np.testing.assert_allclose(found[0], level, rtol=1e-10)
    np.testing.assert_allclose(found[1], slope, rtol=1e-10)
    assert found[2].all()


def test_two_areas_by_hand(parts):
    """Two areas and two unknowns: the line goes through both log rates."""
    # Authority A, areas half a step below and above its mean: rates 0.01 and 0.04, so the slope is
    # log 4 per step and the level the middle of their logs, log 0.02.
    events = np.array([1.0, 4.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    level, slope, _ = lines(events, np.full(7, 100.0), parts)
    assert slope[0] == pytest.approx(np.log(4))
    assert level[0] == pytest.approx(np.log(0.02))


def test_the_projection_keeps_events_and_their_deprivation(parts):
    """Off the line, expected events and their mean deprivation still agree."""
    rng = np.random.default_rng(1)
    events, exposure = rng.uniform(1, 9, 7), rng.uniform(50, 90, 7)
    level, slope, _ = lines(events, exposure, parts)
    of, w = parts.authority_of_area, parts.within_part
    fitted = exposure * np.exp(level[of] + slope[of] * w)
    for weight in (np.ones(7), w):
        np.testing.assert_allclose(
            np.bincount(of, fitted * weight), np.bincount(of, events * weight)
        )


def test_an_authority_without_events_or_spread_has_no_line(parts):
    """No events, or exposure in one area alone, tell nothing of a slope, and are left out."""
    events = np.array([0.0, 0.0, 1.0, 2.0, 4.0, 0.0, 3.0])
    exposure = np.array([9.0, 9.0, 90.0, 90.0, 90.0, 0.0, 90.0])
    level, slope, defined = lines(events, exposure, parts)
    assert defined.tolist() == [False, True, False]
    assert np.isnan(level).tolist() == np.isnan(slope).tolist() == [True, False, True]


def test_the_average_line_is_recovered(parts):
    """Levels and slopes that follow the authority mean give back the four parameters."""
    b, of, w = parts.between_part, parts.authority_of_area, parts.within_part
    level, slope = -4.0 + 0.3 * b, 0.5 - 0.04 * b
    rate = np.exp(level[of] + slope[of] * w)
    fixed = fixed_part(rate * parts.children, parts.children, parts)
    found = (fixed.intercept, fixed.within, fixed.between, fixed.cross_level)
    assert found == pytest.approx((-4.0, 0.5, 0.3, -0.04))
