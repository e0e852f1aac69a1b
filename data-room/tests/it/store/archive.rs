//! The embedded store's files: read by others, queried together with what is hot, safe against interruptions.

use super::Subject;
use super::embedded::{settings, start};
use crate::support::records::{at, cam, denm};
use bytes::Bytes;
use masa_data_room::store::embedded::EmbeddedStore;
use masa_data_room::store::{Filter, Latest, Order, Personal, Policies, Query};
use masa_data_room::{Kind, Record, Store};
use std::path::{Path, PathBuf};
use std::process::Command;

const HOUR_MS: i64 = 3_600_000;

fn files(folder: &Path) -> Vec<PathBuf> {
    let (mut folders, mut files) = (vec![folder.join("archive")], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    files
}

/// Twelve hours of a DENM every ten minutes, of which all but the last three hours are rolled.
async fn half_a_day(store: &dyn Store) -> Vec<Record> {
    let batch = (0..72).map(|n| denm(n + 1, n as i64 * 600_000)).collect();
    let stored = store.append(batch).await.unwrap().stored;
    let swept = store.sweep(&Policies::default(), at(12 * HOUR_MS)).await.unwrap();
    assert_eq!(swept.rolled, 60, "two full hours and the one that runs stay hot");
    stored
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_go_through_files_and_the_hot_store_alike() {
    let subject = start().await.unwrap();
    let store = subject.store();
    let mut expected = half_a_day(store.as_ref()).await;
    assert_eq!(files(subject.path()).len(), 10, "one for each hour");
    for order in [Order::OldestFirst, Order::Arrival, Order::NewestFirst] {
        let mut query = Query { order, ..Query::new(Filter::default(), 11) };
        let mut found = Vec::new();
        loop {
            let page = store.query(query.clone()).await.unwrap();
            found.extend(page.records);
            match page.next {
                Some(next) => query.after = Some(next),
                None => break,
            }
        }
        if order == Order::NewestFirst {
            expected.reverse();
        }
        assert_eq!(found, expected, "{order:?}");
    }
    let between = Query { from: at(HOUR_MS), until: at(2 * HOUR_MS), ..Query::new(Filter::default(), 100) };
    assert_eq!(store.query(between).await.unwrap().records.len(), 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_world_of_a_closed_hour_is_in_its_file() {
    let subject = start().await.unwrap();
    let store = subject.store();
    half_a_day(store.as_ref()).await;
    let world =
        |ms, look_back_ms| store.latest(Latest { filter: Filter::default(), at: at(ms), look_back_ms, limit: 100 });
    let then = world(90 * 60_000, 25 * 60_000).await.unwrap();
    assert_eq!(then.iter().map(|record| record.sequence).collect::<Vec<_>>(), [10, 8, 9], "by the names of the events");
    // Some of it in files, some not.
    assert_eq!(world(12 * HOUR_MS, 12 * HOUR_MS).await.unwrap().len(), 72);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_late_goes_into_the_hour_in_which_it_came() {
    let subject = start().await.unwrap();
    let store = subject.store();
    half_a_day(store.as_ref()).await;
    let late = Record { received_at: at(12 * HOUR_MS), ..denm(73, 0) };
    store.append(vec![late]).await.unwrap();
    let first = Query { until: at(1), ..Query::new(Filter::default(), 10) };
    let found = store.query(first).await.unwrap().records;
    assert_eq!(found.iter().map(|record| record.sequence).collect::<Vec<_>>(), [1, 73]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rest_of_an_interrupted_move_goes_at_the_next_start() {
    let mut subject = start().await.unwrap();
    half_a_day(subject.store().as_ref()).await;
    let known = files(subject.path());
    // A file that was written when the process was killed, before the database knew of it; and half a one.
    let copy = known[0].with_file_name("08-1-99.parquet");
    std::fs::copy(&known[0], &copy).unwrap();
    std::fs::write(known[0].with_extension("unfinished"), b"PAR1").unwrap();
    subject.reopen().await;
    assert_eq!(files(subject.path()), known);
    assert_eq!(subject.store().query(Query::new(Filter::default(), 100)).await.unwrap().records.len(), 72);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn personal_data_has_files_of_its_own_that_go_with_its_policy() {
    let subject = start().await.unwrap();
    let store = subject.store();
    store.append(vec![denm(1, 0), cam(7, 1, 0)]).await.unwrap();
    store.sweep(&Policies::default(), at(4 * HOUR_MS)).await.unwrap();
    let names: Vec<String> = files(subject.path()).iter().map(|path| path.display().to_string()).collect();
    assert!(
        names[0].contains("/city/cam/personal/2026-05-01/08-") && names[1].contains("/city/denm/open/"),
        "{names:?}"
    );
    let swept = store.sweep(&Policies::default(), at(26 * HOUR_MS)).await.unwrap();
    assert_eq!((swept.expired, files(subject.path()).len()), (1, 1));
}

const READ_WITH_PYARROW: &str = r#"
import json, sys
import pyarrow.dataset as dataset, pyarrow.compute as compute
table = dataset.dataset(sys.argv[1], format="parquet").to_table().sort_by("arrival")
print(json.dumps({
    "rows": table.num_rows,
    "kinds": sorted(set(table["kind"].to_pylist())),
    "measured_at": str(table["measured_at"][0].as_py()),
    "type": str(table.schema.field("measured_at").type),
    "lat": table["lat_deg"][0].as_py(),
    "places": table.num_rows - table["lat_deg"].null_count,
    "payload": table["payload"][0].as_py().decode(),
    "body": json.loads(next(body for body in table["body"].to_pylist() if body)),
    "personal": compute.sum(table["personal"]).as_py(),
}))
"#;

const READ_WITH_DUCKDB: &str = r#"
import json, sys
import duckdb
rows = duckdb.sql(f"""SELECT kind, count(*), min(measured_at)::VARCHAR, max(body->>'noise_db')
                      FROM '{sys.argv[1]}/**/*.parquet' GROUP BY kind ORDER BY kind""").fetchall()
print(json.dumps(rows))
"#;

/// What a Python script prints as JSON; `None` where the module is not installed.
fn python(script: &str, module: &str, argument: &Path) -> Option<serde_json::Value> {
    let python = std::env::var_os("MASA_PYTHON").unwrap_or_else(|| "python3".into());
    let has = Command::new(&python).args(["-c", &format!("import {module}")]).output();
    if !has.is_ok_and(|has| has.status.success()) {
        return None;
    }
    let output = Command::new(python).arg("-c").arg(script).arg(argument).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// DENMs, an observation with a JSON body and without a position, and a CAM, all in files.
async fn mixed_files() -> super::embedded::InFolder {
    let subject = start().await.unwrap();
    let store = subject.store();
    let payload = Bytes::from_static(br#"{"noise_db": 61.5}"#);
    let noise = Record { kind: Kind::Observation, position: None, payload, ..denm(1, 5) };
    store.append(vec![denm(1, 0), denm(2, 1_500), noise, cam(7, 1, 0)]).await.unwrap();
    store.sweep(&Policies::default(), at(4 * HOUR_MS)).await.unwrap();
    subject
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pyarrow_reads_the_files() {
    let subject = mixed_files().await;
    let Some(read) = python(READ_WITH_PYARROW, "pyarrow", &subject.path().join("archive")) else {
        return println!("skipped: pyarrow_reads_the_files: pyarrow is not installed");
    };
    let expected = serde_json::json!({
        "rows": 4, "kinds": ["cam", "denm", "observation"], "measured_at": "2026-05-01 08:00:00+00:00",
        "type": "timestamp[us, tz=UTC]", "lat": 44.6555, "places": 3, "payload": "denm 1", "body": {"noise_db": 61.5},
        "personal": 1,
    });
    assert_eq!(read, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn duckdb_reads_the_files() {
    let subject = mixed_files().await;
    let Some(read) = python(READ_WITH_DUCKDB, "duckdb", &subject.path().join("archive")) else {
        return println!("skipped: duckdb_reads_the_files: duckdb is not installed");
    };
    assert_eq!(read[2][0], "observation", "{read}");
    assert_eq!((&read[1][0], &read[1][1], &read[2][3]), (&"denm".into(), &2.into(), &"61.5".into()), "{read}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_beside_a_running_room_sees_files_and_hot_records() {
    let subject = start().await.unwrap();
    half_a_day(subject.store().as_ref()).await;
    let reader = EmbeddedStore::open_to_read(&settings(subject.path())).unwrap();
    let filter = Filter { personal: Personal::Include, ..Filter::default() };
    assert_eq!(reader.query(Query::new(filter, 100)).await.unwrap().records.len(), 72);
}
