"""Fitting: from a model to a tree of draws."""

import os
import secrets
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import xarray as xr

from socgrad.engines.choice import Method, sampled
from socgrad.engines.task import Task
from socgrad.errors import SpecificationError
from socgrad.fit_options import FitOptions, check_seed
from socgrad.fitted_trees import joint_tree, tree_of
from socgrad.model.arguments import check_is_model
from socgrad.model.compression import likelihood_data
from socgrad.model.gradient_model import GradientModel
from socgrad.model.outcome_model import OutcomeModel
from socgrad.model.stratified_model import StratifiedModel
from socgrad.nuts.options import NutsOptions
from socgrad.processors import limited_to, processors
from socgrad.progress import stage
from socgrad.stratified_fitting import fit_strata

if TYPE_CHECKING:
    from socgrad.many.strata import StrataFolder

__all__ = ["Method", "fit"]


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
    into: str | os.PathLike[str] | None = None,
    progress: bool | None = None,
) -> xr.DataTree:
    """Fit a model and return its posterior as one self-contained tree.

    Parameters
    ----------
    model : GradientModel, StratifiedModel or OutcomeModel
        The specification. Independent strata are fitted one after another, those with joint
        authority effects all at once, and so are gradients and an outcome of authorities.
    method : {"nuts", "laplace", "auto"}
        The engine. "laplace" integrates authority effects out and draws the other parameters by
        importance sampling: of one stratum whose areas lie on their authority's line by
        quadrature; of all others (area covariates, shapes, regions, an outcome, joint strata) by
        nested Laplace, each draw weighted by what Laplace's method misses. "nuts" is NUTS
        (nutpie): on a density written out for the usual models, and on the PyMC graph, which
        compiles in every process, for the others. All describe the same posterior. "auto" takes
        the first engine that has the model, then the next where one doubts its own draws; attrs
        `sampler` say which it was.
    draws, chains : int
        Draws kept per chain (at least 1), and chains (at least 1; four are wanted for R-hat to mean
        anything). The draws of "laplace" are independent; chains only give the tree its form.
    tune : int, optional
        NUTS only (with "auto": should it come to NUTS, as for `target_accept`): draws discarded
        before those kept, at least 1. By default 500 (1,000 for joint authority effects; 200 on
        the marginal posterior of nested Laplace, whose scales are known beforehand).
    cores : int, optional
        Processors to take, at most: chains of NUTS that run at a time, threads of the other
        engines. By default all that this process may use. The draws do not depend on it.
    target_accept : float, optional
        NUTS only: mean acceptance probability, between 0 and 1; nearer 1 takes smaller, safer
        steps. By default 0.9; 0.95 with totals, fewer than ten authorities, area covariates, a
        shape, localities, regions, an outcome, or no slopes of authorities; of joint strata 0.95,
        with totals 0.99; 0.8 on the marginal posterior of nested Laplace.
    random_seed : int, optional
        At least 0; the one seed of everything random. By default one is drawn and recorded.
    into : path, optional
        Of independent strata: a folder that keeps the fit of each as it ends, made if it is not
        there, as `socgrad.many.fit_many` keeps fits. Called again, after whatever ended it, `fit`
        takes what is there (of the same data, model, options and seed, and whole) and fits the
        rest; the seed is then the folder's own, unless one is given.
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
        (largest error of the log density between draws) or `laplace_error` (standard deviation
        over draws of the error of nested Laplace, which the weights correct) vouch for the draws.
        Of strata, draws have dim stratum too, and `sample_stats` holds these numbers for each.

    Raises
    ------
    SpecificationError
        If `model` is no model; if an option is out of range, or concerns NUTS only and `method` is
        "laplace"; if `into` is given for what is fitted at once; if no engine of this method has
        all terms and laws of the model: what each lacks is named.
    StorageError, FileNotFoundError, NotADirectoryError
        If `into` cannot be made or written to.
    KeyboardInterrupt
        If you stop it: the sampler is told to, and nothing of what it drew is returned. Strata that
        were finished are in `into`, if that was given.

    Warns
    -----
    ConvergenceWarning
        If "laplace" doubts its draws, or chains of NUTS never moved; the message says why and what
        to do.
    SocgradWarning
        If "auto" goes on with another engine, because one doubts its draws.
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
    chosen = FitOptions(
        method=method,
        draws=draws,
        tune=tune,
        chains=chains,
        cores=cores,
        target_accept=target_accept,
    )
    check_seed(random_seed)
    has_lines = progress is not False
    joint = isinstance(model, StratifiedModel) and model.is_joint

    def options(seed: int) -> NutsOptions:
        return NutsOptions(
            draws=draws,
            tune=tune,
            chains=chains,
            cores=min(chains, processors()),
            target_accept=target_accept,
            random_seed=seed,
            progress=sys.stderr.isatty() if progress is None else progress,
        )

    folder = None if into is None else _folder(into, model, chosen)
    if random_seed is not None:
        seed = random_seed
    else:
        seed = secrets.randbits(31) if folder is None else folder.seed
    with limited_to(cores):
        if isinstance(model, StratifiedModel):
            if joint:
                with stage("joint strata", lines=has_lines):
                    return _fit_joint(model, options(seed), method)

            def fit_one(label: Any, one: GradientModel, own_seed: int) -> xr.DataTree:
                made = partial(_fit_one, one, options(own_seed), method)
                return made() if folder is None else folder.kept(label, one, own_seed, made)

            with stage("strata one after another", lines=has_lines):
                return fit_strata(model, fit_one, random_seed=seed)
        with stage("fitting", lines=has_lines):
            return _fit_one(model, options(seed), method)


def _folder(
    path: str | os.PathLike[str],
    model: GradientModel | StratifiedModel | OutcomeModel,
    options: FitOptions,
) -> "StrataFolder":
    """The folder that keeps independent strata."""
    if not isinstance(model, StratifiedModel) or model.is_joint:
        raise SpecificationError(
            "into= keeps strata that are fitted one after another, and this model is fitted at "
            "once. Leave it out, and keep the fit by socgrad.save; many models are fitted into a "
            "folder by socgrad.many.fit_many."
        )
    from socgrad.many.strata import StrataFolder  # noqa: PLC0415 only a fit that is kept needs files

    return StrataFolder(path, model, options)


def _fit_one(
    model: GradientModel | OutcomeModel, options: NutsOptions, method: Method
) -> xr.DataTree:
    """Fit one stratum, with or without an outcome of its authorities."""
    outcome = model if isinstance(model, OutcomeModel) else None
    single = model.gradient_model if isinstance(model, OutcomeModel) else model
    task = Task((single,), (likelihood_data(single),), options, outcome=outcome)
    return tree_of(task, sampled(task, method))


def _fit_joint(model: StratifiedModel, options: NutsOptions, method: Method) -> xr.DataTree:
    """Fit all strata at once, their authority effects correlated."""
    models = tuple(model.models.values())
    task = Task(models, tuple(likelihood_data(one) for one in models), options, strata=model)
    return joint_tree(model, task, sampled(task, method))
