"""Databases, search and warehouses."""

from __future__ import annotations

from tests.redaction.generators.making import ALNUM, BASE64, HEX, LOWER, URLSAFE, one, spell

SHAPES = [
    # PlanetScale
    one("planetscale-token", "planetscale-token", spell("pscale_tkn_", (ALNUM + "-.=_", 32))),
    one("planetscale-password", "planetscale-token", spell("pscale_pw_", (ALNUM + "-.=_", 32))),
    one("planetscale-oauth", "planetscale-token", spell("pscale_oauth_", (ALNUM + "-.=_", 32))),
    # Supabase, Neon, Xata, Turso, Prisma, Convex, Nhost, Appwrite
    one("supabase-access-token", "supabase-key", spell("sbp_", (HEX, 40))),
    one("supabase-secret-key", "supabase-key", spell("sb_secret_", (URLSAFE, 22))),
    one("supabase-oauth-secret", "supabase-key", spell("sba_", (HEX, 40))),
    one("neon-key", "neon-key", spell("napi_", (LOWER, 60))),
    one("neon-password", "neon-password", spell("npg_", (ALNUM, 12))),
    one("xata-key", "xata-key", spell("xau_", (ALNUM, 35))),
    one("appwrite-key", "appwrite-key", spell("standard_", (HEX, 128))),
    one("hasura-secret", "hasura-secret", spell((ALNUM, 24)), "HASURA_GRAPHQL_ADMIN_SECRET="),
    # MongoDB Atlas, Upstash, Redis, DynamoDB, Couchbase, FaunaDB, InfluxDB, TimescaleDB, CockroachDB
    one("mongodb-atlas-service-account", "mongodb-atlas-key", spell("mdb_sa_sk_", (URLSAFE, 40))),
    one(
        "mongodb-atlas-private-key",
        "mongodb-atlas-key",
        spell((HEX, 8), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 12)),
        "ATLAS_PRIVATE_KEY=",
    ),
    one("upstash-token", "upstash-token", spell("A", (ALNUM + "+-/_", 40), "="), "UPSTASH_TOKEN="),
    one("influxdb-token", "influxdb-token", spell((URLSAFE, 86), "=="), "INFLUX_TOKEN="),
    one("fauna-key", "fauna-key", spell("fnA", (URLSAFE, 37))),
    one("cockroach-key", "cockroach-key", spell("CCDB1_", (ALNUM, 22), "_", (ALNUM, 40))),
    # Databricks
    one("databricks-token", "databricks-token", spell("dapi", ("-0123456789abcdef", 32))),
    one("databricks-oauth-secret", "databricks-token", spell("dose", (HEX, 32))),
    # Snowflake, ClickHouse, BigQuery, dbt, Fivetran, Airbyte, Confluent, Redpanda, Materialize, MotherDuck
    one("clickhouse-cloud-key", "clickhouse-key", spell("4b1d", (ALNUM, 38))),
    one("dbt-token", "dbt-token", spell("dbt", ["u", "c", "s"], "_", (URLSAFE, 30))),
    one("confluent-secret", "confluent-key", spell("cflt", (BASE64, 60))),
    one("confluent-old-secret", "confluent-key", spell((BASE64, 64)), "CONFLUENT_KEY="),
    one("materialize-password", "materialize-password", spell("mzp_", (HEX, 64))),
    one("fivetran-key", "fivetran-key", spell((ALNUM, 32)), "FIVETRAN_KEY="),
    # Algolia, Pinecone, Weaviate, Qdrant, Meilisearch, Typesense, Zilliz, Chroma
    one("algolia-key", "algolia-key", spell((HEX, 32)), "ALGOLIA_KEY="),
    one("pinecone-key", "pinecone-key", spell("pcsk_", (ALNUM, 60))),
    one(
        "pinecone-old-key",
        "pinecone-key",
        spell((HEX, 8), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 12)),
        "PINECONE_KEY=",
    ),
    one("weaviate-key", "weaviate-key", spell((ALNUM, 36)), "WEAVIATE_KEY="),
    one("meilisearch-key", "meilisearch-key", spell((HEX, 64)), "MEILI_KEY="),
    one("typesense-key", "typesense-key", spell((ALNUM, 32)), "TYPESENSE_KEY="),
    one("zilliz-key", "zilliz-key", spell((HEX, 72)), "ZILLIZ_KEY="),
    # Airtable, Baserow, NocoDB, Coda, Smartsheet, Grist
    one("airtable-pat", "airtable-token", spell("pat", (ALNUM, 14), ".", (HEX, 64))),
    one("airtable-key", "airtable-token", spell("key", (ALNUM, 14)), "AIRTABLE_KEY="),
    one(
        "coda-token",
        "coda-token",
        spell((HEX, 8), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 12)),
        "CODA_API_TOKEN=",
    ),
    one("smartsheet-token", "smartsheet-token", spell((ALNUM, 37)), "SMARTSHEET_TOKEN="),
    one("kaggle-key", "kaggle-key", spell((HEX, 32)), "KAGGLE_KEY="),
    one("kaggle-token", "kaggle-key", spell("KGAT_", (HEX, 32))),
]
