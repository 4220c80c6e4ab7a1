"""What is written beside a fit: what it is of, whether it came to be, what speaks against it."""

import hmac
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final, Literal, Self

__all__ = ["FitRecord"]

_SEAL: Final = "seal"


@dataclass(frozen=True, kw_only=True)
class FitRecord:
    """One fit of many, in words and numbers.

    Attributes
    ----------
    key : str
        Its name in the plan.
    state : {"fitted", "failed"}
    fingerprint : str
        Of data, model, options, seed and version; empty where no model came to be.
    contents : str
        Keyed hash of the fit's file; empty where there is none.
    random_seed : int
    about : mapping
        What the plan says of it: the row of its table.
    sampler : str
        Name of the sampler that drew.
    warnings : list of pairs
        Class and words of each warning of socgrad.
    doubt : str
        What speaks against the draws, in words; empty where nothing does.
    error, traceback : str
        Why there is no fit, and in which lines of code.
    seconds : mapping
        Seconds of each step: "model" (read and check its table), "fit", "check", "save".
    peak_mb : float or None
        Largest memory of the process so far, where the system says it.
    """

    key: str
    state: Literal["fitted", "failed"]
    random_seed: int
    fingerprint: str = ""
    contents: str = ""
    about: Mapping[str, Any] = field(default_factory=dict)
    sampler: str = ""
    warnings: list[tuple[str, str]] = field(default_factory=list)
    doubt: str = ""
    error: str = ""
    traceback: str = ""
    seconds: Mapping[str, float] = field(default_factory=dict)
    peak_mb: float | None = None

    def sealed(self, secret: bytes) -> bytes:
        """JSON of the record with a keyed hash of it, which finds damage and forgery."""
        held = asdict(self)
        return json.dumps(held | {_SEAL: _seal(secret, held)}, indent=1, default=str).encode()

    @classmethod
    def opened(cls, content: bytes, secret: bytes) -> Self | None:
        """Read what `sealed` wrote; None where it is not as it was written."""
        try:
            held = json.loads(content)
            seal = held.pop(_SEAL)
            if not hmac.compare_digest(seal, _seal(secret, held)):
                return None
            return cls(**{each.name: held[each.name] for each in fields(cls)})
        except (ValueError, KeyError, TypeError, AttributeError):
            return None


def _seal(secret: bytes, held: Mapping[str, Any]) -> str:
    plain = json.dumps(held, sort_keys=True, default=str)
    return hmac.digest(secret, b"record:" + plain.encode(), "sha256").hex()
