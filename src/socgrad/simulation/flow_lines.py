"""Authorities' lines of each stage: drawn, and set such that England comes out as published."""

import zlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Final, Literal

import numpy as np
import pandas as pd

from socgrad.arrays import FloatArray
from socgrad.simulation.expected import Expected, Line
from socgrad.simulation.parts import Parts
from socgrad.simulation.pathway import Return, Step
from socgrad.simulation.projection import fixed_part
from socgrad.simulation.truth import Truth

__all__ = ["Effects", "calibrated_lines", "correlations", "drawn_lines"]

type Effects = Literal["random", "centred"]

#: Correlation of an authority's effects on level and slope: steep where rates are low.
_CORRELATION: Final = -0.2
_ROUNDS: Final = 30
_TOLERANCE: Final = 1e-9


def drawn_lines(
    steps: Mapping[str, Step] | Mapping[str, Return],
    parts: Parts,
    random_seed: int,
    *,
    effects: Effects,
) -> dict[str, Line]:
    """Draw the authorities' effects on each line, stages keeping part of the stage before's."""
    scores: dict[str | None, FloatArray] = {}
    drawn = {}
    for name, step in steps.items():
        # The stream is the name's, as in `simulate`.
        rng = np.random.default_rng([random_seed, 2, zlib.crc32(name.encode())])
        own = rng.standard_normal((2, len(parts.authorities)))
        if effects == "centred":
            own = own - _fitted(own, parts)
        kept = step.kept if isinstance(step, Step) and step.of is not None else 0.0
        before = scores.get(step.of, np.zeros_like(own))
        scores[name] = z = kept * before + np.sqrt(1 - kept * kept) * own
        truth = Truth(
            intercept=float(np.log(step.rate / 10_000 if isinstance(step, Step) else step.rate)),
            within=step.within,
            between=step.between,
            cross_level=step.cross_level,
            level_sd=step.level_sd,
            slope_sd=step.slope_sd,
            correlation=_CORRELATION,
        )
        slope = _CORRELATION * z[0] + np.sqrt(1 - _CORRELATION**2) * z[1]
        drawn[name] = Line(truth, truth.level_sd * z[0], truth.slope_sd * slope)
    return drawn


def _fitted(scores: FloatArray, parts: Parts) -> FloatArray:
    """Least squares line of each row of scores over the authorities' deprivation."""
    design = np.column_stack([np.ones(len(parts.between_part)), parts.between_part])
    line: FloatArray = design @ np.linalg.lstsq(design, scores.T, rcond=None)[0]
    return line.T


def calibrated_lines(
    expected: Expected, pathway: Mapping[str, Step], returns: Mapping[str, Return]
) -> Expected:
    """Set every line such that the truth over all children, and the number, are what was asked for.

    Parameters
    ----------
    expected
        Lines as drawn.
    pathway, returns
        What is asked for.

    Returns
    -------
    Expected
        With other lines. Where no rate bends, only their intercepts differ: those that give the
        numbers, with the effects drawn. Where stages bend, so that the projection is asked for.
    """
    children, parts = expected.column("children"), expected.parts
    at_risk = children * expected.relief
    stages = dict(expected.stages)
    for name, step in pathway.items():
        line = stages[name]
        for _ in range(_ROUNDS):
            fixed = fixed_part(at_risk * line.rate(parts, effects=False), children, parts)
            rate = (at_risk @ line.rate(parts, effects=True)) / children.sum()
            truth = line.truth
            off = {
                "intercept": float(np.log(step.rate / 10_000 / rate)),
                "within": step.within - fixed.within,
                "between": step.between - fixed.between,
                "cross_level": step.cross_level - fixed.cross_level,
            }
            moved = {key: getattr(truth, key) + value for key, value in off.items()}
            line = replace(line, truth=replace(truth, **moved))
            if max(map(abs, off.values())) < _TOLERANCE:
                break
        stages[name] = line
    expected = replace(expected, stages=stages)
    for name, back in returns.items():
        line = expected.returns[name]
        rates = line.rate(expected.parts, effects=True)
        if name == "closed":
            # Months open depend on the closing rate: its mean over cases, not over months.
            cases = expected.column("child_in_need")
            now = float(cases.sum() / (cases / rates).sum())
        else:
            cases = expected.column(back.of)
            now = float((cases @ rates) / cases.sum())
        intercept = line.truth.intercept + float(np.log(back.rate / now))
        line = replace(line, truth=replace(line.truth, intercept=intercept))
        expected = replace(expected, returns={**expected.returns, name: line})
    return expected


def correlations(pathway: Mapping[str, Step]) -> pd.DataFrame:
    """Correlation of an authority's effects at two stages: products along the way between them."""
    names = list(pathway)
    table = np.eye(len(names))
    for row, step in enumerate(pathway.values()):
        if step.of is not None:
            table[row, :row] = table[:row, row] = step.kept * table[names.index(step.of), :row]
    return pd.DataFrame(table, index=names, columns=names)
