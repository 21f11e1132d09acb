"""A turn that is picked is the turn that a whole read gives, however it was come by."""

from __future__ import annotations

import contextlib
import json
import random
from pathlib import Path

import pytest

from gitmem import disk
from gitmem.format.memory import Folder
from gitmem.model.errors.base import GitmemError
from gitmem.model.errors.naming import TurnUnknown
from gitmem.model.ids import SessionId
from gitmem.model.turns import Turn
from gitmem.verbs import caching, picking, reading
from tests.reading.book import Book, answered, called, said, talk, thought


def folder_of(book: Book, session: SessionId) -> Folder:
    folder = book.memory().find(session)
    assert folder is not None
    return folder


def conversation(count: int, first: int = 0) -> list[str]:
    lines = []
    for n in range(first, first + count, 5):
        lines += [
            said(n, "user", f"question {n}"),
            thought(n + 1, f"hmm {n}"),
            called(n + 2, "Bash", command=f"ls {n}"),
            answered(n + 3, f"file {n}\nother", is_error=n % 2 == 0),
            said(n + 4, "assistant", f"answer {n}"),
        ]
    return lines


def map_file(state: Path, session: SessionId) -> Path:
    return state / "cache" / "turns" / session[:2] / session[2:]


def never(*_: object) -> None:
    raise AssertionError("it was read whole")


def test_every_turn_is_the_one_of_a_whole_read(
    book: Book, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, base = book.capture(conversation(20))
    book.capture(["not json", *conversation(10, 100)], parents=(base,), keep=20)
    book.capture(conversation(10, 200), stream="agent-7")
    memory, folder = book.memory(), folder_of(book, session)
    turns = reading.transcript(memory, folder).turns
    assert len(turns) == 40
    picking.pick(memory, folder, "0", state_dir=tmp_path)
    monkeypatch.setattr(reading, "transcript", never)
    for turn in turns:
        asked = f"{turn.stream}:{turn.ordinal}" if turn.stream else str(turn.ordinal)
        picked = picking.pick(memory, folder, asked, state_dir=tmp_path)
        assert (picked.stream, picked.turns, picked.asked_for) == (turn.stream, (turn,), {turn.ordinal})


def test_a_window_is_cut_at_the_ends_and_says_what_was_asked_for(book: Book, tmp_path: Path) -> None:
    session, _ = book.capture(talk(9))
    for _ in range(2):  # without a map, and with one
        picked = picking.pick(book.memory(), folder_of(book, session), "1", context=3, state_dir=tmp_path)
        assert [turn.ordinal for turn in picked.turns] == [0, 1, 2, 3, 4]
        assert (picked.asked_for, picked.total) == ({1}, 9)


def test_a_message_id_means_every_turn_that_came_of_it(book: Book, tmp_path: Path) -> None:
    line = json.loads(said(5, "assistant", ""))
    line["message"]["content"] = [
        {"type": "text", "text": "looking"},
        {"type": "tool_use", "id": "t", "name": "Read", "input": {"file_path": "a.py"}},
    ]
    session, _ = book.capture([*talk(3), json.dumps(line), *[said(9, "user", "thanks")]])
    for _ in range(2):
        picked = picking.pick(book.memory(), folder_of(book, session), "m5", state_dir=tmp_path)
        assert [(turn.ordinal, turn.kind) for turn in picked.turns] == [(3, "message"), (4, "tool_call")]
        assert picked.asked_for == {3, 4}


def test_an_ordinal_comes_before_an_id_and_an_id_before_a_stream(book: Book) -> None:
    lines = [
        said(0, "user", "a", uuid="1"),
        said(1, "user", "b", uuid="s:0"),
        said(2, "user", "c", uuid="77"),
    ]
    session, _ = book.capture(lines)
    book.capture(talk(1, words="below"), stream="s")
    texts = {
        asked: picking.pick(book.memory(), folder_of(book, session), asked).turns[0].text
        for asked in ("1", "77", "s:0", ":2")
    }
    assert texts == {"1": "b", "77": "c", "s:0": "b", ":2": "c"}


@pytest.mark.parametrize(
    "asked", ["2", "-1", "1.0", "99999999999999999999", "x:0", "s:5", "٣", "\x1b[2J", "m77"]
)
def test_a_turn_that_is_not_there_is_unknown(book: Book, tmp_path: Path, asked: str) -> None:
    session, _ = book.capture(talk(2))
    for _ in range(2):
        with pytest.raises(TurnUnknown) as caught:
            picking.pick(book.memory(), folder_of(book, session), asked, state_dir=tmp_path)
        assert (caught.value.count, caught.value.session) == (2, "claude-code/0f3a81c2-one")
        picking.pick(book.memory(), folder_of(book, session), "0", state_dir=tmp_path)


def test_usage_that_earlier_lines_counted_is_not_counted_again(book: Book, tmp_path: Path) -> None:
    usage = {"input_tokens": 5, "output_tokens": 2}
    lines = []
    for n in range(3):
        line = json.loads(said(n, "assistant", f"part {n}"))
        line["message"] |= {"id": "same", "usage": usage}
        lines.append(json.dumps(line))
    session, _ = book.capture(lines)
    memory, folder = book.memory(), folder_of(book, session)
    picking.pick(memory, folder, "0", state_dir=tmp_path)
    picked = picking.pick(memory, folder, "2", state_dir=tmp_path)
    assert picked.turns == (reading.transcript(memory, folder).turns[2],)
    assert picked.turns[0].tokens is None


def test_a_line_that_alone_comes_to_something_else_is_read_with_the_others(
    book: Book, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, _ = book.capture(talk(6))
    memory, folder = book.memory(), folder_of(book, session)
    expected = picking.pick(memory, folder, "3", state_dir=tmp_path).turns
    real = picking.read

    def other(agent: str, streams: object) -> object:
        found = real(agent, streams)  # type: ignore[arg-type]
        found.turns = [Turn(0, "user", "message", "not this", 0)]
        return found

    monkeypatch.setattr(picking, "read", other)
    assert picking.pick(memory, folder, "3", state_dir=tmp_path).turns == expected


def test_a_document_is_read_whole_and_to_the_same_turns(book: Book, tmp_path: Path) -> None:
    messages = [
        {
            "id": f"g{n}",
            "timestamp": "2026-02-25T06:13:20Z",
            "type": "gemini" if n % 2 else "user",
            "content": f"words {n}",
        }
        for n in range(6)
    ]
    document = {
        "sessionId": "s",
        "projectHash": "p",
        "startTime": "2026-02-25T06:13:20Z",
        "messages": messages,
    }
    session, _ = book.capture([json.dumps(document, indent=1)], "s", agent="gemini-cli", shape="document")
    memory, folder = book.memory(), folder_of(book, session)
    turns = reading.transcript(memory, folder).turns
    assert len(turns) == 6
    for _ in range(2):
        assert picking.pick(memory, folder, "4", state_dir=tmp_path).turns == (turns[4],)


def test_raw_lines_are_the_stored_bytes(book: Book, tmp_path: Path) -> None:
    lines = [line.replace('": ', '":  ') + "\r\n" for line in conversation(10)]
    session, _ = book.capture([line.encode() for line in lines])
    memory, folder = book.memory(), folder_of(book, session)
    for _ in range(2):
        picked = picking.pick(memory, folder, "7", context=2, state_dir=tmp_path)
        assert picking.raw_lines(memory, folder, picked) == lines[7].encode()


def test_a_session_that_has_grown_is_not_answered_from_the_old_map(book: Book, tmp_path: Path) -> None:
    session, base = book.capture(talk(4))
    picking.pick(book.memory(), folder_of(book, session), "0", state_dir=tmp_path)
    book.capture([said(50, "user", "rewritten")], parents=(base,), keep=2)
    picked = picking.pick(book.memory(), folder_of(book, session), "2", state_dir=tmp_path)
    assert (picked.turns[0].text, picked.total) == ("rewritten", 3)


def test_a_fork_is_not_answered_from_a_map_older_than_what_it_was_forked_from(
    book: Book, tmp_path: Path
) -> None:
    repeated = [said(n, "user", f"words {n}", forkedFrom={"sessionId": "origin"}) for n in range(4)]
    fork, _ = book.capture([*repeated, said(9, "user", "another way")], "fork")
    first = picking.pick(book.memory(), folder_of(book, fork), "0", state_dir=tmp_path)
    book.capture(talk(4), "origin")
    second = picking.pick(book.memory(), folder_of(book, fork), "0", state_dir=tmp_path)
    assert (first.turns[0].text, second.turns[0].text) == ("words 0", "another way")


def test_a_title_does_not_cost_the_map(book: Book, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session, _ = book.capture(talk(4))
    picking.pick(book.memory(), folder_of(book, session), "0", state_dir=tmp_path)
    book.register(session, "title", "tides")
    monkeypatch.setattr(reading, "transcript", never)
    assert (
        picking.pick(book.memory(), folder_of(book, session), "3", state_dir=tmp_path).turns[0].ordinal == 3
    )


def test_a_damaged_map_never_gives_another_answer(book: Book, tmp_path: Path, seed: int) -> None:
    session, _ = book.capture(conversation(20))
    memory, folder = book.memory(), folder_of(book, session)
    expected = picking.pick(memory, folder, "9", state_dir=tmp_path).turns
    file = map_file(tmp_path, session)
    whole = file.read_bytes()
    rng = random.Random(seed)
    damages = [b"", b"\x00" * len(whole), whole[:-1], whole + b"x", whole[: len(whole) // 2] + b"\x00" * 99]
    for _ in range(20):
        at = rng.randrange(len(whole))
        damages.append(whole[:at] + bytes([whole[at] ^ (1 << rng.randrange(8))]) + whole[at + 1 :])
    for damage in damages:
        file.write_bytes(damage)
        assert picking.pick(memory, folder, "9", state_dir=tmp_path).turns == expected
        assert file.read_bytes() == whole


def test_a_map_of_another_session_is_not_believed(book: Book, tmp_path: Path) -> None:
    one, _ = book.capture(talk(4, words="one"), "one")
    two, _ = book.capture(talk(4, words="two"), "two")
    picking.pick(book.memory(), folder_of(book, one), "0", state_dir=tmp_path)
    file = map_file(tmp_path, two)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(map_file(tmp_path, one).read_bytes())
    assert picking.pick(book.memory(), folder_of(book, two), "3", state_dir=tmp_path).turns[0].text == "two 3"


def test_a_disk_that_refuses_costs_the_map_and_not_the_answer(book: Book, tmp_path: Path) -> None:
    session, _ = book.capture(talk(4))
    (tmp_path / "cache").write_text("a file where a folder should be")
    assert (
        picking.pick(book.memory(), folder_of(book, session), "3", state_dir=tmp_path).turns[0].ordinal == 3
    )


def test_a_crash_while_the_map_is_written_leaves_none_or_a_whole_one(book: Book, tmp_path: Path) -> None:
    session, _ = book.capture(talk(4))
    memory, folder = book.memory(), folder_of(book, session)
    effects = 0

    class Crash(GitmemError):
        pass

    def crash_at(point: int) -> None:
        count = 0

        def observer(*_: object) -> None:
            nonlocal count, effects
            effects = max(effects, count)
            if count == point:
                raise Crash("pulled the plug")
            count += 1

        with disk.observe(observer):
            picking.pick(memory, folder, "3", state_dir=tmp_path / str(point))

    for point in range(20):
        with contextlib.suppress(Crash):
            crash_at(point)
        assert picking.pick(memory, folder, "3", state_dir=tmp_path / str(point)).turns[0].text.endswith("3")
    assert effects >= 3


def test_a_session_too_large_to_be_held_gives_the_same_turns(
    book: Book, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, _ = book.capture(conversation(20))
    book.capture(conversation(10, 200), stream="agent-7")
    memory, folder = book.memory(), folder_of(book, session)
    for asked in ("0", "7", "19", "m12", "agent-7:3"):
        expected = picking.pick(memory, folder, asked, context=2)
        with monkeypatch.context() as patched:
            patched.setattr(picking, "HELD_BYTES", 10)
            assert picking.pick(memory, folder, asked, context=2, state_dir=tmp_path) == expected
    assert not map_file(tmp_path, session).exists()


def test_the_map_holds_no_text_of_the_session(book: Book, tmp_path: Path) -> None:
    session, _ = book.capture(conversation(10))
    picking.pick(book.memory(), folder_of(book, session), "0", state_dir=tmp_path)
    content = map_file(tmp_path, session).read_bytes()
    assert b"m0" in content
    for text in (b"question", b"answer", b"hmm", b"file 0", b"ls 0"):
        assert text not in content


def test_a_file_of_another_kind_or_version_is_not_there(tmp_path: Path) -> None:
    caching.write_derived(tmp_path / "x", "turns 1", b"payload")
    assert caching.read_derived(tmp_path / "x", "turns 1") == b"payload"
    assert caching.read_derived(tmp_path / "x", "turns 2") is None
    assert caching.read_derived(tmp_path / "x", "turns") is None
    assert caching.read_derived(tmp_path, "turns 1") is None


def test_a_session_that_has_but_one_stream_is_numbered_by_that(book: Book, tmp_path: Path) -> None:
    session, _ = book.capture(talk(3), stream="agent-review")
    for _ in range(2):
        picked = picking.pick(book.memory(), folder_of(book, session), "1", state_dir=tmp_path)
        assert (picked.stream, picked.asked_for) == ("agent-review", {1})
    book.capture(talk(2), stream="agent-other")
    with pytest.raises(TurnUnknown):
        picking.pick(book.memory(), folder_of(book, session), "1", state_dir=tmp_path)
