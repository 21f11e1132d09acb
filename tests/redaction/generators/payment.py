"""Payment, commerce and finance."""

from __future__ import annotations

from tests.redaction.generators.making import (
    ALNUM,
    BASE64,
    HEX,
    LOWER,
    UPPER,
    URLSAFE,
    UUID,
    one,
    spell,
)

SHAPES = [
    # Stripe and webhooks signed as it does
    one("stripe-key", "stripe-key", spell(["sk", "rk"], "_", ["live", "test"], "_", (ALNUM, 99))),
    one("stripe-organisation-key", "stripe-key", spell("sk_org_", ["live_", "test_", ""], (ALNUM, 90))),
    # Square, Braintree, Adyen, Plaid
    one("square-oauth-secret", "square-key", spell("sq0csp-", (URLSAFE, 43))),
    one("square-application-token", "square-key", spell("sq0atp-", (URLSAFE, 22))),
    one("square-access-token", "square-key", spell("EAAA", ["l", "E"], (URLSAFE, 59))),
    one(
        "braintree-access-token",
        "braintree-token",
        spell("access_token$", ["production", "sandbox"], "$", (LOWER, 16), "$", (HEX, 32)),
    ),
    one("adyen-api-key", "adyen-key", spell("AQE", (ALNUM, 30), "-", (BASE64, 43), "=-", (ALNUM, 40))),
    one(
        "plaid-access-token",
        "plaid-token",
        spell(
            "access-",
            ["sandbox", "development", "production"],
            "-",
            *UUID,
        ),
    ),
    # Flutterwave, Paddle, Mollie, Xendit, Checkout.com, Polar, EasyPost, Shippo, Lob
    one("flutterwave-secret", "flutterwave-key", spell("FLWSECK_TEST-", (HEX, 32), "-X")),
    one(
        "paddle-key",
        "paddle-key",
        spell("pdl_", ["live", "sdbx"], "_apikey_", (LOWER, 26), "_", (ALNUM, 22), "_", (ALNUM, 3)),
    ),
    one("paddle-webhook-secret", "paddle-key", spell("pdl_ntfset_", (LOWER, 26), "_", (BASE64, 32))),
    one("mollie-key", "mollie-key", spell(["live", "test"], "_", (ALNUM, 30))),
    one("xendit-key", "xendit-key", spell("xnd_", ["development", "production"], "_", (ALNUM, 57))),
    one(
        "checkout-com-key",
        "checkout-com-key",
        spell(
            "sk_",
            ["sbox_", ""],
            ("234567abcdefghijklmnopqrstuvwxyz", 26),
            ("#$*0123456789=abcdefghijklmnopqrstuvwxyz", 1),
        ),
    ),
    one(
        "checkout-com-old-key",
        "checkout-com-key",
        spell("sk_", ["test_", ""], *UUID),
    ),
    one("polar-token", "polar-token", spell("polar_", ["oat", "pat"], "_", (ALNUM, 43))),
    one("easypost-key", "easypost-key", spell("EZ", ["A", "T"], "K", (ALNUM, 54))),
    one("shippo-token", "shippo-token", spell("shippo_", ["live", "test"], "_", (HEX, 40))),
    one("lob-key", "lob-key", spell(["live", "test"], "_", ["pub_", ""], (HEX, 35))),
    # Shopify, Amazon sellers
    one("shopify-token", "shopify-token", spell("shp", ["at", "ss", "ca", "pa"], "_", (HEX, 32))),
    one("shopify-partner-token", "shopify-token", spell("prtapi_", (HEX, 32))),
    one("shopify-cli-token", "shopify-token", spell("atkn_", (HEX, 60))),
    # Alpaca, Infura, Alchemy
    one("alpaca-key-id", "alpaca-key", spell("PK", (UPPER, 18)), "APCA_API_KEY_ID="),
]
