"""Predictive scores of what is left out: whole authorities, or single neighbourhoods."""

import contextlib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from scipy.special import logsumexp

from socgrad.checks.counts import (
    FittedCounts,
    chosen_draws,
    counts_by_position,
    lines_at,
    population_at,
)
from socgrad.checks.integrated import integrated_likelihoods
from socgrad.checks.locality_counts import log_probabilities
from socgrad.errors import ConvergenceWarning, EstimandError
from socgrad.reading.arguments import check_choice
from socgrad.reading.by_stratum import quietly
from socgrad.reading.geography import geography
from socgrad.reading.posterior import coefficients, require_authorities

__all__ = ["LeftOut", "compare_left_out", "leave_out"]

type Floats = npt.NDArray[np.float64]
type Unit = Literal["authority", "area"]

_PACKAGE: Final = str(Path(__file__).parents[1])
#: Tail of the importance weights beyond which a score is not to be trusted (Vehtari et al. 2024).
_WORST_TAIL: Final = 0.7
#: Share of units whose scores may be unsure before a warning says so.
_FEW: Final = 0.05
_NAMED: Final = 5


@dataclass(frozen=True, eq=False)
class LeftOut:
    """What `leave_out` found.

    Attributes
    ----------
    unit : {"authority", "area"}
        What was left out, one at a time.
    elpd : float
        Expected log predictive density: the sum of the scores. Larger is better; only differences
        between models of the same counts mean anything.
    se : float
        Standard error of `elpd`, from the spread of the scores.
    statement : str
        The same in words.
    table : pandas.DataFrame
        One row per unit: `events` (of counts within bounds the least that they may be), `areas`
        (authorities only), `elpd`, `mcse` (its Monte Carlo
        error) and `pareto_k` (tail of the importance weights; above 0.7 the score is unsure).
    quadrature_error : float
        Largest error found of a log-likelihood with effects integrated out; 0 for areas.
    """

    unit: Unit
    elpd: float
    se: float
    statement: str
    table: pd.DataFrame
    quadrature_error: float


def leave_out(fit: xr.DataTree, *, unit: Unit = "authority", draws: int = 1000) -> LeftOut:
    """Score how well a model predicts the counts of each authority, or area, from all the others.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`, with
        its counts.
    unit
        What is left out, one at a time: "authority", all counts of an authority together, whose
        effects nothing then informs (for comparing what models say of authorities: between,
        cross-level, authority covariates); or "area", one neighbourhood, whose authority's other
        neighbourhoods stay (for comparing families and what varies within authorities).
    draws
        Most draws of the posterior to use, evenly spaced, at least 1; some hundreds are needed.

    Returns
    -------
    LeftOut
        The score of every unit, their sum and its standard error.

    Raises
    ------
    EstimandError
        If the fit holds no counts, or several strata; if `unit` is unknown, or "area" where only
        totals are known, or totals beside counts within bounds; if `draws` is below 1; or if
        counts are impossible in draws of a doubted fit.
    SchemaError
        If `fit` is not a socgrad fit.

    Warns
    -----
    ConvergenceWarning
        If more than one unit in twenty has weights with too heavy a tail.

    Notes
    -----
    ::

        elpd_j = log p(y_j | y without j) = -log E[1 / p(y_j | theta)],   theta ~ posterior

    by Pareto-smoothed importance sampling. For an authority, p(y_j | theta) = integral of
    p(y_j | level, slope) over level and slope effects given their standard deviations, by adaptive
    quadrature; so theta holds only what authorities share, which no single one decides, and the
    weights are well-behaved where those of the plain method are not. No model is fitted again.

    Where localities have factors of their own, an area left out is predicted from the other areas
    of its locality too, and an authority left out has its localities' factors integrated out. Such
    a model compares with others of the same counts by either unit.

    Of a count that is known within bounds the score is that of what was published: the log
    probability of its mark, or of its rounded number.

    Interpretation
    --------------
    Of two models the one with the larger sum predicts authorities better that it has not seen.
    `compare_left_out` says by how much, and whether the difference is more than chance.

    References
    ----------
    Vehtari, Gelman & Gabry 2017, Statistics and Computing 27,
    https://doi.org/10.1007/s11222-016-9696-4. Merkle, Furr & Rabe-Hesketh 2019, Psychometrika 84,
    https://doi.org/10.1007/s11336-019-09679-0 (clusters left out, effects integrated out).

    Examples
    --------
    >>> import socgrad as sg
    >>> table = sg.simulate(authorities=30, areas=300, random_seed=1).frame
    >>> areas = sg.Areas.from_frame(table, area="area", authority="authority", events="referral",
    ...                             children="children", deprivation="deprivation",
    ...                             complete=True)
    >>> fitted = sg.fit(sg.GradientModel(areas), method="laplace", random_seed=1)
    >>> scores = sg.leave_out(fitted)
    >>> scores.table.columns.tolist()
    ['events', 'areas', 'elpd', 'mcse', 'pareto_k']
    >>> bool(scores.table["mcse"].max() < 0.1)
    True
    """
    check_choice("unit", unit, ("authority", "area"))
    if unit == "authority":
        require_authorities(coefficients(fit), "leave_out(unit='authority')")
    counts = counts_by_position(fit)
    at = chosen_draws(coefficients(fit), draws)
    with quietly():
        if unit == "authority":
            table, error = _authorities(fit, counts, at)
        else:
            table, error = _areas(fit, counts, at), 0.0
        elpd = float(table["elpd"].sum())
        se = float(np.sqrt(len(table)) * table["elpd"].std()) if len(table) > 1 else float("nan")
    unsure = table.index[~(table["pareto_k"] <= _WORST_TAIL)].tolist()
    kind = "authorities" if unit == "authority" else "areas"
    statement = (
        f"{len(table):,} {kind} left out one at a time: elpd {elpd:,.1f} (standard error {se:,.1f})"
    )
    if not unsure:
        statement += "."
    else:
        names = ", ".join(map(str, unsure[:_NAMED])) + (" ..." if len(unsure) > _NAMED else "")
        statement += (
            f"; the scores of {len(unsure)} are unsure (pareto_k above {_WORST_TAIL}: {names}). "
            "Raise draws; for those that remain, fit the model without them."
        )
    if len(unsure) > _FEW * len(table):
        warnings.warn(statement, ConvergenceWarning, skip_file_prefixes=(_PACKAGE,))
    return LeftOut(unit, elpd, se, statement, table, error)


def compare_left_out(scores: Mapping[str, LeftOut]) -> pd.DataFrame:
    """Compare models of the same counts by their predictive scores, unit by unit.

    Parameters
    ----------
    scores
        Two or more results of `leave_out`, by name of the model.

    Returns
    -------
    pandas.DataFrame
        One row per model, best first: `elpd`, `difference` from the best (0 or below) and `se` of
        the difference, the square root of the number of units times the standard deviation of the
        paired differences; `unsure`, units with `pareto_k` above 0.7.

    Raises
    ------
    EstimandError
        If there are fewer than two, or they are of different units or counts.

    Interpretation
    --------------
    A difference of less than about two standard errors, or of less than about four, says that the
    counts do not tell the models apart.

    References
    ----------
    Vehtari, Gelman & Gabry 2017, Statistics and Computing 27,
    https://doi.org/10.1007/s11222-016-9696-4. Sivula, Magnusson, Matamoros & Vehtari 2020,
    arXiv:2008.10296 (small differences).

    Examples
    --------
    >>> import socgrad as sg
    >>> table = sg.simulate(authorities=30, areas=300, random_seed=1).frame
    >>> areas = sg.Areas.from_frame(table, area="area", authority="authority", events="referral",
    ...                             children="children", deprivation="deprivation",
    ...                             complete=True)
    >>> full = sg.fit(sg.GradientModel(areas), method="laplace", random_seed=1)
    >>> null = sg.fit(sg.GradientModel(areas, deprivation="none"), method="laplace", random_seed=1)
    >>> table = sg.compare_left_out({"null": sg.leave_out(null), "full": sg.leave_out(full)})
    >>> table.index.tolist()
    ['full', 'null']
    """
    if not isinstance(scores, Mapping) or not all(
        isinstance(score, LeftOut) for score in scores.values()
    ):
        raise EstimandError(
            "scores must be results of leave_out by name of the model, such as "
            "{'with slopes': leave_out(first), 'without': leave_out(second)}; got "
            f"{_kind(scores)}."
        )
    if len(scores) < 2:
        raise EstimandError(
            f"{len(scores)} model was given. Expected two or more results of leave_out, by name."
        )
    (first_name, first), *others = scores.items()
    for name, other in others:
        if other.unit != first.unit:
            raise EstimandError(
                f"{first_name!r} leaves out one {first.unit} at a time, {name!r} one {other.unit}. "
                "Score both with the same unit."
            )
        # Areas of one table may come in another order.
        if set(other.table.index) != set(first.table.index) or not np.array_equal(
            other.table["events"].reindex(first.table.index), first.table["events"]
        ):
            raise EstimandError(
                f"{first_name!r} and {name!r} are of different counts ({len(first.table)} and "
                f"{len(other.table)} rows). Fit both models to the same table: only then do their "
                "scores compare."
            )
    best = max(scores.values(), key=lambda one: one.elpd).table["elpd"]
    rows = {}
    for name, one in scores.items():
        difference = one.table["elpd"].reindex(best.index) - best
        rows[name] = {
            "elpd": one.elpd,
            "difference": float(difference.sum()),
            "se": float(np.sqrt(len(best)) * difference.std()),
            "unsure": int((~(one.table["pareto_k"] <= _WORST_TAIL)).sum()),
        }
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("model")
    return table.sort_values("elpd", ascending=False).astype({"unsure": int})


def _authorities(
    fit: xr.DataTree, counts: FittedCounts, at: npt.NDArray[np.int64]
) -> tuple[pd.DataFrame, float]:
    """Scores of authorities, and the error of the quadrature."""
    land = geography(fit)
    found = integrated_likelihoods(counts, population_at(fit, at), land)
    table = _scores(found.log_likelihood)
    table.insert(0, "areas", found.areas)
    table.insert(0, "events", found.events)
    labels = land.authority_mean["authority"].to_numpy()[found.authority]
    table.index = pd.Index(labels, name="authority")
    if land.authority_name.size:
        table.insert(0, "authority_name", land.authority_name[found.authority])
    return table, found.error


def _areas(fit: xr.DataTree, counts: FittedCounts, at: npt.NDArray[np.int64]) -> pd.DataFrame:
    """Scores of counted areas, block by block."""
    if not len(counts.area):
        raise EstimandError(
            "unit='area' leaves out single neighbourhoods, and this fit knows only authority "
            "totals. Choose unit='authority'."
        )
    if len(counts.constrained):
        raise EstimandError(
            f"unit='area' leaves out single neighbourhoods, and {len(counts.constrained)} "
            "authorities have a total beside counts within bounds: with the total known, an area "
            "left out is given by the others. Choose unit='authority'."
        )
    parts = [
        _scores(log_likelihood).set_index(rows)
        for rows, log_likelihood in log_probabilities(counts, lines_at(fit, at), geography(fit))
    ]
    table = pd.concat(parts).sort_index()
    least = counts.events.copy()
    least[counts.kernel >= 0] = counts.kernels.low[counts.kernel[counts.kernel >= 0]]
    table.insert(0, "events", least)
    labels = fit["constant_data"]["area"].to_numpy()[counts.area]
    table.index = pd.Index(labels, name="area")
    return table


def _scores(log_likelihood: Floats) -> pd.DataFrame:
    """Scores of the columns of log-likelihoods (draws, units)."""
    values = np.ascontiguousarray(log_likelihood.T)
    wild = ~np.isfinite(values).all(axis=0)
    if wild.any():
        raise EstimandError(
            f"In {int(wild.sum())} of {wild.size} draws a count has no probability that is a "
            "number: no events are expected where there are some, or more than can be counted. "
            "Look at socgrad.check_sampling(fit)."
        )
    log_weight, tail = _weights(values)
    elpd = logsumexp(log_weight + values, axis=1)
    # Delta method: the score is the log of a weighted mean of exp(values).
    relative = np.expm1(values - elpd[:, None])
    mcse = np.sqrt((np.exp(2.0 * log_weight) * relative**2).sum(axis=1))
    return pd.DataFrame({"elpd": elpd, "mcse": mcse, "pareto_k": tail})


def _weights(values: Floats) -> tuple[Floats, Floats]:
    """Log weights of draws that leave a unit out, (units, draws), and the shape of their tails."""
    stats = import_module("arviz_stats.base").array_stats
    try:
        # Takes log-likelihoods and weighs by their inverse.
        return stats.psislw(values)  # type: ignore[no-any-return]
    except ValueError:
        # Tails that are all alike have no shape: such units are weighed as they are, and unsure
        # unless all of their weights are alike.
        log_weight = -values - logsumexp(-values, axis=1, keepdims=True)
        alike = np.ptp(values, axis=1) == 0
        tail = np.where(alike, 0.0, np.inf)
        for k in np.flatnonzero(~alike):
            with contextlib.suppress(ValueError):
                log_weight[k], tail[k] = stats.psislw(values[k])
        return log_weight, tail


def _kind(scores: object) -> str:
    """Name what was passed, and what is in it."""
    inside = scores.values() if isinstance(scores, Mapping) else ()
    kinds = sorted({type(score).__name__ for score in inside})
    return f"{type(scores).__name__}{' of ' if kinds else ''}{', '.join(kinds)}"
