"""The PyMC model of any specification, to look at or to extend."""

from socgrad.errors import SpecificationError
from socgrad.model.arguments import check_is_model
from socgrad.model.gradient_model import GradientModel
from socgrad.model.outcome_model import OutcomeModel
from socgrad.model.stratified_model import StratifiedModel
from socgrad.nuts.graph import gradient_graph
from socgrad.nuts.joint_graph import joint_graph
from socgrad.nuts.outcome_graph import outcome_graph
from socgrad.nuts.pymc_quietly import pm

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
        If strata or years have no graph in PyMC (independent strata are a model each, drift over
        years is fitted without one); if totals are known within bounds only (`Areas.from_frame`,
        ``totals_coarsening``), or counts of joint strata are.

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
    if isinstance(model, OutcomeModel):
        return outcome_graph(model)
    if isinstance(model, GradientModel):
        return gradient_graph(model)
    if model.authority_effects == "independent":
        raise SpecificationError(
            "authority_effects='independent' has no graph of all strata: each stratum is a model "
            "of its own, socgrad.pymc_model(model.models[label])."
        )
    if model.authority_effects != "joint" or model.national is not None:
        raise SpecificationError(
            "Authorities that drift over years, and national coefficients tied over them, have no "
            "graph in PyMC. socgrad.fit(model) fits them, and "
            "socgrad.pymc_model(model.models[year]) is the graph of one year."
        )
    return joint_graph(model)
