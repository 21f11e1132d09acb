"""A repository in which people and agents work: real git, sessions as Claude Code writes them, checkpoints.

Every step is ten seconds after the one before. What hooks and a drain would do after a git command is done
here by `checkpoint`, and nowhere else.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gitmem.format import layout, records
from gitmem.format.records import session_id
from gitmem.model.ids import Oid, RecordId, SessionId
from gitmem.model.records import Checkpoint, PathChange, Position, Rewrite, Session, Trigger
from gitmem.model.times import to_text
from gitmem.verbs.committing import commit
from tests.conftest import RealGit
from tests.reading.book import ADA, REF, START_MS, Book

STEP_MS = 10_000


@dataclass
class World:
    """One working tree, its memory, and the sessions in it."""

    top: Path
    git: RealGit
    book: Book
    now_ms: int = START_MS
    talks: list[Talk] = field(default_factory=list)

    def step(self) -> int:
        self.now_ms += STEP_MS
        return self.now_ms

    def talk(self, name: str, prompt: str = "", **more: Any) -> Talk:
        """Begin a session, with what the user asked for."""
        talk = Talk(self, name, **more)
        self.talks.append(talk)
        talk.asks(prompt or f"please do what {name} is for")
        return talk

    def run(self, *args: str, environ: Mapping[str, str] | None = None, cwd: Path | None = None) -> str:
        """Run git at this moment."""
        moment = f"{self.step() // 1000} +0000"
        dates = {"GIT_AUTHOR_DATE": moment, "GIT_COMMITTER_DATE": moment}
        return self.git(*args, cwd=cwd or self.top, environ={**dates, **(environ or {})})

    def head(self, cwd: Path | None = None) -> Oid:
        return Oid(self.git("rev-parse", "HEAD", cwd=cwd or self.top))

    def write(self, path: str, content: str) -> None:
        file = self.top / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)

    def commit(self, message: str, *, talks: Sequence[Talk] | None = None, is_seen: bool = True) -> Oid:
        """Commit everything, with the checkpoint that its hook leads to unless nobody saw it."""
        self.run("add", "--all")
        self.run("commit", "--quiet", "-m", message)
        if is_seen:
            self.checkpoint("post-commit", talks=talks)
        return self.head()

    def amend(self, message: str) -> Oid:
        """Amend the last commit, with what git's hooks then say."""
        old = self.head()
        self.run("add", "--all")
        self.run("commit", "--quiet", "--amend", "-m", message)
        self.checkpoint("post-commit")
        self.checkpoint("post-rewrite", rewrites=[(old, self.head())])
        return self.head()

    def checkpoint(
        self,
        trigger: Trigger,
        *,
        talks: Sequence[Talk] | None = None,
        head: Oid | None = None,
        tree: str | None = None,
        rewrites: Iterable[tuple[str, str]] = (),
        patches: Iterable[str] = (),
        branch: str | None = None,
    ) -> RecordId:
        """Write a checkpoint of this moment into the memory, with what is captured of sessions by now."""
        head = head or self.head()
        shown = self.git("show", "-s", "--format=%T", head, cwd=self.top)
        for talk in self.talks:
            talk.save()
        name = (
            self.git("symbolic-ref", "--quiet", "--short", "HEAD", cwd=self.top) if branch is None else branch
        )
        record = Checkpoint(
            at=to_text(self.now_ms),
            author=ADA,
            trigger=trigger,
            head=head,
            branch=name or None,
            tree=tree or shown,
            changes=(PathChange("gate.py", 1, 0),),
            positions=tuple(
                Position(talk.id, stream, len(lines))
                for talk in (self.talks if talks is None else talks)
                for stream, lines in talk.lines.items()
            ),
            rewrites=tuple(Rewrite(old, new) for old, new in rewrites),
            patches=tuple(patches),
        )
        return self.put(record)

    def put(self, record: Checkpoint) -> RecordId:
        name, blob = records.seal(record)
        with self.book.storage.begin() as batch:
            changes = {layout.checkpoint_path(name): batch.add("blob", blob)}
            commit(self.book.storage, REF, self.book.writer(), "Checkpoint [skip ci]\n", changes, batch)
        return name

    def forget_checkpoints(self) -> None:
        """Take all checkpoints out of the memory."""
        with self.book.storage.begin() as batch:
            commit(
                self.book.storage,
                REF,
                self.book.writer(),
                "Gone [skip ci]\n",
                {("checkpoints",): None},
                batch,
            )

    def patch_id(self, *args: str) -> str:
        diff = self.git("diff-tree", "-p", *args, cwd=self.top) + "\n"
        return self.git("patch-id", "--stable", cwd=self.top, stdin=diff).split()[0]


@dataclass
class Talk:
    """A session of Claude Code in that working tree, which does what it says."""

    world: World
    name: str
    lines: dict[str, list[str]] = field(default_factory=lambda: {"": []})
    agent: str = "claude-code"
    cwd: str | None = None
    _saved: dict[str, tuple[int, RecordId]] = field(default_factory=dict)
    _count: int = 0

    @property
    def id(self) -> SessionId:
        return session_id(Session(self.agent, self.name, _beginning(self.name)))

    @property
    def address(self) -> str:
        return f"{self.agent}/{self.name}"

    def asks(self, text: str, stream: str = "") -> int:
        return self._add("user", text, stream)

    def writes(self, path: str, content: str, stream: str = "") -> int:
        """Write a whole file, by the tool for it; returns the turn's number."""
        self.world.write(path, content)
        return self.calls("Write", stream, file_path=str(self.world.top / path), content=content)

    def edits(self, path: str, old: str, new: str, stream: str = "") -> int:
        file = self.world.top / path
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new, 1))
        return self.calls("Edit", stream, file_path=str(file), old_string=old, new_string=new)

    def calls(self, tool: str, stream: str = "", /, *, is_error: bool = False, **arguments: object) -> int:
        """Call a tool that has had its effect already, and note that it answered."""
        block = {"type": "tool_use", "id": f"t{self._count}", "name": tool, "input": arguments}
        number = self._add("assistant", [block], stream)
        result = {"type": "tool_result", "tool_use_id": block["id"], "content": "done", "is_error": is_error}
        self._add("user", [result], stream)
        return number

    def save(self) -> None:
        """Capture what has come since last time."""
        for stream, lines in self.lines.items():
            done, parent = self._saved.get(stream, (0, None))
            if len(lines) > done:
                _, capture = self.world.book.capture(
                    lines[done:],
                    self.name,
                    agent=self.agent,
                    stream=stream,
                    beginning=self.name,
                    keep=done,
                    parents=(parent,) if parent else (),
                )
                self._saved[stream] = len(lines), capture

    def _add(self, role: str, content: object, stream: str) -> int:
        lines = self.lines.setdefault(stream, [])
        n, self._count = self._count, self._count + 1
        lines.append(
            json.dumps(
                {
                    "type": role,
                    "uuid": f"{self.name}-{n}",
                    "sessionId": self.name,
                    "timestamp": to_text(self.world.step()),
                    "cwd": self.cwd or str(self.world.top),
                    "gitBranch": "main",
                    "isSidechain": bool(stream),
                    "message": {"role": role, "content": content, "model": "claude-model-1"},
                }
            )
        )
        return len(lines) - 1


def _beginning(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
