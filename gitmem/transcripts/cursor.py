"""Cursor: composers and chats of its editor, sessions of its command line, and what it writes of both beside.

All of them are collections, and their renditions are read here: lines with a `bubble` of the editor, with a
`message` of the command line, or as Cursor's own transcripts have them. `{"cursor": {…}}` says which session
it is, first, and what it says of itself, last. Subagents are composers of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gitmem.model.ids import MAIN_STREAM
from gitmem.transcripts import cursor_database, cursor_store, cursor_transcripts
from gitmem.transcripts.agent import Agent, Head, Identity, LineReader, Listing
from gitmem.transcripts.cursor_bubbles import read_bubble
from gitmem.transcripts.cursor_messages import read_message, read_section
from gitmem.transcripts.fields import Object, child, string
from gitmem.transcripts.times import to_ms

NAME = cursor_database.NAME


def identify(head: Head) -> Identity | None:
    """Recognise the first line of a rendition, or a transcript of Cursor's that was moved elsewhere."""
    first = head.records[0] if head.records else {}
    about = child(first, "cursor")
    own = _id_in(about)
    if first.keys() == {"cursor"} and own is not None:
        parent = next((string(about, key) for key in _PARENTS if string(about, key)), None)
        return Identity(
            agent=NAME,
            native_id=parent or own,
            stream=f"agent-{own}" if parent else MAIN_STREAM,
            parent_id=parent,
            shape="document",
            cwd=next(
                (cwd for record in head.records if (cwd := string(child(record, "cursor"), "cwd"))), None
            ),
            forked_from=None,
        )
    if cursor_transcripts.is_line(first):
        return Identity(NAME, head.stem, MAIN_STREAM, None, "lines", None, None)
    return None


_IDS = ("composerId", "agentId", "transcript", "tabId")
_PARENTS = ("parentComposerId", "parentAgentId", "parent")


def _id_in(about: Object) -> str | None:
    return next((string(about, key) for key in _IDS if string(about, key)), None)


class CursorCollection:
    """The sessions of a database, a store or a transcript, whichever a file is."""

    def holds(self, path: Path, head: bytes) -> bool:
        """Tell whether it is one of them."""
        return (
            cursor_database.holds(path, head)
            or cursor_store.holds(path, head)
            or cursor_transcripts.holds(path, head)
        )

    def sessions(self, path: Path, since: str | None) -> Listing:
        """List its sessions; only the editor's database tells what changed since."""
        if path.suffix == ".vscdb":
            return cursor_database.sessions(path, since)
        return cursor_store.sessions(path) if path.suffix == ".db" else cursor_transcripts.sessions(path)

    def rendition(self, path: Path, identity: Identity) -> Iterator[bytes]:
        """Yield a session's lines."""
        if path.suffix == ".vscdb":
            return cursor_database.rendition(path, identity)
        if path.suffix == ".db":
            return cursor_store.rendition(path, identity)
        return cursor_transcripts.rendition(path, identity)


class CursorReader(LineReader):
    """Reads the lines of a rendition."""

    def read_members(self, members: Object) -> None:
        """Read what the session says of itself."""
        if self._recorder.stream != MAIN_STREAM:
            return
        self._recorder.retell(
            title=string(members, "name") or string(members, "chatTitle"),
            started_ms=to_ms(members.get("createdAt")),
            cwd=string(members, "cwd"),
            branch=string(members, "createdOnBranch"),
        )
        model = string(child(members, "modelConfig"), "modelName") or string(members, "lastUsedModel")
        self._recorder.tell(model=model)

    def read(self, record: Object) -> None:
        """Read one line."""
        recorder = self._recorder
        if "bubble" in record:
            read_bubble(recorder, child(record, "bubble"))
        elif "section" in record:
            read_section(recorder, string(record, "section") or "")
        elif "message" in record:
            read_message(recorder, record)
        elif "cursor" in record:
            self.read_members(child(record, "cursor"))
        elif string(record, "type") != "turn_ended":
            recorder.count_unknown(string(record, "type") or "(no type)")


AGENT = Agent(
    name=NAME,
    identify=identify,
    reader=CursorReader,
    collection=CursorCollection(),
)
