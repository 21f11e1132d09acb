"""The table of gitmem's MCP server in Codex's config.toml, put behind the rest and taken out again. Pure.

A table's lines are all that is touched; what comes of it is read as TOML before and after.
"""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any, Final

from gitmem.model.errors.enabling import ConfigUnreadable

_SAYS: Final = "# gitmem's; `gitmem disable codex` takes it away"
_SERVERS: Final = "mcp_servers"
_NAME: Final = "gitmem"
_TABLE: Final = re.compile(
    rf"(?:(?:(?<=\n)|\A)[ \t]*\r?\n)?(?:^{re.escape(_SAYS)}[ \t]*\r?\n)?"
    r"^\[mcp_servers\.gitmem\][ \t]*(?:\r?\n|\Z)(?:^(?![ \t]*(?:\[|#|\r?$)).*(?:\n|\Z))*",
    re.MULTILINE,
)
_OWN: Final = re.compile(r"\bgitmem/agent-mcp(?![\w.-])")


def merge(text: str, command: str, args: list[str]) -> str:
    """Put the table in, in the place of an older one; one of that name that is not gitmem's is left.

    Raises:
        ConfigUnreadable: It is no TOML, or has servers in a form that takes no table.
    """
    server = _read(text).get(_SERVERS, {})
    there = server.get(_NAME) if isinstance(server, dict) else None
    if there == {"command": command, "args": args} or (there is not None and not _is_own(there)):
        return text
    text = strip(text)
    line_end = "\r\n" if "\r\n" in text else "\n"
    lines = [_SAYS, f"[{_SERVERS}.{_NAME}]", f"command = {_quoted(command)}"]
    lines.append(f"args = [{', '.join(map(_quoted, args))}]")
    gap = "" if not text else line_end if text.endswith("\n") else line_end * 2
    after = text + gap + line_end.join(lines) + line_end
    if _read(after).get(_SERVERS, {}).get(_NAME) != {"command": command, "args": args}:
        raise ConfigUnreadable("", f"a table behind its end is not {_SERVERS}.{_NAME}")
    return after


def strip(text: str) -> str:
    """Take gitmem's table out.

    Raises:
        ConfigUnreadable: It is no TOML, or the table has been written in a form that cannot be taken out.
    """
    if not has_table(text):
        return text
    wanted = _read(text)
    del wanted[_SERVERS][_NAME]
    after = _TABLE.sub("", text, count=1)
    said = _read(after)
    said.setdefault(_SERVERS, {})
    if said != wanted:
        raise ConfigUnreadable("", f"{_SERVERS}.{_NAME} is not written as gitmem writes it")
    return after


def has_table(text: str) -> bool:
    """Tell whether gitmem's own table is there."""
    servers = _read(text).get(_SERVERS)
    return isinstance(servers, dict) and _is_own(servers.get(_NAME))


def is_current(text: str, command: str, args: list[str]) -> bool:
    """Tell whether a table of that name is there that `merge` would leave."""
    return merge(text, command, args) == text


def _is_own(server: Any) -> bool:
    args = server.get("args") if isinstance(server, dict) else None
    return isinstance(args, list) and any(isinstance(one, str) and _OWN.search(one) for one in args)


def _read(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigUnreadable("", f"it is no TOML: {error}") from None


def _quoted(text: str) -> str:
    """Write a basic string: JSON's escapes are TOML's too, but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
