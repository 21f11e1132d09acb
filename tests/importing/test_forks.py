"""What a session says twice is shown once: heads that contain each other, and forks of other sessions."""

from __future__ import annotations

import json
from pathlib import Path

from gitmem.format import layout, records, segments
from gitmem.format.memory import Memory
from gitmem.model.records import Capture, SegmentEntry
from gitmem.redaction.redactor import Redactor
from gitmem.verbs.committing import commit
from gitmem.verbs.reading import streams as streams_of
from gitmem.verbs.reading import transcript
from tests.importing import samples
from tests.importing.conftest import KEY, REF, WHO, Importer
from tests.importing.test_growth import Open


def names(memory: Memory) -> list[str]:
    [folder] = memory.folders()
    return [name for name, _ in streams_of(memory, folder, memory.load(folder))]


def test_the_same_text_under_another_key_is_shown_once(
    take: Importer,
    memory: Open,
    tmp_path: Path,
    secret: str,
) -> None:
    content = samples.lines(0, 5) + samples.line(5, message={"role": "user", "content": f"key {secret}"})
    take(samples.write(tmp_path / "a.jsonl", content))
    alone = memory()
    [folder] = alone.folders()
    [head] = alone.load(folder).heads()[""]
    # Another clone, which knew nothing of this capture, made its own: as if pulled.
    text = b"".join(Redactor(KEY[::-1]).stream([samples.lines(0, 4)]))
    [(sealed, _)] = segments.seal_all(text, segments.EMPTY_GROUP)
    entry = SegmentEntry(sealed.name, sealed.lines, sealed.size_bytes)
    record = Capture(folder.session, WHO.now(), WHO.author, "another clone", "0" * 16, (entry,))
    name, blob = records.seal(record)
    with alone.storage.begin() as batch:
        changes = {
            layout.capture_path(folder.session, name): batch.add("blob", blob),
            layout.segment_path(folder.session, sealed.name): batch.add("blob", sealed.blob),
        }
        commit(alone.storage, REF, WHO, "As if pulled [skip ci]\n", dict(changes), batch)
    assert len(memory().load(next(memory().folders())).heads()[""]) == 2
    assert names(memory()) == [""]
    assert head.lines == 6


def test_two_ways_on_are_both_shown(take: Importer, memory: Open, tmp_path: Path) -> None:
    path = samples.write(tmp_path / "a.jsonl", samples.lines(0, 20))
    take(path)
    path.write_bytes(samples.lines(0, 30))
    take(path)
    take(samples.write(tmp_path / "copy.jsonl", samples.lines(0, 25) + samples.lines(200, 205)))
    [folder] = memory().folders()
    turns = transcript(memory(), folder).turns
    assert len(names(memory())) == 2
    ids = [turn.id for turn in turns]
    assert len(ids) == len(set(ids)) == 35


def test_a_fork_leaves_out_what_it_repeats(take: Importer, memory: Open, tmp_path: Path) -> None:
    parent, child = "019d2c11-0000-7000-8000-00000000000a", "019d2c11-0000-7000-8000-00000000000b"
    original = samples.codex(6, parent)
    first, *rest = original.splitlines(keepends=True)
    meta = json.loads(first)
    meta["payload"] |= {"id": child, "forked_from_id": parent}
    fork = json.dumps(meta).encode() + b"\n" + first + b"".join(rest)
    question = [{"type": "input_text", "text": "and the other gauge?"}]
    for kind, payload in (
        ("turn_context", {"turn_id": "turn-of-its-own"}),
        ("response_item", {"type": "message", "role": "user", "content": question}),
    ):
        fork += (
            json.dumps({"timestamp": "2026-03-02T10:00:00Z", "type": kind, "payload": payload}).encode()
            + b"\n"
        )
    take(samples.write(tmp_path / "a.jsonl", original), samples.write(tmp_path / "b.jsonl", fork))
    by_name = {
        memory().load(folder).key.native_id: transcript(memory(), folder) for folder in memory().folders()
    }
    assert [turn.text for turn in by_name[child].turns if turn.kind == "message"] == ["and the other gauge?"]
    assert by_name[child].tally.replayed == 6
