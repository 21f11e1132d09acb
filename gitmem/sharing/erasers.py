"""Whose erasures count: signing tombstones, and letting in from remotes what those who are named signed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from gitmem.format import records
from gitmem.format.outcomes import Accept, accept_all
from gitmem.git.process import Git
from gitmem.git.repository import Repository
from gitmem.git.signing import SignedText, State, Verdict, check_texts, sign_text
from gitmem.model.ids import RecordId
from gitmem.model.records import Tombstone
from gitmem.model.settings import Settings
from gitmem.model.times import to_ms
from gitmem.verbs import caching

_KIND: Final = "verdicts 1"
_BELIEVED_S: Final = 3600.0
"""What keys git knows may change in ways that nothing shows, as behind a program of the user's own."""
_MOST: Final = 20_000
_MOST_CHECKED: Final = 500
"""At once: git starts a program for each, and whoever may push may push any number of them."""
_WHY: Final[Mapping[State, str]] = {
    "untrusted": "it is signed by {}, which git does not trust",
    "expired": "its signature, or the key {}, has expired",
    "revoked": "it is signed by {}, which was revoked",
    "unknown": "the key that it is signed with is not known here",
    "bad": "its signature is not of this tombstone, or of a key that was revoked",
}


class Certified(NamedTuple):
    """A tombstone, and what git says of its signature."""

    name: RecordId
    tombstone: Tombstone
    verdict: Verdict


def sign_if_wanted(repository: Repository, git: Git, settings: Settings, tombstone: Tombstone) -> Tombstone:
    """Return a tombstone with the user's signature, where they sign what is sent of its level.

    Raises:
        SigningFailed: git does not sign.
    """
    if settings.signed == "all" or (settings.signed == "team" and tombstone.level == "team"):
        return sign_tombstone(repository, git, tombstone)
    return tombstone


def sign_tombstone(repository: Repository, git: Git, tombstone: Tombstone) -> Tombstone:
    """Return a tombstone with the user's signature; raises as `sign_if_wanted` does."""
    bare = _signed(tombstone)
    signature = sign_text(repository, git, bare.text, bare.at_s)
    return msgspec.structs.replace(tombstone, signature=signature)


def certify(
    repository: Repository, git: Git, tombstones: Iterable[tuple[RecordId, Tombstone]]
) -> list[Certified]:
    """Return what git says of those tombstones that are signed."""
    found = [(name, tombstone) for name, tombstone in tombstones if tombstone.signature]
    if not found:
        return []
    verdicts = check_texts(repository, git, [_signed(tombstone) for _, tombstone in found])
    return [Certified(*each, verdict) for each, verdict in zip(found, verdicts, strict=True)]


def accepted_by(
    repository: Repository, git: Git, settings: Settings, *, clock: Callable[[], float]
) -> Accept:
    """Return what says why a tombstone from a remote does not count, or nothing where it does.

    Where the settings name nobody, all count. What was once refused is remembered for an hour, and for as
    long as nothing changes of who is named and of the keys that git knows.
    """
    if not settings.erasers:
        return accept_all
    return _Judge(repository, git, settings.erasers, clock).why_not


def why_not_by(verdict: Verdict, erasers: Iterable[str]) -> str:
    """Return why a signature is none of those who are named; nothing where it is.

    A fingerprint names a key whatever git makes of it, short of a bad signature; a principal or a user id
    only a key that git trusts.
    """
    named = set(erasers)
    if verdict.state in ("good", "untrusted"):
        if not {_fingerprint(key) for key in verdict.keys}.isdisjoint(filter(None, map(_fingerprint, named))):
            return ""
        names = {verdict.signer, _address(verdict.signer)} - {""}
        if verdict.state == "good" and not names.isdisjoint(named):
            return ""
    if verdict.state == "good":
        return f"it is signed by {verdict.signer}, whom gitmem.erasers does not name"
    return _WHY[verdict.state].format(verdict.signer or " ".join(verdict.keys[:1]) or "somebody")


class _Refused(msgspec.Struct, frozen=True, array_like=True):
    why: str
    at_s: float


class _Table(msgspec.Struct, frozen=True, array_like=True):
    """What was refused, by the names of tombstones, under one state of settings and keys."""

    state: bytes
    refused: dict[str, _Refused]


_decoder = msgspec.msgpack.Decoder(_Table)


class _Judge:
    def __init__(
        self, repository: Repository, git: Git, erasers: tuple[str, ...], clock: Callable[[], float]
    ) -> None:
        self._repository, self._git, self._erasers, self._clock = repository, git, erasers, clock
        self._path = repository.state_dir / "cache" / "erasers"
        self._table: _Table | None = None
        self._checked = 0

    def why_not(self, tombstone: Tombstone) -> str:
        """Tell why a tombstone does not count."""
        if not tombstone.signature:
            return "it is not signed, and gitmem.erasers says who has to"
        name, now = records.name_of(tombstone, records.encode(tombstone)), self._clock()
        table = self._table = self._table or self._read()
        known = table.refused.get(name)
        if known is not None and 0 <= now - known.at_s < _BELIEVED_S:
            return known.why
        self._checked += 1
        if self._checked > _MOST_CHECKED:
            return f"{_MOST_CHECKED} signatures were checked before it; the next pull goes on"
        [verdict] = check_texts(self._repository, self._git, [_signed(tombstone)])
        why = why_not_by(verdict, self._erasers)
        if why and len(table.refused) < _MOST:
            table.refused[name] = _Refused(why, now)
            caching.write_derived(self._path, _KIND, msgspec.msgpack.encode(table))
        return why

    def _read(self) -> _Table:
        state = self._state()
        found = caching.load(self._path, _KIND, _decoder)
        return found if found is not None and found.state == state else _Table(state, {})

    def _state(self) -> bytes:
        """Return what is another one when somebody else is named, or git knows other keys."""
        digest = hashlib.sha256()
        config = self._repository.config
        names = ("gpg.", "user.")
        settings = sorted((name, values) for name, values in config.items() if name.startswith(names))
        digest.update(repr((sorted(self._erasers), settings)).encode("utf-8", "backslashreplace"))
        for path in _files_of_keys(self._repository, self._git.environ):
            try:
                status = path.stat()
            except OSError:
                continue  # one that is not there says nothing
            digest.update(
                f"{path} {status.st_mtime_ns} {status.st_size}\n".encode("utf-8", "backslashreplace")
            )
        return digest.digest()


def _files_of_keys(repository: Repository, environ: Mapping[str, str]) -> list[Path]:
    home = Path(environ.get("HOME") or "/")
    gnupg = Path(environ.get("GNUPGHOME") or home / ".gnupg")
    found = [gnupg / name for name in ("pubring.kbx", "pubring.gpg", "trustdb.gpg", "trustlist.txt")]
    for name in ("gpg.ssh.allowedsignersfile", "gpg.ssh.revocationfile"):
        value = repository.config.get(name, ("",))[-1]
        if value:
            path = home / value[2:] if value.startswith("~/") else Path(value)
            found.append((repository.top or repository.git_dir) / path)
    return found


def _signed(tombstone: Tombstone) -> SignedText:
    bare = msgspec.structs.replace(tombstone, signature="")
    return SignedText(records.encode(bare).decode(), to_ms(tombstone.at) // 1000, tombstone.signature)


def _fingerprint(text: str) -> str:
    """Return a text as a fingerprint; nothing where it is none, as the id of a key, which others may have."""
    if text.startswith("SHA256:"):
        return text
    digits = text.replace(" ", "").upper()
    return digits if re.fullmatch(r"[0-9A-F]{40}|[0-9A-F]{64}", digits) else ""


def _address(signer: str) -> str:
    """Return the address in a user id; nothing where there is none."""
    return signer.rpartition("<")[2].removesuffix(">") if signer.endswith(">") else ""
