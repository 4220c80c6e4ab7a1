"""The specification of a gradient model of several strata."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from socgrad.concise import given_options
from socgrad.departures import Shape
from socgrad.equality import ComparedAsAWhole
from socgrad.errors import SocgradWarning, SpecificationError
from socgrad.model.drift import Drift, National
from socgrad.model.equations import equation
from socgrad.model.gradient_model import Deprivation, Family, GradientModel, usual_terms
from socgrad.model.over_years import OverYears
from socgrad.model.priors import Priors
from socgrad.notebooks.html import block, heading
from socgrad.table.panel import Panel
from socgrad.table.strata import Strata

__all__ = ["AuthorityEffects", "Correlations", "StratifiedModel"]

type AuthorityEffects = Literal["independent", "joint"] | Drift

# Fewer say little of an autocorrelation.
_FEW_YEARS = 6
type Correlations = Literal["full", "factor"]


@dataclass(frozen=True, eq=False, repr=False)
class StratifiedModel(ComparedAsAWhole):
    """A gradient model of each stratum, with the same terms: a value, nothing is computed yet.

    Parameters
    ----------
    strata : Strata
        The validated counts.
    authority_effects : {"independent", "joint"} or Drift
        "independent": each stratum is a model of its own. "joint": the authorities' levels and
        slopes of all strata are correlated, so that strata inform each other and contrasts between
        them carry what authorities have in common. `years.Drift(...)`, of the years of a panel: a
        constant part of each authority and what drifts about it.
    correlations : {"full", "factor"}
        Of joint authority effects. "full": any correlation matrix. "factor": one common factor of
        levels, one of slopes, and parts of each stratum's own; see Notes.
    national : National, optional
        Of a panel whose years are fitted together: how national coefficients go from year to year.
        By default each year has its own prior, which what all years share then meets as many times
        as there are years: choose `years.National()` unless years are to stand for themselves.
    family, deprivation, random_slopes, cross_level, curvature, shape, knots
        As in `GradientModel`, for all strata.
    covariates, authority_covariates, moderators, area_moderators, within_between
        As in `GradientModel`: one formula for all strata, coefficients of each.
    localities, regions : bool
        As in `GradientModel`: each stratum has its own factors of localities, and effects of
        regions.
    priors : Priors or mapping
        Priors of every stratum, or of each, by its label.

    Attributes
    ----------
    models : mapping
        The `GradientModel` of each stratum.

    Raises
    ------
    SpecificationError
        As `GradientModel` does, naming the stratum; if `authority_effects` is unknown; if priors by
        label do not name the strata; if authority effects are joint, and priors of the correlation
        differ between strata; if `correlations` is given for independent ones, or two factors are
        asked for without random slopes.

    Warns
    -----
    SocgradWarning
        As `GradientModel` does, once for all strata.

    Notes
    -----
    ::

        log rate_is = level_js + slope_js * w_i      for stratum s of neighbourhood i, authority j

    Each stratum has its own intercept, within, between and cross-level terms and its own exposure;
    within and between parts are those of the place, shared by all strata.

    Joint authority effects are one normal vector per authority, its levels in all strata and its
    slopes in all strata, with a standard deviation each. Their correlations are ::

        "full"     LKJ(Priors.correlation): each of S (2 S - 1) correlations
                   (r + 1) / 2 ~ Beta(Priors.correlation + S - 1, the same)
        "factor"   level_s / sd = a_s F + own part,  slope_s / sd = c_s G + own part;
                   a, c ~ Uniform(-1, 1), and corr(F, G), corr(own parts) as Priors.correlation

    The LKJ prior draws correlations towards zero, the more the more strata there are: its standard
    deviation is 0.28 for 5 strata and 0.19 for 12. It takes many authorities with many events to
    overrule it. The factors have 4 S + 1 numbers and far less of a pull, and assume that strata
    differ only in how much of one common pattern they share: what two neighbouring stages have in
    common beyond that is missed. With 100 authorities and five strata whose levels correlate by
    0.8, full correlations came out 0.12 to 0.18 too low, and those by factors right within 0.03:
    fit both where the correlations themselves are the question (docs/validation.md).

    References
    ----------
    Lewandowski, Kurowicka & Joe 2009, Journal of Multivariate Analysis 100(9), doi
    10.1016/j.jmva.2009.04.008.

    Examples
    --------
    >>> import pandas as pd
    >>> import socgrad as sg
    >>> from socgrad.model.stratified_model import StratifiedModel
    >>> frame = sg.simulate(authorities=8, areas=200, random_seed=1).frame
    >>> strata = sg.Strata.from_stages(
    ...     frame.assign(half=frame["referral"] // 2), area="area", authority="authority",
    ...     deprivation="deprivation", children="children", stages=["referral", "half"],
    ...     complete=True,
    ... )
    >>> model = StratifiedModel(strata)
    >>> list(model.models), model.models["half"].cross_level
    (['referral', 'half'], True)
    """

    strata: Strata
    authority_effects: AuthorityEffects = field(default="independent", kw_only=True)
    correlations: Correlations = field(default="full", kw_only=True)
    national: National | None = field(default=None, kw_only=True)
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
    priors: Priors | Mapping[Any, Priors] = field(default=Priors(), kw_only=True)
    models: Mapping[Any, GradientModel] = field(init=False, repr=False)

    def __repr__(self) -> str:
        """Strata, and what was chosen beside them."""
        several = self.models[self.strata.labels[0]].random_levels
        usual = usual_terms(self.deprivation, several=several)
        return f"StratifiedModel({given_options(self, usual=usual)})"

    def __str__(self) -> str:
        """The same, and the equation of a stratum."""
        return "\n".join([repr(self), *(f"    {line}" for line in self._equation())])

    def _repr_html_(self) -> str:
        return heading(repr(self)) + block(self._equation())

    def _equation(self) -> tuple[str, ...]:
        """The equation of each stratum, and how the effects of all of them go together."""
        one = self.models[self.strata.labels[0]]
        if self.authority_effects == "independent":
            return (*equation(one), "each stratum by itself")
        if self.authority_effects == "joint":
            effects = f"effects of all strata ~ Normal(0, Sigma), {self.correlations} correlations"
        else:
            effects = f"effects of all years: {self.authority_effects!r}"
        return equation(one, effects=effects)

    def __post_init__(self) -> None:
        if not isinstance(self.strata, Strata):
            raise SpecificationError(
                f"StratifiedModel needs Strata, got {type(self.strata).__name__}. Make strata of "
                "the table first: Strata.from_stages(...) or Strata.from_long(...); one "
                "stratum alone is a GradientModel."
            )
        drifts = isinstance(self.authority_effects, Drift)
        if not drifts and self.authority_effects not in ("independent", "joint"):
            raise SpecificationError(
                f"authority_effects={self.authority_effects!r} is unknown; expected 'independent', "
                "'joint', or, of the years of a panel, years.Drift(...)."
            )
        object.__setattr__(self, "models", MappingProxyType(self._models()))
        first = self.models[self.strata.labels[0]]
        for name in ("random_slopes", "cross_level"):
            object.__setattr__(self, name, getattr(first, name))
        if self.correlations not in ("full", "factor"):
            raise SpecificationError(
                f"correlations={self.correlations!r} is unknown; expected 'full' or 'factor'."
            )
        if self.is_joint:
            self._check_joint()
            self._check_years()
        elif self.national is not None:
            raise SpecificationError(
                "national ties the coefficients of years, and authority_effects='independent' fits "
                "each year by itself. Leave it out, or choose authority_effects=years.Drift(...) "
                "or 'joint'."
            )
        elif self.correlations != "full":
            raise SpecificationError(
                f"correlations={self.correlations!r} is of joint authority effects, and "
                "authority_effects='independent' has none between strata. Leave it out, or choose "
                "authority_effects='joint'."
            )

    @property
    def is_joint(self) -> bool:
        """Whether all strata are fitted together."""
        return self.authority_effects != "independent"

    @property
    def over_years(self) -> OverYears | None:
        """What ties the years of a panel that are fitted together; None of other strata."""
        if not isinstance(self.strata, Panel) or not self.is_joint:
            return None
        given = self.authority_effects
        return OverYears(
            np.array(self.strata.labels, dtype=np.float64),
            self.strata.breaks,
            given if isinstance(given, Drift) else None,
            self.national,
            bool(self.random_slopes),
            self.strata.first.per,
        )

    def _check_years(self) -> None:
        """Refuse what is said of years where there are none, or not these."""
        drift = self.authority_effects if isinstance(self.authority_effects, Drift) else None
        given = {"authority_effects=years.Drift(...)": drift, "national": self.national}
        if not isinstance(self.strata, Panel):
            if said := [name for name, value in given.items() if value is not None]:
                raise SpecificationError(
                    f"{' and '.join(said)} is of the years of a panel, and these strata are no "
                    "years. Make a years.Panel of them, or choose authority_effects='joint'."
                )
            return
        if drift is not None and self.correlations != "full":
            raise SpecificationError(
                f"correlations={self.correlations!r} is of authority_effects='joint': the drift "
                "says by itself how years hang together. Leave it out."
            )
        years = self.strata.labels
        for name, value in given.items():
            breaks = () if value is None or value.breaks is None else value.breaks
            if strangers := [year for year in breaks if not years[0] < year <= years[-1]]:
                raise SpecificationError(
                    f"breaks of {name} name {', '.join(map(str, strangers))}. Expected years after "
                    f"{years[0]}, up to {years[-1]}: the first of what is not comparable with the "
                    "years before."
                )
        if drift is not None and drift.has_autocorrelation and len(years) < _FEW_YEARS:
            warnings.warn(
                f"{len(years)} years say little of an autocorrelation: what a fit gives is near "
                f"the prior, Beta{drift.autocorrelation} of (autocorrelation + 1) / 2. Report it "
                "as such, or choose years.Drift(levels='random walk', slopes='random walk').",
                SocgradWarning,
                stacklevel=4,
            )

    def _check_joint(self) -> None:
        """Refuse what joint effects of authorities cannot mean."""
        if len(self.strata.first.authority) == 1:
            if isinstance(self.authority_effects, Drift):
                raise SpecificationError(
                    "years.Drift says how authorities move beside the nation, and these areas are "
                    f"of a single authority ({self.strata.first.authority[0]}), which is the "
                    "nation. Choose authority_effects='independent': each year is then fitted by "
                    "itself, and years.change compares them."
                )
            raise SpecificationError(
                "authority_effects='joint' correlates how authorities differ in one stratum with "
                "how they differ in another, and these areas are of a single authority "
                f"({self.strata.first.authority[0]}). Choose authority_effects='independent': "
                "given its lines, the counts of one authority's strata are independent."
            )
        if self.correlations == "factor" and not self.random_slopes:
            raise SpecificationError(
                "correlations='factor' has one factor of levels and one of slopes, and this model "
                "has no slopes of authorities (random_slopes=False). Choose correlations='full', "
                "or put the slopes in."
            )
        differ = {model.priors.correlation for model in self.models.values()}
        if len(differ) > 1:
            raise SpecificationError(
                f"Priors.correlation has {len(differ)} values ({sorted(differ)}), and joint "
                "authority effects have one prior for all correlations. Give all strata the same."
            )

    def _models(self) -> dict[Any, GradientModel]:
        priors = self._priors_by_label()
        models: dict[Any, GradientModel] = {}
        said: dict[str, list[Any]] = {}
        for label, areas in self.strata.items():
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                try:
                    models[label] = GradientModel(
                        areas,
                        family=self.family,
                        deprivation=self.deprivation,
                        random_slopes=self.random_slopes,
                        cross_level=self.cross_level,
                        curvature=self.curvature,
                        shape=self.shape,
                        knots=self.knots,
                        covariates=self.covariates,
                        authority_covariates=self.authority_covariates,
                        moderators=self.moderators,
                        area_moderators=self.area_moderators,
                        within_between=self.within_between,
                        localities=self.localities,
                        regions=self.regions,
                        priors=priors[label],
                    )
                except SpecificationError as error:
                    raise SpecificationError(f"Stratum {label!r}: {error}") from error
            for one in caught:
                said.setdefault(str(one.message), []).append(label)
        for words, where in said.items():
            warnings.warn(
                f"In {len(where)} of {len(models)} strata ({', '.join(map(str, where))}): {words}",
                SocgradWarning,
                # Up through __post_init__ and the generated __init__ to the caller's line.
                stacklevel=4,
            )
        return models

    def _priors_by_label(self) -> dict[Any, Priors]:
        labels = self.strata.labels
        if isinstance(self.priors, Priors):
            return dict.fromkeys(labels, self.priors)
        if not isinstance(self.priors, Mapping):
            raise SpecificationError(
                f"priors is a {type(self.priors).__name__}; expected Priors, or a mapping from "
                "each stratum to its Priors."
            )
        lacking = [label for label in labels if label not in self.priors]
        strangers = [label for label in self.priors if label not in labels]
        if lacking or strangers:
            raise SpecificationError(
                f"priors lack {len(lacking)} of {len(labels)} strata ({lacking or 'none'}) and "
                f"name {len(strangers)} that are not there ({strangers or 'none'}). Give Priors "
                "for each stratum by its label, or one Priors for all."
            )
        return dict(self.priors)
