"""Sessions whose text stayed with a remote: known by their records, and read once their text has come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from gitmem.model.errors.store import TextNotHere
from gitmem.model.ids import SessionId

Bring = Callable[[SessionId], object]
"""Brings the text of a session here, and has it checked."""


class Absent:
    """The sessions of a memory whose text is not here; without `bring` reading one is refused."""

    def __init__(self, sessions: Iterable[SessionId] = (), bring: Bring | None = None) -> None:
        self._bringing: dict[SessionId, Bring | None] = dict.fromkeys(sessions, bring)

    def __contains__(self, session: object) -> bool:
        return session in self._bringing

    def __iter__(self) -> Iterator[SessionId]:
        return iter(self._bringing)

    def __len__(self) -> int:
        return len(self._bringing)

    def require(self, session: SessionId) -> None:
        """See that the text of a session is here.

        Raises:
            TextNotHere: It is not.
        """
        if session in self._bringing:
            bring = self._bringing[session]
            if bring is None:
                raise TextNotHere(session)
            bring(session)
            del self._bringing[session]

    def only(self, sessions: Iterable[SessionId]) -> Mapping[SessionId, Bring | None]:
        """Return what is absent of some sessions, and what brings each."""
        return {session: self._bringing[session] for session in sessions if session in self._bringing}


def joined(parts: Iterable[Mapping[SessionId, Bring | None]]) -> Absent:
    """Return what is absent of several memories that are seen as one."""
    absent = Absent()
    for part in parts:
        absent._bringing |= part
    return absent


NOTHING = Absent()
