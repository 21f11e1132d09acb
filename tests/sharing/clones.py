"""Real clones of a real bare hub, and what tests do with them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from gitmem.forgetting.forget import Erasing, erase
from gitmem.format.memory import Memory, open_memory
from gitmem.git.process import Git
from gitmem.git.repository import Repository, discover
from gitmem.git.settings import load
from gitmem.git.storage import GitStorage, open_storage
from gitmem.model.ids import Oid, SessionId
from gitmem.model.records import Author
from gitmem.model.refs import DEFAULT_MEMORY_REF
from gitmem.objects.encoding import Commit, Signature, encode_commit
from gitmem.objects.storage import add_all
from gitmem.sharing import pulling as sharing
from gitmem.sharing import pushing
from gitmem.sharing.pulling import Pulled, Sharing
from gitmem.sharing.pushing import Pushed
from gitmem.verbs.committing import Writer
from tests.conftest import RealGit
from tests.sharing.samples import Scribe, new_memory

REF = DEFAULT_MEMORY_REF
TRACKING = "refs/remotes/origin/gitmem"
NOW_S = 1_767_323_045


@dataclass(frozen=True)
class Clone:
    """A repository on the disk, opened anew for everything that is done with it, as commands do."""

    path: Path

    @property
    def repository(self) -> Repository:
        return discover(self.path, self.git)

    @property
    def git(self) -> Git:
        return Git(dict(os.environ))

    @contextmanager
    def opened(self) -> Iterator[GitStorage]:
        with closing(open_storage(self.repository, self.git)) as storage:
            yield storage

    @contextmanager
    def sharing(self, tell: Callable[[bytes], object] | None = None) -> Iterator[Sharing]:
        author = Author(self.path.name.title(), f"{self.path.name}@example.org")
        with self.opened() as storage:
            repository = self.repository
            settings = load(repository, dict(os.environ))
            yield Sharing(storage, repository, self.git, settings, Writer(author, lambda: NOW_S), tell)

    def pull(self, remote: str | None = "origin") -> Pulled:
        with self.sharing() as shared:
            return sharing.pull(shared, remote)

    def push(
        self, remote: str | None = "origin", pause: Callable[[float], object] = lambda _: None
    ) -> Pushed:
        with self.sharing() as shared:
            return pushing.push(shared, remote, pause=pause)

    def write(self, change: Callable[[Scribe], object], ref: str = REF, parent: bool = True) -> Oid:
        """Commit what `change` does to the memory; the first time it starts one."""
        # Under the lock, as all that publishes packs: what lies half there without it is swept away.
        with self.opened() as storage, storage.lock():
            tip = storage.read_ref(ref)
            scribe = Scribe(storage, open_memory(storage, ref).root) if tip else new_memory(storage)
            change(scribe)
            assert scribe.root is not None
            who = Signature(self.path.name, f"{self.path.name}@example.org", NOW_S)
            parents = (tip,) if tip and parent else ()
            commit = Commit(scribe.root, parents, who, who, "Write [skip ci]\n")
            [oid] = add_all(storage, [("commit", encode_commit(commit))])
            storage.move_ref(ref, oid, tip, "test")
            return oid

    def remember(self, native_id: str, text: bytes = b"a line\n") -> SessionId:
        """Put one more capture into a session."""
        found: list[SessionId] = []

        def change(scribe: Scribe) -> None:
            found.append(scribe.begin(native_id))
            scribe.capture(found[0], text)

        self.write(change)
        return found[0]

    def erase(self, *sessions: SessionId, at_s: int = NOW_S) -> Oid:
        """Erase sessions for good, and return the commit from which the memory goes on."""
        author = Author(self.path.name.title(), f"{self.path.name}@example.org")
        with self.opened() as storage:
            done = erase(Erasing(storage, REF, Writer(author, lambda: at_s)), sessions)
        assert done is not None, "they are there"
        return done.after

    def ref(self, name: str = REF) -> Oid | None:
        with self.opened() as storage:
            return storage.read_ref(name)

    def tree(self) -> Oid:
        with self.opened() as storage:
            return open_memory(storage, REF).root

    def sessions(self) -> set[SessionId]:
        with self.memory() as memory:
            return {folder.session for folder in memory.folders()}

    @contextmanager
    def memory(self) -> Iterator[Memory]:
        with self.opened() as storage:
            yield open_memory(storage, REF)

    def texts(self, session: SessionId) -> list[bytes]:
        with self.memory() as memory:
            return Scribe(memory.storage, memory.root).text(session)


@dataclass(frozen=True)
class Team:
    """A bare hub with one commit on `main`, and clones of it over file://."""

    folder: Path
    git: RealGit

    @property
    def hub(self) -> Clone:
        return Clone(self.folder / "hub.git")

    @property
    def url(self) -> str:
        return f"file://{self.hub.path}"

    def clone(self, name: str, *options: str) -> Clone:
        self.git("clone", "--quiet", *options, self.url, name, cwd=self.folder)
        return Clone(self.folder / name)


def new_team(folder: Path, git: RealGit) -> Team:
    git("init", "--quiet", "--bare", "hub.git", cwd=folder)
    seed = folder / "seed"
    git("clone", "--quiet", f"file://{folder / 'hub.git'}", "seed", cwd=folder)
    git.commit(seed)
    git("push", "--quiet", "origin", "main", cwd=seed)
    return Team(folder, git)
