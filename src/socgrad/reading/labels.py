"""What draws are of: the attrs that every estimand carries, and whether they still hold.

xarray hands attrs on through arithmetic, so a ratio of two gradients would call itself a gradient.
Labels therefore hold a mark of the draws of every row that they were given to.
"""

import numpy as np
import xarray as xr

from socgrad.errors import EstimandError

__all__ = ["are_labelled", "label_draws", "marks"]


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
        draws, marks of the rows that these labels are for. An `importance_ess` stays.

    Raises
    ------
    EstimandError
        If `draws` lacks dim chain or draw.

    Examples
    --------
    The gradient in Ashby over that in Corham:

    >>> from socgrad.reading.example import example_fit
    >>> from socgrad.estimands.gradients import gradient
    >>> from socgrad.reading.labels import label_draws
    >>> from socgrad.tables.summaries import summarise
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
    if not isinstance(draws, xr.DataArray):
        raise EstimandError(
            f"draws is a {type(draws).__name__}. Expected an xarray.DataArray with dims chain and "
            "draw, computed from what estimands return, such as socgrad.gradient(fit)."
        )
    missing = [dim for dim in ("chain", "draw") if dim not in draws.dims]
    if missing:
        raise EstimandError(
            f"draws has no dim {' or '.join(missing)} (it has {draws.dims}). Label draws before "
            "taking means of them."
        )
    labelled = draws.transpose("chain", "draw", ...).rename(estimand)
    attrs: dict[str, object] = {"estimand": estimand, "units": units, "reference": reference}
    if null is not None:
        attrs["null"] = float(null)
    if "importance_ess" in draws.attrs:
        attrs["importance_ess"] = draws.attrs["importance_ess"]
    attrs["draws"] = marks(labelled)
    labelled.attrs = attrs
    return labelled


def are_labelled(draws: xr.DataArray) -> bool:
    """Whether each row of draws is one that the label was given to, not computed from some."""
    return set(marks(draws).split()) <= set(str(draws.attrs.get("draws", "")).split())


def marks(draws: xr.DataArray) -> str:
    """Sum of the bits of all draws, for each combination of the other dims, for attr draws."""
    values = draws.transpose("chain", "draw", ...).to_numpy()
    bits = np.ascontiguousarray(values, dtype=np.float64).view(np.uint64)
    rows = bits.reshape(bits.shape[0] * bits.shape[1], -1)
    return " ".join(f"{mark:016x}" for mark in rows.sum(axis=0, dtype=np.uint64).tolist())
