"""What a secret looks like: the rules, as data, from what each vendor says of its own tokens.

A rule's parts are RE2, matched against bytes:
  core     what of the secret and its surroundings survives any number of escapes, so that one search for all
           cores in the raw line rules out every reading of it: it may require no quote, slash or line end;
  pattern  the secret is its group, if it has one, and otherwise the whole match;
  skip     what may not be all of the secret: templates, and values of the same shape that are none;
  check    the name of a function in gitmem.redaction.checks that must agree too, where there is one;
  name     what people call the form: unique, and what `gitmem redact explain` is asked about;
  joins    how such a secret looks where line ends and colour codes within it are taken away, at its shortest,
           and with nothing asked of what stands before it; such a rule's core needs no blank and no quote.
           Empty for a rule that is not to match over line ends; a pattern that begins with LEFT needs none.

Lengths are lower bounds where a vendor may lengthen its tokens: too much replaced is a nuisance, too little a
leak. Nothing is exempt for the name of the key that it stands under.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Literal, NamedTuple

ENGINE_VERSION = 2
"""Raised whenever the same rules may give other output: caches of redacted text are keyed by it."""


Group = Literal["secret", "personal", "user"]
"""Secrets go at every level, personal data by level and choice; what users' own rules find goes with them."""


class Rule(NamedTuple):
    """One form of one kind of secret; the module says what the fields mean."""

    kind: str
    core: str
    pattern: str
    skip: str = ""
    check: str = ""
    group: Group = "secret"
    name: str = ""
    joins: str = ""


class RuleSet(NamedTuple):
    """Rules in order of precedence: of two that match the same text, the first names it.

    With `takes_payloads`, images and other binary payloads are replaced too.
    """

    rules: tuple[Rule, ...]
    takes_payloads: bool = True

    @property
    def fingerprint(self) -> str:
        """Hex; another for other rules, and for another engine."""
        parts = [
            str(ENGINE_VERSION),
            str(self.takes_payloads),
            *(part for rule in self.rules for part in rule),
        ]
        return sha256("\x00".join(parts).encode()).hexdigest()[:32]


LEFT = r"(?:^|[^A-Za-z0-9]|\[[0-9;]{0,9}[mK]|%[0-9A-F]{2}|\\x[0-9a-f]{2})"
"""A secret begins here, not inside a longer word: `sk-` does not begin in "task-force". A colour code, and a
character in a URL's or a shell's escape, end in letters and digits but are no word."""

_GAP = r"[^A-Za-z0-9]{1,64}"
_RAW_GAP = r"(?:[^A-Za-z0-9]|\\[bfnrt]|\\u[0-9a-fA-F]{4})*"
"""Between a name and its value, however quoted; and the same while it is still escaped."""

_WORDS = (
    r"(?:your|my|the|this|a|an|some|example|sample|test|dummy|fake|placeholder|access|api|app|auth|bearer|basic|bot"
    r"|jwt|oauth|token|key|secret|user|name|username|pass|password|credentials?|base64|encoded|header|value|goes"
    r"|here|string|authentication|authorization|redacted|x+|\.+|\*+|0+|[-_/+])+"
)
"""What is written about a credential, or instead of one."""


def _prefixed(kind: str, prefix: str, body: str, at_least: int) -> Rule:
    """A token that its prefix gives away, with `at_least` characters of class `body` behind it."""
    return Rule(
        kind,
        core=f"{prefix}{body}{{{min(at_least, 8)}}}",
        pattern=f"{LEFT}({prefix}{body}{{{at_least},}})",
        skip=f"(?i){prefix}{_WORDS}",
    )


_ALNUM = "[A-Za-z0-9]"
_WORD = "[A-Za-z0-9_]"
_URLSAFE = "[A-Za-z0-9_-]"
_BASE64 = "[A-Za-z0-9+/]"
_HEX = "[0-9a-f]"

_AWS_NAME = "(?i:secret[_ .-]?(?:access[_ .-]?)?key|aws[_ .-]?secret)"

_VENDORS = (
    # AWS IAM user guide, "IAM identifiers": prefixes of unique ids; keys of the documentation end in EXAMPLE
    Rule(
        "aws-access-key",
        "(?:AKIA|ASIA)[A-Z0-9]{8}",
        f"{LEFT}((?:AKIA|ASIA)[A-Z0-9]{{16,}})",
        skip="[A-Z0-9]+EXAMPLE",
    ),
    Rule(
        "aws-secret-key",
        _AWS_NAME,
        rf"{_AWS_NAME}{_GAP}({_BASE64}{{40}})(?:[^A-Za-z0-9+/=]|$)",
        skip=r"[0-9a-f]+|[a-z/]+|.*EXAMPLEKEY",
        joins=f"{_AWS_NAME}{_GAP}({_BASE64}{{40}})",
    ),
    Rule(
        "aws-session-token",
        "(?:IQoJb3JpZ2lu|F[Qw]oGZXIvYXdz)",
        f"(?:IQoJb3JpZ2lu|F[Qw]oGZXIvYXdz){_BASE64}{{64,}}=*",
        joins=f"(?:IQoJb3JpZ2lu|F[Qw]oGZXIvYXdz){_BASE64}{{64}}",
    ),
    # docs.github.com, "About authentication to GitHub": token formats
    _prefixed("github-token", "gh[pousr]_", _WORD, 36),
    _prefixed("github-token", "github_pat_", _WORD, 22),
    # docs.gitlab.com, "GitLab token overview": token prefixes
    _prefixed(
        "gitlab-token",
        "gl(?:pat|oas|dt|rt|rtr|cbt|ptt|ft|imt|agent|wt|soat|ffct)-",
        "[A-Za-z0-9_.-]",
        20,
    ),
    # docs.slack.dev, "Tokens", "Token rotation" and "Sending messages using incoming webhooks"
    _prefixed("slack-token", r"xox(?:e\.xox)?[abeoprs]-", "[A-Za-z0-9-]", 16),
    _prefixed("slack-token", r"xapp-[0-9]-", "[A-Za-z0-9-]", 16),
    Rule(
        "slack-webhook",
        r"hooks\.slack",
        rf"hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/({_BASE64}{{20,}})",
        skip=r"(?i)(?:[TBX0/]|your|workspace|channel|webhook|path|url|id)+",
        joins=rf"hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/({_BASE64}{{40}})",
    ),
    # docs.stripe.com, "API keys" and "Receive webhook events"
    _prefixed("stripe-key", "[sr]k_(?:live|test)_", _ALNUM, 16),
    Rule("webhook-secret", "whsec_", f"{LEFT}(whsec_{_BASE64}{{24,}}=*)", skip=f"whsec_{_WORDS}"),
    # platform.openai.com, openrouter.ai and docs.anthropic.com: API keys
    _prefixed("anthropic-key", "sk-ant-", _URLSAFE, 20),
    _prefixed("openrouter-key", "sk-or-v1-", _HEX, 32),
    _prefixed("openai-key", "sk-(?:proj|svcacct|admin|None)-", _URLSAFE, 20),
    _prefixed("openai-key", "sk-", _ALNUM, 32),
    # cloud.google.com, "API keys" and "OAuth 2.0"
    _prefixed("google-key", "AIza", _URLSAFE, 35),
    _prefixed("google-oauth", "GOCSPX-", _URLSAFE, 20),
    _prefixed("google-oauth", r"ya29\.", _URLSAFE, 20),
    # Access tokens of a model hub and of two package indexes; the last is a macaroon, hence its beginning.
    _prefixed("huggingface-token", "(?:hf|api_org)_", _ALNUM, 34),
    _prefixed("npm-token", "npm_", _ALNUM, 36),
    _prefixed("pypi-token", "pypi-AgE", _URLSAFE, 50),
    # sendgrid.com, twilio.com, digitalocean.com, databricks.com, linear.app, notion.so
    _prefixed("sendgrid-key", rf"SG\.{_URLSAFE}{{16,32}}\.", _URLSAFE, 16),
    Rule("twilio-key", f"SK{_HEX}{{8}}", rf"{LEFT}(SK{_HEX}{{32}})(?:[^A-Za-z0-9]|$)"),
    _prefixed("digitalocean-token", "do[opr]_v1_", _HEX, 64),
    _prefixed("databricks-token", "dapi", "[0-9a-f-]", 32),
    _prefixed("linear-key", "lin_(?:api|oauth)_", _ALNUM, 32),
    _prefixed("notion-token", "ntn_", _ALNUM, 40),
    _prefixed("notion-token", "secret_", _ALNUM, 43),
    # vercel.com, "New token formats and secret scanning"; developers.cloudflare.com, "Token formats"
    _prefixed("vercel-token", "vc[piark]_", _URLSAFE, 24),
    _prefixed("cloudflare-token", "cf(?:k|ut|at)_", _URLSAFE, 40),
    _prefixed("cloudflare-token", rf"v1\.0-{_HEX}{{24}}-", _HEX, 100),
    # core.telegram.org, "Bots"; discord.com/developers, "Authentication" and "Webhook"
    Rule(
        "telegram-token",
        f"[0-9]{{8}}:{_URLSAFE}{{8}}",
        f"{LEFT}([0-9]{{8,10}}:{_URLSAFE}{{35}})(?:[^A-Za-z0-9_-]|$)",
        skip="[0-9:]+|[0-9]+:[a-z-]+",
    ),
    Rule(
        "discord-token",
        rf"\.{_URLSAFE}{{6}}\.{_URLSAFE}{{20}}",
        rf"{LEFT}([MNO]{_URLSAFE}{{22,27}}\.{_URLSAFE}{{6}}\.{_URLSAFE}{{27,}})",
    ),
    Rule(
        "discord-webhook",
        r"discord(?:app)?\.com",
        rf"discord(?:app)?\.com/api/(?:v\d+/)?webhooks/\d+/({_URLSAFE}{{32,}})",
        joins=rf"discord(?:app)?\.com/api/(?:v\d+/)?webhooks/\d+/({_URLSAFE}{{60}})",
    ),
    # RFC 7519: the base64url of a header that begins with `{"`; encrypted ones have five parts
    Rule(
        "jwt",
        rf"eyJ{_URLSAFE}{{8,}}\.{_URLSAFE}",
        rf"{LEFT}(eyJ{_URLSAFE}{{8,}}\.{_URLSAFE}{{8,}}(?:\.{_URLSAFE}*){{1,3}})",
    ),
    # learn.microsoft.com, "Configure Azure Storage connection strings" and "Shared access signatures"
    Rule(
        "azure-storage-key",
        "(?i:(?:account|sharedaccess)key=)",
        rf"(?i:(?:account|sharedaccess)key=)({_BASE64}{{32,}}=*)",
        joins=rf"(?i:(?:account|sharedaccess)key=)({_BASE64}{{43}})",
    ),
    Rule(
        "azure-sas",
        "sig=[A-Za-z0-9%+]",
        r"[?&;]sig=([A-Za-z0-9%+/]{40,}=*)",
        joins=r"[?&;]sig=([A-Za-z0-9%+/]{40})",
    ),
)

_PEM_SEPARATOR = r"[\s\\>|+*#:;,.'\"\d\xe2\x86\x92]{0,32}-?"
"""Between a key's lines: line ends, escaped or not, and the numbers and marks of whoever printed them. No run
of hyphens, which would make the next key's first line part of this one."""

_PEM_END = rf"(?:{_PEM_SEPARATOR}[A-Za-z0-9+/=]{{1,39}})?{_PEM_SEPARATOR}-----END [A-Z0-9 ]{{1,40}}-----"
_PEM_CUT = rf"[ \t\r\\]{{0,16}}(?:\n|\\[nr]){_PEM_SEPARATOR}[A-Za-z0-9+/=]{{1,15}}"
_PEM_HEADER = (
    rf"{_PEM_SEPARATOR}(?:Proc-Type|DEK-Info|Version|Comment|Hash|Charset|MessageID): ?[^\n\r\"\\]{{0,120}}"
)

_NAKED_KEY = (
    r"(?:MII[A-Za-z0-9+/]{2}[AQgw]IB(?:AAKC|ADANBgkqhkiG9w0BAQEFAASC)"
    r"|MIGHAgEAMBMGByqGSM49AgEG|MHcCAQEEI|MC4CAQAwBQYDK2VwBCIEI|b3BlbnNzaC1rZXktdjEA)"
)
"""How a private key's base64 begins: the DER of PKCS#1, PKCS#8 (RSA, P-256, Ed25519) and SEC 1; OpenSSH's."""

_WRAPPED_KEY = (
    r"LS0tLS1CRUdJTiB(?:QUklWQVRFIEtFW|SU0EgUFJJVkFURSBLRV|FQyBQUklWQVRFIEtFW|PUEVOU1NIIFBSSVZBVEUgS0V"
    r"|FTkNSWVBURUQgUFJJVkFURSBLRV)"
)
"""The base64 of `-----BEGIN … PRIVATE KE`, as Kubernetes and CI variables keep a whole PEM file."""

_PRIVATE_KEYS = (
    # RFC 7468 and RFC 4880; a header without a key behind it is talk about keys
    Rule(
        "private-key",
        "PRIVATE ?KEY",
        rf"-----BEGIN (?:[A-Z0-9]+ ){{0,4}}PRIVATE KEY(?: BLOCK)?-----(?:{_PEM_HEADER}){{0,6}}"
        rf"(?:{_PEM_SEPARATOR}[A-Za-z0-9+/=]{{16,}})+"
        rf"(?:{_PEM_END}|{_PEM_CUT})?",
        joins=r"-----BEGIN ?(?:[A-Z0-9]+ ?){0,4}PRIVATE ?KEY(?: ?BLOCK)?-----[A-Za-z0-9+/=]{16,}"
        r"(?:-----END[A-Z0-9 ]{1,40}-----)?",
    ),
    Rule(
        "private-key",
        "(?:IBAAKC|IBADANBgkqhkiG9w0BAQEFAASC|MIGHAgEAMBMGByqGSM49AgEG|MHcCAQEEI|MC4CAQAwBQYDK2Vw|b3BlbnNzaC1rZXkt)",
        rf"{_NAKED_KEY}[A-Za-z0-9+/=]{{24,}}(?:{_PEM_SEPARATOR}[A-Za-z0-9+/=]{{40,}})*"
        rf"(?:{_PEM_END})?",
        joins=rf"{_NAKED_KEY}[A-Za-z0-9+/=]{{24}}",
    ),
    Rule(
        "private-key",
        _WRAPPED_KEY,
        rf"{_WRAPPED_KEY}[A-Za-z0-9+/=_-]{{40,}}",
        joins=rf"{_WRAPPED_KEY}[A-Za-z0-9+/=_-]{{40}}",
    ),
)

_TEMPLATE = (
    r"\$[A-Z_][A-Z0-9_]*|\$[a-z_]+|\$env:\w+|\$\([^()]*\)|[$%#]?\{+[^{}]*\}+|<[^<>]*>|\[[^\[\]]*\]|%\w+%|%[sdvq]"
    r"|%\(\w+\)s|[*.xX•…_-]+|\W*(?i:redacted|masked|hidden)\W*"
)
"""What stands for a password in a template."""

_NOT_ONE_VALUE = (
    r"\d{1,5}[?#>].*"  # a port, and behind it text that happens to hold an @
    r"|.*\\[bfnrtu].*"  # two lines of text in a reading that has not yet unescaped them
)

_HTTP_VALUE = r"[A-Za-z0-9._~+/-]"

_CONTEXTS = (
    # RFC 3986, 3.2.1: userinfo; people write an unescaped @ into passwords, so the last one counts
    Rule(
        "url-password",
        r":(?:\\*/){2}[^\s/@\":]*:[^\s/\"]*@",
        r"[A-Za-z0-9]://[^\s/@\"':]*:([^\s/\"'`]+)@",
        skip=rf"{_TEMPLATE}|{_NOT_ONE_VALUE}",
        joins=r"(?:postgres(?:ql)?|mysql|mariadb|mongodb(?:\+srv)?|rediss?|amqps?|smtps?|s?ftps?|ldaps?)"
        r"://[^\s/@\"':]*:([^\s/\"'`]+?)@",
    ),
    # RFC 9110, 11.6.2 and RFC 6750
    Rule(
        "authorization",
        rf"(?i:authorization){_RAW_GAP}(?i:bearer|basic|token|bot)",
        rf"(?i:authorization){_GAP}(?i:bearer|basic|token|bot)[\s:]{{1,8}}({_HTTP_VALUE}{{8,}}=*)",
        skip=f"(?i){_WORDS}=*",
        joins=rf"(?i:authorization){_GAP}(?i:bearer|basic|token|bot)[\s:]{{1,8}}({_HTTP_VALUE}{{8}})",
    ),
    Rule(
        "authorization",
        rf"(?i:bearer){_RAW_GAP}[A-Za-z0-9._~+-]",
        rf"(?i:bearer)\s{{1,8}}({_HTTP_VALUE}{{24,}}=*)",
        skip=rf"[A-Za-z._~+/-]+|(?i){_WORDS}=*",
        joins=rf"(?i:bearer)\s{{1,8}}({_HTTP_VALUE}{{24}})",
    ),
)

BUILT_IN = RuleSet((*_PRIVATE_KEYS, *_VENDORS, *_CONTEXTS))
