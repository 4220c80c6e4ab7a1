import numpy as np
import pytest
import xarray as xr

from socgrad.errors import EstimandError
from socgrad.estimands.gradients import gradient
from socgrad.reading.labels import are_labelled, label_draws
from socgrad.tables.summaries import summarise

LABEL = {"estimand": "ratio", "units": "ratio of gradients", "reference": "a over b"}


def test_labels_are_the_attrs():
    """Name, order of dims and attrs, without a null where there is none."""
    draws = xr.DataArray(np.ones((3, 5, 2)), dims=("area", "draw", "chain"), attrs={"old": 1})
    made = label_draws(draws, **LABEL)
    assert (made.name, made.dims) == ("ratio", ("chain", "draw", "area"))
    assert made.attrs.keys() == {"estimand", "units", "reference", "draws"}
    assert label_draws(draws, **LABEL, null=1).attrs["null"] == 1.0
    assert draws.attrs == {"old": 1}


def test_what_is_picked_keeps_its_label(split_fit):
    """Rows picked out, and dims in another order, are still of the estimand."""
    own = gradient(split_fit, target="each")
    for kept in (own, own.transpose(), own.sel(authority="Ashby"), own.isel(authority=[3, 1])):
        assert are_labelled(kept)


@pytest.mark.parametrize("keep", [True, False])
def test_what_is_computed_loses_it(split_fit, curved_fit, keep):
    """A ratio of two gradients is no gradient, whether or not xarray hands its attrs on."""
    once, twice = gradient(split_fit), gradient(split_fit, per=0.2)
    again = gradient(curved_fit.copy(), target="new")
    with xr.set_options(keep_attrs=keep):
        computed = [twice / once, again / once, once - 1, 100 * once, np.log(once), once + once]
        own = gradient(split_fit, target="each")
        computed += [own.sel(authority="Ashby") / own.sel(authority="Corham")]
        computed += [own.mean("authority"), own.quantile(0.9, "authority"), own.isel(draw=[1, 2])]
    for draws in computed:
        assert not are_labelled(draws)
        with pytest.raises(
            EstimandError, match=r"Estimand 1 .* Label them: socgrad\.tables\.label_draws"
        ):
            summarise(draws)
        with pytest.raises(EstimandError, match="Label them"):
            summarise(draws, names=["ratio"])


def test_a_new_label_replaces_all_of_the_old_one(split_fit):
    """Nothing of the gradient's label is left on a ratio, and its row has its own words."""
    ratio = label_draws(gradient(split_fit, per=0.2) / gradient(split_fit), **LABEL, null=1.0)
    row = summarise(ratio).loc[("ratio", "")]
    assert (row["units"], row["reference"], row["null"]) == ("ratio of gradients", "a over b", 1.0)
    assert row["estimate"] == float(gradient(split_fit).median())


def test_only_draws_are_labelled(split_fit):
    """A mean of draws is no draws."""
    with pytest.raises(EstimandError, match=r"draws has no dim draw \(it has \('chain',\)\)"):
        label_draws(gradient(split_fit).mean("draw"), **LABEL)


def test_importance_size_stays(split_fit):
    """Two estimands of one fit by importance sampling keep its effective size."""
    weighted = split_fit.copy()
    weighted.attrs["importance_ess"] = 20.0
    with xr.set_options(keep_attrs=True):
        ratio = gradient(weighted, per=0.2) / gradient(weighted)
    assert summarise(label_draws(ratio, **LABEL)).iloc[0]["ess_bulk"] == 20


def test_arrays_without_dims_are_no_draws():
    """NumPy's arrays do not say which axis is which."""
    with pytest.raises(EstimandError, match=r"draws is a ndarray\. Expected an xarray\.DataArray"):
        label_draws(np.ones((2, 5)), **LABEL)
