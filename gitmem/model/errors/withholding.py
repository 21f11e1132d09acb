"""What is kept back: levels, redaction, and what is forgotten."""

from __future__ import annotations

from gitmem.model.errors.base import GitmemError, UsageError


class LevelNotKept(UsageError):
    """New sessions are to get a level that none gets by itself, so nothing is taken in."""

    def __init__(self, level: str) -> None:
        self.level = level
        super().__init__(
            f"could not take sessions in at level {level!r}: what everybody may see is looked through first",
            hint="git config gitmem.level team: then gitmem level SESSION public: shows one to everybody",
        )


class CheckpointNotKept(UsageError):
    """Checkpoints are the team's, and the sessions of this working tree are not."""

    def __init__(self, level: str) -> None:
        self.level = level
        super().__init__(
            f"could not record a checkpoint: sessions here are {level}, and checkpoints are the team's",
            hint="git config gitmem.level team: lets whoever gets the memory read both",
        )


class LevelsDamaged(GitmemError):
    """What is remembered of sessions' levels cannot be read, and without it a private one might be shared."""

    def __init__(self, path: str, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(
            f"could not read which sessions are private, in {path}: {why}; nothing was taken in",
            hint=f"mv {path} {path}.bad: forgets it; then gitmem level SESSION private: for those that are",
        )


class LevelRefused(UsageError):
    """A session cannot get the level that it was to have."""

    def __init__(self, session: str, level: str, why: str, hint: str) -> None:
        self.session, self.level, self.why = session, level, why
        super().__init__(f"could not give {session[:200]} level {level}: {why}", hint=hint)


class ForgetRefused(UsageError):
    """What was asked for would take more out of the memory than was named, and nobody said yes."""

    hint = "gitmem forget … --dry-run: lists them; --yes: does it"

    def __init__(self, count: int, what: str) -> None:
        self.count, self.what = count, what
        super().__init__(
            f"could not forget {count} {what}: nobody can be asked here, and --yes was not given"
        )


class NotForgotten(GitmemError):
    """A session does not wait to be erased."""

    hint = "gitmem forget --list: lists those that wait; what was erased is taken in by gitmem import --again"

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"could not take back that {name} is forgotten: it is not")


class MayNotErase(GitmemError):
    """The settings say whose erasures count, and this one would not."""

    hint = "gitmem forget SESSION: hides it from everybody; whom gitmem.erasers names may erase it"

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(f"could not erase anything: {why}")


class ErasuresUnreadable(GitmemError):
    """The list of histories that were left cannot be read."""

    def __init__(self, path: str, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(
            f"could not read {path}: {why}",
            hint=f"rm {path}: what it listed is no longer cleared here; objects of it may stay",
        )


class RedactionFailed(GitmemError):
    """The redactor could not do its work, so what it was given was not written."""

    hint = "gitmem import PATH: tries again, once the cause is gone"

    def __init__(self, what: str, why: str) -> None:
        self.what, self.why = what, why
        super().__init__(f"could not redact {what}: {why}; what was not redacted was not stored")


class RuleRefused(UsageError):
    """A rule for what is to be redacted cannot be used, so nothing is taken in until it is mended."""

    hint = "gitmem redact test: tries every rule; git config --edit: is where a rule of your own stands"

    def __init__(self, name: str, why: str) -> None:
        self.name, self.why = name, why
        super().__init__(f"could not use the redaction rule {name[:80]!r}: {why}")


class KindUnknown(GitmemError):
    """No placeholder is of that kind, and no rule is called so."""

    hint = "gitmem redact explain: lists the kinds that there are"

    def __init__(self, asked: str) -> None:
        # What was typed may be the secret itself, so it is not repeated.
        self.length = len(asked)
        super().__init__("could not explain that: it is no placeholder, no kind of one, and no rule")
