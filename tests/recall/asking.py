"""Sets put into real repositories: searched by the command line, and read back turn by turn."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import gitmem
from gitmem.format.memory import open_memory
from gitmem.git.process import Git
from gitmem.git.repository import discover
from gitmem.git.storage import open_storage
from gitmem.model.refs import DEFAULT_MEMORY_REF
from indexer.upkeep.documents import Documents, meant_by
from tests.recall.sets import Group, Part, RecallSet

MODES = ("hybrid", "lexical", "semantic")
_IMPORTED_FROM = Path(gitmem.__file__).resolve().parents[1]
_LIMIT = 20


class Turn(NamedTuple):
    """A turn as an index takes it: its text behind the name of who spoke, where the turn has one.

    `meant` is what is embedded of it, empty where nothing is.
    """

    id: str
    session: str
    text: str
    at_ms: int
    meant: str


class Searched(NamedTuple):
    """A part of a set in a repository of its own."""

    part: Part
    repository: Path


class Refused(Exception):
    """The command line failed; the text is what it said."""


def command() -> list[str]:
    """Return what runs this gitmem, from wherever it is called."""
    # -E where it is installed; a checkout that is not is found by PYTHONPATH alone.
    flags = ["-E", "-P"] if _IMPORTED_FROM.name == "site-packages" else ["-P"]
    return [sys.executable, *flags, "-m", "gitmem"]


def surroundings() -> dict[str, str]:
    """Return the environment for `command`; no process is left behind by what runs in it."""
    environ = {**os.environ, "GITMEM_SIDECAR": "false"}
    if _IMPORTED_FROM.name != "site-packages":
        environ["PYTHONPATH"] = str(_IMPORTED_FROM)
    return environ


def prepared(measured: RecallSet, folder: Path) -> list[Searched]:
    """Return a set's repositories, which are made where they are not there yet."""
    there = [folder / f"{measured.name}-{nth}" for nth in range(len(measured.parts))]
    if all(path.is_dir() for path in there):
        return [Searched(part, path) for part, path in zip(measured.parts, there, strict=True)]
    return prepare(measured, folder)


def prepare(measured: RecallSet, folder: Path) -> list[Searched]:
    """Import every part of a set into a repository of its own, and index it."""
    prepared = []
    for nth, part in enumerate(measured.parts):
        repository = folder / f"{measured.name}-{nth}"
        subprocess.run(["git", "init", "-q", repository], check=True)
        settings = {"user.name": "Ada Example", "user.email": "ada@example.org"}
        for name, value in settings.items():
            subprocess.run(["git", "config", name, value], cwd=repository, check=True)
        subprocess.run(["git", "commit", "-q", "--allow-empty", "-m", "start"], cwd=repository, check=True)
        call("init", "--no-hooks", "--agents", "none", "--no-import", cwd=repository)
        call("import", str(part.sessions.resolve()), cwd=repository)
        call("index", "update", cwd=repository)
        prepared.append(Searched(part, repository))
    return prepared


def search(searched: Searched, queries: Sequence[str], group: Group, mode: str) -> list[list[str]]:
    """Ask for everything in one batch; ids, the best first. Raises as `answers` does."""
    found = answers(searched, queries, group, mode)
    return [[_name(hit, group) for hit in answer["hits"]] for answer in found]


def answers(searched: Searched, queries: Sequence[str], group: Group, mode: str) -> list[dict[str, Any]]:
    """Ask for everything in one batch; answers as `--json-lines` has them.

    Raises:
        Refused: The command line did not answer, as where there is no model.
    """
    batch = searched.repository.parent / f"{searched.repository.name}.txt"
    batch.write_text("".join(f"{query}\n" for query in queries))
    limit = ("--limit", str(_LIMIT), "--group", group, "--mode", mode)
    said = call("search", "--batch", str(batch), "--json-lines", *limit, cwd=searched.repository)
    found: list[dict[str, Any]] = [json.loads(line) for line in said.splitlines()]
    assert len(found) == len(queries), f"{len(queries)} queries, {len(found)} answers"
    if mode != "lexical" and any(answer["mode"] != mode for answer in found):
        raise Refused("it answered by words alone")
    return found


def call(*args: str, cwd: Path) -> str:
    """Run the command line and return what it printed; that nothing was found is no failure.

    Raises:
        Refused: It failed.
    """
    done = subprocess.run(
        [*command(), *args], cwd=cwd, env=surroundings(), text=True, capture_output=True, check=False
    )
    has_found_nothing = done.returncode == 1 and args[0] == "search" and done.stdout
    if done.returncode and not has_found_nothing:
        raise Refused(f"gitmem {' '.join(args)} ended with {done.returncode}: {done.stderr[-2000:].strip()}")
    return done.stdout


def read_turns(repository: Path) -> list[Turn]:
    """Return all turns of a memory, as gitmem reads them and as far as its index takes them."""
    git = Git(dict(os.environ))
    found = []
    with closing(open_storage(discover(repository, git), git)) as storage:
        memory = open_memory(storage, DEFAULT_MEMORY_REF)
        for folder in memory.folders():
            for entry in Documents(memory, folder, memory.load(folder)):
                stored = json.loads(entry.stored)
                name = stored["turn"] or f"{folder.session[:12]}#{entry.ordinal}"
                session = entry.key.partition("/")[2]
                speaker = None if stored["address"] else stored["author"]
                meant = meant_by(stored["role"], stored["kind"], stored["text"], speaker)
                text = entry.body or entry.output
                text = f"{speaker}: {text}" if speaker and text else text
                found.append(Turn(name, session, text, entry.at_ms or 0, meant))
    assert found, f"no turns in {repository}"
    return found


def _name(hit: Mapping[str, str | None], group: Group) -> str:
    if group == "turn":
        return hit["turn"] or ""
    return (hit["session"] or "").partition("/")[2]
