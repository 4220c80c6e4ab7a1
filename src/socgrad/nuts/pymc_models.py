"""The PyMC model of any specification, to look at or to extend."""

from socgrad.errors import SpecificationError
from socgrad.model.arguments import check_is_model
from socgrad.model.gradient_model import GradientModel
from socgrad.model.needs import needs_of
from socgrad.model.outcome_model import OutcomeModel
from socgrad.model.stratified_model import StratifiedModel
from socgrad.nuts.graph import gradient_graph
from socgrad.nuts.outcome_graph import outcome_graph
from socgrad.nuts.pymc_quietly import pm
from socgrad.nuts.takes import GRAPH_TAKES

__all__ = ["pymc_model"]


def pymc_model(model: GradientModel | StratifiedModel | OutcomeModel) -> pm.Model:
    """Build the PyMC model of a specification.

    Parameters
    ----------
    model : GradientModel, StratifiedModel or OutcomeModel
        The specification; of strata those with ``authority_effects="joint"``.

    Returns
    -------
    pymc.Model
        Free variables named as in `socgrad.schema.PARAMETERS`, authority effects as deterministics
        `level_effect` and `slope_effect` (dim authority), counts as `events` (dim counted_area) and
        `total_events` (dim total_authority). Sampled with `pymc.sample`, it gives a tree that every
        summary accepts. Counts that are known within bounds are a potential, `hidden_events`. Terms
        may be added inside ``with pymc_model(model):``.

        Of strata, variables have dim stratum; `level_correlation`, `slope_correlation` and
        `level_slope_correlation`, dims (stratum, stratum_bis), are those of levels with levels,
        slopes with slopes, and levels (stratum) with slopes (stratum_bis); `correlation`, dim
        stratum, is the diagonal of the last. Counts of all strata, one stratum after the other, are
        `events` and `total_events`. Of an outcome, the variables of `socgrad.schema.OUTCOME` are
        there too, in the outcome's own unit.

    Raises
    ------
    SpecificationError
        If there is no graph in PyMC of something that the model has, which is named: independent
        strata are a model each; drift over years, national coefficients tied over them, totals that
        are known within bounds only, and localities beside overdispersion or beside counts within
        bounds are fitted without one.

    Notes
    -----
    The free variables behind the authority effects, `level_raw` and `slope_raw`, are the effects
    standardised by their approximate conditional posteriors, given the authority's own events.
    Their joint distribution is the model's in any case; the choice decides how well the posterior
    is sampled, for common and for very rare events. It goes further than centring by a fixed share
    (Papaspiliopoulos, Roberts & Sköld 2007, Statistical Science 22(1), doi
    10.1214/088342307000000014), because the share follows the standard deviations as they vary.

    Of strata, the free variables `coefficients_raw`, `covariance_raw` and `effects_raw` are
    coefficients, standard deviations with correlations, and effects, on scales on which their
    posterior is about normal. Of two factors, standard deviations are `spreads_raw`, and the
    loadings stand beside them.
    """
    check_is_model(model, (GradientModel, StratifiedModel, OutcomeModel))
    if isinstance(model, StratifiedModel) and model.authority_effects == "independent":
        raise SpecificationError(
            "authority_effects='independent' has no graph of all strata: each stratum is a model "
            "of its own, socgrad.pymc_model(model.models[label])."
        )
    if isinstance(model, OutcomeModel):
        _check_taken(needs_of([model.gradient_model]))
        return outcome_graph(model)
    if isinstance(model, StratifiedModel):
        _check_taken(needs_of(list(model.models.values()), model))
    else:
        _check_taken(needs_of([model]))
    return gradient_graph(model)


def _check_taken(needs: frozenset[str]) -> None:
    """Refuse a model of which the graph would leave something out in silence."""
    if missing := sorted(needs - GRAPH_TAKES):
        raise SpecificationError(
            f"This model has {' and '.join(missing)}, for which there is no graph in PyMC: one "
            "would leave them out, which biases what it estimates. socgrad.fit(model) fits the "
            "model without a graph."
        )
