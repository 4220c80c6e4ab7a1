"""An engine: the terms and laws it takes, and how it samples them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from socgrad.engines.task import Drawn, Task
from socgrad.progress import stage

__all__ = [
    "Engine",
    "Lacking",
    "attempted",
    "refusals",
]


@dataclass(frozen=True)
class Engine:
    """What samples some models.

    Attributes
    ----------
    name : str
    method : {"laplace", "nuts"}
        The `method` of `socgrad.fit` that it belongs to; "auto" takes both.
    takes : frozenset of str
        All that a task may need of it (`Task.needs`); what is not named is not taken.
    reasons : mapping
        Why it does not take a need, by name, where that is more than that it has no such thing.
    sample : callable
        Draws from the posterior of a task that it takes.
    available : callable
        Whether it can run here.
    no_help_after : frozenset of str
        Engines whose doubts it would share.
    """

    name: str
    method: Literal["laplace", "nuts"]
    takes: frozenset[str]
    reasons: Mapping[str, str]
    sample: Callable[[Task], Drawn]
    available: Callable[[], bool] = lambda: True
    no_help_after: frozenset[str] = frozenset()

    def lacks(self, task: Task) -> dict[str, str]:
        """What a task needs and this engine has not, each with the reason, or none."""
        return {need: self.reasons.get(need, "") for need in sorted(task.needs - self.takes)}


@dataclass(frozen=True)
class Lacking:
    """Why an engine does not take a task."""

    engine: str
    lacks: Mapping[str, str]

    def __str__(self) -> str:
        words = [
            _in_words(need) + (f" ({reason})" if reason else "")
            for need, reason in self.lacks.items()
        ]
        return f"{self.engine} does not take {', '.join(words)}"


def _in_words(need: str) -> str:
    """A need; some are that a model is without something."""
    without = need.removeprefix("no ")
    return need if without == need else f"models without {without}"


def refusals(engines: Sequence[Engine], task: Task) -> list[Lacking]:
    """What each engine that does not take a task lacks."""
    found = [Lacking(engine.name, engine.lacks(task)) for engine in engines]
    return [refusal for refusal in found if refusal.lacks]


def attempted(engine: Engine, task: Task) -> tuple[Drawn | None, str]:
    """Sample; what the engine doubts, or fails on by arithmetic, in words (empty: nothing).

    A matrix that is not positive definite, an overflow or draws that are no numbers are doubts of
    the engine, not faults of the caller.
    """
    try:
        # What overflows shows in its draws.
        with np.errstate(all="ignore"), stage(engine.name):
            drawn = engine.sample(task)
    except (np.linalg.LinAlgError, ArithmeticError) as error:
        return None, f"its arithmetic failed ({error})"
    lost = [
        str(name)
        for name, values in drawn.posterior.data_vars.items()
        if not np.isfinite(values.to_numpy()).all()
    ]
    if lost:
        return None, f"draws of {', '.join(lost)} are not finite"
    return drawn, drawn.doubt
