"""Asking the indexer, and reading what it answers: gitmem knows it by its messages alone.

It runs in a process of its own, by the interpreter that we run by, from the installation that we are of.
-E and -P keep PYTHONPATH and the current directory out, so that a repository with an `indexer/` of its own is
not run by accident.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

import gitmem
from gitmem.model.errors import GitmemError, SidecarBroken, SidecarFailed, UsageError
from gitmem.sidecar.wire import Json, ModelRequest, NotUnderstood, Request, decode, encode_request

_START: Final = """\
import sys
home = sys.argv.pop(1)
if home not in sys.path:
    sys.path.insert(0, home)
from indexer.__main__ import main
sys.exit(main())
"""
_SAID_BYTES: Final = 65_536


def ask(
    request: Request | ModelRequest,
    environ: Mapping[str, str],
    *,
    on_notice: Callable[[str], object] = lambda text: None,
    on_progress: Callable[[int, int], object] = lambda done, total: None,
    on_said: Callable[[str], object] = lambda text: None,
) -> Iterator[Json]:
    """Run the indexer once and yield its answers, one for each query, or one for another verb.

    What it wrote to its standard error is handed to `on_said` once it has ended: text that may hold anything.

    Raises:
        SidecarBroken: It met a bug of its own.
        SidecarFailed: It failed, or answered with nothing that can be understood.
        GitmemError: It met an expected failure, which is raised with its own words and hint.
    """
    home = str(Path(gitmem.__file__).resolve().parents[1])
    with tempfile.TemporaryFile() as kept:
        process = subprocess.Popen(
            [sys.executable, "-E", "-P", "-c", _START, home],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=kept,
            env=environ,
        )
        try:
            with process:
                assert process.stdin is not None
                assert process.stdout is not None
                try:
                    yield from _converse(process.stdin, process.stdout, request, on_notice, on_progress)
                except _Silence:
                    status = process.wait()
                    raise _failure(status, _last_said(kept)) from None
                finally:
                    process.kill()
        finally:
            said = _last_said(kept)
            if said:
                on_said(said)


class _Silence(Exception):
    """The indexer ended before it said that it had ended."""


def _converse(
    stdin: IO[bytes],
    stdout: IO[bytes],
    request: Request | ModelRequest,
    on_notice: Callable[[str], object],
    on_progress: Callable[[int, int], object],
) -> Iterator[Json]:
    with suppress(BrokenPipeError):  # it has ended already; what it said, if anything, is still to be read
        stdin.write(encode_request(request))
        stdin.close()
    for line in stdout:
        if not line.endswith(b"\n"):
            break
        try:
            message = decode(line)
        except NotUnderstood as error:
            raise SidecarFailed(f"the indexer answered with nonsense: {error}") from None
        match message:
            case {"answer": dict(answer)}:
                yield answer
            case {"notice": str(text)}:
                on_notice(text)
            case {"progress": [int(done), int(total)]}:
                on_progress(done, total)
            case {"refused": {"message": str(text), "hint": str(hint), "exit_code": int(status)}}:
                raise (UsageError if status == UsageError.exit_code else GitmemError)(text, hint=hint)
            case {"end": True}:
                return
            case _:
                raise SidecarFailed(f"the indexer answered with nonsense: {line[:80]!r}")
    raise _Silence


def _last_said(kept: IO[bytes]) -> str:
    size_bytes = kept.seek(0, 2)
    kept.seek(max(0, size_bytes - _SAID_BYTES))
    return kept.read().decode("utf-8", "replace").strip()


def _failure(status: int, said: str) -> SidecarFailed:
    last_words = said.splitlines()[-1] if said else ""
    if status == SidecarBroken.exit_code:
        return SidecarBroken(last_words or "it does not say which")
    return SidecarFailed(f"the indexer ended with status {status}" + (f": {last_words}" if said else ""))
