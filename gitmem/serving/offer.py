"""What a server offers, as plain values and callables: nothing here knows the protocol or a memory.

Every callable may be called from several threads at once, and raises GitmemError for what can be expected.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from gitmem.model.errors.base import GitmemError


class Answered(NamedTuple):
    """What a tool found: a text for whoever reads it, and the same as a value for programs."""

    text: str
    value: msgspec.Struct


class Tool(NamedTuple):
    """A tool: `run(arguments, client)` answers; `client` is what the other end calls itself, or nothing.

    `about` is all that an agent knows of it before it calls it. `hidden` are arguments that are not told of.
    """

    name: str
    title: str
    about: str
    takes: type[msgspec.Struct]
    gives: type[msgspec.Struct]
    run: Callable[[Any, str], Answered]
    writes: bool = False
    hidden: frozenset[str] = frozenset()


class Resource(NamedTuple):
    """Something that can be read by its address."""

    uri: str
    name: str
    title: str


class Listed(NamedTuple):
    """A page of resources, and the cursor of the next one, if there is one."""

    resources: Sequence[Resource]
    cursor: str | None


class Template(NamedTuple):
    """Addresses of one form, as RFC 6570 writes it."""

    uri: str
    name: str
    about: str


class Prompt(NamedTuple):
    """A text that a person can have put before their agent; `write(question, client)` makes it."""

    name: str
    title: str
    about: str
    argument: str
    argument_about: str
    write: Callable[[str], str]


class Offer(NamedTuple):
    """All that a server offers.

    `broke` is told of a bug and returns where its report is; `hint` says what an agent may do about an error.
    """

    name: str
    version: str
    instructions: str
    tools: Sequence[Tool]
    templates: Sequence[Template]
    prompts: Sequence[Prompt]
    list_resources: Callable[[str | None], Listed]
    read_resource: Callable[[str], str]
    broke: Callable[[Exception], str]
    hint: Callable[[GitmemError], str] = lambda error: error.hint
