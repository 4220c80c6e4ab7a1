"""What the PyMC graph has terms for, in the words of `socgrad.model.needs`."""

from typing import Final

from socgrad.model.needs import COUNTS, TERMS_OF_AUTHORITIES, TOTALS

__all__ = ["GRAPH_TAKES"]

GRAPH_TAKES: Final = (
    TERMS_OF_AUTHORITIES
    | COUNTS
    | TOTALS
    | {"poisson coarsened counts", "negative_binomial coarsened counts"}
    | {"covariate_coefficient", "area_moderator_coefficient", "departure_coefficient"}
    | {"overdispersion", "locality_sd", "region_sd"}
    | {"no levels of authorities", "no slopes of authorities"}
    | {"one stratum", "joint strata", "full correlations", "factor correlations"}
    | {"places that change by year", "no outcome"}
)
