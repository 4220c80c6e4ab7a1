"""Short representations of values: what was given, not what is so by default."""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from socgrad.equality import holds_the_same

__all__ = ["given_options"]


def given_options(value: Any, *, usual: Mapping[str, object] | None = None) -> str:
    """Fields of a dataclass that are not as they are by default, as "name=value, ...".

    `usual` has what fields usually are whose default is found out when a value is made. Fields
    without a default are always there, without their names.
    """
    usual = usual or {}
    parts = []
    for field in fields(value):
        if not (field.init and field.repr):
            continue
        held = getattr(value, field.name)
        if field.default is not MISSING:
            default = field.default
        elif field.default_factory is not MISSING:
            default = field.default_factory()
        else:
            parts.append(repr(held))
            continue
        if not holds_the_same(held, usual.get(field.name, default)):
            parts.append(f"{field.name}={held!r}")
    return ", ".join(parts)
