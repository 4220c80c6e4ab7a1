"""NUTS by nutpie: on the density that is written out, or on a PyMC graph."""

from collections.abc import Callable
from typing import Final

import xarray as xr

from socgrad.engines.engine import COUNTS, TERMS_OF_AUTHORITIES, TOTALS, Engine
from socgrad.engines.task import Drawn, Task

__all__ = ["GRAPH", "JOINT_GRAPH", "OUTCOME_GRAPH", "WRITTEN"]

_GRAPH_PACKAGES: Final = ("pymc", "pytensor", "nutpie")
_OF_AREAS: Final = frozenset(
    {"covariate_coefficient", "area_moderator_coefficient", "departure_coefficient"}
)

type _Pair = tuple[xr.Dataset, xr.Dataset]


def _drawn(task: Task, pair: _Pair, packages: tuple[str, ...]) -> Drawn:
    options = task.options
    sampler: dict[str, object] = {
        "method": "nuts",
        "name": "nutpie",
        "draws": options.draws,
        "tune": options.tune,
        "chains": options.chains,
        "target_accept": options.target_accept,
    }
    return Drawn(*pair, sampler, packages)


def _on_written(task: Task) -> Drawn:
    from socgrad.nuts.density_sampling import sample_density  # noqa: PLC0415 nutpie takes seconds

    pair = sample_density(task.models[0], task.data[0], task.options)
    return _drawn(task, pair, ("nutpie", "numba"))


def _on_graph(task: Task) -> Drawn:
    from socgrad.nuts.sampling import sample_nuts  # noqa: PLC0415 PyMC takes seconds to import

    return _drawn(task, sample_nuts(task.models[0], task.data[0], task.options), _GRAPH_PACKAGES)


def _on_joint_graph(task: Task) -> Drawn:
    from socgrad.nuts.joint_sampling import sample_joint  # noqa: PLC0415 as above

    assert task.strata is not None
    pair = sample_joint(task.strata, list(task.data), task.options)
    return _drawn(task, pair, _GRAPH_PACKAGES)


def _on_outcome_graph(task: Task) -> Drawn:
    from socgrad.nuts.outcome_sampling import sample_outcome  # noqa: PLC0415 as above

    assert task.outcome is not None
    return _drawn(task, sample_outcome(task.outcome, task.data[0], task.options), _GRAPH_PACKAGES)


def _nutpie_is_known() -> bool:
    from socgrad.nuts.density_sampling import NUTPIE_IS_KNOWN  # noqa: PLC0415 as above

    return NUTPIE_IS_KNOWN


def _engine(
    name: str,
    takes: frozenset[str],
    sample: Callable[[Task], Drawn],
    available: Callable[[], bool] = lambda: True,
) -> Engine:
    return Engine(name, "nuts", takes, {}, sample, available)


WRITTEN: Final = _engine(
    "written density",
    TERMS_OF_AUTHORITIES
    | {"poisson counts", "poisson totals", "negative_binomial counts", "overdispersion"}
    | {"one stratum", "no outcome"},
    _on_written,
    _nutpie_is_known,
)
GRAPH: Final = _engine(
    "PyMC graph",
    TERMS_OF_AUTHORITIES
    | _OF_AREAS
    | COUNTS
    | TOTALS
    | {"poisson coarsened counts", "negative_binomial coarsened counts"}
    | {"overdispersion", "locality_sd", "region_sd", "one stratum", "no outcome"}
    | {"no levels of authorities", "no slopes of authorities"},
    _on_graph,
)
JOINT_GRAPH: Final = _engine(
    "PyMC graph of joint strata",
    TERMS_OF_AUTHORITIES
    | {"covariate_coefficient", "area_moderator_coefficient", "overdispersion"}
    | {"poisson counts", "poisson totals", "negative_binomial counts", "negative_binomial totals"}
    | {"joint strata", "full correlations", "factor correlations", "no outcome"},
    _on_joint_graph,
)
OUTCOME_GRAPH: Final = _engine(
    "PyMC graph of an outcome",
    GRAPH.takes - {"no outcome"} | {"outcome"},
    _on_outcome_graph,
)
