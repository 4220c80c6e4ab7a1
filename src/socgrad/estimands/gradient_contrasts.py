"""Contrasts of gradients between strata: steeper at one stage, age or need than at another."""

from collections.abc import Hashable, Sequence
from typing import Literal

import numpy as np
import xarray as xr

from socgrad.errors import EstimandError
from socgrad.estimands.chains import population_gradient
from socgrad.estimands.curves import points
from socgrad.estimands.gradients import gradient
from socgrad.estimands.paired import RESTS_ON, against, pairs_of
from socgrad.reading.arguments import check_choice
from socgrad.reading.by_stratum import StrataFacts, strata_facts, stratum_labels
from socgrad.reading.labels import label_draws

__all__ = ["compare_gradients"]


def compare_gradients(
    fit: xr.DataTree,
    *,
    over: Literal["reference", "previous"] = "reference",
    reference: Hashable | None = None,
    target: Literal["average", "each"] = "average",
    authority_mean: float | Sequence[float] | None = None,
    per: float | None = None,
) -> xr.DataArray:
    """Compute ratios of gradients: each stratum's over that of a reference, or of the one before.

    Parameters
    ----------
    fit
        From `socgrad.fit` on a `StratifiedModel`.
    over
        "reference": every other stratum over one; "previous": every stratum but the first over the
        one before it in the order of the strata, as from stage to stage.
    reference
        Label of the reference; by default the first stratum. Not with "previous".
    target, authority_mean, per
        As in `socgrad.gradient`: of the average authority, or each authority's own.

    Returns
    -------
    xarray.DataArray
        Dims chain, draw, stratum (those compared), [authority or authority_mean]. Attrs estimand,
        units, per, reference, null (1), basis ("joint", "independent" or "chain") and conservative
        (1 where the intervals are known to be too wide, else 0). `summarise` gives Pr(steeper) as
        `pr_above`.

    Raises
    ------
    EstimandError
        If `fit` has no strata, `reference` is none of them or is given with "previous", or an
        option is unknown; otherwise as `gradient`.
    SchemaError
        If `fit` is not a socgrad fit, or does not say what its strata are.

    Notes
    -----
    ::

        ratio_s = gradient_s / gradient_reference

    Of a chain, gradients are those of the population (`population_gradient`), so that stage over
    previous stage is the conditional gradient itself.

    Three things make two gradients of one table go together: the same authorities are steep at
    both; the same children are counted in both (stages are nested); what is left out of the model
    acts on both. Independent fits know of none, and give their ratio an interval that is too wide.
    A joint fit knows of the first. The chain knows of the first two, for stages.
    In a simulation where six in ten go on to the next stage, independent fits reported 5.8 times
    the standard deviation that the log ratio really had, the chain 1.2 times
    (``benchmarks/nested_contrasts.py``, ``docs/results/nested_contrasts.csv``).

    Interpretation
    --------------
    1.10 means that the gradient is a tenth steeper than at the reference: 1.98 after 1.80. Below 1
    it is flatter. An interval labelled conservative that leaves 1 out does so all the more; one
    that holds 1 has not shown that the gradients are alike.

    References
    ----------
    Gelman & Stern 2006, The American Statistician 60(4), https://doi.org/10.1198/000313006X152649
    (the difference of two estimates has an interval of its own).

    Examples
    --------
    >>> from socgrad.estimands.gradient_contrasts import compare_gradients
    >>> from socgrad.reading.example import example_fit_of_stages
    >>> ratio = compare_gradients(example_fit_of_stages())
    >>> ratio.median(("chain", "draw")).round(2).to_series().to_dict()
    {'assessment': 1.05, 'plan': 1.15}
    >>> ratio.attrs["basis"], ratio.attrs["conservative"]
    ('joint', 1)
    """
    check_choice("over", over, ("reference", "previous"))
    check_choice("target", target, ("average", "each"))
    labels = stratum_labels(fit)
    if not labels:
        raise EstimandError(
            "compare_gradients needs a fit of several strata, and this one has none. Fit a "
            "StratifiedModel; within one fit, compare authorities with gradient(target='each')."
        )
    pairs = pairs_of(labels, over=over, reference=reference, along="stratum")
    facts = strata_facts(fit)
    if facts.relation == "years":
        raise EstimandError(
            f"The strata of this fit are {len(labels)} years. Compare them by "
            "socgrad.years.change(socgrad.gradient(fit), start=..., end=...)."
        )
    own = (population_gradient if facts.relation == "chain" else gradient)(
        fit, target=target, authority_mean=authority_mean, per=per
    )
    ratio = against(own, pairs, along="stratum", scale="ratio")
    basis = RESTS_ON[facts.relation, facts.authority_effects]
    made = label_draws(
        ratio,
        estimand="gradient_ratio",
        units=f"ratio of gradients (per {points(own.attrs['per'])} of neighbourhood deprivation)",
        reference=f"the gradient of {pairs[0][1]}, {basis}",
        null=1.0,
    )
    if over == "previous":
        words = [f"the gradient of {base}, {basis}" for _, base in pairs]
        made = made.assign_coords(reference=("stratum", np.array(words, dtype=object)))
        made.attrs["reference"] = f"the gradient of the stratum before, {basis}"
    made.attrs |= {"per": own.attrs["per"], "basis": _basis(facts), "conservative": _wide(facts)}
    return made


def _basis(facts: StrataFacts) -> str:
    return "chain" if facts.relation == "chain" else facts.authority_effects


def _wide(facts: StrataFacts) -> int:
    """Whether intervals are known to be too wide: all but groups of a joint fit."""
    return int((facts.relation, facts.authority_effects) != ("groups", "joint"))
