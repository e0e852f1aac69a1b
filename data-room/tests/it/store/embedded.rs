//! The embedded store: the suite, and what only it has.

use super::Subject;
use crate::support::postgres::holds;
use crate::support::records::{at, denm};
use bytes::Bytes;
use masa_data_room::store::embedded::{EmbeddedSettings, EmbeddedStore};
use masa_data_room::store::{Filter, Policies, Query, StoreError};
use masa_data_room::{Record, Store};
use masa_links::Durability;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

/// A store in a folder of its own.
pub(crate) struct InFolder {
    folder: TempDir,
    store: EmbeddedStore,
}

pub(crate) fn settings(folder: &Path) -> EmbeddedSettings {
    EmbeddedSettings { folder: folder.to_owned(), durability: Durability::ProcessCrash, ..EmbeddedSettings::default() }
}

pub(crate) async fn start() -> Option<InFolder> {
    let folder = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(&settings(folder.path())).unwrap();
    Some(InFolder { folder, store })
}

impl InFolder {
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Subject for InFolder {
    fn store(&self) -> Arc<dyn Store> {
        Arc::new(self.store.clone())
    }

    async fn reopen(&mut self) {
        self.store.close().await;
        self.store = EmbeddedStore::open(&settings(self.folder.path())).unwrap();
    }

    async fn holds(&self, needle: &[u8]) -> bool {
        holds(self.folder.path(), needle, |_| true)
    }
}

super::run_suite!(start());

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_has_one_writer_and_any_readers() {
    let subject = start().await.unwrap();
    subject.store.append(vec![denm(1, 0)]).await.unwrap();
    let second = EmbeddedStore::open(&settings(subject.path())).unwrap_err();
    assert!(second.to_string().contains("another process"), "{second}");
    let reader = EmbeddedStore::open_to_read(&settings(subject.path())).unwrap();
    assert_eq!(reader.query(Query::new(Filter::default(), 10)).await.unwrap().records.len(), 1);
    let refused = reader.append(vec![denm(2, 0)]).await.unwrap_err();
    assert!(matches!(refused, StoreError::Unavailable { .. }), "{refused}");
    assert!(EmbeddedStore::open_to_read(&settings(Path::new("no-such-folder"))).is_err());
}

/// Records that no compression makes small.
fn large(n: u64) -> Record {
    Record { payload: Bytes::from(vec![n as u8; 20_000]), ..denm(n, 0) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_store_refuses_cleanly_and_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let limited = EmbeddedSettings { max_bytes: Some(1_000_000), ..settings(folder.path()) };
    let store = EmbeddedStore::open(&limited).unwrap();
    let mut stored = 0;
    let refused = loop {
        match store.append((stored + 1..=stored + 10).map(large).collect()).await {
            Ok(_) => stored += 10,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, StoreError::Full { .. }) && refused.is_temporary(), "{refused}");
    assert!((10..=50).contains(&stored), "{stored} records of 20 kB in 1 MB");
    let count = async || store.query(Query::new(Filter::default(), 100)).await.unwrap().records.len() as u64;
    assert_eq!(count().await, stored, "nothing of the batch that was refused");
    // Closed hours leave, and there is room again for the very batch.
    store.sweep(&Policies::default(), at(10 * 3_600_000)).await.unwrap();
    let again = store.append((stored + 1..=stored + 10).map(large).collect()).await.unwrap();
    assert_eq!((again.stored.len(), again.duplicates.len()), (10, 0));
    assert_eq!(count().await, stored + 10);
}
