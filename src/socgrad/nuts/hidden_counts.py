"""Counts within bounds in a PyMC graph: a potential beside the observed counts.

Rows whose counts have an upper bound are sums over the counts that they may be; of the others it is
the complement of such a sum that is known, or, where that leaves no digits, the sum of the first
counts from the bound on.
"""

from dataclasses import replace
from typing import Any, Final

import numpy as np
import xarray as xr

from socgrad.arrays import FloatArray, IntArray
from socgrad.laws.gamma_factors import rising
from socgrad.laws.kernels import OPEN, Kernels, kernels_of
from socgrad.laws.negative_binomial import of_factor
from socgrad.model.departure_cells import area_columns
from socgrad.model.gradient_model import GradientModel
from socgrad.nuts.lines import AuthorityLines
from socgrad.nuts.pymc_quietly import pm, pt

__all__ = ["filled_in", "hidden_data", "observe_hidden"]

type Variable = Any  # PyTensor's variables carry no useful static types.

#: Beginnings of the names in likelihood data that `hidden_data` writes otherwise, or needs no more.
_USED: Final = ("coarsened_", "known_", "kernel_")
#: How many counts from an open bound on stand for all, where the rest is less than `_RARE`.
_FIRST, _RARE = 16, 1e-10
_NEVER: Final = -1e30


def filled_in(model: GradientModel) -> GradientModel:
    """The model with numbers in the middle of bounds: what steers the sampler, and no more."""
    areas = model.areas
    low, high = areas.event_bounds
    middle = np.where(np.isinf(high), low + 1.0, np.ceil((low + high) / 2))
    filled = replace(
        areas,
        events=np.where(areas.known, middle, areas.events),
        counted=areas.known,
        total_events=np.where(areas.has_both, np.nan, areas.total_events),
        coarsened=None,
        coarsened_totals=None,
    )
    return replace(model, areas=filled)


def hidden_data(model: GradientModel, data: xr.Dataset) -> xr.Dataset:
    """Likelihood data with counts within bounds as the graph reads them.

    `interval_*` are rows with an upper bound and `open_*` rows without: place of authority, w, log
    exposure, columns of areas, and of each the counts it may have (of open ones those below the
    bound, then the first from it on) with the logs of P(published | count).
    """
    kept = data.drop_vars([name for name in data if str(name).startswith(_USED)])
    if "coarsened_kernel" not in data:
        return kept
    kernels, kernel = kernels_of([data]), data["coarsened_kernel"].to_numpy()
    is_open = kernels.high[kernel] == OPEN
    for kind, rows in (("interval", ~is_open), ("open", is_open)):
        if not rows.any():
            continue
        dim = f"{kind}_area"
        own = data[[f"coarsened_{name}" for name in ("authority", "within", "log_exposure")]]
        for name, values in own.data_vars.items():
            kept[str(name).replace("coarsened", kind)] = ((dim,), values.to_numpy()[rows])
        position = data["coarsened_position"].to_numpy()[rows]
        for name, columns in area_columns(model).items():
            kept[f"{kind}_{name}"] = ((dim, name), columns[position])
        counts, weight = _counts(kernels, kernel[rows])
        kept[f"{kind}_count"] = ((dim, f"{kind}_step"), counts)
        kept[f"{kind}_log_weight"] = ((dim, f"{kind}_step"), weight)
        if kind == "open":
            below = (counts < kernels.low[kernel[rows]][:, None]) & (weight == 0.0)
            kept["open_below"] = ((dim, "open_step"), below.astype(np.float64))
    return kept


def _counts(kernels: Kernels, kernel: IntArray) -> tuple[FloatArray, FloatArray]:
    """Counts that each row may have, (rows, steps), and logs of their weights."""
    low, high = kernels.low[kernel], kernels.high[kernel]
    first = np.where(high == OPEN, 0, low)
    last = np.where(high == OPEN, low + _FIRST, high)
    step = np.arange(int((last - first).max()) + 1)
    counts = np.minimum(first[:, None] + step, last[:, None])
    weight = np.where(first[:, None] + step <= last[:, None], 0.0, _NEVER)
    for k in np.unique(kernel[kernels.first_weight[kernel] >= 0]).tolist():
        size = int(kernels.high[k] - kernels.low[k]) + 1
        own = kernels.weight[kernels.first_weight[k] :][:size]
        logs = np.where(own > 0, np.log(np.where(own > 0, own, 1.0)), _NEVER)
        weight[kernel == k, :size] = logs
    return counts.astype(np.float64), weight


def observe_hidden(data: dict[str, Variable], lines: AuthorityLines) -> None:
    """Add what was published of counts within bounds, as potential `hidden_events`.

    Parameters
    ----------
    data
        The graph's data, by name.
    lines
        Levels and slopes.
    """
    terms: list[Variable] = []
    for kind in ("interval", "open"):
        if f"{kind}_count" not in data:
            continue
        j, w = data[f"{kind}_authority"], data[f"{kind}_within"]
        of_level, of_slope = lines.shifted(data, kind)
        level, slope = lines.level[j] + of_level, lines.slope[j] + of_slope
        eta = data[f"{kind}_log_exposure"] + level + slope * w
        spread = None if lines.spread is None else lines.along(lines.spread, j)
        each = _log_chance(data[f"{kind}_count"], eta[:, None], spread) + data[f"{kind}_log_weight"]
        if kind == "interval":
            terms.append(pt.logsumexp(each, axis=1).sum())
            continue
        below = data["open_below"] > 0
        reached = pt.logsumexp(pt.switch(below, each, _NEVER), axis=1)
        first = pt.logsumexp(pt.switch(below, _NEVER, each), axis=1)
        rest = pt.log1mexp(pt.minimum(reached, -1e-14))
        terms.append(pt.switch(rest < np.log(_RARE), first, rest).sum())
    if "constraint_events" in data:
        terms.append(_constrained(data, lines))
    if terms:
        pm.Potential("hidden_events", sum(terms[1:], terms[0]))


def _log_chance(count: Variable, eta: Variable, spread: Variable | None) -> Variable:
    """Log probability of counts (rows, steps) of log means (rows, 1)."""
    plain = count * eta - pt.gammaln(count + 1.0)
    if spread is None:
        return plain - pt.exp(eta)
    r = spread**2
    return plain + rising(count, r, xp=pt) + of_factor(count, pt.exp(eta), r, xp=pt)


def _constrained(data: dict[str, Variable], lines: AuthorityLines) -> Variable:
    """Hidden counts of authorities whose totals are known, and these totals."""
    j = data["constraint_authority"]
    own, steep = lines.level[j], lines.slope[j]
    rate = pt.exp(own[:, None] + steep[:, None] * data["constraint_node_within"])
    ends = lines.own(data["constraint_slopes"], j)
    low, high = ends[..., 0], ends[..., 1]
    t = (steep - (low + high) / 2) / ((high - low) / 2)
    held = pt.clip(t, -1.0, 1.0)
    coefficient = data["constraint_coefficient"]
    degree = pt.arange(coefficient.shape[1])
    # T_n(cos x) = cos(n x); beyond the two slopes along the tangents, n sin(n x) / sin(x).
    angle = pt.arccos(pt.clip(held, -1.0 + 1e-12, 1.0 - 1e-12))[:, None]
    values = (coefficient * pt.cos(degree * angle)).sum(axis=1)
    tangent = (coefficient * degree * pt.sin(degree * angle) / pt.sin(angle)).sum(axis=1)
    log_constant = values + (t - held) * tangent
    return (
        data["constraint_events"] * own
        + log_constant
        - (data["constraint_node_exposure"] * rate).sum(axis=1)
    ).sum()
