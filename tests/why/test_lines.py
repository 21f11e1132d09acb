"""From a line to the turn that wrote it, through what git does to commits."""

from __future__ import annotations

from typing import Any

from gitmem.format import layout
from tests.why.conftest import Ask
from tests.why.world import World

GATE = "def gate_opens(height, draught):\n    margin = height - draught\n    return margin > 0.4\n"


def only(told: dict[str, Any]) -> dict[str, Any]:
    [place] = told["places"]
    assert isinstance(place, dict)
    return place


def test_line_of_a_commit_names_the_turn_that_wrote_it(world: World, ask: Ask) -> None:
    talk = world.talk("gates", "make the gate open in time")
    turn = talk.writes("gate.py", GATE)
    head = world.commit("gate: open in time")
    place = only(ask("gate.py:2"))
    assert place["address"] == f"claude-code/gates#{turn}"
    assert (place["evidence"], place["sure"], place["tool"]) == ("commit", True, "Write")
    assert place["commit"]["id"] == head
    assert place["prompt"] == "make the gate open in time"
    assert "    margin = height - draught" in place["excerpt"]


def test_older_session_that_wrote_the_line_is_named_and_not_the_newer_that_committed(
    world: World, ask: Ask
) -> None:
    older = world.talk("older")
    turn = older.writes("gate.py", GATE)
    newer = world.talk("newer")
    newer.writes("other.py", "def nothing_of_the_kind():\n    return None\n")
    newer.calls("Bash", command="git commit -am 'gate: open'")
    world.commit("gate: open")
    assert only(ask("gate.py:2"))["address"] == f"claude-code/older#{turn}"
    other = only(ask("other.py:1"))
    assert other["session"] == "claude-code/newer"


def test_session_that_wrote_the_whole_file_again_did_not_write_its_lines(world: World, ask: Ask) -> None:
    older = world.talk("older")
    turn = older.writes("gate.py", GATE)
    newer = world.talk("newer")
    again = newer.writes("gate.py", GATE + "\n\ndef gate_closes(height):\n    return height < 1.2\n")
    world.commit("gate: open and close")
    assert only(ask("gate.py:2"))["address"] == f"claude-code/older#{turn}"
    assert only(ask("gate.py:7"))["address"] == f"claude-code/newer#{again}"


def test_common_line_is_told_by_the_lines_beside_it(world: World, ask: Ask) -> None:
    one = world.talk("one")
    one.writes("gate.py", "def one_gate_opens():\n    if not tide_is_high():\n        return None\n")
    world.commit("one")
    two = world.talk("two")
    turn = two.edits(
        "gate.py",
        "        return None\n",
        "        return None\n\n\ndef second_gate_opens():\n    if not lock_is_free():\n        return None\n",
    )
    world.commit("two")
    place = only(ask("gate.py:8"))
    assert (place["address"], place["sure"]) == (f"claude-code/two#{turn}", False)
    assert only(ask("gate.py:3"))["session"] == "claude-code/one"


def test_common_line_that_a_person_added_is_nobodys(world: World, ask: Ask) -> None:
    talk = world.talk("one")
    talk.writes("gate.py", "def one_gate_opens():\n    if not tide_is_high():\n        return None\n")
    world.commit("one")
    world.write(
        "gate.py", (world.top / "gate.py").read_text() + "\n\ndef by_hand_alone():\n    return None\n"
    )
    world.commit("by hand")
    assert only(ask("gate.py:7", status=1))["session"] is None


def test_line_that_no_session_wrote_names_those_under_way(world: World, ask: Ask) -> None:
    talk = world.talk("gates")
    talk.writes("gate.py", GATE)
    world.write("gate.py", GATE + "WRITTEN_BY_HAND = True\n")
    world.commit("gate")
    told = ask("gate.py:4", status=1)
    place = only(told)
    assert place["session"] is None
    assert [each["session"] for each in place["commit"]["under_way"]] == ["claude-code/gates"]
    assert (told["known"], told["unknown"]) == (0, 1)


def test_line_from_before_any_session_says_plainly_that_none_is_known(world: World, ask: Ask) -> None:
    place = only(ask("a.txt:1", status=1))
    assert place["session"] is None
    assert place["commit"]["under_way"] == []


def test_turn_after_the_commit_did_not_write_it(world: World, ask: Ask) -> None:
    world.write("gate.py", GATE)
    world.commit("by hand")
    world.talk("later").writes("gate.py", GATE)
    assert only(ask("gate.py:2", status=1))["session"] is None


def test_turn_beyond_the_checkpoints_position_did_not_write_it(world: World, ask: Ask) -> None:
    talk = world.talk("gates")
    first = talk.writes("gate.py", GATE)
    talk.save()
    lines = talk.lines[""]
    at_commit = list(lines)
    second = talk.writes("gate.py", GATE.replace("0.4", "0.5"))
    kept, talk.lines[""] = lines, at_commit
    world.commit("gate: open")
    talk.lines[""] = kept
    assert only(ask("gate.py:2"))["address"] == f"claude-code/gates#{first}"
    told = only(ask("gate.py:3"))  # no checkpoint leads there, but its time does
    assert (told["address"], told["evidence"]) == (f"claude-code/gates#{second}", "content")


def test_edit_that_was_refused_wrote_nothing(world: World, ask: Ask) -> None:
    one = world.talk("one")
    path = str(world.top / "gate.py")
    one.calls("Write", is_error=True, file_path=path, content=GATE)
    turn = world.talk("two").writes("gate.py", GATE)
    world.commit("gate")
    assert only(ask("gate.py:2"))["address"] == f"claude-code/two#{turn}"


def test_amended_commit_keeps_its_lines(world: World, ask: Ask) -> None:
    turn = world.talk("one").writes("gate.py", GATE)
    world.commit("gate")
    two = world.talk("two")
    more = two.edits("gate.py", "return margin > 0.4", "return margin > 0.35")
    world.amend("gate: open sooner")
    assert only(ask("gate.py:2"))["address"] == f"claude-code/one#{turn}"
    assert only(ask("gate.py:3"))["address"] == f"claude-code/two#{more}"


def test_rebase_with_fixup_and_reorder_keeps_lines(world: World, ask: Ask) -> None:
    base = world.head()
    one = world.talk("one")
    first = one.writes("gate.py", GATE)
    commit_one = world.commit("gate: open")
    one_is_over = list(world.talks)
    two = world.talk("two")
    second = two.writes("lock.py", "def lock_is_free(queue):\n    return not queue.waiting\n")
    commit_two = world.commit("lock: free", talks=[two])
    three = world.talk("three")
    third = three.edits("gate.py", "return margin > 0.4", "return margin > minimum_margin()")
    commit_three = world.commit("fixup! gate: open", talks=[three])
    world.talks = [world.talk("rebasing")]
    todo = f"pick {commit_two}\npick {commit_one}\nfixup {commit_three}\n"
    (world.top.parent / "todo").write_text(todo)
    editor = f"cp {world.top.parent / 'todo'}"
    world.run("rebase", "-i", base, environ={"GIT_SEQUENCE_EDITOR": editor, "GIT_EDITOR": "true"})
    new_one, new_two = world.head(), world.git("rev-parse", "HEAD~1", cwd=world.top)
    assert new_two != commit_two
    world.checkpoint(
        "post-rewrite",
        rewrites=[(commit_two, new_two), (commit_one, new_one), (commit_three, new_one)],
    )
    world.talks += [*one_is_over, two, three]
    place = only(ask("gate.py:2"))
    assert (place["address"], place["evidence"]) == (f"claude-code/one#{first}", "rewrite")
    assert place["via"] == commit_one
    place = only(ask("gate.py:3"))
    assert (place["address"], place["evidence"]) == (f"claude-code/three#{third}", "rewrite")
    place = only(ask("lock.py:2"))
    assert (place["address"], place["evidence"]) == (f"claude-code/two#{second}", "rewrite")


def test_rewrites_are_followed_through_several_rebases(world: World, ask: Ask) -> None:
    turn = world.talk("one").writes("gate.py", GATE)
    first = world.commit("gate")
    second, third = "1" * 40, "2" * 40
    world.talks = []
    world.checkpoint("post-rewrite", rewrites=[(first, second)], head=first)
    world.checkpoint("post-rewrite", rewrites=[(second, third)], head=first)
    world.run("commit", "--quiet", "--amend", "-m", "gate, said better")
    world.checkpoint("post-rewrite", rewrites=[(third, world.head())])
    place = only(ask("gate.py:2"))
    assert (place["address"], place["evidence"]) == (f"claude-code/one#{turn}", "rewrite")


def test_cherry_pick_is_followed_by_its_message(world: World, ask: Ask) -> None:
    world.run("checkout", "--quiet", "-b", "feature")
    turn = world.talk("one").writes("gate.py", GATE)
    picked = world.commit("gate")
    world.talks = []
    world.run("checkout", "--quiet", "main")
    world.git.commit(world.top, "b.txt", "two\n")
    world.run("cherry-pick", "-x", picked)
    world.checkpoint("post-commit")
    place = only(ask("gate.py:2"))
    assert (place["address"], place["evidence"]) == (f"claude-code/one#{turn}", "message")


def test_cherry_pick_without_a_word_is_followed_by_its_patch(world: World, ask: Ask) -> None:
    world.run("checkout", "--quiet", "-b", "feature")
    turn = world.talk("one").writes("gate.py", GATE)
    world.run("add", "--all")
    world.run("commit", "--quiet", "-m", "gate")
    picked = world.head()
    world.checkpoint("post-commit", patches=[world.patch_id(picked)])
    world.talks = []
    world.run("checkout", "--quiet", "main")
    world.git.commit(world.top, "b.txt", "two\n")
    world.run("cherry-pick", picked)
    place = only(ask("gate.py:2"))
    assert (place["address"], place["evidence"]) == (f"claude-code/one#{turn}", "patch")


def test_local_squash_merge_is_followed_by_its_message(world: World, ask: Ask) -> None:
    world.run("checkout", "--quiet", "-b", "feature")
    one = world.talk("one").writes("gate.py", GATE)
    world.commit("gate")
    two = world.talk("two").writes("lock.py", "def lock_is_free(queue):\n    return not queue.waiting\n")
    world.commit("lock")
    world.talks = []
    world.run("checkout", "--quiet", "main")
    world.git.commit(world.top, "b.txt", "two\n")
    world.run("merge", "--squash", "feature")
    world.run("commit", "--quiet", "--no-edit")
    world.checkpoint("post-commit")
    place = only(ask("gate.py:2"))
    assert (place["address"], place["evidence"]) == (f"claude-code/one#{one}", "message")
    assert only(ask("lock.py:2"))["address"] == f"claude-code/two#{two}"


def test_squash_merge_on_a_server_is_followed_by_the_branchs_patch(world: World, ask: Ask) -> None:
    world.run("checkout", "--quiet", "-b", "feature")
    one = world.talk("one").writes("gate.py", GATE)
    world.commit("gate")
    two = world.talk("two").edits("gate.py", "0.4", "minimum_margin(draught)")
    world.commit("gate: margin")
    tip = world.head()
    branch_patch = world.patch_id("main", tip)
    world.checkpoint("pre-push", patches=[world.patch_id(tip), branch_patch])
    server = world.top.parent / "server"
    world.git("clone", "--quiet", str(world.top), str(server), cwd=world.top)
    world.git("checkout", "--quiet", "main", cwd=server)
    world.git.commit(server, "b.txt", "two\n")
    world.git("merge", "--quiet", "--squash", "origin/feature", cwd=server)
    world.run("commit", "--quiet", "-m", "Gate (#7)", cwd=server)
    world.talks = []
    world.run("checkout", "--quiet", "main")
    world.run("pull", "--quiet", str(server), "main")
    world.run("branch", "-D", "feature")
    place = only(ask("gate.py:2"))
    assert (place["address"], place["evidence"]) == (f"claude-code/one#{one}", "patch")
    assert only(ask("gate.py:3"))["address"] == f"claude-code/two#{two}"
    world.run("reflog", "expire", "--expire=now", "--all")
    world.run("gc", "--quiet", "--prune=now")
    assert only(ask("gate.py:2"))["address"] == f"claude-code/one#{one}"


def test_same_tree_is_evidence(world: World, ask: Ask) -> None:
    turn = world.talk("one").writes("gate.py", GATE)
    world.commit("gate")
    world.talks = []
    world.run("commit", "--quiet", "--amend", "-m", "said better, and no hook ran")
    place = only(ask("gate.py:2"))
    assert (place["address"], place["evidence"]) == (f"claude-code/one#{turn}", "tree")


def test_without_checkpoints_the_content_leads_to_the_turn(world: World, ask: Ask) -> None:
    turn = world.talk("one").writes("gate.py", GATE)
    world.commit("gate")
    world.forget_checkpoints()
    place = only(ask("gate.py:2"))
    assert (place["address"], place["evidence"]) == (f"claude-code/one#{turn}", "content")
    assert place["checkpoint"] is None


def test_file_that_was_renamed_is_followed_by_its_old_name(world: World, ask: Ask) -> None:
    turn = world.talk("one").writes("gate.py", GATE)
    world.commit("gate")
    (world.top / "harbour").mkdir()
    world.run("mv", "gate.py", "harbour/lock.py")
    world.commit("move", talks=[])
    place = only(ask("harbour/lock.py:2"))
    assert (place["address"], place["path_then"]) == (f"claude-code/one#{turn}", "gate.py")


def test_moved_and_reindented_lines_are_their_writers(world: World, ask: Ask) -> None:
    turn = world.talk("one").writes(
        "gate.py", GATE + "\n\ndef other_things():\n    return do_other_things()\n"
    )
    world.commit("gate")
    text = (world.top / "gate.py").read_text()
    two = world.talk("two")
    head, body, tail = text.partition(GATE)
    indented = "class Gate:\n" + "".join(f"    {line}\n" for line in GATE.splitlines())
    two.edits("gate.py", text, tail + "\n\n" + indented)
    assert (head, body) == ("", GATE)
    world.commit("gate: a class, further down")
    number = (world.top / "gate.py").read_text().splitlines().index("        margin = height - draught") + 1
    assert only(ask(f"gate.py:{number}"))["address"] == f"claude-code/one#{turn}"


def test_uncommitted_line_is_looked_for_in_what_was_written_since(world: World, ask: Ask) -> None:
    world.talk("one").writes("gate.py", GATE)
    world.commit("gate")
    turn = world.talk("two").edits("gate.py", "0.4", "minimum_margin(draught)")
    place = only(ask("gate.py:3"))
    assert (place["address"], place["commit"]) == (f"claude-code/two#{turn}", None)


def test_file_that_is_not_tracked_is_looked_for_too(world: World, ask: Ask) -> None:
    turn = world.talk("one").writes("new/gate.py", GATE)
    place = only(ask("gate.py:2", cwd=world.top / "new"))
    assert (place["address"], place["path"], place["commit"]) == (
        f"claude-code/one#{turn}",
        "new/gate.py",
        None,
    )


def test_subagents_edit_is_addressed_by_its_stream(world: World, ask: Ask, run: Any) -> None:
    talk = world.talk("one")
    talk.asks("you are to mend the gate", "agent-7b")
    turn = talk.writes("gate.py", GATE, "agent-7b")
    world.commit("gate")
    place = only(ask("gate.py:2"))
    assert place["address"] == f"claude-code/one#agent-7b:{turn}"
    assert place["prompt"] == "you are to mend the gate"
    assert "margin = height - draught" in run("show", place["address"], cwd=world.top).stdout


def test_hidden_session_stays_hidden(world: World, ask: Ask) -> None:
    talk = world.talk("one")
    talk.writes("gate.py", GATE)
    world.commit("gate")
    world.book.register(talk.id, "hidden", True)
    told = ask("gate.py:2", status=1)
    assert "claude-code/one" not in str(told)


def test_lines_of_several_turns_are_several_places(world: World, ask: Ask) -> None:
    talk = world.talk("one")
    first = talk.writes("gate.py", GATE)
    second = talk.edits("gate.py", "0.4", "minimum_margin(draught)")
    world.commit("gate")
    told = ask("gate.py:1-3")
    assert [(place["turn"], place["spans"]) for place in told["places"]] == [
        (str(first), [[1, 2]]),
        (str(second), [[3, 3]]),
    ]


def test_file_is_summed_up_by_commit_and_session(world: World, ask: Ask) -> None:
    world.talk("one").writes("gate.py", GATE)
    world.commit("gate")
    world.talk("two").edits("gate.py", "0.4", "minimum_margin(draught)")
    world.write("gate.py", (world.top / "gate.py").read_text() + "WRITTEN_BY_HAND = True\n")
    world.commit("gate: margin")
    told = ask("gate.py")
    assert (told["kind"], told["known"], told["unknown"]) == ("file", 3, 1)
    assert [(place["session"], place["spans"]) for place in told["places"]] == [
        ("claude-code/two", [[3, 3]]),
        (None, [[4, 4]]),
        ("claude-code/one", [[1, 2]]),
    ]
    assert len(ask("gate.py", "--limit", "1")["places"]) == 1


def test_commit_is_explained_by_the_lines_that_it_added(world: World, ask: Ask) -> None:
    one = world.talk("one")
    one.writes("gate.py", GATE)
    world.talk("two").writes("lock.py", "def lock_is_free(queue):\n    return not queue.waiting\n")
    head = world.commit("gate and lock")
    world.git.commit(world.top, "b.txt", "two\n")
    told = ask("HEAD~1")
    assert (told["kind"], told["commit"]["id"], told["known"]) == ("commit", head, 5)
    assert {(place["path"], place["session"]) for place in told["places"]} == {
        ("gate.py", "claude-code/one"),
        ("lock.py", "claude-code/two"),
    }


def test_line_that_says_nothing_is_part_of_what_stands_around_it(world: World, ask: Ask) -> None:
    text = "int gate_opens(int height)\n{\n\n    return height > 4;\n}\n"
    turn = world.talk("one").writes("gate.c", text)
    world.commit("gate")
    for number in (2, 3, 5):
        place = only(ask(f"gate.c:{number}"))
        assert (place["address"], place["sure"]) == (f"claude-code/one#{turn}", False), number
    world.write("gate.c", text.replace("\n\n", "\n\n    margin_by_hand();\n\n"))
    world.commit("by hand")
    assert only(ask("gate.c:5", status=1))["session"] is None


def test_script_that_does_not_say_where_it_writes_must_have_written_more(world: World, ask: Ask) -> None:
    talk = world.talk("one")
    world.write("gate.py", GATE)
    script = f"python3 - <<'EOF'\nfrom pathlib import Path\nPath(name()).write_text('''\n{GATE}''')\nEOF"
    turn = talk.calls("Bash", command=script)
    world.commit("gate")
    place = only(ask("gate.py:2"))
    assert (place["address"], place["file"], place["tool"]) == (f"claude-code/one#{turn}", None, "Bash")
    world.forget_checkpoints()
    assert only(ask("gate.py:2"))["evidence"] == "content"


def test_file_of_that_name_in_another_folder_is_another_file(world: World, ask: Ask) -> None:
    world.talk("one").writes("docs/gate.py", GATE)
    world.write("src/gate.py", GATE)
    world.write("gate.py", GATE)
    world.commit("gate")
    assert only(ask("src/gate.py:2", status=1))["session"] is None
    assert only(ask("gate.py:2", status=1))["session"] is None


def test_working_tree_below_or_beside_the_sessions_own_is_the_same_repository(world: World, ask: Ask) -> None:
    talk = world.talk("one")
    for n, place in enumerate((".claude/worktrees/gate", "../gate-tree")):
        world.git("worktree", "add", "--quiet", place, "-b", f"side{n}", cwd=world.top)
        (world.top / place / f"gate{n}.py").write_text(GATE)
        turn = talk.calls("Write", file_path=str((world.top / place).resolve() / f"gate{n}.py"), content=GATE)
        world.run("add", "--all", cwd=world.top / place)
        world.run("commit", "--quiet", "-m", "gate", cwd=world.top / place)
        told = ask(f"gate{n}.py:2", cwd=world.top / place)
        assert only(told)["address"] == f"claude-code/one#{turn}"


def test_session_that_began_below_the_top_is_found(world: World, ask: Ask) -> None:
    (world.top / "src").mkdir()
    talk = world.talk("one", cwd=str(world.top / "src"))
    world.write("src/gate.py", GATE)
    turn = talk.calls("write_file", file_path="gate.py", content=GATE)
    world.commit("gate")
    assert only(ask("src/gate.py:2"))["address"] == f"claude-code/one#{turn}"


def test_name_that_git_quotes_is_followed(world: World, ask: Ask) -> None:
    turn = world.talk("one").writes('tür\t"a".py', GATE)
    world.commit("gate")
    world.run("mv", 'tür\t"a".py', "b c.py")
    world.commit("move", talks=[])
    place = only(ask("b c.py:2"))
    assert (place["address"], place["path_then"]) == (f"claude-code/one#{turn}", 'tür\t"a".py')
    told = ask("HEAD~1")
    assert [(place["path"], place["session"]) for place in told["places"]] == [
        ('tür\t"a".py', "claude-code/one")
    ]


def test_sessions_of_one_name_are_told_apart(world: World, ask: Ask) -> None:
    turn = world.talk("one").writes("gate.py", GATE)
    world.commit("gate")
    world.book.capture(["{}"], "one", beginning="another")
    place = only(ask("gate.py:2"))
    assert place["session"] == "claude-code/one"
    assert place["address"] == f"{place['id'][:16]}#{turn}"


def test_damaged_session_keeps_no_other_from_being_named(world: World, ask: Ask) -> None:
    other = world.talk("other")
    other.writes("gate.py", GATE)
    turn = world.talk("one").writes("gate.py", GATE + "last_line_of_all = 1\n")
    world.commit("gate")
    [(_, capture)] = other._saved.values()
    assert only(ask("gate.py:2"))["session"] == "claude-code/other"
    world.book.put(other.id, layout.capture_path(other.id, capture), b"no record")
    assert only(ask("gate.py:2"))["address"] == f"claude-code/one#{turn}"


def test_damaged_checkpoint_gives_way_to_other_evidence(world: World, ask: Ask) -> None:
    turn = world.talk("one").writes("gate.py", GATE)
    world.run("add", "--all")
    world.run("commit", "--quiet", "-m", "gate")
    name = world.checkpoint("post-commit")
    assert only(ask("gate.py:2"))["evidence"] == "commit"
    world.book.put(world.talks[0].id, layout.checkpoint_path(name), b"no record")
    place = only(ask("gate.py:2"))
    assert (place["address"], place["evidence"]) == (f"claude-code/one#{turn}", "content")


def test_merge_adds_no_lines_of_its_own(world: World, ask: Ask) -> None:
    world.run("checkout", "--quiet", "-b", "feature")
    turn = world.talk("one").writes("gate.py", GATE)
    world.commit("gate")
    world.run("checkout", "--quiet", "main")
    world.git.commit(world.top, "b.txt", "two\n")
    world.run("merge", "--quiet", "--no-ff", "-m", "merge", "feature")
    world.checkpoint("post-merge")
    assert only(ask("gate.py:2"))["address"] == f"claude-code/one#{turn}"
    assert ask("HEAD", status=1)["places"] == []


def test_commit_that_was_only_pulled_had_nobody_under_way_here(world: World, ask: Ask) -> None:
    other = world.top.parent / "other"
    world.git("clone", "--quiet", str(world.top), str(other), cwd=world.top)
    (other / "hand.txt").write_text("written by hand alone\n")
    world.run("add", "--all", cwd=other)
    world.run("commit", "--quiet", "-m", "elsewhere", cwd=other)
    world.talk("here").writes("gate.py", GATE)
    world.run("pull", "--quiet", str(other), "main")
    world.checkpoint("post-merge")
    place = only(ask("hand.txt:1", status=1))
    assert (place["commit"]["under_way"], place["commit"]["checkpoint"]) == ([], None)


def test_white_space_that_changed_changes_no_writer(world: World, ask: Ask) -> None:
    turn = world.talk("one").writes("gate.py", GATE.replace("height - draught", "height-draught"))
    world.commit("gate")
    world.talk("two").edits("gate.py", "height-draught", "height - draught")
    world.commit("gate: formatted")
    assert only(ask("gate.py:2"))["address"] == f"claude-code/one#{turn}"
    world.forget_checkpoints()
    assert only(ask("gate.py:2"))["address"] == f"claude-code/one#{turn}"


def test_line_that_a_secret_was_redacted_from_is_known_by_its_rest(world: World, ask: Ask) -> None:
    talk = world.talk("one")
    written = 'HARBOUR_TOKEN = "{}"\n{}\nSTATION = "north"\n'
    placeholder = "[gm:github-token:abcdefghijklmnop]"
    world.write("gate.py", written.format("no-secret-but-stands-for-one", "nothing-but-a-secret"))
    content = written.format(placeholder, placeholder)
    turn = talk.calls("Write", file_path=str(world.top / "gate.py"), content=content)
    world.commit("gate")
    place = only(ask("gate.py:1"))
    assert (place["address"], place["sure"]) == (f"claude-code/one#{turn}", True)
    assert f'HARBOUR_TOKEN = "{placeholder}"' in place["excerpt"]
    assert only(ask("gate.py:2", status=1))["session"] is None


def test_part_that_another_wrote_does_not_win_over_the_line_as_a_whole(world: World, ask: Ask) -> None:
    older = world.talk("older")
    turn = older.writes("gate.py", GATE)
    older.save()
    newer = world.talk("newer")
    newer.edits("gate.py", "height - draught", "minimum_of(height, draught)")
    newer.edits("gate.py", "minimum_of(height, draught)", "height - draught")
    world.commit("gate", talks=[newer])
    place = only(ask("gate.py:2"))
    assert (place["address"], place["evidence"]) == (f"claude-code/older#{turn}", "content")
