"""Where the search for the mode starts: a few steps of expectation and maximisation."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from socgrad.arrays import FloatArray, IntArray
from socgrad.blocks.compiled import evaluate
from socgrad.blocks.coordinates import Coordinates, SharedValues, coordinates_of
from socgrad.blocks.covariance import Bartlett, Factors, Partials, Structure
from socgrad.blocks.data import CountsOfStrata
from socgrad.blocks.drift import drifting
from socgrad.blocks.marginal import Found, Marginal, State
from socgrad.blocks.outcome import Outcome
from socgrad.blocks.totals import Totals, tilts
from socgrad.model.gradient_model import GradientModel
from socgrad.model.over_years import OverYears
from socgrad.model.terms import Term

__all__ = ["Pilot", "pilot"]

# Spreads of levels, slopes and gamma factors to begin with, as published studies have them.
_LEVEL, _SLOPE, _FACTOR, _REGION = 0.5, 0.2, 0.3, 0.1
_ROUNDS = 12
# Beyond this share of authorities and strata known by a total, totals are what is told.
_MOSTLY_TOTALS = 0.5


class Pilot:
    """A marginal posterior and a point near its mode."""

    def __init__(self, marginal: Marginal, point: FloatArray) -> None:
        self.marginal = marginal
        self.point = point


def pilot(
    models: Sequence[GradientModel],
    terms: Sequence[dict[str, Term]],
    counts: CountsOfStrata,
    *,
    correlations: str,
    normal: bool,
    over_years: OverYears | None = None,
    outcome: Outcome | None = None,
) -> Pilot:
    """Rough values of all shared parameters, and scales that suit what the counts tell of them.

    Parameters
    ----------
    models, terms, counts
        Of all strata.
    correlations : {"full", "factor"}
    normal : bool
        Whether many authorities tell the covariance of many effects, so that `Bartlett` suits it.
    over_years : OverYears, optional
        What ties strata that are years.
    outcome : Outcome, optional
        Of authorities, beside the effects of one stratum.
    """
    strata = len(models)
    levels, slopes = models[0].random_levels, bool(models[0].random_slopes)
    names = ["level_sd"] * (strata * levels) + ["slope_sd"] * (strata * slopes)
    prior = np.reshape(
        [each[n].prior for n, each in zip(names, [*terms, *terms], strict=False)], (-1, 2)
    )
    concentration = float(terms[0]["correlation"].prior[0]) if slopes else 2.0
    unbent = np.full(len(prior), 0.05)
    order = np.arange(len(prior))
    structure: Structure = Partials(prior[:, 0], prior[:, 1], concentration, unbent, order)
    first = coordinates_of(
        models, terms, structure, spread_bend=np.full(2 * strata, 0.05), region_bend=unbent
    )
    marginal = Marginal(first, counts, *_regions(models[0]), _start(models, first, counts))
    guess = np.where(np.array(names) == "level_sd", _LEVEL, _SLOPE)
    guess = np.where(prior[:, 0] > 0, prior[:, 0], np.minimum(guess, prior[:, 1]))
    covariance, values, state, found = _rounds(marginal, np.diag(guess**2), prior)
    information = _information(marginal, covariance, found)[:, : len(prior)]
    bend = np.minimum(_hidden(information), prior[:, 0] + prior[:, 1])
    told = information.sum(axis=0) * (prior**2).sum(axis=1)
    order = np.argsort(-told, kind="stable")
    if over_years is not None and (drift := over_years.drift) is not None:
        spreads = ("level_sd", "slope_sd", "correlation")
        own: dict[str, FloatArray] = {n: terms[0][n].prior for n in spreads if n in terms[0]}
        structure = drifting(
            over_years.years,
            over_years.breaks_of(drift),
            over_years.forms(drift),
            over_years.priors(drift, own),
        ).bent(bend)
    elif correlations == "factor" and strata > 1:
        structure = Factors(prior[:, 0], prior[:, 1], concentration, bend)
    elif strata > 1 and slopes and counts.rows.is_total.mean() > _MOSTLY_TOTALS:
        structure = Totals.about(
            covariance, tilts(counts, state.modes), prior, concentration=concentration, bend=bend
        )
    elif normal:
        structure = Bartlett(prior[:, 0], prior[:, 1], concentration)
    else:
        structure = Partials(prior[:, 0], prior[:, 1], concentration, bend, order)
    spread_bend = (2.0 / np.maximum(counts.pairs, 1e-3)) ** 0.25
    spread_bend[first.with_factor] = np.minimum(
        spread_bend[first.with_factor], first.spread_prior.sum(axis=1)
    )
    region_bend = np.full(strata, 0.02)
    made = coordinates_of(
        models,
        terms,
        structure,
        spread_bend=spread_bend,
        region_bend=region_bend,
        tied=_tied(first, over_years),
        outcome=outcome,
    )
    point = np.concatenate(
        [
            values.coefficients.ravel(),
            values.area_coefficients.ravel(),
            made.structure.point(covariance[: len(prior), : len(prior)]),
            np.arcsinh(values.spread.ravel()[made.with_factor] / made.spread_bend),
            np.arcsinh(values.region_sd / made.region_bend),
            np.zeros(0) if outcome is None else outcome.start,
        ]
    )
    arrow = made.arrow(made.parts(point)[2])
    if arrow is not None:
        # What all years share are numbers of their own.
        shared = np.zeros((len(state.modes), len(arrow.corner)))
        state = State(np.hstack([state.modes, shared]), state.regions)
    return Pilot(replace(marginal, coordinates=made, start=state), point)


def _tied(coordinates: Coordinates, over_years: OverYears | None) -> FloatArray | None:
    """Prior precisions of all coefficients over years; None where each year has its own prior."""
    if over_years is None or (national := over_years.national) is None:
        return None
    every = [*coordinates.coefficients, *coordinates.area_coefficients]
    return np.array([over_years.precision(each.name, national, each.prior) for each in every])


def _regions(model: GradientModel) -> tuple[IntArray, IntArray]:
    """Authorities by region, and where each region's begin."""
    if not model.regions:
        return np.zeros(0, dtype=np.int64), np.zeros(1, dtype=np.int64)
    of = model.areas.region_of_authority
    first = np.concatenate([[0], np.cumsum(np.bincount(of, minlength=len(model.areas.region)))])
    return np.argsort(of, kind="stable").astype(np.int64), first.astype(np.int64)


def _start(models: Sequence[GradientModel], first: Coordinates, counts: CountsOfStrata) -> State:
    """Levels and slopes at the means of their priors; log expected totals at the totals."""
    strata, authorities = first.strata, len(models[0].areas.authority)
    regions = len(models[0].areas.region) if models[0].regions else 0
    modes = np.zeros((authorities, 2 * strata))
    for each in first.coefficients:
        at = slice(strata, None) if each.of_slope else slice(0, strata)
        modes[:, at] += each.column.T * each.prior[:, 0]
    for stratum, model in enumerate(models):
        known = counts.rows.is_total[:, stratum]
        low, high = model.areas.total_bounds
        modes[known, stratum] = np.log(np.minimum(high, 2.0 * low + 1.0)[known] + 0.5)
    return State(modes, np.zeros((regions, strata)))


def _rounds(
    marginal: Marginal, varying: FloatArray, prior: FloatArray
) -> tuple[FloatArray, SharedValues, State, Found]:
    """Expectation and maximisation from a wide covariance.

    The gradient of the log marginal by means is Q E[u], that by the precision -E[u u'] / 2: all
    that a round needs.
    """
    coordinates, state = marginal.coordinates, marginal.start.copy()
    s = coordinates.strata
    n, authorities = 2 * s, len(state.modes)
    covariance = np.diag(np.full(n, 1e-10))
    size = len(varying)
    covariance[:size, :size] = varying
    means, _ = coordinates.coefficient_prior
    first = coordinates.sizes[0]
    coefficients = means[:first].reshape(-1, s).copy()
    area = means[first:].reshape(-1, s)
    spread = np.zeros(2 * s)
    spread[coordinates.with_factor] = [
        mean if mean > 0 else min(_FACTOR, sd) for mean, sd in coordinates.spread_prior
    ]
    region_sd = np.array([max(mean, min(_REGION, sd)) for mean, sd in coordinates.region_prior])
    for round_ in range(_ROUNDS):
        values = SharedValues(
            coefficients[None],
            area[None],
            covariance[None],
            spread.reshape(1, s, 2),
            region_sd[None],
        )
        (at,) = marginal.at_points(values)
        found = Found.of(marginal, 1)
        value = evaluate(marginal, at, state, found, 1)
        if not np.isfinite(value):
            state = marginal.start.copy()
            covariance = covariance * 0.5
            continue
        expected = found.mean @ covariance
        squares = -2.0 * found.precision[0] - 0.0
        if round_ == _ROUNDS - 1:
            break
        coefficients = _regressed(coordinates, coefficients, expected, covariance)
        sd = np.sqrt((prior**2).sum(axis=1))
        held = (squares[:size, :size] + np.diag((0.2 * sd) ** 2)) / (authorities + 1.0)
        # Effects whose means moved: second moments about the new ones need another round.
        covariance = covariance.copy()
        covariance[:size, :size] = 0.5 * (held + held.T) + 1e-8 * np.eye(size)
    return covariance, values.one(0), state, found


def _regressed(
    coordinates: Coordinates, now: FloatArray, expected: FloatArray, covariance: FloatArray
) -> FloatArray:
    """Coefficients moved to where effects are expected to be 0, each effect by itself."""
    s = coordinates.strata
    moved = now.copy()
    for of_slope in (False, True):
        chosen = [k for k, each in enumerate(coordinates.coefficients) if each.of_slope == of_slope]
        if not chosen:
            continue
        every = np.array([coordinates.coefficients[k].column for k in chosen])
        prior = np.array([coordinates.coefficients[k].prior for k in chosen])
        for stratum in range(s):
            columns = every[:, stratum].T
            effect = stratum + s * of_slope
            variance = covariance[effect, effect]
            own = prior[:, stratum]
            target = columns @ now[chosen, stratum] + expected[:, effect]
            gram = columns.T @ columns / variance + np.diag(own[:, 1] ** -2.0)
            right = columns.T @ target / variance + own[:, 0] / own[:, 1] ** 2
            moved[chosen, stratum] = np.linalg.solve(gram, right)
    return moved


def _information(marginal: Marginal, covariance: FloatArray, found: Found) -> FloatArray:
    """What counts tell of each authority's effects, (authorities, effects); slopes given levels."""
    precision = np.linalg.inv(covariance)
    s = marginal.coordinates.strata
    told = np.linalg.inv(found.inverse) - precision
    level = np.maximum(np.einsum("jkk->jk", told)[:, :s], 0.0)
    on = np.arange(s)
    across = told[:, on, s + on]
    slope = told[:, s + on, s + on] - across**2 / np.maximum(level, 1e-12)
    return np.hstack([level, np.maximum(slope, 0.0)])


def _hidden(information: FloatArray) -> FloatArray:
    """Largest standard deviation of effects that observations of such information hide."""
    total = (information**2).sum(axis=0)
    found: FloatArray = np.where(total > 0, (2.0 / np.maximum(total, 1e-300)) ** 0.25, 1.0)
    return found
