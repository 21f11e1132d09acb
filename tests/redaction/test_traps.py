"""Text that looks like a secret and is none: no rule of level team may touch it.

Each line is a template; what stands in `<…>` is drawn anew for each seed, so that no trap is avoided by luck.
"""

from __future__ import annotations

import re
from random import Random

import pytest

from gitmem.redaction.policy import Policy, rule_set
from gitmem.redaction.redactor import Redactor
from tests.redaction.generators.making import ALNUM, BASE64, HEX, LOWER, UPPER, URLSAFE, UUID, pick, spell

KEY = bytes(range(32))
SEEDS = 4

ALPHABETS = {"hex": HEX, "b64": BASE64, "alnum": ALNUM, "lower": LOWER, "upper": UPPER, "url": URLSAFE}
SLOT = re.compile(r"<(hex|b64|alnum|lower|upper|url|digit|uuid)(?: (\d+))?>")


def filled(template: str, rng: Random) -> str:
    """Put what was drawn into the slots of a trap."""

    def drawn(slot: re.Match[str]) -> str:
        if slot[1] == "uuid":
            return spell(*UUID)(rng)
        if slot[1] == "digit":
            return pick(rng, "0123456789", int(slot[2]))
        return pick(rng, ALPHABETS[slot[1]], int(slot[2]))

    return SLOT.sub(drawn, template)


GIT = r"""
commit <hex 40> (HEAD -> main, origin/main, origin/HEAD)
index <hex 7>..<hex 7> 100644
Merge: <hex 9> <hex 9>
* <hex 7> fix(auth): rotate the token before it expires (#4211)
From <hex 40> Mon Sep 17 00:00:00 2001
100644 blob <hex 40>	src/secrets/README.md
git cherry-pick <hex 40> && git push origin HEAD:refs/heads/password-reset
remote: Resolving deltas: 100% (41/41), completed with 17 local objects.
  <hex 40> refs/tags/v2.31.0^{}
[submodule "vendor/key-store"] path = vendor/key-store # <hex 40>
Change-Id: I<hex 40>
fatal: could not read Password for 'https://ada@github.com': terminal prompts disabled
"""

LOCKS = r"""
      "integrity": "sha512-<b64 86>==",
      "resolved": "https://registry.example.org/jsonwebtoken/-/jsonwebtoken-9.0.2.tgz#<hex 40>",
  resolution: {integrity: sha512-<b64 86>==}
  checksum: 10c0/<hex 128>
  integrity sha1-<b64 27>=
checksum = "<hex 64>"
github.com/golang-jwt/jwt/v5 v5.2.1 h1:<b64 43>=
github.com/golang-jwt/jwt/v5 v5.2.1/go.mod h1:<b64 43>=
golang.org/x/oauth2 v0.0.0-20240102030405-<hex 12> // indirect
    {file = "secretstorage-3.3.3-py3-none-any.whl", hash = "sha256:<hex 64>"},
sdist = { url = "https://files.example.org/packages/<hex 2>/<hex 2>/<hex 60>/keyring-25.2.tar.gz", hash = "sha256:<hex 64>", size = 60454 }
content-hash = "<hex 64>"
    --hash=sha256:<hex 64> \
"pnpm": { "patchedDependencies": { "token-types@5.0.1": "patches/token-types.patch" } }
GEM remote: https://rubygems.org/ specs: bcrypt (3.1.20) jwt (2.8.1) <hex 7>
"_resolved": "git+ssh://git@github.com/acme/passwords.git#<hex 40>",
sha256 "<hex 64>" => :arm64_sonoma
FROM python:3.12-slim@sha256:<hex 64>
"narHash": "sha256-<b64 43>=",
PODFILE CHECKSUM: <hex 40>
"""

IDS = r"""
{"sessionId":"<uuid>","parentUuid":"<uuid>","requestId":"req_011C<alnum 20>"}
{"id":"msg_01<alnum 22>","type":"message","model":"claude-opus-4","stop_reason":"tool_use"}
{"tool_use_id":"toolu_01<alnum 22>","type":"tool_result"}
call_<alnum 24> chatcmpl-<alnum 29> resp_<hex 48>
ETag: W/"<hex 32>"
etag: "<hex 40>" last-modified: Tue, 14 May 2024 09:00:00 GMT
x-request-id: <uuid>
x-amz-cf-id: <url 54>==
cf-ray: <hex 16>-FRA
traceparent: 00-<hex 32>-<hex 16>-01
urn:uuid:<uuid>
price_1<alnum 23> prod_<alnum 14> cus_<alnum 14> pi_3<alnum 23>
arn:aws:iam::123456789012:role/service-role/token-rotation-role-<lower 8>
arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod/db/password-<alnum 6>
arn:aws:kms:us-east-1:123456789012:key/<uuid>
projects/acme/secrets/api-key/versions/latest
Authorization: AWS4-HMAC-SHA256 Credential=x/20260101/eu-west-1/s3/aws4_request, SignedHeaders=host
/subscriptions/<uuid>/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv-prod/secrets/db-password
i-0<hex 16> vpc-0<hex 16> subnet-0<hex 16> ami-0<hex 16> sg-0<hex 16>
s3://bucket/<hex 2>/<hex 62>/part-00000
docker: sha256:<hex 64>: Pull complete
Container ID: containerd://<hex 64>
pod/token-refresher-<hex 9>-<lower 5> 1/1 Running 0 3d
AIDA<upper 17> AROA<upper 17> ANPA<upper 17> AGPA<upper 17>
dQw4w9WgXcQ https://youtu.be/<url 11> https://www.figma.com/file/<alnum 22>/Login
"NextToken": "<b64 60>=="
"nextPageToken": "<url 54>",
"LockToken": "<uuid>",
"AWS::ApiGateway::ApiKey": "<hex 16>",
"""

BUILDS = r"""
<script src="/static/js/main.<hex 8>.chunk.js" integrity="sha384-<b64 64>" crossorigin="anonymous"></script>
//# sourceMappingURL=auth-token.<hex 8>.js.map
{"version":3,"sources":["token.ts"],"names":[],"mappings":"AAAA,SAASA,GAAG,CAACC,CAAC,EAAEC,CAAC,CAAC;AACX,OAAO,CAAC"}
.password-input__icon--visible:not(.is-disabled){color:#a1b2c3;background:url(key.svg)}
.css-<lower 6>-tokenField{margin:0}.sk-fading-circle-<hex 4>{width:40px}
.sk-cube-grid .sk-cube-1{animation:sk-cubeGridScaleDelay 1.3s infinite ease-in-out}
!function(e,t){"use strict";var n=e.token,r=t.secret;function o(e){return e.apiKey||n}}(window,document);
const a0_0x<hex 6>=['password','apiKey'];(function(_0x<hex 6>,_0x<hex 6>){})
"files":{"main.js":"/static/js/main.<hex 8>.js"},"entrypoints":["static/js/secret-<hex 8>.js"]
<div class="flex items-center gap-2 text-sk-muted data-[state=open]:bg-token-surface"></div>
<img src="data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7">
<path d="M12.5 3.25c-1.1 0-2 .9-2 2v1.5h4v-1.5c0-1.1-.9-2-2-2z" id="key-<hex 4>"/>
webpack 5.91.0 compiled successfully in 4211 ms, [contenthash:<hex 20>]
rustc 1.79.0 (129f3b996 2024-06-10) -C metadata=<hex 16> -C extra-filename=-<hex 16>
target/debug/deps/libtoken_<hex 16>.rlib
_ZN5token6secret17h<hex 16>E
node_modules/.pnpm/@auth+core@0.34.1_<lower 26>/node_modules/@auth/core/index.js
/nix/store/<lower 32>-openssl-3.0.13/lib/libssl.so.3
__pycache__/secrets.cpython-311.pyc matches /site-packages/keyring/backends/SecretService.py
"""

TEMPLATES = r"""
API_KEY=${API_KEY}
DB_PASSWORD=$(cat /run/secrets/db_password)
password: ${{ secrets.DOCKERHUB_TOKEN }}
token = "{{ vault_token }}"
export GITHUB_TOKEN="<your token here>"
OPENAI_API_KEY=sk-...
ANTHROPIC_API_KEY=sk-ant-xxxxxxxxxxxxxxxxxxxxxxxx
STRIPE_SECRET_KEY=sk_test_your_secret_key_here
SECRET_KEY=change-me-in-production-please
JWT_SECRET=your-256-bit-secret
password: "********"
AWS_SECRET_ACCESS_KEY=<AWS_SECRET_ACCESS_KEY>
AWS_ACCESS_KEY_ID=YOUR_ACCESS_KEY_ID
api_key: !vault |
TOKEN=%GITHUB_TOKEN% && set PASSWORD=%1
curl -H "Authorization: Bearer $(gcloud auth print-access-token)" https://example.com
curl -u "$USER:$PASS" https://example.com/api
mysql -u root -p"$MYSQL_ROOT_PASSWORD" app
psql "postgresql://app:${PGPASSWORD}@localhost:5432/app"
redis-cli -a "$REDIS_PASSWORD" ping
https://x-access-token:${{ github.token }}@github.com/acme/app.git
mongodb+srv://<username>:<password>@cluster0.mongodb.net/test
glpat-xxxxxxxxxxxxxxxxxxxx ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx xoxb-xxxxxxxxxxxx-xxxxxxxxxxxx
npm_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx pypi-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx hf_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
https://hooks.slack.com/services/YOUR/WEBHOOK/URL
https://user:pass@sub.example.com:8080/p/a/t/h?query=string#hash
http://username:password@host.com:80/path
http://foo:bar@myhost/ and https://abc:xyz@example.com and https://a:b@example.org
"""

CODE = r"""
def login(user: str, password: str, token: str | None = None) -> Session:
token: str = None
password: string; apiKey?: string; secret: Buffer;
api_key=os.environ["OPENAI_API_KEY"]
const token = process.env.GITHUB_TOKEN ?? await getSecret("github-token-for-ci");
client = Client(api_key=settings.api_key, secret=settings.secret_key)
password = getpass.getpass("Password for the certificate: ")
secret = secrets.token_urlsafe(32)
self.access_token = response.json()["access_token"]
if (user.password === req.body.password) { return sign(token, config.jwtSecret) }
val apiKey = BuildConfig.MAPS_API_KEY
String password = request.getParameter("password");
private static final String TOKEN_ATTRIBUTE = "javax.servlet.request.token";
var secretKeyRef = new V1SecretKeySelector { Name = "db-credentials", Key = "password1" };
token = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
func (s *tokenSource2) Token() (*oauth2.Token, error)
let password = prompt("Enter your password again to confirm")
PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
AUTH_TOKEN_CLASSES = ("rest_framework_simplejwt.tokens.AccessToken",)
secret_name = "projects/123456/secrets/prod-db-password/versions/3"
passwordResetTokenExpiresAt: new Date(Date.now() + 3600000)
token_endpoint_auth_method=client_secret_basic
grant_type=refresh_token&client_id=my-client-2&scope=openid%20profile
{"token_type": "bearer", "expires_in": 3600, "scope": "read:user"}
authorization_endpoint: https://login.example.com/oauth2/v2.0/authorize
expect(screen.getByLabelText("password")).toHaveValue("")
def test_that_password_of_user_42_is_rejected_when_token_v2_has_expired(self):
it("refreshes the token when apiKey2 has expired", async () => {
mock.patch("app.auth.get_token", return_value="token")
raise ValueError("secret must be at least 32 bytes long, got %d" % len(secret))
SELECT id, password_hash, token_version FROM users WHERE reset_token IS NOT NULL
ALTER TABLE users ADD COLUMN api_key_hash VARCHAR(64), ADD COLUMN password VARCHAR(255) NOT NULL;
CREATE USER app WITH PASSWORD :password; ALTER ROLE app PASSWORD NULL;
INSERT INTO permissions (key) VALUES ('tokens:read:v2'), ('secrets:write:v2');
type Token = { kind: "identifier" | "number2" | "string3"; secret?: never };
case tokens.TOKEN_TYPE_STRING2: return parser.parse_token_list(token)
tokenizer = AutoTokenizer.from_pretrained("meta-llama/Llama-3.1-8B-Instruct")
max_tokens=4096, stop_token_id=128009, pad_token="<|endoftext|>", bos_token="<|begin_of_text|>"
"input_tokens":15234,"cache_read_input_tokens":120934,"output_tokens":812
cache_key = f"user:{user_id}:token:{version}"
public_key = "packages/crypto/test/keys/rsa-public-2048.pem"
ssh_key_path: ~/.ssh/id_ed25519_work2
private_key = load_pem_private_key(data, password=None)
primary_key=True, foreign_key="users.id", sort_key="created_at_2024"
key={`token-${index}`} secret={secrets[index]?.name}
const [apiKey2, setApiKey2] = useState<string>("");
hash = bcrypt.hashpw(password.encode("utf-8"), bcrypt.gensalt(rounds=12))
"""

SETTINGS = r"""
secretKeyRef: { name: app-secrets-v2, key: database-password-1 }
secretName: wildcard-example-com-tls-2024
imagePullSecrets: [{ name: regcred-eu-west-1 }]
serviceAccountName: token-rotator-2, automountServiceAccountToken: false
key: "node-role.kubernetes.io/control-plane", operator: Exists
tokenSecret: my-service-account-token-abc12
passwordSecretName: postgres16-credentials
"password": { "type": "string", "minLength": 12, "format": "password" }
"apiKey": { "type": "apiKey", "in": "header", "name": "X-API-Key" }
"password.label": "Passwort", "password.hint2": "Mindestens 12 Zeichen, davon 1 Ziffer"
password_too_short: "Password must have at least 8 characters and 1 digit!"
"auth.token.expired": "Votre jeton a expiré (erreur 401). Reconnectez-vous."
token: type: string; description: The token that was issued by /v2/login
password_policy: min=12,upper=1,lower=1,digit=1
PasswordAuthentication no
AuthorizedKeysFile .ssh/authorized_keys .ssh/authorized_keys2
ssl_certificate_key /etc/letsencrypt/live/example.com/privkey.pem;
spring.datasource.password=${DB_PASSWORD:}
token_ttl=3600 token_max_ttl=86400 token_policies=["default","db-read2"]
credential.helper=osxkeychain
registry=https://registry.example.org/ always-auth=true
//registry.example.org/:_authToken=${NPM_TOKEN}
VAULT_ADDR=https://vault.internal:8200 VAULT_NAMESPACE=admin/team2
KEYCLOAK_REALM=internal2 KEYCLOAK_CLIENT_ID=web-frontend-2
"""

WORDS = r"""
The token is stored in the keychain; the password never leaves this machine.
Keys begin with sk-ant-, sk-proj- or AKIA; tokens with ghp_, glpat-, xoxb- or npm_.
Password: must be 8-64 characters, with 1 digit and 1 of !@#$%
Use `Authorization: Bearer <token>`, or `Authorization: Basic <credentials>`.
Bearer tokens are described in RFC6750, and Basic authentication in RFC7617.
secret: the salad dressing has 3 ingredients
api key rotation is due every 90 days (see SEC-1042/rotation-runbook-v3)
My password manager generated something; I did not paste it here.
token: EOF, line 42, column 7
Unexpected token '}' at position 1024; expected secret2 or token3
error: invalid_grant (code=AADSTS70008): the refresh token has expired
HTTP/2 401 www-authenticate: Bearer realm="example", error="invalid_token"
ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI<b64 43> ada@laptop
SHA256:<b64 43> ada@laptop (ED25519)
The authenticity of host 'github.com' can't be established. RSA key fingerprint is SHA256:<b64 43>.
MD5:<hex 2>:<hex 2>:<hex 2>:<hex 2>:<hex 2>:<hex 2>:<hex 2>:<hex 2>
gpg: using RSA key <upper 16> # key fingerprint = <upper 4> <upper 4> <upper 4> <upper 4> <upper 4>
drwxr-xr-x  3 ada  staff    96 May 14 09:12 secrets.d
[2024-05-14T09:12:44.123Z] INFO  token-service[4211]: refreshed 12 tokens in 341ms (trace=<hex 32>)
2024-05-14 09:12:44 status installed libsecret-1-0:amd64 0.20.5-3
Get:12 http://deb.debian.org/debian bookworm/main amd64 passwd amd64 1:4.13+dfsg1-1+b1 [972 kB]
PASS src/auth/token.test.ts (5.231 s) ✓ rejects a password of 7 characters (12 ms)
tests/test_auth.py::test_token[secret2-password3] PASSED [ 42%]
java.lang.IllegalStateException: token at com.example.auth.TokenFilter$1.doFilter(TokenFilter.java:42)
com.example.security.TokenAuthenticationFilter2.doFilterInternal
org.springframework.security.oauth2.jwt.NimbusJwtDecoder
eyebrow.eyelash.eyelid eyJhbGciOi… is how a JWT begins
v1.2.3-rc.1+build.<hex 7> 1.0.0-beta.2024.05.14 go1.22.3 20240514.1-<hex 8>
sk-SK.json sk-SK-2024-locale-messages.properties sk_SK.UTF-8
pk-fire.png re_path(r"^token/(?P<token>[\w-]{43})/$") fw_update_log_2024 tl_news
key-value stores; key_press2; keyboard_layout_2; monkey-patched_v2
pat-downs and sat-navs; a task-force-1; the risk-2-market list
0x<hex 40> is an address, 0x<hex 64> a transaction
bc1q<lower 38> and 1<alnum 33> are where coins go
magnet:?xt=urn:btih:<hex 40>&dn=debian-12.5.0
https://example.com/reset-password?step=2&locale=en-US
https://console.aws.amazon.com/secretsmanager/secret?name=prod%2Fdb%2Fpassword&region=eu-west-1
mailto:password-reset@example.com?subject=Your%20token%20has%20expired
"""

TRAPS = [
    line
    for group in (GIT, LOCKS, IDS, BUILDS, TEMPLATES, CODE, SETTINGS, WORDS)
    for line in group.splitlines()
    if line
]


def test_there_are_more_than_a_hundred_and_fifty_traps() -> None:
    assert len(TRAPS) == len(set(TRAPS)) > 150


@pytest.fixture(scope="module")
def redactor() -> Redactor:
    return Redactor(KEY, rule_set("team", Policy()))


@pytest.mark.parametrize("trap", TRAPS)
def test_what_is_no_secret_stays(trap: str, redactor: Redactor) -> None:
    for seed in range(SEEDS):
        line = filled(trap, Random(seed)).encode() + b"\n"
        assert redactor.line(line) == line, f"seed {seed}"


def test_traps_stay_in_one_text_and_in_json(redactor: Redactor) -> None:
    text = "\n".join(filled(trap, Random(1)) for trap in TRAPS)
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    line = b'{"text":"' + escaped.encode() + b'"}\n'
    assert redactor.line(line) == line
