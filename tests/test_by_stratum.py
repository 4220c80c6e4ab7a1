import inspect
import warnings

import numpy as np
import pytest
import xarray as xr

import socgrad
from socgrad.errors import ConvergenceWarning, EstimandError, SchemaError, SupportWarning
from socgrad.estimands.contextual import inverse_intervention, steepening
from socgrad.estimands.crossings import crossing
from socgrad.estimands.gradients import between, gradient
from socgrad.estimands.group_rates import authority_rate, rate_by_group
from socgrad.estimands.rates import expected_rate
from socgrad.reading.by_stratum import by_stratum, stratum, stratum_labels
from socgrad.reading.example import example_fit, example_fit_of_stages
from socgrad.reading.geography import geography
from socgrad.reading.posterior import coefficients
from socgrad.reading.storage import load, save
from socgrad.schema import STRATIFIED_SCHEMA_VERSION, check_tree
from socgrad.tables.diagnostics import check_sampling
from socgrad.tables.summaries import summarise

ESTIMANDS = (
    gradient,
    between,
    inverse_intervention,
    steepening,
    crossing,
    expected_rate,
    rate_by_group,
    authority_rate,
    socgrad.inequality.sii,
    socgrad.inequality.rii,
    socgrad.inequality.concentration_index,
    socgrad.inequality.absolute_gap,
    socgrad.inequality.relative_gap,
    socgrad.inequality.attributable_rate,
    socgrad.inequality.attributable_fraction,
    lambda fit: socgrad.variation.authority_ranks(fit, top=2),
    socgrad.variation.authority_sd,
    socgrad.variation.median_rate_ratio,
    socgrad.variation.gradient_sd,
    socgrad.variation.level_slope_correlation,
    socgrad.variation.vpc,
    socgrad.inequality.excess_events,
)


@pytest.fixture(scope="module")
def stages():
    """Stored draws of three stages."""
    return example_fit_of_stages()


def with_group(fit, group, dataset):
    """Give a copy of a fit in which one group is another dataset."""
    groups = {name: fit[name].to_dataset() for name in fit.children}
    tree = xr.DataTree.from_dict(groups | {group: dataset})
    tree.attrs = dict(fit.attrs)
    return tree


def weighted(fit, sizes):
    """Give a copy of a fit whose sampler recorded an importance effective size per stratum."""
    recorded = xr.Dataset(
        {"importance_ess": ("stratum", sizes), "pareto_k": ("stratum", [0.1, 0.2, 0.3])},
        coords={"stratum": fit["posterior"].stratum.to_numpy()},
    )
    return with_group(fit, "sample_stats", recorded)


@pytest.mark.parametrize("estimand", ESTIMANDS, ids=lambda one: one.__name__)
def test_each_stratum_is_what_it_is_alone(stages, estimand):
    """The draws, dims and labels of a stratum are those of the single fit taken out of it."""
    both = estimand(stages)
    table = summarise(both)
    for label in stratum_labels(stages):
        alone = estimand(stratum(stages, label))
        xr.testing.assert_identical(both.sel(stratum=label).drop_attrs(), alone.drop_attrs())
        rows = table[table["stratum"] == label]
        np.testing.assert_array_equal(rows["estimate"], summarise(alone)["estimate"])
        assert rows["reference"].tolist() == summarise(alone)["reference"].tolist()


@pytest.mark.parametrize("estimand", ESTIMANDS, ids=lambda one: one.__name__)
def test_a_fit_without_strata_is_as_before(estimand):
    """A plain fit goes straight through, attrs and all."""
    fit = example_fit()
    xr.testing.assert_identical(estimand(fit), inspect.unwrap(estimand)(fit))


def test_strata_differ(stages):
    """The plan stage of the example is steeper than referral by exp(0.14) in each draw."""
    steep = gradient(stages)
    ratio = steep.sel(stratum="plan", drop=True) / steep.sel(stratum="referral", drop=True)
    np.testing.assert_allclose(ratio, np.exp(0.14))


def test_signature_is_the_estimand_s_own():
    """The name, the docstring and the arguments are those of the wrapped function."""
    assert list(inspect.signature(gradient).parameters)[:2] == ["fit", "target"]
    assert gradient.__name__ == "gradient"
    assert "Interpretation" in gradient.__doc__


def test_fit_may_be_named(stages):
    """`fit=` works as a keyword, with strata and without."""
    assert gradient(fit=stages).sizes["stratum"] == 3
    assert "stratum" not in gradient(fit=example_fit()).dims


def test_a_second_fit_is_read_by_stratum_too(stages):
    """Of two fits each answers for the same stratum, by position or by name."""

    @by_stratum
    def over(fit: xr.DataTree, null: xr.DataTree) -> xr.DataArray:
        ratio = gradient(fit) / gradient(null)
        return socgrad.tables.label_draws(ratio, estimand="over", units="ratio", reference="null")

    for ratio in (over(stages, stages), over(stages, null=stages)):
        assert ratio.dims == ("chain", "draw", "stratum")
        np.testing.assert_array_equal(ratio, 1.0)


def test_options_reach_every_stratum(stages):
    """An option changes the numbers of each stratum."""
    np.testing.assert_allclose(gradient(stages, per=0.2), gradient(stages) ** 2)


def test_a_stratum_is_cheap_and_keeps_attrs(stages):
    """Arrays are views; attrs stay; the schema is that of a fit without strata."""
    tree = stages.copy()
    tree.attrs["socgrad_version"] = "9"
    one = stratum(tree, "plan")
    assert np.shares_memory(one["posterior"]["slope_effect"], tree["posterior"]["slope_effect"])
    assert one.attrs["socgrad_version"] == "9"
    assert one.attrs["socgrad_schema"] == 1
    assert one["posterior"].stratum.item() == "plan"
    check_tree(one)


def test_what_was_recorded_per_stratum_becomes_attrs(stages):
    """A stratum has its own effective size; NaN means that none was recorded."""
    tree = weighted(stages, [500.0, np.nan, 900.0])
    assert stratum(tree, "referral").attrs["importance_ess"] == 500.0
    assert stratum(tree, "plan").attrs["pareto_k"] == 0.3
    assert "importance_ess" not in stratum(tree, "assessment").attrs


def test_summaries_use_each_stratum_s_effective_size(stages):
    """The limit on the effective size is the stratum's own, also after selecting some."""
    drawn = gradient(weighted(stages, [20.0, np.nan, 30.0]))
    full = summarise(gradient(stages))["ess_bulk"].to_numpy()
    assert full.min() > 100
    found = summarise(drawn)["ess_bulk"].to_numpy()
    np.testing.assert_allclose(found, [20.0, full[1], 30.0])
    one = summarise(drawn.sel(stratum="plan"))
    assert one["ess_bulk"].tolist() == [30.0]
    assert "importance_ess" not in one.columns


def test_computed_draws_keep_the_least_effective_size(stages):
    """A ratio of strata has no size of its own: the smallest of all is on the safe side."""
    drawn = gradient(weighted(stages, [20.0, np.nan, 30.0]))
    ratio = drawn.sel(stratum="plan", drop=True) / drawn.sel(stratum="referral", drop=True)
    words = {"estimand": "r", "units": "ratio", "reference": "referral"}
    labelled = socgrad.tables.label_draws(ratio.assign_attrs(drawn.attrs), null=1.0, **words)
    assert labelled.attrs["importance_ess"] == 20.0


def test_missing_rows_are_no_rows(stages):
    """An authority without exposure in one stratum has a rate in the others only."""
    data = stages["constant_data"].to_dataset()
    idle = (data["authority_of_area"] == 2) & (data["stratum"] == "plan")
    data = data.assign(exposure=xr.where(idle, 0.0, data["exposure"]).transpose("stratum", "area"))
    rate = authority_rate(with_group(stages, "constant_data", data))
    assert rate.attrs["missing_rows"] == 1
    assert np.isnan(rate.sel(stratum="plan", authority="Corham")).all()
    assert np.isfinite(rate.sel(stratum="referral")).all()
    table = summarise(rate)
    assert len(table) == 3 * 6 - 1
    words = table.set_index("stratum")["reference"]
    assert "1 without exposure left out (first: Corham)" in words["plan"].iloc[0]
    assert "without exposure" not in words["referral"].iloc[0]


def test_draws_that_are_not_finite_are_still_refused(stages):
    """Only a row that is missing as a whole may be; one bad draw is an error."""
    rate = authority_rate(stages)
    rate[0, 0, 0, 0] = np.nan
    rate.attrs["missing_rows"] = 1
    rate.attrs["draws"] += (
        " "
        + socgrad.tables.label_draws(rate, estimand="a", units="b", reference="c").attrs["draws"]
    )
    with pytest.raises(EstimandError, match=r"1 of 1800 draws of authority_rate are not finite"):
        summarise(rate)


def test_errors_name_the_stratum(stages):
    """What cannot be answered in one stratum is refused with its name."""
    data = stages["constant_data"].to_dataset()
    richest = data["deprivation"] < data["deprivation"].quantile(0.3)
    idle = richest & (data["stratum"] == "plan")
    data = data.assign(exposure=xr.where(idle, 0.0, data["exposure"]).transpose("stratum", "area"))
    with pytest.raises(EstimandError, match=r"Stratum 'plan': 1 of 5 groups have no exposure"):
        rate_by_group(with_group(stages, "constant_data", data), groups=5)


def test_warnings_come_once_for_all(stages):
    """Strata that lack the same neighbourhoods are counted in one warning, at the caller's line."""
    with pytest.warns(SupportWarning) as caught:
        expected_rate(stages, deprivation=0.9)
    (one,) = caught
    assert str(one.message).startswith(
        "In 3 of 3 strata (referral, assessment, plan): 1 of 1 points rest on fewer than 10"
    )
    assert one.filename == __file__


def test_other_warnings_pass(stages):
    """A warning that is not of support is given as it is."""

    @by_stratum
    def noisy(fit: xr.DataTree) -> xr.DataArray:
        warnings.warn("look", UserWarning, stacklevel=1)
        return gradient(fit)

    with pytest.warns(UserWarning, match="look") as caught:
        noisy(stages)
    assert len(caught) == 3


def test_labels_are_refused_by_name(stages):
    """An unknown stratum is refused with the labels that there are."""
    with pytest.raises(SchemaError, match=r"No stratum 'plans' .* 3: 'referral', 'assessment', "):
        stratum(stages, "plans")
    with pytest.raises(SchemaError, match="has no strata, so none is 'plan'"):
        stratum(example_fit(), "plan")
    with pytest.raises(SchemaError, match=r"an xarray\.DataTree"):
        stratum("plan", "plan")


@pytest.mark.parametrize("reader", [coefficients, geography])
def test_readers_of_one_stratum_refuse_several(stages, reader):
    """What reads a single fit says how to choose one."""
    with pytest.raises(SchemaError, match=r"3 strata .*socgrad\.stratum\(fit, label\)"):
        reader(stages)


def test_half_stratified_trees_are_refused(stages):
    """Draws with strata and an exposure without cannot be read."""
    data = stages["constant_data"].to_dataset()
    data = data.assign(exposure=data["exposure"].isel(stratum=0, drop=True))
    with pytest.raises(SchemaError, match=r"1 of 11 parts .* \(constant_data/exposure\)"):
        check_tree(with_group(stages, "constant_data", data))


def test_an_old_reader_refuses_strata(stages):
    """A version that knows schema 1 alone compares the number, and finds another."""
    assert stages.attrs["socgrad_schema"] == STRATIFIED_SCHEMA_VERSION == 2
    assert example_fit().attrs["socgrad_schema"] == 1


@pytest.mark.parametrize("include_events", [True, False])
def test_strata_survive_a_file(stages, tmp_path, include_events):
    """A saved fit of strata comes back with its labels, and gives the same numbers."""
    tree = weighted(stages, [500.0, np.nan, 900.0])
    again = load(save(tree, tmp_path / "stages.nc", include_events=include_events))
    assert stratum_labels(again) == ["referral", "assessment", "plan"]
    xr.testing.assert_identical(gradient(again), gradient(tree))
    if include_events is False:
        assert set(again["sample_stats"].data_vars) == {"importance_ess", "pareto_k"}


def test_an_exposure_of_one_stratum_is_restricted(stages, tmp_path):
    """An exposure that is not the children in one stratum alone needs the owner's word."""
    data = stages["constant_data"].to_dataset().copy(deep=True)
    data["exposure"][2, :7] += 1
    with pytest.raises(SchemaError, match="in 7 of 600 areas"):
        save(with_group(stages, "constant_data", data), tmp_path / "x.nc", include_events=False)


def test_check_sampling_names_strata(stages):
    """Each stratum is checked with its own effective size, and those that fail are named."""
    rng = np.random.default_rng(1)
    draws = stages["posterior"].to_dataset().isel(draw=0, chain=0, drop=True)
    big = xr.Dataset(
        {
            name: (("chain", "draw", *one.dims), rng.standard_normal((2, 500, *one.shape)))
            for name, one in draws.data_vars.items()
        },
        coords=draws.coords,
    )
    good = check_sampling(weighted(with_group(stages, "posterior", big), [500.0, 500.0, 500.0]))
    assert good.converged
    # Resampled draws are no chains: R-hat is asked of none, correlations between strata included.
    assert good.statement.startswith("The sampler converged: 3 strata, smallest effective size 500")
    assert good.table.loc["between strata", "ess_bulk"].max() == 500.0
    with pytest.warns(ConvergenceWarning, match=r"in 1 of 3 strata.* \[plan\] The sampler did not"):
        bad = check_sampling(weighted(with_group(stages, "posterior", big), [500.0, 500.0, 50.0]))
    assert bad.table.loc["plan", "ess_bulk"].max() == 50.0
    assert bad.table.index.names == ["stratum", "term"]
    assert "slope_correlation" in good.table.loc["between strata"].index


def test_check_sampling_looks_at_correlations_between_strata(stages):
    """Chains that disagree on a correlation alone stop the fit; a stratum with itself does not."""
    rng = np.random.default_rng(1)
    first = stages["posterior"].to_dataset().isel(draw=0, chain=0, drop=True)
    big = {
        name: (("chain", "draw", *one.dims), rng.standard_normal((2, 500, *one.shape)))
        for name, one in first.data_vars.items()
    }
    apart = big["slope_correlation"][1].copy()
    apart[1] += 3.0
    apart[..., range(3), range(3)] = 1.0
    big["slope_correlation"] = (big["slope_correlation"][0], apart)
    tree = with_group(stages, "posterior", xr.Dataset(big, coords=first.coords))
    with pytest.warns(ConvergenceWarning, match=r"\[between strata\] R-hat.*slope_correlation"):
        verdict = check_sampling(tree)
    assert not verdict.converged
    assert "did not converge: 3 strata, largest R-hat" in verdict.statement  # in none by itself
