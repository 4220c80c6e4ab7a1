"""What a check found, in the words that output checkers know from ACRO."""

import json
import os
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import pandas as pd

from socgrad.disclosure.rules import Rules

__all__ = ["Checked", "Record", "record_of"]

_RULES: Final = (
    "threshold",
    "dominance",
    "differencing",
    "rounding",
    "degrees-of-freedom",
    "extreme",
    "unreadable",
)


@dataclass(frozen=True, eq=False)
class Record:
    """What was found of one output.

    Attributes
    ----------
    status : str
        "pass", "review" or "fail".
    output_type : str
        Such as "table", "model", "draws" or "figure".
    sdc : dict
        `summary`: whether cells are suppressed, and cells found by each rule; `cells`: their
        positions, [row, column], by rule.
    summary : str
        The status and the rules with their numbers of cells, in words.
    outcome : pandas.DataFrame
        For each cell of the table "ok" or the rules that it meets; empty for other outputs.
    comments : tuple of str
        What could not be checked, and what to look at.
    """

    status: str
    output_type: str
    sdc: dict[str, Any]
    summary: str
    outcome: pd.DataFrame
    comments: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Checked:
    """Outputs checked against rules.

    Attributes
    ----------
    rules_name, rules
        What was checked against.
    results : dict
        A `Record` for each output, by name.
    """

    rules_name: str
    rules: Rules
    results: dict[str, Record]
    timestamp: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    @property
    def status(self) -> str:
        """The worst of the outputs': "pass" (no rule was met, and no more), "review" or "fail"."""
        found = {record.status for record in self.results.values()}
        return next(status for status in ("fail", "review", "pass") if status in found)

    @property
    def statement(self) -> str:
        """What was found, in words."""
        of = [record.status for record in self.results.values()]
        counts = ", ".join(f"{of.count(one)} {one}" for one in ("pass", "review", "fail"))
        return (
            f"Checked against these rules ({self.rules_name}): {counts}. Whether outputs may be "
            "released is for the output checker to say."
        )

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str:
        """Give the record of the check as JSON, without a count or a label, and write it to a file.

        Parameters
        ----------
        path
            Where to; nothing is written by default.
        """
        text = json.dumps(
            {
                "version": version("socgrad"),
                "timestamp": self.timestamp,
                "statement": self.statement,
                "status": self.status,
                "rules": {"name": self.rules_name, **asdict(self.rules)},
                "results": {
                    name: {
                        "uid": name,
                        "status": one.status,
                        "type": one.output_type,
                        "sdc": one.sdc,
                        "summary": one.summary,
                        "outcome": one.outcome.reset_index(drop=True).to_dict(),
                        "comments": list(one.comments),
                        "exception": "",
                    }
                    for name, one in self.results.items()
                },
            },
            indent=2,
        )
        if path is not None:
            Path(path).write_text(text, encoding="utf-8")
        return text


def record_of(
    output_type: str,
    shape: pd.DataFrame,
    cells: dict[str, list[tuple[int, int]]],
    *,
    suppressed: bool,
    comments: list[str],
) -> Record:
    """Make the record of an output from the cells that meet a rule and what could not be checked.

    Parameters
    ----------
    output_type
        What it is.
    shape
        The table; empty for other outputs.
    cells
        Positions by rule.
    suppressed
        Whether cells of it are suppressed.
    comments
        What a person has to look at: with any, the status is at least "review".
    """
    words = [["" for _ in shape.columns] for _ in shape.index]
    for rule in (rule for rule in _RULES if rule in cells):
        for row, column in cells[rule]:
            words[row][column] += f"{rule}; "
    outcome = pd.DataFrame(
        [[word or "ok" for word in row] for row in words], index=shape.index, columns=shape.columns
    )
    numbers = {rule: len(cells.get(rule, ())) for rule in _RULES}
    status = "fail" if any(numbers.values()) else "review" if comments or suppressed else "pass"
    found = [f"{rule}: {number} cells" for rule, number in numbers.items() if number]
    return Record(
        status=status,
        output_type=output_type,
        sdc={
            "summary": {"suppressed": suppressed, **numbers},
            "cells": {rule: [list(cell) for cell in cells.get(rule, ())] for rule in _RULES},
        },
        summary="; ".join([status, *found, *(["cells are suppressed"] if suppressed else [])]),
        outcome=outcome,
        comments=tuple(comments),
    )
