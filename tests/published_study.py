"""Coverage and loss of information where counts are published coarsely.

Writes docs/results/coverage_published.csv. Run by hand, from the root of the repository (about two
seconds of one core for each fit, 2,800 of them; `--raw` keeps single rows, so that the study may be
run in pieces):

    python tests/published_study.py --replicates 200 --raw published.csv

Each replicate is a table of 40 authorities of 40 areas (`misfit_tables`, "lines" or overdispersed
0.4, about 3 events for each area), fitted as counted and as an agency may publish it, with and
without the authorities' totals. Columns of the result: the share of 95% intervals that hold the
truth, the mean error in posterior sds (bias), and the mean posterior sd over that from the counts
themselves (loss). On two processors: ``--first 100`` beside ``--replicates 100``, each with a file
of its own, which are put together. Draws that the engine doubts count as they are.
"""

import argparse
import time
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

import socgrad as sg
from misfit_tables import LINES, Table, misfit_table
from socgrad.coarsening import MidpointRounded, Rounded, Suppressed
from socgrad.errors import ConvergenceWarning

FILE = Path(__file__).parents[1] / "docs" / "results" / "coverage_published.csv"
RULES: Mapping[str, object] = {
    "counted": None,
    "1-5 hidden": Suppressed({"c": (1, 5)}),
    "0-4 hidden": Suppressed({"c": (0, 4)}),
    "nearest 5": Rounded(5),
    "midpoint-6": MidpointRounded(6),
}
OVERDISPERSION: Mapping[str, float] = {"poisson": 0.0, "negative_binomial": 0.4}
#: Way of publishing, family, and whether totals of authorities are known: with a negative binomial
#: these are refused beside hidden counts.
CASES = [(way, family, False) for family in OVERDISPERSION for way in RULES]
CASES += [(way, "poisson", True) for way in RULES if way != "counted"]
TERMS = ("within", "cross_level", "contextual", "level_sd", "slope_sd", "sii", "excess")


def fitted(table: Table, way: str, family: str, number: int, *, totals: bool) -> xr.DataTree:
    """Publish the table, take it through the door, fit."""
    frame, rule = table.frame, RULES[way]
    door: dict[str, object] = {}
    if rule is not None:
        shown = rule.publish(frame["events"].to_numpy(), np.random.default_rng(number))
        frame, door = frame.assign(events=shown), {"coarsening": rule}
    if totals:
        door["totals"] = table.frame.groupby("authority")["events"].sum()
    areas = sg.Areas.from_frame(
        frame, area="area", authority="authority", events="events", children="children",
        deprivation="deprivation", complete=True, **door,
    )  # fmt: skip
    model = sg.GradientModel(areas, family=family)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return sg.fit(model, method="laplace", draws=250, random_seed=number)


def estimates(tree: xr.DataTree) -> xr.Dataset:
    """Draws of what is covered or not."""
    draws = tree["posterior"].to_dataset()
    draws["contextual"] = draws["between"] - draws["within"]
    draws["sii"] = sg.inequality.sii(tree)
    draws["excess"] = sg.inequality.excess_events(tree)
    return draws[list(TERMS)]


def truths(table: Table, tree: xr.DataTree) -> dict[str, float]:
    """The same estimands of the true lines: one draw that is the truth."""
    areas = tree["constant_data"].to_dataset()
    own = areas["authority_of_area"].to_numpy()
    order = table.frame.set_index("area").index.get_indexer(areas["area"].to_numpy())
    log_rate = np.log(table.rate[order])
    within = areas["within_part"].to_numpy()
    draw = tree["posterior"].to_dataset().isel(chain=[0], draw=[0])
    between = areas["between_part"].to_numpy()
    level, slope = np.array([np.polyfit(within[own == j], log_rate[own == j], 1)[::-1]
                             for j in range(len(between))]).T  # fmt: skip
    for name in LINES:
        draw[name] = xr.full_like(draw[name], LINES[name])
    line = draw["intercept"].item() + LINES["between"] * between
    effects = {"level_effect": level - line}
    effects["slope_effect"] = slope - LINES["within"] - LINES["cross_level"] * between
    for name, values in effects.items():
        draw[name] = xr.full_like(draw[name], 0.0) + xr.DataArray(values, dims="authority")
    groups = {name: node.to_dataset() for name, node in tree.children.items()}
    true = xr.DataTree.from_dict({**groups, "posterior": draw})
    true.attrs = dict(tree.attrs)
    return {str(name): values.item() for name, values in estimates(true).items()}


def replicate(number: int, cases: list[tuple[str, str, bool]]) -> pd.DataFrame:
    """Rows of one table: a case and a term each."""
    rows: list[dict[str, object]] = []
    for family, overdispersion in OVERDISPERSION.items():
        own = [case for case in cases if case[1] == family]
        if not own:
            continue
        rng = np.random.default_rng([2026, 13, list(OVERDISPERSION).index(family), number])
        table = misfit_table(rng, overdispersion=overdispersion)
        true: dict[str, float] = {}
        for way, _, totals in own:
            start = time.process_time()
            tree = fitted(table, way, family, number, totals=totals)
            draws = estimates(tree)
            seconds = time.process_time() - start
            true = true or truths(table, tree)
            for term, values in draws.items():
                lower, upper = np.quantile(values, [0.025, 0.975])
                mean, sd = float(values.mean()), float(values.std())
                rows.append(
                    {"way": way, "family": family, "totals": totals, "replicate": number,
                     "term": term, "truth": true[str(term)], "mean": mean, "sd": sd,
                     "inside": lower <= true[str(term)] <= upper, "seconds": seconds,
                     "events": int(table.frame["events"].sum()),
                     "pareto_k": tree.attrs.get("pareto_k")}
                )  # fmt: skip
    return pd.DataFrame(rows)


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Coverage, bias in sds, and the loss against counts, of each case and term."""
    rows = rows.assign(bias=(rows["mean"] - rows["truth"]) / rows["sd"])
    keys = ["family", "way", "totals", "term"]
    grouped = rows.groupby(keys, sort=False)
    table = grouped.agg(
        coverage=("inside", "mean"), bias=("bias", "mean"), sd=("sd", "mean"),
        events=("events", "mean"), pareto_k=("pareto_k", "median"), seconds=("seconds", "median"),
        replicates=("inside", "size"),
    ).reset_index()  # fmt: skip
    counted = table[table["way"] == "counted"].set_index(["family", "term"])["sd"]
    known = counted.reindex(pd.MultiIndex.from_frame(table[["family", "term"]])).to_numpy()
    table.insert(table.columns.get_loc("sd"), "loss", table["sd"].to_numpy() / known)
    return table


def main() -> None:
    """Run the study and write its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="number of the first replicate")
    parser.add_argument("--raw", type=Path, help="file of single rows, to go on from")
    parser.add_argument("--out", type=Path, default=FILE)
    arguments = parser.parse_args()
    kept = pd.DataFrame()
    if arguments.raw and arguments.raw.exists():
        kept = pd.read_csv(arguments.raw)
    done: set[tuple[object, ...]] = set()
    if len(kept):
        keys = kept[["replicate", "way", "family", "totals"]]
        done = set(keys.itertuples(index=False, name=None))
    for number in range(arguments.first, arguments.replicates):
        cases = [case for case in CASES if (number, *case) not in done]
        kept = pd.concat([kept, replicate(number, cases)], ignore_index=True)
        if arguments.raw:
            kept.to_csv(arguments.raw, index=False)
    summary(kept).round(4).to_csv(arguments.out, index=False)


if __name__ == "__main__":
    main()
