"""Sidecars that are slower, quicker or worse than the real one, as programs to start."""

from __future__ import annotations

_BEGINNING = """\
import os, pathlib, sys, time
sys.path.insert(0, sys.argv.pop(1))
import indexer.__main__ as module
from indexer.service import conversation, keeping, live, server, upkeep
answers = module._answers
server._LOOKED_EVERY_S = 0.05
server._MOST_CLIENTS = 8
conversation._REQUEST_TIMEOUT_S = 2
keeping._TIMEOUT_S = 0.2
upkeep._FIRST_PAUSE_S = 0.2
live._QUIET_MS = 50
live._LOOKED_EVERY_S = live._AT_MOST_EVERY_S = 0.2
asked = pathlib.Path(os.environ["HOME"], "asked")
"""
_END = "sys.exit(module.main())\n"

QUICK = _BEGINNING + _END
"""Looks around more often, and has less patience, than one for people."""

SLOW = f"""{_BEGINNING}
def late(*args, **more):
    asked.touch()
    time.sleep(1)
    yield from answers(*args, **more)
module._answers = late
{_END}"""
"""Takes a second before each answer."""

STUCK = f"""{_BEGINNING}
def never(*args, **more):
    yield from answers(*args, **more)
    asked.touch()
    time.sleep(3600)
module._answers = never
{_END}"""
"""Answers, and does not come to an end."""

BUGGY = f"""{_BEGINNING}
def fail(request, *args, **more):
    if request.queries == ("bug",):
        raise ZeroDivisionError("what was asked for")
    yield from answers(request, *args, **more)
module._answers = fail
{_END}"""
"""Meets a bug where the query is `bug`."""

JUMPING = f"""{_BEGINNING}
import itertools
ticks = itertools.count()
time.time = lambda: 4e9 * (next(ticks) % 2)
{_END}"""
"""Lives where the clock on the wall jumps by a century at each look."""

OTHER_VERSION = f"""{_BEGINNING}
import gitmem
gitmem.__version__ = "0.0.1"
{_END}"""

OTHER_HOME = f"""{_BEGINNING}
from indexer.service import serving
serving.home = lambda: "/other"
{_END}"""

_HELD_CHILD = """\
import os, pathlib, sys, time
sys.path.insert(0, sys.argv.pop(1))
from indexer.upkeep import embedding, state
from indexer.__main__ import main
embed_missing = embedding.embed_missing
home = pathlib.Path(os.environ["HOME"])
def held(place, *args):
    reached = state.load(state.root_of(pathlib.Path(place.common_dir)))
    with (home / "embeds").open("a") as file:
        file.write(f"{reached.commit}\\n")
    while not (home / "go").exists():
        time.sleep(0.02)
    embed_missing(place, *args)
embedding.embed_missing = held
sys.exit(main())
"""

HELD = f"""{_BEGINNING}
from gitmem.sidecar import client
client._START = {_HELD_CHILD!r}
{_END}"""
"""Has children that begin to embed only when they are told to, by a file `go`; first they write into `embeds`
which commit their index has reached."""
