"""The simulated tables on which the two engines are compared, and the models fitted to them."""

import dataclasses
import sys
from dataclasses import dataclass, field
from pathlib import Path

from socgrad.model.gradient_model import GradientModel
from socgrad.model.priors import Normal, PositiveNormal, Priors, rate_ratio
from socgrad.simulation.england import calibrated, simulate
from socgrad.simulation.truth import Truth
from socgrad.table.areas import Areas

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "docs" / "results"

# The tests' makers of small tables serve here too.
sys.path.insert(0, str(ROOT / "tests"))
from tables import TRUTH, areas_of  # noqa: E402

__all__ = ["CASES", "RESULTS", "Case", "table_and_model"]

#: Totals carry little on the slopes: their priors say about as much as the literature does.
INFORMED = Priors(
    within=rate_ratio(1.65, interval=(1.5, 1.82)),
    cross_level=Normal(-0.05, 0.05),
    slope_sd=PositiveNormal(0.12, 0.03),
)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One simulated table: its size, its truth where that departs from the usual, its model.

    `events` is the number expected over the whole table; `known` is "counts", "totals" or "mixture"
    (every second authority known by its total only).
    """

    name: str
    family: str = "poisson"
    known: str = "counts"
    authorities: int = 60
    areas: int = 3600
    events: float = 10_000
    truth: dict[str, float] = field(default_factory=dict)
    model: dict[str, object] = field(default_factory=dict)


_SMALL = {"level_sd": 0.05, "slope_sd": 0.02}
_LARGE = {"level_sd": 0.8, "slope_sd": 0.4}
_CURVED = {"curvature": True}
_ENGLAND = {"authorities": 151, "areas": 32_844}

CASES = (
    Case(name="England, 60,000 events", events=60_000, **_ENGLAND),
    Case(name="England, 1,000,000 events", events=1e6, **_ENGLAND),
    Case(name="England, 3,000 events", events=3_000, **_ENGLAND),
    Case(name="England, small SDs", events=60_000, truth=_SMALL, **_ENGLAND),
    Case(
        name="England, large SDs, curvature",
        events=60_000,
        truth={**_LARGE, "curvature": 0.1},
        model=_CURVED,
        **_ENGLAND,
    ),
    Case(name="60 authorities, curvature", events=20_000, model=_CURVED),
    Case(name="20 authorities", authorities=20, areas=2000, events=10_000),
    Case(name="20 authorities of 5 areas", authorities=20, areas=100, events=400),
    Case(name="England, totals", known="totals", events=60_000, **_ENGLAND),
    Case(name="60 authorities, totals", known="totals", events=3_000),
    Case(name="England, mixture", known="mixture", events=60_000, model=_CURVED, **_ENGLAND),
    Case(name="60 authorities, no slopes", events=20_000, model={"random_slopes": False}),
    Case(name="60 authorities, pooled", events=20_000, model={"deprivation": "pooled"}),
    Case(name="NB 60 authorities", family="negative_binomial", events=10_000),
    Case(
        name="NB 60 authorities, small SDs",
        family="negative_binomial",
        events=5_000,
        truth={**_SMALL, "overdispersion": 0.25},
    ),
    Case(
        name="NB 20 authorities, large SDs, curvature",
        family="negative_binomial",
        authorities=20,
        areas=2000,
        events=50_000,
        truth={**_LARGE, "overdispersion": 0.6},
        model=_CURVED,
    ),
    Case(name="NB 60 authorities, totals", family="negative_binomial", known="totals"),
    Case(name="NB 60 authorities, mixture", family="negative_binomial", known="mixture"),
    Case(name="NB 60 authorities, rare", family="negative_binomial", events=1_000),
)


def table_and_model(case: Case, *, random_seed: int) -> tuple[Areas, GradientModel]:
    """Simulate a case's table and state its model."""
    size = {"authorities": case.authorities, "areas": case.areas, "random_seed": random_seed}
    spread = 0.4 if case.family == "negative_binomial" else 0.0
    truth: Truth = dataclasses.replace(TRUTH, **{"overdispersion": spread, **case.truth})
    frame = simulate(stages={"events": truth}, **size).frame
    truth = calibrated(truth, frame, rate=10_000 * case.events / float(frame["children"].sum()))
    areas = areas_of(simulate(stages={"events": truth}, **size), case.known)
    priors = Priors() if case.known == "counts" else INFORMED
    return areas, GradientModel(areas, family=case.family, priors=priors, **case.model)
