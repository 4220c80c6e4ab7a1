"""Fitting: from a model to a tree of draws."""

import json
import os
import secrets
import sys
import warnings
from numbers import Integral
from typing import Literal

import numpy as np
import xarray as xr

from socgrad.errors import (
    ConvergenceWarning,
    SocgradWarning,
    SpecificationError,
)
from socgrad.joint_fitting import fit_joint
from socgrad.manifest import assemble
from socgrad.model.arguments import check_is_model
from socgrad.model.compression import likelihood_data
from socgrad.model.gradient_model import GradientModel
from socgrad.model.outcome_model import OutcomeModel
from socgrad.model.stratified_model import StratifiedModel
from socgrad.nuts.options import NutsOptions
from socgrad.progress import stage
from socgrad.quadrature_record import record_quadrature
from socgrad.stratified_fitting import fit_strata

__all__ = ["Method", "fit"]

type Method = Literal["nuts", "laplace", "auto"]

_METHODS = ("nuts", "laplace", "auto")

# With fewer, a few draws in 40,000 diverged at 0.9, and none at 0.95.
_FEW_AUTHORITIES = 10


def fit(
    model: GradientModel | StratifiedModel | OutcomeModel,
    *,
    method: Method = "auto",
    draws: int = 1000,
    tune: int | None = None,
    chains: int = 4,
    cores: int | None = None,
    target_accept: float | None = None,
    random_seed: int | None = None,
    progress: bool | None = None,
) -> xr.DataTree:
    """Fit a model and return its posterior as one self-contained tree.

    Parameters
    ----------
    model : GradientModel, StratifiedModel or OutcomeModel
        The specification. Independent strata are fitted one after another, with one compilation;
        strata with joint authority effects all at once, by NUTS. An outcome of authorities beside
        the gradients needs NUTS: "auto" takes it, "laplace" is refused.
    method : {"nuts", "laplace", "auto"}
        The engine. "nuts" is NUTS (nutpie): on a density written out for the usual models, and on
        the PyMC graph, which compiles in every process, for the others (area covariates, no slopes
        of authorities, totals of negative binomials). "laplace" needs neither nutpie nor a
        compiler: authority effects integrated out by quadrature, the other parameters drawn by
        importance sampling from a fitted proposal. Both describe the same posterior. "auto" is
        "laplace", and NUTS where that engine doubts its own draws or has no such model; attrs
        `sampler` say which it was.
    draws, chains : int
        Draws kept per chain (at least 1), and chains (at least 1; four are wanted for R-hat to mean
        anything). The draws of "laplace" are independent; chains only give the tree its form.
    tune : int, optional
        NUTS only (with "auto": should it come to NUTS, as for the options below): draws discarded
        before those kept, at least 1. By default 500 (1,000 for joint authority effects).
    cores : int, optional
        NUTS only: chains run at a time. By default as many as there are processors, at most
        `chains`. The draws do not depend on it.
    target_accept : float, optional
        NUTS only: mean acceptance probability, between 0 and 1; nearer 1 takes smaller, safer
        steps. By default 0.9; 0.95 with totals, fewer than ten authorities, area covariates, a
        shape, localities, regions, an outcome, or no slopes of authorities; of joint strata 0.95,
        with totals 0.99.
    random_seed : int, optional
        At least 0; the one seed of everything random. By default one is drawn and recorded.
    progress : bool, optional
        Whether to say how far the fit is: by default in plain lines on standard error, after ten
        seconds and then every thirty, and of NUTS by a progress bar where standard error is a
        terminal. True shows NUTS's bar in a notebook, too; False says nothing.

    Returns
    -------
    xarray.DataTree
        Groups `posterior` (dims chain, draw[, authority]), `sample_stats`, `constant_data`,
        `observed_data`; the manifest is in `attrs` (versions, seed, sampler and model as JSON, hash
        of the data, units, reference values). Its size grows with authorities, not with areas times
        draws. After "laplace", attrs `importance_ess` (independent draws that would say as much),
        `pareto_k` (tail of the importance weights, below 0.7) and `laplace_quadrature_error`
        (largest error of the log density between draws) vouch for the draws. Of strata, draws
        have dim stratum too, and `sample_stats` holds these numbers for each.

    Raises
    ------
    SpecificationError
        If `model` is no model; if an option is out of range, or concerns NUTS only and `method` is
        "laplace"; if the model needs NUTS (area covariates, a gradient that is no line, an outcome
        of authorities, joint authority effects) and `method` is "laplace".
    KeyboardInterrupt
        If you stop it: the sampler is told to, and nothing of what it drew is returned.

    Warns
    -----
    ConvergenceWarning
        If "laplace" doubts its draws; the message says why and what to do.
    SocgradWarning
        If "auto" goes on with NUTS, or takes it for regions, area covariates or a gradient that is
        no line.
    QuadratureWarning
        If drawn slopes left the range for which the compressed exposures are exact, and the error
        there is not negligible.

    Interpretation
    --------------
    The draws describe what the counts and the priors say together. Ask `check_sampling` whether the
    sampler converged before reading any estimate.

    Examples
    --------
    >>> import socgrad as sg
    >>> table = sg.simulate(authorities=8, areas=200, random_seed=1).frame
    >>> areas = sg.Areas.from_frame(table, area="area", authority="authority", events="referral",
    ...                             children="children", deprivation="deprivation",
    ...                             complete=True)
    >>> fitted = sg.fit(sg.GradientModel(areas), method="laplace", random_seed=1)
    >>> dict(fitted["posterior"].sizes)
    {'chain': 4, 'draw': 1000, 'authority': 8}
    """
    check_is_model(model, (GradientModel, StratifiedModel, OutcomeModel))
    if method not in _METHODS:
        raise SpecificationError(
            f"method={method!r} is not an engine; expected {', '.join(map(repr, _METHODS))}."
        )
    given = {"tune": tune, "cores": cores, "target_accept": target_accept}
    if method == "laplace" and (idle := [n for n, value in given.items() if value is not None]):
        raise SpecificationError(
            f"{', '.join(idle)}: NUTS only, and method='laplace' would ignore it. Leave it out, or "
            "choose method='nuts' or 'auto'."
        )
    counts = {"draws": draws, "tune": tune, "chains": chains, "cores": cores}
    _check_options(counts, target_accept, random_seed)
    if random_seed is None:
        random_seed = secrets.randbits(31)
    has_lines = progress is not False
    joint = isinstance(model, StratifiedModel) and model.authority_effects == "joint"
    options = NutsOptions(
        draws=draws,
        tune=(1000 if joint else 500) if tune is None else tune,
        chains=chains,
        cores=min(chains, os.cpu_count() or 1) if cores is None else cores,
        target_accept=_usual_target_accept(model) if target_accept is None else target_accept,
        random_seed=random_seed,
        progress=sys.stderr.isatty() if progress is None else progress,
    )
    if isinstance(model, StratifiedModel):
        if model.authority_effects == "joint":
            if method == "laplace":
                raise SpecificationError(
                    "method='laplace' integrates over two effects of an authority, and a joint "
                    f"model of {len(model.strata)} strata has {2 * len(model.strata)} that "
                    "correlate. Choose method='nuts', or authority_effects='independent'."
                )
            with stage("joint strata", lines=has_lines):
                return fit_joint(model, options)
        with stage("strata one after another", lines=has_lines):
            return fit_strata(
                model,
                lambda single, seed: fit(
                    single,
                    method=method,
                    draws=draws,
                    tune=tune,
                    chains=chains,
                    cores=cores,
                    target_accept=target_accept,
                    random_seed=seed,
                    progress=progress,
                ),
                random_seed=random_seed,
            )
    outcome, model = (
        (model, model.gradient_model) if isinstance(model, OutcomeModel) else (None, model)
    )
    if outcome is not None and method == "laplace":
        raise SpecificationError(
            "method='laplace' has no outcome of authorities: given the slopes' standard deviation "
            "its regression would add as many dimensions as it has terms. Choose method='nuts'."
        )
    data = likelihood_data(model)
    doubt = ""
    what, reason = _beyond_laplace(model)
    if what and method != "nuts":
        if method == "laplace":
            raise SpecificationError(
                f"method='laplace' cannot fit {what}: {reason}. Choose method='nuts' (or "
                "'auto', which does so by itself)."
            )
        doubt = f"{what} are not for it, because {reason}"
        warnings.warn(f"method='auto' takes NUTS: {doubt}.", SocgradWarning, stacklevel=2)
    elif method != "nuts" and outcome is None:
        with stage("method='laplace' draws by importance sampling", lines=has_lines):
            tree, doubt = _fit_laplace(
                model, data, draws=draws, chains=chains, random_seed=random_seed
            )
        if doubt and method == "laplace":
            warnings.warn(
                f"method='laplace' doubts its draws: {doubt}. Fit again with method='nuts' (or "
                "'auto', which does so by itself) before reporting them.",
                ConvergenceWarning,
                stacklevel=2,
            )
        if not doubt or method == "laplace":
            return tree
        warnings.warn(
            f"method='auto' goes on with NUTS, because method='laplace' doubts its draws: {doubt}.",
            SocgradWarning,
            stacklevel=2,
        )
    with stage("method='nuts'", lines=has_lines):
        return _fit_nuts(model, data, options, outcome=outcome, instead_of=doubt)


def _beyond_laplace(model: GradientModel) -> tuple[str, str]:
    """What of a model the compile-free engine cannot fit, and why; empty where it can."""
    if model.designs.of_areas:
        curved = model.departures is not None
        what = f"departures from the line (shape={model.shape!r})" if curved else "area covariates"
        return what, (
            f"its integrals are over authorities of one line each, and {what} take "
            "neighbourhoods off the line of their authority"
        )
    if model.regions:
        return "regions", (
            "it integrates over authorities one by one, and those of a region share an effect"
        )
    return "", ""


def _usual_target_accept(model: GradientModel | StratifiedModel | OutcomeModel) -> float:
    """Steps as large as models of the kind take with hardly ever a divergence."""
    if isinstance(model, StratifiedModel):
        has_totals = any((~np.isnan(each.total_events)).any() for each in model.strata.values())
        return 0.99 if has_totals else 0.95
    if isinstance(model, OutcomeModel) or not model.random_slopes:
        return 0.95
    areas = model.areas
    if len(areas.authority) < _FEW_AUTHORITIES or (~np.isnan(areas.total_events)).any():
        return 0.95
    return 0.95 if model.designs.of_areas or model.localities or model.regions else 0.9


def _fit_laplace(
    model: GradientModel, data: xr.Dataset, *, draws: int, chains: int, random_seed: int
) -> tuple[xr.DataTree, str]:
    """Fit without a compiler; return what the engine doubts of it, too."""
    from socgrad.laplace import sample_laplace  # noqa: PLC0415 SciPy, only where it is needed

    drawn = sample_laplace(model, data, draws=draws, chains=chains, random_seed=random_seed)
    tree = assemble(
        model,
        drawn.posterior,
        drawn.sample_stats,
        sampler={
            "method": "laplace",
            "name": "importance sampling on adaptive Gauss-Hermite quadrature",
            "draws": draws,
            "chains": chains,
            "nodes": drawn.nodes,
            "proposal_efficiency": round(drawn.proposal_efficiency, 3),
        },
        packages=(),
        random_seed=random_seed,
    )
    tree.attrs |= {
        "importance_ess": drawn.importance_ess,
        "pareto_k": drawn.pareto_k,
        "laplace_quadrature_error": drawn.quadrature_error,
    }
    record_quadrature(model, tree, data)
    return tree, drawn.doubt


def _fit_nuts(
    model: GradientModel,
    data: xr.Dataset,
    options: NutsOptions,
    *,
    outcome: OutcomeModel | None,
    instead_of: str,
) -> xr.DataTree:
    # PyMC and nutpie take seconds to import: only a fit that needs them pays for them.
    from socgrad.nuts.density_sampling import NUTPIE_IS_KNOWN, sample_density  # noqa: PLC0415
    from socgrad.nuts.problems import is_written_out  # noqa: PLC0415

    packages: tuple[str, ...] = ("pymc", "pytensor", "nutpie")
    if outcome is None and NUTPIE_IS_KNOWN and is_written_out(model):
        packages = ("nutpie", "numba")
        posterior, sample_stats = sample_density(model, data, options)
    elif outcome is None:
        from socgrad.nuts.sampling import sample_nuts  # noqa: PLC0415

        posterior, sample_stats = sample_nuts(model, data, options)
    else:
        from socgrad.nuts.outcome_sampling import sample_outcome  # noqa: PLC0415

        posterior, sample_stats = sample_outcome(outcome, data, options)
    sampler = {
        "method": "nuts",
        "name": "nutpie",
        "draws": options.draws,
        "tune": options.tune,
        "chains": options.chains,
        "target_accept": options.target_accept,
    }
    if instead_of:
        sampler["instead_of_laplace"] = instead_of
    tree = assemble(
        model,
        posterior,
        sample_stats,
        sampler=sampler,
        packages=packages,
        random_seed=options.random_seed,
    )
    record_quadrature(model, tree, data)
    if outcome is not None:
        tree.attrs["outcome"] = json.dumps(
            {
                "name": outcome.name,
                "terms": outcome.terms,
                "authorities": int(outcome.known.sum()),
                "has_standard_errors": outcome.standard_errors is not None,
            }
        )
    return tree


def _check_options(
    counts: dict[str, int | None], target_accept: float | None, random_seed: int | None
) -> None:
    for name, value in {**counts, "random_seed": random_seed}.items():
        if value is not None and (isinstance(value, bool) or not isinstance(value, Integral)):
            raise SpecificationError(f"{name} must be a whole number; got {value!r}.")
    for name, value in counts.items():
        if value is not None and value < 1:
            raise SpecificationError(f"{name} must be at least 1; got {value}.")
    if target_accept is not None and not 0 < target_accept < 1:
        raise SpecificationError(f"target_accept must lie between 0 and 1; got {target_accept}.")
    if random_seed is not None and random_seed < 0:
        raise SpecificationError(f"random_seed must be at least 0; got {random_seed}.")
