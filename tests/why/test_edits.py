"""What tool calls wrote, for the tools of every agent that is read."""

from __future__ import annotations

import json

import pytest

from gitmem.model.turns import ToolCall
from gitmem.transcripts.edits import Edit, edits_of

PATCH = """*** Begin Patch
*** Update File: src/gate.py
@@ def gate_opens():
     margin = 1
-    return False
+    return margin > 0
*** Add File: src/lock.py
+LOCK = 1
+
*** Delete File: src/old.py
*** Update File: src/a.py
*** Move to: src/b.py
@@
-x = 1
+x = 2
*** End Patch"""

DIFF = """diff --git a/src/gate.py b/src/gate.py
index 1..2 100644
--- a/src/gate.py
+++ b/src/gate.py
@@ -1,3 +1,3 @@
 def gate_opens():
---- old
++++ new
 done
--- a/gone.py
+++ /dev/null
@@ -1 +0,0 @@
-x = 1
"""


def edits(name: str, arguments: object) -> list[Edit]:
    return edits_of(ToolCall("t1", name, json.dumps(arguments)))


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("Edit", {"file_path": "a.py", "old_string": "one\ntwo", "new_string": "one\nthree"}),
        (
            "MultiEdit",
            {"file_path": "a.py", "edits": [{"old_string": "one\ntwo", "new_string": "one\nthree"}]},
        ),
        (
            "replace",
            {"file_path": "a.py", "old_string": "one\ntwo", "new_string": "one\nthree", "instruction": "x"},
        ),
        ("edit", {"filePath": "a.py", "oldString": "one\ntwo", "newString": "one\nthree"}),
        (
            "str_replace_editor",
            {"command": "str_replace", "path": "a.py", "old_str": "one\ntwo", "new_str": "one\nthree"},
        ),
        ("edit_file", {"target_file": "a.py", "changes": [{"oldText": "two\none", "newText": "one\nthree"}]}),
    ],
)
def test_replacing_adds_what_was_not_there(name: str, arguments: object) -> None:
    [edit] = edits(name, arguments)
    assert edit == Edit("a.py", ("three",), ("two",), False, ("three",))


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("Write", {"file_path": "a.py", "content": "one\n\n  two\n"}),
        ("write_file", {"file_path": "a.py", "content": "one\n\n  two\n"}),
        ("write", {"filePath": "a.py", "content": "one\n\n  two\n"}),
        ("create", {"path": "a.py", "file_text": "one\n\n  two\n"}),
        (
            "str_replace_editor",
            {"command": "insert", "path": "a.py", "insert_line": 3, "new_str": "one\n\n  two\n"},
        ),
        ("NotebookEdit", {"notebook_path": "a.py", "new_source": "one\n\n  two\n", "cell_id": "x"}),
    ],
)
def test_writing_adds_all_lines_without_their_blanks(name: str, arguments: object) -> None:
    assert edits(name, arguments) == [Edit("a.py", ("one", "two"), ())]


@pytest.mark.parametrize(
    "arguments",
    [
        PATCH,
        {"input": PATCH},
        {"command": ["bash", "-lc", f"apply_patch <<'EOF'\n{PATCH}\nEOF"]},
        {"cmd": f"cd x && apply_patch <<'EOF'\n{PATCH}\nEOF\n"},
    ],
)
def test_patch_is_read_wherever_it_stands(arguments: object) -> None:
    assert edits("shell", arguments) == [
        Edit("src/gate.py", ("return margin > 0",), ("return False",)),
        Edit("src/lock.py", ("LOCK = 1",), ()),
        Edit("src/b.py", ("x = 2",), ("x = 1",)),
    ]


def test_patch_and_command_in_a_script_are_read_through_its_quotes() -> None:
    script = f"const patch = {json.dumps(PATCH)};\\ntext(await tools.apply_patch(patch));\\n"
    assert [edit.path for edit in edits("exec", script)] == ["src/gate.py", "src/lock.py", "src/b.py"]
    command = "cat > a.py <<'EOF'\nx = \"\\u00e9\"\nEOF"
    quoted = command.replace("\n", "\\n").replace("'", "\\'")
    script = f"await tools.exec_command({{cmd: '{quoted}', yield_time_ms: 1000}})"
    assert edits("exec", script) == [Edit("a.py", ('x = "é"',), (), True)]
    assert edits("exec", "`" + PATCH + "`")[1] == Edit("src/lock.py", ("LOCK = 1",), ())


def test_unified_diff_is_read_by_its_hunks() -> None:
    assert edits("shell", {"command": f"git apply <<'EOF'\n{DIFF}EOF"}) == [
        Edit("src/gate.py", ("+++ new",), ("--- old",))
    ]


@pytest.mark.parametrize(
    ("command", "path"),
    [
        ("cat > src/a.py <<'EOF'\nx = 1\ny = 2\nEOF\npython src/a.py", "src/a.py"),
        ("cat <<EOF >> 'src/a b.py'\nx = 1\ny = 2\nEOF", "src/a b.py"),
        ('sudo tee -a src/a.py <<-"END" 2>/dev/null\n\tx = 1\n\ty = 2\n\tEND', "src/a.py"),
        ("python3 - <<'PY'\nx = 1\ny = 2\nPY", None),
        ("echo hello; cat <<EOF\nx = 1\ny = 2", None),
    ],
)
def test_here_document_is_weaker_evidence(command: str, path: str | None) -> None:
    assert edits("Bash", {"command": command}) == [Edit(path, ("x = 1", "y = 2"), (), True)]


def test_what_is_echoed_into_a_file_is_read() -> None:
    assert edits("Bash", {"command": "echo '*.pyc' >> .gitignore"}) == [
        Edit(".gitignore", ("*.pyc",), (), True)
    ]


def test_line_counts_as_often_as_it_is_more() -> None:
    [edit] = edits("Edit", {"file_path": "a", "old_string": "x\n}\n", "new_string": "}\n  x\n}\n}\n"})
    assert (edit.added, edit.removed) == (("}", "}"), ())


@pytest.mark.parametrize(
    "arguments",
    [
        {"pattern": "x", "path": "a.py"},
        {"command": "ls <<< word"},
        {"command": "cat a.py | grep '<<EOF'"},
        {"file_path": "a.py"},
        {"content": "a message to nobody"},
        {"path": 7, "content": ["x"], "new_string": None},
        {"a": {"b": {"c": {"d": {"e": {"f": {"g": {"path": "a", "content": "too deep"}}}}}}}},
        None,
        7,
        "just words",
    ],
)
def test_what_writes_nothing_is_no_edit(arguments: object) -> None:
    assert [edit for edit in edits("x", arguments) if edit.path] == []


@pytest.mark.parametrize("text", ["", "{", '{"a":', "[" * 5000])
def test_arguments_that_are_no_json_are_no_edit(text: str) -> None:
    assert edits_of(ToolCall(None, "Edit", text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "*** Begin Patch",
        "*** Begin Patch\n+x\n*** Move to: y\n-z",
        "x\n--- a\n+++ b",
        "--- a\n+++ b\n@@ -1,9999999 +1 @@",
    ],
)
def test_broken_patch_is_read_as_far_as_it_goes(text: str) -> None:
    assert all(not edit.added for edit in edits("apply_patch", {"patch": text}))


def test_number_of_edits_is_bounded() -> None:
    many = [{"path": f"f{n}", "content": "x"} for n in range(20_000)]
    assert len(edits("x", {"files": many})) == 10_000


SEARCH = """<<<<<<< SEARCH
:start_line:3
-------
one
two
=======
one
three
>>>>>>> REPLACE

<<<<<<< SEARCH
=======
=======
four
>>>>>>> REPLACE
"""


@pytest.mark.parametrize("diff", [SEARCH, SEARCH.replace("<" * 7, "-" * 7).replace(">" * 7, "+" * 7)])
def test_text_that_is_searched_for_and_replaced_is_of_the_file_that_the_call_names(diff: str) -> None:
    assert edits("replace_in_file", {"path": "a.py", "diff": diff}) == [
        Edit("a.py", ("three",), ("two",)),
        Edit("a.py", ("=======", "four"), ()),
    ]


def test_text_to_search_for_that_breaks_off_replaces_nothing() -> None:
    assert edits("apply_diff", {"path": "a.py", "diff": SEARCH[:40]}) == []


@pytest.mark.parametrize(
    "arguments",
    [
        {"TargetFile": "a.py", "TargetContent": "one\ntwo", "ReplacementContent": "one\nthree"},
        {"filepath": "a.py", "old_string": "one\ntwo", "new_string": "one\nthree"},
        {"path": "a.py", "oldText": "one\ntwo", "newText": "one\nthree"},
        {
            "TargetFile": "a.py",
            "ReplacementChunks": [{"TargetContent": "two", "ReplacementContent": "three"}],
        },
    ],
)
def test_arguments_go_by_the_names_of_more_agents(arguments: object) -> None:
    ((path, added, removed, *_),) = edits("edit", arguments)
    assert (path, added, removed) == ("a.py", ("three",), ("two",))
