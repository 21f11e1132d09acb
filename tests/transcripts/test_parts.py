"""The pieces that readers are made of: lines, shrinking, words, times and calls."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.model.turns import Tally
from gitmem.transcripts.calls import describe, describe_text
from gitmem.transcripts.lines import LINE_LIMIT, read_lines, split_lines
from gitmem.transcripts.salvage import salvage
from gitmem.transcripts.shrink import DEPTH_LIMIT, MEMBER_LIMIT, SIZE_LIMIT, STRING_LIMIT, Shrinker
from gitmem.transcripts.text import Words, part
from gitmem.transcripts.times import to_ms
from gitmem.transcripts.whole_files import decode
from tests.transcripts.records import chunks

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
)


def shrunk(data: bytes, size: int = 1 << 18) -> bytes:
    shrinker = Shrinker()
    for chunk in chunks(data, size):
        shrinker.feed(chunk)
    return shrinker.finish()


# --- shrinking ----------------------------------------------------------------------------------------


@given(
    value=json_values, indent=st.none() | st.integers(0, 2), size=st.integers(1, 50), ascii_only=st.booleans()
)
def test_small_value_is_shrunk_to_itself(
    value: object, indent: int | None, size: int, ascii_only: bool
) -> None:
    data = json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode()
    assert json.loads(shrunk(data, size)) == value


@pytest.mark.parametrize("filler", ["a", "é", "\u20ac", "🌊", '"', "\\", "\n", "\x01", "a\\🌊"])
@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("lead", range(8))
def test_long_string_is_cut_between_characters(filler: str, ascii_only: bool, lead: int) -> None:
    text = "x" * lead + filler * STRING_LIMIT
    data = json.dumps({"a": text, "b": 1}, ensure_ascii=ascii_only).encode()
    value = json.loads(shrunk(data))
    assert text.startswith(value["a"])
    assert len(value["a"].encode()) > STRING_LIMIT // 13
    assert value["b"] == 1
    value["a"].encode()


@given(size=st.integers(1, 3000), lead=st.integers(0, 12))
def test_where_a_string_is_cut_does_not_depend_on_the_pieces(size: int, lead: int) -> None:
    data = json.dumps("x" * lead + '🌊"\\é' * 9000).encode()
    assert shrunk(data, size) == shrunk(data)


def test_size_is_bounded_and_what_stands_last_survives() -> None:
    value = {"id": 1, "rows": [{"cells": ["x" * 1000] * 100} for _ in range(200)], "at": "now"}
    data = shrunk(json.dumps(value).encode())
    assert len(data) < SIZE_LIMIT * 1.5
    kept = json.loads(data)
    assert (kept["id"], kept["at"]) == (1, "now")
    assert len(kept["rows"][0]["cells"]) == 100
    assert len(kept["rows"][-1]["cells"]) < 100


def test_members_are_bounded() -> None:
    kept = json.loads(shrunk(b'{"a": [' + b"[],{}," * 500_000 + b'1], "b": 2}'))
    assert len(kept["a"]) <= MEMBER_LIMIT * 1.1
    assert kept["b"] == 2


def test_deep_values_become_null() -> None:
    deep = b"[" * 5000 + b"1" + b"]" * 5000
    kept = json.loads(shrunk(b'{"a": ' + deep + b', "b": 2}'))
    assert kept["b"] == 2
    depth, value = 0, kept["a"]
    while value:
        value, depth = value[0], depth + 1
    assert depth == DEPTH_LIMIT - 1


@pytest.mark.parametrize(
    "nonsense",
    [b'""' * 5_000_000, b"{}" * 5_000_000, b":" * 10_000_000, b"]" * 10_000_000, b"1 " * 5_000_000],
)
def test_nonsense_is_given_up_early_and_stays_nonsense(nonsense: bytes) -> None:
    data = shrunk(nonsense)
    assert len(data) < SIZE_LIMIT * 2
    with pytest.raises(ValueError, match=r"."):
        json.loads(data)


@given(value=st.dictionaries(st.text(max_size=6), json_values, max_size=5), cut=st.integers(1, 10_000))
def test_value_that_breaks_off_is_closed_behind_its_last_whole_member(
    value: dict[str, object], cut: int
) -> None:
    data = json.dumps(value).encode()
    shrinker = Shrinker()
    shrinker.feed(data[: 1 + cut % len(data)])
    kept = json.loads(shrinker.finish_cut_short())
    assert list(kept) == list(value)[: len(kept)]


@given(
    messages=st.lists(json_values, max_size=5),
    at=st.integers(0, 10_000),
    damage=st.sampled_from(b'"{}[],:\\ \n'),
)
def test_elements_are_the_same_whether_copied_whole_or_shrunk(
    messages: list[object], at: int, damage: int
) -> None:
    whole = json.dumps({"messages": messages, "title": "Tides"}, indent=1).encode()
    at %= len(whole)
    for data in (whole, whole[:at], whole[:at] + bytes([damage]) + whole[at + 1 :]):
        assert split_up([data]) == split_up(chunks(data, 1))


def split_up(pieces: list[bytes]) -> tuple[list[tuple[object, ...]], bool, bool]:
    shrinker = Shrinker("messages")
    for piece in pieces:
        shrinker.feed(piece)
    found = [(decode(one.data), one.line, one.was_cut, one.was_too_deep) for one in shrinker.elements]
    return found, shrinker.is_open(), decode(shrinker.finish()) is None


# --- lines --------------------------------------------------------------------------------------------


@given(data=st.binary(max_size=200).map(lambda b: b.replace(b"a", b"\n")), size=st.integers(1, 20))
def test_lines_are_cut_at_line_feeds_only(data: bytes, size: int) -> None:
    expected = data.split(b"\n")
    found = list(split_lines(chunks(data, size)))
    assert [line.data for line in found if line.ended] == expected[:-1]
    assert [line.data for line in found if not line.ended] == ([expected[-1]] if expected[-1] else [])
    assert [line.number for line in found] == list(range(len(found)))


@pytest.mark.parametrize("size", [1 << 18, LINE_LIMIT * 2])
@pytest.mark.parametrize("excess", [0, 1])
def test_line_is_shrunk_beyond_the_limit_and_not_before(size: int, excess: int) -> None:
    text = json.dumps({"a": "x" * (LINE_LIMIT - 9 + excess)}).encode()
    assert len(text) == LINE_LIMIT + excess
    tally = Tally()
    one, other = read_lines(chunks(text + b"\n{}\n", size), tally)
    assert one.shortened == bool(excess) == bool(tally.long_lines)
    assert (other.number, other.shortened) == (1, False)


def test_prose_is_no_record_even_where_it_begins_like_one() -> None:
    tally = Tally()
    assert list(read_lines([b'12 files changed\n"quoted" words\nnull and void\n'], tally)) == []
    assert tally.not_json == 3


@given(data=st.binary(max_size=300))
def test_salvage_never_raises_and_gives_text_that_can_be_encoded(data: bytes) -> None:
    for value in salvage(data).values:
        json.dumps(value, ensure_ascii=False).encode()


# --- words --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "preamble", "message"),
    [
        ("plain words", "", "plain words"),
        ("a < b and b > c", "", "a < b and b > c"),
        ("What is <system-reminder>?", "", "What is <system-reminder>?"),
        ("<system-reminder>never closed", "", "<system-reminder>never closed"),
        ("<system-reminder>a</system-reminder>", "<system-reminder>a</system-reminder>", ""),
        (
            "before\n<ide_selection>x</ide_selection>\nafter",
            "<ide_selection>x</ide_selection>",
            "before\n\nafter",
        ),
        (
            "<environment_context>\n<cwd>/</cwd>\n</environment_context>",
            "<environment_context>\n<cwd>/</cwd>\n</environment_context>",
            "",
        ),
        ("<user_query>\nWhen is ebb?\n</user_query>", "", "When is ebb?"),
        (
            "<user_info>\nOS: linux\n</user_info>\n<user_query>\nWhen is ebb?\n</user_query>",
            "<user_info>\nOS: linux\n</user_info>",
            "When is ebb?",
        ),
        ("<command-name>/clear</command-name>\n<command-args></command-args>", "", "/clear"),
        ("<bash-input>ls</bash-input>", "", "! ls"),
        (
            "# AGENTS.md instructions for /tide\n\n<INSTRUCTIONS>\nx\n</INSTRUCTIONS>",
            "# AGENTS.md instructions for /tide\n<INSTRUCTIONS>\nx\n</INSTRUCTIONS>",
            "",
        ),
        ("# AGENTS.md instructions for /tide\nx", "# AGENTS.md instructions for /tide\nx", ""),
        (
            "# Files mentioned by the user:\n\n## a.png\n\n## My request for Codex:\nadd it\n",
            "# Files mentioned by the user:\n\n## a.png",
            "add it",
        ),
        ("# A heading of mine\n\ntext", "", "# A heading of mine\n\ntext"),
        ("[Request interrupted by user for tool use]", "[Request interrupted by user for tool use]", ""),
    ],
)
def test_words_are_parted_from_what_the_host_put_there(text: str, preamble: str, message: str) -> None:
    assert part(text) == Words(preamble, message)


@given(text=st.text(alphabet="a <>/\n#[]-", max_size=60))
def test_text_without_a_known_element_is_left_alone(text: str) -> None:
    assert part(text) == Words("", text)


# --- times --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "ms"),
    [
        ("2026-05-08T09:00:00Z", 1778230800000),
        ("2026-05-08T09:00:00.1239Z", 1778230800123),
        ("2026-05-08T11:00:00+02:00", 1778230800000),
        ("2026-05-08T09:00:00", 1778230800000),
        (1778230800, 1778230800000),
        (1778230800.5, 1778230800500),
        (1778230800000, 1778230800000),
        (0, 0),
        ("0001-01-01T00:00:00+14:00", None),
        (float("nan"), None),
        (10**30, None),
        ("2026-13-40T00:00:00Z", None),
        ("2026-05-08T09:00:00Z" * 100, None),
    ],
)
def test_times_come_in_seconds_milliseconds_and_text(value: object, ms: int | None) -> None:
    assert to_ms(value) == ms


# --- calls --------------------------------------------------------------------------------------------


def test_edit_reads_as_a_diff_and_names_its_file() -> None:
    edit = describe("c", "Edit", {"file_path": "a.py", "old_string": "x\ny", "new_string": "z"})
    assert edit.text == "a.py\n-x\n-y\n+z"
    assert edit.call.files == ("a.py",)
    assert json.loads(edit.call.input) == {"file_path": "a.py", "old_string": "x\ny", "new_string": "z"}


def test_patch_names_each_file_once() -> None:
    patch = "*** Begin Patch\n*** Update File: a.py\n*** Move to: b.py\n*** Delete File: a.py\n*** End Patch"
    assert describe_text("c", "apply_patch", patch).call.files == ("a.py", "b.py")
    wrapped = describe("c", "shell", {"command": ["apply_patch", patch], "script": patch})
    assert wrapped.call.files == ("a.py", "b.py")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"command": "ls -l", "timeout": 5}, "ls -l"),
        ({"command": ["ls", "-l"]}, "ls -l"),
        ({"port": "brest"}, "port: brest"),
        ({"edits": [{"old_string": "a", "new_string": "b"}]}, "-a\n+b"),
        ({"limit": 3}, '{"limit":3}'),
        ({"a": {"b": {"c": {"d": {"e": "deep"}}}}}, '{"e":"deep"}'),
        ({}, "{}"),
        (None, "{}"),
        ("words", "words"),
    ],
)
def test_arguments_are_made_readable(arguments: object, text: str) -> None:
    assert describe("c", "tool", arguments).text == text


def test_arguments_that_are_json_in_text_are_json() -> None:
    made = describe_text("c", "exec", '{ "cmd": "ls" }')
    assert (made.call.input, made.text) == ('{"cmd":"ls"}', "ls")


def test_several_paths_are_all_named() -> None:
    call = describe("c", "read_many", {"paths": ["a.py", "b.py", "a.py"], "path": "c.py"}).call
    assert call.files == ("c.py", "a.py", "b.py")
