"""Whether a model of years fits the counts of each year."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd
import xarray as xr

from socgrad.checks.fit_check import FitCheck
from socgrad.checks.fit_check import check_fit as check_one
from socgrad.errors import MisfitWarning
from socgrad.reading.by_stratum import stratum, stratum_labels, years_facts

__all__ = ["YearlyCheck", "check_fit"]

_PACKAGE: Final = str(Path(__file__).parents[1])
#: Right models of which one year's check finds fault, as docs/validation.md has it.
_FALSE: Final = 0.03


@dataclass(frozen=True, eq=False, repr=False)
class YearlyCheck:
    """What the check of all years found.

    Attributes
    ----------
    adequate : bool
        Whether every year is as the model expects.
    statement : str
        The same in words: which years are not, and why.
    statistics : pandas.DataFrame
        Those of every year, as in `FitCheck`; rows by year and statistic.
    years : mapping
        The `FitCheck` of each year.
    """

    adequate: bool
    statement: str
    statistics: pd.DataFrame
    years: Mapping[int, FitCheck]

    def __repr__(self) -> str:
        """Whether the model fits, in how many years, and where to read more."""
        good = sum(one.adequate for one in self.years.values())
        return (
            f"YearlyCheck(adequate={self.adequate}, {good} of {len(self.years)} years as expected; "
            ".statement, .statistics, .years)"
        )


def check_fit(
    fit: xr.DataTree, *, draws: int = 500, neighbours: object = None, random_seed: int = 0
) -> YearlyCheck:
    """Check every year of a fit of years as `socgrad.check_fit` checks one fit.

    Parameters
    ----------
    fit
        From `socgrad.fit` on a `StratifiedModel` of a `years.Panel`, with its counts.
    draws, neighbours, random_seed
        As in `socgrad.check_fit`, of each year.

    Returns
    -------
    YearlyCheck
        A verdict in words, a table of all years, and the check of each.

    Raises
    ------
    EstimandError
        As `socgrad.check_fit` does.
    SchemaError
        If `fit` is no fit of years.

    Warns
    -----
    MisfitWarning
        If a year is not as the model expects, with the statement.

    Notes
    -----
    Checks of a right model find fault with about three years in a hundred, so that of ten years
    one is found fault with in a quarter of right models: the statement says how many to expect.
    Counts of a year inform the others' drift, and are checked with what it says of that year.

    Interpretation
    --------------
    One year that does not fit among many that do points at its counts (a change of system, of
    recording, of suppression) before it points at the model; all years alike point at the model.

    Examples
    --------
    >>> import warnings
    >>> import socgrad as sg
    >>> made = sg.years.simulate(years=(2020, 2021), authorities=10, areas=150, random_seed=1)
    >>> panel = sg.years.Panel.from_frame(
    ...     made.frame, year="year", area="area", authority="authority",
    ...     deprivation="deprivation", children="children", events="events", complete=True,
    ... )
    >>> fit = sg.fit(sg.StratifiedModel(panel), method="laplace", draws=200, random_seed=1)
    >>> sg.years.check_fit(fit).statistics.index.get_level_values("year").unique().tolist()
    [2020, 2021]
    """
    years_facts(fit)
    checks: dict[int, FitCheck] = {}
    for label in stratum_labels(fit):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MisfitWarning)
            checks[int(str(label))] = check_one(
                stratum(fit, label), draws=draws, neighbours=neighbours, random_seed=random_seed
            )
    odd = [year for year, one in checks.items() if not one.adequate]
    statement = _statement(checks, odd)
    if odd:
        warnings.warn(statement, MisfitWarning, skip_file_prefixes=(_PACKAGE,))
    table = pd.concat({year: one.statistics for year, one in checks.items()}, names=["year"])
    return YearlyCheck(not odd, statement, table, checks)


def _statement(checks: Mapping[int, FitCheck], odd: list[int]) -> str:
    many = len(checks)
    by_chance = f"of {many} years of a right model {_FALSE * many:.1g} would be found fault with"
    if not odd:
        return f"The counts of all {many} years are as the model expects ({by_chance})."
    each = " ".join(f"{year}: {checks[year].statement}" for year in odd)
    return (
        f"In {len(odd)} of {many} years ({', '.join(map(str, odd))}) the model does not fit the "
        f"counts; {by_chance}. {each}"
    )
