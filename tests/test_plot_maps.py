"""Maps put each authority's number on its own polygon, or say which have none."""

import gzip
import os
import sys
from pathlib import Path

import geopandas
import matplotlib
import numpy as np
import pytest
import xarray as xr
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from shapely.geometry import box

from socgrad.errors import EstimandError, SocgradError
from socgrad.estimands.gradients import gradient
from socgrad.estimands.rates import expected_rate
from socgrad.plots import authority_map
from socgrad.plots.style import STYLE
from socgrad.reading.labels import label_draws

ORDER = (3, 0, 5, 1, 4, 2)


@pytest.fixture
def ax() -> Axes:
    """Make axes outside pyplot, which nobody has to close."""
    return Figure().subplots()


@pytest.fixture
def own(split_fit: xr.DataTree) -> xr.DataArray:
    """Give draws of every authority's gradient."""
    return gradient(split_fit, target="each")


def squares(names: list[str]) -> geopandas.GeoDataFrame:
    """Make unit squares from left to right."""
    return geopandas.GeoDataFrame(
        {"name": names}, geometry=[box(k, 0, k + 1, 1) for k in range(len(names))]
    )


@pytest.fixture
def shuffled(own: xr.DataArray) -> geopandas.GeoDataFrame:
    """Make boundaries in another order than the fit's, with one authority more."""
    names = own["authority"].to_numpy()[list(ORDER)].tolist()
    return squares([*names[:3], "Elsewhere", *names[3:]])


def colours_at(ax: Axes) -> dict[int, tuple[float, ...]]:
    """Colour of each square by its left edge."""
    return {
        round(float(path.vertices[:, 0].min())): tuple(colour)
        for collection in ax.collections
        if len(collection.get_facecolors())  # not those that outline others
        for path, colour in zip(
            collection.get_paths(),
            np.resize(collection.get_facecolors(), (len(collection.get_paths()), 4)),
            strict=True,
        )
    }


def scale_of(ax: Axes) -> matplotlib.cm.ScalarMappable:
    """The colour bar's mapping, by its own axes."""
    return ax.figure.axes[1]._colorbar.mappable


def test_each_polygon_has_its_own_number(
    own: xr.DataArray, shuffled: geopandas.GeoDataFrame, ax: Axes
) -> None:
    """Joined by label: the colour at each place is that of its authority's median."""
    assert authority_map(own, shuffled, key="name", ax=ax) is ax
    median = own.median(("chain", "draw"))
    found = colours_at(ax)
    mappable = scale_of(ax)
    for place, name in enumerate(shuffled["name"]):
        if name != "Elsewhere":
            expected = mappable.to_rgba(float(median.sel(authority=name)))
            assert found[place] == pytest.approx(expected)
    # The middle colour is at the average authority; both ends are as far from it.
    norm = mappable.norm
    average = float(np.exp(np.log(own).mean("authority")).median())
    assert norm.vmin * norm.vmax == pytest.approx(average**2)
    assert (norm.vmin, norm.vmax)[int(median.max() * median.min() > norm.vmin * norm.vmax)] in (
        pytest.approx(float(median.min())),
        pytest.approx(float(median.max())),
    )


def test_differences_within_uncertainty_are_pale(ax: Axes) -> None:
    """Estimates 1% apart with intervals of a fifth do not reach the ends of the colours."""
    rng = np.random.default_rng(4)
    logs = np.log([1.995, 2.0, 2.005]) + 0.05 * rng.standard_normal((2, 500, 3))
    draws = xr.DataArray(
        np.exp(logs), dims=("chain", "draw", "authority"), coords={"authority": list("abc")}
    )
    draws = label_draws(draws, estimand="r", units="r", reference="r", null=1.0)
    authority_map(draws, squares(list("abc")), key="name", ax=ax)
    norm = scale_of(ax).norm
    half = (
        float(
            np.log(
                draws.quantile(0.975, ("chain", "draw")) / draws.quantile(0.025, ("chain", "draw"))
            ).mean()
        )
        / 2
    )
    assert np.log(norm.vmax / norm.vmin) / 2 == pytest.approx(half)
    assert ax.get_title(loc="left").startswith("Outlined: 0 of 3")


def test_authorities_that_surely_differ_are_outlined(
    own: xr.DataArray, split_fit: xr.DataTree, shuffled: geopandas.GeoDataFrame, ax: Axes
) -> None:
    """A dark edge around those that lie on one side of the reference, at their own places."""
    average = gradient(split_fit)
    authority_map(own, shuffled, key="name", reference=average, prob=0.8, ax=ax)
    share = (own > average).mean(("chain", "draw"))
    sure = np.maximum(share, 1 - share) > 0.9
    assert 0 < int(sure.sum()) < 6
    ink = matplotlib.colors.to_rgba(STYLE.ink)
    (edges,) = (c for c in ax.collections if tuple(c.get_edgecolors()[0]) == ink)
    found = {shuffled["name"][round(path.vertices[:, 0].min())] for path in edges.get_paths()}
    assert found == set(own["authority"].to_numpy()[sure.to_numpy()])
    assert ax.get_title(loc="left").splitlines()[0] == (
        f"Outlined: {int(sure.sum())} of 6 that lie above or below the reference with Pr > 0.9"
    )


def test_the_colour_bar_ends_where_estimates_do(
    own: xr.DataArray, shuffled: geopandas.GeoDataFrame, ax: Axes
) -> None:
    """A bar as long on either side of the middle would show rates below zero."""
    median = own.median(("chain", "draw"))
    authority_map(own, shuffled, key="name", ax=ax)
    limits = ax.figure.axes[1].get_ylim()
    assert limits == pytest.approx((float(median.min()), float(median.max())))
    norm = scale_of(ax).norm
    assert norm.vmin < limits[0] or norm.vmax > limits[1]


def test_a_polygon_without_an_estimate_is_hatched_and_counted(
    own: xr.DataArray, shuffled: geopandas.GeoDataFrame, ax: Axes
) -> None:
    """Elsewhere has no colour, and a line above the map says that one has none."""
    authority_map(own, shuffled, key="name", ax=ax)
    (hatched,) = (c for c in ax.collections if c.get_hatch())
    assert len(hatched.get_paths()) == 1
    assert hatched.get_paths()[0].vertices[:, 0].min() == 3
    assert ax.get_title(loc="left").splitlines()[1:] == ["Hatched: 1 without an estimate"]


def test_probabilities_are_draw_by_draw(
    own: xr.DataArray, split_fit: xr.DataTree, shuffled: geopandas.GeoDataFrame, ax: Axes
) -> None:
    """The share of draws in which the authority lies above the average one."""
    average = gradient(split_fit)
    authority_map(own, shuffled, key="name", show="probability", reference=average, ax=ax)
    share = (own > average).mean(("chain", "draw"))
    mappable = scale_of(ax)
    assert (mappable.norm.vmin, mappable.norm.vmax) == (0, 1)
    found = colours_at(ax)
    for place, name in enumerate(shuffled["name"]):
        if name != "Elsewhere":
            expected = mappable.to_rgba(float(share.sel(authority=name)))
            assert found[place] == pytest.approx(expected)
    assert ax.figure.axes[1].get_ylabel() == "Probability of lying above"


def test_a_reference_is_the_middle_of_the_colours(
    own: xr.DataArray, shuffled: geopandas.GeoDataFrame, ax: Axes
) -> None:
    """Estimates are coloured about the reference, and the bar has the caller's words."""
    authority_map(own, shuffled, key="name", reference=2.0, label="Gradient", ax=ax)
    norm = scale_of(ax).norm
    assert (norm.vmin * norm.vmax) ** 0.5 == pytest.approx(2.0)
    assert ax.figure.axes[1].get_ylabel() == "Gradient"


@pytest.mark.filterwarnings("ignore::socgrad.errors.SupportWarning")  # small authorities
def test_rates_have_a_linear_scale_and_no_null(
    split_fit: xr.DataTree, own: xr.DataArray, ax: Axes
) -> None:
    """As far to one side as to the other; a probability needs a reference."""
    rates = expected_rate(split_fit, deprivation=0.2, target="each").isel(deprivation=0)
    land = squares(own["authority"].to_numpy().tolist())
    authority_map(rates, land, key="name", ax=ax)
    norm = scale_of(ax).norm
    middle = float(np.median(rates.median(("chain", "draw"))))
    assert (norm.vmin + norm.vmax) / 2 == pytest.approx(middle)
    assert not ax.get_title(loc="left")
    with pytest.raises(EstimandError, match="needs a reference to lie above"):
        authority_map(rates, land, key="name", show="probability", ax=ax)


def test_labels_that_do_not_match_are_named(
    own: xr.DataArray, shuffled: geopandas.GeoDataFrame, ax: Axes
) -> None:
    """How many, which, what the column has, and what to do."""
    other = shuffled.assign(name=["E1", "E2", *shuffled["name"][2:]])
    with pytest.raises(
        EstimandError,
        match=r"2 of 6 authorities are not in column 'name' of boundaries \(first: 'Ashby', 'Denw.*"
        r"The column has 'E1', 'E2'.*same kind of label",
    ):
        authority_map(own, other, key="name", ax=ax)
    with pytest.raises(EstimandError, match="no column 'code'; it has name, geometry"):
        authority_map(own, shuffled, key="code", ax=ax)
    twice = shuffled.assign(name=["Ashby", *shuffled["name"][1:2], *shuffled["name"][2:]])
    twice.loc[3, "name"] = "Denwick"
    with pytest.raises(EstimandError, match=r"1 authorities stand more than once .*\('?.*'Ashby'"):
        authority_map(own, twice, key="name", ax=ax)


def test_what_is_no_geodataframe_is_refused(own: xr.DataArray, ax: Axes) -> None:
    """A plain table has no polygons; an unknown option answers for none."""
    land = squares(own["authority"].to_numpy().tolist())
    with pytest.raises(EstimandError, match=r"boundaries is a DataFrame; expected a geopandas\."):
        authority_map(own, land.drop(columns="geometry"), key="name", ax=ax)
    with pytest.raises(EstimandError, match="show is 'median'; expected 'estimate' or 'probab"):
        authority_map(own, land, key="name", show="median", ax=ax)


def test_missing_geopandas_names_the_extra(
    own: xr.DataArray, shuffled: geopandas.GeoDataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without geopandas the message says what to install."""
    monkeypatch.setitem(sys.modules, "geopandas", None)
    with pytest.raises(SocgradError, match=r"extra 'maps': pip install 'socgrad\[maps\]'"):
        authority_map(own, shuffled, key="name")


def test_the_published_boundaries_are_read_by_code(own: xr.DataArray, ax: Axes) -> None:
    """Of England's 151 upper-tier authorities all but two have a number, joined by code."""
    if "SOCGRAD_DATA" not in os.environ:
        pytest.skip("SOCGRAD_DATA names no folder of real data")
    path = Path(os.environ["SOCGRAD_DATA"], "boundaries", "utla19_england_generalised.geojson.gz")
    with gzip.open(path) as file:
        england = geopandas.read_file(file)
    codes = np.setdiff1d(england["code"].to_numpy(), ["E06000053", "E09000001"])
    values = np.resize(own.to_numpy(), (2, 50, codes.size)) * np.linspace(0.9, 1.1, codes.size)
    draws = label_draws(
        xr.DataArray(values, dims=("chain", "draw", "authority"), coords={"authority": codes}),
        estimand="gradient",
        units="rate ratio",
        reference="none",
        null=1.0,
    )
    authority_map(draws, england, key="code", ax=ax)
    outlined, hatched = ax.get_title(loc="left").splitlines()
    assert outlined.startswith("Outlined: 0 of 149 ")
    assert hatched == "Hatched: 2 without an estimate"
    # A degree of longitude is shorter than one of latitude: drawn so, England is not squashed.
    assert ax.get_aspect() == pytest.approx(1 / np.cos(np.deg2rad(53)), rel=0.05)
    with pytest.raises(EstimandError, match="149 of 149 authorities are not in column 'name'"):
        authority_map(draws, england, key="name", ax=ax)


def test_new_axes_and_no_settings(own: xr.DataArray, shuffled: geopandas.GeoDataFrame) -> None:
    """Without `ax` a figure of pyplot's is made, and no global setting changed."""
    pyplot.switch_backend("agg")
    try:
        before = dict(matplotlib.rcParams)
        made = authority_map(own, shuffled, key="name")
        assert made.figure.number in pyplot.get_fignums()
        assert dict(matplotlib.rcParams) == before
    finally:
        pyplot.close("all")
