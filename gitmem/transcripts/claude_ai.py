"""claude.ai: the export of an account, in which each conversation has a list of messages.

A conversation's rendition is a line that names it, `{"conversation": {…}}`, its messages in their order,
`{"message": {…}}`, and what may change at any time, `{"about": {…}}`. All values are as in the export.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from gitmem.model.ids import MAIN_STREAM
from gitmem.model.turns import ToolResult
from gitmem.transcripts.agent import Agent, Head, Identity, LineReader, Listed
from gitmem.transcripts.calls import describe
from gitmem.transcripts.exports import Export, Form
from gitmem.transcripts.fields import Object, child, children, string
from gitmem.transcripts.members import elements_of, members_of, object_line, text_of
from gitmem.transcripts.recorder import Details
from gitmem.transcripts.text import content_text, part
from gitmem.transcripts.times import to_ms

NAME = "claude-ai"

_NAMING = ("uuid", "created_at")
_UNINTERESTING_BLOCKS = frozenset(("flag", "token_budget"))


def identity_of(native_id: str) -> Identity:
    """Return who a conversation is; it began in no directory."""
    return Identity(NAME, native_id, MAIN_STREAM, None, "document", None, None)


def identify(head: Head) -> Identity | None:
    """Recognise a rendition by its first line."""
    conversation = child(head.records[0], "conversation") if head.records else {}
    native_id = string(conversation, "uuid")
    return identity_of(native_id) if native_id is not None else None


def _listed(element: bytes) -> Listed | None:
    members = members_of(element)
    native_id = text_of(members, "uuid")
    if native_id is None or "chat_messages" not in members:
        return None
    updated = text_of(members, "updated_at")
    return Listed(identity_of(native_id), f"{updated} {len(element)}", to_ms(updated), len(element))


def _lines(element: bytes) -> Iterator[bytes]:
    members = members_of(element)
    yield object_line("conversation", members, only=_NAMING)
    for message in elements_of(members.get("chat_messages", b"[]")):
        yield object_line("message", members_of(message))
    yield object_line("about", members, without=("chat_messages", *_NAMING))


class ClaudeAiReader(LineReader):
    """Reads the messages of a conversation."""

    def read(self, record: Object) -> None:
        """Read one line."""
        recorder = self._recorder
        if "message" in record:
            self._read_message(child(record, "message"))
        elif "conversation" in record:
            recorder.tell(started_ms=to_ms(child(record, "conversation").get("created_at")))
        elif "about" in record:
            about = child(record, "about")
            recorder.retell(title=string(about, "name"), model=string(about, "model"))
        else:
            recorder.count_unknown("(no type)")

    def _read_message(self, message: Object) -> None:
        recorder, sender = self._recorder, string(message, "sender")
        details = Details(
            id=string(message, "uuid"),
            parent=string(message, "parent_message_uuid"),
            at_ms=to_ms(message.get("created_at")),
        )
        if sender not in ("human", "assistant"):
            recorder.count_unknown(f"sender {sender or '(none)'}")
            return
        if sender == "human":
            self._read_files(message, details)
        blocks = children(message, "content")
        for block in blocks:
            self._read_block(sender, block, details)
        if not blocks:  # older exports have the text alone
            self._add_words(sender, string(message, "text") or "", details)

    def _read_files(self, message: Object, details: Details) -> None:
        """Record what came with a message: the text of attachments, and the names of files."""
        for attachment in children(message, "attachments"):
            name, text = string(attachment, "file_name"), string(attachment, "extracted_content")
            self._recorder.add("user", "preamble", "\n".join(filter(None, (name, text))), details)
        for file in children(message, "files"):
            self._recorder.add("user", "preamble", f"[{string(file, 'file_name') or 'file'}]", details)

    def _read_block(self, sender: str, block: Object, details: Details) -> None:
        recorder, kind = self._recorder, string(block, "type") or "(no type)"
        at_ms = to_ms(block.get("start_timestamp"))
        if at_ms is not None:
            details = replace(details, at_ms=at_ms)
        if kind in ("text", "voice_note"):
            self._add_words(sender, string(block, "text") or "", details)
        elif kind == "thinking":
            recorder.add("assistant", "thinking", string(block, "thinking") or "", details)
        elif kind == "tool_use":
            call = describe(string(block, "id"), string(block, "name") or "", block.get("input"))
            recorder.add_call(call, details)
        elif kind == "tool_result":
            result = ToolResult(string(block, "tool_use_id"), block.get("is_error") is True)
            recorder.add("tool", "tool_result", content_text(block.get("content")), details, result=result)
        elif kind not in _UNINTERESTING_BLOCKS:
            recorder.count_unknown(f"{sender}/{kind}")

    def _add_words(self, sender: str, text: str, details: Details) -> None:
        if sender == "assistant":
            self._recorder.add("assistant", "message", text, details)
            return
        self._recorder.add_words(part(text), details)


AGENT = Agent(
    name=NAME,
    identify=identify,
    reader=ClaudeAiReader,
    collection=Export(Form((b'"chat_messages"', b'"uuid"'), _listed, _lines), identity_of),
)
