"""NUTS on the marginal posterior of the shared parameters, where importance weights are uneven."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from socgrad.arrays import FloatArray
from socgrad.blocks.climbing import CLOSER
from socgrad.blocks.data import counts_of
from socgrad.blocks.effects import draw_effects
from socgrad.blocks.mode import mode
from socgrad.blocks.outcome import Outcome
from socgrad.blocks.pilot import pilot
from socgrad.blocks.posterior import posterior_of, shaped
from socgrad.model.gradient_model import GradientModel
from socgrad.model.over_years import OverYears
from socgrad.model.terms import model_terms
from socgrad.nuts.options import NutsOptions
from socgrad.nuts.python_density import sample_function

__all__ = ["MarginalDraws", "sample_marginal"]

# Laplace's error (sd over draws of a log density) that moves no mean by a tenth of its sd.
_WORST_ERROR = 0.1


@dataclass(frozen=True, eq=False)
class MarginalDraws:
    """Draws, dims (chain, draw, stratum[, ...]), and what vouches for them.

    Attributes
    ----------
    posterior, sample_stats : xarray.Dataset
    laplace_error : float
        Standard deviation over draws of the error of Laplace's log density.
    doubt : str
        What speaks against the draws; empty when nothing does.
    """

    posterior: xr.Dataset
    sample_stats: xr.Dataset
    laplace_error: float
    doubt: str


def sample_marginal(
    models: Sequence[GradientModel],
    data: Sequence[xr.Dataset],
    *,
    correlations: str,
    over_years: OverYears | None = None,
    outcome: Outcome | None = None,
    options: NutsOptions,
) -> MarginalDraws:
    """Draw from the posterior of one or several strata.

    Parameters
    ----------
    models : sequence of GradientModel
        One per stratum, of one geography and the same terms.
    data : sequence of xarray.Dataset
        Their likelihood data.
    correlations : {"full", "factor"}
        Of authority effects in several strata.
    over_years : OverYears, optional
        What ties strata that are years.
    outcome : Outcome, optional
        Of authorities, beside the effects of one stratum.
    options : NutsOptions
        How to sample.
    """
    terms = [model_terms(model) for model in models]
    counts = counts_of(models, terms, data)
    # Standard deviations may be near zero here: on scales where that is no long tail.
    first = pilot(
        models,
        terms,
        counts,
        correlations=correlations,
        normal=False,
        over_years=over_years,
        outcome=outcome,
    )
    found = mode(first.marginal, first.point)
    marginal, root = replace(found.marginal, close=CLOSER), found.root

    def density(z: FloatArray) -> tuple[float, FloatArray]:
        value, gradient = marginal.gradient(found.point + root @ z, marginal.start.copy())
        return value, root.T @ gradient

    points, statistics = sample_function(density, len(found.point), options)
    x = found.point + points.reshape(-1, points.shape[-1]) @ root.T
    once = np.ones(len(x), dtype=np.int64)
    effects = draw_effects(marginal, x, once, np.random.default_rng(options.random_seed))
    error = effects.laplace_error
    posterior = posterior_of(marginal.coordinates, x, effects)
    doubt = ""
    if not error < _WORST_ERROR:
        doubt = f"Laplace's method is off by {error:.2g} in log density, above {_WORST_ERROR}"
    chains, draws = points.shape[:2]
    return MarginalDraws(shaped(posterior, chains, draws), statistics, error, doubt)
