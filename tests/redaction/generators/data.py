"""Databases, search and warehouses."""

from __future__ import annotations

from tests.redaction.generators.making import (
    ALNUM,
    BASE64,
    HEX,
    LOWER,
    URLSAFE,
    one,
    spell,
)

SHAPES = [
    # PlanetScale
    one(
        "planetscale-token", "planetscale-token", spell("pscale_", ["tkn", "pw", "oauth"], "_", (URLSAFE, 43))
    ),
    # Supabase, Neon, Xata, Convex, Appwrite
    one("supabase-access-token", "supabase-key", spell("sbp_", (HEX, 40))),
    one("supabase-secret-key", "supabase-key", spell("sb_secret_", (URLSAFE, 22), "_", (URLSAFE, 8))),
    one("neon-key", "neon-key", spell("napi_", (LOWER, 64))),
    one("neon-password", "neon-password", spell("npg_", (ALNUM, 12))),
    one("xata-key", "xata-key", spell("xau_", (ALNUM, 35))),
    one("appwrite-key", "appwrite-key", spell("standard_", (HEX, 256))),
    # MongoDB Atlas, Redis, Fauna, CockroachDB
    one("mongodb-atlas-service-account", "mongodb-atlas-key", spell("mdb_sa_sk_", (URLSAFE, 40))),
    one("fauna-key", "fauna-key", spell("fnA", (URLSAFE, 37))),
    one("cockroach-key", "cockroach-key", spell("CCDB1_", (ALNUM, 22), "_", (ALNUM, 40))),
    # Databricks
    one("databricks-token", "databricks-token", spell("dapi", (HEX, 32), ["", "-2"])),
    one("databricks-oauth-secret", "databricks-token", spell("dose", (HEX, 32))),
    # ClickHouse, dbt, Confluent, Materialize
    one("clickhouse-cloud-key", "clickhouse-key", spell("4b1d", (ALNUM, 38))),
    one("dbt-token", "dbt-token", spell("dbt", ["u", "c"], "_", (URLSAFE, 40))),
    one("confluent-secret", "confluent-key", spell("cflt", (BASE64, 60))),
    one("materialize-password", "materialize-password", spell("mzp_", (HEX, 64))),
    # Pinecone
    one("pinecone-key", "pinecone-key", spell("pcsk_", (ALNUM, 6), "_", (ALNUM, 63))),
    # Airtable, Kaggle
    one("airtable-pat", "airtable-token", spell("pat", (ALNUM, 14), ".", (HEX, 64))),
    one("kaggle-json", "kaggle-key", spell((HEX, 32)), '{"username":"ada","key":"', '"}'),
    one("kaggle-token", "kaggle-key", spell("KGAT_", (HEX, 32))),
]
