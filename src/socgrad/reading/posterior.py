"""Reading a fit: coefficients as draws, and labels for what is made of them.

Every summary starts here, so a tree fresh from `socgrad.fit`, straight from `pymc.sample` or loaded
from a file is read in one way. Units and reference values come from the group `constant_data`,
never from attrs, which `pymc.sample` does not write.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import xarray as xr

from socgrad.errors import EstimandError, SchemaError
from socgrad.reading.arguments import check_is_tree
from socgrad.reading.data_marks import marked
from socgrad.reading.joint_effects import JointEffects, joint_effects
from socgrad.reading.labels import label_draws
from socgrad.reading.official_names import named
from socgrad.schema import check_tree, is_stratified

__all__ = [
    "Coefficients",
    "check_single",
    "coefficients",
    "importance_ess",
    "labelled",
    "require_authorities",
    "require_deprivation",
    "require_effects",
    "require_split",
]


@dataclass(frozen=True, eq=False)
class Coefficients:
    """Draws of the model's terms, dims (chain, draw); effects also authority.

    A term that the model leaves out is a zero without dims. In a pooled model `within` holds the
    one coefficient of raw deprivation and `is_pooled` says so.

    `level_effect` and `slope_effect` are all that sets an authority apart from an average one of
    its mean deprivation: what its covariates make of it (`level_covariates`, `slope_covariates`)
    its region (`level_region`), and the random effects of the model. `has_effects` is False of a
    release of coefficients, whose random effects are not zero but left out.

    `locality_sd` is the coefficient of variation of the factor that areas of one locality share.
    `covariate` and `area_moderator` are the coefficients of area covariates, `departure` those of
    departures from a log-linear gradient: NumPy arrays of shape (chain * draw, column), without
    columns where the model has none. A line of an authority is that of its neighbourhoods whose own
    covariates are at their national means, without departures.

    `is_alone` says that the fit is of one authority: `intercept` is its level and `within` its
    slope, and how authorities differ is not among the terms.

    `stratum` is the label of the stratum, None of a fit without strata; `joint` are the
    correlations with the effects of the other strata, None where they were not fitted jointly.
    """

    intercept: xr.DataArray
    within: xr.DataArray
    between: xr.DataArray
    curvature: xr.DataArray
    cross_level: xr.DataArray
    level_effect: xr.DataArray
    slope_effect: xr.DataArray
    level_covariates: xr.DataArray
    slope_covariates: xr.DataArray
    level_sd: xr.DataArray
    slope_sd: xr.DataArray
    correlation: xr.DataArray
    has_deprivation: bool
    has_split: bool
    has_slopes: bool
    has_cross_level: bool
    has_curvature: bool
    covariate: npt.NDArray[np.float64]
    area_moderator: npt.NDArray[np.float64]
    departure: npt.NDArray[np.float64]
    locality_sd: xr.DataArray = field(default_factory=lambda: xr.DataArray(0.0))
    level_region: xr.DataArray = field(default_factory=lambda: xr.DataArray(0.0))
    region_effect: xr.DataArray = field(default_factory=lambda: xr.DataArray(0.0))
    region_sd: xr.DataArray = field(default_factory=lambda: xr.DataArray(0.0))
    stratum: Hashable | None = None
    joint: JointEffects | None = None
    has_effects: bool = True
    is_alone: bool = False

    @property
    def has_localities(self) -> bool:
        """Whether areas of one locality share a factor."""
        return bool(self.locality_sd.dims)

    @property
    def has_regions(self) -> bool:
        """Whether authorities of one region share a deviation."""
        return bool(self.region_sd.dims)

    @property
    def level_place(self) -> xr.DataArray:
        """What covariates and region make of an authority's level: of where it lies alone."""
        return _own(self.level_covariates, self.level_region)

    @property
    def has_area_covariates(self) -> bool:
        """Whether neighbourhoods of one authority differ by covariates of their own."""
        return bool(self.covariate.shape[1] or self.area_moderator.shape[1])

    @property
    def has_departures(self) -> bool:
        """Whether the gradient is non-linear."""
        return bool(self.departure.shape[1])

    @property
    def of_levels(self) -> npt.NDArray[np.float64]:
        """Coefficients of all that moves the levels of areas, as `Geography.level_design`."""
        return np.hstack([self.covariate, self.departure])

    @property
    def without_area_covariates(self) -> "Coefficients":
        """The same with the covariates of all areas at their national means."""
        none = np.zeros((len(self.covariate), 0))
        return replace(self, covariate=none, area_moderator=none)

    @property
    def without_own_effects(self) -> "Coefficients":
        """The same with nothing but their covariates and regions to set authorities apart."""
        return replace(
            self,
            level_effect=self.level_place,
            slope_effect=self.slope_covariates,
            has_effects=self.has_effects or not self.has_regions,
        )

    @property
    def without_random_effects(self) -> "Coefficients":
        """The same with nothing but their covariates to set authorities apart."""
        return replace(
            self,
            level_effect=self.level_covariates,
            slope_effect=self.slope_covariates,
            has_effects=True,
        )

    @property
    def has_own_slopes(self) -> bool:
        """Whether authorities of one mean differ in their gradients at all."""
        return self.has_slopes or bool(self.slope_covariates.dims)

    @property
    def is_pooled(self) -> bool:
        """Whether one coefficient stands for within and between alike."""
        return self.has_deprivation and not self.has_split


def coefficients(fit: xr.DataTree) -> Coefficients:
    """Read the draws of the model's terms from a fit.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.

    Returns
    -------
    Coefficients
        Draws per step of the fit, zeros for absent terms, and flags.

    Raises
    ------
    SchemaError
        If `fit` is not a socgrad fit of a schema that this version reads, or has several strata.

    Examples
    --------
    >>> from socgrad.reading.example import example_fit
    >>> from socgrad.reading.posterior import coefficients
    >>> terms = coefficients(example_fit())
    >>> terms.has_cross_level, terms.has_curvature, float(terms.curvature)
    (True, False, 0.0)
    """
    check_single(fit)
    draws = fit["posterior"].to_dataset()

    def term(name: str) -> xr.DataArray:
        return draws[name] if name in draws else xr.DataArray(0.0)

    has_split = "within" in draws
    level_covariates, slope_covariates = (
        _of_covariates(fit, name) for name in ("authority_covariate", "moderator")
    )
    level_region = _of_regions(fit)
    label = draws["stratum"].item() if "stratum" in draws.coords else None
    return Coefficients(
        intercept=term("intercept"),
        within=term("within" if has_split else "pooled"),
        between=term("between"),
        curvature=term("curvature"),
        cross_level=term("cross_level"),
        level_effect=_own(_by_label(term("level_effect"), fit), level_covariates, level_region),
        slope_effect=_own(_by_label(term("slope_effect"), fit), slope_covariates),
        level_covariates=level_covariates,
        slope_covariates=slope_covariates,
        level_sd=term("level_sd"),
        slope_sd=term("slope_sd"),
        correlation=term("correlation"),
        has_deprivation=has_split or "pooled" in draws,
        has_split=has_split,
        has_slopes="slope_effect" in draws or "slope_sd" in draws,
        has_cross_level="cross_level" in draws,
        has_curvature="curvature" in draws,
        covariate=_by_draw(fit, "covariate"),
        area_moderator=_by_draw(fit, "area_moderator"),
        departure=_by_draw(fit, "departure"),
        locality_sd=term("locality_sd"),
        level_region=level_region,
        region_effect=term("region_effect"),
        region_sd=term("region_sd"),
        stratum=label,
        joint=joint_effects(fit, label),
        has_effects="level_effect" in draws or "level_sd" not in draws,
        is_alone=fit["constant_data"].sizes["authority"] == 1,
    )


def importance_ess(fit: xr.DataTree) -> float | None:
    """Read the importance effective size of resampled draws, or None where draws are a chain's."""
    for attrs in (fit.attrs, fit["posterior"].attrs):
        if "importance_ess" in attrs:
            return float(attrs["importance_ess"])
    return None


def labelled(
    draws: xr.DataArray,
    fit: xr.DataTree,
    *,
    estimand: str,
    units: str,
    per: float,
    reference: str,
    null: float | None = None,
) -> xr.DataArray:
    """Give draws the name, order of dims and attrs that every estimand has.

    Parameters
    ----------
    draws
        Dims chain and draw, plus named ones.
    fit
        The fit they come from.
    estimand, units, reference
        Name; what one unit is, in words; what is compared with what, in words.
    per
        Step of deprivation, proportion.
    null
        The value that means no difference (1 for a ratio), or None where there is none.

    Returns
    -------
    xarray.DataArray
        Dims chain, draw, then the others, with these attrs (those that are not None), and those of
        `socgrad.tables.label_draws`. Where some authority has no data, coordinate `has_data` along
        dim authority says which; `authority_name` and `area_name` are there if the table named
        them.
    """
    result = label_draws(draws, estimand=estimand, units=units, reference=reference, null=null)
    result = named(marked(result, fit), fit)
    result.attrs["per"] = per
    size = importance_ess(fit)
    if size is not None:
        result.attrs["importance_ess"] = size
    return result


def require_deprivation(terms: Coefficients, estimand: str) -> None:
    """Refuse an estimand that needs deprivation for a null model."""
    if not terms.has_deprivation:
        raise EstimandError(
            f"{estimand} is not defined for a null model, which leaves deprivation out. Fit a "
            "model with deprivation='split' (or 'pooled', for a gradient alone)."
        )


def require_authorities(terms: Coefficients, estimand: str) -> None:
    """Refuse what says how authorities differ for a fit of one alone."""
    if terms.is_alone:
        raise EstimandError(
            f"{estimand} says how authorities differ, and this fit is of one authority alone: its "
            "counts tell its own level and gradient (socgrad.rates.expected_rate, "
            "socgrad.gradient), and nothing of what others have at the same deprivation. Fit its "
            "neighbourhoods beside those of other authorities, or beside their totals."
        )


def require_split(terms: Coefficients, estimand: str) -> None:
    """Refuse an estimand that tells within from between for a model that does not."""
    require_deprivation(terms, estimand)
    require_authorities(terms, estimand)
    if not terms.has_split:
        raise EstimandError(
            f"{estimand} is not defined for a pooled model: one coefficient stands for the within "
            "and the between part, so equal rates at equal deprivation are assumed by "
            "construction, not estimated. Fit a model with deprivation='split'."
        )


def require_effects(terms: Coefficients) -> None:
    """Refuse what needs the effects of authorities for a fit that was released without them."""
    if not terms.has_effects:
        raise EstimandError(
            "This needs the effects of authorities, and the fit is a release of coefficients alone "
            "(socgrad.release.coefficients). Of an average or a new authority a release has "
            "answers, such as target='average'. For named authorities, or sums over them, ask "
            "where the counts are, with the fit as it was sampled, and share the table instead."
        )


def check_single(fit: xr.DataTree) -> None:
    """Refuse what is no fit, and a fit of several strata where one is read."""
    check_is_tree(fit)
    check_tree(fit)
    if is_stratified(fit):
        labels = fit["posterior"].to_dataset()["stratum"].to_numpy().tolist()
        raise SchemaError(
            f"This fit has {len(labels)} strata (first: {', '.join(map(repr, labels[:3]))}), and "
            "one is wanted here. Choose it: socgrad.stratum(fit, label)."
        )


def _of_covariates(fit: xr.DataTree, name: str) -> xr.DataArray:
    """Sum of coefficient times column over one kind of covariates; a zero where there are none.

    Raises
    ------
    SchemaError
        If the fit has coefficients without their design matrix, or for other columns.
    """
    draws, constants = fit["posterior"].to_dataset(), fit["constant_data"].to_dataset()
    if f"{name}_coefficient" not in draws:
        return xr.DataArray(0.0)
    _check_columns(fit, name)
    summed: xr.DataArray = xr.dot(
        draws[f"{name}_coefficient"], constants[f"{name}_design"], dim=name
    )
    return summed


def _by_draw(fit: xr.DataTree, name: str) -> npt.NDArray[np.float64]:
    """Coefficients of one kind of columns of areas, (chain * draw, column)."""
    draws = fit["posterior"].to_dataset()
    if f"{name}_coefficient" not in draws:
        return np.zeros((draws["intercept"].size, 0))
    _check_columns(fit, name)
    values = draws[f"{name}_coefficient"].transpose("chain", "draw", name).to_numpy()
    return values.reshape(-1, values.shape[-1])


def _check_columns(fit: xr.DataTree, name: str) -> None:
    """Refuse coefficients of one kind without what makes their columns, or for others."""
    labels = fit["posterior"].to_dataset().indexes.get(name)
    held = "departure_weights" if name == "departure" else f"{name}_design"
    design = fit["constant_data"].to_dataset().get(held)
    if design is None or labels is None or not labels.equals(design.indexes[name]):
        raise SchemaError(
            f"Group 'posterior' has {name}_coefficient, but group 'constant_data' has no "
            f"{held} for the same columns. Use the tree as it was returned or saved."
        )


def _own(effect: xr.DataArray, *others: xr.DataArray) -> xr.DataArray:
    """Random effect, covariates and region of each authority together."""
    for other in others:
        if other.dims:
            effect = effect + other
    return effect


def _of_regions(fit: xr.DataTree) -> xr.DataArray:
    """Effect of each authority's region, dim authority; a zero where there are none.

    Raises
    ------
    SchemaError
        If the fit does not say which region an authority is in.
    """
    draws, constants = fit["posterior"].to_dataset(), fit["constant_data"].to_dataset()
    if "region_effect" not in draws:
        return xr.DataArray(0.0)
    if "region_of_authority" not in constants:
        raise SchemaError(
            "Group 'posterior' has region_effect, but group 'constant_data' has no "
            "region_of_authority. Use the tree as it was returned or saved."
        )
    home = xr.DataArray(constants["region_of_authority"].to_numpy(), dims="authority")
    of: xr.DataArray = draws["region_effect"].isel(region=home).drop_vars("region", errors="ignore")
    return of.assign_coords(authority=constants["authority"].to_numpy())


def _by_label(effect: xr.DataArray, fit: xr.DataTree) -> xr.DataArray:
    """Put an authority effect into the order of `constant_data`, by label."""
    labels = fit["constant_data"].to_dataset().indexes.get("authority")
    own = effect.indexes.get("authority")
    if labels is None or own is None or own.equals(labels):
        return effect
    missing = labels.difference(own).tolist()
    if missing:
        raise SchemaError(
            f"Group 'posterior' has no {effect.name} for {len(missing)} of {len(labels)} "
            f"authorities of group 'constant_data' (first: {missing[0]!r}). The two groups come "
            "from different fits: use the tree as it was returned or saved."
        )
    return effect.sel(authority=labels.to_numpy())
