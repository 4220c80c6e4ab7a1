"""What a formula of covariates may say, checked before anything of it is evaluated.

formulae reads a formula and looks up what it names as Python would, attributes included, and it
leaves out what follows the first complete expression. So its own parser is asked for the tree
alone, and the tree is held against the grammar below. It is a list of what is allowed; what is not
in it is refused, whoever wrote the formula.

::

    formula     terms, all of them joined
    terms       term | terms + terms | terms - terms | terms * terms | terms : terms
                | terms / terms | (terms) ** whole number | 1 + terms
    term        column | `column` | function(expression, options) | {expression}
    expression  column | `column` | number | function(expression, options) | (expression)
                | + - * / ** and comparisons of expressions | comparison with 'text'
    function    one of `formula_functions.FUNCTIONS`
    options     number | 'text' | True | False | None, in their order or as name=
"""

import contextlib
import io
import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

from socgrad.errors import SpecificationError
from socgrad.formula_functions import (
    NUMPY_FUNCTIONS,
    Component,
    ForeignTermError,
    RefusedError,
    column_name,
    function_of_columns,
    kind_of,
)

__all__ = ["ALLOWED", "Formula", "read_formula"]

ALLOWED: Final = (
    f"Expected columns joined by +, * or :, functions {', '.join(NUMPY_FUNCTIONS)}, and transforms "
    "of formulae such as scale(), center(), poly(), bs() and C()."
)

_LONGEST: Final = 10_000
_MOST_TERMS: Final = 2_000


@dataclass(frozen=True)
class Formula:
    """A formula that keeps to the grammar.

    Attributes
    ----------
    text : str
        Its right-hand side, without the ~.
    terms : frozenset of frozenset of Component
        Terms, without the intercept: a term is the product of its components.
    """

    text: str
    terms: frozenset[frozenset[Component]]

    @property
    def columns(self) -> frozenset[str]:
        """Columns of the table that the formula names."""
        return frozenset(name for term in self.terms for part in term for name in part.columns)


type _Terms = frozenset[frozenset[Component]]


def read_formula(formula: object, *, where: str) -> Formula:
    """Read a formula without evaluating anything of it.

    Parameters
    ----------
    formula
        Right-hand side, with or without a leading ~.
    where : str
        The argument that the formula came in, for messages.

    Raises
    ------
    SpecificationError
        If it is no text, has a left-hand side, a group effect, an offset, no intercept or no term,
        or says anything that the grammar of this module does not have.

    Examples
    --------
    >>> made = read_formula("~ rural * scale(log(density))", where="covariates")
    >>> sorted(made.columns), len(made.terms)
    (['density', 'rural'], 3)
    >>> read_formula("~ gini, spend", where="moderators")
    Traceback (most recent call last):
    socgrad.errors.SpecificationError: moderators='~ gini, spend' cannot be read: ', spend' ...
    """
    if not isinstance(formula, str) or not formula.strip().lstrip("~").strip():
        raise SpecificationError(
            f"{where} must be a formula such as '~ rural + scale(density)'; got {formula!r}."
        )
    shown = formula if len(formula) <= 300 else f"{formula[:300]}..."
    right = formula.strip().removeprefix("~").strip()
    if "~" in right:
        raise SpecificationError(
            f"{where}={shown!r} has a left-hand side. The events are in Areas: give the "
            "right-hand side alone."
        )
    try:
        terms = _terms(_tree(right), outermost=True)
    except ForeignTermError as error:
        raise SpecificationError(
            f"{where}={shown!r} has {error}. The model has its own intercept, authority effects "
            f"and exposure: leave it to the covariates. {ALLOWED}"
        ) from None
    except RefusedError as error:
        raise SpecificationError(f"{where}={shown!r} cannot be read: {error}. {ALLOWED}") from None
    except RecursionError:
        raise SpecificationError(
            f"{where}={shown!r} cannot be read: it is nested too deeply. {ALLOWED}"
        ) from None
    if not terms:
        raise SpecificationError(f"{where}={shown!r} has no term. Leave {where} out instead.")
    return Formula(right, terms)


def _tree(right: str) -> Any:
    """The tree of the whole formula, as formulae parses it."""
    # Importing formulae takes a quarter of a second that a model without covariates need not pay.
    from formulae.parser import Parser  # noqa: PLC0415
    from formulae.scanner import Scanner  # noqa: PLC0415

    if len(right) > _LONGEST:
        raise RefusedError(f"it has {len(right):,} characters; expected at most {_LONGEST:,}")
    if right.count("`") % 2:
        raise RefusedError("a ` has no second one to end the column's name")
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            tokens = Scanner(right).scan(add_intercept=False)
            parser = Parser(tokens)
            tree = parser.parse()
    except RecursionError:
        raise
    except Exception as error:
        raise RefusedError(str(error).rstrip(".") or type(error).__name__) from error
    odd = [t.lexeme for t in tokens if t.kind == "STRING" and t.lexeme[0] != t.lexeme[-1]]
    if odd:
        raise RefusedError(f"{odd[0]} begins with one quotation mark and ends with another")
    if not parser.at_end():
        rest = " ".join(token.lexeme for token in tokens[parser.current :]).strip()
        raise RefusedError(
            f"{rest!r} follows what is a whole formula already, and would be left out"
        )
    return tree


def _terms(node: Any, *, outermost: bool) -> _Terms:
    """Terms of a node where + joins terms; `outermost` where 1 is the intercept."""
    match kind_of(node):
        case "Variable" | "QuotedName":
            name = column_name(node)
            return frozenset([frozenset([Component(name, frozenset([name]))])])
        case "Call":
            return frozenset([frozenset([function_of_columns(node)])])
        case "Grouping":
            return _terms(node.expression, outermost=outermost)
        case "Binary":
            return _joined(node, outermost=outermost)
        case "Unary":
            if node.operator.kind == "PLUS":
                return _terms(node.right, outermost=outermost)
            _refuse_no_intercept(node.right, 1)
            raise RefusedError("- stands before the first term, with nothing to take it from")
        case "Literal":
            _refuse_no_intercept(node, 0)
            if outermost and type(node.value) is int and node.value == 1:
                return frozenset()
            if isinstance(node.value, str):
                raise RefusedError(
                    f"{node.value!r} is a text, not a column. Write a column's name as it is, or "
                    "between ` where it is no plain word"
                )
            raise RefusedError(f"{node.value!r} stands where a column or a function should")
    raise RefusedError(
        "= stands outside the brackets of a function"
        if kind_of(node) == "Assign"
        else kind_of(node)
    )


def _refuse_no_intercept(node: Any, value: int) -> None:
    if kind_of(node) == "Literal" and type(node.value) is int and node.value == value:
        raise ForeignTermError("no intercept (0 + or - 1)")


def _joined(node: Any, *, outermost: bool) -> _Terms:
    """Terms of two sides and what stands between them."""
    kind, sign = node.operator.kind, node.operator.lexeme
    if kind == "PIPE":
        raise ForeignTermError("a group effect (|)")
    if kind == "STAR_STAR":
        return _power(node)
    if kind == "MINUS":
        _refuse_no_intercept(node.right, 1)
    plain = outermost and kind == "PLUS"
    # Only a sum has an intercept; what - takes away is to be in it.
    left = _terms(node.left, outermost=plain or (outermost and kind == "MINUS"))
    right = _terms(node.right, outermost=plain)
    match kind:
        case "PLUS":
            made = left | right
        case "MINUS":
            if not right <= left:
                raise RefusedError(
                    f"- takes away {_words(right - left)}, which the terms before it do not have"
                )
            made = left - right
        case "COLON":
            made = _products(left, right)
        case "STAR":
            made = left | right | _products(left, right)
        case "SLASH":
            made = left | _products([frozenset().union(*left)], right)
        case _:
            raise RefusedError(
                f"{sign} stands between terms. Inside I() it compares numbers, row by row"
            )
    return _few(len(made), made)


def _products(left: Iterable[frozenset[Component]], right: _Terms) -> _Terms:
    left = list(left)
    _few(len(left) * len(right))
    return frozenset(one | other for one in left for other in right)


def _power(node: Any) -> _Terms:
    """All products of up to so many terms."""
    base, to = _terms(node.left, outermost=False), node.right
    if kind_of(to) != "Literal" or type(to.value) is not int or to.value < 1:
        raise RefusedError(
            "** between terms takes a whole number from 1 (all their interactions up to that "
            "order). For a power of a column write I(x**2)"
        )
    if len(base) == 1 and to.value > 1:
        raise RefusedError(
            "** of one term gives that term again. For a power of a column write I(x**2)"
        )
    orders = range(1, min(to.value, len(base)) + 1)
    _few(sum(math.comb(len(base), order) for order in orders))
    return frozenset(
        frozenset[Component]().union(*some)
        for order in orders
        for some in combinations(sorted(base, key=_words_of), order)
    )


def _few(number: int, made: _Terms = frozenset()) -> _Terms:
    if number > _MOST_TERMS:
        raise RefusedError(f"it has more than {_MOST_TERMS:,} terms ({number:,} of one operator)")
    return made


def _words_of(term: frozenset[Component]) -> str:
    return ":".join(sorted(part.text for part in term))


def _words(terms: _Terms) -> str:
    return ", ".join(sorted(map(_words_of, terms)))
