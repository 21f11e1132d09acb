"""Hooks, agents' configuration, and the demonstration."""

from __future__ import annotations

from gitmem.model.errors.base import GitmemError, UsageError


class HooksElsewhere(GitmemError):
    """git takes hooks from a folder that is not this clone's own, so gitmem writes nothing there unasked.

    Attributes:
        snippet: The line that does the same in a hook that the folder's owner looks after.
        own: The file that it looks after for each hook, with HOOK for its name.
    """

    def __init__(self, folder: str, whose: str, snippet: str, own: str) -> None:
        self.folder, self.whose, self.snippet, self.own = folder, whose, snippet, own
        super().__init__(
            f"could not write hooks: git takes them from {folder}, which {whose}",
            hint="gitmem enable git --force: writes there all the same; or put this line, with each hook's "
            f"name for HOOK, into {own}: {snippet}",
        )


class HookInTheWay(GitmemError):
    """Something stands where a hook would, and is neither a file nor a link to one."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(
            f"could not write the hook {path}: something that is no file has its name",
            hint=f"ls -ld {path}: shows what it is; git cannot run it either",
        )


class NothingToEnable(UsageError):
    """A name was given that gitmem has no entries for."""

    def __init__(self, name: str, known: tuple[str, ...], doing: str) -> None:
        from difflib import get_close_matches  # Only who mistypes pays for it.

        self.name, self.known = name, known
        nearest = get_close_matches(name, known, n=1, cutoff=0.5)
        super().__init__(
            f"could not {doing} {name[:40]!r}: this gitmem has entries for {', '.join(known)}",
            hint=f"gitmem {doing} {nearest[0]}: is the nearest"
            if nearest
            else f"gitmem {doing} -h: shows how it is used",
        )


class ConfigUnreadable(GitmemError):
    """A coding agent's configuration is not what it should be, so nothing of it was changed."""

    def __init__(self, path: str, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(
            f"could not read {path}, which is as it was: {why}",
            hint=f"cat {path}: shows it; once it is mended, run the same command again",
        )

    def at(self, path: str) -> ConfigUnreadable:
        """Return the same of a file, said by whoever knows which it is."""
        return ConfigUnreadable(path, self.why)


class ConfigRefused(GitmemError):
    """A coding agent's configuration may not be written to, so nothing was changed."""

    def __init__(self, path: str, why: str, hint: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"could not write {path}, which is as it was: {why}", hint=hint)


class DemoFailed(GitmemError):
    """A command that the demonstration ran did not do what it should."""

    hint = "gitmem demo --keep: leaves everything as it is, to look around in"

    def __init__(self, step: str, status: int) -> None:
        self.step, self.status = step, status
        super().__init__(f"could not play the demonstration: {step} ended with {status}")
