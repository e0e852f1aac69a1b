//! Tables, partitions and what they hold.

use super::PostgresSettings;
use super::value::Micros;
use crate::record::{Kind, Sensitivity, Tenant};
use crate::store::policy::HOUR_MS;
use crate::store::sql::{COLUMNS, POSTGIS_POINT, instant};
use crate::store::{Holding, Statistics};
use masa_v2x_proto::time::Timestamp;
use tokio_postgres::{Client, Error, GenericClient};

/// Layout of the tables; a database of another layout is refused by its tables.
const VERSION: i64 = 1;
const HOUR_US: i64 = HOUR_MS * 1_000;

/// What an administrator has put into the database that is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Extensions {
    pub postgis: bool,
    pub timescaledb: bool,
}

impl Extensions {
    pub(super) const fn words(self) -> &'static str {
        match (self.postgis, self.timescaledb) {
            (false, false) => "no extensions",
            (true, false) => "with PostGIS",
            (false, true) => "with TimescaleDB",
            (true, true) => "with PostGIS and TimescaleDB",
        }
    }
}

/// The table of records of a sensitivity.
pub(super) const fn table(sensitivity: Sensitivity) -> &'static str {
    match sensitivity {
        Sensitivity::Open => "records_open",
        Sensitivity::Personal => "records_personal",
    }
}

/// Makes what is missing.
pub(super) async fn make(client: &mut Client, schema: &str) -> Result<Extensions, Error> {
    let tx = client.transaction().await?;
    // One at a time: `IF NOT EXISTS` alone does not keep two rooms apart.
    tx.batch_execute(&format!("SELECT pg_advisory_xact_lock(5177); CREATE SCHEMA IF NOT EXISTS {schema}")).await?;
    let has = tx.query("SELECT extname FROM pg_extension", &[]).await?;
    let has = |name| has.iter().any(|row| row.get::<_, &str>(0) == name);
    let extensions = Extensions { postgis: has("postgis"), timescaledb: has("timescaledb") };
    let made = tx.query_one("SELECT to_regclass($1) IS NOT NULL", &[&format!("{schema}.meta")]).await?;
    if !made.get::<_, bool>(0) {
        tx.batch_execute(&tables()).await?;
        for sensitivity in Sensitivity::ALL {
            tx.batch_execute(&records(sensitivity, extensions)).await?;
        }
        let [open, personal] = Sensitivity::ALL.map(table);
        let view =
            format!("CREATE VIEW records AS SELECT {COLUMNS} FROM {open} UNION ALL SELECT {COLUMNS} FROM {personal}");
        tx.batch_execute(&view).await?;
    }
    tx.commit().await?;
    Ok(extensions)
}

fn tables() -> String {
    format!(
        "CREATE TABLE meta (key text PRIMARY KEY, value bigint NOT NULL);
         INSERT INTO meta VALUES ('version', {VERSION}), ('last_arrival', 0);
         CREATE TABLE streams (
            tenant text, site text, station bigint, kind text, epoch bigint, last bigint NOT NULL,
            seen_at timestamptz NOT NULL, PRIMARY KEY (tenant, site, station, kind, epoch));
         CREATE TABLE holdings (
            tenant text, kind text, personal boolean, records bigint NOT NULL, PRIMARY KEY (tenant, kind, personal));
         CREATE TABLE audit (
            number bigserial PRIMARY KEY, at timestamptz NOT NULL, tenant text NOT NULL, by text NOT NULL,
            action text NOT NULL CHECK (action IN ('read', 'export', 'delete', 'change')), words text NOT NULL,
            records bigint NOT NULL);"
    )
}

/// The table of one sensitivity and its indexes.
fn records(sensitivity: Sensitivity, extensions: Extensions) -> String {
    let table = table(sensitivity);
    let personal = sensitivity == Sensitivity::Personal;
    let partitions = if extensions.timescaledb { "" } else { "PARTITION BY RANGE (received_at)" };
    // "C" is the order of bytes, which both stores sort by.
    let mut sql = format!(
        "CREATE TABLE {table} (
            arrival bigint NOT NULL, tenant text COLLATE \"C\" NOT NULL, site text COLLATE \"C\" NOT NULL,
            station bigint NOT NULL, kind text COLLATE \"C\" NOT NULL, epoch bigint NOT NULL, sequence bigint NOT NULL,
            message_id text NOT NULL, entity text COLLATE \"C\" NOT NULL, measured_at timestamptz NOT NULL,
            received_at timestamptz NOT NULL, lat_deg float8, lon_deg float8, alt_m float8,
            personal boolean NOT NULL CHECK (personal = {personal}), topic text NOT NULL, payload bytea NOT NULL
         ) {partitions};"
    );
    if extensions.timescaledb {
        let hours = if personal { 1 } else { 24 };
        sql += &format!(
            "SELECT create_hypertable('{table}', 'received_at', chunk_time_interval => interval '{hours} hours',
                                      create_default_indexes => false);"
        );
    }
    sql += &format!(
        "CREATE INDEX ON {table} (tenant, kind, measured_at, arrival);
         CREATE INDEX ON {table} (tenant, kind, entity, measured_at);
         CREATE INDEX ON {table} (arrival);
         CREATE INDEX ON {table} USING brin (received_at);"
    );
    if extensions.postgis {
        sql += &format!("CREATE INDEX ON {table} USING gist (({POSTGIS_POINT}));");
    }
    sql
}

/// A partition, or a chunk of TimescaleDB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Leaf {
    /// Its name, as SQL takes it.
    pub name: String,
    /// The end of its range of `received_at`.
    pub until: Timestamp,
}

/// Where a partition begins, and its name, for records received at a time. The width is part of the name, because the
/// setting may change.
fn leaf_of(table: &str, received_us: i64, hours: u32) -> (String, i64) {
    let width = i64::from(hours.max(1));
    let hour = received_us.div_euclid(HOUR_US).div_euclid(width) * width;
    (format!("{table}_h{hour}_{width}"), hour)
}

/// Makes the partitions that records received at these times need.
pub(super) async fn make_leaves(
    client: &impl GenericClient,
    sensitivity: Sensitivity,
    received_us: impl Iterator<Item = i64>,
    settings: &PostgresSettings,
) -> Result<(), Error> {
    let hours = match sensitivity {
        Sensitivity::Open => settings.open_partition_hours,
        Sensitivity::Personal => settings.personal_partition_hours,
    };
    let table = table(sensitivity);
    let mut leaves: Vec<_> = received_us.map(|us| leaf_of(table, us, hours)).collect();
    leaves.sort_unstable();
    leaves.dedup();
    for (name, hour) in leaves {
        let there = client.query_one("SELECT to_regclass($1) IS NOT NULL", &[&name]).await?;
        if there.get::<_, bool>(0) {
            continue;
        }
        let [from, until] = [hour, hour + i64::from(hours.max(1))].map(|hour| hour * 3_600);
        // Made and then attached, which stops nobody from reading the others.
        let sql = format!(
            "CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
             ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM (to_timestamp({from})) TO (to_timestamp({until}))"
        );
        client.batch_execute(&sql).await?;
    }
    Ok(())
}

/// The partitions of a table, oldest first.
pub(super) async fn leaves(
    client: &impl GenericClient,
    sensitivity: Sensitivity,
    extensions: &Extensions,
) -> Result<Vec<Leaf>, Error> {
    let table = table(sensitivity);
    if extensions.timescaledb {
        let sql = "SELECT format('%I.%I', chunk_schema, chunk_name), range_end FROM timescaledb_information.chunks
                   WHERE hypertable_schema = current_schema() AND hypertable_name = $1 ORDER BY range_end";
        let rows = client.query(sql, &[&table]).await?;
        return Ok(rows
            .iter()
            .map(|row| Leaf { name: row.get(0), until: instant(row.get::<_, Micros>(1).0) })
            .collect());
    }
    let sql = "SELECT c.relname::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
               WHERE i.inhparent = to_regclass($1)";
    let rows = client.query(sql, &[&table]).await?;
    let leaf = |name: String| {
        let (hour, width) = name.rsplit_once("_h")?.1.split_once('_')?;
        let end_hour: i64 = hour.parse::<i64>().ok()? + width.parse::<i64>().ok()?;
        Some(Leaf { until: Timestamp::from_unix_ms(end_hour * HOUR_MS), name })
    };
    // Partitions that somebody else attached are not ours to drop.
    let mut leaves: Vec<Leaf> = rows.iter().filter_map(|row| leaf(row.get(0))).collect();
    leaves.sort_by_key(|leaf| leaf.until);
    Ok(leaves)
}

/// What the tables hold; counts are kept, ends are looked up in the index.
pub(super) async fn statistics(client: &mut Client, schema: &str) -> Result<Statistics, Error> {
    let sql = "SELECT h.tenant, h.kind, h.personal, h.records, low.at, high.at FROM holdings h
        CROSS JOIN LATERAL (SELECT min(measured_at) AS at FROM records r
            WHERE r.tenant = h.tenant AND r.kind = h.kind AND r.personal = h.personal) low
        CROSS JOIN LATERAL (SELECT max(measured_at) AS at FROM records r
            WHERE r.tenant = h.tenant AND r.kind = h.kind AND r.personal = h.personal) high
        WHERE h.records > 0 ORDER BY 1, 2, 3";
    let mut statistics = Statistics::default();
    for row in client.query(sql, &[]).await? {
        let (tenant, kind): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let (low, high): (Option<Micros>, Option<Micros>) = (row.try_get(4)?, row.try_get(5)?);
        // Names that are not ours are of tables that somebody else has changed.
        let (Ok(tenant), Some(kind), Some(low), Some(high)) = (Tenant::new(tenant), Kind::from_name(&kind), low, high)
        else {
            continue;
        };
        statistics.holdings.push(Holding {
            tenant,
            kind,
            sensitivity: if row.try_get(2)? { Sensitivity::Personal } else { Sensitivity::Open },
            records: row.try_get::<_, i64>(3)?.unsigned_abs(),
            oldest: instant(low.0),
            newest: instant(high.0),
        });
    }
    let sql = "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint, count(*) FILTER (WHERE c.relispartition)
               FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relkind = 'r'";
    let row = client.query_one(sql, &[&schema]).await?;
    statistics.hot_bytes = row.try_get::<_, i64>(0)?.unsigned_abs();
    statistics.files = row.try_get::<_, i64>(1)?.unsigned_abs();
    let row = client.query_one("SELECT value FROM meta WHERE key = 'last_arrival'", &[]).await?;
    statistics.last_arrival = row.try_get::<_, i64>(0)?.unsigned_abs();
    Ok(statistics)
}
