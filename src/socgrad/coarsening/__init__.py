"""Counts as they are published: suppressed, rounded, or known by bounds alone.

A published table often hides its small counts, or rounds all of them. Each object here says how a
column was coarsened; `Areas.from_frame` takes it as ``coarsening``, and what is known of each count
goes on as a `CoarsenedCounts`. Nothing is filled in.
"""

from socgrad.coarsening.bounds import Bounds
from socgrad.coarsening.kernels import CoarsenedCounts, Kernel
from socgrad.coarsening.rounding import Exact, MidpointRounded, Rounded
from socgrad.coarsening.suppression import Suppressed

__all__ = [
    "Bounds",
    "CoarsenedCounts",
    "Exact",
    "Kernel",
    "MidpointRounded",
    "Rounded",
    "Suppressed",
]


def __dir__() -> list[str]:
    """Public names alone: modules are where they are found, not what is called."""
    return sorted(__all__)
