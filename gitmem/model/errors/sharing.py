"""A memory that cannot be sent or fetched."""

from __future__ import annotations

from gitmem.model.errors.base import GitmemError


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
