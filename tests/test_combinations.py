"""Every combination of terms, laws and strata has an engine with a right density, or a reason."""

import warnings

import pytest

from combination_engines import engines, evaluated
from combinations import FEATURES, Cell, cells, cells_of_years, model_of
from socgrad.errors import SocgradError, SocgradWarning

#: Why combinations are refused, by words of the message.
REASONS = (
    "authorities differ, and these areas are of a single authority",
    "authority_effects='joint' correlates how authorities differ",
    "years.Drift says how authorities move",
    "is of one authority alone",
    "needs counts by neighbourhood",
    "has no closed form",
    "tells factors of areas from those of localities in no way",
    "OutcomeModel needs a GradientModel",
)
#: Engines that need no graph, whose densities cost next to nothing.
QUICK = ("quadrature", "nested Laplace", "written density")


def stopped(cell):
    """The message with which the door refuses a cell; None where it does not."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SocgradWarning)
            return None, model_of(cell)
    except SocgradError as error:
        return str(error), None


@pytest.mark.parametrize("cell", [*cells(), *cells_of_years()], ids=str)
def test_every_cell_has_an_engine_or_a_reason(cell):
    """Its density near the start is finite and its gradient right, or the refusal says why."""
    words, model = stopped(cell)
    if words is not None:
        assert [reason for reason in REASONS if reason in words], words
        return
    found = engines(model)
    assert found, "no engine takes what the door accepts"
    assert "nested Laplace" in found
    for name in QUICK:
        if name in found:
            evaluation = evaluated(found[name]())
            assert evaluation.good, (name, evaluation)


def test_a_law_that_no_engine_knows_is_refused_by_all():
    """Set past the door, a strange family is not sampled as another one."""
    model = model_of(Cell("plain"))
    object.__setattr__(model, "family", "interval")
    assert engines(model) == {}


def test_each_feature_changes_what_is_asked_of_engines():
    """No two features of one stratum are the same model by mistake."""
    from combination_engines import _task

    needs = {}
    for feature in FEATURES:
        if feature in ("both spreads", "pooled", "plain", "tenths", "spline"):
            continue
        _, model = stopped(Cell(feature))
        needs[feature] = _task(model).needs
    assert len(set(needs.values())) == len(needs)
