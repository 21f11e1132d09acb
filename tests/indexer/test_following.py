"""The index follows the memory: what is added, what is taken out, and that order does not matter."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Any

import pytest

from gitmem import disk
from gitmem.model.errors.store import DiskRefused
from gitmem.query.filters import Filters
from gitmem.transcripts.read import READER_VERSION
from indexer import lexical
from indexer.lexical import Writer
from indexer.requests import shelf as shelf_module
from indexer.requests.answer import answer
from indexer.upkeep import follow
from indexer.upkeep import state as states
from tests.conftest import CommandLine
from tests.indexer.conftest import Asked
from tests.indexer.memories import Filled, called, gave, names_of, said


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Return what is added to indexes, as it happens."""
    seen: list[tuple[str, int]] = []
    add = Writer.add

    def watched(self: Writer, entry: lexical.Entry) -> None:
        seen.append((entry.key, entry.ordinal))
        add(self, entry)

    monkeypatch.setattr(Writer, "add", watched)
    return seen


def test_new_turns_are_found_at_once(memory: Filled, search: Asked) -> None:
    memory.add("one", [said("the anchor holds")])
    assert names_of(search("anchor")) == ["one#0"]
    memory.add("one", [said("the anchor drags")])
    assert set(names_of(search("anchor"))) == {"one#0", "one#1"}


def test_session_that_grew_has_only_its_new_turns_added(
    memory: Filled, search: Asked, added: list[tuple[str, int]]
) -> None:
    memory.add("one", [said(f"anchor {n}") for n in range(5)])
    memory.add("one", [said("a helper's anchor")], stream="helper")
    search("anchor")
    added.clear()
    memory.add("one", [said("anchor 5")])
    assert len(search("anchor")["hits"]) == 7
    assert added == [("generic/one", 5)]


def test_stream_with_as_long_a_name_as_there_may_be_is_added_once(
    memory: Filled, search: Asked, added: list[tuple[str, int]]
) -> None:
    for stream in ("s" * 4095, "s" * 4095 + "2", "汐" * 4096):
        memory.add("one", [said("the capstan turns")], stream=stream)
    for n in range(2):
        memory.add("one", [said(f"the main stream {n}")])
        assert search.status("update")["turns"] == 4 + n
    assert len(added) == 5


def test_session_that_was_written_anew_has_only_its_new_text(memory: Filled, search: Asked) -> None:
    memory.add("one", [said("an old anchor"), said("an old buoy"), said("an old chart")])
    search("anchor")
    memory.add("one", [said("a new buoy")], keep=1)
    assert names_of(search("anchor")) == ["one#0"]
    assert [hit["snippet"] for hit in search("buoy")["hits"]] == ["a new buoy"]
    assert search("chart")["hits"] == []


def test_session_that_lost_turns_loses_them_here(memory: Filled, search: Asked) -> None:
    memory.add("one", [said("an old anchor"), said("an old buoy")])
    search("anchor")
    memory.add("one", [], keep=1)
    assert search("buoy")["hits"] == []
    assert names_of(search("anchor")) == ["one#0"]


def test_session_that_is_gone_is_found_no_more(memory: Filled, search: Asked) -> None:
    one = memory.add("one", [said("an anchor")])
    memory.add("two", [said("an anchor too")])
    assert len(search("anchor")["hits"]) == 2
    memory.remove(one)
    assert names_of(search("anchor")) == ["two#0"]
    assert search.status()["sessions"] == 1


def test_tag_that_is_added_later_is_searched_for(memory: Filled, search: Asked) -> None:
    one = memory.add("one", [said("an anchor")])
    assert search("anchor", Filters(tags=("gear",)))["hits"] == []
    memory.register(one, "tags", ("gear",))
    assert names_of(search("anchor", Filters(tags=("gear",)))) == ["one#0"]


def test_session_that_cannot_be_read_is_left_out_and_named(memory: Filled, search: Asked) -> None:
    one = memory.add("one", [said("an anchor")], agent="an-agent-of-the-future")
    memory.add("two", [said("an anchor too")])
    assert names_of(search("anchor")) == ["two#0"]
    (row,) = search.status()["unreadable"]
    assert row["session"] == one
    assert "an-agent-of-the-future" in row["why"]
    memory.add("three", [said("an anchor as well")])
    assert len(search("anchor")["hits"]) == 2
    assert len(search.status()["unreadable"]) == 1


def test_lines_that_are_no_json_keep_no_others_from_being_found(memory: Filled, search: Asked) -> None:
    memory.add(
        "one", [b"{broken\n", b"\xff\xfe\n", b'{"type": 7}\n', said("an anchor"), b'{"role": "user", "te']
    )
    assert names_of(search("anchor")) == ["one#0"]


def test_long_turns_are_cut_and_what_tools_gave_back_keeps_its_end(memory: Filled, search: Asked) -> None:
    filler = "filler " * 20_000
    memory.add("one", [called("shell", "c"), gave("c", f"beginning {filler} middle {filler} finale")])
    memory.add("two", [said(f"prologue {filler}")])
    assert names_of(search("beginning")) == ["one#1"]
    assert names_of(search("finale")) == ["one#1"]
    assert search("middle")["hits"] == []
    (hit,) = search("prologue")["hits"]
    assert len(hit["snippet"]) < 300


def test_index_is_made_once_and_then_only_read(
    memory: Filled, search: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.add("one", [said("an anchor")])
    search("anchor")
    monkeypatch.setattr(follow, "bring_up", lambda *args, **kwargs: pytest.fail("it was current"))
    assert names_of(search("anchor")) == ["one#0"]


def test_progress_tells_how_many_sessions_are_done(memory: Filled, search: Asked) -> None:
    for n in range(3):
        memory.add(f"s{n}", [said("an anchor")])
    search("anchor")
    assert search.progressed == [(0, 3), (1, 3), (2, 3)]


def test_status_tells_of_every_condition_and_changes_nothing(memory: Filled, search: Asked) -> None:
    memory.add("one", [said("an anchor"), said("a buoy")])
    assert search.status()["state"] == "missing"
    assert search.status("update")["state"] == "current"
    assert (search.status()["turns"], search.status()["sessions"]) == (2, 1)
    memory.add("one", [said("a chart")])
    memory.add("one", [said("a deck")])
    behind = search.status()
    assert (behind["state"], behind["behind"], behind["turns"]) == ("behind", 2, 2)
    root = states.root_of(memory.repository.common_dir)
    loaded = states.load(root)
    assert isinstance(loaded, states.State)
    for changed, condition in [
        (replace(loaded, schema=loaded.schema + 1), "version"),
        (replace(loaded, schema=loaded.schema - 1), "version"),
        (replace(loaded, ref="refs/heads/another"), "options"),
        (replace(loaded, folder="turns-gone"), "corrupt"),
    ]:
        states.publish(root, changed)
        assert search.status()["state"] == condition
    (root / "state.json").write_bytes(b"{")
    assert search.status()["state"] == "corrupt"
    assert search.status().keys() == behind.keys()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"schema": lexical.SCHEMA_VERSION + 1}, "another version"),
        ({"reader": READER_VERSION + 1, "gitmem": "0"}, "another version"),
        ({"ref": "refs/heads/another"}, "another memory ref"),
        ({"folder": "turns-gone"}, "damaged"),
        ({"tree": "0" * 40, "commit": "0" * 40, "tip": ""}, None),
    ],
)
def test_index_of_another_kind_is_made_anew_and_says_so_once(
    memory: Filled, search: Asked, change: dict[str, Any], why: str | None
) -> None:
    memory.add("one", [said("an anchor")])
    search("anchor")
    root = states.root_of(memory.repository.common_dir)
    loaded = states.load(root)
    assert isinstance(loaded, states.State)
    states.publish(root, replace(loaded, **change))
    assert names_of(search("anchor")) == ["one#0"]
    assert names_of(search("anchor")) == ["one#0"]
    assert len(search.notices) == (why is not None)
    assert why is None or why in search.notices[0]
    assert len(list(root.glob("turns-*"))) == 1


def test_another_version_of_gitmem_that_reads_alike_keeps_the_index(
    memory: Filled, search: Asked, added: list[tuple[str, int]]
) -> None:
    memory.add("one", [said("an anchor")])
    search("anchor")
    root = states.root_of(memory.repository.common_dir)
    loaded = states.load(root)
    assert isinstance(loaded, states.State)
    states.publish(root, replace(loaded, gitmem="0.0.0"))
    added.clear()
    assert names_of(search("anchor")) == ["one#0"]
    assert added == []
    assert states.load(root) == loaded


def test_reader_that_finds_another_at_work_answers_from_what_there_is(
    memory: Filled, search: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.requests.shelf._PATIENCE_S", 0.05)
    memory.add("one", [said("an anchor")])
    search("anchor")
    memory.add("two", [said("an anchor too")])
    with disk.locked(states.lock_of(states.root_of(memory.repository.common_dir)), 0):
        answer = search("anchor")
        assert names_of(answer) == ["one#0"]
        assert answer["indexed"]["behind"] == 1
    assert search("anchor")["indexed"]["behind"] == 0


def test_index_that_takes_long_to_catch_up_is_answered_from_meanwhile(
    memory: Filled, search: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.add("one", [said("an anchor")])
    search("anchor")
    memory.add("two", [said("an anchor too")])
    may_go_on = threading.Event()
    bring_up = shelf_module.bring_up

    def slowly(*args: Any, **more: Any) -> Any:
        assert may_go_on.wait(60)
        return bring_up(*args, **more)

    monkeypatch.setattr(shelf_module, "bring_up", slowly)
    shelf = shelf_module.Shelf()
    request = search.request("search", queries=("anchor",), catch_up_ms=1)
    (behind,) = answer(request, memory.environ, search, shelf)
    assert (names_of(behind), behind["indexed"]["behind"]) == (["one#0"], 1)  # type: ignore[index]
    may_go_on.set()
    shelf.wait()
    (now,) = answer(request, memory.environ, search, shelf)
    assert (len(names_of(now)), now["indexed"]["behind"]) == (2, 0)  # type: ignore[index]


def test_process_that_answered_goes_on_catching_up(memory: Filled, search: Asked, run: CommandLine) -> None:
    memory.add("one", [said("an anchor")])
    search("anchor")
    for n in range(20):
        memory.add(f"more {n}", [said(f"a buoy {line}") for line in range(50)])
    run("search", "anchor", cwd=memory.top, environ={"GITMEM_CATCH_UP_MS": "0"})
    deadline = time.monotonic() + 180
    while search.status()["state"] != "current":
        assert time.monotonic() < deadline, "waited in vain until it has caught up"
        time.sleep(0.05)


def test_folder_that_may_not_be_written_is_answered_from(
    memory: Filled, search: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.add("one", [said("an anchor")])
    search("anchor")
    memory.add("two", [said("an anchor too")])

    def refuse(effect: disk.Effect, path: Any) -> None:
        raise DiskRefused(effect, str(path), "Read-only file system")

    def refuse_to_write(self: lexical.LexicalIndex, round_number: int = 0) -> None:
        raise lexical.Damaged("Read-only file system")

    monkeypatch.setattr(lexical.LexicalIndex, "writer", refuse_to_write)
    with disk.observe(refuse):
        answer = search("anchor")
    assert (names_of(answer), answer["indexed"]["behind"]) == (["one#0"], 1)
    assert search.notices == []
