"""Covariates in a joint model: the density, and a recovery."""

import functools

import numpy as np
import pytest
from scipy import stats

from covariate_tables import DENSITY, GINI, GINI_TURNS, covariate_table
from interpreted import interpreted
from socgrad.estimands.covariate_ratios import covariate_ratio
from socgrad.estimands.gradients import gradient
from socgrad.fitting import fit
from socgrad.model.compression import likelihood_data
from socgrad.model.stratified_model import StratifiedModel
from socgrad.table.strata import Strata
from socgrad.tables.summaries import summarise

#: Coefficients of the vector: the usual four, two of authority covariates, one of moderators.
IN_TURN = [0, 1, 2, 3, 4, 6, 5]
FORMULAS = {"authority_covariates": "~ scale(gini) + region", "moderators": "~ scale(gini)"}


@functools.cache
def strata_of(authorities=12, areas=240, level_sd=0.2, mixed=False):
    """The events of the covariate table, and a third of them, as two strata.

    `mixed`: of every second authority only the totals.
    """
    table = covariate_table(authorities=authorities, areas=areas, level_sd=level_sd)
    frame = table.areas
    third = np.random.default_rng(1).binomial(frame["events"].astype(int), 1 / 3).astype(float)
    frame, given = frame.assign(third=third), {}
    if mixed:
        sums = frame.groupby("authority")[["events", "third"]].sum().iloc[::2]
        frame.loc[frame["authority"].isin(sums.index), ["events", "third"]] = np.nan
        given = {"totals": {name: sums[name].to_dict() for name in sums}}
    return Strata.from_stages(
        frame,
        area="area",
        authority="authority",
        deprivation="deprivation",
        children="children",
        stages=["events", "third"],
        complete=True,
        covariates=["setting", "density"],
        authority_covariates=table.authorities,
        **given,
    )


def model_of(**options):
    """The joint model with covariates of authorities."""
    return StratifiedModel(strata_of(**options), authority_effects="joint", **FORMULAS)


@pytest.mark.mcmc
def test_density_has_the_columns_in_level_and_slope():
    """Counts and coefficients have the density written out with SciPy, each stratum its own."""
    from socgrad.model.coefficients import by_column, coefficients_of
    from socgrad.model.terms import model_terms
    from socgrad.nuts.graph import compact_model, full_data

    model = model_of()
    models = list(model.models.values())
    data = full_data(model, [likelihood_data(one) for one in models])
    graph = compact_model(model, data)
    point = graph.initial_point()
    rng = np.random.default_rng(3)
    point = {name: value + 0.1 * rng.normal(size=value.shape) for name, value in point.items()}

    groups = by_column(coefficients_of([model_terms(one) for one in models])[0])
    names = [(one.name, one.place) for its in groups for one in its]
    # Level and slope have scale(gini) both: its coefficients stand together.
    assert names[-3:] == [
        ("authority_covariate_coefficient", 0),
        ("moderator_coefficient", 0),
        ("authority_covariate_coefficient", 1),
    ]
    centre, scale, mean, sd = (
        data[f"coefficient_{name}"].to_numpy() for name in ("centre", "scale", "mean", "sd")
    )
    values = centre + scale @ point["coefficients_raw"]
    by_name = values.reshape(len(names), 2)[IN_TURN]
    # Defaults per unit of a column: 0.5 for the level, 0.2 for the slope.
    assert sd[-6:] == pytest.approx([0.5, 0.5, 0.2, 0.2, 0.5, 0.5])
    assert mean[-6:] == pytest.approx(0.0)
    (raw,) = (each for each in graph.free_RVs if each.name == "coefficients_raw")
    prior = float(graph.compile_logp(vars=[raw], mode=interpreted())(point))
    expected = stats.norm.logpdf(values, mean, sd).sum() + np.linalg.slogdet(scale)[1]
    assert prior == pytest.approx(expected, rel=1e-10)

    wanted = [graph[name] for name in ("level_effect", "slope_effect")]
    wanted = graph.replace_rvs_by_values(wanted)
    effects = graph.compile_fn(wanted, inputs=graph.value_vars, mode=interpreted())(point)
    (observed,) = graph.observed_RVs
    found = float(graph.compile_logp(vars=[observed], mode=interpreted())(point))
    expected = 0.0
    intercept, within, between, cross_level = by_name[:4]
    for s, one in enumerate(models):
        areas, designs = one.areas, one.designs.named
        b = data["between_part"].to_numpy()[s]
        level = intercept[s] + between[s] * b + effects[0][s]
        level = level + designs["authority_covariate"].matrix @ by_name[4:6, s]
        slope = within[s] + cross_level[s] * b + effects[1][s]
        slope = slope + designs["moderator"].matrix @ by_name[6:, s]
        j = areas.authority_of_area
        w = (areas.deprivation - areas.authority_mean[j]) / areas.per
        mu = areas.exposure * np.exp(level[j] + slope[j] * w)
        expected += stats.poisson.logpmf(areas.events, mu).sum()
    assert found == pytest.approx(expected, rel=1e-10)


OF_AREAS = {"covariates": "~ setting + scale(log(density))", "area_moderators": "~ setting"}


@pytest.mark.mcmc
@pytest.mark.parametrize("family", ["poisson", "negative_binomial"])
def test_density_has_the_columns_of_areas(family):
    """Each neighbourhood has its own level and slope, counted alone or within a total."""
    from socgrad.nuts.graph import compact_model, full_data

    model = StratifiedModel(
        strata_of(mixed=True), authority_effects="joint", family=family, **FORMULAS, **OF_AREAS
    )
    models = list(model.models.values())
    data = full_data(model, [likelihood_data(one) for one in models])
    graph = compact_model(model, data)
    point = graph.initial_point()
    rng = np.random.default_rng(3)
    point = {name: value + 0.1 * rng.normal(size=value.shape) for name, value in point.items()}
    names = [f"{name}_coefficient" for name in ("covariate", "area_moderator")]
    own, turns = (point[name] for name in names)
    prior = [each for each in graph.free_RVs if each.name in names]
    assert float(graph.compile_logp(vars=prior, mode=interpreted())(point)) == pytest.approx(
        stats.norm.logpdf(own, 0, 0.5).sum() + stats.norm.logpdf(turns, 0, 0.2).sum()
    )
    centre, scale = (data[f"coefficient_{name}"].to_numpy() for name in ("centre", "scale"))
    by_name = (centre + scale @ point["coefficients_raw"]).reshape(-1, 2)[IN_TURN]
    wanted = graph.replace_rvs_by_values([graph[n] for n in ("level_effect", "slope_effect")])
    effects = graph.compile_fn(
        wanted, inputs=graph.value_vars, mode=interpreted(), on_unused_input="ignore"
    )(point)
    found = float(graph.compile_logp(vars=graph.observed_RVs, mode=interpreted())(point))
    spread = np.exp(point.get("overdispersion_interval__", np.zeros(2)))
    expected = 0.0
    intercept, within, between, cross_level = by_name[:4]
    for s, one in enumerate(models):
        areas, designs = one.areas, one.designs.named
        b, j = data["between_part"].to_numpy()[s], one.areas.authority_of_area
        level = intercept[s] + between[s] * b + effects[0][s]
        level = level + designs["authority_covariate"].matrix @ by_name[4:6, s]
        slope = within[s] + cross_level[s] * b + effects[1][s]
        slope = slope + designs["moderator"].matrix @ by_name[6:, s]
        level = level[j] + designs["covariate"].matrix @ own[s]
        slope = slope[j] + designs["area_moderator"].matrix @ turns[s]
        w = (areas.deprivation - areas.authority_mean[j]) / areas.per
        mu = areas.exposure * np.exp(level + slope * w)
        counted, known = areas.counted, ~np.isnan(areas.total_events)
        sums, squares = (np.bincount(j, mu**power)[known] for power in (1, 2))
        if family == "poisson":
            expected += stats.poisson.logpmf(areas.events[counted], mu[counted]).sum()
            expected += stats.poisson.logpmf(areas.total_events[known], sums).sum()
            continue
        r = spread[s] ** 2
        size = np.concatenate([np.full(counted.sum(), 1 / r), sums**2 / (r * squares)])
        mean = np.concatenate([mu[counted], sums])
        events = np.concatenate([areas.events[counted], areas.total_events[known]])
        expected += stats.nbinom.logpmf(events, size, size / (size + mean)).sum()
    assert found == pytest.approx(expected, rel=1e-9)


@pytest.mark.mcmc
@pytest.mark.slow
def test_joint_fit_has_the_coefficients_of_every_stratum():
    """Ratios of both strata lie by the truth, with labels that estimands read.

    Half of the authorities are known by totals, which the sampler finds as easy.
    """
    strata = strata_of(authorities=40, areas=1200, level_sd=0.1, mixed=True)
    model = StratifiedModel(
        strata, authority_effects="joint", **FORMULAS, covariates="~ setting + scale(log(density))"
    )
    options = {"draws": 300, "tune": 300, "chains": 2, "target_accept": 0.95}
    tree = fit(model, method="nuts", **options, random_seed=4, progress=False)
    assert not tree["sample_stats"]["diverging"].any()
    assert summarise(gradient(tree))["ess_bulk"].min() > 150
    for effect, name, truth in (
        ("level", "scale(gini)", GINI),
        ("gradient", "scale(gini)", GINI_TURNS),
        ("level", "scale(log(density))", DENSITY),
    ):
        draws = np.log(covariate_ratio(tree, effect=effect)).sel(covariate=name)
        assert draws.sizes["stratum"] == 2
        z = (draws.mean(("chain", "draw")) - truth) / draws.std(("chain", "draw"))
        assert np.abs(z).max() < 3.5
