"""`gitmem why` as people use it: what it prints, what it takes for a file, what it refuses, hostile text."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.cli.terminal import run_on_terminal
from tests.conftest import CommandLine, RealGit
from tests.reading.test_rendering import HOSTILE
from tests.why.conftest import Ask, AskIn, world_in
from tests.why.test_lines import GATE, only
from tests.why.world import World

CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
OUR_OWN = re.compile(r"\x1b\[[0-9;]*m|\r\x1b\[K")


def save(world: World) -> None:
    for talk in world.talks:
        talk.save()


def test_people_are_told_line_commit_turn_evidence_prompt_and_edit(world: World, run: CommandLine) -> None:
    turn = world.talk("gates", "make the gate\nopen in time").writes("gate.py", GATE)
    head = world.commit("gate: open in time")
    save(world)
    shown = run("why", "gate.py:2", cwd=world.top).stdout.splitlines()
    assert shown == [
        "gate.py:2  margin = height - draught",
        f"commit {head[:9]}  2026-02-25 06:14  Ada Example: gate: open in time",
        f"claude-code/gates#{turn}, 2026-02-25 06:13: make the gate",
        f"by Ada Example, claude-code, claude-model-1; known by the checkpoint of the commit ({shown[3][-13:-1]})",
        "  > make the gate",
        "  > open in time",
        "  → Write",
        "  | def gate_opens(height, draught):",
        "  |     margin = height - draught",
        "  |     return margin > 0.4",
    ]
    found = run("show", f"claude-code/gates#{turn}", cwd=world.top).stdout
    assert "margin = height - draught" in found


def test_people_are_told_when_nobody_is_known(world: World, run: CommandLine) -> None:
    save(world)
    shown = run("why", "a.txt:1", cwd=world.top, status=1).stdout
    assert shown.splitlines()[-1] == "no session is known: none was under way, and none wrote it"
    world.talk("gates").writes("gate.py", GATE)
    world.write("other.txt", "written by hand alone\n")
    world.commit("gate and more")
    shown = run("why", "other.txt:1", cwd=world.top, status=1).stdout
    assert shown.splitlines()[-2:] == [
        "under way at the commit, but the lines are not in what they wrote:",
        "  claude-code/gates: please do what gates is for",
    ]
    world.write("other.txt", "written by hand, twice\n")
    shown = run("why", "other.txt:1", cwd=world.top, status=1).stdout
    assert shown.splitlines()[-2:] == ["not committed yet", "no session is known that wrote it"]


def test_people_are_shown_a_file_and_a_commit_in_a_line_a_place(world: World, run: CommandLine) -> None:
    talk = world.talk("gates")
    talk.asks("and the\ngate?")
    talk.writes("gate.py", GATE)
    turn = talk.edits("gate.py", "0.4", "minimum_margin(draught)")
    head = world.commit("gate: open in time")
    world.write("gate.py", (world.top / "gate.py").read_text() + "WRITTEN_BY_HAND = True\n")
    shown = run("why", "gate.py", cwd=world.top).stdout.splitlines()
    title = "please do what gates is for"
    assert shown == [
        "1  uncommitted  4    no session known",
        f"3  {head[:9]}    1-3  claude-code/gates#2 and 1 more  commit  and the gate?",
        "3 of 4 lines are from sessions that are known here",
    ]
    shown = run("why", "HEAD", cwd=world.top).stdout.splitlines()
    assert shown[1:] == [
        "3  gate.py  1-3  claude-code/gates#2 and 1 more  commit  and the gate?",
        "3 of 3 lines are from sessions that are known here",
    ]
    assert turn == 4
    world.commit("by hand")
    shown = run("why", "HEAD", cwd=world.top, status=1).stdout.splitlines()
    assert shown[1:] == [
        "1  gate.py  4  no session known",
        "no session is known for any of these lines",
        "under way at the commit, but the lines are not in what they wrote:",
        f"  claude-code/gates: {title}",
    ]


def test_person_who_shares_a_memory_is_told_what_else_may_know(world: World, run: CommandLine) -> None:
    save(world)
    asked = ("-m", "gitmem", "--no-pager", "why", "a.txt:1")
    assert "gitmem pull" not in run_on_terminal(*asked, cwd=world.top)[1]
    world.git("remote", "add", "origin", str(world.top.parent / "hub.git"), cwd=world.top)
    world.git("config", "remote.origin.gitmem", "team", cwd=world.top)
    status, screen = run_on_terminal(*asked, cwd=world.top)
    assert (status, "gitmem pull: brings in what others have shared" in screen) == (1, True)
    assert run("why", "a.txt:1", cwd=world.top, status=1).stderr == ""


def test_commit_that_added_nothing_is_said_to_have(world: World, run: CommandLine) -> None:
    save(world)
    world.run("commit", "--quiet", "--allow-empty", "-m", "nothing")
    shown = run("why", "HEAD", cwd=world.top, status=1).stdout
    assert shown.splitlines()[-1] == "it added no lines of its own"


def test_file_wins_over_a_commit_and_dashes_decide(world: World, run: CommandLine, ask: Ask) -> None:
    world.talk("gates").writes("main", GATE)
    world.commit("a file called like the branch")
    assert ask("main")["kind"] == "file"
    assert ask("main", "--")["kind"] == "commit"
    assert ask("main:2:7")["target"] == "main:2:7"
    assert ask("main:2:")["places"] == ask("main:2:7")["places"] == ask("main:2")["places"]
    assert ask("--", "main:2")["kind"] == "lines"
    assert "it is no file here" in run("why", "--", "HEAD", cwd=world.top, status=1).stderr
    assert "it is no commit here" in run("why", "main:2", "--", cwd=world.top, status=1).stderr


def test_file_whose_name_ends_in_a_number_is_that_file(world: World, ask: Ask) -> None:
    world.talk("gates").writes("gate:2", GATE)
    world.commit("gate")
    assert ask("gate:2")["kind"] == "file"
    assert only(ask("gate:2:2"))["session"] == "claude-code/gates"


@pytest.mark.parametrize(
    ("word", "complaint"),
    [
        ("nowhere.py:3", "could not explain 'nowhere.py:3': it is no file and no commit here"),
        ("0123456", "it is no file and no commit here"),
        ("--output=x", "No such option"),
        ("HEAD^{tree}", "it is no file and no commit here"),
        ("a.txt:7", "could not explain line 7 of a.txt: it has 1 line\n"),
        ("a.txt:0", "could not explain line 0 of a.txt"),
        ("empty:1", "it has 0 lines"),
        ("folder", "could not explain folder: it is a folder"),
        ("folder", "hint: git ls-files folder: lists its files"),
        ("binary.bin", "could not explain binary.bin: it is no text"),
        ("../outside", "could not explain ../outside: it is outside of "),
        ("../outside", "hint: gitmem -C DIR why FILE"),
        ("claude-code/gates", "gitmem show NAME"),
        ("x" * 5000, "it is no file and no commit here"),
        ("nul\0l"[:3] + ":1:1", "it is no file and no commit here"),
    ],
)
def test_what_cannot_be_explained_is_refused_by_name(
    world: World, run: CommandLine, word: str, complaint: str
) -> None:
    (world.top / "folder").mkdir()
    (world.top / "empty").write_bytes(b"")
    (world.top / "binary.bin").write_bytes(b"a\0b\n")
    (world.top.parent / "outside").write_text("x\n")
    finished = run("why", word, cwd=world.top, status=None)
    assert finished.status in (1, 2)
    assert finished.stdout == ""
    assert complaint in finished.stderr


def test_empty_file_has_nothing_to_explain(world: World, run: CommandLine) -> None:
    (world.top / "empty").write_bytes(b"")
    assert run("why", "empty", cwd=world.top, status=1).stdout == "there are no lines in it\n"


def test_without_a_memory_it_says_what_makes_one(repository: Path, run: CommandLine) -> None:
    finished = run("why", "a.txt:1", cwd=repository, status=1)
    assert (finished.stdout, "hint: gitmem init" in finished.stderr) == ("", True)


def test_bare_repository_explains_what_head_has(world: World, ask: Ask, git: RealGit) -> None:
    turn = world.talk("gates").writes("sub/gate.py", GATE)
    world.commit("gate")
    save(world)
    bare = world.top.parent / "bare.git"
    git("clone", "--quiet", "--bare", str(world.top), str(bare), cwd=world.top)
    place = only(ask("sub/gate.py:2", cwd=bare))
    assert (place["address"], place["evidence"]) == (f"claude-code/gates#{turn}", "commit")
    assert ask("HEAD", cwd=bare)["known"] == 3


def test_linked_worktree_and_its_branch_are_asked_about(world: World, ask: Ask, git: RealGit) -> None:
    turn = world.talk("gates").writes("gate.py", GATE)
    world.commit("gate")
    other = world.top.parent / "other"
    git("worktree", "add", "--quiet", str(other), "-b", "side", cwd=world.top)
    (other / "below").mkdir()
    assert only(ask("../gate.py:2", cwd=other / "below"))["address"] == f"claude-code/gates#{turn}"
    (other / "gate.py").write_text(GATE + "WRITTEN_BY_HAND = True\n")
    assert only(ask("gate.py:4", cwd=other, status=1))["commit"] is None


def test_hostile_text_reaches_no_terminal(world: World) -> None:
    talk = world.talk("gates", f"please {HOSTILE} do it")
    talk.writes("gate.py", f"one_hostile_line = '{HOSTILE}'\nanother_line_of_it = 2\n")
    talk.calls(HOSTILE, file_path=str(world.top / "gate.py"), content="another_line_of_it = 2\n")
    (world.top / "gate.py").write_text("another_line_of_it = 2\n")
    world.commit(f"gate {HOSTILE[:-1]}")
    save(world)
    for words in (["gate.py:1"], ["gate.py"], ["HEAD"], ["--json", "gate.py:1"]):
        status, screen = run_on_terminal("-m", "gitmem", "--no-pager", "why", *words, cwd=world.top)
        assert status == 0
        assert not CONTROLS.search(OUR_OWN.sub("", screen)), words


def test_huge_edit_is_explained_and_shown_in_a_few_lines(world: World, run: CommandLine) -> None:
    talk = world.talk("gates", "x" * 100_000)
    huge = "".join(f"value_{n} = compute({n}, height_of_tide)\n" for n in range(30_000))
    turn = talk.writes("gate.py", huge + "z" * 1_000_000 + "\n")
    world.commit("gate")
    save(world)
    shown = run("why", "gate.py:20000", cwd=world.top).stdout
    assert f"claude-code/gates#{turn}" in shown
    assert len(shown) < 4000
    told = json.loads(run("why", "--json", "gate.py:20000", cwd=world.top).stdout)
    assert len(told["places"][0]["prompt"]) == 2000
    assert len(run("why", "gate.py:30001", cwd=world.top, status=None).stdout) < 4000


def test_repository_that_no_library_opens_is_explained_too(
    tmp_path: Path, git: RealGit, ask_in: AskIn
) -> None:
    top = tmp_path / "sha256"
    git("init", "--quiet", "--object-format=sha256", str(top), cwd=tmp_path)
    git.commit(top)
    with world_in(top, git) as world:
        turn = world.talk("gates").writes("gate.py", GATE)
        head = world.commit("gate")
        place = only(ask_in(world, "gate.py:2"))
        assert (place["address"], place["evidence"]) == (f"claude-code/gates#{turn}", "commit")
        assert place["commit"]["id"] == head
        assert len(head) == 64


def test_file_of_a_submodule_is_explained_there(world: World, run: CommandLine, git: RealGit) -> None:
    save(world)
    inner = world.top / "inner"
    git("init", "--quiet", str(inner), cwd=world.top)
    git.commit(inner)
    refused = run("why", "inner/a.txt:1", cwd=world.top, status=1)
    assert f"it belongs to the repository at {inner}" in refused.stderr
    assert f"hint: gitmem -C {inner} why FILE" in refused.stderr


def test_what_git_says_of_a_blame_that_it_refuses_is_handed_on(world: World, run: CommandLine) -> None:
    save(world)
    world.git("config", "blame.ignoreRevsFile", "no-such-file", cwd=world.top)
    refused = run("why", "a.txt:1", cwd=world.top, status=1)
    assert "could not explain a.txt: could not open object name list: no-such-file" in refused.stderr
