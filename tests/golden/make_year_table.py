"""Write the simulated table on which glmmTMB's ar1 and socgrad's drift are compared.

Run from the root of the repository, then fit it in R::

    PYTHONPATH=src:tests python tests/golden/make_year_table.py
    Rscript tests/golden/years.R
"""

from pathlib import Path

from socgrad.simulation.years import DriftTruth, simulate
from years_tables import TRUTH

FOLDER = Path(__file__).parent


def main() -> None:
    """Write eight years of 80 authorities whose levels drift and whose slopes do not."""
    frame = simulate(
        years=range(2012, 2020),
        truth=TRUTH,
        a_year={"intercept": 0.02, "within": -0.01},
        drift=DriftTruth(level_sd=0.12, slope_sd=0.0, autocorrelation=0.6),
        authorities=80,
        areas=960,
        random_seed=16,
    ).frame
    # Deprivation is the same in all years: one line an area says it.
    frame = frame[["year", "area", "authority", "children", "deprivation", "events"]]
    frame.to_csv(FOLDER / "years.csv.gz", index=False,
                 compression={"method": "gzip", "mtime": 0})  # fmt: skip


if __name__ == "__main__":
    main()
