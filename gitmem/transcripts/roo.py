"""Roo Code: a folder for each task, of several JSON files; a task that another began is a stream of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gitmem.transcripts.agent import Agent, Head, Identity
from gitmem.transcripts.editors import DERIVED, VSCODE, server_folders, user_folders
from gitmem.transcripts.fields import Object, child, string
from gitmem.transcripts.recorder import Recorder
from gitmem.transcripts.task_folders import identity_of, task_folders
from gitmem.transcripts.task_reader import TaskReader
from gitmem.transcripts.whole_files import load_beside

NAME = "roo"
EXTENSION = "rooveterinaryinc.roo-cline"
TASK = "rooTask"
ENTRY = "history_item.json"


def identify(head: Head) -> Identity | None:
    """Recognise a rendition by its first line."""
    task = child(head.records[0], TASK) if head.records else {}
    return identity_of(NAME, head.stem, task, list) if string(task, "id") else None


def is_roo(folder: Path) -> bool:
    """Tell a task's folder from one of Cline's: by an entry of its own, or where it is."""
    return (folder / ENTRY).is_file() or EXTENSION in folder.parts


def folders(home: Path, environ: Mapping[str, str]) -> list[Path]:
    """Return where tasks are kept, by editor."""
    users = [*user_folders(home, environ, (*VSCODE, *DERIVED)), *server_folders(home)]
    return [user / "globalStorage" / EXTENSION / "tasks" for user in users]


def _entry(folder: Path) -> Object:
    return load_beside(folder / ENTRY)


def _reader(recorder: Recorder) -> TaskReader:
    return TaskReader(recorder, TASK)


ROO = Agent(
    name=NAME,
    identify=identify,
    reader=_reader,
    folders=folders,
    writes_documents=True,
    suffixes=(".json",),
    collection=task_folders(NAME, TASK, _entry, is_roo),
)
