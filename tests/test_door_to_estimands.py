"""A bounded fuzz of the whole way: random tables through the door, a fit, and every estimand.

Whatever the table, nothing raises or warns in the words of another library, and no number that is
not finite comes without a warning or a mark, of the fit or of the estimand.
"""

import inspect
import itertools
import warnings

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import socgrad as sg
from public_names import public_names
from socgrad.errors import ConvergenceWarning, SocgradError, SocgradWarning

SEEDS = range(40)


def random_table(rng):
    """A table of a few to some hundred areas, odd in one way or another."""
    authorities = int(rng.choice([2, 3, 5, 12, 30]))
    size = rng.integers(1, rng.choice([2, 6, 25]), authorities, endpoint=True)
    la = np.repeat(np.arange(authorities), size)
    x = np.clip(rng.uniform(0, 0.5, authorities)[la] + rng.normal(0, 0.1, la.size), 0, 1)
    if rng.random() < 0.3:  # few distinct values
        x = np.round(x * rng.choice([4, 10])) / rng.choice([10, 20])
    children = rng.integers(0, rng.choice([5, 300, 50_000]), la.size, endpoint=True)
    level = rng.choice([1e-4, 0.005, 0.05, 0.5])
    spread = rng.choice([0.0, 0.3, 2.0])
    slope = rng.choice([-1.0, 0.0, 0.5, 1.5])
    rate = np.minimum(
        level * np.exp(slope * (x - 0.2) / 0.1 + rng.normal(0, spread, authorities)[la]), 5.0
    )
    events = rng.poisson(children * rate)
    order = rng.permutation(la.size)
    names = rng.choice(["text", "number", "accent"])
    labels = {
        "text": [f"LA {k:02d}" for k in la],
        "number": (la + 100).tolist(),
        "accent": [f"Môn-{k}" for k in la],
    }[names]
    frame = pd.DataFrame(
        {
            "area": [f"A{k:04d}" for k in range(la.size)],
            "la": labels,
            "x": x,
            "children": children,
            "events": events,
            "rural": rng.choice(["yes", "no"], la.size),
            "density": rng.lognormal(3, 1, la.size),
            "region": [f"R{k % 3}" for k in la],
        }
    )
    return frame.iloc[order]


def random_options(rng, frame):
    """Options of the door that suit the table, more or less."""
    given = {"complete": True, "zero_exposure": "leave out", "missing_events": "leave out"}
    if rng.random() < 0.25:
        given |= {"events": None, "totals": frame.groupby("la")["events"].sum().to_dict()}
    if rng.random() < 0.3:
        given["per"] = float(rng.choice([0.01, 0.2, 1.0]))
    if rng.random() < 0.3:
        given |= {"covariates": ["rural", "density"]}
    if rng.random() < 0.3:
        given |= {"region": "region"}
    return given


def random_model(rng, areas):
    """A specification that the areas allow, more or less."""
    given = {}
    if rng.random() < 0.3:
        given["family"] = "negative_binomial"
    if rng.random() < 0.2:
        given["deprivation"] = str(rng.choice(["pooled", "none"]))
    if rng.random() < 0.2:
        given["random_slopes"] = False
    if len(areas.covariates.columns) and rng.random() < 0.7:
        given["covariates"] = str(rng.choice(["~ rural", "~ scale(log(density))"]))
    if len(areas.region) and rng.random() < 0.5:
        given["regions"] = True
    return sg.GradientModel(areas, **given)


def estimands():
    """Every public function whose first argument is a fit and whose others have defaults."""
    for name, value in public_names().items():
        if not inspect.isfunction(value) or name in SKIPPED:
            continue
        first, *others = inspect.signature(value).parameters.values()
        if first.name == "fit":
            yield name, value, [one for one in others if one.default is inspect.Parameter.empty]


#: Not numbers of a fit: files, checks that refit, and what takes many minutes.
SKIPPED = frozenset({"save", "leave_out"})

#: What arguments without a default are given, in turn.
GIVEN = {
    "deprivation": (0.1, [0.05, 0.9], 1.0, 0.0),
    "low": (0.05,),
    "high": (0.4,),
    "authority_mean": (0.1, [0.0, 0.5]),
    "values": ({"density": 10.0},),
}

#: What else is asked for, where there is such an option.
OPTIONS = {
    "target": ("each", "new", "integrated", "own"),
    "by": ("authority", "region", "area"),
    "groups": (3, 100),
    "per": (0.5,),
    "method": ("linear", "log-linear", "poisson"),
    "against": ("national_mean", "average_level", "average_gradient"),
    "effect": ("gradient",),
    "deprivation": (0.0, 1.0),
}


def calls(function, needed):
    """Ways to call an estimand: with defaults, and with each option changed."""
    names = [one.name for one in needed]
    every = itertools.product(*(GIVEN.get(name, (0.2,)) for name in names))
    ways = [dict(zip(names, chosen, strict=True)) for chosen in every]
    yield from ways
    for name, values in OPTIONS.items():
        parameter = inspect.signature(function).parameters.get(name)
        if parameter is not None and name not in ways[0]:
            yield from (ways[0] | {name: value} for value in values)


def not_finite(found):
    """How many numbers of what an estimand returned are not finite."""
    if isinstance(found, xr.DataArray) and found.dtype.kind == "f":
        values = found.to_numpy()
        if found.attrs.get("missing_rows"):
            values = values[..., ~np.isnan(values).all(axis=(0, 1))]
        return int((~np.isfinite(values)).sum())
    if isinstance(found, xr.Dataset):
        return sum(map(not_finite, found.data_vars.values()))
    return 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_no_foreign_errors_and_no_silent_infinities(seed):
    """From a random table to every estimand of its fit."""
    rng = np.random.default_rng(seed)
    faults = []
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            frame = random_table(rng)
            areas = sg.Areas.from_frame(
                frame, area="area", authority="la", deprivation="x", children="children",
                **({"events": "events"} | random_options(rng, frame)),
            )  # fmt: skip
            model = random_model(rng, areas)
            fit = sg.fit(model, draws=100, tune=100, chains=2, random_seed=seed, progress=False)
        except SocgradError:
            return  # refused in our own words
    assert {one.category.__module__ for one in said} <= {SocgradWarning.__module__}
    doubted = any(issubclass(one.category, ConvergenceWarning) for one in said)
    for name, function, needed in estimands():
        for given in calls(function, needed):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                try:
                    bad = not_finite(function(fit, **given))
                except SocgradError:
                    continue
                except Exception as error:
                    faults.append(f"{name}({given}): {type(error).__name__}: {str(error)[:120]}")
                    continue
            ours = doubted or any(issubclass(one.category, SocgradWarning) for one in caught)
            if bad and not ours:
                faults.append(f"{name}({given}): {bad} numbers not finite, without a warning")
    assert not faults, "\n".join(faults)
