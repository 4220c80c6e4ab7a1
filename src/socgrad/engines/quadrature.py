"""The quadrature engine: one stratum, authorities of a level and a slope each."""

from typing import Final

from socgrad.engines.engine import Engine
from socgrad.engines.task import Drawn, Task
from socgrad.model.needs import COARSENED, COUNTS, TERMS_OF_AUTHORITIES, TOTALS

__all__ = ["QUADRATURE"]

_OF_AREAS = "its integrals are over authorities of one line each, and this takes areas off it"
_REASONS: Final = {
    "covariate_coefficient": _OF_AREAS,
    "area_moderator_coefficient": _OF_AREAS,
    "departure_coefficient": _OF_AREAS,
    "region_sd": "it integrates over authorities one by one, and those of a region share an effect",
    "no levels of authorities": "it integrates over authorities, and one alone has no effects",
    "joint strata": "it integrates over two effects of an authority, and strata have more",
}


def _sample(task: Task) -> Drawn:
    from socgrad.laplace import sample_laplace  # noqa: PLC0415 SciPy, only where it is needed

    options = task.options
    drawn = sample_laplace(
        task.models[0],
        task.data[0],
        draws=options.draws,
        chains=options.chains,
        random_seed=options.random_seed,
    )
    return Drawn(
        drawn.posterior,
        drawn.sample_stats,
        {
            "method": "laplace",
            "name": "importance sampling on adaptive quadrature",
            "draws": options.draws,
            "chains": options.chains,
            "nodes": drawn.nodes,
            "proposal_efficiency": round(drawn.proposal_efficiency, 3),
        },
        (),
        {
            "importance_ess": drawn.importance_ess,
            "pareto_k": drawn.pareto_k,
            "laplace_quadrature_error": drawn.quadrature_error,
        },
        drawn.doubt,
    )


QUADRATURE: Final = Engine(
    "quadrature",
    "laplace",
    TERMS_OF_AUTHORITIES
    | COUNTS
    | COARSENED
    | {"negative_binomial coarsened totals"}
    | TOTALS
    | {"overdispersion", "locality_sd", "no slopes of authorities", "one stratum"}
    | {"no outcome"},
    _REASONS,
    _sample,
)
