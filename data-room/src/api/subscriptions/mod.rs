//! Subscriptions (GS CIM 009 clauses 5.8, 6.10, 6.11): what changes, sent to whoever asked.
//!
//! In: subscription documents. Out: notifications over HTTP ([`delivery`]). Invariants: a subscription is a file, with the
//! position in the store up to which everything was delivered, so that a restart neither forgets nor skips: delivery is at
//! least once, and what happened while nobody ran is delivered then; it ends with the token that made it.

mod delivery;
mod endpoint;

pub(super) use delivery::deliver;

use super::Api;
use super::entities::{answer, json_body};
use super::guard::Question;
use super::problem::Problem;
use super::query::{Parameters, Selection};
use super::tokens::{self, Caller};
use crate::entity::{Form, from_rfc3339, rfc3339};
use crate::record::Tenant;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path as UrlPath, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
pub use endpoint::AuthoritiesError;
pub(super) use endpoint::Courier;
use endpoint::Endpoint;
use masa_v2x_proto::time::Timestamp;
use ring::rand::SecureRandom;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Most subscriptions of one tenant.
const MAX_OF_TENANT: usize = 100;
/// Largest file of a subscription, bytes.
const MAX_FILE_BYTES: u64 = 512 << 10;

/// A subscription as its file keeps it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Saved {
    id: String,
    tenant: Tenant,
    /// Name of the token that made it.
    by: String,
    /// The document as it was sent, with what was patched.
    document: Value,
    /// Everything up to this `arrival` was delivered.
    delivered: u64,
    sent: u64,
    last_sent: Option<Timestamp>,
    last_failure: Option<Timestamp>,
}

/// What a document asks for, checked.
#[derive(Clone, Debug)]
struct Terms {
    selection: Selection,
    /// Attributes of which at least one must be there.
    watched: Vec<String>,
    attributes: Vec<String>,
    form: Form,
    endpoint: Endpoint,
    throttling_ms: i64,
    expires_at: Option<Timestamp>,
    is_active: bool,
}

impl Terms {
    fn read(document: &Value, caller: &Caller) -> Result<Self, Problem> {
        let invalid = |words: &str| Problem::Invalid(words.to_owned());
        if document.get("type").and_then(Value::as_str) != Some("Subscription") {
            return Err(invalid("`type` must be Subscription"));
        }
        let names = |value: Option<&Value>, what: &str| match value {
            None => Ok(Vec::new()),
            Some(Value::Array(list)) if list.len() <= 100 => {
                let names = list.iter().map(|name| name.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>();
                names.ok_or_else(|| Problem::Invalid(format!("`{what}` is a list of names")))
            }
            Some(_) => Err(Problem::Invalid(format!("`{what}` is a list of at most 100 names"))),
        };
        let notification = document.get("notification").ok_or_else(|| invalid("`notification` is missing"))?;
        let uri = notification.pointer("/endpoint/uri").and_then(Value::as_str);
        let uri = uri.ok_or_else(|| invalid("`notification.endpoint.uri` is missing"))?;
        let form = match notification.get("format").and_then(Value::as_str) {
            None | Some("normalized") => Form::Normalized,
            Some("keyValues" | "simplified") => Form::KeyValues,
            Some(_) => return Err(invalid("`notification.format` is normalized, keyValues or simplified")),
        };
        let throttling_s = match document.get("throttling") {
            None => 0.0,
            Some(value) => value
                .as_f64()
                .filter(|s| (0.0..=86_400.0).contains(s))
                .ok_or_else(|| invalid("`throttling` is a number of seconds up to a day"))?,
        };
        let expires_at = match document.get("expiresAt") {
            None => None,
            Some(value) => {
                let at = value.as_str().and_then(from_rfc3339);
                Some(at.ok_or_else(|| invalid("`expiresAt` is a time such as 2026-11-22T14:03:20Z"))?)
            }
        };
        Ok(Self {
            selection: Selection::of_subscription(document, caller)?,
            watched: names(document.get("watchedAttributes"), "watchedAttributes")?,
            attributes: names(notification.get("attributes"), "notification.attributes")?,
            form,
            endpoint: Endpoint::parse(uri).map_err(Problem::Invalid)?,
            throttling_ms: (throttling_s * 1e3) as i64,
            expires_at,
            is_active: document.get("isActive").and_then(Value::as_bool).unwrap_or(true),
        })
    }
}

/// All subscriptions of a data room.
#[derive(Debug)]
pub(super) struct Subscriptions {
    folder: PathBuf,
    state: Mutex<BTreeMap<String, Arc<Saved>>>,
    /// Counts changes of the set, for the deliveries.
    changed: watch::Sender<u64>,
}

impl Subscriptions {
    /// Reads the folder; files that are none are named in the log and left alone.
    pub(super) fn open(folder: &Path) -> std::io::Result<Self> {
        fs::create_dir_all(folder)?;
        let mut all = BTreeMap::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let is_small = fs::metadata(&path)?.len() <= MAX_FILE_BYTES;
            match is_small.then(|| serde_json::from_slice::<Saved>(&fs::read(&path).unwrap_or_default())) {
                Some(Ok(saved)) => {
                    all.insert(saved.id.clone(), Arc::new(saved));
                }
                _ => tracing::error!(path = %path.display(), "this is no subscription"),
            }
        }
        Ok(Self { folder: folder.to_owned(), state: Mutex::new(all), changed: watch::Sender::new(0) })
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Saved>>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of(&self, tenant: &Tenant) -> Vec<Arc<Saved>> {
        self.locked().values().filter(|saved| saved.tenant == *tenant).cloned().collect()
    }

    fn get(&self, tenant: &Tenant, id: &str) -> Option<Arc<Saved>> {
        self.locked().get(id).filter(|saved| saved.tenant == *tenant).cloned()
    }

    fn path(&self, id: &str) -> PathBuf {
        // Ids are ours: `urn:ngsi-ld:Subscription:` and hexadecimal digits.
        self.folder.join(format!("{}.json", id.rsplit(':').next().unwrap_or(id)))
    }

    /// Keeps a subscription on the disk, then in memory.
    fn save(&self, saved: Saved) -> std::io::Result<()> {
        let bytes = serde_json::to_vec_pretty(&saved)?;
        let mut all = self.locked();
        tokens::replace(&self.path(&saved.id), &bytes)?;
        all.insert(saved.id.clone(), Arc::new(saved));
        drop(all);
        self.announce();
        Ok(())
    }

    /// Changes a subscription as it is now, on the disk and then in memory; one that was removed meanwhile stays removed.
    fn update(&self, id: &str, change: impl FnOnce(&mut Saved)) -> std::io::Result<()> {
        let mut all = self.locked();
        let Some(held) = all.get_mut(id) else { return Ok(()) };
        let mut saved = (**held).clone();
        change(&mut saved);
        tokens::replace(&self.path(id), &serde_json::to_vec_pretty(&saved)?)?;
        *held = Arc::new(saved);
        Ok(())
    }

    /// Tells the deliveries that the set, or a document, is another one.
    fn announce(&self) {
        self.changed.send_modify(|count| *count += 1);
    }

    fn remove(&self, id: &str) -> std::io::Result<()> {
        let mut all = self.locked();
        fs::remove_file(self.path(id))?;
        all.remove(id);
        drop(all);
        self.announce();
        Ok(())
    }
}

fn disk(error: &std::io::Error) -> Problem {
    Problem::Unavailable(format!("the subscription cannot be kept: {error}"))
}

/// 128 random bits as hexadecimal digits.
fn random_name() -> Result<String, Problem> {
    let mut bits = [0; 16];
    let filled = ring::rand::SystemRandom::new().fill(&mut bits);
    filled.map_err(|_| Problem::Unavailable("the system gives no random numbers".into()))?;
    Ok(bits.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// `POST /ngsi-ld/v1/subscriptions`
pub(super) async fn create(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let document = json_body(body)?;
    let terms = Terms::read(&document, &caller)?;
    terms.endpoint.check(&api.courier).await.map_err(Problem::Invalid)?;
    if api.subscriptions.of(&caller.tenant).len() >= MAX_OF_TENANT {
        return Err(Problem::TooComplex(format!("there are {MAX_OF_TENANT} subscriptions already")));
    }
    let delivered = api.room.store.statistics().await?.last_arrival;
    let id = format!("urn:ngsi-ld:Subscription:{}", random_name()?);
    let location = format!("/ngsi-ld/v1/subscriptions/{id}");
    let (tenant, by) = (caller.tenant, caller.name);
    let saved = Saved { id, tenant, by, document, delivered, sent: 0, last_sent: None, last_failure: None };
    api.subscriptions.save(saved).map_err(|error| disk(&error))?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location)]).into_response())
}

/// `GET /ngsi-ld/v1/subscriptions`
pub(super) async fn list(question: Question) -> Result<Response, Problem> {
    let Question { api, caller, query, headers } = question;
    let mut parameters = Parameters::parse(&query)?;
    let limit = parameters.number("limit", 1..=MAX_OF_TENANT)?.unwrap_or(MAX_OF_TENANT);
    let offset = parameters.number("offset", 0..=MAX_OF_TENANT)?.unwrap_or(0);
    parameters.end()?;
    let all = api.subscriptions.of(&caller.tenant);
    Ok(answer(&api, &headers, all.iter().skip(offset).take(limit).map(|saved| image(saved, &api)).collect()))
}

/// `GET /ngsi-ld/v1/subscriptions/{id}`
pub(super) async fn one(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    UrlPath(id): UrlPath<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    Ok(answer(&api, &headers, image(&*find(&api, &caller, &id)?, &api)))
}

/// `PATCH /ngsi-ld/v1/subscriptions/{id}`
pub(super) async fn patch(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    UrlPath(id): UrlPath<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let Value::Object(fragment) = json_body(body)? else {
        return Err(Problem::Invalid("a fragment is a JSON object".into()));
    };
    let mut document = find(&api, &caller, &id)?.document.clone();
    for (name, value) in fragment {
        match value {
            Value::Null => drop(document.as_object_mut().and_then(|document| document.remove(&name))),
            value => document[name.as_str()] = value,
        }
    }
    let terms = Terms::read(&document, &caller)?;
    terms.endpoint.check(&api.courier).await.map_err(Problem::Invalid)?;
    let change = |saved: &mut Saved| (saved.document, saved.by) = (document, caller.name);
    api.subscriptions.update(&id, change).map_err(|error| disk(&error))?;
    api.subscriptions.announce();
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `DELETE /ngsi-ld/v1/subscriptions/{id}`
pub(super) async fn remove(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    UrlPath(id): UrlPath<String>,
) -> Result<Response, Problem> {
    let saved = find(&api, &caller, &id)?;
    api.subscriptions.remove(&saved.id).map_err(|error| disk(&error))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn find(api: &Api, caller: &Caller, id: &str) -> Result<Arc<Saved>, Problem> {
    api.subscriptions.get(&caller.tenant, id).ok_or_else(|| Problem::NotFound("there is no such subscription".into()))
}

/// The document with what became of it.
fn image(saved: &Saved, api: &Api) -> Value {
    let mut image = saved.document.clone();
    image["id"] = saved.id.as_str().into();
    let holder = api.tokens.named(&saved.by, api.now());
    let terms = holder.as_ref().and_then(|holder| Terms::read(&saved.document, holder).ok());
    let status = match &terms {
        Some(terms) if terms.expires_at.is_some_and(|at| at <= api.now()) => "expired",
        Some(terms) if terms.is_active => "active",
        _ => "paused",
    };
    image["status"] = status.into();
    let failed = saved.last_failure.is_some_and(|failure| saved.last_sent.is_none_or(|sent| sent < failure));
    let notification = &mut image["notification"];
    notification["timesSent"] = saved.sent.into();
    notification["status"] = if failed { "failed" } else { "ok" }.into();
    if let Some(at) = saved.last_sent {
        notification["lastNotification"] = rfc3339(at).into();
        notification["lastSuccess"] = rfc3339(at).into();
    }
    if let Some(at) = saved.last_failure {
        notification["lastFailure"] = json!(rfc3339(at));
    }
    image
}
