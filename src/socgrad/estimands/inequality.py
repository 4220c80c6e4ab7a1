"""Slope indices of inequality: the difference and the ratio of two ends of a line over ranks."""

from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import xarray as xr

from socgrad.errors import EstimandError
from socgrad.estimands.area_factors import AreaFactors, Rates, area_factors, words_for_rates
from socgrad.estimands.curves import check_rate_per
from socgrad.estimands.end_points import METHODS, Method, least_squares_ends, poisson_ends
from socgrad.estimands.ranked_units import (
    By,
    RankedUnits,
    draws_of,
    mean_and_covariance,
    overall_rates,
    ranked_units,
    words_for,
)
from socgrad.quadrature import gauss_rules
from socgrad.reading.arguments import check_choice
from socgrad.reading.by_stratum import by_stratum
from socgrad.reading.geography import Geography, geography
from socgrad.reading.posterior import Coefficients, coefficients, labelled, require_deprivation

__all__ = ["rii", "sii"]

type Floats = npt.NDArray[np.float64]

#: Exact for polynomials of rank up to degree 39: exp(20 r) to rounding error.
_NODES: Final = 20


@by_stratum
def sii(
    fit: xr.DataTree,
    *,
    by: By = "nation",
    method: Method = "poisson",
    rates: Rates = "structural",
    rate_per: float = 10_000,
    random_seed: int = 0,
) -> xr.DataArray:
    """Compute the slope index of inequality: most minus least deprived end of a line over ranks.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    by
        "nation": one index, ranks among all children; "authority": one for each authority, ranks
        among its own children.
    method
        The line through the neighbourhoods' expected rates: "poisson", that of a Poisson
        regression, log link, of expected events on rank with the exposure for offset; "linear",
        least squares through rates, as in OHID's tools; "log-linear", least squares through log
        rates.
    rates
        "structural" or "realised", as in `socgrad.rates.authority_rate`; not "realised" with
        "log-linear".
    rate_per
        Units of exposure that a rate counts, above 0.
    random_seed
        For realised rates only, a whole number from 0.

    Returns
    -------
    xarray.DataArray
        Dims chain, draw, [authority]. Attrs estimand, units, per, reference, null (0). Authorities
        without exposure at two deprivations have none: `reference` says how many.

    Raises
    ------
    EstimandError
        If the model leaves deprivation out; if `by`, `method` or `rates` is unknown, or realised
        rates cannot be had; if `rate_per` is not above 0; if no unit has exposure at two
        deprivations.
    SchemaError
        If `fit` is not a socgrad fit.

    Notes
    -----
    With r_i the child-weighted ridit rank of neighbourhood i, 0 (least deprived) to 1 (most), and
    the line fitted in every draw with the exposures N_i for weights::

        poisson     SII = exp(a + b) - exp(a), where a and b solve the equations of the regression,
                    sum of N_i exp(a + b r_i) (1, r_i) = sum of N_i rate_i (1, r_i)
        linear      SII = slope = cov_N(rate, r) / var_N(r)
        log-linear  SII = exp(a + b) - exp(a), with a + b r the line through log rates

    The lines part where rates, or their logs, bend over ranks, as they do where deprivation is
    skewed: say which one was used. The Poisson line counts events and follows the deprived, where
    they are; least squares through logs counts all children alike and falls short of the rates at
    the deprived end. On a simulated England (`socgrad.simulate(random_seed=1)`, plans) they give
    SIIs of 172, 152 and 105 per 10,000. A linear line may be negative at its affluent end. The
    difference stands, the ratio does not: see `socgrad.inequality.rii`.

    Interpretation
    --------------
    80 means that, along the line, the most deprived child's neighbourhood has 80 more events per
    10,000 children than the least deprived one's. Positive: higher rates among the deprived; 0: no
    inequality. It uses all neighbourhoods, not only the two extreme tenths, and grows both with
    the gradient and with how common the events are.

    References
    ----------
    Moreno-Betancur et al. 2015, Epidemiology 26(4), https://doi.org/10.1097/EDE.0000000000000311.
    Sergeant & Firth 2006, Biostatistics 7(2), https://doi.org/10.1093/biostatistics/kxj002.

    Examples
    --------
    >>> from socgrad.estimands.inequality import sii
    >>> from socgrad.reading.example import example_fit
    >>> sii(example_fit()).median().round(0).item()
    271.0
    """
    terms, land = coefficients(fit), geography(fit)
    require_deprivation(terms, "sii")
    units = ranked_units(land, by)
    factors = area_factors(fit, terms, land, rates=rates, random_seed=random_seed)
    least, most = _ends(terms, land, units, method, factors)
    return labelled(
        check_rate_per(rate_per) * draws_of(most - least, terms, land, units.kept),
        fit,
        estimand="sii",
        units=f"events per {rate_per:,g} of exposure, most minus least deprived",
        per=land.per,
        reference=f"the least deprived end of the {method} line; {words_for(units)}"
        + words_for_rates(fit, terms, rates),
        null=0.0,
    )


@by_stratum
def rii(
    fit: xr.DataTree,
    *,
    by: By = "nation",
    method: Method = "poisson",
    relative_to: Literal["least", "mean"] = "least",
    rates: Rates = "structural",
    random_seed: int = 0,
) -> xr.DataArray:
    """Compute the relative index of inequality: most over least deprived end of a line over ranks.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    by
        "nation": one index, ranks among all children; "authority": one for each authority, ranks
        among its own children.
    method
        The line through the neighbourhoods' expected rates: "poisson", "linear" or "log-linear",
        as in `socgrad.inequality.sii`.
    relative_to
        "least": the ratio of the two ends; "mean": the slope index over the mean rate.
    rates, random_seed
        As in `socgrad.inequality.sii`.

    Returns
    -------
    xarray.DataArray
        Dims chain, draw, [authority]. Attrs estimand ("rii", or "rii_of_mean"), units, per,
        reference, null (1 for the ratio, 0 for the index over the mean). Authorities without
        exposure at two deprivations have none: `reference` says how many.

    Raises
    ------
    EstimandError
        If an end of the linear line is negative or zero in any draw, since a ratio of it to the
        other says nothing; if the model leaves deprivation out; if `by`, `method`, `relative_to`
        or `rates` is unknown, or realised rates cannot be had; if no unit has exposure at two
        deprivations.
    SchemaError
        If `fit` is not a socgrad fit.

    Notes
    -----
    With a the least and z the most deprived end of the line of `socgrad.inequality.sii`::

        least  RII = z / a
        mean   RII = (z - a) / (sum of N_i rate_i / sum of N_i)

    Both are published as "RII", and they are on different scales: a ratio of 18.1 on the first is
    an index of 2.9 on the second. The line matters too: on a simulated England
    (`socgrad.simulate(random_seed=1)`, plans) the ratio is 18.1 by Poisson regression, which
    follows the deprived, where the events are, and 8.1 by least squares through logs, which counts
    all children alike.

    Interpretation
    --------------
    5 means that, along the line, the most deprived child's neighbourhood has five times the rate of
    the least deprived one's. Above 1 (above 0, relative to the mean): higher rates among the
    deprived. It does not depend on how common the events are.

    References
    ----------
    Moreno-Betancur et al. 2015, Epidemiology 26(4), https://doi.org/10.1097/EDE.0000000000000311.
    Sergeant & Firth 2006, Biostatistics 7(2), https://doi.org/10.1093/biostatistics/kxj002.

    Examples
    --------
    >>> from socgrad.estimands.inequality import rii
    >>> from socgrad.reading.example import example_fit
    >>> rii(example_fit()).median().round(1).item()
    9.0
    """
    terms, land = coefficients(fit), geography(fit)
    require_deprivation(terms, "rii")
    check_choice("relative_to", relative_to, ("least", "mean"))
    units = ranked_units(land, by)
    factors = area_factors(fit, terms, land, rates=rates, random_seed=random_seed)
    least, most = _ends(terms, land, units, method, factors)
    if relative_to == "least":
        _refuse_negative_ends(least, most, land, units)
        index = most / least
    else:
        index = (most - least) / overall_rates(terms, land, units.kept, factors=factors)
    is_ratio = relative_to == "least"
    against = "the least deprived end" if is_ratio else "the mean rate, to the difference of ends"
    return labelled(
        draws_of(index, terms, land, units.kept),
        fit,
        estimand="rii" if is_ratio else "rii_of_mean",
        units="rate ratio, most over least deprived"
        if is_ratio
        else "share of the mean rate, most minus least deprived",
        per=land.per,
        reference=f"{against} of the {method} line; {words_for(units)}"
        + words_for_rates(fit, terms, rates),
        null=1.0 if is_ratio else 0.0,
    )


def _ends(
    terms: Coefficients,
    land: Geography,
    units: RankedUnits,
    method: Method,
    factors: AreaFactors | None,
) -> tuple[Floats, Floats]:
    """Rates at the least and the most deprived end of the line, shape (chain * draw, unit)."""
    check_choice("method", method, METHODS)
    logs = method == "log-linear"
    if logs and factors is not None:
        raise EstimandError(
            "method='log-linear' is least squares through log rates, which realised rates of "
            "neighbourhoods with few events pull far down. Use method='poisson' or 'linear', or "
            "rates='structural'."
        )
    mean, covariance = mean_and_covariance(terms, land, units, logs=logs, factors=factors)
    if method == "poisson":
        unit = land.authority_of_area
        of = np.zeros_like(unit) if units.kept is None else unit
        cells = 1 if units.kept is None else land.authority_mean.size
        position, weight = gauss_rules(of, units.rank, land.exposure, cells=cells, nodes=_NODES)
        kept = slice(None) if units.kept is None else units.kept
        rank_of_events = units.mean_rank + covariance / mean
        return poisson_ends(mean, rank_of_events, position=position[kept], weight=weight[kept])
    least, most = least_squares_ends(
        mean, covariance, mean_rank=units.mean_rank, variance=units.variance
    )
    return (np.exp(least), np.exp(most)) if method == "log-linear" else (least, most)


def _refuse_negative_ends(least: Floats, most: Floats, land: Geography, units: RankedUnits) -> None:
    """Refuse a ratio of ends of which one is no rate."""
    wrong = (least <= 0) | (most <= 0)
    if not wrong.any():
        return
    where = land.whole
    if units.kept is not None:
        hit = units.kept[wrong.any(axis=0)]
        where = f"{hit.size} of {units.kept.size} authorities (first: {land.labels[hit[0]]})"
    raise EstimandError(
        f"An end of the linear line is negative in {int(wrong.any(axis=1).sum())} of {len(wrong)} "
        f"draws, in {where}: rates rise faster than a straight line, so it falls below zero among "
        "the least deprived, where no rate can be, and a ratio to it says nothing. Use "
        "method='poisson' or 'log-linear', or relative_to='mean'."
    )
