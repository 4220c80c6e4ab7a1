"""The lines of authorities in a graph: coefficients and effects, of one stratum or of several."""

from collections.abc import Mapping, Sequence
from typing import Any

from socgrad.model.terms import Term
from socgrad.nuts.authority_effects import authority_effects, positive
from socgrad.nuts.coefficients import coefficients, coefficients_of_areas
from socgrad.nuts.lines import AuthorityLines
from socgrad.predictor import authority_level, authority_slope

__all__ = ["authority_lines"]

type Variable = Any  # PyTensor's variables carry no useful static types.


def authority_lines(
    data: dict[str, Variable], terms: Sequence[Mapping[str, Term]], *, correlations: str
) -> AuthorityLines:
    """Parameters and effects of authorities, and the lines that these make.

    Parameters
    ----------
    data
        The graph's data, by name.
    terms
        The terms of each stratum's model, the same in all.
    correlations
        Of several strata: "full" or "factor".
    """
    strata, spread = len(terms), None
    for name in ("overdispersion", "locality_sd"):
        if name in terms[0]:
            spread = positive(data, name, strata)
    shifts = coefficients_of_areas(data, terms)
    value, b = coefficients(data, terms), data["between_part"]
    of_level = (value["intercept"], value.get("between", 0.0), value.get("curvature", 0.0), b)
    of_slope = (value.get("within", value.get("pooled", 0.0)), value.get("cross_level", 0.0), b)
    shift, turns = (
        _summed(data, f"{name}_design", value.get(f"{name}_coefficient"))
        for name in ("authority_covariate", "moderator")
    )
    # One number per authority all the same, also where nothing makes it differ.
    level_effect = slope_effect = 0.0 * b
    if "level_sd" in terms[0]:
        # The mean effect of columns of areas is used to precondition the sampler, nothing else.
        at_mean = {
            name: _summed(
                data,
                f"centring_{name}",
                coefficient if coefficient is None or strata == 1 else coefficient[:, None],
            )
            for name, coefficient in vars(shifts).items()
        }
        level_effect, slope_effect = authority_effects(
            data,
            terms[0],
            expected_level=authority_level(*of_level, 0.0 * b, covariates=shift)
            + at_mean["covariate"]
            + at_mean["departure"],
            expected_slope=authority_slope(*of_slope, 0.0 * b, moderators=turns)
            + at_mean["area_moderator"],
            spread=spread,
            strata=strata,
            correlations=correlations,
        )
    level = authority_level(*of_level, level_effect, covariates=shift)
    slope = authority_slope(*of_slope, slope_effect, moderators=turns)
    if strata > 1:
        level, slope = level.ravel(), slope.ravel()
    return AuthorityLines(level, slope, spread, shifts, strata)


def _summed(data: dict[str, Variable], columns: str, coefficient: Variable | None) -> Variable:
    """Sum of coefficient times column; 0 where there are none."""
    return 0.0 if coefficient is None else (data[columns] * coefficient).sum(axis=-1)
