"""Expected and observed rates: along deprivation, of groups and of authorities."""

from socgrad.estimands.group_rates import authority_rate, rate_by_group
from socgrad.estimands.observed_rates import observed_authority_rate, observed_rate_by_group
from socgrad.estimands.rates import expected_rate

__all__ = [
    "authority_rate",
    "expected_rate",
    "observed_authority_rate",
    "observed_rate_by_group",
    "rate_by_group",
]


def __dir__() -> list[str]:
    """Public names alone."""
    return __all__
