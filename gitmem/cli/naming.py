"""What commands that name a session begin with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gitmem.cli.context import Context
from gitmem.cli.opening import redactor_of, writer_of
from gitmem.model.errors.withholding import LevelRefused
from gitmem.model.settings import is_lower

if TYPE_CHECKING:
    from gitmem.format.memory import StoredSession
    from gitmem.verbs.naming import Naming


def is_note(name: str) -> bool:
    """Whether what is named as a session would be is a note."""
    from gitmem.notes.finding import may_name

    return may_name(name)


@contextmanager
def opened_naming(context: Context, session: str) -> Iterator[tuple[Naming, StoredSession]]:
    """Find a session in the repository's memory, and make ready to name it."""
    from gitmem.cli.levels import opened_shelf
    from gitmem.verbs.levels import level_of
    from gitmem.verbs.naming import Naming
    from gitmem.verbs.reading import resolve
    from gitmem.verbs.relevel import standing

    with opened_shelf(context) as shelf:
        memory = shelf.memory()
        stored = memory.load(resolve(memory, session))
        try:
            at = standing(shelf.memories, stored.id, str(stored.key), "team")
            home, own = at.home, at.memory
        except LevelRefused:
            # One that waits to be forgotten can still be called something; of one that was lowered, nothing
            # is to come where others see it.
            home, own = next((of, m) for of, m in shelf.memories.items() if m.find(stored.id) is not None)
            if is_lower(level_of(stored, home), home):
                raise

        def redact(text: str) -> str:
            # The redactor is made only when there is a text to redact: its rules take time to compile.
            return redactor_of(context, home).text(text, stored.id.encode())

        yield Naming(own.storage, own.ref, writer_of(context, home), redact), stored
