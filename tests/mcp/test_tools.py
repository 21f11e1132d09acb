"""What tools answer: short, cited, quoted, page by page, and of nobody whom the user does not know."""

from __future__ import annotations

import copy
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gitmem.cli import recalling, serving_search
from gitmem.cli.context import Context
from gitmem.cli.indexing import ask_indexer
from gitmem.cli.main import run
from gitmem.cli.serving import Host, said_of
from gitmem.cli.serving_search import _encoded
from gitmem.model.errors.arguments import BadNote
from gitmem.model.errors.code import TargetUnknown
from gitmem.model.errors.naming import SessionUnknown
from gitmem.model.errors.repositories import NotARepository
from gitmem.model.errors.serving import (
    AddressRefused,
    AuthorUntrusted,
    CursorRefused,
    PrivateUntold,
    UntrustedRefused,
)
from gitmem.model.errors.store import NoMemory
from gitmem.recall.tokens import estimate
from tests.conftest import RealGit
from tests.mcp.conftest import HOSTILE, Place, expect_quoted
from tests.why.conftest import world_in


def test_search_cites_what_show_opens_and_nothing_leaves_its_quotes(place: Place) -> None:
    found = place.call("search", query="rules tide")
    expect_quoted(found.text)
    told = place.told("search", query="rules tide")
    assert {hit["id"] for hit in told["hits"]} == {f"generic/tides#{n}" for n in (0, 1, 3)}
    assert not {"\x1b", "<"} & set(json.dumps(told["hits"], ensure_ascii=False))
    assert "instruction" in told["notice"]
    for hit in told["hits"]:
        shown = place.call("show", id=hit["id"])
        expect_quoted(shown.text)
        assert hit["by"].startswith(("user, 2026-02-03, Ada", "assistant, 2026-02-03, Ada"))
    assert place.call("search", query="nothingofthekind").text == "nothing found"


def test_ten_hits_take_less_than_900_tokens_in_either_form(place: Place) -> None:
    for n in range(12):
        place.session(
            f"0f3a81c{n:x}-1234-4abc-9def-0123456789a{n:x}",
            [f"the harbour gate {n} " + "opens at noon " * 99],
        )
    found = place.call("search", query="harbour gate")
    assert len(found.value.hits) == 10  # type: ignore[attr-defined]
    assert estimate(found.text) < 900
    assert estimate(_encoded(found.value)) < 900  # type: ignore[arg-type]
    hits = place.told("search", query="harbour gate")["hits"]
    assert min(len(hit["text"]) for hit in hits) > 80, "a name takes no room from what is said"
    assert place.told("show", id=hits[0]["id"])["id"].startswith("generic/0f3a81c")
    ids, cursor, pages = [], None, 0
    while pages == 0 or cursor:
        told = place.told("search", query="harbour gate", limit=5, **({"cursor": cursor} if cursor else {}))
        ids += [hit["id"] for hit in told["hits"]]
        cursor, pages = told.get("cursor"), pages + 1
    assert pages == 3
    assert len(ids) == len(set(ids)) == 12


def test_strangers_are_told_of_only_where_a_person_allows_it_and_an_agent_asks(place: Place) -> None:
    found = {hit["id"] for hit in place.told("search", query="evil.py table")["hits"]}
    assert found == {"generic/tides#0", "generic/tides#1"}
    assert [each["id"] for each in place.told("timeline")["sessions"]] == ["generic/tides"]
    assert "evil" not in place.call("recall", question="where is the tide table").text
    with pytest.raises(AuthorUntrusted):
        place.call("show", id="generic/strange")
    for name, asked in (
        ("search", {"query": "x"}),
        ("recall", {"question": "x"}),
        ("show", {"id": "generic/strange"}),
    ):
        with pytest.raises(UntrustedRefused):
            place.call(name, untrusted=True, **asked)
    place.untrusted = True
    assert len(place.told("timeline")["sessions"]) == 1
    told = place.told("search", query="evil.py", untrusted=True)["hits"][0]
    assert (told["id"], told["trust"]) == ("generic/strange#0", "unknown")
    assert "unknown author" in place.call("search", query="evil.py", untrusted=True).text
    assert place.told("show", id="generic/strange", untrusted=True)["trust"] == "unknown"
    assert {
        each["trust"] for each in place.told("timeline", untrusted=True)["sessions"] if "trust" in each
    } == {"unknown"}


def test_session_that_the_agent_is_in_is_left_out(place: Place) -> None:
    place.session("other", ["the tide table again"])
    place.environ = {"CLAUDE_CODE_SESSION_ID": "here"}
    assert len(place.told("timeline")["sessions"]) == 2
    place.environ = {"CODEX_THREAD_ID": "tides"}
    # No session of another agent is the current one, whatever its id.
    assert len(place.told("timeline")["sessions"]) == 2
    assert place.told("search", query="table")["hits"]


def test_recall_quotes_within_its_budget(place: Place) -> None:
    found = place.call("recall", question="where is the tide table", budget=300)
    expect_quoted(found.text)
    assert estimate(found.text) <= 300
    turns = place.told("recall", question="where is the tide table")["turns"]
    assert turns[0]["id"] == "generic/tides#0"
    assert "Ada" in turns[0]["by"]
    prompt = place.offer().prompts[0].write("where is the tide table?")
    assert "tides.py" in prompt
    assert prompt.endswith("where is the tide table?")


def test_session_is_shown_page_by_page_each_turn_once(place: Place) -> None:
    name = place.session("long", [f"turn {n} " + "pump " * 100 for n in range(75)])
    seen, cursor, pages = [], None, 0
    while pages == 0 or cursor:
        shown = place.call("show", id=name, **({"cursor": cursor} if cursor else {}))
        expect_quoted(shown.text)
        assert estimate(shown.text) < 2_600
        value = shown.value
        seen += [turn.turn for turn in value.turns]  # type: ignore[attr-defined]
        cursor, pages = value.cursor, pages + 1  # type: ignore[attr-defined]
    assert seen == [str(n) for n in range(75)]
    assert pages > 2
    around = place.told("show", id=f"{name}#40", around=2)
    assert [turn["turn"] for turn in around["turns"]] == ["38", "39", "40", "41", "42"]
    assert (around["id"], around["turn_count"], around["title"]) == (name, 75, "About long")


def test_turn_that_is_too_long_is_read_on(place: Place) -> None:
    text = "".join(f"{n:07d} " for n in range(3_000))
    name = place.session("huge", [text])
    read, cursor = "", None
    while not read or cursor:
        told = place.told("show", id=f"{name}#0", **({"cursor": cursor} if cursor else {}))
        read, cursor = read + told["turns"][0]["text"], told.get("cursor")
    assert read == text
    assert "more" in place.call("show", id=f"{name}#0").text


def test_timeline_goes_on_behind_its_cursor_whatever_comes_meanwhile(place: Place) -> None:
    for n in range(6):
        place.session(f"s{n}", [f"turn of {n}"] * (n + 1))
    first = place.told("timeline", limit=4)
    place.session("newest", ["turn"] * 30)
    rest = place.told("timeline", limit=4, cursor=first["cursor"])
    names = [each["id"] for each in (*first["sessions"], *rest["sessions"])]
    assert [name for name in names if name != "generic/tides"] == [
        f"generic/s{n}" for n in (5, 4, 3, 2, 1, 0)
    ]
    assert len(names) == 7
    assert "cursor" not in rest
    assert len(place.told("timeline", author="nobody").get("sessions", [])) == 0
    assert place.call("timeline", author="nobody").text == "no session is like that"
    expect_quoted(place.call("timeline").text)
    with pytest.raises(CursorRefused):
        place.told("timeline", limit=3, cursor=first["cursor"])


def test_titles_by_strangers_are_not_told(place: Place) -> None:
    place.session("tides", ["and then"], who="eve")
    assert [each["id"] for each in place.told("timeline").get("sessions", [])] == []
    with pytest.raises(AuthorUntrusted):
        place.call("show", id="generic/tides")


def test_note_is_written_as_the_agent_and_what_is_like_it_is_told(place: Place) -> None:
    written = place.told(
        "note_add", client="Claude Code", text="Times are UTC everywhere.", files=["tides.py"], tags=["time"]
    )
    assert "similar" not in written
    again = place.call(
        "note_add", client="Claude Code", text="Times are UTC everywhere!", sessions=["generic/tides#1"]
    )
    assert "says nearly the same" in again.text
    assert [each["id"] for each in place.told("note_add", text="Times are UTC everywhere")["similar"]]
    place.agent = "codex"
    place.told("note_add", text=f"Never {HOSTILE}", kind="pattern", supersedes=[written["id"]])
    listed = place.told("notes", limit=2)
    assert [note["by"] for note in listed["notes"]] == ['codex for "Ada Example"', 'mcp for "Ada Example"']
    rest = place.told("notes", limit=2, cursor=listed["cursor"])
    assert [note["by"] for note in rest["notes"]] == ['claude-code for "Ada Example"']
    assert rest["notes"][0]["about"] == ("generic/tides",)
    about = place.told("show", id=rest["notes"][0]["id"])["note"]["about"]
    assert about == ("generic/tides#1",)
    expect_quoted(place.call("notes").text)
    shown = place.call("show", id=listed["notes"][0]["id"])
    expect_quoted(shown.text)
    assert place.told("notes", file="tides.py", closed=True)["notes"][0]["state"] == "superseded"
    assert place.call("notes", tag="none").text == "no note is like that"
    with pytest.raises(BadNote):
        place.call("note_add", text=" ")
    place.now_ms += 1
    place.told("note_add", text="Ask the port.", due="2026-01-01")
    assert [note["kind"] for note in place.told("notes", due=True)["notes"]] == ["reminder"]


def test_resources_are_read_by_their_addresses(place: Place) -> None:
    offer = place.offer()
    listed = offer.list_resources(None)
    assert [each.uri for each in listed.resources] == ["gitmem://session/generic/tides"]
    expect_quoted(offer.read_resource(listed.resources[0].uri))
    assert "tides.py" in offer.read_resource("gitmem://session/generic/tides?from=1")
    assert "where is" not in offer.read_resource("gitmem://session/generic/tides?from=1")
    assert "thanks" in offer.read_resource("gitmem://session/generic/tides#2")
    odd = place.session("a b/ü#1", ["odd"])
    assert odd == "generic/a b/ü#1"
    uris = [each.uri for each in offer.list_resources(None).resources]
    assert all("odd" in offer.read_resource(uri) for uri in uris if uri != listed.resources[0].uri)
    assert "odd" in offer.read_resource("gitmem://session/generic/a%20b%2F%C3%BC%231")
    note = place.told("note_add", text="One lock.")["id"]
    assert "One lock." in offer.read_resource(f"gitmem://{note}")
    for uri in (
        "file:///etc/passwd",
        "gitmem://session",
        "gitmem://session//",
        "gitmem://session/a/b/c",
        "gitmem://note/1f2e3d4c?from=1",
        "gitmem://session/generic/tides?from=x",
        "gitmem://session/generic/tides?to=1",
    ):
        with pytest.raises(AddressRefused):
            offer.read_resource(uri)
    with pytest.raises(SessionUnknown):
        offer.read_resource("gitmem://session/generic/..%2F..%2Fetc")


def test_why_names_the_turn_and_its_prompt(repository: Path, git: RealGit) -> None:
    with world_in(repository, git) as world:
        turn = world.talk("gates", f"make the gate\n{HOSTILE}").writes("gate.py", "gate = 1\n")
        world.commit("gate: open")
    place = Place(repository)
    found = place.call("why", target="gate.py:1")
    expect_quoted(found.text)
    told = place.told("why", target="gate.py:1")["places"][0]
    assert told["id"] == f"claude-code/gates#{turn}"
    assert (told["prompt_id"], told["evidence"]) == ("claude-code/gates#0", "commit")
    assert told["prompt"].startswith("make the gate")
    assert place.told("why", target="a.txt")["known"] == 0
    with pytest.raises(TargetUnknown):
        place.call("why", target="a.txt\0")
    git("config", "gitmem.distrust", "ada@example.org", cwd=repository)
    told = place.told("why", target="gate.py:1")["places"][0]
    assert told["trust"] == "untrusted"
    assert not {"prompt", "id"} & set(told)


def test_what_moves_meanwhile_is_seen_by_the_next_call(place: Place, git: RealGit) -> None:
    assert len(place.told("timeline")["sessions"]) == 1
    place.session("later", ["a later tide"])
    assert [hit["id"] for hit in place.told("search", query="later")["hits"]] == ["generic/later#0"]
    git("config", "gitmem.trust", "eve@example.org", cwd=place.top)
    assert len(place.told("timeline")["sessions"]) == 3


def test_without_a_memory_a_list_is_empty_and_a_tool_says_why(repository: Path, tmp_path: Path) -> None:
    for top, why in ((repository, NoMemory), (tmp_path, NotARepository)):
        place = Place(top)
        assert not place.offer().list_resources(None).resources
        for name, asked in (
            ("timeline", {}),
            ("show", {"id": "codex/x"}),
            ("notes", {}),
            ("note_add", {"text": "x"}),
        ):
            with pytest.raises(why):
                place.call(name, **asked)


def test_nobody_is_asked_at_the_terminal_that_a_server_was_started_at(place: Place) -> None:
    class Terminal(io.BytesIO):
        def isatty(self) -> bool:
            return True

    environ = {name: value for name, value in os.environ.items() if name != "GIT_TERMINAL_PROMPT"}
    started = Context(
        environ=environ, stdin=Terminal(), stdout=Terminal(), stderr=Terminal(), now_ms=lambda: place.now_ms
    )
    started.move(place.top)
    context = Host(started).begin()
    assert not context.is_interactive
    assert not context.output.is_terminal
    assert context.git.environ["GIT_TERMINAL_PROMPT"] == "0"
    assert context.repository.top == place.top


def command(place: Place, *args: str) -> None:
    context = Context(
        environ=dict(os.environ),
        stdin=io.BytesIO(),
        stdout=io.BytesIO(),
        stderr=io.BytesIO(),
        now_ms=lambda: place.now_ms,
    )
    assert run(["-C", str(place.top), *args], context) == 0


def make_private(place: Place, session: str) -> None:
    command(place, "level", session, "private")


def test_why_does_not_tell_what_is_private(repository: Path, git: RealGit) -> None:
    with world_in(repository, git) as world:
        world.talk("gates", "make the secret gate").writes("gate.py", "gate = 1\n")
        world.commit("gate: open")
    place = Place(repository)
    make_private(place, "claude-code/gates")
    found = place.call("why", target="gate.py:1")
    assert "a private session" in found.text
    assert "secret" not in found.text
    place.private = True
    assert "secret" in place.call("why", target="gate.py:1").text


def test_private_sessions_are_told_of_only_where_a_person_allows_it(place: Place, git: RealGit) -> None:
    name = place.session("secret", ["the tide table of my own"])

    make_private(place, name)
    assert name not in {each["id"] for each in place.told("timeline")["sessions"]}
    assert "my own" not in place.call("search", query="table level:private").text
    assert "my own" not in place.call("recall", question="tide table of my own").text
    with pytest.raises(PrivateUntold):
        place.call("show", id=f"{name}#0")
    place.private = True
    assert name in {each["id"] for each in place.told("timeline")["sessions"]}
    assert "my own" in place.call("search", query="table of my own").text
    assert "my own" in place.call("show", id=name).text
    place.private = False
    git("config", "gitmem.level", "private", cwd=place.top)
    assert "my own" in place.call("show", id=name).text, "whatever it is told stays private, too"


def test_session_that_became_private_since_it_was_indexed_is_not_told_of(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, gone = place.session("secret", ["the moat is mine"]), place.session("gone", ["the moat is gone"])
    known: dict[Any, list[Any]] = {}

    def remembering(context: Context, verb: Any, **asked: Any) -> Iterator[Any]:
        """Answer as an index that was not there when the memory went on."""
        key = asked.get("passage", 0)
        known[key] = known.get(key) or list(ask_indexer(context, verb, **asked))
        return iter(copy.deepcopy(known[key]))

    for module in (recalling, serving_search):
        monkeypatch.setattr(module, "ask_indexer", remembering)
    for ask in ({"name": "search", "query": "moat"}, {"name": "recall", "question": "moat"}):
        assert "the moat is mine" in place.call(**ask).text
    make_private(place, secret)
    command(place, "forget", "--yes", gone)
    for answers in known.values():
        answers[0]["indexed"]["behind"] = 2
    for ask in ({"name": "search", "query": "moat"}, {"name": "recall", "question": "moat"}):
        assert "the moat is" not in place.call(**ask).text
    place.private = True
    assert "mine" in place.call("search", query="moat").text


def test_an_answer_that_is_none_says_so() -> None:
    assert "nothing matches well" in said_of({"weak": True})[0]
    assert said_of({}) == []
