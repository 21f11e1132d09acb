"""What holds of every session that is rewritten whole, whatever is in its files."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.model.errors.intake import UnknownTranscript
from gitmem.transcripts import whole_files
from gitmem.transcripts.agent import Identity
from gitmem.transcripts.read import read
from gitmem.transcripts.registry import REGISTRY
from tests.transcripts.fixture import FIXTURES, all_fixtures
from tests.transcripts.records import line
from tests.transcripts.test_amp import make_thread
from tests.transcripts.test_cline import make_session, make_task
from tests.transcripts.test_properties import _changed, junk, values
from tests.transcripts.test_vscode_copilot import log_of, session_of
from tests.transcripts.test_vscode_copilot import make_session as make_chat


class Made(NamedTuple):
    agent: str
    path: Path


def chat(folder: Path, rendition: bytes) -> Path:
    return make_chat(folder, rendition, json.dumps(session_of(rendition)[0]).encode(), ".json")


def chat_log(folder: Path, rendition: bytes) -> Path:
    return make_chat(folder, rendition, log_of(session_of(rendition)[0], Random(1)), ".jsonl")


MAKERS: list[tuple[str, str, Callable[[Path, bytes], Path]]] = [
    ("vscode-copilot", "harbour-lights", chat),
    ("vscode-copilot", "harbour-lights", chat_log),
    ("cline", "low-water", lambda folder, rendition: make_task(folder, "cline", rendition)),
    ("cline", "sdk-session", make_session),
    ("roo", "tide-windows", lambda folder, rendition: make_task(folder, "roo", rendition)),
    ("amp", "moorings", make_thread),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[Made]:
    """One session of each kind, on the disk."""
    return [
        Made(
            agent, make(tmp_path_factory.mktemp(agent), (FIXTURES / agent / name / "main.jsonl").read_bytes())
        )
        for agent, name, make in MAKERS
    ]


def assert_refused_or_read(one: Made) -> None:
    collection = REGISTRY[one.agent].load().collection
    assert collection is not None
    try:
        (listed,) = collection.sessions(one.path, None).sessions
        rendition = b"".join(collection.rendition(one.path, listed.identity))
    except UnknownTranscript:
        return
    assert all(isinstance(json.loads(line), dict) for line in rendition.splitlines())
    for turn in read(one.agent, [("", [rendition])]).turns:
        turn.text.encode()


@given(
    which=st.integers(0, len(MAKERS) - 1),
    spots=st.lists(st.tuples(st.integers(0, 2**20), st.integers(0, 60), junk), min_size=1, max_size=4),
)
def test_no_damage_to_a_file_is_fatal(
    made: list[Made], which: int, spots: list[tuple[int, int, bytes]]
) -> None:
    one = made[which]
    whole = data = one.path.read_bytes()
    for at, length, put in spots:
        at %= len(data) + 1
        data = data[:at] + put + data[at + length :]
    one.path.write_bytes(data)
    try:
        assert_refused_or_read(one)
    finally:
        one.path.write_bytes(whole)


@given(which=st.integers(0, len(MAKERS) - 1), seed=st.integers(0, 2**32), value=values)
def test_no_value_of_another_type_is_fatal(made: list[Made], which: int, seed: int, value: object) -> None:
    one, generator = made[which], Random(seed)  # where to put it
    whole = one.path.read_bytes()
    if one.path.suffix == ".jsonl":
        data = b"".join(line(_changed(json.loads(each), value, generator)) for each in whole.splitlines())
    else:
        data = line(_changed(json.loads(whole), value, generator))
    one.path.write_bytes(data)
    try:
        assert_refused_or_read(one)
    finally:
        one.path.write_bytes(whole)


@pytest.mark.parametrize("size", [1, 100, 1000, 2000])
def test_file_that_breaks_off_is_refused_or_read(made: list[Made], tmp_path: Path, size: int) -> None:
    for number, one in enumerate(made):
        folder = tmp_path / str(number)
        shutil.copytree(one.path.parent, folder)
        (folder / one.path.name).write_bytes(one.path.read_bytes()[:size])
        assert_refused_or_read(Made(one.agent, folder / one.path.name))


def test_each_is_one_agents_alone(made: list[Made], tmp_path: Path) -> None:
    collections = {
        name: collection for name, entry in REGISTRY.items() if (collection := entry.load().collection)
    }
    for one in made:
        head = one.path.read_bytes()
        assert [name for name, each in collections.items() if each.holds(one.path, head)] == [one.agent]
    for fixture in all_fixtures():
        path = tmp_path / f"{fixture.folder.name}{fixture.files[0].suffix}"
        path.write_bytes(fixture.main)
        takers = {name for name, each in collections.items() if each.holds(path, fixture.main)}
        assert takers <= {fixture.agent}  # which may be the collection itself


def test_file_beyond_the_limit_is_refused(made: list[Made], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole_files, "WHOLE_LIMIT", 100)
    for one in made:
        collection = REGISTRY[one.agent].load().collection
        assert collection is not None
        with pytest.raises(UnknownTranscript, match="more than 100"):
            whole_files.load(one.path)
        identity = Identity(one.agent, "s", "", None, "document", None, None)
        with pytest.raises(UnknownTranscript, match="more than 100"):
            list(collection.rendition(one.path, identity))


def test_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.json")
    with pytest.raises(OSError, match="no regular file"):
        whole_files.load(tmp_path / "x.json")
    assert whole_files.load_beside(tmp_path / "x.json") == {}
    assert whole_files.load_beside(tmp_path / "nobody.json") == {}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{"a": 1e999}', {"a": float("inf")}),
        (b'{"a": NaN}', {"a": None}),
        (b'{"a": "\\q"}', {"a": "\\q"}),
        (b'{"a": 1}\x00\x00', {"a": 1}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'{"a": 1', None),
        (b'{"a": 1} {"b": 2}', None),
        (b"", None),
    ],
)
def test_file_is_decoded_with_the_patience_that_lines_are(data: bytes, expected: object) -> None:
    assert whole_files.decode(data) == expected
