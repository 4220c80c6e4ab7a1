"""A fit in a form that may be asked to leave a secure place, and what can be had back from it.

Draws of authority effects give every authority's total back, whatever else is left out: the
posterior mean of the score is zero, so a total is the mean of its expected events, less what the
prior pulls. A release therefore holds coefficients alone. These depend on every count as well, each
a little: someone who knows all counts but one could look for the one that moves the coefficients to
where they are. Noise of a stated size hides it.
"""

import json
from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr

from socgrad.arrays import FloatArray
from socgrad.errors import SpecificationError
from socgrad.estimands.curves import curves_of_all, log_rate_at
from socgrad.reading.arguments import check_is_tree
from socgrad.reading.by_stratum import stratum, stratum_labels
from socgrad.reading.disclosure import (
    refuse_restricted_covariates,
    refuse_restricted_exposure,
    without_events,
)
from socgrad.reading.geography import geography
from socgrad.reading.posterior import coefficients as terms_of
from socgrad.schema import (
    COEFFICIENTS,
    CORRELATIONS,
    EFFECTS,
    OUTCOME,
    PARAMETERS,
    REGION_EFFECTS,
    check_tree,
    is_stratified,
)

__all__ = ["coefficients", "leakage"]

_KEPT: Final = (*PARAMETERS, *COEFFICIENTS, *CORRELATIONS, *OUTCOME)
#: Attributes of a file without events that say how its draws were made, to more digits than a
#: release has.
_OF_THE_DRAWS: Final = (
    "importance_ess",
    "laplace_quadrature_error",
    "pareto_k",
    "quadrature_error",
    "slope_range",
    "slopes_drawn",
)


def coefficients(
    fit: xr.DataTree,
    *,
    precision: float = 10.0,
    draws: int = 1000,
    exposure_is_public: bool = False,
    covariates_are_public: bool = False,
) -> xr.DataTree:
    """Give a fit without counts and without authority effects, its coefficients under noise.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    precision
        Events, above 0: someone who knows every count but one gets this one no closer than within a
        standard error of so many events. More takes more noise.
    draws
        Draws to give, at least 100. However many, they tell no more than the noisy centre and the
        rounded spread that they are drawn from.
    exposure_is_public, covariates_are_public
        As of `socgrad.save`: whether an exposure that is not the children, and covariates, may go
        along.

    Returns
    -------
    xarray.DataTree
        A fit of one chain, with the coefficients (`socgrad.schema.PARAMETERS` and those of
        covariates), the geography and the manifest; no `sample_stats`, no seed. It goes through
        `socgrad.save` and `socgrad.load`. Estimands of an average or a new authority read it;
        those of named authorities or of sums over them refuse it. Its attr `release` says in JSON
        how it was made; `interval_factor` there is by how much its intervals are wider than the
        fit's.

    Raises
    ------
    SchemaError
        If `fit` is not a socgrad fit, or its exposure or covariates may not go along.
    SpecificationError
        If `precision` or `draws` is out of range.

    Notes
    -----
    In coordinates where they are about normal (square roots of standard deviations, inverse
    hyperbolic tangents of correlations), let V be the posterior covariance of the coefficients, and
    e the log rate of an area. An event more in that area moves their posterior mean by Cov(., e),
    so one draw tells of its count with the information I = Cov(., e)' V⁻¹ Cov(., e). The centre is
    moved, once, by noise of covariance c V, with c = precision² times the largest I over
    authorities, at their least and their most deprived neighbourhood. The draws are normal about it
    with covariance (1 + c) V, whose standard deviations are rounded to two digits and correlations
    to tenths first, and come from the operating system's randomness: no seed, that of the fit
    included, gives them again. For overdispersed counts, which tell less, I is an upper bound as
    far as the rate goes. Of joint strata, correlations come one by one and need not fit together.

    Two releases of one fit have two noises, and their mean has less: release once.

    Interpretation
    --------------
    A gradient from a release is that of the fit within the noise, with an interval that counts it
    in. The fewer authorities, the more one of them matters, and the more noise it takes.

    References
    ----------
    Dwork & Roth 2014, Foundations and Trends in Theoretical Computer Science 9(3-4),
    https://doi.org/10.1561/0400000042 (noise against someone who knows all but one).

    Examples
    --------
    >>> import json
    >>> from socgrad.reading.example import example_fit
    >>> from socgrad.reading import release
    >>> released = release.coefficients(example_fit(), precision=5)
    >>> released["posterior"].sizes["draw"], "level_effect" in released["posterior"]
    (1000, False)
    >>> json.loads(released.attrs["release"])["precision"]
    5.0
    """
    _check(fit, precision)
    if isinstance(draws, bool) or not isinstance(draws, int) or draws < 100:
        raise SpecificationError(f"draws must be a whole number, at least 100; got {draws!r}.")
    if not exposure_is_public:
        refuse_restricted_exposure(fit)
    if not covariates_are_public:
        refuse_restricted_covariates(fit)
    rng = _secret_generator()
    places, values = _coordinates(fit)
    scale = precision**2 * _information(fit, values).max()
    centre, spread = values.mean(axis=0), _rounded(np.cov(values.T, ddof=0))
    centre = rng.multivariate_normal(centre, scale * spread, method="eigh")
    drawn = rng.multivariate_normal(centre, (1 + scale) * spread, size=draws, method="eigh")
    bare = without_events(fit)
    groups = {name: node.to_dataset() for name, node in bare.children.items()}
    groups.pop("sample_stats", None)
    # Regions have no effects here, and so no places along which an authority's could lie.
    groups["constant_data"] = groups["constant_data"].drop_vars(
        "region_of_authority", errors="ignore"
    )
    groups["posterior"] = _posterior(groups["posterior"], places, drawn)
    tree = xr.DataTree.from_dict(groups)
    tree.attrs = {name: value for name, value in bare.attrs.items() if name not in _OF_THE_DRAWS}
    tree.attrs["release"] = json.dumps(
        {
            "form": "coefficients under noise, without effects of authorities",
            "precision": float(precision),
            "interval_factor": float(f"{np.sqrt(1 + scale):.2g}"),
        }
    )
    return tree


def _secret_generator() -> np.random.Generator:
    """Random numbers from the operating system: nobody can guess a seed."""
    return np.random.default_rng()


def leakage(fit: xr.DataTree, *, precision: float = 10.0) -> pd.DataFrame:
    """Say how closely an authority's total can be had back: from draws with effects, and released.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    precision
        As of `coefficients`.

    Returns
    -------
    pandas.DataFrame
        Indexed by `authority` (and `stratum`, where there are several). Columns, in events:
        `with_effects`, the standard error of the total from all draws of a file that
        `socgrad.save(include_events=False)` writes, by the score; `released`, that of a count of
        the authority from `coefficients(fit, precision=...)`, for someone who knows all others. A
        standard error below a half gives a count back exactly more often than not.

    Raises
    ------
    SchemaError
        If `fit` is not a socgrad fit.
    SpecificationError
        If `precision` is not above 0.

    Notes
    -----
    From S independent draws of e, the log rate of the authority, a total comes with the standard
    error 1 / sqrt(S Var(e)); of a total of 5 and 4,000 draws, about 0.05. `released` is `precision`
    sqrt(max I / I), see `coefficients`. The table is computed from the restricted fit: it belongs
    where the counts are.

    Examples
    --------
    >>> from socgrad.reading.example import example_fit
    >>> from socgrad.reading import release
    >>> table = release.leakage(example_fit())
    >>> bool((table["released"] >= 10).all()), table.columns.tolist()
    (True, ['with_effects', 'released'])
    """
    _check(fit, precision)
    _, values = _coordinates(fit)
    information = _information(fit, values)
    level = np.concatenate([_log_rates(one)[2] for _, one in _by_stratum(fit)], axis=1)
    authorities = geography(_by_stratum(fit)[0][1]).authority_mean["authority"].to_numpy().tolist()
    keys = [(label, name) for label, _ in _by_stratum(fit) for name in authorities]
    index = (
        pd.MultiIndex.from_tuples(keys, names=["stratum", "authority"])
        if is_stratified(fit)
        else pd.Index(authorities, name="authority")
    )
    return pd.DataFrame(
        {
            "with_effects": 1 / np.sqrt(len(level) * level.var(axis=0)),
            "released": precision * np.sqrt(information.max() / information),
        },
        index=index,
    )


def _check(fit: xr.DataTree, precision: float) -> None:
    check_is_tree(fit)
    check_tree(fit)
    if isinstance(precision, bool) or not (np.isreal(precision) and 0 < precision < np.inf):
        raise SpecificationError(
            f"precision is {precision!r}; expected events, a number above 0 such as 10: how "
            "closely a single count may at most be had back."
        )


def _by_stratum(fit: xr.DataTree) -> list[tuple[Any, xr.DataTree]]:
    """The fits of single strata, with their labels."""
    if not is_stratified(fit):
        return [(None, fit)]
    return [(label, stratum(fit, label)) for label in stratum_labels(fit)]


def _straightened(name: str, values: FloatArray, *, back: bool = False) -> FloatArray:
    """A coefficient on a scale where its posterior is about normal, or back from there."""
    if name in CORRELATIONS or name == "correlation":
        return np.tanh(values) if back else np.arctanh(values)
    if name.endswith("_sd") or name == "overdispersion":
        return values**2 if back else np.sqrt(values)
    return values


def _coordinates(fit: xr.DataTree) -> tuple[list[tuple[str, tuple[int, ...]]], FloatArray]:
    """Where each coordinate has its place, and draws (draw, coordinate) that vary."""
    posterior = fit["posterior"].to_dataset()
    places: list[tuple[str, tuple[int, ...]]] = []
    columns = []
    for name in _KEPT:
        if name not in posterior:
            continue
        stacked = posterior[name].transpose("chain", "draw", ...).to_numpy()
        flat = stacked.reshape(-1, *stacked.shape[2:])
        for place in np.ndindex(flat.shape[1:]):
            column = flat[(slice(None), *place)].astype(float)
            if np.ptp(column) > 0 and not (name in CORRELATIONS and _is_told(name, place)):
                places.append((name, place))
                columns.append(_straightened(name, column))
    return places, np.column_stack(columns)


def _is_told(name: str, place: tuple[int, ...]) -> bool:
    """A correlation of a stratum with itself is 1, and its mirror image is drawn but once."""
    return name != "level_slope_correlation" and place[-2] >= place[-1]


def _log_rates(fit: xr.DataTree) -> FloatArray:
    """Log rates (least and most deprived neighbourhood, mean; draw; authority)."""
    terms, land = terms_of(fit), geography(fit)
    curve = curves_of_all(terms, land, own_effects=True)
    # Without deprivation one rate stands for all neighbourhoods, wherever it is held.
    by_authority = pd.Series(land.held_deprivation).groupby(land.authority_of_area)
    ends = [by_authority.min(), by_authority.max()]
    at = [xr.DataArray(end.to_numpy(), dims="authority") for end in ends]
    at.append(land.authority_mean)
    rates = [log_rate_at(curve, one).transpose("chain", "draw", "authority") for one in at]
    return np.stack([rate.to_numpy().reshape(-1, rate.sizes["authority"]) for rate in rates])


def _information(fit: xr.DataTree, values: FloatArray) -> FloatArray:
    """What a draw of the coefficients tells of a count, of the larger end, by authority."""
    inverse = np.linalg.pinv(np.cov(values.T, ddof=0).reshape(values.shape[1], -1))
    centred = values - values.mean(axis=0)
    found = []
    for _, one in _by_stratum(fit):
        rates = _log_rates(one)[:2]
        shifts = np.einsum("nk,enj->ekj", centred, rates - rates.mean(axis=1, keepdims=True))
        shifts /= len(values)
        found.append(np.einsum("ekj,kl,elj->ej", shifts, inverse, shifts).max(axis=0))
    return np.concatenate(found)


def _rounded(covariance: FloatArray) -> FloatArray:
    """Standard deviations in two digits and correlations in tenths, still a covariance."""
    exact = np.sqrt(np.diag(np.atleast_2d(covariance)))
    sd = np.array([float(f"{one:.1e}") for one in exact])
    correlation = np.round(covariance / np.outer(exact, exact), 1)
    np.fill_diagonal(correlation, 1.0)
    # Rounding may leave no covariance: less correlation does.
    while np.linalg.eigvalsh(correlation).min() < 1e-3:
        correlation = 0.9 * correlation + 0.1 * np.eye(len(sd))
    rounded: FloatArray = correlation * np.outer(sd, sd)
    return rounded


def _posterior(
    draws: xr.Dataset, places: list[tuple[str, tuple[int, ...]]], drawn: FloatArray
) -> xr.Dataset:
    """The coefficients at their places, one chain; what does not vary as it was."""
    kept = draws.drop_vars([n for n in draws.data_vars if n in EFFECTS | REGION_EFFECTS])
    first = kept.isel(chain=[0], draw=[0] * len(drawn)).assign_coords(
        chain=[0], draw=np.arange(len(drawn))
    )
    made = first.copy(deep=True)
    for column, (name, place) in enumerate(places):
        values = made[name].transpose("chain", "draw", ...)
        filled = values.to_numpy().copy()
        by_place = np.moveaxis(filled[0], 0, -1)
        by_place[place] = _straightened(name, drawn[:, column], back=True)
        if name in CORRELATIONS and name != "level_slope_correlation":
            by_place[place[::-1]] = by_place[place]
        made[name] = (values.dims, filled, values.attrs)
    return made.drop_vars([name for name in ("authority", "region") if name in made.coords])
