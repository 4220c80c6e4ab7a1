"""How long all summaries of a fitted England take, and how much memory above the fit.

Run from the root of the repository:

    python benchmarks/summaries.py

It simulates England's 32,844 areas in 150 authorities, fits two models by the compile-free engine
(the full one and the null model that `variance_explained` needs), and then computes every estimand
and the table of all of their rows. It prints one line each, seconds and peak memory above the fit
in MB, and writes docs/results/summaries.csv. The aim: 5 s and 500 MB for all estimands together.
"""

import argparse
import resource
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import xarray as xr

import socgrad as sg

FILE = Path(__file__).parents[1] / "docs" / "results" / "summaries.csv"
AUTHORITIES, AREAS, DRAWS, CHAINS = 150, 32_844, 1000, 4
X = [0.05, 0.1, 0.2, 0.3]

type Draws = xr.DataArray | xr.Dataset


def fits(authorities: int, areas: int, draws: int) -> tuple[xr.DataTree, xr.DataTree, dict]:
    """Fit the full and the null model to a simulated table; also the region of each authority."""
    frame = sg.simulate(authorities=authorities, areas=areas, random_seed=2019).frame
    regions = dict(frame.groupby("authority")["region"].first())
    table = sg.Areas.from_frame(
        frame,
        area="area",
        authority="authority",
        events="child_protection_plan",
        children="children",
        deprivation="deprivation",
    )
    full, null = (
        sg.fit(
            sg.GradientModel(table, deprivation=deprivation),
            method="laplace",
            draws=draws,
            chains=CHAINS,
            random_seed=1,
        )
        for deprivation in ("split", "none")
    )
    return full, null, regions


def estimands(
    fit: xr.DataTree, null: xr.DataTree, regions: dict, top: int
) -> dict[str, Callable[[], Draws]]:
    """Name every estimand, with each of its options that takes another way through the code."""
    low, high = (
        float(fit["constant_data"]["authority_mean"].quantile(share)) for share in (0.1, 0.9)
    )
    some = fit["constant_data"]["authority"].to_numpy()[0]
    calls: dict[str, Callable[[], Draws]] = {
        "gradient": lambda: sg.gradient(fit),
        "gradient each": lambda: sg.gradient(fit, target="each"),
        "gradient new": lambda: sg.gradient(fit, target="new"),
        "between": lambda: sg.between(fit),
        "between rates": lambda: sg.between(fit, scale="rates"),
        "inverse_intervention": lambda: sg.inverse_intervention(fit),
        "steepening": lambda: sg.steepening(fit),
        "crossing": lambda: sg.crossing(fit, authority_means=(low, high)),
        "expected_rate": lambda: sg.rates.expected_rate(fit),
        "expected_rate new": lambda: sg.rates.expected_rate(fit, target="new"),
        "rate_by_group": lambda: sg.rates.rate_by_group(fit),
        "authority_rate": lambda: sg.rates.authority_rate(fit),
    }
    for by in ("nation", "authority"):
        for method in ("log-linear", "poisson", "linear"):
            of = {"by": by, "method": method}
            relative = "mean" if method == "linear" else "least"
            calls[f"sii {by} {method}"] = lambda of=of: sg.inequality.sii(fit, **of)
            calls[f"rii {by} {method}"] = lambda of=of, to=relative: sg.inequality.rii(
                fit, **of, relative_to=to
            )
        groups = 10 if by == "nation" else 3
        calls |= {
            f"concentration_index {by}": lambda by=by: sg.inequality.concentration_index(
                fit, by=by
            ),
            f"absolute_gap {by}": lambda by=by, g=groups: sg.inequality.absolute_gap(
                fit, by=by, groups=g
            ),
            f"relative_gap {by}": lambda by=by, g=groups: sg.inequality.relative_gap(
                fit, by=by, groups=g
            ),
            f"attributable_rate {by}": lambda by=by: sg.inequality.attributable_rate(fit, by=by),
            f"attributable_fraction {by}": lambda by=by: sg.inequality.attributable_fraction(
                fit, by=by
            ),
        }
    for against in ("least_deprived", "national_mean", "average_level", "average_gradient"):
        for by in ("nation", "authority", "region"):
            where = regions if by == "region" else None
            calls[f"excess_events {against} {by}"] = lambda a=against, by=by, r=where: (
                sg.inequality.excess_events(fit, against=a, by=by, regions=r)
            )
    return calls | {
        "excess_events area": lambda: sg.inequality.excess_events(fit, by="area", authority=some),
        "authority_sd": lambda: sg.variation.authority_sd(fit),
        "authority_sd at x": lambda: sg.variation.authority_sd(fit, deprivation=X),
        "median_rate_ratio": lambda: sg.variation.median_rate_ratio(fit, deprivation=X),
        "gradient_sd": lambda: sg.variation.gradient_sd(fit),
        "level_slope_correlation": lambda: sg.variation.level_slope_correlation(fit, deprivation=X),
        "vpc": lambda: sg.variation.vpc(fit, deprivation=X),
        "variance_explained": lambda: sg.variation.variance_explained(fit, null=null),
        "authority_ranks": lambda: sg.variation.authority_ranks(fit, top=top),
        "steeper_than": lambda: sg.variation.steeper_than(fit, authority=some),
        "pairwise_steeper": lambda: sg.variation.pairwise_steeper(fit),
    }


class Peak:
    """Largest resident memory of this process over a stretch of time, MB above its start."""

    def __enter__(self) -> "Peak":
        """Start looking, a thousand times a second."""
        self.start = self.now()
        self.mb = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Look once more and stop."""
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.001):
            self.mb = max(self.mb, self.now() - self.start)

    @staticmethod
    def now() -> float:
        """Resident memory, MB."""
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize() / 1e6


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--authorities", type=int, default=AUTHORITIES)
    parser.add_argument("--areas", type=int, default=AREAS)
    parser.add_argument("--draws", type=int, default=DRAWS, help="of each of four chains")
    parser.add_argument("--out", type=Path, default=FILE)
    options = parser.parse_args()

    start = time.perf_counter()
    full, null, regions = fits(options.authorities, options.areas, options.draws)
    print(f"simulated and fitted twice in {time.perf_counter() - start:.1f} s")
    rows = []
    made: list[Draws] = []
    with Peak() as peak:
        for name, call in estimands(full, null, regions, min(10, options.authorities - 1)).items():
            start, cpu = time.perf_counter(), time.process_time()
            draws = call()
            rows.append((name, time.perf_counter() - start, time.process_time() - cpu))
            made.append(draws)
    rows.append(("all estimands", *(sum(row[k] for row in rows) for k in (1, 2))))
    table = pd.DataFrame(rows, columns=["estimand", "seconds", "cpu"]).set_index("estimand")
    table["peak_mb"] = float("nan")
    table.loc["all estimands", "peak_mb"] = peak.mb
    with Peak() as peak:
        start, cpu = time.perf_counter(), time.process_time()
        one_by_one = [sg.summarise(one) for one in made if not isinstance(one, pd.DataFrame)]
        table.loc["their tables"] = (
            time.perf_counter() - start, time.process_time() - cpu, peak.mb
        )  # fmt: skip
    table.loc["their tables", "peak_mb"] = peak.mb
    print(table.round(3).to_string())
    print(f"{sum(map(len, one_by_one))} rows in {len(one_by_one)} tables")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    table.round(3).to_csv(options.out)


if __name__ == "__main__":
    main()
