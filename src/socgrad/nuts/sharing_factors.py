"""Overdispersed counts of all strata: one operation of the graph, which has its own derivatives.

PyTensor's own form reads every area several times: it took three times as long.
"""

from typing import Any

import numpy as np
from numba import njit

from socgrad.arrays import FloatArray, IntArray
from socgrad.nuts.overdispersed import overdispersed
from socgrad.nuts.pymc_quietly import Apply, DisconnectedType, Op, pt, register_numba

__all__ = ["sharing_factors"]

type Variable = Any  # PyTensor's variables carry no useful static types.

# PyTensor keeps compiled graphs on disk: raise this whenever what is compiled below changes, or
# `socgrad.nuts.overdispersed` does.
_VERSION = 1


def sharing_factors(
    level: Variable,
    slope: Variable,
    overdispersion: Variable,
    *,
    first: Variable,
    events: Variable,
    within: Variable,
    exposure: Variable,
) -> Variable:
    """What gamma factors of areas make of their events, of all strata.

    Parameters
    ----------
    level, slope
        Of every stratum and authority, one vector each.
    overdispersion
        Of every stratum.
    first
        Where the areas of each stratum and authority begin, and the last ones' end.
    events, within, exposure
        Areas by stratum, authority and events.

    Returns
    -------
    Variable
        A number: the sum of `socgrad.nuts.overdispersed` over strata and authorities.
    """
    inputs = (level, slope, overdispersion, first, events, within, exposure)
    made: Variable = _SharingFactors()(*inputs)
    return made[0]


class _SharingFactors(Op):
    """The sum, and its derivatives by level, slope and overdispersion."""

    __props__ = ()

    def make_node(self, *inputs: Variable) -> Any:
        inputs = tuple(pt.as_tensor_variable(each) for each in inputs)
        return Apply(self, inputs, (pt.dscalar(), pt.dvector(), pt.dvector(), pt.dvector()))

    def perform(self, node: Any, inputs: Any, outputs: Any) -> None:  # noqa: ARG002
        for storage, value in zip(outputs, _with_derivatives(*inputs), strict=True):
            storage[0] = value

    def connection_pattern(self, node: Any) -> list[list[bool]]:
        """The data have no derivatives, and those of derivatives are not written."""
        return [[number < 3, False, False, False] for number in range(len(node.inputs))]

    def pullback(self, inputs: Any, outputs: Any, cotangents: Any) -> list[Variable]:
        _, *derivatives = outputs
        made = [cotangents[0] * each for each in derivatives]
        return [*made, *(DisconnectedType()() for _ in inputs[3:])]


@register_numba(_SharingFactors)  # type: ignore[untyped-decorator]
def _in_numba(op: Op, **_: object) -> Any:  # noqa: ARG001
    return _with_derivatives, _VERSION


@njit(nogil=True, error_model="numpy")
def _with_derivatives(  # noqa: PLR0917 PyTensor passes by position
    level: FloatArray,
    slope: FloatArray,
    overdispersion: FloatArray,
    first: IntArray,
    events: FloatArray,
    within: FloatArray,
    exposure: FloatArray,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    total = 0.0
    d_level, d_slope = np.zeros(len(level)), np.zeros(len(level))
    d_overdispersion = np.zeros(len(overdispersion))
    authorities = len(level) // len(overdispersion)
    for cell in range(len(level)):
        stratum = cell // authorities
        rows = slice(first[cell], first[cell + 1])
        value, d_level[cell], d_slope[cell], d_r = overdispersed(
            level[cell],
            slope[cell],
            overdispersion[stratum] ** 2,
            events[rows],
            within[rows],
            exposure[rows],
        )
        total += value
        d_overdispersion[stratum] += 2.0 * overdispersion[stratum] * d_r
    return np.array(total), d_level, d_slope, d_overdispersion
