"""Work on many points: in slices whose working arrays are of about one size."""

__all__ = ["slices"]

# Numbers in one array. With fewer, threads wait for the interpreter; with more, for memory.
_NUMBERS = 120_000


def slices(points: int, per_point: int) -> list[slice]:
    """Slices of points that have so many numbers each."""
    size = max(1, _NUMBERS // per_point)
    return [slice(first, min(first + size, points)) for first in range(0, points, size)]
