"""Child-level returns to counts by area and stage: census, SSDA903, standard safeguarding dataset.

``read_...`` takes the files of a return, `Residence` says where each child lived when, `count`
gives the table that `Areas.from_frame` takes, and a ledger that accounts for every child.
Identifiers of children stay inside: nothing that is printed, warned of, refused or saved has them.
"""

from socgrad.returns.cin_census import read_cin_census
from socgrad.returns.counting import Counts, count
from socgrad.returns.examples import ExampleReturns, example_returns
from socgrad.returns.records import Records
from socgrad.returns.residence import Residence
from socgrad.returns.rules import counting_rules
from socgrad.returns.safeguarding import read_safeguarding
from socgrad.returns.ssda903 import read_ssda903
from socgrad.returns.stretches import Stretches

__all__ = [
    "Counts",
    "ExampleReturns",
    "Records",
    "Residence",
    "Stretches",
    "count",
    "counting_rules",
    "example_returns",
    "read_cin_census",
    "read_safeguarding",
    "read_ssda903",
]


def __dir__() -> list[str]:
    """Public names alone: modules are where they are found, not what is called."""
    return sorted(__all__)
