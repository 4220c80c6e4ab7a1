"""Everything written in a formula is used or refused, and nothing is evaluated to find out."""

import time

import numpy as np
import pandas as pd
import pytest

from socgrad.errors import SpecificationError
from socgrad.formula_functions import FUNCTIONS
from socgrad.formula_grammar import read_formula
from socgrad.formulas import design


@pytest.fixture
def table():
    """Two numbers, a category, and a column whose name is no word."""
    rng = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "x": rng.uniform(1, 2, 40),
            "y": rng.uniform(1, 2, 40),
            "kind": pd.Categorical(["a", "b", "c", "a"] * 10),
            "area per head": rng.uniform(1, 2, 40),
        }
    )


ALLOWED = [
    "~ x",
    "1 + x",
    "x + `area per head`",
    "(x + y + kind)**2",
    "x * y - x:y",
    "(x + y) / kind",
    "x / y / kind",
    "kind:(x + y)",
    "x * y * kind",
    "+ x + (y)",
    "np.log(x) + np.sqrt(y)",
    "I(x**2 - 3 * y / 2)",
    "I(x ** -2)",
    "I(-(x**2)) + I((x**2)**2)",
    "{x > 1.5} + y",
    "I(kind == 'a') + x",
    "scale(log(`area per head`))",
    "C(kind, Treatment('b'))",
    "C(kind, Treatment(reference='b'))",
    "C(kind, Sum())",
    "T(kind, 'b')",
    "binary(kind, 'b')",
    "bs(x, df=5, degree=2)",
    "cr(x, df=4)",
    "poly(x, 2, raw=True)",
    "bs(x, 5)",
    "center(x):scale(y)",
    "I((x + y) * 2) + x",
]


@pytest.mark.parametrize("formula", ALLOWED)
def test_the_grammar_has_the_terms_that_formulae_has(table, formula):
    """As many terms as formulae makes columns for, of the same columns of the table."""
    read = read_formula(formula, where="covariates")
    made = design(formula, table, where="covariates")
    assert len(read.terms) == len(set(made.terms))
    assert {frozenset().union(*(part.columns for part in term)) for term in read.terms} == set(
        made.variables
    )


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("x, y", "', y' follows what is a whole formula already"),
        ("x y", "'y' follows"),
        ("x %in% y", "'% in % y' follows"),
        ("x; y", "Unexpected character: ;"),
        ("x + 1e3", "'e3' follows"),
        ("x) + y", r"'\) \+ y' follows"),
        ("x // y", "'// y' follows"),
        ("x ! y", "'! y' follows"),
        ("x 'y'", "\"'y'\" follows"),
        ("x + 2", "2 stands where a column or a function should"),
        ("x + 1.0", "1.0 stands where"),
        ("x + True", "True stands where"),
        ("x + None", "None stands where"),
        ("x:1", "1 stands where"),
        ("(1 + x):y", "1 stands where"),
        ("x + 'y'", "'y' is a text, not a column"),
        ("x - y", "- takes away y, which the terms before it do not have"),
        ("x * y - kind:x", "- takes away kind:x, which"),
        ("- x", "- stands before the first term"),
        ("x < y", "< stands between terms"),
        ("x = y", "= stands outside the brackets"),
        ("kind[a]", r"kind\[a\] picks a level. Use C\(kind, Treatment\('level'\)\)"),
        ("(x + y)**kind", "takes a whole number"),
        ("(x + y)**2.5", "takes a whole number"),
        ("``", "`` names no column"),
        ("`x", "has no second one"),
        ("I(x == 'a\")", "begins with one quotation mark and ends with another"),
        ("log()", r"log\(\) needs a column"),
        ("log(2)", r"log\(2\) names no column"),
        ("log(x, 2)", r"log\(\) is given more than its expression and no option"),
        ("bs(x, df=4, df=5)", r"bs\(\) is given df twice"),
        ("bs(x, df=4, 5)", "an option without its name after one with it"),
        ("bs(df=4, x)", r"bs\(\) needs a column, first of all"),
        ("bs(x, dff=4)", r"bs\(\) has no option 'dff' \(it has df, knots"),
        ("bs(x, df=51)", r"bs\(df=\) is 51; expected a whole number up to 50"),
        ("bs(x, df=-4)", r"bs\(df=\) is -4; expected a whole number"),
        ("bs(x, df=True)", r"bs\(df=\) is True; expected a whole number"),
        ("bs(x, df=y)", r"bs\(df=\) is to be written out"),
        ("bs(x, knots=4)", r"bs\(knots=\) is 4; expected df= instead"),
        ("poly(x, raw=1)", r"poly\(raw=\) is 1; expected True or False"),
        ("C(kind, 'b')", r"C\(contrast=\) is 'b'; expected Treatment\(\) or Sum\(\)"),
        ("C(kind, log(x))", r"is log\(\); expected Treatment\(\) or Sum\(\)"),
        ("C(kind, levels='ab')", r"C\(\) has no option 'levels'"),
        ("Treatment('b')", r"belongs into C\(column, Treatment\(\)\)"),
        ("prop(x, y)", "unknown function 'prop'"),
        ("I(x:y)", ": stands inside a function"),
        ("I(x | y)", r"\| stands inside a function"),
        ("I(x + 'a')", "'a' stands where a column or a number should"),
        ("I(x + True)", "True stands where a column or a number should"),
        ("I(-x**2)", r"-x \*\* 2 can be read in two ways. Put brackets"),
        ("I(x**2**3)", "can be read in two ways"),
        ("I(1 < x < 2)", "can be read in two ways"),
        ("log(x)(y)", r"\( follows what is no function's name"),
        ("log[a](x)", r"\( follows what is no function's name"),
        ("`log`(x)", r"\( follows what is no function's name"),
    ],
)
def test_what_would_be_left_out_is_refused(table, formula, words):
    """What formulae drops, ignores or stumbles over: the message says which part, and why."""
    with pytest.raises(SpecificationError, match=words):
        design(formula, table, where="covariates")


#: Ways to what a formula is not for, once from each place in which a name or value may stand. Those
#: that set an attribute of np made a folder when formulae's own reading was all there was.
ATTACKS = [
    "C(x, np.__setattr__('f', I.__builtins__.get('open')), np.f('{marker}', 'w'))",
    "C(x, np.__setattr__('f', C.__builtins__.get('__import__')('os')), np.f.mkdir('{marker}'))",
    "C(x, np.__setattr__('os', I.__builtins__.get('__import__')), np.os('os'))",
    "bs(x, np.__setattr__('f', T.__builtins__.get('open')), degree=np.f('{marker}', 'w'))",
    "I(np.__setattr__('f', S.__builtins__.get('open'))) + I(np.f('{marker}', 'w'))",
    "log(np.__setattr__('f', offset.__builtins__.get('open')), np.f('{marker}', 'w'))",
    "I(x):C(x, np.__init__(f=I.__builtins__.get('open')), np.f('{marker}', 'w'))",
    "{{C(x, np.__setattr__('f', I.__builtins__.get('open')), np.f('{marker}', 'w'))}}",
    "scale(C(x, np.__setattr__('f', I.__builtins__.get('open')), np.f('{marker}', 'w')))",
    "log.__class__('x')",
    "np.log.__class__('x')",
    "np.__setattr__('log', x)",
    "np.__init__.__globals__(x)",
    "np.__class__.__base__.__subclasses__()",
    "I.__globals__.get('__builtins__')",
    "I.__globals__.__getitem__('__builtins__').__getitem__('exec')(x)",
    "I.__globals__.np.save('{marker}', x)",
    "center.__init__.__globals__.pd.io.common.os.system('touch {marker}')",
    "scale.__call__.__globals__.np.savetxt('{marker}', x)",
    "np.savetxt('{marker}', x)",
    "np.log.tofile(x)",
    "x.to_csv('{marker}')",
    "x.values.tofile('{marker}')",
    "I(x.to_csv)('{marker}')",
    "I(open('{marker}', 'w'))",
    "__import__('os').system('touch {marker}')",
    "eval('x')",
    "exec(\"open('{marker}', 'w')\")",
    "{{open('{marker}', 'w')}}",
    "C(x, open('{marker}', 'w'))",
    "C(x, contrast=I.__globals__.inspect.os.mkdir('{marker}'))",
    "bs(x, df=I.__globals__.inspect.os.mkdir('{marker}'))",
    "log(x, out=I.__globals__.inspect.os.mkdir('{marker}'))",
    "T.__globals__.inspect.os.mkdir('{marker}')",
    "(x | I.__globals__.inspect.os.mkdir('{marker}'))",
    "x:I.__globals__.inspect.os.mkdir('{marker}')",
    "I.__globals__.inspect.os.mkdir('{marker}')",
    "x + I.__globals__.inspect.os.mkdir('{marker}')",
    "offset(I.__globals__.inspect.os.mkdir('{marker}'))",
    "log(I.__globals__.inspect.os.mkdir('{marker}'))",
    "I(x + I.__globals__.inspect.os.mkdir('{marker}'))",
    "x - I.__globals__.inspect.os.mkdir('{marker}')",
    "hsgp(x)",
    "C(kind, Treatment(I.__globals__.inspect.os.mkdir('{marker}')))",
    "Treatment.__init__.__globals__.np.savetxt('{marker}', x)",
    "T . __globals__ . inspect . os . mkdir('{marker}')",
    "np.log.outer(x)",
    "np.exp.at(x)",
    "ｎｐ.savetxt('{marker}', x)",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_formula_runs_anything_else(table, tmp_path, attack):
    """Attributes of what is permitted, and names beyond it, are refused, and leave no marker."""
    marker = tmp_path / "marker"
    formula = attack.format(marker=marker)
    with pytest.raises(SpecificationError, match="covariates="):
        design(formula, table, where="covariates")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "formula",
    [
        "I(9**9**9**9)",
        "I(x**(9**9**9))",
        "I(x + 9**9**9)",
        "C(kind, Treatment('a' * 10000000000))",
        "I(x + 99999999999999999999)",
        "x:y * " * 3000 + "x",
        "(" * 4000 + "x" + ")" * 4000,
        "-" * 4000 + "x",
        "*".join(f"x{k}" for k in range(40)),
        f"({'+'.join(f'x{k}' for k in range(40))})**20",
        ":".join(f"({'+'.join(f'x{k}y{j}' for k in range(9))})" for j in range(9)),
        "tp(x, max_knots=1000000)",
    ],
    ids=lambda formula: formula[:24],
)
def test_no_formula_fills_memory_or_time(formula):
    """Towers of powers, products of many sums and deep brackets are refused at once."""
    started = time.process_time()
    with pytest.raises(SpecificationError, match=r"covariates="):
        read_formula(formula, where="covariates")
    assert time.process_time() - started < 2.0


def test_functions_are_those_that_formulae_has(table):
    """Each function of the list reads a column; those of NumPy also by their full name."""
    needed = {"cc": "cc(x, period=3)", "C": "C(kind)", "T": "T(kind)", "S": "S(kind)"}
    needed |= {"B": "B(kind)", "binary": "binary(kind)"}
    for name in FUNCTIONS:
        formula = needed.get(name, f"{name}(x)" if name not in ("bs", "cr") else f"{name}(x, df=4)")
        assert design(formula, table, where="covariates").names
