"""An output checker's rules, as data."""

from dataclasses import dataclass
from typing import Final

from socgrad.errors import SpecificationError

__all__ = ["PRESETS", "Rules", "rules_of"]


@dataclass(frozen=True)
class Rules:
    """What outputs are checked against.

    Attributes
    ----------
    threshold : int
        A cell stands on at least so many events; 1 or more.
    zeros_are_disclosive : bool
        Whether a cell without any event is below the threshold, too.
    dominance : float
        No neighbourhood has more than this share of a cell's events; above 0, at most 1.
    rounding : int or None
        Counts are multiples of this number, each rounded by itself, totals too; None for no rule.
    degrees_of_freedom : int
        Estimates of a model rest on at least so many neighbourhoods or totals beyond its
        coefficients; 1 or more.

    Raises
    ------
    SpecificationError
        If a number is out of range.

    Examples
    --------
    >>> from socgrad import disclosure
    >>> disclosure.Rules(threshold=6, zeros_are_disclosive=False).dominance
    0.9
    """

    threshold: int = 10
    zeros_are_disclosive: bool = True
    dominance: float = 0.9
    rounding: int | None = None
    degrees_of_freedom: int = 10

    def __post_init__(self) -> None:
        """Check ranges."""
        for name in ("threshold", "degrees_of_freedom", "rounding"):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, int) and value >= 1):
                raise SpecificationError(f"{name} must be a whole number from 1; got {value!r}.")
        if not 0 < self.dominance <= 1:
            raise SpecificationError(
                f"dominance is {self.dominance!r}; expected a share above 0 and up to 1, such as "
                "0.9."
            )

    def is_small(self, events: float) -> bool:
        """Whether a cell of so many events is below the threshold."""
        return events < self.threshold and (events > 0 or self.zeros_are_disclosive)


#: Rules by name. Your data provider says which hold; these are common ones.
PRESETS: Final[dict[str, Rules]] = {
    "threshold_10": Rules(),
    "threshold_5": Rules(threshold=5, zeros_are_disclosive=False),
    "rounded_to_5": Rules(threshold=5, zeros_are_disclosive=False, rounding=5),
}


def rules_of(rules: Rules | str) -> tuple[str, Rules]:
    """Rules with their name, from either."""
    if isinstance(rules, Rules):
        return next((name for name, one in PRESETS.items() if one == rules), "own"), rules
    if rules not in PRESETS:
        raise SpecificationError(
            f"rules={rules!r} is no preset; expected {', '.join(map(repr, PRESETS))}, or a "
            "socgrad.disclosure.Rules of your own."
        )
    return rules, PRESETS[rules]
