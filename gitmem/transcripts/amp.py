"""Amp: one JSON document a thread, rewritten whole; where it began stands behind all that was said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from gitmem.model.errors.intake import UnknownTranscript
from gitmem.model.ids import MAIN_STREAM
from gitmem.model.turns import Tokens, ToolResult
from gitmem.transcripts.agent import Agent, Head, Identity, LineReader
from gitmem.transcripts.blocks import add_assistant, add_words
from gitmem.transcripts.calls import describe
from gitmem.transcripts.editors import path_of
from gitmem.transcripts.fields import Object, child, children, count, integer, mapping, string
from gitmem.transcripts.recorder import Details
from gitmem.transcripts.text import content_text
from gitmem.transcripts.times import to_ms
from gitmem.transcripts.whole_files import WholeFiles, load

NAME = "amp"
THREAD, MESSAGE = "ampThread", "ampMessage"
"""The members that lines of a rendition have."""

_STABLE = ("id", "created", "env")
_ID = re.compile(rb'"id"\s*:\s*"T-')
_FIRST_BYTES = 4096
_FAILURES = frozenset(("cancelled", "error", "rejected-by-user"))
_TEXT_KEYS = ("output", "content", "text", "message")


def identify(head: Head) -> Identity | None:
    """Recognise a rendition by its first line."""
    thread = child(head.records[0], THREAD) if head.records else {}
    return _identity(head.stem, thread) if string(thread, "id") else None


def _identity(name: str, thread: Object) -> Identity:
    return Identity(
        agent=NAME,
        native_id=string(thread, "id") or name,
        stream=MAIN_STREAM,
        parent_id=None,
        shape="document",
        cwd=_tree(thread)[0],
        forked_from=None,
    )


def _tree(thread: Object) -> tuple[str | None, Object]:
    """Return the folder of the first working tree, and what is said of its repository."""
    trees = children(child(child(thread, "env"), "initial"), "trees")
    tree = trees[0] if trees else {}
    return path_of(tree.get("uri")), child(tree, "repository")


def _is_thread(path: Path, head: bytes) -> bool:
    is_named = _ID.search(head[:_FIRST_BYTES]) is not None
    return is_named and b'"messages"' in head and head.lstrip().startswith(b"{")


def _thread(path: Path) -> Object:
    thread = mapping(load(path))
    if not isinstance(thread.get("messages"), list):
        raise UnknownTranscript(str(path), "it is no thread")
    return thread


def _records(path: Path) -> Iterator[Object]:
    thread = _thread(path)
    yield {THREAD: {name: thread[name] for name in _STABLE if name in thread}}
    messages = thread["messages"]
    for message in messages if isinstance(messages, list) else ():
        yield {MESSAGE: message}
    yield {THREAD: {name: value for name, value in thread.items() if name not in (*_STABLE, "messages")}}


class AmpReader(LineReader):
    """Reads the lines of a rendition."""

    def read(self, record: Object) -> None:
        """Read one line."""
        if MESSAGE in record:
            self._read_message(child(record, MESSAGE))
        elif THREAD in record:
            thread = child(record, THREAD)
            cwd, repository = _tree(thread)
            ref = string(repository, "ref")
            self._recorder.retell(title=string(thread, "title"))
            self._recorder.tell(
                started_ms=to_ms(thread.get("created")),
                cwd=cwd,
                branch=ref.removeprefix("refs/heads/") if ref else None,
                commit=string(repository, "sha"),
            )
        else:
            self._recorder.count_unknown(string(record, "type") or "(no type)")

    def _read_message(self, message: Object) -> None:
        recorder, role = self._recorder, string(message, "role") or "(none)"
        number = integer(message, "messageId")
        details = Details(
            id=string(message, "messageId") or (str(number) if number is not None else None),
            at_ms=to_ms(child(message, "meta").get("sentAt")),
        )
        if role == "assistant":
            usage = child(message, "usage")
            details.model = string(usage, "model")
            details.at_ms = details.at_ms or to_ms(usage.get("timestamp"))
            details.tokens = _tokens(usage)
            recorder.tell(model=details.model)
            add_assistant(recorder, message, details)
        elif role == "user":
            self._read_user(message.get("content"), details)
        else:
            recorder.count_unknown(f"role {role}")

    def _read_user(self, content: object, details: Details) -> None:
        said = [content] if isinstance(content, str) else []
        for item in content if isinstance(content, list) else ():
            block = mapping(item)
            kind = string(block, "type") or "(no type)"
            if kind == "tool_result":
                self._read_result(block, details)
            elif kind in ("text", "image"):
                said.append(content_text(block))
            else:
                self._recorder.count_unknown(f"user/{kind}")
        add_words(self._recorder, said, details)

    def _read_result(self, block: Object, details: Details) -> None:
        run, call_id = child(block, "run"), string(block, "toolUseID")
        status, result = string(run, "status"), run.get("result")
        if status in ("in-progress", "queued", "blocked-on-user"):
            return
        exit_status = integer(mapping(result), "exitCode")
        error = string(run, "error") or string(child(run, "error"), "message")
        text = error or _text_of(result) or string(run, "reason") or ""
        is_error = status in _FAILURES or exit_status not in (None, 0)
        answer = ToolResult(call_id, is_error, exit_status)
        self._recorder.add("tool", "tool_result", text, details, result=answer)


def _text_of(result: object) -> str:
    """Return the text of what a tool gave back, which may be any JSON."""
    if isinstance(result, str):
        return result
    if isinstance(result, dict):
        texts = [text for key in _TEXT_KEYS if isinstance(text := result.get(key), str)]
        if texts:
            return texts[0]
    return describe(None, "", result).text if result is not None else ""


def _tokens(usage: Object) -> Tokens | None:
    tokens = Tokens(
        input=count(usage, "inputTokens"),
        output=count(usage, "outputTokens"),
        cache_read=count(usage, "cacheReadInputTokens"),
        cache_write=count(usage, "cacheCreationInputTokens"),
    )
    return tokens if tokens != Tokens() else None


AGENT = Agent(
    name=NAME,
    identify=identify,
    reader=AmpReader,
    writes_documents=True,
    collection=WholeFiles(_is_thread, lambda path: _identity(path.stem, _thread(path)), _records),
)
