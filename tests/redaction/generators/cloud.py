"""Clouds, hosting and networks."""

from __future__ import annotations

from tests.redaction.generators.making import ALNUM, BASE64, DIGITS, HEX, LOWER, UPPER, URLSAFE, one, spell

SHAPES = [
    # Amazon Web Services
    one("aws-access-key", "aws-access-key", spell(["AKIA", "ASIA"], (UPPER, 16))),
    one("aws-bearer-id", "aws-access-key", spell(["ABIA", "ACCA"], (UPPER, 16))),
    one("aws-bedrock-key", "aws-bedrock-key", spell("ABSKQmVkcm9ja0FQSUtleS", (BASE64, 60))),
    one("aws-bedrock-short-key", "aws-bedrock-key", spell("bedrock-api-key-", (BASE64, 60))),
    one(
        "aws-mws-token",
        "aws-mws-token",
        spell("amzn.mws.", (HEX, 8), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 12)),
    ),
    one("aws-mws-secret", "aws-mws-token", spell("amzn1.oa2-cs.v1.", (HEX, 64))),
    one("aws-appsync-key", "aws-appsync-key", spell("da2-", (LOWER, 26))),
    # Google Cloud
    one("google-api-key", "google-key", spell("AIza", (URLSAFE, 35))),
    one("google-express-key", "google-key", spell("AQ.Ab8", (URLSAFE, 40))),
    one("google-client-secret", "google-oauth", spell("GOCSPX-", (URLSAFE, 20))),
    one("google-access-token", "google-oauth", spell("ya29.", (URLSAFE, 20))),
    one("google-hmac-key", "google-hmac-key", spell("GOOG1E", (UPPER, 55))),
    one("google-recaptcha-secret", "google-recaptcha", spell("6L", (URLSAFE, 38)), "RECAPTCHA_SECRET="),
    # Microsoft Azure
    one("azure-storage-marked", "azure-storage-key", spell((BASE64, 76), "+ASt", (BASE64, 6), "==")),
    one("azure-cosmos-marked", "azure-cosmos-key", spell((BASE64, 76), "ACDb", (BASE64, 6), "==")),
    one("azure-batch-marked", "azure-batch-key", spell((BASE64, 76), "+ABa", (BASE64, 6), "==")),
    one("azure-apim-marked", "azure-apim-key", spell((BASE64, 76), "APIM", (BASE64, 6), "==")),
    one("azure-service-bus-marked", "azure-service-bus-key", spell((BASE64, 33), "+ASb", (BASE64, 6), "=")),
    one("azure-event-hubs-marked", "azure-event-hubs-key", spell((BASE64, 33), "+AEh", (BASE64, 6), "=")),
    one("azure-iot-marked", "azure-iot-key", spell((BASE64, 33), "AIoT", (BASE64, 6), "=")),
    one("azure-event-grid-marked", "azure-event-grid-key", spell((BASE64, 33), "AZEG", (BASE64, 6), "=")),
    one("azure-cache-marked", "azure-cache-key", spell((BASE64, 33), "AzCa", (BASE64, 6), "=")),
    one(
        "azure-container-registry-marked",
        "azure-container-registry-key",
        spell((BASE64, 42), "+ACR", (ALNUM, 6)),
    ),
    one("azure-functions-marked", "azure-functions-key", spell((URLSAFE, 44), "AzFu", (URLSAFE, 6), "==")),
    one("azure-search-marked", "azure-search-key", spell((ALNUM, 42), "AzSe", (ALNUM, 6))),
    one("azure-common-key", "azure-key", spell((ALNUM, 52), "JQQJ9", (ALNUM, 27))),
    one("azure-cognitive-key", "azure-cognitive-key", spell((HEX, 32)), "COGNITIVE_SERVICES_KEY="),
    one("azure-devops-marked", "azure-devops-token", spell((ALNUM, 76), "AZDO", (ALNUM, 4))),
    one(
        "azure-devops-pat",
        "azure-devops-token",
        spell(("234567abcdefghijklmnopqrstuvwxyz", 52)),
        "AZURE_DEVOPS_KEY=",
    ),
    # DigitalOcean
    one("digitalocean-pat", "digitalocean-token", spell("dop_v1_", (HEX, 64))),
    one("digitalocean-oauth", "digitalocean-token", spell("doo_v1_", (HEX, 64))),
    one("digitalocean-refresh", "digitalocean-token", spell("dor_v1_", (HEX, 64))),
    one("digitalocean-model-key", "digitalocean-token", spell("sk-do-", (URLSAFE, 40))),
    one("digitalocean-spaces", "digitalocean-spaces-key", spell("DO00", (UPPER, 16))),
    # Alibaba Cloud
    one("alibaba-access-key", "alibaba-access-key", spell("LTAI", (ALNUM, 12))),
    one("alibaba-secret-key", "alibaba-secret-key", spell((ALNUM, 30)), "ALIBABA_KEY="),
    # Tencent Cloud
    one("tencent-secret-id", "tencent-secret-id", spell("AKID", (ALNUM, 32))),
    one("tencent-secret-key", "tencent-secret-key", spell((ALNUM, 32)), "TENCENT_KEY="),
    # Huawei Cloud and Volcengine
    one("volcengine-access-key", "volcengine-key", spell("AKLT", (URLSAFE, 40))),
    one("huawei-secret-key", "huawei-secret-key", spell((ALNUM, 40)), "HUAWEICLOUD_KEY="),
    # IBM Cloud
    one("ibm-cloud-key", "ibm-cloud-key", spell((URLSAFE, 44)), "IBM_CLOUD_KEY="),
    # Oracle Cloud
    one("oracle-auth-token", "oracle-auth-token", spell((ALNUM + "#$&()*+,-.:;_{}~", 20)), "OCI_AUTH_TOKEN="),
    # Yandex Cloud
    one("yandex-api-key", "yandex-key", spell("AQVN", (URLSAFE, 35))),
    one("yandex-static-key", "yandex-key", spell("YCAJE", (URLSAFE, 20))),
    one("yandex-static-secret", "yandex-key", spell("YCM", (URLSAFE, 37))),
    one("yandex-iam-token", "yandex-token", spell("t1.", (URLSAFE, 100))),
    one("yandex-oauth-token", "yandex-token", spell("y", ["0", "1", "2", "3"], "_", (URLSAFE, 50))),
    # Scaleway
    one("scaleway-access-key", "scaleway-key", spell("SCW", (UPPER, 17))),
    one(
        "scaleway-secret-key",
        "scaleway-key",
        spell((HEX, 8), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 12)),
        "SCW_SECRET=",
    ),
    # Heroku
    one("heroku-token", "heroku-token", spell("HRKU-", (URLSAFE, 36))),
    one(
        "heroku-key",
        "heroku-token",
        spell((HEX, 8), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 12)),
        "HEROKU_KEY=",
    ),
    # Fly.io
    one("fly-personal-token", "fly-token", spell("fo1_", (URLSAFE, 40))),
    # Render
    one("render-key", "render-key", spell("rnd_", (ALNUM, 28))),
    # Railway
    one(
        "railway-token",
        "railway-token",
        spell((HEX, 8), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 12)),
        "RAILWAY_TOKEN=",
    ),
    # Netlify
    one("netlify-token", "netlify-token", spell("nf", ["p", "o", "c", "u", "b"], "_", (ALNUM, 36))),
    one("netlify-old-token", "netlify-token", spell((URLSAFE, 43)), "NETLIFY_TOKEN="),
    # Vercel
    one("vercel-token", "vercel-token", spell("vc", ["p", "i", "a", "r", "k"], "_", (URLSAFE, 24))),
    one("vercel-blob-token", "vercel-token", spell("vercel_blob_rw_", (ALNUM, 16), "_", (ALNUM, 20))),
    one("vercel-old-token", "vercel-token", spell((ALNUM, 24)), "VERCEL_TOKEN="),
    # Cloudflare
    one("cloudflare-token", "cloudflare-token", spell("cf", ["k", "ut", "at"], "_", (URLSAFE, 40))),
    one("cloudflare-origin-ca", "cloudflare-token", spell("v1.0-", (HEX, 24), "-", (HEX, 100))),
    one("cloudflare-old-token", "cloudflare-token", spell((URLSAFE, 40)), "CLOUDFLARE_TOKEN="),
    one("cloudflare-global-key", "cloudflare-key", spell((HEX, 37)), "CLOUDFLARE_API_KEY="),
    one("cloudflare-turnstile", "cloudflare-turnstile", spell("0x4AAAAAAA", (URLSAFE, 25))),
    one("cloudflare-tunnel", "cloudflare-tunnel-token", spell("eyJhIjoi", (ALNUM, 100))),
    # Fastly
    one("fastly-token", "fastly-token", spell((URLSAFE, 32)), "FASTLY_TOKEN="),
    # Linode, Hetzner, Vultr, OVH, Exoscale, UpCloud, Civo
    one("linode-token", "linode-token", spell((HEX, 64)), "LINODE_TOKEN="),
    one("hetzner-token", "hetzner-token", spell((ALNUM, 64)), "HCLOUD_TOKEN="),
    one("vultr-key", "vultr-key", spell((UPPER, 36)), "VULTR_KEY="),
    one("ovh-secret", "ovh-key", spell((ALNUM, 32)), "OVH_APPLICATION_SECRET="),
    one("exoscale-key", "exoscale-key", spell("EXO", (HEX, 24))),
    one("exoscale-secret", "exoscale-key", spell((URLSAFE, 43)), "EXOSCALE_KEY="),
    one("upcloud-token", "upcloud-token", spell("ucat_", (UPPER, 26))),
    one("civo-key", "civo-key", spell((ALNUM, 50)), "CIVO_KEY="),
    # Koyeb, Northflank, Qovery, Zeabur
    one("koyeb-token", "koyeb-token", spell((LOWER, 64)), "KOYEB_TOKEN="),
    one("zeabur-token", "zeabur-token", spell("sk-", ("234567abcdefghijklmnopqrstuvwxyz", 26))),
    # Tailscale
    one(
        "tailscale-key",
        "tailscale-key",
        spell("tskey-", ["api", "auth", "client", "scim", "webhook"], "-", (ALNUM, 10), "-", (ALNUM, 16)),
    ),
    # ngrok, ZeroTier, Twingate, NetBird
    one("ngrok-authtoken", "ngrok-token", spell((ALNUM, 27), "_", (ALNUM, 21)), "NGROK_TOKEN="),
    one("ngrok-credential", "ngrok-token", spell("cr_", (ALNUM, 27), "_", (ALNUM, 21))),
    one("zerotier-token", "zerotier-token", spell((ALNUM, 32)), "ZEROTIER_TOKEN="),
    one("netbird-token", "netbird-token", spell("nbp_", (ALNUM, 36))),
    # Backblaze, Wasabi, Storj, Bunny
    one("backblaze-key", "backblaze-key", spell("K00", (DIGITS, 1), (BASE64, 27))),
    one(
        "bunny-key",
        "bunny-key",
        spell(
            (HEX, 8),
            "-",
            (HEX, 4),
            "-",
            (HEX, 4),
            "-",
            (HEX, 4),
            "-",
            (HEX, 12),
            "-",
            (HEX, 4),
            "-",
            (HEX, 4),
            "-",
            (HEX, 4),
            "-",
            (HEX, 4),
            "-",
            (HEX, 12),
        ),
        "BUNNY_KEY=",
    ),
    # Kubernetes
    # K3s, Rancher, OpenShift, Portainer
    one("k3s-token", "k3s-token", spell("K10", (HEX, 64), "::", (ALNUM + "-.:_", 16))),
    one("openshift-token", "openshift-token", spell("sha256~", (URLSAFE, 43))),
    one("portainer-token", "portainer-token", spell("ptr_", (BASE64, 43), "=")),
]
