"""Which model it is, to the bit, and how texts are put to it; all of it together is the model's id.

Vectors of different ids do not compare. So whatever changes a vector, be it a constant here or the graph or
the quantisation, needs another `RECIPE`.
"""

from __future__ import annotations

from typing import Final, NamedTuple

NAME: Final = "all-MiniLM-L6-v2"
RECIPE: Final = 1
DIMENSIONS: Final = 384

MOST_TOKENS: Final = 256
"""Of a text, with the two that the model wants around it: what it was trained for."""

MOST_CHARACTERS: Final = 4096
"""Of a text, before it is cut into tokens: what lies behind would hardly ever be among the first 256."""


class Pinned(NamedTuple):
    """A published file of the model: no other bytes are taken for it."""

    name: str
    size_bytes: int
    sha256: str


WEIGHTS: Final = Pinned(
    "model.safetensors", 90_868_376, "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
)
TOKENIZER: Final = Pinned(
    "tokenizer.json", 466_247, "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
)


def model_id() -> str:
    """Return the short id that stands wherever vectors are kept: 16 hexadecimal digits."""
    import hashlib

    facts = (NAME, RECIPE, DIMENSIONS, MOST_TOKENS, MOST_CHARACTERS, WEIGHTS.sha256, TOKENIZER.sha256)
    return hashlib.sha256("\n".join(map(str, facts)).encode()).hexdigest()[:16]
