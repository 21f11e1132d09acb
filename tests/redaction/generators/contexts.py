"""Secrets that take more than a row to make, or that only their surroundings give away."""

from __future__ import annotations

from random import Random

from tests.redaction.generators.making import (
    ALNUM,
    BASE32,
    BASE64,
    DIGITS,
    HEX,
    LETTERS,
    LOWER,
    UPPER,
    URLSAFE,
    UUID,
    base32_crc16,
    base58check,
    basic,
    bech32,
    discord,
    jwt,
    naked_key,
    one,
    pem,
    pick,
    spell,
    wrapped_key,
)

PASSWORD = spell((ALNUM, 6), ["!", "#", "%"], (DIGITS, 2), (ALNUM, 6))


def wif(rng: Random) -> str:
    """Return a private key of 32 bytes for compressed public keys."""
    return base58check(b"\x80", 32, b"\x01")(rng)


def extended_key(rng: Random) -> str:
    """Return BIP-32's private key: four bytes of version, depth and place, and two values of 32 bytes."""
    return base58check(bytes.fromhex("0488ade4"), 74)(rng)


def lines_of_base64(count: int) -> spell:  # type: ignore[valid-type]
    return lambda rng: "\n".join(pick(rng, BASE64, 64) for _ in range(count))


def vault(rng: Random) -> str:
    return "\n" + "\n".join(pick(rng, HEX, 80) for _ in range(4))


SHAPES = [
    # keys
    one("private-key-pem", "private-key", pem("EC PRIVATE KEY")),
    one("private-key-der", "private-key", naked_key),
    one("private-key-wrapped", "private-key", wrapped_key),
    one("jwk-private", "private-key-jwk", spell((URLSAFE, 43)), '{"kty":"EC","crv":"P-256","d":"', '"}'),
    one("putty-private-key", "private-key-putty", lines_of_base64(4), "Private-Lines: 4\n", "\n"),
    one(
        "wireguard-interface-key",
        "wireguard-key",
        spell((BASE64, 42), ["A", "E", "k", "8"], "="),
        "PresharedKey = ",
    ),
    one("pgp-message", "pgp-message", pem("PGP MESSAGE")),
    one(
        "rsa-key-value-xml",
        "private-key-xml",
        spell((BASE64, 171), "="),
        "<RSAKeyValue><Modulus>AQAB</Modulus><D>",
        "</D></RSAKeyValue>",
    ),
    one("bip32-private-key", "bitcoin-key", extended_key),
    one("bitcoin-wif", "bitcoin-key", wif, "wif: "),
    one("bip38-key", "bitcoin-key", base58check(b"\x01\x42\xc0", 36)),
    one("stellar-seed", "stellar-key", base32_crc16(b"\x90", 32)),
    one("nats-seed", "nats-seed", base32_crc16(b"\x95\x00", 32)),
    one("nostr-secret-key", "nostr-key", bech32("nsec", 52)),
    one("crypt-sha512", "password-hash", spell("$6$", (ALNUM, 16), "$", (ALNUM + "./", 86))),
    one("crypt-sha256", "password-hash", spell("$5$rounds=5000$", (ALNUM, 16), "$", (ALNUM + "./", 43))),
    one("crypt-md5", "password-hash", spell("$apr1$", (ALNUM, 8), "$", (ALNUM + "./", 22))),
    one("ansible-vault", "ansible-vault", vault, "$ANSIBLE_VAULT;1.1;AES256"),
    # clouds
    one("aws-secret-key", "aws-secret-key", spell((BASE64, 40)), "Secret access key   ", "\n"),
    one("aws-session-token", "aws-session-token", spell("IQoJb3Jp" + "Z2lu", (BASE64, 300)), "token "),
    one("google-refresh-token", "google-oauth", spell("1//0", (ALNUM, 1), (URLSAFE, 90))),
    one("google-authorization-code", "google-oauth", spell("4/0A", (URLSAFE, 70))),
    one("azure-shared-key", "azure-storage-key", spell((BASE64, 86), "=="), "AccountName=x;AccountKey=", ";"),
    one("azure-sas", "azure-sas", spell((ALNUM, 43), "%3D"), "?sv=2024-11-04&sig="),
    one("azure-client-secret", "azure-client-secret", spell((ALNUM, 3), "8Q~", (ALNUM + "_-", 34))),
    one("fly-macaroon", "fly-token", spell("fm2_", (BASE64, 200)), "FlyV1 "),
    one(
        "render-deploy-hook",
        "render-deploy-hook",
        spell((URLSAFE, 11)),
        "https://api.render.com/deploy/srv-" + "c1d2e3f4g5h6i7j8k9l0" + "?key=",
    ),
    one("netlify-build-hook", "netlify-build-hook", spell((HEX, 24)), "https://api.netlify.com/build_hooks/"),
    one(
        "vercel-deploy-hook",
        "vercel-deploy-hook",
        spell("prj_", (ALNUM, 28), "/", (ALNUM, 10)),
        "https://api.vercel.com/v1/integrations/deploy/",
    ),
    one(
        "kubernetes-bootstrap-token",
        "kubernetes-token",
        spell((LOWER, 6), ".", (LOWER, 16)),
        "kubeadm join 10.0.0.1:6443 --token ",
    ),
    one("kubeconfig-client-key", "kubernetes-client-key", spell((BASE64, 400), "="), "client-key-data: "),
    one("rancher-token", "rancher-token", spell("token-", (LOWER, 5), ":", (LOWER, 54))),
    # code
    one("deepsource-dsn", "deepsource-dsn", spell((HEX, 32)), "https://", "@deepsource.io"),
    one("terraform-cloud-token", "terraform-token", spell((ALNUM, 14), ".atlasv1.", (URLSAFE, 67))),
    one("vault-unseal-key", "vault-unseal-key", spell((BASE64, 43), "="), "Unseal Key 1: "),
    one("doppler-service-token", "doppler-token", spell("dp.st.", "prd_", (LOWER, 4), ".", (ALNUM, 43))),
    one(
        "onepassword-secret-key",
        "onepassword-token",
        spell("A3-", (UPPER, 6), "-", (UPPER, 11), "-", (UPPER, 5), "-", (UPPER, 5), "-", (UPPER, 5)),
    ),
    one(
        "bitwarden-access-token",
        "bitwarden-token",
        spell("0.", *UUID, ".", (ALNUM, 30), ":", (BASE64, 22), "=="),
    ),
    one("npmrc-auth", "npm-auth", basic, "//registry.example.com/:_auth="),
    one(
        "maven-encrypted-password",
        "maven-password",
        spell("{", (BASE64, 43), "=}"),
        "<password>",
        "</password>",
    ),
    one("maven-settings-password", "maven-password", PASSWORD, "<password>", "</password>"),
    one("docker-config-auth", "docker-auth", basic, '{"auths":{"r.example.com":{"auth":"', '"}}}'),
    one(
        "django-secret-key", "django-secret-key", spell((LOWER + "!@#$%^&*(-_=+)", 50)), "SECRET_KEY = '", "'"
    ),
    one("laravel-app-key", "laravel-key", spell("base64:", (BASE64, 43), "="), "APP_KEY="),
    one(
        "flask-secret-key",
        "flask-secret-key",
        lambda rng: "".join(f"\\x{byte:02x}" for byte in rng.randbytes(24)),
        "app.secret_key = b'",
        "'",
    ),
    one(
        "wordpress-salt",
        "wordpress-salt",
        spell((ALNUM + "!@#$%^&*()-_[]{}<>~`+=,.;:/?|", 64)),
        "define('AUTH_KEY',         '",
        "');",
    ),
    # operations and data
    one("unleash-token", "unleash-token", spell("default:", ["development", "production"], ".", (HEX, 56))),
    one(
        "convex-deploy-key",
        "convex-key",
        spell("prod:", "happy-animal-", (DIGITS, 3), "|", (BASE64, 100), "=="),
    ),
    one("redis-requirepass", "redis-password", spell((ALNUM, 14), ["!", "#x"], (DIGITS, 4)), "requirepass "),
    # messaging
    one(
        "slack-webhook",
        "slack-webhook",
        spell("T", (UPPER, 8), "/B", (UPPER, 8), "/", (ALNUM, 24)),
        "https://hooks.slack.com/services/",
    ),
    one("discord-token", "discord-token", discord),
    one(
        "discord-webhook",
        "discord-webhook",
        spell((URLSAFE, 68)),
        "https://discord.com/api/webhooks/1029384756/",
    ),
    one("telegram-token", "telegram-token", spell(("123456789", 10), ":", "AA", (URLSAFE, 33))),
    one("mailgun-signing-key", "mailgun-key", spell((HEX, 32), "-", (HEX, 8), "-", (HEX, 8))),
    one("mailchimp-key", "mailchimp-key", spell((HEX, 32), "-us", ["6", "12", "21"])),
    one(
        "teams-webhook",
        "teams-webhook",
        spell(*UUID, "@", *UUID, "/IncomingWebhook/", (HEX, 32), "/", *UUID),
        "https://acme.webhook.office.com/webhookb2/",
    ),
    one("facebook-app-token", "facebook-token", spell(("123456789", 15), "|", (URLSAFE, 27))),
    # payment
    one("webhook-secret", "webhook-secret", spell("whsec_", (BASE64, 32))),
    one("amazon-lwa-token", "amazon-lwa-token", spell("Atzr|", "IwEBI", (URLSAFE, 300))),
    one("infura-key", "infura-key", spell((HEX, 32)), "https://mainnet.infura.io/v3/"),
    one("alchemy-key", "alchemy-key", spell((URLSAFE, 32)), "https://eth-mainnet.g.alchemy.com/v2/"),
    # work
    one("asana-pat", "asana-token", spell("2/", ("123456789", 16), "/", ("123456789", 16), ":", (HEX, 32))),
    one(
        "zapier-webhook",
        "zapier-webhook",
        spell((DIGITS, 7), "/", (LOWER, 7)),
        "https://hooks.zapier.com/hooks/catch/",
    ),
    one("make-webhook", "make-webhook", spell((LOWER, 32)), "https://hook.eu1.make.com/"),
    one(
        "ifttt-webhook",
        "ifttt-webhook",
        spell((URLSAFE, 43)),
        "https://maker.ifttt.com/trigger/door/with/key/",
    ),
    # the web
    one("jwt", "jwt", jwt),
    one(
        "url-password",
        "url-password",
        spell((ALNUM + "!&%#", 14)),
        "postgres://app:",
        "@db.internal:5432/app",
    ),
    one("authorization-header", "authorization", basic, "Authorization: Basic "),
    one("bearer-token", "authorization", spell((ALNUM, 20), (DIGITS, 10)), "sent Bearer "),
    one(
        "digest-response",
        "authorization-digest",
        spell((HEX, 32)),
        'Authorization: Digest username="ada", realm="r", nonce="' + "a1" * 8 + '", uri="/", response="',
        '"',
    ),
    one(
        "aws-signature-header",
        "aws-signature",
        spell((HEX, 64)),
        "Authorization: AWS4-HMAC-SHA256 Credential=x/20260101/eu/s3/aws4_request, SignedHeaders=host, Signature=",
    ),
    one("api-key-header", "api-key-header", spell((ALNUM, 30), (DIGITS, 2)), "X-Functions-Key: "),
    one("session-cookie", "session-cookie", spell((LOWER, 24), (DIGITS, 2)), "Cookie: lang=en; sessionid="),
    one(
        "oauth-token-in-address",
        "oauth-token",
        spell((ALNUM, 30), (DIGITS, 2)),
        "https://example.com/cb?device_code=",
        "&state=1",
    ),
    one(
        "oauth-code-in-address",
        "oauth-code",
        spell((URLSAFE, 40), (DIGITS, 2)),
        "https://example.com/cb?code=",
        "&state=1",
    ),
    one(
        "aws-presigned",
        "aws-signature",
        spell((HEX, 64)),
        "https://b.s3.amazonaws.com/k?X-Amz-Date=20260101T000000Z&X-Amz-Signature=",
    ),
    one(
        "google-signed",
        "google-signature",
        spell((HEX, 512)),
        "https://storage.googleapis.com/b/k?X-Goog-Signature=",
    ),
    one(
        "cloudfront-signed",
        "aws-signature",
        spell((ALNUM + "-~", 340), "__"),
        "https://d1.cloudfront.net/f?Expires=1767225600&Signature=",
        "&Key-Pair-Id=K2",
    ),
    one("totp-secret", "totp-secret", spell((BASE32, 32)), "otpauth://totp/Acme:ada?secret=", "&issuer=Acme"),
    one("dsn-go-mysql", "dsn-password", spell((ALNUM, 14)), "app:", "@tcp(10.0.0.5:3306)/app"),
    one(
        "dsn-semicolons",
        "dsn-password",
        spell((LETTERS, 6), "!"),
        "Server=db;Database=app;User Id=sa;Password=",
        ";Encrypt=true",
    ),
    one("dsn-jdbc", "dsn-password", spell((LETTERS, 6), "!"), "jdbc:mysql://db:3306/app?user=app&password="),
    one(
        "dsn-libpq",
        "dsn-password",
        spell((LETTERS, 6), "!"),
        "host=db port=5432 user=app password=",
        " dbname=app",
    ),
    one("dsn-oracle", "dsn-password", spell((ALNUM, 12)), "jdbc:oracle:thin:app/", "@db:1521:xe"),
    one("netrc-password", "netrc-password", PASSWORD, "machine api.example.com login ada password "),
]

ASSIGNMENTS = [
    one("assigned-password-quoted", "assigned-password", PASSWORD, 'DB_PASSWORD = "', '"'),
    one("assigned-password", "assigned-password", PASSWORD, "DB_PASSWORD="),
    one(
        "assigned-secret-quoted",
        "assigned-secret",
        spell((ALNUM, 30), (DIGITS, 2)),
        '"internalToken": "',
        '"',
    ),
    one("assigned-secret", "assigned-secret", spell((ALNUM, 30), (DIGITS, 2)), "INTERNAL_API_KEY="),
    one("password-flag", "assigned-password", spell((ALNUM, 20), (DIGITS, 2)), "deploy --admin-password "),
    one("curl-user", "assigned-password", PASSWORD, "curl -u ada:"),
    one("sshpass", "assigned-password", PASSWORD, "sshpass -p "),
    one("mysql-password", "assigned-password", PASSWORD, "mysql -u root -p"),
    one("sql-identified-by", "assigned-password", PASSWORD, "CREATE USER app IDENTIFIED BY '", "'"),
]
"""What only its name tells: found by guessing, and not at all where the value might be a word."""

PGPASS = one("pgpass-line", "pgpass-password", spell((ALNUM, 14)), "db.internal:5432:app:ada:")
"""By itself on its line, as the file has it."""
