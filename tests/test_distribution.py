"""What is published with a release agrees with itself."""

import importlib.util
import re
import sys
import tomllib
import types
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT, BUILD = SETTINGS["project"], SETTINGS["build-system"]
RECIPE = (ROOT / "recipe/meta.yaml").read_text(encoding="utf-8")


@pytest.fixture
def hook(monkeypatch):
    """The build's hook, with a stand-in for the library that calls it."""
    interface = types.ModuleType("hatchling.metadata.plugin.interface")
    interface.MetadataHookInterface = object
    for name in ("hatchling", "hatchling.metadata", "hatchling.metadata.plugin"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, "hatchling.metadata.plugin.interface", interface)
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pictures_have_absolute_addresses_once_there_is_one(hook):
    """Before that they are left out; text and links that are absolute stay."""
    text = "a\n\n![A curve\nrises](docs/figures/a.png)\n\n![b](https://b.example/b.png)\n"
    found = hook.absolute(text, "https://code.example/socgrad", "v0.2.0")
    assert "(https://code.example/socgrad/raw/v0.2.0/docs/figures/a.png)" in found
    assert "(https://b.example/b.png)" in found
    assert hook.absolute(text, "", "v0.2.0") == "a\n\n![b](https://b.example/b.png)\n"
    assert hook.addresses("") == {}
    assert hook.addresses("https://code.example/s")["Issues"] == "https://code.example/s/issues"


def test_versions_agree():
    """Project, citation, recipe and changelog are of one version."""
    version = PROJECT["version"]
    assert f"version: {version}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f'set version = "{version}"' in RECIPE
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## (\S+)", changes, re.MULTILINE)[1] == version


def recipe_sections():
    """The lines of each section of the recipe, by its name, in the order of the file."""
    sections = {}
    for line in RECIPE.splitlines():
        if match := re.match(r"(\w+):$", line):
            sections[match[1]] = own = []
        elif sections:
            own.append(line)
    return {name: "\n".join(lines) + "\n" for name, lines in sections.items()}


def requirements(words):
    """Requirements listed under a heading, up to the next one."""
    return re.findall(r"^    - (.+)$", words, re.MULTILINE)


def test_the_recipe_needs_what_the_project_needs():
    """The same packages with the same floors; the interpreter's is named once."""
    host, run = recipe_sections()["requirements"].split("  run:\n")
    floor = PROJECT["requires-python"].removeprefix(">=")
    assert f'{{% set python_min = "{floor}" %}}' in RECIPE
    wanted = [one.replace(">=", " >=") for one in PROJECT["dependencies"]]
    assert sorted(requirements(run)) == sorted([*wanted, "python >={{ python_min }}"])
    backend = [one.replace(">=", " >=") for one in BUILD["requires"]]
    assert sorted(requirements(host)) == sorted([*backend, "pip", "python {{ python_min }}"])


def test_the_recipe_has_the_form_that_its_linter_asks_for():
    """Sections in their order, what they must hold, and specifications of two words.

    By hand from the list of conda-smithy, which is not on PyPI. It also asks for an address and
    for maintainers, which there are none of before a release.
    """
    sections = recipe_sections()
    assert list(sections) == ["package", "source", "build", "requirements", "test", "about"]
    assert "noarch: python" in sections["build"]
    assert "number: 0" in sections["build"]
    assert "- python {{ python_min }}" in sections["test"].partition("requires:")[2]
    for line in ("summary: ", "license: MIT", "license_file: LICENSE"):
        assert line in sections["about"]
    plain = r"[a-z0-9-]+( (>=)?(\d[\d.]*|\{\{ python_min \}\}))?"
    for one in requirements(sections["requirements"]):
        assert re.fullmatch(plain, one)
    assert all(
        re.fullmatch(r"\{% set \w+ = \S+ %\}", line)
        for line in RECIPE.splitlines()
        if line.startswith("{%")
    )
    assert RECIPE.endswith("LICENSE\n")
