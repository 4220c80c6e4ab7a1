"""Hidden counts of authorities whose total is known: what the total says, as likelihood data."""

import numpy as np
import numpy.typing as npt
import xarray as xr

from socgrad.laws.constants_table import ConstantsTable
from socgrad.laws.kernels import kernels_of
from socgrad.model.gradient_model import GradientModel
from socgrad.model.kernel_data import kernel_data
from socgrad.quadrature import chosen_rules

__all__ = ["constraint_data"]


def constraint_data(
    model: GradientModel, slopes: tuple[float, float]
) -> tuple[dict[str, tuple[tuple[str, ...], npt.ArrayLike]], float]:
    """Poisson counts within bounds beside their authority's total.

    Returns
    -------
    data : dict
        `constraint_authority` (dim constrained_authority); `constraint_events`, what its hidden
        counts sum to; `constraint_node_*`, the rule of their areas; and of log C
        (`socgrad.laws.constrained`) as a function of the slope `constraint_coefficient`
        (dims constrained_authority, degree), of Chebyshev polynomials, and `constraint_slopes`
        (dim end), between which they hold. Empty without any.
    error : float
        Largest error of log C between its nodes.
    """
    areas = model.areas
    authority = np.flatnonzero(areas.has_both)
    if not len(authority):
        return {}, 0.0
    assert areas.coarsened is not None
    home = areas.authority_of_area
    number = len(areas.authority)
    known = np.where(areas.counted, areas.events, 0.0)
    at = np.flatnonzero(areas.within_bounds & areas.has_both[home])
    at = at[np.argsort(home[at], kind="stable")]
    first = np.searchsorted(home[at], np.append(authority, number))
    rows = (
        first.astype(np.int64),
        areas.coarsened.kernel[at],
        model.within_part[at],
        np.log(areas.exposure[at]),
    )
    hidden = (areas.total_events - np.bincount(home, known, number))[authority]
    totals = np.round(hidden).astype(np.int64)
    kernels = kernels_of([xr.Dataset(kernel_data(areas))])
    table, error = ConstantsTable.of(kernels, rows, totals, per=areas.per)
    cell = np.searchsorted(authority, home[at])
    rule = chosen_rules(
        cell, model.within_part[at], areas.exposure[at], cells=len(authority), slopes=slopes
    )
    dims = ("constrained_authority", "constraint_node")
    return {
        "constraint_authority": (("constrained_authority",), authority),
        "constraint_events": (("constrained_authority",), hidden),
        "constraint_node_within": (dims, rule.position),
        "constraint_node_exposure": (dims, rule.weight),
        "constraint_coefficient": (("constrained_authority", "degree"), table.coefficient.T),
        "constraint_slopes": (("end",), np.array(table.slopes)),
    }, error
