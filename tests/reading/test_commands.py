"""sessions, show, log, tag, title and status as people run them: real processes in real repositories."""

from __future__ import annotations

import json
import os
import random
import re
import string
import subprocess
import sys
from pathlib import Path

import pytest

from gitmem.format import layout
from tests.cli.terminal import run_on_terminal
from tests.conftest import IMPORTED_FROM, CommandLine, RealGit
from tests.reading.book import Book, answered, called, said, talk
from tests.reading.test_rendering import HOSTILE

NAME = "claude-code/0f3a81c2-one"
COMMANDS = ("sessions", "show", "log", "tag", "title", "status")
OUR_OWN = re.compile(r"\x1b\[[0-9;]*m|\r\x1b\[K")
"""Colours, and a progress line that is wiped."""
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def run_bytes(*args: str, cwd: Path) -> bytes:
    return subprocess.run(
        [sys.executable, "-P", "-m", "gitmem", *args],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(IMPORTED_FROM)},
        check=True,
    ).stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(run: CommandLine, tmp_path: Path, name: str) -> None:
    assert f"  gitmem {name}" in run(name, "-h", cwd=tmp_path).stdout.partition("Examples:")[2]


@pytest.mark.parametrize(
    "arguments", [["sessions"], ["show", NAME], ["log"], ["tag", NAME, "x"], ["title", NAME, "x"]]
)
def test_without_a_memory_every_command_says_what_makes_one(
    run: CommandLine, repository: Path, arguments: list[str]
) -> None:
    finished = run(*arguments, cwd=repository, status=1)
    assert finished.stdout == ""
    assert "refs/heads/gitmem does not exist" in finished.stderr
    assert "hint: gitmem init" in finished.stderr


# --- sessions -----------------------------------------------------------------------------------------


def test_sessions_as_json_have_the_keys_that_scripts_rely_on(
    real_book: Book, run: CommandLine, repository: Path
) -> None:
    real_book.capture(talk(3), branch="feature")
    found = json.loads(run("sessions", "--json", cwd=repository).stdout)
    [session] = found["sessions"]
    expected = {
        "session": NAME,
        "title": "the tide comes in 0",
        "agent": "claude-code",
        "author": "Ada Example",
        "repo": "repository",
        "branch": "main",
        "started_at": "2026-02-25T06:13:20Z",
        "ended_at": "2026-02-25T06:13:22Z",
        "turns": 3,
        "level": "team",
        "tags": [],
    }
    assert {key: session[key] for key in expected} == expected


def test_no_session_is_nothing_found(real_book: Book, run: CommandLine, repository: Path) -> None:
    assert run("sessions", cwd=repository, status=1).stdout == ""
    assert run("sessions", "--json", cwd=repository, status=1).stdout == '{"sessions":[]}\n'
    real_book.capture(talk(2))
    assert run("sessions", "--tag", "none", cwd=repository, status=1).stdout == ""
    assert run("sessions", "--since", "soon", cwd=repository, status=2).stderr.startswith("error:")


def test_filters_and_limit_narrow_the_list(real_book: Book, run: CommandLine, repository: Path) -> None:
    for n in range(5):
        real_book.capture([said(100 * n, "user", f"words {n}")], f"s{n}")

    def names(*arguments: str) -> list[str]:
        found = json.loads(run("sessions", "--json", *arguments, cwd=repository).stdout)
        return [session["session"].partition("/")[2] for session in found["sessions"]]

    assert names("--limit", "2") == ["s4", "s3"]
    assert names("--since", "2026-02-25T06:18:20Z") == ["s4", "s3"]
    assert names("--until", "2026-02-25T06:15:00Z") == ["s1", "s0"]
    assert len(names("--agent", "claude-code", "--branch", "main", "--author", "ada")) == 5


def test_the_table_fits_the_terminal_and_nothing_hostile_reaches_it(
    real_book: Book, repository: Path
) -> None:
    real_book.capture([said(0, "user", "word " * 50, gitBranch=HOSTILE)], HOSTILE + "x" * 5000)
    session, _ = real_book.capture(talk(2), "../../../etc/passwd")
    real_book.register(session, "title", HOSTILE)
    real_book.register(session, "tags", (HOSTILE,), clock=2)
    status, shown = run_on_terminal(
        "-m", "gitmem", "--no-pager", "sessions", cwd=repository, environ={"COLUMNS": "70"}
    )
    plain = OUR_OWN.sub("", shown)
    assert status == 0
    assert "…" in plain
    assert max(map(len, plain.split("\n"))) <= 70
    assert not CONTROLS.search(plain)


def test_a_hidden_session_is_listed_only_when_asked_for(
    real_book: Book, run: CommandLine, repository: Path
) -> None:
    session, _ = real_book.capture(talk(2))
    real_book.register(session, "hidden", True)
    assert run("sessions", cwd=repository, status=1).stdout == ""
    assert "0f3a81c2" in run("sessions", "--all", cwd=repository).stdout


def test_a_damaged_session_is_said_to_be_left_out(
    real_book: Book, run: CommandLine, repository: Path
) -> None:
    real_book.capture(talk(2), "fine")
    damaged, _ = real_book.capture(talk(2), "damaged")
    real_book.put(damaged, layout.session_path(damaged), b"junk")
    finished = run("sessions", cwd=repository)
    assert "claude-code/fine" in finished.stdout
    assert f"left out: {damaged[:12]}" in finished.stderr


# --- show ---------------------------------------------------------------------------------------------


def test_raw_is_what_was_stored_byte_for_byte(real_book: Book, repository: Path) -> None:
    lines = [b"\xff\xfe\x00 not text\r\n", said(1, "user", HOSTILE).encode() + b"\n", b"no end"]
    real_book.capture(lines)
    real_book.capture([b"below\n"], stream="agent-7")
    assert run_bytes("show", "--raw", NAME, cwd=repository) == b"".join(lines)
    assert run_bytes("show", "--raw", "--stream", "agent-7", NAME, cwd=repository) == b"below\n"
    assert run_bytes("show", "--raw", f"{NAME}#0", cwd=repository) == lines[1]


def test_a_session_is_shown_to_people_as_json_and_as_markdown(
    real_book: Book, run: CommandLine, repository: Path
) -> None:
    real_book.capture([*talk(2), called(2, "Bash", command="ls"), answered(3, "a.py")])
    people = run("show", "0f3a81c2", cwd=repository).stdout
    assert people.startswith("the tide comes in 0\nclaude-code/0f3a81c2-one, Ada Example, ")
    assert "#2 → Bash ls\n#3 ← a.py\n" in people
    found = json.loads(run("show", "--json", "0f3a81c2", cwd=repository).stdout)
    assert (found["session"], found["turn_count"], len(found["turns"])) == (NAME, 4, 4)
    assert found["turns"][2]["call"]["name"] == "Bash"
    assert "## 1: assistant" in run("show", "--markdown", NAME, cwd=repository).stdout


def test_a_turn_is_shown_with_those_around_it(real_book: Book, run: CommandLine, repository: Path) -> None:
    real_book.capture(talk(9))
    for _ in range(2):
        text = run("show", f"{NAME}#4", "--context", "1", cwd=repository).stdout
        assert re.findall(r"#\d+", text) == ["#3", "#4", "#5"]
        found = json.loads(run("show", "--json", f"{NAME}#m4", cwd=repository).stdout)
        assert [turn["text"] for turn in found["turns"]] == ["the tide comes in 4"]


@pytest.mark.parametrize(
    ("arguments", "status", "error"),
    [
        (["claude-code/none"], 1, "could not find session claude-code/none"),
        ([f"{NAME}#99"], 1, "could not find turn 99"),
        ([f"{NAME}#nothing"], 1, "it has 2 turns"),
        (["--raw", "--stream", "agent-9", NAME], 1, "could not find stream agent-9"),
        (["--stream", "agent-9", NAME], 1, "could not find stream agent-9"),
        (["/"], 2, "could not read '/' as a session"),
        (["--context", "1", NAME], 2, "--context needs a turn"),
        ([HOSTILE.replace("\x00", "")], 1, "could not find session"),
    ],
)
def test_what_is_not_there_is_said_with_its_exit_code(
    real_book: Book, run: CommandLine, repository: Path, arguments: list[str], status: int, error: str
) -> None:
    real_book.capture(talk(2))
    finished = run("show", *arguments, cwd=repository, status=status)
    assert error in finished.stderr
    assert not CONTROLS.search(finished.stderr)


def test_a_session_of_an_unknown_agent_can_still_be_shown_raw(
    real_book: Book, run: CommandLine, repository: Path
) -> None:
    real_book.capture(["{}"], "x", agent="agent-of-tomorrow")
    finished = run("show", "agent-of-tomorrow/x", cwd=repository, status=1)
    assert "gitmem show --raw" in finished.stderr
    assert run_bytes("show", "--raw", "agent-of-tomorrow/x", cwd=repository) == b"{}\n"


@pytest.mark.parametrize("option", [[], ["--full"], ["--markdown"], ["--raw"], ["--json"]])
def test_nothing_hostile_reaches_the_terminal_or_its_pager(
    real_book: Book, repository: Path, option: list[str]
) -> None:
    real_book.capture(
        [said(0, "user", HOSTILE, uuid=HOSTILE), called(1, HOSTILE, command=HOSTILE), answered(2, HOSTILE)]
    )
    status, shown = run_on_terminal(
        "-m", "gitmem", "show", *option, NAME, cwd=repository, environ={"GIT_PAGER": "cat -"}
    )
    assert status == 0
    assert "gnp.exe" in shown
    assert not CONTROLS.search(OUR_OWN.sub("", shown))


# --- tag and title ------------------------------------------------------------------------------------


def test_tags_and_titles_come_back_and_a_secret_in_them_does_not(
    real_book: Book, run: CommandLine, repository: Path, git: RealGit, seed: int
) -> None:
    real_book.capture(talk(2))
    rng = random.Random(seed)
    secret = "gh" + "p_" + "".join(rng.choice(string.ascii_letters + string.digits) for _ in range(36))
    run("tag", NAME, "deep", "tides", cwd=repository)
    run("tag", NAME, "-d", "deep", cwd=repository)
    assert run("tag", NAME, cwd=repository).stdout == "tides\n"
    assert run("title", NAME, cwd=repository, status=1).stdout == ""
    run("title", NAME, "the", "key is", secret, cwd=repository)
    title = run("title", NAME, cwd=repository).stdout
    assert re.fullmatch(r"the key is \[gm:.*\]\n", title)
    [session] = json.loads(run("sessions", "--tag", "tides", "--json", cwd=repository).stdout)["sessions"]
    assert (session["title"] + "\n", session["tags"]) == (title, ["tides"])
    assert secret not in git("log", "--format=%B", "gitmem", cwd=repository)
    run("title", "--delete", NAME, cwd=repository)
    assert run("title", "--json", NAME, cwd=repository, status=1).stdout.endswith('"title":null}\n')


def test_a_bad_tag_is_a_mistake_in_usage(real_book: Book, run: CommandLine, repository: Path) -> None:
    real_book.capture(talk(2))
    assert "as a tag" in run("tag", NAME, "a b", cwd=repository, status=2).stderr
    assert "as a title" in run("title", NAME, " ", cwd=repository, status=2).stderr
    run("title", NAME, "x", "--delete", cwd=repository, status=2)


# --- log and status -----------------------------------------------------------------------------------


def test_the_log_reads_newest_first(real_book: Book, run: CommandLine, repository: Path) -> None:
    real_book.capture(talk(4))
    run("tag", NAME, "deep", cwd=repository)
    lines = run("log", cwd=repository).stdout.splitlines()
    assert lines[0].endswith("Ada Example: 1 tagged")
    assert lines[1] == f"    tagged {NAME}"
    assert lines[2].endswith("Ada Example: 1 new session, 4 lines")
    assert lines[4].endswith("Ada Example: Start a memory")
    found = json.loads(run("log", "--json", "--limit", "2", cwd=repository).stdout)["commits"]
    assert [commit["sessions"][0]["change"] for commit in found] == ["named", "new"]
    assert found[1]["sessions"][0]["lines"] == 4


def test_status_says_what_is_there(real_book: Book, run: CommandLine, repository: Path) -> None:
    real_book.capture(talk(2))
    text = run("status", cwd=repository).stdout
    assert "sessions     1 (1 claude-code)" in text
    assert "shared       with nobody" in text
    state = json.loads(run("status", "--json", cwd=repository).stdout)
    assert state["memory"]["commit"] == real_book.memory().commit
    assert (state["repo"], state["memory"]["agents"]) == ("repository", {"claude-code": 1})


def test_status_says_with_whom_the_memory_is_shared(
    real_book: Book, run: CommandLine, repository: Path, tmp_path: Path, git: RealGit
) -> None:
    real_book.capture(talk(2))
    git("init", "-q", "--bare", str(tmp_path / "remote"), cwd=tmp_path)
    git("remote", "add", "origin", str(tmp_path / "remote"), cwd=repository)
    git("config", "remote.origin.gitmem", "true", cwd=repository)
    assert "with origin (team): nothing pushed or fetched yet" in run("status", cwd=repository).stdout
    git("push", "-q", "origin", "main", "gitmem", cwd=repository)
    assert "with origin (team): the same" in run("status", cwd=repository).stdout
    real_book.capture(talk(2), "two")
    assert "with origin (team): 1 ahead" in run("status", cwd=repository).stdout


def test_status_without_a_memory_says_so_and_exits_with_1(
    run: CommandLine, tmp_path: Path, git: RealGit
) -> None:
    git("init", "-q", "empty", cwd=tmp_path)  # no commit either
    finished = run("status", cwd=tmp_path / "empty", status=1)
    assert finished.stdout == (
        "empty remembers nothing yet: there is no refs/heads/gitmem\n"
        "gitmem init: starts a memory in this repository, or takes over a remote's\n"
    )
    assert json.loads(run("status", "--json", cwd=tmp_path / "empty", status=1).stdout)["memory"] is None


@pytest.mark.parametrize("kind", ["subdirectory", "detached", "worktree", "bare", "inside .git", "submodule"])
def test_commands_work_from_anywhere(
    real_book: Book, run: CommandLine, repository: Path, tmp_path: Path, git: RealGit, kind: str
) -> None:
    real_book.capture(talk(2))
    where = repository
    if kind == "subdirectory":
        where = repository / "a" / "b"
        where.mkdir(parents=True)
    elif kind == "detached":
        git("checkout", "-q", "--detach", cwd=repository)
    elif kind == "worktree":
        where = tmp_path / "tree"
        git("worktree", "add", "-q", str(where), cwd=repository)
    elif kind == "bare":
        where = tmp_path / "bare"
        git("clone", "-q", "--bare", str(repository), str(where), cwd=tmp_path)
    elif kind == "inside .git":
        where = repository / ".git" / "objects"
    else:
        above = tmp_path / "above"
        git("init", "-q", str(above), cwd=tmp_path)
        git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(repository), "sub", cwd=above)
        where = above / "sub"
        git("fetch", "-q", "origin", "gitmem:gitmem", cwd=where)
    assert "claude-code/0f3a81c2" in run("sessions", cwd=where).stdout
    assert "#1 assistant" in run("show", f"{NAME}#1", cwd=where).stdout
    run("tag", NAME, kind.replace(" ", "-"), cwd=where)
    assert "1 tagged" in run("log", "--limit", "1", cwd=where).stdout
    assert "1 (1 claude-code)" in run("status", cwd=where).stdout
