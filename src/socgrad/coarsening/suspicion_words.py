"""What a coarsened column looks like, what comes of reading it as counts, and what declares it."""

from typing import Final

from socgrad.coarsening.columns import ColumnRule
from socgrad.coarsening.rounding import MidpointRounded, Rounded
from socgrad.coarsening.suppression import Suppressed
from socgrad.coarsening.suspicion import Suspicion

__all__ = ["about_coarsening", "about_others"]

#: Gradient that was read off such numbers where it was 1.80, with 1.5 and with 5 events in an area
#: on average: see docs/results/coarsening_bias.csv.
_READ_AS: Final = {
    "rounded": (2.52, 1.94),
    "midpoints": (1.44, 1.67),
    "zeroed": (4.12, 2.58),
    "zeroed and rounded": (6.01, 3.44),
    "written": (1.45, 1.68),
    "missing": (3.78, 1.91),
    "zeros dropped": (1.49, 1.74),
}

_EXACT: Final = "coarsening=socgrad.coarsening.Exact()"


def about_coarsening(found: Suspicion, where: str) -> str:
    """Say what a column looks like, how far that moves the gradient, and what declares it.

    Parameters
    ----------
    found
        What it looks like.
    where
        What the column is called.
    """
    kind, looks = _looks(found)
    few, many = _READ_AS[kind]
    remedy = (
        "If so, join the counts to a table of all areas, and write 0 where there is none: "
        'areas.merge(counts, how="left").fillna(0); in a long table, missing_rows="no events"'
        if found.rule is None
        else f"If so, say {_declared(found.rule)}"
    )
    return (
        f"{where} {looks}. Read as counts, such numbers move the gradient: in simulated tables "
        f"with a gradient of 1.80, to {few:.2f} where areas had 1.5 events on average, and to "
        f"{many:.2f} where they had 5. {remedy}. If they are counts as they were counted, {_EXACT} "
        "says so."
    )


def about_others(found: Suspicion, where: str, declared: Suppressed) -> str:
    """Say what numbers beside marks look like, and what declares them too.

    Parameters
    ----------
    found
        What they look like.
    where
        What the column is called.
    declared
        What was said of the marks.
    """
    whole = Suppressed(declared.marks, others=found.rule)  # type: ignore[arg-type]
    return (
        f"{where}, beside its marks, {_looks(found)[1]}. If so, say {_declared(whole)}: each "
        "number is then read as the counts that it may stand for. If they are counts as they were "
        "counted, nothing is to be done."
    )


def _declared(rule: ColumnRule) -> str:
    """Give the argument that declares a rule, as it is typed."""
    named = repr(rule).replace("others=", "others=socgrad.coarsening.")
    return f"coarsening=socgrad.coarsening.{named}"


def _looks(found: Suspicion) -> tuple[str, str]:
    """Kind of coarsening, and what is seen of it."""
    rule, column = found.rule, found.column
    rows = dict(zip(column.value.tolist(), column.number.tolist(), strict=True))
    zeros = rows.pop(0, 0)
    positive, smallest = sum(rows.values()), min(rows)
    if isinstance(rule, MidpointRounded):
        first = ", ".join(f"{value:,}" for value in list(rows)[:3])
        return "midpoints", (
            f"looks rounded to the midpoints of steps of {rule.to}: the {positive:,} numbers above "
            f"zero are {first}{' and so on' if len(rows) > 3 else ''}, and no others"
        )
    if isinstance(rule, Rounded) and rule.to == 1:
        return "zeroed", (
            f"looks as if counts of 1-{smallest - 1:,} had been set to 0: {zeros:,} areas have 0, "
            f"{positive:,} have {smallest:,} or more, and none is between"
        )
    if isinstance(rule, Rounded):
        multiples = f"all {positive:,} numbers above zero are multiples of {rule.to}"
        if rule.below:
            return "zeroed and rounded", (
                f"looks as if counts below {rule.below} had been set to 0 and the others rounded "
                f"to {rule.to}: {multiples}, and the smallest is {smallest:,}"
            )
        return "rounded", f"looks rounded to {rule.to}: {multiples}"
    if isinstance(rule, Suppressed):
        return _looks_suppressed(rule, missing=column.missing, smallest=smallest, rows=rows)
    return "zeros dropped", (
        "looks as if areas without events were not in the table, as a group-by on records leaves "
        f"it: none of {positive:,} areas has 0, although many have hardly more"
    )


def _looks_suppressed(
    rule: Suppressed, *, missing: int, smallest: int, rows: dict[int, int]
) -> tuple[str, str]:
    ((low, high),) = set(rule.hidden)
    if all(isinstance(mark, str) for mark in rule.marks):
        return "missing", (
            f"looks as if counts of {low:,}-{high:,} were missing: {missing:,} areas have no "
            f"count, and none has one from {low:,} to {high:,}. "
            'pd.to_numeric(errors="coerce") makes such gaps of the marks of small counts'
        )
    return "written", (
        f"looks as if counts of {low:,}-{high:,} had been written as {smallest:,}: "
        f"{rows[smallest]:,} areas have {smallest:,}, and no other number up to {high:,} occurs"
    )
