"""What git's hooks cost: `git commit`, `checkout` and `push` with all of them and without, in turns, and the drain.

While commits are measured, what would drain is a program that ends at once: so the start of a drain is counted,
and the drain, which comes a second later, is measured by itself.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks import captures, material
from tests.benchmarks.running import gitmem
from tests.benchmarks.table import Row

_TIMES = 60
_DRAINS = 9
_MANY = 10_000
_GROWTH_BYTES = 100_000


class _Pair(NamedTuple):
    """Medians, in milliseconds, without hooks and with them, and the median of what the hooks add."""

    plain: float
    hooked: float
    more: float


def run(folder: Path) -> Iterator[Row]:
    """Measure with nothing remembered or waiting, and with 10,000 sessions and 10,000 events."""
    environ = _apart(folder)
    few = {name: _paired(folder / f"few-{name}", environ, act, 0) for name, act in _ACTS.items()}
    many = {name: _paired(folder / f"many-{name}", environ, act, _MANY) for name, act in _ACTS.items()}
    for name in _ACTS:
        for pair, where in (
            (few[name], "nothing remembered"),
            (many[name], f"{_MANY:,} sessions and events"),
        ):
            beside = f"git {name} {pair.plain:.1f} ms, with hooks {pair.hooked:.1f} ms"
            yield Row(f"hooks of git {name}, {where}, median", pair.more, "ms", 12, False, beside)
        more = many[name].more - few[name].more
        yield Row(f"  the {_MANY:,} over none, git {name}", abs(more), "ms", 4)
    for sessions in (0, 1_000, _MANY):
        yield from _drains(folder / f"drain-{sessions}", environ, sessions)


def _commit(top: Path, environ: Mapping[str, str], n: int) -> float:
    (top / "file.txt").write_text(f"{n}\n")
    _git(top, environ, "add", "file.txt")
    return _timed(top, environ, "commit", "-q", "-m", f"commit {n}")


def _checkout(top: Path, environ: Mapping[str, str], n: int) -> float:
    return _timed(top, environ, "checkout", "-q", "other" if n % 2 == 0 else "main")


def _push(top: Path, environ: Mapping[str, str], n: int) -> float:
    hub = top.with_name(f"{top.name}-hub")
    if not hub.exists():
        _git(top, environ, "init", "-q", "--bare", str(hub))
        _git(top, environ, "remote", "add", "hub", str(hub))
    return _timed(top, environ, "push", "-q", "hub", f"main:refs/heads/b{n}")


_ACTS: dict[str, Callable[[Path, Mapping[str, str], int], float]] = {
    "commit": _commit,
    "checkout": _checkout,
    "push": _push,
}


def _paired(folder: Path, environ: Mapping[str, str], act: Callable[..., float], many: int) -> _Pair:
    """Do the same in two repositories, one with hooks and one without, in turns."""
    plain, hooked = _repository(folder / "plain"), _repository(folder / "hooked")
    _remember(hooked, environ, many)
    _without_drains(hooked)
    _spool(hooked, many)
    times = []
    for n in range(_TIMES):
        pairs = [(top, act(top, environ, n)) for top in ((plain, hooked) if n % 2 else (hooked, plain))]
        took = dict(pairs)
        times.append((took[plain], took[hooked]))
        (hooked / ".git/gitmem/spool/drainer").unlink(missing_ok=True)  # the next one starts one again
    left = len(list((hooked / ".git/gitmem/spool").glob("*.event"))) - many
    assert left >= _TIMES, f"only {left} events came of {_TIMES} times"
    plain_ms, hooked_ms = ([row[side] for row in times[5:]] for side in (0, 1))
    more = statistics.median(b - a for a, b in times[5:])
    return _Pair(statistics.median(plain_ms), statistics.median(hooked_ms), more)


def _drains(folder: Path, environ: Mapping[str, str], sessions: int) -> Iterator[Row]:
    """Drain a commit and 100 KB of transcript, again and again, beside `sessions` other transcripts."""
    home = folder / "home"
    environ = {**environ, "HOME": str(home)}
    top = _repository(folder / "repository")
    projects = home / ".claude/projects"
    for n in range(sessions):
        path = projects / f"p{n % 50}" / f"{material.session_name(n)}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_lines(top if n % 10 == 0 else folder, material.session_name(n), 1))
    _remember(top, environ, sessions)
    gitmem("capture", cwd=top, environ=environ)
    _without_drains(top)
    name = material.session_name(10**6)
    path = projects / "p" / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    content = _lines(top, name, 100 * (_DRAINS + 2))
    cut = 0
    times, plain = [], []
    for n in range(_DRAINS + 1):
        start, cut = cut, content.index(b"\n", cut + _GROWTH_BYTES) + 1
        with path.open("ab") as file:
            file.write(content[start:cut])
        plain.append(_commit(top, environ, n))
        done = gitmem("capture", "--spool", cwd=top / ".git", environ=environ)
        times.append(done.wall_s * 1e3)
        assert not list((top / ".git/gitmem/spool").glob("*.event")), "the drain left an event"
        (top / ".git/gitmem/spool/drainer").unlink(missing_ok=True)
    beside = f"git commit, with hooks: {statistics.median(plain):.1f} ms"
    what = f"drain of a commit and 100 KB of transcript, {sessions:,} sessions, median"
    yield Row(what, statistics.median(times[1:]), "ms", 400, False, beside)


def _repository(top: Path) -> Path:
    material.make_repository(top)
    for n in range(50):
        (top / f"f{n}.txt").write_text(f"{n}\n" * 20)
    material.git("add", ".", cwd=top)
    material.git("commit", "-q", "-m", "begin", cwd=top)
    material.git("branch", "-q", "-M", "main", cwd=top)
    material.git("checkout", "-q", "-b", "other", cwd=top)
    for n in range(10):
        (top / f"f{n}.txt").write_text("other\n")
    material.git("commit", "-q", "-a", "-m", "other", cwd=top)
    material.git("checkout", "-q", "main", cwd=top)
    return top


def _remember(top: Path, environ: Mapping[str, str], sessions: int) -> None:
    gitmem("init", "--no-import", cwd=top, environ=environ)
    if sessions:
        with closing(captures._open(top)) as storage:
            captures.fill(storage, sessions)


def _without_drains(top: Path) -> None:
    """Let what would drain be a program that does nothing."""
    nothing = shutil.which("true")
    assert nothing
    (top / ".git/gitmem/python").write_text(f"{nothing}\n/\n")


def _spool(top: Path, count: int) -> None:
    for n in range(count):
        text = f"gitmem-event 1\nhook post-checkout\npid 1\ncwd {top}\ngit_dir .git\n\n"
        (top / f".git/gitmem/spool/made-{n}.event").write_text(text)


def _lines(cwd: Path, name: str, count: int) -> bytes:
    lines = islice(material.made_lines(name, 3), count)
    return b"".join(line.replace(b'"/home/ada/tides"', f'"{cwd}"'.encode()) for line in lines)


def _apart(folder: Path) -> dict[str, str]:
    """Return surroundings in which no agent has written anything, and nobody is asked or started."""
    (folder / "home").mkdir(parents=True, exist_ok=True)
    apart = {"HOME": str(folder / "home"), "GITMEM_SIDECAR": "false", "GIT_CONFIG_NOSYSTEM": "1"}
    own = {"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org"}
    own |= {name.replace("AUTHOR", "COMMITTER"): value for name, value in own.items()}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT", "XDG_"))}
    return {**kept, **apart, **own}


def _timed(top: Path, environ: Mapping[str, str], *args: str) -> float:
    started = time.perf_counter()
    _git(top, environ, *args)
    return (time.perf_counter() - started) * 1e3


def _git(top: Path, environ: Mapping[str, str], *args: str) -> None:
    subprocess.run(["git", *args], cwd=top, env=environ, check=True, stdin=subprocess.DEVNULL)
