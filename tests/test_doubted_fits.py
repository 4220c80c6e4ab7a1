"""Draws out of all range: a summary answers, or refuses in our own words; NumPy says nothing."""

import contextlib

import numpy as np
import pytest
import xarray as xr

import socgrad as sg
from conftest import changed
from socgrad.errors import ConvergenceWarning, EstimandError, MisfitWarning
from socgrad.reading.example import example_fit


def wild(**values):
    """The example fit with its counts, of which five draws hold these values."""

    def change(posterior):
        made = {}
        for name, value in values.items():
            draws = posterior.get(name, 0.2 + 0 * posterior["within"]).copy(deep=True)
            draws[{"chain": 0, "draw": slice(0, 5)}] = value
            made[name] = draws
        return posterior.assign(made)

    return changed(example_fit(events=True), posterior=change)


WILD = {
    "overflow": wild(intercept=800.0),
    "vanish": wild(intercept=-800.0),
    "beyond counting": wild(intercept=60.0),
    "wide levels": wild(level_sd=60.0),
    "steep": wild(slope_effect=2000.0),
    "steep line": wild(within=300.0),
    "all areas alike": wild(overdispersion=1e6),
}
SUMMARIES = {
    "vpc": sg.variation.vpc,
    "sii": sg.inequality.sii,
    "sii by authority": lambda fit: sg.inequality.sii(fit, by="authority"),
    "sii log-linear": lambda fit: sg.inequality.sii(fit, method="log-linear"),
    "rii": sg.inequality.rii,
    "concentration_index": sg.inequality.concentration_index,
    "relative_gap": sg.inequality.relative_gap,
    "authority_rate": sg.rates.authority_rate,
    "rate_by_group": sg.rates.rate_by_group,
    "excess_events": sg.inequality.excess_events,
    "predict_authority_events": sg.predictions.predict_authority_events,
}


@pytest.mark.parametrize("name", SUMMARIES)
@pytest.mark.parametrize("kind", WILD)
def test_estimands_are_finite_or_refused(kind, name):
    """No foreign error or warning, and nothing that is not finite."""
    with contextlib.suppress(EstimandError):
        assert np.isfinite(SUMMARIES[name](WILD[kind])).all()


@pytest.mark.filterwarnings("ignore::socgrad.errors.ConvergenceWarning")
@pytest.mark.parametrize("unit", ["authority", "area"])
@pytest.mark.parametrize("kind", WILD)
def test_scores_are_finite(kind, unit):
    """Units are scored, every one, or the draws refused."""
    with contextlib.suppress(EstimandError):
        table = sg.leave_out(WILD[kind], unit=unit).table
        assert np.isfinite(table["elpd"]).all()


def test_weights_that_are_all_alike_have_no_tail():
    """With rates that vary without bound all draws say the same of an area: not a foreign error."""
    with pytest.warns(ConvergenceWarning, match="are unsure"):
        scores = sg.leave_out(changed(WILD["all areas alike"]), unit="area")
    assert len(scores.table) == 600


@pytest.mark.filterwarnings("ignore::socgrad.errors.MisfitWarning")
@pytest.mark.parametrize("kind", WILD)
def test_fits_are_judged_or_refused(kind):
    """Counts drawn again are counts, or the draws are refused with what to look at."""
    with contextlib.suppress(EstimandError):
        assert np.isfinite(sg.check_fit(WILD[kind]).statistics["observed"]).all()


def test_what_is_refused_is_named():
    """How many draws, what is wrong with them, and where to look."""
    with pytest.raises(EstimandError, match="In 5 of 100 draws the expected events are no finite"):
        sg.rates.authority_rate(WILD["overflow"])
    with pytest.raises(EstimandError, match="In 5 of 100 draws this index is no finite number"):
        sg.inequality.concentration_index(WILD["vanish"])
    with pytest.raises(EstimandError, match="more than can be counted"):
        sg.check_fit(WILD["beyond counting"])
    with pytest.raises(EstimandError, match="In 5 of 100 draws a count has no probability that"):
        sg.leave_out(WILD["vanish"], unit="area")
    with pytest.raises(EstimandError, match=r"statistics are no finite number \(first: dispersion"):
        sg.check_fit(WILD["vanish"])


def test_shares_of_variance_at_their_limits():
    """Where authorities differ without bound, all variance is theirs; where rates vanish, none."""
    wide, none = sg.variation.vpc(WILD["wide levels"]), sg.variation.vpc(WILD["vanish"])
    np.testing.assert_allclose(wide[0, :5], 1.0)
    np.testing.assert_allclose(none[0, :5], 0.0, atol=1e-100)
    usual = sg.variation.vpc(example_fit())
    xr.testing.assert_allclose(wide[:, 5:], usual[:, 5:])


@pytest.mark.parametrize("draws", [1, 100])
def test_few_draws_can_still_find_a_misfit(draws):
    """Counts are drawn again often enough to lie in the outer hundredth, and do."""

    def doubled(tree):
        groups = {name: node.to_dataset() for name, node in tree.children.items()}
        groups["observed_data"] = 3 * groups["observed_data"]
        made = xr.DataTree.from_dict(groups)
        made.attrs = dict(tree.attrs)
        return made

    fit = example_fit(events=True)
    assert fit["posterior"].sizes["chain"] * fit["posterior"].sizes["draw"] == 100
    with pytest.warns(MisfitWarning, match="does not fit"):
        check = sg.check_fit(doubled(fit), draws=draws)
    assert not check.adequate
    assert check.statistics.loc["dispersion", "pr_above"] == pytest.approx(1 / 201)
