"""Years: counts of the same places over time, authorities that drift, and how far things changed.

A `Panel` holds the tables of all years; `socgrad.StratifiedModel` takes it, with `Drift` for what
authorities do over the years and `National` for national coefficients. Every estimand of such a fit
has dim year; `change`, `trend` and `steepened` compare years within draws, `drift` says how
authorities move, and `next_year` carries a fit on by one.
"""

from socgrad.checks.yearly_check import YearlyCheck, check_fit
from socgrad.estimands.changes import change, steepened, trend
from socgrad.estimands.drift import drift
from socgrad.estimands.forecasts import next_year
from socgrad.model.drift import Drift, National
from socgrad.prior_drift import prior_drift
from socgrad.simulation.years import DriftTruth, YearsSimulation, simulate
from socgrad.table.panel import Panel

__all__ = [
    "Drift",
    "DriftTruth",
    "National",
    "Panel",
    "YearlyCheck",
    "YearsSimulation",
    "change",
    "check_fit",
    "drift",
    "next_year",
    "prior_drift",
    "simulate",
    "steepened",
    "trend",
]


def __dir__() -> list[str]:
    """Public names alone."""
    return __all__
