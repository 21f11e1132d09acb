"""What every expected failure is: an exit code, a text made of facts, and the command that helps."""

from __future__ import annotations

from typing import ClassVar


class GitmemError(Exception):
    """An expected failure.

    Attributes:
        hint: What to do next; starts with a command where there is one.
    """

    exit_code: ClassVar[int] = 1
    hint: str = ""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        if hint:
            self.hint = hint

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by what it says and knows, for classes take their facts in forms of their own."""
        return _revive, (type(self), self.args, self.__dict__)


def _revive(kind: type[GitmemError], args: tuple[object, ...], facts: dict[str, object]) -> GitmemError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(facts)
    return error


class UsageError(GitmemError):
    """The command line, the environment or a setting asks for something that does not exist."""

    exit_code = 2
