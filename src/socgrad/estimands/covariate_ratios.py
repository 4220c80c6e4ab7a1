"""What covariates do: rate ratios of the level, and of the gradient where they moderate it."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr

from socgrad.arrays import FloatArray
from socgrad.comparisons import Comparison
from socgrad.designs import Columns
from socgrad.errors import EstimandError, SpecificationError
from socgrad.estimands.curves import exponential, points, step
from socgrad.reading.arguments import check_choice
from socgrad.reading.by_stratum import by_stratum
from socgrad.reading.fitted_designs import fitted_designs
from socgrad.reading.geography import geography
from socgrad.reading.posterior import coefficients, labelled, require_deprivation
from socgrad.reading.support import areas_near_mean, warn_if_beyond, warn_if_thin
from socgrad.schema import COVARIATE_GROUP

__all__ = ["covariate_ratio", "moderated_gradient"]

type Value = float | str

_KINDS = {
    "level": ("covariate", "authority_covariate"),
    "gradient": ("area_moderator", "moderator"),
}


@by_stratum
def covariate_ratio(
    fit: xr.DataTree,
    *,
    effect: Literal["level", "gradient"] = "level",
    per: float | None = None,
) -> xr.DataArray:
    """Compute the rate ratio per unit of each covariate, or its ratio of gradients.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    effect
        "level": covariates of areas and authorities, on the rate; "gradient": moderators of both,
        on the gradient.
    per
        Step of neighbourhood deprivation of the gradients, proportion above 0; by default the fit's
        (0.10, ten percentage points). For "gradient" only.

    Returns
    -------
    xarray.DataArray
        Dims chain, draw, covariate: the columns of the design matrices, those of areas first, with
        coords units and reference, what each compares. Attrs estimand ("covariate_ratio" or
        "moderator_ratio"), units, per, reference, null (1).

    Raises
    ------
    EstimandError
        If the model has no covariate of this kind; if `effect` is unknown; if `per` is no
        proportion, or given for the level.
    SchemaError
        If `fit` is not a socgrad fit.

    Notes
    -----
    ::

        level     exp(coefficient)
        gradient  exp(coefficient * per / fit's per)

    per unit of the column, which coords units and reference name for each: for scale(x) one
    standard deviation of x over the table's rows (divided by their number n; R's scale divides by
    n - 1); for a category against the one that is left out, the first unless the formula names
    another; with Sum() against the mean of all. Columns of poly() and bs() mean nothing alone.

    Interpretation
    --------------
    Level: 0.8 for rural[yes] means a fifth fewer events per child in rural neighbourhoods than in
    others that are as deprived, in authorities with the same other covariates. Gradient: 1.1 for
    region[London] means that rates rise 10% more steeply per ten points of deprivation there (1.76
    after 1.60). Both compare places; neither says what changing a place would do.

    References
    ----------
    Bell, Fairbrother & Jones 2019, Quality & Quantity 53, https://doi.org/10.1007/s11135-018-0802-x.

    Examples
    --------
    >>> from socgrad.reading.covariate_example import area_covariate_example_fit
    >>> from socgrad.estimands.covariate_ratios import covariate_ratio
    >>> ratio = covariate_ratio(area_covariate_example_fit())
    >>> ratio.median(("chain", "draw")).round(2).to_series().to_dict()
    {'rural[yes]': 0.82, 'scale(gini)': 1.1}
    """
    check_choice("effect", effect, ("level", "gradient"))
    land = geography(fit)
    if per is not None and effect == "level":
        raise EstimandError(
            "per was given for effect='level', whose ratios are per unit of the covariate. Leave "
            "it out, or choose effect='gradient'."
        )
    to = step(land, per)
    draws = fit["posterior"].to_dataset()
    found = [
        draws[f"{kind}_coefficient"].rename({kind: "covariate"})
        for kind in _KINDS[effect]
        if f"{kind}_coefficient" in draws
    ]
    if not found:
        words = "covariate" if effect == "level" else "moderator"
        raise EstimandError(
            f"This model has no {words}. Fit one with GradientModel(..., "
            + ("covariates=..." if effect == "level" else "moderators=...")
            + ")."
        )
    log_ratio = xr.concat(found, dim="covariate")
    gradient = effect == "gradient"
    of = f"ratio of gradients (per {points(to)})" if gradient else "rate ratio"
    ratio = exponential(log_ratio * (to / land.per) if gradient else log_ratio)
    return labelled(
        ratio.assign_coords(_words_of_columns(fit, ratio, of)),
        fit,
        estimand="moderator_ratio" if gradient else "covariate_ratio",
        units=f"{of} per unit of the covariate, or against another category",
        per=to,
        reference="the same place with one unit less, or in another category, all else equal",
        null=1.0,
    )


@by_stratum
def moderated_gradient(
    fit: xr.DataTree,
    values: Mapping[str, Value | Sequence[Value]],
    *,
    authority_mean: float | None = None,
    per: float | None = None,
) -> xr.DataArray:
    """Compute the gradient where moderators have given values.

    Parameters
    ----------
    fit
        From `socgrad.fit` or `socgrad.load`.
    values
        By column of the table, as it stood there before any transform, one value or several; those
        with several have the same number, and make one gradient each. Moderators made of columns
        that are not named stay at their national means.
    authority_mean
        Mean deprivation of the authority, a proportion; by default the national mean.
    per
        Step of neighbourhood deprivation, proportion above 0; by default the fit's (0.10, ten
        percentage points).

    Returns
    -------
    xarray.DataArray
        Dims chain, draw, setting, labelled "gini=0.35, region=London". Attrs estimand, units, per,
        reference, null (1).

    Raises
    ------
    EstimandError
        If the model has no moderator; if no moderator is made of a column named, or one needs
        another column too; if a category is not one of the fit's; if a transform is not finite; if
        lengths differ; if `authority_mean` or `per` is no proportion.
    SchemaError
        If `fit` is not a socgrad fit.

    Warns
    -----
    SupportWarning
        Where fewer than 10 neighbourhoods lie in authorities within a quarter step of
        `authority_mean`, or a value lies far outside its fitted range.

    Notes
    -----
    ::

        slope    = within + cross_level b + sum of coefficient (column - national mean)
        gradient = exp(slope * per / fit's per)

    for an authority without effects of its own.

    Interpretation
    --------------
    1.96 at one value and 1.42 at another: rates rise by 96% per ten points of deprivation in
    authorities of the first kind, and by 42% in those of the second.

    References
    ----------
    Webb et al. 2020, Children and Youth Services Review 111,
    https://doi.org/10.1016/j.childyouth.2020.104849.

    Examples
    --------
    >>> from socgrad.reading.covariate_example import covariate_example_fit
    >>> from socgrad.estimands.covariate_ratios import moderated_gradient
    >>> steep = moderated_gradient(covariate_example_fit(), {"gini": [0.32, 0.36]})
    >>> steep.median(("chain", "draw")).round(2).to_series().to_dict()
    {'gini=0.32': 1.58, 'gini=0.36': 1.75}
    """
    terms, land = coefficients(fit), geography(fit)
    require_deprivation(terms, "moderated_gradient")
    made = fitted_designs(fit)
    kinds = {name: made.named[name] for name in _KINDS["gradient"] if made.named[name].names}
    if not kinds:
        raise EstimandError(
            "This model has no moderator, so its gradient is the same at every value of any "
            "covariate. Fit one with GradientModel(..., moderators=...)."
        )
    table, labels = _settings(values)
    known = frozenset[str]().union(
        *(variables for one in kinds.values() if one.design for variables in one.design.variables)
    )
    idle = [name for name in values if name not in known]
    if idle:
        raise EstimandError(
            f"No moderator is made of {', '.join(map(repr, idle))}. This model's are made of "
            f"{', '.join(map(repr, sorted(known)))}."
        )
    to = step(land, per)
    mean = land.national_mean if authority_mean is None else authority_mean
    if not 0 <= mean <= 1:
        raise EstimandError(f"authority_mean must be a proportion within 0-1; got {mean:g}.")
    if authority_mean is not None:
        near = int(areas_near_mean(land, mean).sum())
        warn_if_thin(land, [(f"authority mean {mean:.3g}", near)])
    slope = terms.within + terms.cross_level * ((mean - land.national_mean) / land.per)
    draws = fit["posterior"].to_dataset()
    for name, columns in kinds.items():
        rows = _rows(columns, table)
        at = xr.DataArray(rows, dims=("setting", name), coords={name: draws[name].to_numpy()})
        slope = slope + xr.dot(draws[f"{name}_coefficient"], at, dim=name)
    return labelled(
        exponential(slope.assign_coords(setting=labels) * (to / land.per)),
        fit,
        estimand="moderated_gradient",
        units=f"rate ratio per {points(to)} of neighbourhood deprivation",
        per=to,
        reference="the less deprived neighbourhood of an authority without effects, moderators "
        f"as named, its mean deprivation {mean:.3g}",
        null=1.0,
    )


def _words_of_columns(
    fit: xr.DataTree, ratio: xr.DataArray, of: str
) -> dict[str, tuple[str, list[str]]]:
    """What each covariate compares, as coords; none for a fit without the columns behind it."""
    if COVARIATE_GROUP not in fit.children:
        return {}
    made, known = fitted_designs(fit), dict[str, Comparison]()
    for columns in made.named.values():
        if columns.design is not None:
            known |= zip(columns.names, columns.design.comparisons, strict=False)
    if made.covariates.design is not None:  # the between parts of those that are split
        between = made.authority_covariates.names[-len(made.split) :] if made.split else ()
        parts = [made.covariates.design.comparisons[k] for k in made.split]
        known |= zip(between, parts, strict=True)
    words = [known[str(name)] for name in ratio["covariate"].to_numpy()]
    return {
        "units": ("covariate", [f"{of} {one.unit}" for one in words]),
        "reference": ("covariate", [one.reference for one in words]),
    }


def _settings(values: Mapping[str, Value | Sequence[Value]]) -> tuple[pd.DataFrame, list[str]]:
    """One row per setting, and its label."""
    if not isinstance(values, Mapping):
        raise EstimandError(
            f"values is a {type(values).__name__}. Expected a mapping from column to value, such "
            "as {'gini': 0.35}."
        )
    columns = {
        name: list(value) if isinstance(value, Sequence) and not isinstance(value, str)
        else np.atleast_1d(np.asarray(value)).tolist()
        for name, value in values.items()
    }  # fmt: skip
    lengths = {len(column) for column in columns.values()} - {1}
    if not columns or len(lengths) > 1 or 0 in lengths:
        raise EstimandError(
            f"values={dict(values)!r} does not name settings: expected one value, or the same "
            "number of values, of one column or several."
        )
    size = max(lengths, default=1)
    table = pd.DataFrame(
        {name: column * (size if len(column) == 1 else 1) for name, column in columns.items()}
    )
    rows = table.to_dict(orient="records")
    return table, [", ".join(f"{name}={_word(v)}" for name, v in row.items()) for row in rows]


def _word(value: object) -> str:
    return f"{value:g}" if isinstance(value, float | np.floating) else str(value)


def _rows(columns: Columns, table: pd.DataFrame) -> FloatArray:
    """Centred columns of each setting; 0, the national mean, where the setting says nothing."""
    assert columns.design is not None
    try:
        values = columns.design.of_some(table)
    except SpecificationError as error:
        raise EstimandError(f"values: {error}") from error
    warn_if_beyond(table, columns.design.ranges, rows="settings")
    # What is not given is NaN, and nothing else: transforms that are not finite were refused.
    return np.where(np.isnan(values), 0.0, values - columns.centre)
