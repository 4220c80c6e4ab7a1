"""The site: what `make docs` cannot see by itself, checked without building it."""

import ast
import re
import types
from pathlib import Path

import pytest

import socgrad

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
SOURCE = ROOT / "src" / "socgrad"
SOURCES = sorted(SOURCE.rglob("*.py"))
#: Namespaces rather than things: their members are listed in the reference by name.
MODULES = {name for name in socgrad.__all__ if isinstance(getattr(socgrad, name), types.ModuleType)}


def test_the_reference_lists_every_public_name_once():
    """A name that is exported and not in the reference could not be found by a reader."""
    text = (DOCS / "reference" / "index.md").read_text(encoding="utf-8")
    listed = re.findall(r"^   (\w+)$", text, flags=re.MULTILINE)
    assert sorted(listed) == sorted(set(socgrad.__all__) - MODULES)


@pytest.mark.parametrize("name", sorted(MODULES - {"errors"}))
def test_the_reference_lists_every_name_of_a_namespace_once(name):
    """What is in a namespace is listed under it."""
    text = (DOCS / "reference" / "index.md").read_text(encoding="utf-8")
    place = rf"^(?:   |\.\. py:data:: socgrad\.){name}\.(\w+)$"
    listed = re.findall(place, text, flags=re.MULTILINE)
    assert sorted(listed) == sorted(getattr(socgrad, name).__all__)


PAGES = [*sorted(DOCS.glob("*.md")), *sorted((DOCS / "how-to").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_relative_links_lead_somewhere(page):
    """A link to a file of the site is to a file that is there (the gallery is built)."""
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)
    missing = [
        target
        for target in targets
        if not target.startswith("gallery/")
        and "/gallery/" not in target
        and not (page.parent / target).exists()
    ]
    assert missing == []


def unknown(dotted):
    """Whether a name such as `gradient` or `inequality.sii` is not public."""
    first, _, rest = dotted.partition(".")
    member = rest.partition(".")[0]
    if first in MODULES - {"errors"} and member:
        return member not in getattr(socgrad, first).__all__
    return first not in socgrad.__all__


@pytest.mark.parametrize("page", [*PAGES, ROOT / "README.md"], ids=lambda page: page.stem)
def test_functions_named_in_pages_exist(page):
    """Every `sg.name` and {func}`socgrad.name` in a page is a public name."""
    text = page.read_text(encoding="utf-8")
    names = set(re.findall(r"\bsg\.(\w+(?:\.\w+)*)", text))
    names |= set(re.findall(r"\{(?:func|class)\}`socgrad\.(\w+(?:\.\w+)*)`", text))
    assert {name for name in names if unknown(name)} == set()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_functions_named_in_the_code_exist(path):
    """What docstrings and messages call `socgrad.name` is where they say."""
    packages = {one.stem for one in SOURCE.iterdir()} - set(socgrad.__all__)
    text = path.read_text(encoding="utf-8")
    names = set(re.findall(r"\b(?<!\.)(?:socgrad|sg)\.(\w+(?:\.\w+)*)", text))
    inner = {
        name
        for name in names
        if name.partition(".")[0] in packages
        or (SOURCE / "/".join(name.split(".")[:2])).with_suffix(".py").exists()
    }
    assert {name for name in names - inner if unknown(name)} == set()


def texts(path):
    """The texts that a module holds: parts of messages, with neighbouring literals joined."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [one.value for one in ast.walk(tree) if isinstance(one, ast.Constant)]


def test_messages_of_troubleshooting_are_those_of_the_code():
    """Words that the page tells readers to look for are in some message."""
    page = (DOCS / "troubleshooting.md").read_text(encoding="utf-8")
    table = page.partition("## Installing")[0]
    cells = [line.split(" | ")[0] for line in table.splitlines() if line.startswith("| `")]
    fragments = [words for cell in cells for words in re.findall(r"`([^`]{12,})`", cell)]
    assert len(fragments) >= 12
    said = "\n".join(text for path in SOURCES for text in texts(path) if isinstance(text, str))
    assert [words for words in fragments if words not in said] == []
