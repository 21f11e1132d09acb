"""What is particular to droid."""

from __future__ import annotations

from pathlib import Path, PurePath

import pytest

from gitmem.model.errors.intake import UnknownTranscript
from gitmem.transcripts.detect import detect
from gitmem.transcripts.places import places
from gitmem.transcripts.read import read
from tests.transcripts.records import line, lines

START = {"type": "session_start", "id": "d-1", "cwd": "/tideline", "title": "Tides"}


def result(text: str, **more: object) -> dict[str, object]:
    block = {"type": "tool_result", "tool_use_id": "t", "content": text, **more}
    return {"type": "message", "id": "m", "message": {"role": "user", "content": [block]}}


@pytest.mark.parametrize(
    ("text", "status", "is_error"),
    [
        ("ok\n\n[Process exited with code 0]", 0, False),
        ("no\n\n[Process exited with code 3]\n", 3, True),
        ("[Process exited with code 3] is what it said", None, False),
        ("", None, False),
    ],
)
def test_exit_status_is_the_last_line_of_a_result(text: str, status: int | None, is_error: bool) -> None:
    (turn,) = read("droid", [("", [line(result(text))])]).turns
    assert turn.result is not None
    assert (turn.result.exit_status, turn.result.is_error) == (status, is_error)


def test_name_that_a_session_was_given_later_is_its_title() -> None:
    later = START | {"sessionTitle": "Spring tides"}
    assert read("droid", [("", [lines(START, later)])]).header.title == "Spring tides"


def test_settings_beside_a_session_are_none() -> None:
    settings = line({"model": "m", "tokenUsage": {"inputTokens": 1}, "assistantActiveTimeMs": 2})
    with pytest.raises(UnknownTranscript):
        detect(settings, PurePath("d-1.settings.json"))
    assert detect(settings, PurePath("d-1.settings.json"), "droid").began_in is None


def test_sessions_are_below_the_factory() -> None:
    assert ("droid", Path("/home/ada/.factory/sessions")) in places(Path("/home/ada"), {})
