"""Simulated tables whose counts were coarsened without a word, for tests and the study."""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

import socgrad as sg
from socgrad.coarsening import MidpointRounded, Rounded, Suppressed
from socgrad.simulation.england import calibrated

#: What "c" hides in tests, and the columns of simulated tables beside the counts.
MARKS = Suppressed({"c": (1, 5)})
COLUMNS = {
    "area": "area",
    "authority": "authority",
    "children": "children",
    "deprivation": "deprivation",
    "complete": True,
}
STAGE = "plan"
ROLES = {**COLUMNS, "events": STAGE}
TRUTH = sg.Truth(
    intercept=0.0, within=np.log(1.8), between=0.27, cross_level=-0.05, level_sd=0.28, slope_sd=0.11
)


def counted_table(
    mean: float, seed: int, *, areas: int = 500, authorities: int = 10, overdispersion: float = 0.0
) -> pd.DataFrame:
    """A table of counts with so many events for each area on average."""
    size = {"authorities": authorities, "areas": areas, "sizes": "equal", "random_seed": seed}
    truth = sg.Truth(**{**vars(TRUTH), "overdispersion": overdispersion})
    land = sg.simulate(**size, stages={STAGE: truth}).frame
    rate = 10_000 * mean * len(land) / land["children"].sum()
    return sg.simulate(**size, stages={STAGE: calibrated(truth, land, rate=rate)}).frame


def _by(rule: object) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def changed(frame: pd.DataFrame) -> pd.DataFrame:
        shown = rule.publish(frame[STAGE].to_numpy(), np.random.default_rng(1))
        return frame.assign(**{STAGE: np.asarray(shown, dtype=np.float64)})

    return changed


def _set(hidden: tuple[int, int], to: float) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def changed(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(**{STAGE: frame[STAGE].mask(frame[STAGE].between(*hidden), to)})

    return changed


#: What is done to counts, and what says so at the door (None: nothing does).
WAYS: Mapping[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], object]] = {
    "nearest 5": (_by(Rounded(5)), Rounded(5)),
    "nearest 10": (_by(Rounded(10)), Rounded(10)),
    "midpoint-6": (_by(MidpointRounded(6)), MidpointRounded(6)),
    "1-4 set to 0": (_set((1, 4), 0), Rounded(1, below=5)),
    "up to 7 set to 0, then nearest 5": (_by(Rounded(5, below=8)), Rounded(5, below=8)),
    "1-5 written as 3": (_set((1, 5), 3), Suppressed({3: (1, 5)})),
    "zeros dropped": (lambda frame: frame[frame[STAGE] > 0].reset_index(drop=True), None),
    "1-5 missing": (_set((1, 5), np.nan), Suppressed({"": (1, 5)})),
}


def door(frame: pd.DataFrame, **options: object) -> sg.Areas:
    """Pass a table through the door; what is missing is left out, as a caller would who lost it."""
    return sg.Areas.from_frame(frame, **({**ROLES, "missing_events": "leave out"} | options))


def counts_of(frame: pd.DataFrame) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Counts and exposures of a table."""
    return frame[STAGE].to_numpy(np.float64), frame["children"].to_numpy(np.float64)
