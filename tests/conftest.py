"""Fits without sampling: draws from local generators around known values.

All derive from the example fit (6 authorities of 100 areas, 2 chains of 50 draws, step 0.10) by
adding and dropping terms as the left wing would.
"""

import gc
import os
from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr
from hypothesis import settings

from socgrad.reading.example import example_fit

type Change = Callable[[xr.Dataset], xr.Dataset]

# PyTensor notes where each node of a graph was written: a sixth of the time of building one.
os.environ.setdefault("PYTENSOR_FLAGS", "traceback__limit=0")

# The same cases in every run, however busy the machine: a verdict must not go by chance.
# `pytest --hypothesis-profile=default` looks for new ones.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")


# Compilers make objects by the million, and each collection would go through the thousands of
# tests and all that they import: a seventh of the time of a run.
gc.set_threshold(100_000, 20, 20)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that sample come first: with `--no-loadscope-reorder` none is left to one process."""
    sampling = {item.path for item in items if item.get_closest_marker("mcmc")}
    items.sort(key=lambda item: item.path not in sampling)


def changed(
    tree: xr.DataTree, *, posterior: Change | None = None, constants: Change | None = None
) -> xr.DataTree:
    """Copy a fit with its posterior or its constants changed by a function of the dataset."""
    groups = {name: node.to_dataset() for name, node in tree.children.items()}
    if posterior is not None:
        groups["posterior"] = posterior(groups["posterior"])
    if constants is not None:
        groups["constant_data"] = constants(groups["constant_data"])
    copy = xr.DataTree.from_dict(groups)
    copy.attrs = dict(tree.attrs)
    return copy


@pytest.fixture
def change_fit() -> Callable[..., xr.DataTree]:
    """Give the function `changed`, for tests that make their own variant."""
    return changed


@pytest.fixture
def fixed_fit(split_fit: xr.DataTree) -> Callable[[dict[str, float]], xr.DataTree]:
    """Give a function that sets terms of the split fit to constants, and both effects to zero."""

    def fixed(values: dict[str, float]) -> xr.DataTree:
        def constant(posterior: xr.Dataset) -> xr.Dataset:
            like = posterior["intercept"]
            posterior = posterior.assign(
                {name: xr.full_like(like, value) for name, value in values.items()}
            )
            effects = {name: 0 * posterior[name] for name in ("level_effect", "slope_effect")}
            return posterior.assign(effects)

        return changed(split_fit, posterior=constant)

    return fixed


@pytest.fixture(scope="session")
def split_fit() -> xr.DataTree:
    """Make a split Poisson model with random slopes and a cross-level term."""
    return example_fit()


@pytest.fixture(scope="session")
def curved_fit(split_fit: xr.DataTree) -> xr.DataTree:
    """Add curvature to the split fit: mean 0.08, sd 0.02."""
    noise = np.random.default_rng(3).standard_normal((2, 50))
    return changed(
        split_fit, posterior=lambda p: p.assign(curvature=(("chain", "draw"), 0.08 + 0.02 * noise))
    )


@pytest.fixture(scope="session")
def parallel_fit(split_fit: xr.DataTree) -> xr.DataTree:
    """Make the same without the cross-level term."""
    return changed(split_fit, posterior=lambda p: p.drop_vars("cross_level"))


@pytest.fixture(scope="session")
def no_slopes_fit(split_fit: xr.DataTree) -> xr.DataTree:
    """Make the same without random slopes."""
    return changed(
        split_fit,
        posterior=lambda p: p.drop_vars(["slope_effect", "slope_sd", "correlation"]),
    )


@pytest.fixture(scope="session")
def pooled_fit(split_fit: xr.DataTree) -> xr.DataTree:
    """One coefficient for raw deprivation, measured from the national mean."""
    return changed(
        split_fit,
        posterior=lambda p: p.drop_vars(["between", "cross_level"]).rename(within="pooled"),
        constants=lambda c: c.assign(
            between_part=0 * c["between_part"],
            within_part=(c["deprivation"] - c["national_mean"]) / c["per"],
        ),
    )


@pytest.fixture(scope="session")
def null_fit(split_fit: xr.DataTree) -> xr.DataTree:
    """No deprivation at all."""
    dropped = ["within", "between", "cross_level", "slope_effect", "slope_sd", "correlation"]
    return changed(split_fit, posterior=lambda p: p.drop_vars(dropped))


@pytest.fixture(scope="session")
def fit_with_events(split_fit: xr.DataTree) -> xr.DataTree:
    """Give the split fit counts for five authorities, a total for the sixth, and statistics."""
    constants = split_fit["constant_data"].to_dataset()
    counted = constants["authority_of_area"].to_numpy() < 5
    number = int(counted.sum())
    # Large odd numbers: the bytes of a file cannot hold them by chance.
    events = 7_000_003 + 1_000_033 * np.arange(number)
    groups = {name: node.to_dataset() for name, node in split_fit.children.items()}
    groups["constant_data"] = constants.assign(
        count_events=("count_authority_dim", 9_000_011.0 + np.arange(5)),
        prior_intercept=("moment", np.array([-4.5678901234, 1.5])),
        row_events=("row", events.astype(float)),
    )
    groups["observed_data"] = xr.Dataset(
        {
            "events": ("counted_area", events),
            "total_events": ("total_authority", np.array([8_123_457_891])),
        },
        coords={
            "counted_area": constants["area"].to_numpy()[counted],
            "total_authority": constants["authority"].to_numpy()[5:],
        },
    )
    rng = np.random.default_rng(5)
    groups["sample_stats"] = xr.Dataset(
        {
            "diverging": (("chain", "draw"), np.zeros((2, 50), dtype=bool)),
            "energy": (("chain", "draw"), rng.standard_normal((2, 50))),
        },
        coords={"chain": [0, 1], "draw": np.arange(50)},
    )
    tree = xr.DataTree.from_dict(groups)
    tree.attrs = {**split_fit.attrs, "socgrad_version": "0.1.0", "random_seed": 2019}
    return tree
