"""What `gitmem redact` does: looking through files, and trying rules.

Invariant: nothing that is printed holds a secret, or any part of one. Even the names of files go through the
redactor.
"""

from __future__ import annotations

import os
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import IO, TYPE_CHECKING, Final, NamedTuple

from gitmem.cli.context import Context
from gitmem.cli.text import one_line
from gitmem.model.errors.intake import PathUnreadable
from gitmem.model.errors.repositories import ForeignOwner, NotARepository

if TYPE_CHECKING:
    from gitmem.model.settings import Level, Settings
    from gitmem.redaction.inspecting import Inspector, Sighting
    from gitmem.redaction.redactor import Redactor
    from gitmem.redaction.rules import RuleSet

STDIN: Final = "-"
MOST_FINDINGS: Final = 10_000
"""Findings are counted beyond this, but not listed: memory is bounded, and nobody reads more."""

_BLOCK: Final = 1 << 20
_LOOKED_AT: Final = 8192
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


class Found(NamedTuple):
    """One finding; `path` is fit to be shown."""

    path: str
    sighting: Sighting


class Scanned:
    """What a scan came to; `found` is bounded, `counts` by kind are not."""

    def __init__(self) -> None:
        self.found: list[Found] = []
        self.counts: Counter[str] = Counter()
        self.files = 0
        self.binary = 0
        self.unread: list[str] = []

    @property
    def total(self) -> int:
        """How much was found."""
        return self.counts.total()


def config_at(context: Context) -> tuple[Mapping[str, tuple[str, ...]], Settings]:
    """Return git's configuration and the settings, those of the user alone where there is no repository."""
    try:
        return context.repository.config, context.settings
    except (NotARepository, ForeignOwner):
        from gitmem.git.repository import user_config
        from gitmem.git.settings import without_repository

        config = user_config(context.start, context.git)
        return config, without_repository(context.environ, config)


def rules_of(context: Context, level: Level | None) -> RuleSet:
    """Return the rules that text is redacted with here, by what is set and at a level.

    Raises:
        RuleRefused: A rule of the user's own cannot be used.
    """
    from gitmem.redaction.policy import policy_of, rule_set
    from gitmem.redaction.userrules import user_rules

    config, settings = config_at(context)
    return rule_set(level or settings.level, policy_of(settings, user_rules(config)))


def redactor_at(context: Context, rules: RuleSet) -> Redactor:
    """Return a redactor with the repository's key, so that placeholders are as in its memory; or any key."""
    from gitmem.cli.opening import key_of
    from gitmem.redaction.redactor import Redactor

    try:
        return Redactor(key_of(context), rules)
    except (NotARepository, ForeignOwner):
        return Redactor(secrets.token_bytes(32), rules)


def scan(context: Context, paths: Sequence[str], rules: RuleSet) -> Scanned:
    """Look through files, folders and standard input.

    Raises:
        PathUnreadable: There is nothing at one of the paths, or it may not be read.
    """
    from gitmem.redaction.inspecting import Inspector
    from gitmem.redaction.redactor import Redactor

    inspector, names = Inspector(rules), Redactor(secrets.token_bytes(32), rules)
    scanned = Scanned()
    with context.output.progress("scanning", None) as progress:
        for path in paths:
            if path == STDIN:
                _read(context.stdin, "standard input", inspector, scanned)
                continue
            for file in _files(context.start / path, names, scanned):
                shown = _shown(names, os.path.relpath(file, context.start))
                _scan_file(file, shown, inspector, scanned)
                progress.advance(1, shown)
    return scanned


def _files(path: Path, names: Redactor, scanned: Scanned) -> Iterator[Path]:
    """Yield the ordinary files at a path, in order; links are not followed and git's folders not entered."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise PathUnreadable(_shown(names, str(path)), error.strerror or str(error)) from None
    if not S_ISDIR(mode):
        yield path
        return

    def note(error: OSError) -> None:
        scanned.unread.append(_shown(names, str(error.filename)))

    for folder, folders, files in os.walk(path, onerror=note):
        folders[:] = sorted(name for name in folders if name != ".git")
        for name in sorted(files):
            file = Path(folder, name)
            if S_ISREG(file.lstat().st_mode):
                yield file


def _shown(names: Redactor, path: str) -> str:
    """Return a path as it can be printed on one line: redacted, and its bytes that are no text as escapes."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return one_line(names.text(text))


def _scan_file(path: Path, shown: str, inspector: Inspector, scanned: Scanned) -> None:
    file: IO[bytes] | None = None
    with suppress(OSError):  # told of by its name, and by the exit code
        file = path.open("rb")
    if file is None:
        scanned.unread.append(shown)
        return
    with file:
        _read(file, shown, inspector, scanned)


def _read(file: IO[bytes], shown: str, inspector: Inspector, scanned: Scanned) -> None:
    head = file.read(_LOOKED_AT)
    if b"\0" in head and not head.startswith(_UTF16):
        scanned.binary += 1
        return
    scanned.files += 1
    for sighting in inspector.inspect(_chunks(head, file)):
        scanned.counts[sighting.kind] += 1
        if len(scanned.found) < MOST_FINDINGS:
            scanned.found.append(Found(shown, sighting))


def _chunks(head: bytes, file: IO[bytes]) -> Iterable[bytes]:
    yield head
    yield from iter(partial(file.read, _BLOCK), b"")


class Trial(NamedTuple):
    """How one rule's own test went; `why` is empty where it passed."""

    name: str
    why: str


def try_rules(context: Context) -> list[Trial]:
    """Try every rule by itself: those built in, then the user's own, on their samples."""
    from gitmem.model.errors.withholding import RuleRefused
    from gitmem.redaction.engine import Engine
    from gitmem.redaction.personal import PERSONAL
    from gitmem.redaction.rules import BUILT_IN, RuleSet
    from gitmem.redaction.userrules import declared, proven

    trials = []
    for rule in (*BUILT_IN.rules, *PERSONAL):
        alone = Engine(RuleSet((rule,)))
        found = list(alone.matches(b"")) or list(
            alone.matches(b"The quick brown fox jumps over the lazy dog.")
        )
        trials.append(Trial(rule.name or rule.kind, "it finds something in ordinary text" if found else ""))
    try:
        own = declared(config_at(context)[0])
    except RuleRefused as refused:
        return [*trials, Trial(f"user:{refused.name}", refused.why)]
    for declaration in own:
        try:
            proven(declaration)
        except RuleRefused as refused:
            trials.append(Trial(f"user:{declaration.name}", refused.why))
        else:
            trials.append(Trial(f"user:{declaration.name}", ""))
    return trials
