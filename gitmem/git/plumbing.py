"""Objects and refs through git's own plumbing: for every repository that a library refuses.

SHA-256, reftable, partial clones and whatever comes next: git reads them, and fetches what a partial clone
was promised. One `cat-file --batch` is kept running for reads.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gitmem import disk
from gitmem.git.process import Git, GitProcess
from gitmem.git.repository import Repository
from gitmem.model.errors.repositories import GitFailed
from gitmem.model.errors.store import ObjectDamaged, ObjectMissing, RefDamaged, RefMoved
from gitmem.model.ids import Oid
from gitmem.objects.encoding import ObjectKind

_KINDS: dict[bytes, ObjectKind] = {b"commit": "commit", b"tree": "tree", b"blob": "blob", b"tag": "tag"}


class PlumbingBackend:
    """One repository, through processes. Not for use by several threads at once."""

    def __init__(self, repository: Repository, git: Git) -> None:
        self._repository = repository
        self._git = git
        self._reader: GitProcess | None = None

    def read(self, oid: Oid) -> tuple[ObjectKind, bytes]:
        """Return an object."""
        found = self._ask(b"contents", oid)
        if found is None:
            raise ObjectMissing(oid)
        kind, size = found
        reader = self._running()
        data = reader.stdout.read(size)
        if len(data) != size or reader.stdout.read(1) != b"\n":
            raise self._stopped(oid, reader)
        return kind, data

    def contains(self, oid: Oid) -> bool:
        """Whether the object is here, or can be had from whoever promised it."""
        return self._ask(b"info", oid) is not None

    def read_ref(self, ref: str) -> Oid | None:
        """Return what a ref points at."""
        # `rev-parse` would go on to look for a tag or branch of that name.
        answer = self._git.run(
            ["for-each-ref", "--format=%(refname) %(objectname)", ref],
            doing=f"read {ref}",
            git_dir=self._repository.common_dir,
        )
        for line in answer.text.splitlines():
            name, _, oid = line.rpartition(" ")
            if name == ref:
                return Oid(oid)
        if f"ignoring broken ref {ref}\n" in answer.stderr + "\n":
            raise RefDamaged(ref, "git says that it is broken")
        return None

    def list_refs(self, prefix: str) -> dict[str, Oid]:
        """Return every ref below a prefix, and the ref of that very name."""
        answer = self._run(
            ["for-each-ref", "--format=%(refname) %(objectname)", prefix.removesuffix("/")], "list refs", (0,)
        )
        rows = [line.rpartition(" ") for line in answer.splitlines()]
        return {name: Oid(oid) for name, _, oid in sorted(rows)}

    def move_ref(self, ref: str, new: Oid, expected: Oid | None, reason: str) -> None:
        """Point a ref at `new` if it still points at `expected`.

        Raises:
            BlockingIOError: Another process holds the ref's lock; try again.
        """
        disk.announce("move ref", self._repository.common_dir / ref)
        move_ref_by_git(
            self._git,
            self._repository.common_dir,
            self.read_ref,
            ref,
            new,
            expected,
            reason,
            "--create-reflog",
        )

    def forget_packs(self) -> None:
        """Let go of packs that are gone, which the process that reads keeps open; the next one does not."""
        self.close()

    def close(self) -> None:
        """End the process that reads."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _ask(self, question: bytes, oid: Oid) -> tuple[ObjectKind, int] | None:
        reader = self._running()
        reader.stdin.write(b"%s %s\n" % (question, oid.encode()))
        reader.stdin.flush()
        words = reader.stdout.readline().split()
        if not words:
            raise self._stopped(oid, reader)
        if len(words) != 3 or words[1] not in _KINDS:
            return None
        return _KINDS[words[1]], int(words[2])

    def _running(self) -> GitProcess:
        if self._reader is None:
            self._reader = self._git.start(
                ["cat-file", "--batch-command"],
                doing="read objects",
                git_dir=self._repository.common_dir,
                accept=range(-255, 256),
                # A partial clone's git fetches what is missing, with the user's own credentials.
                as_user=self._repository.is_partial,
                # What stays with a remote on purpose is not fetched blob by blob.
                config=self._without_promises(),
            )
        return self._reader

    def _without_promises(self) -> dict[str, str]:
        repository = self._repository
        if repository.is_partial or not repository.is_lean:
            return {}
        return {name: "false" for name in repository.config if name.endswith(".promisor")}

    def _stopped(self, oid: Oid, reader: GitProcess) -> ObjectDamaged | ObjectMissing:
        """git ends its batch at an object that it cannot decode, or that nobody will give it."""
        said = reader.failure().stderr
        self._reader = None
        return ObjectMissing(oid) if self._repository.is_partial else ObjectDamaged(oid, said)

    def _run(self, args: list[str], doing: str, accept: tuple[int, ...]) -> str:
        return self._git.run(args, doing=doing, git_dir=self._repository.common_dir, accept=accept).text


def move_ref_by_git(
    git: Git,
    common_dir: Path,
    read_ref: Callable[[str], Oid | None],
    ref: str,
    new: Oid,
    expected: Oid | None,
    reason: str,
    *options: str,
) -> None:
    """Point a ref at `new` if it still points at `expected`, by a run of git; no hook takes part.

    Raises:
        RefMoved: It points elsewhere.
        BlockingIOError: Another process holds the ref's lock; try again.
    """
    nothing = "0" * len(new)
    command = ["update-ref", *options, "-m", reason, "--end-of-options", ref, new, expected or nothing]
    try:
        git.run(command, doing=f"move {ref}", git_dir=common_dir)
    except GitFailed as error:
        found = read_ref(ref)
        if found != expected:
            raise RefMoved(ref, expected, found) from None
        if ".lock" in error.stderr:
            raise BlockingIOError(error.stderr) from None
        raise
