"""How far localities lie from their authority's line."""

import numpy as np
import pytest
from scipy import integrate, stats

from conftest import changed
from locality_tables import locality_fit, simulated_with_localities
from socgrad.errors import EstimandError
from socgrad.estimands.aggregates import line_draws
from socgrad.estimands.area_rates import area_rates
from socgrad.estimands.locality_ratios import locality_ratio
from socgrad.reading.geography import geography
from socgrad.reading.posterior import coefficients
from socgrad.reading.storage import load, save
from socgrad.tables.summaries import summarise


def test_mean_is_the_shrunken_ratio_by_hand():
    """Mean (1 + r Y) / (1 + r E) and variance r (1 + r Y) / (1 + r E)**2 of a gamma posterior."""
    like = {"locality_sd": 0.5, "level_sd": 0.3}
    tree = changed(
        locality_fit(),
        posterior=lambda p: p.assign(
            {n: p["intercept"] * 0 + v for n, v in like.items()}
            | {n: p[n].isel(chain=0, draw=0) + 0 * p[n] for n in p if n not in like}
        ),
    )
    terms, land = coefficients(tree), geography(tree)
    lines = line_draws(terms, land, own_effects=True)
    expected = (area_rates(terms, land, lines, slice(None)) * land.exposure)[0]
    frame = simulated_with_localities().frame.sort_values(["authority", "area"])
    ratio = locality_ratio(tree)
    assert ratio.attrs["null"] == 1.0
    flat = ratio.to_numpy().reshape(400, -1)
    for m in (0, 9):
        own = land.locality_of_area == m
        y, e, r = frame["events"].to_numpy()[own].sum(), expected[own].sum(), 0.25
        mean, variance = (1 + r * y) / (1 + r * e), r * (1 + r * y) / (1 + r * e) ** 2
        assert flat[:, m].mean() == pytest.approx(mean, abs=4.5 * np.sqrt(variance / 400))
        assert flat[:, m].var() == pytest.approx(variance, rel=0.35)
        # The same mean by integrating prior times Poisson likelihood numerically.
        up, down = (
            integrate.quad(
                lambda g, k=k, y=y, e=e: (
                    g**k * stats.gamma.pdf(g, 4, scale=0.25) * stats.poisson.pmf(y, g * e)
                ),
                0,
                10,
            )[0]
            for k in (1, 0)
        )
        assert up / down == pytest.approx(mean, rel=1e-6)


def test_true_factors_are_covered():
    """Ratios of observed to expected events of the simulation lie where the draws say."""
    ratio = locality_ratio(locality_fit())
    table = summarise(ratio)
    assert len(table) == ratio.sizes["locality"]
    assert 0.8 < float(table["estimate"].mean()) < 1.2
    # Localities differ by a coefficient of 0.4, of which most survives the shrinking.
    assert 0.2 < float(table["estimate"].std()) < 0.5


def test_authorities_may_be_named():
    """One by its label, several by a list; each locality says whose it is."""
    tree = locality_fit()
    every = locality_ratio(tree)
    one = locality_ratio(tree, authority="A003")
    assert set(one["locality_authority"].to_numpy()) == {"A003"}
    own = every["locality_authority"] == "A003"
    assert one["locality"].to_numpy().tolist() == every["locality"][own].to_numpy().tolist()
    two = locality_ratio(tree, authority=["A003", "A005"])
    assert set(two["locality_authority"].to_numpy()) == {"A003", "A005"}
    with pytest.raises(EstimandError, match="No authority 'Z9' in this fit"):
        locality_ratio(tree, authority="Z9")


def test_authorities_with_totals_are_left_out():
    """A total says nothing of single localities: of a mixture half is there, of totals none."""
    mixture = locality_ratio(locality_fit("mixture"))
    assert len(np.unique(mixture["locality_authority"])) == 6
    with pytest.raises(EstimandError, match="a total says nothing of single localities"):
        locality_ratio(locality_fit("totals"))


def test_what_is_refused(split_fit, tmp_path):
    """Fits without localities, without counts, and more draws than were allowed."""
    with pytest.raises(EstimandError, match=r"this model has none.*localities=True"):
        locality_ratio(split_fit)
    with pytest.raises(EstimandError, match=r"locality_ratio needs the observed events"):
        locality_ratio(load(save(locality_fit(), tmp_path / "fit.nc", include_events=False)))
    with pytest.raises(EstimandError, match=r"49 localities in 400 draws take 0.00016 GB"):
        locality_ratio(locality_fit(), most_gigabytes=1e-4)
