"""How the nodes of a kind of count are placed: about a mode, or along a curve."""

from typing import cast

from socgrad.arrays import FloatArray
from socgrad.laplace.centres import centre
from socgrad.laplace.curves import AlongCurve, SlopeRange
from socgrad.laplace.line_priors import LinePrior
from socgrad.laplace.nodes import Placing
from socgrad.laplace.surfaces import Curved, Given

__all__ = ["Start", "placed"]

# A level and a slope (j,) from which modes are sought, or a range of slopes along curves.
type Start = tuple[FloatArray, FloatArray] | SlopeRange


def placed(given: Given, prior: LinePrior, start: Start) -> Placing:
    """Where authorities' posteriors lie at the points of a prior."""
    if isinstance(start, SlopeRange):
        return AlongCurve.of(cast(Curved, given), prior, start)
    return centre(given, prior, start)
