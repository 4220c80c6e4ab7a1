"""Fitting: options; and by NUTS, seeds, the tree and its manifest."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from fits import INFORMED
from socgrad.engines.task import Task
from socgrad.errors import QuadratureWarning, SpecificationError
from socgrad.fitting import fit
from socgrad.model.compression import likelihood_data
from socgrad.model.gradient_model import GradientModel
from socgrad.nuts.options import NutsOptions
from socgrad.schema import check_tree
from tables import simulated, simulated_areas, small_areas


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "vb"}, "method='vb' is not an engine"),
        ({"draws": 0}, "draws must be at least 1"),
        ({"tune": 0}, "tune must be at least 1"),
        ({"chains": -1}, "chains must be at least 1"),
        ({"cores": 0}, "cores must be at least 1"),
        ({"target_accept": 1.0}, "target_accept must lie between 0 and 1"),
        ({"random_seed": -4}, "random_seed must be at least 0"),
        ({"draws": "1000"}, "draws must be a whole number; got '1000'"),
        ({"chains": 4.0}, r"chains must be a whole number; got 4\.0"),
        ({"random_seed": "2019"}, "random_seed must be a whole number; got '2019'"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    """Each option is checked before anything is compiled."""
    with pytest.raises(SpecificationError, match=message):
        fit(GradientModel(small_areas()), **options)


@pytest.mark.mcmc
def test_same_seed_same_draws_another_seed_others():
    """The seed fixes every draw, whatever was fitted in between, and another seed changes them."""
    model = GradientModel(small_areas())
    options = {"method": "nuts", "draws": 50, "tune": 100, "chains": 2, "progress": False}
    first = fit(model, random_seed=1, **options)
    fit(GradientModel(small_areas(intercept=-3.0)), random_seed=9, **options)
    again, other = (fit(model, random_seed=seed, **options) for seed in (1, 2))
    xr.testing.assert_identical(first["posterior"].to_dataset(), again["posterior"].to_dataset())
    assert not np.array_equal(first["posterior"]["within"], other["posterior"]["within"])


@pytest.mark.mcmc
def test_cores_do_not_change_the_draws():
    """One chain at a time gives the draws of two at a time."""
    options = {
        "method": "nuts",
        "draws": 50,
        "tune": 100,
        "chains": 2,
        "random_seed": 3,
        "progress": False,
    }
    model = GradientModel(small_areas())
    one, two = (fit(model, cores=cores, **options) for cores in (1, 2))
    np.testing.assert_array_equal(one["posterior"]["within"], two["posterior"]["within"])


@pytest.mark.mcmc
def test_a_reused_graph_gives_each_model_its_own_answer():
    """A second outcome on a compiled graph is fitted to its own counts and priors."""
    options = {
        "method": "nuts",
        "draws": 300,
        "tune": 300,
        "chains": 2,
        "random_seed": 4,
        "progress": False,
    }
    rare, common = (
        fit(GradientModel(small_areas(intercept=value)), **options) for value in (-5.0, -3.0)
    )
    difference = float((common["posterior"]["intercept"] - rare["posterior"]["intercept"]).mean())
    assert difference == pytest.approx(2.0, abs=0.35)


@pytest.mark.slow
# PyMC's own sampler overflows harmlessly while it looks for its first step size.
@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
def test_plain_pymc_sampling_gives_the_same_posterior():
    """`pm.sample` on the graph gives a tree of the schema, with the same estimates."""
    pm = pytest.importorskip("pymc")
    from socgrad.estimands.gradients import gradient
    from socgrad.nuts.pymc_models import pymc_model

    model = GradientModel(small_areas())
    with pymc_model(model):
        plain = pm.sample(
            draws=500, tune=500, chains=2, cores=1, random_seed=1, progressbar=False,
            nuts_sampler="pymc",
        )  # fmt: skip
    check_tree(plain)
    ours = fit(model, method="nuts", draws=500, tune=500, chains=2, random_seed=1, progress=False)
    one, other = (gradient(tree) for tree in (plain, ours))
    # Standard error of a difference of two means with at least 300 effective draws each.
    error = float(other.std()) * np.sqrt(2 / 300)
    assert float(one.mean() - other.mean()) == pytest.approx(0.0, abs=4.5 * error)


@pytest.mark.mcmc
def test_slopes_outside_the_exact_range_are_reported(monkeypatch):
    """Drawn slopes that leave the range of the Gauss rule give a warning, and the error there."""
    monkeypatch.setattr("socgrad.model.compression.SLOPE_RANGE", (-0.05, 0.05))
    monkeypatch.setattr("socgrad.quadrature_record._NEGLIGIBLE", 1e-9)
    options = {
        "method": "nuts",
        "draws": 50,
        "tune": 100,
        "chains": 1,
        "random_seed": 3,
        "progress": False,
    }
    with pytest.warns(QuadratureWarning, match="Drawn slopes run from"):
        tree = fit(GradientModel(small_areas()), **options)
    assert tree.attrs["quadrature_error"] > 1e-9


@pytest.mark.mcmc
def test_an_authority_of_one_area_one_without_events_and_one_without_data():
    """Odd authorities sample without divergences, and what nothing is known of varies most."""
    frame = simulated().frame.astype({"events": "float64"})
    one, none, unknown = sorted(frame["authority"].unique())[:3]
    frame = frame[(frame["authority"] != one) | ~frame["authority"].duplicated()].copy()
    frame.loc[frame["authority"] == none, "events"] = 0.0
    frame.loc[frame["authority"] == unknown, "events"] = np.nan
    model = GradientModel(simulated_areas(frame, missing_events="leave out"))
    tree = fit(model, method="nuts", random_seed=1, progress=False)
    assert not tree["sample_stats"]["diverging"].any()
    level = tree["posterior"]["level_effect"]
    assert np.isfinite(level).all()
    assert float(level.sel(authority=none).mean()) < 0
    spread = level.std(("chain", "draw"))
    assert spread.idxmax().item() == unknown
    expected = float(np.sqrt((tree["posterior"]["level_sd"] ** 2).mean()))
    assert float(spread.sel(authority=unknown)) == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize(
    ("options", "table", "expected"),
    [
        ({}, {}, 0.9),
        ({"family": "negative_binomial"}, {}, 0.9),
        ({"random_slopes": False}, {}, 0.95),
        ({"shape": "tenths"}, {}, 0.95),
        ({}, {"authorities": 9}, 0.95),
        ({"priors": INFORMED}, {"kind": "totals"}, 0.95),
    ],
)
def test_steps_are_smaller_for_models_less_tried(options, table, expected):
    """The default of `target_accept` follows the model."""
    from socgrad.engines.nuts import _usual

    model = GradientModel(small_areas(**table), **options)
    asked = NutsOptions(5, None, 1, 1, None, 1, progress=False)
    task = Task((model,), (likelihood_data(model),), asked)
    assert _usual(task).target_accept == expected
    given = replace(task, options=replace(asked, target_accept=0.7))
    assert _usual(given).target_accept == 0.7
