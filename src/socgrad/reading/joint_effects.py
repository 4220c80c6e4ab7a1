"""Correlations of the effects of one authority in all strata of a joint fit.

A stratum that is taken out of the fit keeps them, so that an authority that was not observed is one
and the same, whichever stratum asks for it.
"""

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr

from socgrad.schema import CORRELATIONS

__all__ = ["JOINT_GROUP", "JointEffects", "joint_effects", "joint_group"]

type Floats = npt.NDArray[np.float64]

#: Group of a stratum's tree that holds the correlations between all strata of its fit.
JOINT_GROUP = "joint_effects"


@dataclass(frozen=True, eq=False)
class JointEffects:
    """Correlations of levels, then slopes, of all strata, and which stratum this is.

    `correlations` has shape (chain, draw, 2 strata, 2 strata), `position` is that of the stratum.
    """

    correlations: Floats
    position: int

    @property
    def loadings(self) -> tuple[Floats, Floats]:
        """What makes this stratum's standardised level and slope of independent normal numbers.

        Rows of the symmetric square root of the correlations, (chain, draw, 2 strata) each: with
        the same numbers, the effects of all strata correlate as the fit says.
        """
        values, vectors = np.linalg.eigh(self.correlations)
        # Strata that are near copies have a root of zero, which rounding may take below it.
        root = vectors * np.sqrt(np.maximum(values, 0.0))[..., None, :]
        strata = values.shape[-1] // 2
        level, slope = (
            np.einsum("...k,...jk->...j", root[..., row, :], vectors)
            for row in (self.position, strata + self.position)
        )
        return level, slope


def joint_group(fit: xr.DataTree) -> xr.Dataset | None:
    """Take the correlations between strata from a joint fit; None of one of independent strata."""
    draws = fit["posterior"].to_dataset()
    held = [name for name in CORRELATIONS if name in draws]
    return draws[held].reset_coords(drop=True) if held else None


def joint_effects(fit: xr.DataTree, stratum: Hashable | None) -> JointEffects | None:
    """Read what a stratum of a joint fit keeps; None of any other fit."""
    if JOINT_GROUP not in fit.children:
        return None
    draws = fit["posterior"].to_dataset()
    # Of the draws that the caller may have thinned the posterior to.
    at = {name: draws[name].to_numpy() for name in ("chain", "draw")}
    group = fit[JOINT_GROUP].to_dataset().sel(at)
    like = next(iter(group.data_vars.values()))
    one = xr.ones_like(like) * xr.DataArray(np.eye(group.sizes["stratum"]), dims=like.dims[-2:])
    # What the model leaves out, such as slopes that do not vary, is tied to nothing.
    levels, slopes, across = (
        group.get(name, absent).transpose("chain", "draw", "stratum", "stratum_bis").to_numpy()
        for name, absent in (
            ("level_correlation", one),
            ("slope_correlation", one),
            ("level_slope_correlation", 0.0 * one),
        )
    )
    back = np.swapaxes(across, -1, -2)
    whole = np.block([[levels, across], [back, slopes]])
    labels: list[Hashable] = group["stratum"].to_numpy().tolist()
    return JointEffects(whole, labels.index(stratum))
