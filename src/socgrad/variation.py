"""How authorities differ: spreads, shares of variance, and which are steepest."""

from socgrad.estimands.authority_ranks import authority_ranks
from socgrad.estimands.gradient_pairs import pairwise_steeper, steeper_than
from socgrad.estimands.locality_ratios import locality_ratio
from socgrad.estimands.region_ratios import region_ratio
from socgrad.estimands.slope_variation import gradient_sd, level_slope_correlation
from socgrad.estimands.variance_partition import variance_explained, vpc
from socgrad.estimands.variation import authority_sd, median_rate_ratio

__all__ = [
    "authority_ranks",
    "authority_sd",
    "gradient_sd",
    "level_slope_correlation",
    "locality_ratio",
    "median_rate_ratio",
    "pairwise_steeper",
    "region_ratio",
    "steeper_than",
    "variance_explained",
    "vpc",
]


def __dir__() -> list[str]:
    """Public names alone."""
    return __all__
