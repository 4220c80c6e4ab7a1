"""The block engine: any number of effects of an authority, any terms, any laws, strata together."""

from typing import Final

from socgrad.engines.engine import COUNTS, TERMS_OF_AUTHORITIES, TOTALS, Engine
from socgrad.engines.task import Drawn, Task

__all__ = ["BLOCKS"]

_TAKES: Final = (
    TERMS_OF_AUTHORITIES
    | COUNTS
    | TOTALS
    | {"overdispersion", "locality_sd", "region_sd"}
    | {"covariate_coefficient", "area_moderator_coefficient", "departure_coefficient"}
    | {"one stratum", "joint strata", "full correlations", "factor correlations"}
    | {"no slopes of authorities"}
)


def _sample(task: Task) -> Drawn:
    from socgrad.blocks.sampling import sample_blocks  # noqa: PLC0415 numba, only where needed

    options = task.options
    drawn = sample_blocks(
        task.models,
        task.data,
        correlations="full" if task.strata is None else task.strata.correlations,
        draws=options.draws,
        chains=options.chains,
        random_seed=options.random_seed,
    )
    posterior = drawn.posterior
    if task.strata is None:
        posterior = posterior.isel(stratum=0, drop=True)
    else:
        labels = list(task.strata.strata.labels)
        named = {dim: labels for dim in ("stratum", "stratum_bis") if dim in posterior.dims}
        posterior = posterior.assign_coords(named)
    return Drawn(
        posterior,
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
    )


BLOCKS: Final = Engine("blocks", "laplace", _TAKES, {}, _sample)
