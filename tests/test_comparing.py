"""Any estimand compared between strata, groups and fits."""

import numpy as np
import pytest
import xarray as xr

import socgrad as sg
from socgrad.errors import EstimandError
from socgrad.reading.example import example_fit, example_fit_of_stages
from socgrad.reading.years_example import example_fit_of_years


@pytest.fixture(scope="module")
def stages():
    """A joint fit of three stages."""
    return example_fit_of_stages()


@pytest.mark.parametrize(
    ("estimand", "scale"),
    [
        (lambda fit: sg.inverse_intervention(fit, deprivation=0.2), "ratio"),
        (sg.steepening, "ratio"),
        (sg.inequality.sii, "difference"),
        (lambda fit: sg.gradient(fit, target="each"), "ratio"),
    ],
)
def test_strata_are_compared_draw_by_draw(stages, estimand, scale):
    """By hand, with the reference's name and what it rests on in words."""
    draws = estimand(stages)
    made = sg.compare(draws, reference="assessment")
    one, base = draws.sel(stratum="plan"), draws.sel(stratum="assessment")
    expected = one / base if scale == "ratio" else one - base
    np.testing.assert_allclose(made.sel(stratum="plan"), expected, rtol=1e-12)
    assert made["stratum"].to_numpy().tolist() == ["referral", "plan"]
    assert made.attrs["null"] == (1.0 if scale == "ratio" else 0.0)
    assert "assessment; from a joint fit; conservative" in made.attrs["reference"]
    assert "pr_above" in sg.summarise(made).columns


def test_gradients_are_as_compare_gradients_says(stages):
    """One number, whichever function gives it."""
    made = sg.compare(sg.gradient(stages), over="previous")
    other = sg.compare_gradients(stages, over="previous")
    np.testing.assert_allclose(made, other, rtol=1e-12)
    assert made["reference"].to_numpy()[1].startswith("the same of assessment")


def test_fits_are_compared_by_their_names():
    """Draws of two fits, paired as they come."""
    fit = example_fit()
    one, other = sg.gradient(fit), sg.gradient(fit.isel(draw=slice(None, None, -1)))
    made = sg.compare({"2019": one, "2023": other})
    assert made["fit"].to_numpy().tolist() == ["2023"]
    np.testing.assert_allclose(made.isel(fit=0), other.to_numpy() / one.to_numpy(), rtol=1e-12)
    assert "as if fits were independent" in made.attrs["reference"]
    assert len(sg.summarise(made)) == 1


def test_groups_are_compared():
    """Rates of groups of neighbourhoods, most deprived over least."""
    rates = sg.rates.rate_by_group(example_fit(), groups=5)
    (dim,) = set(rates.dims) - {"chain", "draw"}
    made = sg.compare(rates, scale="ratio")
    np.testing.assert_allclose(
        made.isel({dim: -1}), rates.isel({dim: -1}) / rates.isel({dim: 0}), rtol=1e-12
    )


@pytest.mark.parametrize(
    ("draws", "options", "match"),
    [
        (sg.gradient, {}, "none besides chain and draw"),
        (lambda f: {"a": sg.gradient(f)}, {}, "1 fits were given"),
        (lambda f: {"a": sg.gradient(f), "b": sg.between(f)}, {}, "estimand is 'between.*one esti"),
        (lambda f: {"a": sg.gradient(f), "b": sg.gradient(f).isel(draw=slice(9))}, {}, "computed"),
        (
            lambda f: {"a": sg.gradient(f), "b": sg.gradient(f.isel(draw=slice(9)))},
            {},
            "have sizes",
        ),
        (lambda f: sg.gradient(f).mean(), {}, "Expected draws"),
        (lambda _: 3.0, {}, "found float"),
        (
            lambda f: sg.gradient(f, target="each"),
            {"reference": "Nowhere"},
            "No authority .Nowh",
        ),
        (lambda f: sg.gradient(f, target="each"), {"dim": "area"}, "these draws have authority"),
        (lambda f: sg.inequality.sii(f, by="authority") - 1, {"scale": "ratio"}, "were computed"),
    ],
)
def test_what_cannot_be_compared_is_refused(draws, options, match):
    """In words, with what to do."""
    with pytest.raises(EstimandError, match=match):
        sg.compare(draws(example_fit()), **options)


def test_years_have_a_function_of_their_own():
    """Which knows of breaks."""
    with pytest.raises(EstimandError, match=r"socgrad\.years\.change"):
        sg.compare(sg.gradient(example_fit_of_years()))


def test_differences_of_what_has_no_ratios(stages):
    """A number that is not above 0 has differences alone."""
    level = sg.tables.label_draws(
        sg.gradient(stages) - 2.0, estimand="beyond", units="ratio", reference="2", null=0.0
    )
    with pytest.raises(EstimandError, match="Choose scale='difference'"):
        sg.compare(level, scale="ratio")
    assert isinstance(sg.compare(level), xr.DataArray)


def test_a_comparison_is_as_effective_as_its_worse_side():
    """Of strata fitted by weights, and of fits; one that was sampled without any has all draws."""
    fit = example_fit()
    weighted = sg.gradient(fit.copy())
    weighted.attrs["importance_ess"] = 300.0
    made = sg.compare({"sampled": sg.gradient(fit), "weighted": weighted})
    assert made["importance_ess"].to_numpy().tolist() == [300.0]
    assert made.attrs["importance_ess"] == 300.0
    fewer = weighted.copy()
    fewer.attrs["importance_ess"] = 100.0
    both = sg.compare({"few": fewer, "many": weighted})
    assert both.attrs["importance_ess"] == 100.0
    assert sg.summarise(both)["ess_bulk"].iloc[0] <= 100.0
