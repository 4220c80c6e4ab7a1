"""Which engine samples a task: the first that takes it, then the next where one doubts or fails."""

import itertools
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

from socgrad.engines.blocks import BLOCKS, MARGINAL
from socgrad.engines.engine import Engine, attempted, refusals
from socgrad.engines.nuts import GRAPH, OUTCOME_GRAPH, WRITTEN
from socgrad.engines.quadrature import QUADRATURE
from socgrad.engines.task import Drawn, Task
from socgrad.errors import ConvergenceWarning, SocgradWarning, SpecificationError
from socgrad.progress import stage

__all__ = ["ENGINES", "Method", "sampled"]

type Method = Literal["nuts", "laplace", "auto"]

#: In the order in which they are tried.
ENGINES: Final[tuple[Engine, ...]] = (
    QUADRATURE,
    BLOCKS,
    MARGINAL,
    WRITTEN,
    GRAPH,
    OUTCOME_GRAPH,
)
_PACKAGE: Final = (str(Path(__file__).parents[1]),)


def sampled(task: Task, method: Method, engines: Sequence[Engine] = ENGINES) -> Drawn:
    """Draw from the posterior of a task.

    Parameters
    ----------
    task : Task
    method : {"nuts", "laplace", "auto"}
        Which engines may be taken.
    engines : sequence of Engine
        In the order in which they are tried.

    Raises
    ------
    SpecificationError
        If no engine of this method takes the task; what each lacks is named.

    Warns
    -----
    ConvergenceWarning
        If the last engine that there is, or NUTS where it was asked for, doubts its draws.
    SocgradWarning
        If one engine's doubts hand the task on to the next.
    """
    allowed = [engine for engine in engines if method in ("auto", engine.method)]
    takers = _from_available([each for each in allowed if not each.lacks(task)])
    if not takers:
        lacking = ". ".join(str(each) for each in refusals(allowed, task))
        others = {each.method for each in engines if not each.lacks(task)}
        advice = f" Choose method={' or '.join(map(repr, sorted(others)))}." if others else ""
        raise SpecificationError(f"method={method!r} cannot fit this model. {lacking}.{advice}")
    if method == "laplace":
        # One after another would hide which of them answered.
        takers = takers[:1]
    if method == "nuts":
        with stage(takers[0].name):
            asked = takers[0].sample(task)
        if asked.doubt:
            _warn_of_doubt(method, asked.doubt)
        return asked
    doubts: dict[str, str] = {}
    while True:
        engine, *takers = takers
        drawn, doubt = attempted(engine, task)
        if drawn is not None and not doubt:
            return _marked(drawn, doubts)
        doubts[engine.name] = doubt
        # Where no other is left, one that may share the doubts is better than none.
        shared = drawn.shared_by if drawn is not None else frozenset[str]()
        helpful = [
            each
            for each in takers
            if engine.name not in each.no_help_after and each.name not in shared
        ]
        takers = _from_available(helpful) or _from_available(takers)
        if takers:
            _say_who_goes_on(engine, takers[0], doubt)
            continue
        if drawn is None:
            said = "; ".join(f"{name}: {words}" for name, words in doubts.items())
            raise SpecificationError(
                f"No engine could sample this model ({said}). Look at the counts and the priors: "
                "few events, or priors that hardly bound what the counts leave open, make a "
                "posterior that cannot be sampled."
            )
        _warn_of_doubt(method, doubt)
        del doubts[engine.name]
        return _marked(drawn, doubts)


def _warn_of_doubt(method: Method, doubt: str) -> None:
    advice = "Do not report them before check_sampling agrees."
    if method == "laplace":
        advice = (
            "Fit again with method='nuts' (or 'auto', which does so by itself) before reporting "
            "them."
        )
    warnings.warn(
        f"method={method!r} doubts its draws: {doubt}. {advice}",
        ConvergenceWarning,
        skip_file_prefixes=_PACKAGE,
    )


def _from_available(engines: Sequence[Engine]) -> list[Engine]:
    """Those from the first that can run here: later ones are asked in their turn.

    To ask may import a sampler, which takes seconds that most fits never need.
    """
    return list(itertools.dropwhile(lambda engine: not engine.available(), engines))


def _say_who_goes_on(engine: Engine, following: Engine, doubt: str) -> None:
    next_one = "NUTS" if following.method == "nuts" else following.name
    warnings.warn(
        f"method='auto' goes on with {next_one}, because {engine.name} (method="
        f"{engine.method!r}) doubts its draws: {doubt}.",
        SocgradWarning,
        skip_file_prefixes=_PACKAGE,
    )


def _marked(drawn: Drawn, doubts: Mapping[str, str]) -> Drawn:
    """The same, with what earlier engines doubted among what is recorded of the sampler."""
    if not doubts:
        return drawn
    said = "; ".join(f"{name}: {words}" for name, words in doubts.items())
    sampler = dict(drawn.sampler) | {"instead_of_laplace": said}
    return Drawn(
        drawn.posterior, drawn.sample_stats, sampler, drawn.packages, drawn.vouched, drawn.doubt
    )
