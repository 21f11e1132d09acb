"""Values of JSON as they stand in a text, for renditions: objects and arrays are taken apart, and no more."""

from __future__ import annotations

from collections.abc import Container

import msgspec

Members = dict[str, bytes]
"""The members of an object, each value as it stands in the export."""

_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_ELEMENTS = msgspec.json.Decoder(list[msgspec.Raw]).decode
_DECODE = msgspec.json.Decoder().decode
_ENCODE = msgspec.json.Encoder().encode


def members_of(data: bytes) -> Members:
    """Take an object apart; what is none has no members."""
    try:
        return {key: bytes(value) for key, value in _MEMBERS(data).items()}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}


def elements_of(data: bytes) -> list[bytes]:
    """Take an array apart; what is none has no elements."""
    try:
        return [bytes(value) for value in _ELEMENTS(data)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []


def value_of(members: Members, key: str) -> object:
    """Return the value of a member, None where there is none that decodes."""
    try:
        value: object = _DECODE(members[key])
    except (KeyError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return value


def text_of(members: Members, key: str) -> str | None:
    """Return the text of a member, unless it is empty."""
    value = value_of(members, key)
    return value if isinstance(value, str) and value else None


def object_line(
    kind: str, members: Members, *, only: Container[str] | None = None, without: Container[str] = ()
) -> bytes:
    """Return the line `{kind: {…}}` with some members of an object, in their order."""
    kept = [
        _ENCODE(key) + b":" + value.replace(b"\n", b" ")  # it may be indented
        for key, value in members.items()
        if key not in without and (only is None or key in only)
    ]
    return b'{"%b":{%b}}\n' % (kind.encode(), b",".join(kept))


def line_of(data: bytes) -> bytes:
    """Return a value as a line."""
    return data.replace(b"\n", b" ") + b"\n"
