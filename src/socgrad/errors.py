"""The exceptions and warnings of socgrad.

Every message says what is wrong, where (column and first keys), how many, what was expected, and
what to do. All errors derive from `SocgradError`, and from `ValueError` because each is about a
value that the caller passed.
"""

import re

__all__ = [
    "CoarsenedCountsWarning",
    "ConvergenceWarning",
    "EstimandError",
    "MisfitWarning",
    "PriorWarning",
    "QuadratureWarning",
    "SampleOfAreasWarning",
    "SchemaError",
    "SocgradError",
    "SocgradWarning",
    "SpecificationError",
    "StageOrderWarning",
    "StorageError",
    "SupportWarning",
    "SuppressionWarning",
    "TableError",
    "details_withheld",
    "withhold_details",
]

_withheld = False
#: What in a message may be of the data: what stands in quotes or brackets, and every number.
_OF_THE_DATA = re.compile(r"'[^']*'|\"[^\"]*\"|\([^()]*\)|\[[^\[\]]*\]|\d[\d,.]*\d|\d")


def withhold_details(withhold: bool = True) -> None:
    """Give messages of errors and warnings without values and labels of the data, or with them.

    Parameters
    ----------
    withhold
        True, from now on in this process, replaces numbers and what stands in quotes, parentheses
        or brackets by "…" in the messages of socgrad's errors and warnings. Off by default.

    Notes
    -----
    Not covered: errors of other libraries, also where one of socgrad's was raised from them (the
    traceback shows both); tables and verdicts that you print; column names without quotes. Lines of
    progress name no stratum in any case.

    Examples
    --------
    >>> from socgrad.errors import TableError, withhold_details
    >>> withhold_details()
    >>> str(TableError("3 of 40 areas have no count (first: 'E01000001')."))
    '… of … areas have no count ….'
    >>> withhold_details(False)
    """
    global _withheld  # noqa: PLW0603 one switch for the process
    _withheld = withhold


def details_withheld() -> bool:
    """Whether messages come without values and labels of the data, in this process."""
    return _withheld


class _Worded(Exception):  # noqa: N818 of errors and warnings alike
    """What has a message that can be given without details of the data."""

    def __str__(self) -> str:
        words = super().__str__()
        if not _withheld:
            return words
        shorter = None
        while shorter != words:  # brackets within brackets
            shorter, words = words, _OF_THE_DATA.sub("…", words)
        return words


class SocgradError(_Worded, ValueError):
    """The base of every error that socgrad raises on purpose."""


class TableError(SocgradError):
    """A table was refused: its content is not what the model needs."""


class SpecificationError(SocgradError):
    """A model, prior or sampler was specified in a way that contradicts itself or the data."""


class SchemaError(SocgradError):
    """A tree or file is not a socgrad fit, or is one of a schema that this version cannot read."""


class StorageError(OSError, SocgradError):
    """A fit cannot be written: the disk is full, or the place is not to be written to."""


class EstimandError(SocgradError):
    """The quantity asked for is not defined for this fit, or for these arguments."""


class SocgradWarning(_Worded, UserWarning):
    """The base of every warning that socgrad gives on purpose."""


class SampleOfAreasWarning(SocgradWarning):
    """Authority means look as if they came from a sample of areas."""


class SupportWarning(SocgradWarning):
    """A number is asked for where few or no neighbourhoods back it."""


class SuppressionWarning(SocgradWarning):
    """Suppressed small counts are left out, although they are not missing at random."""


class CoarsenedCountsWarning(SocgradWarning):
    """Counts look as if they had been suppressed or rounded, and nothing says so."""


class StageOrderWarning(SocgradWarning):
    """A stage has more events somewhere than the stage before it."""


class QuadratureWarning(SocgradWarning):
    """Drawn slopes left the range for which the compressed exposures were shown to be exact."""


class ConvergenceWarning(SocgradWarning):
    """The draws do not describe the posterior well enough to be reported."""


class MisfitWarning(SocgradWarning):
    """The counts are not as the fitted model expects them."""


class PriorWarning(SocgradWarning):
    """A default prior stands where the counts cannot decide, and will."""


def __dir__() -> list[str]:
    """Public names alone."""
    return __all__
