"""What coded text says, and where in the text it says so."""

from __future__ import annotations

import json
from base64 import b64encode, encodebytes
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.redaction import decoding
from gitmem.redaction.decoding import decoded, joined, roughly_joined, uncoloured
from gitmem.redaction.engine import Engine
from gitmem.redaction.redactor import Redactor
from gitmem.redaction.rules import BUILT_IN
from tests.redaction.shapes import BASE64, SHAPES, pick

REDACTOR = Redactor(bytes(range(32)))
TOKEN = SHAPES[0].secret(Random(2))
TEXT = st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), min_size=18, max_size=60)


@given(TEXT, st.text(alphabet="ab/ \"'", max_size=5))
def test_text_in_base64_is_read_at_its_own_alignment(text: str, before: str) -> None:
    line = f"{before}{b64encode(text.encode()).decode()}".encode()
    assert any(text.encode()[:-3] in view.data for view in decoded(line))


@given(TEXT)
def test_text_in_hex_is_read(text: str) -> None:
    for line in (
        text.encode().hex(),
        text.encode().hex(" "),
        "".join(f"\\\\x{b:02x}" for b in text.encode()),
    ):
        assert any(text.encode() in view.data for view in decoded(f"a: {line}".encode()))


@given(st.binary(max_size=200), st.data())
def test_a_span_of_decoded_text_leads_back_into_the_text(noise: bytes, data: st.DataObject) -> None:
    line = noise + b64encode(b"some text that is long enough") + b" %41%42 " + noise.hex().encode()
    for view in decoded(line):
        start = data.draw(st.integers(0, len(view.data)))
        end = data.draw(st.integers(start, len(view.data)))
        raw_start, raw_end = view.raw_span(start, end)
        assert 0 <= raw_start <= raw_end <= len(line) or start == end


@pytest.mark.parametrize("width", [24, 60, 64, 76])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\n    "])
def test_base64_over_many_lines_is_read(width: int, line_end: str) -> None:
    coded = b64encode(f"{{'a': '{TOKEN}', 'b': 'more of it'}}".encode()).decode()
    wrapped = line_end.join(coded[at : at + width] for at in range(0, len(coded), width))
    for line in (wrapped, json.dumps(wrapped), json.dumps(json.dumps(wrapped))):
        redacted = REDACTOR.line(line.encode())
        assert b"[gm:github-token:" in redacted
        assert REDACTOR.line(redacted) == redacted


def test_what_follows_a_complete_token_is_not_eaten() -> None:
    for behind in ("\nnext", "\r\nword", "\n    indented", "\n", "\n+added"):
        line = json.dumps(f"x {TOKEN}{behind} y").encode()
        assert REDACTOR.line(line).endswith(json.dumps(f"]{behind} y")[1:].encode())


def test_only_the_rest_of_a_parted_token_goes_with_it() -> None:
    line = json.dumps(f"x {TOKEN[:20]}\n{TOKEN[20:]}\nnext y").encode()
    redacted = REDACTOR.line(line)
    assert redacted.startswith(b'"x [gm:github-token:')
    assert redacted.endswith(b']\\nnext y"')


def test_a_parted_token_after_a_word_on_the_line_before_is_found() -> None:
    line = json.dumps(f"word\n{TOKEN[:6]}\n{TOKEN[6:]}").encode()
    assert REDACTOR.line(line).startswith(b'"word\\n[gm:github-token:')


def test_parts_of_a_json_list_are_not_put_together() -> None:
    line = json.dumps([TOKEN[:20], TOKEN[20:]], indent=1).replace("\n", "\\n").encode()
    assert json.loads(REDACTOR.line(json.dumps({"a": line.decode()}).encode()))


def test_colours_go_out_of_the_reading_and_stay_in_the_text() -> None:
    line = json.dumps(f"\x1b[32m+ {TOKEN[:9]}\x1b[0m{TOKEN[9:]}\x1b[0m done").encode()
    redacted = REDACTOR.line(line)
    assert redacted.startswith(b'"\\u001b[32m+ [gm:github-token:')
    assert redacted.endswith(b']\\u001b[0m done"')


@given(
    st.lists(st.sampled_from(["\x1b[31m", "\\u001b[0m", "\\\\", "\\n", "ab", "\\033[1m", '"', "\x00", "\n"]))
)
def test_rough_joining_holds_what_exact_joining_holds(parts: list[str]) -> None:
    line = "".join(parts).encode()
    thinned = bytes.maketrans(b"", b"")
    exact = joined(line).data.translate(thinned, b"\\\r\0 \t\"'>|+n")
    assert exact.replace(b"\n", b"") in roughly_joined(line).replace(b"\n", b"").replace(b"n", b"") or exact
    assert len(uncoloured(line).data) <= len(line)


def test_letter_behind_an_escaped_line_end_stays_when_lines_are_joined() -> None:
    assert roughly_joined(b"ve\\\\nrcel_blob\\r\\nid") == b"vercel_blobid"


def test_line_told_of_by_its_number_is_not_read_over_line_ends() -> None:
    told = json.dumps("tides.py:12: from tides import heights_above_the_datum_of_the_chart").encode()
    assert not Engine(BUILT_IN).readings(told)


def test_secret_whose_name_has_a_blank_is_found_over_a_line_end() -> None:
    line = json.dumps(
        f"Unseal Key 1: {pick(Random(3), BASE64, 31)}\r\n{pick(Random(4), BASE64, 12)}="
    ).encode()
    assert b"[gm:vault-unseal-key:" in REDACTOR.line(line)


def test_code_within_code_is_read_to_the_second_level() -> None:
    twice = b64encode(b64encode(f"key: {TOKEN} .".encode()))
    assert b"[gm:github-token:" in REDACTOR.line(twice)
    assert b"[gm:github-token:" in REDACTOR.line(b"q=" + twice.replace(b"=", b"%3D"))


def test_signatures_stay() -> None:
    for seed in range(20):
        blob = encodebytes(Random(seed).randbytes(2000)).decode().replace("\n", "")
        line = json.dumps({"signature": blob, "encrypted_content": blob[::-1]}).encode()
        assert REDACTOR.line(line) == line


def test_colours_are_taken_away_alike_the_fast_way(seed: int) -> None:
    rng = Random(seed)
    pieces = [
        b"\x1b",
        b"[31m",
        b"\0",
        b"\\u0000",
        b"\\",
        b"u001b",
        b"033",
        b"a",
        b"[",
        b"m",
        b"]x\x07",
        b"x1b",
    ]
    for _ in range(5000):
        text = b"".join(rng.choices(pieces, k=rng.randrange(8)))
        assert decoding._without_colours(text) == decoding._COLOURS.sub(b"", text), text
