"""What the rules find where no secret is: in the source code, lock files and logs that are installed here.

Nothing is fetched: what is read is whatever this machine's packages brought along, a seeded sample of it. All that
goes as a secret is counted, also the keys that somebody made up to document or test cryptography, which are found
with reason; so the figure is an upper bound. Numbers of cards that are made for tests have the form of cards, and
have a row of their own; payloads, which are what their placeholders say, are not counted.
"""

from __future__ import annotations

import gzip
import sysconfig
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

from gitmem.redaction.kinds import PERSONAL_KINDS, SECRET_KINDS
from gitmem.redaction.policy import Policy, rule_set
from gitmem.redaction.redactor import Redactor
from tests.benchmarks.table import Row

_KEY = bytes(range(32))
_FOLDERS = (
    sysconfig.get_path("purelib"),
    sysconfig.get_path("stdlib"),
    "/usr/lib/node_modules",
    "/usr/share/nodejs",
    "/usr/lib/python3/dist-packages",
    "/usr/share/doc",
    "/usr/share/perl",
    "/var/log",
)
_MOST_BYTES = 40_000_000
_LARGEST_FILE = 1_000_000
_CODE = {".py", ".pyi", ".js", ".mjs", ".cjs", ".ts", ".tsx", ".css", ".html", ".sh", ".c", ".h", ".rs", ".go", ".pl", ".pm"}  # fmt: skip
_DATA = {".json", ".yaml", ".yml", ".toml", ".lock", ".map", ".xml", ".cfg", ".ini", ".sql", ".ipynb", ".sum"}
_TEXT = {".md", ".rst", ".txt", ".log", ".gz"}


def run(_folder: Path) -> Iterator[Row]:
    """Redact a sample as at level team, and count what goes, by kind."""
    redactor = Redactor(_KEY, rule_set("team", Policy()))
    megabytes = 0.0
    for text in _sample():
        megabytes += len(text) / 1e6
        for _ in redactor.stream([text]):
            pass
    yield Row("text of packages that is redacted", megabytes, "MB")
    for what, kinds, budget in (
        ("secrets", SECRET_KINDS, 1.0),
        ("numbers of cards and people", PERSONAL_KINDS, None),
    ):
        found = Counter({kind: count for kind, count in redactor.counts.items() if kind in kinds})
        beside = ", ".join(f"{kind} {count / megabytes:.2g}" for kind, count in found.most_common())
        yield Row(f"found in it a MB: {what}", found.total() / megabytes, "", budget, baseline=beside)


def _sample() -> Iterator[bytes]:
    """Yield texts in an order that has nothing to do with their folders', until there is enough."""
    paths = sorted(
        path
        for folder in map(Path, _FOLDERS)
        if folder.is_dir()
        for path in folder.rglob("*")
        if path.suffix in _CODE | _DATA | _TEXT and path.is_file() and not path.is_symlink()
    )
    Random(1).shuffle(paths)
    left = _MOST_BYTES
    for path in paths:
        try:
            raw = path.read_bytes()
            text = gzip.decompress(raw) if path.suffix == ".gz" else raw
        except (OSError, EOFError):  # not ours to read, or not compressed to its end
            continue
        if b"\x00" not in text and len(text) <= min(_LARGEST_FILE, left):
            left -= len(text)
            yield text
