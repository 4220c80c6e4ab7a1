"""The options of NUTS, as one value: made by `fit`, used by the sampler, kept in the manifest."""

from dataclasses import dataclass, replace

__all__ = ["NutsOptions"]


@dataclass(frozen=True)
class NutsOptions:
    """How to sample.

    Attributes
    ----------
    draws, chains, cores : int
        Draws kept per chain, chains, and chains run at a time.
    tune : int or None
        Draws discarded before them; None: as many as the engine usually does.
    target_accept : float or None
        Mean acceptance probability that the step size aims at, between 0 and 1; None: as above.
    random_seed : int
        Seed of the sampler.
    progress : bool
        Whether to show nutpie's progress bar, where a terminal or a notebook can.
    """

    draws: int
    tune: int | None
    chains: int
    cores: int
    target_accept: float | None
    random_seed: int
    progress: bool

    def usually(self, *, tune: int, target_accept: float) -> "NutsOptions":
        """The same, with what an engine usually does where nothing was asked."""
        return replace(
            self,
            tune=tune if self.tune is None else self.tune,
            target_accept=target_accept if self.target_accept is None else self.target_accept,
        )
