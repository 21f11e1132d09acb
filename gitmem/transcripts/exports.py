"""Exports of chat services: an archive, or the file in it, with all of somebody's conversations in one array.

They reach hundreds of megabytes, so one conversation is held at a time. Those that are asked for in the order
in which they were listed cost one pass in all: an export stays open at the last one until it is looked into
elsewhere.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, NamedTuple

from gitmem.model.errors.intake import UnknownTranscript
from gitmem.transcripts.agent import Identity, Listed, Listing
from gitmem.transcripts.elements import TooLarge, elements

LARGEST_BYTES = 64 << 20
"""Of one conversation. What is larger is refused by name."""

_CHUNK_BYTES = 1 << 20
_ARCHIVE = b"PK\x03\x04"
_MEMBER = re.compile(r"(?:.*/)?conversations(?:-\d+)?\.json\Z")


class Form(NamedTuple):
    """What the exports of one service look like.

    `marks` stand near the beginning of each of its files. `listed` says what a conversation is, None for what
    is none; `lines` writes it out, each line with its end.
    """

    marks: tuple[bytes, ...]
    listed: Callable[[bytes], Listed | None]
    lines: Callable[[bytes], Iterator[bytes]]


class _Going(NamedTuple):
    """An export that is being gone through, as it looked."""

    looks: tuple[Path, int, int, int]
    left: Iterator[bytes | TooLarge]


class Export:
    """The conversations of a service's exports."""

    def __init__(self, form: Form, identity_of: Callable[[str], Identity]) -> None:
        self._form, self._identity_of = form, identity_of
        self._going: _Going | None = None

    def holds(self, path: Path, head: bytes) -> bool:
        """Tell whether a file, or the first that matters in an archive, begins as the service's do."""
        if not head.startswith(_ARCHIVE):
            return self._is_ours(head)
        try:
            with _opened(path) as files:
                return any(self._is_ours(next(_chunks(path, file), b"")) for file in files)
        except UnknownTranscript:
            return False

    def sessions(self, path: Path, since: str | None) -> Listing:
        """List the conversations, each once."""
        found: dict[str, Listed] = {}
        number = 0
        for number, element in enumerate(_conversations(path), 1):
            if isinstance(element, TooLarge):
                name = f"too-large-{number}"
                found[name] = Listed(self._identity_of(name), "", size_bytes=element.size_bytes)
            elif (listed := self._form.listed(element)) is not None:
                found.setdefault(listed.identity.native_id, listed)
        if not found:
            raise UnknownTranscript(str(path), f"none of its {number} entries is a conversation")
        return Listing(tuple(found.values()))

    def rendition(self, path: Path, identity: Identity) -> Iterator[bytes]:
        """Yield the lines of one conversation."""
        status = path.stat()
        looks = (path, status.st_ino, status.st_size, status.st_mtime_ns)
        if self._going is None or self._going.looks != looks:
            self._going = _Going(looks, _conversations(path))
        element = self._find(self._going.left, identity.native_id)
        if element is None:  # it stands before the last one that was asked for, or nowhere
            self._going = _Going(looks, _conversations(path))
            element = self._find(self._going.left, identity.native_id)
        if element is None:
            self._going = None
            why = f"{identity.native_id} is not in it, or has more than {LARGEST_BYTES:,} bytes"
            raise UnknownTranscript(str(path), why)
        return self._form.lines(element)

    def _find(self, left: Iterator[bytes | TooLarge], native_id: str) -> bytes | None:
        for element in left:
            if not isinstance(element, TooLarge):
                listed = self._form.listed(element)
                if listed is not None and listed.identity.native_id == native_id:
                    return element
        return None

    def _is_ours(self, head: bytes) -> bool:
        begins = head.removeprefix(b"\xef\xbb\xbf").lstrip()
        return begins.startswith(b"[") and all(mark in begins for mark in self._form.marks)


def _conversations(path: Path) -> Iterator[bytes | TooLarge]:
    """Yield the objects of all arrays in an export.

    Raises:
        OSError: It cannot be read.
        UnknownTranscript: It is an archive that cannot be, or one without conversations.
    """
    with _opened(path) as files:
        for file in files:
            yield from elements(_chunks(path, file), LARGEST_BYTES)


def _chunks(path: Path, file: IO[bytes]) -> Iterator[bytes]:
    import zipfile  # here, for a search reads no archives and is to start fast

    try:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise UnknownTranscript(str(path), f"the archive is damaged: {error}") from error


@contextmanager
def _opened(path: Path) -> Iterator[list[IO[bytes]]]:
    """Open the files of an export: itself, or those in the archive that have conversations."""
    import zipfile

    with ExitStack() as stack:
        file: IO[bytes] = stack.enter_context(path.open("rb"))
        begins = file.read(len(_ARCHIVE))
        file.seek(0)
        if begins != _ARCHIVE:
            yield [file]
            return
        try:
            archive = stack.enter_context(zipfile.ZipFile(file))
            names = sorted(name for name in archive.namelist() if _MEMBER.match(name))
            files = [stack.enter_context(archive.open(name)) for name in names]
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, zlib.error, EOFError) as error:
            raise UnknownTranscript(str(path), f"the archive cannot be opened: {error}") from error
        yield files
