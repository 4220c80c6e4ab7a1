"""Any estimand compared between strata, groups of authorities or fits, draw by draw."""

from collections.abc import Hashable, Mapping
from typing import Final, Literal

import numpy as np
import xarray as xr

from socgrad.errors import EstimandError
from socgrad.estimands.paired import OVER, RESTS_ON, Scale, against, pairs_of, scale_of
from socgrad.reading.arguments import check_choice
from socgrad.reading.labels import are_labelled, label_draws

__all__ = ["compare"]

_OF_FITS: Final = (
    "as if fits were independent: of the same children or authorities the interval is too wide"
)
_OF_EACH: Final = ("units", "reference", "importance_ess")


def compare(
    draws: xr.DataArray | Mapping[str, xr.DataArray],
    *,
    dim: str | None = None,
    over: Literal["reference", "previous"] = "reference",
    reference: Hashable | None = None,
    scale: Scale | None = None,
) -> xr.DataArray:
    """Compare an estimand between strata, groups of authorities or fits, draw by draw.

    Parameters
    ----------
    draws
        What an estimand gives of a fit of several strata, or of groups of authorities: dims chain,
        draw, that of what is compared, then others. Or what it gives of several fits, by their
        names, each with as many chains and draws.
    dim
        Dim along which to compare. By default ``stratum`` if there is one, else the only one
        besides chain and draw; of several fits it is called ``fit``.
    over
        "reference": every other over one; "previous": every one but the first over the one before.
    reference
        Label of the reference; by default the first. Not with "previous".
    scale
        "ratio" or "difference"; by default a ratio of what is itself a ratio (its null is 1), else
        a difference.

    Returns
    -------
    xarray.DataArray
        Dims as of `draws`, along `dim` those that are compared with another. Attrs estimand, units,
        reference (which one, and what the comparison rests on), null (1 or 0).

    Raises
    ------
    EstimandError
        If there is nothing to compare, no such dim or label, or years (`socgrad.years.change`); if
        fits differ in their estimand, units or draws; if a ratio of numbers that are not above 0 is
        asked for; or if `draws` were computed from an estimand and not labelled.

    Notes
    -----
    ::

        comparison_k = estimand_k / estimand_reference,  or  estimand_k - estimand_reference

    in every draw. Strata of one fit hang together as far as their model knows; draws of different
    fits are paired as they come, which is right for independent fits. `socgrad.compare_gradients`
    knows more of gradients of chains of stages.

    Interpretation
    --------------
    Of inverse intervention effects below 1, 0.95: at equal neighbourhood deprivation, rates fall 5%
    further from affluent authorities to deprived ones than they do at the reference. That one
    effect is clear and another is not does not show that they differ: this interval does.

    References
    ----------
    Gelman & Stern 2006, The American Statistician 60(4), https://doi.org/10.1198/000313006X152649
    (the difference between significant and not significant).

    Examples
    --------
    >>> import socgrad as sg
    >>> from socgrad.reading.example import example_fit_of_stages
    >>> effect = sg.inverse_intervention(example_fit_of_stages(), deprivation=0.2)
    >>> ratio = sg.compare(effect).isel(deprivation=0)
    >>> ratio.median(("chain", "draw")).round(2).to_series().to_dict()
    {'assessment': 0.95, 'plan': 0.87}
    """
    check_choice("over", over, ("reference", "previous"))
    several = _of_fits(draws) if isinstance(draws, Mapping) else draws
    along = "fit" if isinstance(draws, Mapping) else _dim(several, dim)
    labels = list(several[along].to_numpy().tolist())
    pairs = pairs_of(labels, over=over, reference=reference, along=along)
    own = scale_of(several, scale)
    rests_on = _rests_on(several, along)
    units = _same(several, "units", along)
    base = "the one before" if over == "previous" else str(pairs[0][1])
    named = label_draws(
        against(several, pairs, along=along, scale=own),
        estimand=f"comparison_of_{several.attrs['estimand']}",
        units=f"{own} of {units}, {OVER[own]} that of {base}",
        reference=f"the same of {base}{rests_on}",
        null=1.0 if own == "ratio" else 0.0,
    )
    if over == "previous":
        words = [f"the same of {before}{rests_on}" for _, before in pairs]
        named = named.assign_coords(reference=(along, np.array(words, dtype=object)))
    if "per" in several.attrs:
        named.attrs["per"] = several.attrs["per"]
    return named


def _of_fits(parts: Mapping[str, xr.DataArray]) -> xr.DataArray:
    """Draws of one estimand of several fits, along dim fit."""
    if len(parts) < 2:
        raise EstimandError(f"{len(parts)} fits were given. Expected two or more, by their names.")
    for name, one in parts.items():
        _check_draws(one, f"fit {name!r}")
    first_name, first = next(iter(parts.items()))
    for name, one in parts.items():
        for mark in ("estimand", "per", "null"):
            if one.attrs.get(mark) != first.attrs.get(mark):
                raise EstimandError(
                    f"{mark} is {one.attrs.get(mark)!r} of fit {name!r} and "
                    f"{first.attrs.get(mark)!r} of {first_name!r}. Compare one estimand, computed "
                    "in the same way of each."
                )
        if one.dims != first.dims or one.sizes != first.sizes:
            raise EstimandError(
                f"Draws of fit {name!r} have sizes {dict(one.sizes)}, of {first_name!r} "
                f"{dict(first.sizes)}. Fit with the same chains and draws, and compare what both "
                "have."
            )
    numbered = {dim: np.arange(first.sizes[dim]) for dim in ("chain", "draw")}
    bare = [
        one.drop_vars(_OF_EACH, errors="ignore").drop_attrs().assign_coords(numbered)
        for one in parts.values()
    ]
    index = xr.Variable("fit", np.array(list(parts), dtype=object))
    try:
        joined = xr.concat(bare, dim=index, join="exact", coords="minimal", compat="override")
    except ValueError as error:
        raise EstimandError(
            "These fits do not have the same labels (authorities, areas ...), so that their draws "
            f"cannot be set side by side ({error}). Choose what both have, by .sel."
        ) from error
    joined.attrs = {k: v for k, v in first.attrs.items() if k not in {"strata", "importance_ess"}}
    # Draws of a sampler without weights are as effective as they are many.
    sizes = [float(one.attrs.get("importance_ess", np.inf)) for one in parts.values()]
    if np.isfinite(sizes).any():
        joined = joined.assign_coords(importance_ess=("fit", sizes))
    return joined.transpose("chain", "draw", "fit", ...)


def _check_draws(draws: object, whose: str = "") -> None:
    words = f" of {whose}" if whose else ""
    if not isinstance(draws, xr.DataArray) or not {"chain", "draw"} <= set(draws.dims):
        raise EstimandError(
            f"Expected draws{words}, as an estimand such as socgrad.gradient(fit) gives them, "
            f"found {type(draws).__name__}. Of several numbers choose one, by its name."
        )
    if not are_labelled(draws):
        raise EstimandError(
            f"The draws{words} were computed from an estimand (a mean, some of its rows ...), so "
            "that their units and reference need not hold. Pass the estimand as it is."
        )


def _dim(draws: xr.DataArray, dim: str | None) -> str:
    """Dim along which to compare."""
    _check_draws(draws)
    others = [str(name) for name in draws.dims if name not in {"chain", "draw"}]
    if "year" in ([dim] if dim is not None else others):
        raise EstimandError(
            "These draws are of years: compare two of them by "
            "socgrad.years.change(draws, start=..., end=...)."
        )
    if dim is None:
        dim = "stratum" if "stratum" in others else others[0] if len(others) == 1 else None
    if dim is None or dim not in others or dim not in draws.coords:
        there = ", ".join(others) or "none besides chain and draw"
        raise EstimandError(
            f"dim={dim!r}: name the dim along which to compare; these draws have {there}. Of "
            "several fits, pass their draws by the fits' names."
        )
    return dim


def _same(draws: xr.DataArray, name: str, along: str) -> str:
    """Units of all: those of the first where each has its own."""
    if name in draws.coords and along in draws[name].dims:
        return str(draws[name].isel({along: 0}).item())
    return str(draws.attrs[name])


def _rests_on(draws: xr.DataArray, along: str) -> str:
    if along == "fit":
        return f"; {_OF_FITS}"
    relation, _, effects = str(draws.attrs.get("strata", "")).partition(", ")
    said = RESTS_ON.get((relation, effects), "")
    return f"; {said}" if said and along == "stratum" else ""
