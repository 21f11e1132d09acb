"""`gitmem demo`: the whole round, in a throw-away place."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import click

from gitmem.cli.acting import AGENTS, ANY_AGENT
from gitmem.cli.command import Command
from gitmem.cli.context import Context
from gitmem.cli.output import Styled
from gitmem.model.errors.enabling import DemoFailed
from gitmem.model.times import to_ms, to_text

_TOKEN_MARK = "@@TOKEN@@"  # noqa: S105 (where a made token is put, so that none stands here)
_CWD_MARK = "/home/ada/tides"
_TRANSCRIPTS = {
    "ada-claude-code.jsonl": "homes/ada/.claude/projects/tides/7c9d2a54-3f0e-4b43-9a52-60e1f3f0a9d1.jsonl",
    "ada-codex.jsonl": "homes/ada/.codex/sessions/2026/03/03/"
    "rollout-2026-03-03T14-00-00-019d2c11-6a40-7c10-8e52-9f3b5d1c7a20.jsonl",
    "grace-gemini-cli.json": "transcripts/grace/grace-gemini-cli.json",
}
_MINUTE_MS = 60_000
_ENDED = {
    "ada-claude-code.jsonl": 20 * _MINUTE_MS,
    "ada-codex.jsonl": 26 * 60 * _MINUTE_MS,
    "grace-gemini-cli.json": 5 * _MINUTE_MS,
}
"""How long ago each of the sessions ended: what is committed now was written by one that is under way."""
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
_FILE = "src/tides/gauge.py"
_BEFORE = """\
from datetime import datetime


def parse_reading(row, station):
    at = datetime.fromisoformat(row[0]).replace(tzinfo=station.zone)
    return at, float(row[1])
"""
_NOT_OURS = ("GIT_", "GITMEM_", "XDG_", "CLAUDE_", "CODEX_", "COPILOT_", "GEMINI_", *AGENTS, *ANY_AGENT)
"""How variables begin that lead gitmem or git to what is the user's own, or say that an agent is at work."""


@click.command("demo", cls=Command, examples=["gitmem demo", "gitmem demo --keep"])
@click.option("--keep", is_flag=True, help="Leave the place as it is at the end, to look around in.")
@click.pass_obj
def command(context: Context, keep: bool) -> None:
    """Show the whole round in a throw-away place: two people, three agents, one memory.

    Nothing outside that place is touched, and nothing leaves this machine.
    """
    place = Path(tempfile.mkdtemp(prefix="gitmem-demo-"))
    try:
        _Demo(context, place).play()
    finally:
        if not keep:
            shutil.rmtree(place)
    if keep:
        context.output.say(f"\nIt is all still there: cd {place}")


def _moved(text: str, ends_ms: int) -> str:
    """Return a transcript whose last moment is another one, and all others with it."""
    by_ms = ends_ms - max(to_ms(moment) for moment in _MOMENT.findall(text))
    return _MOMENT.sub(lambda found: to_text(to_ms(found[0]) + by_ms), text)


class _Demo:
    """Plays commands in one place, as two people with homes of their own."""

    def __init__(self, context: Context, place: Path) -> None:
        self._context, self._place = context, place
        self._started = time.monotonic()

    def play(self) -> None:
        """Play it all."""
        # Nobody's: it is here to be redacted.
        token = "gh" + "p_" + "d3M0" * 9
        self._set_up(token)
        self._title("Ada has worked with two agents. She makes her repository remember.")
        self._gitmem("ada", "init", "--share", "origin")
        self._title("She commits what an agent wrote: git's hook tells gitmem, which soon takes it in.")
        self._commit("ada", "Read a gauge in its own zone")
        self._gitmem("ada", "capture")
        self._title("Nothing secret got in: the access token that her agent used is a placeholder.")
        self._gitmem("ada", "search", "curl stations", "--limit", "1")
        self._title("What is to hold from now on, she writes down.")
        self._gitmem(
            "ada", "note", "add", "--file", _FILE, "A gauge is read in its own zone, else in local time."
        )
        self._git("ada", "-C", str(self._place / "ada"), "push", "--quiet")
        self._gitmem("ada", "push")
        self._title("Grace clones the repository. The memory came along; her own session joins it.")
        self._git("grace", "clone", "--quiet", str(self._place / "tides.git"), str(self._place / "grace"))
        self._gitmem("grace", "init", "--share", "origin")
        self._gitmem("grace", "import", "../transcripts/grace")
        self._gitmem("grace", "sessions")
        self._title(
            "She asks why a line is as it is: an agent of Ada's wrote it, and this is what Ada had said."
        )
        self._gitmem("grace", "why", f"{_FILE}:5")
        self._title("An agent that starts in her clone is told what went before, whoever's agent that was.")
        self._gitmem("grace", "digest")
        self._title("It asks for more, and has what answers: quoted, cited, within a budget of tokens.")
        self._gitmem("grace", "recall", "why was the tide table an hour late", "--budget", "400")
        self._gitmem("grace", "push")
        self._title("Grace has committed nothing yet. Ada says that agents may be told of her sessions.")
        trusting = ("config", "--add", "gitmem.trust", "grace@example.org")
        self._show("ada", "git", trusting)
        self._git("ada", "-C", str(self._place / "ada"), *trusting)
        self._title("Ada pulls: the union of both. Every object is what its name says.")
        self._gitmem("ada", "pull")
        self._gitmem("ada", "log")
        self._gitmem("ada", "verify", "--full")
        self._check(token)
        self._title(f"That was the whole round, in {time.monotonic() - self._started:.1f} seconds.")

    def _set_up(self, token: str) -> None:
        hub, ada = str(self._place / "tides.git"), self._place / "ada"
        for name, place in _TRANSCRIPTS.items():
            text = (files("gitmem.cli") / "demo" / name).read_text("utf-8")
            text = _moved(text, self._context.now_ms() - _ENDED[name])
            text = text.replace(_CWD_MARK, json.dumps(str(ada))[1:-1]).replace(_TOKEN_MARK, token)
            (self._place / place).parent.mkdir(parents=True, exist_ok=True)
            (self._place / place).write_text(text, "utf-8")
        self._git("ada", "init", "--quiet", "--bare", "--initial-branch=main", hub)
        self._git("ada", "init", "--quiet", "--initial-branch=main", str(ada))
        (ada / _FILE).parent.mkdir(parents=True)
        (ada / _FILE).write_text(_BEFORE, "utf-8")
        for arguments in (
            ("add", _FILE),
            ("commit", "--quiet", "-m", "Start a table of tides"),
            ("remote", "add", "origin", hub),
            ("push", "--quiet", "-u", "origin", "main"),
        ):
            self._git("ada", "-C", str(ada), *arguments)

    def _commit(self, person: str, message: str) -> None:
        """Show a commit and make it, with what an agent wrote; what its hooks leave waits for `capture`."""
        from gitmem.checkpoints import spool

        top = self._place / person
        # A drain that a hook starts would still be at work here when all of this has gone.
        spool.claim(top / ".git/gitmem/spool", os.getpid())
        (top / _FILE).write_text(_BEFORE.replace("station.zone", "station.reading_zone"), "utf-8")
        self._show(person, "git", ("commit", "-am", message))
        self._git(person, "-C", str(top), "commit", "--quiet", "-am", message, hooks="true")

    def _title(self, text: str) -> None:
        self._context.output.say("\n", Styled(f"# {text}", "good"))

    def _gitmem(self, person: str, *arguments: str) -> None:
        """Show a command line and run it, as that person, in their clone."""
        from gitmem.cli.main import run

        shown = self._show(person, "gitmem", arguments)
        status = run(["--no-pager", "-C", str(self._place / person), *arguments], self._context_of(person))
        if status:
            raise DemoFailed(shown, status)

    def _show(self, person: str, program: str, arguments: Sequence[str]) -> str:
        """Show a command line, and return it."""
        shown = " ".join(f'"{word}"' if " " in word else word for word in (program, *arguments))
        output = self._context.output
        output.say(Styled(f"{person}$ ", "dim"), Styled(shown, "strong"))
        output.flush()
        return shown

    def _git(self, person: str, *arguments: str, hooks: str = "false") -> None:
        from gitmem.git.process import Git

        Git({**self._environ(person), "GITMEM_HOOKS": hooks}).elsewhere().run(
            arguments, doing="set up the demonstration", cwd=self._place, as_user=True
        )

    def _environ(self, person: str) -> dict[str, str]:
        """Return an environment in which nothing of the user's own is read or written."""
        kept = {n: v for n, v in self._context.environ.items() if not n.startswith(_NOT_OURS)}
        home = self._place / "homes" / person
        home.mkdir(parents=True, exist_ok=True)
        name = person.capitalize()
        return {
            **kept,
            "HOME": str(home),
            "GITMEM_SIDECAR": "false",
            "GITMEM_ANSWER_S": "30",  # nobody's agent waits
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": str(home / "gitconfig"),
            "GIT_AUTHOR_NAME": name,
            "GIT_AUTHOR_EMAIL": f"{person}@example.org",
            "GIT_COMMITTER_NAME": name,
            "GIT_COMMITTER_EMAIL": f"{person}@example.org",
        }

    def _context_of(self, person: str) -> Context:
        output = self._context.output
        return Context(
            environ=self._environ(person),
            stdin=self._context.stdin,
            stdout=output.stdout,
            stderr=output.stderr,
            now_ms=self._context.now_ms,
        )

    def _check(self, token: str) -> None:
        """Look for the token in every text that the memory holds."""
        from gitmem.cli.opening import opened_memory

        context = self._context_of("ada")
        context.move(self._place / "ada")
        with opened_memory(context) as memory:
            for folder in memory.folders():
                for heads in memory.load(folder).heads().values():
                    text = b"".join(b"".join(memory.text(folder, head)) for head in heads)
                    if token.encode() in text:
                        raise DemoFailed("look for the token in what is stored: it is there", 1)
