"""How far the rates of localities lie from their authority's line."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr

from socgrad.coarsening.stored import kernel_variables
from socgrad.errors import EstimandError
from socgrad.estimands.locality_sums import LocalityBlock, locality_events
from socgrad.laws.factor_rows import FactorRows
from socgrad.laws.kernels import kernels_of
from socgrad.reading.by_stratum import by_stratum
from socgrad.reading.geography import Geography, geography
from socgrad.reading.observed import ObservedCounts, observed_counts
from socgrad.reading.posterior import Coefficients, coefficients, labelled
from socgrad.reading.random_numbers import generator

__all__ = ["locality_ratio"]

type Floats = npt.NDArray[np.float64]
type Integers = npt.NDArray[np.int64]


@by_stratum
def locality_ratio(
    fit: xr.DataTree,
    *,
    authority: Hashable | Sequence[Hashable] | None = None,
    most_gigabytes: float = 1.0,
    random_seed: int = 0,
) -> xr.DataArray:
    """Compute the ratio of each locality's rate to what its authority's line says of its areas.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`, of a
        model with localities, with its counts.
    authority
        Labels of the authorities whose localities are wanted; one alone may be given as it is. By
        default all.
    most_gigabytes
        Size that the draws may have, above 0: localities times draws times 8 bytes. England's 6,800
        MSOAs by 4,000 draws take 0.22 GB.
    random_seed
        Of the draws of the ratios, at least 0.

    Returns
    -------
    xarray.DataArray
        Ratios; dims chain, draw, locality (those with counted areas, by authority). Attrs estimand,
        units, per, reference, null (1). Coordinate `locality_authority` names each one's authority.

    Raises
    ------
    EstimandError
        If the fit has no localities, or no counts of areas; if an authority is not in it; if the
        draws would take more than `most_gigabytes`.
    SchemaError
        If `fit` is not a socgrad fit.

    Notes
    -----
    The model integrates these factors out. Given its parameters they have a gamma distribution,
    from which one is drawn for each draw of the posterior: with r = locality_sd**2, Y_m events in
    the counted areas of locality m and E_m expected there::

        ratio_m ~ Gamma(shape 1/r + Y_m, rate 1/r + E_m)

    Its mean, (1 + r Y_m) / (1 + r E_m), draws observed over expected towards 1, the more the fewer
    events are expected. Where areas have factors of their own, too, or counts are known within
    bounds, ratios are drawn among the nodes of a quadrature over the factor given all counts.

    Interpretation
    --------------
    1.3: rates of this locality are 30% above those of equally deprived neighbourhoods of its
    authority. Look at what is special about it (a hostel, a new estate, a team's practice) before
    anything else: of hundreds of localities some are far off by chance, which the interval knows.

    References
    ----------
    Clayton & Kaldor 1987, Biometrics 43(3), https://doi.org/10.2307/2532003 (gamma factors of
    areas, shrunk to the mean).

    Examples
    --------
    >>> import socgrad as sg
    >>> truth = sg.Truth(intercept=-3.0, within=0.5, between=0.3, level_sd=0.2, locality_sd=0.4)
    >>> table = sg.simulate(stages={"plans": truth}, authorities=8, areas=200, random_seed=1,
    ...                     areas_per_locality=5).frame
    >>> areas = sg.Areas.from_frame(table, area="area", authority="authority", events="plans",
    ...                             children="children", deprivation="deprivation",
    ...                             locality="locality", complete=True)
    >>> fit = sg.fit(sg.GradientModel(areas, localities=True), method="laplace", random_seed=1)
    >>> ratio = sg.variation.locality_ratio(fit, authority="A003")
    >>> ratio.dims, ratio.locality.values[:2].tolist()
    (('chain', 'draw', 'locality'), ['A003-L001', 'A003-L002'])
    """
    terms, land = coefficients(fit), geography(fit)
    if not terms.has_localities:
        raise EstimandError(
            "locality_ratio asks for the factors of localities, and this model has none. Fit "
            "GradientModel(areas, localities=True), its areas with Areas.from_frame(locality=...)."
        )
    counts = observed_counts(fit, purpose="locality_ratio", takes_bounds=True)
    areas = np.flatnonzero(counts.known & _wanted(land, authority))
    wanted = np.unique(land.locality_of_area[areas])
    if not len(wanted):
        raise EstimandError(
            "No area of these authorities has a count of its own: a total says nothing of single "
            "localities. Ask for authorities whose areas are counted."
        )
    gigabytes = terms.intercept.size * len(wanted) * 8 / 1e9
    if not gigabytes <= most_gigabytes:
        raise EstimandError(
            f"{len(wanted):,} localities in {terms.intercept.size:,} draws take {gigabytes:.2g} "
            f"GB, above most_gigabytes={most_gigabytes:g}. Name some authorities, thin the draws, "
            "fit.sel(draw=slice(None, None, 4)), or allow more."
        )
    rng = generator(random_seed, terms.stratum)
    values = np.empty((terms.intercept.size, len(wanted)))
    own = fit["posterior"].to_dataset().get("overdispersion", xr.DataArray(0.0))
    given = _Given(counts, land, _squared(own, terms), _squared(terms.locality_sd, terms), rng)
    is_closed = not own.any() and counts.counted[areas].all()
    draw = _drawn if is_closed else _drawn_numerically
    for block in locality_events(terms, land, areas):
        values[:, np.searchsorted(wanted, block.locality)] = draw(block, given)
    like = terms.intercept.transpose("chain", "draw")
    home = np.zeros(len(land.locality), dtype=np.int64)
    home[land.locality_of_area] = land.authority_of_area
    labels = land.authority_mean["authority"].to_numpy()[home[wanted]]
    draws = xr.DataArray(
        values.reshape(*like.shape, -1),
        dims=("chain", "draw", "locality"),
        coords={
            **like.coords,
            "locality": land.locality[wanted],
            "locality_authority": ("locality", labels),
        },
    )
    return labelled(
        draws,
        fit,
        estimand="locality_ratio",
        units="rate ratio, locality over its authority's line",
        per=land.per,
        reference="neighbourhoods of the same deprivation and covariates in the same authority",
        null=1.0,
    )


@dataclass(frozen=True, eq=False)
class _Given:
    """What factors are drawn given, beside expected events: squared spreads (chain * draw,)."""

    counts: ObservedCounts
    land: Geography
    own: Floats
    shared: Floats
    rng: np.random.Generator


def _squared(spread: xr.DataArray, terms: Coefficients) -> Floats:
    """Squared coefficients of variation, (chain * draw,)."""
    every = spread.broadcast_like(terms.intercept).transpose("chain", "draw")
    return np.ascontiguousarray(every.to_numpy().ravel() ** 2)


def _drawn(block: LocalityBlock, given: _Given) -> Floats:
    """Factors of a block's localities, whose counts are known Poisson ones, given all else."""
    rate = 1.0 / given.shared[:, None]
    events = np.add.reduceat(given.counts.events[block.areas], block.first)
    drawn: Floats = given.rng.gamma(rate + events, 1.0 / (rate + block.expected))
    return drawn


def _drawn_numerically(block: LocalityBlock, given: _Given) -> Floats:
    """The same where areas have factors of their own, or are not all known."""
    from socgrad.laws.factor_sums import given_others  # noqa: PLC0415 numba takes time

    counts, at = given.counts, block.areas
    kernel, kernels = np.full(len(at), -1, dtype=np.int64), kernels_of([])
    if (held := counts.coarsened) is not None:
        kernels = kernels_of([xr.Dataset(kernel_variables(held.kernels))])
        kernel = np.where(counts.counted[at], -1, held.kernel[at]).astype(np.int64)
    rows = FactorRows.of(
        kernels, kernel, given.land.within_part[at], counts.events[at],
        given.land.locality_of_area[at],
    )  # fmt: skip
    return given_others(rows, np.log(block.mean), given.own, given.shared, given.rng)[1]


def _wanted(
    land: Geography, authority: Hashable | Sequence[Hashable] | None
) -> npt.NDArray[np.bool_]:
    """Which areas lie in the authorities asked for."""
    if authority is None:
        return np.ones(land.authority_of_area.size, dtype=bool)
    several = isinstance(authority, Sequence | np.ndarray) and not isinstance(authority, str)
    labels = list(authority) if several else [authority]  # type: ignore[call-overload]
    return np.isin(land.authority_of_area, [land.position(label) for label in labels])
