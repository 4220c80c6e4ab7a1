"""What a model needs of whatever samples it: its terms, its laws, and how strata hang together.

An engine, or a graph, is a list of what it takes, in these words.
"""

from collections.abc import Sequence
from typing import Final

from socgrad.model.gradient_model import GradientModel
from socgrad.model.laws import laws_of
from socgrad.model.stratified_model import StratifiedModel
from socgrad.model.terms import model_terms

__all__ = ["COARSENED", "COUNTS", "TERMS_OF_AUTHORITIES", "TOTALS", "needs_of"]

#: Terms of a level and a slope of each authority.
TERMS_OF_AUTHORITIES: Final = frozenset(
    {
        "intercept",
        "within",
        "pooled",
        "between",
        "curvature",
        "cross_level",
        "level_sd",
        "slope_sd",
        "correlation",
        "authority_covariate_coefficient",
        "moderator_coefficient",
    }
)
COUNTS: Final = frozenset({"poisson counts", "negative_binomial counts", "localities counts"})
COARSENED: Final = frozenset(
    {
        "poisson coarsened counts",
        "negative_binomial coarsened counts",
        "poisson coarsened totals",
    }
)
TOTALS: Final = frozenset({"poisson totals", "negative_binomial totals", "localities totals"})


def needs_of(
    models: Sequence[GradientModel],
    strata: StratifiedModel | None = None,
    *,
    has_outcome: bool = False,
) -> frozenset[str]:
    """Terms and laws by name, and how strata hang together.

    Parameters
    ----------
    models : sequence of GradientModel
        One, or those of strata that are sampled together.
    strata : StratifiedModel, optional
        Where several are sampled together.
    has_outcome : bool
        Whether authorities have an outcome beside the gradients.

    Examples
    --------
    >>> import socgrad as sg
    >>> from socgrad.model.needs import needs_of
    >>> frame = sg.simulate(authorities=8, areas=200, random_seed=1).frame
    >>> areas = sg.Areas.from_frame(frame, area="area", authority="authority", events="referral",
    ...                             children="children", deprivation="deprivation", complete=True)
    >>> needs = needs_of([sg.GradientModel(areas, random_slopes=False)])
    >>> sorted(needs & {"poisson counts", "slope_sd", "no slopes of authorities"})
    ['no slopes of authorities', 'poisson counts']
    """
    found = {name for model in models for name in model_terms(model)}
    found |= {law for model in models for law in laws_of(model)}
    found.add("outcome" if has_outcome else "no outcome")
    if not models[0].random_levels:
        found.add("no levels of authorities")
    if not models[0].random_slopes:
        found.add("no slopes of authorities")
    if strata is None:
        return frozenset(found | {"one stratum"})
    found |= {"joint strata", f"{strata.correlations} correlations"}
    if (years := strata.over_years) is not None:
        found |= {"places that change by year"}
        found |= {"drift over years"} if years.drift is not None else set()
        found |= {"national coefficients tied over years"} if years.national else set()
    return frozenset(found)
