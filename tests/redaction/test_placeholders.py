"""The placeholder's grammar, and telling whether two redacted copies say the same."""

from __future__ import annotations

import re
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.redaction.placeholders import KINDS, is_placeholder, placeholder, same_line, skeleton
from gitmem.redaction.redactor import Redactor
from gitmem.redaction.rules import BUILT_IN, RuleSet
from tests.redaction.planting import PLACEHOLDER
from tests.redaction.shapes import GITHUB, SHAPES, jwt, pick

OURS, THEIRS = bytes(32), bytes(range(32))
OUR_REDACTOR, THEIR_REDACTOR = Redactor(OURS), Redactor(THEIRS)


def test_equal_secrets_give_equal_placeholders_only_under_one_key_and_kind() -> None:
    made = placeholder(OURS, "jwt", b"value")
    assert made == placeholder(OURS, "jwt", b"value")
    others = [(THEIRS, "jwt", b"value"), (OURS, "npm-token", b"value"), (OURS, "jwt", b"valve")]
    assert made not in [placeholder(*other) for other in others]


def test_placeholder_of_every_kind_is_of_the_grammar() -> None:
    for kind in sorted(KINDS):
        made = placeholder(OURS, kind, b"value")
        assert PLACEHOLDER.fullmatch(made), kind
        assert is_placeholder(made), kind
        assert re.fullmatch(rb"[ -~]*", made), kind
        assert not set(made) & set(b"\"\\' /"), kind


def test_placeholder_survives_json_at_any_depth() -> None:
    made = placeholder(OURS, "jwt", b"value")
    assert skeleton(made) != made
    line = made
    for _ in range(3):
        line = b'"' + line.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
        assert made in line


@pytest.mark.parametrize(
    "forged",
    [
        b"[gm:jwt:aaaaaaaaaaaaaaa]",
        b"[gm:jwt:aaaaaaaaaaaaaaaaa]",
        b"[gm:jwt:aaaaaaaaaaaaaaa1]",
        b"[gm:jwt:AAAAAAAAAAAAAAAA]",
        b"[gm:nothing:aaaaaaaaaaaaaaaa]",
        b"[gm::]",
    ],
)
def test_what_only_looks_like_a_placeholder_is_none(forged: bytes) -> None:
    assert skeleton(forged) == forged


def test_secret_inside_a_forged_placeholder_is_found() -> None:
    secret = GITHUB[0].secret(Random(1)).encode()
    for forged in (b"[gm:github-token:" + secret + b"]", b"[gm:" + secret + b":aaaaaaaaaaaaaaaa]"):
        assert secret not in OUR_REDACTOR.line(forged)


def test_copies_under_other_keys_are_the_same() -> None:
    for seed, shape in enumerate(SHAPES):
        line = f'{{"a":"x {shape.before}{shape.secret(Random(seed))}{shape.behind} y"}}'.encode()
        ours, theirs = OUR_REDACTOR.line(line), THEIR_REDACTOR.line(line)
        assert ours != theirs
        assert same_line(ours, theirs)


def test_copies_under_other_rules_are_the_same() -> None:
    """Each side knows a rule that the other does not; some secrets are known to both, some to neither."""
    rng = Random(11)
    for _ in range(10):
        shapes = rng.sample(SHAPES, 4)
        body = " and ".join(f"{shape.before}{shape.secret(rng)}{shape.behind}" for shape in shapes)
        line = f'{{"a":"{body}".'.replace("\n", "\\n").encode()
        sides = []
        for key in (OURS, THEIRS):
            dropped = {shape.kind for shape in rng.sample(shapes, 2)}
            sides.append(
                Redactor(key, RuleSet(tuple(r for r in BUILT_IN.rules if r.kind not in dropped))).line(line)
            )
        assert same_line(*sides), sides
        assert same_line(sides[0], line), sides
        assert same_line(line, sides[1]), sides


def test_text_that_differs_outside_of_placeholders_differs() -> None:
    mark = placeholder(OURS, "jwt", b"value")
    for ours, theirs in [
        (b"a " + mark, b"b " + mark),
        (b"a " + mark + b" b", b"a secret c"),
        (b"a " + mark + b" b", b"a  b"[:3]),
        (b'{"a":"' + mark + b'"}', b'{"a":"x","b":"y"}'),
        (b'{"a":"' + mark + b'"}', b'{"b":"x"}'),
        (mark + b"x", mark),
        (b"a", b"b"),
        (b"", mark),
    ]:
        assert not same_line(ours, theirs), (ours, theirs)
        assert not same_line(theirs, ours), (ours, theirs)


def test_placeholder_never_reaches_over_a_quote() -> None:
    mark = placeholder(OURS, "url-password", b"value")
    assert same_line(b'"' + mark + b'","b"', b'"x","b"')
    assert not same_line(b'"' + mark + b'","b"', b'"x","y","b"')


def test_dropped_text_may_have_held_quotes() -> None:
    mark = placeholder(OURS, "unredactable", b"value")
    assert same_line(b'{"a":"' + mark + b'"}', b'{"a":"x \\"y\\" z"}')
    assert not same_line(b'{"a":"' + mark + b'"}', b'{"b":"x \\"y\\" z"}')


PIECES = st.sampled_from(
    [b"a", b"ab", b'"', b" ", placeholder(OURS, "jwt", b"1"), placeholder(THEIRS, "npm-token", b"2")]
)


@given(st.lists(PIECES, max_size=20), st.data())
def test_putting_text_for_some_placeholders_keeps_a_line_the_same(
    pieces: list[bytes], data: st.DataObject
) -> None:
    ours, theirs = [], []
    for piece in pieces:
        marked = piece.startswith(b"[gm:")
        plain = (
            data.draw(st.binary(min_size=1, max_size=5).filter(lambda text: b'"' not in text))
            if marked
            else b""
        )
        ours.append(piece)
        theirs.append(plain if marked and data.draw(st.booleans()) else piece)
    assert same_line(b"".join(ours), b"".join(theirs)) == same_line(b"".join(theirs), b"".join(ours))
    if all(a == b or not a.startswith(b"[gm:") for a, b in zip(ours, theirs, strict=True)):
        assert same_line(b"".join(ours), b"".join(theirs))
    one_sided = b"".join(
        data.draw(st.just(b"zz")) if piece.startswith(b"[gm:") else piece for piece in pieces
    )
    assert same_line(b"".join(ours), one_sided)
    assert same_line(one_sided, b"".join(ours))


def test_jwt_inside_a_nested_string_compares_equal_to_its_plain_copy() -> None:
    token = jwt(Random(2))
    line = b'{"a":"{\\"b\\":\\"' + token.encode() + b'\\"}"}'
    assert same_line(OUR_REDACTOR.line(line), line)
    assert not same_line(OUR_REDACTOR.line(line), line.replace(b"b", b"c", 1))


def test_random_lines_differ() -> None:
    rng = Random(4)
    mark = placeholder(OURS, "jwt", b"1").decode()
    for _ in range(200):
        ours = f"{pick(rng, 'abc', 8)}{mark}{pick(rng, 'abc', 8)}"
        theirs = f"{pick(rng, 'abc', 8)}{mark}{pick(rng, 'abc', 8)}"
        assert same_line(ours.encode(), theirs.encode()) == (ours == theirs)
