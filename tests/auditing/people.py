"""Clones with an audit each, opened anew for everything that is done with it, as commands do."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from gitmem.auditing.checking import Checked, check
from gitmem.auditing.listing import Row, Wanted, newest
from gitmem.auditing.log import Log
from gitmem.auditing.peers import Finding, accept, note_sent
from gitmem.auditing.publishing import Published, publish
from gitmem.git import transport
from gitmem.git.fetching import fetch
from gitmem.git.sending import Move, PushAnswer, push
from gitmem.git.storage import GitStorage
from gitmem.model.refs import AUDIT_NAMESPACE, tracking_ref
from gitmem.model.settings import Audited
from tests.sharing.clones import Clone

START_MS = 1_767_323_045_000


@dataclass
class Person:
    """Somebody with a clone and a folder of their own; their clock moves on by a second with each look."""

    clone: Clone
    user_dir: Path
    random: random.Random
    now_ms: int = START_MS
    warnings: list[str] = field(default_factory=list)

    def tick(self) -> int:
        self.now_ms += 1000
        return self.now_ms

    def log(self, by: str = "person", keeps: Audited = "all") -> Log:
        return Log(
            self.clone.repository.state_dir,
            self.user_dir,
            by=by,
            now_ms=self.tick,
            random_bytes=self.random.randbytes,
            keeps=keeps,
            warn=self.warnings.append,
        )

    @property
    def device(self) -> str:
        return self.log().identity().device

    @contextmanager
    def storage(self) -> Iterator[GitStorage]:
        with self.clone.opened() as storage:
            yield storage

    def publish(self) -> list[Published]:
        with self.storage() as storage:
            return publish(storage, self.log(), "origin")

    def push(self) -> list[PushAnswer]:
        """Do what a push does about the audit, without a second try."""
        self.pull()
        return self.send()

    def send(self) -> list[PushAnswer]:
        answers = []
        with self.storage() as storage:
            remote = transport.find_remote(self.clone.repository, self.clone.git, "origin")
            for ref, commit in publish(storage, self.log(), "origin"):
                answer = push(remote, [Move(ref, commit)])[ref]
                answers.append(answer)
                if answer.outcome == "pushed":
                    tracking = tracking_ref("origin", ref)
                    found = storage.read_ref(tracking)
                    if found != commit:
                        storage.move_ref(tracking, commit, found, "test")
                    note_sent(storage, self.log(), "origin", ref)
        return answers

    def pull(self) -> list[Finding]:
        with self.storage() as storage:
            remote = transport.find_remote(self.clone.repository, self.clone.git, "origin")
            for refused in fetch(remote, storage, (), (AUDIT_NAMESPACE,)).refused.values():
                raise refused
            return accept(storage, self.log(), "origin")

    def check(self, checked: Checked | None = None) -> list[Finding]:
        with self.storage() as storage:
            return list(check(storage, self.log(), checked or Checked()))

    def kinds(self) -> list[str]:
        return [finding.kind for finding in self.check()]

    def rows(self, wanted: Wanted = Wanted(), refused: Callable[[object], object] = print) -> list[Row]:  # noqa: B008
        with self.storage() as storage:
            return list(newest(storage, self.log(), wanted, refused))

    def actions(self, device: str = "") -> list[str]:
        """Return what stands in the chains, the oldest first."""
        wanted = Wanted(devices=(device,) if device else ())
        return [row.entry.action for row in reversed(self.rows(wanted))]


def person(clone: Clone, seed: int) -> Person:
    return Person(clone, clone.path.parent / f"user-{clone.path.name}", random.Random(seed))
