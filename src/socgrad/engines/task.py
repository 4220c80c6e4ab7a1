"""What is to be sampled and how, as one value; and what an engine gives back."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import xarray as xr

from socgrad.model.gradient_model import GradientModel
from socgrad.model.needs import needs_of
from socgrad.model.outcome_model import OutcomeModel
from socgrad.model.stratified_model import StratifiedModel
from socgrad.nuts.options import NutsOptions

__all__ = ["Drawn", "Task"]


@dataclass(frozen=True, eq=False)
class Task:
    """One posterior to draw from.

    Attributes
    ----------
    models : tuple of GradientModel
        One, or those of strata that are sampled together.
    data : tuple of xarray.Dataset
        Their likelihood data.
    options : NutsOptions
        How to sample: of engines without chains, how many draws in which form.
    strata : StratifiedModel or None
        Where several are sampled together.
    outcome : OutcomeModel or None
        Beside the gradients.
    """

    models: tuple[GradientModel, ...]
    data: tuple[xr.Dataset, ...]
    options: NutsOptions
    strata: StratifiedModel | None = None
    outcome: OutcomeModel | None = None

    @property
    def needs(self) -> frozenset[str]:
        """All that an engine has to take: terms and laws by name, and how strata hang together."""
        return needs_of(self.models, self.strata, has_outcome=self.outcome is not None)


@dataclass(frozen=True, eq=False)
class Drawn:
    """Draws, and what is to be recorded of them.

    Attributes
    ----------
    posterior, sample_stats : xarray.Dataset
        Dims (chain, draw[, ...]), of joint strata with dim stratum.
    sampler : mapping
        Name and options, as JSON can hold them.
    packages : tuple of str
        Distributions whose versions matter.
    vouched : mapping
        Numbers that vouch for the draws, for the tree's attrs.
    doubt : str
        What speaks against the draws, in words; empty when nothing does.
    shared_by : frozenset of str
        Engines that would have the same doubt.
    """

    posterior: xr.Dataset
    sample_stats: xr.Dataset
    sampler: Mapping[str, object]
    packages: tuple[str, ...]
    vouched: Mapping[str, object] = field(default_factory=dict)
    doubt: str = ""
    shared_by: frozenset[str] = frozenset()
