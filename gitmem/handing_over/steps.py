"""A session's turns as another agent can take them: what was said, thought, and called with what it came to.

Every call has its result right behind it, for the models' interfaces take nothing else. What does not come
along is counted by kind.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import msgspec

from gitmem.model.ids import MAIN_STREAM
from gitmem.model.turns import Turn

NO_RESULT = "(The result of this call was not recorded.)"

Lost = Counter[str]
"""How much was left out, or is no longer what it was, by kind."""


class Said(NamedTuple):
    """A message, or (`thinking`) what the model thought."""

    turn: Turn
    role: Literal["user", "assistant"]
    kind: Literal["message", "thinking"]
    text: str


class Called(NamedTuple):
    """A tool call; `result` is None where none was recorded."""

    turn: Turn
    result: Turn | None

    @property
    def arguments(self) -> dict[str, object]:
        """The call's arguments as an object, which is what models' interfaces take."""
        assert self.turn.call is not None
        try:
            value = msgspec.json.decode(self.turn.call.input)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            value = self.turn.call.input
        return value if isinstance(value, dict) else {"input": value}

    @property
    def output(self) -> str:
        """What the tool said."""
        return NO_RESULT if self.result is None else self.result.text

    @property
    def has_failed(self) -> bool:
        """Whether it did."""
        return self.result is not None and self.result.result is not None and self.result.result.is_error


Step = Said | Called


def steps_of(turns: Iterable[Turn], lost: Lost, stream: str = MAIN_STREAM) -> list[Step]:
    """Return the steps of one stream of a session, in order; counts what is none."""
    own: list[Turn] = []
    for turn in turns:
        if turn.stream != stream:
            lost["turns of subagents and other ends of a fork"] += 1
        elif turn.kind == "preamble":
            lost["preambles"] += 1
        elif turn.kind == "notice":
            lost["notices"] += 1
        else:
            own.append(turn)
            lost["shortened values"] += turn.shortened
            lost["images"] += turn.text.split("\n").count("[image]")
    results = _results_of(own)
    steps: list[Step] = []
    for turn in own:
        if turn.call is not None:
            result = results.pop(turn.ordinal, None)
            lost["results that were not recorded"] += result is None
            steps.append(Called(turn, result))
        elif turn.result is not None:
            if turn.ordinal in results:  # of no call
                lost["results told as text, for no call is known"] += 1
                steps.append(Said(turn, "user", "message", f"(A tool said:)\n{turn.text}"))
        elif turn.kind == "thinking":
            steps.append(Said(turn, "assistant", "thinking", turn.text))
        elif turn.text.strip():
            role: Literal["user", "assistant"] = "assistant" if turn.role == "assistant" else "user"
            steps.append(Said(turn, role, "message", _with_author(turn)))
    return steps


def _results_of(turns: Sequence[Turn]) -> dict[int, Turn]:
    """Return results by the ordinals of their calls; those of none by their own."""
    by_name: dict[str | None, deque[int]] = {}
    found: dict[int, Turn] = {}
    for turn in turns:
        if turn.call is not None:
            by_name.setdefault(turn.call.id, deque()).append(turn.ordinal)
        elif turn.result is not None:
            waiting = by_name.get(turn.result.call_id)
            found[waiting.popleft() if waiting else turn.ordinal] = turn
    return found


def _with_author(turn: Turn) -> str:
    return f"{turn.author}: {turn.text}" if turn.author and turn.role == "user" else turn.text
