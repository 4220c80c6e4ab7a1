"""An authority without data is marked wherever it stands among those that have some."""

import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

import socgrad as sg
from conftest import changed
from socgrad.reading.data_marks import NO_DATA
from socgrad.reading.example import example_fit, example_fit_of_stages

NO = "Corham"


def without(fit, strata=slice(None)):
    """The fit with Corham's events unknown, in some strata."""

    def blank(data):
        has = data["has_data"].copy()
        areas = np.flatnonzero(data["authority_of_area"].to_numpy() == 2)
        has[{"area": areas} | ({"stratum": strata} if "stratum" in has.dims else {})] = 0
        return data.assign(has_data=has)

    return changed(fit, constants=blank)


@pytest.fixture(scope="module")
def fit():
    """Six authorities, of which Corham has no data."""
    return without(example_fit(events=True))


@pytest.mark.parametrize(
    "estimand",
    [
        lambda fit: sg.gradient(fit, target="each"),
        lambda fit: sg.variation.authority_ranks(fit, top=2)["gradient_rank"],
        lambda fit: sg.inequality.excess_events(fit, by="authority"),
        sg.rates.authority_rate,
        lambda fit: sg.inequality.sii(fit, by="authority"),
        lambda fit: sg.rates.expected_rate(fit, target="each", deprivation=0.2),
    ],
)
@pytest.mark.filterwarnings("ignore::socgrad.errors.SupportWarning")
def test_rows_of_tables_are_marked(fit, estimand):
    """Its row says that it has no data, in a column and in words; the others do not."""
    table = sg.summarise(estimand(fit))
    own = table["authority"] == NO
    np.testing.assert_array_equal(table["has_data"], ~own)
    np.testing.assert_array_equal(table["reference"].str.endswith(NO_DATA), own)
    assert own.sum() == 1
    whole = sg.summarise(estimand(example_fit(events=True)))
    assert "has_data" not in whole
    assert not whole["reference"].str.contains("no data").any()
    np.testing.assert_array_equal(whole["estimate"], table["estimate"])


def test_printed_tables_are_marked(fit):
    """In print the row has (no data) behind its name, and one note says what that means."""
    summary = sg.summarise(sg.gradient(fit, target="each"), sg.gradient(fit))
    table = sg.tables.journal_table(summary)
    marked = [row[1] for row in table.rows if "(no data)" in row[1]]
    assert marked == ["Corham (no data)"]
    assert [note for note in table.notes if "no data" in note] == [f"(no data): {NO_DATA}."]
    lines = sg.tables.to_csv(summary).splitlines()
    assert [line for line in lines if "no data of its own" in line and "Corham" in line]
    assert "has_data" in lines[1]
    assert sg.variation.pairwise_steeper(fit).attrs["without_data"] == [NO]


def test_one_authority_alone_is_still_marked(fit):
    """Chosen out of the others, it keeps its mark."""
    alone = sg.summarise(sg.gradient(fit, target="each").sel(authority=NO))
    assert not alone["has_data"].any()
    assert alone["reference"].str.endswith(NO_DATA).all()
    assert alone.index.get_level_values("at").to_list() == ["authority=Corham"]


def test_strata_have_marks_of_their_own():
    """Without data at one stage, it is marked there alone."""
    table = sg.summarise(sg.gradient(without(example_fit_of_stages(), strata=2), target="each"))
    marked = table.loc[~table["has_data"], ["stratum", "authority"]]
    assert marked.to_numpy().tolist() == [["plan", NO]]
    assert table["reference"].str.endswith(NO_DATA).sum() == 1


def test_contrasts_of_strata_rest_on_both_sides():
    """Without data at one stage, its ratios to and from that stage are marked, and no others."""
    fit = without(example_fit_of_stages(), strata=1)
    table = sg.summarise(sg.compare_gradients(fit, over="previous", target="each"))
    marked = table.loc[~table["has_data"], ["stratum", "authority"]].to_numpy().tolist()
    assert marked == [["assessment", NO], ["plan", NO]]


def test_caterpillar_marks_it(fit):
    """A hollow point, and (no data) behind its name."""
    figure = sg.plots.caterpillar(sg.gradient(fit, target="each"), ax=Figure().subplots())
    ax = figure.axes[0]
    names = [text.get_text() for text in ax.get_yticklabels()]
    assert [name for name in names if "no data" in name] == ["Corham (no data)"]
    faces = [to_hex(face) for face in ax.collections[-1].get_facecolors()]
    assert [k for k, face in enumerate(faces) if face == "#ffffff"] == [
        names.index("Corham (no data)")
    ]


def test_figures_of_a_fit_mark_it(fit):
    """Hollow points and dotted lines, with words for them; nothing where all have data."""
    for draw in (sg.plots.gradient_funnel, sg.plots.gradients_by_deprivation):
        words = [text.get_text() for text in draw(fit, ax=Figure().subplots()).get_legend().texts]
        assert sum("o data of its own" in text for text in words) == 1
        usual = draw(example_fit(), ax=Figure().subplots()).get_legend().texts
        assert not any("data" in text.get_text() for text in usual)
    ax = sg.plots.authority_lines(fit, ax=Figure().subplots())
    assert [line.get_linestyle() for line in ax.lines].count(":") == 1
    assert ax.get_title(loc="left").splitlines()[-1] == "Dotted: 1 with no data of their own"
    assert not sg.plots.authority_lines(example_fit(), ax=Figure().subplots()).get_title(loc="left")
    ax = sg.plots.authority_curve(fit, authority=NO, ax=Figure().subplots())
    assert ax.get_legend().texts[1].get_text() == "Corham (no data of its own)"


def test_maps_mark_it(fit):
    """Its polygon is dotted, and a line below the map says so."""
    geopandas = pytest.importorskip("geopandas")
    shapely = pytest.importorskip("shapely.geometry")
    draws = sg.gradient(fit, target="each")
    squares = geopandas.GeoDataFrame(
        {"name": draws["authority"].to_numpy()},
        geometry=[shapely.box(k, 0, k + 1, 1) for k in range(6)],
    )
    ax = sg.plots.authority_map(draws, squares, key="name", ax=Figure().subplots())
    assert ax.get_title(loc="left").splitlines()[-1] == "Dotted: 1 with no data of their own"
    whole = sg.gradient(example_fit(), target="each")
    ax = sg.plots.authority_map(whole, squares, key="name", ax=Figure().subplots())
    assert "Dotted" not in ax.get_title(loc="left")


def test_files_and_sums_keep_the_mark(fit, tmp_path):
    """A ratio of two stages of the same authorities, and a file of draws, stay marked."""
    draws = sg.gradient(fit, target="each")
    draws.to_netcdf(tmp_path / "draws.nc")
    with xr.open_dataarray(tmp_path / "draws.nc") as again:
        np.testing.assert_array_equal(again["has_data"], draws["has_data"])
    ratio = sg.tables.label_draws(
        draws / draws.sel(authority="Ashby", drop=True),
        estimand="ratio",
        units="ratio",
        reference="Ashby",
    )
    assert (~ratio["has_data"]).sum() == 1
