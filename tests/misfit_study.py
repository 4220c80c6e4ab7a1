"""Which misfits `check_fit` finds, and what intervals cover; writes docs/results/misfit.csv.

Run by hand, from the root of the repository (about half an hour on one core):

    python tests/misfit_study.py --replicates 40

Tables are those of `misfit_tables`, fitted by `method="laplace"`. "flagged" is the share of fits
that `check_fit` calls misfits, without a map, and with neighbours and localities; "by_..." the
share in which a statistic is not as expected; "in_..." the share of 95% intervals that hold the
truth, and "off_..." the mean error of estimates. Rows "... sensitivity" are the same numbers from
the sensitivity analysis that the check names. With `--keep FOLDER` fits are kept there, and taken
from there another time.
"""

import argparse
import pickle
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

import socgrad as sg
from misfit_tables import KINDS, Table, misfit_table

FILE = Path(__file__).parents[1] / "docs" / "results" / "misfit.csv"
#: Kind of table, and the family that is fitted to it.
CASES = (
    ("lines", "poisson"),
    ("overdispersed 0.4, fitted so", "negative_binomial"),
    ("convex gradient", "poisson"),
    ("convex gradient", "negative_binomial"),
    ("t3 authorities", "poisson"),
    ("alike areas", "negative_binomial"),
    ("overdispersion 0.25", "poisson"),
    ("error in deprivation", "poisson"),
    ("rare events", "poisson"),
)

#: Kinds that are checked with neighbours and localities, too.
_MAPPED = ("lines", "overdispersed 0.4, fitted so", "alike areas")
_DRAWS = 250


def areas_of(table: Table, *, locality: bool) -> sg.Areas:
    """The table through the door."""
    return sg.Areas.from_frame(
        table.frame,
        area="area",
        authority="authority",
        events="events",
        children="children",
        deprivation="deprivation",
        complete=True,
        **({"locality": "locality"} if locality else {}),
    )


def fitted(kind: str, family: str, number: int, keep: Path | None) -> tuple[Table, xr.DataTree]:
    """Simulate and fit, or read what was kept."""
    file = keep and keep / f"{kind.replace(' ', '_')}-{family}-{number}.pkl"
    if file and file.exists():
        with file.open("rb") as stream:
            return pickle.load(stream)
    rng = np.random.default_rng([2026, list(KINDS).index(kind), number])
    table = misfit_table(rng, **KINDS[kind])
    model = sg.GradientModel(areas_of(table, locality=True), family=family)
    tree = sg.fit(model, method="laplace", draws=250, random_seed=number)
    if file:
        with file.open("wb") as stream:
            pickle.dump((table, tree), stream)
    return table, tree


def without_localities(tree: xr.DataTree) -> xr.DataTree:
    """The fit of a table that named no localities."""
    constants = tree["constant_data"].to_dataset()
    names = [name for name in constants.variables if "locality" in str(name)]
    groups = {name: node.to_dataset() for name, node in tree.children.items()}
    copy = xr.DataTree.from_dict({**groups, "constant_data": constants.drop_vars(names)})
    copy.attrs = dict(tree.attrs)
    return copy


def held(tree: xr.DataTree, truth: dict[str, float]) -> dict[str, float]:
    """Whether each 95% interval holds the truth, and the error of the estimate."""
    draws = tree["posterior"].to_dataset()
    draws["contextual"] = draws["between"] - draws["within"]
    draws["sii"] = sg.inequality.sii(tree, method="poisson")
    row = {}
    for name, true in truth.items():
        lower, middle, upper = np.quantile(draws[name], [0.025, 0.5, 0.975])
        row |= {f"in_{name}": float(lower <= true <= upper), f"off_{name}": middle - true}
    return row


def replicate(kind: str, family: str, number: int, keep: Path | None) -> list[dict[str, object]]:
    """One table: what is flagged and what is covered."""
    table, tree = fitted(kind, family, number, keep)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check = sg.check_fit(without_localities(tree), draws=_DRAWS)
        fine = check.statistics["as_expected"].to_dict()
        flagged = {"flagged": float(not check.adequate)}
        if kind in _MAPPED:
            mapped = sg.check_fit(tree, draws=_DRAWS, neighbours=table.neighbours)
            fine = mapped.statistics["as_expected"].to_dict()
            flagged["flagged_with_map"] = float(not mapped.adequate)
    row: dict[str, object] = {
        "kind": kind,
        "family": family,
        "events": int(table.frame["events"].sum()),
        **flagged,
        **{f"by_{name}": float(not expected) for name, expected in fine.items()},
        **held(tree, table.truth),
    }
    rows = [row]
    if kind == "t3 authorities":
        rows.append({"kind": f"{kind}, sensitivity", "family": family}
                    | held(sg.sensitivity.heavy_tails(tree), table.truth))  # fmt: skip
    if kind == "error in deprivation":
        truer = sg.sensitivity.deprivation_error(areas_of(table, locality=False), sd=0.04)
        model = sg.GradientModel(truer, family="negative_binomial")
        again = sg.fit(model, method="laplace", draws=250, random_seed=number)
        rows.append({"kind": f"{kind}, sensitivity", "family": "negative_binomial"}
                    | held(again, table.truth))  # fmt: skip
    return rows


def main() -> None:
    """Run the study and write its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=40)
    parser.add_argument("--kinds", nargs="+", default=sorted(KINDS), choices=sorted(KINDS))
    parser.add_argument("--keep", type=Path, help="folder of fits")
    parser.add_argument("--out", type=Path, default=FILE)
    arguments = parser.parse_args()
    rows: list[dict[str, object]] = []
    others = pd.read_csv(arguments.out) if arguments.out.exists() else pd.DataFrame()
    for kind, family in CASES:
        if kind not in arguments.kinds:
            continue
        for number in range(arguments.replicates):
            rows += replicate(kind, family, number, arguments.keep)
        grouped = pd.DataFrame(rows).groupby(["kind", "family"], sort=False)
        table = grouped.mean().assign(replicates=grouped.size()).reset_index()
        if len(others):
            others = others[~others["kind"].isin(table["kind"])]
        pd.concat([others, table]).round(3).to_csv(arguments.out, index=False)
        print(table.iloc[-2:].round(3).T.to_string(), flush=True)


if __name__ == "__main__":
    main()
