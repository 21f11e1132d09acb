"""Records as bytes: canonical JSON in one zstd frame, named by its SHA-256.

A session's record alone is named by what it says: its id begins with its key's digest, so that a key is
found without reading every session.

Canonical means: what `encode` would write. Anything else is refused, so that a record has one name.
"""

from __future__ import annotations

import hashlib
from typing import TypeVar

import msgspec

from gitmem.format import codec
from gitmem.model import times
from gitmem.model.errors.store import RecordRefused
from gitmem.model.ids import RecordId, SessionId, SessionKey
from gitmem.model.records import (
    MAX_LISTED,
    MAX_NATIVE_ID,
    MAX_NOTE,
    MAX_SIGNATURE,
    MAX_STREAM,
    MAX_TAG_VALUE,
    MAX_TAGS,
    MAX_VALUE,
    REGISTER_TYPES,
    AnyRecord,
    Capture,
    Checkpoint,
    Note,
    Record,
    Register,
    Session,
    Tombstone,
)
from gitmem.model.settings import LEVELS

MAX_RECORD_BYTES = 16 << 20
"""Of plaintext: a capture lists 4,000 segments a gigabyte, and takes some 80 bytes for each."""

KEY_DIGITS = 40

_encoder = msgspec.json.Encoder(order="deterministic")
_decoder: msgspec.json.Decoder[AnyRecord] = msgspec.json.Decoder(
    Session | Capture | Register | Checkpoint | Note | Tombstone
)
_R = TypeVar("_R", bound=Record)


def encode(record: Record) -> bytes:
    """Return a record's plaintext: one line of JSON, keys in a fixed order, no space, UTF-8."""
    return _encoder.encode(record)


def name_of(record: Record, plain: bytes) -> RecordId:
    """Return the name of a record, given its plaintext too."""
    if isinstance(record, Session):
        return RecordId(session_id(record))
    return RecordId(hashlib.sha256(plain).hexdigest())


def session_id(record: Session) -> SessionId:
    """Return a session's id: 40 digits of its key's SHA-256, and the first 24 of its beginning.

    Of a later incarnation the 24 are those of the SHA-256 of beginning, space and number.
    """
    beginning = record.beginning
    if record.incarnation:
        beginning = hashlib.sha256(f"{beginning} {record.incarnation}".encode()).hexdigest()
    return SessionId(key_digest(SessionKey(record.agent, record.native_id)) + beginning[:24])


def key_digest(key: SessionKey) -> str:
    """Return what the ids of all sessions of one key begin with: 40 hex digits."""
    return hashlib.sha256(str(key).encode("utf-8", "surrogatepass")).hexdigest()[:KEY_DIGITS]


def seal(record: Record) -> tuple[RecordId, bytes]:
    """Return a record's name and the blob that holds it.

    Raises:
        RecordRefused: Nobody would read it, for a text in it is beyond its bound.
    """
    _check_lengths(record)
    plain = encode(record)
    return name_of(record, plain), codec.compress(plain)


def unseal(blob: bytes, name: str, path: str, expected: type[_R]) -> _R:
    """Read the blob that should hold the record `name`; `path` says where it stands, in an error.

    Raises:
        ObjectDamaged: It does not decode.
        RecordRefused: It is another record than its name says, of another kind, or not canonical.
    """
    record, plain = _open(blob, path)
    found = name_of(record, plain)
    if found != name:
        raise RecordRefused(path, f"its content is named {found}")
    if not isinstance(record, expected):
        raise RecordRefused(
            path, f"expected a {expected.__name__.lower()}, found a {type(record).__name__.lower()}"
        )
    if encode(record) != plain:
        raise RecordRefused(path, "not in canonical form")
    _check_values(record, path)
    _check_lengths(record, path)
    return record


def decode(plain: bytes, path: str) -> AnyRecord:
    """Read the JSON of a record.

    Raises:
        RecordRefused: It is none.
    """
    try:
        return _decoder.decode(plain)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise RecordRefused(path, f"not a record: {error}") from None
    except RecursionError:
        raise RecordRefused(path, "not a record: nested too deeply") from None


def read_name(blob: bytes, path: str) -> RecordId:
    """Return the one name under which a blob's record may stand.

    Raises:
        ObjectDamaged: It does not decode.
        RecordRefused: It is no record.
    """
    return name_of(*_open(blob, path))


def _open(blob: bytes, path: str) -> tuple[AnyRecord, bytes]:
    plain = codec.decompress(blob, path, MAX_RECORD_BYTES)
    return decode(plain, path), plain


def _check_values(record: Record, path: str) -> None:
    """Refuse what the types cannot tell: a day that there never was, a value that a register cannot hold."""
    for moment in (getattr(record, "at", None), getattr(record, "due", None)):
        if moment is not None and not _is_moment(moment):
            raise RecordRefused(path, f"{moment} is no moment")
    if isinstance(record, Register) and record.value is not None:
        if not isinstance(record.value, REGISTER_TYPES[record.name]):
            raise RecordRefused(path, f"{record.name} cannot be {record.value!r:.40}")
        if record.name == "level" and record.value not in LEVELS:
            raise RecordRefused(path, f"there is no level {record.value!r:.40}")
        if record.name == "forgotten" and not _is_moment(str(record.value)):
            raise RecordRefused(path, f"{record.value!r:.40} is no moment")


def _check_lengths(record: Record, path: str = "") -> None:
    """Refuse texts that are names of something and longer than any name."""
    match record:
        case Session(native_id=text):
            bounds = [("native_id", text, MAX_NATIVE_ID)]
        case Capture(stream=text):
            bounds = [("stream", text, MAX_STREAM)]
        case Register(name=name, value=str() as text):
            bounds = [(name, text, MAX_VALUE)]
        case Tombstone(reason=reason, signature=signature):
            bounds = [("reason", reason, MAX_VALUE), ("signature", signature, MAX_SIGNATURE)]
        case Register(value=tuple() as tags):
            if len(tags) > MAX_TAGS:
                raise RecordRefused(path or "register", f"it has {len(tags)} tags, more than {MAX_TAGS}")
            bounds = [("tag", tag, MAX_TAG_VALUE) for tag in tags]
        case Note():
            longest = max(map(len, (record.supersedes, record.about, record.files)))
            if longest > MAX_LISTED:
                raise RecordRefused(path or "note", f"it lists {longest} things, more than {MAX_LISTED}")
            bounds = [("text", record.text, MAX_NOTE), ("agent", record.agent or "", MAX_VALUE)]
            bounds += [("path", file, MAX_VALUE) for file in record.files]
            bounds += [("stream", position.stream, MAX_STREAM) for position in record.about]
        case _:
            bounds = []
    for what, text, most in bounds:
        if len(text) > most:
            raise RecordRefused(
                path or type(record).__name__.lower(),
                f"its {what} has {len(text)} characters, more than {most}",
            )


def _is_moment(text: str) -> bool:
    try:
        return times.to_text(times.to_ms(text)) == text
    except ValueError:
        return False
