//! The world at any past moment, and how it went on from there.
//!
//! In: the store. Out: the scene as of a moment, and texts as the live stream would have sent them.

use super::scene::{Audience, Scene};
use crate::api::records_at;
use crate::record::{Record, Tenant};
use crate::store::query::MAX_PAGE;
use crate::store::{Cursor, Filter, Order, Personal, Query, Store, StoreError};
use masa_v2x_proto::time::Timestamp;
use serde_json::Value;

/// Longest time of one batch, milliseconds.
pub(super) const MAX_BATCH_MS: i64 = 120_000;
/// Most texts of one batch.
pub(super) const MAX_TEXTS: i64 = 600;
/// Most records that one batch looks at.
const MAX_RECORDS: usize = 200_000;

/// The world at a moment, also what is personal: [`Scene::text`] leaves out what its reader may not see.
pub(super) async fn scene_at(store: &dyn Store, tenant: &Tenant, at: Timestamp) -> Result<Scene, StoreError> {
    let mut scene = Scene::default();
    records_at(store, tenant, at, Personal::Include, |record| scene.take(record)).await?;
    scene.sweep(at);
    scene.told();
    Ok(scene)
}

/// Texts from `from` until `until`, one every `step_ms`: the first whole, the others what has changed.
pub(super) async fn batch(
    store: &dyn Store,
    tenant: &Tenant,
    audience: Audience,
    [from, until]: [Timestamp; 2],
    step_ms: i64,
) -> Result<Vec<Value>, StoreError> {
    let mut scene = scene_at(store, tenant, from).await?;
    let mut texts = vec![scene.text(audience, None, from)];
    let mut told = scene.revision();
    let mut next = from.plus_ms(step_ms);
    let mut tell = |scene: &mut Scene, at: Timestamp| {
        scene.sweep(at);
        texts.push(scene.text(audience, Some(told), at));
        told = scene.revision();
        scene.told();
    };
    let filter = Filter { personal: Personal::Include, ..Filter::of(tenant.clone()) };
    let query = Query { from: from.plus_ns(1), until: until.plus_ns(1), ..Query::new(filter, MAX_PAGE) };
    each(store, query, |record| {
        while record.measured_at > next {
            tell(&mut scene, next);
            next = next.plus_ms(step_ms);
        }
        scene.take(record);
    })
    .await?;
    while next <= until {
        tell(&mut scene, next);
        next = next.plus_ms(step_ms);
    }
    Ok(texts)
}

/// Calls `take` with every record of a query in order, page by page.
pub(super) async fn each(store: &dyn Store, mut query: Query, mut take: impl FnMut(&Record)) -> Result<(), StoreError> {
    let mut seen = 0;
    loop {
        let page = store.query(query.clone()).await?;
        page.records.iter().for_each(&mut take);
        seen += page.records.len();
        match page.next {
            Some(_) if seen >= MAX_RECORDS => {
                return Err(StoreError::BadQuery(format!("more than {MAX_RECORDS} records: ask for less time")));
            }
            Some(next) => query.after = Some(next),
            None => return Ok(()),
        }
    }
}

/// The record that arrived at this position.
pub(super) async fn record(store: &dyn Store, filter: Filter, arrival: u64) -> Result<Option<Record>, StoreError> {
    let query = Query {
        order: Order::Arrival,
        after: Some(Cursor::arrived(arrival.saturating_sub(1))),
        ..Query::new(filter, 1)
    };
    let found = store.query(query).await?.records.into_iter().next();
    Ok(found.filter(|record| record.arrival == arrival))
}
