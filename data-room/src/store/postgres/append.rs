//! Appending: one transaction a batch, rows by binary COPY.

use super::PostgresSettings;
use super::schema::{self, Extensions, table};
use super::value::Micros;
use crate::record::{Kind, Record, Sensitivity, Tenant};
use crate::store::Appended;
use crate::store::sql::{COLUMNS, micros, number};
use std::collections::BTreeMap;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error, Transaction};

/// Types of the columns, in their order.
const TYPES: [Type; 17] = [
    Type::INT8,
    Type::TEXT,
    Type::TEXT,
    Type::INT8,
    Type::TEXT,
    Type::INT8,
    Type::INT8,
    Type::TEXT,
    Type::TEXT,
    Type::TIMESTAMPTZ,
    Type::TIMESTAMPTZ,
    Type::FLOAT8,
    Type::FLOAT8,
    Type::FLOAT8,
    Type::BOOL,
    Type::TEXT,
    Type::BYTEA,
];

type Stream = (Tenant, String, u32, Kind, u64);

/// The last number of a stream, and when its newest record came if there is one.
#[derive(Clone, Copy, Debug, Default)]
struct Position {
    last: i64,
    seen_us: Option<i64>,
}

/// Streams as columns, for `unnest`.
#[derive(Default)]
struct Columns {
    tenants: Vec<String>,
    sites: Vec<String>,
    stations: Vec<i64>,
    kinds: Vec<&'static str>,
    epochs: Vec<i64>,
}

impl Columns {
    fn push(&mut self, (tenant, site, station, kind, epoch): &Stream) {
        self.tenants.push(tenant.to_string());
        self.sites.push(site.clone());
        self.stations.push(i64::from(*station));
        self.kinds.push(kind.name());
        self.epochs.push(number(*epoch));
    }
}

pub(super) async fn append(
    client: &mut Client,
    batch: Vec<Record>,
    settings: &PostgresSettings,
    extensions: &Extensions,
) -> Result<Appended, Error> {
    let tx = client.transaction().await?;
    // Whoever has this row appends; the others wait, so that arrivals are committed in order.
    let row = tx.query_one("SELECT value FROM meta WHERE key = 'last_arrival' FOR UPDATE", &[]).await?;
    let mut arrival: i64 = row.try_get(0)?;
    let mut streams = positions(&tx, &batch).await?;
    let mut appended = Appended::default();
    for mut record in batch {
        let sequence = number(record.sequence);
        let position = streams.entry(stream(&record)).or_default();
        if sequence <= position.last {
            appended.duplicates.push(record);
            continue;
        }
        arrival += 1;
        *position = Position { last: sequence, seen_us: Some(micros(record.received_at)) };
        record.arrival = arrival.unsigned_abs();
        appended.stored.push(record);
    }
    if appended.stored.is_empty() {
        return Ok(appended);
    }
    for sensitivity in Sensitivity::ALL {
        let records: Vec<&Record> = appended.stored.iter().filter(|r| r.sensitivity == sensitivity).collect();
        if records.is_empty() {
            continue;
        }
        if !extensions.timescaledb {
            let times = records.iter().map(|record| micros(record.received_at));
            schema::make_leaves(&tx, sensitivity, times, settings).await?;
        }
        copy(&tx, sensitivity, &records).await?;
    }
    advance(&tx, &streams).await?;
    count(&tx, &appended.stored).await?;
    tx.execute("UPDATE meta SET value = $1 WHERE key = 'last_arrival'", &[&arrival]).await?;
    tx.commit().await?;
    Ok(appended)
}

fn stream(record: &Record) -> Stream {
    let source = &record.source;
    (record.tenant.clone(), source.site.clone(), source.station, record.kind, record.epoch)
}

/// Where the streams of a batch are.
async fn positions(tx: &Transaction<'_>, batch: &[Record]) -> Result<BTreeMap<Stream, Position>, Error> {
    let mut streams: BTreeMap<Stream, Position> =
        batch.iter().map(|record| (stream(record), Position::default())).collect();
    let mut columns = Columns::default();
    streams.keys().for_each(|stream| columns.push(stream));
    // The array's order comes back as the row's place in it.
    let sql = "SELECT k.place, s.last FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::bigint[])
               WITH ORDINALITY AS k (tenant, site, station, kind, epoch, place)
               JOIN streams s USING (tenant, site, station, kind, epoch)";
    let Columns { tenants, sites, stations, kinds, epochs } = columns;
    let statement = tx.prepare(sql).await?;
    let mut last = BTreeMap::new();
    for row in tx.query(&statement, &[&tenants, &sites, &stations, &kinds, &epochs]).await? {
        last.insert(row.try_get::<_, i64>(0)?, row.try_get::<_, i64>(1)?);
    }
    for (place, position) in (1..).zip(streams.values_mut()) {
        position.last = last.get(&place).copied().unwrap_or(0);
    }
    Ok(streams)
}

async fn copy(tx: &Transaction<'_>, sensitivity: Sensitivity, records: &[&Record]) -> Result<(), Error> {
    let into = format!("COPY {} ({COLUMNS}) FROM STDIN BINARY", table(sensitivity));
    let sink = tx.copy_in(&into).await?;
    let writer = BinaryCopyInWriter::new(sink, &TYPES);
    let mut writer = std::pin::pin!(writer);
    for record in records {
        let at = record.position;
        let row: [&(dyn ToSql + Sync); TYPES.len()] = [
            &number(record.arrival),
            &record.tenant.as_str(),
            &record.source.site,
            &i64::from(record.source.station),
            &record.kind.name(),
            &number(record.epoch),
            &number(record.sequence),
            &record.message_id,
            &record.entity,
            &Micros(micros(record.measured_at)),
            &Micros(micros(record.received_at)),
            &at.map(|at| at.lat_deg),
            &at.map(|at| at.lon_deg),
            &at.map(|at| at.alt_m),
            &(sensitivity == Sensitivity::Personal),
            &record.topic,
            &record.payload.as_ref(),
        ];
        writer.as_mut().write(&row).await?;
    }
    writer.finish().await.map(drop)
}

/// Moves the streams on that have something new.
async fn advance(tx: &Transaction<'_>, streams: &BTreeMap<Stream, Position>) -> Result<(), Error> {
    let (mut columns, mut lasts, mut seen) = (Columns::default(), Vec::new(), Vec::new());
    for (stream, position) in streams {
        let Some(seen_us) = position.seen_us else { continue };
        columns.push(stream);
        lasts.push(position.last);
        seen.push(Micros(seen_us));
    }
    let sql = "INSERT INTO streams SELECT * FROM
               unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[], $7::timestamptz[])
               ON CONFLICT (tenant, site, station, kind, epoch)
               DO UPDATE SET last = excluded.last, seen_at = excluded.seen_at";
    let Columns { tenants, sites, stations, kinds, epochs } = columns;
    let statement = tx.prepare(sql).await?;
    tx.execute(&statement, &[&tenants, &sites, &stations, &kinds, &epochs, &lasts, &seen]).await.map(drop)
}

/// Counts what is held.
async fn count(tx: &Transaction<'_>, records: &[Record]) -> Result<(), Error> {
    let mut counts: BTreeMap<(&Tenant, Kind, Sensitivity), i64> = BTreeMap::new();
    for record in records {
        *counts.entry((&record.tenant, record.kind, record.sensitivity)).or_default() += 1;
    }
    let sql = "INSERT INTO holdings VALUES ($1, $2, $3, $4) ON CONFLICT (tenant, kind, personal)
               DO UPDATE SET records = holdings.records + excluded.records";
    let statement = tx.prepare(sql).await?;
    for ((tenant, kind, sensitivity), records) in counts {
        let personal = sensitivity == Sensitivity::Personal;
        tx.execute(&statement, &[&tenant.as_str(), &kind.name(), &personal, &records]).await?;
    }
    Ok(())
}
