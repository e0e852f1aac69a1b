//! The live picture: one scene per tenant, kept from the feed, and a text of what has changed for everybody who looks.
//!
//! A text is made a few times a second for each kind of audience that is there, never for each browser. A browser that
//! cannot keep up loses texts and is sent the whole picture instead. The same task looks what raises alarms.

use super::alarms::Alarms;
use super::past;
use super::rules::{self, AlarmSettings, Watch};
use super::scene::{Audience, Scene};
use crate::api::{Clock, Problem, stopped};
use crate::record::{Record, Tenant};
use crate::room::Room;
use crate::store::StoreError;
use axum::extract::ws::Utf8Bytes;
use masa_v2x_proto::time::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Mutex, broadcast, watch};
use tokio::time::MissedTickBehavior;

/// Time between two texts.
const BEAT: Duration = Duration::from_millis(200);
/// Time between two looks for alarms.
const LOOK: Duration = Duration::from_secs(1);
/// Texts that a browser may be behind.
const TEXTS: usize = 32;
/// Most tenants with a picture.
const MAX_TENANTS: usize = 64;

/// The pictures of all tenants.
#[derive(Clone, Debug)]
pub(super) struct Live {
    room: Room,
    alarms: Arc<Alarms>,
    settings: AlarmSettings,
    stages: Arc<Mutex<BTreeMap<Tenant, Stage>>>,
}

/// The picture of one tenant and those who look at it.
#[derive(Debug)]
struct Stage {
    scene: Scene,
    watch: Watch,
    told: u64,
    texts: BTreeMap<Audience, broadcast::Sender<Utf8Bytes>>,
}

impl Live {
    pub(super) fn new(room: Room, alarms: Arc<Alarms>, settings: AlarmSettings) -> Self {
        Self { room, alarms, settings, stages: Arc::default() }
    }

    /// The whole picture now, and the texts from here on.
    pub(super) async fn join(
        &self,
        tenant: &Tenant,
        audience: Audience,
        now: Timestamp,
    ) -> Result<(Utf8Bytes, broadcast::Receiver<Utf8Bytes>), Problem> {
        let mut stages = self.stages.lock().await;
        let Some(stage) = self.stage(&mut stages, tenant, now).await? else {
            return Err(Problem::Unavailable(format!("more than {MAX_TENANTS} tenants have a picture")));
        };
        let texts = stage.texts.entry(audience).or_insert_with(|| broadcast::Sender::new(TEXTS)).subscribe();
        // What has changed since the last beat is told once more, which does no harm.
        Ok((stage.scene.text(audience, None, now).to_string().into(), texts))
    }

    /// The stage of a tenant, set from the store at first; `None` when there are too many.
    async fn stage<'a>(
        &self,
        stages: &'a mut BTreeMap<Tenant, Stage>,
        tenant: &Tenant,
        now: Timestamp,
    ) -> Result<Option<&'a mut Stage>, StoreError> {
        if !stages.contains_key(tenant) {
            if stages.len() >= MAX_TENANTS {
                return Ok(None);
            }
            let scene = past::scene_at(&*self.room.store, tenant, now).await?;
            let open = self.alarms.list(tenant, now).await?.into_iter().filter(|alarm| alarm.ongoing);
            let watch = Watch::of(open.map(|alarm| (alarm.rule, alarm.subject)));
            let told = scene.revision();
            stages.insert(tenant.clone(), Stage { scene, watch, told, texts: BTreeMap::new() });
        }
        Ok(stages.get_mut(tenant))
    }

    /// Follows the feed until `stop`. One task of the data room.
    pub(super) async fn run(self, clock: Clock, mut stop: watch::Receiver<bool>) {
        let mut feed = self.room.feed.subscribe();
        let [mut beat, mut look] = [BEAT, LOOK].map(|period| {
            let mut interval = tokio::time::interval(period);
            interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
            interval
        });
        loop {
            tokio::select! {
                () = stopped(&mut stop) => return,
                heard = feed.recv() => match heard {
                    Ok(record) => self.take(&record, clock()).await,
                    Err(RecvError::Lagged(missed)) => {
                        metrics::counter!("masa_control_room_dropped_total", "reason" => "behind-the-feed").increment(missed);
                        tracing::warn!(missed, "the live picture is behind the ingest");
                    }
                    Err(RecvError::Closed) => return,
                },
                _ = beat.tick() => self.tell(clock()).await,
                _ = look.tick() => self.look(clock()).await,
            }
        }
    }

    async fn take(&self, record: &Record, now: Timestamp) {
        let mut stages = self.stages.lock().await;
        match self.stage(&mut stages, &record.tenant, now).await {
            Ok(Some(stage)) => stage.scene.take(record),
            Ok(None) => {
                metrics::counter!("masa_control_room_dropped_total", "reason" => "too-many-tenants").increment(1)
            }
            Err(error) => tracing::warn!(%error, tenant = %record.tenant, "the live picture could not be begun"),
        }
    }

    async fn tell(&self, now: Timestamp) {
        for stage in self.stages.lock().await.values_mut() {
            stage.scene.sweep(now);
            stage.texts.retain(|_, texts| texts.receiver_count() > 0);
            for (audience, texts) in &stage.texts {
                let text = stage.scene.text(*audience, Some(stage.told), now).to_string();
                // The last receiver may have gone since.
                let _ = texts.send(text.into());
            }
            stage.told = stage.scene.revision();
            stage.scene.told();
        }
    }

    /// Raises what has begun and ends what has ended. What could not be stored is tried again at the next look.
    async fn look(&self, now: Timestamp) {
        let report = self.room.ledger.report();
        let mut changes = Vec::new();
        for (tenant, stage) in self.stages.lock().await.iter_mut() {
            let found = rules::look(&self.settings, tenant, stage.scene.entities(), &report, now);
            changes.push((tenant.clone(), stage.watch.compare(found)));
        }
        for (tenant, (began, ended)) in changes {
            for finding in began {
                let cause = (finding.rule, finding.subject.clone());
                let kept = self.alarms.raise(&tenant, finding, now).await;
                self.retry(&tenant, cause, true, kept).await;
            }
            for cause in ended {
                let kept = self.alarms.over(&tenant, cause.0, &cause.1, now).await;
                self.retry(&tenant, cause, false, kept).await;
            }
        }
    }

    async fn retry(&self, tenant: &Tenant, cause: (rules::Rule, String), began: bool, kept: Result<(), StoreError>) {
        let Err(error) = kept else { return };
        tracing::warn!(%error, %tenant, subject = cause.1, "an alarm could not be stored");
        if let Some(stage) = self.stages.lock().await.get_mut(tenant) {
            stage.watch.retry(cause, began);
        }
    }
}
