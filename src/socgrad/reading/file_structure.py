"""What a file is made of, looked at before anything of it is read.

An HDF5 file can have its reader open other files, walk in circles or fill its memory: by links, by
data that lie elsewhere or are made of others', by compression, by texts that all point to one. A
fit needs none of these: `check_structure` allows groups, plain numbers and texts, and their labels,
and nothing that would take more room in memory than the file takes on the disk.

It does not guard against faults in the HDF5 library itself.
"""

import math
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, Final

import h5py
import numpy as np
from h5py import h5a, h5d, h5l, h5o, h5s, h5t, h5z

from socgrad.errors import SchemaError

__all__ = ["check_structure"]

#: Filters whose effect is bounded by what the file may take in memory.
_FILTERS: Final = {h5z.FILTER_DEFLATE, h5z.FILTER_SHUFFLE, h5z.FILTER_FLETCHER32}
#: How much more memory the contents may take than the file does on the disk, and by how much any.
_TIMES: Final = 10
_ANYWAY: Final = 1_000_000
_DEEPEST: Final = 4
_MOST_GROUPS: Final = 50
_MOST_VARIABLES: Final = 1_000
#: Of one group or variable, and of all.
_MOST_OF_ONE: Final = 200
_MOST_ATTRIBUTES: Final = 4_000
_MOST_DIMS: Final = 6
#: Of the netCDF format itself: of references, which are not followed here.
_REFERENCES: Final = ("DIMENSION_LIST", "REFERENCE_LIST")
#: Attributes that have a reader change the numbers, or take some for missing.
_DECODING: Final = (
    "scale_factor",
    "add_offset",
    "missing_value",
    "valid_range",
    "valid_min",
    "valid_max",
    "_Unsigned",
    "_Encoding",
    "calendar",
)
#: Bytes of a text in a dataset: its length, then where it is.
_TEXT_REFERENCE: Final = 16


@dataclass
class _Walk:
    """What has been seen of a file so far."""

    content: bytes
    seen: dict[int, str] = field(default_factory=dict)
    groups: int = 0
    attributes: int = 0
    bytes_of_attributes: int = 0
    bytes_of_data: int = 0

    @property
    def room(self) -> int:
        """Bytes that the contents may take in memory."""
        return max(_TIMES * len(self.content), _ANYWAY)


def check_structure(content: bytes) -> None:
    """Refuse a file that holds anything but groups, numbers, texts and their labels.

    Parameters
    ----------
    content : bytes
        The whole file.

    Raises
    ------
    SchemaError
        If it is no HDF5 file, has links other than plain ones or a group in itself, data outside
        of it or made of other data, types or filters that a fit does not have, attributes by which
        numbers would be changed in reading, or more data than a file of its size can hold.
    """
    try:
        with h5py.File(BytesIO(content), "r") as file:
            if file.userblock_size:
                raise SchemaError(f"It begins with {file.userblock_size} bytes of something else.")
            root = h5o.open(file.id, b"/")
            _group(root, "", 0, _Walk(content, {h5o.get_info(root).addr: ""}))
    except SchemaError:
        raise
    except Exception as error:
        raise SchemaError(
            f"It cannot be read as NetCDF ({str(error) or type(error).__name__}). Expected a file "
            "that socgrad.save has written, whole."
        ) from error


def _refuse(where: str, what: str) -> SchemaError:
    return SchemaError(
        f"{where or 'The file'} {what}, which no fit has. It is damaged, or socgrad.save has not "
        "written it: do not use it, and ask for it again."
    )


def _group(group: Any, path: str, depth: int, walk: _Walk) -> None:
    if depth > _DEEPEST:
        raise _refuse(path, f"lies more than {_DEEPEST} groups deep")
    _attributes(h5py.Group(group), path, walk)
    names: list[bytes] = []
    group.links.iterate(names.append)
    for name in names:
        where = f"{path}/{name.decode(errors='replace')}".removeprefix("/")
        kind = group.links.get_info(name).type
        if kind != h5l.TYPE_HARD:
            words = {h5l.TYPE_SOFT: "a soft link", h5l.TYPE_EXTERNAL: "a link to another file"}
            raise _refuse(where, f"is {words.get(kind, 'a link of an unknown kind')}")
        info = h5o.get_info(group, name)
        if info.addr in walk.seen:
            raise _refuse(where, f"is {walk.seen[info.addr] or 'the root'} by another name")
        walk.seen[info.addr] = where
        if len(walk.seen) > _MOST_VARIABLES:
            raise _refuse(path, f"has more than {_MOST_VARIABLES:,} variables")
        child = h5o.open(group, name)
        if info.type == h5o.TYPE_GROUP:
            walk.groups += 1
            if walk.groups > _MOST_GROUPS:
                raise _refuse(path, f"has more than {_MOST_GROUPS} groups")
            _group(child, where, depth + 1, walk)
        elif info.type == h5o.TYPE_DATASET:
            _dataset(child, where, walk)
        else:
            raise _refuse(where, "is neither a group nor a variable")


def _dataset(data: Any, where: str, walk: _Walk) -> None:
    plan = data.get_create_plist()
    layout = plan.get_layout()
    # First of all: to ask for the shape of virtual data opens the files they are made of.
    if layout == h5d.VIRTUAL:
        raise _refuse(where, "is made of other data (a virtual dataset)")
    if plan.get_external_count():
        raise _refuse(where, "has its data in another file")
    filters = [plan.get_filter(k) for k in range(plan.get_nfilters())]
    alien = [one[-1].decode(errors="replace") for one in filters if one[0] not in _FILTERS]
    if alien:
        raise _refuse(where, f"is packed by the filter {alien[0]!r}")
    if data.get_space().get_simple_extent_type() == h5s.NULL:
        raise _refuse(where, "is empty")
    shape = data.shape
    if len(shape) > _MOST_DIMS:
        raise _refuse(where, f"has {len(shape)} dimensions")
    kind, size = data.get_type(), math.prod(shape)
    if isinstance(kind, h5t.TypeStringID):
        if not kind.is_variable_str() or layout != h5d.CONTIGUOUS:
            raise _refuse(where, "holds texts that are stored in an unusual way")
        walk.bytes_of_data += _TEXT_REFERENCE * size
        _check_room(where, shape, walk)
        walk.bytes_of_data += _length_of_texts(data, size, where, walk)
    else:
        walk.bytes_of_data += _size_of_number(kind, where) * size
    _check_room(where, shape, walk)
    _attributes(h5py.Dataset(data), where, walk)


def _check_room(where: str, shape: tuple[int, ...], walk: _Walk) -> None:
    if walk.bytes_of_data > walk.room:
        raise _refuse(
            where,
            f"has shape {' x '.join(map(str, shape)) or '1'}, so that the contents would take "
            f"{walk.bytes_of_data / 1e6:,.0f} MB of memory or more, from a file of "
            f"{len(walk.content) / 1e6:,.1f} MB",
        )


def _size_of_number(kind: Any, where: str) -> int:
    """Bytes of a number, if it is a whole one or a float as NumPy has them."""
    plain = isinstance(kind, h5t.TypeIntegerID | h5t.TypeFloatID)
    if not plain or np.dtype(kind.dtype).itemsize > 8 or np.dtype(kind.dtype).kind not in "iuf":
        raise _refuse(where, "holds neither numbers nor texts")
    return int(np.dtype(kind.dtype).itemsize)


def _length_of_texts(data: Any, size: int, where: str, walk: _Walk) -> int:
    """Characters of all texts together: each says its length and where it is, many may be one."""
    begin = data.get_offset()
    if size == 0 or begin is None:
        return 0
    raw = walk.content[begin : begin + _TEXT_REFERENCE * size]
    if len(raw) < _TEXT_REFERENCE * size:
        raise _refuse(where, "ends after the end of the file")
    lengths = np.frombuffer(raw, dtype="<u4").reshape(size, _TEXT_REFERENCE // 4)[:, 0]
    return int(lengths.sum(dtype=np.int64))


def _attributes(holder: h5py.Group | h5py.Dataset, path: str, walk: _Walk) -> None:
    """Read every attribute once, within bounds: the library will read them all again."""
    number = h5a.get_num_attrs(holder.id)
    walk.attributes += number
    if number > _MOST_OF_ONE or walk.attributes > _MOST_ATTRIBUTES:
        raise _refuse(path, f"has {number:,} attributes")
    names: list[bytes] = []
    h5a.iterate(holder.id, names.append)
    for raw in names:
        name = raw.decode(errors="replace")
        where = f"Attribute {name!r} of {path or 'the file'}"
        if name in _DECODING:
            raise _refuse(where, "would change numbers as they are read")
        attribute = h5a.open(holder.id, raw)
        kind, space = attribute.get_type(), attribute.get_space()
        if space.get_simple_extent_type() == h5s.NULL:
            raise _refuse(where, "is empty")
        points = int(space.get_simple_extent_npoints())
        is_text = isinstance(kind, h5t.TypeStringID)
        if name in _REFERENCES:
            if name == "DIMENSION_LIST" and points > _MOST_DIMS:
                raise _refuse(where, f"names {points} dimensions")
            continue
        if is_text and points > _MOST_DIMS:
            raise _refuse(where, f"holds {points} texts")
        size = kind.get_size() if is_text else _size_of_number(kind, where)
        walk.bytes_of_attributes += size * points
        if walk.bytes_of_attributes <= walk.room and is_text:
            value = np.asarray(holder.attrs[name])
            walk.bytes_of_attributes += sum(len(str(one)) for one in value.ravel().tolist())
        if walk.bytes_of_attributes > walk.room:
            raise _refuse(where, "makes the attributes larger than the file")
