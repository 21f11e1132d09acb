"""What gitmem writes for each coding agent: which files, and what in them.

`local` is for one clone and kept out of git, `project` for whoever clones, `user` for all of one's
repositories. Nothing here looks at a disk but for which of two names of a file is in use.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal, NamedTuple

from gitmem.agents.merging import Constant, Entry, Hook, Member

Scope = Literal["local", "project", "user"]
Event = Literal["session-start", "stop", "session-end"]
Purpose = Literal["hooks", "server", "skill"]

AGENTS: Final = ("claude-code", "codex", "gemini-cli", "cursor", "opencode", "copilot-cli")
STUB: Final = "agent-hook"
SERVER: Final = "agent-mcp"

_EVENTS: Final[dict[str, dict[str, Event]]] = {
    "claude-code": {"SessionStart": "session-start", "Stop": "stop", "SessionEnd": "session-end"},
    "codex": {"SessionStart": "session-start", "Stop": "stop", "SessionEnd": "session-end"},
    "gemini-cli": {"SessionStart": "session-start", "AfterAgent": "stop", "SessionEnd": "session-end"},
    "cursor": {"sessionStart": "session-start", "stop": "stop", "sessionEnd": "session-end"},
    "copilot-cli": {"sessionStart": "session-start", "agentStop": "stop", "sessionEnd": "session-end"},
}
_TIMEOUT_S: Final[dict[Event, int]] = {"session-start": 5, "stop": 5, "session-end": 3}
"""How long an agent may wait for what never takes as long; Codex allows no more at the end."""


class Where(NamedTuple):
    """For whom entries are: `top` is the working tree (None for `user`), `folder` is where the stub is.

    `known_as` is the folder by which Claude Code knows the repository, `tops` are all of its working trees.
    """

    scope: Scope
    top: Path | None
    home: Path
    environ: Mapping[str, str]
    folder: Path
    known_as: Path | None = None
    tops: tuple[Path, ...] = ()


class Target(NamedTuple):
    """A file and what is to be in it: entries in JSON, a table in TOML (`server`), or all of it (`whole`).

    `is_busy` is one that its agent writes all the time, and that has what is nobody's business: no copy of it
    is kept.
    """

    purpose: Purpose
    path: Path
    entries: tuple[Entry, ...] = ()
    server: tuple[str, ...] = ()
    whole: Literal["", "skill", "plugin"] = ""
    is_busy: bool = False


def targets(agent: str, where: Where) -> tuple[Target, ...]:
    """Return the files for an agent, that with the hooks first."""
    match agent:
        case "claude-code":
            return _claude_code(where)
        case "codex":
            return _codex(where)
        case "gemini-cli":
            return _gemini_cli(where)
        case "cursor":
            return _cursor(where)
        case "opencode":
            return _opencode(where)
        case _:
            return _copilot_cli(where)


def home_of(agent: str, home: Path, environ: Mapping[str, str]) -> Path:
    """Return an agent's own folder of the user: where there is none, it has not been used on this machine."""

    def named(name: str, otherwise: Path) -> Path:
        path = Path(environ.get(name, ""))
        return path if path.is_absolute() else otherwise

    match agent:
        case "claude-code":
            return named("CLAUDE_CONFIG_DIR", home / ".claude")
        case "codex":
            return named("CODEX_HOME", home / ".codex")
        case "opencode":
            return named("XDG_CONFIG_HOME", home / ".config") / "opencode"
        case "copilot-cli":
            return named("COPILOT_HOME", home / ".copilot")
        case _:
            return _gemini_home(home, environ) / ".gemini" if agent == "gemini-cli" else home / ".cursor"


def _gemini_home(home: Path, environ: Mapping[str, str]) -> Path:
    """Return what Gemini CLI takes for the home directory."""
    named = Path(environ.get("GEMINI_CLI_HOME", ""))
    return named if named.is_absolute() else home


def hook_command(agent: str, event: Event, where: Where) -> str:
    """Return what an agent has a shell run, whichever shell that is; without the stub it ends with 0.

    What a project commits finds the stub by the clone that it runs in, else by the PATH.
    """
    if where.scope == "project":
        find = (
            "gitmem_stub=$(git rev-parse --git-common-dir 2>/dev/null)/gitmem/agent-hook; "
            '[ -r "$gitmem_stub" ] || gitmem_stub=$(command -v gitmem-hook); '
            '[ -z "$gitmem_stub" ] || exec sh "$gitmem_stub" "$@"; exit 0'
        )
        return f"sh -c '{find}' gitmem-hook agent {agent} {event}"
    stub = str(where.folder / STUB).replace("'", "'\\''")
    return f"""sh -c '[ ! -r "$0" ] || exec sh "$0" "$@"' '{stub}' agent {agent} {event}"""


def server_command(where: Where) -> tuple[str, ...]:
    """Return what starts the MCP server: a script that finds the recorded Python, so that entries last."""
    top = (str(where.top),) if where.top is not None else ()
    return ("sh", str(where.folder / SERVER), *top)


def _base(agent: str, where: Where, name: str) -> Path:
    return home_of(agent, where.home, where.environ) if where.top is None else where.top / name


def _skill(where: Where, folder: Path | None = None) -> Target:
    if folder is None:
        folder = (where.top or where.home) / ".agents"
    return Target("skill", folder / "skills" / "gitmem" / "SKILL.md", whole="skill")


def _servers(where: Where, path: Path, *, key: str = "mcpServers", **more: object) -> tuple[Target, ...]:
    """Return the file with the server's entry; none for a project, whose machines may not have gitmem."""
    if where.scope == "project":
        return ()
    command, *args = server_command(where)
    entry: dict[str, object] = {"command": command, "args": args, **more}
    return (Target("server", path, (Member((key,), entry),)),)


def _hooks(
    agent: str, where: Where, *, matcher: str = "", unit: int = 1, **more: object
) -> tuple[Entry, ...]:
    """Return hooks in the shape that Claude Code gave them; `unit` is a second, as the timeout has it."""
    found: list[Entry] = []
    for name, event in _EVENTS[agent].items():
        command = {
            "type": "command",
            "command": hook_command(agent, event, where),
            "timeout": _TIMEOUT_S[event] * unit,
        }
        group: dict[str, object] = {"hooks": [{**more, **command}]}
        if matcher and event == "session-start":
            group = {"matcher": matcher, **group}
        found.append(Hook(name, group))
    return tuple(found)


def _claude_code(where: Where) -> tuple[Target, ...]:
    base = _base("claude-code", where, ".claude")
    name = "settings.local.json" if where.scope == "local" else "settings.json"
    hooks = Target("hooks", base / name, _hooks("claude-code", where))
    return (hooks, *_claude_server(where), _skill(where, base))


def _claude_server(where: Where) -> tuple[Target, ...]:
    """Return the user's own file with the server's entry, in which a clone's stands by its folder.

    A project's `.mcp.json` would do for a clone too, but Claude Code lets its servers run by their names:
    whoever brings another one under ours, by a pull, would have it run. A clone's entry in the user's own
    file comes before that. It is started where Claude Code was, in whichever working tree.
    """
    if where.scope == "project":
        return ()
    configured = Path(where.environ.get("CLAUDE_CONFIG_DIR", ""))
    path = (configured if configured.is_absolute() else where.home) / ".claude.json"
    command, *args = server_command(where._replace(top=None))
    keys = ("mcpServers",) if where.known_as is None else ("projects", str(where.known_as), "mcpServers")
    return (Target("server", path, (Member(keys, {"command": command, "args": args}),), is_busy=True),)


def _codex(where: Where) -> tuple[Target, ...]:
    base = _base("codex", where, ".codex")
    table = Target("server", base / "config.toml", server=server_command(where))
    servers = () if where.scope == "project" else (table,)
    return (Target("hooks", base / "hooks.json", _hooks("codex", where)), *servers, _skill(where))


def _gemini_cli(where: Where) -> tuple[Target, ...]:
    path = _base("gemini-cli", where, ".gemini") / "settings.json"
    hooks = _hooks("gemini-cli", where, unit=1000, name="gitmem")
    servers = tuple(entry for target in _servers(where, path) for entry in target.entries)
    folder = _gemini_home(where.home, where.environ) / ".agents" if where.top is None else None
    return (Target("hooks", path, (*hooks, *servers)), _skill(where, folder))


def _cursor(where: Where) -> tuple[Target, ...]:
    base = _base("cursor", where, ".cursor")
    entries: list[Entry] = [Constant("version", 1)]
    for name, event in _EVENTS["cursor"].items():
        entries.append(Hook(name, {"command": hook_command("cursor", event, where)}))
    return (
        Target("hooks", base / "hooks.json", tuple(entries)),
        *_servers(where, base / "mcp.json"),
        _skill(where),
    )


def _opencode(where: Where) -> tuple[Target, ...]:
    base = _base("opencode", where, ".opencode")
    path = base / "opencode.jsonc"
    if not path.exists():
        path = base / "opencode.json"
    command = list(server_command(where))
    server = Target("server", path, (Member(("mcp",), {"type": "local", "command": command}),))
    servers = () if where.scope == "project" else (server,)
    return (Target("hooks", base / "plugins" / "gitmem.js", whole="plugin"), *servers, _skill(where))


def _copilot_cli(where: Where) -> tuple[Target, ...]:
    own = where.top is None
    base = _base("copilot-cli", where, ".github")
    entries: list[Entry] = [Constant("version", 1)]
    for name, event in _EVENTS["copilot-cli"].items():
        command = hook_command("copilot-cli", event, where)
        entries.append(Hook(name, {"type": "command", "bash": command, "timeoutSec": _TIMEOUT_S[event]}))
    server = base / ("mcp-config.json" if own else "mcp.json")
    return (
        Target("hooks", base / "hooks" / "gitmem.json", tuple(entries)),
        *_servers(where, server, type="local", tools=["*"]),
        _skill(where),
    )
