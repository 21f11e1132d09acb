"""Summaries: what a session comes to, and a cache that is never wrong about it."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
from pathlib import Path

import msgspec
import pytest

from gitmem.format import layout, records
from gitmem.format.memory import open_memory
from gitmem.git.process import Git
from gitmem.git.repository import discover
from gitmem.git.storage import open_storage
from gitmem.model.errors.store import ObjectMissing
from gitmem.model.ids import Oid, SessionId
from gitmem.model.records import Author
from gitmem.model.turns import Header, Turn
from gitmem.objects import trees
from gitmem.query.filters import Filters
from gitmem.verbs import caching, listing
from gitmem.verbs.listing import Summaries, select
from gitmem.verbs.naming import set_tags, set_title
from gitmem.verbs.summaries import MAX_TITLE, FirstWords, Summary, shorten, summarise
from tests.reading.book import ADA, REF, START_MS, Book, answered, called, said, talk


def summary_of(book: Book, session: SessionId) -> Summary:
    folder = book.memory().find(session)
    assert folder is not None
    return summarise(book.memory(), folder)


def never(*_: object, **__: object) -> Summary:
    raise AssertionError("a session was read")


def cache_file(state: Path) -> Path:
    [file] = (state / "cache").glob("summaries-*")
    return file


def test_a_summary_says_what_a_session_comes_to(book: Book) -> None:
    session, base = book.capture(
        [*talk(4), called(4, "Bash", command="ls"), answered(5, "a\n")], branch="feature"
    )
    book.capture([said(9, "user", "more"), "not json"], parents=(base,), keep=6)
    book.capture(talk(2, words="below"), stream="agent-7")
    book.naming()
    set_tags(book.naming(), session, ["b", "a"])
    summary = summary_of(book, session)
    assert (str(summary.key), summary.author, summary.level) == ("claude-code/0f3a81c2-one", ADA, "team")
    assert summary.title == "the tide comes in 0"
    assert (summary.started_ms, summary.ended_ms) == (START_MS, START_MS + 9000)
    assert (summary.turns, summary.lines, summary.tally.not_json) == (7, 10, 1)
    assert (summary.branch, summary.branches) == ("main", ("main", "feature"))
    assert (summary.model, summary.tags, summary.hidden) == ("claude-model-1", ("a", "b"), False)
    assert (summary.streams, summary.forks) == (("", "agent-7"), 0)


def test_two_ends_of_a_session_are_one_fork(book: Book) -> None:
    session, base = book.capture(talk(2))
    book.capture([said(5, "user", "here")], parents=(base,), keep=2)
    book.capture([said(6, "user", "there")], parents=(base,), keep=2)
    summary = summary_of(book, session)
    assert (summary.forks, summary.streams, summary.turns) == (1, ("",), 4)


def test_a_given_title_comes_before_the_agents_and_that_before_the_first_words(book: Book) -> None:
    titled = json.dumps({"type": "custom-title", "customTitle": "The agent's", "sessionId": "0f3a81c2-one"})
    plain, _ = book.capture(talk(2), "plain")
    agents, _ = book.capture([*talk(2), titled], "agents")
    given, _ = book.capture([*talk(2), titled], "given")
    set_title(book.naming(), given, "mine")
    assert [summary_of(book, s).title for s in (plain, agents, given)] == [
        "the tide comes in 0",
        "The agent's",
        "mine",
    ]


def test_what_the_host_put_into_a_users_mouth_is_no_title(book: Book) -> None:
    preamble = "<environment_context>\n<cwd>/home/ada</cwd>\n</environment_context>"
    session, _ = book.capture(
        [said(0, "user", preamble), said(1, "assistant", "hello"), said(2, "user", "\n\nfix it\nnow")]
    )
    assert summary_of(book, session).title == "fix it"


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("", ""),
        (" \n\n  two   words\nmore", "two words"),
        ("Do the following:\n\n# The plan\nmore", "Do the following: The plan"),
        ("Only this:", "Only this:"),
        ("[[ ## user_query ## ]]\n\n@[System]:\n---\nMend the pump.", "Mend the pump."),
        ("<context>\nMend the pump.\n</context>", "Mend the pump."),
        ("---\n🎉", "---"),
        ("word " * 100, ("word " * 24).rstrip() + "…"),
        ("x" * 500, "x" * (MAX_TITLE - 1) + "…"),
    ],
)
def test_a_title_is_the_first_line_that_says_something(text: str, title: str) -> None:
    assert shorten(text) == title
    assert len(title) <= MAX_TITLE


@pytest.mark.parametrize(
    ("asked", "title"),
    [
        (["Mend the pump.", "And the winch."], "Mend the pump."),
        (["/review", "Only the pump."], "/review, then Only the pump."),
        (["/model", "/review", "", "Mend the pump.", "And the winch."], "/review, then Mend the pump."),
        (["/review"], "/review"),
        (["/review the pump", "Mend it."], "/review the pump"),
        (["/" * 3, ""], "///"),
        ([], ""),
    ],
)
def test_a_command_without_words_is_joined_by_what_was_asked_next(asked: list[str], title: str) -> None:
    first = FirstWords()
    first.take(Turn(0, "user", "message", "Be a reviewer.", 0, "agent-1"))
    for number, text in enumerate(asked):
        first.take(Turn(number, "user", "message", text, number))
        first.take(Turn(number, "assistant", "message", "I do.", number))
    assert first.title_in(Header()) == (title or "Be a reviewer.")
    assert first.title_in(Header(title="[[ ## query ## ]]")) == (title or "Be a reviewer.")
    assert first.title_in(Header(title="Pumps")) == "Pumps"


def test_registers_of_a_wrong_type_say_nothing(book: Book) -> None:
    session, _ = book.capture(talk(2))
    for name in ("title", "tags", "hidden", "level"):
        book.register(session, name, None, clock=7)  # type: ignore[arg-type]
    summary = summary_of(book, session)
    assert (summary.title, summary.tags, summary.hidden, summary.level) == (
        "the tide comes in 0",
        (),
        False,
        "team",
    )


def test_a_session_of_an_unknown_agent_is_summed_up_without_its_turns(book: Book) -> None:
    session, _ = book.capture(["{}"], "x", agent="agent-of-tomorrow")
    summary = summary_of(book, session)
    assert (summary.agent, summary.turns, summary.lines) == ("agent-of-tomorrow", 0, 1)


def test_sessions_without_times_captures_or_words_are_listed_too(book: Book, tmp_path: Path) -> None:
    timeless = json.loads(said(0, "user", "hello"))
    del timeless["timestamp"]
    book.capture([json.dumps(timeless)], "timeless")
    book.capture([], "empty")
    bare, capture = book.capture(talk(1), "bare")
    book.put(bare, layout.capture_path(bare, capture), None)
    found = {row.native_id: row for row in Summaries(book.memory(), tmp_path).all().summaries}
    assert set(found) == {"timeless", "empty", "bare"}
    assert found["timeless"].ended_ms is None
    assert found["timeless"].last_ms == found["timeless"].captured_ms
    assert (found["empty"].turns, found["bare"].streams, found["bare"].last_ms) == (0, (), 0)


def test_the_newest_session_comes_first(book: Book, tmp_path: Path) -> None:
    book.capture([said(100, "user", "later")], "b")
    book.capture([said(200, "user", "latest")], "c")
    book.capture([said(50, "user", "first")], "a")
    listed = Summaries(book.memory(), tmp_path).all().summaries
    assert [row.native_id for row in listed] == ["c", "b", "a"]


def test_nothing_is_read_again_where_nothing_has_changed(
    book: Book, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book.capture(talk(2), "one")
    book.capture(talk(2), "two")
    first = Summaries(book.memory(), tmp_path).all()
    monkeypatch.setattr(listing, "summarise", never)
    written = cache_file(tmp_path).stat().st_mtime_ns
    assert Summaries(book.memory(), tmp_path).all() == first
    assert cache_file(tmp_path).stat().st_mtime_ns == written


def test_only_what_has_changed_is_read_again(
    book: Book, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, base = book.capture(talk(2), "one")
    two, _ = book.capture(talk(2), "two")
    book.capture(talk(2), "three")
    Summaries(book.memory(), tmp_path).all()
    book.capture([said(9, "user", "more")], "one", parents=(base,), keep=2)
    set_title(book.naming(), two, "tides")
    read: list[SessionId] = []
    real = listing.summarise

    def counting(memory, folder, *args, **more):  # type: ignore[no-untyped-def]
        read.append(folder.session)
        return real(memory, folder, *args, **more)

    monkeypatch.setattr(listing, "summarise", counting)
    listed = {row.native_id: row for row in Summaries(book.memory(), tmp_path).all().summaries}
    assert sorted(read) == sorted([one, two])
    assert (listed["one"].turns, listed["two"].title, len(listed)) == (3, "tides", 3)


def test_a_session_that_is_gone_is_listed_no_more(book: Book, tmp_path: Path) -> None:
    book.capture(talk(2), "one")
    gone, _ = book.capture(talk(2), "two")
    Summaries(book.memory(), tmp_path).all()
    _remove(book, gone)
    assert [row.native_id for row in Summaries(book.memory(), tmp_path).all().summaries] == ["one"]
    assert gone.encode() not in cache_file(tmp_path).read_bytes()


def test_an_older_state_of_the_memory_is_listed_as_it_was(book: Book, tmp_path: Path) -> None:
    book.capture(talk(2), "one")
    before = book.memory()
    book.capture(talk(2), "two")
    assert len(Summaries(book.memory(), tmp_path).all().summaries) == 2
    assert [row.native_id for row in Summaries(before, tmp_path).all().summaries] == ["one"]
    assert len(Summaries(book.memory(), tmp_path).all().summaries) == 2


def test_a_session_that_cannot_be_read_is_named_and_tried_again(book: Book, tmp_path: Path) -> None:
    book.capture(talk(2), "fine")
    damaged, _ = book.capture(talk(2), "damaged")
    path = layout.session_path(damaged)
    whole = book.stored(damaged)
    book.put(damaged, path, b"junk")
    for _ in range(2):
        found = Summaries(book.memory(), tmp_path).all()
        assert [row.native_id for row in found.summaries] == ["fine"]
        assert [refused.session for refused in found.refused] == [damaged]
    book.put(damaged, path, records.seal(whole.record)[1])
    found = Summaries(book.memory(), tmp_path).all()
    assert (len(found.summaries), found.refused) == (2, ())


def test_an_object_that_arrives_later_is_seen_though_no_tree_changes(
    book: Book, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, _ = book.capture(talk(2), "one")
    memory = book.memory()
    real = memory.storage.read
    segments = {entry.oid for path, entry in trees.walk(memory.storage, memory.root) if "segments" in path}
    assert segments

    def without_segments(oid: Oid) -> object:
        if oid in segments:
            raise ObjectMissing(oid)
        return real(oid)

    monkeypatch.setattr(memory.storage, "read", without_segments)
    found = Summaries(memory, tmp_path).all()
    assert [(refused.session, type(refused.error)) for refused in found.refused] == [(session, ObjectMissing)]
    monkeypatch.undo()
    assert len(Summaries(book.memory(), tmp_path).all().summaries) == 1


def test_a_cache_of_a_tree_that_is_gone_is_brought_up(book: Book, tmp_path: Path) -> None:
    book.capture(talk(2), "one")
    Summaries(book.memory(), tmp_path).all()
    file, kind = cache_file(tmp_path), listing._KIND
    payload = caching.read_derived(file, kind)
    assert payload is not None
    root = book.memory().root
    for other in ("0" * 40, "not an id"):
        caching.write_derived(file, kind, payload.replace(_text(root), _text(other)))
        book.capture(talk(2), f"more {other}")
        listed = Summaries(book.memory(), tmp_path).all().summaries
        assert f"more {other}" in {row.native_id for row in listed}


def test_a_damaged_cache_never_gives_another_answer(book: Book, tmp_path: Path, seed: int) -> None:
    for n in range(5):
        book.capture(talk(n + 1), f"s{n}")
    expected = Summaries(book.memory(), tmp_path).all()
    file = cache_file(tmp_path)
    whole = file.read_bytes()
    rng = random.Random(seed)
    damages = [b"", b"\x00" * len(whole), whole[:-1], whole + b"x", whole[: len(whole) // 2] + b"\x00" * 99]
    for _ in range(20):
        at = rng.randrange(len(whole))
        damages.append(whole[:at] + bytes([whole[at] ^ (1 << rng.randrange(8))]) + whole[at + 1 :])
    for damage in damages:
        file.write_bytes(damage)
        assert Summaries(book.memory(), tmp_path).all() == expected


def test_a_cache_of_another_version_is_made_anew(
    book: Book, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book.capture(talk(2), "one")
    expected = Summaries(book.memory(), tmp_path).all()
    with monkeypatch.context() as patched:
        patched.setattr(listing, "_KIND", "summaries of the future")
        assert Summaries(book.memory(), tmp_path).all() == expected
    assert Summaries(book.memory(), tmp_path).all() == expected


def test_a_disk_that_refuses_costs_the_cache_and_not_the_list(book: Book, tmp_path: Path) -> None:
    book.capture(talk(2), "one")
    (tmp_path / "cache").write_text("a file where a folder should be")
    assert len(Summaries(book.memory(), tmp_path).all().summaries) == 1
    assert len(Summaries(book.memory(), None).all().summaries) == 1


def test_many_processes_that_list_at_once_all_list_the_same(real_book: Book, repository: Path) -> None:
    for n in range(6):
        real_book.capture(talk(n + 1), f"s{n}")
    expected = [f"s{n}" for n in reversed(range(6))]
    context = multiprocessing.get_context("spawn")
    with context.Pool(4) as pool:
        assert pool.map(_list_names, [str(repository)] * 8) == [expected] * 8
    leftovers = [path.name for path in (repository / ".git/gitmem/cache").iterdir() if "tmp" in path.name]
    assert leftovers == []


def test_a_repository_by_another_name_is_called_by_it(book: Book, tmp_path: Path) -> None:
    book.capture(talk(2), "one")
    for name in ("tides", "tides", "waves"):
        assert [row.repo for row in Summaries(book.memory(), tmp_path, name).all().summaries] == [name]


def test_a_fork_is_summed_up_again_when_what_it_was_forked_from_comes_in_or_grows(
    book: Book, tmp_path: Path
) -> None:
    origin = {"forkedFrom": {"sessionId": "origin", "messageUuid": "m1"}}
    repeated = [
        said(n, "assistant" if n % 2 else "user", f"the tide comes in {n}", **origin) for n in range(4)
    ]
    book.capture([*repeated, said(9, "user", "another way")], "fork")
    turns = []
    for keep in (0, 2, 4):
        if keep:
            book.capture(talk(keep), "origin", beginning=str(keep))
        cached, fresh = (Summaries(book.memory(), state).all().summaries for state in (tmp_path, None))
        assert cached == fresh
        turns += [row.turns for row in cached if row.native_id == "fork"]
    assert turns == [5, 3, 1]


def test_one_session_is_answered_from_the_cache(
    book: Book, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, _ = book.capture(talk(2), "one")
    folder = book.memory().find(session)
    assert folder is not None
    first = Summaries(book.memory(), tmp_path, "r").one(folder)
    assert Summaries(book.memory(), tmp_path, "r").all().summaries == (first,)
    monkeypatch.setattr(listing, "summarise", never)
    assert Summaries(book.memory(), tmp_path, "r").one(folder) == first


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (Filters(), {"one", "two", "three"}),
        (Filters(agents=("codex",)), set()),
        (Filters(agents=("codex", "claude-code")), {"one", "two", "three"}),
        (Filters(authors=("GRACE",)), {"two"}),
        (Filters(authors=("example.org",)), {"one", "three"}),
        (Filters(branches=("feature",)), {"one"}),
        (Filters(branches=("main",)), {"one", "two", "three"}),
        (Filters(tags=("deep", "none")), {"two"}),
        (Filters(levels=("private",)), set()),
        (Filters(sessions=("claude-code/t",)), {"two", "three"}),
        (Filters(since_ms=START_MS + 100_000), {"two", "three"}),
        (Filters(until_ms=START_MS + 100_000), {"one", "two"}),
        (Filters(since_ms=START_MS + 100_000, tags=("deep",)), {"two"}),
    ],
)
def test_filters_say_which_sessions_are_asked_for(
    book: Book, tmp_path: Path, filters: Filters, found: set[str]
) -> None:
    book.capture(talk(2), "one", branch="feature")
    book.author = Author("Grace", "grace@example.net")
    two, _ = book.capture([said(50, "user", "a"), said(150, "user", "b")], "two")
    book.author = ADA
    book.capture([said(200, "user", "c")], "three")
    hidden, _ = book.capture(talk(2), "hidden")
    book.register(hidden, "hidden", True)
    set_tags(book.naming(), two, ["deep"])
    listed = Summaries(book.memory(), tmp_path).all().summaries
    assert {row.native_id for row in select(listed, filters)} == found
    assert {row.native_id for row in select(listed, filters, hidden=True)} - {"hidden"} == found


def _remove(book: Book, session: SessionId) -> None:
    memory = book.memory()
    folder = memory.find(session)
    assert folder is not None
    base = layout.session_folder(session)
    for path, _ in list(trees.walk(memory.storage, folder.tree)):
        book.put(session, (*base, *path), None)


def _text(value: str) -> bytes:
    return msgspec.msgpack.encode(value)


def _list_names(where: str) -> list[str]:
    git = Git(dict(os.environ))
    repository = discover(Path(where), git)
    storage = open_storage(repository, git)
    names: list[str] = []
    for _ in range(5):
        found = Summaries(open_memory(storage, REF), repository.state_dir).all()
        names = [row.native_id for row in found.summaries]
    storage.close()
    return names


def test_at_hand_is_what_the_table_has_and_little_more(
    book: Book, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(3):
        book.capture(talk(2), f"s{n}")

    def at_hand() -> set[str]:
        return {row.native_id for row in Summaries(book.memory(), tmp_path).at_hand()}

    assert at_hand() == {"s0", "s1", "s2"}, "so few are read"
    monkeypatch.setattr(listing, "_AT_HAND", 2)
    assert at_hand() == set(), "nobody waits for more"
    Summaries(book.memory(), tmp_path).all()
    book.capture(talk(2), "s3")
    assert at_hand() == {"s0", "s1", "s2", "s3"}
    monkeypatch.setattr(listing, "_AT_HAND_BYTES", 1)
    assert at_hand() == {"s0", "s1", "s2"}
