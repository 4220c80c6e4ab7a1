"""How alike authorities are in two strata: correlations of their levels, and of their slopes."""

from itertools import combinations

import numpy as np
import xarray as xr

from socgrad.errors import EstimandError
from socgrad.reading.by_stratum import stratum_labels
from socgrad.reading.posterior import labelled
from socgrad.schema import CORRELATIONS

__all__ = ["stratum_correlations"]

_KINDS = ("level", "slope")


def stratum_correlations(fit: xr.DataTree) -> xr.Dataset:
    """Correlations of authority levels, and of slopes, between every two strata.

    Parameters
    ----------
    fit
        From `socgrad.fit` on a `StratifiedModel` with ``authority_effects="joint"``, or
        `socgrad.load`.

    Returns
    -------
    xarray.Dataset
        `level_correlation` and, where authorities have slopes of their own, `slope_correlation`, -1
        to 1, dims chain, draw, pair (two strata, in the order of the fit; coordinates `stratum` and
        `stratum_bis` along pair hold the two labels). Attrs estimand, units, per, reference, null
        (0).

    Raises
    ------
    EstimandError
        If `fit` has no strata, or its strata were fitted independently.
    SchemaError
        If `fit` is no socgrad fit.

    Notes
    -----
    Levels and slopes are an authority's deviations from what its mean deprivation leads one to
    expect: `level_effect` and `slope_effect`. The correlations are those of the population of
    authorities that the model describes, not of the authorities' estimates, which would be drawn
    towards zero by chance in the counts, or towards one another by the model.

    Of authorities steeper than expected in one stratum, the share 1/2 + arcsin(r) / pi is steeper
    than expected in the other too: one half at r = 0, two thirds at 0.5, 86% at 0.9.

    Stages count the same children again. An authority's chance surplus of referrals leads to a
    surplus of plans, and the model, in which counts of two stages are independent given rates,
    reads it as likeness of the authorities. Chance is small beside the differences between
    authorities where events are many; where a stage is rare, part of its correlation with the stage
    before is this.

    The prior of full correlations draws them towards zero, the more the more strata there are and
    the fewer authorities and events: by 0.1 to 0.25 with five strata and 100 authorities
    (docs/validation.md). ``StratifiedModel(correlations="factor")`` pulls far less, and assumes
    more.

    Interpretation
    --------------
    A slope correlation near 1: an authority that is steep at referral stays steep. Near 0: how
    steep it is at referral says nothing of how steep it is at the later stage, which then has
    causes of its own.

    References
    ----------
    Lewandowski, Kurowicka & Joe 2009, doi 10.1016/j.jmva.2009.04.008 (the prior of the
    correlations).

    Examples
    --------
    >>> from socgrad.estimands.stratum_correlations import stratum_correlations
    >>> from socgrad.reading.example import example_fit_of_stages
    >>> alike = stratum_correlations(example_fit_of_stages())
    >>> alike["slope_correlation"].median(("chain", "draw")).round(1).to_series().to_dict()
    {'referral, assessment': 0.7, 'referral, plan': 0.6, 'assessment, plan': 0.7}
    """
    labels = stratum_labels(fit)
    if not labels:
        raise EstimandError(
            "This fit has no strata, so there is nothing to correlate. Expected a fit of a "
            "StratifiedModel with authority_effects='joint'."
        )
    draws = fit["posterior"].to_dataset()
    kinds = [kind for kind in _KINDS if f"{kind}_correlation" in draws]
    if not kinds:
        raise EstimandError(
            f"The {len(labels)} strata of this fit were fitted independently: nothing in it says "
            "how authorities' effects hang together, and correlating their estimates would "
            "understate it. Fit StratifiedModel(strata, authority_effects='joint')."
        )
    pairs = list(combinations(range(len(labels)), 2))
    first, second = (np.array(each) for each in zip(*pairs, strict=True))
    names = np.array([f"{labels[i]}, {labels[k]}" for i, k in pairs], dtype=object)
    made = {}
    for kind in kinds:
        name = f"{kind}_correlation"
        values = draws[name].transpose("chain", "draw", "stratum", "stratum_bis").to_numpy()
        own = xr.DataArray(
            values[:, :, first, second],
            dims=("chain", "draw", "pair"),
            coords={name: draws[name].coords[name] for name in ("chain", "draw")}
            | {"pair": names}
            | {
                name: ("pair", np.array([labels[k] for k in each], dtype=object))
                for name, each in (("stratum", first), ("stratum_bis", second))
            },
        )
        made[name] = labelled(
            own,
            fit,
            estimand=name,
            units="correlation",
            per=float(fit["constant_data"]["per"]),
            reference=f"{CORRELATIONS[name]}, given authority deprivation",
            null=0.0,
        )
    return xr.Dataset(made)
