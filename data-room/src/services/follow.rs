//! The services of a site at work: they follow the room's feed, and what they find goes into the store.
//!
//! In: the store and the feed. Out: records of kind `service`. Begun again, a follower first learns from the store what it
//! had counted, then takes the records of the last hour or so again; what it finds a second time has the numbers it had,
//! and the store leaves it out. So nothing is missing after a restart and nothing is there twice. Behind the feed it reads
//! from the store. Reading positions of road users leaves an audit entry.

use super::parking::BayState;
use super::site::{ServiceSite, ServiceSiteError};
use super::traffic_flow::{Direction, forecast};
use super::{Finding, Services, entities};
use crate::entity::{Entity, EntityKind, Origin, from_rfc3339};
use crate::record::{Kind, Record, Tenant};
use crate::room::Room;
use crate::store::{
    AuditAction, AuditEntry, Cursor, Filter, Latest, Order, Personal, Query, StoreError, query::MAX_PAGE,
};
use masa_v2x_proto::MessageKind;
use masa_v2x_proto::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{broadcast, watch};

/// Counts of so long ago teach the forecast, milliseconds.
const LEARNED_MS: i64 = 28 * 86_400_000;
/// At most so much is taken again, milliseconds: personal data is not kept longer.
const AGAIN_MS: i64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;
/// Before the begin of the hour so much is taken again, milliseconds: who came then may leave now.
const BEFORE_MS: i64 = 900_000;
/// The clock is this far behind, milliseconds: a record may be on its way through the feed.
const LAG_MS: i64 = 2_000;
const TICK: Duration = Duration::from_secs(1);
/// Findings that wait for a store that takes nothing; of more the oldest are lost, and counted.
const MAX_OWED: usize = 20_000;

/// The services of a site, following a room.
#[derive(Debug)]
pub struct Follower {
    room: Room,
    tenant: Tenant,
    services: Services,
    /// The newest record that was taken.
    position: u64,
    /// Findings that the store has not taken yet, oldest first.
    owed: Vec<Record>,
}

impl Follower {
    /// A follower that knows nothing yet.
    ///
    /// # Errors
    /// What is wrong with the site.
    pub fn new(room: Room, tenant: Tenant, site: ServiceSite) -> Result<Self, ServiceSiteError> {
        Ok(Self { room, tenant, services: Services::new(site)?, position: 0, owed: Vec::new() })
    }

    /// Follows the room until `stop`.
    pub async fn run(mut self, now: fn() -> Timestamp, mut stop: watch::Receiver<bool>) {
        let mut feed = self.room.feed.subscribe();
        if let Err(error) = self.resume(now()).await {
            tracing::error!(%error, site = self.site().site, "services begin without what they knew");
        }
        let mut tick = tokio::time::interval(TICK);
        loop {
            let done = tokio::select! {
                biased;
                () = async { drop(stop.wait_for(|stop| *stop).await) } => return,
                _ = tick.tick() => self.tick(now()).await,
                record = feed.recv() => match record {
                    Ok(record) => self.take(&record, now()).await,
                    Err(broadcast::error::RecvError::Lagged(missed)) => {
                        tracing::warn!(missed, site = self.site().site, "services are behind and read from the store");
                        let from = Timestamp::from_unix_ms(now().unix_ms() - HOUR_MS);
                        self.catch_up(from, now()).await
                    }
                    Err(broadcast::error::RecvError::Closed) => return,
                },
            };
            if let Err(error) = done {
                tracing::error!(%error, site = self.site().site, "findings are not stored yet; they are offered again");
            }
        }
    }

    fn site(&self) -> &ServiceSite {
        self.services.site()
    }

    /// Learns what was known before, and takes again what is not finished.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub async fn resume(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let source = entities::source(self.site());
        let of_services =
            Filter { kinds: vec![Kind::Service], source: Some(source), ..Filter::of(self.tenant.clone()) };
        let newest = Query { order: Order::NewestFirst, until: now, ..Query::new(of_services.clone(), 1) };
        let last = self.room.store.query(newest).await?.records.first().map(|record| record.measured_at);
        let Some(last) = last else {
            self.position = self.room.store.statistics().await?.last_arrival;
            return Ok(());
        };
        let hour = (last.unix_ms() - BEFORE_MS).div_euclid(HOUR_MS) * HOUR_MS;
        let from = Timestamp::from_unix_ms(hour.max(now.unix_ms() - AGAIN_MS));
        self.learn(&of_services, from).await?;
        self.remember_bays(&of_services, from).await?;
        let entry = AuditEntry {
            number: 0,
            at: now,
            tenant: self.tenant.clone(),
            by: "services".into(),
            action: AuditAction::Read,
            words: format!("{}: road users since {} ms, to count them", self.site().site, from.unix_ms()),
            records: 0,
        };
        self.room.store.note(entry).await?;
        self.catch_up(from, now).await
    }

    /// Tells the forecasts what was counted before `until`.
    async fn learn(&mut self, of_services: &Filter, until: Timestamp) -> Result<(), StoreError> {
        let gates: Vec<_> = self.site().gates.iter().map(|gate| gate.id.clone()).collect();
        for (gate, direction) in gates.iter().flat_map(|gate| Direction::ALL.map(|direction| (gate, direction))) {
            let name = entities::flow_name(gate, direction, None, forecast::SLOT_MS / 60_000);
            let entity = entities::id(self.site(), EntityKind::TrafficFlowObserved, &name);
            let filter = Filter { entity: Some(entity), ..of_services.clone() };
            let from = Timestamp::from_unix_ms(until.unix_ms() - LEARNED_MS);
            let mut query = Query { from, until, ..Query::new(filter, MAX_PAGE) };
            loop {
                let page = self.room.store.query(query.clone()).await?;
                for (begin, count) in page.records.iter().filter_map(counted) {
                    self.services.traffic_flow_mut().remember(gate, direction, begin, count);
                }
                match page.next {
                    Some(next) => query.after = Some(next),
                    None => break,
                }
            }
        }
        Ok(())
    }

    /// Tells parking how the bays were at `at`.
    async fn remember_bays(&mut self, of_services: &Filter, at: Timestamp) -> Result<(), StoreError> {
        let bays: Vec<_> = self.site().bays.iter().map(|bay| bay.id.clone()).collect();
        if bays.is_empty() {
            return Ok(());
        }
        let latest = Latest { filter: of_services.clone(), at, look_back_ms: LEARNED_MS, limit: MAX_PAGE };
        let known = self.room.store.latest(latest).await?;
        for bay in bays {
            let id = entities::id(self.site(), EntityKind::ParkingSpot, &bay);
            let record = known.iter().find(|record| record.entity == id);
            if let Some((state, since)) = record.and_then(parked) {
                self.services.parking_mut().remember(&bay, state, since);
            }
        }
        Ok(())
    }

    /// Takes what the store has after the last record that was taken, measured since `from`.
    async fn catch_up(&mut self, from: Timestamp, now: Timestamp) -> Result<(), StoreError> {
        let kinds = [MessageKind::Cam, MessageKind::Cpm, MessageKind::Vam].map(Kind::V2x);
        let kinds = kinds.into_iter().chain([Kind::Observation]).collect();
        let filter = Filter { kinds, personal: Personal::Include, ..Filter::of(self.tenant.clone()) };
        let after = Some(Cursor::arrived(self.position));
        let mut query = Query { order: Order::Arrival, from, after, ..Query::new(filter, MAX_PAGE) };
        // A store that takes no findings is no reason to leave records out: the findings are owed.
        let mut done = Ok(());
        loop {
            let page = self.room.store.query(query.clone()).await?;
            for record in &page.records {
                done = self.take(record, now).await;
            }
            match page.next {
                Some(next) => query.after = Some(next),
                None => return done,
            }
        }
    }

    /// Takes a record; one that was taken before changes nothing.
    ///
    /// # Errors
    /// A store that takes no findings: they are offered again with the next ones.
    pub async fn take(&mut self, record: &Record, now: Timestamp) -> Result<(), StoreError> {
        if record.arrival <= self.position || record.tenant != self.tenant {
            return Ok(());
        }
        self.position = record.arrival;
        let findings = self.services.take(record);
        self.keep(&findings, now).await
    }

    /// Lets the time go on.
    ///
    /// # Errors
    /// A store that takes no findings.
    pub async fn tick(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let findings = self.services.advance(now.plus_ms(-LAG_MS));
        self.keep(&findings, now).await
    }

    async fn keep(&mut self, findings: &[Finding], now: Timestamp) -> Result<(), StoreError> {
        let site = self.services.site();
        self.owed.extend(findings.iter().flat_map(|finding| entities::records(finding, site, &self.tenant, now)));
        if self.owed.is_empty() {
            return Ok(());
        }
        let lost = self.owed.len().saturating_sub(MAX_OWED);
        metrics::counter!("masa_data_room_findings_lost_total").increment(lost as u64);
        self.owed.drain(..lost);
        let taken = self.room.store.append(self.owed.clone()).await?;
        self.owed.clear();
        for record in taken.stored {
            // Nobody listening is no failure.
            let _ = self.room.feed.send(Arc::new(record));
        }
        Ok(())
    }
}

/// The entity of a record of a service.
fn entity(record: &Record) -> Option<Entity> {
    Entity::from_json(&record.body()?, &Origin::of(record), record.measured_at).ok()
}

/// The begin of an interval and what was counted in it.
fn counted(record: &Record) -> Option<(Timestamp, u32)> {
    let entity = entity(record)?;
    let begin = from_rfc3339(entity.attributes.get("dateObservedFrom")?.value().as_str()?)?;
    Some((begin, u32::try_from(entity.attributes.get("intensity")?.value().as_u64()?).ok()?))
}

/// The state of a bay and since when.
fn parked(record: &Record) -> Option<(BayState, Timestamp)> {
    let entity = entity(record)?;
    let state = BayState::from_name(entity.attributes.get("status")?.value().as_str()?)?;
    Some((state, from_rfc3339(entity.attributes.get("since")?.value().as_str()?)?))
}
