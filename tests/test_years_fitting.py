"""Models of years and their fits: what is refused, what a fit holds, and that files keep it."""

import functools
import warnings

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import socgrad as sg
from socgrad.errors import (
    EstimandError,
    MisfitWarning,
    SocgradError,
    SocgradWarning,
    SpecificationError,
)
from socgrad.fitting import fit
from socgrad.model.drift import Drift, National
from socgrad.model.priors import PositiveNormal
from socgrad.model.stratified_model import StratifiedModel
from socgrad.table.strata import Strata
from years_tables import panel_of, small, walking


@functools.cache
def fitted() -> xr.DataTree:
    """Four years of 12 authorities whose mean deprivation moves."""
    with warnings.catch_warnings():
        # Twelve authorities are few for importance sampling; nothing is read off these draws.
        warnings.simplefilter("ignore", SocgradWarning)
        return fit(walking(small()[1]), method="laplace", draws=50, random_seed=1, progress=False)


def test_a_fit_holds_the_places_of_every_year():
    """Each year's deprivation, and one anchor for all."""
    constants = fitted()["constant_data"].to_dataset()
    assert constants["deprivation"].dims == ("stratum", "area")
    assert constants["authority_mean"].dims == ("authority",)
    panel = small()[1]
    for year in panel:
        own = sg.stratum(fitted(), year)["constant_data"]
        np.testing.assert_array_equal(own["deprivation"], panel[year].deprivation)
        np.testing.assert_array_equal(own["exposure"], panel[year].exposure)


def test_spreads_of_a_year_are_those_of_its_drift():
    """A walk: the variance of the constant part, and one year's more each year."""
    draws = fitted()["posterior"].to_dataset()
    for kind in ("level", "slope"):
        expected = np.sqrt(
            draws[f"{kind}_constant_sd"] ** 2
            + draws[f"{kind}_drift_sd"] ** 2 * (draws["stratum"] - 2018)
            + 0.003**2 * (draws["stratum"] - 2017)
        )
        np.testing.assert_allclose(
            draws[f"{kind}_sd"].transpose("chain", "draw", "stratum"),
            expected.transpose("chain", "draw", "stratum"),
            rtol=1e-8,
        )


def test_files_keep_years(tmp_path):
    """Saved and read again, with events and without."""
    path = tmp_path / "years.nc"
    sg.save(fitted(), path)
    again = sg.load(path)
    change = sg.years.change(sg.gradient(fitted()))
    np.testing.assert_array_equal(sg.years.change(sg.gradient(again)), change)
    np.testing.assert_array_equal(
        sg.gradient(sg.years.next_year(again, random_seed=1)),
        sg.gradient(sg.years.next_year(fitted(), random_seed=1)),
    )
    bare = tmp_path / "bare.nc"
    sg.save(fitted(), bare, include_events=False, totals_are_public=True)
    np.testing.assert_array_equal(sg.years.change(sg.gradient(sg.load(bare))), change)


def test_tables_of_counts_go_by_year():
    """Observed rates, rates by group and convergence have a row for each year."""
    rates = sg.rates.observed_authority_rate(fitted())
    assert rates["year"].unique().tolist() == [2018, 2019, 2020, 2021]
    table = sg.tables.rate_table(fitted())
    assert table["year"].nunique() == 4
    assert "| Year" in sg.tables.to_markdown(sg.tables.journal_rates(table))


def test_every_year_has_its_check():
    """One year at a time, as of any fit of strata, or all at once."""
    one = sg.check_fit(sg.stratum(fitted(), 2019), random_seed=1)
    with pytest.raises(SocgradError, match="This fit has 4 strata"):
        sg.check_fit(fitted(), random_seed=1)
    whole = sg.years.check_fit(fitted(), random_seed=1)
    assert list(whole.years) == [2018, 2019, 2020, 2021]
    pd.testing.assert_frame_equal(whole.statistics.loc[2019], one.statistics)
    assert whole.adequate == all(each.adequate for each in whole.years.values())


def test_a_year_that_does_not_fit_is_named():
    """Counts of one year that are no counts of its model: all in the first areas."""
    broken = fitted().copy()
    held = broken["observed_data"].to_dataset()
    events = held["events"].copy()
    own = events.sel(stratum=2020).to_numpy()
    events.loc[{"stratum": 2020}] = np.where(np.arange(len(own)) % 4 == 0, 4 * own, 0)
    broken["observed_data"] = xr.DataTree(held.assign(events=events))
    with pytest.warns(MisfitWarning, match=r"In 1 of 4 years \(2020\) the model does not fit"):
        whole = sg.years.check_fit(broken, random_seed=1)
    assert not whole.adequate
    assert [year for year, each in whole.years.items() if not each.adequate] == [2020]


def test_prior_checks_refuse_years_that_are_tied():
    """The prior of one year's numbers depends on the other years'."""
    with pytest.raises(EstimandError, match="This fit ties years together"):
        sg.prior_checks.compare_prior(sg.stratum(fitted(), 2019))


def test_drift_is_of_years():
    """Not of stages, and not of years that are fitted one by one."""
    panel = small()[1]
    stages = Strata(tables={"a": panel[2018], "b": panel[2018]})
    with pytest.raises(SpecificationError, match="these strata are no years"):
        StratifiedModel(stages, authority_effects=Drift(levels="none", slopes="none"))
    with pytest.raises(SpecificationError, match="fits each year by itself"):
        StratifiedModel(panel, national=National())
    with pytest.raises(SpecificationError, match="the drift says by itself"):
        StratifiedModel(panel, authority_effects=Drift(), correlations="factor")
    with pytest.raises(SpecificationError, match="name 2030"):
        StratifiedModel(panel, authority_effects=Drift(breaks=(2030,)))


def test_few_years_say_little_of_an_autocorrelation():
    """Below six the model says so; a walk has none."""
    panel = small()[1]
    with pytest.warns(SocgradWarning, match="4 years say little of an autocorrelation"):
        StratifiedModel(panel, authority_effects=Drift())
    walking(panel)


def test_nuts_has_no_drift():
    """What it lacks is named."""
    with pytest.raises(SpecificationError, match="does not take drift over years"):
        fit(walking(small()[1]), method="nuts", draws=10, random_seed=1, progress=False)


def test_breaks_of_the_panel_are_those_of_the_model():
    """Unless it says otherwise."""
    panel = panel_of(small()[0], breaks=[2020])
    drift = Drift(levels="random walk", slopes="random walk")
    assert StratifiedModel(panel, authority_effects=drift).over_years.breaks_of(drift) == (2020,)
    none = Drift(levels="random walk", slopes="random walk", breaks=())
    assert StratifiedModel(panel, authority_effects=none).over_years.breaks_of(none) == ()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Drift(levels="ar1"), "levels='ar1' is unknown"),
        (lambda: Drift(level_sd=0.1), "Drift.level_sd must be a PositiveNormal"),
        (lambda: Drift(autocorrelation=0.5), "two shapes of a beta"),
        (lambda: Drift(breaks=2020), "Drift.breaks is 2020"),
        (lambda: National(form="walk"), "form='walk' is unknown"),
        (lambda: National(level=0.0), "National.level is 0.0"),
        (lambda: National(breaks=("2020",)), "National.breaks is"),
        (lambda: Drift(level_sd=PositiveNormal(0.0, -1.0)), "sd > 0"),
    ],
)
def test_values_that_are_none(call, words):
    """Refused in words."""
    with pytest.raises(SpecificationError, match=words):
        call()
