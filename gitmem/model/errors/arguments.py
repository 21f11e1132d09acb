"""What the command line, the environment or a setting asks for and cannot have."""

from __future__ import annotations

from gitmem.model.errors.base import UsageError


class BadSessionName(UsageError):
    """A session was named in a form that is not `<agent>/<native id>`."""

    hint = "gitmem sessions: lists the names, each as <agent>/<native id>"

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(f"could not read {text[:80]!r} as a session: expected <agent>/<native id>")


class BadTitle(UsageError):
    """A session cannot be called that."""

    def __init__(self, text: str, expected: str) -> None:
        self.text, self.expected = text, expected
        super().__init__(f"could not use {text[:80]!r} as a title: expected {expected}")


class BadTag(UsageError):
    """A session cannot be tagged so."""

    def __init__(self, text: str, expected: str) -> None:
        self.text, self.expected = text, expected
        super().__init__(f"could not use {text[:80]!r} as a tag: expected {expected}")


class BadMessage(UsageError):
    """A checkpoint cannot say that."""

    def __init__(self, text: str, expected: str) -> None:
        self.text, self.expected = text, expected
        super().__init__(f"could not use {text[:80]!r} as a message: expected {expected}")


class BadNote(UsageError):
    """A note cannot say that."""

    def __init__(self, text: str, expected: str) -> None:
        self.text, self.expected = text, expected
        super().__init__(f"could not write {text[:80]!r} down as a note: expected {expected}")


class BadNoteName(UsageError):
    """A note was named in a form that is not `note/<id>`."""

    hint = "gitmem note list --all: lists the names, each as note/<id>"

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(f"could not read {text[:80]!r} as a note: expected note/ and 8 digits of its id")


class BadSetting(UsageError):
    """A setting has a value that it cannot have."""

    def __init__(self, name: str, value: str, expected: str) -> None:
        self.name, self.value, self.expected = name, value, expected
        if name.startswith("GITMEM_"):
            hint = f"unset {name}: leaves the setting to git's configuration"
        else:
            hint = f"git config {name} VALUE: sets it; git config --unset {name}: takes it back"
        super().__init__(f"could not use setting {name} = {value!r}: expected {expected}", hint=hint)


class BadMoment(UsageError):
    """A date, a moment or a time span was written in a form that cannot be read."""

    hint = "2026-05-08, 2026-05-08T13:30 (UTC), 90min, 12h, 7d, 2w, 3mo or 1y: are read"

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(f"could not read {text[:80]!r} as a date or as a time ago")


class UnknownMoment(UsageError):
    """What a memory is to be seen as of is neither a moment nor a commit."""

    hint = "gitmem log: lists the memory's commits; a date, a moment or 7d will do too"

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(f"could not see the memory as of {text[:80]!r}: it is neither a time nor a commit")


class SettingRefused(UsageError):
    """A file that comes with the repository asks for what only its user may decide."""

    hint = "git log -p -- .gitmem.toml: says who wrote it; only what shows less may stand there"

    def __init__(self, path: str, name: str, why: str) -> None:
        self.path, self.name, self.why = path, name, why
        super().__init__(f"could not use {name} in {path}: {why}")


class DirectoryMissing(UsageError):
    """gitmem was told, or started, to work in a directory that is not there."""

    def __init__(self, path: str, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"could not work in {path}: {why}")
