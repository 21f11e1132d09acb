"""`gitmem why`: from a line, a file or a commit to the turns of sessions that led to it."""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from functools import partial
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar

from gitmem.cli.context import Context
from gitmem.cli.declared import RECURSE, Declared, Option
from gitmem.model.errors.base import GitmemError, UsageError
from gitmem.model.errors.code import FileInAnotherRepository, FileOutside, TargetUnknown
from gitmem.model.errors.store import NoMemory

if TYPE_CHECKING:
    from gitmem.cli.explaining import Explanation
    from gitmem.format.memory import Memory
    from gitmem.objects.storage import Storage
    from gitmem.why.accounts import Account
    from gitmem.why.explainer import Explainer
    from gitmem.why.targets import Form, Lines, Target

T = TypeVar("T")

_DEFAULT_LIMIT: Final = 20
_OID: Final = re.compile(r"[0-9a-f]{4,64}\Z")
_MOST_PLACES: Final = 1_000_000
_COLLECTED_EVERY: Final = 50_000
"""Objects: looking for rubbish as often as usual takes a tenth of the time, and there is hardly any."""
_USAGE_HINT: Final = "gitmem why -h: shows how it is used"


def why(
    context: Context, words: tuple[str, ...], /, *, limit: int, recurse: bool | None, as_json: bool
) -> int:
    """Say which turns led to what is asked for; return 1 if none is known."""
    from gitmem.cli.recursing import others

    gc.enable()
    gc.set_threshold(_COLLECTED_EVERY)
    target, form = _asked_for(words)
    try:
        return _why(context, target, form, limit, recurse, as_json)
    except (FileInAnotherRepository, FileOutside) as error:
        file = Path(os.path.realpath((context.start / error.path).parent), Path(error.path).name)
        tops = [(each, each.repository.top) for each in others(context, recurse)]
        having = [(each, top) for each, top in tops if top is not None and file.is_relative_to(top)]
        if not having:
            raise
        innermost, top = max(having, key=lambda each: len(each[1].parts))
        name = str(file.relative_to(top)) + target[len(error.path) :]
        return _why(innermost, name, "file", limit, recurse, as_json)
    except TargetUnknown:
        if form == "file" or not _OID.match(target):
            raise  # what is named otherwise is of the repository at hand
        for each in others(context, recurse):
            with suppress(TargetUnknown, NoMemory):
                return _why(each, target, "commit", limit, recurse, as_json)
        raise


def _why(context: Context, target: str, form: Form, limit: int, recurse: bool | None, as_json: bool) -> int:
    """Explain what is of the repository at hand by its memory, or by those of the repositories around it.

    A session is of the repository that it began in, and may have written in its submodules.
    """
    from gitmem.why.targets import find_target, lines_of

    repository, start, git = context.repository, context.start, context.git
    found = find_target(target, form, repository, start, git)
    explain = partial(_explain, context, text=target, target=found, limit=limit)
    # git takes as long to tell where lines are from as we do to open the memory.
    with _Meanwhile(lambda: lines_of(found, repository, start, git)) as asked:
        try:
            is_known, is_done = False, False
            with _opened(context) as memory:
                explanation = explain(memory, asked=asked.result())
                is_late = bool(explanation.unknown) and _takes_in(context, is_sum=found.span is None)
                if not is_late:
                    is_known = bool(explanation.known)
                    is_done = is_known or not _around(context, recurse)
                    if is_done:
                        _say(context, explanation, as_json)
            missing = None
        except NoMemory as error:
            asked.result()  # what is wrong with the question comes first
            is_late, missing = False, error
    for outer in () if is_done or is_late else _around(context, recurse):
        is_known = is_known or _explain_from(outer, context, explain, asked.result(), as_json)
    if missing is not None and not is_known:
        raise missing
    if is_late or not (is_done or is_known):
        with _opened(context) as memory:
            explanation = explain(memory, asked=asked.result())
            is_known = bool(explanation.known)
            _say(context, explanation, as_json)
    if not is_known and context.settings.remotes:
        context.output.note("gitmem pull: brings in what others have shared, who may know")
    return 0 if is_known else 1


def _around(context: Context, recurse: bool | None) -> list[Context]:
    """Return the repositories whose working trees this one's is in, the innermost first."""
    from gitmem.cli.recursing import others

    own = context.repository.top
    if own is None:
        return []
    tops = [(each, each.repository.top) for each in others(context, recurse)]
    found = [(each, top) for each, top in tops if top is not None and own.is_relative_to(top)]
    return [each for each, top in sorted(found, key=lambda each: -len(each[1].parts))]


def _explain_from(
    outer: Context,
    context: Context,
    explain: Callable[..., Explanation],
    asked: list[Lines],
    as_json: bool,
) -> bool:
    """Explain by the memory of a repository around the one at hand; say it, if anything is known there."""
    from gitmem.cli.opening import opened_storage

    try:
        with _opened(outer) as memory, opened_storage(context) as code:
            explanation = explain(memory, asked=asked, outer=outer, code=code)
            if explanation.known:
                _say(outer, explanation, as_json)
            return bool(explanation.known)
    except NoMemory:
        return False


command: Final = Declared(
    name="why",
    about="""\
Say which turns of which sessions led to a line, a file or a commit.

A line is followed to its commit, to the checkpoints that are about that, and to the turn that wrote it, by
the line's own text. A submodule's file is explained by the submodule's memory, from anywhere in the
superproject, and so is a commit that only another of its repositories has. Ends with 1 where no session is
known.
""",
    words="FILE[:LINE[-LINE]]|COMMIT",
    options=(
        Option(
            ("--limit",),
            "limit",
            f"At most so many places, the newest first; {_DEFAULT_LIMIT} by default.",
            kind="number",
            metavar="N",
            bounds=(1, _MOST_PLACES),
            default=_DEFAULT_LIMIT,
        ),
        RECURSE,
        Option(("--json",), "as_json", "Print all that is known as JSON.", kind="flag"),
    ),
    examples=(
        "gitmem why src/gate.py:41",
        "gitmem why src/gate.py:41-60 --json",
        "gitmem why src/gate.py",
        "gitmem why HEAD~2",
    ),
    run=why,
    keeps_dashes=True,
)


def _asked_for(words: tuple[str, ...]) -> tuple[str, Form]:
    """Tell a file from a commit by the side of `--` that it stands on, as git does."""
    match words:
        case ("--", word):
            return word, "file"
        case (word, "--"):
            return word, "commit"
        case (word,) if word != "--":
            return word, "any"
    found = f"{len(words)} words" if words else "nothing"
    raise UsageError(
        f"could not say why: expected a file, a line of it, or a commit, found {found}", hint=_USAGE_HINT
    )


def _takes_in(context: Context, *, is_sum: bool) -> bool:
    """Take in what agents and hooks have left since last time, and tell whether it was anything.

    What was written just now may not have been. A sum over many lines mostly has some that nobody's session
    wrote: then only hooks that have run are a reason to look.
    """
    from gitmem.checkpoints import spool

    if is_sum and not spool.state(context.repository.state_dir).waiting:
        return False
    from gitmem.cli.capturing import take_in

    try:
        return take_in(context).is_something
    except GitmemError as error:
        context.output.warn(f"what is new could not be taken in: {error}")
        return False


def _say(context: Context, explanation: Explanation, as_json: bool) -> None:
    from gitmem.cli.auditing import log_of
    from gitmem.cli.explaining import as_json as plain
    from gitmem.cli.explaining import say

    if explanation.known:
        log_of(context).note("why", detail={"lines": explanation.known})

    if as_json:
        context.output.json(plain(explanation))
    else:
        with context.telling() as output:
            say(output, explanation)


def _opened(context: Context) -> AbstractContextManager[Memory]:
    from gitmem.cli.opening import opened_memory

    return opened_memory(context)


class _Meanwhile(Generic[T]):
    """Does something in a thread while something else is done here; it is waited for in any case."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._done: list[T] = []
        self._failed: list[BaseException] = []
        self._thread = Thread(target=self._run)

    def result(self) -> T:
        """Return what it came to, or raise what it raised."""
        self._thread.join()
        if self._failed:
            raise self._failed[0]
        return self._done[0]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()

    def _run(self) -> None:
        try:
            self._done.append(self._work())
        except BaseException as error:  # noqa: BLE001 (raised again by whoever asks for the result)
            self._failed.append(error)


def _explain(
    context: Context,
    memory: Memory,
    *,
    text: str,
    target: Target,
    asked: list[Lines],
    limit: int,
    outer: Context | None = None,
    code: Storage | None = None,
) -> Explanation:
    from gitmem.cli.explaining import Explanation
    from gitmem.cli.trusting import trusting_here
    from gitmem.git.blame import resolve_commit
    from gitmem.why.accounts import account, count_known, newest_first

    state_dir = (outer or context).repository.state_dir
    explainer = _explainer(context, memory, state_dir, code)
    is_committed = all(line.commit for lines in asked for line in lines.lines)
    head = None if is_committed else resolve_commit(context.git, context.start, "HEAD")
    accounts: list[Account] = []
    for path, lines, numbers, counts in asked:
        named = path if outer is None else _seen_from(outer, context, path)
        explained = explainer.explain(lines, numbers, counts, named, head)
        accounts += account(path, explained, by_turn=target.span is not None)
    if target.span is None and target.commit is None:
        accounts = newest_first(accounts, lambda oid: _moment(explainer, oid))
    elif target.commit is not None:
        accounts.sort(key=lambda each: (each.written is None, -len(each.lines)))
    known = count_known(accounts)
    shown = accounts[:limit]
    commits = dict.fromkeys(each.commit for each in shown if each.commit)
    if target.commit is not None:
        commits[target.commit] = None
    return Explanation(
        asked=text,
        target=target,
        memory=memory,
        state_dir=state_dir,
        accounts=shown,
        left_out=len(accounts) - len(shown),
        known=known[True],
        unknown=known[False],
        circumstances={oid: explainer.circumstances(oid) for oid in commits},
        trusting=trusting_here(context),
    )


def _seen_from(outer: Context, context: Context, path: str) -> str:
    """Return what a file is called from the top of a repository around the one that it is of."""
    assert outer.repository.top is not None
    assert context.repository.top is not None
    return (context.repository.top.relative_to(outer.repository.top) / path).as_posix()


def _explainer(context: Context, memory: Memory, state_dir: Path, code: Storage | None) -> Explainer:
    from gitmem.git.blame import Questions
    from gitmem.why.explainer import Explainer

    with context.output.progress("reading sessions", None) as progress:

        def tell(done: int, total: int) -> None:
            progress.total = total
            progress.advance(done - progress.done)

        asking = Questions(context.repository, context.git)
        return Explainer(memory, state_dir, asking, tell, code)


def _moment(explainer: Explainer, oid: Any) -> int:
    commit = explainer.commit(oid)
    return commit.committer.time_s if commit else 0
