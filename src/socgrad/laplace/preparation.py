"""From a model to its marginal posterior and a proposal for it."""

from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from socgrad.arrays import FloatArray
from socgrad.laplace.centres import centre
from socgrad.laplace.chosen_nodes import first_nodes
from socgrad.laplace.coarsened_rows import CoarsenedRows
from socgrad.laplace.coarsened_totals import CoarsenedTotals
from socgrad.laplace.curves import SlopeRange, slopes_that_matter
from socgrad.laplace.marginal import Marginal
from socgrad.laplace.mode import LogDensity, climb
from socgrad.laplace.pilot import pilot
from socgrad.laplace.placing import Start
from socgrad.laplace.predictors import predictors
from socgrad.laplace.proposal import Proposal
from socgrad.laplace.surfaces import Curved, PoissonRows, Surface
from socgrad.laplace.tabulated_counts import NegativeBinomialRows, RowSurface, TabulatedCounts
from socgrad.laplace.tabulation import (
    covering,
    first_table,
    holds,
    is_at_edge,
    slopes,
    widened,
    with_table,
)
from socgrad.laplace.totals import NegativeBinomialTotals, PoissonTotals, exact_totals
from socgrad.model.gradient_model import GradientModel
from socgrad.model.priors import Normal

__all__ = ["Prepared", "prepared", "tabulated_at"]

_ROUNDS = 10
_POINTS = 8


@dataclass(frozen=True, eq=False)
class Prepared:
    """A marginal posterior near its mode, and a proposal for it."""

    marginal: Marginal
    proposal: Proposal


def prepared(model: GradientModel, data: xr.Dataset) -> Prepared:
    """Find the mode of the shared parameters and the shape of the posterior about it.

    `data` is the model's `socgrad.model.compression.likelihood_data`.

    Raises
    ------
    ArithmeticError
        If the mode stays outside of what is tabulated: a mode of the table's edge is none.
    """
    theirs = predictors(model)
    raw = _raw_surfaces(model, data)
    mean, sd = data["prior_intercept"].to_numpy()
    first = pilot(model, raw, theirs, Normal(float(mean), float(sd)))
    varying = bool(model.random_slopes)
    surfaces: list[Surface] = []
    starts: list[Start] = []
    tables = []
    mode = first.point.copy()
    for surface, start in zip(raw, first.starts, strict=True):
        if not isinstance(surface, NegativeBinomialRows | CoarsenedRows):
            given = surface.given(np.ones((1, 1)))
            if varying and isinstance(given, Curved):
                starts.append(SlopeRange.about(given, *start))
            else:
                starts.append(start)
            surfaces.append(surface)
            continue
        starts.append(start)
        table = first_table(surface, start, first.hidden)
        if "overdispersion" in first.coordinates.names:
            # Start in the middle of what is tabulated.
            at = first.coordinates.names.index("overdispersion")
            mode[at] = np.arcsinh(table.box.overdispersion[0] / first.coordinates.bend[at])
        tables.append(len(surfaces))
        surfaces.append(table)
    marginal = Marginal(first.coordinates, tuple(surfaces), theirs, tuple(starts), varying)
    scale = first.scale
    # The first table is wide and coarse; a mode counts if a narrow one about it holds it. From the
    # edge of a table, beyond which it falls off, the search goes on in a wide one about that place.
    is_narrow = False
    for _ in range(_ROUNDS):
        mode, scale = climb(_density(marginal), mode, scale)
        if is_narrow and all(holds(marginal, which, mode) for which in tables):
            break
        marginal = _started(marginal, mode)
        if any(is_at_edge(marginal, which, mode) for which in tables):
            for which in tables:
                marginal = with_table(marginal, which, widened(marginal, which, mode, first.hidden))
            scale, is_narrow = first.scale, False
        else:
            marginal, _ = tabulated_at(marginal, _around(mode, scale))
            is_narrow = True
    else:
        raise ArithmeticError("the mode moved out of what was tabulated, again and again")
    proposal = Proposal.along_axes(_density(marginal), mode, scale, marginal.coordinates.mirrored)
    return Prepared(marginal, proposal)


def _raw_surfaces(model: GradientModel, data: xr.Dataset) -> list[Surface | RowSurface]:
    poisson = model.family == "poisson" and not model.localities
    surfaces: list[Surface | RowSurface] = []
    if "coarsened_kernel" in data:
        surfaces.append(CoarsenedRows.of(data, is_poisson=poisson))
    elif "count_events" in data:
        surfaces.append((PoissonRows if poisson else NegativeBinomialRows).of(data))
    if "sum_events" in data and len(exact_totals(data)):
        surfaces.append((PoissonTotals if poisson else NegativeBinomialTotals).of(data))
    if "sum_kernel" in data:
        surfaces.append(CoarsenedTotals.of(data, is_poisson=poisson))
    return surfaces


def _density(marginal: Marginal) -> LogDensity:
    nodes = first_nodes(marginal)
    return lambda x: marginal.log_density(x, nodes=nodes)


def _started(marginal: Marginal, mode: FloatArray) -> Marginal:
    """Start the search for authorities' modes where they are at the mode of all."""
    starts: list[Start] = []
    for which, start in enumerate(marginal.starts):
        if isinstance(start, SlopeRange):
            starts.append(start)
            continue
        given, prior = marginal.given(which, mode[None])
        at = centre(given, prior, start)
        starts.append((at.level[0], at.slope[0]))
    return replace(marginal, starts=tuple(starts))


def _with_slopes(marginal: Marginal, which: int, start: SlopeRange, x: FloatArray) -> Marginal:
    """The same with the slopes that matter at points `x`."""
    given, prior = marginal.given(which, x)
    assert isinstance(given, Curved)
    starts = list(marginal.starts)
    starts[which] = slopes_that_matter(given, prior, start)
    return replace(marginal, starts=tuple(starts))


def _around(mode: FloatArray, scale: FloatArray) -> FloatArray:
    """Points that spread as the posterior does near its mode."""
    z = np.random.default_rng(0).standard_normal((_POINTS, len(mode)))
    return mode + np.clip(z, -2.0, 2.0) @ scale.T


def tabulated_at(marginal: Marginal, x: FloatArray) -> tuple[Marginal, float]:
    """Tabulate the likelihood about points `x`; return the error of the negative binomial, or 0."""
    worst = 0.0
    for which, surface in enumerate(marginal.surfaces):
        if isinstance(surface, TabulatedCounts):
            table, error = covering(marginal, which, x)
            marginal, worst = with_table(marginal, which, table), max(worst, error)
        else:
            assert hasattr(surface, "tabulated")
            if isinstance(start := marginal.starts[which], SlopeRange):
                marginal = _with_slopes(marginal, which, start, x)
            low, high = slopes(marginal, which, x)
            marginal = with_table(marginal, which, surface.tabulated(low, high))
    return marginal, worst
