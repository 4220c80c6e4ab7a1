"""Forms of an authority's likelihood whose counts, or total, are known within bounds."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from socgrad.checks.likelihood_forms import AuthorityLikelihood, Total
from socgrad.laws.constants_table import ConstantsTable
from socgrad.laws.kernels import Kernels

__all__ = ["BoundedCounts", "BoundedTotal", "ConstrainedCounts", "Together"]

type Floats = npt.NDArray[np.float64]
type Integers = npt.NDArray[np.int64]
type Moments = tuple[tuple[Floats, Floats], tuple[Floats, Floats, Floats]]


@dataclass(frozen=True, eq=False)
class BoundedCounts:
    """Counts within bounds, area by area; `events` is the least that they may be.

    Where areas lie off the line, `log_exposure` (draws, areas) holds what takes them off it, too.
    """

    events: float
    areas: int
    kernels: Kernels
    kernel: Integers
    within_part: Floats
    log_exposure: Floats

    def at(self, draws: Integers) -> "BoundedCounts":
        """The likelihood in these draws."""
        if self.log_exposure.ndim == 1:
            return self
        return replace(self, log_exposure=self.log_exposure[draws])

    def _terms(
        self, level: Floats, slope: Floats, overdispersion: Floats
    ) -> tuple[Floats, Floats, Floats]:
        from socgrad.laws.kernel_sums import kernel_values  # noqa: PLC0415 numba takes time

        eta = level[..., None] + slope[..., None] * self.within_part + self.log_exposure
        return kernel_values(self.kernels, self.kernel, eta, (overdispersion**2)[:, None])

    def log_likelihood(self, level: Floats, slope: Floats, overdispersion: Floats) -> Floats:
        """Log probability of what was published."""
        summed: Floats = self._terms(level, slope, overdispersion)[0].sum(axis=-1)
        return summed

    def moments(self, level: Floats, slope: Floats, overdispersion: Floats) -> Moments:
        """Gradient, and the observed information where it is positive."""
        _, first, second = self._terms(level, slope, overdispersion)
        w, information = self.within_part, np.maximum(-second, 0.0)
        return (
            (first.sum(axis=-1), first @ w),
            (information.sum(axis=-1), information @ w, information @ w**2),
        )


@dataclass(frozen=True, eq=False)
class ConstrainedCounts:
    """Poisson counts within bounds whose sum `events` is known; nodes of their exposure."""

    events: float
    areas: int
    node: Floats
    mass: Floats
    table: ConstantsTable

    def at(self, draws: Integers) -> "ConstrainedCounts":  # noqa: ARG002 of the protocol
        """The likelihood in these draws: the same in all."""
        return self

    def _sums(self, level: Floats, slope: Floats) -> tuple[Floats, Floats, Floats]:
        rate = np.exp(slope[..., None] * self.node)
        m0, m1, m2 = (np.exp(level) * (rate @ (self.mass * self.node**k)) for k in range(3))
        return m0, m1, m2

    def _constant(self, slope: Floats, derivative: int) -> Floats:
        found: Floats = self.table.values(slope[..., None], derivative)[..., 0]
        return found

    def log_likelihood(self, level: Floats, slope: Floats, overdispersion: Floats) -> Floats:  # noqa: ARG002 of the protocol
        """Log probability of the sum and of what was published."""
        return self.events * level + self._constant(slope, 0) - self._sums(level, slope)[0]

    def moments(
        self,
        level: Floats,
        slope: Floats,
        overdispersion: Floats,  # noqa: ARG002 of the protocol
    ) -> Moments:
        """Gradient, and the observed information where it is positive."""
        m0, m1, m2 = self._sums(level, slope)
        across = np.maximum(m2 - self._constant(slope, 2), m1**2 / m0)
        return (self.events - m0, self._constant(slope, 1) - m1), (m0, m1, across)


@dataclass(frozen=True, eq=False)
class Together:
    """Independent counts of one authority that have forms of their own."""

    parts: tuple[AuthorityLikelihood, ...]

    @property
    def events(self) -> float:
        """Events of the authority."""
        return sum(part.events for part in self.parts)

    @property
    def areas(self) -> int:
        """Areas that its counts are of."""
        return sum(part.areas for part in self.parts)

    def at(self, draws: Integers) -> "Together":
        """The likelihood in these draws."""
        return Together(tuple(part.at(draws) for part in self.parts))

    def log_likelihood(self, level: Floats, slope: Floats, overdispersion: Floats) -> Floats:
        """Log probability of all of them."""
        each = [part.log_likelihood(level, slope, overdispersion) for part in self.parts]
        return np.sum(each, axis=0)

    def moments(self, level: Floats, slope: Floats, overdispersion: Floats) -> Moments:
        """Gradient and information."""
        every = [part.moments(level, slope, overdispersion) for part in self.parts]
        gradient, information = zip(*every, strict=True)
        g = [np.sum(values, axis=0) for values in zip(*gradient, strict=True)]
        i = [np.sum(values, axis=0) for values in zip(*information, strict=True)]
        return (g[0], g[1]), (i[0], i[1], i[2])


@dataclass(frozen=True, eq=False)
class BoundedTotal:
    """A total within bounds; `total` is the form of the least that it may be."""

    total: Total
    kernels: Kernels
    kernel: Integers

    @property
    def events(self) -> float:
        """Least events of the authority."""
        return self.total.events

    @property
    def areas(self) -> int:
        """Areas of the authority."""
        return self.total.areas

    def at(self, draws: Integers) -> "BoundedTotal":
        """The likelihood in these draws."""
        return replace(self, total=self.total.at(draws))

    def _terms(
        self, level: Floats, slope: Floats, overdispersion: Floats
    ) -> tuple[Floats, Floats, Floats, Floats]:
        from socgrad.laws.kernel_sums import kernel_values  # noqa: PLC0415 numba takes time

        mean, variance, at = self.total.expected(level, slope, overdispersion)
        values = kernel_values(
            self.kernels, self.kernel, np.log(mean)[..., None], variance[..., None]
        )
        value, first, second = (each[..., 0] for each in values)
        return value, first, second, at

    def log_likelihood(self, level: Floats, slope: Floats, overdispersion: Floats) -> Floats:
        """Log probability of what was published of the total."""
        return self._terms(level, slope, overdispersion)[0]

    def moments(self, level: Floats, slope: Floats, overdispersion: Floats) -> Moments:
        """Gradient, and the observed information where it is positive."""
        _, first, second, at = self._terms(level, slope, overdispersion)
        weight = np.maximum(-second, 0.0)
        return (first, first * at), (weight, weight * at, weight * at**2)
