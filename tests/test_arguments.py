import pytest

import socgrad as sg
from socgrad.errors import EstimandError, SchemaError
from socgrad.estimands.contextual import inverse_intervention
from socgrad.estimands.crossings import crossing
from socgrad.estimands.gradients import between, gradient
from socgrad.estimands.rates import expected_rate
from socgrad.reading.arguments import check_choice, check_is_tree
from socgrad.reading.storage import save
from tables import small_areas


def test_a_choice_is_one_of_those_there_are():
    """Other values are refused with the option's name and all that it may be."""
    check_choice("target", "each", ("average", "each", "new"))
    check_choice("groups", 2, (2, 3))
    with pytest.raises(EstimandError, match=r"target is 'Each'; expected 'average', 'each' or 'n"):
        check_choice("target", "Each", ("average", "each", "new"))
    with pytest.raises(EstimandError, match=r"groups is 4; expected 2 or 3\."):
        check_choice("groups", 4, (2, 3))


@pytest.mark.parametrize(
    ("function", "wrong", "allowed"),
    [
        (gradient, {"target": "averge"}, "'average', 'each' or 'new'"),
        (expected_rate, {"target": "Each"}, "'average', 'each', 'new' or 'integrated'"),
        (between, {"scale": "rate"}, "'coefficient' or 'rates'"),
        (inverse_intervention, {"effects": "Own"}, "'equal' or 'own'"),
        (crossing, {"effects": None}, "'equal' or 'own'"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_misspelt_option_is_refused(split_fit, function, wrong, allowed):
    """It never gives the numbers of another estimand under the name of this one."""
    ((name, value),) = wrong.items()
    with pytest.raises(EstimandError, match=f"{name} is {value!r}; expected {allowed}"):
        function(split_fit, **wrong)


@pytest.mark.parametrize("function", [gradient, expected_rate, crossing, sg.check_sampling])
def test_a_model_is_no_fit(function):
    """What was not fitted says what to do."""
    model = sg.GradientModel(small_areas())
    with pytest.raises(SchemaError, match=r"found GradientModel\. Fit a model first, fit = socgra"):
        function(model)


def test_a_model_is_not_saved(tmp_path):
    """Nor does a model make a file."""
    with pytest.raises(SchemaError, match="found GradientModel"):
        save(sg.GradientModel(small_areas()), tmp_path / "model.nc")
    assert not list(tmp_path.iterdir())


def test_a_tree_passes(split_fit):
    """A tree is looked at more closely by the schema."""
    check_is_tree(split_fit)
