"""Commands that are declared rather than written with click, so that their plain forms start without it.

click takes half of what a search may take as a whole process. A declaration makes the click command, which
helps, completes and complains; `read` understands the common command lines by the same declaration, and
leaves all others to click. Both make the same of what both understand: a test holds them to it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, NamedTuple

from gitmem.model.errors.base import UsageError

COMPLETION_VARIABLE: Final = "_GITMEM_COMPLETE"
"""How a completion script asks gitmem: it sets this and runs it."""

_LONGEST_NUMBER: Final = 9


class Option(NamedTuple):
    """An option: how it is written, what its value is called, and what it may be.

    A flag is True or False; a switch too, by its first name or its second, and None where it is not given. A
    number is within `bounds`, a text is one of `choices` where there are some.
    With `is_many` it may be given any number of times, and its value is a tuple.
    """

    names: tuple[str, ...]
    key: str
    help: str
    kind: Literal["text", "number", "flag", "switch"] = "text"
    metavar: str | None = None
    choices: tuple[str, ...] = ()
    bounds: tuple[int, int] = (0, 0)
    is_many: bool = False
    default: str | int | None = None


class Declared(NamedTuple):
    """A command: `run(context, words, **values)` does it and returns the exit code.

    `about` is its help, the first sentence first. Words may stand among its options; where it `keeps_dashes`,
    a `--` that ends the options is a word too. What collects garbage is off, since most do not run for long.
    """

    name: str
    about: str
    words: str
    options: tuple[Option, ...]
    examples: tuple[str, ...]
    run: Callable[..., int]
    keeps_dashes: bool = False


class Line(NamedTuple):
    """A command line that was understood: a value for every option, and the words."""

    values: dict[str, Any]
    words: tuple[str, ...]


DIRECTORY: Final = Option(("-C",), "directories", "Work as if started in DIR.", metavar="DIR", is_many=True)
COLOUR: Final = Option(
    ("--color",),
    "colour",
    "When to use colour; auto asks the terminal and NO_COLOR.",
    choices=("auto", "always", "never"),
    default="auto",
)
NO_PAGER: Final = Option(("--no-pager",), "no_pager", "Print straight to the terminal.", kind="flag")
RECURSE: Final = Option(
    ("--recurse-submodules", "--no-recurse-submodules"),
    "recurse",
    "In the superproject and all of its submodules, from anywhere inside; so by default where there are any.",
    kind="switch",
)
NO_SIGN: Final = Option(("--no-sign",), "no_sign", "Sign nothing, this once.", kind="flag")
AS_JSON: Final = Option(("--json",), "as_json", "Print what came of it as JSON.", kind="flag")
GLOBAL: Final = (DIRECTORY, COLOUR, NO_PAGER)
"""The options before a command's name; that of the directory may also stand behind it."""


def read(
    options: Sequence[Option],
    arguments: Sequence[str],
    *,
    until_word: bool = False,
    keeps_dashes: bool = False,
) -> Line | None:
    """Understand a command line, or return None for whatever is not of the plainest.

    With `until_word` the first word ends the options, and all behind it are words too.
    """
    by_name = {name: option for option in options for name in option.names}
    values: dict[str, Any] = {option.key: _unset(option) for option in options}
    words: list[str] = []
    left = list(reversed(arguments))
    while left:
        argument = left.pop()
        if argument == "--" and not until_word:
            words += (["--"] if keeps_dashes else []) + left[::-1]
            break
        if len(argument) < 2 or argument[0] != "-":
            words.append(argument)
            if until_word:
                words += reversed(left)
                break
            continue
        option, text = _split(argument, by_name)
        if option is None or (option.kind in ("flag", "switch") and text is not None):
            return None
        if option.kind == "switch":
            values[option.key] = argument == option.names[0]
            continue
        if option.kind == "flag":
            values[option.key] = True
            continue
        if text is None:
            if not left:
                return None
            text = left.pop()
        value = _value(option, text)
        if value is None:
            return None
        values[option.key] = (*values[option.key], value) if option.is_many else value
    return Line(values, tuple(words))


def only_word(words: Sequence[str], called: str) -> str | None:
    """Return the one word of a command line, or None where there is none.

    Raises:
        UsageError: There are more; `called` is what the one is.
    """
    if len(words) > 1:
        raise UsageError(f"could not understand {words[1]!r}: expected no more than one {called}")
    return words[0] if words else None


def _split(argument: str, by_name: dict[str, Option]) -> tuple[Option | None, str | None]:
    """Return the option, and the value that is written onto it, if one is."""
    if argument.startswith("--"):
        name, equals, text = argument.partition("=")
        return by_name.get(name), text if equals else None
    return by_name.get(argument[:2]), argument[2:] or None


def _value(option: Option, text: str) -> str | int | None:
    if option.kind == "number":
        if not (text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER):
            return None
        least, most = option.bounds
        return int(text) if least <= int(text) <= most else None
    return None if option.choices and text not in option.choices else text


def _unset(option: Option) -> object:
    if option.kind == "flag":
        return False
    return () if option.is_many else option.default
