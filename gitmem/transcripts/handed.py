"""Sessions that `gitmem resume` has written into an agent's own place: what says which turns are copies.

A record of such a session, mostly the first, has a member `gitmem`: `{"forked_from": "<agent>/<native id>"}`.
That of the last one that was written says `"is_last": true` too: what comes behind it came later. Where its
agent is another than the origin's, each message's id is made of the origin's name and a turn's number, so
that whoever has the origin knows the copies from what came after them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final

from gitmem.model.ids import OTHER_AGENT, SessionKey
from gitmem.transcripts.fields import Object, child, children, string

MARK: Final = "gitmem"
IN_BYTES: Final = b'"gitmem"'
"""What stands in every line that has such a member, and in few others."""

_SHORT_DIGITS: Final = 14


def marked(origin: SessionKey | None, *, is_last: bool = False) -> Object:
    """Return the member that names the origin, where there is one, in an object of its own."""
    named = {} if origin is None else {"forked_from": str(origin)}
    return {MARK: {**named, "is_last": True} if is_last else named}


def origin_of(message: Object) -> str | None:
    """Return the name of the session that a message of opencode's is a copy of."""
    found = (string(child(holder, MARK), "forked_from") for holder in _of_parts({"message": message}))
    return next((name for name in found if name is not None), None)


def is_last(record: Object) -> bool:
    """Tell whether a record is the last that `gitmem resume` wrote; of opencode's, a part says so."""
    return any(child(holder, MARK).get("is_last") is True for holder in (record, *_of_parts(record)))


def _of_parts(record: Object) -> Iterator[Object]:
    for part in children(child(record, "message"), "parts"):
        yield child(part, "metadata")
        yield child(child(part, "state"), "metadata")


def forked_from(record: Object, agent: str) -> str | None:
    """Return what a record says of its origin: a native id of the same agent, or a name for
    `ids.origin_key`."""
    origin = string(child(record, MARK), "forked_from")
    if origin is None:
        return None
    own = f"{agent}/"
    return origin.removeprefix(own) if origin.startswith(own) else f"{OTHER_AGENT}{origin}"


def copy_id(origin: SessionKey, stream: str, ordinal: int) -> str:
    """Return the id of a copy of a turn, in the form of a UUID."""
    text = f"{origin}\0{stream}\0{ordinal}".encode("utf-8", "backslashreplace")
    digits = hashlib.sha256(text).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-8{digits[17:20]}-{digits[20:32]}"


def short_id(native_id: str) -> str:
    """Return what stands for a copy where ids have no room for a UUID: their last characters."""
    return native_id.replace("-", "")[-_SHORT_DIGITS:]
