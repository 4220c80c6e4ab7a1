"""What figures call stages, counts and exposures: by the names that a fit knows."""

import json
import re
import textwrap
from collections.abc import Hashable
from typing import Any

import xarray as xr

from socgrad.reading.by_stratum import along

__all__ = ["in_lines", "in_plain_words", "rate_words"]


def in_plain_words(name: Hashable) -> str:
    """Words of a label or a column: "child_in_need_plan" is "Child in need plan"."""
    words = re.sub(r"(?<=\d)_(?=\d)", "-", str(name)).replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def in_lines(name: Hashable, width: int) -> str:
    """The same in lines of about a width, broken between words only."""
    return textwrap.fill(
        in_plain_words(name), width, break_long_words=False, break_on_hyphens=False
    )


def rate_words(fit: xr.DataTree, events: str | None, exposure: str | None, *, per: int) -> str:
    """Words for an axis of rates: what is counted, per how many of what.

    Parameters
    ----------
    fit
        Of one stratum.
    events, exposure
        The caller's words; None for those that the fit knows.
    per
        Units of exposure that the rate counts.
    """
    columns = json.loads(fit.attrs.get("columns", "{}"))
    if events is None:
        events = _counted(fit, columns)
    if exposure is None:
        exposure = _exposed(columns)
    return f"{events} per {per:,} {exposure}".rstrip()


def _counted(fit: xr.DataTree, columns: dict[str, Any]) -> str:
    """The stage, or the column of counts with the group or the year."""
    counts = in_plain_words(columns.get("events", "events"))
    label = fit["posterior"].to_dataset().coords.get("stratum")
    if label is None or label.ndim:
        return counts
    relation = json.loads(fit.attrs.get("strata", "{}")).get("relation")
    if relation in ("stages", "chain"):
        return in_plain_words(label.item())
    return f"{counts}, {label.item() if along(fit) == 'year' else in_plain_words(label.item())}"


def _exposed(columns: dict[str, Any]) -> str:
    """What the column of exposures holds; nothing where the fit does not know."""
    if "exposure" not in columns:
        return ""
    if columns["exposure"] == columns.get("children"):
        return "children"
    words = in_plain_words(columns["exposure"])
    return words[:1].lower() + words[1:]
