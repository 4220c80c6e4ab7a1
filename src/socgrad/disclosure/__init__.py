"""Checks of outputs against an output checker's rules, and what they ask for done to tables."""

from socgrad.disclosure.checking import check_disclosure
from socgrad.disclosure.records import Checked
from socgrad.disclosure.rules import PRESETS, Rules
from socgrad.errors import withhold_details
from socgrad.reading.protection import protect

__all__ = ["PRESETS", "Checked", "Rules", "check_disclosure", "protect", "withhold_details"]


def __dir__() -> list[str]:
    """Public names alone: modules are where they are found, not what is called."""
    return sorted(__all__)
