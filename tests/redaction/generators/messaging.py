"""Chat, mail, telephony and social networks."""

from __future__ import annotations

from tests.redaction.generators.making import (
    ALNUM,
    BASE64,
    HEX,
    LETTERS,
    LOWER,
    UPPER,
    URLSAFE,
    UUID,
    one,
    spell,
)

SHAPES = [
    # Slack
    one(
        "slack-token",
        "slack-token",
        spell(
            "xox", ["b", "p", "a", "o", "s"], "-", ("123456789", 12), "-", ("123456789", 13), "-", (ALNUM, 24)
        ),
    ),
    one(
        "slack-rotation-token",
        "slack-token",
        spell(["xoxe-1-", "xoxe.xoxp-1-", "xoxe.xoxb-1-", "xoxr-"], (ALNUM, 146)),
    ),
    one(
        "slack-client-token",
        "slack-token",
        spell("xox", ["c", "d"], "-", ("123456789", 12), "-", ("123456789", 13), "-", (HEX, 64)),
    ),
    one(
        "slack-app-token",
        "slack-token",
        spell("xapp-1-A", (UPPER, 10), "-", ("123456789", 13), "-", (HEX, 64)),
    ),
    # Twilio, SendGrid
    one("twilio-key", "twilio-key", spell("SK", (HEX, 32))),
    one("twilio-auth-token", "twilio-key", spell((HEX, 32)), 'Client("AC' + "5f" * 16 + '", "', '")'),
    one("sendgrid-key", "sendgrid-key", spell("SG.", (URLSAFE, 22), ".", (URLSAFE, 43))),
    # Mail
    one("mailgun-key", "mailgun-key", spell("key-", (HEX, 32))),
    one("mandrill-key", "mandrill-key", spell("md-", (URLSAFE, 22))),
    one("resend-key", "resend-key", spell("re_", (ALNUM, 8), "_", (ALNUM, 24))),
    one("brevo-key", "brevo-key", spell(["xkeysib-", "xsmtpsib-"], (HEX, 64), "-", (ALNUM, 16))),
    one("mailersend-token", "mailersend-token", spell("mlsn.", (HEX, 64))),
    one("klaviyo-key", "klaviyo-key", spell("pk_", (HEX, 34))),
    # Chat and support
    one("intercom-token", "intercom-token", spell("dG9rO", (BASE64, 54), "=")),
    one(
        "hubspot-token",
        "hubspot-token",
        spell(
            "pat-",
            ["na1", "na2", "eu1", "ap1"],
            "-",
            *UUID,
        ),
    ),
    one("salesforce-session", "salesforce-token", spell("00D5g0000", (ALNUM, 6), "!AQ", (ALNUM, 94))),
    one("salesforce-refresh", "salesforce-token", spell("5Aep861", (ALNUM, 80))),
    one("matrix-token", "matrix-token", spell("syt_", (LOWER, 10), "_", (LETTERS, 20), "_", (ALNUM, 6))),
    one("pushover-token", "pushover-token", spell("u", (LOWER, 29)), "PUSHOVER_USER="),
    one(
        "onesignal-key",
        "onesignal-key",
        spell("os_v2_", ["app", "org"], "_", ("abcdefghijklmnopqrstuvwxyz234567", 103)),
    ),
    one("firebase-server-key", "firebase-key", spell("AAAA", (URLSAFE, 7), ":APA91b", (URLSAFE, 130))),
    one("ably-key", "ably-key", spell((URLSAFE, 6), ".", (URLSAFE, 6), ":", (URLSAFE, 43))),
    one("telnyx-key", "telnyx-key", spell("KEY", (UPPER, 32), "_", (ALNUM, 22))),
    # Social networks and media
    one("twitch-oauth", "twitch-token", spell("oauth:", (LOWER, 30))),
    one("x-bearer", "x-token", spell("AAAAAAAAAAAAAAAAAAAAA", (ALNUM, 30), "%3D", (ALNUM, 40))),
    one("facebook-access-token", "facebook-token", spell("EAA", (ALNUM, 190))),
    one("instagram-token", "instagram-token", spell(["IGQV", "IGAA"], (ALNUM, 150))),
    one("linkedin-token", "linkedin-token", spell("AQ", ["V", "X"], (URLSAFE, 348))),
    one("linkedin-secret", "linkedin-token", spell("WPL_AP1.", (ALNUM, 16), ".", (BASE64, 6), "==")),
    one("tiktok-token", "tiktok-token", spell(["act", "clt"], ".", (ALNUM, 60))),
    one("pinterest-token", "pinterest-token", spell("pina_", (UPPER, 60))),
    one("agora-certificate", "agora-certificate", spell((HEX, 32)), "AGORA_APP_CERTIFICATE="),
]
