"""Short questions to git, several at once, with the least that starting a process takes.

A search asks two of them before it asks anything else, and the library that starts processes would take
longer to load than they take to answer.
"""

from __future__ import annotations

import os
import select
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from gitmem.git.process import INTERNAL_CONFIG, Answer, Git, command_of, internal_environ, readable
from gitmem.model.errors.repositories import GitFailed, GitMissing

_PIECE_BYTES: Final = 1 << 16


class _Asked(NamedTuple):
    """A running git, and where what it says can be read: standard output, then standard error."""

    pid: int
    pipes: tuple[int, int]


class Asked:
    """Gits that were asked a question each, and run; they end by themselves, heard or not."""

    def __init__(self, asked: list[_Asked]) -> None:
        self._asked = asked

    def answers(self) -> list[Answer]:
        """Wait until all have ended, and return what they said, in order; only once."""
        asked, self._asked = self._asked, []
        try:
            said = _read([pipe for each in asked for pipe in each.pipes])
            return [
                Answer(_status(asked.pop(0)), bytes(said[2 * n]), readable(bytes(said[2 * n + 1])))
                for n in range(len(said) // 2)
            ]
        finally:
            for each in asked:
                _end(each)


def ask_at(git: Git, start: Path, *questions: Sequence[str], doing: str) -> list[Answer]:
    """Ask git in a directory, all questions at once, and return what was said, in order.

    It is `begin_asking` and the answers to it.
    """
    return begin_asking(git, start, *questions, doing=doing).answers()


def begin_asking(git: Git, start: Path, *questions: Sequence[str], doing: str) -> Asked:
    """Start a git for each question in a directory, all at once; what they say is read later.

    Any status is accepted. GIT_DIR and its like count, as for a hook; standard input is empty.

    Raises:
        GitMissing: There is no git.
        GitFailed: It cannot be started.
    """
    program = _program(git)
    # GIT_CONFIG would have `git config` read another file than all else does.
    environ = internal_environ({name: value for name, value in git.environ.items() if name != "GIT_CONFIG"})
    command = [*command_of(INTERNAL_CONFIG), "-C", str(start)]
    asked: list[_Asked] = []
    try:
        for question in questions:
            asked.append(_start(program, [*command, *question], environ, doing))
    except BaseException:
        for each in asked:
            _end(each)
        raise
    return Asked(asked)


def _program(git: Git) -> str:
    for folder in os.get_exec_path(dict(git.environ)):
        path = os.path.join(folder, "git")  # noqa: PTH118 (a search may not dally)
        if os.access(path, os.X_OK) and not os.path.isdir(path):  # noqa: PTH112
            return path
    raise GitMissing


def _start(program: str, command: list[str], environ: dict[str, str], doing: str) -> _Asked:
    out, out_of_git = os.pipe()
    err, err_of_git = os.pipe()
    try:
        pid = os.posix_spawn(
            program,
            command,
            environ,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, out_of_git, 1),
                (os.POSIX_SPAWN_DUP2, err_of_git, 2),
            ],
        )
    except OSError as error:
        os.close(out)
        os.close(err)
        raise GitFailed(doing, -1, f"{program}: {error.strerror}") from error
    finally:
        os.close(out_of_git)
        os.close(err_of_git)
    return _Asked(pid, (out, err))


def _read(pipes: Sequence[int]) -> list[bytearray]:
    """Read pipes to their ends, whichever has something to say."""
    said = {pipe: bytearray() for pipe in pipes}
    poll = select.poll()
    for pipe in pipes:
        poll.register(pipe, select.POLLIN)
    left = set(pipes)
    while left:
        for pipe, _ in poll.poll():
            piece = os.read(pipe, _PIECE_BYTES)
            said[pipe] += piece
            if not piece:
                poll.unregister(pipe)
                left.remove(pipe)
    return [said[pipe] for pipe in pipes]


def _end(asked: _Asked) -> None:
    import signal

    os.kill(asked.pid, signal.SIGKILL)
    _status(asked)


def _status(asked: _Asked) -> int:
    """Wait for a git to end, and close what it was heard by."""
    for pipe in asked.pipes:
        os.close(pipe)
    return os.waitstatus_to_exitcode(os.waitpid(asked.pid, 0)[1])
