import json
import re

import numpy as np
import pytest

from socgrad.errors import EstimandError
from socgrad.estimands.chains import population_gradient
from socgrad.estimands.gradient_contrasts import compare_gradients
from socgrad.estimands.gradients import gradient
from socgrad.reading.example import example_fit, example_fit_of_stages
from socgrad.tables.summaries import summarise
from strata_tables import chain_fit, stage_fit


@pytest.fixture(scope="module")
def stages():
    """Stored draws of three stages: exp(0.05) and exp(0.14) as steep as referral."""
    return example_fit_of_stages()


def said(fit, **facts):
    """Give a copy of a fit that says something else of its strata."""
    tree = fit.copy()
    tree.attrs = dict(fit.attrs)
    tree.attrs["strata"] = json.dumps(json.loads(fit.attrs["strata"]) | facts)
    return tree


def test_ratios_by_hand(stages):
    """The example's stages differ by a constant in each draw."""
    ratio = compare_gradients(stages)
    assert ratio.dims == ("chain", "draw", "stratum")
    assert ratio["stratum"].values.tolist() == ["assessment", "plan"]
    np.testing.assert_allclose(ratio.isel(stratum=0), np.exp(0.05))
    np.testing.assert_allclose(ratio.isel(stratum=1), np.exp(0.14))
    to_next = compare_gradients(stages, over="previous")
    np.testing.assert_allclose(to_next.isel(stratum=1), np.exp(0.14 - 0.05))


def test_ratios_are_transitive(stages):
    """Over another reference, ratios are those over the first, divided."""
    first, other = compare_gradients(stages), compare_gradients(stages, reference="plan")
    assert other["stratum"].values.tolist() == ["referral", "assessment"]
    np.testing.assert_allclose(other.sel(stratum="referral"), 1 / first.sel(stratum="plan"))
    np.testing.assert_allclose(
        other.sel(stratum="assessment"),
        first.sel(stratum="assessment") / first.sel(stratum="plan"),
    )


def test_ratios_of_each_authority(stages):
    """Each authority's own gradients are compared, by label; a mean and a step may be named."""
    each = compare_gradients(stages, target="each", per=0.2)
    assert each.dims == ("chain", "draw", "stratum", "authority")
    np.testing.assert_allclose(each.sel(stratum="plan", authority="Corham"), np.exp(0.28))
    assert compare_gradients(stages, authority_mean=0.25).sizes["authority_mean"] == 1


def test_the_table_says_what_is_compared(stages):
    """Each row names its reference and the kind of fit; pr_above is Pr(steeper)."""
    table = summarise(compare_gradients(stages, over="previous"))
    assert (
        table["reference"]
        .str.startswith(("the gradient of referral, from", "the gradient of assessment, from"))
        .all()
    )
    assert table["pr_above"].tolist() == [1, 1]
    assert table["stratum"].tolist() == ["assessment", "plan"]


@pytest.mark.parametrize(
    ("relation", "effects", "conservative", "words"),
    [
        ("stages", "independent", 1, "independent fits; conservative, since nested"),
        ("stages", "joint", 1, "a joint fit; conservative, since nested"),
        ("groups", "independent", 1, "independent fits; conservative where"),
        ("groups", "joint", 0, "from a joint fit$"),
        ("chain", "joint", 1, "the chain, authority effects joint; slightly conservative"),
    ],
)
def test_contrasts_say_what_they_rest_on(stages, relation, effects, conservative, words):
    """The kind of fit is in the attrs and in the words of each row."""
    ratio = compare_gradients(said(stages, relation=relation, authority_effects=effects))
    assert ratio.attrs["basis"] == ("chain" if relation == "chain" else effects)
    assert ratio.attrs["conservative"] == conservative
    assert re.search(words, ratio.attrs["reference"])


def test_along_a_chain():
    """Stage over previous stage is the conditional gradient; over the first, their product."""
    chain = example_fit_of_stages(chained=True)
    to_next = compare_gradients(chain, over="previous")
    np.testing.assert_allclose(to_next, gradient(chain).isel(stratum=[1, 2]))
    whole = population_gradient(chain)
    np.testing.assert_allclose(
        compare_gradients(chain).sel(stratum="plan"),
        whole.sel(stratum="plan") / whole.sel(stratum="referral"),
    )
    assert to_next.attrs["basis"] == "chain"
    assert "slightly conservative" in to_next.attrs["reference"]


def test_a_chain_is_more_precise_than_independent_fits():
    """Of the same table, the contrast along the chain has the narrower interval."""
    spread = {
        name: float(np.log(compare_gradients(fit)).sel(stratum="plan").std())
        for name, fit in (("chain", chain_fit()), ("independent", stage_fit()))
    }
    assert spread["chain"] < 0.9 * spread["independent"]


def test_effective_size_of_both_sides():
    """A ratio is limited by the less effective of its two strata."""
    size = stage_fit()["sample_stats"]["importance_ess"].to_numpy()
    ratio = compare_gradients(stage_fit(), over="previous")
    np.testing.assert_array_equal(ratio["importance_ess"], [min(size[:2]), min(size[1:])])
    table = summarise(ratio)
    assert (table["ess_bulk"] <= [min(size[:2]), min(size[1:])]).all()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"over": "next"}, "over is 'next'; expected 'reference' or 'previous'"),
        ({"target": "new"}, "target is 'new'; expected 'average' or 'each'"),
        ({"reference": "plans"}, r"No stratum 'plans' .* 3: 'referral'"),
        ({"over": "previous", "reference": "plan"}, "Leave one of them out"),
    ],
)
def test_options_that_cannot_be(stages, options, words):
    """Options that name nothing, or contradict each other, are refused."""
    with pytest.raises(EstimandError, match=words):
        compare_gradients(stages, **options)


def test_one_stratum_has_no_contrast():
    """A fit without strata is refused with what to do."""
    with pytest.raises(EstimandError, match=r"this one has none\. Fit a StratifiedModel"):
        compare_gradients(example_fit())


def test_both_kinds_of_contrast_in_one_table(stages):
    """Rows of the same stratum over two references are told apart by what they are over."""
    table = summarise(compare_gradients(stages), compare_gradients(stages, reference="assessment"))
    assert len(table) == 4
    assert table.index.is_unique
