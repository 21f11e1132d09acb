"""Finding notes by name: `note/<id>`, or the beginning of it, or of the id alone.

A note is its own first turn, so `note/<id>#0`, as a search's hits are cited, names it too.
"""

from __future__ import annotations

from typing import Final

from gitmem.format import notes
from gitmem.format.memory import Memory
from gitmem.model.errors.arguments import BadNoteName
from gitmem.model.errors.naming import NoteAmbiguous, NoteUnknown
from gitmem.model.ids import RecordId
from gitmem.notes.listing import PREFIX, SHOWN_DIGITS

LEAST_DIGITS: Final = 8
_MOST_DIGITS: Final = 64
_HEX: Final = frozenset("0123456789abcdef")


def may_name(text: str) -> bool:
    """Whether a text has the form of a note's whole name, `note/<id>`: no other thing is called so."""
    return text.startswith(PREFIX) and _is_id(_digits(text))


def resolve(memory: Memory, text: str) -> RecordId:
    """Return the note that a text names.

    Raises:
        BadNoteName: It names none, whatever the memory has.
        NoteUnknown: The memory has none of that name.
        NoteAmbiguous: It has more than one.
    """
    digits = _digits(text)
    if not _is_id(digits):
        raise BadNoteName(text)
    found = notes.find_prefix(memory, digits)
    if not found:
        raise NoteUnknown(text)
    if len(found) > 1:
        length = next(
            count
            for count in range(SHOWN_DIGITS, _MOST_DIGITS + 1)
            if len({name[:count] for name in found}) == len(found)
        )
        raise NoteAmbiguous(text, tuple(f"{PREFIX}{name[:length]}" for name in found))
    return found[0]


def _digits(text: str) -> str:
    return text.removeprefix(PREFIX).removesuffix("#0")


def _is_id(digits: str) -> bool:
    return LEAST_DIGITS <= len(digits) <= _MOST_DIGITS and _HEX.issuperset(digits)
