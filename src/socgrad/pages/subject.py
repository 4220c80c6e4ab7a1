"""What a page is about: the counts of a fit, part by part, and the words for them."""

import warnings
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import xarray as xr

from socgrad.errors import ConvergenceWarning, EstimandError
from socgrad.pages.evidence import Evidence, evidence
from socgrad.pages.words import lower_first
from socgrad.ranks import weighted_quantile
from socgrad.reading.by_stratum import along, strata_facts, stratum, stratum_labels
from socgrad.reading.geography import Geography, geography
from socgrad.reading.posterior import Coefficients, coefficients
from socgrad.schema import check_tree
from socgrad.tables.diagnostics import SamplingCheck, check_sampling

__all__ = ["Part", "Subject", "read_subject"]

#: Parts of which each has a sentence of its own; of more, the first and the last.
_SPOKEN = 6


@dataclass(frozen=True, eq=False)
class Part:
    """One set of counts of a fit: a stratum, a year, or all that there is.

    `name` heads its rows; `noun` and `exposure` are what was counted and what per, within a
    sentence; `events` says as much of the former as a rate needs: of a chain, among whom.
    """

    label: Hashable | None
    fit: xr.DataTree
    name: str
    noun: str
    events: str
    exposure: str

    @property
    def after_colon(self) -> str:
        """Its name at the end of what a figure shows; nothing where there is one part."""
        return f": {self.name}" if self.name else ""

    @cached_property
    def terms(self) -> Coefficients:
        """Draws of its coefficients."""
        return coefficients(self.fit)

    @cached_property
    def land(self) -> Geography:
        """Its areas and authorities."""
        return geography(self.fit)

    @cached_property
    def evidence(self) -> Evidence:
        """What was counted."""
        return evidence(self.fit)


@dataclass(frozen=True, eq=False)
class Subject:
    """A fit, its parts, and what the reader is told of them.

    `relation` is what the parts are to each other, as `reading.by_stratum` has it, or empty of a
    fit without strata. `authority` is the label of one that is looked at closely, or None.
    """

    fit: xr.DataTree
    parts: tuple[Part, ...]
    relation: str
    deprivation: str
    names: Mapping[Hashable, str]
    authority: Hashable | None
    prob: float
    suppress_below: int

    @cached_property
    def sampling(self) -> SamplingCheck:
        """Whether the draws can be used, and which numbers their priors decide."""
        with warnings.catch_warnings():
            # Said on the page, whichever way it goes.
            warnings.simplefilter("ignore", ConvergenceWarning)
            return check_sampling(self.fit)

    @property
    def first(self) -> Part:
        """The first part, whose model and places stand for all."""
        return self.parts[0]

    @property
    def last(self) -> Part:
        """The last part: of stages the most severe, of years the latest."""
        return self.parts[-1]

    @property
    def spoken(self) -> tuple[Part, ...]:
        """The parts that have sentences of their own."""
        return self.parts if len(self.parts) <= _SPOKEN else (self.first, self.last)

    @property
    def ends(self) -> tuple[Part, ...]:
        """The first and the last part, once where there is one."""
        return self.parts if len(self.parts) == 1 else (self.first, self.last)

    @property
    def dim(self) -> str:
        """What the dim of the parts is called in draws."""
        return along(self.fit)

    @property
    def whole(self) -> str:
        """Words for all neighbourhoods together."""
        return self.first.land.whole

    @property
    def authority_name(self) -> str:
        """What a reader calls the authority that is looked at closely."""
        if self.authority is None:
            return "one authority"
        land = self.first.land
        at = land.position(self.authority)
        return str(land.authority_name[at] if len(land.authority_name) else self.authority)

    @property
    def step(self) -> str:
        """Words for the step of deprivation that gradients are of."""
        return f"{100 * self.first.land.per:g} percentage points"

    @property
    def means(self) -> list[float]:
        """Deprivation of the authorities of the 10th, 50th and 90th of a hundred children."""
        land = self.first.land
        return _percentiles(land.authority_mean, land.authority_children)

    @property
    def places(self) -> list[float]:
        """Deprivation of the neighbourhoods of the 10th, 50th and 90th of a hundred children."""
        return _percentiles(self.first.land.deprivation, self.first.land.children)

    @property
    def middle(self) -> float | None:
        """The national middle of `places`; None where the table has no deprivation."""
        places = self.places if self.first.land.has_deprivation else [None]
        return places[len(places) // 2]


def _percentiles(values: npt.ArrayLike, children: npt.ArrayLike) -> list[float]:
    """10th, 50th and 90th percentile; fewer where some are the same."""
    found: list[float] = np.unique(weighted_quantile(values, children, [0.1, 0.5, 0.9])).tolist()
    return found


def read_subject(
    fit: xr.DataTree,
    *,
    events: str,
    exposure: str | Mapping[Hashable, str],
    deprivation: str,
    names: Mapping[Hashable, str],
    authority: Hashable | None,
    prob: float,
    suppress_below: int,
) -> Subject:
    """Read a fit's parts and give them their words.

    Raises
    ------
    EstimandError
        If `authority` is not in the fit, or is given for a fit of several without it.
    SchemaError
        If `fit` is not a socgrad fit.
    """
    check_tree(fit)
    labels = stratum_labels(fit)
    relation = strata_facts(fit).relation if labels else ""

    parts: list[Part] = []
    for label in labels:
        name = str(names.get(label, label))
        said = {"years": f"{events} in {name}", "groups": f"{events} ({name})"} if events else {}
        noun = said.get(relation, lower_first(name))
        before = parts[-1].noun if relation == "chain" and parts else ""
        per = exposure if isinstance(exposure, str) else exposure.get(label, "of exposure")
        parts.append(
            Part(
                label,
                stratum(fit, label),
                name,
                noun,
                f"{noun} among {before}" if before else noun,
                before if before and isinstance(exposure, str) else per,
            )
        )
    if not labels:
        per = exposure if isinstance(exposure, str) else exposure.get(None, "of exposure")
        parts = [Part(None, fit, "", events, events, per)]
    if authority is not None:
        parts[0].land.position(authority)
    if not coefficients(parts[0].fit).has_effects and authority is not None:
        raise EstimandError(
            f"authority={authority!r} was given, and this fit was released without effects of "
            "authorities: it says nothing of a single one. Leave it out, or read the fit itself."
        )
    return Subject(fit, tuple(parts), relation, deprivation, names, authority, prob, suppress_below)
