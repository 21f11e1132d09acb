"""The sidecar keeps indexes where their memories are, and a death at any moment costs nothing."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gitmem.sidecar import known
from gitmem.sidecar.folders import state_folder
from gitmem.sidecar.wire import Place
from gitmem.verbs.tips import read_tip
from indexer.upkeep import state
from tests.conftest import IMPORTED_FROM, CommandLine, RealGit
from tests.importing import samples
from tests.indexer.memories import Filled, said
from tests.sidecar.conftest import DEADLINE_S, Client, Sidecars, children_of, processes_of, until
from tests.sidecar.programs import QUICK, SLOW, STUCK

PLACE = Place("/top", "/top/.git", "refs/heads/gitmem", "top", "team")


def is_current(memory: Filled) -> bool:
    """Tell whether the index is where the memory is, without anything that would bring it there."""
    loaded = state.load(state.root_of(memory.repository.common_dir))
    tip = subprocess.run(
        ["git", "rev-parse", memory.ref], cwd=memory.top, capture_output=True, text=True, check=True
    ).stdout.strip()
    return isinstance(loaded, state.State) and loaded.commit == tip


@pytest.mark.parametrize("how", ["asked", "known before"])
def test_new_commit_is_indexed_without_anybody_asking(client: Client, sidecars: Sidecars, how: str) -> None:
    if how == "known before":
        known.remember(state_folder(sidecars.environ), client.memory.place)
    sidecars.start()
    if how == "asked":
        client("anchor")
    until(lambda: is_current(client.memory), "the index is made")
    for n in range(3):
        client.memory.add(f"later {n}", [said(f"a sextant of {n}")])
        until(lambda: is_current(client.memory), "the index has come after")
    client.processes = 0
    assert client.found("sextant") == 3
    assert client.processes == 0


def test_what_is_captured_privately_or_published_is_indexed_without_anybody_asking(
    client: Client, sidecars: Sidecars, run: CommandLine, tmp_path: Path
) -> None:
    top, common_dir = client.memory.top, client.memory.repository.common_dir

    def stands_where_all_memories_do() -> bool:
        loaded = state.load(state.root_of(common_dir))
        tip = read_tip(common_dir, client.memory.ref, sidecars.environ)
        return isinstance(loaded, state.State) and tip is not None and loaded.tip == tip.name

    def say(name: str, text: str, level: str) -> None:
        path = tmp_path / f"{name}.jsonl"
        with path.open("a") as file:
            file.write(json.dumps({"session": {"id": name}, "role": "user", "text": text}) + "\n")
        run("import", str(path), cwd=top, environ={"GITMEM_LEVEL": level})

    sidecars.start()
    client("anchor")
    say("ours", "a sextant of ours", "team")
    for text in ("a sextant of mine", "another sextant of mine"):
        say("mine", text, "private")
        until(stands_where_all_memories_do, "the index has what is private")
    run("level", "generic/ours", "public", "--yes", cwd=top)
    until(stands_where_all_memories_do, "the index has what is public")
    client.processes = 0
    assert client.found("sextant") == 3
    assert client.processes == 0
    assert "sextant" not in sidecars.log()
    assert "mine" not in sidecars.log()


def test_text_of_a_session_that_is_gone_leaves_the_files_without_anybody_asking(
    client: Client, sidecars: Sidecars
) -> None:
    gone = client.memory.add("gone", [said("a xylophonic windlass")])
    sidecar = sidecars.start(program=QUICK)
    assert client.found("xylophonic") == 1
    client.memory.remove(gone)
    root = state.root_of(client.memory.repository.common_dir)

    def is_gone() -> bool:
        files = [path for path in root.rglob("*") if path.is_file()]
        return bool(files) and not any(b"xylophonic" in read(path) for path in files)

    def read(path: Path) -> bytes:
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return b""  # swept away meanwhile

    def holds_removed_files() -> bool:
        maps = Path(f"/proc/{sidecar.pid}/maps").read_text().splitlines()
        return any(str(root) in line and line.endswith("(deleted)") for line in maps)

    until(is_gone, "nothing of it is left")
    until(lambda: not holds_removed_files(), "the sidecar lets go of what was removed")
    assert client.found("xylophonic") == 0
    assert client.found("anchor") > 0


def test_what_a_process_was_asked_is_kept_up_too(
    client: Client, sidecars: Sidecars, run: CommandLine
) -> None:
    sidecars.start(program=QUICK)
    run("search", "anchor", cwd=client.memory.top)  # without a sidecar, as tests are
    client.memory.add("later", [said("a sextant")])
    until(lambda: is_current(client.memory), "the index has come after")


def test_packed_ref_is_noticed(client: Client, sidecars: Sidecars, git: RealGit) -> None:
    sidecars.start()
    client("anchor")
    client.memory.add("later", [said("a sextant")])
    git("pack-refs", "--all", cwd=client.memory.top)
    until(lambda: is_current(client.memory), "the index has come after")


def test_repository_that_is_removed_is_forgotten(
    client: Client, sidecars: Sidecars, tmp_path: Path, git: RealGit, environ: Mapping[str, str]
) -> None:
    git("init", "--quiet", str(tmp_path / "other"), cwd=tmp_path)
    git.commit(tmp_path / "other")
    other = Filled(tmp_path / "other", environ)
    other.add("one", [said("another anchor")])
    process = sidecars.start(program=QUICK)
    folder = state_folder(sidecars.environ)
    doomed = Client(sidecars, client.memory)
    assert (doomed.found(), Client(sidecars, other).found()) == (1, 1)
    until(lambda: len(known.known(folder)) == 2, "both are known")
    shutil.rmtree(client.memory.top)
    until(lambda: len(list((folder / "repositories").iterdir())) == 1, "one is forgotten")
    assert [place.common_dir for place in known.known(folder)] == [str(other.repository.common_dir)]
    other.add("later", [said("one more anchor")])
    until(lambda: is_current(other), "the other one is kept up")
    assert process.poll() is None


def test_kill_while_it_answers_costs_no_answer(client: Client, sidecars: Sidecars, home: Path) -> None:
    client("anchor")
    process = sidecars.start(program=SLOW)
    found: list[Any] = []
    asking = threading.Thread(target=lambda: found.extend(client("anchor", "buoy")))
    asking.start()
    until((home / "asked").exists, "it is asked")
    process.kill()
    asking.join()
    assert [len(answer["hits"]) for answer in found] == [1, 1]


def test_kill_while_it_indexes_ends_its_child_and_loses_nothing(client: Client, sidecars: Sidecars) -> None:
    for n in range(40):
        client.memory.add(f"session {n}", [said(f"a sextant of number {line}") for line in range(30)])
    known.remember(state_folder(sidecars.environ), client.memory.place)
    process = sidecars.start()
    until(lambda: children_of(process.pid), "a child indexes")
    process.kill()
    process.wait()
    until(lambda: not processes_of(Path(sidecars.environ["HOME"])), "the child has ended")
    assert client("sextant", limit=5000)[0]["indexed"]["behind"] == 0
    assert len(client("sextant", limit=5000, group="session")[0]["hits"]) == 40


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_end_while_it_indexes_leaves_no_child(
    client: Client, sidecars: Sidecars, number: signal.Signals
) -> None:
    known.remember(state_folder(sidecars.environ), client.memory.place)
    for n in range(20):
        client.memory.add(f"later {n}", [said(f"a sextant of number {line}") for line in range(200)])
    process = sidecars.start()
    until(lambda: children_of(process.pid), "a child indexes")
    process.send_signal(number)
    process.wait(DEADLINE_S)
    until(lambda: not processes_of(Path(sidecars.environ["HOME"])), "all have ended")
    assert client.found("sextant") == 10


def test_client_that_is_interrupted_midway_takes_nobody_along(
    client: Client, sidecars: Sidecars, home: Path
) -> None:
    client("anchor")
    sidecars.start(program=STUCK)
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "gitmem", "search", "anchor"],
        cwd=client.memory.top,
        env={**sidecars.environ, "PYTHONPATH": str(IMPORTED_FROM)},
        stderr=subprocess.PIPE,
    )
    until((home / "asked").exists, "it is asked")
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate()
    assert (process.returncode, stderr) == (130, b"error: interrupted\n")
    assert sidecars.greeting() is not None


def test_what_agents_write_is_captured_where_nobody_said_no(
    repository: Path, tmp_path: Path, sidecars: Sidecars, run: CommandLine, git: RealGit, home: Path
) -> None:
    folder = home / ".claude" / "projects" / "x"
    folder.mkdir(parents=True)
    unwanted = tmp_path / "a"  # captured first, if it were
    git("init", "-q", str(unwanted), cwd=tmp_path)
    git("config", "gitmem.live", "false", cwd=unwanted)
    for top in (repository, unwanted):
        run("init", "--no-hooks", "--agents", "none", "--no-import", cwd=top)
        run("search", "anchor", cwd=top, status=1)
    sidecars.start(program=QUICK)
    for n, word in enumerate(("anchor", "sextant")):
        for top, name in ((unwanted, "a"), (repository, "b")):
            with (folder / f"7c9d2a54-3f0e-4b43-9a52-60e1f3f0a9d{name}.jsonl").open("a") as file:
                file.write(json.dumps(_claude(top, n, word)) + "\n")
        until(lambda w=word: "1" in _count(run, repository, w), f"{word} is found")  # type: ignore[misc]
    assert _count(run, unwanted, "anchor") == "0"


def test_what_agents_write_is_captured_where_git_finds_nothing_from_within_its_directory(
    repository: Path, sidecars: Sidecars, run: CommandLine, git: RealGit, home: Path
) -> None:
    git("config", "--global", "safe.bareRepository", "explicit", cwd=repository)
    folder = home / ".claude" / "projects" / "x"
    folder.mkdir(parents=True)
    run("init", "--no-hooks", "--agents", "none", "--no-import", cwd=repository)
    run("search", "anchor", cwd=repository, status=1)
    sidecars.start(program=QUICK)
    path = folder / "7c9d2a54-3f0e-4b43-9a52-60e1f3f0a9d9.jsonl"
    path.write_text(json.dumps(_claude(repository, 0, "anchor")) + "\n")
    until(lambda: "1" in _count(run, repository, "anchor"), "it is found")


def test_a_session_of_a_linked_working_tree_is_captured_too(
    repository: Path, tmp_path: Path, sidecars: Sidecars, run: CommandLine, git: RealGit, home: Path
) -> None:
    folder = home / ".claude" / "projects" / "x"
    folder.mkdir(parents=True)
    run("init", "--no-hooks", "--agents", "none", "--no-import", cwd=repository)
    run("search", "anchor", cwd=repository, status=1)
    sidecars.start(program=QUICK)
    git("worktree", "add", "-q", str(tmp_path / "linked"), cwd=repository)
    (folder / "c.jsonl").write_text(json.dumps(_claude(tmp_path / "linked", 1, "anchor")) + "\n")
    until(lambda: _count(run, repository, "anchor") == "1", "it is found")


def test_repositories_are_remembered_as_they_are(tmp_path: Path) -> None:
    places = []
    for name in ("b", "a"):
        (tmp_path / name).mkdir()
        places.append(PLACE._replace(common_dir=str(tmp_path / name), name=name))
        known.remember(tmp_path / "state", places[-1])
    found = known.known(tmp_path / "state")
    assert [place.name for place in found] == ["a", "b"]
    assert all(place.start == place.common_dir for place in found)
    known.remember(tmp_path / "state", places[0]._replace(ref="refs/heads/other"))
    assert [place.ref for place in known.known(tmp_path / "state")] == [PLACE.ref, "refs/heads/other"]
    known.forget(tmp_path / "state", places[0].common_dir)
    known.forget(tmp_path / "state", places[0].common_dir)
    assert [place.name for place in known.known(tmp_path / "state")] == ["a"]
    (tmp_path / "a").rmdir()
    assert known.known(tmp_path / "state") == []
    assert len(list((tmp_path / "state" / "repositories").iterdir())) == 1
    known.prune(tmp_path / "state")
    assert list((tmp_path / "state" / "repositories").iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"start": 1}', b"\xff", b'{"start": "x"}'])
def test_file_that_remembers_nothing_is_passed_over(tmp_path: Path, content: bytes) -> None:
    known.remember(tmp_path / "state", PLACE._replace(common_dir=str(tmp_path)))
    (tmp_path / "state" / "repositories" / "other.json").write_bytes(content)
    assert len(known.known(tmp_path / "state")) == 1


def test_state_that_cannot_be_written_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "state").write_bytes(b"")
    known.remember(tmp_path / "state", PLACE)
    assert known.known(tmp_path / "state") == []
    assert known.known(tmp_path / "none") == []


def _claude(top: Path, n: int, word: str) -> dict[str, Any]:
    return {
        "parentUuid": None,
        "isSidechain": False,
        "userType": "external",
        "cwd": str(top),
        "sessionId": f"7c9d2a54-3f0e-4b43-9a52-{top.name}",
        "version": "2.0.1",
        "type": "user",
        "message": {"role": "user", "content": f"mend the {word}"},
        "uuid": f"00000000-0000-4000-8000-00000000000{n}",
        "timestamp": f"2026-03-02T09:10:0{n}.000Z",
    }


def _count(run: CommandLine, top: Path, word: str) -> str:
    answer = json.loads(run("search", word, "--json", cwd=top, status=None).stdout)
    return str(len(answer["hits"]))


def test_whoever_begins_has_an_index_before_anybody_asks(
    sidecars: Sidecars, repository: Path, home: Path, run: CommandLine
) -> None:
    samples.write(
        home / ".claude/projects/p/one.jsonl",
        b"".join(samples.line(n, cwd=str(repository)) for n in range(4)),
    )
    run("init", "--no-hooks", cwd=repository, environ={"GITMEM_SIDECAR": "true"})
    made = Filled(repository, sidecars.environ)
    until(lambda: is_current(made), "the index is where the memory is")
    until(lambda: sidecars.greeting() is not None, "it serves")
