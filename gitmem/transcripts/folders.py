"""Where each agent keeps what it has of sessions on a machine.

Each function takes the home directory and the environment, and returns folders, or single files, that need
not be there. Every scan asks for all, mostly without a need for any agent's module.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gitmem.transcripts.editors import DERIVED, VSCODE, server_folders, user_folders

CLINE_EXTENSION = "saoudrizwan.claude-dev"
ROO_EXTENSION = "rooveterinaryinc.roo-cline"
CURSOR_TRANSCRIPTS = "agent-transcripts"


def nowhere(home: Path, environ: Mapping[str, str]) -> list[Path]:
    """Return nothing: what such an agent has stands in working trees, or is imported by name."""
    return []


def amp(home: Path, environ: Mapping[str, str]) -> list[Path]:
    """Return where threads are kept; newer versions keep most of them on a server."""
    data = environ.get("XDG_DATA_HOME")
    return [(Path(data) if data else home / ".local" / "share") / "amp" / "threads"]


def antigravity(home: Path, environ: Mapping[str, str]) -> list[Path]:
    """Return the logs, one a conversation: beside them are pictures and plans, and longer forms of them."""
    return sorted(home.glob(".gemini/antigravity*/brain/*/.system_generated/logs/transcript.jsonl"))


def claude_code(home: Path, environ: Mapping[str, str]) -> list[Path]:
    """Return where sessions are kept, in one folder for each directory they were started in."""
    root = environ.get("CLAUDE_CONFIG_DIR")
    return [(Path(root) if root else home / ".claude") / "projects"]


def cline(home: Path, environ: Mapping[str, str]) -> list[Path]:
    """Return where tasks are kept, by editor, and sessions of the SDK."""
    users = [*user_folders(home, environ, (*VSCODE, *DERIVED)), *server_folders(home)]
    own = environ.get("CLINE_DIR")
    data = Path(environ.get("CLINE_DATA_DIR") or (Path(own) if own else home / ".cline") / "data")
    sessions = environ.get("CLINE_SESSION_DATA_DIR")
    return [
        *(user / "globalStorage" / CLINE_EXTENSION / "tasks" for user in users),
        data / "tasks",
        Path(sessions) if sessions else data / "sessions",
    ]


def codex(home: Path, environ: Mapping[str, str]) -> list[Path]:
    """Return where threads are kept, by date, and where those go that were archived."""
    setting = environ.get("CODEX_HOME")
    root = Path(setting) if setting else home / ".codex"
    return [root / "sessions", root / "archived_sessions"]


def continue_dev(home: Path, environ: Mapping[str, str]) -> list[Path]:
    """Return where sessions are kept, with an index that is none."""
    setting = environ.get("CONTINUE_GLOBAL_DIR")
    return [(Path(setting) if setting else home / ".continue") / "sessions"]


def copilot_cli(home: Path, environ: Mapping[str, str]) -> list[Path]:
    """Return where sessions are kept: a folder each, or in older versions a file each."""
    setting = environ.get("COPILOT_HOME")
    return [(Path(setting) if setting else home / ".copilot") / "session-state"]


def cursor(home: Path, environ: Mapping[str, str]) -> list[Path]:
    """Return the databases of the editor and its workspaces, and the command line's folders."""
    own = home / ".cursor"
    found = [own / "chats"]
    for user in user_folders(home, environ, ["Cursor"]):
        found.append(user / "globalStorage" / "state.vscdb")
        found += sorted((user / "workspaceStorage").glob("*/state.vscdb"))
    # Behind the databases, which are asked whether they have the same session.
    return found + sorted((own / "projects").glob(f"*/{CURSOR_TRANSCRIPTS}"))


def droid(home: Path, environ: Mapping[str, str]) -> list[Path]:
    """Return where sessions are kept, in one folder for each directory they were started in."""
    return [home / ".factory" / "sessions"]


def gemini_cli(home: Path, environ: Mapping[str, str]) -> list[Path]:
    """Return where sessions are kept, in one folder for each project, named by its hash or its name."""
    setting = environ.get("GEMINI_CLI_HOME")
    return [(Path(setting) if setting else home) / ".gemini" / "tmp"]


def goose(home: Path, environ: Mapping[str, str]) -> list[Path]:
    """Return the database and the older files beside it; its folder has copies of the database, too."""
    root, data, roaming = (environ.get(name) for name in ("GOOSE_PATH_ROOT", "XDG_DATA_HOME", "APPDATA"))
    if root:
        places = [Path(root) / "data" / "sessions"]
    else:
        places = [
            (Path(data) if data else home / ".local" / "share") / "goose" / "sessions",
            (Path(roaming) if roaming else home / "AppData" / "Roaming") / "Block/goose/data/sessions",
        ]
    return [file for place in places for file in (place / "sessions.db", *sorted(place.glob("*.jsonl")))]


def opencode(home: Path, environ: Mapping[str, str]) -> list[Path]:
    """Return where the database and the older files are; what `opencode export` wrote is imported by name."""
    data = environ.get("XDG_DATA_HOME")
    own = (Path(data) if data else home / ".local" / "share") / "opencode"
    return [own / "opencode.db", own / "storage" / "session"]


def pi(home: Path, environ: Mapping[str, str]) -> list[Path]:
    """Return where sessions are kept, in one folder for each directory they were started in."""
    setting = environ.get("PI_CODING_AGENT_DIR")
    openclaw = sorted((home / ".openclaw" / "agents").glob("*/sessions"))
    own = Path(setting) if setting else home / ".pi" / "agent"
    return [own / "sessions", home / ".omp" / "agent" / "sessions", *openclaw]


def qwen(home: Path, environ: Mapping[str, str]) -> list[Path]:
    """Return where sessions are kept, in one folder for each directory they were started in."""
    return [home / ".qwen" / "projects"]


def roo(home: Path, environ: Mapping[str, str]) -> list[Path]:
    """Return where tasks are kept, by editor."""
    users = [*user_folders(home, environ, (*VSCODE, *DERIVED)), *server_folders(home)]
    return [user / "globalStorage" / ROO_EXTENSION / "tasks" for user in users]


def vscode_copilot(home: Path, environ: Mapping[str, str]) -> list[Path]:
    """Return where sessions are kept: by workspace, and those without one."""
    found: list[Path] = []
    for user in user_folders(home, environ, VSCODE):
        found += sorted((user / "workspaceStorage").glob("*/chatSessions"))
        found.append(user / "globalStorage" / "emptyWindowChatSessions")
    return found


def windsurf(home: Path, environ: Mapping[str, str]) -> list[Path]:
    """Return where the hook's transcripts are, of which Windsurf keeps the latest hundred, and databases."""
    users = user_folders(home, environ, ("Windsurf", "Windsurf - Next"))
    databases = [path for user in users for path in sorted((user / "workspaceStorage").glob("*/state.vscdb"))]
    return [home / ".windsurf" / "transcripts", *databases]
