import numpy as np
import pytest
import xarray as xr

from socgrad.errors import EstimandError, SchemaError
from socgrad.estimands.chains import gradient_by_step, population_gradient
from socgrad.estimands.gradients import gradient
from socgrad.reading.by_stratum import stratum
from socgrad.reading.example import example_fit, example_fit_of_stages
from socgrad.tables.summaries import summarise
from strata_tables import chain_fit, stage_fit


@pytest.fixture(scope="module")
def chain():
    """Stored draws of three stages, each on the one before."""
    return example_fit_of_stages(chained=True)


def test_population_gradient_is_the_product_of_the_steps(chain):
    """In each draw; that of the first stage is its own."""
    whole = population_gradient(chain)
    one, two, three = (gradient(stratum(chain, label)) for label in chain["posterior"].stratum.data)
    np.testing.assert_array_equal(whole.isel(stratum=0), one)
    np.testing.assert_allclose(whole.isel(stratum=1), one * two)
    np.testing.assert_allclose(whole.isel(stratum=2), one * two * three)
    assert whole.dims == ("chain", "draw", "stratum")
    assert whole.attrs["null"] == 1


def test_population_gradient_of_each_authority(chain):
    """Products hold at each authority's own effects, and at any authority mean and step."""
    each = population_gradient(chain, target="each")
    product = np.prod(gradient(chain, target="each").to_numpy(), axis=2)
    np.testing.assert_allclose(each.isel(stratum=-1), product)
    at = population_gradient(chain, authority_mean=[0.15, 0.25])
    assert at.dims == ("chain", "draw", "stratum", "authority_mean")
    np.testing.assert_allclose(population_gradient(chain, per=0.2), population_gradient(chain) ** 2)


def test_shares_by_hand(chain):
    """Shares of the log gradient add up to 1, and a constant step has its share."""
    posterior = chain["posterior"].to_dataset()
    fixed = posterior.assign(
        within=xr.zeros_like(posterior["within"]) + xr.DataArray([0.4, 0.0, 0.1], dims="stratum")
    )
    tree = xr.DataTree.from_dict(
        {"posterior": fixed, "constant_data": chain["constant_data"].to_dataset()}
    )
    tree.attrs = dict(chain.attrs)
    # 0.4 + 0.0 + 0.1 = 0.5: four fifths, nothing, one fifth.
    share = gradient_by_step(tree)["share_of_gradient"]
    np.testing.assert_allclose(share[0, 0], [0.8, 0.0, 0.2])
    np.testing.assert_allclose(share.sum("stratum"), 1.0)


def test_the_table_of_steps(chain):
    """`summarise` makes one row for each number and stage, with words of its own."""
    table = summarise(gradient_by_step(chain))
    assert len(table) == 9
    assert table.loc["step_gradient", "null"].tolist() == [1, 1, 1]
    assert table.loc["share_of_gradient", "null"].tolist() == [0, 0, 0]
    assert "log gradient at plan" in table.loc["share_of_gradient", "units"].iloc[0]


def test_least_effective_step_limits_all():
    """A product of steps is as effective as the least of them."""
    limit = chain_fit()["sample_stats"]["importance_ess"].to_numpy().min()
    assert population_gradient(chain_fit()).attrs["importance_ess"] == limit
    assert summarise(population_gradient(chain_fit()))["ess_bulk"].max() <= limit


def test_chain_agrees_with_separate_fits():
    """The last stage's gradient along the chain is about that of its own fit on children."""
    along = population_gradient(chain_fit()).sel(stratum="plan")
    apart = gradient(stage_fit()).sel(stratum="plan")
    assert abs(float(np.log(along).mean() - np.log(apart).mean())) < 0.5 * float(
        np.log(apart).std()
    )


def test_what_is_no_chain_is_refused(chain):
    """Separate fits of the stages, and one fit, have no product; a new authority neither."""
    with pytest.raises(EstimandError, match="the strata of this fit are stages"):
        population_gradient(example_fit_of_stages())
    with pytest.raises(EstimandError, match="this fit has no strata"):
        gradient_by_step(example_fit())
    with pytest.raises(EstimandError, match="target is 'new'; expected 'average' or 'each'"):
        population_gradient(chain, target="new")
    bare = chain.copy()
    bare.attrs = {}
    with pytest.raises(SchemaError, match="does not say what its strata are"):
        population_gradient(bare)
