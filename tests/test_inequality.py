import numpy as np
import pytest

from area_by_area import area_rates
from socgrad.errors import EstimandError
from socgrad.estimands.inequality import rii, sii
from socgrad.ranks import ridit_ranks
from socgrad.reading.geography import geography
from socgrad.tables.summaries import summarise

METHODS = ("poisson", "linear", "log-linear")
FITS = ["split_fit", "curved_fit", "no_slopes_fit", "pooled_fit"]


def polynomial(rank, rate, weight, *, logs):
    """Ends of NumPy's weighted line through rates or log rates."""
    slope, start = np.polyfit(rank, np.log(rate) if logs else rate, 1, w=np.sqrt(weight))
    ends = np.array([start, start + slope])
    return np.exp(ends) if logs else ends


def exposed(data):
    """Exposure other than the children."""
    return data.assign(exposure=data["children"] * (0.5 + data["deprivation"]))


@pytest.mark.parametrize("name", FITS)
@pytest.mark.parametrize("method", ["log-linear", "linear"])
def test_national_index_equals_a_line_through_every_area(request, change_fit, name, method):
    """In each draw the ends are those of NumPy's weighted line through all areas' rates."""
    fit = change_fit(request.getfixturevalue(name), constants=exposed)
    land = geography(fit)
    rank = ridit_ranks(land.deprivation, land.children)
    rates = area_rates(fit, own_effects=True)
    found = sii(fit, method=method, rate_per=1)
    relative = rii(fit, method=method, relative_to="mean")
    for draw in (0, 33):
        rate = rates[1, draw]
        ends = polynomial(rank, rate, land.exposure, logs=method == "log-linear")
        np.testing.assert_allclose(found[1, draw], np.diff(ends)[0], rtol=1e-9)
        mean = np.average(rate, weights=land.exposure)
        np.testing.assert_allclose(relative[1, draw], np.diff(ends)[0] / mean, rtol=1e-9)
        if method == "log-linear":
            ratio = rii(fit, method=method)[1, draw]
            np.testing.assert_allclose(ratio, ends[1] / ends[0], rtol=1e-9)


@pytest.mark.parametrize("name", FITS)
def test_default_is_the_poisson_regression_of_events(request, change_fit, name):
    """In each draw the ends are those of a regression of expected events, fitted by Newton here."""
    fit = change_fit(request.getfixturevalue(name), constants=exposed)
    land = geography(fit)
    design = np.column_stack([np.ones(600), ridit_ranks(land.deprivation, land.children)])
    rates = area_rates(fit, own_effects=True)
    index, ratio = sii(fit, rate_per=1), rii(fit)
    assert "poisson line" in index.attrs["reference"]
    for draw in (0, 33):
        events = land.exposure * rates[1, draw]
        line = np.array([np.log(events.sum() / land.exposure.sum()), 0.0])
        for _ in range(50):
            fitted = land.exposure * np.exp(design @ line)
            information = design.T @ (fitted[:, None] * design)
            line = line + np.linalg.solve(information, design.T @ (events - fitted))
        ends = np.exp([line[0], line.sum()])
        np.testing.assert_allclose(index[1, draw], ends[1] - ends[0], rtol=1e-8)
        np.testing.assert_allclose(ratio[1, draw], ends[1] / ends[0], rtol=1e-8)


@pytest.mark.parametrize("method", METHODS)
def test_an_authority_alone_is_a_nation(split_fit, change_fit, method):
    """An authority's index is the national one of a table that has no other exposure or children.

    The others keep their areas, without children, so that ranks are of this authority's alone.
    """
    by_authority = sii(split_fit, by="authority", method=method)
    assert by_authority.dims == ("chain", "draw", "authority")

    def alone(data):
        return data.assign(
            {
                n: data[n].where(data["authority_of_area"] == 3, 0.0)
                for n in ("exposure", "children")
            }
        )

    nation = sii(change_fit(split_fit, constants=alone), method=method)
    np.testing.assert_allclose(nation, by_authority.sel(authority="Denwick"), rtol=1e-9)


@pytest.mark.parametrize("by", ["nation", "authority"])
@pytest.mark.parametrize("method", METHODS)
def test_difference_and_ratio_belong_together(split_fit, by, method):
    """SII over the mean is the other relative index; a rate per 1,000 has a tenth of the SII."""
    ten, one = (sii(split_fit, by=by, method=method, rate_per=p) for p in (10_000, 1_000))
    np.testing.assert_allclose(ten, 10 * one, rtol=1e-12)
    assert ten.attrs["units"] == "events per 10,000 of exposure, most minus least deprived"
    assert ten.attrs["null"] == 0
    of_mean = rii(split_fit, by=by, method=method, relative_to="mean")
    assert of_mean.attrs["estimand"] == "rii_of_mean"
    if method != "linear":
        # SII = a (RII - 1), so that the index over the mean rises with the ratio of the ends.
        ratio = rii(split_fit, by=by, method=method)
        assert ratio.attrs["null"] == 1
        assert ((of_mean > 0) == (ratio > 1)).all()
        assert (ratio > 1).all()


def test_reversed_deprivation_inverts_the_ratio(split_fit, change_fit):
    """With the deprived called affluent the difference changes its sign, and the ratio inverts."""

    def mirrored(data):
        return data.assign(deprivation=1 - data["deprivation"])

    mirror = change_fit(split_fit, constants=mirrored)
    for method in ("log-linear", "poisson"):
        np.testing.assert_allclose(
            sii(mirror, method=method), -sii(split_fit, method=method), rtol=1e-8
        )
        np.testing.assert_allclose(
            rii(mirror, method=method), 1 / rii(split_fit, method=method), rtol=1e-8
        )


def test_order_and_units_of_children_are_irrelevant(split_fit, change_fit):
    """Rows in another order, and twice the children everywhere, change nothing."""
    order = np.random.default_rng(2).permutation(600)
    shuffled = change_fit(split_fit, constants=lambda c: c.isel(area=order))
    doubled = change_fit(
        split_fit, constants=lambda c: c.assign({n: 2 * c[n] for n in ("children", "exposure")})
    )
    for method in METHODS:
        expected = sii(split_fit, method=method)
        np.testing.assert_allclose(sii(shuffled, method=method), expected, rtol=1e-9)
        np.testing.assert_allclose(sii(doubled, method=method), expected, rtol=1e-9)


def test_no_gradient_no_inequality(fixed_fit):
    """Equal rates everywhere: 0 for the difference, 1 for the ratio, by every line."""
    fit = fixed_fit({"within": 0.0, "between": 0.0, "cross_level": 0.0})
    for method in METHODS:
        np.testing.assert_allclose(sii(fit, method=method), 0.0, atol=1e-7)
        np.testing.assert_allclose(rii(fit, method=method), 1.0, rtol=1e-10)


def two_areas(data):
    """Keep two halves of Ashby's children, at deprivations a step apart, and nothing else."""
    inside = np.zeros(600)
    inside[[0, 50]] = 100.0
    deprivation = data["deprivation"].to_numpy().copy()
    within = data["within_part"].to_numpy().copy()
    deprivation[[0, 50]], within[[0, 50]] = [0.1, 0.2], [-0.5, 0.5]
    return data.assign(
        children=("area", inside),
        exposure=("area", inside),
        deprivation=("area", deprivation),
        within_part=("area", within),
    )


def test_index_by_hand(fixed_fit, change_fit):
    """Two halves with rates of 50 and 200 per 10,000, worked through by every line."""
    # Rates 0.01 / 2 and 0.01 * 2 at ranks 1/4 and 3/4.
    truth = {"intercept": np.log(0.01), "within": np.log(4.0), "between": 0.0, "cross_level": 0.0}
    fit = change_fit(fixed_fit(truth), constants=two_areas)
    # Linear: 150 over half a rank is 300, from -25 to 275; over the mean of 125 that is 2.4.
    np.testing.assert_allclose(sii(fit, method="linear"), 300, rtol=1e-9)
    np.testing.assert_allclose(rii(fit, method="linear", relative_to="mean"), 2.4, rtol=1e-9)
    # Log lines: times 4 over half a rank, so the ends are 25 and 400, 16 times.
    for method in ("log-linear", "poisson"):
        np.testing.assert_allclose(sii(fit, method=method), 375, rtol=1e-9)
        np.testing.assert_allclose(rii(fit, method=method), 16, rtol=1e-9)
    own = sii(fit, by="authority", method="linear")
    assert own["authority"].to_numpy().tolist() == ["Ashby"]
    np.testing.assert_allclose(own, 300, rtol=1e-9)


def test_a_negative_end_is_refused(split_fit, fixed_fit):
    """The ratio of the linear line is refused with the reason; the difference stands."""
    fit = fixed_fit({"within": np.log(1.9)})
    with pytest.raises(EstimandError, match="negative in 100 of 100 draws, in the nation: rates"):
        rii(fit, method="linear")
    with pytest.raises(
        EstimandError, match=r"in \d of 6 authorities \(first: Ashby\).*least depri"
    ):
        rii(fit, method="linear", by="authority")
    assert (sii(fit, method="linear") > 0).all()
    flat = fixed_fit({"within": np.log(1.1), "between": 0.0, "cross_level": 0.0})
    assert (rii(flat, method="linear") > 1).all()
    with pytest.raises(EstimandError, match="'poisson' or 'log-linear', or relative_to='mean'"):
        rii(split_fit, method="linear")


def test_options_are_checked(split_fit, null_fit):
    """Misspelt options and a model without deprivation are refused."""
    with pytest.raises(EstimandError, match="method is 'loglinear'; expected 'poisson', 'linear"):
        sii(split_fit, method="loglinear")
    with pytest.raises(EstimandError, match="relative_to is 'most'; expected 'least' or 'mean'"):
        rii(split_fit, relative_to="most")
    with pytest.raises(EstimandError, match="rate_per is 0"):
        sii(split_fit, rate_per=0)
    for function in (sii, rii):
        with pytest.raises(EstimandError, match="not defined for a null model"):
            function(null_fit)


def test_rows_of_a_table(split_fit):
    """Every method and unit becomes rows of one table, told apart by what it refers to."""
    table = summarise(
        sii(split_fit),
        sii(split_fit, method="linear"),
        rii(split_fit),
        rii(split_fit, by="authority"),
    )
    assert len(table) == 9
    assert table["pr_above"].eq(1).all()
    assert "poisson line" in table["reference"].iloc[0]
