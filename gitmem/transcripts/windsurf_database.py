"""Windsurf's older editor databases: tabs of chat in the `state.vscdb` of a workspace.

They look as those of an old Cursor do, and are told from them by where they are. A rendition is a line that
says which chat it is, a line for each bubble, `{"bubble": {…}}`, and a last one with what the chat says of
itself. What newer versions keep is encrypted.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gitmem.model.ids import MAIN_STREAM
from gitmem.transcripts.agent import Head, Identity, Listing
from gitmem.transcripts.cursor_bubbles import read_bubble
from gitmem.transcripts.cursor_database import KEYS, is_of_windsurf, tab_lines, tab_listed, tabs_in
from gitmem.transcripts.cursor_workspaces import folder_of
from gitmem.transcripts.fields import Object, child, string
from gitmem.transcripts.recorder import Recorder
from gitmem.transcripts.sqlite import has_tables, line_of, opened

NAME = "windsurf"


class WindsurfDatabase:
    """The chats of one database."""

    def holds(self, path: Path, head: bytes) -> bool:
        """Tell whether it is an editor's database, and in one of Windsurf's folders."""
        return (
            path.suffix == ".vscdb" and is_of_windsurf(path) and has_tables(path, head, {"ItemTable": KEYS})
        )

    def sessions(self, path: Path, since: str | None) -> Listing:
        """List all: a database has few, and they say of no time when they were changed."""
        with opened(path) as connection:
            return Listing(tuple(tab_listed(tab, NAME, folder_of(path)) for tab in tabs_in(connection)))

    def rendition(self, path: Path, identity: Identity) -> Iterator[bytes]:
        """Yield the lines of one chat."""
        yield line_of({NAME: {"tabId": identity.native_id}})
        with opened(path) as connection:
            for tab in tabs_in(connection):
                if string(tab, "tabId") == identity.native_id:
                    yield from tab_lines(tab, NAME, identity.cwd)
                    return


def identify_chat(head: Head) -> Identity | None:
    """Recognise the first line of a rendition."""
    first = head.records[0] if head.records else {}
    own = string(child(first, NAME), "tabId")
    if first.keys() != {NAME} or own is None:
        return None
    cwd = next(filter(None, (string(child(record, NAME), "cwd") for record in head.records)), None)
    return Identity(NAME, own, MAIN_STREAM, None, "document", cwd, None)


def read_chat_line(recorder: Recorder, record: Object) -> bool:
    """Read a line of a rendition; False where it is none."""
    if "bubble" in record:
        read_bubble(recorder, child(record, "bubble"))
    elif NAME in record:
        about = child(record, NAME)
        recorder.retell(title=string(about, "chatTitle"), cwd=string(about, "cwd"))
    else:
        return False
    return True
