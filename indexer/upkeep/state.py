"""What state an index is in, and the file that says so.

`state.json` stands beside the folders that hold indexes and names the one that counts; it is written last,
by a rename. So an index that is half made is one that nothing names, and one that is further on than its
state is brought up once more, which changes nothing.
"""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import gitmem
from gitmem import disk
from indexer.lexical import SCHEMA_VERSION

Condition = Literal["missing", "corrupt", "version", "options", "behind", "current"]
"""missing: none was made; corrupt: it cannot be read; version: another gitmem made it, of other fields or
with another reader of transcripts; options: it is of another memory ref; behind: the memory has gone on;
current: it has all of the memory."""

_STATE: Final = "state.json"
_CHANGING: Final = "changing"
_FOLDER_PREFIX: Final = "turns-"


class Fork(NamedTuple):
    """What a session was forked from, and what that one's text was then, by `caching.origin_ids`."""

    agent: str
    forked_from: str
    origins: tuple[str | None, ...]


class Worn(NamedTuple):
    """What was taken out of an index: how often a session's turns were, how many sessions are gone for good,
    and how many turns are of no use in its files."""

    removals: int = 0
    gone: int = 0
    turns: int = 0

    def and_also(self, other: Worn, *, was_killed: bool = False) -> Worn:
        """Return both together; one that was killed may have taken out what nobody counted."""
        unknown = int(was_killed)
        return Worn(
            self.removals + other.removals + unknown,
            self.gone + other.gone + unknown,
            self.turns + other.turns,
        )


NOT_WORN: Final = Worn()


@dataclass(frozen=True, slots=True)
class State:
    """What an index was made of.

    `commit` and `tree` (its root) are those of the memory that it has reached, which may be several seen as
    one; `tip` is where these stood then, by `gitmem.verbs.tips`. `round` is how often it was brought up,
    `worn` what was taken out since it was made. `gitmem` is the version that looked at it last: another one
    looks more closely. `unreadable` are the sessions left out, and why; `forks` those whose turns depend on
    another session's.
    """

    schema: int
    reader: int
    gitmem: str
    ref: str
    commit: str
    tree: str
    folder: str
    round: int = 0
    worn: Worn = NOT_WORN
    unreadable: Mapping[str, str] = field(default_factory=dict)
    forks: Mapping[str, Fork] = field(default_factory=dict)
    tip: str = ""

    def is_at(self, tip: str | None) -> bool:
        """Tell whether the memories stand where they stood then."""
        return (self.tip or self.commit) == tip


def root_of(common_dir: Path) -> Path:
    """Return where a repository's indexes are."""
    return common_dir / "gitmem" / "index" / "lexical"


def prepared_root(common_dir: Path) -> Path:
    """Return the same after making it, so that nobody but the user may enter: all levels are indexed there.

    Raises:
        DiskRefused: The disk does not let it.
    """
    root = root_of(common_dir)
    disk.make_private_folder(root.parent)
    disk.keep_private(root.parent)  # an earlier gitmem made it for everybody
    disk.make_private_folder(root)
    return root


def vectors_of(common_dir: Path) -> Path:
    """Return where a repository's vectors are, a folder for each model."""
    return common_dir / "gitmem" / "index" / "vectors"


def lock_of(root: Path) -> Path:
    """Return the file whose lock one holds who changes the index."""
    return root / "lock"


def load(root: Path) -> State | Condition:
    """Return the state of an index, or what is wrong with it before anything is compared."""
    try:
        content = (root / _STATE).read_bytes()
    except FileNotFoundError:
        return "missing"
    except OSError:
        return "corrupt"
    try:
        values = json.loads(content)
        if values["schema"] != SCHEMA_VERSION and type(values["schema"]) is int:
            return "version"  # of which nothing else is known
        worn = Worn(*values.get("worn", ()))
        state = State(**{**values, "forks": _forks(values.get("forks", {})), "worn": worn})
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return "corrupt"
    if not _is_sound(state):
        return "corrupt"
    return state


def examine(state: State | Condition, ref: str, tip: str | None, reader: int | None = None) -> Condition:
    """Compare an index's state with where its memories stand, the name of their `Tip`.

    `reader` is the version of the reader of transcripts; who does not want to load that just to ask is told
    "behind" where another gitmem than this one looked last.
    """
    if not isinstance(state, State):
        return state
    if state.schema != SCHEMA_VERSION or reader not in (None, state.reader):
        return "version"
    if state.ref != ref:
        return "options"
    is_known = reader is not None or state.gitmem == gitmem.__version__
    return "current" if is_known and state.is_at(tip) else "behind"


def publish(root: Path, state: State) -> None:
    """Make a state the one that counts.

    Raises:
        DiskRefused: The disk does not let it; the old one stands.
    """
    disk.replace_file(root / _STATE, json.dumps(asdict(state)).encode(), mode=0o600)


def begin_change(root: Path) -> None:
    """Leave word that an index is being changed; under the lock.

    Raises:
        DiskRefused: The disk does not let it.
    """
    disk.replace_file(root / _CHANGING, b"", durable=False, mode=0o600)


def end_change(root: Path) -> None:
    """Take that word back, once the state that counts tells of the change.

    Raises:
        DiskRefused: The disk does not let it.
    """
    if is_changing(root):
        disk.remove_file(root / _CHANGING)


def is_changing(root: Path) -> bool:
    """Tell whether somebody began a change and did not come to its end; under the lock."""
    return (root / _CHANGING).exists()


def sweep(root: Path, state: State) -> None:
    """Remove the folders of indexes that no state names any more; under the lock."""
    for path in root.glob(f"{_FOLDER_PREFIX}*"):
        if path.name != state.folder:
            disk.announce("remove", path)
            shutil.rmtree(path, ignore_errors=True)  # what is left is swept the next time


def new_folder(root: Path) -> Path:
    """Make a folder for an index to be made in; under the lock."""
    path = root / f"{_FOLDER_PREFIX}{secrets.token_hex(4)}"
    disk.make_private_folder(path)
    return path


def _forks(values: Mapping[str, Sequence[Any]]) -> dict[str, Fork]:
    """Return forks as a state has them.

    Raises:
        TypeError, ValueError, AttributeError: They are none.
    """
    return {
        session: Fork(agent, forked_from, tuple(origins))
        for session, (agent, forked_from, origins) in values.items()
    }


def _is_sound(state: State) -> bool:
    texts = (state.gitmem, state.ref, state.commit, state.tree, state.folder, state.tip)
    numbers = (state.schema, state.reader, state.round, *state.worn)
    return (
        all(isinstance(text, str) for text in texts)
        and all(type(number) is int for number in numbers)
        and isinstance(state.unreadable, dict)
        and all(isinstance(text, str) for fork in state.forks.values() for text in fork[:2])
        and state.folder.startswith(_FOLDER_PREFIX)
        and "/" not in state.folder
    )
