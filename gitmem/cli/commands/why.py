"""`gitmem why`: from a line, a file or a commit to the turns of sessions that led to it."""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Thread
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar

from gitmem.cli.context import Context
from gitmem.cli.declared import Declared, Option
from gitmem.model.errors import GitmemError, UsageError

if TYPE_CHECKING:
    from gitmem.cli.explaining import Explanation
    from gitmem.format.memory import Memory
    from gitmem.why.accounts import Account
    from gitmem.why.explainer import Explainer
    from gitmem.why.targets import Form, Lines, Target

T = TypeVar("T")

_DEFAULT_LIMIT: Final = 20
_MOST_PLACES: Final = 1_000_000
_COLLECTED_EVERY: Final = 50_000
"""Objects: looking for rubbish as often as usual takes a tenth of the time, and there is hardly any."""
_USAGE_HINT: Final = "gitmem why -h: shows how it is used"


def why(context: Context, words: tuple[str, ...], /, *, limit: int, as_json: bool) -> int:
    """Say which turns led to what is asked for; return 1 if none is known."""
    from gitmem.why.targets import find_target, lines_of

    gc.enable()
    gc.set_threshold(_COLLECTED_EVERY)
    target, form = _asked_for(words)
    repository, start, git = context.repository, context.start, context.git
    found = find_target(target, form, repository, start, git)
    # git takes as long to tell where lines are from as we do to open the memory.
    with (
        _Meanwhile(lambda: lines_of(found, repository, start, git)) as asked,
        _opened(context) as memory,
    ):
        explanation = _explain(context, memory, target, found, asked.result(), limit)
        is_late = bool(explanation.unknown) and _takes_in(context, is_sum=found.span is None)
        if not is_late:
            _say(context, explanation, as_json)
    if is_late:
        with _opened(context) as memory:
            explanation = _explain(context, memory, target, found, asked.result(), limit)
            _say(context, explanation, as_json)
    if not explanation.known and context.settings.remotes:
        context.output.note("gitmem pull: brings in what others have shared, who may know")
    return 0 if explanation.known else 1


command: Final = Declared(
    name="why",
    about="""\
Say which turns of which sessions led to a line, a file or a commit.

A line is followed to its commit, to the checkpoints that are about that, and to the turn that wrote it, by
the line's own text. Ends with 1 where no session is known.
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
        with context.paged() as output:
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
    text: str,
    target: Target,
    asked: list[Lines],
    limit: int,
) -> Explanation:
    from gitmem.cli.explaining import Explanation
    from gitmem.cli.trusting import trusting_here
    from gitmem.git.blame import resolve_commit
    from gitmem.why.accounts import account, count_known, newest_first

    explainer = _explainer(context, memory)
    is_committed = all(line.commit for lines in asked for line in lines.lines)
    head = None if is_committed else resolve_commit(context.git, context.start, "HEAD")
    accounts: list[Account] = []
    for path, lines, numbers, counts in asked:
        explained = explainer.explain(lines, numbers, counts, path, head)
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
        state_dir=context.repository.state_dir,
        accounts=shown,
        left_out=len(accounts) - len(shown),
        known=known[True],
        unknown=known[False],
        circumstances={oid: explainer.circumstances(oid) for oid in commits},
        trusting=trusting_here(context),
    )


def _explainer(context: Context, memory: Memory) -> Explainer:
    from gitmem.git.blame import Questions
    from gitmem.why.explainer import Explainer

    with context.output.progress("reading sessions", None) as progress:

        def tell(done: int, total: int) -> None:
            progress.total = total
            progress.advance(done - progress.done)

        asking = Questions(context.repository, context.git)
        return Explainer(memory, context.repository.state_dir, asking, tell)


def _moment(explainer: Explainer, oid: Any) -> int:
    commit = explainer.commit(oid)
    return commit.committer.time_s if commit else 0
