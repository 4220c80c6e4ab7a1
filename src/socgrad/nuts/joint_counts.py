"""Observed counts of the joint graph: every stratum's in one compressed density."""

from typing import Any

import numpy as np

from socgrad.arrays import FloatArray
from socgrad.model import likelihoods
from socgrad.nuts.pymc_quietly import pm, pt
from socgrad.predictor import log_rate

__all__ = ["observe_joint_counts", "observe_joint_totals"]

type Variable = Any  # PyTensor's variables carry no useful static types.
type Size = int | tuple[int, ...] | None


def observe_joint_counts(
    data: dict[str, Variable], level: Variable, slope: Variable, observed: FloatArray
) -> None:
    """Poisson neighbourhood counts of all strata, one stratum after the other.

    Parameters
    ----------
    data
        The graph's data, by name.
    level, slope
        Of every stratum and authority, one vector each.
    observed
        The counts, in the order of `area_cell`.
    """
    names = ("events", "events_within", "node_within", "node_exposure", "constant")
    cell, row = data["count_cell"], data["area_cell"]
    parameters = [level[cell], slope[cell], *(data[f"count_{name}"] for name in names)]
    parameters += [level[row], slope[row], data["area_within"], data["area_log_exposure"]]

    def density(value: Variable, *given: Variable) -> Variable:  # noqa: ARG001 sums stand for it
        statistics = dict(zip(names, given[2:7], strict=True))
        return likelihoods.poisson_counts(given[0], given[1], **statistics, xp=pt)

    def draw(*given: FloatArray, rng: np.random.Generator | None = None, size: Size = None) -> Any:
        level, slope, within, log_exposure = given[7:]
        return _poisson(np.exp(log_exposure + log_rate(level, slope, within)), rng, size)

    pm.CustomDist(
        "events",
        *parameters,
        logp=density,
        random=draw,
        signature="(c),(c),(c),(c),(c,k),(c,k),(),(n),(n),(n),(n)->(n)",
        observed=observed.astype(np.int64),
        dtype="int64",
        dims="area_row",
    )


def observe_joint_totals(
    data: dict[str, Variable], level: Variable, slope: Variable, observed: FloatArray
) -> None:
    """Poisson authority totals of all strata, one stratum after the other.

    Parameters
    ----------
    data, level, slope, observed
        As for `observe_joint_counts`; the totals in the order of `sum_cell`.
    """
    names = ("events", "node_within", "node_exposure", "constant")
    cell = data["sum_cell"]

    def density(value: Variable, *given: Variable) -> Variable:  # noqa: ARG001 as above
        statistics = dict(zip(names, given[2:], strict=True))
        return likelihoods.poisson_totals(given[0], given[1], **statistics, xp=pt)

    def draw(*given: FloatArray, rng: np.random.Generator | None = None, size: Size = None) -> Any:
        level, slope, _, within, exposure, _ = given
        rates = np.exp(log_rate(level[..., None], slope[..., None], within))
        return _poisson(np.sum(exposure * rates, axis=-1), rng, size)

    pm.CustomDist(
        "total_events",
        level[cell],
        slope[cell],
        *(data[f"sum_{name}"] for name in names),
        logp=density,
        random=draw,
        signature="(c),(c),(c),(c,k),(c,k),()->(c)",
        observed=observed.astype(np.int64),
        dtype="int64",
        dims="sum_row",
    )


def _poisson(mean: FloatArray, rng: np.random.Generator | None, size: Size) -> Any:
    if rng is None:
        rng = np.random.default_rng()
    shape = mean.shape if size is None else (*np.atleast_1d(size), mean.shape[-1])
    return rng.poisson(np.broadcast_to(mean, shape))
