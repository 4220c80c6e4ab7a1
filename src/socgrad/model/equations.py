"""A gradient model's equation as lines of text, and the terms that stand in it."""

from typing import TYPE_CHECKING

from socgrad.terms import TERMS

if TYPE_CHECKING:
    from socgrad.model.gradient_model import GradientModel

__all__ = ["equation", "terms_in"]


def equation(model: "GradientModel", *, effects: str = "") -> tuple[str, ...]:
    """Lines of a model's equation, with the names that its draws have.

    Coefficients of covariates are named once, however many columns a formula makes.

    Parameters
    ----------
    model : GradientModel
    effects : str
        How effects of authorities are distributed, where that is not the model's own to say.
    """
    named = model.designs.named
    has = {name: bool(made.names) for name, made in named.items()}
    step = f"{model.areas.per:g}"
    lines = []
    if model.deprivation == "split":
        lines.append(f"w_i = (deprivation_i - authority mean_j) / {step}")
        if model.has_between:
            lines.append(f"b_j = (authority mean_j - national mean) / {step}")
    elif model.deprivation == "pooled":
        lines.append(f"w_i = (deprivation_i - national mean) / {step}")
    level = [
        "intercept",
        *(["between * b_j"] if model.has_between else []),
        *(["curvature * b_j**2"] if model.curvature else []),
        *(["authority_covariate_coefficient . h_j"] if has["authority_covariate"] else []),
        *(["region_effect_r"] if model.regions else []),
        *(["level_effect_j"] if model.random_levels else []),
    ]
    lines.append(f"level_j = {' + '.join(level)}")
    rate = ["level_j", *(["covariate_coefficient . z_i"] if has["covariate"] else [])]
    if model.deprivation != "none":
        slope = [
            "within" if model.deprivation == "split" else "pooled",
            *(["cross_level * b_j"] if model.cross_level else []),
            *(["moderator_coefficient . g_j"] if has["moderator"] else []),
            *(["slope_effect_j"] if model.random_slopes else []),
        ]
        lines.append(f"slope_j = {' + '.join(slope)}")
        own = "slope_j + area_moderator_coefficient . a_i" if has["area_moderator"] else "slope_j"
        rate.append(f"({own}) * w_i" if has["area_moderator"] else f"{own} * w_i")
    if has["departure"]:
        rate.append("departure_coefficient . departure(deprivation_i)")
    lines.append(f"log rate_i = {' + '.join(rate)}")
    factors = {
        "g_i": "overdispersion" if model.family == "negative_binomial" else "",
        "g_m": "locality_sd" if model.localities else "",
    }
    factors = {name: spread for name, spread in factors.items() if spread}
    mean = " * ".join(["exposure_i", "rate_i", *factors])
    gammas = [f"{name} ~ Gamma(mean 1, {spread})" for name, spread in factors.items()]
    lines.append("events_i ~ " + ", ".join([f"Poisson({mean})", *gammas]))
    if effects:
        lines.append(effects)
    elif model.random_slopes:
        spread = "(level_sd, slope_sd, correlation)"
        lines.append(f"(level_effect_j, slope_effect_j) ~ Normal(0, Sigma{spread})")
    elif model.random_levels:
        lines.append("level_effect_j ~ Normal(0, level_sd)")
    if model.regions:
        lines.append("region_effect_r ~ Normal(0, region_sd)")
    return tuple(lines)


def terms_in(lines: tuple[str, ...]) -> list[str]:
    """Names of the terms that stand in an equation, in the order of `socgrad.terms.TERMS`."""
    words = " ".join(lines)
    for sign in "(),*.":
        words = words.replace(sign, " ")
    there = set(words.split())
    return [name for name in TERMS if name in there]
