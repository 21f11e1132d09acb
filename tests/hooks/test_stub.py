"""The stub by itself: what it leaves in the spool, in every kind of repository and by every shell that is here."""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.conftest import RealGit
from tests.hooks.spool import SHELLS, Event, events, take_part

ids = " ".join


def leave(
    script: Path,
    *args: str,
    cwd: Path,
    shell: tuple[str, ...] = ("sh",),
    stdin: bytes = b"",
    environ: Mapping[str, str] | None = None,
) -> None:
    """Run the stub, which says nothing and ends with 0."""
    finished = subprocess.run(
        [*shell, str(script), *args],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        env={**os.environ, **(environ or {})},
        check=False,
    )
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, b"", b"")


def test_there_are_shells_of_several_kinds() -> None:
    assert len(SHELLS) >= 3, SHELLS


@pytest.mark.parametrize("shell", SHELLS, ids=ids)
def test_an_event_says_where_and_at_which_commit(
    script: Path, git: RealGit, repository: Path, shell: tuple[str, ...]
) -> None:
    take_part(repository / ".git")
    leave(script, "post-commit", cwd=repository, shell=shell, environ={"GIT_INDEX_FILE": ".git/index"})
    (event,) = events(repository / ".git")
    assert event.hook == "post-commit"
    assert event.one("pid") == str(os.getpid())
    assert event.one("cwd") == str(repository)
    assert (repository / (event.one("git_dir") or "")).samefile(repository / ".git")
    assert event.one("index") == ".git/index"
    assert event.one("branch") == "refs/heads/main"
    assert event.one("head") == git("rev-parse", "HEAD", cwd=repository)
    assert event.body == b""
    assert "arg" not in event.keys


@pytest.mark.parametrize("shell", SHELLS, ids=ids)
def test_standard_input_is_kept_byte_for_byte(script: Path, repository: Path, shell: tuple[str, ...]) -> None:
    take_part(repository / ".git")
    said = b"\n\x00\xff%s \\n $HOME `x`\n\nno line end" + bytes(range(256)) * 1000
    leave(script, "post-rewrite", "rebase", cwd=repository, shell=shell, stdin=said)
    (event,) = events(repository / ".git")
    assert event.body == said
    assert event.keys["arg"] == ["rebase"]


@pytest.mark.parametrize("shell", SHELLS, ids=ids)
@pytest.mark.parametrize("event", ["session-start", "stop", "session-end"])
def test_an_agents_hook_is_found_from_below(
    script: Path, repository: Path, shell: tuple[str, ...], event: str
) -> None:
    take_part(repository / ".git")
    below = repository / "src" / "deep"
    below.mkdir(parents=True)
    said = b'{"session_id": "0f3a", "cwd": "/x"}'
    leave(script, "agent", "claude-code", event, cwd=below, shell=shell, stdin=said)
    (found,) = events(repository / ".git")
    assert (found.hook, found.one("agent"), found.body) == (event, "claude-code", said)
    assert found.one("cwd") == str(below)


def test_an_agents_hook_heeds_no_git_dir(
    script: Path, git: RealGit, repository: Path, tmp_path: Path
) -> None:
    take_part(repository / ".git")
    git("init", "--quiet", str(tmp_path / "other"), cwd=tmp_path)
    take_part(tmp_path / "other" / ".git")
    environ = {"GIT_DIR": str(tmp_path / "other" / ".git")}
    leave(script, "agent", "codex", "stop", cwd=repository, stdin=b"{}", environ=environ)
    assert len(events(repository / ".git")) == 1
    assert events(tmp_path / "other" / ".git") == []


@pytest.mark.parametrize(
    "name", ["with space", "quo'te", 'double"quote', "grüße-日本", "$HOME `x` \\n", "-n", "* ?", "percent%s"]
)
@pytest.mark.parametrize("shell", SHELLS, ids=ids)
def test_a_path_is_told_whatever_it_is_called(
    script: Path, git: RealGit, tmp_path: Path, shell: tuple[str, ...], name: str
) -> None:
    top = tmp_path / name
    git("init", "--quiet", "--", str(top), cwd=tmp_path)
    take_part(top / ".git")
    leave(script, "pre-commit", cwd=top, shell=shell, environ={"GIT_INDEX_FILE": f"{top}/.git/index"})
    (event,) = events(top / ".git")
    assert event.one("cwd") == str(top)
    assert event.one("index") == f"{top}/.git/index"


def test_a_path_that_is_no_utf8_is_told_byte_for_byte(script: Path, git: RealGit, tmp_path: Path) -> None:
    top = tmp_path / os.fsdecode(b"\xff\xfe")
    top.mkdir()
    git("init", "--quiet", cwd=top)
    take_part(top / ".git")
    leave(script, "pre-commit", cwd=top)
    (event,) = events(top / ".git")
    assert event.one("cwd") == str(top)


@pytest.mark.parametrize("shell", SHELLS, ids=ids)
def test_a_line_end_breaks_no_event(
    script: Path, git: RealGit, repository: Path, tmp_path: Path, shell: tuple[str, ...]
) -> None:
    take_part(repository / ".git")
    odd = {"GIT_INDEX_FILE": "a\nhook stop"}
    leave(script, "post-checkout", "a\n\nb", "c", cwd=repository, shell=shell, environ=odd)
    (event,) = events(repository / ".git")
    assert "index" not in event.keys
    assert event.keys["arg"] == ["c"]
    top = tmp_path / "a\nb"
    top.mkdir()
    git("init", "--quiet", cwd=top)
    take_part(top / ".git")
    leave(script, "post-commit", cwd=top, shell=shell)
    assert events(top / ".git") == []


@pytest.mark.parametrize("shell", SHELLS, ids=ids)
def test_a_detached_head_has_a_commit_and_no_branch(
    script: Path, git: RealGit, repository: Path, shell: tuple[str, ...]
) -> None:
    take_part(repository / ".git")
    git("checkout", "--quiet", "--detach", cwd=repository)
    leave(script, "post-checkout", cwd=repository, shell=shell)
    (event,) = events(repository / ".git")
    assert event.one("branch") is None
    assert event.one("head") == git("rev-parse", "HEAD", cwd=repository)


def test_a_branch_without_a_file_has_no_commit(script: Path, git: RealGit, repository: Path) -> None:
    take_part(repository / ".git")
    git("pack-refs", "--all", cwd=repository)
    leave(script, "pre-commit", cwd=repository)
    git("checkout", "--quiet", "--orphan", "fresh/start", cwd=repository)
    leave(script, "pre-commit", cwd=repository)
    first, second = events(repository / ".git")
    assert (first.one("branch"), first.one("head")) == ("refs/heads/main", None)
    assert (second.one("branch"), second.one("head")) == ("refs/heads/fresh/start", None)


def test_where_refs_are_a_table_nothing_is_guessed(script: Path, repository: Path) -> None:
    take_part(repository / ".git")
    (repository / ".git" / "HEAD").write_text("ref: refs/heads/.invalid\n")
    leave(script, "post-commit", cwd=repository)
    (event,) = events(repository / ".git")
    assert (event.one("branch"), event.one("head")) == (None, None)


@pytest.mark.parametrize("shell", SHELLS, ids=ids)
def test_a_linked_worktree_leaves_its_own_head_in_the_common_spool(
    script: Path, git: RealGit, repository: Path, tmp_path: Path, shell: tuple[str, ...]
) -> None:
    take_part(repository / ".git")
    side = tmp_path / "side way"
    git("worktree", "add", "--quiet", "-b", "side", str(side), cwd=repository)
    commit = git.commit(side, "b.txt")
    leave(script, "post-commit", cwd=side, shell=shell)
    leave(
        script,
        "post-commit",
        cwd=side,
        shell=shell,
        environ={"GIT_DIR": f"{repository}/.git/worktrees/side-way"},
    )
    for event in events(repository / ".git"):
        assert (event.one("branch"), event.one("head")) == ("refs/heads/side", commit)
        assert Path(event.one("git_dir") or "").samefile(repository / ".git" / "worktrees" / "side-way")


@pytest.mark.parametrize("shell", SHELLS, ids=ids)
def test_a_submodule_has_a_spool_of_its_own(
    script: Path, git: RealGit, repository: Path, tmp_path: Path, shell: tuple[str, ...]
) -> None:
    above = tmp_path / "above"
    git("init", "--quiet", str(above), cwd=tmp_path)
    git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(repository), "sub", cwd=above)
    take_part(above / ".git")
    take_part(above / ".git" / "modules" / "sub")
    leave(script, "post-commit", cwd=above / "sub", shell=shell)
    assert events(above / ".git") == []
    (event,) = events(above / ".git" / "modules" / "sub")
    assert event.one("head") == git("rev-parse", "HEAD", cwd=repository)


@pytest.mark.parametrize("shell", SHELLS, ids=ids)
def test_a_bare_repository_is_where_the_hook_runs(
    script: Path, git: RealGit, repository: Path, tmp_path: Path, shell: tuple[str, ...]
) -> None:
    git("clone", "--quiet", "--bare", str(repository), str(tmp_path / "bare.git"), cwd=tmp_path)
    take_part(tmp_path / "bare.git")
    leave(
        script, "pre-push", "origin", "/x", cwd=tmp_path / "bare.git", shell=shell, environ={"GIT_DIR": "."}
    )
    leave(script, "pre-push", "origin", "/x", cwd=tmp_path / "bare.git", shell=shell)
    found = events(tmp_path / "bare.git")
    assert [event.one("branch") for event in found] == ["refs/heads/main"] * 2


@pytest.mark.parametrize("shell", SHELLS, ids=ids)
def test_git_dir_names_another_place(
    script: Path, git: RealGit, tmp_path: Path, shell: tuple[str, ...]
) -> None:
    (tmp_path / "files").mkdir()
    git("init", "--quiet", "--bare", str(tmp_path / "apart"), cwd=tmp_path)
    take_part(tmp_path / "apart")
    for git_dir in (str(tmp_path / "apart"), "../apart"):
        leave(script, "post-commit", cwd=tmp_path / "files", shell=shell, environ={"GIT_DIR": git_dir})
    found = events(tmp_path / "apart")
    assert [event.one("cwd") for event in found] == [str(tmp_path / "files")] * 2


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (("origin", "https://example.org/x"), ["origin"]),
        (("https://ada:secret@example.org/x", "https://ada:secret@example.org/x"), None),
        (("https://ada:secret@example.org/x",), None),
        (("../other", "../other"), None),
    ],
)
def test_of_a_push_only_a_remotes_name_is_told(
    script: Path, repository: Path, args: tuple[str, ...], expected: list[str] | None
) -> None:
    spool = take_part(repository / ".git")
    leave(script, "pre-push", *args, cwd=repository, stdin=b"refs/heads/main 1 refs/heads/main 2\n")
    (event,) = events(repository / ".git")
    assert event.keys.get("arg") == expected
    assert event.body == b""
    assert all(b"secret" not in path.read_bytes() for path in spool.iterdir())


def test_the_frameworks_environment_stands_for_arguments(script: Path, repository: Path) -> None:
    take_part(repository / ".git")
    told = {"PRE_COMMIT_FROM_REF": "a", "PRE_COMMIT_TO_REF": "b", "PRE_COMMIT_CHECKOUT_TYPE": "1"}
    leave(script, "post-checkout", cwd=repository, environ=told)
    leave(script, "post-merge", cwd=repository, environ={"PRE_COMMIT_IS_SQUASH_MERGE": "0"})
    leave(script, "post-rewrite", cwd=repository, environ={"PRE_COMMIT_REWRITE_COMMAND": "amend"})
    remote = {"PRE_COMMIT_REMOTE_NAME": "origin", "PRE_COMMIT_REMOTE_URL": "https://example.org/x"}
    leave(script, "pre-push", cwd=repository, environ=remote)
    found = {event.hook: event.keys["arg"] for event in events(repository / ".git")}
    assert found == {
        "post-checkout": ["a", "b", "1"],
        "post-merge": ["0"],
        "post-rewrite": ["amend"],
        "pre-push": ["origin"],
    }


@pytest.mark.parametrize("shell", SHELLS, ids=ids)
def test_who_does_not_take_part_is_left_alone(
    script: Path, repository: Path, tmp_path: Path, shell: tuple[str, ...]
) -> None:
    before = sorted(repository.rglob("*"))
    leave(script, "post-commit", cwd=repository, shell=shell)
    leave(script, "post-commit", cwd=tmp_path, shell=shell)
    leave(script, "post-commit", cwd=Path("/"), shell=shell)
    leave(script, "agent", "codex", "stop", cwd=repository, shell=shell, stdin=b"{}")
    assert sorted(repository.rglob("*")) == before


def test_the_innermost_repository_decides(script: Path, git: RealGit, repository: Path) -> None:
    take_part(repository / ".git")
    git("init", "--quiet", "inner", cwd=repository)
    leave(script, "agent", "codex", "stop", cwd=repository / "inner", stdin=b"{}")
    assert events(repository / ".git") == []


@pytest.mark.parametrize(
    "args",
    [
        (),
        ("commit-msg",),
        ("agent",),
        ("agent", "codex"),
        ("agent", "codex", "pre-commit"),
        ("agent", "../x", "stop"),
        ("agent", "a\nhook stop", "stop"),
        ("--help",),
    ],
    ids=ids,
)
@pytest.mark.parametrize("shell", SHELLS, ids=ids)
def test_what_nobody_listens_to_leaves_nothing(
    script: Path, repository: Path, shell: tuple[str, ...], args: tuple[str, ...]
) -> None:
    take_part(repository / ".git")
    leave(script, *args, cwd=repository, shell=shell)
    assert events(repository / ".git") == []


@pytest.mark.parametrize("value", ["false", "no", "off", "0"])
def test_whoever_says_no_hooks_gets_none(script: Path, repository: Path, value: str) -> None:
    take_part(repository / ".git")
    leave(script, "post-commit", cwd=repository, environ={"GITMEM_HOOKS": value})
    assert events(repository / ".git") == []


@pytest.mark.parametrize("shell", SHELLS, ids=ids)
def test_a_process_id_that_comes_back_overwrites_nothing(
    script: Path, repository: Path, shell: tuple[str, ...]
) -> None:
    spool = take_part(repository / ".git")
    # The shell that becomes the stub keeps its process id, and takes the names that the stub would.
    taken = [("0", ".event"), ("1", ".taken"), ("2", ".bad"), ("3", ".tmp")]
    lines = [f"echo mine >{shlex.quote(str(spool))}/0-$$-{n}{ending}" for n, ending in taken]
    run = shlex.join([*shell, str(script), "post-commit"])
    finished = subprocess.run(["sh", "-c", "\n".join([*lines, f"exec {run}"])], cwd=repository, check=False)
    assert finished.returncode == 0
    contents = {path.name.partition("-")[2].partition("-")[2]: path.read_text() for path in spool.glob("0-*")}
    new = contents.pop("4.event")
    assert new.startswith("gitmem-event 1\n")
    assert contents == {f"{n}{ending}": "mine\n" for n, ending in taken}


def test_a_year_of_neglect_is_bounded(script: Path, repository: Path) -> None:
    spool = take_part(repository / ".git")
    (spool / "count").write_text("19999\n")
    leave(script, "post-commit", cwd=repository)
    leave(script, "post-commit", cwd=repository)
    assert len(events(repository / ".git")) == 1
    assert (spool / "count").read_text() == "20000\n"


@pytest.mark.parametrize("content", ["", "\n", "x\n", "-5\n", "08\n", "1 2\n", "$(touch x)\n"])
@pytest.mark.parametrize("shell", SHELLS, ids=ids)
def test_a_damaged_count_begins_anew(
    script: Path, repository: Path, shell: tuple[str, ...], content: str
) -> None:
    spool = take_part(repository / ".git")
    (spool / "count").write_text(content)
    leave(script, "post-commit", cwd=repository, shell=shell)
    assert len(events(repository / ".git")) == 1
    assert (spool / "count").read_text() == "1\n"


@pytest.mark.parametrize("shell", SHELLS, ids=ids)
def test_only_the_user_may_read_an_event(script: Path, repository: Path, shell: tuple[str, ...]) -> None:
    spool = take_part(repository / ".git")
    leave(script, "post-commit", cwd=repository, shell=shell)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in spool.glob("*.event")}
    assert modes == {0o600}


def test_twenty_stubs_at_once_leave_twenty_events(script: Path, repository: Path) -> None:
    take_part(repository / ".git")
    running = [
        subprocess.Popen(["sh", str(script), "post-commit"], cwd=repository, stdin=subprocess.DEVNULL)
        for _ in range(20)
    ]
    assert [process.wait(60) for process in running] == [0] * 20
    found: list[Event] = events(repository / ".git")
    assert len(found) == 20
