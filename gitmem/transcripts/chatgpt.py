"""ChatGPT: the export of an account, in which each conversation is a tree of messages.

A conversation's rendition is a line that names it, `{"conversation": {…}}`; the messages from the first to
the one that was shown last, `{"node": {"id", "parent", "message"}}`; those of branches that were left,
`{"alternate": {…}}`; and what may change at any time, `{"about": {…}}`. All values are as in the export; of a
node only `children` is left out, which its children's parents say.
"""

from __future__ import annotations

from collections.abc import Iterator

from gitmem.model.ids import MAIN_STREAM
from gitmem.model.turns import ToolResult
from gitmem.transcripts.agent import Agent, Head, Identity, LineReader, Listed
from gitmem.transcripts.calls import describe_text
from gitmem.transcripts.exports import Export, Form
from gitmem.transcripts.fields import Object, child, children, string
from gitmem.transcripts.members import Members, members_of, object_line, text_of, value_of
from gitmem.transcripts.recorder import Details
from gitmem.transcripts.text import part
from gitmem.transcripts.times import to_ms

NAME = "chatgpt"

_NAMING = ("conversation_id", "create_time")
_UNINTERESTING = frozenset(("reasoning_recap",))  # how long it thought
_KINDS = frozenset(
    (
        "code",
        "computer_output",
        "execution_output",
        "model_editable_context",
        "multimodal_text",
        "sonic_webpage",
        "system_error",
        "tether_browsing_code",
        "tether_browsing_display",
        "tether_quote",
        "text",
        "thoughts",
        "user_editable_context",
    )
)
_TEXTS = (
    "title",
    "url",
    "name",
    "result",
    "text",
    "user_profile",
    "user_instructions",
    "model_set_context",
)
"""Where content of the various types has its text, in the order in which it is read."""


def identity_of(native_id: str) -> Identity:
    """Return who a conversation is; it began in no directory."""
    return Identity(NAME, native_id, MAIN_STREAM, None, "document", None, None)


def identify(head: Head) -> Identity | None:
    """Recognise a rendition by its first line."""
    conversation = child(head.records[0], "conversation") if head.records else {}
    native_id = string(conversation, "conversation_id")
    return identity_of(native_id) if native_id is not None else None


def _listed(element: bytes) -> Listed | None:
    members = members_of(element)
    native_id = text_of(members, "conversation_id") or text_of(members, "id")
    if native_id is None or "mapping" not in members:
        return None
    updated = value_of(members, "update_time")
    mark = f"{updated} {len(element)}"
    return Listed(identity_of(native_id), mark, to_ms(updated), len(element))


def _lines(element: bytes) -> Iterator[bytes]:
    members = members_of(element)
    mapping = members_of(members.get("mapping", b"{}"))
    nodes = {name: members_of(raw) for name, raw in mapping.items()}
    if "conversation_id" not in members and "id" in members:
        members["conversation_id"] = members["id"]
    yield object_line("conversation", members, only=_NAMING)
    shown = _path(nodes, text_of(members, "current_node"))
    for name in shown:
        yield object_line("node", nodes[name], without=("children",))
    for name, node in nodes.items():
        if name not in shown:
            yield object_line("alternate", node, without=("children",))
    yield object_line("about", members, without=("mapping", *_NAMING))


def _path(nodes: dict[str, Members], last: str | None) -> dict[str, None]:
    """Return the nodes from the first to the last that was shown; without that, to the last of all."""
    found: dict[str, None] = {}
    name = last if last in nodes else next(reversed(nodes), None)
    while name is not None and name in nodes and name not in found:
        found[name] = None
        name = text_of(nodes[name], "parent")
    return dict.fromkeys(reversed(found))


class ChatgptReader(LineReader):
    """Reads the messages of a conversation, as it was shown last."""

    def read(self, record: Object) -> None:
        """Read one line."""
        recorder = self._recorder
        if "node" in record:
            node = child(record, "node")
            message = child(node, "message")
            if message:
                self._read_message(message, string(node, "id"), string(node, "parent"))
        elif "conversation" in record:
            recorder.tell(started_ms=to_ms(child(record, "conversation").get("create_time")))
        elif "about" in record:
            about = child(record, "about")
            recorder.retell(title=string(about, "title"))
            recorder.tell(model=string(about, "default_model_slug"))
        elif "alternate" not in record:
            recorder.count_unknown("(no type)")

    def _read_message(self, message: Object, own: str | None, parent: str | None) -> None:
        recorder, content, metadata = self._recorder, child(message, "content"), child(message, "metadata")
        author = child(message, "author")
        role, kind = string(author, "role") or "(none)", string(content, "content_type") or "(no type)"
        details = Details(
            id=own,
            parent=parent,
            at_ms=to_ms(message.get("create_time")),
        )
        if kind in _UNINTERESTING:
            return
        if kind not in _KINDS or role not in ("user", "assistant", "tool", "system"):
            recorder.count_unknown(f"{role}/{kind}")
            return
        text = _text(content)
        if kind in ("user_editable_context", "model_editable_context"):
            recorder.add("user", "preamble", text, details)
        elif role == "user":
            is_hidden = metadata.get("is_visually_hidden_from_conversation") is True
            words = part(text)
            recorder.add("user", "preamble", text if is_hidden else words.preamble, details)
            recorder.add("user", "message", "" if is_hidden else words.message, details)
        elif role == "system":
            recorder.add("system", "notice", text, details)
        elif role == "tool":
            result = ToolResult(parent, kind == "system_error")
            recorder.add("tool", "tool_result", text, details, result=result)
        else:
            details.model = string(metadata, "model_slug")
            recorder.tell(model=details.model)
            self._read_answer(message, kind, text, details)

    def _read_answer(self, message: Object, kind: str, text: str, details: Details) -> None:
        """Read what the model said: to the user, to itself, or to a tool, of which it is a call."""
        recorder, recipient = self._recorder, string(message, "recipient") or "all"
        if kind == "thoughts":
            recorder.add("assistant", "thinking", text, details)
        elif recipient not in ("all", "assistant"):
            recorder.add_call(describe_text(details.id, recipient, text), details)
        else:
            recorder.add("assistant", "message", text, details)


def _text(content: Object) -> str:
    """Return what a message says, whichever of the kinds it is; nothing of it is in two places."""
    parts = content.get("parts")
    texts = [_part_text(item) for item in parts] if isinstance(parts, list) else []
    texts += [
        "\n".join(filter(None, (string(thought, "summary"), string(thought, "content"))))
        for thought in children(content, "thoughts")
    ]
    texts += [string(content, key) or "" for key in _TEXTS]
    return "\n".join(text for text in texts if text)


def _part_text(item: object) -> str:
    if isinstance(item, str):
        return item
    if not isinstance(item, dict):
        return ""
    fields: Object = item
    kind = string(fields, "content_type") or ""
    for name in ("image", "audio", "video"):
        if f"{name}_asset_pointer" in kind or f"{name}_video_asset_pointer" in kind:
            return f"[{name}]"
    return string(fields, "text") or ""


AGENT = Agent(
    name=NAME,
    identify=identify,
    reader=ChatgptReader,
    collection=Export(Form((b'"mapping"', b'"create_time"'), _listed, _lines), identity_of),
)
