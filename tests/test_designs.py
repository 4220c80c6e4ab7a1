import numpy as np
import pandas as pd
import pytest

from socgrad.designs import Formulas, made_designs
from socgrad.errors import SpecificationError

AREAS = pd.DataFrame({"density": [1.0, 3.0, 2.0, 6.0]}, index=["a1", "a2", "b1", "b2"])
AUTHORITIES = pd.DataFrame({"gini": [0.30, 0.40]}, index=["a", "b"])
AT, CHILDREN = np.array([0, 0, 1, 1]), np.array([100.0, 300.0, 100.0, 100.0])


def made(**formulas):
    """Designs of two authorities of two areas."""
    return made_designs(
        Formulas(**formulas),
        area_table=AREAS,
        authority_table=AUTHORITIES,
        authority_of_area=AT,
        children=CHILDREN,
    )


def test_columns_are_centred_at_child_weighted_national_means():
    """Density (100 + 900 + 200 + 600) / 600 = 3; Gini (0.30 * 400 + 0.40 * 200) / 600 = 1/3."""
    designs = made(covariates="density", authority_covariates="gini", moderators="gini")
    np.testing.assert_allclose(designs.covariates.matrix[:, 0], [-2, 0, -1, 3])
    np.testing.assert_allclose(designs.authority_covariates.matrix[:, 0], [-1 / 30, 1 / 15])
    np.testing.assert_allclose(designs.moderators.centre, [1 / 3])
    assert designs.area_moderators.names == ()
    assert CHILDREN @ designs.covariates.matrix[:, 0] == pytest.approx(0)


def test_a_split_column_follows_the_rule_of_deprivation():
    """Authority means (100 + 900) / 400 = 2.5 and 4; the two parts add up to the whole."""
    designs = made(covariates="density", within_between=("density",))
    assert designs.covariates.names == ("density (within)",)
    assert designs.authority_covariates.names == ("density (between)",)
    np.testing.assert_allclose(designs.covariates.matrix[:, 0], [-1.5, 0.5, -2, 2])
    np.testing.assert_allclose(designs.authority_covariates.matrix[:, 0], [-0.5, 1])
    whole = made(covariates="density").covariates.matrix[:, 0]
    parts = designs.covariates.matrix[:, 0] + designs.authority_covariates.matrix[AT, 0]
    np.testing.assert_allclose(parts, whole)


def test_a_term_is_split_by_its_name_or_by_a_column_in_it():
    """Both names split the transform; the columns of authorities are left alone."""
    by_term, by_column = (
        made(covariates="scale(density)", authority_covariates="gini", within_between=(name,))
        for name in ("scale(density)", "density")
    )
    np.testing.assert_array_equal(by_term.covariates.matrix, by_column.covariates.matrix)
    assert by_term.authority_covariates.names == ("gini", "scale(density) (between)")


def test_formulas_of_areas_may_name_columns_of_authorities():
    """An interaction across levels: each area has its authority's Gini."""
    designs = made(covariates="density:gini")
    raw = np.array([0.3, 0.9, 0.8, 2.4])
    np.testing.assert_allclose(
        designs.covariates.matrix[:, 0], raw - np.average(raw, weights=CHILDREN)
    )


def test_what_cannot_be_split_is_refused():
    """The message says what there is."""
    with pytest.raises(SpecificationError, match=r"names 'rural', which covariates='density' does"):
        made(covariates="density", within_between=("rural",))
    with pytest.raises(SpecificationError, match=r"covariates=None does not have \(it has none\)"):
        made(within_between=("rural",))
