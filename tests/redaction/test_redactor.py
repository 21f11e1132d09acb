"""Secrets wherever they stand: gone in every decoding, and nothing else touched."""

from __future__ import annotations

import json
import pickle
import re
from base64 import b64encode
from collections.abc import Callable
from random import Random
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.model.errors.withholding import RedactionFailed
from gitmem.redaction import matching
from gitmem.redaction.placeholders import same_line
from gitmem.redaction.redactor import Redactor
from gitmem.redaction.rules import BUILT_IN, Rule, RuleSet
from gitmem.redaction.views import read
from tests.redaction.planting import PLACEHOLDER
from tests.redaction.shapes import SHAPES, Shape, jwt, pem

KEY = bytes(range(32))
REDACTOR = Redactor(KEY)
MARK = "\ue000"

WORDS = st.text(alphabet=st.sampled_from("ab 1\"\\/\n\t{}[]:,.\u00e9\u20ac\U0001f600\x00'<>&"), max_size=12)
PLACES = ("value", "key", "list")
SPELLINGS: dict[str, Callable[[str], str]] = {
    "plain": lambda text: json.dumps(text, ensure_ascii=False),
    "ascii": json.dumps,
    "slashes": lambda text: json.dumps(text).replace("/", "\\/"),
    "html": lambda text: (
        json.dumps(text).replace("<", "\\u003c").replace("&", "\\u0026").replace(">", "\\u003e")
    ),
    "spelled out": lambda text: '"' + "".join(_spelled(c) for c in text) + '"',
}


def _spelled(character: str) -> str:
    units = character.encode("utf-16-be").hex()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))


def document(place: str, text: str, spell: Callable[[str], str]) -> str:
    return {
        "value": f'{{"type":"user", "n": 1.50,"content":{spell(text)}}}',
        "key": f'{{{spell(text)}:{{"ok":true}}}}',
        "list": f"[ [],{spell('before')},{spell(text)},null]",
    }[place]


def extract(place: str, line: str) -> str:
    value = json.loads(line)
    found = {"value": lambda: value["content"], "key": lambda: next(iter(value)), "list": lambda: value[2]}[
        place
    ]()
    assert isinstance(found, str)
    return found


def leaks(secret: str, line: bytes) -> list[str]:
    parts = secret.split("\n")[1:-1] if "\n" in secret else [secret]
    assert parts
    return [part for part in parts for view in read(line).views if part.encode() in view.data]


@given(
    st.sampled_from(SHAPES),
    st.integers(0, 2**32),
    WORDS,
    WORDS,
    st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(sorted(SPELLINGS))), max_size=3),
)
def test_secret_is_gone_at_any_depth_and_the_rest_is_intact(
    shape: Shape, seed: int, left: str, right: str, nesting: list[tuple[str, str]]
) -> None:
    secret = shape.secret(Random(seed))
    text = f"{left} {shape.before}{secret}{shape.behind} {right}"
    line = text
    for place, spelling in nesting:
        line = document(place, line, SPELLINGS[spelling])
    raw = line.encode() + b"\n"
    redacted = REDACTOR.line(raw)
    assert not leaks(secret, redacted)
    got = redacted.decode().removesuffix("\n")
    for place, _ in reversed(nesting):
        got = extract(place, got)
    assert PLACEHOLDER.sub(MARK.encode(), got.encode()).decode() == text.replace(secret, MARK)
    assert REDACTOR.line(redacted) == redacted
    assert same_line(redacted, raw)
    by_line = b"".join(REDACTOR.line(line) for line in re.findall(rb"[^\n]*\n", raw))
    assert by_line == redacted or not nesting
    assert b"".join(REDACTOR.stream([raw[i : i + 7] for i in range(0, len(raw), 7)])) == by_line


def test_same_secret_has_the_same_placeholder_wherever_it_stands(seed: int) -> None:
    rng = Random(seed)
    for shape in SHAPES:
        text = f"x {shape.before}{shape.secret(Random(9))}{shape.behind} y"
        lines = [text, document("value", text, json.dumps)]
        spellings = rng.sample(sorted(SPELLINGS), 2)
        lines += [document("list", lines[-1], SPELLINGS[spelling]) for spelling in spellings]
        found = {match[0] for line in lines for match in PLACEHOLDER.finditer(REDACTOR.line(line.encode()))}
        assert len(found) == 1, shape


FRAGMENTS = st.sampled_from(
    [
        *(shape.before + shape.secret(Random(seed)) + shape.behind for seed, shape in enumerate(SHAPES)),
        *(shape.before for shape in SHAPES if shape.before),
        *(shape.secret(Random(1))[:9] for shape in SHAPES),
        *'"\\/\n\t {}[]:,@.-_=\u00e9',
        *("\\n", '\\"', "\\u0041", "\\u005c", "\\\\", "://", "://u:", "ab", "n", "u", "0", '","'),
        *("-----BEGIN ", "PRIVATE KEY-----", "-----END ", "[gm:", "[gm:jwt:", "aaaaaaaaaaaaaaaa]", "Bearer "),
        *("[gm:jwt:aaaaaaaaaaaaaaaa]", "[gm:payload-png:12:aaaaaaaaaaaaaaaa]"),
        *(shape.secret(Random(2))[cut:][:30] for shape in SHAPES[::3] for cut in (0, 9)),
        *(
            "\r\n",
            "\n> ",
            "\n    ",
            '" +\n "',
            "\x1b[31m",
            "\\033[0m",
            "\x00",
            "%41",
            "%2F",
            "&quot;",
            "\\x41",
        ),
        *(b64encode(f"{shape.before}{shape.secret(Random(3))}".encode()).decode() for shape in SHAPES[::5]),
        *(quote(f"{shape.before}{shape.secret(Random(4))}{shape.behind}", safe="") for shape in SHAPES[::5]),
        *(SHAPES[0].secret(Random(5)).encode().hex(), "iVBORw0KGgo", "A" * 200, ";base64,", "data:image/png"),
    ]
)


@given(st.lists(FRAGMENTS, max_size=12).map("".join), st.integers(0, 3))
def test_any_mixture_comes_out_clean_whole_and_final(text: str, depth: int) -> None:
    line = text
    for _ in range(depth):
        line = json.dumps({"a": line, "b": [line]})
    redacted = REDACTOR.line(line.encode())
    assert REDACTOR.line(redacted) == redacted
    assert same_line(redacted, redacted)
    inner: object = redacted.decode()
    for _ in range(depth):
        assert isinstance(inner, str)
        value = json.loads(inner)
        assert list(value) == ["a", "b"]
        inner = value["a"]


@given(st.binary(max_size=80))
def test_any_bytes_without_a_secret_are_left_alone(raw: bytes) -> None:
    assert REDACTOR.line(raw) == raw


FRAMES = [
    b'{"a":"%s',
    b'  "content": "%s",\n',
    b"\xff\xfe\x00 %s \x80\x81\n",
    b'"}],"x":"%s"}\r\n',
    b"%s",
    b'\\"%s\\',
    b"a\xe2\x82%s\xe2",
]


@pytest.mark.parametrize("frame", FRAMES)
def test_lines_that_are_no_json_lose_just_the_secret(frame: bytes, seed: int) -> None:
    for shape in SHAPES[FRAMES.index(frame) % 3 :: 3]:
        secret = shape.secret(Random(seed)).encode()
        if b"\n" in secret:
            continue
        text = (" " + shape.before).encode() + secret + (shape.behind + " ").encode()
        redacted = REDACTOR.line(frame.replace(b"%s", text))
        assert PLACEHOLDER.sub(b"!", redacted) == frame.replace(b"%s", text.replace(secret, b"!")), shape


def test_line_end_is_kept() -> None:
    secret = SHAPES[0].secret(Random(0)).encode()
    for end in (b"", b"\n", b"\r\n", b"\r"):
        assert REDACTOR.line(secret + end).endswith(b"]" + end)


def test_text_redacts_names() -> None:
    secret = SHAPES[0].secret(Random(0))
    assert secret not in REDACTOR.text(f"fix/{secret}")
    assert REDACTOR.text("fix/n\u00f6rmal \udc80\ud83d") == "fix/n\u00f6rmal \udc80\ud83d"


def test_counts_are_by_kind() -> None:
    redactor = Redactor(KEY)
    line = f"{jwt(Random(1))} {jwt(Random(2))} {SHAPES[0].secret(Random(3))}".encode()
    redactor.line(line)
    redactor.line(line)
    assert redactor.counts == {"jwt": 4, "github-token": 2}


def test_escapes_nested_too_deep_are_dropped_with_their_string() -> None:
    secret = SHAPES[0].secret(Random(0))
    spelled = secret
    for _ in range(8):
        spelled = spelled.replace(secret[0], f"\\u{ord(secret[0]):04x}", 1) if spelled == secret else spelled
        spelled = spelled.replace("\\", "\\u005c")
    line = f'{{"a":"{spelled}","b":"kept"}}'.encode()
    redacted = Redactor(KEY).line(line)
    assert json.loads(redacted)["b"] == "kept"
    assert json.loads(redacted)["a"].startswith("[gm:unredactable:")
    assert REDACTOR.line(redacted) == redacted


def test_escapes_nested_too_deep_outside_of_any_string_drop_the_line() -> None:
    line = b"x \\" + b"u005c" * 40 + b"u0067"
    assert PLACEHOLDER.fullmatch(REDACTOR.line(line))


def test_key_has_to_be_whole() -> None:
    for key in (b"", bytes(31), bytes(33)):
        with pytest.raises(RedactionFailed, match="32 are expected"):
            Redactor(key)


def test_rule_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(RedactionFailed, match="'surprise'"):
        Redactor(KEY, RuleSet((Rule("surprise", "a", "a"),)))


def test_rule_that_does_not_compile_lets_no_line_pass() -> None:
    for rule in (Rule("jwt", "(", "a"), Rule("jwt", "a", "(")):
        redactor = Redactor(KEY, RuleSet((rule,)))
        with pytest.raises(RedactionFailed):
            redactor.line(b"a")
        with pytest.raises(RedactionFailed):
            list(redactor.stream([b"a\n"]))
        with pytest.raises(RedactionFailed):
            redactor.text("a")


def test_engine_that_fails_lets_no_line_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_self: object, _reading: bytes, _judge: object) -> None:
        raise MemoryError("no more")

    monkeypatch.setattr(matching.ReadyRule, "matches", broken)
    secret = SHAPES[0].secret(Random(0)).encode()
    with pytest.raises(RedactionFailed, match=r"MemoryError at test_redactor\.py"):
        Redactor(KEY).line(secret)
    out = Redactor(KEY).stream([b"fine\n" * 100_000, secret + b"\n", b"never\n"])
    with pytest.raises(RedactionFailed):
        list(out)


def test_rule_that_matches_its_own_placeholder_drops_the_text() -> None:
    """Nothing can be vouched for under such a rule; what it is run on must not come out."""
    redactor = Redactor(KEY, RuleSet((Rule("jwt", "s", r"[^:a-z2-7\[\]]*s[a-z]*(?: |\])"),)))
    line = b'{"a":"xs ys zs "}'
    redacted = redactor.line(line)
    assert b"ys" not in redacted
    assert redactor.line(redacted) == redacted


def test_redactor_travels_to_a_worker() -> None:
    secret = pem("RSA PRIVATE KEY")(Random(1)).encode()
    copy = pickle.loads(pickle.dumps(REDACTOR))
    assert copy.line(secret) == REDACTOR.line(secret)
    assert copy.fingerprint == REDACTOR.fingerprint == BUILT_IN.fingerprint
