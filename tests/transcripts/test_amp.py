"""What is particular to Amp: a thread that says at its end where it began."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gitmem.model.errors.intake import UnknownTranscript
from gitmem.transcripts.agent import Collection
from gitmem.transcripts.amp import AGENT as AMP
from gitmem.transcripts.detect import HEAD_BYTES
from gitmem.transcripts.places import places
from gitmem.transcripts.read import read
from tests.transcripts.fixture import FIXTURES
from tests.transcripts.records import line

RENDITION = (FIXTURES / "amp" / "moorings" / "main.jsonl").read_bytes()
assert AMP.collection is not None
THREADS: Collection = AMP.collection


def make_thread(folder: Path, rendition: bytes) -> Path:
    """Write a thread as Amp orders it, from its rendition."""
    first, *messages, last = (json.loads(one) for one in rendition.splitlines())
    rest = {**first["ampThread"], **last["ampThread"]}
    begun = {key: rest.pop(key) for key in ("v", "id", "created") if key in rest}
    path = folder / f"{begun['id']}.json"
    path.write_text(
        json.dumps({**begun, "messages": [one["ampMessage"] for one in messages], **rest}, indent=2)
    )
    return path


def rendition_of(path: Path) -> bytes:
    (listed,) = THREADS.sessions(path, None).sessions
    return b"".join(THREADS.rendition(path, listed.identity))


def test_rendition_of_a_thread_is_the_fixture(tmp_path: Path) -> None:
    path = make_thread(tmp_path, RENDITION)
    assert THREADS.holds(path, path.read_bytes()[:HEAD_BYTES])
    made = [json.loads(one) for one in rendition_of(path).splitlines()]
    assert made == [json.loads(one) for one in RENDITION.splitlines()]


def test_where_a_long_thread_began_is_found_behind_all_that_was_said(tmp_path: Path) -> None:
    first, message, *rest = RENDITION.splitlines(keepends=True)
    path = make_thread(tmp_path, b"".join((first, message * 20_000, *rest)))
    assert path.stat().st_size > 4 * HEAD_BYTES
    (listed,) = THREADS.sessions(path, None).sessions
    assert listed.identity.cwd == "/home/ada/tideline"


@pytest.mark.parametrize(
    "data", [b"", b"[]", b'{"id":"T-1"}', b'{"id":"T-1","messages":7}', b'{"id":"T-1","messages":[']
)
def test_what_is_no_thread_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "T-1.json"
    path.write_bytes(data)
    with pytest.raises(UnknownTranscript, match="T-1"):
        THREADS.sessions(path, None)


def test_thread_with_text_that_is_no_unicode_is_mended(tmp_path: Path) -> None:
    path = tmp_path / "T-1.json"
    path.write_bytes(b'{"id":"T-1","messages":[{"role":"user","content":"a\\ud800b \xff"}]}')
    (turn,) = read("amp", [("", [rendition_of(path)])]).turns
    assert turn.text == "a\ufffdb \ufffd"


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        ({"status": "done", "result": {"x": [1, "y"]}}, ("y", False, None)),
        (
            {"status": "done", "result": {"output": "", "exitCode": 0}},
            ("", False, 0),
        ),
        ({"status": "cancelled"}, ("", True, None)),
        ({"status": "error", "error": "no"}, ("no", True, None)),
        ({"status": 7, "result": 7}, ("7", False, None)),
        ("nonsense", ("", False, None)),
    ],
)
def test_answer_of_a_tool_may_be_anything(run: Any, expected: tuple[str, bool, int | None]) -> None:
    block = {"type": "tool_result", "toolUseID": "t", "run": run}
    (turn,) = read("amp", [("", [line({"ampMessage": {"role": "user", "content": [block]}})])]).turns
    assert turn.result is not None
    assert (turn.text, turn.result.is_error, turn.result.exit_status) == expected


def test_threads_are_among_the_data() -> None:
    assert ("amp", Path("/d/amp/threads")) in places(Path("/h"), {"XDG_DATA_HOME": "/d"})
    assert ("amp", Path("/h/.local/share/amp/threads")) in places(Path("/h"), {})
