"""Groups of children in the simulated England: how many, where, and with what gradients.

Numbers of children in need by age, ethnicity, need and category of abuse follow the Department for
Education's tables for 2018-19 roughly. Gradients are steepest for younger children, White children
and neglect, as published; their sizes are not published.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from socgrad.arrays import FloatArray, IntArray

__all__ = [
    "AGES",
    "CATEGORIES",
    "CATEGORY_OF_NEED",
    "ETHNICITIES",
    "GROUPS",
    "NEEDS",
    "SLOPES",
    "children_by_group",
    "level_shares",
]

AGES: Final = ("0-4", "5-9", "10-15", "16-17")
ETHNICITIES: Final = ("White", "Mixed", "Asian", "Black", "Other")
NEEDS: Final = ("Neglect", "Other abuse", "Family", "Disability", "Other need")
CATEGORIES: Final = ("Neglect", "Emotional", "Physical", "Sexual", "Multiple")

#: Dimension of the groups, and their labels. Age and ethnicity are the child's, so that they have
#: children of their own; need is the case's, and category of abuse the plan's.
GROUPS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"age": AGES, "ethnicity": ETHNICITIES, "need": NEEDS, "category": CATEGORIES}
)

#: Added to the log gradient per step of neighbourhood deprivation, at every stage.
SLOPES: Final[Mapping[str, FloatArray]] = MappingProxyType(
    {
        "age": np.array([0.06, 0.02, -0.04, -0.10]),
        "ethnicity": np.array([0.06, -0.06, -0.18, -0.24, -0.18]),
        "need": np.array([0.12, 0.0, -0.04, -0.20, -0.08]),
    }
)

#: Share of children by age and ethnicity; its log-linear change per step of deprivation; and how
#: much more each ethnicity belongs to the diverse authorities.
_CHILDREN: Final = {
    "age": np.array([0.27, 0.29, 0.33, 0.11]),
    "ethnicity": np.array([0.75, 0.06, 0.11, 0.055, 0.025]),
}
_CHILDREN_SLOPES: Final = {
    "age": np.array([0.04, 0.01, -0.02, -0.04]),
    "ethnicity": np.array([0.0, 0.10, 0.15, 0.20, 0.15]),
}
_DIVERSITY: Final = np.array([0.0, 0.5, 0.9, 1.0, 0.8])

#: Shares of a stage's events at the national mean deprivation; a stage not named has those of the
#: stage that it takes its children from.
_EVENTS: Final = {
    "age": {
        "referral": np.array([0.29, 0.27, 0.32, 0.12]),
        "section_47": np.array([0.31, 0.28, 0.31, 0.10]),
        "conference": np.array([0.39, 0.29, 0.275, 0.045]),
    },
    "ethnicity": {"referral": np.array([0.72, 0.086, 0.077, 0.086, 0.031])},
    "need": {
        "referral": np.array([0.20, 0.34, 0.26, 0.08, 0.12]),
        "section_47": np.array([0.26, 0.44, 0.24, 0.02, 0.04]),
        "conference": np.array([0.35, 0.42, 0.20, 0.008, 0.022]),
    },
}

#: Share of each category of abuse (columns) among the plans of each need (rows). Over England:
#: neglect 47.6%, emotional 35.5%, physical 9.0%, sexual 4.4%, multiple 3.6% published for 2018-19.
CATEGORY_OF_NEED: Final = np.array(
    [
        [0.85, 0.10, 0.02, 0.01, 0.02],
        [0.12, 0.52, 0.20, 0.11, 0.05],
        [0.35, 0.58, 0.04, 0.01, 0.02],
        [0.35, 0.50, 0.10, 0.03, 0.02],
        [0.35, 0.50, 0.10, 0.03, 0.02],
    ]
)


def level_shares(stage: str, dimension: str, previous: Mapping[str, str | None]) -> FloatArray:
    """Relative log rate of each group at a stage, at the national mean deprivation.

    For age and ethnicity the share of events over the share of children, for need the share.
    """
    own: str | None = stage
    while own is not None and own not in _EVENTS[dimension]:
        own = previous[own]
    # A pathway that does not begin with referrals begins with their shares.
    shares = _EVENTS[dimension]["referral" if own is None else own]
    children = _CHILDREN.get(dimension)
    logs: FloatArray = np.log(shares if children is None else shares / children)
    return logs


def children_by_group(
    children: IntArray, steps: FloatArray, authority_of_area: IntArray, rng: np.random.Generator
) -> IntArray:
    """Divide the children of each area by age and ethnicity, (n, ages, ethnicities).

    Younger children and children of minorities live in more deprived neighbourhoods, minorities
    also in some authorities more than in others; over the table the shares are England's.

    Parameters
    ----------
    children
        Of each area, (n,).
    steps
        Deprivation less its national mean, in steps, (n,).
    authority_of_area
        Position of each area's authority, (n,).
    rng
        Source of all randomness here.
    """
    diversity = rng.standard_normal(authority_of_area.max() + 1)[authority_of_area]
    weights = children / children.sum()
    chances = {}
    for dimension, wanted in _CHILDREN.items():
        relative = np.exp(np.outer(steps, _CHILDREN_SLOPES[dimension]))
        if dimension == "ethnicity":
            relative = relative * np.exp(np.outer(diversity, _DIVERSITY))
        share = np.array(wanted)
        for _ in range(20):
            chance = relative * share
            chance /= chance.sum(axis=1, keepdims=True)
            share = share * wanted / (weights @ chance)
        chances[dimension] = chance
    joint = chances["age"][:, :, None] * chances["ethnicity"][:, None, :]
    flat = joint.reshape(len(children), -1)
    counts: IntArray = rng.multinomial(children, flat / flat.sum(axis=1, keepdims=True))
    return counts.reshape(joint.shape)
