"""What-if analyses: how far the numbers move if what a model takes for granted does not hold.

`deprivation_error` gives a table the deprivation to be expected if it is measured with error;
`heavy_tails` fits again with authorities that differ more than normal effects allow.
"""

from socgrad.checks.heavy_tails import heavy_tails
from socgrad.table.deprivation_error import deprivation_error

__all__ = ["deprivation_error", "heavy_tails"]


def __dir__() -> list[str]:
    """Public names alone."""
    return __all__
