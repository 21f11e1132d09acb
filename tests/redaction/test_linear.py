"""Twice the hostile input is at most about twice the work. Work is counted, not timed."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from gitmem.redaction import (
    decoding,
    engine,
    finding,
    known,
    matching,
    payloads,
    placeholders,
    scanning,
    views,
)
from gitmem.redaction.placeholders import placeholder, same_line
from gitmem.redaction.policy import Policy, rule_set
from gitmem.redaction.redactor import Redactor
from tests.redaction.shapes import ALNUM, SHAPES, pick

KEY = bytes(range(32))
SIZE = 1 << 13
HIT = " " + SHAPES[0].secret(Random(0)) + " "
UNITS = [
    "x",
    "eyJ",
    "eyJ" + "a" * 9 + ".",
    '"password="',
    "-----BEGIN ",
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\\nMIIEowIBAAKCAQEA",
    "\\",
    '\\"',
    '\\\\"',
    "\\\\n",
    "\\u005c",
    "u005c",
    "\\u0067hp_",
    "AKIA",
    "MHcCAQEEI",
    "://a:b@",
    "://a:",
    "authorization: bearer ",
    "secret_key=",
    "sk-",
    "[gm:",
    "[gm:jwt:aaaaaaaaaaaaaaaa]",
    "[gm:jwt:aaaaaaaaaaaaaaaa]" + HIT,
    '"',
    "a.b.",
    HIT,
    HIT.strip() + "\\n",
    "%41",
    "%25",
    "%2525",
    "&amp;",
    "&#x41;",
    "\\x41",
    "41",
    "41 ",
    "0x41, ",
    "\\u001b[31m",
    "\x1b",
    "\x1b]",
    "\\u001b[0mg",
    "a\x00",
    "a\\u0000",
    "YWFh",
    "YWFh\\n",
    "WVdGaA",
    "QUFB" * 4 + " ",
    "a\\n",
    "ghp_\\n",
    '" +\\n "',
    "\\n    ",
    "4111 ",
    "1.1.1.1.",
    "a@a.a",
    "a@b.",
    "+1 415 867 5309 ",
    "/home/a",
    "536-90-4399",
    "DE89 3704 ",
    "phone ",
    "tel 0",
    "password=a1",
    "iVBORw0KGgo",
    "iVBORw0KGgoAAAANSUhEUgAA ",
    "/9j/",
    "\\/",
    "data:image/png;base64,",
    "data:a/b;base64,iVBORw0KGgo",
    b64encode(b64encode(HIT.encode() * 3)).decode() + " ",
]
STARTS = ["", HIT + '\\\\" ', HIT + "\\u005cu005c"]


class Meter:
    """Counts the bytes that RE2 and checks look at and the escapes that readings take away."""

    def __init__(self) -> None:
        self.work = 0
        self.longest_checked = 0


class Metered:
    """One pattern, each of whose searches costs the bytes from where it starts to where its match ends."""

    def __init__(self, pattern: Any, meter: Meter) -> None:
        self._pattern, self._meter = pattern, meter
        self.groups = pattern.groups

    def search(self, text: bytes, start: int = 0) -> Any:
        match = self._pattern.search(text, start)
        self._meter.work += (match.end() if match else len(text)) - start
        return match

    def match(self, text: bytes, start: int = 0, *args: int) -> Any:
        match = self._pattern.match(text, start, *args)
        self._meter.work += (match.end() if match else len(text)) - start
        return match

    def fullmatch(self, text: bytes) -> Any:
        self._meter.work += len(text)
        return self._pattern.fullmatch(text)

    def finditer(self, text: bytes, position: int = 0) -> Iterator[Any]:
        for match in self._pattern.finditer(text, position):
            self._meter.work += match.end() - position
            position = match.end()
            yield match
        self._meter.work += len(text) - position


@pytest.fixture(scope="module")
def meter() -> Iterator[Meter]:
    meter = Meter()
    monkeypatch = pytest.MonkeyPatch()
    compiled, expression = engine.compiled, engine.expression
    layer, mapped, parts = views._without_a_layer, views.View._map, finding._parts

    def metered(*args: Any) -> Metered:
        return Metered(compiled(*args), meter)

    def metered_of_module(*args: Any) -> Metered:
        return Metered(expression(*args), meter)

    def counted_layer(data: bytes) -> bytes:
        meter.work += len(data)
        return layer(data)

    def counted_map(view: views.View) -> None:
        mapped(view)
        meter.work += len(view._outer.data) + len(view.data)  # type: ignore[union-attr]

    def counted_parts(*args: Any) -> Iterator[tuple[int, int]]:
        for part in parts(*args):
            meter.work += part[1] - part[0]
            yield part

    def metered_check(check: Any) -> Any:
        def counted(value: bytes) -> bool:
            meter.work += len(value)
            meter.longest_checked = max(meter.longest_checked, len(value))
            return bool(check(value))

        return counted

    checks = {name: metered_check(check) for name, check in matching.CHECKS.items()}
    monkeypatch.setattr(matching, "CHECKS", checks)
    for module in (engine, matching, scanning, known):
        monkeypatch.setattr(module, "compiled", metered)
    for module in (decoding, engine, matching, payloads):
        monkeypatch.setattr(module, "expression", metered_of_module)
    monkeypatch.setattr(views, "_without_a_layer", counted_layer)
    monkeypatch.setattr(views.View, "_map", counted_map)
    monkeypatch.setattr(finding, "_parts", counted_parts)
    yield meter
    monkeypatch.undo()


@pytest.fixture(scope="module")
def redactor(meter: Meter) -> Redactor:
    """Return one that is metered from its first expression on, with every rule that there is."""
    made = Redactor(KEY, rule_set("public", Policy()))
    made.line((" ".join(UNITS) + HIT).encode())
    return made


@pytest.mark.parametrize("start", STARTS, ids=["bare", "after a secret", "after a deep escape"])
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: repr(unit)[:24])
def test_twice_the_hostile_line_is_twice_the_work(
    unit: str, start: str, redactor: Redactor, meter: Meter
) -> None:
    work = []
    for size in (SIZE, 2 * SIZE):
        line = (start + unit * (size // len(unit) + 1)).encode()
        meter.work = 0
        redactor.line(line)
        work.append(meter.work)
    assert work[0] >= SIZE
    assert work[1] <= 2.2 * work[0]
    assert work[1] <= 600 * SIZE


@pytest.mark.parametrize("before", ["password=", 'token: "', "card ", "+1 415 ", "ada@", "xprv"])
def test_many_values_are_checked_in_linear_time(before: str, redactor: Redactor, meter: Meter) -> None:
    rng = Random(before)
    values = [f'{before}{pick(rng, ALNUM, 12)}{rng.randrange(10**9)}" ' for _ in range(2000)]
    work = []
    for count in (1000, 2000):
        meter.work = 0
        redactor.line("".join(values[:count]).encode())
        work.append(meter.work)
    assert work[1] <= 2.2 * work[0]


@pytest.mark.parametrize("before", ["password='", "Bearer ", "ada@", "xprv", "card 4", "api_key="])
def test_no_check_is_asked_about_a_long_value(before: str, redactor: Redactor, meter: Meter) -> None:
    meter.longest_checked = 0
    redactor.line((before + pick(Random(before), ALNUM, 50_000) + "'").encode())
    assert meter.longest_checked <= matching.LONGEST_CHECKED


class Text(bytes):
    """Bytes that count what is compared, searched and sliced of them."""

    work = 0

    def find(self, *args: Any) -> int:
        found = super().find(*args)
        Text.work += (found if found >= 0 else len(self)) - (args[1] if len(args) > 1 else 0)
        return found

    def startswith(self, *args: Any) -> bool:
        Text.work += len(args[0])
        return super().startswith(*args)

    def __getitem__(self, index: Any) -> Any:
        part = super().__getitem__(index)
        Text.work += len(part) if isinstance(part, bytes) else 1
        return Text(part) if isinstance(part, bytes) else part


MARK = placeholder(KEY, "jwt", b"1")
COPIES = [
    (MARK, b"ab", b"", b"x"),
    (MARK + b"a", b"aa", b"", b"x"),
    (MARK + b"ab", b"a", b"", b"b"),
    (MARK, b"a" + MARK, MARK + b"x", b""),
    (b"a", b"a" + MARK, MARK, b"y"),
    (MARK + b"aa", b"a" + MARK + b"a", b"", b"y"),
    (MARK + b'"', b'a"', b"", b""),
    (b"ab" * 50 + MARK, b"ab" * 49 + MARK + b"ab", b"", b"q"),
]


@pytest.mark.parametrize(("ours", "theirs", "before", "behind"), COPIES)
def test_twice_the_hostile_copies_are_twice_the_work(
    ours: bytes, theirs: bytes, before: bytes, behind: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces = placeholders._pieces
    steps = 0

    def counted(line: bytes) -> Iterator[bytes | None]:
        for piece in pieces(line):
            yield None if piece is None else Text(piece)

    def step(side: Any, *, original: Any = placeholders._Side.step) -> None:
        nonlocal steps
        steps += 1
        original(side)

    monkeypatch.setattr(placeholders, "_pieces", counted)
    monkeypatch.setattr(placeholders._Side, "step", step)
    work = []
    for count in (500, 1000):
        Text.work = steps = 0
        same_line(before + ours * count, theirs * count + behind)
        work.append(Text.work + steps)
    assert work[1] <= 2.2 * work[0] + 100
