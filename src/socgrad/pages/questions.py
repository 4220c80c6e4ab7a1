"""All questions that a page puts to a fit, in the order in which they are read."""

from typing import Final

from socgrad.pages.answers import Question
from socgrad.pages.authority_questions import (
    LOCALITIES,
    ONE_AUTHORITY,
    OWN_GRADIENTS,
    REGIONS,
    VARIATION,
)
from socgrad.pages.contextual_questions import BETWEEN, CONTEXTUAL, STEEPENING
from socgrad.pages.gradient_questions import SHAPE, WITHIN
from socgrad.pages.other_questions import COVARIATES, OUTCOMES, YEARS
from socgrad.pages.rate_questions import INEQUALITY, RATES
from socgrad.pages.strata_questions import ALIKE, STEEPEST, STEPS

__all__ = ["QUESTIONS"]

QUESTIONS: Final[tuple[Question, ...]] = (
    RATES,
    WITHIN,
    SHAPE,
    STEEPEST,
    STEPS,
    BETWEEN,
    CONTEXTUAL,
    STEEPENING,
    VARIATION,
    OWN_GRADIENTS,
    ALIKE,
    REGIONS,
    LOCALITIES,
    ONE_AUTHORITY,
    YEARS,
    COVARIATES,
    OUTCOMES,
    INEQUALITY,
)
