import numpy as np
import pandas as pd
import pytest

from socgrad.errors import SpecificationError
from socgrad.simulation.geography import area_counts, simulated_areas

# England in 2019 without City of London and Isles of Scilly: 149 authorities, 32,837 areas. Each
# tolerance is several times the spread between seeds, plus a known difference of shape (the tails).
TARGETS = {
    "areas, smallest authority": (23, 0),
    "areas, median authority": (163, 2),
    "areas, largest authority": (902, 5),
    "children, millions": (12.02, 0.01),
    "children, 5%": (193, 10),
    "children, median": (341, 6),
    "children, 95%": (623, 15),
    "national mean": (0.171, 0.004),
    "authority mean, mean": (0.180, 0.001),
    "authority mean, sd": (0.060, 0.001),
    "authority mean, least": (0.055, 0.006),
    "authority mean, greatest": (0.326, 0.008),
    "sd within, mean": (0.108, 0.004),
    "sd within, least": (0.032, 0.015),
    "sd within, greatest": (0.186, 0.040),
    "sd within and authority mean": (0.69, 0.12),
    "deprivation, 1%": (0.015, 0.004),
    "deprivation, 10%": (0.035, 0.006),
    "deprivation, 50%": (0.126, 0.013),
    "deprivation, 90%": (0.331, 0.012),
    "deprivation, 99%": (0.501, 0.070),
    "deprivation and log children": (0.28, 0.02),
}


def described(table: pd.DataFrame) -> dict[str, float]:
    """Every figure of TARGETS, of one table."""
    x, n, authority = table["deprivation"], table["children"], table["authority"]
    mean = (n * x).groupby(authority).sum() / n.groupby(authority).sum()
    away = x - authority.map(mean)
    sd = np.sqrt((n * away**2).groupby(authority).sum() / n.groupby(authority).sum())
    areas = authority.value_counts()
    return {
        "areas, smallest authority": areas.min(),
        "areas, median authority": areas.median(),
        "areas, largest authority": areas.max(),
        "children, millions": n.sum() / 1e6,
        "children, 5%": n.quantile(0.05),
        "children, median": n.median(),
        "children, 95%": n.quantile(0.95),
        "national mean": np.average(x, weights=n),
        "authority mean, mean": mean.mean(),
        "authority mean, sd": mean.std(),
        "authority mean, least": mean.min(),
        "authority mean, greatest": mean.max(),
        "sd within, mean": sd.mean(),
        "sd within, least": sd.min(),
        "sd within, greatest": sd.max(),
        "sd within and authority mean": mean.corr(sd),
        "deprivation, 1%": x.quantile(0.01),
        "deprivation, 10%": x.quantile(0.10),
        "deprivation, 50%": x.quantile(0.50),
        "deprivation, 90%": x.quantile(0.90),
        "deprivation, 99%": x.quantile(0.99),
        "deprivation and log children": away.corr(np.log(n)),
    }


def table(
    *,
    authorities: int = 149,
    areas: int = 32_837,
    authority_mean: float = 0.18,
    authority_sd: float = 0.06,
    within_sd: float = 0.108,
    seed: int = 1,
) -> pd.DataFrame:
    """Return a table of areas, of England's shape unless told otherwise."""
    return simulated_areas(
        area_counts("unequal", authorities=authorities, areas=areas),
        authority_mean=authority_mean,
        authority_sd=authority_sd,
        within_sd=within_sd,
        rng=np.random.default_rng(seed),
    )


@pytest.fixture(scope="module", params=[1, 2, 3])
def england(request: pytest.FixtureRequest) -> dict[str, float]:
    """Figures of a table of England's size, three seeds."""
    return described(table(seed=request.param))


@pytest.mark.parametrize("figure", TARGETS)
def test_table_of_englands_size_has_englands_shape(england, figure):
    """Each published figure of England is met within its tolerance."""
    target, tolerance = TARGETS[figure]
    assert england[figure] == pytest.approx(target, abs=tolerance)


@pytest.mark.parametrize("sizes", ["equal", "unequal"])
@pytest.mark.parametrize(("authorities", "areas"), [(2, 4), (7, 100), (60, 3600), (150, 32_844)])
def test_areas_add_up(sizes, authorities, areas):
    """Sizes sum to the number of areas asked for, and no authority has fewer than two."""
    counts = area_counts(sizes, authorities=authorities, areas=areas)
    assert len(counts) == authorities
    assert counts.sum() == areas
    assert counts.min() >= 2


def test_equal_sizes_differ_by_one_at_most():
    """100 areas over 7 authorities are five times 14 and twice 15."""
    counts = area_counts("equal", authorities=7, areas=100)
    assert sorted(counts) == [14, 14, 14, 14, 14, 15, 15]


def test_unequal_sizes_are_unequal():
    """The largest of 40 authorities has many times the areas of the smallest."""
    counts = area_counts("unequal", authorities=40, areas=1600)
    assert counts.max() > 20 * counts.min()


def test_deprivation_is_a_proportion_and_children_are_there():
    """Every area has deprivation strictly between 0 and 1 and at least one child."""
    frame = table(authorities=30, areas=3000)
    assert frame["deprivation"].between(0, 1, inclusive="neither").all()
    assert (frame["children"] >= 1).all()
    assert frame["area"].is_unique


def test_labels_are_clearly_simulated():
    """Areas are named after their authority, and each authority lies in one region."""
    frame = table(authorities=12, areas=300)
    assert frame.loc[0, ["area", "authority"]].tolist() == ["A001-0001", "A001"]
    assert (frame["area"].str[:4] == frame["authority"]).all()
    assert len(frame[["authority", "region"]].drop_duplicates()) == 12
    assert len(set(frame["region"])) > 1


@pytest.mark.parametrize(
    ("option", "figure", "values"),
    [
        ("authority_mean", "authority mean, mean", (0.20, 0.30)),
        ("authority_sd", "authority mean, sd", (0.03, 0.06)),
        ("within_sd", "sd within, mean", (0.05, 0.10)),
    ],
)
def test_each_option_moves_its_figure(option, figure, values):
    """Two values of an option give two tables that have what was asked for, to 5%."""
    for value in values:
        figures = described(table(authorities=149, areas=15_000, **{option: value}))
        assert figures[figure] == pytest.approx(value, rel=0.05)


def test_authorities_can_be_alike():
    """Without spread between authorities, all have the same child-weighted mean, nearly."""
    figures = described(table(authorities=20, areas=800, authority_sd=0.0))
    assert figures["authority mean, mean"] == pytest.approx(0.18, abs=1e-4)
    # Children are rounded to whole numbers, after the weighting.
    assert figures["authority mean, sd"] < 1e-3


@pytest.mark.parametrize(("authorities", "areas"), [(1, 50), (10, 19)])
def test_too_few_areas_are_refused(authorities, areas):
    """One authority, or fewer than two areas each, cannot show both a within and a between part."""
    with pytest.raises(SpecificationError, match=f"{authorities} authorities with {areas} areas"):
        area_counts("equal", authorities=authorities, areas=areas)


def test_an_unknown_kind_of_sizes_is_refused():
    """A misspelt option is not taken for another one."""
    with pytest.raises(SpecificationError, match="Expected 'unequal' or 'equal'"):
        area_counts("even", authorities=5, areas=50)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"authority_mean": 0.10}, "take a smaller authority_sd"),
        ({"authority_mean": 0.95}, "take a smaller authority_sd"),
        ({"authority_sd": -0.01}, "Expected standard deviations"),
        ({"within_sd": 0.0}, "Expected standard deviations"),
    ],
)
def test_impossible_deprivation_is_refused(options, words):
    """Means outside 0-1 and spreads below 0 are refused with what to do."""
    with pytest.raises(SpecificationError, match=words):
        table(authorities=20, areas=400, **options)
