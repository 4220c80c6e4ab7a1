"""Many fits: from a plan to a folder of fits and to one table, on one machine or on a cluster.

`fit_many` fits what a plan names, in turn or on any `concurrent.futures.Executor`, and keeps each
fit in a file of its own; called again it goes on where it ended. `read_many` gives the fits one at
a time, `summarise_many` one table of estimands of all.
"""

from socgrad.many.fits import fit_many
from socgrad.many.summaries import read_many, summarise_many

__all__ = ["fit_many", "read_many", "summarise_many"]


def __dir__() -> list[str]:
    """Public names alone: modules are where they are found, not what is called."""
    return sorted(__all__)
