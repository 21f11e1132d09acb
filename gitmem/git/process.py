"""Starting git; short questions go by gitmem.git.asking, and nothing else in gitmem starts it.

Every call says what it was for, so that a failure can tell a person what did not happen. The environment
is handed in once, as `Git(environ)`; whoever needs git holds that value and never looks at the process's own.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Container, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Final, NamedTuple, Self

from gitmem.model.errors.repositories import GitFailed, GitMissing, GitSilent

if TYPE_CHECKING:
    import subprocess

REDIRECTING: Final = frozenset(
    {
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_ATTR_SOURCE",
        "GIT_COMMON_DIR",
        "GIT_CONFIG",
        "GIT_DIR",
        "GIT_GLOB_PATHSPECS",
        "GIT_GRAFT_FILE",
        "GIT_ICASE_PATHSPECS",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_INTERNAL_SUPER_PREFIX",
        "GIT_LITERAL_PATHSPECS",
        "GIT_NAMESPACE",
        "GIT_NOGLOB_PATHSPECS",
        "GIT_NO_REPLACE_OBJECTS",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_QUARANTINE_PATH",
        "GIT_REPLACE_REF_BASE",
        "GIT_SHALLOW_FILE",
        "GIT_WORK_TREE",
    }
)
"""What git gives its hooks about the repository at hand, and what would bend a call meant for another.

`git rev-parse --local-env-vars` names most. GIT_CONFIG_PARAMETERS, GIT_CONFIG_COUNT and their like are not
here: they are the user's own `git -c`, as are GIT_SSH_COMMAND, GIT_ASKPASS, GIT_TERMINAL_PROMPT,
GIT_CONFIG_GLOBAL and GIT_CONFIG_SYSTEM.
"""

INTERNAL_CONFIG: Final = {
    "core.fsmonitor": "false",
    "core.hooksPath": "/dev/null",
    # Since git 2.54 hooks may stand in the configuration too; these are what gitmem's own calls would run.
    "hook.post-index-change.enabled": "false",
    "hook.reference-transaction.enabled": "false",
    "log.showSignature": "false",
}
_INTERNAL_ENVIRON: Final = {
    "GITMEM_HOOKS": "false",  # no core.hooksPath keeps hooks of the configuration away
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "LC_ALL": "C",
}
_STDERR_KEPT_BYTES: Final = 8192
_CLOSING_TIMEOUT_S: Final = 10.0
_LAST_WORDS_TIMEOUT_S: Final = 1.0


class Answer(NamedTuple):
    """What one run of git came to; `status` is one that the caller accepted."""

    status: int
    stdout: bytes
    stderr: str

    @property
    def text(self) -> str:
        """Standard output without its last line end; bytes that are not UTF-8 survive `os.fsencode`."""
        return self.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")


class Git(NamedTuple):
    """The user's git, with the environment that gitmem was started in.

    The keyword arguments mean the same in every method. `doing` completes "could not …". `git_dir` names the
    repository, and whatever the environment says about another one is left out; without it git looks for
    itself, as a hook expects. `config` is this call's own `-c`. `as_user` leaves hooks, replaced objects,
    lazy fetching and messages as the user has them, for `fetch` and `push`; without it none of these has a
    say. Standard input is empty unless given, so nothing reads the terminal's.

    All raise GitMissing when there is no git, and GitFailed when it ends with a status not in `accept`.
    """

    environ: Mapping[str, str]

    def run(
        self,
        args: Sequence[str],
        *,
        doing: str,
        git_dir: Path | None = None,
        cwd: Path | None = None,
        stdin: bytes = b"",
        accept: Container[int] = (0,),
        timeout_s: float | None = None,
        config: Mapping[str, str] | None = None,
        as_user: bool = False,
    ) -> Answer:
        """Run git to its end and return what it said; after `timeout_s` it is ended and has failed."""
        import subprocess

        process = self._popen(args, doing, git_dir, cwd, config, as_user, stderr=subprocess.PIPE)
        with process:
            try:
                stdout, said = process.communicate(stdin, timeout_s)
            except subprocess.TimeoutExpired as error:
                process.kill()
                raise GitFailed(doing, -1, f"git gave no answer within {timeout_s:g} s") from error
            except BaseException:
                process.kill()
                raise
        stderr = readable(said)
        if process.returncode not in accept:
            raise GitFailed(doing, process.returncode, stderr)
        return Answer(process.returncode, stdout, stderr)

    def watch(
        self,
        args: Sequence[str],
        *,
        doing: str,
        tell: Callable[[bytes], object],
        git_dir: Path | None = None,
        cwd: Path | None = None,
        accept: Container[int] = (0,),
        config: Mapping[str, str] | None = None,
        as_user: bool = True,
        stdin: bytes = b"",
        silence_s: float | None = None,
    ) -> Answer:
        """Run git to its end, giving `tell` what it writes to standard error as it comes.

        git shows progress to a terminal only; a caller who wants it asks with `--progress`. One that says
        nothing for `silence_s` is ended, with all that it started; for that it is out of the terminal's
        reach, and can ask nobody for a passphrase there. What is put in is small: it is written first.

        Raises:
            GitSilent: It said nothing for so long.
        """
        import subprocess

        from gitmem.git import watching  # A search runs nothing to watch.

        is_apart = silence_s is not None
        process = self._popen(
            args, doing, git_dir, cwd, config, as_user, stderr=subprocess.PIPE, is_apart=is_apart
        )
        with process:
            try:
                with contextlib.suppress(BrokenPipeError):  # It has ended already; its status says why.
                    _pipe(process.stdin).write(stdin)
                    _pipe(process.stdin).close()
                stdout, said = watching.drain(process, tell, silence_s, _STDERR_KEPT_BYTES)
            except watching.Silence as error:
                watching.end(process, is_apart)
                raise GitSilent(doing, silence_s or 0) from error
            except BaseException:
                watching.end(process, is_apart)
                raise
        stderr = readable(said)
        if process.returncode not in accept:
            raise GitFailed(doing, process.returncode, stderr)
        return Answer(process.returncode, stdout, stderr)

    def start(
        self,
        args: Sequence[str],
        *,
        doing: str,
        git_dir: Path | None = None,
        cwd: Path | None = None,
        accept: Container[int] = (0,),
        config: Mapping[str, str] | None = None,
        as_user: bool = False,
    ) -> GitProcess:
        """Start a git that is talked to over its pipes, like `cat-file --batch`; the caller closes it."""
        # A file, for a pipe that nobody reads would stop git once it is full.
        import tempfile  # It brings hashlib and random; a run to the end needs no file.

        said = tempfile.TemporaryFile()  # noqa: SIM115 (GitProcess closes it)
        try:
            process = self._popen(args, doing, git_dir, cwd, config, as_user, stderr=said)
        except BaseException:
            said.close()
            raise
        return GitProcess(process, said, doing, accept)

    def elsewhere(self) -> Git:
        """Return a git that knows nothing of the repository at hand, to look for another one with."""
        return Git({name: value for name, value in self.environ.items() if name not in REDIRECTING})

    def _popen(
        self,
        args: Sequence[str],
        doing: str,
        git_dir: Path | None,
        cwd: Path | None,
        config: Mapping[str, str] | None,
        as_user: bool,
        stderr: int | IO[bytes],
        is_apart: bool = False,
    ) -> subprocess.Popen[bytes]:
        import subprocess  # A search, which only asks short questions, does without them.

        environ: Mapping[str, str] = self.environ if git_dir is None else self.elsewhere().environ
        if not as_user:
            environ = internal_environ(environ)
        command = command_of({**({} if as_user else INTERNAL_CONFIG), **(config or {})})
        if git_dir is not None:
            command.append(f"--git-dir={git_dir}")
        try:
            return subprocess.Popen(
                [*command, *args],
                cwd=cwd,
                env=environ,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                process_group=0 if is_apart else None,
            )
        except OSError as error:
            import shutil

            # A directory that does not exist, and one that may not be entered, look like a missing program.
            if shutil.which("git", path=environ.get("PATH")) is None:
                raise GitMissing from error
            raise GitFailed(doing, -1, f"{error.filename or 'git'}: {error.strerror}") from error


class GitProcess:
    """A running git with a buffered pipe at each end: `stdin` to write to and flush, `stdout` to read from.

    Closing it ends git and raises GitFailed if it ended badly, or had ended before; after an exception it is
    killed, and only a broken pipe is explained by what git said. Closing twice does nothing.
    """

    def __init__(
        self, process: subprocess.Popen[bytes], said: IO[bytes], doing: str, accept: Container[int]
    ) -> None:
        self.stdin = _pipe(process.stdin)
        self.stdout = _pipe(process.stdout)
        self._process, self._said, self._doing, self._accept = process, said, doing, accept

    def close(self) -> None:
        """End git by ending its input; what it has still to say is thrown away."""
        if self._said.closed:
            return
        with contextlib.suppress(BrokenPipeError):  # It has ended already; its status says why.
            self.stdin.close()
        try:
            _exhaust(self.stdout)
            status = self._process.wait(_CLOSING_TIMEOUT_S)
        except BaseException:
            self.kill()
            raise
        stderr = self._stderr()
        self._release()
        if status not in self._accept:
            raise GitFailed(self._doing, status, stderr)

    def kill(self) -> None:
        """End git at once, without a word about how it ended."""
        if self._said.closed:
            return
        self._process.kill()
        self._process.wait()
        self._release()

    def failure(self) -> GitFailed:
        """End git and return why it stopped talking, for a caller that met the end of `stdout` too early."""
        import subprocess

        with contextlib.suppress(BrokenPipeError):
            self.stdin.close()
        try:
            # Killed at once it could not finish saying why.
            status = self._process.wait(_LAST_WORDS_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        stderr = self._stderr() or "git stopped in the middle of an answer"
        self._release()
        return GitFailed(self._doing, status, stderr)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        elif isinstance(error, BrokenPipeError) and not self._said.closed:
            raise self.failure() from error
        else:
            self.kill()

    def _stderr(self) -> str:
        if self._said.closed:
            return ""
        size_bytes = self._said.seek(0, os.SEEK_END)
        self._said.seek(max(0, size_bytes - _STDERR_KEPT_BYTES))
        return readable(self._said.read())

    def _release(self) -> None:
        for pipe in (self.stdin, self.stdout, self._said):
            with contextlib.suppress(BrokenPipeError):  # Nothing is left to read what was still buffered.
                pipe.close()


def command_of(config: Mapping[str, str]) -> list[str]:
    """Return how a command line of git begins, with settings of its own."""
    command = ["git", "--no-pager"]
    for name, value in config.items():
        command += ["-c", f"{name}={value}"]
    return command


def internal_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a git whose words and doings are for us and not for the user."""
    return {**{name: value for name, value in environ.items() if name != "LANGUAGE"}, **_INTERNAL_ENVIRON}


def _exhaust(stream: IO[bytes]) -> None:
    while stream.read(65536):
        pass


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None, "every git is started with pipes"
    return stream


def readable(said: bytes) -> str:
    """Return git's own words without the marks that it puts before them, and without overwritten progress."""
    lines = [line.rpartition("\r")[2] for line in said.decode("utf-8", "replace").split("\n")]
    return "\n".join(line.removeprefix("fatal: ").removeprefix("error: ") for line in lines).strip()
