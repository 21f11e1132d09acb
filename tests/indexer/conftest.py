"""What the indexer's tests share: a memory to fill, and the indexer to ask about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gitmem.query.filters import Filters
from gitmem.sidecar.wire import Request, Verb
from indexer.requests.answer import answer
from tests.indexer.memories import Filled

NO_FILTERS = Filters()


@dataclass
class Asked:
    """The indexer, asked within this process; `notices` are what it told whoever waited."""

    memory: Filled
    notices: list[str] = field(default_factory=list)
    progressed: list[tuple[int, int]] = field(default_factory=list)

    def notice(self, text: str) -> None:
        self.notices.append(text)

    def progress(self, done: int, total: int) -> None:
        self.progressed.append((done, total))

    def request(self, verb: Verb, **changes: Any) -> Request:
        return Request(verb, (self.memory.place,), limit=1000, catch_up_ms=60_000)._replace(**changes)

    def __call__(self, query: str, filters: Filters = NO_FILTERS, **changes: Any) -> dict[str, Any]:
        request = self.request("search", queries=(query,), filters=filters, **changes)
        (found,) = answer(request, self.memory.environ, self)
        return found

    def status(self, verb: Verb = "status") -> dict[str, Any]:
        (found,) = answer(self.request(verb), self.memory.environ, self)
        return found


@pytest.fixture
def memory(repository: Path, environ: Mapping[str, str]) -> Filled:
    return Filled(repository, environ)


@pytest.fixture
def search(memory: Filled) -> Asked:
    return Asked(memory)


@pytest.fixture
def asking() -> Callable[[Filled], Asked]:
    return Asked
