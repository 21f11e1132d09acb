"""Looking at a transcript file, before anything of it is taken in."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

from gitmem.model.errors.base import GitmemError
from gitmem.model.errors.intake import UnknownTranscript
from gitmem.model.records import MAX_NATIVE_ID, MAX_STREAM
from gitmem.redaction.redactor import Redactor
from gitmem.transcripts.detect import Identity, detect
from gitmem.verbs.intake import Source
from gitmem.verbs.sources import Position

_DOCUMENT_HEAD_BYTES = 16 << 10
_READ_BYTES = 64 << 10


class Looked(NamedTuple):
    """A file that has been looked at.

    `path` is what it is known by, `text` where its bytes are: of a rendition they differ. `status` is how it
    stood before anything of it was read, `stop` up to which byte it is to be captured.
    """

    path: Path
    text: Path
    identity: Identity
    file: BinaryIO
    status: os.stat_result
    stop: int
    position: Position | None


def open_regular(path: Path) -> BinaryIO:
    """Open a file that can be read again and again; a pipe would keep us waiting for whoever writes to it.

    Raises:
        OSError: It cannot be opened, or is no regular file.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "it is no regular file")
    return os.fdopen(handle, "rb")


def identify(head: bytes, source: Source, redactor: Redactor) -> Identity:
    """Detect whose a file is, as `named` names it.

    A document says whose it is in its first lines, and the rest of its head would take long.
    """
    try:
        found = detect(head[:_DOCUMENT_HEAD_BYTES], source.path, source.agent)
    except UnknownTranscript:
        found = None
    if found is None or found.shape != "document" or found.cwd is None:
        found = detect(head, source.path, source.agent)
    return named(found, source.path, redactor)


def named(found: Identity, path: Path, redactor: Redactor) -> Identity:
    """Take secrets and what is no text out of the names that a session goes by.

    Raises:
        UnknownTranscript: They are too long.
        RedactionFailed: They cannot be redacted.
    """
    for what, name, most in (("id", found.native_id, MAX_NATIVE_ID), ("stream", found.stream, MAX_STREAM)):
        if len(name) > most // 2:  # a placeholder is longer than the shortest secret
            why = f"its session's {what} has {len(name):,} characters, more than {most // 2:,}"
            raise UnknownTranscript(str(path), why)
    return msgspec.structs.replace(
        found,
        native_id=redactor.text(_as_text(found.native_id)),
        stream=redactor.text(_as_text(found.stream)),
    )


def as_refusal(path: Path, error: GitmemError | OSError) -> GitmemError:
    """Return why a file is not taken in, as an error of gitmem's own."""
    if isinstance(error, GitmemError):
        return error
    return UnknownTranscript(str(path), error.strerror or str(error))


def last_line_end(file: BinaryIO) -> int:
    """Return where the last whole line of a file ends."""
    at = file.seek(0, 2)
    while at:
        start = max(0, at - _READ_BYTES)
        file.seek(start)
        newline = file.read(at - start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        at = start
    return 0


def _as_text(name: str) -> str:
    """Return a name with what UTF-8 cannot say, such as bytes of a file's name, written as escapes."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")
