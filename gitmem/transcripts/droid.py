"""Factory's droid: lines of JSON, appended to; one file a session, with its settings and usage beside it."""

from __future__ import annotations

import re

from gitmem.model.ids import MAIN_STREAM
from gitmem.transcripts.agent import Agent, Head, Identity, LineReader
from gitmem.transcripts.blocks import add_assistant, add_user
from gitmem.transcripts.fields import Object, child, string
from gitmem.transcripts.recorder import Details
from gitmem.transcripts.text import content_text
from gitmem.transcripts.times import to_ms

NAME = "droid"

_UNINTERESTING = frozenset(("session_end", "todo_state"))
_EXIT_CODE = re.compile(r"\[Process exited with code (-?\d{1,10})\]\s*\Z")


def identify(head: Head) -> Identity | None:
    """Recognise a session by its first line."""
    start = next((record for record in head.records if string(record, "type") == "session_start"), None)
    if start is None or not {"id", "cwd", "title", "sessionTitle"} & start.keys():
        return None
    return Identity(
        agent=NAME,
        native_id=string(start, "id") or head.stem,
        stream=MAIN_STREAM,
        parent_id=None,
        shape="lines",
        cwd=string(start, "cwd"),
        forked_from=None,
    )


class DroidReader(LineReader):
    """Reads the lines of a session."""

    def read(self, record: Object) -> None:
        """Read one line."""
        recorder, kind = self._recorder, string(record, "type") or "(no type)"
        details = Details(
            id=string(record, "id"),
            parent=string(record, "parentId"),
            at_ms=to_ms(record.get("timestamp")),
        )
        if kind == "message":
            self._read_message(child(record, "message"), details)
        elif kind == "session_start":
            # `title` is the first prompt, `sessionTitle` what it was named later.
            title = string(record, "sessionTitle") or string(record, "title")
            recorder.retell(title=title, cwd=string(record, "cwd"))
        elif kind == "compaction_state":
            text = string(record, "summary") or string(record, "summaryText")
            recorder.add("system", "notice", text or "Context compacted", details)
        elif kind not in _UNINTERESTING:
            recorder.count_unknown(kind)

    def _read_message(self, message: Object, details: Details) -> None:
        recorder, role = self._recorder, string(message, "role") or "(none)"
        recorder.tell(started_ms=details.at_ms)
        if role == "user":
            add_user(recorder, message.get("content"), details, _EXIT_CODE)
        elif role == "assistant":
            details.model = string(message, "model")
            recorder.tell(model=details.model)
            add_assistant(recorder, message, details)
        elif role == "system":
            recorder.add("system", "preamble", content_text(message.get("content")), details)
        else:
            recorder.count_unknown(f"role {role}")


AGENT = Agent(name=NAME, identify=identify, reader=DroidReader)
