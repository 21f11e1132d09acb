"""An entry of a chain: its closed form, its bytes and its name.

The bytes are one line of JSON as RFC 8785 (JSON Canonicalization Scheme) would write it: keys in order, no
space, and every text from an alphabet that needs no escape. One expression says all of that, so what does not
fit it is refused before anything parses it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal, NamedTuple

from gitmem.model.errors.store import AuditRefused

Handling = Literal["read", "told", "owed"]
Detail = Mapping[str, int | str]

MAX_DETAILS: Final = 16
MAX_LINE_BYTES: Final = 4096
NO_NAME: Final = "0" * 64
"""What the first entry of a chain has as the name of the one before."""

_WORD: Final = r"[A-Za-z0-9][A-Za-z0-9.:#_-]{0,63}"
_KEY: Final = r"[a-z][a-z0-9-]{0,31}"
_PAIR: Final = rf'"{_KEY}":(?:0|[1-9][0-9]{{0,14}}|"{_WORD}")'
_LINE: Final = re.compile(
    rf'\{{"action":"({_KEY})"'
    r',"actor":"([0-9a-f]{32})"'
    r',"at":"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z)"'
    rf',"by":"({_KEY}(?::{_KEY})?)"'
    rf',"detail":(\{{(?:{_PAIR}(?:,{_PAIR}){{0,{MAX_DETAILS - 1}}})?\}})'
    r',"device":"([0-9a-f]{32})"'
    r',"number":([1-9][0-9]{0,14})'
    r',"previous":"([0-9a-f]{64})"'
    rf',"reason":"((?:{_WORD})?)"'
    rf',"subject":"({_KEY}(?::[0-9a-f]{{32,64}})?)"\}}'.encode()
)


class Head(NamedTuple):
    """The last entry of a chain: its number, and its name."""

    number: int
    name: str


BEGINNING: Final = Head(0, NO_NAME)


class Deed(NamedTuple):
    """What was done, before it has a place in a chain.

    `at` is a moment as records have it. `by` is `person` or `agent:<name>`. `subject` is `memory`, or a kind
    and a name in hex. `reason`, and every text of `detail`, is a single word.
    """

    action: str
    at: str
    by: str
    detail: Detail
    reason: str
    subject: str

    def check(self) -> None:
        """Raise a ValueError where a field has a form that no reader takes."""
        chain([self], BEGINNING, "0" * 32, "0" * 32)


class Entry(NamedTuple):
    """A deed in its place. The fields are in the order of their names, as in the bytes."""

    action: str
    actor: str
    at: str
    by: str
    detail: Detail
    device: str
    number: int
    previous: str
    reason: str
    subject: str

    @property
    def deed(self) -> Deed:
        """What was done, without its place."""
        return Deed(self.action, self.at, self.by, self.detail, self.reason, self.subject)


def chain(deeds: list[Deed], head: Head, device: str, actor: str) -> tuple[list[bytes], Head]:
    """Give deeds their places behind a head; return their lines, without line ends, and the new head.

    Raises:
        ValueError: A field has a form that no reader takes; a caller's bug.
    """
    lines = []
    for deed in deeds:
        action, at, by, detail, reason, subject = deed
        entry = Entry(action, actor, at, by, detail, device, head.number + 1, head.name, reason, subject)
        line = encode(entry)
        lines.append(line)
        head = Head(entry.number, name_of(line))
    return lines, head


def encode(entry: Entry) -> bytes:
    """Return an entry's line, without a line end.

    Raises:
        ValueError: A field has a form that no reader takes.
    """
    fields = entry._asdict() | {"detail": dict(sorted(entry.detail.items()))}
    line = json.dumps(fields, separators=(",", ":")).encode()
    if not _LINE.fullmatch(line):
        raise ValueError(f"no reader would take this audit entry: {line!r:.400}")
    return line


def name_of(line: bytes) -> str:
    """Return what the next entry calls the one in this line: its SHA-256, whatever git's hash is."""
    return hashlib.sha256(line).hexdigest()


def decode(line: bytes, where: str) -> Entry:
    """Read an entry's line; `where` says which in an error.

    Raises:
        AuditRefused: It is none, or not in canonical form.
    """
    found = _LINE.fullmatch(line) if len(line) <= MAX_LINE_BYTES else None
    if found is None:
        raise AuditRefused(where, "it is no audit entry in canonical form")
    action, actor, at, by, detail, device, number, previous, reason, subject = found.groups()
    fields: dict[str, int | str] = {}
    if detail != b"{}":
        pairs: list[tuple[str, int | str]] = json.loads(detail, object_pairs_hook=list)
        fields = dict(pairs)
        if list(fields) != sorted(fields) or len(fields) != len(pairs):
            raise AuditRefused(where, "its detail is not in canonical form")
    moment = at.decode()
    try:
        datetime.fromisoformat(moment)
    except ValueError:
        raise AuditRefused(where, f"{moment} is no moment") from None
    return Entry(
        action.decode(),
        actor.decode(),
        moment,
        by.decode(),
        fields,
        device.decode(),
        int(number),
        previous.decode(),
        reason.decode(),
        subject.decode(),
    )


def follow(lines: list[bytes], head: Head, device: str, where: str) -> tuple[list[Entry], Head]:
    """Read lines that go on from a head; return their entries, and the new head.

    Raises:
        AuditRefused: One is no entry, is of another device, or does not follow the one before.
    """
    entries = []
    for line in lines:
        entry = decode(line, where)
        if entry.device != device:
            raise AuditRefused(where, f"entry {entry.number} is of the device {entry.device}, not {device}")
        if entry.number != head.number + 1:
            raise AuditRefused(where, f"entry {entry.number} stands behind entry {head.number}")
        if entry.previous != head.name:
            raise AuditRefused(where, f"entry {entry.number} does not follow from the one before")
        head = Head(entry.number, name_of(line))
        entries.append(entry)
    return entries, head
