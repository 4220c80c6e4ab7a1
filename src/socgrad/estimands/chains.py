"""Chains: stages fitted each on the one before, and what they say of the population.

A child at the last stage has come through all stages before it, so the rate of the last stage among
all children is the rate of the first times the share that goes on at each later one. Gradients
multiply as rates do.
"""

from collections.abc import Hashable, Sequence
from typing import Final, Literal

import numpy as np
import xarray as xr

from socgrad.errors import EstimandError
from socgrad.estimands.curves import points
from socgrad.estimands.gradients import gradient
from socgrad.reading.arguments import check_choice
from socgrad.reading.by_stratum import strata_facts, stratum_labels
from socgrad.reading.labels import label_draws

__all__ = ["gradient_by_step", "population_gradient"]

_TARGETS: Final = ("average", "each")


def population_gradient(
    fit: xr.DataTree,
    *,
    target: Literal["average", "each"] = "average",
    authority_mean: float | Sequence[float] | None = None,
    per: float | None = None,
) -> xr.DataArray:
    """Compute the gradient of each stage among all children, from a chain of stages.

    Parameters
    ----------
    fit
        From `socgrad.fit` on a `StratifiedModel` whose strata are a chain:
        ``Strata.from_stages(..., exposure="previous stage")``.
    target, authority_mean, per
        As in `socgrad.gradient`; a "new" authority is left out: see Notes.

    Returns
    -------
    xarray.DataArray
        Dims chain, draw, stratum, [authority or authority_mean]. Attrs estimand, units, per,
        reference, null (1).

    Raises
    ------
    EstimandError
        If the strata of `fit` are no chain, or `target` is neither "average" nor "each".
    SchemaError
        If `fit` is not a socgrad fit.

    Notes
    -----
    In each draw, with the conditional gradients of the chain::

        population gradient of stage s = gradient_1 * gradient_2 * ... * gradient_s

    This is so by construction at given authority effects (each authority with its own) and at
    effects of 0 (the average authority), because every stage has the same within and between parts.
    It is not so for an authority that was not observed, over whose effects one integrates; nor
    where what the model leaves out of a neighbourhood acts on several stages at once. A separate
    fit of the stage on children gives about the same number, not exactly.

    Interpretation
    --------------
    1.9 at the stage of plans means that in one and the same authority a neighbourhood ten points
    more deprived than another has 90% more plans per child, after all stages that lead there.

    References
    ----------
    Bell, Fairbrother & Jones 2019, Quality & Quantity 53, https://doi.org/10.1007/s11135-018-0802-x.

    Examples
    --------
    >>> from socgrad.estimands.chains import population_gradient
    >>> from socgrad.reading.example import example_fit_of_stages
    >>> chain = example_fit_of_stages(chained=True)
    >>> population_gradient(chain).median(("chain", "draw")).round(2).values.tolist()
    [1.73, 1.83, 2.0]
    """
    steps, per_words = _steps(fit, target=target, authority_mean=authority_mean, per=per)
    return _whole(steps, per_words, stratum_labels(fit)[0])


def gradient_by_step(
    fit: xr.DataTree,
    *,
    target: Literal["average", "each"] = "average",
    authority_mean: float | Sequence[float] | None = None,
    per: float | None = None,
) -> xr.Dataset:
    """Say where along the stages the gradient is added.

    Parameters
    ----------
    fit
        From `socgrad.fit` on a `StratifiedModel` whose strata are a chain.
    target, authority_mean, per
        As in `population_gradient`.

    Returns
    -------
    xarray.Dataset
        Dims chain, draw, stratum, [authority or authority_mean]: `step_gradient`, what each step
        multiplies the gradient by (the first is that of the first stage itself);
        `population_gradient`, the product so far; `share_of_gradient`, the step's share of the log
        gradient of the last stage. Attrs estimand, units, per, reference, null.
        ``summarise(gradient_by_step(fit))`` is the table.

    Raises
    ------
    EstimandError
        As `population_gradient`.
    SchemaError
        If `fit` is not a socgrad fit.

    Notes
    -----
    ::

        share_s = log(step_gradient_s) / log(population_gradient of the last stage)

    Shares add up to 1 in each draw. A step that flattens the gradient has a share below 0, and
    others then more than 1 together. The share is a ratio: where the gradient of the last stage may
    be 1 it has no mean, and its interval is very wide. Read it only where that gradient is clear.

    Interpretation
    --------------
    Shares of 0.8, 0.1 and 0.1 mean that four fifths of the inequality at the last stage is there at
    the first, in who comes to the service's attention; each later decision adds a tenth. It says
    where inequality is added, not who or what adds it: need known only to the professionals may
    differ between neighbourhoods at each stage.

    References
    ----------
    Bywaters, Brady, Sparks & Bos 2016, Child & Family Social Work 21(3),
    https://doi.org/10.1111/cfs.12154.

    Examples
    --------
    >>> from socgrad.estimands.chains import gradient_by_step
    >>> from socgrad.reading.example import example_fit_of_stages
    >>> from socgrad.tables.summaries import summarise
    >>> table = summarise(gradient_by_step(example_fit_of_stages(chained=True)))
    >>> table.loc["share_of_gradient", "estimate"].round(2).tolist()
    [0.8, 0.07, 0.13]
    """
    steps, per_words = _steps(fit, target=target, authority_mean=authority_mean, per=per)
    first, *_, last = stratum_labels(fit)
    logs: xr.DataArray = xr.apply_ufunc(np.log, steps)
    return xr.Dataset(
        {
            "step_gradient": _labelled(
                steps,
                steps,
                estimand="step_gradient",
                units=f"rate ratio per {per_words} of neighbourhood deprivation, of the step",
                reference=f"the less deprived neighbourhood, among those of the stage before; of "
                f"{first}, among all",
                null=1.0,
            ),
            "population_gradient": _whole(steps, per_words, first),
            "share_of_gradient": _labelled(
                logs / logs.sum("stratum"),
                steps,
                estimand="share_of_gradient",
                units=f"share of the log gradient at {last}",
                reference=f"the gradient at {last} as a whole",
                null=0.0,
            ),
        }
    )


def _whole(steps: xr.DataArray, per_words: str, first: Hashable) -> xr.DataArray:
    """Product of the steps so far."""
    whole = steps.copy(data=np.cumprod(steps.to_numpy(), axis=steps.get_axis_num("stratum")))
    return _labelled(
        whole,
        steps,
        estimand="population_gradient",
        units=f"rate ratio per {per_words} of neighbourhood deprivation, in the whole population",
        reference=f"the less deprived neighbourhood; product of the steps from {first} on",
        null=1.0,
    )


def _steps(
    fit: xr.DataTree,
    *,
    target: str,
    authority_mean: float | Sequence[float] | None,
    per: float | None,
) -> tuple[xr.DataArray, str]:
    """Conditional gradients of the chain, and the step of deprivation in words."""
    check_choice("target", target, _TARGETS)
    labels = stratum_labels(fit)
    found = f"the strata of this fit are {strata_facts(fit).relation}" if labels else ""
    if not found.endswith("chain"):
        raise EstimandError(
            "This is defined for a chain of stages, each on the one before, and "
            f"{found or 'this fit has no strata'}. Make the table with Strata.from_stages(..., "
            'exposure="previous stage") and fit that; or compare separate fits with '
            "socgrad.compare_gradients."
        )
    steps = gradient(
        fit,
        target="each" if target == "each" else "average",
        authority_mean=authority_mean,
        per=per,
    )
    return steps, points(steps.attrs["per"])


def _labelled(
    draws: xr.DataArray,
    steps: xr.DataArray,
    *,
    estimand: str,
    units: str,
    reference: str,
    null: float,
) -> xr.DataArray:
    """Label draws made of all steps, as effective as the least of them."""
    bare = draws.drop_vars(["units", "reference", "importance_ess"], errors="ignore").drop_attrs()
    if "importance_ess" in steps.attrs:
        bare.attrs["importance_ess"] = steps.attrs["importance_ess"]
    made = label_draws(bare, estimand=estimand, units=units, reference=reference, null=null)
    made.attrs["per"] = steps.attrs["per"]
    return made
