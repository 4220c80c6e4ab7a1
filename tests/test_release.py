"""What can be had back from a file without events, and from a release: attacks on both.

The attacks know the geography (children, deprivation, membership), which is public, and read the
file; some also know all counts but one.
"""

import functools
import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from region_tables import region_draws
from socgrad.errors import EstimandError, SchemaError, SpecificationError
from socgrad.estimands.authority_ranks import authority_ranks
from socgrad.estimands.contextual import inverse_intervention
from socgrad.estimands.gradients import between, gradient
from socgrad.estimands.group_rates import rate_by_group
from socgrad.estimands.variance_partition import vpc
from socgrad.fitting import fit
from socgrad.model.gradient_model import GradientModel
from socgrad.reading import release
from socgrad.reading.by_stratum import stratum
from socgrad.reading.example import example_fit, example_fit_of_stages
from socgrad.reading.storage import load, save
from socgrad.simulation.england import simulate
from socgrad.table.areas import Areas
from socgrad.tables.diagnostics import check_sampling

SEED = 2019


def table():
    """Sixty authorities, a sixth of them with fewer than ten plans."""
    frame = simulate(authorities=60, areas=1200, random_seed=4).frame
    rng = np.random.default_rng(3)
    kept = rng.binomial(frame["child_protection_plan"], 0.5)
    return frame.assign(plans=kept)


def areas_of(frame):
    """The areas of a table, or of a part of it."""
    return Areas.from_frame(
        frame,
        area="area",
        authority="authority",
        events="plans",
        children="children",
        deprivation="deprivation",
        complete=True,
    )


def fitted(frame, seed=SEED):
    """A fit of a table with a seed."""
    return fit(GradientModel(areas_of(frame)), method="laplace", random_seed=seed)


@functools.cache
def the_fit():
    """The fit that is attacked."""
    return fitted(table())


@pytest.fixture(scope="module")
def totals():
    """The truth that the attacks are after."""
    return table().groupby("authority")["plans"].sum()


@pytest.fixture
def noise(monkeypatch):
    """The same noise in every run of the tests, which is secret elsewhere."""
    rng = np.random.default_rng(8)
    monkeypatch.setattr(release, "_secret_generator", lambda: rng)


def draws_of(tree, name):
    """All draws of one term."""
    return tree["posterior"][name].transpose("chain", "draw", ...).to_numpy().reshape(-1)


def expected_totals(tree, effects):
    """Mean expected total of each authority from a file, and what the prior pulls: the score."""
    land = areas_of(table())
    posterior = tree["posterior"].to_dataset()
    posterior = posterior.stack(s=("chain", "draw"))  # noqa: PD013 of xarray
    names = ("intercept", "within", "between", "cross_level", "level_sd", "slope_sd", "correlation")
    c = {name: posterior[name].to_numpy() for name in names}
    b = (land.authority_mean - float(tree["constant_data"]["national_mean"])) / land.per
    u, v = (
        posterior[name].transpose("authority", "s").to_numpy()
        if effects
        else np.zeros((len(b), c["intercept"].size))
        for name in ("level_effect", "slope_effect")
    )
    level = c["intercept"] + np.outer(b, c["between"]) + u
    slope = c["within"] + np.outer(b, c["cross_level"]) + v
    w = (land.deprivation - land.authority_mean[land.authority_of_area]) / land.per
    found = np.zeros(len(b))
    for j in range(len(b)):
        own = land.authority_of_area == j
        rates = np.exp(level[j] + np.outer(w[own], slope[j]))
        pull = (u[j] / c["level_sd"] - c["correlation"] * v[j] / c["slope_sd"]) / (
            c["level_sd"] * (1 - c["correlation"] ** 2)
        )
        found[j] = ((land.exposure[own, None] * rates).sum(0) + pull).mean()
    return pd.Series(found, index=land.authority)


def public_guess(authority):
    """What the geography says of an authority, with coefficients of all the others."""
    frame = table()
    others = fitted(frame[frame["authority"] != authority].reset_index(drop=True))
    return expected_totals(others, effects=False)[authority]


def test_draws_of_effects_give_every_total_back(tmp_path, totals):
    """So the documentation says, and `save` refuses it where a total is small."""
    with pytest.raises(
        SchemaError, match=r"computed exactly: \d+ of 60 totals are below 10\. Save"
    ):
        save(the_fit(), tmp_path / "bare.nc", include_events=False)
    assert not list(tmp_path.iterdir())
    path = save(the_fit(), tmp_path / "bare.nc", include_events=False, totals_are_public=True)
    found = np.rint(expected_totals(load(path), effects=True))
    assert (totals < 10).sum() >= 8
    assert (found == totals).mean() == 1


def test_totals_that_are_not_small_are_no_reason_to_refuse(tmp_path, fit_with_events, change_fit):
    """Of 600 areas in 6 authorities all totals are at least 10; a total of 9 is below 10."""
    save(fit_with_events, tmp_path / "fit.nc", include_events=False)
    observed = fit_with_events["observed_data"].to_dataset().copy(deep=True)
    observed["events"][:100] = 0
    observed["events"][0] = 9
    few = change_fit(fit_with_events)
    few["observed_data"] = xr.DataTree(observed)
    with pytest.raises(SchemaError, match=r"1 of \d+ totals are below 10"):
        save(few, tmp_path / "few.nc", include_events=False)


def test_totals_of_strata_are_looked_at_one_by_one(tmp_path):
    """A stratum with small totals is enough."""
    tree = example_fit_of_stages().copy()
    labels = tree["constant_data"]["area"].to_numpy()[:2]
    counts = xr.DataArray(
        [[40.0, 50.0], [40.0, np.nan], [4.0, 0.0]],
        dims=("stratum", "counted_area"),
        coords={"stratum": ["referral", "assessment", "plan"], "counted_area": labels},
    )
    tree["observed_data"] = xr.DataTree(xr.Dataset({"events": counts}))
    with pytest.raises(SchemaError, match="1 of 3 totals are below 10"):
        save(tree, tmp_path / "fit.nc", include_events=False)


@pytest.mark.usefixtures("noise")
def test_a_release_says_no_more_of_small_totals_than_public_covariates(totals):
    """Neither expected totals nor the difference of margins come nearer than the public guess."""
    # The mean of four fell short for one seed of seventy.
    released = [release.coefficients(the_fit()) for _ in range(16)]
    with pytest.raises(KeyError):
        expected_totals(released[0], effects=True)
    small = totals.index[totals < 10][:4]
    found = pd.DataFrame([expected_totals(one, effects=False) for one in released])
    guess = pd.Series({name: public_guess(name) for name in small})
    off = (guess - totals[small]).abs().mean()
    assert (found[small] - totals[small]).abs().mean().mean() > 0.8 * off
    assert (np.rint(found[small]) == totals[small]).to_numpy().mean() < 0.4
    # All totals but one are known: the nation's from the release, less the others.
    by_difference = (
        found.sum(axis=1).to_numpy()[:, None] - (totals.sum() - totals[small]).to_numpy()
    )
    assert np.abs(by_difference - totals[small].to_numpy()).mean() > 2 * off


@pytest.mark.usefixtures("noise")
def test_who_knows_all_counts_but_one_gets_it_no_closer_than_stated():
    """Refitting with other counts says how coefficients move: the noise hides it, as stated."""
    frame = table()
    known = the_fit()
    told = release.leakage(known)
    where = told["released"].idxmin()
    assert told["released"].min() == pytest.approx(10)
    own = frame.loc[frame["authority"] == where, "deprivation"]
    shifts, more = [], 5
    _, values = release._coordinates(known)
    for area in (own.idxmin(), own.idxmax()):
        other = frame.copy()
        other.loc[area, "plans"] += more
        _, moved = release._coordinates(fitted(other))
        shifts.append((moved.mean(0) - values.mean(0)) / more)
    centres = np.array(
        [release._coordinates(release.coefficients(known))[1].mean(0) for _ in range(25)]
    )
    inverse = np.linalg.inv(np.cov(values.T))
    found = [
        (centres - values.mean(0)) @ inverse @ shift / (shift @ inverse @ shift) for shift in shifts
    ]
    # The better of two places. 25 releases tell a standard error to 14%, and five events, with
    # which the shifts were found, are not one.
    assert 6 < min(np.std(one) for one in found) < 16
    # Without noise the same attack gets within a fifth of an event.
    errors = [1 / np.sqrt(len(values) * shift @ inverse @ shift) for shift in shifts]
    assert min(errors) < 0.2


def test_a_guessed_seed_is_not_confirmed(tmp_path):
    """The draws of a file are those of a fit with its seed; a release shares none of them."""
    again = fitted(table(), seed=SEED)
    path = save(the_fit(), tmp_path / "bare.nc", include_events=False, totals_are_public=True)
    assert np.isin(draws_of(load(path), "within"), draws_of(again, "within")).all()
    one, two = (release.coefficients(the_fit()) for _ in range(2))
    for name in ("within", "level_sd", "correlation"):
        assert not np.isin(draws_of(one, name), draws_of(again, name)).any()
        assert not np.isin(draws_of(one, name), draws_of(two, name)).any()
    words = json.dumps({name: str(value) for name, value in one.attrs.items()})
    assert "random_seed" not in one.attrs
    assert "data_sha256" not in one.attrs
    assert str(SEED) not in words.replace("2019-", "")


def test_what_a_release_holds():
    """Coefficients, geography and words: no effects, no counts, no record of the sampler."""
    released = release.coefficients(example_fit(events=True), draws=300)
    assert set(released.children) == {"posterior", "constant_data"}
    assert dict(released["posterior"].sizes) == {"chain": 1, "draw": 300}
    assert not {"level_effect", "slope_effect"} & set(released["posterior"].data_vars)
    assert "level_sd" in released["posterior"]
    assert set(json.loads(released.attrs["release"])) == {"form", "precision", "interval_factor"}


@pytest.mark.usefixtures("noise")
def test_answers_of_a_release_are_those_of_the_fit_within_its_noise():
    """Medians differ by the noise, intervals are wider by the factor that is stated."""
    known = the_fit()
    released = release.coefficients(known, draws=4000)
    factor = json.loads(released.attrs["release"])["interval_factor"]
    # About two: 2.0 or 2.1, as the fit's own draws fall.
    assert 1 < factor < 2.2
    for of in (gradient, between, functools.partial(inverse_intervention, deprivation=0.2)):
        before, after = (np.log(of(tree)) for tree in (known, released))
        sd = before.std(("chain", "draw"))
        shift = (after.mean(("chain", "draw")) - before.mean(("chain", "draw"))) / sd
        assert float(abs(shift).max()) < 4 * np.sqrt(factor**2 - 1)
        ratio = after.std(("chain", "draw")) / sd / factor
        assert 0.85 < float(ratio.min()) <= float(ratio.max()) < 1.15


def test_more_precision_takes_more_noise():
    """Noise of twice the events is four times the variance, as far as two digits tell."""
    factors = np.array(
        [
            json.loads(release.coefficients(the_fit(), precision=p).attrs["release"])[
                "interval_factor"
            ]
            for p in (5, 10, 20)
        ]
    )
    low, high = np.square(factors - 0.05) - 1, np.square(factors + 0.05) - 1
    assert (low[1:] / high[:-1] < 4).all()
    assert (high[1:] / low[:-1] > 4).all()


def test_leakage_of_draws_is_what_the_score_gives():
    """By hand: of S draws of a log rate with variance v, a total's error is 1 / sqrt(S v)."""
    told = release.leakage(the_fit())
    effect = gradient(the_fit(), target="each")
    assert told.index.tolist() == effect["authority"].to_numpy().tolist()
    assert told["with_effects"].max() < 0.5
    assert (told["released"] >= 10 - 1e-9).all()
    few = release.leakage(the_fit(), precision=1)
    np.testing.assert_allclose(told["released"], 10 * few["released"])


def test_a_release_goes_through_a_file(tmp_path):
    """It is saved and loaded as any fit; without events too, since it has none."""
    released = release.coefficients(the_fit())
    for keep in (True, False):
        again = load(save(released, tmp_path / "release.nc", include_events=keep))
        xr.testing.assert_identical(gradient(again), gradient(released))
        assert again.attrs["release"] == released.attrs["release"]


@pytest.mark.parametrize(
    "ask",
    [
        functools.partial(authority_ranks, top=3),
        functools.partial(gradient, target="each"),
        rate_by_group,
    ],
)
def test_what_needs_effects_is_refused(ask):
    """Numbers of named authorities are not those of an average one: the message says so."""
    with pytest.raises(EstimandError, match=r"a release of coefficients alone .*target='average'"):
        ask(release.coefficients(example_fit()))


@pytest.mark.parametrize("fitted", [example_fit, example_fit_of_stages])
def test_draws_of_a_release_are_no_chain_that_did_not_converge(fitted):
    """They are independent, and that there is one chain of them is no fault."""
    released = release.coefficients(fitted(), precision=2)
    verdict = check_sampling(released)
    assert verdict.converged
    assert "R-hat" not in verdict.statement
    assert verdict.table["ess_bulk"].min() > 400


def test_a_release_of_regions_goes_through_a_file(tmp_path):
    """How much regions differ is a coefficient; which region an authority lies in is nowhere."""
    released = release.coefficients(region_draws())
    again = load(save(released, tmp_path / "release.nc"))
    assert "region_of_authority" not in again["constant_data"]
    xr.testing.assert_identical(vpc(again, level="region"), vpc(released, level="region"))


@pytest.mark.parametrize("excess", [-2e-16, 2e-16])
def test_correlations_of_a_stratum_with_itself_are_no_coordinates(excess):
    """As an engine multiplies them out they are nearly 1, of which no tangent is had back."""
    tree = example_fit_of_stages().copy()
    posterior = tree["posterior"].to_dataset()
    for name in ("level_correlation", "slope_correlation"):
        one = np.eye(3)[None, None]
        drawn = np.arange(posterior.sizes["draw"])[None, :, None, None] % 2
        posterior[name] = posterior[name] + excess * one * drawn
    tree["posterior"] = xr.DataTree(posterior)
    released = release.coefficients(tree, precision=2)["posterior"]
    for name in ("level_correlation", "slope_correlation"):
        values = released[name].transpose("draw", "chain", "stratum", "stratum_bis").to_numpy()
        assert np.isfinite(values).all()
        np.testing.assert_allclose(values[..., range(3), range(3)], 1, rtol=1e-12)
        np.testing.assert_array_equal(values, np.swapaxes(values, -1, -2))


def test_a_release_of_strata():
    """All strata at once: each reads as a fit of its own, effects of none are there."""
    released = release.coefficients(example_fit_of_stages(), precision=2)
    assert gradient(released).sizes == {"chain": 1, "draw": 1000, "stratum": 3}
    assert "level_effect" not in stratum(released, "plan")["posterior"]
    told = release.leakage(example_fit_of_stages())
    assert told.index.names == ["stratum", "authority"]
    assert len(told) == 18


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"precision": 0}, r"precision is 0; expected events, a number above 0"),
        ({"precision": "ten"}, r"precision is 'ten'; expected"),
        ({"draws": 50}, "draws must be a whole number, at least 100; got 50"),
    ],
)
def test_options_out_of_range_are_refused(options, words):
    """Before anything is computed."""
    with pytest.raises(SpecificationError, match=words):
        release.coefficients(example_fit(), **options)


def test_an_exposure_that_is_a_count_is_not_released(change_fit):
    """As of a file without events, until someone says that it may go along."""
    more = change_fit(
        example_fit(), constants=lambda c: c.assign(exposure=2 * c["children"].astype(float))
    )
    with pytest.raises(SchemaError, match="may itself be a restricted count"):
        release.coefficients(more)
    assert "exposure" in release.coefficients(more, exposure_is_public=True)["constant_data"]
