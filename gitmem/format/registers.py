"""What registers come to, whatever they are about: the last writing holds, and the next comes after all."""

from __future__ import annotations

from collections.abc import Mapping

from gitmem.model.ids import RecordId
from gitmem.model.records import MAX_COUNT, Register, RegisterName

Value = str | tuple[str, ...] | bool | None


def last(registers: Mapping[RecordId, Register], name: RegisterName) -> Register | None:
    """Return the writing of a register that holds: the highest clock, ties by id."""
    written = [(r.clock, record_id, r) for record_id, r in registers.items() if r.name == name]
    return max(written, key=lambda row: row[:2])[2] if written else None


def value(registers: Mapping[RecordId, Register], name: RegisterName) -> Value:
    """Return what was last written to a register."""
    found = last(registers, name)
    return found.value if found else None


def is_hidden(registers: Mapping[RecordId, Register]) -> bool:
    """Whether no reader shows what they are about: it has another level now, or was forgotten."""
    return value(registers, "hidden") is True or value(registers, "forgotten") is not None


def hidden_by(registers: Mapping[RecordId, Register]) -> tuple[str, ...]:
    """Return the addresses of those by whose word no reader shows something; none where it is shown."""
    hidden, forgotten = last(registers, "hidden"), last(registers, "forgotten")
    found = [hidden] if hidden is not None and hidden.value is True else []
    found += [forgotten] if forgotten is not None and forgotten.value is not None else []
    return tuple(sorted({register.author.email for register in found}))


def next_clock(registers: Mapping[RecordId, Register]) -> int:
    """Return the clock of a register written now; it ends where somebody has written the highest."""
    latest = max((register.clock for register in registers.values()), default=0)
    return min(latest + 1, MAX_COUNT)
