"""Counts drawn about what draws expect, where there can be such counts."""

from typing import Final

import numpy as np
import numpy.typing as npt

from socgrad.errors import EstimandError
from socgrad.laws import draws

__all__ = ["counts_about"]

type Floats = npt.NDArray[np.float64]

# Beyond this no count of children lies, and no generator of counts works.
_MOST: Final = 1e12


def counts_about(mean: Floats, variance: Floats, rng: np.random.Generator) -> Floats:
    """Draw counts about `mean`, Poisson with a gamma factor of mean 1 and variance `variance`.

    Raises
    ------
    EstimandError
        If more events are expected somewhere than can be counted, or no number of them.

    Examples
    --------
    >>> import numpy as np
    >>> from socgrad.estimands.chance import counts_about
    >>> counts = counts_about(np.full(10_000, 3.0), np.array(0.5), np.random.default_rng(1))
    >>> counts.mean().round(1).item(), bool(abs(counts.var() - (3 + 0.5 * 9)) < 0.5)
    (3.0, True)
    """
    most = float(np.max(mean, initial=0.0))
    if not most < _MOST:
        raise EstimandError(
            f"A draw expects {most:.3g} events in one row, more than can be counted. Look at the "
            "exposure, whether the fit has converged (socgrad.check_sampling), and at the priors "
            "if these are draws of a prior."
        )
    return draws.drawn_counts(mean, variance, rng)
