"""Classes of what functions return: for annotations, and to read what each of them holds.

Nobody makes these by hand. Results of one topic are in its own namespace: `socgrad.pages.Page`,
`socgrad.years.YearlyCheck`, `socgrad.places.AuthorityMatch` and others.
"""

from socgrad.checks.fit_check import FitCheck
from socgrad.checks.left_out import LeftOut
from socgrad.simulation.england import Simulation
from socgrad.simulation.flow import Flow
from socgrad.tables.diagnostics import SamplingCheck
from socgrad.tables.journal import JournalTable

__all__ = ["FitCheck", "Flow", "JournalTable", "LeftOut", "SamplingCheck", "Simulation"]


def __dir__() -> list[str]:
    """Public names alone."""
    return __all__
