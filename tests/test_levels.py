"""What a specification may say of levels."""

import dataclasses
import itertools

import numpy as np
import pytest

from locality_tables import INFORMED, simulated_with_localities, small_localities, with_localities
from region_tables import simulated_with_regions, with_regions
from socgrad.errors import SocgradWarning, SpecificationError
from socgrad.model.gradient_model import GradientModel
from socgrad.model.priors import PositiveNormal, Priors
from socgrad.model.stratified_model import StratifiedModel
from socgrad.table.areas import Areas
from socgrad.table.strata import Strata
from tables import small_areas


def test_localities_are_in_a_model_that_asks_for_them():
    """By default they are not, even where the areas have them."""
    areas = small_localities()
    assert not GradientModel(areas).localities
    assert GradientModel(areas, localities=True).localities


def test_areas_without_localities():
    """The way to name them is in the message."""
    with pytest.raises(SpecificationError, match=r"have none. Name .*locality='msoa11cd'"):
        GradientModel(small_areas(), localities=True)


def test_one_locality_in_each_authority():
    """Its factor would be its authority's level."""
    frame = simulated_with_localities().frame
    one = frame.assign(locality=frame["authority"] + "-all")
    with pytest.raises(SpecificationError, match=r"each of 12 authorities has one locality only"):
        GradientModel(with_localities(one), localities=True)


@pytest.mark.parametrize("value", [None, "msoa", 1])
def test_localities_are_true_or_false(value):
    """The column is named at the door, not here."""
    with pytest.raises(SpecificationError, match=r"localities=.* is not True or False"):
        GradientModel(small_localities(), localities=value)


def test_a_prior_of_localities_needs_them():
    """A prior that nothing reads is refused; one that is read is kept."""
    priors = Priors(locality_sd=PositiveNormal(0.2, 0.1))
    with pytest.raises(SpecificationError, match=r"given for locality_sd.*localities=False"):
        GradientModel(small_localities(), priors=priors)
    model = GradientModel(small_localities(), localities=True, priors=priors)
    assert model.step_priors.locality_sd == PositiveNormal(0.2, 0.1)


def test_strata_have_localities_each_by_itself():
    """Strata pass them on, with joint authority effects, too."""
    frame = simulated_with_localities().frame
    frame = frame.assign(more=frame["events"] + np.arange(len(frame)) % 3)
    strata = Strata.from_stages(
        frame,
        area="area",
        authority="authority",
        deprivation="deprivation",
        children="children",
        stages=["events", "more"],
        locality="locality",
        nested=False,
        complete=True,
    )
    for effects in ("independent", "joint"):
        model = StratifiedModel(strata, localities=True, authority_effects=effects)
        assert model.models["more"].localities


def test_totals_of_localities_have_no_moderated_gradients():
    """With counts alone they have; the message says how many totals there are."""
    frame = simulated_with_localities().frame
    frame = frame.assign(kind=np.where(np.arange(len(frame)) % 3 == 0, "rural", "urban"))
    options = {"localities": True, "covariates": "~ kind", "area_moderators": "~ kind"}
    made = {
        kind: with_localities(frame, kind, covariates=("kind",)) for kind in ("counts", "mixture")
    }
    assert GradientModel(made["counts"], **options).localities
    with pytest.raises(SpecificationError, match=r"there are 6 totals.*no compressed form"):
        GradientModel(made["mixture"], **options, priors=INFORMED)


def test_regions_are_in_a_model_that_asks_for_them():
    """By default they are not."""
    areas = with_regions(simulated_with_regions())
    assert not GradientModel(areas).regions
    assert GradientModel(areas, regions=True).regions
    with pytest.raises(SpecificationError, match=r"regions=None is not True or False"):
        GradientModel(areas, regions=None)
    with pytest.raises(SpecificationError, match=r"have none. Name .*region='rgn19nm'"):
        GradientModel(small_areas(), regions=True)


def of_regions(names):
    """The simulated table with these regions, over and over."""
    simulation = simulated_with_regions()
    authorities = simulation.frame["authority"].unique()
    lookup = dict(zip(authorities, itertools.cycle(names), strict=False))
    frame = simulation.frame.assign(region=simulation.frame["authority"].map(lookup))
    return with_regions(dataclasses.replace(simulation, frame=frame))


def test_few_regions():
    """Two say nothing of a spread, four little; nine pass without a word."""
    with pytest.raises(SpecificationError, match=r"with 2 regions.*fewer than 3.*'~ region'"):
        GradientModel(of_regions(["N", "S"]), regions=True)
    with pytest.warns(SocgradWarning, match=r"with 4 regions.*rests on its prior"):
        GradientModel(of_regions(list("NSEW")), regions=True)
    GradientModel(of_regions(list("ABCDEFGHI")), regions=True)


def test_regions_of_one_authority_each():
    """Such a region would be its authority's effect."""
    names = [f"R{k:02d}" for k in range(18)]
    with pytest.raises(SpecificationError, match=r"each of 18 regions has one authority only"):
        GradientModel(of_regions(names), regions=True)


def test_fixed_and_random_regions_exclude_each_other():
    """A formula that tells all regions apart leaves nothing; another column does."""
    simulation = simulated_with_regions()
    home = simulation.frame.groupby("authority")["region"].first()
    given = home.rename("rgn").to_frame().assign(coast=(home > "R4").map({True: "y", False: "n"}))
    areas = Areas.from_frame(
        simulation.frame,
        area="area",
        authority="authority",
        events="events",
        children="children",
        deprivation="deprivation",
        region="region",
        authority_covariates=given,
        complete=True,
    )
    with pytest.raises(SpecificationError, match=r"tell all 8 regions apart: nothing is left"):
        GradientModel(areas, regions=True, authority_covariates="~ rgn")
    assert GradientModel(areas, regions=True, authority_covariates="~ coast").regions
