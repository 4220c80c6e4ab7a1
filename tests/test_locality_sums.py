"""Sums of expected events over localities."""

import numpy as np
import pytest

from conftest import changed
from locality_tables import locality_fit
from socgrad.estimands import locality_sums as module
from socgrad.estimands.aggregates import line_draws
from socgrad.estimands.area_rates import area_rates
from socgrad.estimands.locality_sums import locality_events, locality_squares
from socgrad.reading.geography import geography
from socgrad.reading.posterior import coefficients


@pytest.fixture(scope="module")
def parts():
    """Terms and geography of a small fit, and expected events of all areas in all draws."""
    tree = locality_fit()
    terms, land = coefficients(tree), geography(tree)
    lines = line_draws(terms, land, own_effects=True)
    return terms, land, area_rates(terms, land, lines, slice(None)) * land.exposure


@pytest.mark.parametrize("block", [400, 400 * 13, 10**6])
def test_localities_are_summed_whole(parts, monkeypatch, block):
    """Whatever the size of a block; areas that are not named do not count."""
    terms, land, expected = parts
    monkeypatch.setattr(module, "_BLOCK", block)
    areas = np.flatnonzero(np.arange(land.exposure.size) % 3 > 0)[::-1]
    found = list(locality_events(terms, land, areas))
    of = land.locality_of_area[areas]
    assert np.concatenate([one.locality for one in found]).tolist() == np.unique(of).tolist()
    for one in found:
        for k, m in enumerate(one.locality):
            rows = areas[of == m]
            np.testing.assert_allclose(
                one.expected[:, k], expected[:, rows].sum(axis=1), rtol=1e-12
            )


@pytest.mark.parametrize("with_covariates", [False, True])
def test_squares_are_those_of_the_rows(parts, with_covariates):
    """From pairs of areas, or area by area where areas have covariates."""
    terms, land, expected = parts
    if with_covariates:
        # A covariate of no effect sends the same sums another way.
        tree = changed(
            locality_fit(),
            posterior=lambda p: p.assign(
                covariate_coefficient=(("chain", "draw", "covariate"), np.zeros((2, 200, 1)))
            ).assign_coords(covariate=["rural"]),
            constants=lambda c: c.assign(
                covariate_design=(("area", "covariate"), np.ones((c.sizes["area"], 1)))
            ).assign_coords(covariate=["rural"]),
        )
        terms, land = coefficients(tree), geography(tree)
        assert terms.has_area_covariates
    squares = locality_squares(terms, land)
    home = np.zeros(len(land.locality), dtype=int)
    home[land.locality_of_area] = land.authority_of_area
    sums = expected @ (land.locality_of_area[:, None] == np.arange(len(home)))
    np.testing.assert_allclose(squares, sums**2 @ (home[:, None] == np.arange(12)), rtol=1e-9)
