"""Bad input is kept, counted and never fatal."""

from __future__ import annotations

import json

import pytest

from gitmem.model.errors.intake import ReaderMissing
from gitmem.model.turns import Tally
from gitmem.transcripts.detect import AGENTS
from gitmem.transcripts.read import Transcript, read
from gitmem.transcripts.shrink import STRING_LIMIT
from tests.transcripts.records import chunks, claude_user, generic, line, lines

GOOD = line(claude_user("u1", "hi"))
OF_JSON = [agent for agent in AGENTS if agent not in ("aider", "specstory")]
"""Those that write no Markdown, of which any text is some."""


def read_claude(data: bytes) -> Transcript:
    return read("claude-code", [("", chunks(data))])


def texts(transcript: Transcript) -> list[str]:
    return [turn.text for turn in transcript.turns]


@pytest.mark.parametrize("agent", AGENTS)
def test_nothing_is_an_empty_transcript(agent: str) -> None:
    for stream in ([], [b""], [b"\n\n"]):
        transcript = read(agent, [("", stream)])
        assert transcript.turns == []
        assert transcript.tally.not_json == 0


@pytest.mark.parametrize("bad", [b"not json", b"{", b'{"a" 1}', b"\\", b'"', b"{}}", b"nul", b"\x01\x02"])
def test_line_that_is_no_json_is_counted_and_passed_over(bad: bytes) -> None:
    transcript = read_claude(bad + b"\n" + GOOD)
    assert texts(transcript) == ["hi"]
    assert transcript.turns[0].line == 1
    assert (transcript.tally.lines, transcript.tally.not_json) == (2, 1)


def test_last_line_that_breaks_off_is_left_for_later() -> None:
    transcript = read_claude(GOOD + GOOD[:-20])
    assert texts(transcript) == ["hi"]
    assert transcript.tally == Tally(lines=2, cut_short=1)


def test_last_line_that_only_lacks_its_line_feed_is_read() -> None:
    assert texts(read_claude(GOOD[:-1])) == ["hi"]


def test_document_that_breaks_off_gives_its_whole_messages() -> None:
    message = {"info": {"id": "m", "role": "user"}, "parts": [{"type": "text", "text": "hi"}]}
    document = json.dumps(
        {"info": {"id": "ses_1", "title": "T"}, "messages": [message] * 3}, indent=1
    ).encode()
    transcript = read("opencode", [("", [document[:-60]])])
    assert texts(transcript) == ["hi", "hi"]
    assert transcript.header.title == "T"
    assert transcript.tally.cut_short == 1


def test_invalid_utf8_is_replaced_and_counted() -> None:
    transcript = read_claude(GOOD.replace(b'"hi"', b'"h\xff\xfei"'))
    assert texts(transcript) == ["h\ufffd\ufffdi"]
    assert transcript.tally == Tally(lines=1, bad_utf8=1)


@pytest.mark.parametrize("escape", [b"\\ud800", b"\\udc00", b"\\udc00\\ud800", b"\\ud83dx"])
def test_lone_surrogate_is_replaced_and_counted(escape: bytes) -> None:
    transcript = read_claude(GOOD.replace(b'"hi"', b'"h' + escape + b'i"'))
    (text,) = texts(transcript)
    assert "\ufffd" in text
    text.encode()
    assert transcript.tally == Tally(lines=1, bad_utf8=1)


def test_surrogate_pair_is_one_character_even_beside_a_lone_one() -> None:
    transcript = read_claude(GOOD.replace(b'"hi"', b'"\\ud83c\\udf0a \\udf0a"'))
    assert texts(transcript) == ["🌊 \ufffd"]


def test_nul_in_a_text_is_replaced() -> None:
    assert texts(read_claude(GOOD.replace(b'"hi"', b'"a\\u0000b"'))) == ["a\ufffdb"]


def test_nul_bytes_that_a_crash_left_do_not_hide_the_line() -> None:
    transcript = read_claude(b"\x00" * 4096 + GOOD)
    assert texts(transcript) == ["hi"]
    assert transcript.tally.not_json == 1


def test_byte_order_mark_does_not_hide_the_line() -> None:
    assert texts(read_claude(b"\xef\xbb\xbf" + GOOD)) == ["hi"]


def test_escape_that_a_careless_redactor_broke_does_not_hide_the_line() -> None:
    transcript = read_claude(GOOD.replace(b'"hi"', b'"origin\\user12@example.com, \\n, \\\\user"'))
    assert texts(transcript) == ["origin\\user12@example.com, \n, \\user"]
    assert transcript.tally == Tally(lines=1, not_json=1)


def test_two_records_on_one_line_are_both_read() -> None:
    transcript = read_claude(GOOD[:-1] + line(claude_user("u2", "ho")))
    assert texts(transcript) == ["hi", "ho"]
    assert [turn.line for turn in transcript.turns] == [0, 0]
    assert transcript.tally.not_json == 1


def test_record_that_another_cut_off_is_salvaged_as_far_as_it_goes() -> None:
    transcript = read_claude(GOOD[:-1] + GOOD[:50] + b"\n" + line(claude_user("u2", "ho")))
    assert texts(transcript) == ["hi", "ho"]
    assert transcript.tally.not_json == 1


@pytest.mark.parametrize("agent", OF_JSON)
@pytest.mark.parametrize("bad", [b"1", b'"x"', b"[]", b"{}", b"null", b"[{}]"])
def test_json_that_is_no_record_is_counted(agent: str, bad: bytes) -> None:
    transcript = read(agent, [("", [bad + b"\n"])])
    assert transcript.turns == []
    assert transcript.tally.unknown or transcript.tally.not_json or agent in ("opencode", "continue")


@pytest.mark.parametrize("opening", [b'{"a":', b"["])
@pytest.mark.parametrize("is_closed", [True, False])
def test_hundred_thousand_levels_are_counted_and_cut(opening: bytes, is_closed: bool) -> None:
    closing = (b"}" if opening.startswith(b"{") else b"]") * 100_000 if is_closed else b""
    deep = opening * 100_000 + b"1" + closing
    transcript = read_claude(deep + b"\n" + GOOD)
    assert texts(transcript) == ["hi"]
    assert transcript.tally.too_deep == 1


def test_record_with_a_deep_value_is_read_without_it() -> None:
    deep = b"[" * 100_000 + b"]" * 100_000
    transcript = read_claude(GOOD.replace(b'"isSidechain"', b'"deep": ' + deep + b', "isSidechain"'))
    assert texts(transcript) == ["hi"]
    assert transcript.turns[0].shortened
    assert transcript.tally == Tally(lines=1, too_deep=1)


def test_line_of_64_mb_is_read_shortened() -> None:
    def parts() -> list[bytes]:
        before, after = GOOD.split(b"hi")
        return [before, *[b"tide \\n " * 32_768] * 256, after]

    transcript = read("claude-code", [("", parts())])
    (turn,) = transcript.turns
    assert sum(map(len, parts())) > 64_000_000
    assert turn.text.startswith("tide \n tide")
    assert STRING_LIMIT // 2 < len(turn.text) <= STRING_LIMIT
    assert (turn.shortened, turn.id, turn.at_ms) == (True, "u1", 1778230800000)
    assert transcript.tally == Tally(lines=1, long_lines=1)


def test_unknown_records_are_counted_by_name_and_their_names_are_bounded() -> None:
    records = [{"type": "x" * 5000}, *({"type": f"t{n}"} for n in range(1000))]
    unknown = read_claude(lines(*records)).tally.unknown
    assert sum(unknown.values()) == 1001
    assert len(unknown) <= 201
    assert max(map(len, unknown)) <= 80


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("9999-12-31T23:59:59Z", 253402300799000),
        ("1955-11-05T06:00:00Z", -446752800000),
        (-1, -1000),
        (None, None),
        ("", None),
        ("yesterday", None),
        (1e300, None),
        (-1e300, None),
        (True, None),
        ([], None),
        ({"seconds": 1}, None),
    ],
)
def test_odd_times_are_kept_where_they_are_dates(at: object, expected: int | None) -> None:
    (turn,) = read("generic", [("", [line(generic("1", "hi", at=at))])]).turns
    assert turn.at_ms == expected


@pytest.mark.parametrize("number", [b"1e999", b"NaN", b"-Infinity", b"9" * 5000])
def test_numbers_beyond_reason_do_not_hide_the_line(number: bytes) -> None:
    (turn,) = read("generic", [("", [b'{"role": "user", "text": "hi", "at": ' + number + b"}\n"])]).turns
    assert (turn.text, turn.at_ms) == ("hi", None)


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "x" * 5000, "\x00"])
def test_message_ids_may_be_any_text(name: str) -> None:
    turns = read("generic", [("", [line(generic(name, "hi", parent=name))])]).turns
    assert [(turn.id, turn.parent) for turn in turns] == [(name, name)]


def test_agent_without_a_reader_is_an_expected_failure() -> None:
    with pytest.raises(ReaderMissing, match="'parrot'"):
        read("parrot", [("", [])])
