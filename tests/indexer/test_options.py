"""The options of `gitmem search` that count, complete, look back and reach further, as they are typed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import CommandLine, RealGit
from tests.git.test_submodules import add_submodule
from tests.indexer.memories import Filled, called, gave, said
from tests.indexer.test_command import on_a_terminal


@pytest.fixture
def top(memory: Filled) -> Path:
    memory.add("one", [said("the anchor holds", at="2026-05-08T13:56:00Z"), said("a buoy", "assistant")])
    memory.add("two", [said("the anchor drags", at="2026-04-09T13:56:00Z")])
    return memory.top


def asked(run: CommandLine, *args: str, cwd: Path, **more: Any) -> dict[str, Any]:
    document = json.loads(run("search", *args, "--json", cwd=cwd, **more).stdout)
    assert isinstance(document, dict)
    return document


def sessions(answer: dict[str, Any]) -> list[str]:
    return sorted({hit["session"].partition("/")[2] for hit in answer["hits"]})


def test_facets_are_counted_for_programs_and_people(top: Path, run: CommandLine) -> None:
    answer = asked(run, "anchor", "--facets", "role, month", cwd=top)
    assert answer["facets"] == {"role": {"user": 2}, "month": {"2026-04": 1, "2026-05": 1}}
    shown = run("search", "anchor", "--facets=month", "-n1", cwd=top).stdout
    assert shown.endswith("month\n           1  2026-04\n           1  2026-05\n")


@pytest.mark.parametrize(
    "args",
    [
        ("--facets", "colour", "x"),
        ("--facets", "", "x"),
        ("--facets", ",", "x"),
        ("--facets", "role,\x1b[31mred", "x"),
        ("--all", "--recurse-submodules", "x"),
        ("--complete", "x", "y"),
        ("--complete", "x", "--batch", "-"),
        ("--as-of", "no such commit", "x"),
        ("--as-of", "", "x"),
        ("--as-of", "--output=x", "x"),
        ("--as-of", "HEAD:a.txt", "x"),
        ("--as-of", "\udcff", "x"),
        ("--except", "generic/one"),
        ("--recent",),
    ],
)
def test_options_that_make_no_sense_end_with_2(top: Path, run: CommandLine, args: tuple[str, ...]) -> None:
    finished = run("search", *args, cwd=top, status=2)
    assert "error:" in finished.stderr
    assert "\x1b" not in finished.stderr
    assert not (top / "x").exists()


def test_moment_that_is_none_is_told_with_what_would_be(top: Path, run: CommandLine) -> None:
    finished = run("search", "anchor", "--as-of", "yesteryear", cwd=top, status=2)
    assert "'yesteryear': it is neither a time nor a commit" in finished.stderr
    assert "hint: gitmem log: lists the memory's commits" in finished.stderr


def test_words_are_completed_for_people_and_programs(top: Path, run: CommandLine) -> None:
    assert run("search", "--complete", "a", cwd=top).stdout == "anchor\na\n"
    assert run("search", "--complete", "the bu", cwd=top).stdout == "buoy\n"
    assert asked(run, "--complete", "a", "-n1", cwd=top) == {
        "query": "a",
        "words": [{"word": "anchor", "turns": 2}],
    }
    assert run("search", "--complete", "zzz", cwd=top, status=1).stdout == ""
    run("search", "--complete", "", cwd=top, status=1)
    run("search", "--complete", "\udcff", cwd=top, status=1)


def test_memory_is_seen_as_of_a_commit_or_a_moment(memory: Filled, run: CommandLine, git: RealGit) -> None:
    top = memory.top
    memory.add("one", [said("the anchor holds")])
    first = git("rev-parse", "gitmem", cwd=top)
    memory.now += 86_400
    memory.add("two", [said("the anchor drags")])
    for when in (first, first[:10], "gitmem~1", "gitmem^", "2027-01-15", "refs/heads/gitmem~1"):
        assert sessions(asked(run, "anchor", "--as-of", when, cwd=top)) == ["one"], when
    for when in ("gitmem", "2027-01-16", "2027-01-17T00:00", "2035-01-01"):
        assert sessions(asked(run, "anchor", "--as-of", when, cwd=top)) == ["one", "two"], when
    assert asked(run, "anchor", "--as-of", "2027-01-14", cwd=top, status=1)["hits"] == []
    assert sessions(asked(run, "--as-of", "gitmem~1", cwd=top)) == ["one"]


def test_commit_is_looked_for_from_this_worktree(
    memory: Filled, run: CommandLine, git: RealGit, tmp_path: Path
) -> None:
    memory.add("one", [said("the anchor holds")])
    memory.now += 86_400
    git("worktree", "add", "--quiet", "--detach", str(tmp_path / "side"), "gitmem", cwd=memory.top)
    memory.add("two", [said("the anchor drags")])
    assert sessions(asked(run, "anchor", "--as-of", "HEAD", cwd=tmp_path / "side")) == ["one"]


def test_sessions_are_left_out(top: Path, run: CommandLine) -> None:
    assert sessions(asked(run, "anchor", "--except", "generic/two", cwd=top)) == ["one"]
    out = asked(run, "anchor", "--except=generic/two", "--except", "generic/one", cwd=top, status=1)
    assert out["hits"] == []


def test_newer_ones_come_first_where_that_is_said(top: Path, run: CommandLine) -> None:
    recent = asked(run, "anchor", "--recent", cwd=top)
    assert [hit["session"] for hit in recent["hits"]] == ["generic/one", "generic/two"]
    assert recent["hits"][0]["score"] > 1.5 * recent["hits"][1]["score"]


def test_fields_of_a_query_are_as_good_as_options(top: Path, run: CommandLine) -> None:
    for args, expected in [
        (("anchor", "since:2026-05-01"), ["one"]),
        (("anchor session:generic/two",), ["two"]),
        (("--", "anchor", "-session:generic/two"), ["one"]),
        (("role:assistant",), ["one"]),
    ]:
        answer = json.loads(run("search", "--json", *args, cwd=top).stdout)
        assert sessions(answer) == expected, args


def test_corrected_word_is_told(top: Path, run: CommandLine) -> None:
    assert asked(run, "anchro", cwd=top)["corrected"] == {"anchro": "anchor"}
    assert "the anchor drags" in run("search", "anchro", cwd=top).stdout


def test_what_was_searched_for_instead_is_told_on_a_terminal(top: Path, environ: Mapping[str, str]) -> None:
    screen = on_a_terminal(["search", 'anchro "drags anchor" holds', "--facets", "role"], top, environ)
    assert "nobody wrote anchro; searched for anchor instead" in screen
    assert "no turn has what stands in quotes; it was searched for as words" in screen
    assert "nobody wrote" not in on_a_terminal(["search", "anchor"], top, environ)


# All repositories that are known.


def test_every_known_repository_is_searched_from_anywhere(
    top: Path, memory: Filled, run: CommandLine, git: RealGit, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    assert "none is known yet" in run("search", "anchor", "--all", cwd=outside, status=2).stderr
    other = another(memory, git, tmp_path / "other")
    for where in (top, other.top):
        run("search", "anchor", cwd=where)
    for cwd in (outside, top, other.top):
        answer = asked(run, "anchor", "--all", cwd=cwd)
        assert {(hit["repo"], hit["session"]) for hit in answer["hits"]} == {
            ("repository", "generic/one"),
            ("repository", "generic/two"),
            ("other", "generic/three"),
        }
        assert {each["repo"] for each in answer["indexed"]["repos"]} == {"repository", "other"}
    shown = run("search", "anchor", "--all", cwd=outside).stdout
    assert "  other  user  " in shown
    assert "  repository  user  " in shown
    assert asked(run, "anchor", "--all", "--repo", "other", cwd=outside)["hits"][0]["repo"] == "other"
    assert asked(run, "anchor", "--all", "--facets", "repo", cwd=outside)["facets"] == {
        "repo": {"repository": 2, "other": 1}
    }
    assert run("search", "--all", "--complete", "anch", cwd=outside).stdout == "anchor\n"
    assert (
        "neither a time nor a commit"
        in run("search", "anchor", "--all", "--as-of", "nonsense", cwd=outside, status=2).stderr
    )
    batch = run(
        "search", "--all", "--batch", "-", "--json-lines", cwd=outside, stdin=b"anchor\nzzzz\n"
    ).stdout
    assert [len(json.loads(line)["hits"]) for line in batch.splitlines()] == [3, 0]


def test_known_repository_that_is_gone_or_has_no_memory_any_more_is_left_out(
    top: Path, memory: Filled, run: CommandLine, git: RealGit, tmp_path: Path
) -> None:
    other, third = another(memory, git, tmp_path / "other"), another(memory, git, tmp_path / "third")
    for where in (top, other.top, third.top):
        run("search", "anchor", cwd=where)
    shutil.rmtree(other.top)
    git("update-ref", "-d", "refs/heads/gitmem", cwd=third.top)
    assert {hit["repo"] for hit in asked(run, "anchor", "--all", cwd=tmp_path)["hits"]} == {"repository"}
    git("update-ref", "-d", "refs/heads/gitmem", cwd=top)
    assert "could not find a memory" in run("search", "anchor", "--all", cwd=tmp_path, status=1).stderr


def another(memory: Filled, git: RealGit, top: Path) -> Filled:
    git("init", "--quiet", str(top), cwd=top.parent)
    git.commit(top)
    filled = Filled(top, memory.environ)
    filled.add("three", [said("an anchor of iron")])
    return filled


# A superproject and its submodules.


def test_superproject_and_submodules_are_searched_from_anywhere_inside(
    top: Path, memory: Filled, run: CommandLine, git: RealGit, tmp_path: Path
) -> None:
    for name in ("inner", "brig", "idle"):
        git("init", "--quiet", str(tmp_path / name), cwd=tmp_path)
        git.commit(tmp_path / name)
    add_submodule(git, tmp_path / "brig", tmp_path / "inner", "deep/inner")
    add_submodule(git, top, tmp_path / "brig", "ships/brig")
    add_submodule(git, top, tmp_path / "idle", "ships/idle")
    git(
        "-c", "protocol.file.allow=always", "submodule", "--quiet", "update", "--init", "--recursive", cwd=top
    )
    git("submodule", "--quiet", "deinit", "--force", "ships/idle", cwd=top)
    brig, inner = top / "ships/brig", top / "ships/brig/deep/inner"
    for where, name in ((brig, "b"), (inner, "i")):
        Filled(where, memory.environ).add(name, [said(f"the anchor of {name}")])
    git("init", "--quiet", str(tmp_path / "outside"), cwd=tmp_path)
    Filled(tmp_path / "outside", memory.environ).add("stranger", [said("the anchor of a stranger")])
    with (top / ".gitmodules").open("a") as file:
        file.write('[submodule "evil"]\n\tpath = ../outside\n\turl = x\n')
    for cwd in (top, brig, inner, top / "ships"):
        answer = asked(run, "anchor", cwd=cwd)
        assert sessions(answer) == ["b", "i", "one", "two"], cwd
        assert {hit["repo"] for hit in answer["hits"]} == {"repository", "brig", "inner"}
    assert sessions(asked(run, "anchor", "--no-recurse-submodules", cwd=brig)) == ["b"]
    git("config", "gitmem.recurseSubmodules", "false", cwd=brig)
    assert sessions(asked(run, "anchor", cwd=brig)) == ["b"]
    assert sessions(asked(run, "anchor", "--recurse-submodules", cwd=brig)) == ["b", "i", "one", "two"]
    for name in ("inner", "ships/brig/deep/inner"):
        assert sessions(asked(run, "anchor", "--repo", name, cwd=top)) == ["i"], name
    shown = run("search", "anchor", "--recurse-submodules", cwd=inner).stdout
    assert "  inner  user  " in shown


def test_submodule_may_have_another_memory_ref_and_some_have_none(
    top: Path, memory: Filled, run: CommandLine, git: RealGit, tmp_path: Path
) -> None:
    git("init", "--quiet", str(tmp_path / "brig"), cwd=tmp_path)
    git.commit(tmp_path / "brig")
    for path in ("a", "b"):
        add_submodule(git, top, tmp_path / "brig", path)
    git("config", "gitmem.ref", "refs/heads/other", cwd=top / "a")
    Filled(top / "a", memory.environ, "refs/heads/other").add("a", [said("the anchor of a")])
    assert sessions(asked(run, "anchor", "--recurse-submodules", cwd=top)) == ["a", "one", "two"]


# Whatever is typed.


@pytest.mark.parametrize(
    "query",
    [
        "",
        " ",
        "a",
        "x" * 100_000,
        "anchor " * 14_000,
        '"' * 5_000,
        '"never closed',
        'agent:"never closed',
        "-",
        "--",
        "*",
        "-*",
        "(a+)+$",
        "[a-z]{1,1000}(.*)*",
        "a AND (b OR NOT c)^2~3",
        "body:anchor +exact:[a TO b]",
        "\x1b[31m\x07\x01\x7f",
        "\u202eanchor\u2066",
        "anch\udcffor \udc80",
        "since:99999999y",
        "since:0001-01-01 until:9999-12-31",
        "is:error is:error -is:error",
        "repo: agent: -file:",
        "潮汐" * 3_000,
        "a-" * 2_000,
        "\n\n\t\r",
    ],
)
def test_any_query_is_answered_and_no_traceback_is_seen(top: Path, run: CommandLine, query: str) -> None:
    finished = run("search", "--json", "--facets", "role", "--", query, cwd=top, status=None)
    assert finished.status in (0, 1), finished.stderr
    assert json.loads(finished.stdout)["query"] == query
    assert "Traceback" not in finished.stderr


def test_any_line_of_a_batch_is_answered(top: Path, run: CommandLine) -> None:
    lines = [b"\0", b"anchor\0x", b"\xff\xfe", b"\xed\xa0\x80", b"\x1b[31m", b'"', b"x" * 100_000, b"anchor"]
    out = run("search", "--batch", "-", "--json-lines", cwd=top, stdin=b"\n".join(lines)).stdout
    answers = [json.loads(line) for line in out.splitlines()]
    assert [answer["query"] for answer in answers] == [line.decode("utf-8", "replace") for line in lines]
    assert len(answers[-1]["hits"]) == 2
    people = run("search", "--batch", "-", cwd=top, stdin=b"\n".join(lines))
    assert harmless(people.stdout)
    assert harmless(people.stderr)


@pytest.mark.parametrize(
    "option",
    ["--agent", "--branch", "--author", "--session", "--file", "--tool", "--tag", "--repo", "--except"],
)
def test_any_value_of_a_filter_is_answered(top: Path, run: CommandLine, option: str) -> None:
    for value in ("\udcff", "\x1b[31m", "\u202e", "x" * 70_000, "", "*", "\n"):
        finished = run("search", "anchor", option, value, cwd=top, status=None)
        assert finished.status in (0, 1), ascii(value)
        assert "bug" not in finished.stderr
        assert harmless(finished.stdout + finished.stderr)
    assert len(asked(run, "anchor", cwd=top)["hits"]) == 2


EVIL = "x\x1b[31m\x1b]0;title\x07\u202e\u2066\x9b1m\u200e\x08\x7fy"


def test_nothing_that_a_hit_shows_acts_on_a_terminal(memory: Filled, run: CommandLine, git: RealGit) -> None:
    git("config", "remote.origin.url", f"https://example.org/{EVIL}", cwd=memory.top)
    session = memory.add(
        f"id {EVIL}",
        [
            {"session": {"id": "one", "title": f"title {EVIL}"}},
            said(f"the anchor {EVIL} harbour{EVIL}", author=f"author {EVIL}", branch=f"branch {EVIL}"),
            called(f"tool {EVIL}", "c", file_path=f"anchor {EVIL}"),
            gave("c", f"anchor {EVIL}", is_error=True),
        ],
        stream=f"stream {EVIL}",
    )
    memory.register(session, "tags", (EVIL,))
    facets = "--facets=agent,branch,author,month,role,tool,level,repo"
    for args in (
        ("anchor", facets),
        ("anchro", facets, "--recurse-submodules"),
        ("anchor", facets, "--group", "session", "--all"),
        ("--errors", facets),
        ("--complete", "x"),
        ("--complete", "h"),
        (f"anchor {EVIL}",),
        ("anchor", "--as-of", EVIL),
        ("anchor", "--facets", EVIL),
        ("anchor", "--since", EVIL),
        ("--batch", EVIL),
    ):
        finished = run("search", *args, cwd=memory.top, status=None)
        assert finished.status in (0, 2), args
        assert harmless(finished.stdout), args
        assert harmless(finished.stderr), args
    shown = run("search", "anchor", facets, cwd=memory.top).stdout
    for part in ("id x", "title x", "author x", "branch x", "tool x"):
        assert part in shown


def harmless(text: str) -> bool:
    """Tell whether nothing in a text acts on a terminal."""
    return set(text).isdisjoint("\x1b\x07\u202e\u2066\x9b\u200e\x08\x7f\r\0")
