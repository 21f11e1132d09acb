"""What a command is given: the world outside, each part of it read once and only if it is asked for."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING

from gitmem.cli.acting import acting
from gitmem.cli.output import Colour, Output, choose_pager
from gitmem.model.errors.arguments import DirectoryMissing

if TYPE_CHECKING:
    from gitmem.git.process import Git
    from gitmem.git.repository import Repository, Sought
    from gitmem.model.settings import Settings


class Context:
    """One run of the command line; `@click.pass_obj` hands it to a command.

    `start` is the directory to work in, after every `-C`. `now_ms` is the wall clock, in milliseconds since
    1970. Nothing may prompt unless `is_interactive`; git and ssh are told so as well.
    """

    def __init__(
        self,
        *,
        environ: Mapping[str, str],
        stdin: IO[bytes],
        stdout: IO[bytes],
        stderr: IO[bytes],
        now_ms: Callable[[], int],
    ) -> None:
        self.is_interactive = stdin.isatty()
        self.environ = environ if self.is_interactive else {**environ, **_without_prompts(environ)}
        self.stdin, self.now_ms = stdin, now_ms
        self.output = Output(stdout, stderr, environ)
        self.is_paged = True
        self._directory: Path | None = None
        self._sought: Sought | None = None

    @cached_property
    def start(self) -> Path:
        """The directory to work in.

        Raises:
            DirectoryMissing: It has been removed.
        """
        return self._directory or _working_directory()

    @cached_property
    def git(self) -> Git:
        """The user's git; after `-C` it no longer knows the repository that a hook was started in."""
        from gitmem.git.process import Git

        git = Git(self.environ)
        return git if self._directory is None else git.elsewhere()

    @cached_property
    def repository(self) -> Repository:
        """The repository at hand; raises as `discover` does."""
        sought, self._sought = self._sought or self._seek(), None
        return sought.found()

    def seek_repository(self) -> None:
        """Have git look for the repository at hand meanwhile: whoever asks for it then waits for less.

        Raises as `repository` does.
        """
        if "repository" not in self.__dict__:
            self._sought = self._seek()

    def _seek(self) -> Sought:
        from gitmem.git.repository import seek

        return seek(self.start, self.git)

    @cached_property
    def settings(self) -> Settings:
        """The settings of the repository at hand; raises as `load` does."""
        from gitmem.git.settings import load

        return load(self.repository, self.environ)

    def move(self, directory: Path) -> None:
        """Work in another directory, as `-C` says; a relative one counts from where the last `-C` led.

        Raises:
            DirectoryMissing: There is no such directory.
        """
        path = self.start / directory
        if not path.is_dir():
            raise DirectoryMissing(str(path), "there is no such directory")
        for name in ("start", "git", "repository", "settings"):
            self.__dict__.pop(name, None)
        self._directory, self._sought = path, None

    def at(self, repository: Repository, output: Output | None = None) -> Context:
        """Return the same run at work in another repository, told of in another place if one is given.

        Nothing that a hook was told of the repository at hand reaches the other one. What is told in another
        place asks for nothing: several may be at work at once.
        """
        if output is None and repository.common_dir == self.repository.common_dir:
            return self
        other = copy(self)
        other.__dict__.pop("settings", None)
        other._directory, other._sought = repository.top or repository.common_dir, None
        git = self.git.elsewhere()
        if output is not None:
            other.output, other.is_interactive = output, False
            other.environ = {**self.environ, **_without_prompts(self.environ)}
            git = git._replace(environ={**git.environ, **_without_prompts(git.environ)})
        other.__dict__ |= {"start": other._directory, "git": git, "repository": repository}
        return other

    def again(self, output: Output | None = None) -> Context:
        """Return a context for the same place that finds the repository and its settings anew.

        What is told in another place, if one is given, asks for nothing.
        """
        context = Context(
            environ=self.environ,
            stdin=self.stdin,
            stdout=self.output.stdout,
            stderr=self.output.stderr,
            now_ms=self.now_ms,
        )
        context.output, context.is_paged, context._directory = self.output, self.is_paged, self._directory
        if output is not None:
            context.output, context.is_interactive = output, False
            context.environ = {**self.environ, **_without_prompts(self.environ)}
        return context

    def choose_colour(self, colour: Colour) -> None:
        """Do as `--color` says from here on."""
        self.output = Output(self.output.stdout, self.output.stderr, self.environ, colour)

    @contextmanager
    def paged(self) -> Iterator[Output]:
        """Page what is printed inside as git would, if this is a terminal and nobody said `--no-pager`."""
        pager = ""
        if self.is_paged and self.output.is_terminal:
            # A command that works without a repository pages all the same.
            repository: Repository | None = self.__dict__.get("repository")
            config = repository.config if repository else {}
            pager = choose_pager(self.environ, config.get("core.pager", (None,))[-1])
        with self.output.paged(pager):
            yield self.output

    @contextmanager
    def telling(self) -> Iterator[Output]:
        """Page what others wrote; whoever is no person gets it between delimiters, as lines of a
        quotation."""
        with self.paged() as output:
            if acting(self.environ) == "person":
                yield output
                return
            from gitmem.recall.delimiters import NONCE_BYTES, delimiters

            with output.quoting(delimiters(os.urandom(NONCE_BYTES))):
                yield output


def context_of_process() -> Context:
    """Return the context of the process that we are; a closed stream reads and writes nothing."""
    return Context(
        environ=dict(os.environ),
        stdin=sys.stdin.buffer if sys.stdin else Path(os.devnull).open("rb"),
        stdout=sys.stdout.buffer if sys.stdout else Path(os.devnull).open("wb"),
        stderr=sys.stderr.buffer if sys.stderr else Path(os.devnull).open("wb"),
        now_ms=lambda: time.time_ns() // 1_000_000,
    )


def _working_directory() -> Path:
    try:
        return Path.cwd()
    except OSError as error:
        raise DirectoryMissing("the current directory", error.strerror or str(error)) from error


def _without_prompts(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what keeps git and ssh from asking at the terminal that a process may still have."""
    quiet = {"GIT_TERMINAL_PROMPT": environ.get("GIT_TERMINAL_PROMPT", "0")}
    if "SSH_ASKPASS" not in environ:
        # A program that answers nothing: it takes no `-o BatchMode=yes`, so core.sshCommand stays the user's.
        quiet |= {"SSH_ASKPASS": "false", "SSH_ASKPASS_REQUIRE": "force"}
    return quiet
