"""Specifications: what may be combined, and what is refused."""

import dataclasses

import numpy as np
import pytest

from socgrad.errors import PriorWarning, SpecificationError
from socgrad.fitting import fit
from socgrad.model.gradient_model import GradientModel
from socgrad.model.priors import Normal, PositiveNormal, Priors, rate_ratio
from tables import simulated, simulated_areas, small_areas


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
    with pytest.raises(SpecificationError, match="known only as a total, and within has its"):
        GradientModel(small_areas("totals"))
    informed = Priors(within=rate_ratio(1.65, interval=(1.5, 1.82)))
    assert GradientModel(small_areas("totals"), priors=informed).priors == informed
    assert GradientModel(small_areas("totals"), deprivation="none").deprivation == "none"
    assert GradientModel(small_areas("mixture")).priors == Priors()


def test_mostly_totals_warn_of_the_default_prior():
    """Where more authorities are totals than have counts, the default prior gets a warning."""
    frame = simulated().frame
    sums = frame.groupby("authority")["events"].sum().astype(float)
    areas = simulated_areas(frame, totals=sums.iloc[1:].to_dict())
    with pytest.warns(PriorWarning, match="totals, and 1 by their neighbourhoods, and within, cr"):
        GradientModel(areas)


@pytest.mark.parametrize(
    ("options", "priors", "name"),
    [
        ({"deprivation": "pooled"}, {"between": Normal(0.3, 0.1)}, "between"),
        ({"random_slopes": False}, {"slope_sd": PositiveNormal(0.1, 0.1)}, "slope_sd"),
        ({}, {"curvature": Normal(0.0, 0.1)}, "curvature"),
        ({}, {"overdispersion": PositiveNormal(0.3, 0.1)}, "overdispersion"),
    ],
)
def test_priors_of_absent_terms_are_refused(options, priors, name):
    """A prior that nothing would use is an error, not silence."""
    with pytest.raises(SpecificationError, match=f"Priors are given for {name}, which this model"):
        GradientModel(small_areas(), priors=Priors(**priors), **options)


def test_a_null_model_may_share_the_priors_of_the_full_one():
    """Comparing a model with its null model takes no second set of priors."""
    priors = Priors(within=Normal(0.5, 0.1), between=Normal(0.3, 0.1), correlation=3.0)
    assert GradientModel(small_areas(), deprivation="none", priors=priors).priors == priors


def test_a_table_or_a_bare_prior_is_refused():
    """What is not Areas, or not Priors, is told what to do."""
    with pytest.raises(SpecificationError, match=r"needs Areas, got DataFrame.*Areas\.from_frame"):
        GradientModel(simulated().frame)
    with pytest.raises(SpecificationError, match="priors must be Priors, got Normal"):
        GradientModel(small_areas(), priors=rate_ratio(1.8, interval=(1.65, 1.96)))


def test_the_step_of_the_model_is_a_choice_of_units():
    """In steps of 5, 10 or 50 points the same table and default priors give the same answer."""
    frame = simulated().frame
    fits = [
        fit(
            GradientModel(simulated_areas(frame, per=per)),
            method="laplace",
            draws=2000,
            random_seed=2,
        )
        for per in (0.10, 0.05, 0.50)
    ]
    for name, power in (("within", 1), ("between", 1), ("cross_level", 2), ("slope_sd", 1)):
        draws = [
            tree["posterior"][name] * (0.10 / float(tree["constant_data"]["per"])) ** power
            for tree in fits
        ]
        error = float(draws[0].std()) * np.sqrt(2 / fits[0].attrs["importance_ess"])
        for other in draws[1:]:
            assert abs(float(draws[0].mean() - other.mean())) < 4.5 * error, name


def test_a_model_is_frozen():
    """A specification cannot be changed in place, only replaced."""
    model = GradientModel(small_areas())
    with pytest.raises(dataclasses.FrozenInstanceError):
        model.family = "negative_binomial"
    assert dataclasses.replace(model, family="negative_binomial").random_slopes


@pytest.mark.parametrize("name", ["random_slopes", "cross_level", "curvature"])
def test_terms_are_in_or_out(name):
    """The word "no" would count as True."""
    with pytest.raises(SpecificationError, match=f"{name}='no' is not True or False"):
        GradientModel(small_areas(), **{name: "no"})
