"""What a misfit calls for, in words."""

from typing import Final

import numpy as np

from socgrad.checks.bends import Bend

__all__ = [
    "BENT",
    "WITHOUT_DEPRIVATION",
    "about_bend",
    "about_bend_by_authority",
    "about_dispersion",
    "about_localities",
    "about_neighbours",
    "about_tails",
]

BENT: Final = (
    "The gradient is not log-linear over the tenths of deprivation (table `groups`): gradients are "
    "averages over a bent line. Fit shape='spline' to see where it bends and whether other "
    "estimates change, and report `rate_by_group` beside them."
)

#: Of a model that has no gradient, so that none can bend.
WITHOUT_DEPRIVATION: Final = (
    "Rates differ between tenths of deprivation (table `groups`), and the model leaves deprivation "
    "out: what it says of authorities is of places as deprived as they happen to be. Fit "
    "deprivation='split' to compare places that are equally deprived."
)

#: Log gradient per 10 points below which an error in deprivation could not be seen.
_SOME_GRADIENT: Final = 0.1


def about_bend(
    bend: Bend, *, per: float, within: float, cross_level: float | None, following: list[str]
) -> str:
    """Say how the gradient bends and which conclusions hang on it.

    Parameters
    ----------
    bend
        As estimated beside the fitted lines.
    per
        Step of deprivation of the fit, proportion.
    within, cross_level
        Posterior means of the line's coefficients, per step; None where the model has no
        cross-level term.
    following
        Other statistics that the bend may have moved.
    """
    steps = 0.10 / per
    gradient = [np.exp(steps * value) for value in (within, within + bend.within)]
    report = "gradients and slope indices"
    hangs = f"the gradient per 10 points is {gradient[0]:.2f} by the line and about "
    hangs += f"{gradient[1]:.2f} with the bend"
    if cross_level is not None:
        steeper = [np.exp(steps**2 * v) for v in (cross_level, cross_level + bend.cross_level)]
        hangs += (
            f"; steepening is {steeper[0]:.2f} by the line and about {steeper[1]:.2f} with the bend"
        )
        report = "steepening, the contextual ratio and slope indices"
    text = (
        f"The gradient is not log-linear: a spline beside the lines fits better (chi-squared "
        f"{bend.statistic:.0f} on {bend.columns}), rates lie {100 * np.expm1(bend.size):.0f}% off "
        f"the lines, and {hangs}. Fit shape='spline' before anything else, and report "
        f"{report} from it."
    )
    if following:
        text += (
            f" Then check again: {', '.join(following).replace('_', ' ')} may differ for no other "
            "reason."
        )
    return text


def about_bend_by_authority(statistic: float) -> str:
    """Say that gradients bend otherwise in deprived authorities."""
    return (
        "Gradients bend differently in affluent and in deprived authorities (chi-squared "
        f"{statistic:.0f}), which no term of the model allows: steepening, the gradient at a given "
        "deprivation and the contextual ratio away from the mean hang on lines that fit neither. "
        "Look at observed rates by deprivation for each third of authorities."
    )


def about_neighbours(likeness: float) -> str:
    """Say that areas that adjoin are alike."""
    return (
        f"Areas that adjoin are alike beyond the model (Moran's I {likeness:.2f}): they are not as "
        "many independent pieces of evidence as they seem, so intervals are too narrow, those of "
        "authorities and of slope indices first. Name localities in the table and fit "
        "localities=True, or fit a spatial model elsewhere."
    )


def about_tails(kurtosis: float) -> str:
    """Say that a few authorities differ more than normal effects have it."""
    return (
        f"Authorities' effects have heavier tails than normal ones (kurtosis {kurtosis:.1f}): "
        "standard deviations, VPC and median rate ratio rest on a few authorities, and their "
        "intervals are too narrow. Look at these authorities first, and report the standard "
        "deviations of socgrad.sensitivity.heavy_tails(fit) beside the fit's."
    )


def about_dispersion(
    family: str,
    coefficient: float,
    *,
    too_much: bool,
    within: float | None = None,
    compared: Bend | None = None,
) -> str:
    """What too much or too little variation among like neighbourhoods calls for.

    Parameters
    ----------
    family
        "poisson", "negative_binomial", "localities" or "both spreads".
    coefficient
        Coefficient of variation of rates of like neighbourhoods.
    too_much
        Whether they vary too much.
    within
        Log gradient per 10 points, where the model has deprivation.
    compared
        The bend that was looked for first.
    """
    if not too_much:
        return (
            "Counts of like neighbourhoods vary less than chance makes them: ask whether they were "
            "smoothed, rounded, averaged over years or modelled before they came here."
        )
    if family == "poisson":
        text = (
            "Counts of like neighbourhoods vary more than Poisson chance allows, so intervals of "
            "authorities are too narrow, and authorities seem to differ by more than they do: fit "
            "family='negative_binomial' (rates of like neighbourhoods vary by a coefficient of "
            f"about {coefficient:.2f})."
        )
        if compared is not None:
            text += (
                " Line and spline were compared first: no bend explains it (probability by chance "
                f"{compared.probability:.2g})."
            )
        if within is not None and abs(within) > _SOME_GRADIENT:
            text += (
                " An error in deprivation with an sd of "
                f"{0.10 * coefficient / abs(within):.2f} would look the same, and `gradient` would "
                "then be too near 1: see socgrad.sensitivity.deprivation_error."
            )
        return text
    if family == "localities":
        return (
            "Counts of like neighbourhoods of one locality vary more than Poisson chance allows: "
            "what the model leaves out is smaller than a locality. Give each area a factor of its "
            "own, too: GradientModel(areas, localities=True, family='negative_binomial')."
        )
    allowed = (
        "its two spreads allow" if family == "both spreads" else "the negative binomial allows"
    )
    return (
        f"Counts of like neighbourhoods vary more than {allowed}: look for a few "
        "areas with wrong counts or exposure (table `authorities`, column dispersion), or for a "
        "covariate that is missing."
    )


def about_localities(family: str, *, too_much: bool) -> str:
    """What too much or too little variation among localities calls for."""
    if not too_much:
        return (
            "Counts of localities vary less than the model expects: areas of one locality make up "
            "for one another. Ask whether events were spread over areas by a rule."
        )
    if family == "localities":
        return (
            "Counts of localities vary more than their gamma factors allow: look for a few with "
            "wrong counts or exposure, or for a covariate that is missing."
        )
    return (
        "Counts of localities vary more than the chance of their areas allows: neighbouring areas "
        "are alike beyond their deprivation. Fit localities=True, and compare the two by "
        "leave_out(fit, unit='area')."
    )
