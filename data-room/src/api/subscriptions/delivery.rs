//! Delivers: one task a subscription, reading the store where it stopped.

use super::super::entities::CONTEXT_PATH;
use super::super::temporal::{filter, projection};
use super::super::tokens::Caller;
use super::super::{Api, problem::Problem};
use super::{Saved, Terms, random_name};
use crate::entity::{Entity, Projection, rfc3339};
use crate::record::Sensitivity;
use crate::store::{Cursor, Order, Query};
use masa_v2x_proto::time::Timestamp;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Records that are read at a time.
const PAGE: usize = 1_000;
/// Most entities of one notification.
const MAX_ENTITIES: usize = 1_000;
/// A delivery that failed is tried again after this long, then twice as long, until [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// See [`FIRST_WAIT`].
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// The store is looked into at least this often, in case something came past the feed.
const LOOK: Duration = Duration::from_secs(5);
/// The position is kept on the disk at the latest after this many records that concerned nobody.
const KEEP_AFTER: u64 = 10_000;

/// Runs a delivery for every subscription there is, until the API stops.
pub(in crate::api) async fn deliver(api: Api) {
    let mut stop = api.stop.clone();
    let mut changed = api.subscriptions.changed.subscribe();
    let mut running: BTreeMap<String, (watch::Sender<()>, Arc<Saved>)> = BTreeMap::new();
    let mut tasks = JoinSet::new();
    loop {
        let wanted = api.subscriptions.locked().clone();
        // A delivery ends when its sender is dropped.
        running.retain(|id, _| wanted.contains_key(id));
        for (id, saved) in wanted {
            match running.get_mut(&id) {
                Some((_, known)) if known.document == saved.document && known.by == saved.by => {}
                Some((sender, known)) => {
                    *known = saved;
                    sender.send_replace(());
                }
                None => {
                    let (sender, receiver) = watch::channel(());
                    tasks.spawn(run(api.clone(), id.clone(), receiver));
                    running.insert(id, (sender, saved));
                }
            }
        }
        tokio::select! {
            () = crate::api::stopped(&mut stop) => break,
            heard = changed.changed() => if heard.is_err() { break },
            Some(_) = tasks.join_next() => {}
        }
    }
    drop(running);
    // Notifications under way may end; what was not taken is delivered by the next run.
    tasks.shutdown().await;
}

/// What a delivery works with until the subscription changes.
struct Work {
    saved: Arc<Saved>,
    terms: Terms,
    caller: Caller,
    projection: Projection,
}

impl Work {
    async fn begin(api: &Api, id: &str) -> Option<Self> {
        let saved = api.subscriptions.locked().get(id).cloned()?;
        // The token that made it may have been revoked.
        let caller = api.tokens.named(&saved.by, api.now())?;
        let terms = Terms::read(&saved.document, &caller).ok().filter(|terms| terms.is_active)?;
        let projection = projection(api, &caller, api.now()).await.ok()?;
        Some(Self { saved, terms, caller, projection })
    }
}

async fn run(api: Api, id: String, mut changes: watch::Receiver<()>) {
    loop {
        changes.mark_unchanged();
        let mut again = changes.clone();
        let work = async {
            if let Some(work) = Work::begin(&api, &id).await {
                follow(&api, work).await;
            }
            // Paused, expired or without a token: looked at again when it changes, and now and then.
            tokio::time::sleep(LOOK).await;
        };
        tokio::select! {
            heard = again.changed() => if heard.is_err() { return },
            () = work => {}
        }
    }
}

/// Delivers until it must not any more.
async fn follow(api: &Api, mut work: Work) {
    let mut feed = api.room.feed.subscribe();
    let mut position = work.saved.delivered;
    let mut wait = FIRST_WAIT;
    let mut due_at = work.saved.last_sent.map(|at| at.plus_ms(work.terms.throttling_ms));
    loop {
        let now = api.now();
        let expired = work.terms.expires_at.is_some_and(|at| at <= now);
        if expired || !api.tokens.is_valid(&work.caller, now) {
            return;
        }
        if let Some(early_ms) = due_at.map(|due_at| due_at.unix_ms() - now.unix_ms()).filter(|ms| *ms > 0) {
            tokio::time::sleep(Duration::from_millis(early_ms.unsigned_abs())).await;
            continue;
        }
        let failed = match step(api, &mut work, &mut position).await {
            Ok(Step::Sent) => {
                due_at = work.saved.last_sent.map(|at| at.plus_ms(work.terms.throttling_ms));
                false
            }
            Ok(Step::Read) => false,
            Ok(Step::Idle) => {
                // Whatever comes on the feed is a reason to look; so is its silence.
                let _ = tokio::time::timeout(LOOK, feed.recv()).await;
                feed = feed.resubscribe();
                false
            }
            Err(words) => {
                tracing::warn!(subscription = work.saved.id, reason = words, "not delivered; it is tried again");
                let at = api.now();
                keep(api, &mut work, |saved| saved.last_failure = Some(at));
                true
            }
        };
        if failed {
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        } else {
            wait = FIRST_WAIT;
        }
    }
}

enum Step {
    /// A notification was taken.
    Sent,
    /// Records were read, none of which was asked for.
    Read,
    /// There is nothing new.
    Idle,
}

async fn step(api: &Api, work: &mut Work, position: &mut u64) -> Result<Step, String> {
    let query = Query {
        order: Order::Arrival,
        after: Some(Cursor::arrived(*position)),
        ..Query::new(filter(&work.terms.selection, &work.caller), PAGE)
    };
    let page = api.room.store.query(query).await.map_err(|error| error.to_string())?;
    let Some(reached) = page.records.last().map(|record| record.arrival) else { return Ok(Step::Idle) };
    // A page that is offered again must give the same: the memory of the projection moves on with the position.
    let mut projection = work.projection.clone();
    let mut newest: BTreeMap<String, Entity> = BTreeMap::new();
    for entity in page.records.iter().flat_map(|record| projection.take(record)) {
        let watched =
            work.terms.watched.is_empty() || work.terms.watched.iter().any(|name| entity.value_of(name).is_some());
        if watched && work.terms.selection.takes(&entity) {
            newest.insert(entity.id.clone(), entity);
        }
    }
    let sent = !newest.is_empty();
    let entities: Vec<_> = newest.into_values().collect();
    for part in entities.chunks(MAX_ENTITIES) {
        notify(api, work, part).await?;
    }
    work.projection = projection;
    *position = reached;
    if sent {
        let at = api.now();
        keep(api, work, |saved| {
            (saved.delivered, saved.sent, saved.last_sent) = (reached, saved.sent + 1, Some(at));
        });
        return Ok(Step::Sent);
    }
    if reached - work.saved.delivered >= KEEP_AFTER {
        keep(api, work, |saved| saved.delivered = reached);
    }
    Ok(Step::Read)
}

async fn notify(api: &Api, work: &Work, entities: &[Entity]) -> Result<(), String> {
    let words = |problem: Problem| problem.detail();
    let personal = entities.iter().filter(|e| e.kind.sensitivity() == Sensitivity::Personal).count();
    if personal > 0 {
        let what = format!("notification of {}", work.saved.id);
        api.audit(&work.caller, what, personal).await.map_err(words)?;
    }
    let now: Timestamp = api.now();
    let images: Vec<_> =
        entities.iter().map(|entity| entity.to_json(work.terms.form, &work.terms.attributes)).collect();
    let id = format!("urn:ngsi-ld:Notification:{}", random_name().map_err(words)?);
    let body = json!({ "id": id, "type": "Notification", "subscriptionId": work.saved.id, "notifiedAt": rfc3339(now),
        "data": images });
    let context = format!("{}{CONTEXT_PATH}", api.settings.publisher.address);
    let link = format!("<{context}>; rel=\"http://www.w3.org/ns/json-ld#context\"; type=\"application/ld+json\"");
    work.terms.endpoint.post(&api.courier, "application/json", body.to_string(), &link).await
}

/// Keeps the position; a disk that does not take it costs doubles after a restart, never a loss.
fn keep(api: &Api, work: &mut Work, note: impl Fn(&mut Saved)) {
    note(Arc::make_mut(&mut work.saved));
    if let Err(error) = api.subscriptions.update(&work.saved.id, note) {
        tracing::error!(subscription = work.saved.id, %error, "the position of a subscription is not kept");
    }
}
