"""Sessions that their agents rewrite whole: found, taken in as renditions, and known again as they grow."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gitmem.format.memory import Memory
from gitmem.git.storage import GitStorage
from gitmem.transcripts.whole_files import WholeFiles
from gitmem.verbs.finding import named_sources
from gitmem.verbs.scanning import scan
from tests.importing.conftest import only_text
from tests.importing.test_collections import LATER_NS, taken


def vscode(home: Path, cwd: Path, texts: list[str]) -> Path:
    folder = home / ".config" / "Code" / "User" / "workspaceStorage" / "0f"
    (folder / "chatSessions").mkdir(parents=True, exist_ok=True)
    (folder / "workspace.json").write_text(json.dumps({"folder": f"file://{cwd}"}))
    requests = [{"requestId": str(n), "message": {"text": text}} for n, text in enumerate(texts)]
    session = {"version": 3, "requests": requests, "sessionId": "s-1", "lastMessageDate": len(texts)}
    return put(folder / "chatSessions" / "s-1.json", session)


def amp(home: Path, cwd: Path, texts: list[str]) -> Path:
    messages = [{"role": "user", "messageId": n, "content": text} for n, text in enumerate(texts)]
    env = {"initial": {"trees": [{"uri": f"file://{cwd}"}]}}
    thread = {"v": len(texts), "id": "T-1", "created": 1, "messages": messages, "env": env}
    return put(home / ".local" / "share" / "amp" / "threads" / "T-1.json", thread)


def cline(home: Path, cwd: Path, texts: list[str]) -> Path:
    storage = home / ".config" / "Code" / "User" / "globalStorage" / "saoudrizwan.claude-dev"
    put(storage / "state" / "taskHistory.json", [{"id": "7", "cwdOnTaskInitialization": str(cwd), "ts": 1}])
    messages = [{"role": "user", "content": text} for text in texts]
    return put(storage / "tasks" / "7" / "api_conversation_history.json", messages)


def cline_sdk(home: Path, cwd: Path, texts: list[str]) -> Path:
    folder = home / ".cline" / "data" / "sessions" / "s-1"
    put(folder / "s-1.json", {"session_id": "s-1", "cwd": str(cwd)})
    messages = [{"role": "user", "content": text} for text in texts]
    return put(folder / "s-1.messages.json", {"version": 1, "sessionId": "s-1", "messages": messages})


def roo(home: Path, cwd: Path, texts: list[str]) -> Path:
    storage = home / ".config" / "Cursor" / "User" / "globalStorage" / "rooveterinaryinc.roo-cline"
    put(storage / "tasks" / "7" / "history_item.json", {"id": "7", "workspace": str(cwd)})
    messages = [{"role": "user", "content": text} for text in texts]
    return put(storage / "tasks" / "7" / "api_conversation_history.json", messages)


def put(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
    return path


MAKERS = [vscode, amp, cline, cline_sdk, roo]


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_session_is_captured_where_it_began_and_as_it_grows(
    make: Callable[[Path, Path, list[str]], Path],
    storage: GitStorage,
    repository: Path,
    home: Path,
    memory: Callable[[], Memory],
) -> None:
    state = storage.repository.state_dir

    def capture() -> tuple[int, int]:
        found = scan(state, [repository], home, {}, LATER_NS)
        report = taken(storage, list(found.grown))
        found.settle([refused.path for refused in report.refused])
        assert report.refused == []
        return report.files, report.lines

    path = make(home, repository, ["ebb"])
    assert capture()[0] == 1
    assert capture() == (0, 0)
    make(home, repository, ["ebb", "flow"])
    assert capture() == (1, 2)  # a message, and the line with what may change
    text = only_text(memory())
    assert [text.count(word) for word in (b"ebb", b"flow")] == [1, 1]
    path.write_bytes(path.read_bytes()[:-5])  # it is being written
    found = scan(state, [repository], home, {}, LATER_NS)
    report = taken(storage, list(found.grown))
    assert [refused.path.parent for refused in report.refused] == [path] * len(found.grown)
    assert only_text(memory()) == text


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_session_elsewhere_is_not_captured_and_is_imported_by_its_name(
    make: Callable[[Path, Path, list[str]], Path],
    storage: GitStorage,
    repository: Path,
    home: Path,
    memory: Callable[[], Memory],
) -> None:
    path = make(home, home / "elsewhere", ["ebb"])
    assert scan(storage.repository.state_dir, [repository], home, {}, LATER_NS).grown == ()
    report = taken(storage, list(named_sources([path], None)))
    assert len(report.new_sessions) == 1
    assert b"ebb" in only_text(memory())


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_session_of_elsewhere_is_not_read_again_until_its_place_is_ours(
    make: Callable[[Path, Path, list[str]], Path],
    tmp_path: Path,
    repository: Path,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = tmp_path / "other"
    (other / ".git").mkdir(parents=True)
    make(home, other, ["one"])

    def look(*tops: Path) -> list[Path]:
        found = scan(tmp_path / "state", tops, home, {}, LATER_NS)
        found.settle([])
        return [source.path for source in found.grown if source.rendition is not None]

    assert look(repository) == []
    with monkeypatch.context() as patched:
        patched.setattr(WholeFiles, "sessions", None)  # nobody asks
        make(home, other, ["one", "two"])
        assert look(repository) == []
    assert len(look(repository, other)) == 1
    assert look(repository, other) == []
