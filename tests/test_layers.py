"""Floors and wings: imports never go round, and never across the seam."""

import ast
import graphlib
from pathlib import Path

import pytest

import socgrad

SOURCE = Path(socgrad.__file__).parent

#: Modules and packages of each wing; the others serve both.
LEFT = {
    "table",
    "returns",
    "model",
    "nuts",
    "laplace",
    "blocks",
    "engines",
    "simulation",
    "manifest",
}
LEFT |= {"strata_tree", "quadrature_record", "stratified_fitting", "fitted_trees", "fitting"}
LEFT |= {"fit_options"}
RIGHT = {"reading", "estimands", "checks", "tables", "plots", "pages"}

#: What only the named modules may import, because it takes seconds or is an optional extra.
RESERVED = {
    "pymc": {"nuts.pymc_quietly"},
    "pytensor": {"nuts.pymc_quietly"},
    "nutpie": {
        f"nuts.{n}" for n in ("nutpie_draws", "python_density", "density_sampling", "sampling")
    },
    "cloudpickle": {"many.running"},
    "threadpoolctl": {"many.threads"},
    "rich": {"many.fits"},
    "numba": {"nuts.numba_on_disk", "nuts.standardising"},
    "matplotlib": {"plots", "pages.figures"},
    "great_tables": {"tables.html"},
    "geopandas": {"plots"},
    "formulae": {"formulas", "formula_grammar"},
    "lxml": {"returns.cin_xml"},
}


def modules():
    """Every module, as path and name; a package's own file has the package's name."""
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        named = parts[:-1] if parts[-1] == "__init__" else parts
        yield path, ".".join(named) or "__init__"


MODULES = list(modules())
NAMES = {name for _, name in MODULES}


def imported(path):
    """Names of modules that a file imports anywhere, except for type checking alone."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    checking = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in checking:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            assert node.level == 0, f"{path.name} has a relative import"
            parts = node.module.split(".")
            if parts[0] == "socgrad" and SOURCE.joinpath(*parts[1:]).is_dir():
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
            else:
                yield node.module


def own(path):
    """The socgrad modules that a file imports."""
    found = set()
    for name in imported(path):
        if name.startswith("socgrad."):
            module = name.removeprefix("socgrad.")
            found.add(module if module in NAMES else module.rpartition(".")[0])
    return found & NAMES


def floors():
    """Modules of each floor, lowest first: each on the lowest floor above all that it imports."""
    above = {name: own(path) - {name} for path, name in MODULES}
    sorter = graphlib.TopologicalSorter(above)
    sorter.prepare()  # raises on a cycle, and names it
    found = []
    while sorter.is_active():
        found.append(sorted(sorter.get_ready()))
        sorter.done(*found[-1])
    return found


def test_imports_go_down():
    """Modules stand on floors, each importing from lower ones only: no import goes round."""
    stand = {name: number for number, names in enumerate(floors()) for name in names}
    assert stand["errors"] == 0
    assert stand["predictor"] < stand["model.gradient_model"] < stand["fitting"]


@pytest.mark.parametrize(("path", "name"), MODULES, ids=lambda value: str(value)[-40:])
def test_wings_meet_only_in_the_tree(path, name):
    """The left wing imports nothing of the right wing, and the other way round."""
    package = name.split(".")[0]
    other_wing = RIGHT if package in LEFT else LEFT if package in RIGHT else set()
    assert {other.split(".")[0] for other in own(path)} & other_wing == set()


@pytest.mark.parametrize(("path", "name"), MODULES, ids=lambda value: str(value)[-40:])
def test_slow_imports_are_reserved(path, name):
    """PyMC, nutpie and matplotlib are imported only where they are at home."""
    roots = {module.split(".")[0] for module in imported(path)}
    assert {
        root for root in roots & set(RESERVED) if not {name, name.split(".")[0]} & RESERVED[root]
    } == set()


def test_no_drawer_for_odds_and_ends():
    """No module is called utils, helpers, misc or common."""
    stems = {path.stem.strip("_") for path, _ in MODULES}
    assert stems & {"utils", "util", "helpers", "helper", "misc", "common", "core"} == set()


#: What the two engines that integrate effects out both have, each its own.
OF_BOTH_ENGINES = {"Coordinates", "Marginal", "Pilot"}


def test_a_class_has_a_name_of_its_own():
    """One word means one thing."""
    classes = [
        node.name
        for path, _ in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    ]
    twice = {name for name in classes if classes.count(name) > 1}
    assert twice == OF_BOTH_ENGINES
