//! Messages as they came: listed, and decoded one by one.

use crate::record::{Kind, Record, Sensitivity, Tenant};
use crate::store::{Cursor, Filter, Order, Personal, Query, Store, StoreError};
use masa_v2x_proto::time::Timestamp;
use serde_json::{Value, json};

/// Most messages of a list.
pub(super) const MAX_LIST: usize = 500;

/// Messages up to a moment, newest first.
pub(super) async fn list(
    store: &dyn Store,
    tenant: &Tenant,
    kinds: Vec<Kind>,
    personal: Personal,
    (until, after, limit): (Timestamp, Option<Cursor>, usize),
) -> Result<Value, StoreError> {
    let filter = Filter { kinds, personal, ..Filter::of(tenant.clone()) };
    let query = Query {
        until: until.plus_ns(1),
        order: Order::NewestFirst,
        after,
        ..Query::new(filter, limit.clamp(1, MAX_LIST))
    };
    let page = store.query(query).await?;
    let next = page.next.map(|cursor| format!("{}-{}", cursor.measured_at_ns, cursor.arrival));
    Ok(json!({ "messages": page.records.iter().map(summary).collect::<Vec<_>>(), "next": next }))
}

/// The `next` of a list.
pub(super) fn cursor(text: &str) -> Option<Cursor> {
    let (at, arrival) = text.rsplit_once('-')?;
    Some(Cursor { measured_at_ns: at.parse().ok()?, arrival: arrival.parse().ok()? })
}

/// One line of a list.
pub(super) fn summary(record: &Record) -> Value {
    json!({
        "arrival": record.arrival,
        "kind": record.kind.name(),
        "site": record.source.site,
        "station": record.source.station,
        "entity": record.entity,
        "message_id": record.message_id,
        "measured": record.measured_at.unix_ms(),
        "received": record.received_at.unix_ms(),
        "size_bytes": record.payload.len(),
        "personal": record.sensitivity == Sensitivity::Personal,
    })
}

/// A message decoded, with its bytes.
pub(super) fn decoded(record: &Record) -> Value {
    let hex: String = record.payload.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({
        "summary": summary(record),
        "topic": record.topic,
        "position": record.position.map(|p| [p.lon_deg, p.lat_deg]),
        "epoch": record.epoch,
        "sequence": record.sequence,
        "hex": hex,
        "json": record.body(),
    })
}
