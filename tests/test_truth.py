import math
from dataclasses import fields, replace

import pytest

from socgrad.errors import SpecificationError
from socgrad.schema import PARAMETERS
from socgrad.simulation.truth import PUBLISHED_STAGES, Truth


def test_fields_are_parameters_of_the_schema():
    """A truth is named as the posterior is; only `pooled`, which has no truth, is left out."""
    assert {field.name for field in fields(Truth)} == set(PARAMETERS) - {"pooled"}


def test_contextual_is_between_less_within():
    """A within ratio of 1.5 and a between ratio of 1.2 are a contextual ratio of 0.8."""
    truth = Truth(intercept=-5.0, within=math.log(1.5), between=math.log(1.2))
    assert math.exp(truth.contextual) == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("stage", "gradient"),
    [
        ("referral", 1.62),
        ("child_in_need_plan", 1.64),
        ("section_47", 1.69),
        ("child_protection_plan", 1.80),
    ],
)
def test_published_gradients(stage, gradient):
    """The default stages have the published gradients, and an inverse intervention effect each."""
    truth = PUBLISHED_STAGES[stage]
    assert math.exp(truth.within) == pytest.approx(gradient)
    assert truth.between > 0 > truth.contextual
    assert truth.cross_level < 0


def test_inverse_intervention_grows_with_severity():
    """From referral to child protection plan the contextual ratio falls, from 0.84 to 0.75."""
    ratios = [math.exp(truth.contextual) for truth in PUBLISHED_STAGES.values()]
    assert ratios == sorted(ratios, reverse=True)
    assert ratios[0] == pytest.approx(0.84)
    assert ratios[-1] == pytest.approx(0.75)


def test_published_stages_cannot_be_changed():
    """The default is shared by all callers, so it is read-only."""
    with pytest.raises(TypeError, match="does not support item assignment"):
        PUBLISHED_STAGES["referral"] = PUBLISHED_STAGES["section_47"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"within": math.nan}, "within is not finite"),
        ({"intercept": -math.inf}, "intercept is not finite"),
        ({"level_sd": -0.1}, "level_sd is below 0"),
        ({"slope_sd": -0.1}, "slope_sd is below 0"),
        ({"overdispersion": -0.1}, "overdispersion is below 0"),
        ({"correlation": 1.1}, "correlation is 1.1. Expected a number from -1 to 1"),
    ],
)
def test_impossible_truths_are_refused(change, words):
    """Each parameter outside its range is named."""
    with pytest.raises(SpecificationError, match=words):
        replace(PUBLISHED_STAGES["referral"], **change)
