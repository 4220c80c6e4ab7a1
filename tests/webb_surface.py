"""Neighbourhoods simulated from the published surface of looked-after gradients (Webb et al. 2020).

Log gradient per SD of neighbourhood deprivation = 0.509836 - 0.120213 z(authority deprivation) +
0.162894 z(Gini), https://doi.org/10.1016/j.childyouth.2020.104849; the variance of authority levels
is the 0.0039 that the study's model of plans was left with.
"""

import functools

import numpy as np
import pandas as pd
from scipy.stats import norm

from socgrad.table.areas import Areas

WITHIN, DEPRIVED, GINI = 0.509836, -0.120213, 0.162894
LEVEL_SD = np.sqrt(0.0039)
#: Standardised authority deprivation and Gini, and the published gradient there.
SURFACE = {
    (0, 0): 1.665,
    (1, 0): 1.476,
    (-1, 0): 1.878,
    (0, 1): 1.960,
    (0, -1): 1.415,
    (-1, 1): 2.210,
    (1, -1): 1.254,
}
#: An SD of neighbourhoods is a step of 0.10; an SD of authority means, half of one.
SPREAD = 0.05


@functools.cache
def webb_areas(authorities: int = 30, areas: int = 60) -> Areas:
    """Thirty authorities of sixty neighbourhoods, deprivation and Gini unrelated."""
    rng = np.random.default_rng(8)
    z = norm.ppf((np.arange(authorities) + 0.5) / authorities)
    z = (z - z.mean()) / z.std()
    gini = rng.permutation(z)
    j = np.repeat(np.arange(authorities), areas)
    w = rng.standard_normal(len(j))
    # Within parts of mean zero and few values beyond three steps keep deprivation within 0-1.
    w = np.clip(w, -2.2, 2.6)
    w -= (np.bincount(j, w) / areas)[j]
    level = -4.0 + 0.2 * z + LEVEL_SD * rng.standard_normal(authorities)
    slope = WITHIN + DEPRIVED * z + GINI * gini + 0.05 * rng.standard_normal(authorities)
    children = 400.0
    frame = pd.DataFrame(
        {
            "area": [f"{k:05d}" for k in range(len(j))],
            "authority": [f"A{k:02d}" for k in j],
            "idaci": 0.35 + SPREAD * z[j] + 0.10 * w,
            "children": children,
            "events": rng.poisson(children * np.exp(level[j] + slope[j] * w)),
        }
    )
    labels = sorted(set(frame["authority"]))
    return Areas.from_frame(
        frame,
        area="area",
        authority="authority",
        events="events",
        children="children",
        deprivation="idaci",
        complete=True,
        authority_covariates=pd.DataFrame({"gini": gini}, index=labels),
    )
