"""Tests whose distribution under the model is known, as rows beside the counts drawn again.

Each row has the columns of `FitCheck.statistics`. Their levels add up to 0.035
with a map, 0.03 without (docs/validation.md has the study).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import chi2, norm

from socgrad.checks.area_residuals import AreaResiduals, overdispersion_test
from socgrad.checks.bends import Bend, bend_of
from socgrad.checks.neighbours import likeness_of_pairs
from socgrad.checks.tails import tails_of
from socgrad.reading.geography import Geography
from socgrad.reading.posterior import Coefficients

__all__ = ["FurtherTests", "further_tests"]

type Floats = npt.NDArray[np.float64]
type Integers = npt.NDArray[np.int64]

#: How seldom chance gives as much, where a test fires.
_LEVELS: Final = {
    "overdispersion": 0.01,
    "bend": 0.005,
    "bend_by_authority": 0.005,
    "neighbours": 0.005,
    "heavy_tails": 0.01,
}
_ENDS: Final = (0.5, 0.005, 0.995)


@dataclass(frozen=True, eq=False)
class FurtherTests:
    """Rows of `FitCheck.statistics`, and the bend that one of them is about."""

    rows: pd.DataFrame
    bend: Bend | None


def further_tests(
    residuals: AreaResiduals | None,
    terms: Coefficients,
    land: Geography,
    *,
    pairs: Integers | None,
    rng: np.random.Generator,
) -> FurtherTests:
    """Test for what counts drawn again show too seldom.

    Parameters
    ----------
    residuals, terms, land
        Of one fit; None where no area is counted.
    pairs
        Positions of neighbours among the counted areas, or None where they are not known.
    rng
        Source of randomness.
    """
    rows: dict[str, dict[str, float | bool]] = {}
    bend = None
    if residuals is not None:
        if residuals.spread == 0:
            statistic, probability = overdispersion_test(residuals)
            rows["overdispersion"] = _row("overdispersion", statistic, norm.ppf(_ENDS), probability)
        if terms.has_deprivation and not terms.has_departures:
            bend = bend_of(
                residuals,
                land,
                slope_sd=float(terms.slope_sd.mean()),
                others=_columns(land, residuals.area),
                locality=land.locality_of_area[residuals.area] if terms.has_localities else None,
            )
        if bend is not None:
            usual = chi2.ppf(_ENDS, bend.columns)
            rows["bend"] = _row("bend", bend.statistic, usual, bend.probability)
            if not np.isnan(bend.apart):
                rows["bend_by_authority"] = _row(
                    "bend_by_authority", bend.apart, usual, bend.probability_apart
                )
        if pairs is not None:
            likeness, shuffled = likeness_of_pairs(residuals, pairs, rng)
            centre, sd = shuffled.mean(), shuffled.std()
            rows["neighbours"] = _row(
                "neighbours",
                likeness,
                centre + sd * norm.ppf(_ENDS),
                float(norm.sf((likeness - centre) / sd)),
            )
    tails = tails_of(terms, rng)
    if tails is not None:
        # The effects themselves are one draw more.
        above = (np.sum(tails.again >= tails.kurtosis) + 1) / (tails.again.size + 1)
        rows["heavy_tails"] = _row(
            "heavy_tails", tails.kurtosis, np.quantile(tails.again, _ENDS), float(above)
        )
    return FurtherTests(pd.DataFrame.from_dict(rows, orient="index"), bend)


def _row(
    name: str, observed: float, usual: npt.NDArray[np.float64], above: float
) -> dict[str, float | bool]:
    expected, lower, upper = map(float, usual)
    return {
        "observed": observed,
        "expected": expected,
        "lower": lower,
        "upper": upper,
        "pr_above": above,
        "as_expected": above >= _LEVELS[name],
    }


def _columns(land: Geography, areas: Integers) -> Floats:
    """Columns of area covariates, and of area moderators times the within part."""
    moderators = land.area_moderator_design[areas] * land.within_part[areas, None]
    return np.hstack([land.covariate_design[areas], moderators])
