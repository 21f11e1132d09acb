"""Editing JSON with comments: what is not edited stays byte for byte, whatever it looks like."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitmem.agents import jsonc, merging
from gitmem.agents.merging import Constant, Hook, Member
from gitmem.model.errors.enabling import ConfigUnreadable

COMMAND = "sh '/x/.git/gitmem/agent-hook' agent claude-code stop"
HOOK = Hook("Stop", {"hooks": [{"type": "command", "command": COMMAND}]})
SERVER = Member(("mcpServers",), {"command": "sh", "args": ["/x/.git/gitmem/agent-mcp"]})

_keys = st.sampled_from(["hooks", "Stop", "mcpServers", "a", "ü", 'q"', "command", "gitmem"])
_plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=3),
    max_leaves=12,
)
_others = st.fixed_dictionaries({"type": st.just("command"), "command": st.text(max_size=8)})
_group = st.fixed_dictionaries({"hooks": st.lists(_others, max_size=2)}, optional={"matcher": st.just("*")})
_config = st.fixed_dictionaries(
    {},
    optional={
        "hooks": st.dictionaries(
            st.sampled_from(["Stop", "SessionStart"]), st.lists(_group, max_size=3), max_size=2
        ),
        "mcpServers": st.dictionaries(st.sampled_from(["a", "b"]), _plain, max_size=2),
        "model": _plain,
    },
)


@st.composite
def written(draw: st.DrawFn, values: st.SearchStrategy[Any]) -> tuple[Any, str]:
    """Return a value, and a way in which somebody might have written it, with comments and trailing commas."""
    value = draw(values)
    space = st.sampled_from(["", " ", "\n", "\n  ", "\r\n\t", " // c, ] }\n", "/* x, */", "\t"])

    def write(value: Any) -> str:
        if not isinstance(value, dict | list):
            return json.dumps(value, ensure_ascii=draw(st.booleans()))
        pairs = (
            [(json.dumps(key), one) for key, one in value.items()]
            if isinstance(value, dict)
            else [("", x) for x in value]
        )
        parts = [
            draw(space)
            + (f"{key}{draw(space)}:{draw(space)}" if isinstance(value, dict) else "")
            + write(one)
            + draw(space)
            for key, one in pairs
        ]
        end = "," + draw(space) if parts and draw(st.booleans()) else ""
        inside = ",".join(parts) + (end if parts else draw(space))
        return "{" + inside + "}" if isinstance(value, dict) else "[" + inside + "]"

    return value, draw(space) + write(value) + draw(space)


@given(written(_plain))
def test_what_is_read_is_what_was_written(pair: tuple[Any, str]) -> None:
    value, text = pair
    assert jsonc.parse(text).plain() == value


@settings(max_examples=60)
@given(written(_config))
def test_entries_go_in_beside_what_is_there_and_come_out_again(pair: tuple[Any, str]) -> None:
    value, text = pair
    merged = merging.merge(text, [HOOK, SERVER])
    said = jsonc.parse(merged.text).plain()
    assert said["hooks"]["Stop"][-1] == HOOK.value
    assert said["mcpServers"]["gitmem"] == SERVER.value
    assert comments_of(text) <= comments_of(merged.text)
    assert merging.merge(merged.text, [HOOK, SERVER]).text == merged.text
    after = merging.strip(merged.text, made=merged.made)
    assert jsonc.parse(after).plain() == value
    assert list(jsonc.parse(after).plain()) == list(value)
    assert comments_of(text) == comments_of(after)


@settings(max_examples=60)
@given(written(_config))
def test_a_newer_entry_takes_the_place_of_an_older_one(pair: tuple[Any, str]) -> None:
    value, text = pair
    older = merging.merge(text, [HOOK._replace(value={"hooks": [{"command": COMMAND + " 0"}]}), SERVER])
    newer = merging.merge(older.text, [HOOK, SERVER])
    groups = jsonc.parse(newer.text).plain()["hooks"]["Stop"]
    assert groups == [*value.get("hooks", {}).get("Stop", []), HOOK.value]


def test_what_follows_an_entry_is_not_taken_in_by_a_comment_before_it() -> None:
    text = '{ // mine\n"hooks":{}}'
    older = merging.merge(text, [HOOK._replace(value={"hooks": [{"command": COMMAND + " 0"}]}), SERVER])
    newer = merging.merge(older.text, [HOOK, SERVER])
    assert jsonc.parse(newer.text).plain()["mcpServers"]["gitmem"] == SERVER.value
    assert comments_of(text) == comments_of(newer.text)


@given(st.text(alphabet='{}[],:"/*\\ \n0aeu.-+tn', max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        merged = merging.merge(text, [HOOK])
    except ConfigUnreadable:
        return
    assert jsonc.parse(merged.text).get("hooks") is not None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"a": 1}', '{"a": 1, "mcpServers": {"gitmem": {"k": 1}}}'),
        ("{}", '{\n  "mcpServers": {\n    "gitmem": {\n      "k": 1\n    }\n  }\n}'),
        (
            '{\n\t"a": 1, // why\n\t// last\n}\n',
            '{\n\t"a": 1, // why\n\t"mcpServers": {\n\t\t"gitmem": {\n\t\t\t"k": 1\n\t\t}\n\t},\n\t// last\n}\n',
        ),
        (
            '{\r\n    "a": 1\r\n}',
            '{\r\n    "a": 1,\r\n    "mcpServers": {\r\n        "gitmem": {\r\n            "k": 1\r\n        }\r\n    }\r\n}',
        ),
        (
            '{\n  "mcpServers": {\n    "other": {} // theirs\n  }\n}',
            '{\n  "mcpServers": {\n    "other": {}, // theirs\n    "gitmem": {\n      "k": 1\n    }\n  }\n}',
        ),
        (
            '{\n  "mcpServers": { /* none yet */ }\n}',
            '{\n  "mcpServers": { /* none yet */\n    "gitmem": {\n      "k": 1\n    }\n  }\n}',
        ),
    ],
)
def test_an_entry_is_laid_out_as_the_rest_is(before: str, after: str) -> None:
    assert merging.merge(before, [Member(("mcpServers",), {"k": 1})]).text == after


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"a": 1', "line 1"),
        ('{\n"a": 1,\n"b" 2}', "line 3: a colon"),
        ("[1]", "not an object"),
        ('{"a": 01}', "line 1"),
        ('{"a": "\\x"}', "escape"),
        ('{"a": 1} x', "follows"),
        ('{"a": ' + "[" * 200 + "]" * 200 + "}", "nested"),
        ('{"hooks": []}', "hooks is not an object"),
        ('{"hooks": {"Stop": {}}}', "hooks.Stop is not an array"),
        ('{"hooks": null}', "hooks"),
        ("/* never closed", "line 1"),
    ],
)
def test_what_is_no_configuration_is_refused_with_its_place(text: str, why: str) -> None:
    with pytest.raises(ConfigUnreadable) as caught:
        merging.merge(text, [HOOK])
    assert why in caught.value.why


def test_a_hook_that_somebody_moved_into_their_own_group_is_taken_out_of_it_alone() -> None:
    text = json.dumps({"hooks": {"Stop": [{"hooks": [{"command": "theirs"}, {"command": COMMAND}]}]}})
    assert json.loads(merging.strip(text)) == {"hooks": {"Stop": [{"hooks": [{"command": "theirs"}]}]}}


def test_a_server_of_that_name_that_is_not_ours_is_left_and_told_of() -> None:
    text = '{"mcpServers": {"gitmem": {"command": "gitmem", "args": ["mcp"]}}}'
    merged = merging.merge(text, [SERVER])
    assert (merged.text, merged.left) == (text, ("mcpServers.gitmem",))
    assert merging.strip(text) == text


def test_of_a_key_that_stands_twice_the_last_one_counts_as_agents_read_it() -> None:
    merged = merging.merge('{"hooks": {"Stop": []}, "hooks": {}}', [HOOK])
    assert json.loads(merged.text)["hooks"]["Stop"] == [HOOK.value]


def test_a_constant_is_added_only_where_it_is_missing() -> None:
    assert json.loads(merging.merge('{"version": 2}', [Constant("version", 1), HOOK]).text)["version"] == 2
    assert json.loads(merging.merge("{}", [Constant("version", 1), HOOK]).text)["version"] == 1


def comments_of(text: str) -> set[str]:
    return {mark for mark in ("// c, ] }", "/* x, */") if mark in text}
