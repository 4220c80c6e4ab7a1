"""Every class that a public function returns has a public name and a place in the reference."""

import inspect
import re
import types
from functools import cached_property
from pathlib import Path

import socgrad as sg

REFERENCE = Path(__file__).parents[1] / "docs" / "reference" / "index.md"


#: Of a specification, what it makes of itself for engines to read.
SPECIFICATIONS = (sg.GradientModel, sg.StratifiedModel, sg.OutcomeModel)


def public():
    """All that has a public name, with the name."""
    for name in sg.__all__:
        one = getattr(sg, name)
        if not isinstance(one, types.ModuleType):
            yield name, one
            continue
        for member in one.__all__:
            yield f"{name}.{member}", getattr(one, member)


def functions(name, one):
    """A function, or the methods and properties of a class."""
    if not inspect.isclass(one):
        if callable(one):
            yield name, inspect.unwrap(one)
        return
    for attribute, member in vars(one).items():
        if attribute.startswith("_"):
            continue
        if isinstance(member, property | cached_property) and one in SPECIFICATIONS:
            continue
        function = getattr(member, "fget", None) or getattr(member, "func", None) or member
        function = getattr(function, "__func__", function)
        if inspect.isfunction(function):
            yield f"{name}.{attribute}", inspect.unwrap(function)


def returned(function):
    """Classes of socgrad that a return annotation names, however it is written."""
    annotation = function.__annotations__.get("return")
    words = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    for word in re.findall(r"[\w.]+", words):
        last = word.rsplit(".", maxsplit=1)[-1]
        found = function.__globals__.get(last)
        if inspect.isclass(found) and found.__module__.startswith("socgrad"):
            yield found


def met():
    """Classes by name of what returns them, and in turn of what their own methods return."""
    found, waiting, seen = {}, list(public()), set()
    while waiting:
        name, one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        for where, function in functions(name, one):
            for made in returned(function):
                found.setdefault(made, where)
                waiting.append((where, made))
    return found


def test_every_class_that_is_returned_is_public_and_in_the_reference():
    """A reader who sees a type finds what it holds."""
    names = {one: name for name, one in public() if inspect.isclass(one)}
    listed = set(re.findall(r"^ {3}([\w.]+)$", REFERENCE.read_text(encoding="utf-8"), re.M))
    classes = met()
    assert {sg.results.FitCheck, sg.results.Simulation, sg.pages.Page} <= set(classes)
    without = [f"{one.__name__} of {where}" for one, where in classes.items() if one not in names]
    assert without == []
    assert [names[one] for one in classes if names[one] not in listed] == []


def test_results_say_what_they_hold():
    """Each has its attributes in its docstring."""
    for name in sg.results.__all__:
        words = getattr(sg.results, name).__doc__
        assert "Attributes\n" in words or "Parameters\n" in words
