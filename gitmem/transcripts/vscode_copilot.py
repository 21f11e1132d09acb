"""Copilot's chat in VS Code: sessions that are rewritten, or patched by a log, read from their renditions.

A request and all that came of it are one record. What the chat showed has the order; what tools were given
and what they answered, where the chat shows only a phrase, stands in the metadata of the result, once there
is one (`vscode_calls`).
"""

from __future__ import annotations

from msgspec.structs import replace

from gitmem.model.ids import MAIN_STREAM
from gitmem.model.turns import Tokens
from gitmem.transcripts.agent import Agent, Head, Identity, LineReader
from gitmem.transcripts.calls import describe
from gitmem.transcripts.editors import path_of
from gitmem.transcripts.fields import Object, child, count, mapping, string
from gitmem.transcripts.recorder import Details, Recorder
from gitmem.transcripts.text import part
from gitmem.transcripts.times import to_ms
from gitmem.transcripts.vscode_calls import Calls, shown_text
from gitmem.transcripts.vscode_sessions import NAME, REQUEST, SESSION, VSCODE_SESSIONS, began_in

_UNINTERESTING = frozenset(
    (
        "agentTask",
        "clearToPreviousToolInvocation",
        "codeblockUri",
        "codeCitation",
        "command",
        "disabledClaudeHooks",
        "extensions",
        "hook",
        "mcpServersStarting",
        "mcpServersStartingSerialized",
        "multiDiffData",
        "notebookEditGroup",
        "planReview",
        "prepareToolInvocation",
        "progressMessage",
        "progressTask",
        "progressTaskSerialized",
        "pullRequest",
        "questionCarousel",  # the tool that asks has the answers as its result
        "reference",
        "references",
        "treeData",
        "undoStop",
        "usage",
        "workspaceEdit",
    )
)
_TOOLS = ("toolInvocation", "toolInvocationSerialized")
_NOTICES = frozenset(("confirmation", "elicitation", "elicitation2", "elicitationSerialized", "warning"))


def identify(head: Head) -> Identity | None:
    """Recognise a rendition by its first line."""
    first = head.records[0] if head.records else {}
    session = child(first, SESSION)
    if "sessionId" not in session and "creationDate" not in session:
        return None
    return Identity(
        agent=NAME,
        native_id=string(session, "sessionId") or head.stem,
        stream=MAIN_STREAM,
        parent_id=None,
        shape="document",
        cwd=began_in(child(first, "workspace")),
        forked_from=None,
    )


class VscodeCopilotReader(LineReader):
    """Reads the lines of a rendition."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self.begin()

    def begin(self) -> None:
        """Begin a stream."""
        self._said: list[str] = []
        self._thought: list[str] = []

    def read(self, record: Object) -> None:
        """Read one line."""
        if REQUEST in record:
            self._read_request(child(record, REQUEST))
        elif SESSION in record:
            session = child(record, SESSION)
            self._recorder.retell(title=string(session, "customTitle"))
            started_ms, cwd = to_ms(session.get("creationDate")), began_in(child(record, "workspace"))
            self._recorder.tell(started_ms=started_ms, cwd=cwd)
        else:
            self._recorder.count_unknown(string(record, "type") or "(no type)")

    def _read_request(self, request: Object) -> None:
        recorder, own = self._recorder, string(request, "requestId")
        at_ms = to_ms(request.get("timestamp"))
        asked = Details(id=own, at_ms=at_ms)
        words = part(string(child(request, "message"), "text") or string(request, "message") or "")
        recorder.add_words(words, asked)
        result = child(request, "result")
        metadata = child(result, "metadata")
        model = string(metadata, "resolvedModel") or string(request, "modelId")
        recorder.tell(model=model, started_ms=at_ms)
        details = Details(
            id=string(request, "responseId"),
            parent=own,
            at_ms=at_ms,
            model=model,
            tokens=_tokens(child(result, "usage") or metadata),
        )
        self._read_response(request, metadata, details)
        error = string(child(result, "errorDetails"), "message")
        if error is None and request.get("isCanceled") is True:
            error = "Canceled"
        recorder.add("system", "notice", error or "", Details(id=details.id, parent=own, at_ms=at_ms))

    def _read_response(self, request: Object, metadata: Object, details: Details) -> None:
        response = request.get("response")
        items = [mapping(item) for item in response] if isinstance(response, list) else []
        calls = Calls(metadata, [item for item in items if string(item, "kind") in _TOOLS])
        for item in items:
            kind = string(item, "kind")
            if kind == "thinking":
                self._flush_said(details)
                self._thought += _texts(item.get("value"))
                continue
            text = _said_by(item, kind)
            if text is not None:
                self._flush_thought(details)
                self._said.append(text)
            elif kind not in _UNINTERESTING:  # these come in the midst of a sentence, too
                self._flush(details)
                self._read_item(item, kind or "(no kind)", calls, details)
        self._flush(details)

    def _read_item(self, item: Object, kind: str, calls: Calls, details: Details) -> None:
        recorder = self._recorder
        if kind in _TOOLS:
            call, answer = calls.of(item)
            recorder.add_call(call, details)
            details.tokens = None
            if answer is not None:
                answered = replace(details, model=None)
                recorder.add("tool", "tool_result", answer.text, answered, result=answer.result)
        elif kind == "textEditGroup":
            if calls.are_none:  # else a tool asked for it
                recorder.add_call(describe(None, kind, _edits(item)), details)
                details.tokens = None
        elif kind in _NOTICES:
            texts = (shown_text(item.get(key)) for key in ("title", "subtitle", "message", "content"))
            told = replace(details, tokens=None, model=None)
            recorder.add("system", "notice", "\n".join(filter(None, texts)), told)
        else:
            recorder.count_unknown(f"response/{kind}")

    def _flush(self, details: Details) -> None:
        self._flush_thought(details)
        self._flush_said(details)

    def _flush_said(self, details: Details) -> None:
        text, self._said = "".join(self._said), []
        if text.strip():
            self._recorder.add("assistant", "message", text, details)
            details.tokens = None

    def _flush_thought(self, details: Details) -> None:
        text, self._thought = "".join(self._thought), []
        if text.strip():
            self._recorder.add("assistant", "thinking", text, details)
            details.tokens = None


def _said_by(item: Object, kind: str | None) -> str | None:
    """Return what an item adds to the answer; None for one that is no part of a sentence."""
    if kind is None:
        value = item.get("value")
        return value if isinstance(value, str) else None
    if kind in ("markdownContent", "markdownVuln"):
        return shown_text(item.get("content"))
    if kind == "inlineReference":
        place = child(item, "inlineReference")
        path = path_of(place.get("uri") or child(place, "location").get("uri") or place)
        name = string(item, "name") or string(place, "name") or (path or "").rpartition("/")[2]
        return f"`{name}`" if name else ""
    return None


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []


def _edits(item: Object) -> Object:
    """Return what was written into a file as a call's arguments; where in the file, nobody kept."""
    groups = item.get("edits")
    texts = [
        {"newText": text}
        for group in (groups if isinstance(groups, list) else ())
        for edit in (group if isinstance(group, list) else ())
        if (text := string(mapping(edit), "text")) is not None
    ]
    return {"filePath": path_of(item.get("uri")), "edits": texts}


def _tokens(usage: Object) -> Tokens | None:
    given = count(usage, "promptTokens")
    made = count(usage, "completionTokens") or count(usage, "outputTokens")
    return Tokens(input=given, output=made) if given or made else None


AGENT = Agent(
    name=NAME,
    identify=identify,
    reader=VscodeCopilotReader,
    writes_documents=True,
    collection=VSCODE_SESSIONS,
)
