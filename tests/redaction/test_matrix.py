"""Secrets of every form in every place: gone, and gone for good after one pass."""

from __future__ import annotations

import json
from random import Random

import pytest

from gitmem.redaction.redactor import Redactor
from tests.redaction.planting import PLACES, is_leaked, is_promised
from tests.redaction.shapes import SHAPES

REDACTOR = Redactor(bytes(range(32)))
MOST_LEAKING = 0.003
BY_CHANCE = 4
CELLS = 1000
"""Of some eighteen thousand; the benchmark plants them all."""


def cells(rng: Random) -> list[tuple[str, int]]:
    every = [(place, number) for place in PLACES for number in range(len(SHAPES))]
    return rng.sample(every, min(CELLS, len(every)))


def test_secrets_are_gone_wherever_they_stand(seed: int) -> None:
    rng = Random(seed)
    leaked = []
    for place, number in (planned := cells(rng)):
        shape = SHAPES[number]
        planted = PLACES[place](shape, shape.secret(rng), rng)
        redacted = REDACTOR.line(planted.raw)
        assert REDACTOR.line(redacted) == redacted, place
        if place not in ("plain", "coloured, raw", "UTF-16", "UTF-16, big end first"):
            json.loads(redacted)
        if is_promised(place, shape) and is_leaked(planted, redacted):
            leaked.append((place, shape.kind, shape.before))
    assert len(leaked) <= MOST_LEAKING * len(planned) + BY_CHANCE, leaked


def test_a_chunk_boundary_is_no_seam(seed: int) -> None:
    rng = Random(seed)
    for shape in SHAPES:
        planted = PLACES["JSON once"](shape, shape.secret(rng), rng)
        cut = rng.randrange(planted.start + 1, planted.end)
        chunks = [planted.raw[:cut], planted.raw[cut:] + b"\n"]
        redacted = b"".join(REDACTOR.stream(chunks))
        assert redacted == REDACTOR.line(planted.raw + b"\n")


@pytest.mark.parametrize("place", ["base64", "percent", "hex", "coloured", "UTF-16", "split"])
def test_a_secret_has_its_one_placeholder_in_every_reading(place: str, seed: int) -> None:
    rng = Random(seed)
    shape = SHAPES[0]
    secret = shape.secret(rng)
    plain = REDACTOR.line(PLACES["plain"](shape, secret, rng).raw)
    coded = REDACTOR.line(PLACES[place](shape, secret, rng).raw)
    token = plain[plain.index(b"[gm:") : plain.index(b"]") + 1]
    assert token in coded
