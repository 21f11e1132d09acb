"""Trajectories in the Agent Trajectory Interchange Format: one JSON document, with subagents' inside of it.

A trajectory's rendition is a line that names it, `{"trajectory": {…}}`, a line for each step as it stands in
the document, and what is known only at the end, `{"final": {…}}`. Each trajectory that is embedded, however
deep, is a stream of the outermost one's session.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from gitmem.model.errors.intake import UnknownTranscript
from gitmem.model.ids import MAIN_STREAM
from gitmem.model.turns import ToolResult
from gitmem.transcripts.agent import Agent, Head, Identity, LineReader, Listed, Listing
from gitmem.transcripts.calls import describe
from gitmem.transcripts.fields import Object, child, children, integer, string
from gitmem.transcripts.members import (
    Members,
    elements_of,
    line_of,
    members_of,
    object_line,
    text_of,
    value_of,
)
from gitmem.transcripts.recorder import Details, Recorder
from gitmem.transcripts.text import content_text, part
from gitmem.transcripts.times import to_ms
from gitmem.transcripts.trajectory import READ_VERSIONS, own_extra, tokens_of

NAME = "atif"
LARGEST_BYTES = 64 << 20
"""Of a document, which is held whole. A larger one is refused by name."""

_NAMING = ("schema_version", "session_id", "trajectory_id", "agent", "extra")
_STEPS, _EMBEDDED = "steps", "subagent_trajectories"
_DEEPEST = 20


class Trajectories:
    """A document, as the sessions that are in it."""

    def holds(self, path: Path, head: bytes) -> bool:
        """Tell whether a document says near its beginning that it is a trajectory."""
        begins = head.removeprefix(b"\xef\xbb\xbf").lstrip()
        marks = b'"schema_version"', b'"%b' % READ_VERSIONS.encode()
        return begins.startswith(b"{") and all(mark in head for mark in marks)

    def sessions(self, path: Path, since: str | None) -> Listing:
        """List the trajectory and all that are embedded in it."""
        found = _trajectories(path)
        size, mark = path.stat().st_size, str(path.stat().st_mtime_ns)
        return Listing(tuple(Listed(one.identity, mark, None, size // len(found)) for one in found))

    def rendition(self, path: Path, identity: Identity) -> Iterator[bytes]:
        """Yield the lines of one trajectory."""
        for one in _trajectories(path):
            if one.identity.stream == identity.stream:
                yield object_line("trajectory", one.members, only=_NAMING)
                yield from (line_of(step) for step in elements_of(one.members.get(_STEPS, b"[]")))
                yield object_line("final", one.members, without=(*_NAMING, _STEPS, _EMBEDDED))
                return
        raise UnknownTranscript(str(path), f"the trajectory {identity.stream} is not in it any more")


class _Trajectory(NamedTuple):
    identity: Identity
    members: Members


def _trajectories(path: Path) -> list[_Trajectory]:
    """Return the trajectory in a file, and those embedded in it, the outermost first."""
    with path.open("rb") as file:
        data = file.read(LARGEST_BYTES + 1)
    if len(data) > LARGEST_BYTES:
        raise UnknownTranscript(str(path), f"it has more than {LARGEST_BYTES:,} bytes")
    members = members_of(data.removeprefix(b"\xef\xbb\xbf"))
    if not (text_of(members, "schema_version") or "").startswith(READ_VERSIONS) or _STEPS not in members:
        raise UnknownTranscript(str(path), "it is no whole trajectory")
    root = _name(members) or path.name.partition(".")[0] or "unnamed"
    cwd = string(own_extra({"extra": value_of(members, "extra")}), "cwd")
    found = [_Trajectory(Identity(NAME, root, MAIN_STREAM, None, "document", cwd, None), members)]
    left = [(embedded, root, 1) for embedded in elements_of(members.get(_EMBEDDED, b"[]"))]
    seen: set[str] = set()
    for data, parent, depth in left:
        members = members_of(data)
        own = _name(members) or f"{len(found)}"
        if _STEPS not in members or own in seen or depth > _DEEPEST:
            continue
        seen.add(own)
        identity = Identity(NAME, root, f"agent-{own}", parent, "document", None, None)
        found.append(_Trajectory(identity, members))
        left += [(one, own, depth + 1) for one in elements_of(members.get(_EMBEDDED, b"[]"))]
    return found


def _name(members: Members) -> str | None:
    """Return what a trajectory is called; several may be of one session, and then have names of their own."""
    return text_of(members, "trajectory_id") or text_of(members, "session_id")


def identify(head: Head) -> Identity | None:
    """Recognise a rendition by its first line."""
    trajectory = child(head.records[0], "trajectory") if head.records else {}
    if not (string(trajectory, "schema_version") or "").startswith(READ_VERSIONS):
        return None
    own = string(trajectory, "trajectory_id") or string(trajectory, "session_id") or head.stem
    cwd = string(own_extra(trajectory), "cwd")
    return Identity(NAME, own, MAIN_STREAM, None, "document", cwd, None)


class AtifReader(LineReader):
    """Reads the steps of a trajectory and of those embedded in it."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._model: str | None = None

    def begin(self) -> None:
        """A subagent has a model of its own."""
        self._model = None

    def read(self, record: Object) -> None:
        """Read one line."""
        if "trajectory" in record:
            self._read_trajectory(child(record, "trajectory"))
        elif "source" in record:
            self._recorder.replaying = record.get("is_copied_context") is True
            self._read_step(record)
            self._recorder.replaying = False
        elif "final" not in record:
            self._recorder.count_unknown("(no source)")

    def _read_trajectory(self, trajectory: Object) -> None:
        agent, own = child(trajectory, "agent"), own_extra(trajectory)
        self._model = string(agent, "model_name")
        if self._recorder.stream != MAIN_STREAM:
            return
        named = (string(agent, "name"), string(agent, "version"))
        self._recorder.tell(
            title=string(own, "title"),
            started_ms=to_ms(own.get("started_at")),
            cwd=string(own, "cwd"),
            branch=string(own, "branch"),
            commit=string(own, "commit"),
            forked_from=string(own, "forked_from"),
            model=self._model,
            agent_version=" ".join(name for name in named if name) or None,
        )

    def _read_step(self, step: Object) -> None:
        recorder, source, own = self._recorder, string(step, "source"), own_extra(step)
        details = Details(
            id=string(own, "id"),
            parent=string(own, "parent"),
            author=string(own, "author"),
            at_ms=to_ms(step.get("timestamp")),
            cwd=string(own, "cwd"),
            branch=string(own, "branch"),
        )
        recorder.tell(started_ms=details.at_ms, cwd=details.cwd, branch=details.branch)
        text = content_text(step.get("message"))
        if source == "user":
            words = part(text)
            is_preamble = string(own, "kind") == "preamble"
            recorder.add("user", "preamble", text if is_preamble else words.preamble, details)
            recorder.add("user", "message", "" if is_preamble else words.message, details)
        elif source == "system":
            recorder.add("system", "notice", text, details)
        elif source == "agent":
            self._read_agent(step, text, details)
        else:
            recorder.count_unknown(f"source {source or '(none)'}")
        for result in children(child(step, "observation"), "results"):
            self._read_result(result, details)

    def _read_agent(self, step: Object, text: str, details: Details) -> None:
        """Read what the model thought, said and called; usage is on the first of these that says anything."""
        recorder, metrics = self._recorder, child(step, "metrics")
        told = replace(details, model=string(step, "model_name") or self._model)
        recorder.tell(model=told.model)
        first = replace(told, tokens=tokens_of(metrics)) if metrics else told
        before = len(recorder.pending)
        recorder.add("assistant", "thinking", string(step, "reasoning_content") or "", first)
        first = first if len(recorder.pending) == before else told
        before = len(recorder.pending)
        recorder.add("assistant", "message", text, first)
        first = first if len(recorder.pending) == before else told
        for call in children(step, "tool_calls"):
            name, own, arguments = string(call, "function_name") or "", own_extra(call), call.get("arguments")
            call_id = None if own.get("has_no_id") is True else string(call, "tool_call_id")
            if own.get("is_wrapped") is True:
                arguments = child(call, "arguments").get("input")
            recorder.add_call(describe(call_id, name, arguments), first)
            first = told

    def _read_result(self, result: Object, details: Details) -> None:
        own = own_extra(result)
        exit_status = integer(own, "exit_status")
        is_error = own.get("is_error") is True or exit_status not in (None, 0)
        told = ToolResult(string(result, "source_call_id"), is_error, exit_status)
        self._recorder.add("tool", "tool_result", content_text(result.get("content")), details, result=told)


AGENT = Agent(
    name=NAME,
    identify=identify,
    reader=AtifReader,
    collection=Trajectories(),
)
