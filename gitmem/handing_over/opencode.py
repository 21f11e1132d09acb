"""opencode's sessions, as the document that `opencode import` takes: its database is written by nobody else.

A record here is a line of a session's rendition: `{"message": {"info", "parts"}}`, and `{"session": {…}}`.
Ids are `msg_` and `prt_`, twelve hex digits by which they are sorted, and fourteen characters that make them
unique.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from gitmem.handing_over.placing import FOLDER
from gitmem.handing_over.records import left_behind, records_of
from gitmem.handing_over.steps import Lost, Said, Step
from gitmem.handing_over.target import Copy, Target, tool_name
from gitmem.model.errors.intake import UnknownTranscript
from gitmem.model.ids import MAIN_STREAM
from gitmem.transcripts import folders, opencode
from gitmem.transcripts.agent import Identity
from gitmem.transcripts.fields import Object, child, children, mapping, string
from gitmem.transcripts.handed import copy_id, marked, short_id
from gitmem.transcripts.opencode_database import OpencodeDatabase
from gitmem.transcripts.sqlite import opened

_SORTED_DIGITS: Final = 12
_NO_MODEL: Final[Object] = {"providerID": "unknown", "modelID": "unknown"}
_NO_TOKENS: Final[Object] = {"input": 0, "output": 0, "reasoning": 0, "cache": {"read": 0, "write": 0}}
_MODEL: Final = re.compile(r'^[^/\n]*"model"\s*:\s*"([^"/\s]+)/([^"\s]+)"', re.MULTILINE)
"""In opencode's settings, which may have comments and commas that JSON has not."""
_INSTRUCTIONS: Final = "instructions of the program"
_LOOKED_AT: Final = 50
"""Messages, the newest of all, in which the model is looked for that was used last."""


def _place(state_dir: Path, environ: Mapping[str, str], copy: Copy, stream: str) -> Path:
    """Documents wait to be imported in gitmem's own folder, `state_dir`."""
    return state_dir / FOLDER / f"{copy.native_id}.json"


def _known(home: Path, environ: Mapping[str, str], native_id: str) -> Iterator[Path]:
    path = folders.opencode(home, environ)[0]
    try:
        with opened(path) as connection:
            row = connection.execute("SELECT 1 FROM session WHERE id = ?", (native_id,)).fetchone()
    except (UnknownTranscript, sqlite3.Error):
        return  # there is none yet, or no opencode whose tables we know
    if row is not None:
        yield path


def _continues(path: Path, native_id: str, ours: Iterable[bytes]) -> bool:
    """Messages are edited in place, so that what tells them apart is their ids."""
    identity = Identity(opencode.NAME, native_id, MAIN_STREAM, None, "document", None, None)
    standing = _message_ids(records_of(OpencodeDatabase().rendition(path, identity), opencode.NAME))
    wanted = _message_ids(records_of(ours, opencode.NAME))
    return standing[: len(wanted)] == wanted


def _message_ids(records: Iterable[Object]) -> list[str | None]:
    return [_message_id(record) for record in records if "message" in record]


def _message_id(record: Object) -> str | None:
    return string(child(child(record, "message"), "info"), "id")


def _renamed(records: Iterable[Object], copy: Copy, stream: str, lost: Lost) -> Iterator[Object] | None:
    """Every message and part takes a new id; subagents, which are sessions of their own, stay behind."""
    return _renamed_messages(records, copy, lost) if stream == MAIN_STREAM else None


def _renamed_messages(records: Iterable[Object], copy: Copy, lost: Lost) -> Iterator[Object]:
    names: dict[str, str] = {}
    for n, record in enumerate(records):
        if "message" not in record:
            if "session" not in record:  # which is made anew
                lost[left_behind(record)] += 1
            continue
        message = child(record, "message")
        info = child(message, "info")
        own = _new_id("msg", copy, n, short_id(string(info, "id") or f"{n:014x}"))
        names[string(info, "id") or ""] = own
        changed = {**info, "id": own, "sessionID": copy.native_id}
        lost[_INSTRUCTIONS] += changed.pop("system", None) is not None
        if "parentID" in info:
            changed["parentID"] = names.get(string(info, "parentID") or "", own)
        if "path" in info:
            changed["path"] = {"cwd": str(copy.cwd), "root": str(copy.cwd)}
        parts = [
            {
                **part,
                "id": _new_id("prt", copy, n, f"{at:014x}"),
                "messageID": own,
                "sessionID": copy.native_id,
            }
            for at, part in enumerate(children(message, "parts"))
        ]
        yield {"message": {"info": changed, "parts": [_with_mark(part, copy) for part in parts]}}
    yield _session(copy)


_MARKED_PARTS: Final = ("text", "reasoning", "tool")


def _with_mark(part: Object, copy: Copy, *, is_last: bool = False) -> Object:
    mark = marked(copy.origin, is_last=is_last)
    if string(part, "type") not in _MARKED_PARTS:
        return part
    if string(part, "type") == "tool":
        state = child(part, "state")
        return {**part, "state": {**state, "metadata": {**child(state, "metadata"), **mark}}}
    return {**part, "metadata": {**child(part, "metadata"), **mark}}


def _ended(records: Iterable[Object], copy: Copy) -> Iterator[Object]:
    """Yield records, of which the last message that has room for it says that it is the last."""
    held: list[Object] = []
    for record in records:
        parts = children(child(record, "message"), "parts")
        if any(string(part, "type") in _MARKED_PARTS for part in parts):
            yield from held
            held = []
        elif not held:
            yield record
            continue
        held.append(record)
    if held:
        message = child(held[0], "message")
        parts = [_with_mark(part, copy, is_last=True) for part in children(message, "parts")]
        yield {"message": {**message, "parts": parts}}
    yield from held[1:]


def _built(steps: Sequence[Step], copy: Copy, lost: Lost) -> Iterator[Object]:
    at_ms, asked = copy.started_ms, None
    for n, step in enumerate(steps):
        at_ms = at_ms if step.turn.at_ms is None else step.turn.at_ms
        copied = copy_id(copy.origin, step.turn.stream, step.turn.ordinal)
        own = _new_id("msg", copy, n, short_id(copied))
        info: Object = {"id": own, "sessionID": copy.native_id, "time": {"created": at_ms}}
        part: Object = {"id": _new_id("prt", copy, n, short_id(copied)), "messageID": own}
        part |= {"sessionID": copy.native_id, **_part(step, at_ms)}
        if isinstance(step, Said) and step.role == "user":
            asked = own
            info |= {"role": "user", "agent": "build", "model": _NO_MODEL}
        else:
            info |= {"role": "assistant", "parentID": asked or own, "mode": "build", "agent": "build"}
            info |= {"time": {"created": at_ms, "completed": at_ms}, **_NO_MODEL}
            info |= {"path": {"cwd": str(copy.cwd), "root": str(copy.cwd)}, "cost": 0, "tokens": _NO_TOKENS}
        yield {"message": {"info": info, "parts": [_with_mark(part, copy)]}}
    yield _session(copy, at_ms)


def _part(step: Step, at_ms: int) -> Object:
    time = {"start": at_ms, "end": at_ms}
    if isinstance(step, Said):
        if step.kind == "thinking":
            return {"type": "reasoning", "text": step.text, "time": time}
        return {"type": "text", "text": step.text}
    assert step.turn.call is not None
    name = tool_name(step.turn.call.name)
    state: Object = {"status": "completed", "input": step.arguments, "output": step.output}
    if step.has_failed:
        state = {"status": "error", "input": step.arguments, "error": step.output}
    state |= {"title": name, "metadata": {}, "time": time}
    call_id = f"call_{step.turn.ordinal}"
    return {"type": "tool", "callID": call_id, "tool": name, "state": state}


def _new_id(kind: str, copy: Copy, n: int, unique: str) -> str:
    """Return an id that sorts behind those before it, and before all that opencode makes itself."""
    digest = hashlib.sha256(f"{copy.native_id}\0{n}\0{unique}".encode()).hexdigest()
    # Another copy of the same messages is another session's, and may not have their ids.
    shift_ms = int(hashlib.sha256(copy.native_id.encode()).hexdigest()[:5], 16)
    sorted_by = ((copy.started_ms - shift_ms) * 0x1000 + n) % (1 << 4 * _SORTED_DIGITS)
    if kind == "prt":
        unique = digest[:14]
    return f"{kind}_{sorted_by:012x}{unique}"


def _session(copy: Copy, updated_ms: int | None = None) -> Object:
    time = {"created": copy.started_ms, "updated": updated_ms or copy.started_ms}
    session: Object = {"id": copy.native_id, "slug": "handed-over", "projectID": "global"}
    session |= {
        "directory": str(copy.cwd),
        "title": copy.title or "Resumed",
        "version": "0.0.0",
        "time": time,
    }
    return {"session": session}


def with_last_model(home: Path, environ: Mapping[str, str], document: Object) -> Object:
    """Return a document that names, where it names no model, the one that was used last, or is set."""
    model = _last_model(home, environ) or _set_model(home, environ) or _NO_MODEL
    for message in children(document, "messages"):
        info = child(message, "info")
        if info.get("model") == _NO_MODEL:
            info["model"] = model
    return document


def _last_model(home: Path, environ: Mapping[str, str]) -> Object | None:
    try:
        with opened(folders.opencode(home, environ)[0]) as connection:
            rows = connection.execute(
                "SELECT data FROM message ORDER BY time_created DESC LIMIT ?", (_LOOKED_AT,)
            ).fetchall()
    except (UnknownTranscript, sqlite3.Error):
        return None
    for (data,) in rows:
        model = child(mapping(msgspec.json.decode(data)), "model")
        if string(model, "providerID") not in (None, "unknown") and string(model, "modelID"):
            return {"providerID": model["providerID"], "modelID": model["modelID"]}
    return None


def _set_model(home: Path, environ: Mapping[str, str]) -> Object | None:
    root = environ.get("XDG_CONFIG_HOME")
    folder = (Path(root) if root else home / ".config") / "opencode"
    for name in ("opencode.jsonc", "opencode.json", "config.json"):
        try:
            found = _MODEL.search((folder / name).read_text("utf-8", "replace"))
        except OSError:
            continue
        if found is not None:
            return {"providerID": found[1], "modelID": found[2]}
    return None


def document_of(records: Iterable[Object]) -> Object:
    """Return the document that `opencode import` takes."""
    messages: list[Object] = []
    info: Object = {}
    for record in records:
        if "message" in record:
            messages.append(child(record, "message"))
        elif "session" in record:
            info = child(record, "session")
    session, time = string(info, "id"), child(info, "time")
    # What the database has in columns is in no body, and a rendition has not all of it.
    whole: Object = {"slug": "handed-over", "projectID": "global", "version": "0.0.0", "title": ""}
    whole |= {key: value for key, value in info.items() if value is not None}
    whole["time"] = {"updated": time.get("created"), **time}
    return {"info": whole, "messages": [_whole(message, session) for message in messages]}


def _whole(message: Object, session: str | None) -> Object:
    info = {**child(message, "info"), "sessionID": session}
    named = {"messageID": string(info, "id"), "sessionID": session}
    return {"info": info, "parts": [{**part, **named} for part in children(message, "parts")]}


OPENCODE = Target(
    opencode.NAME,
    _place,
    _known,
    _renamed,
    _built,
    lambda native_id: ("opencode", "-s", native_id),
    finds=lambda placed, standing: True,
    continues=_continues,
    new_id=lambda digits: f"ses_{digits[:26]}",
    importer=lambda path: ("opencode", "import", str(path)),
    ended=_ended,
    document=lambda home, environ, records: with_last_model(home, environ, document_of(records)),
)
