"""Checks of the options of the door, before any data is looked at."""

from numbers import Real

import numpy as np

from socgrad.coarsening.bounds import Bounds
from socgrad.coarsening.columns import check_coarsening
from socgrad.errors import TableError

__all__ = ["check_arguments", "check_leave_out"]


def check_arguments(
    *,
    per: float,
    national_mean: float | None,
    missing_events: str,
    zero_exposure: str,
    complete: bool | None,
    total_rows: str,
    authority_means: object,
    coarsening: object,
    totals_coarsening: object,
    has_events: bool,
    has_totals: bool,
    has_deprivation: bool,
) -> None:
    """Refuse options of the wrong kind, and options that contradict each other."""
    _check_number(per, name="per", example="0.10 for ten percentage points")
    if not 0 < per <= 1:
        raise TableError(
            f"per={per!r} is not a step of deprivation. Expected a proportion above 0, up to 1: "
            "0.10 is ten percentage points."
        )
    if national_mean is not None:
        _check_number(national_mean, name="national_mean", example="0.20 for twenty per cent")
        if not 0 <= national_mean <= 1:
            raise TableError(
                f"national_mean={national_mean!r} is not a deprivation. Expected a proportion, "
                "0 to 1: 0.20, not 20."
            )
    if not has_deprivation:
        _refuse_means(national_mean=national_mean, authority_means=authority_means)
    for name, value in (("missing_events", missing_events), ("zero_exposure", zero_exposure)):
        check_leave_out(name, value)
    if not isinstance(total_rows, str) or total_rows not in {"refuse", "keep"}:
        raise TableError(
            f'total_rows={total_rows!r} is unknown. Expected "refuse" (rows that look like totals '
            'of others) or "keep" (every row is an area).'
        )
    if not (complete is None or isinstance(complete, bool | np.bool_)):
        raise TableError(
            f"complete={complete!r} is unknown. Expected True (every area of each authority is in "
            "the table), False (it is a sample), or None (not said)."
        )
    check_coarsening(coarsening, argument="coarsening", bounds=True)
    check_coarsening(totals_coarsening, argument="totals_coarsening", bounds=False)
    if totals_coarsening is not None and not has_totals:
        raise TableError(
            "totals_coarsening says how totals were published, and there are none. Pass totals= by "
            "authority label, or leave it out."
        )
    sampled = complete is not None and not complete
    if sampled and authority_means is None and has_deprivation:
        raise TableError(
            "complete=False says that the table is a sample of areas; its own means would then "
            "shrink the contextual effect. Pass authority_means (and national_mean), the "
            "child-weighted means over all areas."
        )
    if has_totals and (sampled or (authority_means is not None and complete is None)):
        reason = "complete=False" if sampled else "authority_means, unless complete=True"
        raise TableError(
            f"totals cannot be used with {reason}. A total counts the events of all areas of its "
            "authority, but its exposure is summed over the table's areas: were these a sample, "
            "every rate would be too high. Pass a table with every area of each authority, and "
            "complete=True; or pass neighbourhood counts alone."
        )
    has_bounds = isinstance(coarsening, Bounds)
    if coarsening is not None and not (has_events or has_bounds):
        raise TableError(
            f"coarsening={coarsening!r} says how a column of events was published, and none is "
            "named. Name it with events=; of totals, the argument is totals_coarsening=."
        )
    if not (has_events or has_totals or has_bounds):
        raise TableError(
            "Neither events nor totals is given, so there is nothing to model. Name the column of "
            "neighbourhood counts with events=, or pass authority totals by label with totals=."
        )


def check_leave_out(name: str, value: object) -> None:
    """Refuse what is neither of the two ways with what cannot enter the likelihood."""
    if not isinstance(value, str) or value not in {"refuse", "leave out"}:
        raise TableError(f'{name}={value!r} is unknown. Expected "refuse" or "leave out".')


def _check_number(value: object, *, name: str, example: str) -> None:
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
        shown = f" ({value!r})" if isinstance(value, str) else ""
        raise TableError(
            f"{name} is a {type(value).__name__}{shown}. Expected one number: {example}."
        )


def _refuse_means(*, national_mean: object, authority_means: object) -> None:
    """Refuse means of a deprivation that is not named."""
    for name, mean in (("national_mean", national_mean), ("authority_means", authority_means)):
        if mean is not None:
            raise TableError(
                f"{name} is of deprivation, and no column of deprivation is named. Name it with "
                "deprivation=, or leave the means out for a null model."
            )
