"""Priors, stated as rate ratios per 10 percentage points of deprivation.

Coefficients are log rate ratios with normal priors; standard deviations have half-normal priors
(or, for a value known from elsewhere, a normal truncated at zero). The defaults are weakly
informative: they rule out ratios that no social gradient has, and keep standard deviations off the
boundary.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import NormalDist

from socgrad.concise import given_options
from socgrad.errors import SpecificationError

__all__ = ["Normal", "PositiveNormal", "Priors", "rate_ratio"]

# An interval is read as that of a log-normal. This share of its log width may lie unevenly about
# the median, which covers published figures rounded to two decimals.
_ASYMMETRY = 0.10


@dataclass(frozen=True)
class Normal:
    """A normal prior for a log rate ratio (or for a log rate).

    Attributes
    ----------
    mean, sd : float
        On the log scale, per 10 points of deprivation; `sd` above 0.

    Examples
    --------
    >>> Normal(0.0, 0.5).interval()
    (0.375..., 2.664...)
    """

    mean: float
    sd: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.mean) and math.isfinite(self.sd) and self.sd > 0):
            raise SpecificationError(
                f"A normal prior needs a finite mean and sd > 0; got mean={self.mean}, "
                f"sd={self.sd}. To leave a term out, say so in GradientModel."
            )

    def interval(self, prob: float = 0.95) -> tuple[float, float]:
        """Equal-tailed prior interval as rate ratios."""
        half = NormalDist().inv_cdf(0.5 + prob / 2) * self.sd
        return math.exp(self.mean - half), math.exp(self.mean + half)


@dataclass(frozen=True)
class PositiveNormal:
    """A normal prior truncated at zero, for a standard deviation; half-normal when `mean` is 0.

    Attributes
    ----------
    mean : float
        Of the normal before truncation, at least 0.
    sd : float
        Of the normal before truncation, above 0. `PositiveNormal(0.12, 0.001)` all but fixes it.

    Examples
    --------
    >>> PositiveNormal(0.0, 0.25)
    PositiveNormal(mean=0.0, sd=0.25)
    """

    mean: float
    sd: float

    def __post_init__(self) -> None:
        if not (0 <= self.mean < math.inf and 0 < self.sd < math.inf):
            raise SpecificationError(
                "The prior of a standard deviation needs mean >= 0 and sd > 0; got "
                f"mean={self.mean}, sd={self.sd}."
            )


def rate_ratio(median: float, *, interval: tuple[float, float], prob: float = 0.95) -> Normal:
    """Prior for a coefficient from a rate ratio and its interval, as published.

    Parameters
    ----------
    median : float
        Rate ratio per 10 points of deprivation, whatever the model's own step; above 0.
    interval : tuple of float
        Its equal-tailed interval; must hold the median at about its middle on the log scale.
    prob : float
        Probability of the interval, between 0 and 1.

    Returns
    -------
    Normal
        With mean log(median) and sd = log(upper / lower) / (2 z), z the normal quantile of
        (1 + prob) / 2.

    Raises
    ------
    SpecificationError
        If the values are not positive and ordered, or so lopsided that no log-normal has them.

    Examples
    --------
    The gradient of child protection plans as published, 1.80 (1.65 to 1.96):

    >>> prior = rate_ratio(1.80, interval=(1.65, 1.96))
    >>> round(prior.mean, 3), round(prior.sd, 3)
    (0.588, 0.044)
    """
    try:
        lower, upper = map(float, interval)
        median, prob = float(median), float(prob)
    except (TypeError, ValueError) as error:
        raise SpecificationError(
            f"rate_ratio needs numbers, such as rate_ratio(1.8, interval=(1.65, 1.96)); got "
            f"median={median!r}, interval={interval!r}, prob={prob!r}."
        ) from error
    if not (0 < lower < median < upper < math.inf and 0 < prob < 1):
        raise SpecificationError(
            "rate_ratio needs 0 < lower < median < upper and 0 < prob < 1; got "
            f"median={median}, interval=({lower}, {upper}), prob={prob}."
        )
    width = math.log(upper / lower)
    lopsided = abs(math.log(median) - (math.log(lower) + math.log(upper)) / 2) / width
    if lopsided > _ASYMMETRY:
        raise SpecificationError(
            f"The median {median} is not near the middle of ({lower}, {upper}) on the log scale "
            f"(its middle is {math.sqrt(lower * upper):.4g}), so no log-normal prior has both. "
            "Pass the geometric middle, or Normal(mean, sd) on the log scale."
        )
    return Normal(math.log(median), width / (2 * NormalDist().inv_cdf(0.5 + prob / 2)))


@dataclass(frozen=True, kw_only=True, repr=False)
class Priors:
    """The prior of every parameter; change one with `dataclasses.replace` or a keyword.

    Attributes
    ----------
    within, between : Normal
        Log rate ratios per 10 points of neighbourhood deprivation within an authority, and of
        authority mean deprivation. `within` is also the prior of the single coefficient when within
        and between are pooled.
    cross_level : Normal
        Change of the log gradient per 10 points of authority mean deprivation.
    curvature : Normal
        Log rate per squared 10 points of authority mean deprivation.
    departure : Normal
        Departure of a neighbourhood from the line, log rate, as its root mean square over children:
        with Normal(0, 0.2) rates are 0.68 to 1.48 times the line's (95%). Its mean is 0. Only where
        the gradient is non-linear.
    intercept : Normal or None
        Log events per unit of exposure. None centres it at the log of the crude rate, sd 1.5.
    level_sd, slope_sd : PositiveNormal
        Standard deviations of authority levels and of their log gradients per 10 points.
    covariates : dict of str to Normal
        Log rate ratio per unit of a covariate (of areas or authorities), by the name of its column,
        or of its term in the formula for all columns of that. Normal(0, 0.5) where not named.
    moderators : dict of str to Normal
        Change of the log gradient per 10 points, per unit of a moderator, in the same way.
        Normal(0, 0.2) where not named.
    correlation : float
        (correlation + 1) / 2 ~ Beta(correlation, correlation); 1 is uniform, larger values pull
        towards 0. Above 0.
    overdispersion : PositiveNormal
        Coefficient of variation of neighbourhood rates about the model (negative binomial only).
    locality_sd : PositiveNormal
        Coefficient of variation of localities' rates about their authority's line (with localities
        only).
    region_sd : PositiveNormal
        Standard deviation of regions' levels (with regions only). Few regions say little of it.

    Examples
    --------
    Gradient known from the literature (for authority totals: `socgrad.published.priors`):

    >>> Priors(within=rate_ratio(1.80, interval=(1.65, 1.96))).within.interval()
    (1.65..., 1.96...)
    """

    within: Normal = field(default=Normal(0.0, 0.5))
    between: Normal = field(default=Normal(0.0, 0.5))
    cross_level: Normal = field(default=Normal(0.0, 0.2))
    curvature: Normal = field(default=Normal(0.0, 0.2))
    departure: Normal = field(default=Normal(0.0, 0.2))
    intercept: Normal | None = None
    level_sd: PositiveNormal = field(default=PositiveNormal(0.0, 0.5))
    slope_sd: PositiveNormal = field(default=PositiveNormal(0.0, 0.25))
    correlation: float = 2.0
    overdispersion: PositiveNormal = field(default=PositiveNormal(0.0, 0.5))
    locality_sd: PositiveNormal = field(default=PositiveNormal(0.0, 0.5))
    region_sd: PositiveNormal = field(default=PositiveNormal(0.0, 0.25))
    covariates: Mapping[str, Normal] = field(default_factory=dict)
    moderators: Mapping[str, Normal] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Those that are not as they are by default."""
        return f"Priors({given_options(self)})"

    def __post_init__(self) -> None:
        for name in ("covariates", "moderators"):
            given = getattr(self, name)
            if not isinstance(given, Mapping) or not all(
                isinstance(prior, Normal) for prior in given.values()
            ):
                raise SpecificationError(
                    f"Priors.{name} must be a dict of names to Normal; got {given!r}. For example "
                    f"{name}={{'rural[yes]': rate_ratio(0.9, interval=(0.7, 1.15))}}."
                )
            object.__setattr__(self, name, dict(given))
        if not 0 < self.correlation < math.inf:
            raise SpecificationError(
                f"Priors.correlation is the concentration of a beta distribution and must be above "
                f"0; got {self.correlation}."
            )
        for name, kind in _KINDS.items():
            value = getattr(self, name)
            if not isinstance(value, kind) and not (name == "intercept" and value is None):
                example = kind(0.0, 0.5)
                raise SpecificationError(
                    f"Priors.{name} must be a {kind.__name__}; got {value!r}. For example {example}"
                    + (", or rate_ratio(1.5, interval=(1.2, 1.9))." if kind is Normal else ".")
                )

        if self.departure.mean != 0:
            raise SpecificationError(
                f"Priors.departure has mean {self.departure.mean:g}; expected 0, since the columns "
                "of departures have no direction that is expected beforehand. Its sd says how far "
                "a neighbourhood may lie off the line: Normal(0.0, 0.2)."
            )

    def per_step(self, per: float) -> "Priors":
        """The same priors for a model whose step of deprivation is `per`.

        Parameters
        ----------
        per : float
            Step, a proportion above 0; 0.10 leaves the priors as they are.

        Returns
        -------
        Priors
            Coefficients and slope SD times per / 0.10; `cross_level` and `curvature`, which are
            per step of two things, times its square; those of `moderators` stay as they are, for
            `of_moderators` to scale. So the step is a choice of units alone.
        """
        k = per / 0.10
        scaled = {
            name: type(prior)(prior.mean * factor, prior.sd * factor)
            for factor, names in ((k, ("within", "between", "slope_sd")), (k * k, _SQUARED))
            for name, prior in ((name, getattr(self, name)) for name in names)
        }
        return replace(self, **scaled)

    def of_covariates(self, names: Sequence[str], terms: Sequence[str]) -> tuple[Normal, ...]:
        """Prior of each column that changes the level: its own, its term's, or the default.

        Parameters
        ----------
        names, terms : sequence of str
            Of the columns.
        """
        return _chosen(self.covariates, names, terms, Normal(0.0, 0.5))

    def of_moderators(
        self, names: Sequence[str], terms: Sequence[str], *, per: float
    ) -> tuple[Normal, ...]:
        """Prior of each column that changes the gradient, for a model of step `per`.

        Parameters
        ----------
        names, terms : sequence of str
            Of the columns.
        per : float
            Step, a proportion above 0; 0.10 leaves the priors as they are.
        """
        chosen = _chosen(self.moderators, names, terms, Normal(0.0, 0.2))
        k = per / 0.10
        return tuple(Normal(prior.mean * k, prior.sd * k) for prior in chosen)


def _chosen(
    given: Mapping[str, Normal], names: Sequence[str], terms: Sequence[str], default: Normal
) -> tuple[Normal, ...]:
    return tuple(
        given.get(name, given.get(term, default)) for name, term in zip(names, terms, strict=True)
    )


_SQUARED = ("cross_level", "curvature")
_KINDS = {
    "within": Normal,
    "between": Normal,
    "cross_level": Normal,
    "curvature": Normal,
    "departure": Normal,
    "intercept": Normal,
    "level_sd": PositiveNormal,
    "slope_sd": PositiveNormal,
    "overdispersion": PositiveNormal,
    "locality_sd": PositiveNormal,
    "region_sd": PositiveNormal,
}
