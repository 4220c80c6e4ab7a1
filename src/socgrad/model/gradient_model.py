"""The specification of a gradient model: which terms, which likelihood, which priors."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np

from socgrad.arrays import FloatArray
from socgrad.concise import given_options
from socgrad.departures import (
    KNOTS,
    Departures,
    Shape,
    departures_by_tenth,
    smooth_departures,
)
from socgrad.designs import Columns, Designs, Formulas
from socgrad.equality import ComparedAsAWhole
from socgrad.errors import SocgradWarning, SpecificationError
from socgrad.model.bounds_checks import check_bounds
from socgrad.model.covariates import check_covariate_priors, checked_designs, coefficient_priors
from socgrad.model.equations import equation, terms_in
from socgrad.model.kernel_data import crude_log_rate
from socgrad.model.levels import check_levels, check_regions_apart
from socgrad.model.one_authority import check_one_authority
from socgrad.model.priors import Normal, Priors
from socgrad.model.totals_priors import check_totals_priors
from socgrad.notebooks.html import block, cells_table, heading
from socgrad.table.areas import Areas
from socgrad.terms import TERMS, TermKind
from socgrad.within_between import split

__all__ = ["Deprivation", "Family", "GradientModel", "usual_terms"]

type Family = Literal["poisson", "negative_binomial"]
type Deprivation = Literal["split", "pooled", "none"]


def usual_terms(deprivation: Deprivation, *, several: bool) -> dict[str, bool]:
    """What `random_slopes` and `cross_level` are by default, of several authorities or of one."""
    return {
        "random_slopes": several and deprivation != "none",
        "cross_level": several and deprivation == "split",
    }


@dataclass(frozen=True, eq=False, repr=False)
class GradientModel(ComparedAsAWhole):
    """A hierarchical model of events over deprivation, as a value: nothing is computed yet.

    Parameters
    ----------
    areas : Areas
        The validated counts.
    family : {"poisson", "negative_binomial"}
        Likelihood of a neighbourhood's count. The negative binomial adds a gamma effect per
        neighbourhood, integrated out.
    deprivation : {"split", "pooled", "none"}
        "split" has a within and a between part, each with its own coefficient; "pooled" has one
        coefficient for raw deprivation, as models without the split do; "none" is the null model.
    random_slopes : bool, optional
        Whether each authority has a slope of its own. By default wherever deprivation is in the
        model of several authorities. Without it the intervals of `cross_level` and `within` are
        too narrow: see Notes.
    cross_level : bool, optional
        Whether the slope changes with authority deprivation. By default with the split, of several
        authorities.
    curvature : bool
        Whether the level also depends on the square of authority deprivation. Needs the split.
    shape : {"line", "tenths", "spline"}
        Shape of the gradient. "line": log-linear. "tenths" and "spline" add a departure from the
        line that depends on neighbourhood deprivation alone, the same in every authority: one for
        each child-weighted tenth of neighbourhoods, or a smooth curve (a natural cubic spline).
        `within` stays the slope of the line, the trend. Needs deprivation, and some authorities
        with counts by neighbourhood.
    knots : int, optional
        Of a spline, 3 to 7; by default 5. More knots can bend more often.
    covariates : str, optional
        Formula of area covariates, which change the level: "~ rural + scale(log(density))". Columns
        come through `Areas.from_frame`; the language is that of the library formulae.
    authority_covariates : str, optional
        Formula of authority covariates, which change the level: "~ scale(gini)".
    moderators : str, optional
        Formula of authority covariates, which change the gradient: "~ region".
    area_moderators : str, optional
        Formula of area covariates, which change the gradient: "~ rural" asks whether gradients are
        steeper in rural neighbourhoods. The same columns belong into `covariates`.
    localities : bool
        Whether areas of one locality (`Areas.from_frame(locality=...)`) share a rate of their own
        about their authority's line: a gamma factor of mean 1, integrated out. With
        family="negative_binomial" areas have factors of their own, too.
    regions : bool
        Whether authorities of one region (`Areas.from_frame(region=...)`) share a normal deviation
        of their level. For regions of interest by themselves, `authority_covariates="~ region"`.
    within_between : sequence of str
        Terms or columns of `covariates` to split: the deviation from the authority's child-weighted
        mean stays among the area covariates, that mean becomes an authority covariate.
    priors : Priors
        Priors per 10 points of deprivation, whatever the model's own step `Areas.per`.

    Raises
    ------
    SpecificationError
        If a formula cannot be read; if one of its columns is constant, collinear, missing in some
        rows or at the wrong level.
        If a shape is asked for that deprivation cannot have: too few distinct values, or authority
        totals only.
        If deprivation is asked for that the areas do not have.
        If localities are asked for that the areas do not have, that no authority has two of, or
        beside the negative binomial family; if regions are asked for that the areas do not have,
        fewer than three, or beside the same regions in `authority_covariates`.
        If a term is asked for that the choice of `deprivation` leaves out, or that says how
        authorities differ where there is one; if a prior is given for
        a term that is left out (but a null model may have the priors of the full one); or if the
        counts are authority totals only and `within` has not been given a prior of its own.

    Warns
    -----
    PriorWarning
        If most authorities are known only as totals, and `within`, `cross_level` or `slope_sd` has
        the default prior (`socgrad.published` states the three together).
    SocgradWarning
        If tenths have no neighbourhood with counts; if the default prior of a covariate would hold
        the effect of a whole standard deviation of it near zero; if areas moderate the gradient by
        a column that `covariates` leaves out.

    Notes
    -----
    ::

        level_j    = intercept + between * b_j [+ curvature * b_j**2] [+ k h_j]
                     [+ region_effect_r] + level_effect_j
        slope_j    = within + cross_level * b_j [+ l g_j] + slope_effect_j
        log rate_i = level_j + [z z_i] + (slope_j [+ x a_i]) * w_i [+ departure(x_i)]
        events_i   ~ Poisson(exposure_i * rate_i [* g_i] [* g_m])
        g_i, g_m   ~ Gamma(mean 1): overdispersion of areas, locality_sd of its locality m
        (level_effect, slope_effect)_j ~ Normal(0, Sigma): level_sd, slope_sd, correlation
        region_effect_r ~ Normal(0, region_sd)

    with the columns h of `authority_covariates`, g of `moderators`, z of `covariates` and a of
    `area_moderators`, all centred at child-weighted national means: the intercept and `within` stay
    those of an average authority. The departure is, over the nation's children, orthogonal to level
    and deprivation: the line is the straight line that is nearest to the curve.

    Of one authority alone the intercept is its level and `within` its gradient; what says how
    authorities differ (between, cross_level, curvature, level_sd, slope_sd, correlation) is left
    out, and refused where it is asked for.

    Leaving random slopes out while a cross-level term is in makes intervals far too narrow: in a
    simulation for the design of this library a nominal 95% interval of `cross_level` covered about
    65%, and of `within` 74% (60 authorities of 60 areas, SD of slopes 0.12).

    References
    ----------
    Bell, Fairbrother & Jones 2019, Quality & Quantity 53, doi 10.1007/s11135-018-0802-x (the
    within-between model). Heisig & Schaeffer 2019, European Sociological Review 35(2), doi
    10.1093/esr/jcy053 (always a random slope beside a cross-level term).

    Examples
    --------
    >>> import socgrad as sg
    >>> frame = sg.simulate(authorities=8, areas=200, random_seed=1).frame
    >>> areas = sg.Areas.from_frame(frame, area="area", authority="authority", events="referral",
    ...                             children="children", deprivation="deprivation", complete=True)
    >>> model = sg.GradientModel(areas)
    >>> model.random_slopes, model.cross_level
    (True, True)
    >>> sg.GradientModel(areas, deprivation="none").random_slopes
    False
    """

    areas: Areas
    family: Family = field(default="poisson", kw_only=True)
    deprivation: Deprivation = field(default="split", kw_only=True)
    random_slopes: bool | None = field(default=None, kw_only=True)
    cross_level: bool | None = field(default=None, kw_only=True)
    curvature: bool = field(default=False, kw_only=True)
    shape: Shape = field(default="line", kw_only=True)
    knots: int | None = field(default=None, kw_only=True)
    covariates: str | None = field(default=None, kw_only=True)
    authority_covariates: str | None = field(default=None, kw_only=True)
    moderators: str | None = field(default=None, kw_only=True)
    area_moderators: str | None = field(default=None, kw_only=True)
    within_between: Sequence[str] = field(default=(), kw_only=True)
    localities: bool = field(default=False, kw_only=True)
    regions: bool = field(default=False, kw_only=True)
    priors: Priors = field(default=Priors(), kw_only=True)
    designs: Designs = field(init=False, repr=False)
    departures: Departures | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.areas, Areas):
            raise SpecificationError(
                f"GradientModel needs Areas, got {type(self.areas).__name__}. Make areas of the "
                "table first: Areas.from_frame(frame, area=..., authority=..., ...). Several "
                "strata are for StratifiedModel(strata)."
            )
        if not isinstance(self.priors, Priors):
            raise SpecificationError(
                f"priors must be Priors, got {type(self.priors).__name__}. Name the parameter, for "
                "example priors=Priors(within=rate_ratio(1.8, interval=(1.65, 1.96)))."
            )
        for name, allowed in (
            ("family", ("poisson", "negative_binomial")),
            ("deprivation", ("split", "pooled", "none")),
            ("shape", ("line", "tenths", "spline")),
        ):
            if getattr(self, name) not in allowed:
                raise SpecificationError(
                    f"{name}={getattr(self, name)!r} is not one of {', '.join(map(repr, allowed))}."
                )
        for name in ("random_slopes", "cross_level", "curvature"):
            if (chosen := getattr(self, name)) is not None and not isinstance(chosen, bool):
                raise SpecificationError(f"{name}={chosen!r} is not True or False.")
        check_one_authority(
            self.areas,
            random_slopes=self.random_slopes,
            cross_level=self.cross_level,
            curvature=self.curvature,
            regions=self.regions,
            authority_covariates=self.authority_covariates,
            moderators=self.moderators,
        )
        for name, usual in usual_terms(self.deprivation, several=self.random_levels).items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, usual)
        self._check_deprivation()
        self._check_shape()
        check_levels(
            self.areas,
            localities=self.localities,
            regions=self.regions,
            family=self.family,
            area_moderators=self.area_moderators,
        )
        check_bounds(
            self.areas,
            family=self.family,
            localities=self.localities,
            of_areas=self.shape != "line" or bool(self.covariates or self.area_moderators),
        )
        self._check_priors()
        object.__setattr__(self, "departures", self._departures())
        object.__setattr__(self, "designs", self._designs())
        check_regions_apart(self.areas, self.designs, regions=self.regions)
        check_covariate_priors(self.priors, self.designs)

    def _check_deprivation(self) -> None:
        """Refuse deprivation that the areas do not have, and terms that its choice leaves out."""
        if self.deprivation != "none" and not self.areas.has_deprivation:
            raise SpecificationError(
                f"deprivation={self.deprivation!r} needs the deprivation of areas, and these have "
                "none. Name its column, Areas.from_frame(..., deprivation=...), or fit the null "
                'model: GradientModel(areas, deprivation="none").'
            )
        if self.random_slopes and self.deprivation == "none":
            raise SpecificationError(
                "random_slopes=True needs deprivation in the model, but deprivation='none'. Leave "
                "random_slopes out, or choose deprivation='split' or 'pooled'."
            )
        for name in ("cross_level", "curvature"):
            if getattr(self, name) and self.deprivation != "split":
                raise SpecificationError(
                    f"{name}=True needs the between part, but deprivation={self.deprivation!r} has "
                    f"none. Leave {name} out, or choose deprivation='split'."
                )
        if self.deprivation == "none" and (self.moderators or self.area_moderators):
            raise SpecificationError(
                "moderators change the gradient, but deprivation='none' has none. Leave them out, "
                "or choose deprivation='split' or 'pooled'."
            )

    def __repr__(self) -> str:
        """Areas, and what was chosen beside them."""
        usual = usual_terms(self.deprivation, several=self.random_levels)
        return f"GradientModel({given_options(self, usual=usual)})"

    def __str__(self) -> str:
        """The same, and the equation."""
        return "\n".join([repr(self), *(f"    {line}" for line in equation(self))])

    def _repr_html_(self) -> str:
        rows = [
            (name, TERMS[name].meaning, self._prior_words(TERMS[name]))
            for name in terms_in(equation(self))
        ]
        header, caption = ("term", "meaning", "prior"), "Priors are per 10 points of deprivation"
        table = cells_table(header, rows, caption=caption)
        return heading(repr(self)) + block(equation(self)) + table

    def _prior_words(self, kind: TermKind) -> str:
        """The prior of a term, as it was given or is by default."""
        if kind.dim is not None:
            each = {repr(prior) for prior in self.coefficient_priors[kind.name]}
            return each.pop() if len(each) == 1 else "one for each column"
        prior = getattr(self.priors, kind.prior_name or kind.name)
        if prior is None:
            return "about the log of the crude rate, sd 1.5"
        if kind.prior == "correlation":
            return f"(r + 1) / 2 ~ Beta({prior:g}, {prior:g})"
        return repr(prior)

    @property
    def formulas(self) -> Formulas:
        """The formulas of the covariates."""
        if isinstance(self.within_between, str):
            raise SpecificationError(
                f"within_between={self.within_between!r} is one text. Expected a list: "
                f"[{self.within_between!r}]."
            )
        return Formulas(
            self.covariates,
            self.authority_covariates,
            self.moderators,
            self.area_moderators,
            tuple(self.within_between),
        )

    @property
    def random_levels(self) -> bool:
        """Whether authorities have levels of their own about the intercept: one alone has not."""
        return len(self.areas.authority) > 1

    @property
    def has_between(self) -> bool:
        """Whether the between part has a coefficient: with the split, of several authorities."""
        return self.deprivation == "split" and self.random_levels

    @property
    def within_part(self) -> FloatArray:
        """Within part of deprivation of each area."""
        return self._parts()[0]

    @property
    def between_part(self) -> FloatArray:
        """Between part of deprivation of each authority."""
        return self._parts()[1]

    def _parts(self) -> tuple[FloatArray, FloatArray]:
        areas = self.areas
        return split(
            areas.deprivation,
            authority_of_area=areas.authority_of_area,
            authority_mean=areas.authority_mean,
            national_mean=areas.national_mean,
            per=areas.per,
            pooled=self.deprivation != "split",
        )

    def _designs(self) -> Designs:
        within_part, b = self._parts()
        powers = [b] * self.has_between + [b * b] * self.curvature
        areas = self.areas
        columns = np.zeros((len(areas.area), 0))
        if self.departures is not None:
            columns = self.departures.at(areas.deprivation)
        made = checked_designs(
            areas,
            self.formulas,
            within_part=within_part * (self.deprivation != "none"),
            departures=columns,
            authority_terms=np.column_stack([*powers, np.zeros((len(b), 0))]),
        )
        if self.departures is None:
            return made
        names = self.departures.names
        return replace(made, departures=Columns(names, names, columns, np.zeros(len(names)), None))

    def _departures(self) -> Departures | None:
        areas = self.areas
        if self.shape == "line":
            return None
        if self.shape == "spline":
            knots = 5 if self.knots is None else self.knots
            return smooth_departures(areas.deprivation, areas.children, knots=knots)
        steps = departures_by_tenth(areas.deprivation, areas.children)
        tenths = np.arange(1, len(steps.weights))
        empty = np.setdiff1d(tenths, steps.tenth_of(areas.deprivation[areas.known]))
        if empty.size:
            warnings.warn(
                f"{empty.size} of {tenths.size} tenths of deprivation have no neighbourhood with "
                f"counts ({', '.join(map(str, empty))}): how far they depart from the line is "
                "what the prior says. shape='spline' borrows from the tenths beside them.",
                SocgradWarning,
                stacklevel=5,
            )
        return steps

    def _check_shape(self) -> None:
        """Refuse a shape that the model has no gradient for, or nothing to learn it from."""
        knots = self.knots
        if knots is not None and (
            self.shape != "spline" or isinstance(knots, bool) or knots not in KNOTS
        ):
            raise SpecificationError(
                f"knots={knots!r} with shape={self.shape!r}: expected a whole number from "
                f"{min(KNOTS)} to {max(KNOTS)}, with shape='spline' alone."
            )
        if self.shape == "line":
            return
        if self.deprivation == "none":
            raise SpecificationError(
                f"shape={self.shape!r} is the shape of a gradient, but deprivation='none' has "
                "none. Leave shape out, or choose deprivation='split' or 'pooled'."
            )
        if not self.areas.known.any():
            raise SpecificationError(
                f"shape={self.shape!r} needs counts by neighbourhood, and all "
                f"{len(self.areas.authority)} authorities are known only as totals, which say "
                "nothing of how rates change along deprivation inside them. Leave shape out."
            )

    @property
    def coefficient_priors(self) -> dict[str, tuple[Normal, ...]]:
        """The priors of the coefficients of covariates, per step, by name as in the schema."""
        return coefficient_priors(self.priors, self.designs, per=self.areas.per)

    @cached_property
    def intercept_prior(self) -> FloatArray:
        """Mean and sd of the prior of the intercept: by default about the log of the crude rate."""
        given = self.priors.intercept
        if given is not None:
            return np.array([given.mean, given.sd])
        return np.array([crude_log_rate(self.areas), 1.5])

    @property
    def step_priors(self) -> Priors:
        """The priors per step of the model, `Areas.per`."""
        return self.priors.per_step(self.areas.per)

    def _check_priors(self) -> None:
        """Refuse priors of absent terms, and a gradient that nothing would inform."""
        default = Priors()
        # A null model may share the priors of the model it is compared with.
        null = self.deprivation == "none"
        present = {
            "between": self.has_between or null,
            "cross_level": self.cross_level or null,
            "curvature": self.curvature or null,
            "departure": self.shape != "line" or null,
            "level_sd": self.random_levels,
            "slope_sd": self.random_slopes or null,
            "correlation": self.random_slopes or null,
            "overdispersion": self.family == "negative_binomial",
            "locality_sd": self.localities,
            "region_sd": self.regions,
        }
        idle = [
            name
            for name, there in present.items()
            if not there and getattr(self.priors, name) != getattr(default, name)
        ]
        if idle:
            raise SpecificationError(
                f"Priors are given for {', '.join(idle)}, which this model does not have "
                f"(authorities: {len(self.areas.authority):,}, family={self.family!r}, "
                f"deprivation={self.deprivation!r}, "
                f"random_slopes={self.random_slopes}, cross_level={self.cross_level}, "
                f"curvature={self.curvature}, shape={self.shape!r}, "
                f"localities={self.localities}, regions={self.regions}). Leave them out, or put "
                "the terms in."
            )
        if self.deprivation != "none":
            check_totals_priors(
                self.areas,
                self.priors,
                has_cross_level=bool(self.cross_level),
                has_slopes=bool(self.random_slopes),
            )
