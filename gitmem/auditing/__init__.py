"""The audit: who did what to the memory, when and why; one chain of entries for each clone and user.

Entries are gathered in the clone (`log.Log`), and go with a push, on a ref of their own
(`publishing.publish`). What others have published is taken in with a pull (`peers.accept`), after each chain
has been checked against what was seen of it before. `checking.check` looks at all chains, and
`listing.newest` reads them.

An entry has no text of anybody's: every field is of a closed form (`entries`), so no title, path, query or
address fits into one. docs/formats/audit.md has the format, docs/audit.md says what is noted and why.

How a command uses it, with `log = gitmem.cli.auditing.log_of(context)`:

    log.note("capture", detail={"sessions": 2, "lines": 310}, reason="hook")    after the commit
    log.note("level", log.session(id, "team"), detail={"from": "team", "to": "public"})   before the effect
    log.note("share", log.remote(url), detail={"levels": "team"})               before it is configured
    log.note("push", log.remote(url), detail={"sessions": 3})                   before git is asked to push
    log.note("pull", log.remote(url), detail={"sessions": 1, "refused": 0})     after the union

A pull, with `storage`, whose fetch brought what is below AUDIT_NAMESPACE too:

    findings = peers.accept(storage, log, remote.name)    regress, forks, impostors: told of, not fatal

A push, beside the memory's refs (gitmem.cli.audit_sharing):

    moves = [Move(ref, commit) for ref, commit in publishing.publish(storage, log, remote.name)]
    peers.note_sent(storage, log, remote.name, ref)    where it was pushed, as for the tracking ref

This package's name loads nothing, and a search loads only `log`.
"""
