"""Which combinations of features, counts, families and strata there are; prints the matrix.

Run from the root of the repository (a minute or two; with --graphs or --fit much longer):

    python benchmarks/combinations.py --out docs/results/combinations.md
    python benchmarks/combinations.py --graphs --strata one      # PyMC graphs too, interpreted
    python benchmarks/combinations.py --fit auto --only regions  # and a small fit of each cell

Cells come from `tests/combinations.py`, engines and their densities from
`tests/combination_engines.py`.
"""

import argparse
import re
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import socgrad as sg
from combination_engines import engines, evaluated
from combinations import COUNTS, FAMILIES, FEATURES, STRATA, Cell, Model, cells, model_of

#: How the matrix writes each engine.
LETTERS = {
    "quadrature": "Q",
    "nested Laplace": "B",
    "written density": "W",
    "PyMC graph": "G",
    "PyMC graph of an outcome": "O",
}
GRAPHS = {"PyMC graph", "PyMC graph of an outcome"}

LEGEND = """\
A cell names the engines that take it: {letters}.
Upper case: the log density was finite at a point near the start, and its gradient (where the engine
has one) within 1e-5 of a difference. Lower case: not evaluated. `!`: evaluated, and not so. Number
in brackets: refused, for the reason below. `.`: no cell, since localities beside the negative
binomial are both spreads. P is Poisson, NB negative binomial. Tables have 18 authorities and 360
areas, one authority the areas of the largest; strata are two."""


@dataclass(eq=False)
class State:
    """What became of a cell."""

    cell: Cell
    refusal: str = ""
    engines: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    fit: str = ""

    @property
    def compiles(self) -> bool:
        """Whether only graphs take it."""
        return bool(self.engines) and self.engines.keys() <= GRAPHS


def first_sentence(error: Exception) -> str:
    """The reason, without what differs between cells of one reason."""
    sentence = re.split(r"(?<=\.) (?=[A-Z])", str(error), maxsplit=1)[0]
    sentence = re.sub(r"^(Stratum|Stage) '\w+': ", "", sentence)
    return re.sub(r"(\w+)='\w+'(?= (is|needs) )", r"\1=...", sentence)


def state_of(cell: Cell, *, graphs: bool, method: str | None) -> State:
    """Ask the door, the engines and, if wanted, a fit."""
    state = State(cell)
    try:
        model = model_of(cell)
    except sg.errors.SocgradError as error:
        state.refusal = first_sentence(error)
        return state
    except Exception as error:
        state.refusal = f"(foreign) {type(error).__name__}: {first_sentence(error)}"
        return state
    for name, start in engines(model).items():
        letter = LETTERS[name]
        state.engines[name] = letter.lower()
        if name in GRAPHS and not graphs:
            continue
        try:
            found = evaluated(start())
            state.engines[name] = letter if found.good else f"{letter}!"
            if not found.good:
                state.faults.append(f"{cell}: {name}: {found}")
        except Exception as error:
            state.engines[name] = f"{letter}!"
            state.faults.append(f"{cell}: {name}: {type(error).__name__}: {first_sentence(error)}")
    if method is not None:
        state.fit, said = small_fit(model, method)
        state.faults += [f"{cell}: fit {state.fit}: {said}"] * bool(said)
    return state


def small_fit(model: Model, method: str) -> tuple[str, str]:
    """How a fit of few draws ended, and what it said."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            sg.fit(model, method=method, draws=200, chains=2, random_seed=1)
        except sg.errors.SocgradError as error:
            return "refused", first_sentence(error)
        except Exception as error:
            return "failed", f"{type(error).__name__}: {first_sentence(error)}"
    doubts = [each for each in caught if issubclass(each.category, sg.errors.ConvergenceWarning)]
    return ("doubted", str(doubts[0].message)) if doubts else ("well", "")


def markdown(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table whose columns are as wide as they need to be."""
    texts = [list(header), *([str(each) for each in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    lines = [
        "| " + " | ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) + " |"
        for row in texts
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (w + 2) for w in widths) + "|", *lines[1:]])


def matrix(states: Sequence[State], strata: str, numbers: dict[str, int]) -> str:
    """Features down, families and counts across."""
    by_place = {
        (s.cell.feature, s.cell.family, s.cell.counts): s for s in states if s.cell.strata == strata
    }
    families = {"poisson": "P", "negative_binomial": "NB"}
    rows = []
    for feature in dict.fromkeys(place[0] for place in by_place):
        row = [feature]
        for family in FAMILIES:
            for counts in COUNTS:
                state = by_place.get((feature, family, counts))
                row.append("." if state is None else shown(state, numbers))
        rows.append(row)
    names = [f"{families[family]} {counts}" for family in FAMILIES for counts in COUNTS]
    return markdown([strata, *names], rows)


def shown(state: State, numbers: dict[str, int]) -> str:
    """One cell of the matrix."""
    if state.refusal:
        return f"({numbers[state.refusal]})"
    return " ".join(["".join(state.engines.values()) or "none", state.fit]).strip()


def counted(states: Sequence[State], by: Callable[[State], str], *, fitted: bool) -> str:
    """How many cells of each group were accepted, fitted and refused."""
    groups = dict.fromkeys(map(by, states))
    rows = []
    for group in [*groups, "all"]:
        own = [each for each in states if group in ("all", by(each))]
        accepted = [each for each in own if not each.refusal]
        row: list[object] = [group, len(own), len(accepted), len(own) - len(accepted)]
        row += [sum(name in each.engines for each in accepted) for name in LETTERS]
        row += [sum(each.compiles for each in accepted)]
        row += [sum(bool(each.faults) for each in accepted)]
        if fitted:
            row.append(sum(each.fit == "well" for each in accepted))
        rows.append(row)
    header = ["group", "cells", "accepted", "refused", *LETTERS, "graphs alone", "faults"]
    return markdown([*header, *(["fit ended well"] if fitted else [])], rows)


def report(states: Sequence[State], *, fitted: bool) -> str:
    """The matrices, the reasons, the counts and what went wrong."""
    reasons = Counter(each.refusal for each in states if each.refusal)
    numbers = {reason: k for k, reason in enumerate(reasons, start=1)}
    letters = ", ".join(f"{letter} {name}" for name, letter in LETTERS.items())
    parts = [LEGEND.format(letters=letters)]
    parts += [
        matrix(states, each, numbers) for each in dict.fromkeys(s.cell.strata for s in states)
    ]
    parts += ["Reasons of refusals (cells):"]
    parts += ["\n".join(f"{numbers[r]}. {r} ({n})" for r, n in reasons.items()) or "none"]
    for by in ("strata", "counts", "family", "feature"):
        parts.append(counted(states, lambda s, by=by: getattr(s.cell, by), fitted=fitted))
    faults = [fault for each in states for fault in each.faults]
    parts += ["Faults:\n\n" + "\n".join(f"- {fault}" for fault in faults)] * bool(faults)
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Print the matrix."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=list(FEATURES), choices=FEATURES)
    parser.add_argument("--strata", nargs="*", default=list(STRATA), choices=STRATA)
    parser.add_argument("--graphs", action="store_true", help="evaluate PyMC graphs as well")
    parser.add_argument("--fit", choices=("auto", "laplace", "nuts"), help="fit what is accepted")
    parser.add_argument("--out", type=Path, help="also write it to this file")
    given = parser.parse_args()
    # What the door warns of is not what is asked here.
    warnings.simplefilter("ignore")
    states = []
    chosen = [
        cell for cell in cells() if cell.feature in given.only and cell.strata in given.strata
    ]
    for k, cell in enumerate(chosen, start=1):
        states.append(state_of(cell, graphs=given.graphs, method=given.fit))
        print(f"\r{k} of {len(chosen)}: {cell}".ljust(79), end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    text = report(states, fitted=given.fit is not None)
    print(text)
    if given.out is not None:
        words = [each for each in sys.argv[1:] if each not in ("--out", str(given.out))]
        head = f"# Combinations\n\n`{' '.join(['python benchmarks/combinations.py', *words])}`"
        given.out.write_text(f"{head}\n\n{text}", encoding="utf-8")


if __name__ == "__main__":
    main()
