"""The terms of a model: one table of what can be estimated, read by both wings.

A term is a parameter, or the coefficients of a kind of columns, with what it acts on. All that
lists parameters derives its list from here: graph, densities, engines, manifest, schema, prior
draws and prior tables, and what may leave a secure place.
"""

from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["TERMS", "ActsOn", "PriorFamily", "TermKind"]

type ActsOn = Literal["level", "slope", "area level", "area slope", "spread"]
type PriorFamily = Literal["normal", "positive", "correlation"]


@dataclass(frozen=True)
class TermKind:
    """What a term is, whatever the model.

    Attributes
    ----------
    name : str
        Of its draws in group `posterior`.
    acts_on : {"level", "slope", "area level", "area slope", "spread"}
        The level or the slope of authorities, those of single areas, or how far something spreads.
    prior : {"normal", "positive", "correlation"}
        Family of its prior: normal, normal above zero, or (term + 1) / 2 ~ Beta(c, c).
    meaning : str
        In words, with its unit.
    scale : str
        What its values are shown as in tables of priors.
    dim : str or None
        The dim of its columns; None of a single number.
    steps : int
        Powers of the step of deprivation in its unit.
    prior_name : str
        Of its prior in `Priors`, if that has another name.
    may_leave : bool
        Whether its draws may leave a secure place without the counts.
    """

    name: str
    acts_on: ActsOn
    prior: PriorFamily
    meaning: str
    scale: str
    dim: str | None = None
    steps: int = 0
    prior_name: str = ""
    may_leave: bool = True


def _kinds() -> tuple[TermKind, ...]:
    ratio, squared = "ratio per 10 points", "ratio per 10 points squared"
    return (
        TermKind(
            "intercept",
            "level",
            "normal",
            "log events per unit of exposure, average authority at its mean deprivation",
            "events per 10,000",
        ),
        TermKind(
            "within",
            "slope",
            "normal",
            "log rate ratio per step of deprivation, between neighbourhoods of one authority",
            ratio,
            steps=1,
        ),
        TermKind(
            "pooled",
            "slope",
            "normal",
            "log rate ratio per step of deprivation, within and between not told apart",
            ratio,
            steps=1,
            prior_name="within",
        ),
        TermKind(
            "between",
            "level",
            "normal",
            "log rate ratio per step of authority mean deprivation",
            ratio,
            steps=1,
        ),
        TermKind(
            "curvature",
            "level",
            "normal",
            "log rate per squared step of authority mean deprivation",
            squared,
            steps=2,
        ),
        TermKind(
            "cross_level",
            "slope",
            "normal",
            "change of the log gradient per step of authority mean deprivation",
            squared,
            steps=2,
        ),
        TermKind(
            "level_sd",
            "spread",
            "positive",
            "standard deviation of authority levels, log rate",
            "log rate",
        ),
        TermKind(
            "slope_sd",
            "spread",
            "positive",
            "standard deviation of authority slopes, log rate ratio per step",
            "log ratio per 10 points",
            steps=1,
        ),
        TermKind(
            "correlation",
            "spread",
            "correlation",
            "correlation of authority levels and slopes",
            "correlation",
        ),
        TermKind(
            "overdispersion",
            "spread",
            "positive",
            "coefficient of variation of neighbourhood rates about the model",
            "coefficient of variation",
        ),
        TermKind(
            "locality_sd",
            "spread",
            "positive",
            "coefficient of variation of localities' rates about their authority's line",
            "coefficient of variation",
        ),
        TermKind(
            "region_sd",
            "spread",
            "positive",
            "standard deviation of regions' levels, log rate",
            "log rate",
        ),
        TermKind(
            "covariate_coefficient",
            "area level",
            "normal",
            "log rate ratio per unit of an area covariate",
            "rate ratio per unit",
            dim="covariate",
        ),
        TermKind(
            "authority_covariate_coefficient",
            "level",
            "normal",
            "log rate ratio per unit of an authority covariate",
            "rate ratio per unit",
            dim="authority_covariate",
        ),
        TermKind(
            "moderator_coefficient",
            "slope",
            "normal",
            "change of the log gradient per unit of an authority covariate",
            "ratio of gradients per 10 points",
            dim="moderator",
            steps=1,
        ),
        TermKind(
            "area_moderator_coefficient",
            "area slope",
            "normal",
            "change of the log gradient per unit of an area covariate",
            "ratio of gradients per 10 points",
            dim="area_moderator",
            steps=1,
        ),
        TermKind(
            "departure_coefficient",
            "area level",
            "normal",
            "departure from a log-linear gradient, log rate per unit of its column",
            "ratio to the line's rate, per unit",
            dim="departure",
        ),
    )


#: By name, in the order in which tables show them.
TERMS: Final[dict[str, TermKind]] = {kind.name: kind for kind in _kinds()}
