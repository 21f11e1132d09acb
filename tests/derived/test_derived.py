"""What is derived of a session that is erased goes with it, wherever gitmem keeps it; of others it stays."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gitmem import disk
from gitmem.cli import derived
from gitmem.cli.context import Context, context_of_process
from gitmem.format.burial import all_tombstones
from gitmem.format.memory import open_memory
from gitmem.git.process import Git
from gitmem.git.repository import discover
from gitmem.git.storage import open_storage
from gitmem.model.ids import SessionKey
from gitmem.model.refs import DEFAULT_MEMORY_REF
from gitmem.verbs.epochs import begin_epoch
from indexer.upkeep import state as states
from tests.conftest import CommandLine
from tests.indexer import remains
from tests.journeys.people import Coder
from tests.killing import is_interrupted
from tests.sharing.samples import Scribe

Erase = Callable[[], None]


@pytest.fixture
def canary(seed: int) -> str:
    """Return a word that stands nowhere else, and is its own stem."""
    return "qa" + "".join(random.Random(seed).choices("bcdfghjkmpqvwxz", k=15))


@pytest.fixture
def state_dir(repository: Path) -> Path:
    return repository / ".git/gitmem"


@pytest.fixture
def goes(home: Path, repository: Path, canary: str, state_dir: Path, run: CommandLine) -> Coder:
    """Let two sessions be taken in, all of which is looked at; return the one that is to go."""
    stays, goes = Coder(home, repository, "stays"), Coder(home, repository, f"native-{canary}")
    for coder, word, name in ((stays, "anchor", "anchor.py"), (goes, canary, "keel.py")):
        coder.hears(f"mend the {word}")
        coder.writes(name, f"def {word}():\n    return '{word} holds'\n")
        coder.says(f"the {word} is mended")
    run("init", cwd=repository)
    run("capture", cwd=repository)
    run("checkpoint", cwd=repository)
    look(repository, run)
    run("show", f"{goes.session}#1", cwd=repository)
    (state_dir / "spool").mkdir(exist_ok=True)
    (state_dir / "spool" / "1.bad").write_text(f"{canary}\n")
    (state_dir / "spool" / "failure").write_text(f"could not read {goes.session}\n")
    (state_dir / "cache" / f"{disk.UNPUBLISHED}left").write_text(canary)
    (state_dir / "renditions").mkdir()
    (state_dir / "renditions" / "0").write_text(f"{canary}, as its collection has it\n")
    (state_dir / "cache" / "summaries-of-an-older-gitmem").write_text(canary)
    return goes


def look(repository: Path, run: CommandLine) -> list[Any]:
    """Ask about everything that is kept a table of."""
    found = [
        json.loads(run(*words, "--json", cwd=repository, status=None).stdout)
        for words in (("sessions",), ("why", "keel.py:1"), ("why", "anchor.py:1"), ("log", "--checkpoints"))
    ]
    run("search", "mended", cwd=repository)
    return found


@pytest.fixture
def erase(goes: Coder, repository: Path) -> Erase:
    """Return what erases the session from the memory and from the agent's folder, and nowhere else."""

    def erase() -> None:
        own = Git(dict(os.environ))
        with closing(open_storage(discover(repository, own), own)) as storage:
            memory = open_memory(storage, DEFAULT_MEMORY_REF)
            (folder,) = memory.find_key(SessionKey("claude-code", goes.name))
            scribe = Scribe(storage, memory.root)
            scribe.bury(folder.session)
            assert scribe.root is not None
            with storage.begin() as batch:
                buried = [record for _, record in all_tombstones(storage, scribe.root)]
                new = begin_epoch(batch, scribe.root, buried)
                batch.publish()
            storage.move_ref(DEFAULT_MEMORY_REF, new, memory.commit, "erase")
        goes.transcript.unlink()

    return erase


@pytest.fixture
def context(repository: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    monkeypatch.chdir(repository)
    return context_of_process()


def left_of(canary: str, state_dir: Path, home: Path) -> list[str]:
    return [
        place
        for folder in (state_dir, home / ".cache", home / ".local")
        for place in remains.places_of(canary, folder)
    ]


def test_nothing_is_left_of_what_was_derived_even_if_it_was_killed_at_every_step(
    goes: Coder,
    erase: Erase,
    repository: Path,
    home: Path,
    state_dir: Path,
    canary: str,
    run: CommandLine,
    context: Context,
) -> None:
    kept = {Path(place).relative_to(state_dir).parts[1][:8] for place in left_of(canary, state_dir, home)}
    assert kept >= {"summarie", "touched-", "turns", "edits", "transcri", "1.bad", "failure", "gitmem_t"}
    tables = {path: path.read_bytes() for path in (state_dir / "cache").glob("*-*")}
    assert derived.finish_forgetting(context) == {}, "what a memory still has is no one's to forget"
    assert {path: path.read_bytes() for path in tables} == tables
    of_others = {path.name for path in (state_dir / "cache").glob("*/*/*")}
    positions = len(list((state_dir / "sources").glob("*/*")))
    erase()
    killed = kill_at_every_step(context)
    assert killed > 5
    run("index", "update", cwd=repository)
    assert derived.finish_forgetting(context) == {}, "nothing is left to be done"
    assert left_of(canary, state_dir, home) == []
    loaded = states.load(states.root_of(repository / ".git"))
    assert isinstance(loaded, states.State)
    texts = list(remains.texts(states.root_of(repository / ".git") / loaded.folder))
    assert any("anchor" in text for text in texts)
    assert [text for text in texts if canary in text] == []
    assert len(list((state_dir / "sources").glob("*/*"))) == positions - 1
    assert {path.name for path in (state_dir / "cache").glob("*/*/*")} < of_others
    sessions, gone, stays, _ = look(repository, run)
    assert [row["session"] for row in sessions["sessions"]] == ["claude-code/stays"]
    assert goes.session not in json.dumps(gone)
    assert "claude-code/stays" in json.dumps(stays)
    assert left_of(canary, state_dir, home) == [], "nor does it come back"


def kill_at_every_step(context: Context) -> int:
    """Kill what follows an erasure at each effect that it has on the disk, a step further each time.

    Returns:
        How often.
    """
    for stop_at in range(1, 100):
        if not is_interrupted(stop_at, lambda: derived.finish_forgetting(context)):
            return stop_at - 1
    pytest.fail("it did not come to its end")


def test_what_was_removed_is_told_and_what_is_not_there_is_fine(
    repository: Path, state_dir: Path, context: Context
) -> None:
    gone = "f" * 64
    assert set(derived.forget_tables(context, {gone}).values()) == {0}
    for name in (
        f"cache/turns/ff/{gone[2:]}",
        f"cache/edits/ff/{gone[2:]}",
        "cache/summaries-1",
        "sources/aa/b",
    ):
        (state_dir / name).parent.mkdir(parents=True, exist_ok=True)
        (state_dir / name).write_bytes(b"of an older gitmem")
    told = derived.forget_tables(context, {gone})
    assert told == {"tables": 1, "maps": 2, "positions": 1, "transcripts": 0, "leftovers": 0}
    assert [path for path in state_dir.rglob("*") if path.is_file()] == []
