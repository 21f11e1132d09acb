"""What goes by gitmem's name in an agent's files and is not gitmem's: others brought it, by a pull it may be.

Most agents ask once whether a folder or a server's name may be trusted, and not again when what it runs
changes (docs/enable.md says which). So what runs under our name is compared with what we write.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from gitmem.agents import contents, jsonc, merging, standing
from gitmem.agents.targets import SERVER, STUB, Event, Target, Where, hook_command, targets
from gitmem.model.errors.enabling import ConfigRefused, ConfigUnreadable

_EVENTS: Final[tuple[Event, ...]] = ("session-start", "stop", "session-end")
_CLONES: Final = re.compile(
    r"""sh -c '\[ ! -r "\$0" \] \|\| exec sh "\$0" "\$@"' '(?P<stub>(?:[^']|'\\'')+)'"""
)
_KEYS: Final = ("mcpServers", "mcp")


class Foreign(NamedTuple):
    """A server or a hook that goes by our name in a file, and the command that it runs."""

    path: Path
    what: Literal["server", "hook"]
    runs: str


def foreign(agent: str, where: Where) -> Iterator[Foreign]:
    """Yield what goes by our name in the files of a working tree that an agent reads, and is not ours.

    A file that cannot be read has nothing that the agent could run.
    """
    if where.top is None:
        return
    seen: set[Path] = set()
    scopes = (where._replace(scope="local"), where._replace(scope="project"))
    for target in (target for each in scopes for target in targets(agent, each)):
        if not target.whole and not target.is_busy and target.path not in seen:
            seen.add(target.path)
            yield from _in_file(target, where)
    if agent == "claude-code":
        yield from _in_file(Target("server", where.top / ".mcp.json"), where)


def is_gone(target: Target) -> bool:
    """Tell whether nothing of gitmem's is in a file that it has written, whatever is there now."""
    try:
        content = standing.read(target.path)
        return content is None or not contents.has_entries(target, content)
    except (ConfigUnreadable, ConfigRefused):
        return True


def _in_file(target: Target, where: Where) -> Iterator[Foreign]:
    said = _read(target)
    for key in _KEYS if not target.server else ("mcp_servers",):
        servers = said.get(key)
        server = servers.get(merging.NAME) if isinstance(servers, dict) else None
        if server is not None and not _is_our_server(server, where):
            yield Foreign(target.path, "server", " ".join(_words(server)))
    hooks = said.get("hooks")
    for groups in hooks.values() if isinstance(hooks, dict) else ():
        for command in _commands(groups):
            if merging.is_own_command(command) and not _is_our_hook(command, where):
                yield Foreign(target.path, "hook", command)


def _read(target: Target) -> dict[str, Any]:
    try:
        content = standing.read(target.path)
        text = (content or b"").decode("utf-8-sig")
        said: Any = tomllib.loads(text) if target.server else jsonc.parse(text or "{}").plain()
    except (ConfigUnreadable, ConfigRefused, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _is_our_server(server: Any, where: Where) -> bool:
    """Tell whether a server runs the script of this clone, or of one that is not there: it was moved."""
    words = _words(server)
    if len(words) < 2 or words[0] != "sh" or not words[1].endswith(f"/gitmem/{SERVER}"):
        return False
    return Path(words[1]) == where.folder / SERVER or not Path(words[1]).exists()


def _is_our_hook(command: str, where: Where) -> bool:
    agent = command.split(" agent ")[-1].split(" ")[0]
    if any(command == hook_command(agent, event, where._replace(scope="project")) for event in _EVENTS):
        return True
    found = _CLONES.match(command)
    if found is None or command[found.end() :] not in {f" agent {agent} {event}" for event in _EVENTS}:
        return False
    stub = Path(found["stub"].replace("'\\''", "'"))
    return stub == where.folder / STUB or not stub.exists()


def _words(server: Any) -> Sequence[str]:
    """Return the command line of a server, as any of the agents has it; of a remote one its address."""
    if not isinstance(server, dict):
        return (str(server),)
    command, args = server.get("command"), server.get("args")
    words = [
        *(command if isinstance(command, list) else [command]),
        *(args if isinstance(args, list) else []),
    ]
    return [str(word) for word in words if word is not None] or [str(server.get("url"))]


def _commands(value: Any) -> Iterator[str]:
    """Yield all commands of an event's hooks."""
    for one in value if isinstance(value, list) else ():
        if isinstance(one, dict):
            yield from (text for key in merging.COMMANDS if isinstance(text := one.get(key), str))
            yield from _commands(one.get("hooks"))
