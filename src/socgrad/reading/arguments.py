"""What a caller passes to a summary, checked once where it enters."""

from collections.abc import Sequence

import xarray as xr

from socgrad.errors import EstimandError, SchemaError

__all__ = ["check_choice", "check_is_tree"]


def check_choice(name: str, value: object, allowed: Sequence[object]) -> None:
    """Refuse a value that an option does not have: a misspelling must not answer for another.

    Parameters
    ----------
    name
        The option, as the caller wrote it.
    value
        What was passed.
    allowed
        The values that the option has, two or more.

    Raises
    ------
    EstimandError
        If `value` is none of `allowed`.

    Examples
    --------
    >>> from socgrad.reading.arguments import check_choice
    >>> check_choice("target", "each", ("average", "each", "new"))
    """
    if value in allowed:
        return
    *most, last = map(repr, allowed)
    raise EstimandError(f"{name} is {value!r}; expected {', '.join(most)} or {last}.")


def check_is_tree(fit: object) -> None:
    """Refuse what is no tree of draws, such as a model that was not fitted.

    Raises
    ------
    SchemaError
        If `fit` is no `xarray.DataTree`.
    """
    if not isinstance(fit, xr.DataTree):
        raise SchemaError(
            f"Expected a fit (an xarray.DataTree), found {type(fit).__name__}. Fit a model first, "
            "fit = socgrad.fit(model), or read a saved one, fit = socgrad.load(path)."
        )
