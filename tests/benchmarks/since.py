"""A first pull of the last month of a memory of two years, beside the whole pull and a clone of the branch.

Whole processes in turns, the least of several; over file://, and over http with `git http-backend` on
loopback. Every capture is a commit of its own, as captures make them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, nullcontext
from pathlib import Path

from gitmem.format import layout, records, segments
from gitmem.git.storage import GitStorage
from gitmem.model.ids import Oid, RecordId
from gitmem.model.records import Author, Capture, SegmentEntry, Session
from gitmem.objects.trees import Path as TreePath
from gitmem.verbs.committing import Writer, commit
from gitmem.verbs.starting import start
from tests.benchmarks import captures, material
from tests.benchmarks.running import Run, gitmem, measured
from tests.benchmarks.table import Row
from tests.sharing.http_backend import serving

_DAYS = 730
_SESSIONS = 1_460
_CAPTURES = 5
_CAPTURE_BYTES = 150_000
_ROUNDS = 3
_MOST = 0.2
_AUTHOR = Author("Ada Example", "ada@example.org")


def run(folder: Path) -> Iterator[Row]:
    """Measure time and bytes, over both ways."""
    ada = material.make_repository(folder / "ada")
    with closing(captures._open(ada)) as storage:
        _remember(storage)
    material.git("init", "-q", "--bare", "-b", "main", "hub.git", cwd=folder)
    material.git("config", "uploadpack.allowFilter", "true", cwd=folder / "hub.git")
    hub = f"file://{folder}/hub.git"
    material.git("push", "-q", hub, "HEAD:refs/heads/main", captures.REF, cwd=ada)
    for way in ("file", "http"):
        with serving(folder) if way == "http" else nullcontext() as server:
            url = hub if server is None else f"{server.url}/hub.git"
            yield from _compare(folder / way, way, url)


def _compare(folder: Path, way: str, url: str) -> Iterator[Row]:
    runs: dict[str, list[Run]] = {"last": [], "whole": [], "clone": []}
    sizes: dict[str, int] = {}
    for n in range(_ROUNDS):
        for kind, options in (("last", ["--since", "30d"]), ("whole", [])):
            clone = material.make_repository(folder / f"{kind}-{n}")
            material.git("remote", "add", "origin", url, cwd=clone)
            runs[kind].append(gitmem("pull", *options, "origin", cwd=clone))
            sizes[kind] = material.pack_bytes(clone)
        command = ["git", "clone", "-q", "--bare", "--single-branch", "-b", "gitmem", url, f"clone-{n}"]
        runs["clone"].append(measured(command, folder))
    least = {kind: min(run.wall_s for run in found) for kind, found in runs.items()}
    told = ", ".join(f"{kind}: {seconds:.2f} s" for kind, seconds in least.items())
    told += f"; {sizes['last'] / 1e6:.1f} of {sizes['whole'] / 1e6:.1f} MB"
    name = f"the last 30 days of {_SESSIONS:,} sessions in two years, {way}"
    yield Row(f"{name}: time, of the whole pull's", least["last"] / least["whole"], "", _MOST, False, told)
    yield Row(f"{name}: bytes, of the whole pull's", sizes["last"] / sizes["whole"], "", _MOST)


def _remember(storage: GitStorage) -> None:
    """Capture into one session after the other, through two years."""
    now_s = time.time()
    start(storage, captures.REF, Writer(_AUTHOR, lambda: now_s - (_DAYS + 1) * 86_400))
    for n in range(_SESSIONS):
        began_s = now_s - _DAYS * 86_400 * (1 - n / _SESSIONS)
        name = material.session_name(n)
        lines = material.made_lines(name, n)
        record = Session("claude-code", name, f"{n:064x}"[::-1])
        session = records.session_id(record)
        group, parents, keep = segments.EMPTY_GROUP, tuple[RecordId, ...](), 0
        for nth in range(_CAPTURES):
            writer = Writer(_AUTHOR, lambda at_s=began_s + nth * 600: at_s)  # type: ignore[misc]
            text = bytearray()
            while len(text) < _CAPTURE_BYTES:
                text += next(lines)
            entries, changes = [], dict[TreePath, Oid | None]()
            with storage.begin() as batch:
                for sealed, grown in segments.seal_all(bytes(text), group):
                    group = grown
                    entries.append(SegmentEntry(sealed.name, sealed.lines, sealed.size_bytes))
                    changes[layout.segment_path(session, sealed.name)] = batch.add("blob", sealed.blob)
                capture = Capture(
                    session,
                    writer.now(),
                    _AUTHOR,
                    "gitmem benchmark",
                    "0" * 16,
                    tuple(entries),
                    keep=keep,
                    parents=parents,
                )
                keep += sum(entry.lines for entry in entries)
                capture_name, blob = records.seal(capture)
                parents = (capture_name,)
                changes[layout.capture_path(session, capture_name)] = batch.add("blob", blob)
                changes[layout.session_path(session)] = batch.add("blob", records.seal(record)[1])
                commit(storage, captures.REF, writer, "Capture [skip ci]\n", changes, batch)
        storage.tidy()
