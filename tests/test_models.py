"""Specifications: what may be combined, and what is refused."""

import dataclasses

import pytest

from socgrad.errors import SpecificationError
from socgrad.models import GradientModel
from socgrad.priors import Priors, rate_ratio
from tables import small_areas


@pytest.mark.parametrize(
    ("deprivation", "random_slopes", "cross_level"),
    [("split", True, True), ("pooled", True, False), ("none", False, False)],
)
def test_terms_follow_deprivation(deprivation, random_slopes, cross_level):
    """By default every term is in that the choice of deprivation allows."""
    model = GradientModel(small_areas(), deprivation=deprivation)
    assert (model.random_slopes, model.cross_level) == (random_slopes, cross_level)


def test_terms_can_be_left_out():
    """Random slopes and the cross-level term can each be left out."""
    model = GradientModel(small_areas(), random_slopes=False, cross_level=False)
    assert (model.random_slopes, model.cross_level) == (False, False)


@pytest.mark.parametrize("term", ["cross_level", "curvature"])
@pytest.mark.parametrize("deprivation", ["pooled", "none"])
def test_between_terms_need_the_split(term, deprivation):
    """Terms of authority deprivation are refused where there is no between part."""
    with pytest.raises(SpecificationError, match=f"{term}=True needs the between part"):
        GradientModel(small_areas(), deprivation=deprivation, **{term: True})


def test_random_slopes_need_deprivation():
    """A null model has no slope that could vary."""
    with pytest.raises(SpecificationError, match="random_slopes=True needs deprivation"):
        GradientModel(small_areas(), deprivation="none", random_slopes=True)


def test_unknown_choices_are_refused():
    """A misspelt option names those there are."""
    with pytest.raises(SpecificationError, match="'poisson', 'negative_binomial'"):
        GradientModel(small_areas(), family="gaussian")
    with pytest.raises(SpecificationError, match="'split', 'pooled', 'none'"):
        GradientModel(small_areas(), deprivation="raw")


def test_totals_alone_need_a_prior_for_the_gradient():
    """Where nothing but totals is known, the default prior of the gradient is refused."""
    with pytest.raises(SpecificationError, match="totals say almost nothing about the gradient"):
        GradientModel(small_areas("totals"))
    informed = Priors(within=rate_ratio(1.65, interval=(1.5, 1.82)))
    assert GradientModel(small_areas("totals"), priors=informed).priors == informed
    assert GradientModel(small_areas("totals"), deprivation="none").deprivation == "none"
    assert GradientModel(small_areas("mixture")).priors == Priors()


def test_a_model_is_frozen():
    """A specification cannot be changed in place, only replaced."""
    model = GradientModel(small_areas())
    with pytest.raises(dataclasses.FrozenInstanceError):
        model.family = "negative_binomial"
    assert dataclasses.replace(model, family="negative_binomial").random_slopes
