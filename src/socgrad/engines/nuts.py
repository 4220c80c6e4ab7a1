"""NUTS by nutpie: on the density that is written out, or on a PyMC graph."""

from collections.abc import Callable
from typing import Final

import numpy as np
import xarray as xr

from socgrad.engines.engine import Engine
from socgrad.engines.task import Drawn, Task
from socgrad.model.needs import TERMS_OF_AUTHORITIES
from socgrad.nuts.options import NutsOptions
from socgrad.nuts.takes import GRAPH_TAKES

__all__ = ["GRAPH", "OUTCOME_GRAPH", "WRITTEN"]

_GRAPH_PACKAGES: Final = ("pymc", "pytensor", "nutpie")
# Fewer leave posteriors with long tails.
_FEW_AUTHORITIES: Final = 10
type _Pair = tuple[xr.Dataset, xr.Dataset]


def _usual(task: Task) -> NutsOptions:
    """As asked; else steps as large as models of the kind take with hardly ever a divergence."""
    model, joint = task.models[0], task.strata is not None
    has_totals = any(each.areas.totals_known.any() for each in task.models)
    careful = (
        joint
        or has_totals
        or task.outcome is not None
        or not model.random_slopes
        or len(model.areas.authority) < _FEW_AUTHORITIES
        or bool(model.designs.of_areas or model.localities or model.regions)
    )
    target_accept = 0.95 if careful else 0.9
    return task.options.usually(
        tune=1000 if joint else 500,
        target_accept=0.99 if joint and has_totals else target_accept,
    )


def _drawn(options: NutsOptions, pair: _Pair, packages: tuple[str, ...]) -> Drawn:
    sampler: dict[str, object] = {
        "method": "nuts",
        "name": "nutpie",
        "draws": options.draws,
        "tune": options.tune,
        "chains": options.chains,
        "target_accept": options.target_accept,
    }
    return Drawn(*pair, sampler, packages, doubt=_stuck(pair[0]))


def _stuck(posterior: xr.Dataset) -> str:
    """Say which chains never moved; what else NUTS may say of itself is `check_sampling`'s."""
    if posterior.sizes["draw"] < 2:
        return ""
    moved = [
        (values != values.isel(draw=0)).any([dim for dim in values.dims if dim != "chain"])
        for values in posterior.data_vars.values()
        if "draw" in values.dims
    ]
    still = ~np.any([one.to_numpy() for one in moved], axis=0)
    return f"{still.sum()} of {len(still)} chains never moved" if still.any() else ""


def _on_written(task: Task) -> Drawn:
    from socgrad.nuts.density_sampling import sample_density  # noqa: PLC0415 nutpie takes seconds

    options = _usual(task)
    pair = sample_density(task.models[0], task.data[0], options)
    return _drawn(options, pair, ("nutpie", "numba"))


def _on_graph(task: Task) -> Drawn:
    from socgrad.nuts.sampling import sample_nuts  # noqa: PLC0415 PyMC takes seconds to import

    model = task.models[0] if task.strata is None else task.strata
    options = _usual(task)
    return _drawn(options, sample_nuts(model, task.data, options), _GRAPH_PACKAGES)


def _on_outcome_graph(task: Task) -> Drawn:
    from socgrad.nuts.outcome_sampling import sample_outcome  # noqa: PLC0415 as above

    assert task.outcome is not None
    options = _usual(task)
    pair = sample_outcome(task.outcome, task.data[0], options)
    return _drawn(options, pair, _GRAPH_PACKAGES)


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
GRAPH: Final = _engine("PyMC graph", GRAPH_TAKES, _on_graph)
OUTCOME_GRAPH: Final = _engine(
    "PyMC graph of an outcome",
    GRAPH_TAKES - {"joint strata", "no outcome"} | {"outcome"},
    _on_outcome_graph,
)
