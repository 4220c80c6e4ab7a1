"""The association of an outcome with gradients: its scales, and where it is undefined."""

import numpy as np
import pytest

import socgrad as sg
from socgrad.errors import EstimandError
from socgrad.estimands.outcome_association import outcome_association
from socgrad.reading.example import example_fit


def with_outcome():
    """The example fit, with a coefficient of 5 for the gradient and of 1 for deprivation."""
    fit = example_fit().copy()
    within = fit["posterior"].to_dataset()["within"]
    theta = 0.0 * within + 5.0
    both = np.stack([theta.to_numpy(), theta.to_numpy() / 5], axis=-1)
    fit["posterior"] = (
        fit["posterior"]
        .to_dataset()
        .assign(outcome_coefficient=(("chain", "draw", "outcome_term"), both))
        .assign_coords(outcome_term=["gradient", "deprivation"])
    )
    fit.attrs["outcome"] = '{"name": "absence, %", "terms": ["gradient", "deprivation"]}'
    return fit


def test_a_tenth_steeper():
    """5 per unit of log gradient is 5 log(1.1) = 0.4766 for a gradient a tenth steeper."""
    np.testing.assert_allclose(outcome_association(with_outcome()), 5 * 0.0953101798, rtol=1e-9)


def test_steps_of_steepness_add_up():
    """Twice a tenth steeper is 21% steeper: the differences add."""
    fit = with_outcome()
    once, twice = (outcome_association(fit, steeper=value) for value in (0.1, 0.21))
    np.testing.assert_allclose(2 * once, twice, rtol=1e-12)


def test_a_standard_deviation_uses_each_draws_own():
    """On the scale of SDs the coefficient is multiplied by slope_sd, draw by draw."""
    fit = with_outcome()
    np.testing.assert_allclose(
        outcome_association(fit, scale="sd"), 5 * fit["posterior"]["slope_sd"], rtol=1e-12
    )


def test_the_label_says_what_it_is_adjusted_for():
    """Units name the outcome; the reference names the other predictors."""
    attrs = outcome_association(with_outcome()).attrs
    assert attrs["units"] == "difference of absence, %, for a gradient 10% steeper"
    assert "adjusted for deprivation" in attrs["reference"]
    table = sg.summarise(outcome_association(with_outcome()), prob=0.95)
    assert table["null"].item() == 0.0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"steeper": 0.0}, "steeper must be above 0"),
        ({"steeper": float("nan")}, "steeper must be above 0"),
        ({"scale": "log"}, "scale is 'log'"),
    ],
)
def test_options_are_checked(options, words):
    """An option out of range is refused."""
    with pytest.raises(EstimandError, match=words):
        outcome_association(with_outcome(), **options)


def test_a_fit_without_an_outcome_is_refused():
    """A fit of gradients alone has no association, and the message says what to fit."""
    with pytest.raises(EstimandError, match=r"no outcome of authorities\. Fit OutcomeModel"):
        outcome_association(example_fit())
