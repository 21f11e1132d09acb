"""Two scanners, one answer; and what keeps hyperscan's database."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from gitmem.disk import OwnedFolder
from gitmem.model.errors.withholding import RedactionFailed
from gitmem.redaction import accelerated
from gitmem.redaction.accelerated import HyperscanScanner, scanner_for
from gitmem.redaction.redactor import Redactor
from gitmem.redaction.rules import BUILT_IN, Rule, RuleSet
from gitmem.redaction.scanning import Re2Scanner, Scanner
from tests.redaction.planting import PLACES
from tests.redaction.shapes import SHAPES
from tests.redaction.test_linear import STARTS, UNITS

hyperscan = pytest.importorskip("hyperscan")

KEY = bytes(range(32))
EXPRESSIONS = ["ab+c", "(?i:token)[a-z]{2}", "x.*y", "[0-9]{4}", "needle"]


@pytest.fixture
def kept(tmp_path: Path) -> OwnedFolder:
    return OwnedFolder(tmp_path / "scanners")


@pytest.fixture(params=["re2", "hyperscan"])
def scanner(request: pytest.FixtureRequest, kept: OwnedFolder) -> Scanner:
    return Re2Scanner(EXPRESSIONS) if request.param == "re2" else scanner_for(EXPRESSIONS, kept)


def test_scanner_tells_which_expressions_match(scanner: Scanner) -> None:
    assert scanner.numbers(b"a needle, abbbc, TOKENab") == [0, 1, 4]
    assert scanner.numbers(b"nothing") == []
    assert scanner.numbers(b"x\ny 1234") == [2, 3]


def test_scanner_tells_each_line_with_a_match(scanner: Scanner) -> None:
    block = b"one\nneedle\n\nabc abc\nthree\n1234"
    assert {block.count(b"\n", 0, place) for place in scanner.places(block)} == {1, 3, 5}
    assert list(scanner.places(b"")) == []


def test_scanner_finds_the_first_from_a_place_on(scanner: Scanner) -> None:
    assert 0 <= scanner.first(b"needle") < 6
    assert 10 <= scanner.first(b"needle    needle", 6) < 16
    assert scanner.first(b"needle", 1) == -1


def test_hits_touch_every_match(scanner: Scanner) -> None:
    text = b"--abc--needle--1234--tokenaa"
    hits = scanner.hits(text)
    for start, end in ((2, 5), (7, 13), (15, 19), (21, 28)):
        assert any(hit.start <= end and hit.end >= start for hit in hits)


def test_too_many_hits_are_left_to_re2(kept: OwnedFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accelerated, "_MOST_HITS", 10)
    scanner = HyperscanScanner(EXPRESSIONS, kept)
    assert scanner.numbers(b"1234 " * 50) == [3]
    assert list(scanner.hits(b"1234 " * 50)) == list(Re2Scanner(EXPRESSIONS).hits(b"1234 " * 50))
    assert list(scanner.places(b"1234\n" * 20)) == list(Re2Scanner(EXPRESSIONS).places(b"1234\n" * 20))


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Redactor, Redactor]:
    ours = Redactor(KEY), Redactor(KEY, databases=OwnedFolder(tmp_path_factory.mktemp("kept")))
    assert [redactor.scanner for redactor in ours] == ["re2", "hyperscan"]
    return ours


def test_both_find_the_same_of_every_form_in_every_place(pair: tuple[Redactor, Redactor], seed: int) -> None:
    rng = Random(seed)
    lines = [
        PLACES[place](shape, shape.secret(rng), rng).raw
        for shape in rng.sample(SHAPES, len(SHAPES) // 2)
        for place in rng.sample(sorted(PLACES), 2)
    ]
    plain, fast = pair
    assert [fast.line(line) for line in lines] == [plain.line(line) for line in lines]
    text = b"\n".join(lines)
    assert b"".join(fast.stream([text])) == b"".join(plain.stream([text]))


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: repr(unit)[:24])
def test_both_find_the_same_of_hostile_text(unit: str, pair: tuple[Redactor, Redactor]) -> None:
    plain, fast = pair
    for start in STARTS:
        line = (start + unit * (4000 // len(unit))).encode()
        assert fast.line(line) == plain.line(line)


def test_both_find_the_same_of_real_transcripts(pair: tuple[Redactor, Redactor]) -> None:
    folder = os.environ.get("GITMEM_CORPUS")
    if not folder:
        pytest.skip("GITMEM_CORPUS is not set")
    plain, fast = pair
    files = sorted(Path(folder).rglob("*.jsonl"))[:20]
    assert files
    for file in files:
        text = file.read_bytes()[:2_000_000]
        assert b"".join(fast.stream([text])) == b"".join(plain.stream([text]))


def test_database_is_kept_for_the_user_alone_and_used_again(
    kept: OwnedFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    HyperscanScanner(EXPRESSIONS, kept)
    (file,) = kept.path.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert kept.path.stat().st_mode & 0o777 == 0o700
    monkeypatch.setattr(HyperscanScanner, "_built", lambda *_: pytest.fail("it was built again"))
    assert HyperscanScanner(EXPRESSIONS, kept).numbers(b"needle") == [4]


@pytest.mark.parametrize("damage", [lambda data: b"", lambda data: data[:-9], lambda data: b"x" * len(data)])
def test_damaged_database_is_built_again(damage: object, kept: OwnedFolder) -> None:
    HyperscanScanner(EXPRESSIONS, kept)
    (file,) = kept.path.iterdir()
    whole = file.read_bytes()
    file.write_bytes(damage(whole))  # type: ignore[operator]
    assert HyperscanScanner(EXPRESSIONS, kept).numbers(b"needle") == [4]
    assert file.read_bytes() == whole


def test_what_others_may_write_or_a_link_leads_to_is_not_used(kept: OwnedFolder, tmp_path: Path) -> None:
    kept.store("a", b"mine")
    assert kept.load("a") == b"mine"
    (kept.path / "a").chmod(0o622)
    assert kept.load("a") is None
    (kept.path / "b").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").write_bytes(b"theirs")
    assert kept.load("b") is None
    kept.store("b", b"mine")
    assert (tmp_path / "elsewhere").read_bytes() == b"theirs"
    os.mkfifo(kept.path / "c", 0o600)
    assert kept.load("c") is None
    kept.path.chmod(0o770)
    assert kept.load("b") is None
    kept.store("d", b"mine")
    assert not (kept.path / "d").exists()
    link = tmp_path / "link"
    link.symlink_to(kept.path)
    kept.path.chmod(0o700)
    assert OwnedFolder(link).load("b") is None
    assert OwnedFolder(tmp_path / "nowhere").load("b") is None


def test_folder_that_cannot_be_made_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    kept = OwnedFolder(tmp_path / "file" / "below")
    kept.store("a", b"b")
    assert kept.load("a") is None


def test_syntax_that_hyperscan_does_not_know_is_left_to_re2(kept: OwnedFolder) -> None:
    assert scanner_for([r"\pLu{", "a"], None).name == "re2"
    assert scanner_for([r"(?P<name>a)\z", r"[[:foo:]"], kept).name == "re2"


def test_without_hyperscan_it_is_re2(kept: OwnedFolder) -> None:
    code = (
        "import sys; sys.modules['hyperscan'] = None\n"
        "from pathlib import Path; from gitmem.disk import OwnedFolder\n"
        "from gitmem.redaction.redactor import Redactor\n"
        f"print(Redactor(bytes(32), databases=OwnedFolder(Path({str(kept.path)!r}))).scanner)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "re2\n"


def test_hyperscan_that_fails_in_mid_scan_lets_nothing_pass(
    kept: OwnedFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    redactor = Redactor(KEY, databases=kept)
    assert redactor.scanner == "hyperscan"
    secret = SHAPES[0].secret(Random(1)).encode()

    def broken(*_args: object) -> bool:
        raise hyperscan.error("no more")

    monkeypatch.setattr(HyperscanScanner, "_scan", broken)
    with pytest.raises(RedactionFailed):
        redactor.line(secret)
    assert BUILT_IN.rules
    with pytest.raises(RedactionFailed):
        list(redactor.stream([secret + b"\n"]))
    assert RuleSet((Rule("jwt", "a", "a"),)).rules
