"""Draws from the priors of a model, in the form of a fit, so that every summary reads them."""

import numpy as np
import xarray as xr
from scipy.stats import truncnorm

from socgrad.arrays import FloatArray
from socgrad.errors import SpecificationError
from socgrad.manifest import assemble
from socgrad.model.arguments import check_is_model
from socgrad.model.compression import intercept_prior
from socgrad.model.gradient_model import GradientModel
from socgrad.model.priors import PositiveNormal
from socgrad.schema import COEFFICIENTS

__all__ = ["draw_prior"]


def draw_prior(model: GradientModel, *, draws: int = 1000, random_seed: int = 0) -> xr.DataTree:
    """Draw parameters and authority effects from the priors of a model, before any counts.

    Parameters
    ----------
    model : GradientModel
        The specification, with its priors and the geography of its areas.
    draws : int
        Independent draws, at least 1.
    random_seed : int
        At least 0.

    Returns
    -------
    xarray.DataTree
        As from `socgrad.fit`, one chain of `draws`, without counts; attrs `sampler` names the
        prior. Every estimand and `summarise` take it: `expected_rate` gives prior rates per 10,000
        by deprivation, `gradient` prior rate ratios, `predict_events` prior counts.

    Raises
    ------
    SpecificationError
        If `draws` is below 1 or `random_seed` below 0.

    Notes
    -----
    The default prior of the intercept is centred at the crude rate of the counts; give
    ``Priors(intercept=...)`` for a prior that has not seen them.

    Interpretation
    --------------
    What the model holds possible before it sees a count. Rates of 1 child in 100,000, or of more
    children than there are, say that a prior is too wide; a published rate that lies outside says
    that it is too narrow.

    References
    ----------
    Gabry et al. 2019, Journal of the Royal Statistical Society A 182(2),
    https://doi.org/10.1111/rssa.12378.

    Examples
    --------
    >>> import socgrad as sg
    >>> table = sg.simulate(authorities=8, areas=200, random_seed=1).frame
    >>> areas = sg.Areas.from_frame(table, area="area", authority="authority", events="referral",
    ...                             children="children", deprivation="deprivation",
    ...                             complete=True)
    >>> prior = sg.draw_prior(sg.GradientModel(areas), draws=4000)
    >>> row = sg.summarise(sg.gradient(prior)).iloc[0]
    >>> [round(float(row[name]), 1) for name in ("estimate", "lower", "upper")]
    [1.0, 0.4, 2.7]
    """
    check_is_model(model, (GradientModel,))
    if draws < 1 or random_seed < 0:
        raise SpecificationError(
            f"draws must be at least 1 and random_seed at least 0; got draws={draws}, "
            f"random_seed={random_seed}."
        )
    rng = np.random.default_rng(random_seed)
    priors, authorities = model.step_priors, len(model.areas.authority)

    def normal(mean: float, sd: float) -> FloatArray:
        return rng.normal(mean, sd, draws)

    def positive(prior: PositiveNormal) -> FloatArray:
        low = -prior.mean / prior.sd
        values: FloatArray = truncnorm.rvs(
            low, np.inf, prior.mean, prior.sd, size=draws, random_state=rng
        )
        return values

    # Every prior is drawn, whether the model has its term or not: models share their draws.
    drawn = {"intercept": normal(*intercept_prior(model))}
    for name in ("within", "between", "cross_level", "curvature"):
        prior = getattr(priors, name)
        drawn[name] = normal(prior.mean, prior.sd)
    for name in ("level_sd", "slope_sd", "overdispersion"):
        drawn[name] = positive(getattr(priors, name))
    drawn["correlation"] = 2.0 * rng.beta(priors.correlation, priors.correlation, draws) - 1.0
    z = rng.standard_normal((2, draws, authorities))
    r = drawn["correlation"][:, None]
    effects = {
        "level_effect": drawn["level_sd"][:, None] * z[0],
        "slope_effect": drawn["slope_sd"][:, None] * (r * z[0] + np.sqrt((1 - r) * (1 + r)) * z[1]),
    }
    if model.deprivation == "pooled":
        drawn["pooled"] = drawn["within"]
    absent = _absent(model)
    for name, columns in model.coefficient_priors.items():
        drawn[name] = np.stack([normal(prior.mean, prior.sd) for prior in columns], axis=1)
    if model.localities:
        drawn["locality_sd"] = positive(priors.locality_sd)
    if model.regions:
        drawn["region_sd"] = positive(priors.region_sd)
        z = rng.standard_normal((draws, len(model.areas.region)))
        drawn["region_effect"] = drawn["region_sd"][:, None] * z
    values = {name: value for name, value in (drawn | effects).items() if name not in absent}
    last = {name: dim for name, (dim, _) in COEFFICIENTS.items()} | {"region_effect": "region"}
    posterior = xr.Dataset(
        {
            name: (("chain", "draw", last.get(name, "authority"))[: value.ndim + 1], value[None])
            for name, value in values.items()
        },
        coords={"chain": [0], "draw": np.arange(draws)},
    )
    tree = assemble(
        model,
        posterior,
        xr.Dataset(),
        sampler={"method": "prior", "name": "independent draws of the priors", "draws": draws},
        packages=(),
        random_seed=random_seed,
    )
    # A prior has no counts to be compared with.
    del tree["observed_data"]
    return tree


def _absent(model: GradientModel) -> set[str]:
    """Terms that the model does not have."""
    present = {
        "within": model.deprivation == "split",
        "between": model.deprivation == "split",
        "cross_level": bool(model.cross_level),
        "curvature": model.curvature,
        "slope_sd": bool(model.random_slopes),
        "slope_effect": bool(model.random_slopes),
        "correlation": bool(model.random_slopes),
        "overdispersion": model.family == "negative_binomial",
    }
    return {name for name, there in present.items() if not there}
