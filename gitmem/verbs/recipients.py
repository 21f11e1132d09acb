"""Whom private sessions are sealed to: the user's own configuration says, and the sessions follow it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from gitmem import disk
from gitmem.git.process import Git
from gitmem.git.repository import Repository
from gitmem.model.errors.store import RecipientRefused
from gitmem.objects.storage import Storage
from gitmem.sealed.identities import as_recipient, plain_recipient
from gitmem.sealed.recipients import Resealed, reseal_all, rewrap_all
from gitmem.sealed.ring import Ring

_SETTING = "gitmem.recipient"
_MAX_FILE_BYTES = 65536


class Sealing(NamedTuple):
    """The repository whose configuration is changed, and how a ring is made for a list of recipients."""

    repository: Repository
    git: Git
    storage: Storage
    ring_for: Callable[[tuple[str, ...]], Ring]

    @property
    def named(self) -> tuple[str, ...]:
        """The recipients that the configuration names, as they are compared."""
        return tuple(dict.fromkeys(map(plain_recipient, self.repository.config.get(_SETTING, ()))))


class Changed(NamedTuple):
    """What a change came to: the keys that it was about, the recipients since, and the sessions."""

    keys: tuple[str, ...]
    recipients: tuple[str, ...]
    sessions: Resealed


def read_keys(words: Iterable[str], start: Path) -> tuple[str, ...]:
    """Read public keys: each word is one, or the path of a file with one on a line.

    Raises:
        RecipientRefused: A word is neither.
    """
    found: list[str] = []
    for word in words:
        path = start / word
        if word.startswith(("age1", "ssh-")) or not path.is_file():
            found.append(plain_recipient(word))
            continue
        with disk.refusing("read", path), path.open("rb") as file:
            text = file.read(_MAX_FILE_BYTES).decode("utf-8", "replace")
        found += _keys_in(text, word)
    for key in found:
        as_recipient(key)
    if not found:
        raise RecipientRefused(" ".join(words), "no key stands in it")
    return tuple(dict.fromkeys(found))


def _keys_in(text: str, path: str) -> Iterator[str]:
    """Yield the keys in a file; what is none is told by its place: the file may hold a secret."""
    for number, line in enumerate(text.splitlines(), 1):
        key = line.strip()
        if not key or key.startswith("#"):
            continue
        try:
            key = plain_recipient(key)
            as_recipient(key)
        except RecipientRefused as refused:
            raise RecipientRefused(f"{path}, line {number}", refused.why) from None
        yield key


def add_recipients(sealing: Sealing, keys: tuple[str, ...]) -> Changed:
    """Seal private sessions to further keys, those that there are as well.

    One that is a recipient already is no error: sessions that lack it, after a run that was stopped, get it.

    Raises:
        RecipientRefused: There would be too many.
        IdentityMissing: The user's own identity cannot be used.
    """
    named = tuple(dict.fromkeys((*sealing.named, *keys)))
    ring = sealing.ring_for(named)
    ring.wrap(ring.new_secret())  # would fail before anything is changed
    for key in named:
        if key not in sealing.named:
            _configure(sealing, "--add", _SETTING, key)
    sessions = rewrap_all(sealing.storage, ring)
    return Changed(keys, ring.recipients(), sessions)


def remove_recipients(sealing: Sealing, keys: tuple[str, ...]) -> Changed:
    """Seal private sessions to some keys no longer: all that can be opened is sealed anew, with new secrets.

    One that is no recipient is no error, so that a run that was stopped can be run again.

    Raises:
        RecipientRefused: It is the user's own.
        IdentityMissing: The user's own identity cannot be used.
    """
    ring = sealing.ring_for(tuple(key for key in sealing.named if key not in keys))
    recipients = ring.recipients()
    for key in keys:
        if key in recipients:
            raise RecipientRefused(key, "it is your own, and what you capture you could not capture on")
    for value in dict.fromkeys(sealing.repository.config.get(_SETTING, ())):
        if plain_recipient(value) in keys:
            _configure(sealing, "--unset-all", _SETTING, f"^{_as_pattern(value)}$")
    sessions = reseal_all(sealing.storage, ring)
    return Changed(keys, recipients, sessions)


def _configure(sealing: Sealing, *args: str) -> None:
    repository = sealing.repository
    disk.announce("write", repository.common_dir / "config")
    answer = sealing.git.run(
        ["config", "--local", *args],
        doing=f"set {_SETTING} in the configuration of {repository.common_dir}",
        git_dir=repository.common_dir,
        accept=(0, 5),
    )
    if answer.status:
        key = args[-1].strip("^$").replace("\\", "")
        raise RecipientRefused(
            key, "the user's configuration names it: git config --global --edit removes it"
        )


def _as_pattern(text: str) -> str:
    """Return the extended regular expression that fits one text alone."""
    return re.sub(r"([][\\.*^$+?(){}|])", r"\\\1", text)
