"""Gemini CLI: lines of JSON that add, replace and take back messages, or (older) one JSON document.

A message is written anew, under its id, whenever it has grown; `$rewindTo` takes messages back; `$set`
patches what the session says of itself. Turns of messages that were taken back leave a gap in the numbers:
no number ever comes to mean another turn.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from operator import attrgetter

import msgspec
from msgspec.structs import replace

from gitmem.model.ids import MAIN_STREAM
from gitmem.model.turns import Tokens, ToolResult, Turn
from gitmem.transcripts import handed
from gitmem.transcripts.agent import Agent, Head, Identity
from gitmem.transcripts.calls import describe
from gitmem.transcripts.fields import Object, child, children, count, string
from gitmem.transcripts.forms import lines_or_documents
from gitmem.transcripts.recorder import Details, Recorder
from gitmem.transcripts.text import content_text, part
from gitmem.transcripts.times import to_ms

NAME = "gemini-cli"

_NOTICES = ("info", "warning", "error")
_MESSAGES = frozenset(("user", "gemini", *_NOTICES))
_EXIT_CODE = re.compile(r"^Exit Code: (-?\d{1,10})$", re.MULTILINE)
_EXIT_LINES_LIMIT = 1000

HELD_LIMIT = 16 * 1024 * 1024
"""Characters of turns that wait for messages to be written anew or taken back; the older half then goes."""


def identify(head: Head) -> Identity | None:
    """Recognise what a session says of itself, or failing that the lines that only Gemini CLI writes."""
    first = head.records[0] if head.records else {}
    session_id = string(first, "sessionId")
    if session_id is None or not {"projectHash", "startTime"} & first.keys():
        if not any("$set" in r or "$rewindTo" in r or r.get("type") == "gemini" for r in head.records):
            return None
        first = {}
    own = string(first, "sessionId") or head.stem
    folder = head.path.parent.name
    parent = folder if string(first, "kind") == "subagent" and folder not in ("", "chats") else None
    directories = first.get("directories")
    is_whole = head.is_document or (len(head.records) == 1 and bool(first.get("messages")))
    return Identity(
        agent=NAME,
        native_id=parent or own,
        stream=f"agent-{own}" if parent else MAIN_STREAM,
        parent_id=parent,
        shape="document" if is_whole else "lines",
        cwd=_first_text(directories),
        forked_from=handed.forked_from(first, NAME),
        cwd_sha256=string(first, "projectHash"),
    )


class GeminiCliReader:
    """Reads the lines, or the messages of the document, of a session."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self.begin()

    def begin(self) -> None:
        """Begin a stream."""
        self._ordinals: dict[str, list[int]] = {}
        self._replayed: set[str] = set()
        self._held_size = 0

    def ready(self) -> int:
        """None, until too many are held."""
        if self._held_size <= HELD_LIMIT:
            return 0
        pending = self._recorder.pending
        going = pending[: max(1, len(pending) // 2)]
        self._held_size -= sum(len(turn.text) for turn in going)
        return len(going)

    def read_members(self, members: Object) -> None:
        """Read what the session says of itself."""
        if self._recorder.stream == MAIN_STREAM:
            self._recorder.retell(title=string(members, "summary"))
            started_ms, cwd = to_ms(members.get("startTime")), _first_text(members.get("directories"))
            origin = handed.forked_from(members, NAME)
            self._recorder.tell(started_ms=started_ms, cwd=cwd, forked_from=origin)

    def read(self, record: Object) -> None:
        """Read one line, or one message of a document."""
        kind = string(record, "type")
        if kind in _MESSAGES:
            self._read_again_or_first(kind, record)
        elif "$rewindTo" in record:
            self._rewind(string(record, "$rewindTo"))
        elif "$set" in record or "sessionId" in record:
            patch = child(record, "$set") or record
            self.read_members(patch)
            # A replaced list is the model's context, made shorter: what was said before stays said.
            for message in children(patch, "messages"):
                self.read(message)
        else:
            self._recorder.count_unknown(kind or "(no type)")

    def _read_again_or_first(self, kind: str, record: Object) -> None:
        recorder, native_id = self._recorder, string(record, "id")
        if native_id in self._replayed:
            recorder.replaying = True  # a copy that is written anew is a copy
        elif native_id is None or native_id not in self._ordinals:
            recorder.replaying = recorder.knows(native_id)
            if recorder.replaying and native_id is not None:
                self._replayed.add(native_id)
        first = len(recorder.pending)
        self._read_message(kind, record)
        recorder.replaying = False
        made = recorder.pending[first:]
        if native_id in self._ordinals:
            del recorder.pending[first:]
            recorder.next_ordinal -= len(made)
            made = self._replace(native_id, made)
        elif native_id is not None:
            self._ordinals[native_id] = [turn.ordinal for turn in made]
        self._held_size += sum(len(turn.text) for turn in made)

    def _replace(self, native_id: str, made: list[Turn]) -> list[Turn]:
        """Let the new version of a message win; turns that did not change keep their numbers."""
        pending, recorder = self._recorder.pending, self._recorder
        before = [turn for ordinal in self._ordinals[native_id] if (turn := self._pending(ordinal))]
        released = len(self._ordinals[native_id]) - len(before)
        if released:  # given out before this version came
            made = made[released:]
        kept: list[int] = []
        fresh: list[Turn] = []
        for turn in made:
            same = next((old for old in before if _said(old) == _said(turn)), None)
            if same is None:
                fresh.append(msgspec.structs.replace(turn, ordinal=recorder.next_ordinal))
                recorder.next_ordinal += 1
                continue
            before.remove(same)
            kept.append(same.ordinal)
            if same.tokens != turn.tokens:
                at = bisect_left(pending, same.ordinal, key=_ordinal_of)
                pending[at] = msgspec.structs.replace(same, tokens=turn.tokens)
        for old in before:
            self._take_back(old.ordinal)
        pending += fresh
        given_out = self._ordinals[native_id][:released]
        self._ordinals[native_id] = [*given_out, *sorted(kept), *(turn.ordinal for turn in fresh)]
        return fresh

    def _rewind(self, target: str | None) -> None:
        if target not in self._ordinals:
            self._recorder.count_unknown("$rewindTo of a message that is not there")
            return
        name = None
        while name != target:
            name, ordinals = self._ordinals.popitem()  # the last that was begun
            for ordinal in reversed(ordinals):
                self._take_back(ordinal)
            self._recorder.ids.discard(name)

    def _pending(self, ordinal: int) -> Turn | None:
        pending = self._recorder.pending
        at = bisect_left(pending, ordinal, key=_ordinal_of)
        return pending[at] if at < len(pending) and pending[at].ordinal == ordinal else None

    def _take_back(self, ordinal: int) -> None:
        turn = self._pending(ordinal)
        if turn is None:
            self._recorder.count_unknown("taken back too late")
            return
        pending = self._recorder.pending
        del pending[bisect_left(pending, ordinal, key=_ordinal_of)]
        self._held_size -= len(turn.text)

    def _read_message(self, kind: str, record: Object) -> None:
        recorder = self._recorder
        details = Details(id=string(record, "id"), at_ms=to_ms(record.get("timestamp")))
        content = content_text(record.get("content"))
        if kind == "user":
            shown = content_text(record.get("displayContent"))
            words = part(shown or content)
            injected = content if shown and shown != content else ""  # the same with its @files written out
            recorder.add("user", "preamble", "\n".join(filter(None, (words.preamble, injected))), details)
            recorder.add("user", "message", words.message, details)
        elif kind == "gemini":
            self._read_answer(content, record, details)
        else:
            recorder.add("system", "notice", content, details)

    def _read_answer(self, content: str, record: Object, details: Details) -> None:
        recorder, first = self._recorder, len(self._recorder.pending)
        details.model = string(record, "model")
        recorder.tell(model=details.model)
        thoughts = [
            "\n".join(filter(None, (string(thought, "subject"), string(thought, "description"))))
            for thought in children(record, "thoughts")
        ]
        recorder.add("assistant", "thinking", "\n\n".join(filter(None, thoughts)), details)
        recorder.add("assistant", "message", content, details)
        for call in children(record, "toolCalls"):
            self._read_call(call, details)
        usage = child(record, "tokens")
        if usage and len(recorder.pending) > first:
            recorder.pending[first] = msgspec.structs.replace(recorder.pending[first], tokens=_tokens(usage))

    def _read_call(self, call: Object, details: Details) -> None:
        call_id, status = string(call, "id"), string(call, "status")
        self._recorder.add_call(describe(call_id, string(call, "name") or "", call.get("args")), details)
        text, has_failed = _answer(call)
        if not text and status not in ("success", "error", "cancelled"):
            return
        exit_code = _EXIT_CODE.search(text, max(0, len(text) - _EXIT_LINES_LIMIT))
        exit_status = int(exit_code[1]) if exit_code else None
        is_error = has_failed or status in ("error", "cancelled") or exit_status not in (None, 0)
        answered = replace(details, model=None)
        answered.at_ms = to_ms(call.get("timestamp")) or details.at_ms
        result = ToolResult(call_id, is_error, exit_status)
        self._recorder.add("tool", "tool_result", text, answered, result=result)


def _answer(call: Object) -> tuple[str, bool]:
    texts: list[str] = []
    has_failed = False
    for item in children(call, "result"):
        response = child(child(item, "functionResponse"), "response")
        has_failed = has_failed or "error" in response
        text = string(response, "output") or string(response, "error") or string(item, "text")
        if text is not None:
            texts.append(text)
    return "\n".join(texts) or string(call, "resultDisplay") or "", has_failed


def _tokens(usage: Object) -> Tokens:
    cached, thoughts = count(usage, "cached"), count(usage, "thoughts")
    return Tokens(
        input=max(0, count(usage, "input") - cached) + count(usage, "tool"),
        output=count(usage, "output") + thoughts,
        cache_read=cached,
        reasoning=thoughts,
    )


def _first_text(value: object) -> str | None:
    return value[0] if isinstance(value, list) and value and isinstance(value[0], str) else None


def _said(turn: Turn) -> tuple[object, ...]:
    return turn.role, turn.kind, turn.text, turn.call, turn.result


_ordinal_of = attrgetter("ordinal")

AGENT = Agent(
    name=NAME,
    identify=identify,
    reader=GeminiCliReader,
    records=lines_or_documents("messages"),
    writes_documents=True,
)
