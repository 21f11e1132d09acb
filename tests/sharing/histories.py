"""Random histories of a memory: whatever people and captures do to it, and what it comes to by definition."""

from __future__ import annotations

import random
from collections.abc import Iterable

from gitmem.format import layout
from gitmem.model.ids import Oid, SessionId
from gitmem.objects import trees
from tests.sharing.samples import AT, Scribe

Files = dict[trees.Path, Oid]


def act(rng: random.Random, clone: Scribe) -> None:
    """Do one thing to a memory that takes nothing out of it."""
    sessions = [folder.session for folder in clone.memory.folders()]
    acts = [
        "begin",
        "capture",
        "cut",
        "fork",
        "rewrite",
        "title",
        "tags",
        "level",
        "forget",
        "note",
        "checkpoint",
    ]
    weights = [4, 5, 3, 3, 3, 1, 1, 1, 2, 2, 2]
    kind = rng.choices(acts, weights)[0]
    before, gone = clone.root, buried(clone.files())
    if kind == "note":
        made = clone.note(f"note {rng.randrange(5)}")
    elif kind == "checkpoint":
        made = clone.checkpoint(f"checkpoint {rng.randrange(5)}")
    elif kind == "begin" or not sessions:
        made = clone.begin(f"s{rng.randrange(10)}")
    else:
        made = rng.choice(sessions)
        _go_on(rng, clone, SessionId(made), kind)
    if made in gone:
        clone.root = before  # what is gone is not taken in again


def _go_on(rng: random.Random, clone: Scribe, session: SessionId, kind: str) -> None:
    stored = clone.memory.load(clone.folder(session))
    stream = rng.choice(["", "", "agent-1"])
    fitting = [name for name, capture in stored.captures.items() if capture.stream == stream]
    text = b"line %d\n" % rng.randrange(5) * rng.randrange(1, 4)
    match kind:
        case "cut":  # the same log, captured as far as it was then, here and elsewhere
            head = next(iter(stored.heads().get("", ())), None)
            at = head.lines if head else 0
            clone.capture(session, b"".join(b"log %d\n" % n for n in range(at, at + rng.randrange(1, 4))))
        case "fork":
            clone.capture(session, text, stream, (rng.choice(fitting),) if fitting else None)
        case "rewrite":
            clone.capture(session, text, stream, keep=rng.randrange(3))
        case "title":
            clone.register(session, f"title {rng.randrange(5)}", rng.randrange(4))
        case "tags":
            clone.register(session, (f"tag {rng.randrange(5)}",), rng.randrange(4), "tags")
        case "level":
            level = rng.choice(["team", "public", "private"])
            clone.register(session, level, stored.next_clock(), "level")
            clone.register(session, level == "private", stored.next_clock(), "hidden")
        case "forget":
            clone.register(session, rng.choice([AT, None]), stored.next_clock(), "forgotten")
        case _:
            clone.capture(session, text, stream)


def targets(files: Iterable[tuple[trees.Path, Oid]]) -> list[str]:
    """Return the names of all that can be erased."""
    return sorted({target for path, _ in files if (target := layout.target_at(path)) is not None})


def buried(files: Iterable[tuple[trees.Path, Oid]]) -> set[str]:
    """Return the names of all that tombstones name."""
    return {"".join(path[1:4]) for path, _ in files if path[0] == "tombstones"}


def by_definition(memories: Iterable[Iterable[tuple[trees.Path, Oid]]]) -> Files:
    """Return what memories come to together: every path of any, less what any has a tombstone for."""
    found: Files = {}
    for files in memories:
        for path, oid in files:
            found[path] = max(oid, found.get(path, Oid("")))
    gone = buried(found.items())
    return {path: oid for path, oid in found.items() if layout.target_at(path) not in gone}
