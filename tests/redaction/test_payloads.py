"""Images and other payloads: replaced whole, by type, size and keyed hash."""

from __future__ import annotations

import gzip
import hmac
import io
import json
import struct
import tarfile
import tracemalloc
import zlib
from base64 import b32encode, b64encode
from random import Random

import pytest

from gitmem.redaction.longline import LONGEST_SHORT_LINE
from gitmem.redaction.placeholders import placeholder_spans, same_line, skeleton
from gitmem.redaction.redactor import Redactor
from gitmem.redaction.rules import BUILT_IN
from tests.redaction.planting import PLACEHOLDER
from tests.redaction.shapes import SHAPES

KEY = bytes(range(32))
REDACTOR = Redactor(KEY)


def png(rng: Random, size: int) -> bytes:
    chunk = b"IDAT" + rng.randbytes(size)
    header = b"IHDR" + struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    parts = [
        struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in (header, chunk, b"IEND")
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def tar(rng: Random) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        member = tarfile.TarInfo("a")
        member.size = 900
        archive.addfile(member, io.BytesIO(rng.randbytes(900)))
    return file.getvalue()


BEGINNINGS = {
    "jpeg": b"\xff\xd8\xff\xe0\x00\x10JFIF",
    "gif": b"GIF89a",
    "webp": b"RIFF\x00\x10\x00\x00WEBPVP8 ",
    "wav": b"RIFF\x00\x10\x00\x00WAVEfmt ",
    "tiff": b"II*\x00\x08",
    "ico": b"\x00\x00\x01\x00\x01\x00",
    "bmp": b"BM\x36\x10\x00\x00\x00\x00\x00\x00\x36",
    "pdf": b"%PDF-1.7\n%\xe2\xe3",
    "zip": b"PK\x03\x04\x14\x00",
    "zstd": b"\x28\xb5\x2f\xfd\x24",
    "7z": b"7z\xbc\xaf\x27\x1c\x00\x04",
    "xz": b"\xfd7zXZ\x00\x00\x04",
    "bzip2": b"BZh91AY&SY",
    "elf": b"\x7fELF\x02\x01\x01",
    "pe": b"MZ\x90\x00\x03\x00",
    "macho": b"\xcf\xfa\xed\xfe\x07",
    "wasm": b"\x00asm\x01\x00\x00\x00",
    "class": b"\xca\xfe\xba\xbe\x00\x00\x00\x37",
    "sqlite": b"SQLite format 3\x00",
    "mp3": b"ID3\x04\x00\x00",
    "mp4": b"\x00\x00\x00\x20ftypisom",
    "ogg": b"OggS\x00\x02",
    "flac": b"fLaC\x00\x00\x00\x22",
    "font": b"wOF2\x00\x01\x00\x00",
}


def token(kind: str, content: bytes) -> bytes:
    digest = hmac.digest(KEY, kind.encode() + b"\x00" + content, "sha256")
    return f"[gm:{kind}:{len(content)}:".encode() + b32encode(digest[:10]).lower() + b"]"


def image_line(content: bytes) -> bytes:
    source = {"type": "base64", "media_type": "image/png", "data": b64encode(content).decode()}
    return json.dumps({"type": "image", "source": source}).encode()


def test_image_becomes_a_placeholder_with_its_size_and_hash() -> None:
    content = png(Random(1), 5000)
    redacted = REDACTOR.line(image_line(content))
    assert json.loads(redacted)["source"]["data"].encode() == token("payload-png", content)
    assert REDACTOR.line(redacted) == redacted
    assert REDACTOR.counts["payload-png"]


@pytest.mark.parametrize("form", BEGINNINGS)
def test_payload_is_known_by_how_it_begins(form: str) -> None:
    content = BEGINNINGS[form] + Random(form).randbytes(900)
    line = json.dumps({"a": "file:\n" + b64encode(content).decode()}).encode()
    assert json.loads(REDACTOR.line(line))["a"].encode() == b"file:\n" + token(f"payload-{form}", content)


def test_archives_are_payloads() -> None:
    for form, content in (
        ("gzip", gzip.compress(Random(1).randbytes(900), mtime=0)),
        ("tar", tar(Random(1))),
    ):
        line = b'{"a":"data:application/octet-stream;base64,' + b64encode(content) + b'"}'
        assert token(f"payload-{form}", content) in REDACTOR.line(line)


def test_payload_of_an_unknown_form_is_told_by_its_data_uri() -> None:
    content = Random(1).randbytes(500)
    line = b'<img src="data:image/x-new;base64,' + b64encode(content) + b'">'
    assert (
        REDACTOR.line(line) == b'<img src="data:image/x-new;base64,' + token("payload-data", content) + b'">'
    )


@pytest.mark.parametrize(
    "mime", ["text/plain", "application/json", "image/svg+xml", "text/html;charset=utf-8"]
)
def test_text_in_a_data_uri_is_read_and_not_replaced(mime: str) -> None:
    secret = SHAPES[0].secret(Random(1))
    for text in ("no secret " * 40, f"words {secret} " + "words " * 60):
        line = f"data:{mime};base64,{b64encode(text.encode()).decode()}".encode()
        redacted = REDACTOR.line(line)
        assert (redacted == line) == (secret not in text)
        assert b"payload" not in redacted


def test_short_ones_stay() -> None:
    line = image_line(png(Random(1), 20))
    assert REDACTOR.line(line) == line


def test_payloads_stay_on_request() -> None:
    redactor = Redactor(KEY, BUILT_IN._replace(takes_payloads=False))
    line = image_line(png(Random(1), 5000))
    assert redactor.line(line) == line


@pytest.mark.parametrize("before", [0, 1, 2])
def test_what_an_image_that_stays_says_in_plain_text_is_read(before: int) -> None:
    redactor = Redactor(KEY, BUILT_IN._replace(takes_payloads=False))
    secret = SHAPES[0].secret(Random(1)).encode()
    content = png(Random(1), 500) + bytes(before) + b"tEXtComment\0by " + secret + b"\n" + bytes(9)
    redacted = redactor.line(image_line(content))
    assert b"[gm:github-token:" in redacted
    assert b"payload" not in redacted


@pytest.mark.parametrize("spell", [lambda text: text, lambda text: text.replace("/", "\\/")])
def test_payload_has_one_placeholder_however_it_is_written(spell: object) -> None:
    content = png(Random(3), 3000)
    coded = b64encode(content).decode()
    wrapped = "\\n".join(coded[at : at + 76] for at in range(0, len(coded), 76))
    for text in (coded, wrapped, wrapped.replace("\\n", "\\r\\n"), coded.rstrip("=")):
        line = f'{{"a":"{spell(text)}"}}'.encode()  # type: ignore[operator]
        assert REDACTOR.line(line) == b'{"a":"' + token("payload-png", content) + b'"}'


@pytest.mark.parametrize("size", [LONGEST_SHORT_LINE // 4 * 3 - 300, 1_000_000, 1_999_999])
def test_payload_longer_than_a_window_is_replaced_alike_however_it_is_cut(size: int) -> None:
    content = png(Random(size), size)
    secret = SHAPES[0].secret(Random(1)).encode()
    line = b'{"t":"' + secret + b'","data":"' + b64encode(content) + b'","u":"' + secret + b'"}\n'
    wanted = REDACTOR.line(line)
    assert token("payload-png", content) in wanted
    assert secret not in wanted
    assert len(wanted) < 300
    for escaped, chunk in ((line, 99_991), (line.replace(b"/", b"\\/"), 1 << 20)):
        chunks = (escaped[at : at + chunk] for at in range(0, len(escaped), chunk))
        assert b"".join(REDACTOR.stream(chunks)) == wanted


def test_memory_is_bounded_where_a_payload_is_not() -> None:
    coded = b64encode(png(Random(1), 14_000_000))
    tracemalloc.start()
    try:
        out = b"".join(REDACTOR.stream(coded[at : at + 65536] for at in range(0, len(coded), 65536)))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert PLACEHOLDER.fullmatch(out)
    assert peak < 12 << 20


@pytest.mark.parametrize(
    "text",
    [
        b"[gm:payload-png:048:aaaaaaaaaaaaaaaa]",
        b"[gm:payload-png:aaaaaaaaaaaaaaaa]",
        b"[gm:payload-exe:48:aaaaaaaaaaaaaaaa]",
        b"[gm:payload-png:48:aaaaaaaaaaaaaaa]",
        b"[gm:payload-png:-48:aaaaaaaaaaaaaaaa]",
        b"[gm:jwt:48:aaaaaaaaaaaaaaaa]",
        b"[gm:payload-png:1234567890123456:aaaaaaaaaaaaaaaa]",
    ],
)
def test_what_only_looks_like_a_payload_placeholder_is_none(text: bytes) -> None:
    assert placeholder_spans(text) == []
    assert skeleton(text) == text


def test_copies_with_a_payload_and_without_it_are_the_same() -> None:
    line = image_line(png(Random(1), 500))
    assert placeholder_spans(REDACTOR.line(line))
    assert same_line(REDACTOR.line(line), line)
    assert same_line(Redactor(bytes(32)).line(line), REDACTOR.line(line))
