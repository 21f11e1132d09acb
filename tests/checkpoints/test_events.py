"""Reading events: what the format says is read, and nothing else is taken for one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.checkpoints.events import MAX_REWRITES, Event, parse
from gitmem.model.errors.intake import EventRefused
from gitmem.model.records import TRIGGERS, Rewrite

WHOLE = b"""\
gitmem-event 1
hook post-commit
pid 4711
cwd /home/ada/a project
git_dir .git
index .git/index
branch refs/heads/fix/tide \xff
head 1111111111111111111111111111111111111111
arg one  two
arg
tomorrow whatever

"""
OLD, NEW = "1" * 40, "2" * 40


def event(hook: str, given: bytes = b"", more: str = "") -> Event:
    lines = ["gitmem-event 1", f"hook {hook}", "pid 1", "cwd /a", "git_dir .git", *([more] if more else [])]
    return parse("x", 5, "\n".join(lines).encode() + b"\n\n" + given)


def test_every_line_is_read_to_its_end_and_unknown_ones_are_passed_over() -> None:
    found = parse("stem", 17, WHOLE)
    assert found == Event(
        stem="stem",
        at_ns=17,
        hook="post-commit",
        pid=4711,
        cwd=Path("/home/ada/a project"),
        git_dir=Path("/home/ada/a project/.git"),
        index_file=Path("/home/ada/a project/.git/index"),
        branch="fix/tide \\xff",
        head=OLD,  # type: ignore[arg-type]
        args=("one  two", ""),
    )


def test_git_directories_may_be_absolute() -> None:
    assert event("stop").git_dir == Path("/a/.git")
    assert parse("x", 0, WHOLE.replace(b"git_dir .git", b"git_dir /b/.git")).git_dir == Path("/b/.git")


def test_events_are_ordered_by_moments_then_hooks_then_names() -> None:
    hooks = ["post-checkout", "post-rewrite", "post-commit", "pre-commit"]
    same = [event(hook)._replace(stem=f"{n}") for n, hook in enumerate(hooks)]
    earlier, later = same[0]._replace(at_ns=4), same[3]._replace(at_ns=6)
    ordered = sorted([later, *same, earlier], key=lambda one: one.order)
    assert ordered == [earlier, *reversed(same), later]


def test_rewrites_are_pairs_with_whatever_behind_and_bounded() -> None:
    assert event("post-rewrite", f"{OLD} {NEW} extra words\n{NEW} {OLD}\n".encode()).rewrites == (
        Rewrite(OLD, NEW),
        Rewrite(NEW, OLD),
    )
    many = f"{OLD} {NEW}\n".encode() * (MAX_REWRITES + 10)
    assert len(event("post-rewrite", many).rewrites) == MAX_REWRITES
    assert event("post-commit", b"no matter").rewrites == ()


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (b'{"transcript_path": "/t/x.jsonl"}', Path("/t/x.jsonl")),
        (b'{"transcript_path": "t/x.jsonl"}', None),
        (b'{"transcript_path": "/t/\\u0000"}', None),
        (b'{"transcript_path": 7}', None),
        (b"{}", None),
        (b" \n", None),
    ],
)
def test_an_agent_may_name_its_transcript(said: bytes, expected: Path | None) -> None:
    assert event("stop", said).transcript == expected


@pytest.mark.parametrize("said", [b"{", b"[]", b"7", b'{"a": "\xff"}', b"[" * 100_000])
def test_what_an_agent_says_that_is_no_json_object_takes_nothing_from_its_event(said: bytes) -> None:
    assert (event("session-end", said).hook, event("session-end", said).transcript) == ("session-end", None)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"gitmem-event 1", b"gitmem-event 2"),
        (b"hook post-commit", b"hook manual"),
        (b"hook post-commit\n", b""),
        (b"pid 4711", b"pid -1"),
        (b"pid 4711", b"pid \xd9\xa3"),
        (b"pid 4711", b"pid 47111111111111"),
        (b"pid 4711", b"pid 4711\npid 4711"),
        (b"cwd /home", b"cwd home"),
        (b"cwd /home", b"cwd /\x00home"),
        (b"git_dir .git", b"git_dir "),
        (b"head 11", b"head zz"),
        (b"head 1111111111111111111111111111111111111111", b"head 0000000000000000000000000000000000000000"),
        (b"head 11", b"head 1"),
        (b"branch", b"head 1111111111111111111111111111111111111111\nbranch"),
        (b"tomorrow whatever\n\n", b"tomorrow whatever\n"),
    ],
)
def test_what_is_not_as_the_format_says_is_refused(old: bytes, new: bytes) -> None:
    assert old in WHOLE
    with pytest.raises(EventRefused) as caught:
        parse("stem", 0, WHOLE.replace(old, new))
    assert "'stem'" in str(caught.value)


@pytest.mark.parametrize("ref", ["refs/heads/.invalid", "refs/heads/", "refs/bisect/bad"])
def test_what_is_no_branch_is_none(ref: str) -> None:
    assert event("stop", more=f"branch {ref}").branch is None


@given(st.integers(0, len(WHOLE) - 2))
def test_an_event_that_is_cut_short_is_refused(size: int) -> None:
    with pytest.raises(EventRefused):
        parse("x", 0, WHOLE[:size])


@given(st.binary(max_size=300))
def test_any_bytes_are_an_event_or_refused(content: bytes) -> None:
    for whole in (content, b"gitmem-event 1\n" + content, WHOLE[:60] + content + b"\n\n" + content):
        try:
            event = parse("x", 7, whole)
        except EventRefused:
            continue
        assert (event.stem, event.at_ns) == ("x", 7)
        assert event.hook in TRIGGERS
        assert event.pid > 0
        assert event.cwd.is_absolute()
        assert event.git_dir.is_absolute()
