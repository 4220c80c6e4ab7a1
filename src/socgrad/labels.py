"""What draws are of: the attrs that every estimand carries, and whether they still hold.

xarray hands attrs on through arithmetic, so a ratio of two gradients would call itself a gradient.
Labels therefore hold a mark of the draws that they were given to.
"""

import numpy as np
import xarray as xr

__all__ = ["are_labelled", "label_draws"]


def label_draws(
    draws: xr.DataArray,
    *,
    estimand: str,
    units: str,
    reference: str,
    null: float | None = None,
) -> xr.DataArray:
    """Say what draws are of, so that `socgrad.summarise` takes them.

    Estimands come labelled. Draws that you have computed from them, such as the ratio of two
    gradients, are another quantity and need a label of their own.

    Parameters
    ----------
    draws
        Dims chain and draw, plus named ones.
    estimand
        Name of the quantity, which becomes the name of its rows.
    units
        What one unit is, in words.
    reference
        What is compared with what, in words.
    null
        The value that means no difference (1 for a ratio, 0 for a difference), or None where there
        is none.

    Returns
    -------
    xarray.DataArray
        Dims chain, draw, then the others; attrs estimand, units, reference, null (where given) and
        draws, a mark of the values that these labels are for. An `importance_ess` stays.

    Examples
    --------
    The gradient in Ashby over that in Corham:

    >>> from socgrad.example import example_fit
    >>> from socgrad.gradients import gradient
    >>> from socgrad.labels import label_draws
    >>> from socgrad.summaries import summarise
    >>> own = gradient(example_fit(), target="each")
    >>> ratio = label_draws(
    ...     own.sel(authority="Ashby", drop=True) / own.sel(authority="Corham", drop=True),
    ...     estimand="ratio_of_gradients",
    ...     units="ratio of rate ratios per 10 points",
    ...     reference="Ashby over Corham",
    ...     null=1.0,
    ... )
    >>> summarise(ratio)["estimate"].round(2).tolist()
    [1.2]
    """
    labelled = draws.transpose("chain", "draw", ...).rename(estimand)
    attrs: dict[str, object] = {"estimand": estimand, "units": units, "reference": reference}
    if null is not None:
        attrs["null"] = float(null)
    if "importance_ess" in draws.attrs:
        attrs["importance_ess"] = draws.attrs["importance_ess"]
    attrs["draws"] = _mark(labelled)
    labelled.attrs = attrs
    return labelled


def are_labelled(draws: xr.DataArray) -> bool:
    """Whether draws are what their label was given to, or picked from it (not computed from it)."""
    mark = str(draws.attrs.get("draws", ""))
    if "estimand" not in draws.attrs or not mark:
        return False
    return draws.size < int(mark.split(maxsplit=1)[0]) or mark == _mark(draws)


def _mark(draws: xr.DataArray) -> str:
    """Number of values and the sum of their bits: the same in any order of dims."""
    bits = np.ascontiguousarray(draws.to_numpy(), dtype=np.float64).view(np.uint64)
    return f"{bits.size} {int(bits.sum(dtype=np.uint64)):016x}"
