"""What the priors contribute: prior against posterior, and sensitivity to both."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import import_module
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from scipy.stats import beta, norm, truncnorm

from socgrad.checks.counts import chosen_draws, counts_by_position, population_at
from socgrad.checks.integrated import integrated_likelihoods
from socgrad.checks.prior_density import (
    log_prior,
    parameter_label,
    parameters_of,
    recorded_priors,
)
from socgrad.errors import EstimandError
from socgrad.reading.geography import geography
from socgrad.reading.posterior import coefficients
from socgrad.terms import TERMS

__all__ = ["compare_prior", "prior_sensitivity"]

type Floats = npt.NDArray[np.float64]

#: How far a power of 1.02 over 0.98 may move a posterior before it counts (Kallioinen et al.).
_NOTICEABLE: Final = 0.05
_DRAWN: Final = 100_000
#: What authority totals say nothing of but through the model's form; each is another's rival.
_BY_FORM: Final = ("within", "cross_level", "curvature", "slope_sd", "correlation")


def compare_prior(fit: xr.DataTree, *, prob: float = 0.95) -> pd.DataFrame:
    """Tabulate the prior of every parameter beside its posterior.

    Parameters
    ----------
    fit
        From `socgrad.fit`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    prob
        Probability of the intervals, within 0-1, ends excluded.

    Returns
    -------
    pandas.DataFrame
        One row per parameter of the model; "covariate[name]" for those of covariates. Columns
        `scale` ("ratio per 10 points" for coefficients of deprivation, "ratio per 10 points
        squared" for the cross-level term and curvature, "rate ratio per unit" and "ratio of
        gradients per 10 points" for covariates and moderators, "events per 10,000" for the
        intercept, "log rate" and "log ratio per 10 points" for the standard deviations,
        "correlation", "coefficient of variation"); `prior`, `prior_lower`,
        `prior_upper`: median and equal-tailed interval; `posterior`, `posterior_lower`,
        `posterior_upper`; and `learned`, the share of the prior variance (on the log scale, where
        there is one) that the counts took away.

    Raises
    ------
    EstimandError
        If the fit does not record its priors, or `prob` is not within 0-1.
    SchemaError
        If `fit` is not a socgrad fit.

    Notes
    -----
    ``learned = 1 - posterior variance / prior variance``, below 0 where the posterior is wider. The
    steps are converted, so that fits with another `per` are tabulated per 10 points too.

    Interpretation
    --------------
    `learned` near 1: the counts decide (of gradients in a fit of totals alone: the form of the
    model, see `prior_sensitivity`). Near 0: what is printed as an estimate is the prior, and a
    reader who does not share the prior need not share the estimate.

    Examples
    --------
    >>> import socgrad as sg
    >>> table = sg.simulate(authorities=30, areas=600, random_seed=1).frame
    >>> areas = sg.Areas.from_frame(table, area="area", authority="authority", events="referral",
    ...                             children="children", deprivation="deprivation",
    ...                             complete=True)
    >>> fitted = sg.fit(sg.GradientModel(areas), method="laplace", random_seed=1)
    >>> compared = sg.prior_checks.compare_prior(fitted)
    >>> compared.loc["within", ["prior_lower", "prior_upper"]].astype(float).round(2).tolist()
    [0.38, 2.66]
    >>> bool(compared.loc["within", "learned"] > 0.95)
    True
    """
    if not 0 < prob < 1:
        raise EstimandError(
            f"prob is {prob:g}; expected the probability of an interval, above 0 and below 1, such "
            "as 0.95."
        )
    coefficients(fit)  # refuses what is no fit
    priors, draws = recorded_priors(fit), fit["posterior"].to_dataset()
    steps = 0.10 / geography(fit).per
    tails = [0.5, (1 - prob) / 2, (1 + prob) / 2]
    rows = {}
    for name, column, after in parameters_of(draws):
        prior = priors[TERMS[name].prior_name or name]
        first, second = prior if column is None else prior[column]
        before = _drawn(TERMS[name].prior, float(first), float(second))
        scale, shown = _scaled(name, steps)
        quantiles = [shown(np.quantile(values, tails)) for values in (before, after)]
        rows[parameter_label(draws, name, column)] = {
            "scale": scale,
            **{
                f"{when}{which}": float(value)
                for when, values in zip(("prior", "posterior"), quantiles, strict=True)
                for which, value in zip(("", "_lower", "_upper"), values, strict=True)
            },
            "learned": float(1 - after.var() / before.var()),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("parameter")


def prior_sensitivity(fit: xr.DataTree, *, draws: int = 1000) -> pd.DataFrame:
    """Measure how far each posterior moves when prior or counts are given more or less weight.

    Parameters
    ----------
    fit
        From `socgrad.fit`, or `pymc.sample` on `socgrad.pymc_model(model)`, with its counts.
    draws
        Most draws of the posterior to use, evenly spaced, at least 1; some hundreds are needed.

    Returns
    -------
    pandas.DataFrame
        One row per parameter: `prior` and `likelihood`, sensitivity to a power of each (0: none;
        above 0.05: noticeable), and `diagnosis` in words.

    Raises
    ------
    EstimandError
        If the fit holds no counts, several strata, or does not record its priors; if `draws` is
        below 1; if too few draws differ, as where a chain never moved.
    SchemaError
        If `fit` is not a socgrad fit.

    Notes
    -----
    ArviZ's `psense`: draws are reweighted, by Pareto-smoothed importance sampling, as if the prior
    (or the likelihood) had been raised to powers about 1; the sensitivity is the distance that the
    posterior's distribution function moves per doubling of the power. The prior is that of the
    parameters, the likelihood that of each authority's counts with its own effects integrated out,
    as in `leave_out`. No model is fitted again.

    Interpretation
    --------------
    Sensitive to the prior and not to the counts: the counts say little, and the prior decides.
    Sensitive to both: prior and counts pull in different directions: look whether the prior was
    meant. In a fit of authority totals alone the counts do not decide on gradients, whatever the
    sensitivity: a bend of rates over authority deprivation moves `within`, `cross_level` and
    `slope_sd`, and curvature would explain it as well. The diagnosis says so.

    References
    ----------
    Kallioinen et al. 2024, Statistics and Computing 34, https://doi.org/10.1007/s11222-023-10366-5.

    Examples
    --------
    >>> import socgrad as sg
    >>> table = sg.simulate(authorities=30, areas=600, random_seed=1).frame
    >>> areas = sg.Areas.from_frame(table, area="area", authority="authority", events="referral",
    ...                             children="children", deprivation="deprivation",
    ...                             complete=True)
    >>> fitted = sg.fit(sg.GradientModel(areas), method="laplace", random_seed=1)
    >>> sensitivity = sg.prior_checks.prior_sensitivity(fitted)
    >>> sensitivity.loc["within", "diagnosis"]
    'the counts decide'
    """
    counts = counts_by_position(fit)
    at = chosen_draws(coefficients(fit), draws)
    found = integrated_likelihoods(counts, population_at(fit, at), geography(fit))
    draws_of = fit["posterior"].to_dataset()
    prior = log_prior(fit)
    posterior = {
        parameter_label(draws_of, name, column): values
        for name, column, values in parameters_of(draws_of)
    }
    tree = xr.DataTree.from_dict(
        {
            "posterior": _chosen(posterior, at),
            "log_prior": _chosen({str(n): prior[n].to_numpy().ravel() for n in prior}, at),
            "log_likelihood": _chosen(
                {"counts": found.log_likelihood.sum(axis=1)}, np.arange(len(at))
            ),
        }
    )
    stats = import_module("arviz_stats")  # takes a second, so only when needed
    try:
        moved = {
            group: {
                str(name): float(value)
                for name, value in stats.psense(tree, group=group).data_vars.items()
            }
            for group in ("prior", "likelihood")
        }
    except ValueError as error:
        raise EstimandError(
            f"These draws cannot be weighed by their densities ({error}): too few of them differ. "
            "Look at socgrad.check_sampling(fit)."
        ) from error
    table = pd.DataFrame(moved).loc[list(posterior)].rename_axis("parameter")
    by_prior, by_counts = (table[name] >= _NOTICEABLE for name in ("prior", "likelihood"))
    table["diagnosis"] = np.select(
        [by_prior & by_counts, by_prior],
        ["prior and counts both move it", "the prior decides, the counts say little"],
        default="the counts decide",
    )
    table.loc[~by_prior & ~by_counts, "diagnosis"] = "neither moves it"
    if not len(counts.area):
        # A total holds no two neighbourhoods to compare: what it says of these is the model's form.
        of_form = table.index.isin(_BY_FORM) & by_counts
        for among, words in (
            (by_prior, "prior and totals both move it, totals"),
            (~by_prior, "totals move it,"),
        ):
            table.loc[of_form & among, "diagnosis"] = f"{words} by the form of the model alone"
        pulled = table.index.isin(_BY_FORM) & by_prior & ~by_counts
        table.loc[pulled, "diagnosis"] = "the prior decides, totals say little"
    return table


def _chosen(values: Mapping[str, Floats], at: npt.NDArray[np.int64]) -> xr.Dataset:
    """Draws at positions of the chains laid end to end, as one chain."""
    return xr.Dataset({name: (("chain", "draw"), all_[at][None]) for name, all_ in values.items()})


@lru_cache(maxsize=16)  # strata mostly share their priors
def _drawn(family: str, first: float, second: float) -> Floats:
    """Even quantiles of a prior, which stand for draws without their noise."""
    at = (np.arange(_DRAWN) + 0.5) / _DRAWN
    if family == "correlation":
        found = np.asarray(2 * beta.ppf(at, first, second) - 1)
    elif family == "positive":
        found = np.asarray(truncnorm.ppf(at, -first / second, np.inf, first, second))
    else:
        found = np.asarray(norm.ppf(at, first, second))
    found.setflags(write=False)  # all who ask share it
    return found


def _scaled(name: str, steps: float) -> tuple[str, Callable[[Floats], Floats]]:
    """Name of the scale a parameter is shown on, and the function that takes it there."""
    kind = TERMS[name]
    power = steps**kind.steps
    if name == "intercept":
        return kind.scale, lambda x: 10_000 * np.exp(x)
    if kind.prior == "normal":
        return kind.scale, lambda x: np.exp(power * x)
    return kind.scale, lambda x: power * x
