"""The options of NUTS, as one value: made by `fit`, used by the sampler, kept in the manifest."""

from dataclasses import dataclass

__all__ = ["NutsOptions"]


@dataclass(frozen=True)
class NutsOptions:
    """How to sample.

    Attributes
    ----------
    draws, tune, chains, cores : int
        Draws kept and discarded per chain, chains, and chains run at a time.
    target_accept : float
        Mean acceptance probability that the step size aims at, between 0 and 1.
    random_seed : int
        Seed of the sampler.
    progress : bool
        Whether to show nutpie's progress bar, where a terminal or a notebook can.
    """

    draws: int
    tune: int
    chains: int
    cores: int
    target_accept: float
    random_seed: int
    progress: bool
