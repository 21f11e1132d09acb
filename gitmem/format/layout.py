"""Where everything stands in the memory's tree: the only module that spells its paths.

Reading refuses any other path, so that what a stranger pushed is never followed, written or shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Literal, NamedTuple, get_args

from gitmem.model.errors.store import RecordRefused
from gitmem.model.ids import RecordId, SegmentId, SessionId
from gitmem.objects.encoding import FILE_MODE, TREE_MODE, Entry
from gitmem.objects.trees import Path

RootName = Literal["FORMAT", "README.md", "vercel.json", "netlify.toml"]
ROOT_NAMES: tuple[RootName, ...] = get_args(RootName)

EntryKind = Literal["root", "session", "capture", "segment", "register", "note", "checkpoint", "tombstone"]

_SINGLE: dict[str, EntryKind] = {"checkpoints": "checkpoint"}
_BURIED = ("sessions", "notes", "checkpoints")
"""Where what a tombstone names may have stood."""
_TARGET_DEPTH = 4
_OWNERS: dict[str, tuple[EntryKind, dict[str, EntryKind]]] = {
    "sessions": ("session", {"captures": "capture", "segments": "segment", "registers": "register"}),
    "notes": ("note", {"registers": "register"}),
}
_2, _60, _62, _64 = (f"[0-9a-f]{{{digits}}}" for digits in (2, 60, 62, 64))


def _shapes() -> Iterator[tuple[str, str, str]]:
    """Yield, for each folder of the root, what the paths of files and of folders in it look like."""
    for top in _SINGLE:
        yield top, f"{top}/{_2}/{_2}/{_60}", f"{top}(/{_2}){{0,2}}"
    above = f"/{_2}(/{_2}(/{_60}%s)?)?"
    yield "tombstones", f"tombstones/{_2}/{_2}/{_60}/{_64}", f"tombstones({above % ''})?"
    for top, (own, kinds) in _OWNERS.items():
        folder = "|".join(kinds)
        file = f"{top}/{_2}/{_2}/{_60}/({own}|({folder})/{_2}/{_62})"
        yield top, file, f"{top}({above % f'(/({folder})(/{_2})?)?'})?"


_FILES = {top: re.compile(file).fullmatch for top, file, _ in _shapes()}
_FOLDERS = {top: re.compile(folder).fullmatch for top, _, folder in _shapes()}


class Place(NamedTuple):
    """What a path of the tree stands for. `owner` is what it belongs to, if anything: a session or a note, or
    what a tombstone names."""

    kind: EntryKind
    name: str
    owner: str | None = None


def session_folder(session: SessionId) -> Path:
    """Return the folder of one session."""
    return ("sessions", session[:2], session[2:4], session[4:])


def session_path(session: SessionId) -> Path:
    """Return where a session's own record stands."""
    return (*session_folder(session), "session")


def capture_path(session: SessionId, capture: RecordId) -> Path:
    """Return where a capture stands."""
    return (*session_folder(session), "captures", capture[:2], capture[2:])


def segment_path(session: SessionId, segment: SegmentId) -> Path:
    """Return where a segment stands."""
    return (*session_folder(session), "segments", segment[:2], segment[2:])


def session_register_path(session: SessionId, register: RecordId) -> Path:
    """Return where a register of a session stands."""
    return (*session_folder(session), "registers", register[:2], register[2:])


def note_folder(note: RecordId) -> Path:
    """Return the folder of one note."""
    return ("notes", note[:2], note[2:4], note[4:])


def note_path(note: RecordId) -> Path:
    """Return where a note's own record stands."""
    return (*note_folder(note), "note")


def note_register_path(note: RecordId, register: RecordId) -> Path:
    """Return where a register of a note stands."""
    return (*note_folder(note), "registers", register[:2], register[2:])


def checkpoint_path(checkpoint: RecordId) -> Path:
    """Return where a checkpoint stands."""
    return ("checkpoints", checkpoint[:2], checkpoint[2:4], checkpoint[4:])


def tombstone_folder(target: str) -> Path:
    """Return the folder of the tombstones that name a session, a note or a checkpoint."""
    return ("tombstones", target[:2], target[2:4], target[4:])


def tombstone_path(target: str, tombstone: RecordId) -> Path:
    """Return where a tombstone stands."""
    return (*tombstone_folder(target), tombstone)


def buried_paths(target: str) -> tuple[Path, ...]:
    """Return where what a tombstone names may stand: as a session, a note or a checkpoint."""
    return tuple((top, target[:2], target[2:4], target[4:]) for top in _BURIED)


def target_at(path: Path) -> str | None:
    """Return the name by which a tombstone would name what stands at a path; None where none can."""
    return "".join(path[1:4]) if len(path) >= _TARGET_DEPTH and path[0] in _BURIED else None


def place(path: Path) -> Place:
    """Tell what a file's path stands for.

    Raises:
        RecordRefused: gitmem puts nothing there.
    """
    found = _place(path)
    if found is None:
        raise RecordRefused("/".join(path), "gitmem puts nothing there")
    return found


def check_entry(path: Path, entry: Entry) -> Place:
    """Tell what a file stands for, and refuse links, programs and submodules.

    Raises:
        RecordRefused: Its path or its mode is none that gitmem writes.
    """
    if entry.mode != FILE_MODE:
        raise RecordRefused("/".join(path), f"its mode is {entry.mode:o}, not {FILE_MODE:o}")
    return place(path)


def check_folder(path: Path, entry: Entry) -> None:
    """Refuse a folder in which nothing of gitmem's can stand, before it is opened.

    Raises:
        RecordRefused: Its path or its mode is none that gitmem writes.
    """
    if entry.mode != TREE_MODE or not _looks(path, _FOLDERS):
        raise RecordRefused("/".join(path), "gitmem puts no such folder there")


def _place(path: Path) -> Place | None:
    top = path[0]
    if len(path) == 1:
        return Place("root", top) if top in ROOT_NAMES else None
    if not _looks(path, _FILES):
        return None
    owner = "".join(path[1:_TARGET_DEPTH])
    if top in _SINGLE:
        return Place(_SINGLE[top], owner)
    if top == "tombstones":
        return Place("tombstone", path[-1], owner)
    own, kinds = _OWNERS[top]
    *_, folder, fan, name = path
    return Place(own, owner, owner) if name == own else Place(kinds[folder], fan + name, owner)


def _looks(path: Path, shapes: Mapping[str, Callable[[str], object]]) -> bool:
    """Whether a path is of a shape, and no part of it has a slash, as a stranger's name may have."""
    shape, joined = shapes.get(path[0]), "/".join(path)
    return shape is not None and shape(joined) is not None and joined.count("/") == len(path) - 1
