"""Exports of chat services, of an invented harbour: the documented shape, every kind of record in it."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

TALK = "6d1f0b52-1c2e-4a83-9d3f-0a1b2c3d4e5f"
OTHER = "0f9e8d7c-6b5a-4c3d-8e2f-1a0b9c8d7e6f"


def message(
    own: str, role: str, content: dict[str, Any], at: float | None = None, **more: Any
) -> dict[str, Any]:
    author = {"role": role, "name": more.pop("name", None), "metadata": {}}
    fields = {
        "id": own,
        "author": author,
        "create_time": at,
        "content": content,
        "status": "finished_successfully",
    }
    return {**fields, "recipient": "all", "metadata": {}, **more}


def text(*parts: Any) -> dict[str, Any]:
    return {"content_type": "text", "parts": list(parts)}


def conversation(native_id: str, *branches: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """Return a conversation whose branches all begin at its root; the first is the one that is shown."""
    mapping: dict[str, Any] = {"root": {"id": "root", "message": None, "parent": None, "children": []}}
    for branch in branches:
        parent = "root"
        for said in branch:
            own = f"node-{said['id']}"
            if own not in mapping:
                mapping[own] = {"id": own, "message": said, "parent": parent, "children": []}
                mapping[parent]["children"].append(own)
            parent = own
    last = f"node-{branches[0][-1]['id']}" if branches and branches[0] else "root"
    return {
        "title": "Dredging the channel",
        "create_time": 1778230800.25,
        "update_time": 1778234400.5,
        "mapping": mapping,
        "moderation_results": [],
        "current_node": last,
        "default_model_slug": "gpt-x",
        "conversation_id": native_id,
        "id": native_id,
        **more,
    }


def chatgpt_talk() -> dict[str, Any]:
    model = {"model_slug": "gpt-x-thinking"}
    context = {
        "content_type": "user_editable_context",
        "user_profile": "A pilot.",
        "user_instructions": "Metres.",
    }
    begin = [
        message("m0", "system", text(""), metadata={"is_visually_hidden_from_conversation": True}),
        message("m1", "user", context, metadata={"is_visually_hidden_from_conversation": True}),
        message("m2", "user", text("How much silt at 3 knots?"), 1778230810.0),
    ]
    chart = {
        "content_type": "image_asset_pointer",
        "asset_pointer": "sediment://file_1",
        "width": 8,
        "height": 8,
    }
    voice = {"content_type": "audio_transcription", "text": "And at neaps?", "direction": "in"}
    shown = [
        *begin,
        message(
            "m3",
            "assistant",
            {
                "content_type": "thoughts",
                "thoughts": [{"summary": "Rates", "content": "Use the Rouse number."}],
            },
            1778230820.0,
            metadata=model,
        ),
        message(
            "m4",
            "assistant",
            {"content_type": "reasoning_recap", "content": "Thought for 9s"},
            metadata=model,
        ),
        message(
            "m5",
            "assistant",
            {"content_type": "code", "language": "python", "text": "print(0.41 * 3)"},
            1778230830.0,
            recipient="python",
            metadata=model,
        ),
        message(
            "m6", "tool", {"content_type": "execution_output", "text": "1.23\n"}, 1778230831.0, name="python"
        ),
        message(
            "m7",
            "assistant",
            {"content_type": "code", "text": '{"search_query": [{"q": "silt rates"}]}'},
            1778230832.0,
            recipient="web.run",
            metadata=model,
        ),
        message(
            "m8",
            "tool",
            {
                "content_type": "tether_quote",
                "title": "Silt",
                "url": "https://harbour.example/silt",
                "text": "0.4 m",
            },
            name="web.run",
        ),
        message(
            "m9",
            "tool",
            {"content_type": "system_error", "name": "Timeout", "text": "no answer"},
            name="web.run",
        ),
        message("m10", "assistant", text("About 1.23 m a year."), 1778230840.0, metadata=model),
        message(
            "m11",
            "user",
            {"content_type": "multimodal_text", "parts": [chart, voice, "See the chart."]},
            1778234390.0,
        ),
        message("m12", "assistant", {"content_type": "hologram", "parts": []}, metadata=model),
        message("m13", "assistant", text("Half of it."), 1778234400.0, metadata=model),
    ]
    left = [*begin, message("m3b", "assistant", text("I cannot tell."), 1778230815.0, metadata=model)]
    return conversation(TALK, shown, left)


def claude_message(
    own: str, sender: str, said: str = "", *content: dict[str, Any], **more: Any
) -> dict[str, Any]:
    return {
        "uuid": own,
        "text": said,
        "content": list(content),
        "sender": sender,
        "created_at": "2026-05-08T09:00:00.250000Z",
        "updated_at": "2026-05-08T09:00:00.250000Z",
        "attachments": [],
        "files": [],
        **more,
    }


def claude_conversation(native_id: str, *messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "uuid": native_id,
        "name": "Lights of the pier",
        "summary": "",
        "created_at": "2026-05-08T09:00:00.000000Z",
        "updated_at": "2026-05-08T10:00:00.000000Z",
        "account": {"uuid": "a-1"},
        "chat_messages": list(messages),
        **more,
    }


def claude_talk() -> dict[str, Any]:
    use = {"type": "tool_use", "id": "t1", "name": "web_search", "input": {"query": "pier light rules"}}
    found = {"type": "tool_result", "tool_use_id": "t1", "name": "web_search", "is_error": False}
    failed = {
        "type": "tool_result",
        "tool_use_id": "t2",
        "name": "repl",
        "is_error": True,
        "content": "no such light",
    }
    return claude_conversation(
        OTHER,
        claude_message(
            "c1",
            "human",
            "Which lights does the pier need?",
            {"type": "text", "text": "Which lights does the pier need?"},
            attachments=[{"file_name": "pier.txt", "file_type": "txt", "extracted_content": "Length: 120 m"}],
            files=[{"file_name": "pier.png"}],
        ),
        claude_message(
            "c2",
            "assistant",
            "Green to starboard.",
            {"type": "thinking", "thinking": "Region A.", "start_timestamp": "2026-05-08T09:00:05Z"},
            use,
            {**found, "content": [{"type": "knowledge", "title": "IALA", "url": "https://lights.example"}]},
            {"type": "tool_use", "id": "t2", "name": "repl", "input": {"code": "light('pier')"}},
            failed,
            {"type": "token_budget"},
            {"type": "text", "text": "Green to starboard.", "start_timestamp": "2026-05-08T09:00:09Z"},
            parent_message_uuid="c1",
        ),
        claude_message("c3", "human", "Since when?", parent_message_uuid="c2"),
        claude_message("c4", "assistant", "", {"type": "hologram"}, parent_message_uuid="c3"),
        claude_message("c5", "assistant", "Since 1982.", parent_message_uuid="c3"),
        claude_message("c6", "parrot", "Arr."),
    )


def archive(*files: tuple[str, object], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return an export as it is downloaded: an archive with other files beside the conversations."""
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", compression) as made:
        made.writestr("user.json", b'{"id": "user-1"}')
        for name, content in files:
            made.writestr(name, json.dumps(content))
        made.writestr("chat.html", b"<html></html>")
    return into.getvalue()
