"""Files as Cursor makes them: its editor's databases, its command line's stores, and transcripts beside."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

FOLDER = "/home/ada/tideline"
COMPOSER = "c0ffee00-1111-4222-8333-444455556666"
HELPER = "beef0000-1111-4222-8333-444455556666"
AGENT = "a9e00000-1111-4222-8333-444455556666"
TAB = "7ab00000-1111-4222-8333-444455556666"

Json = dict[str, Any]


def said(number: int, kind: int, text: str, **more: Any) -> Json:
    at = f"2026-05-08T09:{number:02}:00.000Z"
    return {"_v": 3, "type": kind, "bubbleId": f"bubble-{number}", "text": text, "createdAt": at, **more}


def tool(number: int, name: str, arguments: Json, result: Json | None, **more: Any) -> Json:
    data = {"tool": 15, "toolCallId": f"call-{number}", "name": name, "rawArgs": json.dumps(arguments)}
    data |= {"params": "{}", "status": "completed"} | more
    if result is not None:
        data["result"] = json.dumps(result)
    return said(number, 2, "", capabilityType=15, toolFormerData=data)


BUBBLES = [
    said(
        1,
        1,
        "<user_info>\nOS: linux\n</user_info>\n<user_query>\nWhy is low water an hour late?\n</user_query>",
        workspaceUris=[f"file://{FOLDER}"],
    ),
    said(2, 2, "", capabilityType=30, thinking={"text": "Perhaps the summer time.", "signature": "x"}),
    said(
        3,
        2,
        "I look at the table first.",
        modelInfo={"modelName": "tidal-large"},
        tokenCount={"inputTokens": 900, "outputTokens": 40},
    ),
    tool(4, "read_file", {"target_file": "tides.py"}, {"contents": "OFFSET = 1\n"}),
    tool(
        5,
        "run_terminal_cmd",
        {"command": "pytest -q"},
        {"output": "1 failed", "exitCodeV2": 1, "rejected": False},
    ),
    tool(
        6,
        "search_replace",
        {"file_path": "tides.py", "old_string": "OFFSET = 1", "new_string": "OFFSET = 0"},
        {"diff": {"chunks": [{"diffString": "-OFFSET = 1\n+OFFSET = 0"}]}},
    ),
    tool(7, "delete_file", {"target_file": "old.csv"}, None, status="cancelled", userDecision="rejected"),
    tool(8, "web_search", {"query": "tide table"}, None, status="error", error='{"message": "no network"}'),
    said(9, 2, "", capabilityType=22),
    said(10, 2, "", errorDetails={"message": "The model is overloaded."}),
    tool(11, "grep", {"pattern": "OFFSET"}, None, status="loading"),
    said(12, 3, "of a type from the future"),
]


def composer(own: str, bubbles: Sequence[Mapping[str, Any]], **more: Any) -> Json:
    headers = [{"bubbleId": bubble["bubbleId"], "type": bubble["type"]} for bubble in bubbles]
    return {
        "_v": 10,
        "composerId": own,
        "fullConversationHeadersOnly": headers,
        "richText": "{}",
        "status": "completed",
        "createdAt": 1778230800000,
        "lastUpdatedAt": 1778231400000,
        **more,
    }


def make_database(path: Path, *, headers: bool = False) -> None:
    """Make an editor's database as Cursor has it, with nothing in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            """
            PRAGMA journal_mode = WAL;
            CREATE TABLE ItemTable (key TEXT UNIQUE ON CONFLICT REPLACE, value BLOB);
            CREATE TABLE cursorDiskKV (key TEXT UNIQUE ON CONFLICT REPLACE, value BLOB);
            """
        )
        if headers:
            connection.execute(
                "CREATE TABLE composerHeaders (composerId TEXT PRIMARY KEY, workspaceId TEXT,"
                " createdAt INTEGER, lastUpdatedAt INTEGER, isArchived INTEGER, isSubagent INTEGER,"
                " recency INTEGER, checkpointAt INTEGER, value TEXT)"
            )


def put(path: Path, key: str, value: object, table: str = "cursorDiskKV") -> None:
    """Write a row, as Cursor does: one that is there is replaced."""
    with closing(sqlite3.connect(path)) as connection, connection:
        text = value if isinstance(value, str | bytes) or value is None else json.dumps(value)
        connection.execute(f"INSERT INTO {table} (key, value) VALUES (?, ?)", (key, text))


def put_composer(path: Path, own: str, bubbles: Sequence[Mapping[str, Any]], **more: Any) -> None:
    """Write a composer with its bubbles; it stands in no folder, where none is given."""
    for bubble in bubbles:
        put(path, f"bubbleId:{own}:{bubble['bubbleId']}", bubble)
    put(path, f"composerData:{own}", composer(own, bubbles, **more))


def put_header(path: Path, own: str, value: Json, updated_ms: int = 1) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "INSERT OR REPLACE INTO composerHeaders (composerId, lastUpdatedAt, value) VALUES (?, ?, ?)",
            (own, updated_ms, json.dumps(value)),
        )


def in_folder(folder: str) -> Json:
    return {
        "workspaceIdentifier": {"id": "0ff5e7", "uri": {"scheme": "file", "fsPath": folder, "path": folder}}
    }


def make_editor(path: Path) -> None:
    """Make the database of the fixtures."""
    make_database(path, headers=True)
    about = {"name": "Low water", "modelConfig": {"modelName": "tidal-large"}, "createdOnBranch": "tides"}
    put_composer(path, COMPOSER, BUBBLES, **about, **in_folder(FOLDER))
    put_composer(path, HELPER, [said(1, 1, "Look for a table."), said(2, 2, "There is none.")])
    parent = {"parentComposerId": COMPOSER, "subagentTypeName": "explore", "toolCallId": "call-4"}
    put_header(path, HELPER, {"subagentInfo": parent, **in_folder(FOLDER)})


def make_chats(path: Path) -> None:
    """Make the database of a workspace, from before composers."""
    make_database(path)
    (path.parent / "workspace.json").write_text(json.dumps({"folder": f"file://{FOLDER}"}))
    bubbles = [
        {"type": "user", "id": "b1", "text": "", "rawText": "Which port comes first?", "selections": []},
        {"type": "ai", "id": "b2", "text": "Yarmouth.", "modelType": "tidal-small"},
    ]
    tabs = [{"tabId": TAB, "chatTitle": "Ports", "bubbles": bubbles}, {"tabId": "empty", "bubbles": []}]
    put(path, "workbench.panel.aichat.view.aichat.chatdata", {"tabs": tabs}, "ItemTable")


MESSAGES: list[Json] = [
    {"role": "system", "content": "You help with tides."},
    {
        "role": "user",
        "content": [
            {"type": "text", "text": f"<user_info>\nWorkspace Path: {FOLDER}\n</user_info>"},
            {"type": "text", "text": "<user_query>\nList the harbours.\n</user_query>"},
        ],
    },
    {
        "role": "assistant",
        "id": "1",
        "content": [
            {"type": "reasoning", "text": "They are in a file.", "signature": "x"},
            {"type": "redacted-reasoning", "data": "x"},
            {"type": "text", "text": "I read them."},
            {"type": "tool-call", "toolCallId": "t1", "toolName": "Shell", "args": {"command": "cat ports"}},
        ],
        "providerOptions": {"cursor": {"modelName": "tidal-large"}},
    },
    {
        "role": "tool",
        "content": [
            {
                "type": "tool-result",
                "toolCallId": "t1",
                "toolName": "Shell",
                "result": "cat: ports\nExit code: 1",
            }
        ],
    },
    {
        "role": "tool",
        "content": [
            {"type": "tool-result", "toolCallId": "t2", "result": [{"type": "text", "text": "Cowes"}]},
            {"type": "hologram"},
        ],
    },
    {"role": "assistant", "content": "There is one: Cowes."},
    {"role": "pilot", "content": []},
]


def make_store(path: Path, messages: Sequence[Json] = MESSAGES, **about: Any) -> None:
    """Make a command line's store: the root lists the first messages, and a node with the others."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE IF NOT EXISTS blobs (id TEXT PRIMARY KEY, data BLOB)")
        connection.execute("CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT)")

        def add(data: bytes) -> bytes:
            digest = hashlib.sha256(data).digest()
            connection.execute("INSERT OR REPLACE INTO blobs VALUES (?, ?)", (digest.hex(), data))
            return digest

        ids = [add(json.dumps(message).encode()) for message in messages]
        node = add(b"".join(field(1, one) for one in ids[3:]))
        listed = b"".join(field(1, one) for one in (*ids[:3], node))
        root = add(listed + b"\x28\x07" + field(9, f"file://{FOLDER}".encode()) + field(1, b"short"))
        told = {"agentId": AGENT, "latestRootBlobId": root.hex(), "name": "Harbours", "mode": "default"}
        told |= {"createdAt": 1778230800000, "lastUsedModel": "tidal-large", **about}
        value = json.dumps(told).encode().hex()
        connection.execute("INSERT OR REPLACE INTO meta VALUES ('0', ?)", (value,))


def field(number: int, value: bytes) -> bytes:
    """Return a field of a protobuf message that has a length below 128."""
    return bytes([number << 3 | 2, len(value)]) + value


def store_in(home: Path, folder: str = FOLDER, own: str = AGENT) -> Path:
    named = hashlib.md5(folder.encode(), usedforsecurity=False).hexdigest()
    return home / ".cursor" / "chats" / named / own / "store.db"


def transcript_in(home: Path, folder: Path, own: str, suffix: str = ".jsonl") -> Path:
    encoded = "".join(letter if letter.isalnum() else "-" for letter in str(folder)).strip("-")
    inner = f"{own}/{own}" if suffix == ".jsonl" else own
    return home / ".cursor" / "projects" / encoded / "agent-transcripts" / f"{inner}{suffix}"


LINES: list[Json] = [
    {"role": "user", "message": {"content": [{"type": "text", "text": "<user_query>\nEbb?\n</user_query>"}]}},
    {
        "role": "assistant",
        "message": {
            "content": [
                {"type": "text", "text": "Let me see."},
                {"type": "tool_use", "name": "Read", "input": {"path": "ebb.txt"}},
                {"type": "text", "text": "At noon."},
            ]
        },
    },
    {"type": "turn_ended", "reason": "stop"},
    {"type": "from_the_future"},
]

TEXT = """user:
<user_query>
Flood?
</user_query>

assistant:
[Thinking] The flood is in the table,
so I read it.

I read the table.
[Tool call] Read
  path: flood.txt
  note: the first
    page
[Tool result] Read
At six.
assistant:
At six in the morning.
"""


def editor_in(home: Path) -> Path:
    return home / ".config" / "Cursor" / "User" / "globalStorage" / "state.vscdb"
