"""Which folder a composer or a chat of Cursor belongs to, by what the editor keeps of its workspaces."""

from __future__ import annotations

from pathlib import Path

from gitmem.model.errors.intake import UnknownTranscript
from gitmem.transcripts.editors import path_of
from gitmem.transcripts.fields import Object, child, children, string
from gitmem.transcripts.sqlite import columns_of, object_in, opened, value_of
from gitmem.transcripts.vscode_sessions import began_in
from gitmem.transcripts.whole_files import load_beside

_IN_WORKSPACE = "composer.composerData"


def folder_of(database: Path) -> str | None:
    """Return the folder of the workspace that a database is of, which `workspace.json` beside it names."""
    return began_in(load_beside(database.parent / "workspace.json"))


class Workspaces:
    """The workspaces beside the database of the whole editor; looked at when one is first asked for."""

    def __init__(self, database: Path) -> None:
        self._folder = database.parent.parent / "workspaceStorage"
        self._folders: dict[str, str | None] = {}
        self._composers: dict[str, str] | None = None

    def identified(self, about: Object) -> str | None:
        """Return the folder that a composer's `workspaceIdentifier` names, or whose id it has."""
        workspace = child(about, "workspaceIdentifier")
        uri = workspace.get("uri") or workspace.get("configPath")
        own = string(workspace, "id")
        if uri is not None:
            found = path_of(uri)
            if found is not None and "configPath" in workspace and "uri" not in workspace:
                return found.rpartition("/")[0] or None
            return found
        if own is None or Path(own).name != own:
            return None
        if own not in self._folders:
            self._folders[own] = folder_of(self._folder / own / "state.vscdb")
        return self._folders[own]

    def of_composer(self, own: str) -> str | None:
        """Return the folder of the workspace whose database names a composer."""
        if self._composers is None:
            self._composers = {}
            for database in sorted(self._folder.glob("*/state.vscdb")):
                folder = folder_of(database)
                for named in _named_in(database) if folder is not None else ():
                    self._composers.setdefault(named, folder or "")
        return self._composers.get(own)

    def of_bubble(self, bubble: Object) -> str | None:
        """Return the folder that a bubble was written in, where it says so."""
        uris = bubble.get("workspaceUris")
        first = uris[0] if isinstance(uris, list) and uris else None
        return string(bubble, "workspaceProjectDir") or path_of(first)


def _named_in(database: Path) -> list[str]:
    try:
        with opened(database) as connection:
            if not columns_of(connection, "ItemTable") >= {"key", "value"}:
                return []
            stored = object_in(value_of(connection, "ItemTable", _IN_WORKSPACE))
    except UnknownTranscript:
        return []  # a workspace that cannot be read tells nothing; the composer is of no folder
    selected = stored.get("selectedComposerIds")
    named = [string(one, "composerId") for one in children(stored, "allComposers")]
    named += [one for one in selected if isinstance(one, str)] if isinstance(selected, list) else []
    return [own for own in named if own]
