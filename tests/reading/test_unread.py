"""What readers could not use is told for each agent and version."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gitmem.checkpoints.examining import examine_memory
from gitmem.verbs import listing
from gitmem.verbs.listing import Summaries
from gitmem.verbs.unread import Unread, unread
from tests.reading.book import Book, said, talk
from tests.reading.test_reporting import state_of


def of(version: str | None, *more: str) -> list[str]:
    return [said(0, "user", "hi", **({"version": version} if version else {})), *more]


def future(kind: str) -> str:
    return json.dumps({"type": kind, "sessionId": "s"})


def lines_of(book: Book, tmp_path: Path, found: list[Unread]) -> list[tuple[str, str]]:
    findings = examine_memory(state_of(book, tmp_path), found)
    return [(one.condition, one.says) for one in findings if one.subject == "lines"]


@pytest.fixture
def drifted(book: Book, tmp_path: Path) -> list[Unread]:
    book.capture(of("2.0", future("tide")), "one")
    book.capture(of("2.1", future("tide"), future("tide"), future("ebb"), "not json"), "two")
    book.capture(of("2.1"), "three")
    book.capture(of(None, "{"), "four")
    book.capture(talk(3), "five")
    return unread(Summaries(book.memory(), tmp_path / "state").all().summaries)


def test_unknown_records_are_counted_by_agent_and_version(drifted: list[Unread]) -> None:
    assert [(group.agent, group.version, dict(group.counts)) for group in drifted] == [
        ("claude-code", "2.1", {"unknown 'tide'": 2, "unknown 'ebb'": 1, "not JSON": 1}),
        ("claude-code", None, {"not JSON": 1}),
        ("claude-code", "2.0", {"unknown 'tide'": 1}),
    ]
    assert [(group.affected, group.sessions) for group in drifted] == [(1, 2), (1, 2), (1, 1)]


def test_no_session_is_read_again_for_it(
    book: Book, tmp_path: Path, drifted: list[Unread], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("a session was read")

    monkeypatch.setattr(listing, "summarise", never)
    assert unread(Summaries(book.memory(), tmp_path / "state").all().summaries) == drifted


def test_doctor_names_versions_and_kinds(book: Book, tmp_path: Path, drifted: list[Unread]) -> None:
    first, second, third = lines_of(book, tmp_path, drifted)
    assert first == (
        "note",
        "claude-code 2.1, in 1 of 2 sessions, kept but not understood: "
        "2 unknown 'tide'; 1 not JSON; 1 unknown 'ebb'",
    )
    assert "of no known version" in second[1]
    assert third[1].startswith("claude-code 2.0,")


def test_doctor_says_how_many_more_there_are(book: Book, tmp_path: Path) -> None:
    book.capture(of("1.0", *(future(f"kind-{n}") for n in range(9))), "many kinds")
    for n in range(7):
        book.capture(of(f"2.{n}", future("tide")), f"version {n}")
    found = unread(Summaries(book.memory(), tmp_path / "state").all().summaries)
    told = lines_of(book, tmp_path, found)
    assert len(told) == 6
    assert told[0][1].endswith("; 4 more kinds")
    assert "3 more agents or versions" in told[-1][1]


def test_all_that_is_understood_is_well(book: Book, tmp_path: Path) -> None:
    book.capture(talk(3), "one")
    found = unread(Summaries(book.memory(), tmp_path / "state").all().summaries)
    assert found == []
    assert lines_of(book, tmp_path, found) == [("well", "all were understood")]
