"""A mask shows enough to know a value again, and of a secret nothing."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.redaction.masks import mask
from gitmem.redaction.personal import PERSONAL
from gitmem.redaction.placeholders import KINDS
from tests.redaction.shapes import SHAPES

PERSONAL_KINDS = sorted({rule.kind for rule in PERSONAL})


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("email", "henry@example.com", "h***@example.com"),
        ("email", "a@b.io", "a***@b.io"),
        ("phone", "555-867-1234", "555-***-1234"),
        ("phone", "+1 415 867 5309", "+1 *** *** 5309"),
        ("phone", "(415) 867-5309", "(415) ***-5309"),
        ("phone", "4158675309", "415***5309"),
        ("phone", "901820", "******"),
        ("card", "4111 1111 1111 1111", "**** **** **** 1111"),
        ("card", "378282246310005", "***********0005"),
        ("iban", "DE89 3704 0044 0532 0130 00", "DE** **** **** **** **** 00"),
        ("ssn", "536-90-4399", "***-**-****"),
        ("national-id", "AB 12 34 56 C", "** ** ** ** *"),
        ("ip", "52.14.7.9", "52.14.*.*"),
        ("ip", "2a00:1450:4001:81b::200e", "2a00:1450:*:*:*:*"),
        ("home", "ada", "a***"),
    ],
)
def test_mask_keeps_the_form(kind: str, value: str, expected: str) -> None:
    assert mask(kind, value.encode()) == expected


def test_what_is_no_personal_data_has_no_mask() -> None:
    for kind in sorted(KINDS - set(PERSONAL_KINDS)):
        assert mask(kind, b"ada@lovelace.io") is None, kind


def test_no_secret_of_any_shape_has_a_mask() -> None:
    for shape in SHAPES:
        assert mask(shape.kind, shape.secret(Random(1)).encode()) is None, shape.kind


@given(st.sampled_from(PERSONAL_KINDS), st.binary(max_size=40))
def test_any_bytes_have_a_mask_that_hides_some_of_them(kind: str, value: bytes) -> None:
    masked = mask(kind, value)
    assert masked is not None
    text = value.decode("utf-8", "replace")
    if sum(map(str.isalnum, text)) >= 3 and kind not in ("ip", "email"):
        assert masked != text
