//! The city now, kept from the feed of new records; and the city at any moment, from the store.
//!
//! In: records. Out: the newest state of everything, and the changes for live streams. Invariants: what is missed on the feed
//! is read from the store; tenants never meet; a tenant's entities are bounded, and those beyond are counted.

use crate::entity::{Entity, EntityKind, Projection};
use crate::record::{Kind, Record, Sensitivity, Tenant};
use crate::room::Room;
use crate::store::query::MAX_PAGE;
use crate::store::{Cursor, Filter, Latest, Order, Personal, Query, Store, StoreError};
use masa_v2x_proto::MessageKind;
use masa_v2x_proto::time::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::{broadcast, watch};

/// Most entities of one tenant.
const MAX_ENTITIES: usize = 200_000;
/// Changes that a live stream may be behind.
const CHANGES: usize = 4_096;
/// Entities are looked through for those that are over this often, milliseconds.
const TIDY_MS: i64 = 1_000;
/// How long what is over is still known, milliseconds: readers of alerts see that one has ended.
const AFTERMATH_MS: i64 = 600_000;

const DAY_MS: i64 = 86_400_000;

/// What the newest record of each thing says for so long, milliseconds. The longest validity of a DENM is a day.
const LASTING: &[(&[Kind], i64)] = &[
    (&[Kind::V2x(MessageKind::Mapem)], DAY_MS),
    (&[Kind::V2x(MessageKind::Denm), Kind::Service], DAY_MS),
    (&[Kind::V2x(MessageKind::Poim)], EntityKind::ParkingSpot.lifetime_ms()),
    (&[Kind::V2x(MessageKind::Spatem)], EntityKind::TrafficSignal.lifetime_ms()),
];

/// Of these every record counts: a CPM leaves out what has not changed, a sensor sends one quantity at a time.
const PASSING: &[(&[Kind], i64)] = &[
    (
        &[Kind::V2x(MessageKind::Cam), Kind::V2x(MessageKind::Vam), Kind::V2x(MessageKind::Cpm)],
        EntityKind::Vehicle.lifetime_ms(),
    ),
    (&[Kind::Observation], EntityKind::AirQualityObserved.lifetime_ms()),
];

/// What changed with one record.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) tenant: Tenant,
    pub(super) entities: Vec<Arc<Entity>>,
}

/// The entities of one tenant.
#[derive(Debug, Default)]
pub(super) struct City {
    projection: Projection,
    entities: BTreeMap<String, Arc<Entity>>,
    left_out: u64,
}

impl City {
    /// Takes a record; gives what it changed.
    fn take(&mut self, record: &Record) -> Vec<Arc<Entity>> {
        let mut changed = Vec::new();
        for entity in self.projection.take(record) {
            let known = self.entities.get(&entity.id);
            if known.is_some_and(|known| known.observed_at > entity.observed_at) {
                continue;
            }
            if known.is_none() && self.entities.len() >= MAX_ENTITIES {
                self.left_out += 1;
                continue;
            }
            let entity = Arc::new(entity);
            self.entities.insert(entity.id.clone(), entity.clone());
            changed.push(entity);
        }
        changed
    }

    /// What holds at `at`, by id.
    pub(super) fn at(&self, at: Timestamp) -> impl Iterator<Item = &Arc<Entity>> {
        self.entities.values().filter(move |entity| entity.holds_at(at))
    }

    /// What holds, and what is over since a short while.
    pub(super) fn known(&self) -> impl Iterator<Item = &Arc<Entity>> {
        self.entities.values()
    }

    fn tidy(&mut self, now: Timestamp) {
        self.entities.retain(|_, entity| match entity.kind.sensitivity() {
            Sensitivity::Open => now < entity.valid_until.plus_ms(AFTERMATH_MS),
            Sensitivity::Personal => now < entity.valid_until,
        });
    }
}

/// The city of `tenant` as it was at `at`, as far as the store knows.
///
/// # Errors
/// A store that does not answer.
pub(super) async fn city_at(
    store: &dyn Store,
    tenant: &Tenant,
    at: Timestamp,
    personal: Personal,
) -> Result<City, StoreError> {
    let mut city = City::default();
    records_at(store, tenant, at, personal, |record| drop(city.take(record))).await?;
    Ok(city)
}

/// The records that together say how things were at `at`, in the order in which they are to be taken.
///
/// # Errors
/// A store that does not answer.
pub(crate) async fn records_at(
    store: &dyn Store,
    tenant: &Tenant,
    at: Timestamp,
    personal: Personal,
    mut take: impl FnMut(&Record),
) -> Result<(), StoreError> {
    let filter = |kinds: &[Kind]| Filter { kinds: kinds.to_vec(), personal, ..Filter::of(tenant.clone()) };
    for (kinds, look_back_ms) in LASTING {
        let latest = Latest { filter: filter(kinds), at, look_back_ms: *look_back_ms, limit: MAX_PAGE };
        store.latest(latest).await?.iter().for_each(&mut take);
    }
    for (kinds, look_back_ms) in PASSING {
        // Newest first, so that a page that is full holds those that count.
        let query = Query {
            from: at.plus_ms(-look_back_ms),
            until: at.plus_ns(1),
            order: Order::NewestFirst,
            ..Query::new(filter(kinds), MAX_PAGE)
        };
        store.query(query).await?.records.iter().rev().for_each(&mut take);
    }
    Ok(())
}

/// The newest state of every tenant's city.
#[derive(Debug)]
pub(super) struct World {
    cities: RwLock<BTreeMap<Tenant, City>>,
    changes: broadcast::Sender<Arc<Change>>,
}

impl World {
    pub(super) fn new() -> Self {
        Self { cities: RwLock::default(), changes: broadcast::Sender::new(CHANGES) }
    }

    /// What `tenant`'s city is now; `read` sees it for a moment.
    pub(super) fn read<T>(&self, tenant: &Tenant, read: impl FnOnce(&City) -> T) -> T {
        let cities = self.cities.read().unwrap_or_else(PoisonError::into_inner);
        match cities.get(tenant) {
            Some(city) => read(city),
            None => read(&City::default()),
        }
    }

    /// What changes from now on.
    pub(super) fn follow(&self) -> broadcast::Receiver<Arc<Change>> {
        self.changes.subscribe()
    }

    fn take(&self, record: &Record) {
        let mut cities = self.cities.write().unwrap_or_else(PoisonError::into_inner);
        let entities = cities.entry(record.tenant.clone()).or_default().take(record);
        drop(cities);
        if !entities.is_empty() {
            // Without listeners nobody misses it.
            let _ = self.changes.send(Arc::new(Change { tenant: record.tenant.clone(), entities }));
        }
    }

    fn tidy(&self, now: Timestamp) {
        self.cities.write().unwrap_or_else(PoisonError::into_inner).values_mut().for_each(|city| city.tidy(now));
    }

    /// Loads what the store holds and follows the feed until `stop`.
    pub(super) async fn run(self: Arc<Self>, room: Room, now: super::Clock, mut stop: watch::Receiver<bool>) {
        let mut feed = room.feed.subscribe();
        let loaded = self.load(&room, now()).await;
        let mut reached = loaded;
        let mut tidied_at = now();
        loop {
            let record = tokio::select! {
                () = super::stopped(&mut stop) => return,
                record = feed.recv() => record,
            };
            match record {
                // Writers may overtake each other on the way to the feed: only what was loaded is left out.
                Ok(record) if record.arrival > loaded => {
                    reached = reached.max(record.arrival);
                    self.take(&record);
                }
                Ok(_) => {}
                Err(broadcast::error::RecvError::Lagged(missed)) => {
                    tracing::warn!(missed, "the live city is behind and reads from the store");
                    reached = self.catch_up(&room, reached).await;
                }
                Err(broadcast::error::RecvError::Closed) => return,
            }
            let at = now();
            if at.unix_ms() - tidied_at.unix_ms() >= TIDY_MS {
                self.tidy(at);
                tidied_at = at;
            }
        }
    }

    /// The state at the start; gives the `arrival` up to which everything is in it.
    async fn load(&self, room: &Room, now: Timestamp) -> u64 {
        let statistics = match room.store.statistics().await {
            Ok(statistics) => statistics,
            Err(error) => {
                tracing::error!(%error, "the live city begins empty");
                return 0;
            }
        };
        let mut tenants: Vec<_> = statistics.holdings.into_iter().map(|holding| holding.tenant).collect();
        tenants.sort();
        tenants.dedup();
        for tenant in tenants {
            match city_at(room.store.as_ref(), &tenant, now, Personal::Include).await {
                Ok(city) => {
                    self.cities.write().unwrap_or_else(PoisonError::into_inner).insert(tenant, city);
                }
                Err(error) => tracing::error!(%error, %tenant, "the live city of a tenant begins empty"),
            }
        }
        statistics.last_arrival
    }

    /// Takes what is in the store after `position`; gives how far that reached.
    async fn catch_up(&self, room: &Room, position: u64) -> u64 {
        let tenants: Vec<_> = self.cities.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect();
        let mut reached = position;
        for tenant in tenants {
            let mut after = Some(Cursor::arrived(position));
            while after.is_some() {
                let filter = Filter { personal: Personal::Include, ..Filter::of(tenant.clone()) };
                let query = Query { order: Order::Arrival, after, ..Query::new(filter, MAX_PAGE) };
                match room.store.query(query).await {
                    Ok(page) => {
                        page.records.iter().for_each(|record| self.take(record));
                        reached = page.records.last().map_or(reached, |record| reached.max(record.arrival));
                        after = page.next;
                    }
                    Err(error) => {
                        tracing::error!(%error, %tenant, "the live city of a tenant has a gap");
                        break;
                    }
                }
            }
        }
        reached
    }
}
