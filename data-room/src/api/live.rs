//! Live streams: the city now, then what changes, over a WebSocket (here) or gRPC ([`super::stream`]).
//!
//! Invariants: at most ten updates a second, each with the newest state of what changed; a reader that is too slow gets a
//! new snapshot instead of a queue; a stream ends when its token ceases to be valid; what it shows of road users is audited
//! when it begins, every minute, and when it ends.

use super::Api;
use super::problem::Problem;
use super::query::{Parameters, Selection};
use super::tokens::Caller;
use super::world::Change;
use crate::entity::{Entity, rfc3339};
use crate::record::Sensitivity;
use axum::Extension;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{RawQuery, State};
use axum::response::Response;
use masa_v2x_proto::time::Timestamp;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, broadcast, watch};
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};

/// Time between two updates while something changes.
const BEAT: Duration = Duration::from_millis(100);
/// Beats after which an update comes even if nothing changed.
const SILENT_BEATS: u32 = 10;
/// Beats between two audit records of one stream.
const AUDIT_BEATS: u32 = 600;
/// How long one update may take to a reader.
const PATIENCE: Duration = Duration::from_secs(5);
/// The sub-protocol that the server speaks.
const PROTOCOL: &str = "masa.v1";

/// One step of a live stream.
pub(super) struct Update {
    /// Whether this is everything.
    pub(super) is_snapshot: bool,
    pub(super) at: Timestamp,
    pub(super) entities: Vec<Arc<Entity>>,
    /// Ids of what holds no more.
    pub(super) gone: Vec<String>,
}

/// A reader of the live city.
pub(super) struct Follower {
    api: Api,
    caller: Caller,
    selection: Selection,
    changes: broadcast::Receiver<Arc<Change>>,
    stop: watch::Receiver<bool>,
    beat: Interval,
    /// Until when what the reader knows holds.
    shown: BTreeMap<String, Timestamp>,
    fresh: BTreeMap<String, Arc<Entity>>,
    needs_snapshot: bool,
    silent: u32,
    beats: u32,
    /// Personal states shown since the last audit record.
    personal: usize,
    _place: OwnedSemaphorePermit,
}

impl Follower {
    /// Begins a stream.
    ///
    /// # Errors
    /// [`Problem::TooMany`] when there are too many.
    pub(super) fn new(api: &Api, caller: Caller, selection: Selection) -> Result<Self, Problem> {
        let place = api.streams.clone().try_acquire_owned().map_err(|_| Problem::TooMany(10))?;
        let mut beat = interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self {
            changes: api.world.follow(),
            stop: api.stop.clone(),
            api: api.clone(),
            caller,
            selection,
            beat,
            shown: BTreeMap::new(),
            fresh: BTreeMap::new(),
            needs_snapshot: true,
            silent: 0,
            beats: 0,
            personal: 0,
            _place: place,
        })
    }

    /// The next update; `None` when the stream is over.
    pub(super) async fn next(&mut self) -> Option<Update> {
        loop {
            tokio::select! {
                () = super::stopped(&mut self.stop) => return None,
                change = self.changes.recv() => self.hear(change)?,
                _ = self.beat.tick() => {
                    self.beats += 1;
                    if let Some(update) = self.update() {
                        self.account(&update).await?;
                        return Some(update);
                    }
                }
            }
        }
    }

    fn hear(&mut self, change: Result<Arc<Change>, broadcast::error::RecvError>) -> Option<()> {
        match change {
            Ok(change) if change.tenant == self.caller.tenant => {
                let chosen = change.entities.iter().filter(|entity| self.selection.takes(entity));
                self.fresh.extend(chosen.map(|entity| (entity.id.clone(), entity.clone())));
            }
            Ok(_) => {}
            Err(broadcast::error::RecvError::Lagged(_)) => self.needs_snapshot = true,
            Err(broadcast::error::RecvError::Closed) => return None,
        }
        Some(())
    }

    fn update(&mut self) -> Option<Update> {
        let at = self.api.now();
        if self.needs_snapshot {
            self.needs_snapshot = false;
            self.fresh.clear();
            let entities = self.api.world.read(&self.caller.tenant, |city| {
                city.at(at).filter(|entity| self.selection.takes(entity)).cloned().collect::<Vec<_>>()
            });
            self.shown = entities.iter().map(|entity| (entity.id.clone(), entity.valid_until)).collect();
            return Some(Update { is_snapshot: true, at, entities, gone: Vec::new() });
        }
        let (entities, over): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.fresh).into_values().partition(|entity| at < entity.valid_until);
        self.shown.extend(entities.iter().map(|entity| (entity.id.clone(), entity.valid_until)));
        self.shown.extend(over.iter().map(|entity| (entity.id.clone(), at)));
        let gone: Vec<_> = self.shown.extract_if(.., |_, until| *until <= at).map(|(id, _)| id).collect();
        self.silent += 1;
        if entities.is_empty() && gone.is_empty() && self.silent < SILENT_BEATS {
            return None;
        }
        self.silent = 0;
        Some(Update { is_snapshot: false, at, entities, gone })
    }

    /// Whether the update may be shown: the token still holds, and personal data is accounted for.
    async fn account(&mut self, update: &Update) -> Option<()> {
        if !self.api.tokens.is_valid(&self.caller, update.at) && self.caller.name != super::guard::ANYONE {
            return None;
        }
        let personal = |entity: &&Arc<Entity>| entity.kind.sensitivity() == Sensitivity::Personal;
        self.personal += update.entities.iter().filter(personal).count();
        if self.personal > 0 && (update.is_snapshot || self.beats >= AUDIT_BEATS) {
            self.beats = 0;
            let seen = std::mem::take(&mut self.personal);
            self.api.audit(&self.caller, "follows road users live".into(), seen).await.ok()?;
        }
        Some(())
    }

    /// Accounts for what was shown since the last audit record.
    pub(super) async fn end(self) {
        if self.personal > 0 {
            let noted = self.api.audit(&self.caller, "followed road users live".into(), self.personal).await;
            if let Err(problem) = noted {
                tracing::error!(detail = problem.detail(), "the end of a live stream is not in the audit");
            }
        }
    }
}

/// `GET /live`
pub(super) async fn live(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Problem> {
    let mut parameters = Parameters::parse(&query.unwrap_or_default())?;
    let selection = Selection::take(&mut parameters, &caller)?;
    parameters.end()?;
    let follower = Follower::new(&api, caller, selection)?;
    // Clients have nothing to say.
    let upgrade = upgrade.protocols([PROTOCOL]).max_message_size(1024).max_frame_size(1024);
    Ok(upgrade.on_upgrade(|socket| push(socket, follower)))
}

async fn push(mut socket: WebSocket, mut follower: Follower) {
    loop {
        let update = tokio::select! {
            heard = socket.recv() => match heard {
                None | Some(Err(_) | Ok(Message::Close(_))) => break,
                Some(Ok(_)) => continue,
            },
            update = follower.next() => update,
        };
        let Some(update) = update else { break };
        if !matches!(timeout(PATIENCE, socket.send(Message::Text(text(&update).into()))).await, Ok(Ok(()))) {
            break;
        }
    }
    let _ = timeout(Duration::from_secs(1), socket.send(Message::Close(None))).await;
    follower.end().await;
}

fn text(update: &Update) -> String {
    let features: Vec<_> = update.entities.iter().map(|entity| entity.to_feature()).collect();
    let kind = if update.is_snapshot { "snapshot" } else { "update" };
    json!({ "kind": kind, "at": rfc3339(update.at), "features": features, "gone": update.gone }).to_string()
}
