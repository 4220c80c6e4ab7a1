"""Counts whose localities share a factor that has no closed form, as likelihood data."""

import numpy as np
import numpy.typing as npt

from socgrad.arrays import BoolArray
from socgrad.model.gradient_model import GradientModel

__all__ = ["shared_counts", "without_closed_form"]


def without_closed_form(model: GradientModel) -> BoolArray:
    """Which areas stand in a locality whose factor cannot be integrated out by a formula.

    That of known Poisson counts can. Where areas have factors of their own, too, or where one of
    them is known within bounds, the integral is taken numerically
    (`socgrad.laws.shared_factors`).
    """
    areas = model.areas
    if not model.localities:
        return np.zeros(len(areas.area), dtype=bool)
    if model.family == "negative_binomial":
        return np.ones(len(areas.area), dtype=bool)
    held = np.zeros(len(areas.locality), dtype=bool)
    held[areas.locality_of_area[areas.known & ~areas.counted]] = True
    found: BoolArray = held[areas.locality_of_area]
    return found


def shared_counts(model: GradientModel) -> dict[str, tuple[tuple[str, ...], npt.ArrayLike]]:
    """Rows of these localities, one for each area of which something is known; empty without any.

    `shared_kernel` is -1 where events are known; `shared_locality` is the place of a row's locality
    among those of `shared_locality_authority`.
    """
    areas = model.areas
    at = np.flatnonzero(without_closed_form(model) & areas.known)
    if not len(at):
        return {}
    present, locality = np.unique(areas.locality_of_area[at], return_inverse=True)
    counted = areas.counted[at]
    kernel = np.full(len(at), -1, dtype=np.int64)
    if areas.coarsened is not None:
        kernel = np.where(counted, kernel, areas.coarsened.kernel[at])
    return {
        "shared_position": (("shared_area",), at),
        "shared_locality": (("shared_area",), locality.astype(np.int64)),
        "shared_within": (("shared_area",), model.within_part[at]),
        "shared_log_exposure": (("shared_area",), np.log(areas.exposure[at])),
        "shared_events": (("shared_area",), np.where(counted, areas.events[at], 0.0)),
        "shared_kernel": (("shared_area",), kernel),
        "shared_locality_authority": (
            ("shared_locality_place",),
            areas.authority_of_locality[present],
        ),
    }
