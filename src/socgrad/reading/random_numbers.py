"""Random numbers of the estimands: the same for the same seed, and others for every stratum."""

import hashlib
from collections.abc import Hashable

import numpy as np

from socgrad.errors import EstimandError

__all__ = ["generator"]


def generator(random_seed: int, stratum: Hashable | None = None) -> np.random.Generator:
    """Make the generator of a seed, of one stratum where a fit has several.

    Parameters
    ----------
    random_seed
        A whole number from 0.
    stratum
        Label of the stratum. The strata of one fit are asked with one seed: with the label they
        have independent random numbers all the same.

    Raises
    ------
    EstimandError
        If the seed is no whole number from 0.

    Examples
    --------
    >>> from socgrad.reading.random_numbers import generator
    >>> first, again, other = (generator(1, label).normal() for label in ("a", "a", "b"))
    >>> first == again, first == other
    (True, False)
    """
    is_whole = isinstance(random_seed, int | np.integer) and not isinstance(random_seed, bool)
    if not is_whole or random_seed < 0:
        raise EstimandError(
            f"random_seed is {random_seed!r}; expected a whole number from 0, such as 2019."
        )
    if stratum is None:
        return np.random.default_rng(random_seed)
    name = int.from_bytes(hashlib.sha256(repr(stratum).encode()).digest()[:8])
    return np.random.default_rng(np.random.SeedSequence(int(random_seed), spawn_key=(name,)))
