"""The neutral form of docs and CLI: one JSON object a line, which any program can write.

A first line may describe the session: `{"session": {"id", "title", "started_at", "cwd", "branch", "model"}}`.
Every other line is a message: `{"id", "role", "author", "text", "at", "tool_calls", "call_id", "is_error"}`;
a `kind` says of a text that it is `thinking`, a `preamble`, or a user's `message` and nothing besides. What
the session says of its model, directory and branch holds for messages that say nothing of it, not even null.
"""

from __future__ import annotations

from gitmem.model.ids import MAIN_STREAM
from gitmem.model.turns import ROLES, Kind, Role, Tokens, ToolResult
from gitmem.transcripts.agent import Agent, Head, Identity, LineReader
from gitmem.transcripts.calls import describe, describe_text
from gitmem.transcripts.fields import Object, child, children, count, integer, string
from gitmem.transcripts.recorder import Details, Recorder
from gitmem.transcripts.text import content_text, part
from gitmem.transcripts.times import to_ms

NAME = "generic"

_ROLES: dict[str, Role] = {role: role for role in ROLES}


def identify(head: Head) -> Identity | None:
    """Recognise a line that describes the session, or one with a role and a text."""
    first = head.records[0] if head.records else {}
    session = child(first, "session")
    if not session and not _is_message(first):
        return None
    return Identity(
        agent=NAME,
        native_id=string(session, "id") or head.stem,
        stream=MAIN_STREAM,
        parent_id=None,
        shape="lines",
        cwd=string(session, "cwd"),
        forked_from=string(session, "forked_from"),
    )


def _is_message(record: Object) -> bool:
    return string(record, "role") in _ROLES and ("text" in record or "tool_calls" in record)


class GenericReader(LineReader):
    """Reads the lines of the neutral form."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._session = Details()

    def read(self, record: Object) -> None:
        """Read one line."""
        session = child(record, "session")
        role = _ROLES.get(string(record, "role") or "")
        if session and role is None:
            self._read_session(session)
        elif role is None:
            self._recorder.count_unknown(f"role {string(record, 'role') or '(none)'}")
        else:
            # Whoever writes this form may count messages anew: only a fork's copies are known to be copies.
            self._recorder.replaying = self._recorder.inherits(string(record, "id"))
            self._read_message(role, record)
            self._recorder.replaying = False

    def _read_session(self, session: Object) -> None:
        model, cwd, branch = string(session, "model"), string(session, "cwd"), string(session, "branch")
        self._recorder.tell(
            title=string(session, "title"),
            started_ms=to_ms(session.get("started_at")),
            cwd=cwd,
            branch=branch,
            commit=string(session, "commit"),
            model=model,
            forked_from=string(session, "forked_from"),
        )
        self._session = Details(model=model, cwd=cwd, branch=branch)

    def _read_message(self, role: Role, record: Object) -> None:
        recorder = self._recorder
        text = content_text(record.get("text"))
        details = Details(
            id=string(record, "id"),
            parent=string(record, "parent"),
            at_ms=to_ms(record.get("at")),
            author=string(record, "author"),
            cwd=string(record, "cwd") if "cwd" in record else self._session.cwd,
            branch=string(record, "branch") if "branch" in record else self._session.branch,
        )
        recorder.tell(started_ms=details.at_ms)
        usage = child(record, "tokens")
        if usage:
            details.tokens = Tokens(
                *(
                    count(usage, name)
                    for name in ("input", "output", "cache_read", "cache_write", "reasoning")
                )
            )
        kind = string(record, "kind")
        if role == "tool":
            is_error = record.get("is_error") is True
            result = ToolResult(string(record, "call_id"), is_error, integer(record, "exit_status"))
            recorder.add(role, "tool_result", text, details, result=result)
        elif kind == "preamble" and role != "assistant":
            recorder.add(role, "preamble", text, details)
        elif role == "user" and kind == "message":  # parted already
            recorder.add(role, "message", text, details)
        elif role == "user":
            words = part(text)
            recorder.add(role, "preamble", words.preamble, details)
            recorder.add(role, "message", words.message, details)
        elif role == "system":
            recorder.add(role, "notice", text, details)
        else:
            details.model = string(record, "model") if "model" in record else self._session.model
            self._read_assistant(text, record, details)

    def _read_assistant(self, text: str, record: Object, details: Details) -> None:
        if text:
            kind: Kind = "thinking" if record.get("kind") == "thinking" else "message"
            self._recorder.add("assistant", kind, text, details)
            details.tokens = None
        for item in children(record, "tool_calls"):
            arguments, name = item.get("input"), string(item, "name") or ""
            make = describe_text(string(item, "id"), name, arguments) if isinstance(arguments, str) else None
            self._recorder.add_call(make or describe(string(item, "id"), name, arguments), details)
            details.tokens = None


AGENT = Agent(name=NAME, identify=identify, reader=GenericReader)
