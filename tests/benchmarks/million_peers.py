"""What the million turns are searched with beside gitmem: SQLite's FTS5 with its Porter stemmer, and ripgrep."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from indexer.lexical.words import STOP_WORDS
from tests.benchmarks import million_turns
from tests.recall.baselines import words_of

_HITS = 10


class Peers(NamedTuple):
    """The same turns as FTS5 has them, and as lines of text files; CPU seconds of building the former."""

    database: Path
    texts: Path
    cpu_s: float


def build(entries: Path, folder: Path) -> Peers:
    """Put ready entries into both; a turn is a row, and a line of its session's file."""
    database, texts = folder / "turns.sqlite", folder / "texts"
    texts.mkdir()
    cpu_s = 0.0
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("CREATE VIRTUAL TABLE turns USING fts5(text, tokenize = 'porter unicode61')")
        for nth, chunk in enumerate(million_turns.read(entries)):
            begun = time.process_time()
            rows = ((entry.body or entry.output,) for entry in chunk)
            connection.executemany("INSERT INTO turns (text) VALUES (?)", rows)
            cpu_s += time.process_time() - begun
            lines = ("".join((entry.body or entry.output).replace("\n", " ")) for entry in chunk)
            (texts / f"{nth}.txt").write_text("\n".join(lines) + "\n", errors="replace")
        begun = time.process_time()
        connection.commit()
        cpu_s += time.process_time() - begun
    return Peers(database, texts, cpu_s)


def fts5_ms(peers: Peers, queries: Sequence[str]) -> Iterator[float]:
    """Yield what each query takes within this process; for the ten best of any of its words, no text of them.

    Words that gitmem drops from a query are dropped here too: they would take most of the time.
    """
    with closing(sqlite3.connect(peers.database)) as connection:
        for query in queries:
            asked = " OR ".join(f'"{word}"' for word in words_of(query, without=STOP_WORDS))
            begun = time.perf_counter()
            sql = "SELECT rowid FROM turns WHERE turns MATCH ? ORDER BY rank LIMIT ?"
            connection.execute(sql, (asked, _HITS)).fetchall()
            yield 1e3 * (time.perf_counter() - begun)


def ripgrep_ms(peers: Peers, queries: Sequence[str]) -> Iterator[float]:
    """Yield what a whole ripgrep takes to count the lines that have any of a query's words; none without it."""
    if shutil.which("rg") is None:
        return
    for query in queries:
        words = [arg for word in words_of(query, without=STOP_WORDS) for arg in ("-e", word)]
        command = ["rg", "--ignore-case", "--count", "--fixed-strings", *words, str(peers.texts)]
        begun = time.perf_counter()
        subprocess.run(command, capture_output=True, check=False)
        yield 1e3 * (time.perf_counter() - begun)
