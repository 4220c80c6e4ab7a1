"""The log-rate equation: by hand, and the same through PyTensor as through xarray."""

import numpy as np
import pytest
import xarray as xr

from socgrad.predictor import authority_level, authority_slope, log_rate


def test_equation_by_hand():
    """The three functions reproduce a neighbourhood worked out by hand."""
    # b = (0.25 - 0.17) / 0.1 = 0.8, w = (0.35 - 0.25) / 0.1 = 1
    level = authority_level(-3.0, 0.3, -0.1, 0.8, 0.05)  # -3 + 0.24 - 0.064 + 0.05 = -2.774
    slope = authority_slope(0.5, -0.05, 0.8, 0.1)  # 0.5 - 0.04 + 0.1 = 0.56
    assert level == pytest.approx(-2.774, abs=1e-12)
    assert slope == pytest.approx(0.56, abs=1e-12)
    assert log_rate(level, slope, 1.0) == pytest.approx(-2.214, abs=1e-12)


def test_pytensor_and_xarray_agree():
    """Log rates of a PyTensor graph equal those from labelled draws to 1e-12."""
    pt = pytest.importorskip("pytensor.tensor")
    rng = np.random.default_rng(8)
    draws, authorities, areas = 5, 4, 30
    values = {
        name: rng.normal(size=draws)
        for name in ("intercept", "between", "curvature", "within", "cross_level")
    }
    effects = {name: rng.normal(size=(draws, authorities)) for name in ("level", "slope")}
    b, w = rng.normal(size=authorities), rng.normal(size=areas)
    row = rng.integers(authorities, size=areas)

    x = {name: xr.DataArray(v, dims="draw") for name, v in values.items()}
    u = {name: xr.DataArray(v, dims=("draw", "authority")) for name, v in effects.items()}
    xb, xw = xr.DataArray(b, dims="authority"), xr.DataArray(w, dims="area")
    at = xr.DataArray(row, dims="area")
    level = authority_level(x["intercept"], x["between"], x["curvature"], xb, u["level"])
    slope = authority_slope(x["within"], x["cross_level"], xb, u["slope"])
    labelled = log_rate(level.isel(authority=at), slope.isel(authority=at), xw)

    t = {name: pt.dscalar(name) for name in values}
    tu = {name: pt.dvector(name) for name in effects}
    level = authority_level(t["intercept"], t["between"], t["curvature"], b, tu["level"])
    slope = authority_slope(t["within"], t["cross_level"], b, tu["slope"])
    graph = log_rate(level[row], slope[row], w)
    for d in range(draws):
        point = {t[n]: values[n][d] for n in values} | {tu[n]: effects[n][d] for n in effects}
        np.testing.assert_allclose(
            graph.eval(point), labelled.isel(draw=d).to_numpy(), rtol=1e-12, atol=1e-12
        )
