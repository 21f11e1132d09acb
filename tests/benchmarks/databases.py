"""One changed session in a large database of opencode and of Cursor: from the scan to its whole rendition.

13 GB are asked for; what the disk does not allow is left out, and unless GITMEM_BENCH_DATABASE_GB says how
much, so is what is beyond 3 GB or a minute of making. Beside it plain SQLite asks for the rows of that session, whose
id it knows. What the system holds of the file in memory is given back before the cold figures.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import NamedTuple, TypeVar

from gitmem.transcripts.editors import user_folders
from gitmem.transcripts.folders import opencode as opencode_folders
from gitmem.verbs.scanning import Scan, scan
from tests.benchmarks import material
from tests.benchmarks.table import Row
from tests.transcripts.cursor_files import in_folder, make_database

Answer = TypeVar("Answer")

ASKED_GB = 13.0
_DEFAULT_GB = 3.0
_OF_THE_FREE = 0.25
_MAKING_S = 60.0
_BATCH = 20
_MESSAGES = 100
_OURS_EVERY = 100
_TIMES = 7
_LATER_NS = 4_000_000_000_000_000_000


class _Kind(NamedTuple):
    """How a database of an agent is made, changed, and asked by those who know which session changed."""

    agent: str
    make: Callable[[Path], None]
    add: Callable[[sqlite3.Connection, str, str, int, Callable[[int], str]], None]
    change: Callable[[sqlite3.Connection, str, int], None]
    ask: Callable[[sqlite3.Connection, str], int]


def run(folder: Path) -> Iterator[Row]:
    """Make each database, change one session of it, look for it and write it out."""
    top = material.make_repository(folder / "repository")
    for kind, place in (
        (_OPENCODE, lambda home: opencode_folders(home, {})[0]),
        (_CURSOR, lambda home: user_folders(home, {}, ["Cursor"])[0] / "globalStorage" / "state.vscdb"),
    ):
        home = folder / f"home-{kind.agent}"
        path = place(home)
        path.parent.mkdir(parents=True)
        ours = _fill(path, kind, top)
        yield from _figures(path, kind, folder / f"state-{kind.agent}", home, top, ours)
        shutil.rmtree(home)


def _fill(path: Path, kind: _Kind, top: Path) -> str:
    """Fill a database, and return a session of ours that is far from the end."""
    wanted = os.environ.get("GITMEM_BENCH_DATABASE_GB")
    limit = min(
        float(wanted or _DEFAULT_GB), ASKED_GB, shutil.disk_usage(path.parent).free * _OF_THE_FREE / 1e9
    )
    generator = random.Random(material.SEED)
    words = " ".join(generator.choice(material.WORDS) for _ in range(200_000))

    def text(size: int) -> str:
        at = generator.randrange(len(words) - size)
        return words[at : at + size]

    kind.make(path)
    started, ours = time.perf_counter(), ""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        for number in count():
            if number % _BATCH == 0:
                if number:
                    connection.execute("COMMIT")
                is_late = not wanted and time.perf_counter() - started > _MAKING_S
                if path.stat().st_size >= limit * 1e9 or (is_late and ours):
                    break
                connection.execute("BEGIN")
            is_ours = number % _OURS_EVERY == _OURS_EVERY // 2
            own = f"ses_{number:08}"
            ours = ours or (own if is_ours else "")
            cwd = str(top) if is_ours else f"/home/ada/project-{number % 50}"
            kind.add(connection, own, cwd, 1_700_000_000_000 + number * 1_800_000, text)
        connection.execute("PRAGMA journal_mode = WAL")
    return ours


def _figures(path: Path, kind: _Kind, state: Path, home: Path, top: Path, ours: str) -> Iterator[Row]:
    def look() -> Scan:
        return scan(state, [top], home, {}, _LATER_NS, agents=frozenset((kind.agent,)))

    size = path.stat().st_size / 1e9
    of = f"{kind.agent}'s database of {size:.1f} GB"
    _forget(path)
    first_s, found = _timed(look)
    found.settle([])
    at = count(1_900_000_000_000, 60_000)

    def changed() -> tuple[float, float]:
        """Return how long a scan and the rendition took, and how long SQLite took for the same rows."""
        with closing(sqlite3.connect(path)) as connection:
            kind.change(connection, ours, next(at))
            connection.commit()
        started = time.perf_counter()
        scanned = look()
        [source] = scanned.grown
        assert source.rendition is not None
        assert sum(1 for _ in source.rendition.lines()) > _MESSAGES
        taken = time.perf_counter() - started
        scanned.settle([])
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            asked_s, rows = _timed(lambda: kind.ask(connection, ours))
        assert rows > _MESSAGES
        return taken, asked_s

    pairs = [changed() for _ in range(_TIMES)]
    warm, asked = (statistics.median(one) for one in zip(*pairs, strict=True))
    _forget(path)
    cold, _ = changed()
    still_s, _ = _timed(look)
    asked_for = "" if size > ASKED_GB * 0.95 else f"; {ASKED_GB:.0f} GB were asked for"
    beside = f"SQLite for the same rows: {asked * 1e3:.1f} ms{asked_for}"
    yield Row(f"{of}: one changed session, cold", cold, "s", 1, False, beside)
    yield Row("  the same, warm, median", warm * 1e3, "ms", None, False, beside)
    yield Row("  a scan when nothing changed", still_s * 1e3, "ms")
    yield Row("  the first scan, cold: all are listed", first_s, "s")


def _timed(work: Callable[[], Answer]) -> tuple[float, Answer]:
    started = time.perf_counter()
    answer = work()
    return time.perf_counter() - started, answer


def _forget(path: Path) -> None:
    """Give back what the system holds of a file, where the system can be asked to."""
    if not hasattr(os, "posix_fadvise"):
        return
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _make_opencode(path: Path) -> None:
    # As opencode 1.18 makes them: the session's time has no index.
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            """
            CREATE TABLE session (id text PRIMARY KEY, project_id text NOT NULL, parent_id text,
                slug text NOT NULL, directory text NOT NULL, title text NOT NULL, version text NOT NULL,
                summary_diffs text, permission text, time_created integer NOT NULL,
                time_updated integer NOT NULL);
            CREATE TABLE message (id text PRIMARY KEY, session_id text NOT NULL, time_created integer NOT NULL,
                time_updated integer NOT NULL, data text NOT NULL);
            CREATE TABLE part (id text PRIMARY KEY, message_id text NOT NULL, session_id text NOT NULL,
                time_created integer NOT NULL, time_updated integer NOT NULL, data text NOT NULL);
            CREATE INDEX message_session_time_created_id_idx ON message (session_id, time_created, id);
            CREATE INDEX part_message_id_id_idx ON part (message_id, id);
            CREATE INDEX part_session_idx ON part (session_id);
            CREATE INDEX session_project_idx ON session (project_id);
            CREATE INDEX session_parent_idx ON session (parent_id);
            """
        )


def _add_opencode(
    connection: sqlite3.Connection, own: str, cwd: str, at_ms: int, text: Callable[[int], str]
) -> None:
    row = (own, "p", None, own, cwd, f"Of {own}", "1.18.33", None, text(200), at_ms, at_ms)
    connection.execute("INSERT INTO session VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    messages, parts = [], []
    for number in range(_MESSAGES):
        role = "assistant" if number % 2 else "user"
        body = json.dumps({"role": role, "time": {"created": at_ms + number}})
        messages.append((f"msg_{own}_{number:04}", own, at_ms + number, at_ms + number, body))
        for place, kind in enumerate(("reasoning", "text") if number % 2 else ("text",)):
            body = json.dumps({"type": kind, "text": text(6_000)})
            parts.append((f"prt_{own}_{number:04}{place}", messages[-1][0], own, at_ms, at_ms, body))
    connection.executemany("INSERT INTO message VALUES (?, ?, ?, ?, ?)", messages)
    connection.executemany("INSERT INTO part VALUES (?, ?, ?, ?, ?, ?)", parts)


def _change_opencode(connection: sqlite3.Connection, own: str, at_ms: int) -> None:
    message_id = f"msg_{own}_{at_ms}"
    body = json.dumps({"role": "user", "time": {"created": at_ms}})
    connection.execute("INSERT INTO message VALUES (?, ?, ?, ?, ?)", (message_id, own, at_ms, at_ms, body))
    body = json.dumps({"type": "text", "text": "And the ebb?"})
    part = (f"prt_{own}_{at_ms}", message_id, own, at_ms, at_ms, body)
    connection.execute("INSERT INTO part VALUES (?, ?, ?, ?, ?, ?)", part)
    connection.execute("UPDATE session SET time_updated = ? WHERE id = ?", (at_ms, own))


def _ask_opencode(connection: sqlite3.Connection, own: str) -> int:
    connection.execute("SELECT * FROM session WHERE id = ?", (own,)).fetchone()
    messages = connection.execute("SELECT * FROM message WHERE session_id = ?", (own,)).fetchall()
    return len(messages) + len(
        connection.execute("SELECT * FROM part WHERE session_id = ?", (own,)).fetchall()
    )


def _add_cursor(
    connection: sqlite3.Connection, own: str, cwd: str, at_ms: int, text: Callable[[int], str]
) -> None:
    headers = [
        {"bubbleId": f"{own[-4:]}-{number:04}", "type": 2 if number % 2 else 1} for number in range(_MESSAGES)
    ]
    rows = [
        (
            f"bubbleId:{own}:{header['bubbleId']}",
            json.dumps({**header, "_v": 3, "text": text(4_000), "richText": text(4_000)}),
        )
        for header in headers
    ]
    # Most of a large database is none of bubbles: it is states of files.
    rows += [(f"checkpointId:{own}:{number}", json.dumps({"files": text(8_000)})) for number in range(20)]
    composer = {"_v": 10, "composerId": own, "fullConversationHeadersOnly": headers, "context": text(8_000)}
    composer |= {"createdAt": at_ms, "lastUpdatedAt": at_ms, **in_folder(cwd)}
    rows.append((f"composerData:{own}", json.dumps(composer)))
    connection.executemany("INSERT INTO cursorDiskKV VALUES (?, ?)", rows)


def _change_cursor(connection: sqlite3.Connection, own: str, at_ms: int) -> None:
    key = f"composerData:{own}"
    [cell] = connection.execute("SELECT value FROM cursorDiskKV WHERE key = ?", (key,)).fetchone()
    composer = json.loads(cell)
    composer["fullConversationHeadersOnly"].append({"bubbleId": str(at_ms), "type": 1})
    composer["lastUpdatedAt"] = at_ms
    bubble = json.dumps({"_v": 3, "type": 1, "bubbleId": str(at_ms), "text": "And the ebb?"})
    connection.execute("INSERT INTO cursorDiskKV VALUES (?, ?)", (f"bubbleId:{own}:{at_ms}", bubble))
    connection.execute("INSERT INTO cursorDiskKV VALUES (?, ?)", (key, json.dumps(composer)))


def _ask_cursor(connection: sqlite3.Connection, own: str) -> int:
    connection.execute("SELECT value FROM cursorDiskKV WHERE key = ?", (f"composerData:{own}",)).fetchone()
    return len(
        connection.execute(
            "SELECT value FROM cursorDiskKV WHERE key >= ? AND key < ?",
            (f"bubbleId:{own}:", f"bubbleId:{own};"),
        ).fetchall()
    )


_OPENCODE = _Kind("opencode", _make_opencode, _add_opencode, _change_opencode, _ask_opencode)
_CURSOR = _Kind("cursor", make_database, _add_cursor, _change_cursor, _ask_cursor)
