"""Names of things: what a session, a record and a git object are called.

An id is never built by joining strings elsewhere, so that each has one spelling.
"""

from __future__ import annotations

from typing import Final, NamedTuple, NewType

from gitmem.model.errors.arguments import BadSessionName

Oid = NewType("Oid", str)
"""A git object id: lower-case hex, 40 digits under SHA-1 and 64 under SHA-256."""

SessionId = NewType("SessionId", str)
"""The name of a session's folder in the memory: 64 hex digits, made of its key and how it begins, so that
sessions of one key stand next to each other and are found without looking at any other."""

RecordId = NewType("RecordId", str)
"""The name of any record: 64 hex digits, the SHA-256 of its plaintext."""

SegmentId = NewType("SegmentId", str)
"""The name of a segment: 64 hex digits; docs/formats/store.md says over what."""

MAIN_STREAM = ""
"""The stream of a session's own transcript; a subagent's has a name."""


class SessionKey(NamedTuple):
    """What people and scripts call a session: `<agent>/<native id>`.

    The native id is the agent's own and may hold any character, slashes included.
    """

    agent: str
    native_id: str

    def __str__(self) -> str:
        return f"{self.agent}/{self.native_id}"

    @classmethod
    def parse(cls, text: str) -> SessionKey:
        """Split at the first slash.

        Raises:
            BadSessionName: There is no slash, or nothing on one side of it.
        """
        agent, slash, native_id = text.partition("/")
        if not (agent and slash and native_id):
            raise BadSessionName(text)
        return cls(agent, native_id)


OTHER_AGENT: Final = "gitmem:"
"""What an origin of another agent begins with, where a native id is expected."""


def origin_key(agent: str, forked_from: str) -> SessionKey:
    """Return the session that one of an agent was forked from, as its `forked_from` names it."""
    if forked_from.startswith(OTHER_AGENT):
        try:
            return SessionKey.parse(forked_from.removeprefix(OTHER_AGENT))
        except BadSessionName:
            pass  # so it is a native id that looks like one of ours
    return SessionKey(agent, forked_from)
