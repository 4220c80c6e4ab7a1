"""Excess events: how many more than at a reference, for areas, authorities, regions, the nation."""

from collections.abc import Hashable, Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd
import xarray as xr

from socgrad.door.by_authority import given_regions
from socgrad.errors import EstimandError
from socgrad.estimands.aggregates import as_draws
from socgrad.estimands.excess_references import (
    AGAINST,
    Against,
    area_excess,
    authority_excess,
    words_for_reference,
)
from socgrad.reading.arguments import check_choice
from socgrad.reading.by_stratum import by_stratum
from socgrad.reading.geography import geography
from socgrad.reading.posterior import coefficients, labelled

__all__ = ["excess_events"]


@by_stratum
def excess_events(
    fit: xr.DataTree,
    *,
    against: Against = "least_deprived",
    by: Literal["nation", "region", "authority", "area"] = "nation",
    regions: "Mapping[Any, Any] | pd.Series[Any] | None" = None,
    authority: Hashable | None = None,
    groups: int = 10,
) -> xr.DataArray:
    """Compute how many more events there are than at a reference.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    against
        The reference: "least_deprived", every neighbourhood at the rate of the nation's least
        deprived group; "national_mean", every neighbourhood at the nation's rate; "average_level",
        every authority at the average level of its mean deprivation, its own gradient kept (in a
        model with regions, the nation's average: its region's deviation is set aside, too);
        "average_gradient", every authority at the average gradient of its mean deprivation, its own
        level kept.
    by
        Over what events are summed: the "nation"; each "region"; each "authority"; each "area" of
        one authority.
    regions
        Region of every authority, by label, for by="region": a mapping or a Series. Other
        authorities may be in it too. By default the regions of the fit, if the model has any.
    authority
        Label of the authority, for by="area".
    groups
        Number of groups with equal children of which the first is "least_deprived", 2 or more.

    Returns
    -------
    xarray.DataArray
        Events, over the exposure of the fit; dims chain, draw, [region, authority or area]. Attrs
        estimand, units, per, reference, null (0). In each draw areas add up to their authority,
        authorities to their region, and these to the nation.

    Raises
    ------
    EstimandError
        If `against` or `by` is unknown; if `regions` or `authority` is missing, or given with
        another `by`; if an authority is not in the fit; for "least_deprived" if
        the model leaves deprivation out or the group has no exposure; for "average_gradient" if the
        model has no random slopes.
    TableError
        If an authority has no region in `regions`, or labels are not what they should be.
    SchemaError
        If `fit` is not a socgrad fit.

    Notes
    -----
    ::

        excess = sum of N_i (rate_i - reference_i), fitted effects in rate_i

        least_deprived    reference_i = sum of N_k rate_k / sum of N_k over the first group
        national_mean     the same over all neighbourhoods: the nation's excess is 0
        average_level     exp(level_j - level_effect_j - region_effect_j + slope_j w_i)
        average_gradient  exp(level_j + (slope_j - slope_effect_j) w_i)

    with the random effects alone: the average level, for which an authority's and its region's are
    set to 0, keeps what authority deprivation (between) and covariates do, the average gradient
    what they do to gradients (cross-level, moderators). A gradient turns about the authority's mean
    deprivation: made steeper, it adds events among the deprived and takes fewer away among the
    affluent. Expected events are compared, so chance is on neither side.

    Interpretation
    --------------
    11,000 against the least deprived: so many fewer events if all children had the rate of the
    least deprived tenth. 120 against the average level: this authority has 120 more events than an
    average authority with its neighbourhoods would have. Arithmetic, not a forecast, and no
    verdict: the reference need not be right.

    References
    ----------
    Mackenbach & Kunst 1997, Social Science & Medicine 44(6),
    https://doi.org/10.1016/S0277-9536(96)00073-1.

    Examples
    --------
    >>> from socgrad.estimands.excess import excess_events
    >>> from socgrad.reading.example import example_fit
    >>> excess_events(example_fit()).median().round(-1).item()
    1780.0
    >>> regions = dict.fromkeys(["Ashby", "Barlow", "Corham"], "North")
    >>> regions |= dict.fromkeys(["Denwick", "Elmstone", "Farleigh"], "South")
    >>> by_region = excess_events(
    ...     example_fit(), against="average_level", by="region", regions=regions
    ... )
    >>> by_region.median(("chain", "draw")).round(-1).to_series().to_dict()
    {'North': 40.0, 'South': -20.0}
    """
    terms, land = coefficients(fit), geography(fit)
    check_choice("against", against, AGAINST)
    check_choice("by", by, ("nation", "region", "authority", "area"))
    if by == "region" and regions is None and terms.has_regions:
        regions = _regions_of_fit(fit)
    _check_companions(by, regions, authority)
    if authority is not None:
        inside = np.flatnonzero(land.authority_of_area == land.position(authority))
        values = area_excess(terms, land, inside, against=against, groups=groups)
        draws = as_draws(values, terms, "area", _area_labels(fit)[inside])
    else:
        values = authority_excess(terms, land, against=against, groups=groups)
        if by == "nation":
            draws = as_draws(values.sum(axis=1), terms)
        elif regions is not None:
            home = pd.Index(land.authority_mean["authority"].to_numpy()).infer_objects()
            region, names = given_regions(regions, home)
            sums = np.stack([values[:, region == k].sum(axis=1) for k in range(len(names))], axis=1)
            draws = as_draws(sums, terms, "region", names.to_numpy())
        else:
            draws = as_draws(values, terms, "authority", land.authority_mean["authority"])
    return labelled(
        draws,
        fit,
        estimand="excess_events",
        units="events more than at the reference",
        per=land.per,
        reference=words_for_reference(
            against, groups, has_regions=terms.has_regions, whole=land.whole
        ),
        null=0.0,
    )


def _check_companions(by: str, regions: object, authority: Hashable | None) -> None:
    """Refuse an option that `by` needs and has not, or has and needs not."""
    for name, value, owner, example in (
        ("regions", regions, "region", "regions={'Ashby': 'North', ...}"),
        ("authority", authority, "area", "authority='Ashby'"),
    ):
        if by == owner and value is None:
            raise EstimandError(f"by={by!r} needs {name}, such as {example}.")
        if by != owner and value is not None:
            raise EstimandError(
                f"{name} was given with by={by!r}; it is for by={owner!r}. Leave it out, or choose "
                "that."
            )


def _regions_of_fit(fit: xr.DataTree) -> Mapping[Any, Any]:
    """Region of each authority of a fit with regions, by label."""
    home = fit["constant_data"].to_dataset()["region_of_authority"]
    names = fit["posterior"].to_dataset()["region"].to_numpy()[home.to_numpy()]
    return dict(zip(home["authority"].to_numpy().tolist(), names.tolist(), strict=True))


def _area_labels(fit: xr.DataTree) -> np.ndarray:
    labels: np.ndarray = fit["constant_data"].to_dataset()["area"].to_numpy()
    return labels
