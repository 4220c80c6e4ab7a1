"""Years of simulated England in one process: seconds, memory, and how good the draws are.

    python benchmarks/years.py                 # ten years
    python benchmarks/years.py --years 20

Prints processor seconds of the whole process (imports and the door included), its largest memory
and what vouches for the draws. The covariance is dense: the cost of an authority's effects grows
with the cube of the years.
"""

import argparse
import time
from collections.abc import Sequence

import socgrad as sg
from socgrad.peak_memory import peak_memory

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate, fit and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--years", type=int, default=10, help="number of years, at least 2")
    parser.add_argument("--authorities", type=int, default=149)
    parser.add_argument("--areas", type=int, default=32_837)
    parser.add_argument("--draws", type=int, default=1000, help="draws in each of four chains")
    parser.add_argument("--seed", type=int, default=3)
    given = parser.parse_args(arguments)
    made = sg.years.simulate(
        years=range(2013, 2013 + given.years),
        a_year={"intercept": 0.03, "within": -0.01, "between": 0.01},
        authorities=given.authorities,
        areas=given.areas,
        random_seed=given.seed,
    )
    simulated = time.process_time()
    panel = sg.years.Panel.from_frame(
        made.frame,
        year="year",
        area="area",
        authority="authority",
        deprivation="deprivation",
        children="children",
        events="events",
        complete=True,
    )
    at_the_door = time.process_time() - simulated
    model = sg.StratifiedModel(
        panel, authority_effects=sg.years.Drift(), national=sg.years.National()
    )
    fit = sg.fit(model, method="laplace", draws=given.draws, random_seed=1, progress=False)
    whole = time.process_time()
    change = sg.years.change(sg.inverse_intervention(fit, deprivation=0.126))
    print(f"{given.years} years, {len(made.frame):,} rows")
    print(f"door {at_the_door:.1f} s, fit {whole - simulated - at_the_door:.1f} s (processor)")
    print(f"process less simulating {whole - simulated:.1f} s, memory {peak_memory():,.0f} MB")
    for name in ("importance_ess", "pareto_k", "laplace_error"):
        print(f"{name} {float(fit['sample_stats'][name].isel(stratum=0)):.3f}")
    print(sg.summarise(change, sg.years.drift(fit)).iloc[:, :3].round(3).to_string())


if __name__ == "__main__":
    main()
