"""How the submodules of a superproject stand, in a table and for programs; none costs a run of git."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from gitmem.cli.context import Context
from gitmem.cli.output import Output, Part, Styled
from gitmem.cli.recursing import names_in, recurses, superproject_of
from gitmem.cli.rendering import ago, iso
from gitmem.cli.text import one_line
from gitmem.federation.registry import Entry, read_registry
from gitmem.git.settings import chosen_remotes, memory_ref_of
from gitmem.git.submodules import Submodule, Superproject
from gitmem.model.errors.arguments import BadSetting
from gitmem.model.errors.base import GitmemError
from gitmem.verbs.tips import read_tip

_SHOWN: Final = 1000


class Stand(NamedTuple):
    """How a submodule stands: what people call it here, the commit of its memory, the remotes it is shared
    with, and how it was synced last; `why` says what is wrong."""

    submodule: Submodule
    called: str
    memory: str | None
    remotes: tuple[str, ...]
    synced: Entry | None
    why: str


class Beside(NamedTuple):
    """What else is in the superproject of the repository at hand; nothing where it is in none."""

    superproject: Superproject | None
    is_at_top: bool
    stands: tuple[Stand, ...]


NOTHING_BESIDE: Final = Beside(None, True, ())


def look(context: Context, recurse: bool | None) -> Beside:
    """Look at the submodules of the superproject that the repository at hand is in, or is."""
    superproject = superproject_of(context) if recurses(context, recurse) else None
    if superproject is None or not superproject.submodules:
        return NOTHING_BESIDE
    called, registry = names_in(superproject), read_registry(superproject)
    stands = []
    for submodule in superproject.submodules:
        repository = submodule.repository
        if repository is None:
            stands.append(Stand(submodule, submodule.path, None, (), None, submodule.why))
            continue
        memory: str | None = None
        remotes: tuple[str, ...] = ()
        why = submodule.why
        try:
            ref = memory_ref_of(repository, context.environ)
            tip = read_tip(repository.common_dir, ref, context.git.elsewhere().environ)
            memory = tip.commit if tip else None
            remotes = tuple(remote.name for remote in chosen_remotes(repository.config))
        except (BadSetting, GitmemError) as error:
            why = str(error)
        at = repository.common_dir
        stands.append(Stand(submodule, called[at], memory, remotes, registry.get(at), why))
    is_at_top = superproject.top.common_dir == context.repository.common_dir
    return Beside(superproject, is_at_top, tuple(stands))


def say_submodules(output: Output, beside: Beside, now_ms: int) -> None:
    """Print a line for each submodule; nothing where there are none."""
    superproject = beside.superproject
    if superproject is None:
        return
    output.say("")
    whose = "" if beside.is_at_top else f" of {one_line(str(superproject.top.top))}"
    output.say(Styled(f"submodules{whose}", "strong"))
    rows: list[list[Part]] = [
        [
            Styled(one_line(stand.submodule.path), "name"),
            _describe_memory(stand),
            Styled(", ".join(map(one_line, stand.remotes)) or "with nobody", "dim"),
            _describe_sync(stand, now_ms),
        ]
        for stand in beside.stands[:_SHOWN]
    ]
    output.table(rows, header=["path", "memory", "shared", "last sync"], flexible=3)
    if len(beside.stands) > _SHOWN:
        output.say(Styled(f"and {len(beside.stands) - _SHOWN:,} more; --json: names them all", "dim"))


def submodules_as_json(beside: Beside) -> dict[str, Any]:
    """Return how the submodules stand, for programs; nothing where there is no superproject."""
    if beside.superproject is None:
        return {}
    top = beside.superproject.top
    return {
        "superproject": {"repo": top.name, "path": str(top.top)},
        "submodules": [_as_json(stand) for stand in beside.stands],
    }


def _describe_memory(stand: Stand) -> Part:
    state = stand.submodule.state
    if state == "refused":
        return Styled("refused", "bad")
    memory = f"at {stand.memory[:9]}" if stand.memory else "none yet"
    if state == "here":
        return memory
    return f"{state}, {memory}" if stand.memory else state


def _describe_sync(stand: Stand, now_ms: int) -> Part:
    if stand.why:
        return Styled(one_line(stand.why), "bad")
    entry = stand.synced
    if entry is None:
        return Styled("never", "dim")
    when = ago(entry.synced_ms, now_ms)
    if entry.outcome in ("synced", "nothing to do"):
        return Styled(when, "dim")
    reached = "never reached" if entry.reached_ms is None else f"reached {ago(entry.reached_ms, now_ms)}"
    return Styled(f"{entry.outcome} {when}, {reached}: {one_line(entry.why)}", "bad")


def _as_json(stand: Stand) -> dict[str, Any]:
    submodule, entry = stand.submodule, stand.synced
    return {
        "name": submodule.name,
        "path": submodule.path,
        "state": submodule.state,
        "repo": stand.called,
        "git_dir": str(submodule.repository.common_dir) if submodule.repository else None,
        "memory": stand.memory,
        "remotes": stand.remotes,
        "synced_at": iso(entry.synced_ms) if entry else None,
        "reached_at": iso(entry.reached_ms) if entry else None,
        "outcome": entry.outcome if entry else None,
        "why": stand.why or (entry.why if entry else "") or None,
    }
