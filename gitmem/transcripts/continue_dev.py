"""Continue: one JSON document a session, rewritten whole; nothing in it has a time of its own."""

from __future__ import annotations

from msgspec.structs import replace

from gitmem.model.ids import MAIN_STREAM
from gitmem.model.turns import Tokens, ToolResult
from gitmem.transcripts.agent import Agent, Head, Identity, LineReader
from gitmem.transcripts.calls import describe, describe_text
from gitmem.transcripts.editors import path_of
from gitmem.transcripts.fields import Object, child, children, count, string
from gitmem.transcripts.forms import documents
from gitmem.transcripts.recorder import Details, Recorder
from gitmem.transcripts.text import content_text, part

NAME = "continue"

_PATHS = ("filepath", "dirPath")


def identify(head: Head) -> Identity | None:
    """Recognise the document by its list of messages and what says whose they are."""
    document = head.records[0] if head.records else {}
    if "sessionId" not in document or not {"workspaceDirectory", "title"} & document.keys():
        return None
    if not (isinstance(document.get("history"), list) or head.is_document):
        return None
    return Identity(
        agent=NAME,
        native_id=string(document, "sessionId") or head.stem,
        stream=MAIN_STREAM,
        parent_id=None,
        shape="document",
        cwd=_directory(document),
        forked_from=None,
    )


def _directory(document: Object) -> str | None:
    """Return the workspace, which the editors write as a URI, and the command line as a path."""
    told = string(document, "workspaceDirectory")
    return path_of(told) if told and "://" in told else told


class ContinueReader(LineReader):
    """Reads the messages of a session."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self.begin()

    def begin(self) -> None:
        """Begin a stream."""
        self._answered: set[str] = set()

    def read_members(self, members: Object) -> None:
        """Read what the session says of itself."""
        title = string(members, "title")
        self._recorder.retell(
            title=None if title == "New Session" else title,
            cwd=_directory(members),
            model=string(members, "chatModelTitle"),
        )

    def read(self, record: Object) -> None:
        """Read one message, with what was attached to it and what its tool calls came to."""
        recorder, message = self._recorder, child(record, "message")
        role, text = string(message, "role") or "(none)", content_text(message.get("content"))
        details = Details(id=string(message, "id"))
        if role == "user":
            self._read_user(record, text, details)
        elif role == "assistant":
            self._read_assistant(record, message, text, details)
        elif role == "thinking":
            recorder.add("assistant", "thinking", text, details)
        elif role == "system":
            recorder.add("system", "preamble", text, details)
        elif role == "tool":
            call_id = string(message, "toolCallId")
            if call_id is None or call_id not in self._answered:
                recorder.add("tool", "tool_result", text, details, result=ToolResult(call_id))
        else:
            recorder.count_unknown(f"role {role}")
        summary = string(record, "conversationSummary")
        recorder.add("system", "notice", summary or "", details)

    def _read_user(self, record: Object, text: str, details: Details) -> None:
        words = part(text)
        attached = (
            "\n".join(filter(None, (string(item, "name"), string(item, "content"))))
            for item in children(record, "contextItems")
        )
        preamble = "\n".join(filter(None, (words.preamble, *attached)))
        self._recorder.add("user", "preamble", preamble, details)
        self._recorder.add("user", "message", words.message, details)

    def _read_assistant(self, record: Object, message: Object, text: str, details: Details) -> None:
        recorder, first = self._recorder, self._recorder.next_ordinal
        usage = _tokens(child(message, "usage"))
        spent = replace(details, tokens=usage)
        reasoning = string(child(record, "reasoning"), "text") or ""
        recorder.add("assistant", "thinking", reasoning, spent)
        recorder.add("assistant", "message", text, spent if recorder.next_ordinal == first else details)
        states = {string(state, "toolCallId"): state for state in children(record, "toolCallStates")}
        for call in children(message, "toolCalls"):
            call_id, function = string(call, "id"), child(call, "function")
            name, state = string(function, "name") or "", states.get(call_id, {})
            given = function.get("arguments") or state.get("parsedArgs")
            of_text = describe_text(call_id, name, given, _PATHS) if isinstance(given, str) else None
            made = of_text or describe(call_id, name, given, _PATHS)
            recorder.add_call(made, spent if recorder.next_ordinal == first else details)
            self._read_answer(call_id, state, details)

    def _read_answer(self, call_id: str | None, state: Object, details: Details) -> None:
        status = string(state, "status")
        if status not in ("done", "errored", "canceled"):
            return
        if call_id is not None:
            self._answered.add(call_id)
        texts = (string(item, "content") for item in children(state, "output"))
        text = "\n".join(filter(None, texts))
        result = ToolResult(call_id, status != "done")
        self._recorder.add("tool", "tool_result", text, details, result=result)


def _tokens(usage: Object) -> Tokens | None:
    more = child(usage, "promptTokensDetails")
    cached, written = count(more, "cachedTokens"), count(more, "cacheWriteTokens")
    tokens = Tokens(
        input=max(0, count(usage, "promptTokens") - cached - written),
        output=count(usage, "completionTokens"),
        cache_read=cached,
        cache_write=written,
    )
    return tokens if tokens != Tokens() else None


AGENT = Agent(
    name=NAME,
    identify=identify,
    reader=ContinueReader,
    records=documents("history"),
    writes_documents=True,
)
