"""The plan of many fits: a name, a model or what makes it, and options for each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from hashlib import sha256
from typing import Any, Final, TypedDict

import numpy as np
import pandas as pd

from socgrad.door.table_checks import name_some
from socgrad.errors import SpecificationError
from socgrad.fit_options import FitOptions
from socgrad.many.fingerprints import Model
from socgrad.many.folder import check_keys
from socgrad.model.arguments import check_is_model
from socgrad.model.gradient_model import GradientModel
from socgrad.model.outcome_model import OutcomeModel
from socgrad.model.stratified_model import StratifiedModel

__all__ = ["Options", "Plan", "PlannedFit", "planned_fits", "seed_of"]

_MODEL: Final = "model"
_MODELS: Final = (GradientModel, StratifiedModel, OutcomeModel)
_OPTIONS: Final = tuple(field.name for field in fields(FitOptions))
#: Columns of the tables that many fits are collected in.
_TAKEN: Final = (
    *("fit", "estimand", "at", "estimate", "lower", "upper", "pr_above", "null", "ess_bulk"),
    *("mcse", "units", "reference", "has_data", "state", "doubt", "doubted", "error", "sampler"),
    *("seconds", "peak_mb", "random_seed", "file"),
)

type Makes = Callable[..., Model]
type Plan = Mapping[str, Model | Makes] | pd.DataFrame


class Options(TypedDict, total=False):
    """Options of `socgrad.fit`, for every fit of a plan."""

    method: str
    draws: int
    tune: int
    chains: int
    cores: int
    target_accept: float


@dataclass(frozen=True, eq=False)
class PlannedFit:
    """One fit of a plan.

    Attributes
    ----------
    key : str
    source : GradientModel, StratifiedModel, OutcomeModel or callable
        The model, or what makes it.
    arguments : mapping
        What the callable is given, by name.
    options : FitOptions
    about : mapping
        What the plan says of the fit, in plain numbers and texts.
    """

    key: str
    source: Model | Makes
    arguments: Mapping[str, Any]
    options: FitOptions
    about: Mapping[str, Any]

    def model(self) -> Model:
        """The model, made where it has to be.

        Raises
        ------
        SpecificationError
            If what the function gives is no model.
        """
        if isinstance(self.source, _MODELS):
            return self.source
        made = self.source(**self.arguments)
        check_is_model(made, _MODELS)
        return made


def planned_fits(
    plan: Plan, model_of: Makes | None, options: Mapping[str, Any] | None
) -> list[PlannedFit]:
    """Read and check a plan; see `socgrad.many.fit_many`.

    Raises
    ------
    SpecificationError
        If it is no plan, is empty, two keys would name one file, a model is none, or an option is
        not one of `socgrad.fit` or out of range; the first keys are named.
    """
    given = dict(options or {})
    _check_names(given)
    if isinstance(plan, pd.DataFrame):
        fits = _of_table(plan, model_of, given)
    elif isinstance(plan, Mapping):
        if model_of is not None:
            raise SpecificationError(
                "model_of is for a plan that is a table; in a mapping each value is a model, or a "
                "function without arguments that makes it (functools.partial)."
            )
        fits = [_planned(key, source, {}, given, {}) for key, source in plan.items()]
    else:
        raise SpecificationError(
            f"The plan is a {type(plan).__name__}; expected a mapping from names to models, or a "
            "pandas DataFrame with the names as its index."
        )
    if not fits:
        raise SpecificationError("The plan is empty. Expected at least one fit.")
    check_keys([fit.key for fit in fits])
    return fits


def seed_of(random_seed: int, key: str) -> int:
    """The seed of one fit: it depends on the seed of all and on the fit's own key, on nothing else.

    So a fit has the same draws whatever the order, and whatever other fits there are.
    """
    words = np.frombuffer(sha256(key.encode()).digest()[:16], dtype="<u4").tolist()
    sequence = np.random.SeedSequence(random_seed, spawn_key=tuple(words))
    return int(sequence.generate_state(1, np.uint32)[0]) >> 1


def _of_table(
    table: pd.DataFrame, model_of: Makes | None, given: Mapping[str, Any]
) -> list[PlannedFit]:
    if (model_of is None) == (_MODEL not in table):
        both = "both" if model_of is not None else "neither"
        raise SpecificationError(
            f"The plan has {both} a column {_MODEL!r} and model_of=. Expected one: a column of "
            "models (or of functions that make them), or a function that makes the model of a row "
            "from its columns."
        )
    taken = [str(name) for name in table if name in _TAKEN]
    if taken:
        raise SpecificationError(
            f"Columns of the plan have names that the tables of results need: {', '.join(taken)}. "
            "Rename them."
        )
    fits = []
    for key, row in zip(table.index, table.to_dict("records"), strict=True):
        own = {
            str(name): _whole(str(name), value)
            for name, value in row.items()
            if name in _OPTIONS and not pd.isna(value)
        }
        rest = {str(n): value for n, value in row.items() if n not in (*_OPTIONS, _MODEL)}
        source = row[_MODEL] if model_of is None else model_of
        arguments = {} if model_of is None else rest
        fits.append(_planned(key, source, arguments, {**given, **own}, rest))
    return fits


def _planned(
    key: Any,
    source: Any,
    arguments: Mapping[str, Any],
    options: Mapping[str, Any],
    about: Mapping[str, Any],
) -> PlannedFit:
    if not isinstance(source, _MODELS) and not callable(source):
        raise SpecificationError(
            f"The plan has a {type(source).__name__} under {key!r}; expected a GradientModel, a "
            "StratifiedModel, an OutcomeModel, or a function that makes one."
        )
    try:
        chosen = FitOptions(**options)
    except SpecificationError as error:
        raise SpecificationError(f"Fit {key!r}: {error}") from error
    plain = {name: _plain(value) for name, value in about.items()}
    return PlannedFit(key, source, arguments, chosen, plain)


def _check_names(options: Mapping[str, Any]) -> None:
    strange = [name for name in options if name not in _OPTIONS]
    if not strange:
        return
    words = f"options has {name_some(strange)}; expected some of {', '.join(_OPTIONS)}."
    if "random_seed" in strange:
        words += " One random_seed is an argument of its own, from which each fit has its own."
    raise SpecificationError(words)


def _whole(name: str, value: Any) -> Any:
    """A number as the option takes it: a column with gaps holds 500 as 500.0."""
    if name != "target_accept" and isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _plain(value: Any) -> Any:
    """What JSON can hold; other things by their text."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return None if isinstance(value, float) and np.isnan(value) else value
    return str(value)
