"""A fingerprint of all that decides a fit: data, model, options, seed and version.

It is keyed (HMAC): counts are small whole numbers, and a plain hash of them can be guessed until it
fits. Whoever has not the key learns nothing from it.
"""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from importlib.metadata import version
from typing import Any, Final

import numpy as np
import pandas as pd

from socgrad.errors import SpecificationError
from socgrad.fit_options import FitOptions
from socgrad.model.gradient_model import GradientModel
from socgrad.model.outcome_model import OutcomeModel
from socgrad.model.stratified_model import StratifiedModel

__all__ = ["Model", "fingerprint"]

#: Of an outcome model, in place of the tables that they came from.
_MATCHED: Final = ("values", "errors", "control_values", "known", "_control_names")

type Model = GradientModel | StratifiedModel | OutcomeModel
type _Add = Callable[[str, bytes], None]


def fingerprint(secret: bytes, model: Model, options: FitOptions, random_seed: int) -> str:
    """HMAC-SHA256 of everything that a fit depends on, the labels of its places included.

    Parameters
    ----------
    secret : bytes
        The key.
    model : GradientModel, StratifiedModel or OutcomeModel
        With its table. What is recorded in the fit, such as names of columns, counts too.
    options : FitOptions
        All but `cores`, of which no draw depends.
    random_seed : int

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    SpecificationError
        If the model holds something of a kind that no table or prior has.
    """
    digest = hmac.new(secret, digestmod="sha256")

    def add(kind: str, content: bytes) -> None:
        # With its length, so that no two sequences of values look alike.
        digest.update(f"{kind}:{len(content)}:".encode() + content)

    chosen = {name: value for name, value in vars(options).items() if name != "cores"}
    for part in (version("socgrad"), chosen, random_seed, *_parts(model)):
        _feed(add, part)
    return digest.hexdigest()


def _parts(model: Model) -> tuple[Any, ...]:
    if isinstance(model, OutcomeModel):
        # The outcome and its controls as they were matched with the authorities, whatever kind of
        # table they came in.
        read = tuple(getattr(model, name) for name in _MATCHED)
        options = (model.name, model.adjust_for_deprivation, model.adjust_for_level)
        return ("OutcomeModel", model.gradient_model, *read, *options)
    return (model,)


def _feed(add: _Add, value: Any) -> None:
    """Add a value with its kind and form; what holds others, with each of them."""
    if value is None or isinstance(value, bool | int | float | str | np.generic):
        plain = value.item() if isinstance(value, np.generic) else value
        add(type(plain).__name__, repr(plain).encode())
    elif isinstance(value, np.ndarray):
        _feed_array(add, value)
    elif isinstance(value, pd.Series | pd.Index):
        _feed_column(add, value)
    elif is_dataclass(value):
        # What is derived from other fields adds nothing, and may be of any kind.
        add("value", type(value).__name__.encode())
        for field in fields(value):
            if field.init:
                add("field", field.name.encode())
                _feed(add, getattr(value, field.name))
    elif isinstance(value, Mapping | pd.DataFrame):
        # A mapping from names to columns, as a table is one.
        add("mapping", str(len(value.keys())).encode())
        for name, held in value.items():
            _feed(add, name)
            _feed(add, held)
    elif isinstance(value, tuple | list):
        add("sequence", str(len(value)).encode())
        for each in value:
            _feed(add, each)
    else:
        raise SpecificationError(
            f"A {type(value).__name__} in a model has no fingerprint, so that nobody could tell "
            "later whether the fit is still that of this model. Expected numbers, texts, arrays, "
            "tables and what is made of them."
        )


def _feed_array(add: _Add, values: np.ndarray[Any, np.dtype[Any]]) -> None:
    add("array", repr(values.shape).encode())
    if values.dtype.kind in "biuf":
        plain = values
        if values.dtype.kind == "f":
            # -0.0 and 0.0 are the same number, and so are all NaN.
            plain = np.where(np.isnan(values), np.nan, values + 0.0)
        little = plain.astype(plain.dtype.newbyteorder("<"))
        add(little.dtype.str, np.ascontiguousarray(little).tobytes())
        return
    held = values.ravel().tolist()
    if all(type(each) is str for each in held):
        # Labels of areas: tens of thousands, whose lengths say where each ends.
        add("lengths", np.fromiter(map(len, held), dtype="<i8", count=len(held)).tobytes())
        add("texts", "".join(held).encode("utf-8", "surrogatepass"))
        return
    for each in held:
        _feed(add, None if each is pd.NA else each)


def _feed_column(add: _Add, column: "pd.Series[Any] | pd.Index[Any]") -> None:
    if isinstance(column.dtype, pd.CategoricalDtype):
        categories = pd.Categorical(column)
        add("categories", repr(bool(categories.ordered)).encode())
        _feed(add, categories.categories.to_numpy())
        _feed_array(add, np.asarray(categories.codes))
    elif isinstance(column.dtype, np.dtype):
        _feed_array(add, column.to_numpy())
    else:
        _feed_array(add, column.to_numpy(dtype=object))
