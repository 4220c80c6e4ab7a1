"""Draws from the priors of a model, in the form of a fit, so that every summary reads them."""

import numpy as np
import xarray as xr
from scipy.stats import truncnorm

from socgrad.arrays import FloatArray
from socgrad.errors import SpecificationError
from socgrad.manifest import assemble
from socgrad.model.arguments import check_is_model
from socgrad.model.gradient_model import GradientModel
from socgrad.model.terms import Term, model_terms
from socgrad.terms import TERMS

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
    >>> prior = sg.prior_checks.draw_prior(sg.GradientModel(areas), draws=4000)
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
    authorities, terms = len(model.areas.authority), model_terms(model)

    def drawn_from(term: Term) -> FloatArray:
        first, second = np.moveaxis(term.prior, -1, 0)
        size = (draws, *np.shape(first))
        # A term's draws depend on the seed and its name alone: models share those of their terms.
        own = np.random.default_rng([random_seed, *term.name.encode()])
        if term.kind.prior == "correlation":
            return np.asarray(2.0 * own.beta(first, second, size) - 1.0)
        if term.kind.prior == "positive":
            low = -first / second
            return np.asarray(
                truncnorm.rvs(low, np.inf, first, second, size=size, random_state=own)
            )
        return np.asarray(own.normal(first, second, size))

    values = {name: drawn_from(term) for name, term in terms.items()}
    z = rng.standard_normal((2, draws, authorities))
    if model.random_levels:
        values["level_effect"] = values["level_sd"][:, None] * z[0]
    if model.random_slopes:
        r = values["correlation"][:, None]
        along = r * z[0] + np.sqrt((1 - r) * (1 + r)) * z[1]
        values["slope_effect"] = values["slope_sd"][:, None] * along
    if model.regions:
        z = rng.standard_normal((draws, len(model.areas.region)))
        values["region_effect"] = values["region_sd"][:, None] * z
    last = {name: str(kind.dim) for name, kind in TERMS.items() if kind.dim is not None}
    last["region_effect"] = "region"
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
