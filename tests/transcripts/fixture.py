"""Short transcripts of an invented project, each beside the normal form that it is to be read as.

A fixture is a folder `fixtures/<agent>/<name>/`: `main.*` is the session, `agent-*` its subagents, and
`expected.json` what reading them gives. After a change on purpose, `python -m tests.transcripts.fixture`
writes the expected files anew; the difference is what is under review.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import msgspec

from gitmem.model.ids import MAIN_STREAM
from gitmem.transcripts.detect import detect
from gitmem.transcripts.read import Transcript, read

FIXTURES = Path(__file__).parent / "fixtures"


class Fixture(NamedTuple):
    agent: str
    folder: Path

    @property
    def name(self) -> str:
        return f"{self.agent}/{self.folder.name}"

    @property
    def files(self) -> list[Path]:
        """The session's own file first."""
        own = [path for path in self.folder.iterdir() if path.stem == "main"]
        return own + sorted(path for path in self.folder.iterdir() if path.name.startswith("agent-"))

    @property
    def main(self) -> bytes:
        return self.files[0].read_bytes()

    def streams(self) -> list[tuple[str, list[bytes]]]:
        return [
            (path.stem if path.stem != "main" else MAIN_STREAM, [path.read_bytes()]) for path in self.files
        ]

    def read(self) -> Transcript:
        return read(self.agent, self.streams())

    def normal_form(self) -> object:
        """Everything that is derived from the files, as JSON."""
        identities = [detect(path.read_bytes(), Path(path.name)) for path in self.files]
        transcript = self.read()
        form = {
            "identities": identities,
            "header": transcript.header,
            "tally": transcript.tally,
            "turns": transcript.turns,
        }
        return msgspec.json.decode(msgspec.json.encode(form))

    @property
    def expected(self) -> Path:
        return self.folder / "expected.json"


def all_fixtures() -> list[Fixture]:
    return [
        Fixture(agent.name, folder)
        for agent in sorted(FIXTURES.iterdir())
        for folder in sorted(agent.iterdir())
    ]


def write_expected() -> None:
    for fixture in all_fixtures():
        encoded = msgspec.json.format(msgspec.json.encode(fixture.normal_form()), indent=1)
        fixture.expected.write_bytes(encoded + b"\n")


if __name__ == "__main__":
    write_expected()
