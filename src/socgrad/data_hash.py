"""The hash of a fit's data, for those who wrote them and for those who read them."""

import hashlib
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from socgrad.arrays import FloatArray
from socgrad.coarsening.kernels import CoarsenedCounts

__all__ = ["data_digest"]


def data_digest(
    constants: Mapping[str, npt.ArrayLike],
    *,
    events: FloatArray,
    total_events: FloatArray,
    coarsened: CoarsenedCounts | None = None,
    coarsened_totals: CoarsenedCounts | None = None,
) -> str:
    """SHA-256 of all that the likelihood and the means read, labels included.

    Parameters
    ----------
    constants : mapping
        By their names in `socgrad.schema`: `area` and `authority` (labels), `authority_of_area`,
        `deprivation`, `children`, `exposure`, `authority_mean`, `national_mean` and `per`; where
        areas have localities, `locality` (labels) and `locality_of_area`. Regions are a part of
        the model, not of these data.
    events, total_events : ndarray
        Of areas and of authorities, NaN where not in the likelihood.
    coarsened, coarsened_totals : CoarsenedCounts, optional
        What is known of the counts of areas and of authorities, where some are within bounds.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()

    def add_labels(name: str) -> None:
        digest.update("\x1f".join(map(str, np.asarray(constants[name]).tolist())).encode())

    def add_numbers(values: npt.ArrayLike, kind: str) -> None:
        # -0.0 and 0.0 are the same number, and so are all NaN.
        plain = np.asarray(values, dtype=np.float64) + 0.0
        plain = np.where(np.isnan(plain), np.nan, plain)
        digest.update(np.ascontiguousarray(plain.astype(kind)).tobytes())

    for name in ("area", "authority"):
        add_labels(name)
    add_numbers(constants["authority_of_area"], "<i8")
    for name in ("deprivation", "children", "exposure", "authority_mean", "national_mean", "per"):
        add_numbers(constants[name], "<f8")
    for counts in (events, total_events):
        add_numbers(counts, "<f8")
    for name, known in (("coarsened", coarsened), ("coarsened_totals", coarsened_totals)):
        if known is not None:
            digest.update(name.encode())
            add_numbers(known.low, "<f8")
            add_numbers(known.high, "<f8")
            # Kernels in the order of the rows that have them: their own order says nothing.
            used, first = np.unique(known.kernel[known.is_interval], return_index=True)
            rank = np.full(len(known.kernels) + 1, -1)  # the last is for code -1
            rank[used[np.argsort(first)]] = np.arange(len(used))
            add_numbers(rank[known.kernel], "<i8")
            for code in used[np.argsort(first)].tolist():
                add_numbers(np.array(known.kernels[code].weight or ()), "<f8")
    if "locality" in constants and np.size(constants["locality"]):
        add_labels("locality")
        add_numbers(constants["locality_of_area"], "<i8")
    return digest.hexdigest()
