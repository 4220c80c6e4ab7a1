"""Functions and expressions of a formula: which there are, and what each may be given.

The half of `socgrad.formula_grammar` that lies inside brackets. It walks the tree that formulae's
parser made, and evaluates nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

__all__ = [
    "FUNCTIONS",
    "NUMPY_FUNCTIONS",
    "Component",
    "ForeignTermError",
    "RefusedError",
    "column_name",
    "function_of_columns",
    "kind_of",
]

#: Functions of NumPy, of one expression; also as np.log and so on.
NUMPY_FUNCTIONS: Final = (
    "abs",
    "exp",
    "expm1",
    "log",
    "log10",
    "log1p",
    "log2",
    "sqrt",
    "square",
)
_NUMBER, _TEXT, _SWITCH = "number", "text", "switch"
#: Options of each function after its expression, in their order: what each may be, or, of a number,
#: the largest whole number it may be.
FUNCTIONS: Final[dict[str, dict[str, str | int]]] = {
    **{name: {} for name in (*NUMPY_FUNCTIONS, *(f"np.{name}" for name in NUMPY_FUNCTIONS))},
    **{name: {} for name in ("I", "center", "scale", "standardize")},
    "poly": {"degree": 20, "raw": _SWITCH},
    "bs": {
        "df": 50,
        "knots": "none",
        "degree": 20,
        "intercept": _SWITCH,
        "lower_bound": _NUMBER,
        "upper_bound": _NUMBER,
        "center": _SWITCH,
    },
    "cr": {
        "df": 50,
        "knots": "none",
        "lower_bound": _NUMBER,
        "upper_bound": _NUMBER,
        "center": _SWITCH,
    },
    "cc": {
        "period": _NUMBER,
        "df": 50,
        "knots": "none",
        "lower_bound": _NUMBER,
        "center": _SWITCH,
    },
    "tp": {"df": 50, "center": _SWITCH, "max_knots": 2000, "seed": 2**31},
    "C": {"contrast": "contrast"},
    "T": {"ref": _TEXT},
    "S": {"omit": _TEXT},
    "B": {"success": _TEXT},
    "binary": {"success": _TEXT},
}
#: What gives a column for each level.
_CONTRASTS: Final = ("Treatment", "Sum")

#: Beyond it whole numbers and floats differ.
_LARGEST: Final = 2**53

_IN_EXPRESSIONS: Final = ("PLUS", "MINUS", "STAR", "SLASH", "STAR_STAR")
_COMPARISONS: Final = (
    "EQUAL_EQUAL",
    "BANG_EQUAL",
    "LESS",
    "LESS_EQUAL",
    "GREATER",
    "GREATER_EQUAL",
)


@dataclass(frozen=True)
class Component:
    """A factor of a term: a column, or a function of columns.

    Attributes
    ----------
    text : str
        What sets it apart from others.
    columns : frozenset of str
        Columns of the table that it names.
    function : str or None
        Its function; None of a column as it is.
    size : int
        The largest whole number among the function's options: it makes no more columns than that.
    """

    text: str
    columns: frozenset[str]
    function: str | None = None
    size: int = 1


class RefusedError(Exception):
    """What in a formula is not of the grammar."""


class ForeignTermError(RefusedError):
    """A term that other models have, and this one has elsewhere."""


def kind_of(node: Any) -> str:
    """The class of a node of formulae's tree, by name: it is imported where it parses alone."""
    return type(node).__name__


def column_name(node: Any) -> str:
    """The column that a node names.

    Raises
    ------
    RefusedError
        If it picks a level, or is empty.
    """
    if kind_of(node) == "QuotedName":
        name = str(node.expression.lexeme[1:-1])
        if not name.strip():
            raise RefusedError("`` names no column")
        return name
    if node.level is not None:
        raise RefusedError(
            f"{node.name.lexeme}[{node.level.value}] picks a level. Use C({node.name.lexeme}, "
            "Treatment('level')) to compare with another level"
        )
    return str(node.name.lexeme)


def function_of_columns(node: Any) -> Component:
    """A call of a function in `FUNCTIONS`, with an expression of columns and written-out options.

    Raises
    ------
    RefusedError
        If it is anything else.
    """
    name = _function_name(node.callee)
    if name == "offset":
        raise ForeignTermError("an offset")
    if name in _CONTRASTS:
        raise RefusedError(f"{name}() stands alone. It belongs into C(column, {name}())")
    if name not in FUNCTIONS:
        raise RefusedError(f"unknown function {name!r}")
    allowed, given = FUNCTIONS[name], list(node.args)
    if not given or kind_of(given[0]) == "Assign":
        raise RefusedError(f"{name}() needs a column, first of all")
    columns, words = _expression(given[0])
    if not columns:
        raise RefusedError(f"{name}({words}) names no column")
    size, options = 1, []
    for option, value in _options(name, given[1:], tuple(allowed)):
        number, text = _option(f"{name}({option}=)", value, allowed[option])
        size = max(size, number)
        options.append(f"{option}={text}")
    return Component(f"{name}({', '.join([words, *options])})", columns, name, size)


def _function_name(callee: Any) -> str:
    if kind_of(callee) != "Variable" or callee.level is not None:
        raise RefusedError("( follows what is no function's name")
    return str(callee.name.lexeme)


def _options(name: str, given: list[Any], known: tuple[str, ...]) -> Iterable[tuple[str, Any]]:
    """Options by name, those without one in their order."""
    made: dict[str, Any] = {}
    by_name = False
    for place, node in enumerate(given):
        if kind_of(node) == "Assign":
            option, value, by_name = str(node.name.name.lexeme), node.value, True
            if option not in known:
                raise RefusedError(
                    f"{name}() has no option {option!r} (it has {', '.join(known) or 'none'})"
                )
        elif by_name or place >= len(known):
            raise RefusedError(
                f"{name}() is given more than its expression and {', '.join(known) or 'no option'}"
                + (", or an option without its name after one with it" if by_name else "")
            )
        else:
            option, value = known[place], node
        if option in made:
            raise RefusedError(f"{name}() is given {option} twice")
        made[option] = value
    return made.items()


def _option(where: str, node: Any, wanted: str | int) -> tuple[int, str]:
    """The whole number that an option is, else 1; and its words."""
    if wanted == "contrast" and kind_of(node) == "Call":
        contrast = _function_name(node.callee)
        if contrast not in _CONTRASTS:
            raise RefusedError(f"{where} is {contrast}(); expected Treatment() or Sum()")
        chosen = ("reference",) if contrast == "Treatment" else ("omit",)
        made = [_option(where, v, _TEXT)[1] for _, v in _options(contrast, node.args, chosen)]
        return 1, f"{contrast}({', '.join(made)})"
    sign, bare = "", node
    if kind_of(node) == "Unary":
        sign, bare = node.operator.lexeme, node.right
    if kind_of(bare) == "Grouping" or kind_of(bare) != "Literal":
        raise RefusedError(f"{where} is to be written out, as a number, a 'text', True or False")
    value = bare.value
    number = type(value) in (int, float) and abs(value) <= _LARGEST
    whole = type(value) is int and not sign
    allowed = (
        (value is None and not sign)
        or (wanted == _SWITCH and isinstance(value, bool) and not sign)
        or (wanted == _NUMBER and number)
        or (wanted == _TEXT and (number or (isinstance(value, str | bool) and not sign)))
        or (isinstance(wanted, int) and whole and 0 <= value <= wanted)
    )
    if not allowed:
        expected = {
            _SWITCH: "True or False",
            _NUMBER: "a number",
            _TEXT: "one of the column's levels",
            "contrast": "Treatment() or Sum()",
            "none": "df= instead, since a formula holds no lists",
        }.get(str(wanted), f"a whole number up to {wanted}")
        raise RefusedError(f"{where} is {sign}{value!r}; expected {expected}")
    counts = isinstance(wanted, int) and where.endswith(("(df=)", "(degree=)"))
    return (int(value) if counts and whole else 1), f"{sign}{value!r}"


def _expression(node: Any) -> tuple[frozenset[str], str]:
    """Columns that an expression names, and its words."""
    match kind_of(node):
        case "Variable" | "QuotedName":
            name = column_name(node)
            return frozenset([name]), name
        case "Literal":
            if type(node.value) not in (int, float) or abs(node.value) > _LARGEST:
                raise RefusedError(f"{node.value!r} stands where a column or a number should")
            return frozenset(), repr(node.value)
        case "Grouping":
            columns, words = _expression(node.expression)
            return columns, f"({words})"
        case "Unary":
            columns, words = _expression(node.right)
            return columns, f"{node.operator.lexeme}{words}"
        case "Call":
            part = function_of_columns(node)
            return part.columns, part.text
        case "Binary":
            return _operation(node)
    raise RefusedError("= stands where a number or a column should")


def _operation(node: Any) -> tuple[frozenset[str], str]:
    kind, sign = node.operator.kind, node.operator.lexeme
    if kind in _COMPARISONS:
        sides = [
            (frozenset[str](), repr(side.value))
            if kind_of(side) == "Literal" and isinstance(side.value, str)
            else _expression(side)
            for side in (node.left, node.right)
        ]
    elif kind in _IN_EXPRESSIONS:
        sides = [_expression(node.left), _expression(node.right)]
    else:
        raise RefusedError(f"{sign} stands inside a function")
    (left, left_words), (right, right_words) = sides
    words = f"{left_words} {sign} {right_words}"
    # formulae reads -x**2 as (-x)**2, x**2**3 as (x**2)**3 and x < y < z as (x < y) < z.
    before = node.left.operator.kind if kind_of(node.left) in ("Unary", "Binary") else None
    if (kind == "STAR_STAR" and before is not None) or (
        kind in _COMPARISONS and before in _COMPARISONS
    ):
        raise RefusedError(f"{words} can be read in two ways. Put brackets around what comes first")
    # A power of whole numbers alone may have more digits than memory holds.
    if (kind == "STAR_STAR" or kind in _COMPARISONS) and not left | right:
        raise RefusedError(f"{words} names no column")
    power = node.right.right if kind_of(node.right) == "Unary" else node.right
    if kind == "STAR_STAR" and not right and kind_of(power) != "Literal":
        raise RefusedError(f"the power in {words} is to be written out")
    return left | right, words
