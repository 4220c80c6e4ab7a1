import math
from dataclasses import replace

import pytest

from socgrad.errors import SpecificationError
from socgrad.simulation.pathway import PATHWAY, RETURNS
from socgrad.simulation.truth import PUBLISHED_STAGES


@pytest.mark.parametrize("stage", PUBLISHED_STAGES)
def test_published_stages_agree(stage):
    """Where both simulations have a stage, gradient and contextual ratio are the same."""
    truth = PUBLISHED_STAGES[stage]
    assert PATHWAY[stage].within == pytest.approx(truth.within)
    assert PATHWAY[stage].between - PATHWAY[stage].within == pytest.approx(truth.contextual)


def test_gradients_rise_along_the_way():
    """No stage is flatter than the one that it takes its children from, and none is larger."""
    for step in PATHWAY.values():
        if step.of is not None:
            assert step.gradient >= PATHWAY[step.of].gradient
            assert step.contextual <= PATHWAY[step.of].contextual
            assert step.rate < PATHWAY[step.of].rate


def test_involvement_is_longer_and_returns_more_frequent_where_deprivation_is_high():
    """F7 and F8: closures fall with deprivation, returns rise, most in affluent authorities."""
    assert RETURNS["closed"].gradient < 1
    for name in ("rereferral", "repeat_plan"):
        assert RETURNS[name].gradient > 1 > RETURNS[name].contextual


def test_between_is_gradient_times_contextual():
    """A gradient of 1.5 and a contextual ratio of 0.8 are a between ratio of 1.2."""
    step = replace(PATHWAY["referral"], gradient=1.5, contextual=0.8)
    assert math.exp(step.between) == pytest.approx(1.2)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"rate": 0.0}, "rate is 0.0. Expected a number above 0"),
        ({"gradient": math.nan}, "gradient is nan"),
        ({"contextual": -1.0}, "contextual is -1.0"),
        ({"cross_level": math.inf}, "cross_level is not finite"),
        ({"slope_sd": -0.1}, "slope_sd is -0.1. Expected a standard deviation"),
        ({"kept": 1.1}, "kept is 1.1. Expected a number from 0 to 1"),
    ],
)
def test_impossible_steps_are_refused(change, words):
    """Each number outside its range is named."""
    with pytest.raises(SpecificationError, match=words):
        replace(PATHWAY["section_47"], **change)
