"""Simulated tables of forty authorities of forty areas, each with something a model leaves out.

The truth is that of `LINES`: what the tables of one kind have beside it is in its name. Positions
are on a map: authorities are blocks of 4 x 10 areas, localities blocks of 2 x 2, neighbours share
an edge.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.ndimage import gaussian_filter

type Floats = npt.NDArray[np.float64]

AUTHORITIES, ROWS, COLUMNS = 40, 4, 10
AREAS = AUTHORITIES * ROWS * COLUMNS
#: Log rates per 10 points, and SDs of authorities.
LINES: Final[Mapping[str, float]] = {
    "within": 0.58,
    "between": 0.30,
    "cross_level": -0.05,
    "level_sd": 0.28,
    "slope_sd": 0.12,
}
#: Expected events of a table, unless its kind says otherwise.
EVENTS: Final = 5_000.0
#: Of each kind, what its tables have beside the lines; and how they differ from `AUTHORITIES`.
KINDS: Final[Mapping[str, Mapping[str, float]]] = {
    "lines": {},
    "overdispersed 0.4, fitted so": {"overdispersion": 0.4},
    "convex gradient": {"bend": 0.08},
    "t3 authorities": {"freedom": 3.0},
    "alike areas": {"field": 0.35},
    "overdispersion 0.25": {"overdispersion": 0.25},
    "error in deprivation": {"error": 0.04},
    "rare events": {"events": 85.0},
}


@dataclass(frozen=True, eq=False)
class Table:
    """A table, its neighbours, and the true rates of its areas (per child, without chance)."""

    frame: pd.DataFrame
    neighbours: pd.DataFrame
    rate: Floats
    truth: dict[str, float] = field(default_factory=dict)


def misfit_table(
    rng: np.random.Generator,
    *,
    events: float = EVENTS,
    bend: float = 0.0,
    freedom: float = np.inf,
    field: float = 0.0,
    overdispersion: float = 0.0,
    error: float = 0.0,
) -> Table:
    """Simulate one table.

    Parameters
    ----------
    rng
        Source of everything random.
    events
        Expected number of events.
    bend
        Coefficient of squared deprivation (10 points), less its line over the nation's children.
    freedom
        Degrees of freedom of the t distribution of authorities' levels and slopes, whose SDs stay.
    field
        SD of log rates of a field that is smooth over the map.
    overdispersion
        Coefficient of variation of areas' rates.
    error
        SD of the error in the deprivation that the table has.
    """
    size = ROWS * COLUMNS
    down, across = np.divmod(np.arange(AREAS), 40)
    authority = (down // ROWS) * (40 // COLUMNS) + across // COLUMNS
    order = np.argsort(authority, kind="stable")
    down, across, authority = down[order], across[order], authority[order]
    mean = np.clip(rng.normal(0.18, 0.06, AUTHORITIES), 0.06, 0.36)
    shape = 1 / 0.58**2
    x = np.clip(rng.gamma(shape, mean[authority] / shape), 0.01, 0.8)
    children = np.clip(np.round(rng.lognormal(np.log(340), 0.4, AREAS)), 60, 1500)
    own = np.bincount(authority, children * x) / np.bincount(authority, children)
    centre = np.average(x, weights=children)
    w, b, z = (x - own[authority]) / 0.1, (own - centre) / 0.1, (x - centre) / 0.1
    line = np.column_stack([np.ones(AREAS), z])
    squared = z**2 - line @ np.linalg.solve(line.T @ (children[:, None] * line),
                                            line.T @ (children * z**2))  # fmt: skip
    u, v = _standard_effects(freedom, rng)
    level = LINES["between"] * b + LINES["level_sd"] * u
    slope = LINES["within"] + LINES["cross_level"] * b + LINES["slope_sd"] * v
    log_rate = level[authority] + slope[authority] * w + bend * squared
    rate = np.exp(log_rate)
    rate *= events / (children @ rate) if events != EVENTS else np.exp(-5.2)
    factor = np.ones(AREAS)
    if overdispersion:
        factor *= rng.gamma(overdispersion**-2, overdispersion**2, AREAS)
    if field:
        smooth = gaussian_filter(rng.standard_normal((40, 40)), 1.2, mode="wrap")
        smooth *= field / smooth.std()
        factor *= np.exp(smooth[down, across] - field**2 / 2)
    seen = np.clip(x + rng.normal(0.0, error, AREAS), 0.0, 1.0) if error else x
    labels = np.array([f"E{k:04d}" for k in range(AREAS)])
    frame = pd.DataFrame(
        {
            "area": labels,
            "authority": [f"A{j:02d}" for j in authority],
            "locality": [f"L{r:02d}{c:02d}" for r, c in zip(down // 2, across // 2, strict=True)],
            "deprivation": seen,
            "children": children,
            "events": rng.poisson(children * rate * factor),
        }
    )
    at = np.zeros((40, 40), dtype=int)
    at[down, across] = np.arange(AREAS)
    pairs = np.vstack(
        [
            np.column_stack([at[:-1].ravel(), at[1:].ravel()]),
            np.column_stack([at[:, :-1].ravel(), at[:, 1:].ravel()]),
        ]
    )
    neighbours = pd.DataFrame({"area": labels[pairs[:, 0]], "neighbour": labels[pairs[:, 1]]})
    assert size * AUTHORITIES == AREAS
    truth = dict(LINES) | {"contextual": LINES["between"] - LINES["within"]}
    return Table(frame, neighbours, rate, truth | {"sii": _slope_index(rate, x, children)})


def _standard_effects(freedom: float, rng: np.random.Generator) -> Floats:
    """Levels and slopes of variance 1, (2, authorities)."""
    if np.isinf(freedom):
        return rng.standard_normal((2, AUTHORITIES))
    return rng.standard_t(freedom, (2, AUTHORITIES)) / np.sqrt(freedom / (freedom - 2))


def _slope_index(rate: Floats, deprivation: Floats, children: Floats) -> float:
    """Slope index per 10,000 of true rates: ends of the Poisson line over children's ranks."""
    order = np.argsort(deprivation)
    rank = np.empty(len(order))
    below = np.cumsum(children[order])
    rank[order] = (below - children[order] / 2) / below[-1]
    columns = np.column_stack([np.ones_like(rank), rank])
    beta = np.array([np.log(np.average(rate, weights=children)), 0.0])
    for _ in range(50):
        expected = children * np.exp(columns @ beta)
        gap = columns.T @ (children * rate - expected)
        beta = beta + np.linalg.solve(columns.T @ (expected[:, None] * columns), gap)
    return float(10_000 * (np.exp(beta.sum()) - np.exp(beta[0])))
