"""An outcome of authorities beside their gradients: what is accepted, and how it is matched."""

import numpy as np
import pandas as pd
import pytest

from socgrad.errors import SpecificationError, TableError
from socgrad.model.gradient_model import GradientModel
from socgrad.model.outcome_model import OutcomeModel
from tables import small_areas

NAMES = list(small_areas().authority)
ABSENCE = pd.Series(np.linspace(3.0, 6.0, len(NAMES)), index=NAMES)


def outcome_model(**changes):
    """A model of absence in the twelve small authorities."""
    options = {"outcome": ABSENCE, "name": "absence, %"} | changes
    return OutcomeModel(GradientModel(small_areas()), **options)


def test_outcomes_are_matched_by_label():
    """The order of the outcome's labels does not matter."""
    shuffled = outcome_model(outcome=ABSENCE.sample(frac=1, random_state=1))
    np.testing.assert_array_equal(shuffled.values, outcome_model().values)


def test_authorities_outside_the_table_are_ignored():
    """A national table of outcomes may hold authorities that the counts do not."""
    wider = pd.concat([ABSENCE, pd.Series({"Elsewhere": 9.0})])
    np.testing.assert_array_equal(outcome_model(outcome=wider).values, ABSENCE.to_numpy())


def test_missing_outcomes_are_refused_by_name():
    """An authority without an outcome stops the model, which says how to go on."""
    with pytest.raises(TableError, match=rf"outcome lacks authorities.*{NAMES[0]}.*leave out"):
        outcome_model(outcome=ABSENCE.drop(NAMES[0]))


def test_missing_outcomes_leave_the_regression_when_asked():
    """Left-out authorities are those without an outcome or without a control, and no others."""
    controls = pd.DataFrame({"gini": np.arange(12.0) ** 2}, index=NAMES)
    controls.loc[NAMES[1], "gini"] = np.nan
    model = outcome_model(
        outcome=ABSENCE.drop(NAMES[0]),
        controls=controls,
        adjust_for_deprivation=False,
        missing_outcomes="leave out",
    )
    assert model.known.tolist() == [False, False] + [True] * 10


def test_terms_name_the_predictors_in_order():
    """The gradient comes first, then what the model adjusts for."""
    controls = pd.DataFrame({"gini": np.arange(12.0) ** 2}, index=NAMES)
    assert outcome_model(controls=controls).terms == ("gradient", "deprivation", "gini")
    assert outcome_model(adjust_for_deprivation=False, adjust_for_level=True).terms == (
        "gradient",
        "level",
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"outcome": ABSENCE * 0 + 4.0}, r"'absence, %' is 4 in all 12 authorities: a constant"),
        ({"outcome": ABSENCE.iloc[:7], "missing_outcomes": "leave out"}, "7 authorities have"),
        ({"standard_errors": ABSENCE - 4}, "standard_errors has negative values"),
        ({"missing_outcomes": "ignore"}, "'refuse' or 'leave out'"),
        (
            {
                "controls": pd.DataFrame({"a": np.arange(12.0), "b": 2 + np.arange(12.0)}, NAMES),
                "adjust_for_deprivation": False,
            },
            r"The controls \(a, b\) depend on one another",
        ),
    ],
    ids=["constant", "few", "negative", "option", "collinear"],
)
def test_bad_specifications_are_refused(changes, words):
    """What cannot be estimated is refused, with the reason."""
    with pytest.raises(SpecificationError, match=words):
        outcome_model(**changes)


def test_a_control_equal_to_mean_deprivation_is_refused():
    """Adjusting twice for deprivation leaves both coefficients without meaning."""
    mean = small_areas().authority_mean
    with pytest.raises(SpecificationError, match="mean deprivation: their coefficients cannot"):
        outcome_model(controls=pd.DataFrame({"idaci": 3.0 * mean}, index=NAMES))


def test_gradients_must_differ_between_authorities():
    """Without random slopes there is nothing to relate the outcome to."""
    shared = GradientModel(small_areas(), random_slopes=False)
    with pytest.raises(SpecificationError, match="random_slopes=False"):
        OutcomeModel(shared, outcome=ABSENCE, name="absence, %")


def test_adjusting_for_deprivation_needs_the_split():
    """A pooled model knows of no mean deprivation."""
    pooled = GradientModel(small_areas(), deprivation="pooled")
    with pytest.raises(SpecificationError, match="deprivation='pooled'"):
        OutcomeModel(pooled, outcome=ABSENCE, name="absence, %")
    assert OutcomeModel(
        pooled, outcome=ABSENCE, name="absence, %", adjust_for_deprivation=False
    ).terms == ("gradient",)
