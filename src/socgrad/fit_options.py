"""The options of a fit, as one value that is checked where it is made."""

from dataclasses import dataclass
from numbers import Integral
from typing import Final

from socgrad.engines.choice import Method
from socgrad.errors import SpecificationError

__all__ = ["FitOptions", "check_seed"]

_METHODS: Final = ("nuts", "laplace", "auto")


@dataclass(frozen=True, kw_only=True)
class FitOptions:
    """How to fit, as `socgrad.fit` describes it.

    Raises
    ------
    SpecificationError
        If an option is out of range, or concerns NUTS only and `method` is "laplace".
    """

    method: Method = "auto"
    draws: int = 1000
    tune: int | None = None
    chains: int = 4
    cores: int | None = None
    target_accept: float | None = None

    def __post_init__(self) -> None:
        if self.method not in _METHODS:
            raise SpecificationError(
                f"method={self.method!r} is not an engine; expected "
                f"{', '.join(map(repr, _METHODS))}."
            )
        given = {"tune": self.tune, "target_accept": self.target_accept}
        idle = [name for name, value in given.items() if value is not None]
        if self.method == "laplace" and idle:
            raise SpecificationError(
                f"{', '.join(idle)}: NUTS only, and method='laplace' would ignore it. Leave it "
                "out, or choose method='nuts' or 'auto'."
            )
        for name in ("draws", "tune", "chains", "cores"):
            _check_whole(name, getattr(self, name), least=1)
        if self.target_accept is not None and not 0 < self.target_accept < 1:
            raise SpecificationError(
                f"target_accept must lie between 0 and 1; got {self.target_accept}."
            )


def check_seed(random_seed: int | None) -> None:
    """Refuse a seed that is no whole number of at least 0; None is none."""
    _check_whole("random_seed", random_seed, least=0)


def _check_whole(name: str, value: object, *, least: int) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise SpecificationError(f"{name} must be a whole number; got {value!r}.")
    if value < least:
        raise SpecificationError(f"{name} must be at least {least}; got {value}.")
