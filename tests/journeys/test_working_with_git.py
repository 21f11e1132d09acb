"""People and agents work as always, with git and its hooks, and a line still leads to the turn that wrote it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import CHECKOUT, CommandLine, RealGit
from tests.journeys.conftest import Why
from tests.journeys.people import Coder, wait_for_drains

GATE = "def gate_opens(height, draught):\n    return height - draught > 0.4\n"
CLOSE = "def gate_closes(height, draught):\n    return height - draught < 0.3\n"

Start = Callable[..., Coder]
Commit = Callable[..., str]


@pytest.fixture
def checkpoints(run: CommandLine, project: Path) -> Callable[[], list[dict[str, Any]]]:
    """List the checkpoints, the oldest first, once all has been taken in."""

    def checkpoints(top: Path = project) -> list[dict[str, Any]]:
        wait_for_drains(project / ".git")
        told = json.loads(run("log", "--checkpoints", "--json", cwd=top).stdout)
        return list(reversed(told["checkpoints"]))

    return checkpoints


def test_a_commit_leads_to_the_session_that_wrote_it(coder: Start, commit: Commit, why: Why) -> None:
    ada = coder("ada")
    ada.hears("open the gate in time")
    ada.writes("gate.py", GATE)
    commit("gate")
    place = why("gate.py:2")
    assert (place["session"], place["evidence"]) == (ada.session, "commit")
    assert place["prompt"] == "open the gate in time"


def test_a_line_that_was_written_just_now_is_known_at_once(
    coder: Start, commit: Commit, run: CommandLine, project: Path
) -> None:
    ada = coder("ada")
    ada.hears("open the gate in time")
    ada.writes("gate.py", GATE)
    told = json.loads(run("why", "gate.py:2", "--json", cwd=project).stdout)
    assert told["places"][0]["session"] == ada.session
    ada.hears("draughts are in centimetres")
    ada.edits("gate.py", "height - draught > 0.4", "height - draught / 100 > 0.4")
    commit("gate")  # whose drain has not begun yet
    told = json.loads(run("why", "gate.py:2", "--json", cwd=project).stdout)
    assert told["places"][0]["prompt"] == "draughts are in centimetres"


def test_the_older_session_wrote_the_line_that_the_newer_commits(
    coder: Start, commit: Commit, why: Why
) -> None:
    older, newer = coder("older"), coder("newer")
    older.hears("open the gate in time")
    older.writes("gate.py", GATE)
    newer.hears("commit what is there")
    newer.says("I commit it.")
    commit("gate")
    newer.says("Done.")
    assert why("gate.py:2")["session"] == older.session


def test_an_amended_commit_keeps_its_link(coder: Start, commit: Commit, why: Why, git: RealGit) -> None:
    ada = coder("ada")
    ada.hears("open the gate in time")
    ada.writes("gate.py", GATE)
    commit("gate")
    git("commit", "-q", "--amend", "-m", "gate: open in time", cwd=ada.top)
    place = why("gate.py:2")
    assert place["session"] == ada.session
    assert place["commit"]["subject"] == "gate: open in time"


def test_a_rebase_with_fixup_and_reorder_keeps_the_links(
    coder: Start, commit: Commit, why: Why, git: RealGit, project: Path
) -> None:
    ada = coder("ada")
    ada.hears("open the gate in time")
    ada.writes("gate.py", GATE)
    commit("gate")
    ben = coder("ben")
    ben.hears("and close it")
    ben.writes("close.py", CLOSE)
    commit("close")
    ada.hears("draughts are in centimetres")
    ada.edits("gate.py", "height - draught > 0.4", "height - draught / 100 > 0.4")
    commit("mend the gate")
    script = project.parent / "reorder"
    # gate, close, mend: close goes first, and mend becomes a fixup of gate
    script.write_text(
        "#!/bin/sh\n"
        '{ sed -n 2p "$1"; sed -n 1p "$1"; sed -n \'3s/^pick/fixup/p\' "$1"; } >"$1.new"\n'
        'mv "$1.new" "$1"\n'
    )
    script.chmod(0o755)
    git("rebase", "-q", "-i", "HEAD~3", cwd=project, environ={"GIT_SEQUENCE_EDITOR": str(script)})
    assert git("log", "--format=%s", "-2", cwd=project).split("\n") == ["gate", "close"]
    assert why("gate.py:2")["prompt"] == "draughts are in centimetres"
    assert why("gate.py:1")["prompt"] == "open the gate in time"
    assert why("close.py:2")["session"] == ben.session


def test_a_cherry_pick_keeps_the_link(
    coder: Start, commit: Commit, why: Why, git: RealGit, project: Path
) -> None:
    git("switch", "-q", "-c", "side", cwd=project)
    ada = coder("ada")
    ada.hears("open the gate in time")
    ada.writes("gate.py", GATE)
    picked = commit("gate")
    git("switch", "-q", "main", cwd=project)
    (project / "other.txt").write_text("moved on\n")
    commit("other")
    git("cherry-pick", picked, cwd=project)
    assert why("gate.py:2")["session"] == ada.session


def test_a_squash_merge_keeps_the_links(
    coder: Start, commit: Commit, why: Why, git: RealGit, project: Path
) -> None:
    git("switch", "-q", "-c", "side", cwd=project)
    ada, ben = coder("ada"), coder("ben")
    ada.hears("open the gate in time")
    ada.writes("gate.py", GATE)
    commit("gate")
    ben.hears("and close it")
    ben.writes("close.py", CLOSE)
    commit("close")
    git("switch", "-q", "main", cwd=project)
    git("merge", "-q", "--squash", "side", cwd=project)
    git("commit", "-q", "-m", "gates", cwd=project)
    assert why("gate.py:2")["session"] == ada.session
    assert why("close.py:2")["session"] == ben.session


def test_a_squash_merge_made_on_the_server_keeps_the_links(
    coder: Start, commit: Commit, why: Why, git: RealGit, project: Path, tmp_path: Path
) -> None:
    git("clone", "-q", "--bare", str(project), str(tmp_path / "hub.git"), cwd=tmp_path)
    git("remote", "add", "origin", str(tmp_path / "hub.git"), cwd=project)
    git("fetch", "-q", "origin", cwd=project)
    git("switch", "-q", "-c", "side", cwd=project)
    ada = coder("ada")
    ada.hears("open the gate in time")
    ada.writes("gate.py", GATE)
    commit("gate")
    ada.hears("and close it")
    ada.writes("close.py", CLOSE)
    commit("close")
    git("push", "-q", "-u", "origin", "side", cwd=project)
    server = tmp_path / "server"
    git("clone", "-q", str(tmp_path / "hub.git"), str(server), cwd=tmp_path)
    git.commit(server, "elsewhere.txt")  # main moves on, so no tree is the same
    git("merge", "-q", "--squash", "origin/side", cwd=server)
    git("commit", "-q", "-m", "Gates (#7)", cwd=server)
    git("push", "-q", "origin", "main", cwd=server)
    wait_for_drains(project / ".git")
    git("switch", "-q", "main", cwd=project)
    git("pull", "-q", "--ff-only", "origin", "main", cwd=project)
    git("branch", "-q", "-D", "side", cwd=project)
    for line, prompt in (("gate.py:2", "open the gate in time"), ("close.py:2", "and close it")):
        place = why(line)
        assert (place["session"], place["prompt"]) == (ada.session, prompt)
        assert place["evidence"] in ("commit", "patch")  # a session was under way at the pull


def test_what_is_stashed_or_bisected_disturbs_nothing(
    coder: Start, commit: Commit, why: Why, git: RealGit, project: Path
) -> None:
    ada = coder("ada")
    for n in range(4):
        ada.hears(f"step {n}")
        ada.writes("steps.py", "".join(f"STEP_{m} = 'the tide of day {m}'\n" for m in range(n + 1)))
        commit(f"step {n}")
    (project / "steps.py").write_text("scratch\n")
    git("stash", "-q", cwd=project)
    git("bisect", "start", "HEAD", "HEAD~3", cwd=project)
    git("bisect", "run", "grep", "-q", "STEP_2", "steps.py", cwd=project)
    git("bisect", "reset", cwd=project)
    git("stash", "pop", "-q", cwd=project)
    assert (project / "steps.py").read_text() == "scratch\n"
    git("checkout", "-q", "--", "steps.py", cwd=project)
    for n in range(4):
        assert why(f"steps.py:{n + 1}")["prompt"] == f"step {n}"


def test_a_linked_working_tree_has_sessions_of_its_own(
    coder: Start, commit: Commit, why: Why, git: RealGit, project: Path, tmp_path: Path
) -> None:
    linked = tmp_path / "linked"
    git("worktree", "add", "-q", "-b", "side", str(linked), cwd=project)
    ada, ben = coder("ada"), coder("ben", linked)
    ada.hears("here")
    ben.hears("open the gate in time")
    ben.writes("gate.py", GATE)
    commit("gate", top=linked)
    place = why("gate.py:2", linked)
    assert place["session"] == ben.session
    assert [each["session"] for each in place["commit"]["under_way"]] == [ben.session]


@pytest.mark.parametrize("found_from_within", ["all", "explicit"])
def test_a_submodule_remembers_for_itself(
    coder: Start,
    run: CommandLine,
    git: RealGit,
    project: Path,
    tmp_path: Path,
    home: Path,
    found_from_within: str,
) -> None:
    git("config", "--global", "safe.bareRepository", found_from_within, cwd=project)
    git("init", "-q", str(tmp_path / "library"), cwd=tmp_path)
    git.commit(tmp_path / "library", "lib.txt")
    git(
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "add",
        "-q",
        str(tmp_path / "library"),
        "lib",
        cwd=project,
    )
    git("commit", "-q", "-m", "library", cwd=project)
    inner = project / "lib"
    run("init", cwd=inner)
    ada = Coder(home, inner, "ada")
    ada.hears("open the gate in time")
    ada.writes("gate.py", GATE)
    git("add", "-A", cwd=inner)
    git("commit", "-q", "-m", "gate", cwd=inner)
    git("submodule", "update", "-q", "--checkout", cwd=project)  # back to what the superproject has
    git("checkout", "-q", "main", cwd=inner)
    wait_for_drains(project / ".git", project / ".git/modules/lib")
    told = json.loads(run("why", "gate.py:2", "--json", cwd=inner).stdout)
    assert told["places"][0]["session"] == ada.session
    told = json.loads(run("sessions", "--no-recurse-submodules", "--json", cwd=project, status=1).stdout)
    assert told["sessions"] == []


def test_five_commits_at_once_make_five_checkpoints(
    coder: Start, checkpoints: Callable[[], list[dict[str, Any]]], git: RealGit, project: Path, tmp_path: Path
) -> None:
    coder("ada").hears("commit five times")
    trees = [project]
    for n in range(4):
        git("worktree", "add", "-q", "-b", f"b{n}", str(tmp_path / f"w{n}"), cwd=project)
        trees.append(tmp_path / f"w{n}")
    with ThreadPoolExecutor(5) as pool:
        made = set(pool.map(lambda top: git.commit(top, "file.txt", f"{top}\n"), trees))
    assert len(made) == 5
    found = [each["head"] for each in checkpoints() if each["trigger"] == "post-commit"]
    assert sorted(found) == sorted(made)


def test_an_agent_that_commits_and_pushes_within_one_turn_leaves_both(
    coder: Start,
    commit: Commit,
    checkpoints: Callable[[], list[dict[str, Any]]],
    git: RealGit,
    project: Path,
    tmp_path: Path,
) -> None:
    git("init", "-q", "--bare", str(tmp_path / "hub.git"), cwd=tmp_path)
    git("remote", "add", "origin", str(tmp_path / "hub.git"), cwd=project)
    ada = coder("ada")
    ada.hears("open the gate, commit and push")
    ada.writes("gate.py", GATE)
    made = commit("gate")
    git("push", "-q", "origin", "main", cwd=project)
    ada.says("Pushed.")
    found = [(each["trigger"], each["head"]) for each in checkpoints()]
    assert ("post-commit", made) in found
    assert ("pre-push", made) in found
    assert git("ls-remote", "--heads", "origin", cwd=project).split() == [made, "refs/heads/main"]


def test_a_commit_that_a_hook_refuses_leaves_what_was_staged(
    coder: Start,
    checkpoints: Callable[[], list[dict[str, Any]]],
    run: CommandLine,
    git: RealGit,
    project: Path,
) -> None:
    ada = coder("ada")
    ada.hears("open the gate in time")
    ada.writes("gate.py", GATE)
    git("add", "-A", cwd=project)
    hook = project / ".git/hooks/pre-commit"
    before = hook.read_text() if hook.exists() else "#!/bin/sh\n"
    hook.write_text(f"{before}exit 1\n")
    hook.chmod(0o755)
    tried = subprocess.run(["git", "commit", "-q", "-m", "gate"], cwd=project, check=False)
    assert tried.returncode == 1
    [found] = checkpoints()
    assert (found["trigger"], found["tree_from"]) == ("pre-commit", "found")
    shown = json.loads(run("show", found["checkpoint"], "--json", cwd=project).stdout)
    assert [change["path"] for change in shown["changes"]] == ["gate.py"]


def test_a_new_clone_remembers_where_the_template_says_so(
    run: CommandLine, git: RealGit, project: Path, coder: Start, tmp_path: Path, home: Path
) -> None:
    run("enable", "git", "--global", cwd=project)
    clone = tmp_path / "clone"
    git("clone", "-q", str(project), str(clone), cwd=tmp_path)
    ada = Coder(home, clone, "ada")
    ada.hears("open the gate in time")
    ada.writes("gate.py", GATE)
    git("add", "-A", cwd=clone)
    git("commit", "-q", "-m", "gate", cwd=clone)
    wait_for_drains(project / ".git", clone / ".git")
    told = json.loads(run("why", "gate.py:2", "--json", cwd=clone).stdout)
    assert told["places"][0]["session"] == ada.session
    run("disable", "git", "--global", cwd=project)


def test_packages_of_the_repository_are_not_run_in_place_of_ours(
    coder: Start, commit: Commit, why: Why, project: Path, tmp_path: Path
) -> None:
    for package in ("hooks", "indexer", "gitmem", "click"):
        (project / package).mkdir()
        (project / package / "__init__.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'a').close()\n")
    ada = coder("ada")
    ada.hears("open the gate in time")
    ada.writes("gate.py", GATE)
    commit("gate")
    assert why("gate.py:2")["session"] == ada.session
    assert not (tmp_path / "ran").exists()


def test_nothing_is_left_once_hooks_are_disabled(run: CommandLine, git: RealGit, tmp_path: Path) -> None:
    top = tmp_path / "fresh"
    git("init", "-q", str(top), cwd=tmp_path)
    (top / ".git/hooks/pre-commit").write_text("#!/bin/sh\n# of somebody else\nexit 0")
    (top / ".git/hooks/pre-commit").chmod(0o755)
    git.commit(top)
    before = {path: path.read_bytes() for path in (top / ".git/hooks").iterdir()}
    run("init", cwd=top)
    git.commit(top, "b.txt")
    wait_for_drains(top / ".git")
    run("disable", "git", cwd=top)
    assert {path: path.read_bytes() for path in (top / ".git/hooks").iterdir()} == before
    git.commit(top, "c.txt")
    spool = top / ".git/gitmem/spool"
    assert not spool.exists() or not list(spool.glob("*.event"))
    git("fsck", "--strict", cwd=top)
    run("verify", "--full", cwd=top)


def test_snapshots_let_one_go_back_to_before_the_agent(
    coder: Start,
    commit: Commit,
    checkpoints: Callable[[], list[dict[str, Any]]],
    run: CommandLine,
    project: Path,
) -> None:
    ada = coder("ada")
    ada.hears("open the gate in time")
    ada.writes("gate.py", GATE)
    commit("gate")
    [found] = [each for each in checkpoints() if each["trigger"] == "post-commit"]
    ada.edits("gate.py", "0.4", "0.9")
    (project / "junk.txt").write_text("junk\n")
    refused = run("rewind", found["checkpoint"], cwd=project, status=1)
    assert "gate.py" in refused.stderr
    run("rewind", found["checkpoint"], "--force", cwd=project)
    assert (project / "gate.py").read_text() == GATE
    assert not (project / "junk.txt").exists()
    run("rewind", "--undo", "--force", cwd=project)
    assert "0.9" in (project / "gate.py").read_text()
    assert (project / "junk.txt").read_text() == "junk\n"


def test_what_an_agent_tells_takes_the_same_path(
    coder: Start,
    checkpoints: Callable[[], list[dict[str, Any]]],
    run: CommandLine,
    project: Path,
    tmp_path: Path,
) -> None:
    def tell(event: str) -> None:
        payload = {
            "session_id": "ada",
            "transcript_path": str(ada.transcript),
            "cwd": str(project / "src"),
            "hook_event_name": event,
        }
        stub = CHECKOUT / "hooks/git/gitmem-hook"
        told = subprocess.run(
            ["sh", str(stub), "agent", "claude-code", event],
            cwd=project / "src",
            input=json.dumps(payload).encode(),
            capture_output=True,
            check=False,
        )
        assert (told.returncode, told.stdout, told.stderr) == (0, b"", b"")

    ada = coder("ada")
    (project / "src").mkdir()
    ada.hears("open the gate in time")
    tell("session-start")
    ada.writes("src/gate.py", GATE)
    tell("stop")
    first = [each["trigger"] for each in checkpoints()]
    ada.says("Anything else?")
    tell("session-end")
    found = checkpoints()
    assert [each["trigger"] for each in found] == [*first, "session-end"]
    assert "stop" in first
    assert [each["session"] for each in found[-1]["sessions"]] == [ada.session]
    told = run("show", "--raw", ada.session, cwd=project).stdout
    assert "Anything else?" in told
    # git has nothing of what the agent wrote, and the snapshot does.
    (project / "src/gate.py").write_text("ruined\n")
    run("rewind", found[-1]["checkpoint"], "--force", cwd=project)
    assert (project / "src/gate.py").read_text() == GATE
