"""Where everything stands in the memory's tree: the only module that spells its paths.

Reading refuses any other path, so that what a stranger pushed is never followed, written or shown.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple, get_args

from gitmem.model.errors import RecordRefused
from gitmem.model.ids import RecordId, SegmentId, SessionId
from gitmem.objects.encoding import FILE_MODE, TREE_MODE, Entry
from gitmem.objects.trees import Path

RootName = Literal["FORMAT", "README.md", "vercel.json", "netlify.toml"]
ROOT_NAMES: tuple[RootName, ...] = get_args(RootName)

EntryKind = Literal["root", "session", "capture", "segment", "register", "note", "checkpoint", "tombstone"]

_HEX2 = re.compile(r"[0-9a-f]{2}\Z")
_HEX60 = re.compile(r"[0-9a-f]{60}\Z")
_HEX62 = re.compile(r"[0-9a-f]{62}\Z")
_HEX64 = re.compile(r"[0-9a-f]{64}\Z")
_SINGLE: dict[str, EntryKind] = {"checkpoints": "checkpoint"}
_BURIED = ("sessions", "notes", "checkpoints")
"""Where what a tombstone names may have stood."""
_TARGET_DEPTH = 4
_OWNERS: dict[str, tuple[EntryKind, dict[str, EntryKind]]] = {
    "sessions": ("session", {"captures": "capture", "segments": "segment", "registers": "register"}),
    "notes": ("note", {"registers": "register"}),
}


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
    if entry.mode != TREE_MODE or not _may_hold(path):
        raise RecordRefused("/".join(path), "gitmem puts no such folder there")


def _place(path: Path) -> Place | None:
    match path:
        case (name,) if name in ROOT_NAMES:
            return Place("root", name)
        case (top, a, b, rest) if top in _SINGLE and _HEX2.match(a) and _HEX2.match(b) and _HEX60.match(rest):
            return Place(_SINGLE[top], a + b + rest)
        case ("tombstones", a, b, rest, name) if (
            _HEX2.match(a) and _HEX2.match(b) and _HEX60.match(rest) and _HEX64.match(name)
        ):
            return Place("tombstone", name, a + b + rest)
        case (top, a, b, rest, *below) if (
            top in _OWNERS and _HEX2.match(a) and _HEX2.match(b) and _HEX60.match(rest)
        ):
            own, kinds = _OWNERS[top]
            owner = a + b + rest
            match below:
                case [name] if name == own:
                    return Place(own, owner, owner)
                case [folder, fan, name] if folder in kinds and _HEX2.match(fan) and _HEX62.match(name):
                    return Place(kinds[folder], fan + name, owner)
    return None


def _may_hold(path: Path) -> bool:
    top, *below = path
    if len(below) > 5 or not (top in _SINGLE or top in _OWNERS or top == "tombstones"):
        return False
    deepest = 5 if top in _OWNERS else 3 if top == "tombstones" else 2
    checks = [_HEX2, _HEX2, _HEX60, None, _HEX2][:deepest]
    if len(below) > len(checks):
        return False
    for part, pattern in zip(below, checks, strict=False):
        if pattern is None:
            if part not in _OWNERS[top][1]:
                return False
        elif not pattern.match(part):
            return False
    return True
