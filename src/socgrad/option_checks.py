"""Checks of the options of the door, before any data is looked at."""

from socgrad.errors import TableError

__all__ = ["check_arguments"]


def check_arguments(
    *,
    per: float,
    national_mean: float | None,
    missing_events: str,
    zero_exposure: str,
    complete: bool | None,
    authority_means: object,
    has_counts: bool,
) -> None:
    """Refuse options that contradict each other, before looking at any data."""
    if not 0 < per <= 1:
        raise TableError(
            f"per={per!r} is not a step of deprivation. Expected a proportion above 0, up to 1: "
            "0.10 is ten percentage points."
        )
    if national_mean is not None and not 0 <= national_mean <= 1:
        raise TableError(
            f"national_mean={national_mean!r} is not a deprivation. Expected a proportion, 0 to 1: "
            "0.20, not 20."
        )
    for name, value in (("missing_events", missing_events), ("zero_exposure", zero_exposure)):
        if value not in {"refuse", "leave out"}:
            raise TableError(f'{name}={value!r} is unknown. Expected "refuse" or "leave out".')
    if complete is False and authority_means is None:
        raise TableError(
            "complete=False says that the table is a sample of areas; its own means would then "
            "shrink the contextual effect. Pass authority_means (and national_mean), the "
            "child-weighted means over all areas."
        )
    if not has_counts:
        raise TableError(
            "Neither events nor totals is given, so there is nothing to model. Name the column of "
            "neighbourhood counts with events=, or pass authority totals by label with totals=."
        )
