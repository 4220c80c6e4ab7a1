"""Changes between years, within draws: how much steeper, higher or more unequal it became."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from socgrad.errors import EstimandError
from socgrad.estimands.gradients import gradient
from socgrad.estimands.paired import OVER, Scale, compared, scale_of
from socgrad.reading.data_marks import HAS_DATA
from socgrad.reading.labels import are_labelled, label_draws

__all__ = ["change", "steepened", "trend"]

_OF_YEARS = ("units", "reference", "importance_ess")


def change(
    draws: xr.DataArray,
    *,
    start: int | None = None,
    end: int | None = None,
    scale: Scale | None = None,
) -> xr.DataArray:
    """Compute how an estimand changed from one year to another, draw by draw.

    Parameters
    ----------
    draws
        What an estimand gives of a fit of years: dims chain, draw, year, then others.
    start, end
        Years; by default the first and the last.
    scale
        "ratio" (end over start) or "difference" (end less start). By default a ratio of what is
        itself a ratio (its null is 1), else a difference.

    Returns
    -------
    xarray.DataArray
        Without dim year; attrs estimand, units, reference (which years, of whom, whether across a
        break), null (1 or 0).

    Raises
    ------
    EstimandError
        If `draws` have no dim year, or these years are not among them; if a ratio of numbers that
        are not above 0 is asked for; or if `draws` were computed from an estimand and not labelled.

    Notes
    -----
    Years of one fit share what authorities have in common, so that a change is known better than
    two years by themselves.

    Dims other than year stay: with dim authority the change is of these authorities. Without, it is
    of what the estimand is of, in the words of its reference: the average authority (`gradient`,
    `inverse_intervention`) stands for the population that these authorities are drawn from.

    Interpretation
    --------------
    1.10 means a tenth higher than at the start; 1 is no change. Across a break (a new index, a new
    way to count) the change is of the numbers, not of the world alone: its reference says so.

    Examples
    --------
    >>> import socgrad as sg
    >>> from socgrad.reading.years_example import example_fit_of_years
    >>> ratio = sg.years.change(sg.gradient(example_fit_of_years()), start=2019, end=2021)
    >>> ratio.attrs["reference"]  # doctest: +ELLIPSIS
    'the same in 2019: the less deprived neighbourhood of an authority without ...'
    >>> ratio.median().round(2).item()
    0.92
    """
    _check_years(draws)
    years = draws["year"].to_numpy().tolist()
    first, last = (years[0] if start is None else start), (years[-1] if end is None else end)
    for name, year in (("start", first), ("end", last)):
        if year not in years:
            raise EstimandError(
                f"{name}={year!r} is no year of these draws, which have "
                f"{', '.join(map(str, years))}."
            )
    if first == last:
        raise EstimandError(f"start and end are both {first}. Expected two different years.")
    own = scale_of(draws, scale)
    bare = draws.drop_vars(_OF_YEARS, errors="ignore").drop_attrs()
    later, earlier = bare.sel(year=last, drop=True), bare.sel(year=first, drop=True)
    made = compared(later, earlier, own)
    return _labelled(
        made,
        draws,
        estimand=f"change_of_{draws.attrs['estimand']}",
        units=f"{own} of {_word(draws, 'units', last)}, {last} {OVER[own]} {first}",
        reference=f"the same in {first}: {_word(draws, 'reference', last)}"
        + _caveats(draws, first, last),
        scale=own,
    )


def trend(draws: xr.DataArray, *, scale: Scale | None = None) -> xr.DataArray:
    """Compute the straight line through all years, draw by draw: its change a year.

    Parameters
    ----------
    draws, scale
        As in `change`; of a ratio the line is through logarithms.

    Returns
    -------
    xarray.DataArray
        Without dim year: the factor (or the difference) a year; attrs as of `change`.

    Raises
    ------
    EstimandError
        As `change` does.

    Notes
    -----
    Least squares through the years of each draw, years of equal weight.

    Interpretation
    --------------
    0.98 means that it fell by 2% a year on average, over the years of the fit and no further.

    Examples
    --------
    >>> import socgrad as sg
    >>> from socgrad.reading.years_example import example_fit_of_years
    >>> sg.years.trend(sg.gradient(example_fit_of_years())).median().round(2).item()
    0.96
    """
    _check_years(draws)
    own = scale_of(draws, scale)
    bare = draws.drop_vars(_OF_YEARS, errors="ignore").drop_attrs()
    if HAS_DATA in bare.coords:
        has = bare[HAS_DATA].all("year") if "year" in bare[HAS_DATA].dims else bare[HAS_DATA]
        bare = bare.drop_vars(HAS_DATA).assign_coords({HAS_DATA: has})
    values = xr.ufuncs.log(bare) if own == "ratio" else bare
    away = draws["year"].astype(float) - float(draws["year"].mean())
    slope = (values * away).sum("year", skipna=False) / float((away**2).sum())
    years = draws["year"].to_numpy()
    return _labelled(
        xr.ufuncs.exp(slope) if own == "ratio" else slope,
        draws,
        estimand=f"trend_of_{draws.attrs['estimand']}",
        units=f"{own} of {_word(draws, 'units', years[-1])}, a year",
        reference=f"the year before, by the line from {years[0]} to {years[-1]}: "
        f"{_word(draws, 'reference', years[-1])}" + _caveats(draws, years[0], years[-1]),
        scale=own,
    )


def steepened(
    fit: xr.DataTree, *, start: int | None = None, end: int | None = None, by: float = 1.0
) -> xr.DataArray:
    """Compute the probability that each authority's gradient became steeper between two years.

    Parameters
    ----------
    fit
        From `socgrad.fit` on a `StratifiedModel` of a `years.Panel`.
    start, end
        Years; by default the first and the last.
    by
        The factor by which it became steeper at least, above 0: 1.1 asks for a tenth. That it
        became flatter has the probability of 1 less the one with ``by=1.0``.

    Returns
    -------
    xarray.DataArray
        Dims chain, draw, authority: 1 in the draws in which it did, else 0. Attr indicator (1).

    Raises
    ------
    EstimandError
        As `change` does; if `by` is not above 0.

    Interpretation
    --------------
    0.97: it became steeper, as far as counts and model can tell. Of 150 authorities that changed
    alike some have high numbers by chance; their drift is drawn towards that of all, which guards
    against that.

    Examples
    --------
    >>> import socgrad as sg
    >>> from socgrad.reading.years_example import example_fit_of_years
    >>> sg.years.steepened(example_fit_of_years()).mean(("chain", "draw")).values[:2]
    array([0., 0.])
    """
    if not 0 < by < np.inf:
        raise EstimandError(f"by={by} is no factor. Expected a number above 0, such as 1.1.")
    ratio = change(gradient(fit, target="each"), start=start, end=end)
    made = label_draws(
        (ratio > by).astype(float).drop_attrs(),
        estimand="steepened",
        units="probability of a steeper gradient"
        + (f", by a factor of {by:g} or more" if by != 1.0 else ""),
        reference=ratio.attrs["reference"],
    )
    made.attrs["indicator"] = 1
    if "importance_ess" in ratio.attrs:
        made.attrs["importance_ess"] = ratio.attrs["importance_ess"]
    return made


def _check_years(draws: xr.DataArray) -> None:
    if not isinstance(draws, xr.DataArray) or "year" not in draws.dims:
        has = f"dims {draws.dims}" if isinstance(draws, xr.DataArray) else type(draws).__name__
        raise EstimandError(
            f"These draws have no dim year ({has}). Expected what an estimand gives of a fit of "
            "years, such as socgrad.gradient(fit); of several, one variable at a time."
        )
    if draws.sizes["year"] < 2:
        raise EstimandError("These draws are of one year. Expected two or more.")
    if not are_labelled(draws):
        raise EstimandError(
            "These draws were computed from an estimand (a ratio, some of its years ...), so that "
            "its units and reference need not hold. Pass the estimand as it is, and choose years "
            "by start= and end=."
        )


def _word(draws: xr.DataArray, name: str, year: int) -> str:
    """Units or reference of a year: one for all, or each year's own."""
    if name in draws.coords:
        return str(draws[name].sel(year=year).item())
    return str(draws.attrs[name])


def _caveats(draws: xr.DataArray, first: int, last: int) -> str:
    low, high = sorted((first, last))
    crossed: Sequence[int] = [year for year in draws.attrs.get("breaks", ()) if low < year <= high]
    words = f"; across the break before {', '.join(map(str, crossed))}" if crossed else ""
    if draws.attrs.get("years") == "independent":
        words += "; years fitted by themselves, so that the interval is conservative"
    return words


def _labelled(
    made: xr.DataArray,
    draws: xr.DataArray,
    *,
    estimand: str,
    units: str,
    reference: str,
    scale: Scale,
) -> xr.DataArray:
    named = label_draws(
        made,
        estimand=estimand,
        units=units,
        reference=reference,
        null=1.0 if scale == "ratio" else 0.0,
    )
    for name in ("per", "importance_ess"):
        if name in draws.attrs:
            named.attrs[name] = draws.attrs[name]
    if draws.attrs.get("missing_rows"):
        gone = int(named.isnull().all(("chain", "draw")).sum())
        if gone:
            named.attrs["missing_rows"] = gone
    return named
