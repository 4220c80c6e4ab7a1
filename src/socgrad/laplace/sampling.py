"""Draws of the posterior by quadrature, and the proof that they are right.

The shared parameters (hyperparameters and coefficients) are few; their marginal posterior,
authorities integrated out by quadrature, is known point by point. Draws from a proposal that fits
it closely are weighted to be exact, and each authority's effects are drawn given the shared
parameters.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
import xarray as xr

from socgrad.arrays import FloatArray
from socgrad.laplace.chosen_nodes import chosen_nodes, error_of_nodes, first_nodes
from socgrad.laplace.coordinates import factor_name
from socgrad.laplace.effects import draw_effects
from socgrad.laplace.importance import Weights, effective_size, resampled, smoothed
from socgrad.laplace.marginal import Marginal
from socgrad.laplace.nodes import Nodes
from socgrad.laplace.predictors import joined
from socgrad.laplace.preparation import Prepared, prepared, tabulated_at
from socgrad.laplace.proposal import Proposal
from socgrad.model.gradient_model import GradientModel

__all__ = ["LaplaceDraws", "sample_laplace"]

# Draws of each round that fits the proposal, and the share of them that is good enough.
_ROUND = 1000
_ROUNDS = 6
_EFFICIENT = 0.75
# Draws that a proposal is fitted to where it would take `_TOO_MANY` of them.
_MORE, _TOO_MANY = 5000, 15_000
# Effective draws wanted for each one kept: ties are then rare. Of overdispersed counts, whose
# densities take three times as long, they are few.
_SPARE, _SPARE_OVERDISPERSED = 1.5, 1.0
_MOST = 12.0
# Times that a proposal whose weights have too heavy a tail is fitted to all its draws.
_AGAIN = 2
# Error of the log-density, between draws, that leaves means and limits where they are.
_SMALL = 5e-3
# The same among the draws beyond which nodes are chosen once more.
_TOO_FEW = 0.02
_CHECKED, _TABULATED, _TABLES = 40, 24, 3
# Beyond these the draws are not to be reported: Vehtari et al. 2024 for the tail.
_WORST_TAIL = 0.7
_LEAST_SHARE = 0.25
_WORST_ERROR = 0.1
# That of nodes beyond which it is no use to go on.
_HOPELESS = 1.0


@dataclass(frozen=True, eq=False)
class LaplaceDraws:
    """Draws, dims (chain, draw[, authority]), and the numbers that vouch for them.

    Attributes
    ----------
    posterior, sample_stats : xarray.Dataset
    pareto_k : float
        Shape of the tail of the importance weights; below 0.7 they describe the posterior.
    importance_ess : float
        Independent draws that would say as much about the shared parameters.
    proposal_efficiency : float
        Effective draws per draw of the proposal.
    quadrature_error : float
        Largest error of the log marginal density among posterior draws; of an authority's
        likelihood, where what totals say of hidden counts is tabulated.
    nodes : int
        Quadrature nodes per effect, where they are most.
    """

    posterior: xr.Dataset
    sample_stats: xr.Dataset
    pareto_k: float
    importance_ess: float
    proposal_efficiency: float
    quadrature_error: float
    nodes: int

    @property
    def doubt(self) -> str:
        """What speaks against these draws, in words; empty when nothing does."""
        doubts = {
            f"the importance weights have a heavy tail (k-hat {self.pareto_k:.2f}, above "
            f"{_WORST_TAIL})": self.pareto_k > _WORST_TAIL,
            f"only {self.importance_ess:,.0f} of {self.posterior['intercept'].size:,} draws are "
            "effective": self.importance_ess < _LEAST_SHARE * self.posterior["intercept"].size,
            f"the quadrature is off by {self.quadrature_error:.2g} in log density, above "
            f"{_WORST_ERROR}": self.quadrature_error > _WORST_ERROR,
        }
        return "; ".join(text for text, holds in doubts.items() if holds)


def sample_laplace(
    model: GradientModel, data: xr.Dataset, *, draws: int, chains: int, random_seed: int
) -> LaplaceDraws:
    """Draw from the posterior.

    Parameters
    ----------
    model : GradientModel
        The specification.
    data : xarray.Dataset
        Its `socgrad.model.compression.likelihood_data`.
    draws, chains : int
        Draws per chain, and chains. The draws are independent; chains only give the tree its form.
    random_seed : int
        Seed of everything random.
    """
    rng = np.random.default_rng(random_seed)
    ready = prepared(model, data)
    kept = draws * chains

    fitted = _drawn(_fitted_to_more(_fitted(ready, rng), kept, rng), kept, rng)
    for _ in range(_AGAIN):
        # Where the likelihood itself is in doubt, more draws of it are wasted.
        if fitted.is_hopeless or not fitted.weights.pareto_k > _WORST_TAIL:
            break
        # So many draws tell more of the tails than the rounds knew that fitted the proposal.
        again = _drawn(fitted.again(rng), kept, rng)
        if not again.weights.pareto_k < fitted.weights.pareto_k:
            break
        fitted = again
    fitted, error = _with_enough_nodes(fitted)
    marginal, proposal, nodes = fitted.marginal, fitted.proposal, fitted.nodes
    x, log_ratio, weights = fitted.x, fitted.log_ratio, fitted.weights

    positions = resampled(weights.weight, kept, rng)
    points = x[positions]
    level_effect, slope_effect = draw_effects(marginal, points, rng)
    drawn = marginal.coordinates.parameters(points)
    if "overdispersion" in drawn:
        drawn[str(factor_name(model))] = drawn.pop("overdispersion")
    values = joined(drawn)
    values["level_effect"] = ("authority", level_effect)
    if marginal.varying:
        values["slope_effect"] = ("authority", slope_effect)
    dims = ("chain", "draw")
    shape = (chains, draws)
    coords = {"chain": np.arange(chains), "draw": np.arange(draws)}
    posterior = xr.Dataset(
        {
            name: ((*dims, last) if last else dims, value.reshape(*shape, *value.shape[1:]))
            for name, (last, value) in values.items()
        },
        coords=coords,
    )
    log_density = log_ratio + proposal.log_density(x)
    sample_stats = xr.Dataset(
        {
            "logp": (dims, log_density[positions].reshape(shape)),
            "log_weight": (dims, log_ratio[positions].reshape(shape)),
        },
        coords=coords,
    )
    return LaplaceDraws(
        posterior,
        sample_stats,
        pareto_k=weights.pareto_k,
        importance_ess=effective_size(np.bincount(positions).astype(np.float64)),
        proposal_efficiency=weights.effective_size / len(x),
        # What totals say of hidden counts is tabulated, too.
        quadrature_error=error + fitted.table_error + data.attrs.get("constraint_error", 0.0),
        nodes=max(max(each) for each in nodes),
    )


@dataclass(frozen=True, eq=False)
class _Fitted:
    """A proposal that has proved efficient, its draws and their log ratios to the target."""

    marginal: Marginal
    proposal: Proposal
    x: FloatArray
    log_ratio: FloatArray
    nodes: tuple[Nodes, ...]
    table_error: float
    node_error: float

    @property
    def is_hopeless(self) -> bool:
        """Whether the log-density is off by more than better draws could mend.

        That of nodes is measured at early draws, which may lie far out: only a large one counts.
        """
        return self.table_error > _WORST_ERROR or self.node_error > _HOPELESS

    @cached_property
    def weights(self) -> Weights:
        return smoothed(self.log_ratio)

    @property
    def efficiency(self) -> float:
        return self.weights.effective_size / len(self.x)

    def wanted(self, kept: int) -> float:
        """Effective draws that so many kept call for."""
        is_overdispersed = "overdispersion" in self.marginal.coordinates.names
        return kept * (_SPARE_OVERDISPERSED if is_overdispersed else _SPARE)

    def with_proposal(self, proposal: Proposal, x: FloatArray) -> Self:
        """The same with draws of another proposal."""
        log_ratio = self.marginal.log_density(x, nodes=self.nodes) - proposal.log_density(x)
        return replace(self, proposal=proposal, x=x, log_ratio=log_ratio)

    def again(self, rng: np.random.Generator) -> Self:
        """The same with a proposal fitted to all draws that there are."""
        proposal = self.proposal.fitted(self.x, self.weights.weight)
        return self.with_proposal(proposal, proposal.draw(_ROUND, rng))


def _fitted_to_more(fitted: _Fitted, kept: int, rng: np.random.Generator) -> _Fitted:
    """The same with a proposal fitted to more draws, where so many are to be made that it pays."""
    if fitted.is_hopeless or fitted.wanted(kept) < _TOO_MANY * fitted.efficiency:
        return fitted
    more = fitted.with_proposal(fitted.proposal, fitted.proposal.draw(_MORE, rng)).again(rng)
    return more if more.efficiency > fitted.efficiency else fitted


def _drawn(fitted: _Fitted, kept: int, rng: np.random.Generator) -> _Fitted:
    """The same with as many draws as those kept call for."""
    wanted = 0.0 if fitted.is_hopeless else fitted.wanted(kept)
    while fitted.weights.effective_size < wanted and len(fitted.x) < _MOST * kept:
        more = int(min(1.1 * wanted / fitted.efficiency, _MOST * kept)) - len(fitted.x)
        new = fitted.with_proposal(fitted.proposal, fitted.proposal.draw(max(more, _ROUND), rng))
        fitted = replace(
            fitted,
            x=np.concatenate([fitted.x, new.x]),
            log_ratio=np.concatenate([fitted.log_ratio, new.log_ratio]),
        )
    return fitted


def _with_enough_nodes(fitted: _Fitted) -> tuple[_Fitted, float]:
    """The same with nodes for where its draws lie, should those for the first ones be too few.

    And the error of the log density that is left there.
    """
    at = resampled(fitted.weights.weight, _CHECKED, np.random.default_rng(0))
    marginal, points = fitted.marginal, fitted.x[at]
    error = error_of_nodes(marginal, points, fitted.nodes)
    if fitted.is_hopeless or error < _TOO_FEW:
        return fitted, error
    nodes = tuple(
        (max(slopes, more_slopes), max(levels, more_levels))
        for (slopes, levels), (more_slopes, more_levels) in zip(
            fitted.nodes, chosen_nodes(marginal, points, small=_SMALL), strict=True
        )
    )
    more = replace(fitted, nodes=nodes).with_proposal(fitted.proposal, fitted.x)
    return more, error_of_nodes(marginal, points, nodes)


def _fitted(ready: Prepared, rng: np.random.Generator) -> _Fitted:
    """Draw, weigh and refit until the proposal is efficient."""
    marginal, proposal = ready.marginal, ready.proposal
    x = proposal.draw(_ROUND, rng)
    log_proposal = proposal.log_density(x)
    first = first_nodes(marginal)
    for _ in range(_TABLES):
        weights = smoothed(marginal.log_density(x, nodes=first) - log_proposal)
        drawn = x[resampled(weights.weight, _CHECKED, rng)]
        marginal, table_error = tabulated_at(marginal, drawn[:_TABULATED])
        # A table that was wrong far out made draws from there; the next one tells them so.
        if table_error < _SMALL:
            break
    nodes = chosen_nodes(marginal, drawn, small=_SMALL)
    node_error = error_of_nodes(marginal, drawn, nodes)
    best: _Fitted | None = None
    for _ in range(_ROUNDS):
        log_ratio = marginal.log_density(x, nodes=nodes) - log_proposal
        now = _Fitted(marginal, proposal, x, log_ratio, nodes, table_error, node_error)
        if best is not None and now.efficiency < 1.1 * best.efficiency:
            return now if now.efficiency > best.efficiency else best
        best = now
        if now.efficiency > _EFFICIENT or now.is_hopeless:
            return now
        proposal = proposal.fitted(x, smoothed(log_ratio).weight)
        x = proposal.draw(_ROUND, rng)
        log_proposal = proposal.log_density(x)
    return now
