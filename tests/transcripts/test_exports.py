"""Exports of chat services: what is listed of them, and what a conversation is written out as."""

from __future__ import annotations

import json
import random
import tracemalloc
import zipfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.model.errors.intake import UnknownTranscript
from gitmem.transcripts import exports as exports_module
from gitmem.transcripts.agent import Agent, Collection
from gitmem.transcripts.chatgpt import AGENT as CHATGPT
from gitmem.transcripts.claude_ai import AGENT as CLAUDE_AI
from gitmem.transcripts.elements import TooLarge, elements
from gitmem.transcripts.read import read
from gitmem.transcripts.registry import REGISTRY
from tests.transcripts.exports import (
    archive,
    chatgpt_talk,
    claude_conversation,
    claude_message,
    claude_talk,
    conversation,
    message,
    text,
)
from tests.transcripts.fixture import FIXTURES

BOTH = [(CHATGPT, chatgpt_talk(), "dredging"), (CLAUDE_AI, claude_talk(), "pier-lights")]
both = pytest.mark.parametrize(("agent", "talk", "fixture"), BOTH, ids=["chatgpt", "claude-ai"])


def of(agent: Agent) -> Collection:
    assert agent.collection is not None
    return agent.collection


def renditions(agent: Agent, path: Path) -> dict[str, bytes]:
    return {
        listed.identity.native_id: b"".join(of(agent).rendition(path, listed.identity))
        for listed in of(agent).sessions(path, None).sessions
    }


def said(*texts: str) -> list[dict[str, Any]]:
    return [message(f"m{n}", "user", text(one), 1778230800.0 + n) for n, one in enumerate(texts)]


@both
@pytest.mark.parametrize("form", ["array", "indented", "archive", "parts", "stored"])
def test_rendition_is_the_fixture(
    tmp_path: Path, agent: Agent, talk: dict[str, Any], fixture: str, form: str
) -> None:
    path = tmp_path / ("conversations.json" if form in ("array", "indented") else "export.zip")
    indent = 1 if form == "indented" else None
    content = {
        "array": json.dumps([talk]).encode(),
        "indented": b"\xef\xbb\xbf \n" + json.dumps([talk], indent=indent).encode(),
        "archive": archive(("conversations.json", [talk])),
        "parts": archive(("data/conversations-000.json", [talk]), ("data/conversations-001.json", [])),
        "stored": archive(("conversations.json", [talk]), compression=zipfile.ZIP_STORED),
    }[form]
    path.write_bytes(content)
    assert of(agent).holds(path, content)
    [rendition] = renditions(agent, path).values()
    expected = (FIXTURES / agent.name / fixture / "main.jsonl").read_bytes()
    assert [json.loads(line) for line in rendition.splitlines()] == [
        json.loads(line) for line in expected.splitlines()
    ]
    assert form == "indented" or rendition == expected


@both
def test_nobody_else_takes_an_export(
    tmp_path: Path, agent: Agent, talk: dict[str, Any], fixture: str
) -> None:
    for name, content in (
        ("c.json", json.dumps([talk]).encode()),
        ("e.zip", archive(("conversations.json", [talk]))),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        holding = [
            name
            for name, entry in REGISTRY.items()
            if (collection := entry.load().collection) and collection.holds(path, content)
        ]
        assert holding == [agent.name]


def test_conversations_may_be_asked_for_in_any_order(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "export.zip"
    made = [conversation(f"c{n}", said(f"of {n}")) for n in range(30)]
    path.write_bytes(archive(("conversations-0.json", made[:10]), ("conversations-1.json", made[10:])))
    listed = list(of(CHATGPT).sessions(path, None).sessions)
    random.Random(seed).shuffle(listed)
    for one in listed:
        rendition = b"".join(of(CHATGPT).rendition(path, one.identity))
        assert f'of {one.identity.native_id[1:]}"'.encode() in rendition


def test_export_is_gone_through_once_for_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "conversations.json"
    path.write_text(json.dumps([conversation(f"c{n}", said(f"of {n}")) for n in range(50)]))
    passes = []
    going = exports_module._conversations

    def counting(path: Path) -> Iterator[bytes | TooLarge]:
        passes.append(path)
        return going(path)

    monkeypatch.setattr(exports_module, "_conversations", counting)
    assert len(renditions(CHATGPT, path)) == 50
    assert len(passes) == 2


def test_export_that_was_replaced_is_looked_into_anew(tmp_path: Path) -> None:
    path = tmp_path / "conversations.json"
    path.write_text(json.dumps([conversation("c1", said("one"))]))
    before = renditions(CHATGPT, path)["c1"]
    path.write_text(json.dumps([conversation("c0", said("zero")), conversation("c1", said("one", "two"))]))
    after = renditions(CHATGPT, path)["c1"]
    assert after.splitlines()[:3] == before.splitlines()[:3]
    assert after.count(b'"node"') == before.count(b'"node"') + 1


def test_growing_conversation_keeps_its_earlier_lines_though_it_is_renamed(tmp_path: Path) -> None:
    path = tmp_path / "conversations.json"
    messages = [claude_message("c1", "human", "hi")]
    path.write_text(json.dumps([claude_conversation("a", *messages)]))
    before = renditions(CLAUDE_AI, path)["a"].splitlines()
    messages.append(claude_message("c2", "assistant", "ho"))
    path.write_text(json.dumps([claude_conversation("a", *messages, name="New", updated_at="2027-01-01")]))
    after = renditions(CLAUDE_AI, path)["a"].splitlines()
    assert after[:2] == before[:2]
    assert len(after) == len(before) + 1


def test_conversation_without_its_last_node_ends_at_the_last_there_is(tmp_path: Path) -> None:
    path = tmp_path / "conversations.json"
    path.write_text(json.dumps([conversation("c", said("one", "two"), current_node="gone")]))
    turns = read("chatgpt", [("", [renditions(CHATGPT, path)["c"]])]).turns
    assert [turn.text for turn in turns] == ["one", "two"]


def test_nodes_that_are_each_others_parents_end(tmp_path: Path) -> None:
    talk = conversation("c", said("one", "two"))
    talk["mapping"]["root"]["parent"] = "node-m1"
    path = tmp_path / "conversations.json"
    path.write_text(json.dumps([talk]))
    assert renditions(CHATGPT, path)["c"].count(b'"node"') == 3


def test_conversation_that_is_there_twice_is_listed_once(tmp_path: Path) -> None:
    path = tmp_path / "conversations.json"
    path.write_text(json.dumps([conversation("c", said("one")), conversation("c", said("one"))]))
    assert len(of(CHATGPT).sessions(path, None).sessions) == 1


def test_conversation_beyond_what_is_held_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports_module, "LARGEST_BYTES", 5000)
    path = tmp_path / "conversations.json"
    path.write_text(json.dumps([conversation("a", said("x" * 9000)), conversation("b", said("y"))]))
    large, small = of(CHATGPT).sessions(path, None).sessions
    assert (large.identity.native_id, small.identity.native_id) == ("too-large-1", "b")
    with pytest.raises(UnknownTranscript, match="5,000 bytes"):
        list(of(CHATGPT).rendition(path, large.identity))
    assert list(of(CHATGPT).rendition(path, small.identity))


def test_export_that_breaks_off_gives_its_whole_conversations(tmp_path: Path) -> None:
    path = tmp_path / "conversations.json"
    whole = json.dumps([conversation(f"c{n}", said("hi")) for n in range(3)])
    path.write_text(whole[:-40])
    assert list(renditions(CHATGPT, path)) == ["c0", "c1"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"mapping": {}, "create_time": 1}',
        b'[1, "mapping", "create_time"]',
        b'[{"mapping": 1, "create_time": []}]',
        b'[{"id": 5, "mapping": {"a": 1}, "create_time": 1}]',
        b'["mapping" "create_time" ]]]}}}{{{',
    ],
)
def test_other_arrays_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "conversations.json"
    path.write_bytes(content)
    with pytest.raises(UnknownTranscript):
        of(CHATGPT).sessions(path, None)


def test_members_of_any_type_are_no_reason_to_fail(tmp_path: Path) -> None:
    path = tmp_path / "conversations.json"
    odd = [
        {"id": "a", "mapping": [1], "create_time": "soon", "current_node": {}},
        {"id": "b", "mapping": {"n": 1, "m": {"parent": 3, "message": "hi"}}, "current_node": "m"},
        {"id": "../c/d\n", "mapping": {}, "title": 7},
    ]
    path.write_text(json.dumps(odd))
    found = renditions(CHATGPT, path)
    assert list(found) == ["a", "b", "../c/d\n"]
    for rendition in found.values():
        assert read("chatgpt", [("", [rendition])]).turns == []


@pytest.mark.parametrize("damage", ["cut", "middle", "encrypted", "other", "no archive"])
def test_damaged_archive_is_refused_by_name(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "export.zip"
    data = bytearray(archive(("conversations.json", [chatgpt_talk()] * 50)))
    if damage == "cut":
        del data[len(data) // 2 :]
    elif damage == "middle":
        data[300:600] = bytes(300)
    elif damage == "encrypted":
        for mark, at in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
            start = 0
            while (start := data.find(mark, start)) >= 0:
                data[start + at] |= 1
                start += 4
    elif damage == "other":
        data = bytearray(archive(("notes.json", [chatgpt_talk()])))
    else:
        data = bytearray(b"PK\x03\x04" + bytes(1000))
    path.write_bytes(data)
    assert not of(CHATGPT).holds(path, bytes(data)) or damage == "middle"
    with pytest.raises(UnknownTranscript):
        of(CHATGPT).sessions(path, None)


def test_large_export_is_gone_through_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    talk = json.dumps(conversation("c0", said("tide " * 20_000))).encode()
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made,
        made.open("conversations.json", "w") as file,
    ):
        for n in range(300):
            file.write((b"[" if n == 0 else b",") + talk.replace(b'"c0"', b'"c%d"' % n))
        file.write(b"]")
    tracemalloc.start()
    found = of(CHATGPT).sessions(path, None).sessions
    for listed in found[::100]:
        list(of(CHATGPT).rendition(path, listed.identity))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found) == 300
    assert peak < 12 << 20, "of 30 MB"


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8, alphabet='a"\\{}[],:\n🌊'),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(
    array=st.lists(values, max_size=6),
    cuts=st.lists(st.integers(0, 2**16), max_size=8),
    escaped=st.booleans(),
)
def test_objects_of_an_array_are_found_however_it_is_cut(
    array: list[object], cuts: list[int], escaped: bool
) -> None:
    data = json.dumps(array, ensure_ascii=escaped).encode()
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    pieces = [data[a:b] for a, b in pairwise(edges)]
    found = [json.loads(one) for one in elements(pieces, 1 << 20) if isinstance(one, bytes)]
    assert found == [item for item in array if isinstance(item, dict)]
    one_by_one = [data[at : at + 1] for at in range(len(data))]
    assert list(elements(one_by_one, 1 << 20)) == list(elements([data], 1 << 20))


@given(data=st.binary(max_size=200), limit=st.integers(0, 50))
def test_no_bytes_are_fatal_to_an_array(data: bytes, limit: int) -> None:
    for one in elements([b"[{", data], limit):
        assert isinstance(one, TooLarge) or len(one) <= limit
