"""Published gradients, and priors made of them: what totals alone cannot say."""

from socgrad.model.published import priors, table

__all__ = ["priors", "table"]


def __dir__() -> list[str]:
    """Public names alone."""
    return __all__
