"""Text goes through redacted or not at all; and what is said of a failure says nothing of the text."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping
from random import Random

import pytest

from gitmem.model.errors.withholding import RedactionFailed
from gitmem.redaction import (
    cleaner,
    decoding,
    engine,
    finding,
    longline,
    matching,
    payloads,
    redactor,
    scanning,
    views,
)
from gitmem.redaction.redactor import Redactor
from gitmem.redaction.rules import BUILT_IN, Rule, RuleSet
from tests.redaction.planting import PLACES
from tests.redaction.shapes import SHAPES

KEY = bytes(range(32))
CANARY = "canary-4f1e"
SUBJECT = Redactor(KEY)

STAGES = [
    (engine.Engine, "readings", "plain"),
    (engine.Engine, "hits", "plain"),
    (engine.Engine, "suspected", "plain"),
    (engine.Engine, "joined_places", "split"),
    (engine.Engine, "joined_matches", "split"),
    (scanning.Re2Scanner, "first", "plain"),
    (scanning.Re2Scanner, "hits", "plain"),
    (scanning.Re2Scanner, "numbers", "plain"),
    (matching.ReadyRule, "matches", "plain"),
    (matching.ReadyRule, "joined_matches", "split"),
    (matching.Judge, "agrees", "plain"),
    (finding, "decoded", "base64"),
    (finding, "uncoloured", "coloured"),
    (finding, "joined", "split"),
    (finding, "payloads", "base64"),
    (finding, "read", "JSON twice"),
    (finding, "innermost", "percent"),
    (finding, "placeholder_spans", "plain"),
    (finding, "_parts", "plain"),
    (finding, "_disjoint", "plain"),
    (decoding, "_base64", "base64"),
    (decoding, "_hex", "hex"),
    (decoding, "_unit", "percent"),
    (decoding, "roughly_joined", "plain"),
    (views, "_without_a_layer", "unicode escapes"),
    (views.View, "raw_span", "plain"),
    (views.View, "_map", "JSON twice"),
    (cleaner, "placeholder", "plain"),
    (cleaner.Cleaner, "_replace", "plain"),
    (cleaner.Cleaner, "find", "plain"),
]


@pytest.mark.parametrize(("owner", "name", "place"), STAGES, ids=lambda part: getattr(part, "__name__", part))
def test_failure_at_any_stage_lets_nothing_pass_and_says_nothing_of_the_text(
    owner: object, name: str, place: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    raised = 0

    def broken(*args: object, **_kwargs: object) -> object:
        nonlocal raised
        raised += 1
        raise ValueError(f"{CANARY} {args!r}")

    monkeypatch.setattr(owner, name, broken)
    if owner is decoding and name == "roughly_joined":
        monkeypatch.setattr(engine, name, broken)
    rng = Random(1)
    planted = PLACES[place](SHAPES[0], SHAPES[0].secret(rng), rng)
    line = CANARY.encode() + b" " + planted.raw
    with caplog.at_level(logging.DEBUG):
        for work in (
            lambda: [SUBJECT.line(line)],
            lambda: list(SUBJECT.stream([line + b"\n", b"never\n"])),
            lambda: list(SUBJECT.stream([line])),
            lambda: [SUBJECT.text(line.decode("latin-1"))],
        ):
            out: list[object] = []
            with pytest.raises(RedactionFailed) as failure:
                out += work()
            assert out == []
            said = (
                "".join(traceback.format_exception(failure.value)) + str(failure.value) + repr(failure.value)
            )
            secret = planted.raw[planted.start : planted.end].decode("latin-1")
            assert CANARY not in said
            assert secret not in said
            chain = failure.value.__context__, failure.value.__cause__
            assert chain == (None, None)
    assert raised
    assert CANARY not in caplog.text


def test_failure_within_a_long_line_lets_nothing_more_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = SHAPES[0].secret(Random(1)).encode()
    advance = longline.LongLine._advance
    calls = 0

    def failing(line: longline.LongLine, window: bytes, *, more: bool) -> bytes:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise MemoryError(window[:80])
        return advance(line, window, more=more)

    monkeypatch.setattr(longline.LongLine, "_advance", failing)
    out: list[bytes] = []
    with pytest.raises(RedactionFailed, match="MemoryError"):
        out.extend(Redactor(KEY).stream([b"word " * 500_000 + secret, b"never\n"]))
    assert secret not in b"".join(out)
    assert b"never" not in b"".join(out)


def test_failure_within_a_payload_lets_nothing_of_it_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payloads, "_decoded", lambda _characters: 1 // 0)
    line = b'{"a":"iVBORw0KGgo' + b"A" * 3_000_000 + b'"}'
    out: list[bytes] = []
    with pytest.raises(RedactionFailed, match="ZeroDivisionError"):
        out.extend(Redactor(KEY).stream([line]))
    assert b"AAAA" not in b"".join(out)


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> Rule:
    monkeypatch.setattr(engine, "CHECKS", CHECKS)
    monkeypatch.setattr(matching, "CHECKS", CHECKS)
    return Rule("jwt", "[0-9]{4} [0-9]{4}", "([0-9]{4} [0-9]{4})", check="even")


def even(value: bytes) -> bool:
    asked.append(value)
    return value[-1:] in b"02468"


def raising(value: bytes) -> bool:
    raise UnicodeDecodeError("utf-8", value, 0, 1, CANARY)


asked: list[bytes] = []
CHECKS: Mapping[str, object] = {"even": even, "raising": raising}


def test_check_that_raises_lets_nothing_pass(checked: Rule) -> None:
    subject = Redactor(KEY, RuleSet((checked._replace(check="raising"),)))
    with pytest.raises(RedactionFailed, match="UnicodeDecodeError") as failure:
        subject.line(b"4111 4111")
    assert CANARY not in "".join(traceback.format_exception(failure.value))
    assert "4111" not in str(failure.value)


def test_check_is_asked_about_the_value_without_escapes(checked: Rule) -> None:
    asked.clear()
    subject = Redactor(KEY, RuleSet((checked._replace(pattern=r"(?:4111|\\u0034111) ([0-9]{4})"),)))
    assert b"[gm:" in subject.line(b'"4111 2222"')
    assert subject.line(b'"4111 2223"') == b'"4111 2223"'
    assert set(asked) == {b"2222", b"2223"}


def test_checks_are_asked_a_bounded_number_of_times_and_form_decides_the_rest(
    checked: Rule, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matching, "MOST_CHECKED", 100)
    asked.clear()
    subject = Redactor(KEY, RuleSet((checked,)))
    values = [f"{n:04} {n:04}".encode() for n in range(1001, 3001, 2)]
    redacted = subject.line(b", ".join(values))
    kept = [value for value in values if value in redacted]
    assert kept == values[:100]
    assert subject.line(redacted) == redacted
    asked.clear()
    assert subject.line(b"4111 4111 " * 50_000) == b"4111 4111 " * 50_000
    assert len(asked) <= 10


def test_personal_data_has_a_placeholder_for_each_session_and_secrets_have_one_for_all() -> None:
    personal = Rule("jwt", "@[a-z]", r"([a-z]+@[a-z]+\.[a-z]+)", group="personal")
    user = Rule("jwt", "number", r"(number[0-9]+)", group="user")
    subject = Redactor(KEY, RuleSet((*BUILT_IN.rules, personal, user)))
    secret = SHAPES[0].secret(Random(1))
    line = f"{secret} ada@lovelace.name number1".encode()
    one, two = subject.line(line, b"1"), subject.line(line, b"2")
    assert [a == b for a, b in zip(one.split(), two.split(), strict=True)] == [True, False, True]
    assert subject.line(line, b"1") == one
    assert b"".join(subject.stream([line], b"2")) == two
    assert subject.text(line.decode(), b"2").encode() == two
    assert subject.line(one, b"2") == one


def test_many_sessions_take_bounded_memory() -> None:
    subject = Redactor(KEY)
    for number in range(1000):
        subject.line(b"x", b"%d" % number)
    assert len(subject._cleaners) <= redactor._MOST_CLEANERS
