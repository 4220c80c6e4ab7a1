"""What is to be sampled and how, as one value; and what an engine gives back."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import xarray as xr

from socgrad.model.gradient_model import GradientModel
from socgrad.model.laws import laws_of
from socgrad.model.outcome_model import OutcomeModel
from socgrad.model.stratified_model import StratifiedModel
from socgrad.model.terms import model_terms
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
        found = {name for model in self.models for name in model_terms(model)}
        found |= {law for model in self.models for law in laws_of(model)}
        found.add("no outcome" if self.outcome is None else "outcome")
        if not self.models[0].random_levels:
            found.add("no levels of authorities")
        if not self.models[0].random_slopes:
            found.add("no slopes of authorities")
        if self.strata is None:
            found.add("one stratum")
        else:
            found |= {"joint strata", f"{self.strata.correlations} correlations"}
            if (years := self.strata.over_years) is not None:
                found |= {"places that change by year"}
                found |= {"drift over years"} if years.drift is not None else set()
                found |= {"national coefficients tied over years"} if years.national else set()
        return frozenset(found)


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
