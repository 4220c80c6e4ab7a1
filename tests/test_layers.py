"""Floors and wings: a module imports only from floors below its own, and never across the seam."""

import ast
from pathlib import Path

import pytest

import socgrad

SOURCE = Path(socgrad.__file__).parent

#: Modules of each floor, lowest first; a module may import from lower floors only. A package stands
#: for all of its modules, except where its own modules are named.
FLOORS = (
    {"errors", "arrays", "predictor", "pymc_quietly", "nuts_options"},
    {"schema", "within_between", "quadrature", "ranks", "priors", "likelihoods", "truth"}
    | {"table_checks", "option_checks", "exposure_sums", "arguments", "labels"},
    {"label_checks", "number_checks", "known_counts"}
    | {"simulated_geography", "example", "posterior", "disclosure", "summaries"},
    {"area_checks", "authority_numbers", "storage"},
    {"areas", "simulation", "curves", "support", "diagnostics"},
    {"models", "aggregates", "contrasts"},
    {"compression", "centring", "rates", "gradients", "contextual", "crossings"},
    {"pymc_counts", "pymc_effects", "manifest", "laplace", "plots"},
    {"pymc_graph"},
    {"nuts"},
    {"fitting"},
    {"__init__"},
)

LEFT = (
    {"priors", "likelihoods", "quadrature", "truth", "table_checks", "option_checks"}
    | {"label_checks", "number_checks", "area_checks", "authority_numbers", "known_counts"}
    | {
        "simulated_geography",
        "areas",
        "simulation",
        "models",
        "compression",
        "centring",
        "pymc_quietly",
    }
    | {"pymc_counts", "pymc_effects", "pymc_graph", "nuts_options"}
    | {"manifest", "laplace", "nuts", "fitting"}
)
RIGHT = {"exposure_sums", "arguments", "labels", "summaries", "example", "posterior", "storage"} | {
    "disclosure",
    "curves",
    "support",
    "diagnostics",
    "aggregates",
    "contrasts",
    "rates",
    "gradients",
    "contextual",
    "crossings",
    "plots",
}

#: What only the named modules may import, because it takes seconds or is an optional extra.
RESERVED = {
    "pymc": {"pymc_quietly"},
    "pytensor": {"pymc_quietly"},
    "nutpie": {"nuts"},
    "matplotlib": {"plots"},
}


def modules():
    """Every module, as path and name (a package's modules go by the package's name)."""
    for path in sorted(SOURCE.rglob("*.py")):
        yield path, path.relative_to(SOURCE).parts[0].removesuffix(".py")


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
            if node.module == "socgrad":
                yield from (f"socgrad.{alias.name}" for alias in node.names)
            else:
                yield node.module


def own(path):
    """The socgrad modules that a file imports."""
    return {name.split(".")[1] for name in imported(path) if name.startswith("socgrad.")}


def floor(name):
    """The floor of a module."""
    (number,) = (k for k, names in enumerate(FLOORS) if name in names)
    return number


def test_every_module_has_one_floor():
    """The table above holds every module once, and no module that is not there."""
    assert sorted(name for names in FLOORS for name in names) == sorted(
        {name for _, name in modules()}
    )


@pytest.mark.parametrize(("path", "name"), list(modules()), ids=lambda value: str(value)[-40:])
def test_imports_go_down(path, name):
    """No module imports from its own floor or from above (so there is no cycle)."""
    above = {other for other in own(path) if other != name and floor(other) >= floor(name)}
    assert above == set()


@pytest.mark.parametrize(("path", "name"), list(modules()), ids=lambda value: str(value)[-40:])
def test_wings_meet_only_in_the_tree(path, name):
    """The left wing imports nothing of the right wing, and the other way round."""
    other_wing = RIGHT if name in LEFT else LEFT if name in RIGHT else set()
    assert own(path) & other_wing == set()


@pytest.mark.parametrize(("path", "name"), list(modules()), ids=lambda value: str(value)[-40:])
def test_slow_imports_are_reserved(path, name):
    """PyMC, nutpie and matplotlib are imported only where they are at home."""
    roots = {module.split(".")[0] for module in imported(path)}
    assert {root for root in roots & set(RESERVED) if name not in RESERVED[root]} == set()


def test_no_drawer_for_odds_and_ends():
    """No module is called utils, helpers, misc or common."""
    stems = {path.stem.strip("_") for path, _ in modules()}
    assert stems & {"utils", "util", "helpers", "helper", "misc", "common", "core"} == set()
