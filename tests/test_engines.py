"""Engines say what they take; the next goes on where one doubts or fails."""

import json
import warnings
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from socgrad.engines.choice import ENGINES, sampled
from socgrad.engines.engine import Engine, attempted, refusals
from socgrad.engines.nuts import _stuck
from socgrad.engines.task import Drawn, Task
from socgrad.errors import ConvergenceWarning, SocgradWarning, SpecificationError
from socgrad.model.compression import likelihood_data
from socgrad.model.gradient_model import GradientModel
from socgrad.model.laws import laws_of
from socgrad.nuts.options import NutsOptions
from tables import small_areas

OPTIONS = NutsOptions(5, 5, 1, 1, 0.9, 1, progress=False)


def task(model=None):
    """A task of one stratum."""
    model = GradientModel(small_areas()) if model is None else model
    return Task((model,), (likelihood_data(model),), OPTIONS)


def drawn(doubt="", value=0.0):
    """Draws of one parameter."""
    posterior = xr.Dataset({"intercept": (("chain", "draw"), np.full((1, 5), value))})
    return Drawn(posterior, xr.Dataset(), {"method": "stub"}, (), {}, doubt)


def engine(name, answer, method="laplace", **options):
    """An engine that takes the usual model and gives this answer, or raises it."""

    def sample(_):
        if isinstance(answer, Exception):
            raise answer
        return answer

    return Engine(name, method, task().needs, {}, sample, **options)


def test_laws_by_hand():
    """Counts and totals of a mixture, with a factor of areas or without."""
    mixture = GradientModel(small_areas("mixture"), family="negative_binomial")
    assert laws_of(mixture) == {"negative_binomial counts", "negative_binomial totals"}
    assert laws_of(GradientModel(small_areas())) == {"poisson counts"}


def test_a_family_that_none_knows_is_refused_by_all():
    """Set past the door, it is named with what each engine lacks, and nothing is sampled."""
    model = GradientModel(small_areas())
    asked = task(model)
    object.__setattr__(model, "family", "interval")
    assert len(refusals(ENGINES, asked)) == len(ENGINES)
    with pytest.raises(SpecificationError, match="does not take interval counts") as caught:
        sampled(asked, "auto")
    assert "models without outcome" in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (np.linalg.LinAlgError("Matrix is not positive definite"), "not positive definite"),
        (OverflowError("too large"), "too large"),
        (drawn(value=np.nan), "draws of intercept are not finite"),
        (drawn(doubt="k-hat 0.9"), "k-hat 0.9"),
    ],
    ids=["matrix", "overflow", "NaN", "doubt"],
)
def test_the_next_goes_on_where_one_doubts_or_fails(answer, words):
    """The draws are the second engine's, and the manifest says why the first did not answer."""
    second = engine("second", drawn(value=2.0))
    with pytest.warns(SocgradWarning, match=f"goes on with second, because first.*{words}"):
        found = sampled(task(), "auto", (engine("first", answer), second))
    assert float(found.posterior["intercept"].mean()) == 2.0
    assert words in json.loads(json.dumps(found.sampler))["instead_of_laplace"]


def test_the_last_one_warns_of_its_doubt():
    """Its draws are returned, with a warning not to report them."""
    with pytest.warns(ConvergenceWarning, match="doubts its draws: k-hat"):
        assert sampled(task(), "laplace", (engine("only", drawn(doubt="k-hat")),)).doubt == "k-hat"


def test_chains_that_never_moved_are_a_doubt():
    """Of two chains one stands still; draws that are one or move are no doubt."""
    draws = np.stack([np.arange(4.0), np.full(4, -8192.0)])
    posterior = xr.Dataset({"within": (("chain", "draw"), draws)})
    posterior["level_effect"] = posterior["within"].expand_dims(authority=2, axis=-1)
    assert _stuck(posterior) == "1 of 2 chains never moved"
    assert _stuck(posterior.isel(chain=[0])) == ""
    assert _stuck(posterior.isel(draw=[0])) == ""


def test_nuts_that_was_asked_for_says_its_doubt():
    """As an engine does that `auto` came to."""
    stuck = engine("NUTS", drawn(doubt="1 of 4 chains never moved"), method="nuts")
    with pytest.warns(ConvergenceWarning, match=r"never moved\. Do not report them before check_"):
        sampled(task(), "nuts", (stuck,))


def test_where_all_fail_the_error_says_so():
    """An error of ours names each engine's failure."""
    failing = (engine("one", ArithmeticError("a")), engine("two", ArithmeticError("b")))
    with pytest.warns(SocgradWarning), pytest.raises(SpecificationError, match=r"one.*a.*two.*b"):
        sampled(task(), "auto", failing)


def test_an_engine_that_would_share_the_doubt_is_passed_over():
    """After "first" the second is of no help; the third is asked at once."""
    second = engine("second", drawn(value=1.0), no_help_after=frozenset({"first"}))
    third = engine("third", drawn(value=3.0))
    with pytest.warns(SocgradWarning, match="goes on with third"):
        found = sampled(task(), "auto", (engine("first", drawn(doubt="x")), second, third))
    assert float(found.posterior["intercept"].mean()) == 3.0


def test_an_engine_that_would_share_the_doubt_is_asked_where_no_other_is_left():
    """It may fail likewise, and is still better than the doubted draws."""
    second = engine("second", drawn(value=2.0), no_help_after=frozenset({"first"}))
    with pytest.warns(SocgradWarning, match="goes on with second"):
        found = sampled(task(), "auto", (engine("first", drawn(doubt="x")), second))
    assert float(found.posterior["intercept"].mean()) == 2.0


def test_a_doubt_that_draws_say_is_shared_passes_those_over():
    """Of three, the second would have the same doubt, as the first's draws say."""
    first = replace(drawn(doubt="off by 2.8"), shared_by=frozenset({"second"}))
    others = engine("second", drawn(value=1.0)), engine("third", drawn(value=3.0))
    with pytest.warns(SocgradWarning, match="goes on with third"):
        found = sampled(task(), "auto", (engine("first", first), *others))
    assert float(found.posterior["intercept"].mean()) == 3.0


def test_an_engine_that_takes_the_task_lacks_nothing():
    """And errors that are no arithmetic are not swallowed."""
    assert engine("any", drawn()).lacks(task()) == {}
    with pytest.raises(KeyError):
        attempted(engine("any", KeyError("bug")), task())


def test_each_engine_takes_something():
    """Needs of a plain model are taken by engines without a graph and with one."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        takers = [each.name for each in ENGINES if not each.lacks(task())]
    assert takers == [
        "quadrature", "nested Laplace", "NUTS on the marginal", "written density", "PyMC graph",
    ]  # fmt: skip
