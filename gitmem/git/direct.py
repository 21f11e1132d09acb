"""Objects and refs straight from git's files, for processes that need few; libgit2 for all the rest.

To load libgit2 takes longer than a push has to do with it. So reads are done by hand, as long as that has
cost less than loading it would, and whatever is not found, or not as expected, is left to libgit2: nothing
is said to be missing or damaged here. Each object is hashed as it is read. Refs are moved by git itself as
long as nothing else has loaded libgit2.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from gitmem import disk
from gitmem.git.loose import PLAIN_REF, read_loose
from gitmem.git.packreading import OpenPack, PackUnread
from gitmem.git.plumbing import move_ref_by_git
from gitmem.git.process import Git
from gitmem.git.repository import Repository
from gitmem.model.errors.store import ObjectDamaged, ObjectMissing, RefMoved
from gitmem.model.ids import Oid
from gitmem.model.refs import PRIVATE_NAMESPACE
from gitmem.objects.encoding import ObjectKind, object_id

if TYPE_CHECKING:
    from gitmem.git.libgit import LibgitBackend

_MOST_STEPS: Final = 30_000
"""Of which one takes some µs: more than these, and libgit2 is worth the 50 ms that it takes to load."""
_STEPS_OF_DELTA: Final = 20
_MOST_PACKS: Final = 128
_MOST_LOOKS: Final = 5
_NAME_DIGITS: Final = 40


class DirectBackend:
    """One repository with SHA-1 names and refs in files. Not for use by several threads at once."""

    def __init__(self, repository: Repository, git: Git) -> None:
        self._repository, self._git = repository, git
        self._common_dir = repository.common_dir
        self._objects = f"{self._common_dir}/objects/"
        self._library: LibgitBackend | None = None
        self._steps = 0
        self._packs: dict[str, OpenPack] | None = None
        self._packed_refs: tuple[tuple[int, int, int], bytes] | None = None

    def read(self, oid: Oid) -> tuple[ObjectKind, bytes]:
        """Return an object, whose hash is checked."""
        if self._library is not None:
            return self._library.read(oid)
        if self._steps < _MOST_STEPS:
            found = self._read_by_hand(oid)
            if found is not None:
                return found
        return self._loaded().read(oid)

    def contains(self, oid: Oid) -> bool:
        """Whether the object is here."""
        if self._library is None:
            if Path(self._objects, oid[:2], oid[2:]).exists():
                return True
            with suppress(PackUnread, OSError):
                if self._find(bytes.fromhex(oid)) is not None:
                    return True
        return self._loaded().contains(oid)

    def read_ref(self, ref: str) -> Oid | None:
        """Return what a ref points at."""
        if self._library is None:
            with suppress(_NotPlain):
                return self._read_plain(ref)
        return self._loaded().read_ref(ref)

    def list_refs(self, prefix: str) -> dict[str, Oid]:
        """Return every ref below a prefix, and the ref of that very name."""
        if self._library is None:
            with suppress(_NotPlain):
                found = {name: self._read_plain(name) for name in sorted(self._names(prefix))}
                return {name: oid for name, oid in found.items() if oid is not None}
        return self._loaded().list_refs(prefix)

    def move_ref(self, ref: str, new: Oid, expected: Oid | None, reason: str) -> None:
        """Point a ref at `new` if it still points at `expected`; one of gitmem's own, without a log, by hand.

        Raises:
            BlockingIOError: Another process holds the ref's lock; try again.
        """
        if self._library is not None:
            self._library.move_ref(ref, new, expected, reason)
            return
        with suppress(_NotPlain):
            self._move_plain(ref, new, expected)
            return
        disk.announce("move ref", self._common_dir / ref)
        move_ref_by_git(self._git, self._common_dir, self.read_ref, ref, new, expected, reason)

    def forget_packs(self) -> None:
        """Let go of packs that are gone."""
        self._close_packs()
        if self._library is not None:
            self._library.forget_packs()

    def close(self) -> None:
        """Let go of the repository's open files."""
        self._close_packs()
        if self._library is not None:
            self._library.close()

    def _loaded(self) -> LibgitBackend:
        if self._library is None:
            from gitmem.git.libgit import LibgitBackend

            self._close_packs()
            self._library = LibgitBackend(self._common_dir)
        return self._library

    def _close_packs(self) -> None:
        for pack in (self._packs or {}).values():
            pack.close()
        self._packs = None

    def _read_by_hand(self, oid: Oid) -> tuple[ObjectKind, bytes] | None:
        # Nearly always in a pack that is open already: to ask for a file first would cost as much again.
        name = bytes.fromhex(oid)
        try:
            at = self._find_in(self._packs, name) if self._packs else None
        except (PackUnread, OSError):
            at = None
        if at is not None and (found := self._read_at(at, oid)) is not None:
            return found
        loose = read_loose(self._objects, oid)
        if loose is not None:
            return loose
        with suppress(PackUnread, OSError):
            at = self._find(name)
            return self._read_at(at, oid) if at is not None else None
        return None

    def _read_at(self, at: tuple[OpenPack, int], oid: Oid) -> tuple[ObjectKind, bytes] | None:
        """Read what stands at a place in a pack; None where it is not read by hand, or is another object."""
        pack, offset = at
        deltas = pack.deltas
        try:
            kind, data = pack.read(offset, self.read)
        except (PackUnread, OSError, ObjectDamaged, ObjectMissing):
            return None
        self._steps += _STEPS_OF_DELTA * (pack.deltas - deltas)
        return (kind, data) if object_id(kind, data, "sha1") == oid else None

    def _find(self, name: bytes) -> tuple[OpenPack, int] | None:
        """Return which pack has an object, and where.

        Packs may be written together meanwhile: the new one is there before the old ones go. So it takes a
        second look to say that something is nowhere, and more where a pack went away while they were listed.
        """
        found, is_whole = self._find_in(self._packs or {}, name), True
        for looks in range(_MOST_LOOKS):
            if found is not None or (looks >= 2 and is_whole):
                break
            opened, is_whole = self._list_packs()
            found = self._find_in(opened, name)
        return found

    def _find_in(self, packs: Mapping[str, OpenPack], name: bytes) -> tuple[OpenPack, int] | None:
        for tried, (path, pack) in enumerate(packs.items(), 1):
            at = pack.find(name)
            if at is not None:
                self._steps += tried
                if tried > 1 and self._packs is not None:
                    self._packs = {path: pack, **self._packs}  # it will have the next one, too
                return pack, at
        self._steps += len(packs)
        return None

    def _list_packs(self) -> tuple[dict[str, OpenPack], bool]:
        """Open the packs that are not open yet, and tell whether none went away meanwhile.

        None is closed: what is gone can still be read.

        Raises:
            PackUnread: There are many, or objects stand elsewhere, too.
        """
        known, folder = self._packs or {}, Path(self._objects) / "pack"
        with os.scandir(folder) as listing:
            names = [entry.name for entry in listing if entry.name.endswith(".idx")]
        if len(names) + len(known) > _MOST_PACKS or Path(self._objects, "info/alternates").exists():
            raise PackUnread
        opened, is_whole = dict[str, OpenPack](), True
        for name in names:
            if name in known:
                continue
            try:
                opened[name] = OpenPack(folder / name)
            except FileNotFoundError:
                is_whole = False
        self._packs = {**opened, **known}
        return opened, is_whole

    def _read_plain(self, ref: str) -> Oid | None:
        """Read a ref as git does: its own file, and then the one of all that are packed."""
        try:
            with (self._common_dir / ref).open("rb") as file:
                content = file.read(_NAME_DIGITS + 2)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return self._read_packed_ref(ref)
        except OSError:
            raise _NotPlain from None
        match = PLAIN_REF.fullmatch(content)
        if match is None:
            raise _NotPlain
        return Oid(match[1].decode())

    def _move_plain(self, ref: str, new: Oid, expected: Oid | None) -> None:
        """Move a ref of gitmem's own without git, which would only write its file: no log is kept of it."""
        config, path = self._repository.config, self._common_dir / ref
        logs = config.get("core.logallrefupdates", ("",))[-1].lower() == "always"
        if not ref.startswith(PRIVATE_NAMESPACE) or logs or "core.sharedrepository" in config:
            raise _NotPlain
        if (self._common_dir / "logs" / ref).exists() or path.is_symlink() or path.is_dir():
            raise _NotPlain
        packed = self._packed()
        above = [str(folder) for folder in PurePosixPath(ref).parents]
        if b" %s/" % os.fsencode(ref) in packed or any(self._is_ref(name, packed) for name in above):
            raise _NotPlain  # git says what stands in the way
        found: list[Oid | None] = []

        def is_expected() -> bool:
            found.append(self._read_plain(ref))
            return found[0] == expected

        disk.make_folder(path.parent)
        try:
            if not disk.replace_locked(path, f"{new}\n".encode(), is_expected):
                raise RefMoved(ref, expected, found[0])
        except (FileNotFoundError, NotADirectoryError):
            raise _NotPlain from None  # git takes away folders that are empty

    def _is_ref(self, name: str, packed: bytes) -> bool:
        return b" %s\n" % os.fsencode(name) in packed or (self._common_dir / name).is_file()

    def _read_packed_ref(self, ref: str) -> Oid | None:
        content = self._packed()
        at = content.find(b" %s\n" % os.fsencode(ref))
        if at < 0:
            return None
        start = at - _NAME_DIGITS
        if start < 0 or (start and content[start - 1 : start] != b"\n"):
            raise _NotPlain
        return Oid(content[start:at].decode())

    def _packed(self) -> bytes:
        """Return the file of packed refs, read again whenever it is another one."""
        path = self._common_dir / "packed-refs"
        try:
            with path.open("rb") as file:
                status = os.fstat(file.fileno())
                stamp = status.st_mtime_ns, status.st_size, status.st_ino
                if self._packed_refs is None or self._packed_refs[0] != stamp:
                    self._packed_refs = stamp, file.read()
        except FileNotFoundError:
            return b""
        except OSError:
            raise _NotPlain from None
        return self._packed_refs[1]

    def _names(self, prefix: str) -> set[str]:
        own = prefix.removesuffix("/")
        top = os.fsencode(self._common_dir) + b"/"
        found = {own}
        for folder, _, files in os.walk(top + os.fsencode(own)):
            below = os.fsdecode(folder[len(top) :])
            found.update(f"{below}/{os.fsdecode(name)}" for name in files if not name.endswith(b".lock"))
        for line in self._packed().split(b"\n"):
            name = os.fsdecode(line[_NAME_DIGITS + 1 :])
            if name.startswith(prefix) and not line.startswith((b"#", b"^")):
                found.add(name)
        return found


class _NotPlain(Exception):
    """A ref is symbolic, damaged, or not as expected."""
