"""Images and other binary content in base64: told by how they begin, and replaced whole.

What begins as no known form stays: signatures and encrypted reasoning, which an agent's model needs back. The
forms' first bytes are from the formats' own descriptions.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from typing import NamedTuple

from gitmem.redaction.expressions import expression
from gitmem.redaction.placeholders import PAYLOADS, payload_digest, payload_placeholder

_LEAST = 200
"""Characters; what is shorter is an icon at most, or no payload."""
_STEP = 64 << 10
_UNDECIDED = 4 << 10
"""What follows a place may tell whether the payload goes on there; not from further away than this."""

_SLASH = r"\\*/"
_ONE = rf"(?:[A-Za-z0-9+_-]|{_SLASH})"
_GAP = r"(?:\\+[nr]|[\r\n])(?:\\+[nrt]|[ \t\r\n]){0,16}"
_BODY = rf"(?:{_ONE}|{_GAP}{_ONE}{{16}})*(?:(?:{_GAP})?=){{0,2}}"
_REMOVED = b" \t\r\n\\"

_MAGICS = (
    "iVBORw0KGgo",
    "/9j/",
    "R0lGOD[dl]h",
    "UklGR",
    f"Qk{_ONE}{{6}}AAAA",
    "SUkqA",
    "TU0AK",
    "AAABAA",
    "JVBERi0",
    "UEsDB",
    "H4sI",
    "KLUv/",
    "N3q8rycc",
    "/Td6WFoA",
    "Qlpo[MNO]",
    "f0VMR",
    "TVqQAA",
    "(?:z/rt/g|zvrt/g)",
    "AGFzb[QS]",
    "yv66vg",
    "U1FMaXRlIGZvcm1hdCAz",
    "SUQz[AB]",
    "//uQ",
    "AAAA[A-Za-z0-9+/][GWm2]Z0eX",
    "T2dnUw",
    "ZkxhQ",
    "d09GM?[RMg]",
    "T1RUTw",
    "AAEAAAA",
)
_MAGIC = "|".join(magic.replace("/", _SLASH).replace(rf"+{_SLASH}]", "+/]") for magic in _MAGICS)
_NAME = "[A-Za-z0-9.+-]{1,80}"
_DATA = rf"data:{_NAME}(?:{_SLASH}{_NAME})?(?:;[A-Za-z0-9=._-]{{1,60}}){{0,4}};base64,"
PAYLOAD = rf"(?:{_MAGIC}){_ONE}{{20}}|;base64,"
"""Finds whether a text may hold a payload."""
_START = rf"({_DATA})|(?:^|[^A-Za-z0-9+/=_-]|\\[nrt])((?:{_MAGIC}){_ONE}{{20}})"
_TEXT = (
    rf"data:(?:text{_SLASH}.*|[a-z]+{_SLASH}(?:.*(?:json|xml|yaml|toml|javascript|ecmascript|typescript|x-sh|sql)"
    r"|x-www-form-urlencoded).*|)"
)

_FORMS = (
    (0, b"\x89PNG\r\n\x1a\n", "png"),
    (0, b"\xff\xd8\xff", "jpeg"),
    (0, b"GIF8", "gif"),
    (8, b"WEBP", "webp"),
    (8, b"WAVE", "wav"),
    (0, b"RIFF", "riff"),
    (0, b"II*\x00", "tiff"),
    (0, b"MM\x00*", "tiff"),
    (0, b"\x00\x00\x01\x00", "ico"),
    (0, b"%PDF-", "pdf"),
    (0, b"PK\x03\x04", "zip"),
    (0, b"\x1f\x8b\x08", "gzip"),
    (0, b"\x28\xb5\x2f\xfd", "zstd"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z"),
    (0, b"\xfd7zXZ\x00", "xz"),
    (0, b"BZh", "bzip2"),
    (0, b"\x7fELF", "elf"),
    (0, b"MZ", "pe"),
    (0, b"\xcf\xfa\xed\xfe", "macho"),
    (0, b"\xce\xfa\xed\xfe", "macho"),
    (0, b"\x00asm", "wasm"),
    (0, b"\xca\xfe\xba\xbe", "class"),
    (0, b"SQLite format 3", "sqlite"),
    (0, b"ID3", "mp3"),
    (0, b"\xff\xfb", "mp3"),
    (4, b"ftyp", "mp4"),
    (0, b"OggS", "ogg"),
    (0, b"fLaC", "flac"),
    (0, b"wOF", "font"),
    (0, b"OTTO", "font"),
    (0, b"\x00\x01\x00\x00\x00", "font"),
    (0, b"BM", "bmp"),
    (257, b"ustar", "tar"),
)


class Payload(NamedTuple):
    """Where a payload's base64 stands in a text, and the kind of its placeholder."""

    start: int
    end: int
    kind: str


def payloads(text: bytes) -> Iterator[Payload]:
    """Yield the payloads of a text, in order, disjoint. What is text in base64 is none."""
    end = 0
    for match in expression(_START).finditer(text):
        introduction, magic = match.span(1), match.span(2)
        start = introduction[1] if introduction[0] >= 0 else magic[0]
        if start < end:
            continue
        body = expression(_BODY).match(text, start)
        if body is None or body.end() - start < _LEAST:
            continue
        form = _form(_plain(text[start : min(start + 600, body.end())]))
        if introduction[0] >= 0 and not form:
            form = "" if expression(f"(?i:{_TEXT})").fullmatch(match[1]) else _named(match[1])
        if form:
            end = body.end()
            yield Payload(start, end, f"payload-{form}")


def payload_bytes(coded: bytes) -> bytes:
    """Return what the base64 of a payload says."""
    return _plain(coded)


class PayloadReader:
    """One payload under way, for as long as it goes on; holds a part of it, whatever its length."""

    def __init__(self, key: bytes, kind: str) -> None:
        self._kind = kind
        self._digest = payload_digest(key, kind)
        self._size = 0
        self._pending = b""
        self._quad = b""

    def feed(self, piece: bytes, *, more: bool) -> bytes | None:
        """Take the next bytes; return what follows the payload's end, or None if it goes on.

        With `more`, what has come so far is not known to be all.
        """
        self._pending += piece
        body = expression(_BODY).match(self._pending)
        end = body.end() if body else 0
        if not more or len(self._pending) - end > _UNDECIDED:
            rest = self._pending[end:]
            self._read(self._pending[:end], last=True)
            self._pending = b""
            return rest
        self._read(self._taken(end), last=False)
        return None

    def placeholder(self) -> bytes:
        """Return what is written instead, once all has been read."""
        return payload_placeholder(self._kind, self._size, self._digest.digest())

    def _taken(self, end: int) -> bytes:
        """Take what no later byte can change, up to a place between two characters of base64."""
        cut = min(end, len(self._pending) - _UNDECIDED)
        while cut > 0 and not _is_between(self._pending[cut - 2 : cut] if cut > 1 else b""):
            cut -= 1
        cut = max(cut, 0)
        taken, self._pending = self._pending[:cut], self._pending[cut:]
        return taken

    def _read(self, coded: bytes, *, last: bool) -> None:
        characters = self._quad + _characters(coded)
        whole = len(characters) if last else len(characters) // 4 * 4
        self._quad = characters[whole:]
        for start in range(0, whole, _STEP):
            plain = _decoded(characters[start : min(start + _STEP, whole)])
            self._digest.update(plain)
            self._size += len(plain)


def _is_between(two: bytes) -> bool:
    """Tell whether a place behind these is inside of no escape, as it is in an escaped line end."""
    return two[-1:] in (b"/", b"+", b"-", b"_") or (
        two[-1:].isalnum() and (two[:1].isalnum() or two[:1] in b"/+-_")
    )


def replacement(key: bytes, kind: str, coded: bytes) -> bytes:
    """Return the placeholder of a payload that is here whole."""
    reader = PayloadReader(key, kind)
    reader._read(coded, last=True)
    return reader.placeholder()


def _named(introduction: bytes) -> str:
    """Return the form that a data URI names, if it is one we know."""
    name = introduction.split(b";")[0].rpartition(b"/")[2].decode().lower()
    return name if f"payload-{name}" in PAYLOADS else "data"


def _form(head: bytes) -> str:
    for offset, magic, form in _FORMS:
        if head.startswith(magic, offset):
            return form
    return ""


def _plain(coded: bytes) -> bytes:
    return _decoded(_characters(coded))


_URLSAFE = bytes.maketrans(b"-_", b"+/")


def _characters(coded: bytes) -> bytes:
    """Return the base64 alone: without line ends, however escaped, and padding."""
    if b"\\" in coded:
        for letter in b"nrt":
            coded = coded.replace(bytes((0x5C, letter)), b"")
    return coded.translate(_URLSAFE, _REMOVED + b"=")


def _decoded(characters: bytes) -> bytes:
    if len(characters) % 4 == 1:
        characters = characters[:-1]
    return binascii.a2b_base64(characters + b"=" * (-len(characters) % 4))
