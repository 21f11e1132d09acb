"""The placeholder that stands where a secret stood: how it is made, recognised and compared.

Invariant: a placeholder is ASCII without quotes, backslashes or spaces, so that it is itself at every depth
of JSON escaping. What kinds there are gitmem.redaction.kinds says.
"""

from __future__ import annotations

import hmac
import re
from base64 import b32encode
from collections.abc import Iterator

from gitmem.redaction.kinds import KINDS as KINDS
from gitmem.redaction.kinds import PAYLOADS as PAYLOADS
from gitmem.redaction.kinds import UNREDACTABLE as UNREDACTABLE
from gitmem.redaction.kinds import USER_RULE as USER_RULE

OPENING = b"[gm:"
_TOKEN_BYTES = 10
"""80 bits: sixteen base32 digits without padding, and no two secrets of a repository meet by chance."""

_MARK = b"[gm::]"
"""What a placeholder is in a skeleton: no placeholder itself, since it has neither kind nor token."""

_WRITTEN = re.compile(rb"\[gm:([a-z0-9-]{1,40})(:(?:0|[1-9][0-9]{0,14}))?:[a-z2-7]{16}\]")
"""`[gm:KIND:TOKEN]`, and for payloads `[gm:KIND:SIZE:TOKEN]`; the size is in bytes, without leading zeros.

Whether there is such a kind is looked up: as an expression, all kinds take longer to compile than a capture
takes to use it.
"""

_WITH_SIZE = frozenset(kind.encode() for kind in PAYLOADS)
_WITHOUT_SIZE = frozenset(kind.encode() for kind in KINDS)


def payload_placeholder(kind: str, size_bytes: int, digest: bytes) -> bytes:
    """Return what is written instead of a payload; `digest` comes from `payload_digest`."""
    return OPENING + f"{kind}:{size_bytes}:".encode() + _token(digest) + b"]"


def payload_digest(key: bytes, kind: str) -> hmac.HMAC:
    """Return the keyed hash that a payload's bytes are to be fed to, part by part."""
    return hmac.new(key, kind.encode() + b"\x00", "sha256")


def session_key(key: bytes, session: bytes) -> bytes:
    """Return the key of tokens that are to be the same within one session only."""
    return hmac.digest(key, b"session\x00" + session, "sha256")


def placeholder(key: bytes, kind: str, value: bytes) -> bytes:
    """Return what is written instead of a secret: equal secrets of a repository give equal placeholders.

    Without the key nobody can try candidates for `value` against the token.
    """
    digest = hmac.digest(key, kind.encode() + b"\x00" + value, "sha256")
    return OPENING + kind.encode() + b":" + _token(digest) + b"]"


def _token(digest: bytes) -> bytes:
    return b32encode(digest[:_TOKEN_BYTES]).lower()


def placeholder_spans(line: bytes) -> list[tuple[int, int]]:
    """Return where valid placeholders stand, in order. What only looks like one is not among them."""
    if OPENING not in line:
        return []
    return [
        match.span()
        for match in _WRITTEN.finditer(line)
        if match[1] in (_WITHOUT_SIZE if match[2] is None else _WITH_SIZE)
    ]


def is_placeholder(text: bytes) -> bool:
    """Tell whether the text is one valid placeholder and nothing else."""
    return placeholder_spans(text) == [(0, len(text))]


def kinds_in(family: str) -> list[str]:
    """Return the kinds that a family takes in: those that have all of its words, in order.

    `aws` is a family, and so is `aws-key`, of the access key and the secret key.
    """
    found = []
    for kind in sorted(KINDS | PAYLOADS):
        words = iter(kind.split("-"))
        if family and all(word in words for word in family.lower().split("-")):
            found.append(kind)
    return found


def skeleton(line: bytes) -> bytes:
    """Return the line with one fixed mark for each placeholder: what two clones' copies have in common."""
    if OPENING not in line:
        return line
    return b"".join(_MARK if piece is None else piece for piece in _pieces(line))


def same_line(ours: bytes, theirs: bytes) -> bool:
    """Tell whether two redacted copies of a line say the same, whatever key or rules each was redacted with.

    A placeholder stands for any text without a double quote (no replaced secret holds one), so the copies
    are compared between their quotes; only text that was dropped whole may have held quotes. Linear time.
    """
    if ours == theirs:
        return True
    if OPENING not in ours and OPENING not in theirs:
        return False
    if skeleton(ours) == skeleton(theirs):
        return True
    if _dropped_text(ours) or _dropped_text(theirs):
        return _fits(ours, theirs)
    our_parts, their_parts = ours.split(b'"'), theirs.split(b'"')
    return len(our_parts) == len(their_parts) and all(map(_fits, our_parts, their_parts))


def _dropped_text(line: bytes) -> bool:
    return OPENING + UNREDACTABLE.encode() in line


def _fits(ours: bytes, theirs: bytes) -> bool:
    """Walk both copies at once; a placeholder met by plain text eats up to where its own copy goes on."""
    if ours == theirs:
        return True
    left, right = _Side(ours), _Side(theirs)
    while True:
        if left.at_end or right.at_end:
            return left.at_end and right.at_end
        if left.at_mark and right.at_mark:
            left.step()
            right.step()
        elif left.at_mark or right.at_mark:
            eater, eaten = (left, right) if left.at_mark else (right, left)
            eater.step()
            if not eaten.skip_to(eater):
                return False
        elif not left.agree(right):
            return False


class _Side:
    """One copy while it is being walked: literals and placeholders, and how far we are in them."""

    def __init__(self, line: bytes) -> None:
        self._pieces = list(_pieces(line))
        self._piece = 0
        self._offset = 0

    @property
    def at_end(self) -> bool:
        return self._piece == len(self._pieces)

    @property
    def at_mark(self) -> bool:
        return not self.at_end and self._pieces[self._piece] is None

    def step(self) -> None:
        self._piece += 1
        self._offset = 0

    def agree(self, other: _Side) -> bool:
        """Advance both over their current literals as far as the shorter goes; False where they differ."""
        longer, shorter = (self, other) if self._left() >= other._left() else (other, self)
        common = shorter._literal()[shorter._offset :]
        if not longer._literal().startswith(common, longer._offset):
            return False
        longer._advance(len(common))
        shorter._advance(len(common))
        return True

    def skip_to(self, other: _Side) -> bool:
        """Skip at least one byte, up to where the other goes on, or to the end if it does not.

        Whatever of the other's literal comes before one of our own placeholders is enough: that placeholder
        stands for the rest. The leftmost place is taken and never reconsidered, which keeps this linear.
        """
        if other.at_end:
            self._piece = len(self._pieces)
            return True
        self._advance(1)
        if other.at_mark:
            return True
        wanted = other._literal()
        if other._on_last_piece() and self._skip_to_end_of(wanted):
            return True
        while not self.at_end:
            if not self.at_mark:
                found = self._literal().find(wanted, self._offset)
                if found < 0 and self._piece + 1 < len(self._pieces):
                    found = _overlap(self._literal(), self._offset, wanted)
                if found >= 0:
                    self._offset = found
                    return True
            self.step()
        return False

    def _skip_to_end_of(self, wanted: bytes) -> bool:
        """What ends the other has to end us too, not to come next: it may be no more than a blank."""
        last = self._pieces[-1]
        if self.at_end or last is None or not last.endswith(wanted):
            return False
        offset = len(last) - len(wanted)
        if self._on_last_piece() and offset < self._offset:
            return False
        self._piece, self._offset = len(self._pieces) - 1, offset
        return True

    def _on_last_piece(self) -> bool:
        return self._piece == len(self._pieces) - 1

    def _literal(self) -> bytes:
        literal = self._pieces[self._piece]
        assert literal is not None
        return literal

    def _left(self) -> int:
        return len(self._literal()) - self._offset

    def _advance(self, length: int) -> None:
        self._offset += length
        if self._offset >= len(self._literal()):
            self.step()


def _overlap(text: bytes, start: int, wanted: bytes) -> int:
    """Return the first place from `start` on whence `text` runs to its end as `wanted` begins, or -1.

    Knuth, Morris and Pratt's automaton, since trying every place would be quadratic.
    """
    tail = text[max(start, len(text) - len(wanted) + 1) :]
    borders = [0] * (len(tail) + 1)
    state = 0
    for position in range(1, len(tail)):
        while state and wanted[position] != wanted[state]:
            state = borders[state]
        state += wanted[position] == wanted[state]
        borders[position + 1] = state
    state = 0
    for byte in tail:
        while state and byte != wanted[state]:
            state = borders[state]
        state += byte == wanted[state]
    return len(text) - state if state else -1


def _pieces(line: bytes) -> Iterator[bytes | None]:
    """Yield literals, and None for each placeholder; no literal is empty."""
    position = 0
    for start, end in placeholder_spans(line):
        if start > position:
            yield line[position:start]
        yield None
        position = end
    if position < len(line):
        yield line[position:]
