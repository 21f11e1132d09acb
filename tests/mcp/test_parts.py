"""Cursors, schemas, lines and workers: what a server stands on, each by itself."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from random import Random
from threading import Event, Lock
from typing import cast

import msgspec
import pytest

from gitmem.cli.context import Context
from gitmem.cli.serving import Host
from gitmem.cli.serving_untold import hint_for
from gitmem.model.errors import arguments, code, naming
from gitmem.model.errors.serving import AuthorUntrusted, CursorRefused
from gitmem.model.errors.store import NoMemory
from gitmem.recall.tokens import estimate
from gitmem.serving.cursors import cursor, place_of, question_of
from gitmem.serving.forms import SearchTaken, ShowGiven
from gitmem.serving.schemas import schema_of
from gitmem.serving.workers import Workers
from tests.mcp.conftest import Place


def test_cursor_goes_on_where_its_own_question_was_cut() -> None:
    question = question_of("search", SearchTaken(query="tide", limit=3))
    made = cursor(question, 3, "name")
    assert place_of(made, question, int, str) == (3, "name")
    assert question_of("search", SearchTaken(query="tide", limit=3, cursor=made)) == question
    others = [
        question_of("show", SearchTaken(query="tide", limit=3)),
        question_of("search", SearchTaken(query="x")),
    ]
    for other in others:
        with pytest.raises(CursorRefused):
            place_of(made, other, int, str)


@pytest.mark.parametrize(
    "text", ["", "x", "ä", "=" * 2_000, "WzFd", "bnVsbA", "W10", "eyJhIjoxfQ", "\x00\x00"]
)
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(CursorRefused):
        place_of(text, "question", int)


def test_cursor_with_other_places_is_refused() -> None:
    for places in ((), (1, 2), ("1",), (-1,)):
        with pytest.raises(CursorRefused):
            place_of(cursor("q", *places), "q", int)


def test_every_tool_says_what_it_takes_and_gives_in_few_words(place: Place) -> None:
    tools = place.offer().tools
    assert [tool.name for tool in tools] == [
        "search",
        "recall",
        "show",
        "timeline",
        "why",
        "note_add",
        "notes",
    ]
    taken = {tool.name: schema_of(tool.takes, tool.hidden) for tool in tools}
    for tool in tools:
        for schema in (taken[tool.name], schema_of(tool.gives)):
            assert schema["type"] == "object"
            assert "$ref" not in json.dumps(schema)
        assert "untrusted" not in taken[tool.name]["properties"]
        assert tool.writes or "quoted history" in tool.about
    place.untrusted = True
    for tool in place.offer().tools:
        assert ("untrusted" in schema_of(tool.takes, tool.hidden)["properties"]) is not tool.writes
    assert taken["search"]["required"] == ["query"]
    assert taken["search"]["properties"]["limit"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 50,
        "default": 10,
    }
    assert schema_of(ShowGiven)["properties"]["note"]["type"] == "object"
    told = [(tool.about, taken[tool.name]) for tool in tools]
    assert estimate(json.dumps(told)) < 3_000


def test_lines_are_the_same_however_they_are_cut(seed: int) -> None:
    from gitmem.serving.stdio import Lines

    random = Random(seed)
    text = b"\n".join([b"a" * random.randrange(30) for _ in range(200)]) + b"\n"

    def pieces() -> Iterator[bytes]:
        at = 0
        while at < len(text):
            size = random.randrange(1, 40)
            yield text[at : at + size]
            at += size

    lines = Lines(20)
    found = [line for piece in pieces() for line in lines.feed(piece)]
    assert found == [line if len(line) <= 20 else None for line in text.split(b"\n") if line]


def test_line_that_never_ends_is_refused_once_and_not_kept() -> None:
    from gitmem.serving.stdio import Lines

    lines = Lines(100)
    found = [line for _ in range(50) for line in lines.feed(b"x" * 60)]
    assert found == [None]
    assert list(lines.feed(b"end\nnext\n")) == [b"next"]


def test_no_more_is_done_at_once_than_there_are_workers() -> None:
    lock, running, most = Lock(), [0], [0]

    def work(n: int) -> int:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        with lock:
            running[0] -= 1
        return n

    async def main() -> list[int]:
        workers = Workers(at_once=2)
        return await asyncio.gather(*(workers.do(lambda n=n: work(n)) for n in range(50)))  # type: ignore[misc]

    assert asyncio.run(main()) == list(range(50))
    assert most[0] <= 2


def test_what_failed_is_raised_where_it_is_waited_for_and_what_nobody_waits_for_is_not_begun() -> None:
    begun, go = Event(), Event()

    def hold() -> None:
        begun.set()
        assert go.wait(30)

    async def main() -> None:
        workers = Workers(at_once=1)
        with pytest.raises(ZeroDivisionError):
            await workers.do(lambda: 1 // 0)
        first = asyncio.ensure_future(workers.do(hold, writes=True))
        await asyncio.to_thread(begun.wait, 30)
        never = asyncio.ensure_future(workers.do(lambda: pytest.fail("was begun")))
        await asyncio.sleep(0)
        never.cancel()
        go.set()
        await first
        assert workers.settle(30)
        assert await workers.do(lambda: 7) == 7
        go.clear()
        begun.clear()
        reads = asyncio.ensure_future(workers.do(hold))
        await asyncio.to_thread(begun.wait, 30)
        assert not workers.settle(30), "who only reads is not waited for"
        go.set()
        await reads

    asyncio.run(main())


def test_arguments_are_checked_before_anything_is_done() -> None:
    for wrong in (
        {},
        {"query": 1},
        {"query": "x", "limit": 0},
        {"query": "x", "more": 1},
        {"query": "x" * 5_000},
    ):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(wrong, SearchTaken)


def test_hints_name_tools_where_agents_have_them() -> None:
    host = Host(cast(Context, None))
    tools = "timeline|search|show|notes|why|recall|note_add"
    for error in (
        arguments.BadSessionName("x"),
        arguments.BadNoteName("x"),
        naming.SessionUnknown("x"),
        naming.NoteUnknown("x"),
        naming.TurnUnknown("codex/x", "9", 4),
        naming.StreamUnknown("codex/x", "sub", ()),
        naming.NoteNotDue("decision"),
        code.LineMissing("a.py", 9, 4),
        code.TargetUnknown("x", "file"),
        code.FileNotExplained("a.png", "it is binary"),
        code.FolderNotExplained("src"),
        AuthorUntrusted("codex/x"),
    ):
        named = re.match(rf"(?:{tools})(?: [a-z]+=[^:]+)?: ", hint_for(host._replace(untrusted=True), error))
        assert named, error
    assert hint_for(host, code.FileOutside("x", "/top")).startswith("a server that is started there: ")
    assert "--untrusted" in hint_for(host, AuthorUntrusted("codex/x"))
    assert hint_for(host, NoMemory("gitmem")) == NoMemory.hint
