"""The seam that every byte of a transcript passes before it is hashed or stored.

Invariant: text goes through redacted, or not at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from gitmem.model.errors.withholding import RedactionFailed
from gitmem.redaction.accelerated import Databases
from gitmem.redaction.cleaner import Cleaner
from gitmem.redaction.engine import Engine, Readings
from gitmem.redaction.longline import LONGEST_SHORT_LINE, LongLine
from gitmem.redaction.rules import BUILT_IN, RuleSet, mark_of

KEY_BYTES = 32
_BLOCK = 256 << 10
_MOST_CLEANERS = 64


class Redactor:
    """Redacts with one repository's key and one rule set. Pure: equal input gives equal output.

    Pickles as its key and rules, so that a worker process may have its own; counts stay behind.

    Attributes:
        fingerprint: Hex; another for other rules or another engine, so that it may key caches of what was
            redacted. It says nothing of the key.
        mark: Hex; another for another key or other known values, too (`gitmem.redaction.rules.mark_of`).
        counts: How often each kind was replaced since this redactor was made.

    `known` are values that are secret whatever they look like; they are held in memory alone. A `session` is
    whatever tells one session from another: the same personal data has another placeholder in each, where the
    same secret has one in all of them. With `databases`, hyperscan is used where it is installed; they keep
    what it has compiled, and travel along to workers.

    Raises:
        RedactionFailed: The key has not 32 bytes, or a rule is for a kind that no placeholder may have.
    """

    def __init__(
        self,
        key: bytes,
        rules: RuleSet = BUILT_IN,
        known: Sequence[bytes] = (),
        databases: Databases | None = None,
    ) -> None:
        if len(key) != KEY_BYTES:
            raise RedactionFailed("anything", f"the key has {len(key)} bytes, where {KEY_BYTES} are expected")
        self.fingerprint = rules.fingerprint
        self.mark = mark_of(key, self.fingerprint, known)
        self.counts: Counter[str] = Counter()
        self._key, self._rules, self._known, self._databases = key, rules, tuple(known), databases
        self._engine = Engine(rules, self._known, databases)
        self._cleaners: dict[bytes, Cleaner] = {}

    def __reduce__(self) -> tuple[type[Redactor], tuple[object, ...]]:
        return Redactor, (self._key, self._rules, self._known, self._databases)

    @property
    def scanner(self) -> str:
        """Which scanner looks for suspects, `re2` or `hyperscan`: what is found is the same."""
        return self._engine.scanner

    def prepare(self) -> None:
        """Compile now what the first text would have to wait for; a fork brings it along.

        Raises:
            RedactionFailed: An expression does not compile.
        """
        for _ in self.stream([b"\n"]):
            pass

    def line(self, raw: bytes, session: bytes = b"") -> bytes:
        """Redact one line of a transcript, its end included; any bytes will do. Twice is the same as once.

        Raises:
            RedactionFailed: The engine failed, and nothing is known of this line.
        """
        return _failing_closed("a line", partial(_redacted, self._cleaner(session)), raw)

    def stream(self, chunks: Iterable[bytes], session: bytes = b"") -> Iterator[bytes]:
        """Redact a transcript that was cut anywhere; the same bytes as line by line, cut elsewhere.

        Memory is bounded however long a line is: what comes in is held up to about 2 MB.

        Raises:
            RedactionFailed: The engine failed; what was yielded before is redacted.
        """
        lines = _Lines(self._cleaner(session))
        for chunk in chunks:
            for position in range(0, len(chunk), _BLOCK):
                ready = _failing_closed("a transcript", lines.feed, chunk[position : position + _BLOCK])
                if ready:
                    yield ready
        ready = _failing_closed("a transcript", lines.finish, b"")
        if ready:
            yield ready

    def text(self, text: str, session: bytes = b"") -> str:
        """Redact what is no transcript but names one: titles, branches, commit subjects, authors.

        Raises:
            RedactionFailed: The engine failed.
        """
        raw = text.encode("utf-8", "surrogatepass")
        redacted = _failing_closed("a name", partial(_redacted, self._cleaner(session)), raw)
        return redacted.decode("utf-8", "surrogatepass")

    def _cleaner(self, session: bytes) -> Cleaner:
        cleaner = self._cleaners.get(session)
        if cleaner is None:
            if len(self._cleaners) >= _MOST_CLEANERS:
                self._cleaners.clear()
            cleaner = self._cleaners[session] = Cleaner(self._key, self._engine, self.counts, session)
        return cleaner


def _redacted(cleaner: Cleaner, raw: bytes, readings: Readings | None = None) -> bytes:
    """Redact one line; `readings` are those that it needs, where they are known already."""
    body = raw.removesuffix(b"\n")
    if len(body) <= LONGEST_SHORT_LINE:
        readings = cleaner.readings(body) if readings is None else readings
        return cleaner.clean(body, readings) + raw[len(body) :] if readings else raw
    long_line = LongLine(cleaner)
    return long_line.feed(body) + long_line.finish() + raw[len(body) :]


class _Lines:
    """Puts lines together again, and redacts many at once where none of them is suspect."""

    def __init__(self, cleaner: Cleaner) -> None:
        self._cleaner = cleaner
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._long_line: LongLine | None = None

    def feed(self, piece: bytes) -> bytes:
        """Take the next piece, of at most 256 KiB; return what is redacted."""
        out: list[bytes] = []
        if self._long_line is not None:
            end = piece.find(b"\n")
            if end < 0:
                return self._long_line.feed(piece)
            out = [self._long_line.feed(piece[:end]), self._long_line.finish(), b"\n"]
            self._long_line, piece = None, piece[end + 1 :]
        end = piece.rfind(b"\n") + 1
        if end:
            out.append(self._whole_lines(self._taken() + piece[:end]))
            piece = piece[end:]
        self._pending.append(piece)
        self._pending_bytes += len(piece)
        if self._pending_bytes > LONGEST_SHORT_LINE:
            self._long_line = LongLine(self._cleaner)
            out.append(self._long_line.feed(self._taken()))
        return b"".join(out)

    def finish(self, _nothing: bytes) -> bytes:
        """Return the last line, which has no end."""
        return (
            self._long_line.finish()
            if self._long_line is not None
            else _redacted(self._cleaner, self._taken())
        )

    def _taken(self) -> bytes:
        taken = b"".join(self._pending)
        self._pending, self._pending_bytes = [], 0
        return taken

    def _whole_lines(self, block: bytes) -> bytes:
        out: list[bytes] = []
        position = 0
        for line in self._cleaner.suspect_lines(block):
            redacted = _redacted(self._cleaner, block[line.start : line.end], line.readings)
            out += (block[position : line.start], redacted)
            position = line.end
        out.append(block[position:])
        return b"".join(out)


def _failing_closed(what: str, work: Callable[[bytes], bytes], text: bytes) -> bytes:
    try:
        return work(text)
    except RedactionFailed:
        raise
    except Exception as failure:  # noqa: BLE001 - the one place where even a bug becomes a refusal to write
        refusal = RedactionFailed(what, _without_input(failure))
    raise refusal  # out here, so that the failure is no part of it: what it says may quote the text


def _without_input(failure: Exception) -> str:
    """Say what failed and where, and nothing that the failure itself says."""
    import traceback  # few processes need it, and all would wait for it

    frames = traceback.extract_tb(failure.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(failure).__name__}{place}"
