"""What priors of years hold possible, against normal distributions worked by hand."""

import numpy as np
import pytest

import socgrad as sg
from socgrad.errors import SpecificationError
from socgrad.model.drift import Drift, National
from socgrad.model.priors import PositiveNormal
from socgrad.prior_drift import prior_drift

YEARS = (2013, 2014, 2018)


def log_sd(values, year):
    """Standard deviation of the logarithm in one year."""
    return float(np.log(values.sel(year=year)).std())


def test_the_nation_moves_by_its_steps():
    """A walk of 0.05 a year: 0.05 sqrt(5) after five; a trend has a line and two deviations."""
    made = prior_drift(years=YEARS, draws=20_000)
    assert log_sd(made["national_gradient"], 2014) == pytest.approx(0.05, rel=0.03)
    assert log_sd(made["national_gradient"], 2018) == pytest.approx(0.05 * np.sqrt(5), rel=0.03)
    line = prior_drift(national=National(form="trend"), years=YEARS, draws=20_000)
    expected = 0.05 * np.sqrt(25 + 2)
    assert log_sd(line["national_gradient"], 2018) == pytest.approx(expected, rel=0.03)
    assert "national_rate" not in prior_drift(national=National(form="independent"), years=YEARS)


def test_an_authority_moves_by_its_drift():
    """With a known innovation of 0.1: a walk, and an autoregressive process that forgets."""
    known = PositiveNormal(0.1, 1e-4)
    walk = prior_drift(Drift(levels="random walk", slopes="none", level_sd=known), years=YEARS,
                       draws=20_000)  # fmt: skip
    assert log_sd(walk["authority_rate"], 2018) == pytest.approx(0.1 * np.sqrt(5), rel=0.03)
    assert "authority_gradient" not in walk
    # (rho + 1) / 2 near 0.75: rho 0.5.
    made = prior_drift(Drift(level_sd=known, autocorrelation=(7.5e4, 2.5e4)), years=YEARS,
                       draws=20_000)  # fmt: skip
    for year, gap in ((2014, 1), (2018, 5)):
        expected = 0.1 * np.sqrt(2 * (1 - 0.5**gap) / (1 - 0.25))
        assert log_sd(made["authority_rate"], year) == pytest.approx(expected, rel=0.03)


def test_breaks_widen_what_follows():
    """Those that the drift names."""
    drift = Drift(levels="none", slopes="none", breaks=(2018,),
                  level_break_sd=PositiveNormal(0.2, 1e-4))  # fmt: skip
    made = prior_drift(drift, years=YEARS, draws=20_000)
    assert log_sd(made["authority_rate"], 2014) < 0.01
    assert log_sd(made["authority_rate"], 2018) == pytest.approx(0.2, rel=0.03)


def test_draws_are_labelled():
    """Tables and figures take them."""
    made = prior_drift(years=YEARS, draws=50)
    table = sg.summarise(sg.years.change(made["authority_rate"], start=2013, end=2018))
    assert len(table) == 1
    assert sg.summarise(made["national_rate"])["year"].tolist() == list(YEARS)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"years": (2014, 2013)}, "Expected two or more whole years in order"),
        ({"years": YEARS, "draws": 0}, "draws must be at least 1"),
    ],
)
def test_what_makes_no_sense(given, words):
    """Refused in words."""
    with pytest.raises(SpecificationError, match=words):
        prior_drift(**given)
