"""Roo Code: a folder for each task, of several JSON files; a task that another began is a stream of it."""

from __future__ import annotations

from pathlib import Path

from gitmem.transcripts.agent import Agent, Head, Identity
from gitmem.transcripts.fields import Object, child, string
from gitmem.transcripts.folders import ROO_EXTENSION
from gitmem.transcripts.recorder import Recorder
from gitmem.transcripts.task_folders import identity_of, task_folders
from gitmem.transcripts.task_reader import TaskReader
from gitmem.transcripts.whole_files import load_beside

NAME = "roo"
TASK = "rooTask"
ENTRY = "history_item.json"


def identify(head: Head) -> Identity | None:
    """Recognise a rendition by its first line."""
    task = child(head.records[0], TASK) if head.records else {}
    return identity_of(NAME, head.stem, task, list) if string(task, "id") else None


def is_roo(folder: Path) -> bool:
    """Tell a task's folder from one of Cline's: by an entry of its own, or where it is."""
    return (folder / ENTRY).is_file() or ROO_EXTENSION in folder.parts


def _entry(folder: Path) -> Object:
    return load_beside(folder / ENTRY)


def _reader(recorder: Recorder) -> TaskReader:
    return TaskReader(recorder, TASK)


AGENT = Agent(
    name=NAME,
    identify=identify,
    reader=_reader,
    writes_documents=True,
    collection=task_folders(NAME, TASK, _entry, is_roo),
)
