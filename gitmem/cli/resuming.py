"""Handing a session to an agent at the command line: what the disk and the user are asked, and told."""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from gitmem.cli.auditing import note_session
from gitmem.cli.context import Context
from gitmem.cli.folders import home_of
from gitmem.cli.opening import opened_memory
from gitmem.cli.text import one_line
from gitmem.cli.trusting import trust_of, trusting_here
from gitmem.model.errors.handing_over import ImportFailed
from gitmem.model.errors.worktrees import NoWorkingTree

if TYPE_CHECKING:
    from gitmem.handing_over.resuming import Resumed
    from gitmem.model.ids import SessionKey
    from gitmem.query.trusting import Trust

_SALT_BYTES: Final = 16
_IMPORT_TIMEOUT_S: Final = 120


class Handed(NamedTuple):
    """What came of handing a session over, whose it is, and whether its agent's own program took it in."""

    resumed: Resumed
    authors: tuple[str, ...]
    trust: Trust
    is_taken_in: bool


def hand_over(context: Context, session: str, agent: str | None, *, is_fresh: bool, is_dry: bool) -> Handed:
    """Write a session into an agent's place; raises as `resume` does.

    Raises:
        NoWorkingTree: There is no directory for it to go on in.
        ImportFailed: The agent's own program did not take it in.
    """
    from gitmem.handing_over.resuming import Asked, resume
    from gitmem.verbs.levels import level_of
    from gitmem.verbs.reading import resolve

    repository = context.repository
    if repository.top is None:
        raise NoWorkingTree(str(context.start))
    with opened_memory(context, fetches=True) as memory:
        folder = resolve(memory, session)
        memory.absent.require(folder.session)
        stored = memory.load(folder)
        level = level_of(stored, "team")
        trust = trust_of(trusting_here(context), stored)

        def claim(key: SessionKey) -> None:
            # A copy says all that its origin does, and is nobody else's to see either.
            if level in ("private", "ephemeral"):
                from gitmem.cli.levels import levels_of

                levels_of(context).give(key, level)

        asked = Asked(
            agent,
            home_of(context),
            context.environ,
            repository.state_dir,
            repository.top,
            os.urandom(_SALT_BYTES) if is_fresh else b"",
            is_dry,
            claim,
            trust == "known",
            context.now_ms(),
        )
        resumed = resume(memory, folder, asked)
        note_session(context, "resume", memory, folder)
        authors = tuple(dict.fromkeys(capture.author.name for capture in stored.captures.values()))
    return Handed(resumed, authors, trust, _take_in(context, resumed))


def _take_in(context: Context, resumed: Resumed) -> bool:
    """Have the agent's own program take a document in, where it has one and is there."""
    if resumed.importer is None or resumed.state != "written":
        return False
    program = shutil.which(resumed.importer[0], path=context.environ.get("PATH"))
    if program is None:
        return False
    import subprocess

    try:
        finished = subprocess.run(
            [program, *resumed.importer[1:]],
            cwd=resumed.cwd,
            env={**context.environ, "PWD": str(resumed.cwd)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_IMPORT_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ImportFailed(resumed.importer, f"it did not end within {_IMPORT_TIMEOUT_S} s") from error
    except OSError as error:
        raise ImportFailed(resumed.importer, error.strerror or str(error)) from error
    if finished.returncode:
        said = one_line(finished.stderr.decode("utf-8", "replace").strip()[-_MOST_SAID:])
        raise ImportFailed(resumed.importer, said)
    from gitmem import disk

    disk.remove_file(resumed.files[0])
    return True


_MOST_SAID: Final = 300


def as_json_of(handed: Handed) -> dict[str, Any]:
    """Return what `resume --json` says."""
    resumed = handed.resumed
    return {
        "session": str(resumed.key),
        "origin": str(resumed.origin),
        "agent": resumed.key.agent,
        "form": resumed.form,
        "state": resumed.state,
        "files": [str(path) for path in resumed.files],
        "cwd": str(resumed.cwd),
        "command": list(resumed.command),
        "import": list(resumed.importer) if resumed.importer and not handed.is_taken_in else None,
        "lost": dict(sorted(resumed.lost.items())),
        "left": [
            {"stream": left.stream, "lines": left.lines, "read": _reading(resumed, left.stream)}
            for left in resumed.left
        ],
        "placeholders": dict(sorted(resumed.placeholders.items())),
        "authors": list(handed.authors),
        "trust": handed.trust,
    }


def say(context: Context, handed: Handed, *, with_command: bool) -> None:
    """Say what was written and lost, and print the command that goes on with it."""
    output, resumed = context.output, handed.resumed
    told = {"written": "written", "stands": "stands there already", "planned": "would be written"}
    for path in resumed.files:
        if not handed.is_taken_in:
            output.note(f"{told[resumed.state]}: {one_line(str(path))}")
    if resumed.form != "verbatim":
        output.note(f"a session of its own, {resumed.key}, forked from {one_line(str(resumed.origin))}")
    for kind, count in sorted(resumed.lost.items()):
        output.warn(f"lost: {count:,} {kind}")
    for left in resumed.left:
        read = shlex.join(map(one_line, _reading(resumed, left.stream)))
        output.warn(f"{left.lines:,} lines stay behind; to read them: {read}")
    if resumed.placeholders:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(resumed.placeholders.items()))
        output.warn(f"placeholders stand where secrets stood, as [gm:…]: {kinds}")
    if handed.trust != "known":
        who = ", ".join(map(one_line, handed.authors))
        output.warn(f"by {who}, who is {handed.trust} here: the agent takes all of it for its own past")
    if with_command:
        steps = [["cd", str(resumed.cwd)]] if not _is_same(resumed.cwd, context.start) else []
        if resumed.importer and not handed.is_taken_in:
            steps.append(list(resumed.importer))
        output.say(" && ".join(map(shlex.join, [*steps, list(resumed.command)])))


def _reading(resumed: Resumed, stream: str) -> list[str]:
    """Return the command that shows a stream that stayed behind."""
    return ["gitmem", "show", "--stream", stream, str(resumed.origin)]


def _is_same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)
