"""What is published with a release agrees with itself."""

import importlib.util
import re
import sys
import tomllib
import types
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


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
    assert f'set version = "{version}"' in (ROOT / "recipe/meta.yaml").read_text(encoding="utf-8")
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## (\S+)", changes, re.MULTILINE)[1] == version


def test_the_recipe_needs_what_the_project_needs():
    """The same packages with the same floors."""
    recipe = (ROOT / "recipe/meta.yaml").read_text(encoding="utf-8")
    run = recipe.partition("  run:\n")[2].partition("\ntest:")[0]
    wanted = {tuple(one.split(">=")) for one in PROJECT["dependencies"]}
    wanted.add(("python", PROJECT["requires-python"].removeprefix(">=")))
    assert set(re.findall(r"- (\S+) >=(\S+)", run)) == wanted
