"""Pages for readers of policy: what `socgrad.report` returns, and sections of your own.

A page puts a fixed list of questions (`questions`) to a fit. Each says what a fit may lack for it,
or is answered in sentences, a table and figures, all from estimands.
"""

from socgrad.pages.page import Page, Section

__all__ = ["Page", "Section"]


def __dir__() -> list[str]:
    """Public names alone."""
    return __all__
