"""`gitmem search` and `gitmem index`, as people and programs run them."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from gitmem.cli.search_options import ROLES as ROLES_OFFERED
from gitmem.model.turns import ROLES
from tests.conftest import IMPORTED_FROM, CommandLine, RealGit
from tests.indexer.memories import Filled, called, said

NEEDED = {
    "session",
    "turn",
    "ordinal",
    "role",
    "at",
    "score",
    "title",
    "snippet",
    "agent",
    "model",
    "repo",
} | {
    "branch",
    "author",
    "level",
}


@pytest.fixture
def top(memory: Filled) -> Path:
    memory.add("one", [said("the anchor holds", at="2026-05-08T13:56:00Z", id="T1"), said("a buoy")])
    memory.add("two", [said("the anchor drags", at="2026-05-09T13:56:00Z")])
    return memory.top


def test_one_query_as_json_is_one_document(top: Path, run: CommandLine) -> None:
    answer = json.loads(run("search", "anchor", "--json", cwd=top).stdout)
    assert answer.keys() >= {"query", "mode", "hits", "indexed", "took_ms"}
    assert len(answer["hits"]) == 2
    assert all(hit.keys() >= NEEDED for hit in answer["hits"])
    assert {hit["turn"] for hit in answer["hits"]} == {"T1", None}


def test_batch_answers_each_line_in_order_and_empty_ones_too(
    top: Path, run: CommandLine, tmp_path: Path
) -> None:
    queries = ["anchor", "", "nothing such", "buoy"]
    (tmp_path / "queries").write_text("\n".join(queries) + "\n")
    for source, stdin in ((str(tmp_path / "queries"), b""), ("-", (tmp_path / "queries").read_bytes())):
        out = run("search", "--batch", source, "--json-lines", cwd=top, stdin=stdin).stdout
        answers = [json.loads(line) for line in out.splitlines()]
        assert [answer["query"] for answer in answers] == queries
        assert [len(answer["hits"]) for answer in answers] == [2, 0, 0, 1]
    document = json.loads(run("search", "--batch", "-", "--json", cwd=top, stdin=b"anchor\nbuoy").stdout)
    assert [answer["query"] for answer in document["answers"]] == ["anchor", "buoy"]


def test_nothing_found_ends_with_1_and_an_answer(top: Path, run: CommandLine) -> None:
    finished = run("search", "nothing", "such", "--json", cwd=top, status=1)
    assert json.loads(finished.stdout)["hits"] == []
    run("search", "--batch", "-", cwd=top, stdin=b"nothing\nsuch\n", status=1)
    run("search", "--batch", "-", "--json-lines", cwd=top, stdin=b"nothing\nanchor\n")
    assert run("search", "--batch", "-", "--json-lines", cwd=top, stdin=b"", status=1).stdout == ""


@pytest.mark.parametrize(
    "args",
    [
        (),
        ("--json", "--json-lines", "x"),
        ("--batch", "-", "x"),
        ("--batch", "no such file"),
        ("--since", "soon", "x"),
        ("--limit", "0", "x"),
        ("--mode", "psychic", "x"),
        ("--role", "captain", "x"),
    ],
)
def test_usage_that_makes_no_sense_ends_with_2(top: Path, run: CommandLine, args: tuple[str, ...]) -> None:
    finished = run("search", *args, cwd=top, status=2)
    assert "hint:" in finished.stderr


def test_meaning_without_a_model_is_an_error_with_a_hint(top: Path, run: CommandLine) -> None:
    finished = run("search", "--mode", "semantic", "anchor", cwd=top, status=1)
    assert "no embedding model" in finished.stderr
    assert "--mode lexical" in finished.stderr


def test_repository_without_a_memory_is_an_error_with_a_hint(repository: Path, run: CommandLine) -> None:
    for args in (("search", "anchor"), ("index", "status"), ("index", "update")):
        finished = run(*args, cwd=repository, status=1)
        assert "gitmem init" in finished.stderr


def test_every_way_into_a_repository_leads_to_its_memory(top: Path, run: CommandLine, tmp_path: Path) -> None:
    (top / "below" / "that").mkdir(parents=True)
    subprocess.run(["git", "worktree", "add", "-q", "-b", "side", tmp_path / "side"], cwd=top, check=True)
    for where in (top / "below" / "that", tmp_path / "side", top / ".git"):
        assert len(json.loads(run("search", "anchor", "--json", cwd=where).stdout)["hits"]) == 2
    assert "anchor" in run("search", "anchor", "-C", str(top), cwd=tmp_path).stdout


def test_hooks_environment_is_followed_and_another_directory_is_not_bent_by_it(
    top: Path, run: CommandLine, tmp_path: Path, git: RealGit
) -> None:
    git("init", "-q", str(tmp_path / "other"), cwd=tmp_path)
    here = {"GIT_DIR": str(top / ".git"), "GIT_WORK_TREE": str(tmp_path / "other")}
    assert "anchor" in run("search", "anchor", cwd=tmp_path / "other", environ=here).stdout
    elsewhere = {"GIT_DIR": str(tmp_path / "other" / ".git")}
    assert "anchor" in run("search", "anchor", "-C", str(top), cwd=tmp_path, environ=elsewhere).stdout


def test_people_get_names_that_show_takes_and_no_escapes(memory: Filled, run: CommandLine) -> None:
    memory.add("evil", [said("the \x1b[31manchor\x1b]0;title\x07 \u202eholds")])
    out = run("search", "anchor", cwd=memory.top).stdout
    assert out.startswith("generic/evil#0  user")
    assert "anchor" in out
    assert not set(out) & set("\x1b\x07\u202e")


def test_title_that_says_what_the_turn_says_is_not_said_twice(memory: Filled, run: CommandLine) -> None:
    memory.add("one", [said("the anchor holds"), said("an anchor of iron")])
    memory.add("two", [said("an anchor " + "drags on " * 20)])
    lines = run("search", "anchor", cwd=memory.top).stdout.split("\n")
    assert sorted(line.strip()[:20] for line in lines if line.startswith("    ")) == [
        "an anchor drags on d",
        "an anchor of iron",
        "the anchor holds",
        "the anchor holds",
    ]


def test_nothing_that_a_memory_holds_makes_up_a_line(memory: Filled, run: CommandLine) -> None:
    forged = "x\ngeneric/forged#0  user\r\u2028\x85\x0bgeneric/forged#1"
    memory.add(
        f"id {forged}",
        [
            {"session": {"id": "one", "title": f"title {forged}"}},
            said(f"the anchor {forged}", author=f"author {forged}", branch=forged),
            called(f"anchor {forged}", "c", note=forged),
        ],
    )
    memory.add("two", [said(f"anchor {forged}")], stream=f"stream {forged}")
    hits = json.loads(run("search", "anchor", "--json", cwd=memory.top).stdout)["hits"]
    assert len(hits) == 3
    lines = run("search", "anchor", cwd=memory.top).stdout.split("\n")
    assert len(lines) <= 4 * len(hits) + 1
    assert [line for line in lines if line.strip().startswith("generic/forged")] == []
    assert set("".join(lines)).isdisjoint("\r\u2028\x85\x0b")


def test_name_of_a_hit_can_be_shown(memory: Filled, top: Path, run: CommandLine) -> None:
    memory.add("one", [said("the helper's sextant", "assistant")], stream="helper")
    for query in ("sextant", "drags"):
        name = run("search", query, cwd=top).stdout.split()[0]
        assert query in run("show", name, cwd=top).stdout


def test_matches_are_marked_on_a_terminal(top: Path, environ: Mapping[str, str]) -> None:
    screen = on_a_terminal(["search", "anchors"], top, environ)
    assert "\x1b[1;31manchor\x1b[m holds" in screen
    assert "\x1b[1;31m" not in on_a_terminal(["search", "anchors"], top, {**environ, "NO_COLOR": "1"})


def test_rebuilding_says_so_once_and_only_on_a_terminal(memory: Filled, top: Path, run: CommandLine) -> None:
    state = memory.repository.common_dir / "gitmem/index/lexical/state.json"
    run("search", "anchor", cwd=top)
    state.write_text("{")
    assert run("search", "anchor", cwd=top).stderr == ""
    state.write_text("{")
    assert "made the search index anew: it was damaged" in on_a_terminal(
        ["search", "anchor"], top, memory.environ
    )
    assert "anew" not in on_a_terminal(["search", "anchor"], top, memory.environ)


BROKEN = r"""
import sys
from gitmem.sidecar import client
client._START = r'''
import sys
sys.stderr.write("Trace\x1b]0;title\x07back\nSystemError: mast\x1b[31m")
sys.exit(3)
'''
from gitmem.cli.main import main
sys.exit(main())
"""


def test_what_a_broken_indexer_says_acts_on_no_terminal(top: Path, environ: Mapping[str, str]) -> None:
    asking = {**environ, "GITMEM_TRACEBACK": "1"}
    screen = on_a_terminal(["search", "anchor"], top, environ, program=BROKEN, status=3)
    whole = on_a_terminal(["search", "anchor"], top, asking, program=BROKEN, status=3)
    for shown in (screen, whole):
        assert "the indexer met a bug of its own: SystemError: mast" in shown
        assert "\x1b]" not in shown
        assert "mast\x1b[31m" not in shown
    assert ("Traceback" in screen, "Traceback" in whole) == (False, True)


def test_index_goes_from_missing_to_current(top: Path, run: CommandLine) -> None:
    assert json.loads(run("index", "status", "--json", cwd=top).stdout)["state"] == "missing"
    updated = json.loads(run("index", "update", "--json", cwd=top).stdout)
    assert (updated["state"], updated["turns"], updated["sessions"]) == ("current", 3, 2)
    assert json.loads(run("index", "rebuild", "--json", cwd=top).stdout)["state"] == "current"
    assert run("index", "status", cwd=top).stdout.startswith("current\n3 turns of 2 sessions, ")


def test_search_starts_without_what_it_does_not_need(top: Path, environ: Mapping[str, str]) -> None:
    program = (
        "import sys\n"
        "from gitmem.cli.context import context_of_process\n"
        "from gitmem.cli.main import run\n"
        "assert run(['search', 'anchor'], context_of_process()) == 0\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)\n"
    )
    finished = subprocess.run(
        [sys.executable, "-P", "-c", program],
        cwd=top,
        capture_output=True,
        env={**environ, "PYTHONPATH": str(IMPORTED_FROM)},
        check=True,
    )
    loaded = finished.stderr.decode()
    assert "'gitmem'" in loaded
    for name in (
        "asyncio",
        "click",
        "dulwich",
        "indexer",
        "msgspec",
        "numpy",
        "onnxruntime",
        "pygit2",
        "tantivy",
        "zstandard",
    ):
        assert f"'{name}'" not in loaded, name


def test_session_that_nobody_gave_a_level_has_the_same_everywhere(
    top: Path, run: CommandLine, git: RealGit
) -> None:
    git("config", "gitmem.level", "private", cwd=top)
    hits = json.loads(run("search", "anchor", "--level", "team", "--json", cwd=top).stdout)["hits"]
    sessions = json.loads(run("sessions", "--json", cwd=top).stdout)["sessions"]
    assert [hit["level"] for hit in hits] == [session["level"] for session in sessions] == ["team", "team"]
    run("search", "anchor", "--level", "private", cwd=top, status=1)


def test_roles_that_are_offered_are_all_there_are() -> None:
    assert ROLES_OFFERED == ROLES


def on_a_terminal(
    args: list[str], cwd: Path, environ: Mapping[str, str], *, program: str = "", status: int = 0
) -> str:
    """Run gitmem with a terminal for its standard output and error, and return what came there."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-P", *(["-c", program] if program else ["-m", "gitmem"]), "--no-pager", *args],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env={**environ, "PYTHONPATH": str(IMPORTED_FROM)},
    )
    os.close(theirs)
    screen = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # how Linux says that the other end is closed
            break
        if not piece:
            break
        screen += piece
    os.close(ours)
    assert process.wait() == status, screen
    return screen.decode()
