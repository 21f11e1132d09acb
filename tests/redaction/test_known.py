"""Values that are secret whatever they look like."""

from __future__ import annotations

import json
import pickle
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote, quote_plus

import pytest

from gitmem.redaction.redactor import Redactor
from gitmem.redaction.rules import BUILT_IN

KEY = bytes(range(32))
VALUES = [
    b"correct horse battery",
    b'pa"ss\\wo/rd+1',
    "gr\u00fc\u00dfe-aus".encode(),
    b"hunter2hunter2",
    b"a.b*c(d)e[f",
]
REDACTOR = Redactor(KEY, known=VALUES)
MARK = {value: Redactor(KEY, known=VALUES).line(value) for value in VALUES}


@pytest.mark.parametrize("value", VALUES)
def test_known_value_goes_in_every_form(value: bytes) -> None:
    text = value.decode()
    once = json.dumps(f"x {text} y")
    forms = [
        f"x {text} y",
        once,
        json.dumps(once),
        json.dumps(json.dumps(once)),
        json.dumps(f"x {text} y", ensure_ascii=False),
        once.replace("/", "\\/"),
        f"?q={quote(text, safe='')}&r",
        f"?q={quote_plus(text)}&r",
        "%".join(["", *(f"{byte:02x}" for byte in value)]),
        "".join(f"\\u{ord(letter):04x}" for letter in text),
        json.dumps(f"x {text[:4]}\x1b[0m{text[4:]} y"),
    ]
    assert MARK[value].startswith(b"[gm:known-value:")
    for form in forms:
        redacted = REDACTOR.line(form.encode())
        assert MARK[value] in redacted, form
        assert REDACTOR.line(redacted) == redacted


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
@pytest.mark.parametrize("before", ["", "a", "ab", "\u00e9\u00e9 ", "user:"])
def test_known_value_goes_in_base64(value: bytes, encode: object, before: str) -> None:
    for behind in (b"", b"x", b"\xff\xfe\xfd rest"):
        coded = encode(before.encode() + value + behind)  # type: ignore[operator]
        redacted = REDACTOR.line(b'{"a":"' + coded + b'"}')
        assert MARK[value] in redacted
        assert json.loads(redacted)


def test_known_values_are_in_no_fingerprint_and_travel_to_workers() -> None:
    assert REDACTOR.fingerprint == BUILT_IN.fingerprint
    copy = pickle.loads(pickle.dumps(REDACTOR))
    assert copy.line(b"x hunter2hunter2 y") == REDACTOR.line(b"x hunter2hunter2 y")


def test_known_values_go_from_streams_and_names() -> None:
    assert b"".join(REDACTOR.stream([b"fine\nx hun", b"ter2hunter2\nfine\n"])).count(b"[gm:known-value:") == 1
    assert "hunter2" not in REDACTOR.text("fix/hunter2hunter2")
