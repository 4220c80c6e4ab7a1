"""Simulated tables whose events depend on covariates by known coefficients."""

import functools
from dataclasses import dataclass

import numpy as np
import pandas as pd

from socgrad.table.areas import Areas
from tables import simulated

#: Log rate ratios: rural against urban, per SD of log density, per SD of Gini, London against the
#: rest; and changes of the log gradient: per SD of Gini, London, rural.
RURAL, DENSITY, GINI, LONDON = -0.25, 0.15, 0.2, 0.3
GINI_TURNS, LONDON_TURNS, RURAL_TURNS = 0.12, -0.15, 0.10


@dataclass(frozen=True, eq=False)
class CovariateTable:
    """One row per area, one per authority."""

    areas: pd.DataFrame
    authorities: pd.DataFrame

    def validated(self, *, totals: bool = False, per: float = 0.10) -> Areas:
        """Areas of this table, of counts or of authority totals."""
        sums = self.areas.groupby("authority")["events"].sum()
        return Areas.from_frame(
            self.areas,
            area="area",
            authority="authority",
            events=None if totals else "events",
            totals=sums if totals else None,
            children="children",
            deprivation="deprivation",
            complete=True,
            per=per,
            covariates=["setting", "density"],
            authority_covariates=self.authorities,
        )


@functools.cache
def covariate_table(
    authorities: int = 12, areas: int = 240, seed: int = 3, level_sd: float = 0.2
) -> CovariateTable:
    """A simulated geography with events of an intercept of -3.5 and the coefficients above."""
    frame = simulated(authorities=authorities, areas=areas, seed=seed).frame
    frame = frame.drop(columns="events")
    rng = np.random.default_rng(seed)
    labels = np.array(sorted(frame["authority"].unique()))
    j = np.searchsorted(labels, frame["authority"])
    gini = rng.normal(0.35, 0.03, len(labels))
    london = np.arange(len(labels)) % 3 == 0
    rural = rng.random(len(frame)) < 0.3
    frame["setting"] = np.where(rural, "rural", "urban")
    frame["density"] = np.exp(rng.normal(3 - rural, 0.5))
    children = frame["children"].to_numpy()
    own = np.bincount(j, weights=children * frame["deprivation"]) / np.bincount(j, weights=children)
    w = (frame["deprivation"].to_numpy() - own[j]) / 0.10
    b = (own - np.average(own[j], weights=children)) / 0.10
    spread = (gini - gini.mean()) / gini.std()
    dense = np.log(frame["density"].to_numpy())
    level = -3.5 + 0.3 * b + GINI * spread + LONDON * london
    level = level + level_sd * rng.standard_normal(len(labels))
    slope = 0.5 - 0.05 * b + GINI_TURNS * spread + LONDON_TURNS * london
    slope = slope + 0.08 * rng.standard_normal(len(labels))
    log_rate = level[j] + RURAL * rural + DENSITY * (dense - dense.mean()) / dense.std()
    log_rate = log_rate + (slope[j] + RURAL_TURNS * rural) * w
    frame["events"] = rng.poisson(children * np.exp(log_rate)).astype(float)
    given = pd.DataFrame(
        {"gini": gini, "region": np.where(london, "London", "Elsewhere")}, index=labels
    )
    return CovariateTable(frame, given)
