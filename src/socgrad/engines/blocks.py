"""The block engine: any number of effects of an authority, any terms, any laws, strata together."""

from typing import Final

import xarray as xr

from socgrad.engines.engine import Engine
from socgrad.engines.task import Drawn, Task
from socgrad.model.needs import COARSENED, COUNTS, TERMS_OF_AUTHORITIES, TOTALS
from socgrad.model.over_years import OverYears

__all__ = ["BLOCKS", "MARGINAL"]

_TAKES: Final = (
    TERMS_OF_AUTHORITIES
    | COUNTS
    | COARSENED
    | TOTALS
    | {"localities coarsened counts", "negative_binomial in localities counts"}
    | {"negative_binomial in localities coarsened counts"}
    | {"overdispersion", "locality_sd", "region_sd"}
    | {"covariate_coefficient", "area_moderator_coefficient", "departure_coefficient"}
    | {"one stratum", "joint strata", "full correlations", "factor correlations"}
    | {"places that change by year", "drift over years", "national coefficients tied over years"}
    | {"no levels of authorities", "no slopes of authorities", "no outcome", "outcome"}
)


# Of NUTS on the marginal, whose scales are known beforehand: few draws and large steps will do.
_TUNE, _ACCEPT = 200, 0.8
# Beyond this error of Laplace's method, in log density, NUTS on it would doubt its draws as well.
_SHARED_ERROR = 0.5


def _sample(task: Task) -> Drawn:
    # numba, only where needed
    from socgrad.blocks.outcome import outcome_of  # noqa: PLC0415
    from socgrad.blocks.sampling import sample_blocks  # noqa: PLC0415

    options = task.options
    drawn = sample_blocks(
        task.models,
        task.data,
        correlations=_correlations(task),
        over_years=_over_years(task),
        outcome=None if task.outcome is None else outcome_of(task.outcome),
        draws=options.draws,
        chains=options.chains,
        random_seed=options.random_seed,
    )
    return Drawn(
        _labelled(task, drawn.posterior),
        drawn.sample_stats,
        {
            "method": "laplace",
            "name": "importance sampling from nested Laplace",
            "draws": options.draws,
            "chains": options.chains,
        },
        ("numba",),
        {
            "importance_ess": drawn.importance_ess,
            "pareto_k": drawn.pareto_k,
            "laplace_error": drawn.laplace_error,
        },
        drawn.doubt,
        frozenset() if drawn.laplace_error < _SHARED_ERROR else frozenset({MARGINAL.name}),
    )


def _sample_marginal(task: Task) -> Drawn:
    from socgrad.blocks.marginal_nuts import sample_marginal  # noqa: PLC0415 as above, and nutpie
    from socgrad.blocks.outcome import outcome_of  # noqa: PLC0415

    options = task.options.usually(tune=_TUNE, target_accept=_ACCEPT)
    drawn = sample_marginal(
        task.models,
        task.data,
        correlations=_correlations(task),
        over_years=_over_years(task),
        outcome=None if task.outcome is None else outcome_of(task.outcome),
        options=options,
    )
    return Drawn(
        _labelled(task, drawn.posterior),
        drawn.sample_stats,
        {
            "method": "laplace",
            "name": "NUTS (nutpie) on the marginal posterior of nested Laplace",
            "draws": options.draws,
            "tune": options.tune,
            "chains": options.chains,
            "target_accept": options.target_accept,
        },
        ("numba", "nutpie"),
        {"laplace_error": drawn.laplace_error},
        drawn.doubt,
    )


def _correlations(task: Task) -> str:
    return "full" if task.strata is None else task.strata.correlations


def _over_years(task: Task) -> OverYears | None:
    return None if task.strata is None else task.strata.over_years


def _labelled(task: Task, posterior: xr.Dataset) -> xr.Dataset:
    """Draws of one stratum without its dim, of several with their labels."""
    if task.strata is None:
        one = posterior.isel(stratum=0, drop=True)
        terms = {} if task.outcome is None else {"outcome_term": list(task.outcome.terms)}
        return one.assign_coords(terms)
    labels = list(task.strata.strata.labels)
    dims = [dim for dim in ("stratum", "stratum_bis") if dim in posterior.dims]
    return posterior.assign_coords(dict.fromkeys(dims, labels))


_OF_TOTALS: Final = (
    "how a total varies about its mean depends on the slope, and of a coarsened one it has no "
    "derivatives by that"
)
_REASONS: Final = {
    "negative_binomial coarsened totals": _OF_TOTALS,
    "localities coarsened totals": _OF_TOTALS,
}

BLOCKS: Final = Engine(
    "nested Laplace",
    "laplace",
    _TAKES,
    _REASONS,
    _sample,
    no_help_after=frozenset({"quadrature"}),
)
MARGINAL: Final = Engine(
    "NUTS on the marginal",
    "laplace",
    _TAKES,
    _REASONS,
    _sample_marginal,
    no_help_after=frozenset({"quadrature"}),
)
