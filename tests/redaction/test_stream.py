"""A transcript cut anywhere, and lines longer than memory should hold."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.redaction.longline import LONGEST_SECRET, LONGEST_SHORT_LINE
from gitmem.redaction.redactor import Redactor
from tests.redaction.planting import PLACEHOLDER
from tests.redaction.shapes import SHAPES, pem, pick

KEY = bytes(range(32))
REDACTOR = Redactor(KEY)
LINES = [
    *(
        f'{{"a":"{s.before}{s.secret(Random(i))}{s.behind}"}}\n'.encode()
        for i, s in enumerate(SHAPES)
        if s.before
    ),
    b"plain\n",
    b"\n",
    b"\r\n",
    b"no secret \\u0041 here\n",
    b"x" * 300 + b"\n",
]


def cut(text: bytes, sizes: list[int]) -> Iterator[bytes]:
    position = 0
    for size in sizes:
        yield text[position : position + size]
        position += size
    yield text[position:]


@given(
    st.lists(st.sampled_from(LINES), max_size=12), st.booleans(), st.lists(st.integers(0, 90), max_size=30)
)
def test_stream_is_line_by_line_however_it_is_cut(lines: list[bytes], ended: bool, sizes: list[int]) -> None:
    text = b"".join(lines)
    text = text if ended else text.removesuffix(b"\n")
    wanted = b"".join(REDACTOR.line(line) for line in text.splitlines(keepends=True))
    assert b"".join(REDACTOR.stream(cut(text, sizes))) == wanted


def long_line(rng: Random, size: int, filler: bytes) -> tuple[bytes, list[bytes]]:
    """Return a line with a secret before, on and after every place where a window may end, and the secrets."""
    line = bytearray((filler * (size // len(filler) + 1))[:size])
    secrets = []
    for window_end in range(LONGEST_SHORT_LINE, size - 200_000, 37_000):
        for offset in (-900, -45, -20, -1, 200):
            secret = SHAPES[0].secret(rng).encode()
            at = window_end + offset * 10
            line[at : at + len(secret) + 2] = b" " + secret + b" "
            secrets.append(secret)
    return bytes(line), secrets


@pytest.mark.parametrize("filler", [b"word ", b"\\\\n", b"ab\\nc", b"0123456789abcdef", b'\\\\\\"'])
def test_secrets_of_a_long_line_go_wherever_its_windows_end(filler: bytes) -> None:
    line, secrets = long_line(Random(3), 2 * LONGEST_SHORT_LINE + 212_345, filler)
    redacted = REDACTOR.line(line)
    assert secrets
    assert not [secret for secret in secrets if secret in redacted]
    assert redacted.count(b"[gm:github-token:") == len(secrets)
    assert b"".join(PLACEHOLDER.split(redacted)) == b"".join(
        part for part in PLACEHOLDER.split(_marked(line, secrets))
    )
    assert REDACTOR.line(redacted) == redacted


def _marked(line: bytes, secrets: list[bytes]) -> bytes:
    for secret in secrets:
        line = line.replace(secret, b"[gm:jwt:aaaaaaaaaaaaaaaa]")
    return line


@pytest.fixture(scope="module")
def long_text() -> tuple[bytes, bytes]:
    """Return a text with two lines that are longer than a window, and what is to come of it."""
    line, _ = long_line(Random(5), LONGEST_SHORT_LINE + 500_000, b"ab\\nc ")
    text = b"short\n" + line + b"\r\n" + line[:1000] + b"\n" + line
    return text, b"".join(REDACTOR.line(part) for part in text.splitlines(keepends=True))


@pytest.mark.parametrize("chunk", [1 << 12, 99_991, 1 << 20, 1 << 24])
def test_long_line_is_redacted_alike_however_it_is_cut(chunk: int, long_text: tuple[bytes, bytes]) -> None:
    text, wanted = long_text
    chunks = (text[i : i + chunk] for i in range(0, len(text), chunk))
    assert b"".join(REDACTOR.stream(chunks)) == wanted


@pytest.mark.parametrize("over", [-1, 0, 1])
def test_length_at_which_windows_begin_is_no_seam(over: int) -> None:
    secret = SHAPES[0].secret(Random(1)).encode()
    line = (
        (b"word " * (LONGEST_SHORT_LINE // 5 + 1))[: LONGEST_SHORT_LINE + over - 50]
        + secret.rjust(50)
        + b"\n"
    )
    redacted = REDACTOR.line(line)
    assert secret not in redacted
    assert b"".join(REDACTOR.stream([line])) == redacted


def test_secret_as_long_as_the_overlap_goes_whole() -> None:
    secret = pem("PGP PRIVATE KEY BLOCK", lines=LONGEST_SECRET // 70)(Random(2)).replace("\n", "\\n").encode()
    assert len(secret) < LONGEST_SECRET
    for at in range(LONGEST_SHORT_LINE - LONGEST_SECRET - 500, LONGEST_SHORT_LINE + 500, 22_001):
        line = b"w " * (at // 2) + secret + b" w" * 600_000
        assert PLACEHOLDER.sub(b"!", REDACTOR.line(line)) == line.replace(secret, b"!"), at


def test_secret_longer_than_any_window_goes_whole() -> None:
    secret = pem("PGP PRIVATE KEY BLOCK", lines=35_000)(Random(2)).replace("\n", "\\n").encode()
    line = b'{"a":"' + secret + b'","b":1}'
    redacted = REDACTOR.line(line)
    assert redacted.startswith(b'{"a":"[gm:private-key:')
    assert redacted.endswith(b'","b":1}')
    assert len(redacted) < 100


def test_memory_is_bounded_where_a_line_is_not() -> None:
    rng = Random(1)
    chunk = (pick(rng, "abcdef ", 1 << 16) + SHAPES[0].secret(rng)).encode()
    size = 0
    tracemalloc.start()
    try:
        for ready in REDACTOR.stream(chunk for _ in range(200)):
            size += len(ready)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size > 12 << 20
    assert peak < 12 << 20
