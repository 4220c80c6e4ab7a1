"""Write the two simulated tables on which lme4, glmmTMB and socgrad are compared.

Run from the root of the repository, then fit them in R::

    PYTHONPATH=src python tests/golden/make_tables.py
    Rscript tests/golden/parity.R
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from socgrad.simulation.england import calibrated, simulate
from socgrad.simulation.truth import Truth

FOLDER = Path(__file__).parent
SEED = 2022
TRUTH = Truth(
    intercept=0.0,
    within=float(np.log(1.7)),
    between=float(np.log(1.4)),
    cross_level=-0.05,
    level_sd=0.30,
    slope_sd=0.15,
    correlation=-0.3,
)


def main() -> None:
    """Write 40 authorities of 4 to 164 areas, about 300 events per 10,000 children, twice."""
    geography = simulate(authorities=40, areas=1600, random_seed=SEED).frame
    poisson = calibrated(TRUTH, geography, rate=300.0)
    truths = {"poisson": poisson, "negative_binomial": replace(poisson, overdispersion=0.4)}
    for name, truth in truths.items():
        frame = simulate(
            authorities=40, areas=1600, stages={"events": truth}, random_seed=SEED
        ).frame
        # Floats are written so that they read back exactly; no time stamp, so that files compare.
        frame[["area", "authority", "children", "deprivation", "events"]].to_csv(
            FOLDER / f"{name}.csv.gz", index=False, compression={"method": "gzip", "mtime": 0}
        )


if __name__ == "__main__":
    main()
