"""Asking the indexer, and reading what it answers: gitmem knows it by its messages alone.

A sidecar that is running is asked; otherwise a process of our own answers this once, and a sidecar is started
for the next time. Whatever goes wrong with a sidecar, the process answers what is still to be answered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import IO, Final, NamedTuple

from gitmem.model.errors.base import GitmemError, UsageError
from gitmem.model.errors.searching import SidecarBroken, SidecarFailed, SidecarRefused
from gitmem.sidecar.meeting import Absent, Meeting, meet
from gitmem.sidecar.starting import START, command, start_detached
from gitmem.sidecar.wire import (
    MAX_REQUEST_BYTES,
    Json,
    ModelRequest,
    NotUnderstood,
    Request,
    decode,
    encode_request,
)

_START = START
_SAID_BYTES: Final = 65_536

_OTHER_OBJECTS: Final = ("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_NAMESPACE")
"""Where one of these is set, a sidecar would look at other objects or refs than the one who asks."""

_OF_ITS_OWN: Final = frozenset({"ForeignOwner", "GitFailed", "GitMissing", "NotARepository", "NotReady"})
"""Why a sidecar cannot answer what a process of ours may: git refuses it, which has another environment, or
there is no index yet, and others would have to wait until it is made."""


class Relayed(GitmemError):
    """An expected failure of an indexer, in its own words; `kind` is what it was there."""

    def __init__(self, kind: str, message: str, *, hint: str = "") -> None:
        self.kind = kind
        super().__init__(message, hint=hint)


class RelayedUsage(Relayed, UsageError):
    """What an indexer was asked for does not exist."""


class Listener(NamedTuple):
    """Who is told what goes on meanwhile: notices, progress, and what a process wrote to standard error."""

    on_notice: Callable[[str], object] = lambda text: None
    on_progress: Callable[[int, int], object] = lambda done, total: None
    on_said: Callable[[str], object] = lambda text: None


def ask(
    request: Request | ModelRequest,
    environ: Mapping[str, str],
    *,
    meeting: Meeting | None = None,
    on_notice: Callable[[str], object] = lambda text: None,
    on_progress: Callable[[int, int], object] = lambda done, total: None,
    on_said: Callable[[str], object] = lambda text: None,
) -> Iterator[Json]:
    """Yield the indexer's answers: one for each query, or one for another verb.

    A search is asked of the sidecar at `meeting`, if there is one. What a process wrote to its standard error
    is handed to `on_said` once it has ended: text that may hold anything.

    Raises:
        SidecarBroken: It met a bug of its own.
        SidecarFailed: It failed, or answered with nothing that can be understood.
        GitmemError: It met an expected failure, which is raised with its own words and hint.
    """
    listener = Listener(on_notice, on_progress, on_said)
    if not _is_quick(request):
        # Nobody needs it when we are gone, while a search may go on behind its answer.
        yield from ask_process(request, environ, listener, "bound")
        return
    if meeting is None or any(name in environ for name in _OTHER_OBJECTS):
        yield from ask_process(request, environ, listener)
        return
    assert isinstance(request, Request)
    given, absent = 0, Absent("", may_start=False)
    try:
        for answer in _ask_sidecar(request, meeting, listener):
            given += 1
            yield answer
    except Absent as error:
        absent = error
    except SidecarRefused as error:
        on_notice(f"does without its sidecar: {error}")
    else:
        return
    if given < len(request.queries) or not given:
        yield from ask_process(request._replace(queries=request.queries[given:]), environ, listener)
    if absent.may_start:
        # Behind the answer, for a start takes from it what it needs itself.
        with suppress(OSError):  # there may be no more processes now, and the answer is given
            start_detached(environ, meeting.idle_minutes, absent.wait_s)


def ask_process(
    request: Request | ModelRequest, environ: Mapping[str, str], listener: Listener, *arguments: str
) -> Iterator[Json]:
    """Run the indexer once and yield its answers; `arguments` are for its `main`. Raises as `ask` does.

    Its standard input stays open until it has answered, so that one started with `bound` or `beside` ends
    when we do, and is waited for. What another goes on with behind its answers is not.
    """
    import subprocess  # Both are of no use to who asks a sidecar.
    import tempfile

    with tempfile.TemporaryFile() as kept:
        process = subprocess.Popen(
            command(*arguments, program=_START),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=kept,
            env=environ,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            with suppress(BrokenPipeError):  # it has ended already; what it said is still to be read
                process.stdin.write(encode_request(request))
                process.stdin.flush()
            yield from _answers(process.stdout, listener)
        except _Silence:
            raise _failure(process.wait(), _last_said(kept)) from None
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            with suppress(BrokenPipeError):
                process.stdin.close()
            process.stdout.close()
            if arguments:
                process.wait()
            else:
                process.returncode = process.poll() or 0  # so that nobody complains that it is not waited for
            said = _last_said(kept)
            if said:
                listener.on_said(said)


def _ask_sidecar(request: Request, meeting: Meeting, listener: Listener) -> Iterator[Json]:
    """Yield a sidecar's answers, as far as it gives them.

    Raises:
        Absent: It gave none, or not all.
        SidecarRefused: Nobody should ask it.
        GitmemError: It met an expected failure, that has nothing to do with its surroundings.
    """
    places = tuple(place._replace(start=place.common_dir) for place in request.places)
    line = encode_request(request._replace(places=places))
    if len(line) > MAX_REQUEST_BYTES:
        raise Absent("the request is too long", may_start=False)
    connection = meet(meeting)
    try:
        connection.send(line)
        yield from _answers(connection.lines(), listener, of_no_weight=_OF_ITS_OWN)
    except (_Silence, _Nonsense, _OtherSurroundings) as error:
        raise Absent(str(error), may_start=False) from error
    finally:
        connection.close()


class _Silence(Exception):
    """The indexer ended before it said that it had ended."""


class _Nonsense(SidecarFailed):
    """The indexer said what cannot be understood."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the indexer answered with nonsense: {why}")


class _OtherSurroundings(Exception):
    """git refused the indexer what it may not refuse us."""


def _is_quick(request: Request | ModelRequest) -> bool:
    """Tell whether a request is quick work, which the sidecar is for."""
    return isinstance(request, Request) and request.verb in ("search", "complete")


def _answers(
    lines: Iterable[bytes], listener: Listener, *, of_no_weight: frozenset[str] = frozenset()
) -> Iterator[Json]:
    """Yield the answers among what an indexer says.

    Raises:
        _Silence, _Nonsense: It said less than it should, or something else.
        _OtherSurroundings: It refused, for a reason of no weight.
        GitmemError: It refused.
    """
    for line in lines:
        if not line.endswith(b"\n"):
            break
        try:
            message = decode(line)
        except NotUnderstood as error:
            raise _Nonsense(str(error)) from None
        match message:
            case {"answer": dict(answer)}:
                yield answer
            case {"notice": str(text)}:
                listener.on_notice(text)
            case {"progress": [int(done), int(total)]}:
                listener.on_progress(done, total)
            case {"refused": {"message": str(text), "hint": str(hint), "exit_code": int(status), **more}}:
                kind = str(more.get("kind"))
                raise _refusal(kind, text, hint, status, is_weighty=kind not in of_no_weight)
            case {"end": True}:
                return
            case _:
                raise _Nonsense(f"{line[:80]!r}")
    raise _Silence


def _refusal(kind: str, text: str, hint: str, status: int, *, is_weighty: bool) -> Exception:
    if not is_weighty:
        return _OtherSurroundings(text)
    if status == SidecarBroken.exit_code:
        return SidecarBroken(text)
    return (RelayedUsage if status == UsageError.exit_code else Relayed)(kind, text, hint=hint)


def _last_said(kept: IO[bytes]) -> str:
    size_bytes = kept.seek(0, 2)
    kept.seek(max(0, size_bytes - _SAID_BYTES))
    return kept.read().decode("utf-8", "replace").strip()


def _failure(status: int, said: str) -> SidecarFailed:
    last_words = said.splitlines()[-1] if said else ""
    if status == SidecarBroken.exit_code:
        return SidecarBroken(last_words or "it does not say which")
    return SidecarFailed(f"the indexer ended with status {status}" + (f": {last_words}" if said else ""))
