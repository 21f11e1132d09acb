"""Planning, writing, designing, selling and signing in."""

from __future__ import annotations

from tests.redaction.generators.making import (
    ALNUM,
    BASE58,
    BASE64,
    DIGITS,
    HEX,
    LOWER,
    UPPER,
    UPPERHEX,
    URLSAFE,
    UUID,
    one,
    spell,
)

SHAPES = [
    # Notion, Linear, Asana, Figma, ClickUp, Trello
    one("notion-token", "notion-token", spell("ntn_", ("0123456789", 11), (ALNUM, 35))),
    one("notion-old-token", "notion-token", spell("secret_", (ALNUM, 43))),
    one("linear-key", "linear-key", spell("lin_", ["api", "oauth", "wh"], "_", (ALNUM, 40))),
    one("figma-pat", "figma-token", spell("figd_", (URLSAFE, 40))),
    one("clickup-token", "clickup-token", spell("pk_", (DIGITS, 5), "_", (UPPER, 32))),
    one("trello-token", "trello-token", spell("ATTA", (HEX, 64), (UPPERHEX, 8))),
    # Dropbox, Typeform, Contentful, Prismic, Ghost, ImageKit
    one("dropbox-short-lived", "dropbox-token", spell("sl.", ["B", "u."], (URLSAFE, 135))),
    one("dropbox-app-secret", "dropbox-token", spell((LOWER, 13), "7q"), "DROPBOX_APP_SECRET="),
    one("typeform-token", "typeform-token", spell("tfp_", (URLSAFE, 44), "_", (URLSAFE, 14))),
    one("contentful-management", "contentful-token", spell("CFPAT-", (URLSAFE, 43))),
    one("prismic-token", "prismic-token", spell("MC5", (URLSAFE, 40), ".", (URLSAFE, 90))),
    one("ghost-admin-key", "ghost-key", spell((HEX, 24), ":", (HEX, 64)), "GHOST_ADMIN_API_KEY="),
    one("imagekit-private-key", "imagekit-key", spell("private_", (BASE64, 27), "=")),
    # Cal.com, Zapier, Make, n8n, IFTTT
    one("cal-com-key", "cal-com-key", spell("cal_", ["live_", "test_", ""], (HEX, 32))),
    one("n8n-key", "n8n-key", spell("n8n_api_", (HEX, 80))),
    # Okta, Stytch, WorkOS, Duo, JumpCloud, Ory, Unkey, Permit.io, Arcjet
    one("okta-header", "okta-token", spell("00", (URLSAFE, 40)), "SSWS "),
    one("stytch-secret", "stytch-secret", spell("secret-", ["live", "test"], "-", (URLSAFE, 36), "=")),
    one("workos-key", "workos-key", spell("sk_a2V5X", (ALNUM, 60))),
    one("jumpcloud-key", "jumpcloud-key", spell("jca_", (ALNUM, 36))),
    one("duo-secret", "duo-secret", spell((ALNUM, 40)), "skey = "),
    one("ory-token", "ory-token", spell("ory_", ["pat", "apikey", "at"], "_", (ALNUM, 32))),
    one("unkey-key", "unkey-key", spell("unkey_", (BASE58, 22))),
    one("permit-key", "permit-key", spell("permit_key_", (ALNUM, 80))),
    one("arcjet-key", "arcjet-key", spell("ajkey_", (LOWER, 26))),
    # Mapbox, ArcGIS, OpenWeather, LocationIQ, Radar, IPinfo
    one("mapbox-token", "mapbox-token", spell(["sk", "tk"], ".eyJ1Ijoi", (ALNUM, 60), ".", (URLSAFE, 22))),
    one("arcgis-key", "arcgis-key", spell("AAPK", (HEX, 32), (ALNUM, 64))),
    one("arcgis-token", "arcgis-key", spell("AAPTx", (URLSAFE, 180), "..", (URLSAFE, 60))),
    one(
        "openweathermap-key",
        "openweathermap-key",
        spell((HEX, 32)),
        "https://api.openweathermap.org/data/2.5/weather?q=Oslo&appid=",
    ),
    one("locationiq-key", "locationiq-key", spell("pk.", (HEX, 32))),
    one("radar-key", "radar-key", spell("prj_", ["live", "test"], "_sk_", (HEX, 40))),
    one("ipinfo-token", "ipinfo-token", spell((HEX, 14)), "IPINFO_TOKEN="),
    # ReadMe, Adafruit, Frame.io, Scale, Duffel, Apollo, Mailjet, RapidAPI, Clearbit, DeepL, Adobe, Defined
    one("readme-key", "readme-key", spell("rdme_", (LOWER, 70))),
    one("adafruit-io-key", "adafruit-key", spell("aio_", (ALNUM, 28))),
    one("frame-io-token", "frame-io-token", spell("fio-u-", (ALNUM + "-=_", 64))),
    one("scale-key", "scale-key", spell("live_", (HEX, 32))),
    one("duffel-token", "duffel-token", spell("duffel_", ["live", "test"], "_", (URLSAFE, 43))),
    one("apollo-graph-key", "apollo-key", spell("service:my-graph:", (URLSAFE, 22))),
    one("apollo-user-key", "apollo-key", spell("user:gh.ada:", (URLSAFE, 22))),
    one("mailjet-secret", "mailjet-key", spell((HEX, 32)), "MJ_APIKEY_PRIVATE="),
    one("rapidapi-key", "rapidapi-key", spell((HEX, 10), "msh", (HEX, 15), "p1", (HEX, 5), "jsn", (HEX, 12))),
    one("clearbit-key", "clearbit-key", spell("sk_", (HEX, 32))),
    one(
        "deepl-key",
        "deepl-key",
        spell(*UUID, ":fx"),
    ),
    one("adobe-secret", "adobe-secret", spell("p8e-", (URLSAFE, 32))),
    one("defined-token", "defined-token", spell("dnkey-", (ALNUM + "-=_", 26), "-", (ALNUM + "-=_", 52))),
]
