"""The authorities' effects integrated out, by adaptive quadrature.

Given the shared parameters, authorities are independent: each has a level and a slope with a normal
prior, and a log-likelihood that is all but quadratic where the counts are large and all but flat
where they are small. Either way their product is close to a normal density, and a Gauss-Hermite
rule centred and scaled at its mode (Liu & Pierce 1994, Biometrika 81(3), doi
10.1093/biomet/81.3.624) integrates it to many digits with few nodes. Of Poisson counts and of
totals levels are integrated out by expansion where that is as exact (`levels`); of totals slopes
are equally spaced (`curves`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from socgrad.arrays import FloatArray
from socgrad.laplace.coordinates import Coordinates
from socgrad.laplace.line_priors import LinePrior, population
from socgrad.laplace.nodes import Nodes, integrand
from socgrad.laplace.placing import Start, placed
from socgrad.laplace.predictors import Predictors
from socgrad.laplace.slices import slices
from socgrad.laplace.surfaces import Given, OwnAtPoints, Surface
from socgrad.processors import by_threads

__all__ = ["Marginal"]

# Numbers that are made for a point are read once or twice: slices may hold so many times more.
_READ_ONCE = 16


@dataclass(frozen=True, eq=False)
class Marginal:
    """The posterior of the shared parameters, authorities integrated out.

    Attributes
    ----------
    coordinates : Coordinates
        The parameters and their priors.
    surfaces : tuple of Surface
        The likelihood, by kind of count.
    predictors : Predictors
        Of all authorities.
    starts : tuple of Start
        For each surface, where the posteriors of its authorities lie about.
    varying : bool
        Whether slopes vary at random.
    """

    coordinates: Coordinates
    surfaces: tuple[Surface, ...]
    predictors: Predictors
    starts: tuple[Start, ...]
    varying: bool

    def given(self, which: int, x: FloatArray) -> tuple[Given, LinePrior]:
        """Likelihood of one surface, and prior of its authorities, at points `x`."""
        surface = self.surfaces[which]
        theirs = self.predictors.of(surface.authority)
        prior = population(self.coordinates.parameters(x), theirs, varying=self.varying)
        return surface.given(prior.overdispersion), prior

    def log_density(self, x: FloatArray, *, nodes: Sequence[Nodes]) -> FloatArray:
        """Log of likelihood times prior at points `x`, with `nodes` for each surface.

        Constants that do not depend on any parameter are left out. Shape (points,).
        """
        total = self.coordinates.log_prior(x)
        for which, its_nodes in enumerate(nodes):
            total += self.log_likelihood(x, which, its_nodes)
        total[np.isnan(total)] = -np.inf
        return total

    def log_likelihood(self, x: FloatArray, which: int, nodes: Nodes) -> FloatArray:
        """Log of the likelihood of one surface at points `x`, authorities integrated out."""
        surface, start = self.surfaces[which], self.starts[which]
        found = np.empty(len(x))

        def fill(rows: slice) -> None:
            given, prior = self.given(which, x[rows])
            integrals = _log_integrals(given, prior, start, nodes).sum(axis=1)
            found[rows] = surface.shared(prior.overdispersion) + integrals

        per_point = len(surface.authority) * nodes[1] * (nodes[0] if self.varying else 1)
        if isinstance(surface, OwnAtPoints):
            per_point = max(per_point, surface.point_size // _READ_ONCE)
        by_threads(fill, slices(len(x), per_point))
        return found


def _log_integrals(given: Given, prior: LinePrior, start: Start, nodes: Nodes) -> FloatArray:
    """Log of each authority's integral, (n, j)."""
    at = placed(given, prior, start)
    if nodes[1] == 1 and (there := at.by_slope(nodes[0])) is not None:
        return _log_sum(there.values, there.log_weight) + np.log(there.spacing)
    grid = at.grid(nodes)
    return _log_sum(integrand(given, prior, grid), grid.log_weight)


def _log_sum(values: FloatArray, log_weight: FloatArray) -> FloatArray:
    """Log of the weighted sum of exponentials over nodes (a[, b], n, j), in place."""
    result: FloatArray
    nodes = tuple(range(values.ndim - 2))
    if log_weight.size == 1:
        values += log_weight
        result = values.sum(axis=nodes)
        return result
    highest = values.max(axis=nodes)
    values -= highest
    np.exp(values, out=values)
    values *= np.exp(log_weight)
    result = np.log(values.sum(axis=nodes))
    result += highest
    return result
