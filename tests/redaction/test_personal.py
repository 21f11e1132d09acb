"""Personal data goes, what merely looks like it stays, and neither costs more than its length."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from random import Random

import pytest

from gitmem.redaction.checks import CHECKS
from gitmem.redaction.engine import Engine
from gitmem.redaction.national_ids import holds_luhn
from gitmem.redaction.personal import ALWAYS, BY_CHOICE, PERSONAL
from gitmem.redaction.personal_checks import IBAN_LENGTHS, is_card, is_iban
from gitmem.redaction.placeholders import KINDS
from gitmem.redaction.redactor import Redactor
from gitmem.redaction.rules import RuleSet
from tests.conftest import IMPORTED_FROM
from tests.redaction.planting import PLACEHOLDER

KEY = bytes(range(32))
RULES = RuleSet(PERSONAL)
REDACTOR = Redactor(KEY, RULES)

FOUND = [
    # kind, text before, the value, text behind
    ("email", "write to ", "ada@lovelace.io", " today"),
    ("email", "Author: Ada <", "ada.b-c_d+git@mail.analytical.co.uk", ">"),
    ("email", "'", "grace@hopper.mil", "', 'x'"),
    ("email", "mailto:", "ada@lovelace.io", "?subject=x"),
    ("email", "see ", "jörg@müller.de", "."),
    ("email", "by ", "12345+ada@users.noreply.github.com", ""),
    ("email", "host ", "ada@adas-macbook.local", ""),
    ("phone", "call ", "+1 415 867 5309", " now"),
    ("phone", "x=", "+14158675309", ""),
    ("phone", "at ", "+44 20 7123 4567", ","),
    ("phone", "", "+49 (30) 901820", ""),
    ("phone", "or ", "(415) 867-5309", "."),
    ("phone", "or ", "415-867-5309", " "),
    ("phone", "or ", "1-415-867-5309", " "),
    ("phone", "phone: ", "020 7123 4567", ""),
    ("phone", "her mobile number is ", "0171 2345678", ""),
    ("phone", "Tel. ", "030 901820", ""),
    ("phone", '"phoneNumber": "', "4158675309", '"'),
    ("phone", "fax ", "0049 30 901820", ""),
    ("card", "paid with ", "4111111111111111", ""),
    ("card", "paid with ", "4111 1111 1111 1111", ", thanks"),
    ("card", "paid with ", "5500-0000-0000-0004", "."),
    ("card", "amex ", "378282246310005", ""),
    ("card", "amex ", "3782 822463 10005", ""),
    ("card", "diners ", "3056 930902 5904", ""),
    ("card", '{"pan":"', "6011000990139424", '"}'),
    ("card", "jcb:", "3530111333300000", ";"),
    ("iban", "to ", "DE89 3704 0044 0532 0130 00", " AND MORE"),
    ("iban", "to ", "GB82WEST12345698765432", ""),
    ("iban", "to ", "BE68 5390 0754 7034", " TEXT"),
    ("iban", "to ", "NO93 8601 1117 947", ""),
    ("iban", "to ", "FR14 2004 1010 0505 0001 3M02 606", "."),
    ("ssn", "ssn ", "536-90-4399", ""),
    ("ssn", "SSN: ", "536904399", ""),
    ("ssn", "social security number is ", "536 90 4399", "."),
    ("national-id", "", "AB 12 34 56 C", ""),
    ("national-id", "NINO ", "AB123456C", ""),
    ("national-id", "Steuer-ID ", "86095742719", ""),
    ("national-id", "nir ", "1 84 12 76 451 089 46", ""),
    ("national-id", "DNI ", "12345678Z", ""),
    ("national-id", "NIE: ", "X1234567L", ""),
    ("national-id", "cf ", "RSSMRA85T10A562S", ""),
    ("national-id", "", "111.444.777-35", ""),
    ("national-id", "cpf=", "11144477735", ""),
    ("national-id", "Aadhaar no ", "2341 2341 2346", ""),
    ("national-id", "", "756.9217.0769.85", ""),
    ("national-id", "PESEL ", "44051401359", ""),
    ("national-id", "BSN ", "111222333", ""),
    ("national-id", "social insurance number ", "130 692 544", ""),
    ("national-id", "", "11010519491231002X", ""),
    ("ip", "from ", "8.8.4.4", ""),
    ("ip", "http://", "52.14.7.9", ":8080/x"),
    ("ip", "ssh root@", "52.14.7.9", ""),
    ("ip", "client: ", "52.14.7.9", ", server: _"),
    ("ip", "from ", "2a00:1450:4001:81b::200e", " port 22"),
    ("ip", "[", "2a00:1450:4001:81b:0:0:0:200e", "]:443"),
    ("home", "cd /home/", "ada", "/src"),
    ("home", "/Users/", "grace.hopper", "/Library"),
    ("home", "file:///home/", "ada", "/x"),
    ("home", "/mnt/c/Users/", "ada", "/x"),
    ("home", "/var/home/", "ada", ""),
    ("home", "C:\\Users\\", "ada", "\\Documents"),
    ("home", "C:\\Users\\", "Ada Lovelace", "\\Documents"),
    ("home", "~/.claude/projects/-Users-", "ada", "-src-tides/x.jsonl"),
    ("home", "~/.claude/projects/-home-", "ada", "-src-tides/x.jsonl"),
]

TRAPS = [
    # hashes, ids, times
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "c6533991-5707-4094-8756-614132111111",
    "41111111-1111-4111-8111-111111111111",
    '"integrity": "sha512-4111111111111111aaaa=="',
    "at 1700000000000 and 1700000000000000 and 1700000000000000000",
    "v6.0.0-20260410103409-85b6241850ab",
    "tweet 1745987234987234981, message 998877665544332211",
    "ISBN 978-3-16-148410-0 and 9783161484100",
    "commit 4111111111111112",
    "id=4111111111111110",
    "4111111111111111111111111111",
    "0.4111111111111111",
    "3.14159265358979323846",
    "aggregation.NewHash(\"2222222222222222222222222222222222222222\")",
    "0000 0000 0000 0000",
    "4444 4444 4444 4444",
    "1234 5678 9012 3456",
    "abc4111111111111111",
    "2026-05-08T10:00:00.123456789Z",
    "20260508100000",
    # versions and lock files
    "version 1.2.3.4",
    '"version": "1.2.3.4"',
    "v8.8.8.8",
    "Chrome/120.0.0.0 Safari/537.36",
    "pkg-1.2.3.4.tar.gz",
    "pkg==8.8.4.4",
    "pkg>=8.8.4.4,<9",
    "gem 'x', '~> 8.8.4.4'",
    "1.3.6.1.4.1.311",
    "8.8.4.4-rc1",
    "AssemblyVersion(\"8.8.4.4\")",
    "lodash@4.17.21 react@17.0.2-beta.rc",
    '"@types/node@18.0.0"',
    "'@babel/core@^7.0.0', '@scope/pkg'",
    "pip install 'pkg @ https://host/x'",
    "package@latest package@npm:other@1.2.3",
    "name@v1.2.3-beta.alpha",
    "h1:AKz4111111111111111x=",
    # addresses of nobody
    "127.0.0.1 127.0.1.1 0.0.0.0 255.255.255.255",
    "10.1.2.3 172.16.0.1 192.168.1.254 169.254.169.254 100.64.0.1",
    "192.0.2.1 198.51.100.7 203.0.113.9",
    "224.0.0.251 240.0.0.1",
    "256.1.1.1 999.999.999.999",
    "::1 fe80::1 fd00::1 2001:db8::1 2001:db8:85a3::8a2e:370:7334 ff02::1",
    "2024:05:01 12:00:00",
    "12:34:56:78:9a:bc",
    "2000: 2001: 2002:",
    # mail of nobody
    "ada@example.com ada@example.org ada@mail.example.net",
    "a@b.test a@b.invalid a@b.example root@localhost a@b.localhost",
    "noreply@github.com no-reply@x.io do-not-reply@x.io notifications-noreply@x.io",
    "git@github.com:ada/tides.git",
    "ssh://git@host.io:22/x",
    "https://ada@github.com/ada/tides",
    "https://ada:${TOKEN}@github.com/ada/tides",
    "icon@2x.png logo@3x.webp",
    "@app.route('/x') @pytest.mark.parametrize",
    "@user @team/core #channel",
    "W@x.transpose(0, 1) + a@b.T",
    "user@host user@host:path",
    "foo@bar",
    "a @ b.c",
    "import x from '@/components/x.vue'",
    # numbers of nobody
    "555-0123 555-0199 call 555-0100",
    "212-555-0123 (212) 555-0199 +1 212 555 0142",
    "+44 7700 900123 020 7946 0958",
    "tool_call_id: 2026-05-08 10:00:00 call(1234567)",
    "@@ -1,12 +1,14 @@",
    "+1234567890",
    "+ 12345678",
    "1e+10 2.5e+300",
    "lines 100-200, 300-400-5000",
    "phone 1111111111",
    "x + 41586 75309",
    "123-456-789",
    "000-12-3456 666-12-3456 900-12-3456 536-00-4399 536-90-0000",
    "078-05-1120 219-09-9999",
    "2026-05-0812",
    "1-536-90-4399-1",
    "SSN: 000000000",
    "social security is a law of 1935",
    "DE89 3704 0044 0532 0130 01",
    "ZZ12 3456 7890 1234 5678",
    "AB12CDEF34567890GHIJ",
    "QQ 12 34 56 C",
    "12345678Z",
    "86095742719",
    "DNI 12345678A",
    "RSSMRA85T10A562T",
    "111.444.777-36",
    "aadhaar 2341 2341 2347",
    "11010519491231002Y 110105194912310020",
    # homes of nobody
    "/home/runner/work /home/user/x /home/ubuntu /home/vscode /home/node /Users/me /Users/username",
    "~/x $HOME/x /home/$USER/x /home/${USER}/x /home/<name>/x /home/{user}",
    "C:\\Users\\Public\\x C:\\Users\\Administrator C:\\Users\\%USERNAME%",
    "src/home/index.tsx ./home/view @/home/view https://x.io/home/about",
    "href=\"/home/index.html\"",
    "GET /users/123/profile",
    "--home-dir x -home-page y a-Users-guide",
    "the home/office divide",
]  # fmt: skip


@pytest.mark.parametrize(("kind", "before", "value", "behind"), FOUND)
def test_personal_data_goes_and_its_surroundings_stay(
    kind: str, before: str, value: str, behind: str
) -> None:
    redacted = REDACTOR.line(f"see {before}{value}{behind}\n".encode()).decode()
    assert redacted.startswith(f"see {before}[gm:{kind}:"), redacted
    assert redacted.endswith(f"]{behind}\n"), redacted
    assert redacted.count("[gm:") == 1, redacted


@pytest.mark.parametrize(("kind", "before", "value", "behind"), FOUND)
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_personal_data_goes_from_json_at_any_depth(
    kind: str, before: str, value: str, behind: str, layers: int
) -> None:
    text = f"first\n{before}{value}{behind}\nlast"
    for _ in range(layers):
        text = json.dumps({"text": text})
    redacted = REDACTOR.line(text.encode())
    told = redacted.decode()
    for _ in range(layers):
        told = json.loads(told)["text"]
    assert f"[gm:{kind}:" in told
    assert told.startswith("first\n"), told
    assert told.endswith("\nlast"), told
    assert value not in told
    assert REDACTOR.line(redacted) == redacted


def test_there_are_many_traps() -> None:
    assert len(TRAPS) >= 80


@pytest.mark.parametrize("trap", TRAPS)
def test_trap_stays(trap: str) -> None:
    for line in (trap.encode(), json.dumps({"text": f"a\n{trap}\n"}).encode()):
        assert REDACTOR.line(line) == line


def test_every_rule_of_the_group_finds_something_and_has_a_name() -> None:
    for rule in PERSONAL:
        alone = Engine(RuleSet((rule,)))
        assert any(list(alone.matches(f"see {b}{v}{e}\n".encode())) for _, b, v, e in FOUND), rule.name
        assert rule.group == "personal"
        assert rule.kind in KINDS
        assert rule.check in CHECKS
    assert len({rule.name for rule in PERSONAL}) == len(PERSONAL)


def test_every_core_lets_what_its_rule_finds_by() -> None:
    for rule in PERSONAL:
        alone = Redactor(KEY, RuleSet((rule,)))
        for kind, before, value, behind in FOUND:
            text = f"see {before}{value}{behind}"
            found = bool(list(Engine(RuleSet((rule,))).matches(text.encode())))
            if found:
                escaped = json.dumps(json.dumps(f"a\n\u00a0{text}\r\t")).encode()
                assert PLACEHOLDER.search(alone.line(escaped)), (rule.name, kind)


def test_every_check_answers_to_any_bytes_and_refuses_none_at_all() -> None:
    for name, check in CHECKS.items():
        for value in (b"\xff\xfe", b"\x00" * 40, b"9" * 40, b"@", b"-", "\u0663\u0664\u0665".encode()):
            assert check(value) in (True, False), name
        assert not check(b""), name


def test_cards_of_every_network_hold_and_one_digit_more_or_other_does_not(seed: int) -> None:
    rng = Random(seed)
    for beginning, length in (("4", 16), ("4", 19), ("51", 16), ("2221", 16), ("37", 15), ("6011", 16)):
        body = beginning + "".join(rng.choices("0123456789", k=length - len(beginning) - 1))
        last = next(d for d in "0123456789" if holds_luhn((body + d).encode()))
        assert is_card((body + last).encode())
        assert not is_card((body + str((int(last) + 1) % 10)).encode())
    assert not is_card(b"1" + b"0" * 15)


def test_an_iban_with_two_digits_exchanged_does_not_hold(seed: int) -> None:
    rng = Random(seed)
    for country, length in IBAN_LENGTHS.items():
        body = "".join(rng.choices("0123456789", k=length - 4))
        rest = int("".join(str(int(letter, 36)) for letter in f"{body}{country}00")) % 97
        iban = f"{country}{98 - rest:02}{body}"
        assert is_iban(iban.encode()), iban
        assert not is_iban(f"{country}{(99 - rest) % 97:02}{body}".encode())
        assert not is_iban(iban[:-1].encode())


def test_many_side_by_side_all_go() -> None:
    for kind, _, value, _ in FOUND:
        if kind in ("card", "ip", "email", "iban"):
            redacted = REDACTOR.line(" ".join([value] * 9).encode()).decode()
            assert redacted.count(f"[gm:{kind}:") == 9, redacted


def test_what_must_not_be_found_is_not_found_behind_ever_so_many_candidates() -> None:
    many = " ".join(f"a{n}@b.test 10.{n % 250}.{n // 250}.7" for n in range(3000))
    line = f"{many} https://ada:${{PW}}@lovelace.io/ version 8.8.4.4 and 8.8.8.8".encode()
    redacted = REDACTOR.line(line)
    assert b"https://ada:${PW}@lovelace.io/ version 8.8.4.4 and [gm:ip:" in redacted
    assert REDACTOR.line(redacted) == redacted


def test_phone_library_stays_unloaded_until_a_phone_is_met() -> None:
    text = (
        "import sys; from gitmem.redaction.redactor import Redactor; from gitmem.redaction.rules import RuleSet\n"
        "from gitmem.redaction.personal import PERSONAL\n"
        "r = Redactor(bytes(32), RuleSet(PERSONAL)); r.line(b'ada@lovelace.io 4111111111111111')\n"
        "assert 'phonenumbers' not in sys.modules\n"
        "r.line(b'+14158675309'); assert 'phonenumbers' in sys.modules\n"
    )
    environ = {**os.environ, "PYTHONPATH": str(IMPORTED_FROM)}
    subprocess.run([sys.executable, "-P", "-c", text], check=True, env=environ)


def test_what_a_team_chooses_from_and_what_always_goes_are_all() -> None:
    assert set(BY_CHOICE) == {"email", "phone", "ip", "home"}
    assert {rule.kind for rule in ALWAYS} == {"card", "iban", "ssn", "national-id"}
    for kind, rules in BY_CHOICE.items():
        assert {rule.kind for rule in rules} == {kind}
