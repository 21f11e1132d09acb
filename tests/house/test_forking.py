"""What the tests run as gitmem ends and answers as a process of its own would."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.conftest import IMPORTED_FROM, begin_anew, forks


@pytest.mark.parametrize(
    ("args", "stdin"),
    [(("-h",), b""), (("qqqq",), b""), (("status",), b""), (("redact", "scan", "-"), b"nothing\n" * 20_000)],
)
def test_what_is_forked_answers_as_another_interpreter_does(
    repository: Path, args: tuple[str, ...], stdin: bytes
) -> None:
    environ = {**os.environ, "PYTHONPATH": str(IMPORTED_FROM)}
    assert forks().run(args, repository, stdin, environ) == begin_anew(args, repository, stdin, environ)
