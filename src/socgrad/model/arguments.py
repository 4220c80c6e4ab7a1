"""What a caller passes where a model is wanted, checked once where it enters."""

from socgrad.errors import SpecificationError

__all__ = ["check_is_model"]

_FIRST_STEPS = {
    "Areas": "Make the model first: socgrad.GradientModel(areas).",
    "Strata": "Make the model first: socgrad.StratifiedModel(strata).",
    "DataFrame": "Make areas of the table first, areas = socgrad.Areas.from_frame(frame, "
    "area=..., authority=..., ...), and make the model, socgrad.GradientModel(areas).",
    "DataTree": "This is a fit: ask estimands of it, such as socgrad.gradient(fit).",
    "StratifiedModel": "One stratum of it is such a model: model.models[label].",
    "OutcomeModel": "The model that it rests on is model.gradient_model.",
}


def check_is_model(model: object, expected: tuple[type, ...]) -> None:
    """Refuse what is no model, such as a table or its areas.

    Parameters
    ----------
    model
        What was passed.
    expected
        The classes of model that will do.

    Raises
    ------
    SpecificationError
        If `model` is of none of them.

    Examples
    --------
    >>> from socgrad.model.arguments import check_is_model
    >>> from socgrad.model.gradient_model import GradientModel
    >>> check_is_model("plans.csv", (GradientModel,))
    Traceback (most recent call last):
    socgrad.errors.SpecificationError: Expected a GradientModel, found str.
    """
    if isinstance(model, expected):
        return
    found = type(model).__name__
    *most, last = (each.__name__ for each in expected)
    names = f"{', '.join(most)} or {last}" if most else last
    words = f"Expected a {names}, found {found}. {_FIRST_STEPS.get(found, '')}"
    raise SpecificationError(words.strip())
