"""Figure of how far gradients are from the average, against how well each is known."""

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
import xarray as xr

from socgrad.arrays import FloatArray
from socgrad.errors import EstimandError
from socgrad.estimands.curves import curves_of_all, exponential
from socgrad.plots.style import (
    STYLE,
    axes_or_new,
    check_prob,
    make_room,
    quiet_frame,
    ratio_axis,
)
from socgrad.reading.data_marks import NO_DATA_SHORT
from socgrad.reading.geography import geography
from socgrad.reading.posterior import coefficients, require_authorities, require_deprivation

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["gradient_funnel"]

#: Authorities named on the figure: those furthest out, as many as can be read.
_NAMED: Final = 12


def gradient_funnel(
    fit: xr.DataTree,
    *,
    names: Mapping[Hashable, str] | None = None,
    prob: float = 0.95,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw each authority's gradient over that of an average one, against its precision.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    names
        Words for labels of authorities; others have their official names, if the table gave them,
        or stand as they are.
    prob
        Probability that the limits hold of an authority like the average, between 0 and 1.
    ax
        Axes to draw on; by default new ones.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on: ratios of gradients on a logarithmic scale over precision.

    Raises
    ------
    EstimandError
        If the model leaves deprivation or random slopes out, or `prob` is out of range.
    SchemaError
        If `fit` is not a socgrad fit.
    SocgradError
        If matplotlib is not installed.

    Notes
    -----
    The ratio is exp of the slope effect, per step of the fit: the authority's gradient over that of
    an average authority of its own mean deprivation. Precision is 1 over the posterior standard
    deviation of its logarithm, and the limits are ``exp(+-z / precision)`` with z the normal
    quantile of (1 + prob) / 2. Coloured are those for which the posterior probability of a steeper
    (or a flatter) gradient itself exceeds that; up to a
    dozen of them are named, those furthest out whose names have room.

    Interpretation
    --------------
    Points outside the limits differ from an average authority of their deprivation by more than
    their own uncertainty. Unlike the funnel of raw figures, points on the left, of which little is
    known, lie near 1: the model draws them there, since little speaks against it.

    References
    ----------
    Spiegelhalter 2005, Statistics in Medicine 24(8), https://doi.org/10.1002/sim.1970.

    Examples
    --------
    >>> import socgrad as sg
    >>> from matplotlib.figure import Figure
    >>> from socgrad.reading.example import example_fit
    >>> ax = sg.plots.gradient_funnel(example_fit(), ax=Figure().subplots())
    >>> ax.get_xlabel()
    'Precision: 1 / posterior standard deviation of the log ratio'
    """
    check_prob(prob)
    terms, land = coefficients(fit), geography(fit)
    require_deprivation(terms, "gradient_funnel")
    require_authorities(terms, "gradient_funnel")
    if not terms.has_slopes:
        raise EstimandError(
            "gradient_funnel shows how authorities' gradients differ, and this model has no random "
            "slopes. Fit one with random_slopes=True."
        )
    # Read through the curves, so that the effects stand in the order of the geography.
    own, average = (curves_of_all(terms, land, own_effects=which).slope for which in (True, False))
    effect = own - average
    ratio = exponential(effect).median(("chain", "draw")).to_numpy()
    precision = 1 / effect.std(("chain", "draw"), ddof=1).to_numpy()
    sure = (1 + prob) / 2
    above = (effect > 0).mean(("chain", "draw")).to_numpy() > sure
    below = (effect < 0).mean(("chain", "draw")).to_numpy() > sure

    unknown = ~land.authority_has_data
    ax = axes_or_new(ax)
    from scipy.special import ndtri  # noqa: PLC0415 only this needs it

    at = np.linspace(0.9 * precision.min(), 1.05 * precision.max(), 201)
    for sign in (-1, 1):
        ax.plot(
            at,
            np.exp(sign * float(ndtri(sure)) / at),
            color=STYLE.quiet,
            linewidth=STYLE.thin,
            linestyle="--",
            label=f"{100 * prob:g}% limits" if sign > 0 else None,
        )
    ax.axhline(1, color=STYLE.ink, linewidth=STYLE.thin)
    for among, colour, words in (
        (above, STYLE.deprived, f"Steeper than average, Pr > {sure:g}"),
        (below, STYLE.affluent, f"Flatter than average, Pr > {sure:g}"),
        (~(above | below | unknown), STYLE.quiet, "Not told apart from average"),
    ):
        ax.plot(precision[among], ratio[among], "o", color=colour, markersize=4, label=words)
    if unknown.any():
        # Hollow: the prior of an authority's gradient, and no data.
        ax.plot(
            precision[unknown],
            ratio[unknown],
            "o",
            color=STYLE.quiet,
            markerfacecolor="white",
            markersize=4,
            label=f"{NO_DATA_SHORT.capitalize()} of its own",
        )
    labels = land.authority_mean["authority"].to_numpy().tolist()
    _name_furthest(
        ax,
        [str((names or {}).get(*each)) for each in zip(labels, land.authority_words, strict=True)],
        precision,
        ratio,
        beyond=np.abs(np.log(ratio)) * precision * (above | below),
    )
    quiet_frame(ax)
    ax.set_xlabel("Precision: 1 / posterior standard deviation of the log ratio")
    ratio_axis(ax, "Gradient over that of an average\nauthority of its deprivation")
    make_room(ax, rows=2)
    ax.legend(loc="upper left", ncols=2, edgecolor="none", framealpha=1, fontsize="small")
    return ax


def _name_furthest(
    ax: "Axes", names: list[str], x: FloatArray, y: FloatArray, *, beyond: FloatArray
) -> None:
    """Name the points furthest out, but none whose name would lie on another's."""
    across = (x - x.min()) / max(np.ptp(x), 1e-12)
    up = np.log(y / y.min()) / max(np.log(y.max() / y.min()), 1e-12)
    named: list[int] = []
    for k in np.argsort(-beyond, kind="stable").tolist():
        if beyond[k] == 0 or len(named) == _NAMED:
            break
        if any(abs(across[k] - across[m]) < 0.3 and abs(up[k] - up[m]) < 0.05 for m in named):
            continue
        named.append(k)
        is_right = across[k] > 0.75
        ax.annotate(
            names[k],
            (x[k], y[k]),
            xytext=(-5 if is_right else 5, 3 if y[k] > 1 else -3),
            textcoords="offset points",
            ha="right" if is_right else "left",
            va="bottom" if y[k] > 1 else "top",
            fontsize="x-small",
        )
