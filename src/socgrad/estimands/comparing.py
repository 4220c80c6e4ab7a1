"""Any estimand compared between strata, groups of authorities or fits, draw by draw."""

from collections.abc import Hashable, Mapping
from itertools import pairwise
from typing import Final, Literal

import numpy as np
import xarray as xr

from socgrad.errors import EstimandError
from socgrad.estimands.scales import OVER, Scale, compared, scale_of
from socgrad.reading.arguments import check_choice
from socgrad.reading.data_marks import HAS_DATA
from socgrad.reading.labels import are_labelled, label_draws

__all__ = ["compare"]

#: What a comparison of strata rests on, by how they follow each other and are fitted.
_STRATA: Final = {
    "groups, joint": "from a joint fit",
    "stages, joint": "from a joint fit; conservative, since nested stages count the same children",
    "chain, joint": "from the chain, authority effects joint",
    "groups, independent": "from independent fits; conservative where strata go together between "
    "authorities",
    "stages, independent": "from independent fits; conservative, since nested stages count the "
    "same children, in the same authorities",
    "chain, independent": "from the chain",
}
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
    pairs = _pairs(labels, over=over, reference=reference, along=along)
    own = scale_of(several, scale)
    bare = several.drop_vars(_OF_EACH, errors="ignore").drop_attrs()
    place = {label: at for at, label in enumerate(labels)}
    first = bare.isel({along: [place[one] for one, _ in pairs]})
    second = bare.isel({along: [place[base] for _, base in pairs]})
    second = second.assign_coords({along: first[along]})
    made = compared(first, second, own)
    if HAS_DATA in first.coords:  # a comparison rests on both of its sides
        made = made.assign_coords({HAS_DATA: first[HAS_DATA] & second[HAS_DATA]})
    rests_on = _rests_on(several, along)
    units = _same(several, "units", along)
    against = "the one before" if over == "previous" else str(pairs[0][1])
    named = label_draws(
        made,
        estimand=f"comparison_of_{several.attrs['estimand']}",
        units=f"{own} of {units}, {OVER[own]} that of {against}",
        reference=f"the same of {against}{rests_on}",
        null=1.0 if own == "ratio" else 0.0,
    )
    if over == "previous":
        words = [f"the same of {base}{rests_on}" for _, base in pairs]
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


def _pairs(
    labels: list[Hashable], *, over: str, reference: Hashable | None, along: str
) -> list[tuple[Hashable, Hashable]]:
    """What is compared, each with what it is compared with."""
    if len(labels) < 2:
        raise EstimandError(
            f"There is one {along} only ({labels[0]!r}), and nothing to compare with it."
        )
    if over == "previous":
        if reference is not None:
            raise EstimandError(
                f"reference={reference!r} was given with over='previous', which compares each with "
                "the one before. Leave one of them out."
            )
        return [(after, before) for before, after in pairwise(labels)]
    base = labels[0] if reference is None else reference
    if base not in labels:
        raise EstimandError(
            f"reference={base!r} is no {along} of these draws, which have "
            f"{', '.join(map(repr, labels))}. Spell and type it as there."
        )
    return [(label, base) for label in labels if label != base]


def _same(draws: xr.DataArray, name: str, along: str) -> str:
    """Units of all: those of the first where each has its own."""
    if name in draws.coords and along in draws[name].dims:
        return str(draws[name].isel({along: 0}).item())
    return str(draws.attrs[name])


def _rests_on(draws: xr.DataArray, along: str) -> str:
    if along == "fit":
        return f"; {_OF_FITS}"
    said = _STRATA.get(str(draws.attrs.get("strata")), "")
    return f"; {said}" if said and along == "stratum" else ""
