"""The commands, a module each; the table is all that `gitmem -h` reads, and a run imports only its own."""

from __future__ import annotations

from typing import Final, NamedTuple


class Entry(NamedTuple):
    """Where a command is, and its one line of help; the module names it `command`.

    One that is declared (gitmem.cli.declared) can run without click.
    """

    module: str
    help: str
    is_declared: bool = False


THEMES: Final[dict[str, dict[str, Entry]]] = {
    "Begin": {
        "init": Entry("init", "Make this repository remember."),
        "enable": Entry("enable", "Have git and coding agents tell gitmem what happens."),
        "disable": Entry("disable", "Take gitmem's entries out again, without a trace."),
        "import": Entry("import_", "Take transcripts from files and folders into the memory."),
        "demo": Entry("demo", "Show the whole round in a throw-away place."),
    },
    "Find": {
        "search": Entry("search", "Search the sessions by words, with filters.", is_declared=True),
        "recall": Entry("recall", "Quote what answers a question, cited, for an agent.", is_declared=True),
        "why": Entry("why", "Say which turns led to a line, a file or a commit.", is_declared=True),
        "sessions": Entry("sessions", "List the sessions, the newest first."),
        "show": Entry("show", "Show a session, one turn of it, a checkpoint or a note."),
        "note": Entry("note", "Decisions, patterns and reminders: write them down, list them."),
        "index": Entry("index", "The state of the search index, and bringing it up."),
        "model": Entry("model", "The model for search by meaning: install, show or remove it."),
    },
    "Go on": {
        "resume": Entry("resume", "Hand a session to an agent, which goes on with it."),
        "rewind": Entry("rewind", "Restore files as they were at a checkpoint, or undo that."),
        "export": Entry("export", "Write sessions as Markdown, HTML, JSON lines or trajectories."),
    },
    "Share": {
        "push": Entry("push", "Send the memory to a remote.", is_declared=True),
        "pull": Entry("pull", "Bring in what the memory of a remote has.", is_declared=True),
        "sync": Entry("sync", "Pull from the remotes that were chosen, then push to them.", is_declared=True),
        "conflicts": Entry("conflicts", "List the sessions that went on in two places."),
        "log": Entry("log", "Show the commits of the memory, and what each of them brought."),
    },
    "Keep in order": {
        "status": Entry("status", "Say what is remembered, shared and indexed here."),
        "doctor": Entry("doctor", "Say what is wrong here, and mend it."),
        "verify": Entry("verify", "Check that all that the memory is made of still holds."),
        "tag": Entry("tag", "Add tags to a session, or take them away."),
        "title": Entry("title", "Give a session a title."),
        "checkpoint": Entry("checkpoint", "Record where the code and the sessions stand now."),
        "capture": Entry("capture", "Take in what has grown since last time.", is_declared=True),
    },
    "Decide who sees what": {
        "level": Entry("level", "Say who may see a session, or change it."),
        "recipients": Entry("recipients", "Say who can open private sessions, and change it."),
        "redact": Entry("redact", "Say what redaction finds, test its rules, explain placeholders."),
        "forget": Entry("forget", "Forget sessions: out of sight at once, and then for good."),
        "audit": Entry("audit", "Show who did what to the memory, and check that."),
    },
    "For agents and shells": {
        "digest": Entry("digest", "What an agent is told when it starts here.", is_declared=True),
        "mcp": Entry("mcp", "Serve the memory to agents, by the Model Context Protocol."),
        "hook": Entry(
            "hook", "Answer a coding agent's hook; what `enable` writes runs it.", is_declared=True
        ),
        "completion": Entry("completion", "Print a script that completes gitmem's commands in a shell."),
    },
}
"""What each command is for, in the order of the help."""

COMMANDS: Final[dict[str, Entry]] = {
    name: entry for theme in THEMES.values() for name, entry in theme.items()
}
