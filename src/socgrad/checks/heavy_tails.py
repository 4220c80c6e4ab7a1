"""What if authorities differ with heavier tails than normal ones: the fit with Student effects."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.special import gammaln

from socgrad.checks.area_residuals import AreaResiduals, area_residuals
from socgrad.checks.counts import chosen_draws, counts_by_position, lines_at
from socgrad.checks.prior_density import recorded_priors
from socgrad.errors import EstimandError
from socgrad.reading.geography import Geography, geography
from socgrad.reading.posterior import coefficients, require_authorities

__all__ = ["heavy_tails"]

type Floats = npt.NDArray[np.float64]

_CHAINS: Final = 4
_TUNE: Final = 500
_DRAWS: Final = 1000
_FIXED: Final = ("intercept", "between", "within", "cross_level")
#: Steps of the random walk: log SDs, the correlation's z, log (degrees of freedom - 2).
_STEP: Final = np.array([0.15, 0.25, 0.35, 0.8])
#: Shape and rate of the prior of degrees of freedom.
_FREEDOM: Final = (2.0, 0.1)


def heavy_tails(fit: xr.DataTree, *, random_seed: int = 0) -> xr.DataTree:
    """Fit again with authorities' effects from a Student distribution, approximately.

    Parameters
    ----------
    fit
        From `socgrad.fit`, with its counts of areas: a model with within, between and random
        slopes, without regions.
    random_seed
        Of the draws.

    Returns
    -------
    xarray.DataTree
        The fit with other draws, 4 chains of 1,000, which every estimand reads: coefficients,
        standard deviations (of the Student distribution itself), correlation, authority effects,
        and `student_freedom`, its degrees of freedom. What else the model has stays as it was, at
        its posterior mean.

    Raises
    ------
    EstimandError
        If the fit has no counts of areas or does not record its priors; if its model is pooled, has
        regions, or no random slopes.
    SchemaError
        If `fit` is not a socgrad fit.

    Notes
    -----
    Each authority's log-likelihood is replaced by a parabola in its level and slope, with the
    gradient and the curvature at their posterior mean. Effects are normal with covariance Sigma /
    omega_j, omega_j ~ Gamma(nu / 2, nu / 2), drawn by Gibbs' sampler; Sigma and nu by random walks.
    nu has the prior Gamma(2, 0.1) above 2, where variances exist; the other priors are the fit's.
    The parabola is good where an authority has some dozens of events.

    Interpretation
    --------------
    Where the standard deviations, the VPC or the median rate ratio have much wider intervals here,
    a few authorities make them. Coefficients that move rest on these authorities, too.

    References
    ----------
    Pinheiro, Liu & Wu 2001, Journal of Computational and Graphical Statistics 10(2),
    https://doi.org/10.1198/10618600152628059. Juárez & Steel 2010, Journal of Business & Economic
    Statistics 28(1), https://doi.org/10.1198/jbes.2009.07145 (the prior of nu).

    Examples
    --------
    >>> import socgrad as sg
    >>> table = sg.simulate(authorities=12, areas=300, random_seed=1).frame
    >>> areas = sg.Areas.from_frame(table, area="area", authority="authority", events="referral",
    ...                             children="children", deprivation="deprivation",
    ...                             complete=True)
    >>> fitted = sg.fit(sg.GradientModel(areas), method="laplace", random_seed=1)
    >>> student = sg.sensitivity.heavy_tails(fitted)
    >>> dict(student["posterior"]["level_effect"].sizes)
    {'chain': 4, 'draw': 1000, 'authority': 12}
    >>> bool((sg.variation.authority_sd(student) > 0).all())
    True
    """
    counts = counts_by_position(fit)
    terms, land = coefficients(fit), geography(fit)
    require_authorities(terms, "heavy_tails")
    if not (terms.has_split and terms.has_slopes) or terms.has_regions:
        raise EstimandError(
            "heavy_tails is for models with deprivation='split' and random slopes, without "
            "regions: fit such a model first."
        )
    if not len(counts.area):
        raise EstimandError(
            "heavy_tails needs counts of areas, and this fit has totals alone, of which an "
            "authority's level and slope cannot be told apart."
        )
    at = chosen_draws(terms, 500)
    lines = lines_at(fit, at)
    posterior = fit["posterior"].to_dataset()
    dims = ("chain", "draw")
    has = [name for name in _FIXED if name in posterior]
    given = recorded_priors(fit)
    offset = np.column_stack(
        [
            np.broadcast_to(
                place.mean(dims).to_numpy() if place.dims else 0.0, land.between_part.shape
            )
            for place in (terms.level_place, terms.slope_covariates)
        ]
    )
    sampler = _Gibbs(
        *_parabolas(area_residuals(counts, lines, land), land, lines.level, lines.slope),
        design=_design(land, has),
        offset=offset,
        coefficient_prior=np.array([given[name] for name in has]),
        sd_prior=np.array([given["level_sd"], given["slope_sd"]]),
        correlation_prior=float(given["correlation"][0]),
    )
    start = np.array([float(posterior[name].mean()) for name in ("level_sd", "slope_sd")])
    drawn = sampler.sample(start, np.random.default_rng(random_seed))
    return _with_draws(fit, posterior, drawn, has)


def _parabolas(
    residuals: AreaResiduals, land: Geography, level: Floats, slope: Floats
) -> tuple[Floats, Floats]:
    """Precision (authorities, 2, 2) of each authority's likelihood, and precision times place."""
    w, number = land.within_part[residuals.area], land.authority_mean.size
    shrunk = 1.0 + residuals.spread * residuals.mean
    omega, work = residuals.mean / shrunk, (residuals.events - residuals.mean) / shrunk

    def summed(values: Floats) -> Floats:
        sums: Floats = np.bincount(residuals.authority, values, minlength=number)
        return sums

    one, two, three = summed(omega), summed(omega * w), summed(omega * w**2)
    precision = np.stack([np.stack([one, two], -1), np.stack([two, three], -1)], -2)
    place = np.column_stack([level.mean(axis=0), slope.mean(axis=0)])
    gradient = np.column_stack([summed(work), summed(work * w)])
    return precision, np.einsum("jab,jb->ja", precision, place) + gradient


def _design(land: Geography, has: list[str]) -> Floats:
    """What each coefficient adds to an authority's level and slope, (authorities, 2, terms)."""
    b = land.between_part.to_numpy()
    columns = {
        "intercept": (np.ones_like(b), np.zeros_like(b)),
        "between": (b, np.zeros_like(b)),
        "within": (np.zeros_like(b), np.ones_like(b)),
        "cross_level": (np.zeros_like(b), b),
    }
    return np.stack([np.stack(columns[name], axis=-1) for name in has], axis=-1)


@dataclass(frozen=True, eq=False)
class _Gibbs:
    """The posterior of a model of lines with Student effects, of parabolic likelihoods."""

    precision: Floats
    weighted: Floats
    design: Floats
    offset: Floats
    coefficient_prior: Floats
    sd_prior: Floats
    correlation_prior: float

    def sample(self, start: Floats, rng: np.random.Generator) -> dict[str, Floats]:
        """Draws with chains first, then draws."""
        number, terms = len(self.design), self.design.shape[-1]
        state = np.tile(np.r_[np.log(start), 0.0, np.log(8.0)], (_CHAINS, 1))
        state += 0.3 * rng.standard_normal(state.shape)
        omega = np.ones((_CHAINS, number))
        beta = np.tile(self.coefficient_prior[:, 0], (_CHAINS, 1))
        kept: list[tuple[Floats, Floats, Floats]] = []
        for sweep in range(_TUNE + _DRAWS):
            inverse = np.linalg.inv(_covariance(state))
            mean = self.offset + np.einsum("jat,ct->cja", self.design, beta)
            prior = omega[..., None, None] * inverse[:, None]
            line = _normal(
                self.precision + prior,
                self.weighted + np.einsum("cjab,cjb->cja", prior, mean),
                rng,
            )
            beta = self._coefficients(line - self.offset, prior, rng).reshape(_CHAINS, terms)
            effect = line - self.offset - np.einsum("jat,ct->cja", self.design, beta)
            for _ in range(2):
                state = self._moved(state, effect, omega, rng)
            nu = 2.0 + np.exp(state[:, 3:])
            inverse = np.linalg.inv(_covariance(state))
            distance = np.einsum("cja,cab,cjb->cj", effect, inverse, effect)
            omega = rng.gamma((nu + 2.0) / 2.0, 2.0 / (nu + distance))
            if sweep >= _TUNE:
                kept.append((state, beta, effect))
        states, betas, effects = (np.stack(each, axis=1) for each in zip(*kept, strict=True))
        freedom = 2.0 + np.exp(states[..., 3])
        wider = np.sqrt(freedom / (freedom - 2.0))
        return {
            "level_sd": np.exp(states[..., 0]) * wider,
            "slope_sd": np.exp(states[..., 1]) * wider,
            "correlation": np.tanh(states[..., 2]),
            "student_freedom": freedom,
            "coefficients": betas,
            "effects": effects,
        }

    def _coefficients(self, line: Floats, prior: Floats, rng: np.random.Generator) -> Floats:
        """Coefficients given authorities' lines."""
        centre, sd = self.coefficient_prior.T
        told = np.einsum("jat,cjab,jbs->cts", self.design, prior, self.design)
        weighted = np.einsum("jat,cjab,cjb->ct", self.design, prior, line)
        return _normal(told + np.diag(sd**-2.0), weighted + centre / sd**2, rng)

    def _moved(
        self, state: Floats, effect: Floats, omega: Floats, rng: np.random.Generator
    ) -> Floats:
        """One step of a random walk in each chain."""
        new = state + _STEP * rng.standard_normal(state.shape)
        gain = self._height(new, effect, omega) - self._height(state, effect, omega)
        taken = np.log(rng.random(len(state))) < gain
        return np.where(taken[:, None], new, state)

    def _height(self, state: Floats, effect: Floats, omega: Floats) -> Floats:
        """Log density of SDs, correlation and degrees of freedom given effects and weights."""
        covariance = _covariance(state)
        nu = 2.0 + np.exp(state[:, 3])
        squares = np.einsum("cj,cja,cjb->cab", omega, effect, effect)
        value = -0.5 * np.einsum("cab,cba->c", np.linalg.inv(covariance), squares)
        value -= 0.5 * omega.shape[1] * np.log(np.linalg.det(covariance))
        half = nu / 2.0
        value += omega.shape[1] * (half * np.log(half) - gammaln(half))
        value += (half - 1.0) * np.log(omega).sum(axis=1) - half * omega.sum(axis=1)
        shape, rate = _FREEDOM
        value += (shape - 1.0) * np.log(nu) - rate * nu + state[:, 3]
        # Priors of the SDs are for those of the effects, which the Student distribution widens.
        sd = np.exp(state[:, :2]) * np.sqrt(nu / (nu - 2.0))[:, None]
        centre, scale = self.sd_prior.T
        value += np.sum(-0.5 * ((sd - centre) / scale) ** 2, axis=1) + state[:, :2].sum(axis=1)
        # Jacobian of the correlation, and its beta prior.
        r = np.tanh(state[:, 2])
        return np.asarray(value + self.correlation_prior * np.log1p(-(r**2)))


def _covariance(state: Floats) -> Floats:
    """Scale matrix of the effects, (chains, 2, 2)."""
    sd, r = np.exp(state[:, :2]), np.tanh(state[:, 2])
    across = r * sd[:, 0] * sd[:, 1]
    rows = [np.stack([sd[:, 0] ** 2, across], -1), np.stack([across, sd[:, 1] ** 2], -1)]
    return np.stack(rows, axis=-2)


def _normal(precision: Floats, weighted: Floats, rng: np.random.Generator) -> Floats:
    """Draw from normals given by their precision and precision times mean."""
    factor = np.linalg.cholesky(precision)
    mean = np.linalg.solve(precision, weighted[..., None])
    noise = rng.standard_normal(weighted.shape)[..., None]
    drawn: Floats = (mean + np.linalg.solve(np.swapaxes(factor, -1, -2), noise))[..., 0]
    return drawn


def _with_draws(
    fit: xr.DataTree, posterior: xr.Dataset, drawn: dict[str, Floats], has: list[str]
) -> xr.DataTree:
    """The fit with these draws in place of its own."""
    dims = ("chain", "draw")
    rest = posterior.mean(dims).expand_dims(chain=_CHAINS, draw=_DRAWS)
    new = {name: (dims, drawn["coefficients"][..., k]) for k, name in enumerate(has)}
    new |= {name: (dims, drawn[name]) for name in ("level_sd", "slope_sd", "correlation")}
    new |= {"student_freedom": (dims, drawn["student_freedom"])}
    authority = {"authority": fit["constant_data"]["authority"].to_numpy()}
    effects = xr.Dataset(
        {
            name: ((*dims, "authority"), drawn["effects"][..., k])
            for k, name in enumerate(("level_effect", "slope_effect"))
        },
        coords=authority,
    )
    kept = rest.drop_vars([*new, "level_effect", "slope_effect"], errors="ignore")
    draws = xr.merge([kept, effects]).assign(new)
    draws = draws.assign_coords(chain=np.arange(_CHAINS), draw=np.arange(_DRAWS))
    groups = {name: node.to_dataset() for name, node in fit.children.items()}
    groups.pop("sample_stats", None)
    tree = xr.DataTree.from_dict({**groups, "posterior": draws})
    weighed = ("importance_ess", "pareto_k", "laplace_quadrature_error")
    tree.attrs = {name: value for name, value in fit.attrs.items() if name not in weighed}
    return tree
