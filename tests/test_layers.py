"""Floors and wings: a module imports only from floors below its own, and never across the seam."""

import ast
from pathlib import Path

import pytest

import socgrad

SOURCE = Path(socgrad.__file__).parent

#: Modules of each floor, lowest first; a module may import from lower floors only. A package stands
#: for all of its modules, except where its own modules are named.
FLOORS = (
    {"errors", "arrays", "predictor", "progress"},
    {"nuts.pymc_quietly", "nuts.options", "nuts.packing", "nuts.numba_on_disk"},
    {
        "nuts.standardising",
        "nuts.correlations",
        "nuts.overdispersed",
        "nuts.coefficient_scales",
        "nuts.steering",
    }
    | {"nuts.nutpie_draws"}
    | {"schema", "within_between", "quadrature", "ranks", "formulas", "localities"},
    {
        "designs",
        "departures",
        "model.arguments",
        "model.priors",
        "model.likelihoods",
        "simulation.truth",
        "estimands.exposure_sums",
    }
    | {
        "nuts.joint_effects",
        "nuts.joint_overdispersed",
        "nuts.density",
        "nuts.spreads",
        "nuts.observed",
    }
    | {"estimands.poisson_intervals", "estimands.end_points"}
    | {"reading.protection", "disclosure.rules", "disclosure.margins"}
    | {"table.table_checks", "table.option_checks", "reading.arguments", "reading.labels"},
    {"table.label_checks", "table.number_checks", "table.known_counts", "table.covariate_columns"}
    | {"reading.fitted_designs", "nuts.joint_covariance", "disclosure.records"}
    | {"simulation.pathway", "simulation.groups", "simulation.parts"}
    | {"simulation.geography", "reading.example", "reading.posterior", "reading.disclosure"}
    | {"tables.summaries", "tables.journal"},
    {"table.area_checks", "table.authority_numbers", "table.nesting", "reading.storage"}
    | {"simulation.expected", "simulation.projection"}
    | {"reading.by_stratum", "reading.observed", "reading.covariate_example"}
    | {"reading.departure_example"},
    {"table.areas", "simulation.england", "estimands.curves", "reading.support"}
    | {"estimands.stratum_correlations"}
    | {"simulation.cases", "simulation.flow", "simulation.flow_lines"}
    | {"tables.diagnostics"},
    {"reading.release"},
    {"simulation.flow_simulation", "model.covariates", "model.levels", "estimands.area_rates"}
    | {"estimands.new_covariates"},
    {"model.gradient_model", "estimands.aggregates", "estimands.contrasts", "estimands.groups"}
    | {"estimands.level_variance"}
    | {"table.stage_tables", "table.long_tables"},
    {
        "model.departure_cells",
        "nuts.centring",
        "nuts.joint_rows",
        "table.strata",
        "estimands.ranked_units",
    }
    | {"model.outcome_model", "estimands.outcome_association", "estimands.covariate_ratios"}
    | {f"estimands.{name}" for name in ("rates", "gradients", "contextual", "crossings")}
    | {f"estimands.{name}" for name in ("group_rates", "observed_rates")}
    | {f"estimands.{name}" for name in ("inequality_of_rates", "variation", "slope_variation")}
    | {"estimands.variance_partition", "estimands.gradient_pairs", "estimands.region_ratios"}
    | {"estimands.deprivation_ratios"},
    {"estimands.chains", "estimands.durations", "estimands.locality_sums", "model.compression"}
    | {f"estimands.{name}" for name in ("deprivation_groups", "inequality", "concentration")},
    {"estimands.gradient_contrasts"}
    | {f"estimands.{name}" for name in ("gaps", "attributable", "authority_ranks")}
    | {"estimands.excess_references", "estimands.new_places"},
    {"estimands.excess", "estimands.predictions", "estimands.what_if"}
    | {"estimands.locality_ratios"},
    {"nuts.joint_counts", "nuts.joint_data"}
    | {"model.stratified_model"}
    | {"nuts.counts", "nuts.effects", "nuts.problems", "manifest", "laplace", "checks.counts"}
    | {"checks.prior_density"}
    | {f"tables.{name}" for name in ("comma_separated", "html", "latex", "markdown")}
    | {"tables.rate_tables"},
    {"strata_tree", "quadrature_record", "plots", "nuts.joint_graph"}
    | {"nuts.graph", "nuts.density_sampling", "checks.locality_counts"}
    | {"checks.likelihood_forms", "simulation.prior_draws"},
    {"stratified_fitting", "nuts.outcome_graph"}
    | {"checks.authority_likelihoods"}
    | {"nuts.sampling", "checks.replicates", "checks.log_likelihood"},
    {"nuts.outcome_sampling", "nuts.joint_sampling", "checks.fit_check", "checks.integrated"},
    {"joint_fitting", "disclosure.checking"},
    {"fitting", "checks.left_out", "checks.priors"},
    {"__init__"},
)

#: Modules and packages of each wing; the others serve both.
LEFT = {"table", "model", "nuts", "laplace", "simulation", "manifest", "fitting"}
LEFT |= {"strata_tree", "quadrature_record", "stratified_fitting", "joint_fitting"}
RIGHT = {"reading", "estimands", "checks", "tables", "plots", "disclosure"}

#: What only the named modules may import, because it takes seconds or is an optional extra.
RESERVED = {
    "pymc": {"nuts.pymc_quietly"},
    "pytensor": {"nuts.pymc_quietly"},
    "nutpie": {f"nuts.{n}" for n in ("nutpie_draws", "density_sampling", "sampling")},
    "numba": {"nuts.numba_on_disk", "nuts.standardising", "nuts.joint_overdispersed"},
    "matplotlib": {"plots"},
    "great_tables": {"tables.html"},
    "geopandas": {"plots"},
    "formulae": {"formulas"},
}


#: Packages whose modules share one floor, and may import one another.
WHOLE = {"laplace", "plots"}


def name_of(dotted):
    """The entry of a module in the table: `table.areas`; `laplace` for all of a whole package."""
    first, *_ = parts = dotted.split(".")
    return first if first in WHOLE else ".".join(parts[:2])


def modules():
    """Every module, as path and name."""
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        if parts[0] in WHOLE or parts == ("__init__",):
            yield path, parts[0]
        elif parts[-1] != "__init__":
            yield path, ".".join(parts)


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
    return {
        name_of(name.removeprefix("socgrad."))
        for name in imported(path)
        if name.startswith("socgrad.")
    }


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
    package = name.split(".")[0]
    other_wing = RIGHT if package in LEFT else LEFT if package in RIGHT else set()
    assert {other.split(".")[0] for other in own(path)} & other_wing == set()


@pytest.mark.parametrize(("path", "name"), list(modules()), ids=lambda value: str(value)[-40:])
def test_slow_imports_are_reserved(path, name):
    """PyMC, nutpie and matplotlib are imported only where they are at home."""
    roots = {module.split(".")[0] for module in imported(path)}
    assert {root for root in roots & set(RESERVED) if name not in RESERVED[root]} == set()


def test_no_drawer_for_odds_and_ends():
    """No module is called utils, helpers, misc or common."""
    stems = {path.stem.strip("_") for path, _ in modules()}
    assert stems & {"utils", "util", "helpers", "helper", "misc", "common", "core"} == set()
