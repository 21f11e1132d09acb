"""Records of agents, as short as they may be, for tests that are about one of them."""

from __future__ import annotations

import json

CHUNK_BYTES = 256 * 1024


def line(record: object) -> bytes:
    return json.dumps(record, ensure_ascii=False).encode() + b"\n"


def lines(*records: object) -> bytes:
    return b"".join(map(line, records))


def chunks(data: bytes, size: int = CHUNK_BYTES) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def claude_user(uuid: str, content: object, **more: object) -> dict[str, object]:
    return {
        "parentUuid": None,
        "isSidechain": False,
        "type": "user",
        "message": {"role": "user", "content": content},
        "uuid": uuid,
        "timestamp": "2026-05-08T09:00:00Z",
        "sessionId": "s-1",
        **more,
    }


def claude_assistant(
    uuid: str, message_id: str, text: str, output: int, request_id: str = "req-1"
) -> dict[str, object]:
    return {
        "type": "assistant",
        "uuid": uuid,
        "sessionId": "s-1",
        "requestId": request_id,
        "message": {
            "id": message_id,
            "role": "assistant",
            "model": "m",
            "content": [{"type": "text", "text": text}],
            "usage": {"input_tokens": 7, "output_tokens": output},
        },
    }


def codex(kind: str, **payload: object) -> dict[str, object]:
    return {"timestamp": "2026-05-08T09:00:00Z", "type": kind, "payload": payload}


def codex_message(role: str, text: str) -> dict[str, object]:
    return codex("response_item", type="message", role=role, content=[{"type": "input_text", "text": text}])


def codex_usage(total: int, output: int) -> dict[str, object]:
    usage = {"input_tokens": 10, "cached_input_tokens": 4, "output_tokens": output}
    return codex(
        "event_msg",
        type="token_count",
        info={"total_token_usage": {"total_tokens": total}, "last_token_usage": usage},
    )


def gemini(message_id: str, text: str, kind: str = "gemini", **more: object) -> dict[str, object]:
    return {"id": message_id, "timestamp": "2026-05-08T09:00:00Z", "type": kind, "content": text, **more}


def generic(message_id: str | None, text: str, role: str = "user", **more: object) -> dict[str, object]:
    return {"id": message_id, "role": role, "text": text, **more}
