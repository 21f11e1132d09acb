"""The report of a failure that nobody expected.

It is written for a person who may show it to strangers, so it holds no text of a transcript, no argument and
no message of an exception: only where in the code it happened, and which versions did it.
"""

from __future__ import annotations

import os
import platform
import tempfile
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

import gitmem
from gitmem.cli.commands import COMMANDS


def write_report(error: BaseException, argv: Sequence[str], environ: Mapping[str, str], now_ms: int) -> Path:
    """Write a report that only the user can read, and return where.

    It stands under XDG_STATE_HOME; where that cannot be written, in the directory for temporary files.
    """
    at = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now_ms / 1000))
    home = environ.get("HOME", "")
    state = Path(environ.get("XDG_STATE_HOME") or f"{home}/.local/state")
    content = describe(error, argv, at)
    directory = state / "gitmem" / "reports"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _write(directory, at, content)
    except OSError:
        # A home that is full or read-only is likely to be why we are here.
        return _write(Path(tempfile.gettempdir()), at, content)


def describe(error: BaseException, argv: Sequence[str], at: str) -> str:
    """Return the text of a report."""
    lines = [
        f"gitmem {gitmem.__version__}, Python {platform.python_version()}, {platform.platform()}",
        f"at {at}",
        f"command: gitmem {' '.join(without_values(argv))}",
        *_frames(error),
    ]
    return "\n".join(lines) + "\n"


def without_values(argv: Sequence[str]) -> list[str]:
    """Return a command line with the names of its command and options, and nothing else that a user wrote."""
    shown = []
    for argument in argv:
        name, equals, _ = argument.partition("=")
        if argument in COMMANDS or argument == "--":
            shown.append(argument)
        elif "--" in shown:
            shown.append("…")
        elif name.startswith("--") and name[2:].replace("-", "").isalpha():
            shown.append(name + ("=…" if equals else ""))
        elif len(argument) > 1 and argument[0] == "-" and argument[1].isalpha():
            shown.append(argument[:2])
        else:
            shown.append("…")
    return shown


def _frames(error: BaseException) -> list[str]:
    """Return where the error arose, and the errors before it, the first one first."""
    earlier = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    lines = _frames(earlier) if earlier is not None else []
    lines += ["", f"{type(error).__module__}.{type(error).__qualname__} at"]
    frames = traceback.extract_tb(error.__traceback__)
    lines += [f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
    return lines


def _write(directory: Path, at: str, content: str) -> Path:
    descriptor, name = tempfile.mkstemp(prefix=f"gitmem-{at}-", suffix=".txt", dir=directory)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(content)
    return Path(name)
