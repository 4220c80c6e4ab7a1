"""The XML of a children in need census, child by child, in little memory, and nothing but data.

A return has no document type. One that declares any is refused before its content is read: entities
are how a small file becomes a large one, or reads others. lxml fetches nothing, expands nothing and
keeps its own limits of depth and length.
"""

from __future__ import annotations  # lxml is imported where it is used

import gzip
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

from socgrad.errors import TableError

__all__ = ["Block", "census_children", "census_header", "open_census"]

_TAGS: Final = ("{*}Message", "{*}Header", "{*}Child")
#: Errors of libxml2 that mean bytes are not of the encoding that the file says it has.
_ENCODING_ERRORS: Final = frozenset({9, 31, 32, 81, 6003})


@dataclass(frozen=True)
class Block:
    """One element: its fields that hold text, and the elements in it that hold others.

    Parameters
    ----------
    fields
        Text by name; of a field that repeats, the last.
    blocks
        Elements by name, in order.
    """

    fields: Mapping[str, str]
    blocks: Mapping[str, list[Block]] = field(default_factory=dict)

    def each(self, name: str) -> list[Block]:
        """The elements of a name; none if there is none."""
        return self.blocks.get(name, [])


@contextmanager
def open_census(path: Path) -> Iterator[BinaryIO]:
    """Open a file, of plain XML or gzipped."""
    try:
        with path.open("rb") as file:
            zipped = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            if zipped:
                with gzip.open(file) as unzipped:
                    yield unzipped  # type: ignore[misc]  # it is read as any binary file is
            else:
                yield file
    except (OSError, EOFError) as error:
        raise TableError(f"{path.name} cannot be read as a file: {type(error).__name__}.") from None


def census_header(file: BinaryIO, *, name: str, wanted: Collection[str]) -> Block:
    """The header of a census, or a refusal of what is none."""
    for tag, block in _elements(file, name, wanted):
        if tag == "Header":
            return block
        break
    raise TableError(
        f"{name} is no children in need census: it has no Header before the first Child. Expected "
        "the file that was sent to the department: Message, in it Header and Children."
    )


def census_children(file: BinaryIO, *, name: str, wanted: Collection[str]) -> Iterator[Block]:
    """The children of a census, one after another; what was read is let go.

    Parameters
    ----------
    file, name
        An open file, and its name for messages.
    wanted
        Names of the elements that are kept; the others are passed over with all that is in them.
    """
    for tag, block in _elements(file, name, wanted):
        if tag == "Child":
            yield block


def _elements(file: BinaryIO, name: str, wanted: Collection[str]) -> Iterator[tuple[str, Block]]:
    """Header and children as they end."""
    etree = _lxml()
    try:
        context = etree.iterparse(
            file,
            events=("start", "end"),
            tag=_TAGS,
            resolve_entities=False,
            load_dtd=False,
            no_network=True,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        begun = False
        for event, element in context:
            if not begun:
                _refuse_document_type(element, name)
                begun = True
            tag = _local(element.tag)
            if event == "end" and tag != "Message":
                yield tag, _block(element, wanted)
                element.clear(keep_tail=True)
                while element.getprevious() is not None:
                    del element.getparent()[0]
    except etree.XMLSyntaxError as error:
        raise _not_well_formed(error, name) from None
    except LookupError:
        raise TableError(
            f"{name} says that it has an encoding which is not known. Save it as UTF-8."
        ) from None
    if not begun:
        raise TableError(
            f"{name} is no children in need census: it has neither Message, Header nor Child."
        )


def _refuse_document_type(element: Any, name: str) -> None:
    info = element.getroottree().docinfo
    if info.doctype or info.internalDTD is not None:
        raise TableError(
            f"{name} declares a document type (DOCTYPE), which no return has and which can make a "
            "reader expand entities or open other files. It is not read: ask who made the file."
        )


def _not_well_formed(error: Any, name: str) -> TableError:
    """Say where, in words of our own: those of the parser can quote the content."""
    line = (error.position or (0, 0))[0]
    if error.code in _ENCODING_ERRORS:
        return TableError(
            f"{name} is not in the encoding that its first line says, or in UTF-8 where it says "
            f"none (line {line:,}). Save it again as UTF-8; a file of Windows needs "
            '<?xml version="1.0" encoding="windows-1252"?> as its first line.'
        )
    return TableError(
        f"{name} is not well-formed XML, at line {line:,}. A file that was cut short, edited or "
        "put together by hand is not read in part: export it again."
    )


def _block(element: Any, wanted: Collection[str]) -> Block:
    fields: dict[str, str] = {}
    blocks: dict[str, list[Block]] = {}
    for inner in element:
        name = _local(inner.tag)
        if name not in wanted:
            continue
        if len(inner):
            blocks.setdefault(name, []).append(_block(inner, wanted))
        elif (text := inner.text) is not None:
            fields[name] = text.strip()
    return Block(fields, blocks)


def _local(tag: Any) -> str:
    """The name without its namespace; of what is no element, nothing."""
    if not isinstance(tag, str):
        return ""
    return tag.rpartition("}")[2] if tag[0] == "{" else tag


def _lxml() -> Any:
    try:
        from lxml import etree  # noqa: PLC0415
    except ImportError:
        raise ImportError(
            "Reading the XML of a census needs lxml, which is not installed: "
            "pip install 'socgrad[returns]'."
        ) from None
    return etree
