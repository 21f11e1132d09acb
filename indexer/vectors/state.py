"""Which files of a store count: `state.json`, the last to be written, by one rename.

A block or graph that is half made is one that nothing names. Who changes a store holds its lock; who reads
it does not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from gitmem import disk
from indexer.vectors import block

NAME: Final = "state.json"
GRAPH_PREFIX: Final = "graph-"
AXES_PREFIX: Final = "axes-"

_LOCK: Final = "lock"
_LOCK_WAIT_S: Final = 10.0
_VERSION: Final = 1
_PREFIXES: Final = (block.PREFIX, GRAPH_PREFIX, AXES_PREFIX)
_LARGEST: Final = 1 << 40


@dataclass(frozen=True, slots=True)
class File:
    """A file beside a block, and what it must be to be loaded."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class GraphFiles:
    """The two files of a graph: hnswlib's own, and the axes that its rows were projected on."""

    index: File
    axes: File


@dataclass(frozen=True, slots=True)
class BlockEntry:
    """A block that counts, the number of its rows, and the graph over them if it has one."""

    name: str
    rows: int
    graph: GraphFiles | None = None


@dataclass(frozen=True, slots=True)
class State:
    """The blocks of a store, in the order in which they came; `dimensions` is 0 before the first."""

    model: str
    dimensions: int = 0
    blocks: tuple[BlockEntry, ...] = ()


def load(folder: Path, model_id: str) -> State | None:
    """Return a store's state, empty where there is none or another model's; None where it is damaged."""
    try:
        content = (folder / NAME).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return State(model_id)
    except OSError:
        return None
    try:
        state = _parse(json.loads(content))
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return state if state.model == model_id else State(model_id)


def publish(folder: Path, state: State) -> None:
    """Make a state the one that counts, and remove the files that it does not name; under the lock.

    Raises:
        DiskRefused: The disk does not let it; the old state stands.
    """
    content = json.dumps({"version": _VERSION, **asdict(state)})
    disk.replace_file(folder / NAME, content.encode(), mode=0o600)
    sweep(folder, state)


def sweep(folder: Path, state: State) -> None:
    """Remove older blocks and graphs, and what a killed process was writing; under the lock.

    Raises:
        DiskRefused: The disk does not let it.
    """
    named = {name for entry in state.blocks for name in names_of(entry)}
    for path in sorted(folder.iterdir()):
        if path.name.startswith((*_PREFIXES, disk.UNPUBLISHED)) and path.name not in named:
            disk.remove_file(path)


def locked(folder: Path) -> AbstractContextManager[None]:
    """Hold the lock of who changes a store.

    Raises:
        StoreBusy: Another process has held it for long.
        DiskRefused: The folder or the lock cannot be made.
    """
    return disk.locked(folder / _LOCK, _LOCK_WAIT_S)


def names_of(entry: BlockEntry) -> Iterator[str]:
    """Yield the names of a block's files."""
    yield entry.name
    if entry.graph:
        yield entry.graph.index.name
        yield entry.graph.axes.name


def _parse(values: Any) -> State:
    """Return a state from what JSON has.

    Raises:
        ValueError, TypeError, KeyError: It is none.
    """
    if values["version"] != _VERSION or not isinstance(values["model"], str):
        raise ValueError("another version")
    entries = tuple(_entry(value) for value in values["blocks"])
    state = State(values["model"], _number(values["dimensions"]), entries)
    names = [name for entry in entries for name in names_of(entry)]
    if len(names) != len(set(names)):
        raise ValueError("a file is named twice")
    return state


def _entry(value: Any) -> BlockEntry:
    graph = value["graph"]
    files = graph and GraphFiles(_file(graph["index"], GRAPH_PREFIX), _file(graph["axes"], AXES_PREFIX))
    return BlockEntry(_name(value["name"], block.PREFIX), _number(value["rows"]), files or None)


def _file(value: Any, prefix: str) -> File:
    if not isinstance(value["sha256"], str):
        raise TypeError("no digest")
    return File(_name(value["name"], prefix), _number(value["size_bytes"]), value["sha256"])


def _name(value: Any, prefix: str) -> str:
    if not isinstance(value, str) or not value.startswith(prefix) or not value.removeprefix(prefix).isalnum():
        raise ValueError("no name of a file here")
    return value


def _number(value: Any) -> int:
    if type(value) is not int or not 0 <= value < _LARGEST:
        raise ValueError("no number")
    return value
