"""Putting a session's streams where an agent looks for them: each whole, and none over what stands there.

The main stream comes last, for with it the agent sees the session. Whoever is interrupted leaves some of the
others, which the next one finds to be the same and keeps. Files are written below gitmem's own folder and
renamed into place, so that no half of one is ever in the agent's; only where that is another disk, they are
written beside.
"""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from gitmem import disk
from gitmem.format.lines import lines_of
from gitmem.format.records import key_digest
from gitmem.handing_over.pictures import with_pictures
from gitmem.handing_over.steps import Lost
from gitmem.handing_over.target import file_continues
from gitmem.model.errors.handing_over import TranscriptInTheWay
from gitmem.model.errors.store import DiskRefused, StoreBusy
from gitmem.model.ids import SessionKey
from gitmem.redaction.placeholders import placeholder_spans
from gitmem.transcripts.fields import child, children, mapping, string
from gitmem.transcripts.handed import origin_of

FOLDER: Final = "handed-over"
"""Below a clone's local state: what is being written, and documents that wait to be imported."""


class Stream(NamedTuple):
    """A stream as it is to be: its name, its file, and its text, which counts what it leaves out.

    `closing` is a line that is written behind it, and that no two have alike.
    """

    name: str
    path: Path
    pieces: Callable[[Lost], Iterable[bytes]]
    closing: bytes = b""


class Told(NamedTuple):
    """What was lost on the way, and which secrets were placeholders already, by kind."""

    lost: Lost
    placeholders: Counter[str]


def place(streams: Sequence[Stream], state_dir: Path, session: str) -> Told:
    """Write streams, the main one, which is the first, last; whoever calls holds the lock of `state_dir`.

    Raises:
        TranscriptInTheWay: Something else stands where one is to be, or came there meanwhile.
        DiskRefused: The disk does not let it.
    """
    told = Told(Counter(), Counter())
    missing = [stream for stream in reversed(streams) if not _stands(stream, session, told)]
    for stream in missing:
        disk.make_private_folder(stream.path.parent)
        _write(stream, state_dir / FOLDER, session, told)
    return told


def foretell(streams: Sequence[Stream], session: str) -> Told:
    """Tell what `place` would, and raise as it does, without writing anything."""
    told = Told(Counter(), Counter())
    for stream in streams:
        if not _stands(stream, session, told):
            for line in lines_of(stream.pieces(told.lost)):
                _as_written(line, told)
    return told


def replace(stream: Stream) -> Told:
    """Write a document of gitmem's own, which waits to be imported, over the one before.

    Raises:
        DiskRefused: The disk does not let it.
    """
    told = Told(Counter(), Counter())
    disk.make_private_folder(stream.path.parent)
    with disk.NewFile(stream.path.parent) as new:
        _fill(new, stream, told)
        new.publish(stream.path, mode=0o600)
    return told


def tidy(state_dir: Path) -> None:
    """Remove what one who was killed has left unfinished; whoever calls holds the lock of `state_dir`."""
    for path in (state_dir / FOLDER).glob(f"{disk.UNPUBLISHED}*"):
        disk.remove_file(path)


def forget(state_dir: Path, gone: Collection[str]) -> int:
    """Remove documents of sessions that are gone, and what one who was killed has left.

    A document that does not say whose it is goes too.

    Returns:
        How many there were.

    Raises:
        DiskRefused: The disk does not let it.
    """
    folder = state_dir / FOLDER
    if not folder.is_dir():
        return 0
    found = [path for path in sorted(folder.glob("*.json")) if _is_of(path, gone)]
    with suppress(StoreBusy), disk.locked(folder / "lock", 0):  # whoever is at it removes its own
        found += sorted(folder.glob(f"{disk.UNPUBLISHED}*"))
    for path in found:
        disk.remove_file(path)
    return len(found)


def _is_of(path: Path, gone: Collection[str]) -> bool:
    try:
        document = mapping(msgspec.json.decode(path.read_bytes()))
    except FileNotFoundError:
        return False
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return True
    own = string(child(document, "info"), "id")
    named = {name for message in children(document, "messages") if (name := origin_of(message))}
    parted = (name.partition("/") for name in named or {f"opencode/{own}"})
    begun = tuple(key_digest(SessionKey(agent, native_id)) for agent, _, native_id in parted)
    return any(session.startswith(begun) for session in gone)


def _stands(stream: Stream, session: str, told: Told) -> bool:
    if not (stream.path.exists() or stream.path.is_symlink()):
        return False
    lost: Lost = Counter()
    if not file_continues(stream.path, "", stream.pieces(lost)):
        raise TranscriptInTheWay(str(stream.path), session)
    told.lost.update(lost)
    return True


def _write(stream: Stream, folder: Path, session: str, told: Told) -> None:
    disk.make_private_folder(folder)
    for beside in (folder, stream.path.parent):
        counted = Told(Counter(), Counter())
        try:
            with disk.NewFile(beside) as new:
                _fill(new, stream, counted)
                new.publish(stream.path, mode=0o600, is_first=True)
        except FileExistsError:
            raise TranscriptInTheWay(str(stream.path), session) from None
        except DiskRefused as error:
            if beside != folder or getattr(error.__cause__, "errno", None) != errno.EXDEV:
                raise
            continue  # it is another disk
        told.lost.update(counted.lost)
        told.placeholders.update(counted.placeholders)
        return


def _fill(new: disk.NewFile, stream: Stream, told: Told) -> None:
    last = b""
    for line in lines_of(stream.pieces(told.lost)):
        last = _as_written(line, told)
        new.write(last)
    if not last.endswith(b"\n"):
        new.write(b"\n")  # what the agent appends begins on a line of its own
    new.write(stream.closing)


def _as_written(line: bytes, told: Told) -> bytes:
    line = with_pictures(line, told.lost)
    for start, stop in placeholder_spans(line):
        told.placeholders[line[start:stop].split(b":")[1].decode()] += 1
    return line
