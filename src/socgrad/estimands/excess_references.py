"""References of excess events: what an authority's neighbourhoods would have, and what is above."""

from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from socgrad.errors import EstimandError
from socgrad.estimands.aggregates import authority_rate_sums, line_draws
from socgrad.estimands.area_rates import area_rates
from socgrad.estimands.deprivation_groups import least_deprived_rate_and_events
from socgrad.reading.geography import Geography
from socgrad.reading.posterior import Coefficients, require_authorities, require_deprivation

__all__ = ["AGAINST", "Against", "area_excess", "authority_excess", "words_for_reference"]

type Floats = npt.NDArray[np.float64]
type Against = Literal["least_deprived", "national_mean", "average_level", "average_gradient"]

AGAINST: tuple[Against, ...] = (
    "least_deprived",
    "national_mean",
    "average_level",
    "average_gradient",
)


def authority_excess(
    terms: Coefficients, land: Geography, *, against: Against, groups: int
) -> Floats:
    """Events of each authority above the reference, shape (chain * draw, authority)."""
    rate, events = _common_rate_and_events(terms, land, against, groups)
    if rate is not None:
        return events - rate[:, None] * land.authority_exposure
    usual = _with_average_effect(terms, against)
    return events - authority_rate_sums(usual, land, land.exposure)[0]


def area_excess(
    terms: Coefficients,
    land: Geography,
    areas: npt.NDArray[np.int64],
    *,
    against: Against,
    groups: int,
) -> Floats:
    """Events of areas of one authority above the reference, shape (chain * draw, area)."""
    rates = _area_rates(terms, land, areas)
    common, _ = _common_rate_and_events(terms, land, against, groups)
    if common is not None:
        usual = common[:, None]
    else:
        usual = _area_rates(_with_average_effect(terms, against), land, areas)
    return land.exposure[areas] * (rates - usual)


def words_for_reference(against: Against, groups: int, *, has_regions: bool, whole: str) -> str:
    """What the reference is."""
    of_region = ", its region's deviation set aside too" if has_regions else ""
    return {
        "least_deprived": f"the rate of the least deprived of {groups} child-weighted groups of "
        f"{whole}",
        "national_mean": f"the rate of {whole}",
        "average_level": "the same neighbourhoods in an authority of the average level for its "
        f"mean deprivation{of_region}",
        "average_gradient": "the same neighbourhoods in an authority of the average gradient for "
        "its mean deprivation",
    }[against]


def _common_rate_and_events(
    terms: Coefficients, land: Geography, against: Against, groups: int
) -> tuple[Floats | None, Floats]:
    """The one rate that all are held against, if it is one, and the events of authorities."""
    if against == "least_deprived":
        require_deprivation(terms, "excess_events(against='least_deprived')")
        return least_deprived_rate_and_events(terms, land, groups=groups)
    (events,) = authority_rate_sums(terms, land, land.exposure)
    if against == "national_mean":
        return events.sum(axis=1) / land.exposure.sum(), events
    return None, events


def _with_average_effect(terms: Coefficients, against: Against) -> Coefficients:
    """The same terms with one of the random effects set to its average, zero."""
    require_authorities(terms, f"{against=}")
    usual = terms.without_random_effects
    if against == "average_level":
        return replace(terms, level_effect=usual.level_effect)
    if not terms.has_slopes:
        raise EstimandError(
            "against='average_gradient' is not defined for a model without random slopes: every "
            "authority has the average gradient of its mean deprivation by construction. Fit one "
            "with random_slopes=True."
        )
    return replace(terms, slope_effect=usual.slope_effect)


def _area_rates(terms: Coefficients, land: Geography, areas: npt.NDArray[np.int64]) -> Floats:
    """Rates of areas, (chain * draw, area): few areas at a time, since they are per draw."""
    return area_rates(terms, land, line_draws(terms, land, own_effects=True), areas)
