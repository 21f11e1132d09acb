"""What commands that name a session begin with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gitmem.cli.context import Context
from gitmem.cli.opening import opened_storage, redactor_of, writer_of

if TYPE_CHECKING:
    from gitmem.format.memory import StoredSession
    from gitmem.verbs.naming import Naming


@contextmanager
def opened_naming(context: Context, session: str) -> Iterator[tuple[Naming, StoredSession]]:
    """Find a session in the repository's memory, and make ready to name it."""
    from gitmem.format.memory import open_memory
    from gitmem.verbs.naming import Naming
    from gitmem.verbs.reading import resolve

    with opened_storage(context) as storage:
        ref = context.settings.memory_ref
        memory = open_memory(storage, ref)
        stored = memory.load(resolve(memory, session))
        # The redactor is made only when there is a text to redact: its rules take time to compile.
        yield Naming(storage, ref, writer_of(context), lambda text: redactor_of(context).text(text)), stored
