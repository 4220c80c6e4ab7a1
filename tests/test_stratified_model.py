import warnings

import pytest

from socgrad.errors import SocgradWarning, SpecificationError
from socgrad.model.priors import Normal, Priors
from socgrad.model.stratified_model import StratifiedModel
from socgrad.table.strata import Strata
from strata_tables import ROLES, stage_frame, stage_strata


@pytest.fixture(scope="module")
def strata():
    """Three stages on children."""
    return stage_strata()


def test_each_stratum_is_a_gradient_model(strata):
    """The terms are the same in all strata, and what is left open is settled alike."""
    model = StratifiedModel(strata, family="negative_binomial", deprivation="pooled")
    assert list(model.models) == ["referral", "assessment", "plan"]
    for label, one in model.models.items():
        assert one.areas is strata[label]
        assert (one.family, one.deprivation) == ("negative_binomial", "pooled")
    assert model.random_slopes is True
    assert model.cross_level is False


def test_priors_by_stratum(strata):
    """One value serves all strata; a mapping gives each its own and must name them all."""
    narrow = Priors(within=Normal(0.5, 0.1))
    assert StratifiedModel(strata, priors=narrow).models["plan"].priors == narrow
    by_label = {"referral": Priors(), "assessment": Priors(), "plan": narrow}
    model = StratifiedModel(strata, priors=by_label)
    assert model.models["plan"].priors == narrow
    assert model.models["referral"].priors == Priors()
    del by_label["referral"]
    with pytest.raises(SpecificationError, match=r"lack 1 of 3 strata \(\['referral'\]\)"):
        StratifiedModel(strata, priors=by_label)
    with pytest.raises(SpecificationError, match=r"priors is a Normal"):
        StratifiedModel(strata, priors=Normal(0, 1))


def test_refusals_name_the_stratum(strata):
    """What a single model refuses is refused, of the first stratum that has it."""
    with pytest.raises(SpecificationError, match=r"Stratum 'referral': cross_level=True needs"):
        StratifiedModel(strata, deprivation="none", cross_level=True)
    idle = {"referral": Priors(), "assessment": Priors(), "plan": Priors(curvature=Normal(0, 1))}
    with pytest.raises(SpecificationError, match=r"Stratum 'plan': Priors are given for curvature"):
        StratifiedModel(strata, priors=idle)
    with pytest.raises(SpecificationError, match="authority_effects='shared' is unknown"):
        StratifiedModel(strata, authority_effects="shared")
    with pytest.raises(SpecificationError, match="needs Strata, got Areas"):
        StratifiedModel(strata["plan"])


def test_warnings_come_once_for_all_strata():
    """Strata of which most authorities are totals are warned of together, at the caller's line."""
    frame = stage_frame().astype({"plan": float, "assessment": float})
    known = frame["authority"].isin(frame["authority"].unique()[:4])
    stages = ["referral", "assessment", "plan"]
    totals = {
        label: frame[~known].groupby("authority")[label].sum() for label in ("assessment", "plan")
    }
    for label in totals:
        frame[label] = frame[label].where(known)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        strata = Strata.from_stages(frame, **ROLES, stages=stages, totals=totals)
    with pytest.warns(SocgradWarning, match=r"In 2 of 3 strata \(assessment, plan\): 8 auth") as w:
        StratifiedModel(strata)
    assert len(w) == 1
    assert w[0].filename == __file__


JOINT = {"authority_effects": "joint"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"correlations": "factor"}, r"correlations='factor' is of joint authority effects"),
        ({"correlations": "lkj", **JOINT}, r"'lkj' is unknown; expected 'full' or 'factor'"),
        (
            {"random_slopes": False, "correlations": "factor", **JOINT},
            r"no slopes of authorities .random_slopes=False",
        ),
        (
            {
                "priors": {
                    "referral": Priors(),
                    "assessment": Priors(),
                    "plan": Priors(correlation=4.0),
                },
                **JOINT,
            },
            r"Priors.correlation has 2 values \(\[2.0, 4.0\]\)",
        ),
    ],
    ids=["independent", "unknown", "no slopes", "priors"],
)
def test_what_no_joint_model_can_do_is_refused(options, words):
    """Each refusal says what is wrong and what to choose."""
    with pytest.raises(SpecificationError, match=words):
        StratifiedModel(stage_strata(), **options)
