"""Sessions as documents of other forms: what of the memory goes into one, and where it is put."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import gitmem
from gitmem.cli.auditing import note_session
from gitmem.cli.context import Context
from gitmem.cli.opening import opened_memory
from gitmem.cli.text import one_line
from gitmem.cli.trusting import trust_of, trusting_here
from gitmem.model.errors.base import UsageError
from gitmem.model.errors.handing_over import NotExported, SessionHidden

if TYPE_CHECKING:
    from gitmem.format.memory import Folder, Memory
    from gitmem.handing_over.steps import Lost
    from gitmem.model.ids import SessionKey
    from gitmem.query.trusting import Trust

Form = Literal["markdown", "html", "jsonl", "atif", "agent-trace"]

_SUFFIXES: Final[dict[Form, str]] = {
    "markdown": ".md",
    "html": ".html",
    "jsonl": ".jsonl",
    "atif": ".trajectory.json",
    "agent-trace": ".agent-trace.json",
}
_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_NAME: Final = 120
_HINT: Final = "gitmem export -h: shows how it is used"


class Document(NamedTuple):
    """What is exported: its file's name, its content in pieces, and what it leaves out."""

    name: str
    pieces: Iterable[bytes]
    lost: Lost


def export(context: Context, names: Sequence[str], form: Form, target: str | None) -> None:
    """Write sessions to a file, into a folder, or to standard output.

    Raises:
        UsageError: Several sessions would make one document that is none, or go into what holds none.
        SessionUnknown, SessionAmbiguous, BadSessionName: As `resolve` does.
        SessionHidden: One was forgotten, or stands under another level.
        NotExported: Nothing at HEAD is known to be the sessions' (agent-trace).
        DiskRefused: The disk does not let it.
    """
    from gitmem import disk
    from gitmem.verbs.levels import level_of
    from gitmem.verbs.reading import resolve

    to = None if target in (None, "-") else context.start / str(target)
    is_folder = to is not None and (to.is_dir() or str(target).endswith("/"))
    if to is not None and not is_folder:
        to = to.resolve()  # what a link names is written, and the link stays
        if to.exists() and not to.is_file():
            raise UsageError(f"{one_line(str(target))} is no file and no folder", hint=_HINT)
    is_one = form == "agent-trace" or len(names) == 1
    if not (is_one or is_folder):
        raise UsageError("several sessions need a folder to go to, as -o DIR/", hint=_HINT)
    with opened_memory(context, fetches=True) as memory:
        folders = list({found.session: found for found in (resolve(memory, name) for name in names)}.values())
        for folder in folders:
            memory.absent.require(folder.session)
            stored = memory.load(folder)
            if stored.is_hidden:
                raise SessionHidden(str(stored.key))
            level = level_of(stored, "team")
            if level in ("private", "ephemeral"):
                context.output.warn(f"{one_line(str(stored.key))} is {level}, and this document is not")
        taken: set[str] = set()
        for document in _documents(context, memory, folders, form):
            if to is None:
                for piece in document.pieces:
                    context.output.raw(piece)
            else:
                path = to / _distinct(document.name, taken) if is_folder else to
                disk.make_folder(path.parent)
                with disk.NewFile(path.parent) as new:
                    for piece in document.pieces:
                        new.write(piece)
                    new.publish(path, mode=0o600)
                context.output.note(f"written: {one_line(str(path))}")
            for kind, count in sorted((+document.lost).items()):
                context.output.warn(f"left out of {one_line(document.name)}: {count:,} {kind}")
        for folder in folders:
            note_session(context, "export", memory, folder)


def _documents(context: Context, memory: Memory, folders: Sequence[Folder], form: Form) -> Iterator[Document]:
    if form == "agent-trace":
        yield _traced(context, memory, folders)
        return
    for folder in folders:
        yield _document(context, memory, folder, form)


def _document(context: Context, memory: Memory, folder: Folder, form: Form) -> Document:
    from gitmem.verbs.reading import transcript
    from gitmem.verbs.summaries import sum_up

    stored = memory.load(folder)
    whole = transcript(memory, folder, stored)
    summary = sum_up(stored, whole.turns, lambda: (whole.header, whole.tally), context.repository.name)
    trust = trust_of(trusting_here(context), stored)
    lost: Lost = Counter()
    pieces: Iterable[bytes]
    if form == "markdown":
        from gitmem.cli.markdown import document

        pieces = _encoded(document(summary, whole.turns, full=True, trust=trust))
    elif form == "html":
        from gitmem.cli.html import page

        pieces = _encoded(page(summary, whole.turns, trust))
    else:
        from gitmem.handing_over.about import About
        from gitmem.handing_over.atif import trajectory
        from gitmem.handing_over.neutral import neutral
        from gitmem.handing_over.records import encoded

        authors = tuple(dict.fromkeys(capture.author.name for capture in stored.captures.values()))
        about = About(stored.key, summary.title, whole.header, authors, trust)
        if form == "jsonl":
            pieces = list(neutral(about, whole.turns, lost))
        else:
            pieces = [encoded(trajectory(about, whole.turns, lost))]
    return Document(_file_name(stored.key, form), pieces, lost)


def _encoded(texts: Iterable[str]) -> Iterator[bytes]:
    return (text.encode("utf-8", "replace") for text in texts)


def _file_name(key: SessionKey, form: Form) -> str:
    """Return a name that is harmless, whatever the agent calls the session."""
    return _NOT_IN_NAMES.sub("-", str(key)).strip(".-")[:_LONGEST_NAME] + _SUFFIXES[form]


def _distinct(name: str, taken: set[str]) -> str:
    """Return a file's name that no other one has, on disks that do not tell cases apart either."""
    stem, dot, suffix = name.partition(".")
    found = next(
        each
        for each in (name, *(f"{stem}-{n}{dot}{suffix}" for n in range(2, len(taken) + 3)))
        if each.casefold() not in taken
    )
    taken.add(found.casefold())
    return found


def _traced(context: Context, memory: Memory, folders: Sequence[Folder]) -> Document:
    """Say which lines of the files at HEAD are from the sessions."""
    from gitmem.cli.tracing import lines_by_session
    from gitmem.handing_over.agent_trace import Writer, record
    from gitmem.handing_over.records import encoded
    from gitmem.model.times import to_text

    head, found = lines_by_session(context, memory, folders)
    trusting = trusting_here(context)
    files: dict[str, dict[Writer, list[int]]] = {}
    for path, number, session in found:
        trust: Trust = trusting.of_all(session.captured_by)
        writer = Writer(session.key, session.model, trust)
        files.setdefault(path, {}).setdefault(writer, []).append(number)
    if not files:
        raise NotExported(", ".join(str(memory.load(folder).key) for folder in folders))
    told = record(files, head, to_text(context.now_ms()), gitmem.__version__)
    return Document(f"{head[:12]}{_SUFFIXES['agent-trace']}", [encoded(told)], Counter())
