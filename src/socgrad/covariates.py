"""What covariates do: ratios, gradients that they moderate, and outcomes of authorities."""

from socgrad.estimands.covariate_ratios import covariate_ratio, moderated_gradient
from socgrad.estimands.outcome_association import outcome_association

__all__ = [
    "covariate_ratio",
    "moderated_gradient",
    "outcome_association",
]


def __dir__() -> list[str]:
    """Public names alone."""
    return __all__
