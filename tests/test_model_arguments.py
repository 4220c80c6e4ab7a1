"""What is passed where a model is wanted."""

import pytest

from socgrad.errors import SpecificationError
from socgrad.fitting import fit
from socgrad.reading.example import example_fit
from socgrad.simulation.prior_draws import draw_prior
from tables import small_areas


@pytest.mark.parametrize("function", [fit, draw_prior])
def test_areas_and_tables_are_no_models(function):
    """Each is told which step comes first."""
    with pytest.raises(
        SpecificationError,
        match=r"Expected a GradientModel.*, found Areas\. .*GradientModel\(areas\)",
    ):
        function(small_areas())
    with pytest.raises(SpecificationError, match=r"found DataFrame\. .*Areas\.from_frame\(frame,"):
        function(small_areas().report)
    with pytest.raises(SpecificationError, match=r"found DataTree\. This is a fit: ask estimands"):
        function(example_fit())


@pytest.mark.mcmc
def test_a_graph_is_of_a_model():
    """Areas have no graph."""
    from socgrad.nuts.pymc_models import pymc_model

    with pytest.raises(SpecificationError, match=r"or OutcomeModel, found Areas"):
        pymc_model(small_areas())
