"""Where decoded JSON of unknown shape becomes typed values: a field of the wrong type is absent."""

from __future__ import annotations

from typing import TypeAlias

Object: TypeAlias = dict[str, object]

NOTHING: Object = {}
"""Stands for an object that is not there; never written to."""

_LARGEST_COUNT = 10**15


def mapping(value: object) -> Object:
    """Return an object, or an empty one."""
    return value if isinstance(value, dict) else NOTHING


def child(parent: Object, key: str) -> Object:
    """Return the object at `key`, or an empty one."""
    value = parent.get(key)
    return value if isinstance(value, dict) else NOTHING


def children(parent: Object, key: str) -> list[Object]:
    """Return the objects in the list at `key`; anything else in it is left out."""
    value = parent.get(key)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def string(parent: Object, key: str) -> str | None:
    """Return the text at `key`, unless it is empty."""
    value = parent.get(key)
    return value if value and isinstance(value, str) else None


def integer(parent: Object, key: str) -> int | None:
    """Return the whole number at `key`."""
    value = parent.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def count(parent: Object, key: str) -> int:
    """Return the number at `key` as a count: 0 for anything that cannot be one."""
    value = parent.get(key)
    if isinstance(value, float) and 0 <= value <= _LARGEST_COUNT:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST_COUNT:
        return value
    return 0
