"""Secrets made at run time from what vendors say of their tokens: none stands in this repository.

Prefixes are joined here from pieces, so that no host's push protection takes this file for a leak.
"""

from __future__ import annotations

import base64
import string
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

ALNUM = string.ascii_letters + string.digits
URLSAFE = ALNUM + "_-"
BASE64 = ALNUM + "+/"
HEX = "0123456789abcdef"
UPPER = string.ascii_uppercase + string.digits


@dataclass(frozen=True)
class Shape:
    """One form of secret: text before it, the secret, text behind it; only the secret may go."""

    kind: str
    secret: Callable[[Random], str]
    before: str = ""
    behind: str = ""


def pick(rng: Random, alphabet: str, count: int) -> str:
    return "".join(rng.choices(alphabet, k=count))


def token(prefix: str, alphabet: str, count: int) -> Callable[[Random], str]:
    return lambda rng: prefix + pick(rng, alphabet, count)


def jwt(rng: Random) -> str:
    parts = ('{"alg":"HS256","typ":"JWT"}', f'{{"sub":"{pick(rng, ALNUM, 12)}","admin":true}}')
    head, body = (base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts)
    return f"{head}.{body}.{pick(rng, URLSAFE, 43)}"


def pem(label: str, *, lines: int = 6, width: int = 64) -> Callable[[Random], str]:
    def make(rng: Random) -> str:
        body = [pick(rng, BASE64, width) for _ in range(lines)]
        body.append(pick(rng, BASE64, 10) + "==")
        return "\n".join(["-----" + f"BEGIN {label}-----", *body, f"-----END {label}-----"])

    return make


def naked_key(rng: Random) -> str:
    """Return the base64 of PKCS#1's DER, as a variable holds it: a sequence, version 0, a 256-byte modulus."""
    der = bytes.fromhex("308204a40201000282010100") + rng.randbytes(300)
    return base64.b64encode(der).decode()


def wrapped_key(rng: Random) -> str:
    return base64.b64encode(pem("PRIVATE KEY")(rng).encode()).decode()


def basic(rng: Random) -> str:
    return base64.b64encode(f"{pick(rng, ALNUM, 9)}:{pick(rng, ALNUM, 15)}".encode()).decode()


def slack(letter: str) -> Callable[[Random], str]:
    return lambda rng: f"xox{letter}" + f"-{pick(rng, '123456789', 12)}-{pick(rng, ALNUM, 24)}"


GITHUB = [Shape("github-token", token(f"gh{letter}" + "_", ALNUM, 36)) for letter in "pousr"]
SLACK = [Shape("slack-token", slack(letter)) for letter in "abprs"]
SHAPES = [
    *GITHUB,
    *SLACK,
    Shape("aws-access-key", token("AK" + "IA", UPPER, 16)),
    Shape("aws-access-key", token("AS" + "IA", UPPER, 16)),
    Shape("aws-secret-key", token("", BASE64, 40), "aws_secret_access_key = "),
    Shape("aws-secret-key", token("", BASE64, 40), "SecretAccessKey: '", "'"),
    Shape("aws-session-token", token("IQoJb3Jp" + "Z2lu", BASE64, 200), "token "),
    Shape("github-token", lambda rng: "github" + f"_pat_{pick(rng, ALNUM, 22)}_{pick(rng, ALNUM, 59)}"),
    Shape("gitlab-token", token("gl" + "pat-", URLSAFE, 20)),
    Shape("slack-token", token("xa" + "pp-1-A", UPPER, 60)),
    Shape("slack-webhook", token("T", UPPER + "/", 44), "https://hooks." + "slack.com/services/"),
    Shape("stripe-key", token("sk" + "_live_", ALNUM, 24)),
    Shape("stripe-key", token("sk" + "_test_", ALNUM, 99)),
    Shape("stripe-key", token("rk" + "_live_", ALNUM, 24)),
    Shape("webhook-secret", token("wh" + "sec_", BASE64, 32)),
    Shape("openai-key", token("sk" + "-", ALNUM, 48)),
    Shape("openai-key", token("sk" + "-proj-", URLSAFE, 120)),
    Shape("anthropic-key", token("sk" + "-ant-api03-", URLSAFE, 95)),
    Shape("openrouter-key", token("sk" + "-or-v1-", HEX, 64)),
    Shape("google-key", token("AI" + "za", URLSAFE, 35)),
    Shape("google-oauth", token("GOC" + "SPX-", URLSAFE, 28)),
    Shape("google-oauth", token("ya" + "29.", URLSAFE, 120)),
    Shape("huggingface-token", token("h" + "f_", ALNUM, 34)),
    Shape("npm-token", token("np" + "m_", ALNUM, 36)),
    Shape("pypi-token", token("py" + "pi-AgEIcHlwaS5vcmc", URLSAFE, 120)),
    Shape("sendgrid-key", lambda rng: "S" + f"G.{pick(rng, URLSAFE, 22)}.{pick(rng, URLSAFE, 43)}"),
    Shape("twilio-key", token("S" + "K", HEX, 32)),
    Shape("digitalocean-token", token("do" + "p_v1_", HEX, 64)),
    Shape("databricks-token", token("da" + "pi", HEX, 32)),
    Shape("linear-key", token("lin" + "_api_", ALNUM, 40)),
    Shape("notion-token", token("nt" + "n_", ALNUM, 46)),
    Shape("notion-token", token("sec" + "ret_", ALNUM, 43)),
    Shape("vercel-token", token("vc" + "p_", ALNUM, 56)),
    Shape("cloudflare-token", token("cfu" + "t_", ALNUM, 48)),
    Shape("cloudflare-token", lambda rng: "v1" + f".0-{pick(rng, HEX, 24)}-{pick(rng, HEX, 146)}"),
    Shape("telegram-token", lambda rng: pick(rng, "123456789", 10) + ":" + pick(rng, URLSAFE, 35)),
    Shape(
        "discord-token",
        lambda rng: f"M{pick(rng, ALNUM, 23)}." + f"{pick(rng, ALNUM, 6)}.{pick(rng, URLSAFE, 38)}",
    ),
    Shape("discord-webhook", token("", URLSAFE, 68), "https://discord." + "com/api/webhooks/1029384756/"),
    Shape("jwt", jwt),
    Shape(
        "azure-storage-key", lambda rng: pick(rng, BASE64, 86) + "==", "AccountName=x;Account" + "Key=", ";"
    ),
    Shape("azure-sas", token("", ALNUM, 60), "?sv=2024-11-04&si" + "g="),
    Shape("private-key", pem("RSA PRIVATE KEY")),
    Shape("private-key", pem("PRIVATE KEY", lines=24)),
    Shape("private-key", pem("OPENSSH PRIVATE KEY", width=70)),
    Shape("private-key", pem("PGP PRIVATE KEY BLOCK")),
    Shape("private-key", naked_key),
    Shape("private-key", wrapped_key),
    Shape("url-password", token("", ALNUM + "!&%#", 14), "postgres://app:", "@db.internal:5432/app"),
    Shape("url-password", token("", ALNUM + "@", 14), "redis://:", "@cache"),
    Shape("authorization", token("", ALNUM + "._", 40), "Authorization: Bearer "),
    Shape("authorization", basic, "Authorization: Basic "),
    Shape("authorization", token("", ALNUM, 30), "sent Bearer "),
]
"""Every form of every kind that the built-in rules know."""
