"""A repository, or the git program, that cannot be used."""

from __future__ import annotations

from gitmem.model.errors.base import GitmemError


class RepositoryError(GitmemError):
    """Something about the repository itself stands in the way."""


class NotARepository(RepositoryError):
    """No git repository at or above the directory."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(
            f"could not find a git repository at or above {path}",
            hint="git init: makes one here; gitmem -C DIR …: works in another directory",
        )


class ForeignOwner(RepositoryError):
    """The repository belongs to another user, and git does not trust it either."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(
            f"could not open {path}: it belongs to another user",
            hint=f"git config --global --add safe.directory {path}: trusts it, for git and gitmem alike",
        )


class GitFailed(RepositoryError):
    """git itself failed at something gitmem asked of it."""

    def __init__(self, doing: str, status: int, stderr: str) -> None:
        self.doing, self.status, self.stderr = doing, status, stderr
        why = stderr.strip() or f"git exited with {status}"
        super().__init__(f"could not {doing}: {why}")


class GitSilent(GitFailed):
    """git said nothing for longer than it may, and was ended."""

    def __init__(self, doing: str, silence_s: float) -> None:
        self.silence_s = silence_s
        super().__init__(doing, -1, f"git said nothing for {silence_s:g} s and was ended")


class GitMissing(RepositoryError):
    """There is no git program on the PATH."""

    hint = "install git 2.30 or newer, or put it on the PATH"

    def __init__(self) -> None:
        super().__init__("could not run git: no such program on the PATH")
