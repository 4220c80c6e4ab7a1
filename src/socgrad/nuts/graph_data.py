"""The data of a graph: of one stratum, or of several side by side."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import xarray as xr

from socgrad.arrays import FloatArray
from socgrad.model.compression import constants, likelihood_data
from socgrad.model.gradient_model import GradientModel
from socgrad.model.terms import Term, model_terms
from socgrad.nuts.centring import centring
from socgrad.nuts.hidden_counts import filled_in, hidden_data
from socgrad.nuts.rows import stacked
from socgrad.nuts.strata_scales import scales_of_strata

__all__ = ["graph_data"]

_KINDS: Final = ("level", "slope")


def graph_data(models: Sequence[GradientModel], data: Sequence[xr.Dataset]) -> xr.Dataset:
    """Everything of a graph that differs between outcomes and priors of the same graph.

    Parameters
    ----------
    models : sequence of GradientModel
        One per stratum, of the same authorities and terms.
    data : sequence of xarray.Dataset
        Their likelihood data.

    Returns
    -------
    xarray.Dataset
        What `socgrad.nuts.rows` makes of the counts; `prior_*` of each term; what
        `socgrad.nuts.centring` says of each authority. Of several strata the latter two have dim
        stratum, `between_part` and designs of authorities are here, too, and what
        `socgrad.nuts.strata_scales` adds.
    """
    terms = [model_terms(one) for one in models]
    pairs = list(zip(models, data, strict=True))
    several = len(models) > 1
    counts = [hidden_data(*pair).drop_vars("prior_intercept") for pair in pairs]
    made = stacked(counts, len(models[0].areas.authority))
    made = made.assign(_side_by_side([_centring(*pair, several) for pair in pairs]))
    made = made.assign(_priors(terms, models[0].step_priors.correlation))
    if models[0].regions:
        regions = models[0].areas.region_of_authority[:, None] == np.arange(
            len(models[0].areas.region)
        )
        made["authority_in_region"] = (("authority", "region"), regions.astype(np.float64))
    if not several:
        return made
    made = made.assign(_side_by_side([_of_authorities(one) for one in models]))
    return made.assign(scales_of_strata(terms, made))


def _side_by_side(parts: Sequence[dict[str, xr.DataArray]]) -> dict[str, xr.DataArray]:
    """Values of all strata, along dim stratum; those of a single one as they are."""
    if len(parts) == 1:
        return parts[0]
    return {
        name: xr.DataArray(np.stack([each[name] for each in parts]), dims=("stratum", *one.dims))
        for name, one in parts[0].items()
    }


def _of_authorities(model: GradientModel) -> dict[str, xr.DataArray]:
    """What the lines of authorities read of their places."""
    seam = constants(model).reset_coords(drop=True)
    names = ("between_part", "authority_covariate_design", "moderator_design")
    return {name: seam[name] for name in names if name in seam}


def _priors(terms: Sequence[dict[str, Term]], correlation: float) -> dict[str, xr.DataArray]:
    """Moments of each prior; of correlations the shape that all strata have."""
    made = {"prior_correlation": xr.DataArray(correlation)}
    for name, term in terms[0].items():
        if term.kind.prior == "correlation":
            continue
        dims = ("moment",) if term.kind.dim is None else (term.kind.dim, "moment")
        own = [{f"prior_{name}": xr.DataArray(each[name].prior, dims=dims)} for each in terms]
        made |= _side_by_side(own)
    return made


def _centring(model: GradientModel, data: xr.Dataset, several: bool) -> dict[str, xr.DataArray]:
    """What each authority's events say; of strata less what is lost to gamma factors.

    Of a single stratum the graph itself takes that off, at each spread that it comes to.
    """
    if model.areas.within_bounds.any():
        model = filled_in(model)
        data = likelihood_data(model)
    within_part = model.within_part
    found = centring(model, data, within_part)
    if not several:
        return found
    lost = 1.0 + _rough_spread(model, found, within_part) ** 2 * found.pop("events_per_factor")
    shared = found.pop("shared_slope_information")
    return found | {
        # Nothing is known of an authority without events: no number stands for its level.
        "centring_level": found["centring_level"].where(found["level_information"] > 0, 0.0),
        "level_information": found["level_information"] / lost,
        "slope_information": found["slope_information"] / lost + shared,
    }


def _rough_spread(
    model: GradientModel, found: dict[str, xr.DataArray], within_part: FloatArray
) -> float:
    """Rough spread of gamma factors: by moments of the counts, as far as its prior allows.

    Of totals alone, what the prior says.
    """
    own, areas = model_terms(model), model.areas
    factors = [own[name] for name in ("overdispersion", "locality_sd") if name in own]
    if not factors:
        return 0.0
    usual = float(np.hypot(*factors[0].prior))
    rows = areas.counted
    if not rows.any():
        return usual
    level, slope = (found[f"centring_{kind}"].to_numpy() for kind in _KINDS)
    of = areas.authority_of_area
    mean = areas.exposure * np.exp(level[of] + slope[of] * within_part)
    mean, events = mean[rows], areas.events[rows]
    if model.localities:
        locality = np.unique(areas.locality_of_area[rows], return_inverse=True)[1]
        mean, events = np.bincount(locality, mean), np.bincount(locality, events)
    excess = np.sum((events - mean) ** 2 - mean) / np.sum(mean**2)
    return float(np.clip(np.sqrt(max(excess, 0.0)), 0.1 * usual, 4.0 * usual))
