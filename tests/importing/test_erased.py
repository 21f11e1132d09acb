"""What was erased is not taken in again by way of another session of its key."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from gitmem.forgetting.forget import Erasing, erase
from gitmem.format import layout, records
from gitmem.format.memory import Memory
from gitmem.git.storage import GitStorage
from gitmem.model.ids import SessionId
from gitmem.model.records import Session
from gitmem.verbs.committing import commit
from tests.importing import samples
from tests.importing.conftest import REF, WHO, Importer, only_text
from tests.sharing.samples import Scribe

Open = Callable[[], Memory]
SIDE = b"".join(samples.line(n, isSidechain=True, agentId="ab12", uuid=f"s-{n}") for n in range(5))
OTHERS = b"".join(samples.line(n, version="1.9.9", uuid=f"o-{n}") for n in range(3))


def sessions(memory: Memory) -> set[SessionId]:
    return {folder.session for folder in memory.folders()}


def test_a_subagent_of_an_erased_session_does_not_join_another_of_its_key(
    take: Importer, memory: Open, storage: GitStorage, tmp_path: Path
) -> None:
    main = samples.write(tmp_path / "one" / f"{samples.NAME}.jsonl", samples.lines(0, 10))
    take(main)
    [one] = sessions(memory())
    other = samples.write(tmp_path / "other" / f"{samples.NAME}.jsonl", OTHERS)
    take(other)
    erase(Erasing(storage, REF, WHO), [one])
    left = sessions(memory())
    below = samples.write(tmp_path / "one" / samples.NAME / "subagents" / "agent-ab12.jsonl", SIDE)
    assert len(take(main, below).erased) == 2
    assert sessions(memory()) == left
    assert only_text(memory()) == OTHERS
    [folder] = memory().folders()
    assert list(memory().load(folder).heads()) == [""]
    take(main, below, again=True)
    assert len(sessions(memory())) == 2
    later = samples.write(tmp_path / "one" / samples.NAME / "subagents" / "agent-cd34.jsonl", SIDE)
    assert take(main, later).erased == []


def test_an_erased_transcript_does_not_join_a_session_of_subagents_alone(
    take: Importer, memory: Open, storage: GitStorage, tmp_path: Path
) -> None:
    main = samples.write(tmp_path / f"{samples.NAME}.jsonl", samples.lines(0, 10))
    take(main)
    [one] = sessions(memory())
    erase(Erasing(storage, REF, WHO), [one])
    # As it comes from a clone that had captured no more than the subagent.
    alone = Session("claude-code", samples.NAME, hashlib.sha256().hexdigest())
    name = records.session_id(alone)
    scribe = Scribe(storage, memory().root)
    scribe.put_record(layout.session_path(name), alone)
    scribe.capture(name, SIDE, "agent-ab12")
    with storage.begin() as batch:
        changes = {path: batch.add("blob", storage.read(oid)[1]) for path, oid in scribe.files()}
        commit(storage, REF, WHO, "Merge\n", changes, batch)
    assert sessions(memory()) == {name}
    assert [key.native_id for key in take(main).erased] == [samples.NAME]
    [folder] = memory().folders()
    assert list(memory().load(folder).heads()) == ["agent-ab12"]
