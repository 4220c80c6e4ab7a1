"""What PyMC hands to a function that draws: a source of randomness, and how many draws."""

import numpy as np

__all__ = ["Size", "source_and_shape"]

type Size = int | tuple[int, ...] | None


def source_and_shape(
    rng: np.random.Generator | None, size: Size
) -> tuple[np.random.Generator, tuple[int, ...]]:
    """The source, a new one where none is given, and the dims that go before a draw's own."""
    shape = () if size is None else tuple(np.atleast_1d(size))
    return np.random.default_rng() if rng is None else rng, shape
