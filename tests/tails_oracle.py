"""How often any test can tell t3 authorities from normal ones: docs/results/tails_oracle.csv.

Run by hand, from the root of the repository (some minutes on one core):

    python tests/tails_oracle.py --replicates 4000

Two effects of each authority, independent, of variance 1: normal, or t with three degrees of
freedom. They are known exactly, or seen through counts: with normal noise such that shares of 0.9
(levels) and 0.65 (slopes) of what is seen are true, about those of the tables of `misfit_tables`.
By the lemma of Neyman and Pearson no test has more power than the likelihood ratio: "SDs known" is
that of one who knows the standard deviations and the three degrees of freedom; "profile" has each
standard deviation at its most likely value under either. "kurtosis" is what `check_fit` does.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import gamma

type Floats = npt.NDArray[np.float64]

FILE = Path(__file__).parents[1] / "docs" / "results" / "tails_oracle.csv"
FREEDOM: Final = 3.0
#: True shares of the variance that is seen, of levels and slopes.
SHARES: Final = {"exactly": (1.0, 1.0), "through counts": (0.9, 0.65)}
LEVELS: Final = (0.005, 0.01, 0.02, 0.03, 0.05)
#: A t variable is a normal one over the root of a gamma one: 60 equal parts of that.
_WEIGHT: Final = gamma.ppf((np.arange(60) + 0.5) / 60, FREEDOM / 2, scale=2 / FREEDOM)
#: Variances among which the most likely is sought, the true one being 1.
_VARIANCES: Final = np.exp(np.linspace(np.log(0.1), np.log(4.0), 25))
_BLOCK: Final = 500


def seen(rng: np.random.Generator, *, heavy: bool, noise: Floats, size: tuple[int, int]) -> Floats:
    """Effects and their noise, (replicates, 2, authorities)."""
    replicates, authorities = size
    shape = (replicates, 2, authorities)
    effects = (
        rng.standard_t(FREEDOM, shape) / np.sqrt(FREEDOM / (FREEDOM - 2))
        if heavy
        else rng.standard_normal(shape)
    )
    return effects + np.sqrt(noise)[:, None] * rng.standard_normal(shape)


def heavy_density(x: Floats, variance: float, noise: float) -> Floats:
    """Log density of a t variable of this variance plus normal noise, summed over authorities."""
    each = variance * (FREEDOM - 2) / FREEDOM / _WEIGHT + noise
    parts = -0.5 * x[..., None] ** 2 / each - 0.5 * np.log(each)
    total: Floats = np.logaddexp.reduce(parts, axis=-1).sum(axis=-1) - x.shape[-1] * np.log(60)
    return total


def normal_density(x: Floats, variance: float, noise: float) -> Floats:
    """The same of a normal one."""
    both = variance + noise
    total: Floats = np.sum(-0.5 * x**2 / both - 0.5 * np.log(both), axis=-1)
    return total


def known(x: Floats, noise: Floats) -> Floats:
    """Likelihood ratio at the true standard deviations."""
    return sum(
        heavy_density(x[:, k], 1.0, noise[k]) - normal_density(x[:, k], 1.0, noise[k])
        for k in range(2)
    )


def profile(x: Floats, noise: Floats) -> Floats:
    """Likelihood ratio with standard deviations as likely as can be, under either."""

    def most(density: Callable[[Floats, float, float], Floats], k: int) -> Floats:
        found: Floats = np.max([density(x[:, k], v, noise[k]) for v in _VARIANCES], axis=0)
        return found

    return sum(most(heavy_density, k) - most(normal_density, k) for k in range(2))


def kurtosis(x: Floats, noise: Floats) -> Floats:  # noqa: ARG001
    """Mean over both effects of their kurtosis over authorities."""
    about = x - x.mean(axis=-1, keepdims=True)
    value: Floats = np.mean(np.mean(about**4, -1) / np.mean(about**2, -1) ** 2, axis=-1)
    return value


STATISTICS = {"SDs known": known, "profile": profile, "kurtosis": kurtosis}


def powers(authorities: int, effects: str, replicates: int) -> list[dict[str, object]]:
    """Power of each statistic at each level."""
    noise = np.array([1 / share - 1 for share in SHARES[effects]])
    rng = np.random.default_rng([2026, authorities, list(SHARES).index(effects)])
    values: dict[tuple[str, bool], list[Floats]] = {}
    for first in range(0, replicates, _BLOCK):
        size = (min(_BLOCK, replicates - first), authorities)
        for heavy in (False, True):
            x = seen(rng, heavy=heavy, noise=noise, size=size)
            for name, statistic in STATISTICS.items():
                values.setdefault((name, heavy), []).append(statistic(x, noise))
    rows = []
    for name in STATISTICS:
        normal, heavy_ones = (np.concatenate(values[name, heavy]) for heavy in (False, True))
        row: dict[str, object] = {"authorities": authorities, "seen": effects, "statistic": name}
        for level in LEVELS:
            row[f"power_at_{level}"] = np.mean(heavy_ones > np.quantile(normal, 1 - level))
        rows.append(row | {"replicates": replicates})
    return rows


def main() -> None:
    """Run and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replicates", type=int, default=4000)
    parser.add_argument("--authorities", type=int, nargs="+", default=[40, 80, 150])
    parser.add_argument("--out", type=Path, default=FILE)
    given = parser.parse_args()
    rows: list[dict[str, object]] = []
    for authorities in given.authorities:
        for effects in SHARES:
            rows += powers(authorities, effects, given.replicates)
            pd.DataFrame(rows).round(3).to_csv(given.out, index=False)
            print(pd.DataFrame(rows[-3:]).round(3).to_string(index=False), flush=True)


if __name__ == "__main__":
    main()
