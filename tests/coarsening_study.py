"""What coarsened counts do to a gradient if read as counts, and how often the door sees it.

Run by hand, from the root of the repository (the first part about ten minutes on one core, the
second about twenty):

    python tests/coarsening_study.py bias
    python tests/coarsening_study.py suspicion

"bias" fits the default model to tables of 60 authorities of 60 areas with a gradient of 1.80, as
they were counted and as each way leaves them, and writes docs/results/coarsening_bias.csv: the mean
of the posterior medians of the gradient, the share of 95% intervals that hold 1.80, and the mean of
the inverse intervention ratio. "suspicion" counts warnings on tables of 500 areas, half of them
overdispersed (variance of rates 0.3 of their squared mean), and on honest tables of 500 and 2,000,
five times as many, a third each with a variance of 0, 0.3 and 1, one in four with counts missing at
random, and writes
docs/results/coarsening_suspicion.csv. Tables in which a way leaves no event at all are refused at
the door; they are counted as "refused".
"""

import argparse
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

import socgrad as sg
from coarsened_tables import WAYS, counted_table, counts_of, door
from socgrad.coarsening import Exact
from socgrad.coarsening.suspicion import suspicion

RESULTS = Path(__file__).parents[1] / "docs" / "results"
MEANS = (0.5, 1.0, 2.0, 3.0, 5.0, 10.0)
HONEST_MEANS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 20.0, 30.0, 50.0, 100.0)


def bias(replicates: int) -> pd.DataFrame:
    """What is made of the gradient by reading coarsened counts as counts."""
    rows = []
    for mean in (1.5, 5.0):
        for number in range(replicates):
            frame = counted_table(mean, number, areas=3600, authorities=60)
            for way, change in {"as counted": None, **WAYS}.items():
                shown = frame if change is None else change[0](frame)
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    areas = door(shown, coarsening=Exact())
                    fit = sg.fit(sg.GradientModel(areas), random_seed=number)
                    found = sg.summarise(sg.gradient(fit), sg.inverse_intervention(fit))
                median, low, high = found.iloc[0, :3]
                rows.append((way, mean, median, low <= 1.8 <= high, found.iloc[1, 0]))
    names = ["way", "mean", "gradient", "coverage", "inverse_intervention"]
    table = pd.DataFrame(rows, columns=names)
    made = table.groupby(["mean", "way"], sort=False).agg(
        replicates=("gradient", "size"),
        gradient=("gradient", "mean"),
        coverage=("coverage", "mean"),
        inverse_intervention=("inverse_intervention", "mean"),
    )
    return made.round(3).reset_index()


def warned(replicates: int) -> pd.DataFrame:
    """How often a table brings a warning, and how often it names the way that made it."""
    rows = []
    for mean in MEANS:
        for number in range(replicates):
            frame = counted_table(mean, number, overdispersion=np.sqrt(0.3) * (number % 2))
            for way, (change, rule) in WAYS.items():
                shown, exposure = counts_of(change(frame))
                none = not (np.nan_to_num(shown) > 0).any()
                found = None if none else suspicion(shown, exposure)
                named = found is not None and found.rule == rule
                rows.append((way, mean, 500, none, found is not None, named, 1 - len(shown) / 500))
        print(mean, flush=True)
    for areas in (500, 2000):
        for mean in HONEST_MEANS:
            for number in range(5 * replicates):
                wide = np.sqrt((0.0, 0.3, 1.0)[number % 3])
                frame = counted_table(
                    mean, number + 10_000, areas=areas, authorities=areas // 50, overdispersion=wide
                )
                shown, exposure = counts_of(frame)
                if number % 4 == 3:
                    gone = np.random.default_rng(number).random(areas) < 0.15
                    shown = np.where(gone, np.nan, shown)
                none = not (np.nan_to_num(shown) > 0).any()
                found = None if none else suspicion(shown, exposure)
                rows.append(("as counted", mean, areas, none, found is not None, False, 0.0))
        print(areas, flush=True)
    names = ["way", "mean", "areas", "refused", "warned", "named", "dropped"]
    table = pd.DataFrame(rows, columns=names)
    made = table.groupby(["way", "areas", "mean"], sort=False).agg(
        replicates=("warned", "size"),
        refused=("refused", "mean"),
        warned=("warned", "mean"),
        named=("named", "mean"),
        dropped=("dropped", "mean"),
    )
    return made.round(3).reset_index()


def main() -> None:
    """Run a part, and write its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=("bias", "suspicion"))
    parser.add_argument("--replicates", type=int)
    given = parser.parse_args()
    made, usual = {"bias": (bias, 5), "suspicion": (warned, 40)}[given.part]
    table = made(given.replicates or usual)
    table.to_csv(RESULTS / f"coarsening_{given.part}.csv", index=False)
    print(table.to_string())


if __name__ == "__main__":
    main()
