import numpy as np
import pytest

from socgrad.errors import EstimandError
from socgrad.estimands.contextual import inverse_intervention
from socgrad.estimands.durations import duration_ratio
from socgrad.estimands.gradients import gradient
from socgrad.estimands.rates import expected_rate
from socgrad.reading.example import example_fit, example_fit_of_stages
from socgrad.tables.summaries import summarise
from strata_tables import stage_fit


def test_durations_are_the_inverse():
    """One over each draw, twice the ratio itself; named, with the assumption."""
    closures = gradient(example_fit())
    longer = duration_ratio(closures)
    np.testing.assert_array_equal(longer, 1 / closures)
    np.testing.assert_allclose(duration_ratio(longer), closures)
    assert longer.attrs["estimand"] == "duration_gradient"
    assert longer.attrs["null"] == 1
    assert longer.attrs["per"] == 0.1
    assert "constant hazard or steady state" in longer.attrs["reference"]


def test_durations_of_any_ratio_and_of_strata():
    """A contextual ratio keeps its dims; strata keep their effective sizes."""
    inverse = inverse_intervention(example_fit(), deprivation=[0.1, 0.3])
    assert duration_ratio(inverse).dims == ("chain", "draw", "deprivation")
    assert duration_ratio(gradient(example_fit_of_stages())).sizes["stratum"] == 3
    longer = summarise(duration_ratio(gradient(stage_fit())))
    rates = summarise(gradient(stage_fit()))
    np.testing.assert_allclose(longer["estimate"], 1 / rates["estimate"], rtol=1e-4)
    np.testing.assert_allclose(longer["pr_above"], 1 - rates["pr_above"])
    assert (longer["ess_bulk"].to_numpy() <= stage_fit()["sample_stats"]["importance_ess"]).all()


def test_rates_have_no_inverse():
    """A rate is no ratio, and what was computed from draws has lost its label."""
    with pytest.raises(EstimandError, match=r"expected_rate is no ratio .* null is not known"):
        duration_ratio(expected_rate(example_fit(), deprivation=0.2))
    with pytest.raises(EstimandError, match=r"no ratio as an estimand returned it"):
        duration_ratio(gradient(example_fit()) * 2)
