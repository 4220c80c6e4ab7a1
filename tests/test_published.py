"""Published priors of totals: what is stated together, and what is said where it was not."""

import dataclasses
import math
import warnings

import pytest

import socgrad as sg
from socgrad.errors import PriorWarning, SpecificationError
from socgrad.model.gradient_model import GradientModel
from socgrad.model.priors import Normal, PositiveNormal, Priors, rate_ratio
from tables import small_areas


def test_the_three_are_stated_together():
    """The published gradient with its width, and the two assumptions beside it."""
    chosen = sg.published.priors("section_47")
    assert chosen.within == Normal(math.log(1.69), 0.03)
    assert chosen.cross_level == Normal(-0.05, 0.05)
    assert chosen.slope_sd == PositiveNormal(0.12, 0.03)
    default = Priors()
    for name in ("between", "intercept", "level_sd", "correlation", "curvature"):
        assert getattr(chosen, name) == getattr(default, name)


def test_each_may_be_replaced():
    """A gradient of another study keeps its own width; the others may be varied."""
    own = rate_ratio(1.7, interval=(1.5, 1.93))
    flat, fixed = Normal(0.0, 0.05), PositiveNormal(0.2, 0.001)
    chosen = sg.published.priors(own, cross_level=flat, slope_sd=fixed)
    assert (chosen.within, chosen.cross_level, chosen.slope_sd) == (own, flat, fixed)
    assert sg.published.priors("referral", within_sd=0.05).within.sd == 0.05


def test_unknown_gradients_are_refused():
    """What nobody published is not answered with something else."""
    with pytest.raises(
        SpecificationError, match="gradient is 'plans'; expected 'referral', 'child"
    ):
        sg.published.priors("plans")
    with pytest.raises(SpecificationError, match="sd > 0"):
        sg.published.priors("referral", within_sd=0.0)


def test_the_table_says_what_is_published_and_what_assumed():
    """Every prior has a row with its interval, and a source or the word that there is none."""
    stated = sg.published.table()
    assert stated.loc[("within", "child protection plans"), "value"] == 1.80
    for name in ("within", "cross_level"):
        assert stated.loc[name, "source"].str.contains("10.1093/bjsw/bcab255").all()
    assert stated.loc[["cross_level", "slope_sd"], "source"].str.contains("assumption").all()
    assert (stated["lower"] < stated["value"]).all()
    assert (stated["value"] < stated["upper"]).all()


def test_totals_without_them_warn():
    """Each of the three that has its default is named; with all three nothing is said."""
    areas, all_three = small_areas("totals"), sg.published.priors("referral")
    alone = Priors(within=all_three.within)
    with pytest.warns(
        PriorWarning, match="totals, and cross_level and slope_sd have their default"
    ):
        GradientModel(areas, priors=alone)
    two = dataclasses.replace(alone, slope_sd=all_three.slope_sd)
    with pytest.warns(PriorWarning, match="and cross_level has its default prior.*curvature would"):
        GradientModel(areas, priors=two)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        GradientModel(areas, priors=all_three)
        # What a model does not have needs no prior; counts of neighbourhoods decide themselves.
        GradientModel(areas, priors=alone, random_slopes=False, cross_level=False)
        GradientModel(small_areas())
        GradientModel(areas, deprivation="none")
