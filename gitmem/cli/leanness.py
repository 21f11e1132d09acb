"""Choosing how much of a memory is pulled: the text of the last months, or all of it."""

from __future__ import annotations

from gitmem.cli.context import Context


def keep_days(context: Context, named: str | None, since: str) -> Context:
    """Remember that only text of the last days is to be pulled, and return the context that knows it.

    Raises:
        BadSetting: That is no age.
        SyncError: It is not clear which remote is meant.
    """
    from gitmem.git import lean
    from gitmem.git.settings import days_of
    from gitmem.git.transport import find_remote
    from gitmem.sharing.choosing import choose_remote

    days_of("--since", since)
    name = choose_remote(context.settings, named)
    find_remote(context.repository, context.git, name)
    if context.repository.is_partial:
        context.output.warn("this is a partial clone of git's own: all of the memory is pulled")
        return context
    lean.keep_days(context.repository, context.git, name, since)
    return context.again()


def pull_whole(context: Context, named: str | None) -> Context:
    """Fetch all that stayed with a remote, have it checked, and return the context that pulls all.

    Raises:
        SyncError: It could not be fetched; what is here is as it was.
    """
    from gitmem.cli.sharing import opened_sharing
    from gitmem.git.transport import find_remote
    from gitmem.model.refs import PUBLIC_REF
    from gitmem.sharing.choosing import choose_remote
    from gitmem.sharing.pulling import alone
    from gitmem.verbs.absence import become_whole

    name = choose_remote(context.settings, named)
    with opened_sharing(context) as sharing, alone(context.repository):
        remote = find_remote(context.repository, context.git, name, sharing.tell, sharing.silence_s)
        refs = [ref for ref in (context.settings.memory_ref, PUBLIC_REF) if sharing.storage.read_ref(ref)]
        for session, why in become_whole(sharing.storage, remote, refs):
            context.output.warn(f"still not here: session {session[:12]}: {why}")
    return context.again()
