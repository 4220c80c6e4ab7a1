"""Small counts suppressed and counts rounded, with all that gives them back."""

from typing import Final

import numpy as np
import pandas as pd

from socgrad.errors import SpecificationError

__all__ = ["COUNTED", "protect"]

#: What is computed from a row's events, and with its exposure gives them back.
COUNTED: Final = ("rate", "lower", "upper", "observed", "observed_lower", "observed_upper")
_ONLY_OF_EVENTS: Final = ("pr_below", "dispersion", "dispersion_pr_above")


def protect(
    table: pd.DataFrame, *, suppress_below: int | None = None, round_to: int | None = None
) -> pd.DataFrame:
    """Suppress small counts of a table, or round its counts, and what would give them back.

    Parameters
    ----------
    table
        With a column `events`: from `socgrad.rates.observed_rate_by_group`,
        `socgrad.rates.observed_authority_rate`, `socgrad.tables.rate_table` or `socgrad.check_fit`.
    suppress_below
        Rows with fewer events, those with none included, lose them and their rates: NaN. At least
        1.
    round_to
        Events are rounded to multiples of it, each by itself: totals need not be sums of parts.
        Observed rates and their limits are scaled as the events are. At least 2.

    Returns
    -------
    pandas.DataFrame
        A copy. Attr `protection` says what was done. Rows that can be had back from a total are not
        looked for: `check_disclosure` does.

    Raises
    ------
    SpecificationError
        If the table holds no events, or an option is out of range.

    Examples
    --------
    >>> import pandas as pd
    >>> from socgrad import disclosure
    >>> table = pd.DataFrame({"events": [3, 12], "exposure": [100.0, 100.0], "rate": [3.0, 12.0]})
    >>> disclosure.protect(table, suppress_below=10, round_to=5)["rate"].tolist()
    [nan, 10.0]
    """
    if "events" not in table:
        raise SpecificationError(
            "This table has no column 'events', so there is nothing to suppress or round. Expected "
            f"a table of counts; it has {', '.join(map(str, table.columns[:6]))}."
        )
    for name, value, least in (("suppress_below", suppress_below, 1), ("round_to", round_to, 2)):
        if value is not None and not (isinstance(value, int) and value >= least):
            raise SpecificationError(f"{name} must be a whole number from {least}; got {value!r}.")
    made = table.copy()
    made.attrs = dict(table.attrs)
    events = table["events"].to_numpy(dtype=float)
    if suppress_below is None and round_to is None:
        return made
    kept = events.copy()
    if round_to is not None:
        kept = round_to * np.floor(events / round_to + 0.5)
    if suppress_below is not None:
        kept[events < suppress_below] = np.nan
    factor = np.divide(kept, events, out=np.where(np.isnan(kept), np.nan, 0.0), where=events > 0)
    made["events"] = kept
    for name in COUNTED:
        if name in made:
            made[name] = made[name] * factor
    for name in _ONLY_OF_EVENTS:
        if name in made:
            made[name] = made[name].where(kept == events)
    # With the counts hidden or coarse, whose count is largest says too much.
    made.attrs.pop("largest_share", None)
    made.attrs["protection"] = {"suppress_below": suppress_below, "round_to": round_to}
    return made
