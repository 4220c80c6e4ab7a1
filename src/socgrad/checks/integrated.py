"""Likelihoods of authorities with their own effects integrated out, draw by draw.

The effects are L z with z standard normal, so that a vanishing standard deviation does no harm. The
integrand is centred at its mode and scaled by its curvature, and integrated by Gauss and Hermite's
rule (adaptive quadrature: Liu & Pierce 1994, Biometrika 81(3), doi 10.1093/biomet/81.3.624).
"""

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from socgrad.checks.authority_likelihoods import authority_likelihoods
from socgrad.checks.counts import FittedCounts, Population
from socgrad.checks.likelihood_forms import AuthorityLikelihood
from socgrad.reading.geography import Geography

__all__ = ["Integrated", "integrated_likelihoods"]

type Floats = npt.NDArray[np.float64]

_NODES = (5, 9, 15, 25, 41)
#: Draws on which the number of nodes is chosen, and by how much more may move the log: what still
#: more would add leaves the error below twice that.
_TRIED = 20
_SMALL = 5e-4
_STEPS = 30
# Levels and areas of one block of draws: a few arrays of 8 MB.
_BLOCK = 1_000_000


@dataclass(frozen=True, eq=False)
class Integrated:
    """Log-likelihoods (draws, authorities) of the authorities at `authority`, in dim authority.

    `events` and `areas` are those of each; `error` is the largest error of the quadrature found.
    """

    authority: npt.NDArray[np.int64]
    events: Floats
    areas: npt.NDArray[np.int64]
    log_likelihood: Floats
    error: float


def integrated_likelihoods(
    counts: FittedCounts, population: Population, land: Geography
) -> Integrated:
    """Integrate every authority's likelihood over its own effects, given each draw of the rest.

    Parameters
    ----------
    counts, population, land
        Of one fit.
    """
    found = sorted(authority_likelihoods(counts, population, land), key=lambda pair: pair[0])
    columns, errors = [], []
    for j, likelihood in found:
        tried = np.linspace(0, len(population.level) - 1, _TRIED).astype(int)
        trial = _Centred.of(likelihood, population, j, tried)
        nodes, error = _chosen_nodes(trial)
        errors.append(error)
        size = max(1, _BLOCK // (likelihood.areas * nodes))
        draws = np.arange(len(population.level))
        blocks = [draws[first : first + size] for first in range(0, len(draws), size)]
        columns.append(
            np.concatenate(
                [_Centred.of(likelihood, population, j, rows).integral(nodes) for rows in blocks]
            )
        )
    return Integrated(
        np.array([j for j, _ in found]),
        np.array([one.events for _, one in found]),
        np.array([one.areas for _, one in found]),
        np.stack(columns, axis=1),
        max(errors),
    )


def _chosen_nodes(trial: "_Centred") -> tuple[int, float]:
    """Fewest nodes per effect whose integral more nodes hardly change, and that change."""
    value = trial.integral(_NODES[0])
    for nodes, more in itertools.pairwise(_NODES):
        finer = trial.integral(more)
        error = float(np.abs(finer - value).max())
        if error < _SMALL:
            return nodes, error
        value = finer
    return _NODES[-1], error


@dataclass(frozen=True, eq=False)
class _Centred:
    """One authority's integrand in some draws, with its mode and scale in the z of its effects."""

    likelihood: AuthorityLikelihood
    level: Floats
    slope: Floats
    factor: tuple[Floats, Floats, Floats]
    overdispersion: Floats
    mode: Floats
    scale: tuple[Floats, Floats, Floats]

    @staticmethod
    def of(
        likelihood: AuthorityLikelihood,
        population: Population,
        position: int,
        rows: npt.NDArray[np.int64],
    ) -> "_Centred":
        """Centre the integrand by Newton's method, with steps halved until they help."""
        likelihood = likelihood.at(rows)
        level, slope = population.level[rows, position], population.slope[rows, position]
        a, b, c = (part[rows] for part in population.factor)
        spread = population.spread[rows]

        def height(z: Floats) -> Floats:
            u, v = level + a * z[0], slope + b * z[0] + c * z[1]
            return likelihood.log_likelihood(u, v, spread) - 0.5 * (z**2).sum(axis=0)

        z = np.zeros((2, len(rows)))
        now = height(z)
        for _ in range(_STEPS):
            gradient, (i0, i1, i2) = likelihood.moments(
                level + a * z[0], slope + b * z[0] + c * z[1], spread
            )
            g0 = a * gradient[0] + b * gradient[1] - z[0]
            g1 = c * gradient[1] - z[1]
            h00 = 1.0 + a * a * i0 + 2.0 * a * b * i1 + b * b * i2
            h01 = a * c * i1 + b * c * i2
            h11 = 1.0 + c * c * i2
            determinant = h00 * h11 - h01**2
            step = np.stack([h11 * g0 - h01 * g1, h00 * g1 - h01 * g0]) / determinant
            if np.abs(step).max() < 1e-4:
                break
            share = np.ones(len(rows))
            for _ in range(20):
                then = height(z + share * step)
                worse = ~(then >= now - 1e-9)
                if not worse.any():
                    break
                share[worse] /= 2.0
            z = z + share * step
            now = height(z)
        # Lower factor of the inverse of h: variance of z1 first, then of z0 given z1.
        s1 = np.sqrt(h00 / determinant)
        s0 = np.sqrt(1.0 / h00)
        tilt = -h01 / h00 * s1
        return _Centred(likelihood, level, slope, (a, b, c), spread, z, (s0, tilt, s1))

    def integral(self, nodes: int) -> Floats:
        """Log of the integral over z, for each draw, with so many nodes per effect."""
        a, b, c = self.factor
        s0, tilt, s1 = self.scale
        at, weight = np.polynomial.hermite.hermgauss(nodes)
        log_weight = np.log(weight) + at**2
        # Without random slopes there is one effect, and z1 integrates to one.
        varies = bool(c.any())
        at1, log_weight1 = (at, log_weight) if varies else (np.zeros(1), np.zeros(1))
        t0, t1 = np.sqrt(2.0) * at[:, None, None], np.sqrt(2.0) * at1[None, :, None]
        z1 = self.mode[1] + s1 * t1
        z0 = self.mode[0] + s0 * t0 + tilt * t1
        z1 = np.broadcast_to(z1, z0.shape)
        value = self.likelihood.log_likelihood(
            self.level + a * z0, self.slope + b * z0 + c * z1, self.overdispersion
        )
        value = value - 0.5 * z0**2 + log_weight[:, None, None] + np.log(s0)
        constant = -0.5 * np.log(np.pi)
        if varies:
            value = value - 0.5 * z1**2 + log_weight1[None, :, None] + np.log(s1)
            constant *= 2.0
        top = value.max(axis=(0, 1))
        result: Floats = top + np.log(np.exp(value - top).sum(axis=(0, 1))) + constant
        return result
