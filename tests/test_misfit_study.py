"""What `check_fit` finds, over simulated tables; the numbers are in docs/validation.md."""

import numpy as np
import pytest

from misfit_study import replicate


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "family", "column", "least"),
    [
        ("convex gradient", "poisson", "flagged", 0.8),
        ("convex gradient", "negative_binomial", "flagged", 0.8),
        ("overdispersion 0.25", "poisson", "flagged", 0.7),
        ("error in deprivation", "poisson", "flagged", 0.6),
        ("alike areas", "negative_binomial", "flagged_with_map", 0.9),
    ],
)
def test_misfits_are_found(kind, family, column, least):
    """Of twenty tables of each kind a check fires in most (aims less three standard errors)."""
    rows = [replicate(kind, family, number, None)[0] for number in range(20)]
    assert np.mean([row[column] for row in rows]) >= least


@pytest.mark.slow
def test_right_models_pass():
    """Of forty tables of the model at most five are called misfits, where two are expected."""
    rows = [replicate("lines", "poisson", number, None)[0] for number in range(40)]
    assert sum(row["flagged"] for row in rows) <= 5
