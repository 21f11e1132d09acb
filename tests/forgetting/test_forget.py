"""`gitmem forget`: out of sight, back again, and for good."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from gitmem.format.burial import all_tombstones
from tests.cli.terminal import run_on_terminal
from tests.conftest import CommandLine, RealGit
from tests.levels.conftest import Say, levels_in
from tests.sharing.clones import Clone


def objects(git: RealGit, where: Path) -> set[str]:
    return set(git("cat-file", "--batch-all-objects", "--batch-check=%(objectname)", cwd=where).split())


def blobs_of(git: RealGit, where: Path) -> dict[str, str]:
    """Return every blob of the memory, by its path."""
    rows = git("ls-tree", "-r", "gitmem", cwd=where).splitlines()
    return {path: about.split()[2] for about, path in (row.split("\t") for row in rows)}


class TestOutOfSight:
    def test_forgotten_session_is_neither_listed_nor_found_and_comes_back(
        self, run: CommandLine, remembering: Path, say: Say
    ) -> None:
        run("import", str(say("a", ["mend the sluice"])), str(say("b", ["mend the weir"])), cwd=remembering)
        done = run("forget", "generic/a", cwd=remembering)
        assert "gitmem forget --undo takes it back" in done.stdout
        assert levels_in(run, remembering) == {"b": "team"}
        run("search", "sluice", cwd=remembering, status=1)
        waiting = json.loads(run("forget", "--list", "--json", cwd=remembering).stdout)["waiting"]
        assert [row["session"] for row in waiting] == ["generic/a"]
        assert "1 session, erased from" in run("status", cwd=remembering).stdout
        run("forget", "--undo", "generic/a", cwd=remembering)
        assert levels_in(run, remembering) == {"a": "team", "b": "team"}
        assert "sluice" in run("search", "sluice", cwd=remembering).stdout
        run("forget", "--list", cwd=remembering, status=1)
        run("verify", "--full", cwd=remembering)

    def test_others_see_it_no_more_once_they_pull(
        self, run: CommandLine, remembering: Path, hub: Path, say: Say, git: RealGit, tmp_path: Path
    ) -> None:
        run("import", str(say("a", ["mend it"])), str(say("b", ["leave it"])), cwd=remembering)
        run("push", "origin", cwd=remembering)
        git("clone", "-q", str(hub), str(tmp_path / "other"), cwd=tmp_path)
        run("init", "--no-hooks", "--no-import", cwd=tmp_path / "other")
        run("forget", "generic/a", cwd=remembering)
        run("push", "origin", cwd=remembering)
        run("pull", "origin", cwd=tmp_path / "other")
        assert levels_in(run, tmp_path / "other") == {"b": "team"}
        run("forget", "--undo", "generic/a", cwd=tmp_path / "other")
        run("push", "origin", cwd=tmp_path / "other")
        run("pull", "origin", cwd=remembering)
        assert levels_in(run, remembering) == {"a": "team", "b": "team"}

    def test_a_sync_that_sends_an_erasure_does_not_say_that_it_has_to_be_sent(
        self, run: CommandLine, remembering: Path, hub: Path, say: Say, git: RealGit, tmp_path: Path
    ) -> None:
        run("import", str(say("a", ["mend it"])), str(say("b", ["leave it"])), cwd=remembering)
        run("push", "origin", cwd=remembering)
        git("clone", "-q", str(hub), str(tmp_path / "other"), cwd=tmp_path)
        run("init", "--no-hooks", "--no-import", cwd=tmp_path / "other")
        run("title", "generic/b", "Left", cwd=tmp_path / "other")
        run("push", "origin", cwd=tmp_path / "other")
        erased = run("forget", "--now", "generic/a", cwd=remembering)
        assert "still held by refs/remotes/origin/gitmem" in erased.stderr
        synced = run("sync", "origin", cwd=remembering)
        assert "still held" not in synced.stderr
        assert "cleared here" in synced.stdout

    def test_an_erasure_that_does_not_count_is_told_with_what_it_is_of(
        self, run: CommandLine, remembering: Path, hub: Path, say: Say, git: RealGit, tmp_path: Path
    ) -> None:
        run("import", str(say("a", ["mend it"])), cwd=remembering)
        run("push", "origin", cwd=remembering)
        git("clone", "-q", str(hub), str(tmp_path / "other"), cwd=tmp_path)
        run("init", "--no-hooks", "--no-import", cwd=tmp_path / "other")
        git("config", "gitmem.erasers", "ada@example.org", cwd=tmp_path / "other")
        run("forget", "--now", "generic/a", cwd=remembering)
        run("push", "origin", cwd=remembering)
        pulled = run("pull", "origin", cwd=tmp_path / "other")
        assert "(an erasure of generic/a): it is not signed" in pulled.stderr
        assert levels_in(run, tmp_path / "other") == {"a": "team"}

    def test_what_is_not_forgotten_cannot_be_taken_back(
        self, run: CommandLine, remembering: Path, say: Say
    ) -> None:
        run("import", str(say("a", ["mend it"])), cwd=remembering)
        refused = run("forget", "--undo", "generic/a", cwd=remembering, status=1)
        assert "it is not" in refused.stderr
        run("forget", "generic/nobody", cwd=remembering, status=1)
        run("forget", cwd=remembering, status=2)

    def test_the_log_status_and_the_list_of_all_tell_what_is_forgotten_and_what_no_more(
        self, run: CommandLine, remembering: Path, say: Say
    ) -> None:
        run("import", str(say("a", ["mend it"])), str(say("b", ["leave it"])), cwd=remembering)
        run("forget", "generic/a", cwd=remembering)
        assert "1 session, erased from" in run("status", cwd=remembering).stdout
        rows = run("sessions", "--all", cwd=remembering).stdout.splitlines()
        assert ["hidden" in row for row in rows if "generic/a" in row] == [True]
        assert ["hidden" in row for row in rows if "generic/b" in row] == [False]
        run("forget", "--undo", "generic/a", cwd=remembering)
        assert "forgotten" not in json.loads(run("status", "--json", cwd=remembering).stdout)
        newest, before = run("log", "--limit", "2", cwd=remembering).stdout.split("\n    ")[:2]
        assert newest.endswith(": 1 remembered again")
        assert "1 forgotten" in before

    def test_undo_of_a_search_is_about_what_is_forgotten_and_of_names_all_or_none(
        self, run: CommandLine, remembering: Path, say: Say
    ) -> None:
        run("import", str(say("a", ["mend it"])), str(say("b", ["leave it"])), cwd=remembering)
        run("forget", "generic/b", cwd=remembering)
        run("forget", "--undo", "generic/b", "generic/a", cwd=remembering, status=1)
        assert levels_in(run, remembering) == {"a": "team"}
        run("forget", "--undo", "--agent", "generic", cwd=remembering)
        assert levels_in(run, remembering) == {"a": "team", "b": "team"}
        run("forget", "--undo", "--agent", "generic", cwd=remembering, status=1)

    def test_somebody_at_a_terminal_is_told_why_there_is_no_answer(
        self, run: CommandLine, remembering: Path, say: Say
    ) -> None:
        run("import", str(say("a", ["mend it"])), cwd=remembering)
        for words, status, told in [
            (["forget", "--due"], 0, "nothing is due"),
            (["forget", "--agent", "codex"], 1, "no session is like that"),
            (["sessions", "--repo", "elsewhere"], 1, "no repository here is called elsewhere"),
        ]:
            ended, shown = run_on_terminal("-m", "gitmem", *words, cwd=remembering)
            assert (ended, told in shown) == (status, True)

    def test_a_dry_run_says_what_would_be_done_and_names_and_a_search_are_not_mixed(
        self, run: CommandLine, remembering: Path, say: Say
    ) -> None:
        run("import", str(say("a", ["mend it"])), cwd=remembering)
        assert "would be erased" in run("forget", "--now", "--dry-run", "generic/a", cwd=remembering).stdout
        assert "would be forgotten" in run("forget", "--dry-run", "generic/a", cwd=remembering).stdout
        mixed = run("forget", "generic/a", "--matching", "x", "--yes", cwd=remembering, status=2)
        assert "one or the other" in mixed.stderr

    def test_when_its_time_is_over_the_next_push_erases_it(
        self, run: CommandLine, remembering: Path, hub: Path, say: Say, git: RealGit
    ) -> None:
        git("config", "gitmem.grace", "0", cwd=remembering)
        run("import", str(say("a", ["mend it"])), str(say("b", ["leave it"])), cwd=remembering)
        blobs = blobs_of(git, remembering)
        run("forget", "generic/a", cwd=remembering)
        assert set(blobs.values()) <= objects(git, remembering)
        run("push", "origin", cwd=remembering)
        left = blobs_of(git, remembering)
        assert set(blobs.values()) - set(left.values())
        assert not (set(blobs.values()) - set(left.values())) & objects(git, remembering)
        assert len([path for path in blobs_of(git, hub) if path.endswith("/session")]) == 1


class TestForGood:
    def test_its_objects_leave_this_clone_and_nothing_else_does(
        self, run: CommandLine, remembering: Path, say: Say, git: RealGit
    ) -> None:
        run("import", str(say("b", ["leave it"])), cwd=remembering)
        kept = set(blobs_of(git, remembering).values())
        rows = git("cat-file", "--batch-all-objects", "--batch-check", cwd=remembering).splitlines()
        before = {row.split()[0] for row in rows if " blob " in row}
        (remembering / "untracked").write_text("mine\n")
        mine = git("hash-object", "-w", "untracked", cwd=remembering).strip()
        run("import", str(say("a", ["mend it"])), cwd=remembering)
        erased = set(blobs_of(git, remembering).values()) - kept
        answer = json.loads(run("forget", "--now", "generic/a", "--json", cwd=remembering).stdout)
        assert answer["cleared"]["held_by"] == []
        now = objects(git, remembering)
        assert not erased & now
        assert mine in now
        assert before <= now
        git("fsck", "--strict", cwd=remembering)
        run("verify", "--full", cwd=remembering)
        refused = run("forget", "--undo", "generic/a", cwd=remembering, status=1)
        assert "generic/a" in refused.stderr
        first = run("log", cwd=remembering).stdout.splitlines()
        assert len(first) == 1
        assert first[0].endswith("gitmem: Begin anew without what was erased: 1 session, 1 tombstone")

    def test_what_the_user_keeps_of_it_is_theirs_and_told_of(
        self, run: CommandLine, remembering: Path, say: Say, git: RealGit
    ) -> None:
        run("import", str(say("a", ["mend it"])), cwd=remembering)
        git("branch", "keepsake", "gitmem", cwd=remembering)
        blobs = set(blobs_of(git, remembering).values())
        done = run("forget", "--now", "generic/a", cwd=remembering)
        assert "refs/heads/keepsake" in done.stderr
        assert "git branch -D keepsake" in done.stderr
        assert blobs <= objects(git, remembering)

    def test_it_is_not_taken_in_again_unless_somebody_says_so(
        self, run: CommandLine, remembering: Path, hub: Path, say: Say
    ) -> None:
        source = str(say("a", ["mend it"]))
        run("import", source, cwd=remembering)
        run("push", "origin", cwd=remembering)
        run("forget", "--now", "generic/a", cwd=remembering)
        passed_over = run("import", source, cwd=remembering)
        assert "--again" in passed_over.stdout
        assert levels_in(run, remembering) == {}
        say("a", ["mend it", "mended", "and more"])
        run("import", source, cwd=remembering)
        assert levels_in(run, remembering) == {}
        run("import", "--again", source, cwd=remembering)
        assert levels_in(run, remembering) == {"a": "team"}
        say("a", ["mend it", "mended", "and more", "goes on"])
        run("import", source, cwd=remembering)
        assert "goes on" in run("show", "generic/a", cwd=remembering).stdout
        run("push", "origin", cwd=remembering)
        assert levels_in(run, remembering) == {"a": "team"}
        run("verify", "--full", cwd=remembering)

    def test_other_clones_follow_and_a_host_is_told_what_to_clear(
        self, run: CommandLine, remembering: Path, hub: Path, say: Say, git: RealGit, tmp_path: Path
    ) -> None:
        run("import", str(say("a", ["mend it"])), cwd=remembering)
        run("push", "origin", cwd=remembering)
        had = git("rev-parse", "gitmem", cwd=hub).strip()
        other = tmp_path / "other"
        git("clone", "-q", str(hub), str(other), cwd=tmp_path)
        run("init", "--no-hooks", "--no-import", cwd=other)
        blobs = {oid for path, oid in blobs_of(git, other).items() if path.startswith("sessions/")}
        done = run("forget", "--now", "generic/a", cwd=remembering)
        assert "gitmem push origin sends the erasure" in done.stdout
        assert "still held by refs/remotes/origin/gitmem" in run("status", cwd=remembering).stdout
        run("push", "origin", cwd=remembering)
        assert "erased" not in json.loads(run("status", "--json", cwd=remembering).stdout)
        run("import", str(say("b", ["of the other"])), cwd=other)
        told = run("push", "origin", cwd=other)
        assert "tombstoned  generic/a" in told.stdout
        for where in (remembering, other):
            run("pull", "origin", cwd=where)
            assert levels_in(run, where) == {"b": "team"}
            assert not blobs & objects(git, where)
            git("fsck", "--strict", cwd=where)
            run("verify", "--full", cwd=where)
        git("gc", "-q", "--prune=now", cwd=hub)
        assert not blobs & objects(git, hub)
        request = run("forget", "--request", "origin", cwd=remembering).stdout
        assert had in request
        assert "git gc --prune=now" in request

    def test_why_is_kept_without_secrets(
        self, run: CommandLine, remembering: Path, say: Say, git: RealGit, seed: int
    ) -> None:
        secret = "ghp_" + "".join(random.Random(seed).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=36))
        run("import", str(say("a", ["mend it"])), cwd=remembering)
        run("forget", "--now", "generic/a", "--reason", f"it said {secret}", cwd=remembering)
        with Clone(remembering).memory() as memory:
            [(_, tombstone)] = all_tombstones(memory.storage, memory.root)
        assert tombstone.reason.startswith("it said [gm:")
        assert secret not in tombstone.reason


class TestLevels:
    def test_only_the_copy_of_a_level_goes(self, run: CommandLine, remembering: Path, say: Say) -> None:
        run("import", str(say("a", ["mend it"])), cwd=remembering)
        run("level", "generic/a", "public", "--yes", cwd=remembering)
        answer = json.loads(
            run("forget", "--now", "generic/a", "--level", "public", "--json", cwd=remembering).stdout
        )
        assert [list(row["ids"]) for row in answer["sessions"]] == [["public"]]
        assert "mend it" in run("show", "generic/a", cwd=remembering).stdout
        run("level", "generic/a", "public", "--yes", cwd=remembering)
        assert levels_in(run, remembering) == {"a": "public"}
        run("verify", "--full", cwd=remembering)

    def test_what_the_team_had_of_a_private_session_is_erased(
        self, run: CommandLine, remembering: Path, hub: Path, say: Say, git: RealGit
    ) -> None:
        source = say("a", ["mend it"])
        run("import", str(source), cwd=remembering)
        run("push", "origin", cwd=remembering)
        run("level", "generic/a", "private", cwd=remembering)
        run("forget", "--now", "generic/a", "--level", "team", cwd=remembering)
        assert levels_in(run, remembering) == {"a": "private"}
        assert not [path for path in blobs_of(git, remembering) if path.startswith("sessions/")]
        run("push", "origin", cwd=remembering)
        assert not [path for path in blobs_of(git, hub) if path.startswith("sessions/")]
        say("a", ["mend it", "mended", "more of it"])
        run("import", str(source), cwd=remembering)
        assert "more of it" in run("show", "generic/a", cwd=remembering).stdout
        assert not [path for path in blobs_of(git, remembering) if path.startswith("sessions/")]

    def test_private_session_is_shed_and_not_captured_again(
        self, run: CommandLine, remembering: Path, say: Say
    ) -> None:
        source = str(say("a", ["gitmem:private mend it"]))
        run("import", source, cwd=remembering)
        assert levels_in(run, remembering) == {"a": "private"}
        run("forget", "--now", "generic/a", cwd=remembering)
        assert levels_in(run, remembering) == {}
        run("import", source, cwd=remembering)
        assert levels_in(run, remembering) == {}


class TestChosen:
    @pytest.fixture
    def three(self, run: CommandLine, remembering: Path, say: Say, git: RealGit) -> Path:
        run("import", str(say("a", ["call Acme about it"])), cwd=remembering)
        git("config", "user.email", "grace@example.org", cwd=remembering)
        run("import", str(say("b", ["mend it"])), str(say("c", ["acme again"])), cwd=remembering)
        run("checkpoint", "-m", "grace was here", cwd=remembering)
        return remembering

    def test_sessions_that_fit_are_chosen_and_nothing_happens_before_somebody_says_yes(
        self, run: CommandLine, three: Path
    ) -> None:
        for options, chosen in (
            (("--matching", "(?i)acme"), {"a", "c"}),
            (("--matching", "Acme"), {"a"}),
            (("--author", "grace@example.org"), {"b", "c"}),
            (("--author", "Grace@Example.org", "--matching", "(?i)acme"), {"c"}),
            (("--author", "grace"), set()),
            (("--older-than", "1y"), set()),
            (("--older-than", "2999-01-01"), {"a", "b", "c"}),
            (("--agent", "codex"), set()),
        ):
            status = 0 if chosen else 1
            answer = json.loads(run("forget", *options, "-n", "--json", cwd=three, status=status).stdout)
            assert {row["session"].removeprefix("generic/") for row in answer["sessions"]} == chosen, options
        refused = run("forget", "--matching", "(?i)acme", cwd=three, status=2)
        assert "--yes" in refused.stderr
        assert set(levels_in(run, three)) == {"a", "b", "c"}
        run("forget", "--matching", "(?i)acme", "--yes", cwd=three)
        assert set(levels_in(run, three)) == {"b"}

    def test_checkpoints_of_an_author_go_with_their_sessions(
        self, run: CommandLine, three: Path, git: RealGit
    ) -> None:
        assert [path for path in blobs_of(git, three) if path.startswith("checkpoints/")]
        answer = json.loads(
            run("forget", "--now", "--author", "grace@example.org", "--yes", "--json", cwd=three).stdout
        )
        assert len(answer["checkpoints"]["team"]) == 1
        assert not [path for path in blobs_of(git, three) if path.startswith("checkpoints/")]
        assert set(levels_in(run, three)) == {"a"}
        run("verify", "--full", cwd=three)

    def test_what_is_older_than_the_settings_keep_is_erased_when_due(
        self, run: CommandLine, three: Path, git: RealGit
    ) -> None:
        git("config", "gitmem.retention", "1d", cwd=three)
        run("forget", "--due", cwd=three)
        assert set(levels_in(run, three)) == {"a", "b", "c"}, "they were captured just now"

    def test_expression_that_cannot_be_read_is_refused(self, run: CommandLine, three: Path) -> None:
        refused = run("forget", "--matching", "(", cwd=three, status=2)
        assert "as an expression" in refused.stderr


class TestLeaks:
    def test_what_was_shared_and_leaks_is_redacted_again_and_erased_everywhere(
        self, run: CommandLine, remembering: Path, hub: Path, say: Say, git: RealGit, tmp_path: Path
    ) -> None:
        source = say("a", ["the code is sluice-abcdefgh", "noted"])
        run("init", "--share", "origin", "--no-hooks", "--no-import", cwd=remembering)
        run("import", str(source), str(say("b", ["leave it"])), cwd=remembering)
        run("title", "generic/a", "Of sluices", cwd=remembering)
        run("push", cwd=remembering)
        other = tmp_path / "other"
        git("clone", "-q", str(hub), str(other), cwd=tmp_path)
        run("init", "--share", "origin", "--no-hooks", "--no-import", cwd=other)
        leaked = {oid for path, oid in blobs_of(git, other).items() if "/segments/" in path}
        git("config", "gitmem.redact.sluice.pattern", "sluice-[a-z]{8}", cwd=remembering)
        git("config", "gitmem.redact.sluice.sample", "sluice-abcdefgh", cwd=remembering)
        run("redact", "audit", cwd=remembering, status=1)
        run("redact", "audit", "--erase", cwd=remembering)
        shown = run("show", "generic/a", cwd=remembering).stdout
        assert "[gm:user-rule:" in shown
        assert "Of sluices" in shown
        run("push", cwd=remembering)
        run("pull", cwd=other)
        kept = {oid for path, oid in blobs_of(git, other).items() if "/segments/" in path}
        assert len(leaked - kept) == 1
        for where in (remembering, other):
            assert not (leaked - kept) & objects(git, where)
            assert "sluice-abc" not in run("show", "generic/a", cwd=where).stdout
            run("verify", "--full", cwd=where)
        say("a", ["the code is sluice-abcdefgh", "noted", "goes on"])
        told = json.loads(run("import", "--json", str(source), cwd=remembering).stdout)
        assert (told["new"], told["erased"], told["lines"]) == ([], [], 1)

    def test_what_became_private_before_anybody_had_it_leaves_the_packs(
        self, run: CommandLine, remembering: Path, hub: Path, say: Say, git: RealGit
    ) -> None:
        run("import", str(say("a", ["mend it"])), cwd=remembering)
        blobs = {oid for path, oid in blobs_of(git, remembering).items() if path.startswith("sessions/")}
        run("level", "generic/a", "private", cwd=remembering)
        run("push", "origin", cwd=remembering)
        assert not blobs & objects(git, remembering)
        assert levels_in(run, remembering) == {"a": "private"}

    def test_sealed_objects_of_a_private_session_leave_the_packs(
        self, run: CommandLine, remembering: Path, say: Say, git: RealGit
    ) -> None:
        run("import", str(say("a", ["gitmem:private mend it"])), cwd=remembering)
        tips = git("for-each-ref", "--format=%(objectname)", "refs/gitmem/private", "refs/gitmem/keys",
                   cwd=remembering).split()  # fmt: skip
        sealed = set(git("rev-list", "--objects", "--no-object-names", *tips, cwd=remembering).split())
        run("forget", "--now", "generic/a", cwd=remembering)
        left = sealed & objects(git, remembering)
        assert not {oid for oid in left if git("cat-file", "-s", oid, cwd=remembering) not in ("0\n", "2\n")}
        git("fsck", "--strict", cwd=remembering)


def test_what_is_redacted_again_after_something_was_erased_can_be_sent(
    run: CommandLine, remembering: Path, hub: Path, say: Say, git: RealGit
) -> None:
    run("import", str(say("a", ["mend it"])), str(say("b", ["leave it"])), cwd=remembering)
    run("push", "origin", cwd=remembering)
    run("forget", "--now", "generic/a", cwd=remembering)
    run("import", str(say("c", ["the sluice-abcdefgh"])), cwd=remembering)
    git("config", "gitmem.redact.sluice.pattern", "sluice-[a-z]{8}", cwd=remembering)
    git("config", "gitmem.redact.sluice.sample", "sluice-abcdefgh", cwd=remembering)
    run("push", "origin", cwd=remembering, status=1)
    run("redact", "audit", "--fix", cwd=remembering)
    run("push", "origin", cwd=remembering)
    assert "sluice-abc" not in run("show", "generic/c", cwd=remembering).stdout
    assert git("rev-parse", "gitmem", cwd=remembering) == git("rev-parse", "gitmem", cwd=hub)
    assert levels_in(run, remembering) == {"b": "team", "c": "team"}
    run("verify", "--full", cwd=remembering)
