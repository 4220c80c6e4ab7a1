"""Whether a fit's counts look as if they had been suppressed or rounded."""

import numpy as np

from socgrad.checks.counts import FittedCounts
from socgrad.coarsening.suspicion import suspicion
from socgrad.coarsening.suspicion_words import about_coarsening
from socgrad.reading.geography import Geography

__all__ = ["doubted_counts"]


def doubted_counts(counts: FittedCounts, land: Geography) -> list[str]:
    """Say what counts look like that somebody coarsened, before more is made of how they vary.

    Parameters
    ----------
    counts
        Of the fit.
    land
        Its geography.

    Returns
    -------
    list of str
        One sentence or none.
    """
    shown = np.full(len(land.exposure), np.nan)
    shown[counts.area] = counts.events
    totalled = np.isin(land.authority_of_area, counts.authority)
    rows = (land.exposure > 0) & ~totalled
    found = suspicion(shown[rows], land.exposure[rows])
    return [] if found is None else [about_coarsening(found, "The column of events")]
