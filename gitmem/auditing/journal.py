"""A device's own chain on the disk, as far as it has not been published. Under the audit's lock.

`log` has the entries, a line each; `published` says up to which one they stand on the device's ref.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from gitmem import disk
from gitmem.auditing.entries import BEGINNING, MAX_LINE_BYTES, Deed, Head, chain, decode, name_of
from gitmem.model.errors.store import AuditRefused

_PREPARED: Final = "log.new"
_PUBLISHED: Final = re.compile(r"([0-9]{1,15}) ([0-9a-f]{64})\n")


class Repair(NamedTuple):
    """What had to be put aside: bytes of an entry that a kill cut short, or a log that nobody can read."""

    torn_bytes: int
    is_unreadable: bool


class Journal:
    """The log of one device in one clone."""

    def __init__(self, audit_dir: Path, device: str) -> None:
        self.device = device
        self.folder = audit_dir / device
        self.path = self.folder / "log"

    def published(self) -> Head:
        """Return the last entry that is known to stand on the ref."""
        try:
            text = (self.folder / "published").read_text("ascii")
        except (FileNotFoundError, UnicodeDecodeError):
            return BEGINNING
        found = _PUBLISHED.fullmatch(text)
        # A file that nobody can read counts as none: publishing finds on the ref what it said.
        return Head(int(found[1]), found[2]) if found else BEGINNING

    def head(self) -> Head:
        """Return the entry that the next one follows.

        Raises:
            AuditRefused: The last line is no entry.
            DiskRefused: The log cannot be read.
        """
        published = self.published()
        last = self._tail().rstrip(b"\n").rpartition(b"\n")[2]
        if not last:
            return published
        found = Head(decode(last, str(self.path)).number, name_of(last))
        return max(found, published, key=lambda head: head.number)

    def lines(self) -> list[bytes]:
        """Return the lines that are whole.

        Raises:
            DiskRefused: The log cannot be read.
        """
        if not self.path.exists():
            return []
        with disk.refusing("read", self.path):
            return self.path.read_bytes().split(b"\n")[:-1]

    def repair(self) -> Repair | None:
        """Put aside what is no entry at the log's end, and say what it was; it is kept in the folder.

        Raises:
            DiskRefused: The disk does not let it.
        """
        self.begin()
        tail = self._tail()
        torn = tail.rpartition(b"\n")[2]
        if torn:
            disk.append(self.folder / "torn", torn + b"\n", mode=0o600)
            disk.shorten(self.path, self.path.stat().st_size - len(torn))
        try:
            self.head()
        except AuditRefused:
            self.set_aside("unreadable")
            return Repair(len(torn), is_unreadable=True)
        return Repair(len(torn), is_unreadable=False) if torn else None

    def append(self, deeds: list[Deed], actor: str, *, durable: bool) -> None:
        """Put deeds behind the chain's end, by one write.

        Raises:
            AuditRefused: The last line is no entry.
            DiskRefused: The disk is full or does not let it.
        """
        lines, _ = chain(deeds, self.head(), self.device, actor)
        if lines:
            disk.make_private_folder(self.folder)
            disk.append(self.path, _joined(lines), durable=durable, mode=0o600)

    def count_at_end(self, deeds: Sequence[Deed]) -> int:
        """Return how many of some deeds, the first ones, are the last of the log already."""
        lines = self.lines()[-len(deeds) :] if deeds else []
        have = [decode(line, str(self.path)).deed for line in lines]
        for count in range(len(have), 0, -1):
            if have[-count:] == list(deeds[:count]):
                return count
        return 0

    def replace(self, lines: Sequence[bytes]) -> None:
        """Have other lines in the log, by a rename; none, by cutting it off where it begins.

        Raises:
            DiskRefused: The disk is full or does not let it; the old log stands.
        """
        if lines:
            disk.replace_file(self.path, _joined(lines), mode=0o600)
        else:
            disk.shorten(self.path, 0)

    def prepare(self, lines: Sequence[bytes]) -> None:
        """Have lines ready for a log that nobody writes yet; `begin` makes them its own.

        Raises:
            DiskRefused: The disk is full or does not let it.
        """
        disk.replace_file(self.folder / _PREPARED, _joined(lines), mode=0o600)

    def begin(self) -> None:
        """Begin the log with what was prepared for it, if anything was.

        Raises:
            DiskRefused: The disk does not let it.
        """
        if (self.folder / _PREPARED).exists():
            disk.rename_file(self.folder / _PREPARED, self.path)

    def set_aside(self, why: str) -> None:
        """Keep the log under another name, and go on without it.

        Raises:
            DiskRefused: The disk does not let it.
        """
        number = sum(1 for _ in self.folder.glob(f"{why}-*")) + 1
        disk.rename_file(self.path, self.folder / f"{why}-{number}")

    def note_published(self, head: Head) -> None:
        """Remember the last entry that stands on the ref.

        Raises:
            DiskRefused: The disk is full or does not let it.
        """
        disk.replace_file(self.folder / "published", f"{head.number} {head.name}\n".encode(), mode=0o600)

    def _tail(self) -> bytes:
        """Return the end of the log, with at least one whole entry."""
        if not self.path.exists():
            return b""
        with disk.refusing("read", self.path), self.path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - 2 * MAX_LINE_BYTES))
            return file.read()


def _joined(lines: Sequence[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)
