//! Rows a second of a store beside those of the database alone.

use crate::option;
use bytes::Bytes;
use futures::SinkExt;
use masa_data_room::run::open_store;
use masa_data_room::settings::StoreSettings;
use masa_data_room::{Kind, Record, Sensitivity, Source, Tenant};
use masa_links::clock;
use masa_v2x_proto::MessageKind;
use masa_v2x_proto::geo::Wgs84;
use rusqlite::params;
use std::fmt::Write;
use std::path::Path;

const BATCH: u64 = 4_096;

fn record(n: u64) -> Record {
    let now = clock::now();
    let station = (n % 1_000) as u32;
    Record {
        arrival: 0,
        tenant: Tenant::default(),
        source: Source { site: "load".into(), station },
        kind: Kind::V2x(MessageKind::Denm),
        epoch: 1,
        sequence: n / 1_000 + 1,
        message_id: format!("{station}-denm-{n}"),
        entity: format!("{station}-{}", n / 1_000 % 50),
        measured_at: now,
        received_at: now,
        position: Some(Wgs84 { lat_deg: 44.65 + 1e-6 * n as f64, lon_deg: 10.93, alt_m: 34.0 }),
        sensitivity: Sensitivity::Open,
        topic: format!("masa/load/{station}/v2x/denm/120222110230"),
        payload: Bytes::from(vec![n as u8; 103]),
    }
}

pub(crate) async fn measure(settings: &StoreSettings, folder: &Path, connection: Option<&str>) {
    let rows = option("--rows", 200_000);
    let records: Vec<Record> = (0..rows).map(record).collect();
    let plain_s = match connection {
        Some(connection) => copy(connection, &records).await,
        None => insert(&folder.join("plain.sqlite"), &records),
    };
    let store = open_store(settings).await.unwrap();
    let began = clock::now();
    for batch in records.chunks(BATCH as usize) {
        assert_eq!(store.append(batch.to_vec()).await.unwrap().stored.len(), batch.len());
    }
    let store_s = clock::now().seconds_since(began);
    let per_s = |seconds| rows as f64 / seconds;
    println!(
        "rows: append {:.0}/s in batches of {BATCH}, {} {:.0}/s: ratio {:.2}",
        per_s(store_s),
        if connection.is_some() { "bulk COPY" } else { "plain insert" },
        per_s(plain_s),
        plain_s / store_s
    );
    store.close().await;
}

const COLUMNS: &str =
    "tenant text, site text, station bigint, kind text, epoch bigint, sequence bigint, message_id text,
    entity text, measured_at bigint, received_at bigint, lat_deg float8, lon_deg float8, alt_m float8, personal boolean,
    topic text, payload ";

/// Seconds that SQLite takes for one transaction of plain inserts, as durable as the store's.
fn insert(path: &Path, records: &[Record]) -> f64 {
    let mut db = rusqlite::Connection::open(path).unwrap();
    db.pragma_update(None, "journal_mode", "WAL").unwrap();
    db.pragma_update(None, "synchronous", "FULL").unwrap();
    db.execute_batch(&format!("CREATE TABLE plain ({COLUMNS} blob)")).unwrap();
    let began = clock::now();
    let tx = db.transaction().unwrap();
    {
        let sql = "INSERT INTO plain VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)";
        let mut insert = tx.prepare(sql).unwrap();
        for r in records {
            let at = r.position.unwrap();
            let row = params![
                r.tenant.as_str(),
                r.source.site,
                r.source.station,
                r.kind.name(),
                r.epoch as i64,
                r.sequence as i64,
                r.message_id,
                r.entity,
                r.measured_at.unix_ns(),
                r.received_at.unix_ns(),
                at.lat_deg,
                at.lon_deg,
                at.alt_m,
                false,
                r.topic,
                r.payload.as_ref(),
            ];
            insert.execute(row).unwrap();
        }
    }
    tx.commit().unwrap();
    clock::now().seconds_since(began)
}

/// Seconds that PostgreSQL takes for one COPY.
async fn copy(connection: &str, records: &[Record]) -> f64 {
    let (client, task) = tokio_postgres::connect(connection, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(task);
    client.batch_execute(&format!("DROP TABLE IF EXISTS plain; CREATE TABLE plain ({COLUMNS} bytea)")).await.unwrap();
    let lines: Vec<Bytes> = records.chunks(1_000).map(|chunk| Bytes::from(lines(chunk))).collect();
    let began = clock::now();
    let sink = client.copy_in("COPY plain FROM STDIN").await.unwrap();
    let mut sink = std::pin::pin!(sink);
    for chunk in lines {
        sink.send(chunk).await.unwrap();
    }
    assert_eq!(sink.finish().await.unwrap(), records.len() as u64);
    clock::now().seconds_since(began)
}

/// Rows in the text format of COPY.
fn lines(records: &[Record]) -> String {
    let mut lines = String::new();
    for r in records {
        let at = r.position.unwrap();
        let payload: String = r.payload.iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(
            lines,
            "{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\tf\t{}\t\\\\x{payload}",
            r.tenant,
            r.source.site,
            r.source.station,
            r.kind.name(),
            r.epoch,
            r.sequence,
            r.message_id,
            r.entity,
            r.measured_at.unix_ns(),
            r.received_at.unix_ns(),
            at.lat_deg,
            at.lon_deg,
            at.alt_m,
            r.topic
        )
        .unwrap();
    }
    lines
}
