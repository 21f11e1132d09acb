"""The storage contract in a git repository.

Objects go in as kept packs, whichever backend reads them back. Refs move by compare-and-swap.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from gitmem import disk
from gitmem.git.consolidate import consolidate, sweep
from gitmem.git.packs import PackWriter
from gitmem.git.process import Git
from gitmem.git.repository import Repository
from gitmem.model.errors.store import RefLocked, StoreBusy
from gitmem.model.ids import Oid
from gitmem.objects.encoding import HashName, ObjectKind

_LOCK_WAIT_S = 30.0
_REF_WAIT_S = 5.0


class Backend(Protocol):
    """What differs between the ways to reach a repository's objects and refs."""

    def read(self, oid: Oid) -> tuple[ObjectKind, bytes]: ...
    def contains(self, oid: Oid) -> bool: ...
    def read_ref(self, ref: str) -> Oid | None: ...
    def list_refs(self, prefix: str) -> dict[str, Oid]: ...
    def move_ref(self, ref: str, new: Oid, expected: Oid | None, reason: str) -> None: ...
    def forget_packs(self) -> None: ...
    def close(self) -> None: ...


class GitStorage:
    """Objects and refs of one git repository."""

    def __init__(self, repository: Repository, backend: Backend) -> None:
        self.repository = repository
        self.hash_name: HashName = repository.hash_name
        self._backend = backend
        self._packs = repository.common_dir / "objects" / "pack"
        self._turn = threading.RLock()
        self._is_locked = False
        self.read: Callable[[Oid], tuple[ObjectKind, bytes]] = backend.read
        self.contains: Callable[[Oid], bool] = backend.contains
        self.read_ref: Callable[[str], Oid | None] = backend.read_ref
        self.list_refs: Callable[[str], dict[str, Oid]] = backend.list_refs
        self.forget_packs: Callable[[], None] = backend.forget_packs

    @contextmanager
    def begin(self) -> Iterator[_PackBatch]:
        """Start a batch: one new pack."""
        with PackWriter(self._packs, self.hash_name) as writer:
            yield _PackBatch(writer)

    def move_ref(self, ref: str, new: Oid, expected: Oid | None, reason: str) -> None:
        """Point a ref at `new` if it still points at `expected`."""
        deadline = time.monotonic() + _REF_WAIT_S
        while True:
            try:
                return self._backend.move_ref(ref, new, expected, reason)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise RefLocked(ref, str(self.repository.common_dir / f"{ref}.lock")) from None
                import random  # few ever have to wait

                time.sleep(random.uniform(0.005, 0.05))  # noqa: S311 (jitter, not a secret)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the repository's one lock for writing; a thread that holds it may take it again."""
        path = self.repository.state_dir / "lock"
        if not self._turn.acquire(timeout=_LOCK_WAIT_S):
            raise StoreBusy(str(path), _LOCK_WAIT_S)
        try:
            if self._is_locked:
                yield  # the file's lock knows nothing of threads: it would make us wait for ourselves
                return
            with disk.locked(path, _LOCK_WAIT_S):
                self._is_locked = True
                try:
                    yield
                finally:
                    self._is_locked = False
        finally:
            self._turn.release()

    def tidy(self) -> None:
        """Write many small packs together into one, and sweep up after processes that died."""
        sweep(self._packs)
        if consolidate(self, self._packs):
            self._backend.forget_packs()

    def close(self) -> None:
        """End what reading started; the storage is not used again."""
        self._backend.close()


class _PackBatch:
    def __init__(self, writer: PackWriter) -> None:
        self.add = writer.add
        self._writer = writer

    def publish(self) -> None:
        self._writer.publish()


def open_storage(repository: Repository, git: Git) -> GitStorage:
    """Open a repository by the fastest way that it allows.

    Raises:
        ForeignOwner: It belongs to another user.
    """
    if repository.hash_name == "sha1" and repository.ref_format == "files" and not repository.is_partial:
        from gitmem.git.direct import DirectBackend

        return GitStorage(repository, DirectBackend(repository, git))
    from gitmem.git.plumbing import PlumbingBackend

    return GitStorage(repository, PlumbingBackend(repository, git))


def pack_folder(repository: Repository) -> Path:
    """Return where a repository keeps its packs."""
    return repository.common_dir / "objects" / "pack"
