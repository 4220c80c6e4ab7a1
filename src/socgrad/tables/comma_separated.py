"""Summaries as comma-separated numbers, in full, with a line that says what they are."""

import pandas as pd

from socgrad.tables.journal import check_summary

__all__ = ["to_csv"]


def to_csv(summary: pd.DataFrame) -> str:
    """Write a summary as CSV, numbers in full, below a line of units.

    Parameters
    ----------
    summary
        From `socgrad.summarise`; rows may be selected and put in another order.

    Returns
    -------
    str
        First a line of one cell with the units of each estimand and the probability of the
        intervals; then the names of the columns; then the rows: estimand, at, and every column of
        the summary. What holds commas, quotes or line breaks is quoted; numbers that are not there
        are empty. ``pathlib.Path("table.csv").write_text(...)`` makes a file of it, and
        ``pandas.read_csv("table.csv", skiprows=1)`` reads that again.

    Raises
    ------
    EstimandError
        If `summary` is not from `summarise`.

    Examples
    --------
    >>> from socgrad.estimands.gradients import gradient
    >>> from socgrad.reading.example import example_fit
    >>> from socgrad.tables.comma_separated import to_csv
    >>> from socgrad.tables.summaries import summarise
    >>> lines = to_csv(summarise(gradient(example_fit()))).splitlines()
    >>> print(lines[0])
    "units: gradient, rate ratio per 10 points of neighbourhood deprivation; 95% intervals"
    >>> print(lines[1][:38])
    estimand,at,estimate,lower,upper,pr_ab
    """
    check_summary(summary)
    names = summary.index.get_level_values("estimand")
    pairs = dict.fromkeys(zip(names, summary["units"], strict=True))
    units = [f"{name}, {unit}" for name, unit in pairs]
    prob = summary.attrs.get("prob")
    said = "; ".join([*units, *([] if prob is None else [f"{100 * prob:g}% intervals"])])
    first = " ".join(f"units: {said}".split()).replace('"', '""')
    return f'"{first}"\n' + summary.reset_index().to_csv(index=False, lineterminator="\n")
