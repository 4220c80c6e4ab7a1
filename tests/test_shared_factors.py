"""Factors that a locality's areas share where counts are hidden, or areas have their own, too."""

import dataclasses

import numpy as np
import pytest
from scipy import integrate, stats

import socgrad as sg
from locality_tables import locality_fit, simulated_with_localities, with_localities
from socgrad.blocks.data import counts_of
from socgrad.blocks.segments import ROOM, SHARED, authority_terms
from socgrad.checks.authority_likelihoods import authority_likelihoods
from socgrad.checks.counts import Lines, Population, counts_by_position
from socgrad.checks.locality_counts import count_blocks, log_probabilities
from socgrad.checks.shared_forms import SharedCounts, told_by_all
from socgrad.coarsening import Suppressed
from socgrad.errors import SpecificationError
from socgrad.model.compression import likelihood_data
from socgrad.model.gradient_model import GradientModel
from socgrad.model.terms import model_terms
from socgrad.reading.geography import geography
from tables import TRUTH

HIDDEN = Suppressed({"c": (1, 5)})
ROLES = {
    "area": "area",
    "authority": "authority",
    "events": "events",
    "children": "children",
    "deprivation": "deprivation",
    "locality": "locality",
}


def hidden_areas(frame, **options):
    """The same areas, counts of 1 to 5 suppressed."""
    shown = frame["events"].astype(str).mask(frame["events"].between(1, 5), "c")
    return sg.Areas.from_frame(
        frame.assign(events=shown), **ROLES, complete=True, coarsening=HIDDEN, **options
    )


def counts_in_blocks(model):
    """Rows of a model as the block engine reads them."""
    return counts_of([model], [model_terms(model)], [likelihood_data(model)])


def by_quadrature(model, j, level, slope, sds):
    """Log-likelihood of one authority's counts, each locality's factor integrated by SciPy."""
    areas = model.areas
    own, shared = (sd * sd for sd in sds)
    total = 0.0
    for m in np.flatnonzero(areas.authority_of_locality == j):
        at = np.flatnonzero((areas.locality_of_area == m) & areas.known)
        mean = areas.exposure[at] * np.exp(level + slope * model.within_part[at])

        def chance(g, at=at, mean=mean):
            found = stats.gamma.pdf(g, 1 / shared, scale=shared)
            for i, mu in zip(at, g * mean, strict=True):
                law = stats.nbinom(1 / own, 1 / (1 + own * mu)) if own else stats.poisson(mu)
                known = areas.counted[i]
                found *= law.pmf(areas.events[i]) if known else law.cdf(5) - law.cdf(0)
            return found

        total += np.log(integrate.quad(chance, 0, np.inf, epsabs=0, epsrel=1e-9, limit=200)[0])
    return total


def terms_of(counts, authority, line, spread):
    """Log-likelihood of one authority's counts of one stratum, and derivatives, at a line."""
    terms = np.zeros((1, 10))
    authority_terms(
        counts.rows, counts.offset, counts.square_offset, authority, np.array(line),
        np.array([spread]), True, terms, np.zeros((1, 4)), np.zeros(ROOM),
    )  # fmt: skip
    return terms[0]


@pytest.mark.parametrize("sds", [(0.0, 0.25), (0.0, 0.6), (0.3, 0.4), (0.5, 1.2)])
def test_the_integral_is_scipys(sds):
    """One authority's counts, known and hidden, at two lines, for small and large factors."""
    family = "negative_binomial" if sds[0] else "poisson"
    areas = hidden_areas(simulated_with_localities().frame)
    model = GradientModel(areas, family=family, localities=True)
    counts = counts_in_blocks(model)
    assert SHARED in counts.rows.kind
    rising, found = [], []
    for level, slope in ((-4.2, 0.4), (-3.8, 0.6)):
        found.append(terms_of(counts, 1, (level, slope), (sds[0] ** 2, sds[1] ** 2))[0])
        rising.append(by_quadrature(model, 1, level, slope, sds))
    # Apart by what depends on no line.
    assert found[1] - found[0] == pytest.approx(rising[1] - rising[0], abs=2e-5)


@pytest.mark.parametrize(("spread", "most"), [(0.1, 1e-6), (0.57, 1e-6), (0.7, 1e-5), (1.0, 1e-4)])
def test_nodes_are_as_exact_as_is_said(spread, most):
    """Against the closed form, of a locality's log-likelihood at two lines."""
    areas = with_localities(simulated_with_localities().frame)
    closed = GradientModel(areas, localities=True)
    both = GradientModel(areas, localities=True, family="negative_binomial")
    localities = int((areas.authority_of_locality == 2).sum())
    changes = []
    for model, r in ((closed, 0.0), (both, 1e-10)):
        counts = counts_in_blocks(model)
        first, second = (
            terms_of(counts, 2, line, (r, spread**2))[0] for line in ((-4.2, 0.4), (-3.8, 0.6))
        )
        changes.append(second - first)
    assert abs(changes[1] - changes[0]) < 2 * localities * most


def test_known_counts_are_the_negative_multinomial():
    """Where all counts are known, and areas have nearly none of their own, the closed form."""
    areas = with_localities(simulated_with_localities().frame)
    closed = GradientModel(areas, localities=True)
    both = GradientModel(areas, localities=True, family="negative_binomial")
    values = []
    for model, r in ((closed, 0.0), (both, 1e-10)):
        counts = counts_in_blocks(model)
        own = np.array(
            [terms_of(counts, 2, line, (r, 0.16)) for line in ((-4.2, 0.4), (-3.8, 0.6))]
        )
        values.append((own[1, 0] - own[0, 0], own[:, 1:6], own[:, 6:]))
    (value, twice, third), (value_both, twice_both, third_both) = values
    assert value_both == pytest.approx(value, abs=1e-5)
    np.testing.assert_allclose(twice_both, twice, rtol=5e-5)
    # Five nodes: third derivatives, which only the search for the mode uses, are less exact.
    np.testing.assert_allclose(third_both, third, rtol=3e-3)


def lines_of(draws, authorities, **spreads):
    """Lines of which all draws are near each other."""
    rng = np.random.default_rng(2)
    level = -4.0 + 0.1 * rng.normal(size=(draws, authorities))
    slope = 0.5 + 0.05 * rng.normal(size=(draws, authorities))
    full = {name: np.full(draws, value) for name, value in spreads.items()}
    return Lines(
        level,
        slope,
        full.get("overdispersion", np.zeros(draws)),
        **{name: value for name, value in full.items() if name == "locality_sd"},
    )


@pytest.fixture(scope="module")
def known():
    """A fit of known counts in localities, its counts and its geography."""
    fit = locality_fit()
    return counts_by_position(fit), geography(fit)


def test_single_counts_and_factors_are_those_of_the_closed_form(known):
    """Given the others a count is negative binomial; a factor has the mean of a gamma variable."""
    counts, land = known
    lines = lines_of(40, land.authority_mean.size, locality_sd=0.4)
    closed = {tuple(rows): values for rows, values in log_probabilities(counts, lines, land)}
    for block in count_blocks(counts, lines, land):
        alone, factor = told_by_all(
            counts, lines, land, rows=block.rows, mean=block.mean, rng=np.random.default_rng(1)
        )
        # Of counts that nobody would expect, the tail is less exact.
        np.testing.assert_allclose(alone, closed[tuple(block.rows)], rtol=2e-3)
        r, y = 0.16, block.summed(counts.events[block.rows])
        expected = (1 + r * y) / (1 + r * block.summed(block.mean))
        np.testing.assert_allclose(factor.mean(axis=0), expected.mean(axis=0), rtol=0.25)
        assert factor.mean() == pytest.approx(expected.mean(), rel=0.01)


def test_whole_authorities_are_those_of_the_closed_form(known):
    """Values and gradients of known Poisson counts, and the effect of their own small factors."""
    counts, land = known
    lines = lines_of(20, land.authority_mean.size, locality_sd=0.4)
    population = Population(
        lines.level, lines.slope, *np.zeros((3, 20)), np.zeros(20), locality_sd=lines.locality_sd
    )
    tiny = dataclasses.replace(population, overdispersion=np.full(20, 1e-5))
    closed = dict(authority_likelihoods(counts, population, land))
    for j, shared in authority_likelihoods(counts, tiny, land):
        at = population.level[:, j], population.slope[:, j], population.spread
        assert isinstance(shared, SharedCounts)
        np.testing.assert_allclose(
            shared.log_likelihood(*at), closed[j].log_likelihood(*at), atol=2e-4
        )
        for got, wanted in zip(shared.moments(*at)[0], closed[j].moments(*at)[0], strict=True):
            np.testing.assert_allclose(got, wanted, rtol=1e-3, atol=2e-2)


@pytest.fixture(scope="module")
def both_spreads():
    """A fit of areas that vary by 30% in localities that vary by 40%, and what was simulated."""
    truth = dataclasses.replace(TRUTH, overdispersion=0.3, locality_sd=0.4)
    frame = sg.simulate(
        authorities=20, areas=400, stages={"events": truth}, areas_per_locality=5, random_seed=3
    ).frame
    model = GradientModel(with_localities(frame), localities=True, family="negative_binomial")
    return sg.fit(model, method="laplace", draws=200, chains=2, random_seed=1)


def test_both_spreads_are_told_apart(both_spreads):
    """Each within two and a half posterior sds of the truth, and each known."""
    for name, truth in (("overdispersion", 0.3), ("locality_sd", 0.4)):
        draws = both_spreads["posterior"][name]
        assert abs(float(draws.mean()) - truth) < 2.5 * float(draws.std())
        assert float(draws.std()) < 0.08


@pytest.fixture(scope="module")
def hidden_fit():
    """A fit of suppressed counts in localities."""
    model = GradientModel(hidden_areas(simulated_with_localities().frame), localities=True)
    return sg.fit(model, method="laplace", draws=200, chains=2, random_seed=1)


def test_hidden_counts_in_localities_give_the_gradient_back(hidden_fit):
    """Suppressed and known counts agree to within a posterior sd; the spread of localities too."""
    model = GradientModel(with_localities(simulated_with_localities().frame), localities=True)
    known = sg.fit(model, draws=200, chains=2, random_seed=1)["posterior"]
    hidden = hidden_fit["posterior"]
    for name in ("within", "between", "locality_sd", "level_sd"):
        one, other = known[name], hidden[name]
        assert abs(float(one.mean() - other.mean())) < float(one.std())
        assert float(other.std()) > 0.8 * float(one.std())


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"kind": "mixture"}, r"6 authorities known by their total: a total tells factors"),
        ({"alone": True}, r"each of \d+ localities has one area with counts"),
    ],
)
def test_spreads_that_nothing_tells_apart_are_refused(options, match):
    """Totals, and localities of one area."""
    frame = simulated_with_localities().frame
    if options.pop("alone", False):
        frame = frame.assign(locality=frame["area"])
    areas = with_localities(frame, **options)
    with pytest.raises(SpecificationError, match=match):
        GradientModel(areas, localities=True, family="negative_binomial")


@pytest.mark.filterwarnings("ignore::socgrad.errors.SupportWarning")
@pytest.mark.filterwarnings("ignore::socgrad.errors.MisfitWarning")  # of tails, by chance
@pytest.mark.filterwarnings("ignore::socgrad.errors.ConvergenceWarning")  # of scores of outliers
@pytest.mark.parametrize("which", ["both_spreads", "hidden_fit"])
def test_what_follows_takes_them(which, request):
    """Checks, scores, predictions and ratios, each finite, of a model that fits its own table."""
    fit = request.getfixturevalue(which)
    check = sg.check_fit(fit, draws=100)
    for name in ("dispersion", "localities", "zeros"):
        assert 0.01 < check.statistics["pr_above"][name] < 0.99
    of_areas = sg.leave_out(fit, unit="area").table["elpd"]
    assert np.isfinite(of_areas).all()
    assert np.isfinite(sg.leave_out(fit).table["elpd"]).all()
    assert np.isfinite(sg.for_arviz.add_log_likelihood(fit)["log_likelihood"]["events"]).all()
    ratio = sg.variation.locality_ratio(fit)
    assert float(ratio.mean()) == pytest.approx(1.0, abs=0.05)
    shares = [sg.variation.vpc(fit, level=level).mean() for level in ("authority", "locality")]
    assert 0 < float(sum(shares)) < 1
    events = sg.predictions.predict_authority_events(fit)
    assert (events.mean(("chain", "draw")) > 0).all()


def test_realised_rates_follow_the_counts(both_spreads):
    """With factors of areas and of localities, rates go with what was counted, and vary less."""
    realised = sg.rates.authority_rate(both_spreads, rates="realised")
    structural = sg.rates.authority_rate(both_spreads)
    counted = sg.rates.observed_authority_rate(both_spreads)["rate"]
    apart = [
        float(np.abs(np.log(one.median(("chain", "draw")) / counted.to_numpy())).mean())
        for one in (realised, structural)
    ]
    assert apart[0] < apart[1]
    assert float(realised.std(("chain", "draw")).mean()) > 0
