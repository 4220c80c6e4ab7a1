"""One year ahead: a fit of years carried on, as a fit of the year after the last."""

import json
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from socgrad.arrays import FloatArray
from socgrad.errors import EstimandError
from socgrad.reading.by_stratum import stratum, stratum_labels, years_facts
from socgrad.schema import COEFFICIENTS, EFFECTS, PARAMETERS
from socgrad.terms import TERMS
from socgrad.yearly_covariances import drift_covariance, national_covariance, national_step

__all__ = ["next_year"]

type Floats = npt.NDArray[np.float64]

_SPREADS = {name for name, kind in TERMS.items() if kind.acts_on == "spread"}


def next_year(fit: xr.DataTree, *, random_seed: int) -> xr.DataTree:
    """Carry a fit of years on by one year: a fit of the year after the last.

    Parameters
    ----------
    fit
        From `socgrad.fit` on a `StratifiedModel` with ``authority_effects=years.Drift(...)`` and
        ``national=years.National(...)`` whose form is "random walk" or "trend".
    random_seed
        At least 0.

    Returns
    -------
    xarray.DataTree
        A fit of one stratum, as `socgrad.stratum` gives it, for every estimand: the places,
        children and exposure of the last year; in each draw national coefficients and authority
        effects are drawn given those of all years; spreads such as overdispersion are those of the
        last year. What predicts events (`socgrad.predictions.predict_authority_events`) adds the
        noise of counts. Without counts, attr `carried_on` says from which year.

    Raises
    ------
    EstimandError
        If the fit does not say how years hang together.
    SchemaError
        If `fit` is no fit of years.

    Notes
    -----
    Coefficients and effects of all years and the next are normal a priori, so that the next given
    the others is normal too: mean C_no C_oo^-1 x, variance C_nn - C_no C_oo^-1 C_on, with the
    covariances C of each draw's drift. No break is expected.

    Interpretation
    --------------
    What to expect if the next year is to the last as years were to each other. Nothing in it knows
    of a new law, a new index or a pandemic.

    Examples
    --------
    >>> import socgrad as sg
    >>> from socgrad.reading.years_example import example_fit_of_years
    >>> ahead = sg.years.next_year(example_fit_of_years(), random_seed=1)
    >>> sg.gradient(ahead)["year"].item()
    2022
    """
    facts = years_facts(fit)
    lacking = [
        words
        for name, words in (
            ("drift", "authority_effects=years.Drift(...)"),
            ("national", "national=years.National(...)"),
        )
        if facts[name] is None
    ]
    if lacking or facts["national"]["form"] == "independent":
        raise EstimandError(
            "This fit does not say what the next year has to do with those before: it was fitted "
            f"without {' and '.join(lacking) or 'a form of the national coefficients'}. Fit "
            "StratifiedModel(panel, authority_effects=socgrad.years.Drift(), "
            "national=socgrad.years.National(form='random walk'))."
        )
    if "region_effect" in fit["posterior"].data_vars:
        raise EstimandError(
            "This fit has regions, whose effects of one year say nothing of those of the next. Fit "
            "the model without regions to carry it on."
        )
    labels = [int(str(label)) for label in stratum_labels(fit)]
    new = labels[-1] + 1
    years = np.array([*labels, new], dtype=np.float64)
    made = stratum(fit, labels[-1])
    rng = np.random.default_rng(random_seed)
    draws, last = fit["posterior"].to_dataset(), made["posterior"].to_dataset()
    priors, per = _priors(fit, labels[0]), float(fit["constant_data"]["per"])
    changed = {}
    for name in last.data_vars:
        if (name in PARAMETERS and name not in _SPREADS) or name in COEFFICIENTS:
            values = _leading(draws[name])
            pairs = np.reshape(priors[TERMS[str(name)].prior_name or str(name)], (-1, 2))
            changed[name] = _carried(
                values,
                pairs,
                steps=[
                    national_step(str(name), facts["national"], sd=sd, per=per) for _, sd in pairs
                ],
                national=facts["national"],
                years=years,
                rng=rng,
            )
    changed |= _effects(draws, facts["drift"], years, rng)
    for name, values in changed.items():
        dims = ("chain", "draw", *(d for d in last[name].dims if d not in ("chain", "draw")))
        shape = tuple(last.sizes[d] for d in dims)
        last = last.assign({name: (dims, values.reshape(shape), last[name].attrs)})
    made["posterior"] = xr.DataTree(last.assign_coords(stratum=new))
    for group in ("constant_data", "sample_stats"):
        if group in made.children:
            held = made[group].to_dataset()
            if "stratum" in held.coords:
                made[group] = xr.DataTree(held.assign_coords(stratum=new))
    for group in ("observed_data", "joint_effects"):
        if group in made.children:
            del made[group]
    made.attrs.pop("data_sha256", None)
    made.attrs["carried_on"] = json.dumps({"from": labels[-1], "random_seed": random_seed})
    return made


def _leading(draws: xr.DataArray) -> Floats:
    """Draws by year, (draws, years, others)."""
    values = draws.transpose("chain", "draw", "stratum", ...).to_numpy()
    return values.reshape(values.shape[0] * values.shape[1], values.shape[2], -1)


def _priors(fit: xr.DataTree, year: int) -> dict[str, list[Any]]:
    """Prior of each coefficient in the first year, per step: mean and sd, or pairs of columns."""
    attrs = stratum(fit, year).attrs
    if "priors" not in attrs:
        raise EstimandError(
            "This fit does not hold its priors, from which the next year follows: it was saved "
            "with include_events=False. Carry the fit on where it was made, and save that."
        )
    found: dict[str, list[Any]] = json.loads(attrs["priors"])
    return found


def _carried(
    values: Floats,
    pairs: Floats,
    *,
    steps: list[float],
    national: dict[str, Any],
    years: FloatArray,
    rng: np.random.Generator,
) -> Floats:
    """Coefficients of the next year, (draws, columns), given priors and steps of each column."""
    made = np.empty((len(values), values.shape[2]))
    for column in range(values.shape[2]):
        mean, sd = pairs[column]
        whole = national_covariance(
            national["form"], years, tuple(national["breaks"]), sd=sd, step=steps[column]
        )
        weights = np.linalg.solve(whole[:-1, :-1], whole[:-1, -1])
        variance = whole[-1, -1] - whole[-1, :-1] @ weights
        away = (values[:, :, column] - mean) @ weights
        noise = rng.standard_normal(len(values))
        made[:, column] = mean + away + np.sqrt(max(variance, 0.0)) * noise
    return made


def _effects(
    draws: xr.Dataset, drift: dict[str, Any], years: FloatArray, rng: np.random.Generator
) -> dict[str, Floats]:
    """Effects of authorities in the next year, (draws, authorities) by name, and their spreads."""
    names = [name for name in EFFECTS if name in draws]
    old = np.concatenate([_leading(draws[name]) for name in names], axis=1)
    many, t = len(names), len(years) - 1
    numbers = {
        str(name): draws[name].transpose("chain", "draw").to_numpy().ravel()
        for name in draws.data_vars
        if draws[name].dims == ("chain", "draw")
    }
    whole = drift_covariance(
        years,
        (drift["levels"], drift["slopes"])[:many],
        drift["breaks"],
        numbers,
        period=(float(years[0]), float(years[-2])),
    )
    new = np.arange(many) * (t + 1) + t
    before = np.setdiff1d(np.arange(many * (t + 1)), new)
    inside = whole[:, before[:, None], before]
    across = whole[:, before[:, None], new]
    weights = np.linalg.solve(inside, across)
    mean = np.einsum("nkm,nkj->nmj", weights, old)
    left = whole[:, new[:, None], new] - np.einsum("nkm,nkl->nml", across, weights)
    values, vectors = np.linalg.eigh(left)
    root = vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]
    noise = rng.standard_normal(mean.shape)
    drawn = mean + np.einsum("nml,nlj->nmj", root, noise)
    made = {name: drawn[:, k] for k, name in enumerate(names)}
    sds = np.sqrt(np.einsum("nkk->nk", whole[:, new[:, None], new]))
    for k, name in enumerate(("level_sd", "slope_sd")[:many]):
        made[name] = sds[:, k]
    if many > 1:
        made["correlation"] = whole[:, new[0], new[1]] / sds[:, 0] / sds[:, 1]
    return made
