"""What of a fit may leave a secure place: its coefficients, and how closely totals come back."""

from socgrad.reading.release import coefficients, leakage

__all__ = ["coefficients", "leakage"]


def __dir__() -> list[str]:
    """Public names alone."""
    return __all__
