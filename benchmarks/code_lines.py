"""How many lines of code the engine room has, without docstrings, comments and blank lines.

Run from the root of the repository, of this checkout or of another one:

    python benchmarks/code_lines.py
    python benchmarks/code_lines.py --root ../other
"""

import argparse
import ast
import io
import tokenize
from pathlib import Path

#: What turns a specification into draws: packages, and modules beside them.
ROOMS = (
    "model",
    "laws",
    "likelihood",
    "blocks",
    "laplace",
    "nuts",
    "engines",
    "terms.py",
    "predictor.py",
    "quadrature.py",
    "quadrature_record.py",
    "yearly_covariances.py",
    "manifest.py",
    "strata_tree.py",
    "fit_options.py",
    "fitted_trees.py",
    "fitting.py",
    "stratified_fitting.py",
)
_LAYOUT = {
    tokenize.COMMENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
    tokenize.INDENT,
    tokenize.NEWLINE,
    tokenize.NL,
}


def code_lines(source: str) -> int:
    """Lines of a module that hold code."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _LAYOUT:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if ast.get_docstring(node, clean=False) is not None:
            first = node.body[0]
            lines.difference_update(range(first.lineno, (first.end_lineno or 0) + 1))
    return len(lines)


def counted(root: Path) -> dict[str, tuple[int, int]]:
    """Modules and code lines of each room that a checkout has."""
    found = {}
    for room in ROOMS:
        place = root / "src" / "socgrad" / room
        modules = sorted(place.rglob("*.py")) if place.is_dir() else [place]
        sizes = [code_lines(each.read_text(encoding="utf-8")) for each in modules if each.exists()]
        if sizes:
            found[room] = len(sizes), sum(sizes)
    return found


def main() -> None:
    """Print a line for each room, and the sum."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[1])
    found = counted(parser.parse_args().root)
    found["all"] = tuple(map(sum, zip(*found.values(), strict=True)))
    for room, (modules, lines) in found.items():
        print(f"{room:24}{modules:5}{lines:8,}")


if __name__ == "__main__":
    main()
