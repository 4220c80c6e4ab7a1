"""Public names: the flat ones, and those in namespaces of estimands, each by its own name."""

import types

import socgrad

__all__ = ["ESTIMANDS", "public_names"]

#: Namespaces of functions of a fit, of draws or of strata.
ESTIMANDS = (
    "covariates",
    "inequality",
    "predictions",
    "prior_checks",
    "rates",
    "shapes",
    "stages",
    "tables",
    "variation",
)


def public_names():
    """What is public by its name, modules left out; names of two places are told apart."""
    flat = {name: getattr(socgrad, name) for name in socgrad.__all__}
    found = {n: one for n, one in flat.items() if not isinstance(one, types.ModuleType)}
    for space in ESTIMANDS:
        members = {name: getattr(flat[space], name) for name in flat[space].__all__}
        assert not set(members) & set(found), "a name stands in one place"
        found |= members
    return found
