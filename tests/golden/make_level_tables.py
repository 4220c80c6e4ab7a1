"""Write the two simulated tables on which lme4 and socgrad are compared with a third level.

Run from the root of the repository, then fit them in R::

    PYTHONPATH=src:tests python tests/golden/make_level_tables.py
    Rscript tests/golden/levels.R
"""

from pathlib import Path

from locality_tables import simulated_with_localities
from region_tables import simulated_with_regions

FOLDER = Path(__file__).parent


def main() -> None:
    """Write 40 authorities with localities, and the 60 of `fits.sampled` in nine regions."""
    simulations = {
        "localities": simulated_with_localities(
            authorities=40, areas=1600, seed=11, locality_sd=0.3
        ),
        "regions": simulated_with_regions(authorities=60, areas=1800, seed=12),
    }
    for name, simulation in simulations.items():
        # Floats are written so that they read back exactly; no time stamp, so that files compare.
        simulation.frame.to_csv(
            FOLDER / f"{name}.csv.gz", index=False, compression={"method": "gzip", "mtime": 0}
        )


if __name__ == "__main__":
    main()
