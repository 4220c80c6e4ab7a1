"""Whether the sampler converged, and what the priors decided, in words."""

import warnings
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import xarray as xr

from socgrad.checks.deciding_priors import about_priors, prior_weights
from socgrad.errors import ConvergenceWarning
from socgrad.notebooks.html import frame_table, heading, paragraph
from socgrad.reading.by_stratum import stratum, stratum_labels
from socgrad.reading.posterior import importance_ess
from socgrad.schema import COEFFICIENTS, CORRELATIONS, EFFECTS, PARAMETERS, REGION_EFFECTS

__all__ = ["SamplingCheck", "check_sampling"]

_PACKAGE: Final = str(Path(__file__).parents[1])
_MOST_RHAT: Final = 1.01
_LEAST_ESS: Final = 400
_LEAST_BFMI: Final = 0.3
_BETWEEN: Final = "between strata"


@dataclass(frozen=True, eq=False, repr=False)
class SamplingCheck:
    """What `check_sampling` found.

    Attributes
    ----------
    converged : bool
        Whether every R-hat is below 1.01, every effective size at least 400, no draw diverged, and
        the energy of every chain moves freely (at least 0.3, where it is recorded).
    statement : str
        The same in words, with what to do where it is not so.
    table : pandas.DataFrame
        One row per parameter and effect (of a fit of several strata, per stratum and term, and of a
        joint one also the correlations "between strata"):
        `rhat` (largest), `ess_bulk`, `ess_tail` (smallest over authorities).
    divergences : int
        Draws at which the sampler diverged; -1 where the fit does not record them.
    bfmi : float
        Bayesian fraction of missing information of the energy, of the worst chain; NaN where the
        fit does not record the energy.
    priors : pandas.DataFrame
        One row per parameter (of a fit of several strata, per stratum and parameter): how far a
        prior half as strong would `shift` its mean (in posterior standard deviations), by how much
        its standard deviation would grow (`growth`, a ratio), and whether the prior `decides`: a
        shift of 0.3 or a growth of 1.15. Empty where the fit does not record its priors.
    """

    converged: bool
    statement: str
    table: pd.DataFrame
    divergences: int
    bfmi: float
    priors: pd.DataFrame

    def __repr__(self) -> str:
        """Whether the draws are good, and where to read more."""
        return f"SamplingCheck(converged={self.converged}; .statement, .table, .priors)"

    def __str__(self) -> str:
        """What was found, in words."""
        return self.statement

    def _repr_html_(self) -> str:
        return heading(repr(self)) + paragraph(self.statement) + frame_table(self.table)


def check_sampling(fit: xr.DataTree) -> SamplingCheck:
    """Check whether the draws describe the posterior well enough to be reported.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.

    Returns
    -------
    SamplingCheck
        A verdict, in words, and a table; of all strata, where the fit has several.

    Raises
    ------
    SchemaError
        If `fit` is not a socgrad fit.

    Warns
    -----
    ConvergenceWarning
        If it is not converged, with the statement.

    Notes
    -----
    R-hat compares chains: it needs two at least. Draws resampled by importance have no chains; for
    them the recorded importance effective size, one for all quantities, counts instead. Draws of a
    release are independent, and say nothing of the sampler of its fit: check that before it is
    released. Priors are judged by weighing the draws as if each were half as strong
    (power-scaling); `prior_sensitivity` does it with the counts, too.

    Interpretation
    --------------
    Converged says that the draws are those of this model's posterior. It does not say that the
    model is right. Where the statement names a parameter that the prior decides, the counts say
    less of it than the prior, or pull against it.

    References
    ----------
    Vehtari et al. 2021, Bayesian Analysis 16(2), https://doi.org/10.1214/20-BA1221. Betancourt
    2016, Diagnosing suboptimal cotangent disintegrations in Hamiltonian Monte Carlo,
    arXiv:1604.00695 (BFMI).

    Examples
    --------
    The example fit has too few draws to be reported.

    >>> import warnings
    >>> from socgrad.tables.diagnostics import check_sampling
    >>> from socgrad.reading.example import example_fit
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     check_sampling(example_fit()).converged
    False
    """
    labels = stratum_labels(fit)
    if not labels:
        verdict = _verdict(fit)
    else:
        parts = {label: stratum(fit, label) for label in labels}
        verdicts = {label: _verdict(part) for label, part in parts.items()}
        correlations = _varying(fit)
        if correlations.data_vars:
            sizes = [_independent(part) for part in parts.values()]
            limit = min((size for size in sizes if size is not None), default=None)
            shared = _table(correlations, limit)
            problems = _problems(fit, shared, 0, np.nan, weighted=limit is not None)
            verdicts[_BETWEEN] = SamplingCheck(
                not problems, " ".join(problems), shared, -1, np.nan, pd.DataFrame()
            )
        verdict = _verdict_of_all(verdicts, fit)
    if not verdict.converged:
        warnings.warn(verdict.statement, ConvergenceWarning, skip_file_prefixes=(_PACKAGE,))
    return verdict


def _independent(fit: xr.DataTree) -> float | None:
    """How many draws independent ones are worth at most; None where draws are a chain's."""
    return np.inf if "release" in fit.attrs else importance_ess(fit)


def _verdict(fit: xr.DataTree) -> SamplingCheck:
    limit = _independent(fit)
    table = _table(_own(fit), limit)
    divergences = _divergences(fit)
    bfmi = _bfmi(fit)
    problems = _problems(fit, table, divergences, bfmi, weighted=limit is not None)
    facts = (
        f"largest R-hat {table['rhat'].max():.3f}, "
        if limit is None
        else "independent draws of a release (how those of its fit were had, only the fit tells), "
        if "release" in fit.attrs
        else "independent draws, resampled by importance, "
    )
    sizes = table[["ess_bulk", "ess_tail"]].min()
    facts += (
        f"smallest effective size {sizes['ess_bulk']:.0f} in the bulk and {sizes['ess_tail']:.0f} "
        "in the tails"
        if limit is None
        else f"effective size {sizes['ess_bulk']:.0f}"
    )
    if limit is None:  # independent draws have no path that could diverge
        facts += ", divergences not recorded" if divergences < 0 else f", {divergences} divergences"
    if not np.isnan(bfmi):
        facts += f", smallest BFMI {bfmi:.2f}"
    priors = prior_weights(fit)
    opening = "did not converge" if problems else "converged"
    said = [f"The sampler {opening}: {facts}.", *problems, about_priors(priors)]
    statement = " ".join(text for text in said if text)
    return SamplingCheck(not problems, statement, table, divergences, bfmi, priors)


def _verdict_of_all(verdicts: Mapping[Hashable, SamplingCheck], fit: xr.DataTree) -> SamplingCheck:
    """One verdict for all strata, which names those that failed and says why."""
    table = pd.concat({label: one.table for label, one in verdicts.items()}, names=["stratum"])
    apart = {label: one for label, one in verdicts.items() if not one.converged}
    facts = f"{len(stratum_labels(fit))} strata, "
    if table["rhat"].notna().any():
        facts += f"largest R-hat {table['rhat'].max():.3f}, "
    facts += f"smallest effective size {table[['ess_bulk', 'ess_tail']].min().min():.0f}"
    # Of a joint fit these belong to no single stratum.
    divergences, bfmi = _divergences(fit), _bfmi(fit)
    held = {label: one.priors for label, one in verdicts.items() if len(one.priors)}
    priors = pd.concat(held, names=["stratum"]) if held else pd.DataFrame()
    if apart:
        # What strata share may fail where each of them by itself does not.
        failed = len(apart) - (_BETWEEN in apart)
        said = [f"The sampler did not converge{f' in {failed} of' if failed else ':'} {facts}."]
        said += [f"[{label}] {one.statement}" for label, one in apart.items()]
    else:
        said = [f"The sampler converged: {facts}."]
    said += [
        f"[{label}] {about}"
        for label, one in held.items()
        if label not in apart and (about := about_priors(one))
    ]
    return SamplingCheck(not apart, " ".join(said), table, divergences, bfmi, priors)


def _varying(fit: xr.DataTree) -> xr.Dataset:
    """Correlations between strata of a joint fit, without those of a stratum with itself."""
    draws = fit["posterior"].to_dataset()
    varying = {}
    for name in CORRELATIONS:
        if name in draws:
            flat = draws[name].stack(pair=("stratum", "stratum_bis"))  # noqa: PD013 xarray's
            differs = (flat != flat.isel(chain=0, draw=0)).any(("chain", "draw"))
            if differs.any():  # those of known correlations do not
                varying[name] = flat[..., differs.to_numpy()].reset_index("pair", drop=True)
    return xr.Dataset(
        {name: values.rename(pair=f"{name}_pair") for name, values in varying.items()}
    )


def _own(fit: xr.DataTree) -> xr.Dataset:
    """Parameters and effects of a fit without strata."""
    draws = fit["posterior"].to_dataset()
    names = (*PARAMETERS, *COEFFICIENTS, *EFFECTS, *REGION_EFFECTS)
    return draws[[name for name in names if name in draws]]


def _table(posterior: xr.Dataset, limit: float | None) -> pd.DataFrame:
    """Worst diagnostics of each variable."""
    # Importing ArviZ takes a second, its sizes of thousands of effects a third of a page.
    of = _of_chains if limit is None else partial(_of_independent, limit=limit)
    rows = {name: of(draws) for name, draws in posterior.data_vars.items()}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("term")


def _of_independent(draws: xr.DataArray, limit: float) -> dict[str, float]:
    """Sizes of independent draws: what their weights leave of their number."""
    number = draws.sizes["chain"] * draws.sizes["draw"]
    size = float(min(limit, number)) if np.isfinite(draws).all() else np.nan
    return {"rhat": np.nan, "ess_bulk": size, "ess_tail": size}


def _of_chains(draws: xr.DataArray) -> dict[str, float]:
    """Largest R-hat, and smallest sizes."""
    stats = import_module("arviz_stats")
    # A term that is held fixed has no between-chain variance to compare.
    varies = bool((draws != draws.isel(chain=0, draw=0)).any())
    return {
        "rhat": float(stats.rhat(draws).max(skipna=False)) if varies else 1.0,
        "ess_bulk": float(stats.ess(draws, method="bulk").min(skipna=False)),
        "ess_tail": float(stats.ess(draws, method="tail").min(skipna=False)),
    }


def _divergences(fit: xr.DataTree) -> int:
    if "sample_stats" not in fit.children or "diverging" not in fit["sample_stats"].data_vars:
        return -1
    return int(fit["sample_stats"]["diverging"].sum())


def _bfmi(fit: xr.DataTree) -> float:
    """Smallest over chains of the mean squared step of the energy over its variance."""
    if "sample_stats" not in fit.children or "energy" not in fit["sample_stats"].data_vars:
        return float("nan")
    energy = fit["sample_stats"]["energy"]
    if energy.sizes["draw"] < 2:
        return float("nan")
    stats = import_module("arviz_stats.base").array_stats
    return float(np.min(stats.bfmi(energy.transpose(..., "draw").to_numpy())))


def _problems(
    fit: xr.DataTree, table: pd.DataFrame, divergences: int, bfmi: float, *, weighted: bool
) -> list[str]:
    """What is wrong and what to do about it; comparisons are such that NaN counts as wrong."""
    problems = []
    if not weighted:
        apart = table.index[~(table["rhat"] < _MOST_RHAT)].tolist()
        if fit["posterior"].sizes["chain"] < 2:
            problems.append("R-hat needs two chains at least: sample four.")
        elif apart:
            problems.append(
                f"R-hat is not below {_MOST_RHAT} for {', '.join(apart)}: the chains disagree. "
                "Raise tune and draws; if they still disagree, simplify the model or give "
                "narrower priors."
            )
    few = table.index[~(table[["ess_bulk", "ess_tail"]].min(axis=1, skipna=False) >= _LEAST_ESS)]
    if len(few):
        problems.append(
            f"The effective size is below {_LEAST_ESS} for {', '.join(few)}: "
            + ("fit with method='nuts'." if weighted else "raise draws.")
        )
    if divergences > 0:
        problems.append(
            f"{divergences} draws diverged, so a part of the posterior may be missing: raise "
            "target_accept (0.95, 0.99); if they persist, simplify the model or give narrower "
            "priors."
        )
    if bfmi < _LEAST_BFMI:
        problems.append(
            f"The energy of a chain moves too slowly (BFMI {bfmi:.2f}, below {_LEAST_BFMI}), so "
            "tails may be missing: raise tune and draws; if it persists, give the standard "
            "deviations narrower priors."
        )
    return problems
