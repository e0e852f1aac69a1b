//! What the city may ask: NGSI-LD, publications, live streams, the twin.
//!
//! In: a [`Room`] and settings. Out: [`router`], from one table of routes that also makes the OpenAPI document.
//!
//! ```text
//! request ─► guard: size, rate, token, tenant, scope ─► handler ─► audit of personal data ─► answer
//!                                                        │
//!                      world (now, from the feed) ◄──────┴──────► store (past)
//! ```
//!
//! Invariants: every route names the scope it needs, and the guard stands before all of them; a tenant is the token's, never
//! the request's; personal data leaves only after its audit record is stored; nothing from outside becomes part of a query as
//! text. Absent: HTTPS (a proxy has the city's certificate), sessions and passwords.

mod entities;
mod guard;
mod limiter;
mod live;
mod openapi;
mod problem;
mod publications;
mod query;
mod records;
mod routes;
mod server;
pub mod stream;
mod subscriptions;
mod temporal;
pub mod tokens;
mod twin;
mod world;

pub(crate) use guard::{ANYONE, Access, admit, guard};
pub(crate) use problem::Problem;
pub use server::serve;
pub use stream::serve_grpc;
pub use tokens::{Scope, TokenError, Tokens};
pub(crate) use world::records_at;

use crate::publish::Publisher;
use crate::record::Tenant;
use crate::room::Room;
use crate::store::{AuditAction, AuditEntry};
use limiter::Limiter;
use masa_v2x_proto::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
pub use subscriptions::AuthoritiesError;
use subscriptions::{Courier, Subscriptions};
use tokens::Caller;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use world::World;

pub use routes::router;

/// Says what time it is: the API's only clock, given by whoever runs it.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Live streams at a time, WebSocket and gRPC together.
const MAX_STREAMS: usize = 256;

/// Settings of the API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ApiSettings {
    /// Folder of the tokens and subscriptions; made if absent.
    pub folder: PathBuf,
    /// Where the live stream is served over gRPC; absent: nowhere.
    pub grpc_listen: Option<SocketAddr>,
    /// Who publishes.
    pub publisher: Publisher,
    /// What may be read without a token; nothing, unless the city says so.
    pub open_to_all: OpenToAll,
    /// Requests of one token a second.
    pub requests_per_s: f64,
    /// Requests of one token at once.
    pub burst: f64,
    /// Hosts on this machine or a private network that notifications may be sent to; all others must be public addresses.
    pub notify_hosts: Vec<String>,
    /// PEM file of authorities that certify https receivers, besides those of the system.
    pub notify_authorities: Option<PathBuf>,
}

impl Default for ApiSettings {
    fn default() -> Self {
        Self {
            folder: "data-room".into(),
            grpc_listen: None,
            publisher: Publisher::default(),
            open_to_all: OpenToAll::Nothing,
            requests_per_s: 50.0,
            burst: 200.0,
            notify_hosts: Vec::new(),
            notify_authorities: None,
        }
    }
}

impl ApiSettings {
    /// The tokens of the data room.
    ///
    /// # Errors
    /// A file that cannot be used.
    pub fn tokens(&self) -> Result<Tokens, TokenError> {
        Tokens::open(self.folder.join("tokens.json"))
    }
}

/// What may be read without a token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OpenToAll {
    /// Nothing.
    #[default]
    Nothing,
    /// What is not personal, of this tenant.
    Traffic(Tenant),
}

/// Why the API does not start.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The tokens.
    #[error(transparent)]
    Tokens(#[from] TokenError),
    /// Who certifies receivers of notifications.
    #[error(transparent)]
    Authorities(#[from] AuthoritiesError),
    /// The subscriptions.
    #[error("subscriptions in {folder}: {source}")]
    Subscriptions {
        /// Their folder.
        folder: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

/// The API of a running data room, as its handlers see it. Cheap to clone.
#[derive(Clone)]
pub struct Api(Arc<Inner>);

/// What the handlers share.
pub struct Inner {
    pub(crate) room: Room,
    settings: ApiSettings,
    tokens: Tokens,
    limiter: Limiter,
    pub(crate) clock: Clock,
    world: Arc<World>,
    subscriptions: Subscriptions,
    courier: Courier,
    streams: Arc<Semaphore>,
    stop: watch::Receiver<bool>,
    /// Number of the last record that was written here.
    written: AtomicU64,
}

impl std::ops::Deref for Api {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Api {
    /// Starts what runs behind the API, until `stop` becomes true: the live city and the deliveries of subscriptions. The
    /// tasks end with it.
    ///
    /// # Errors
    /// Tokens or subscriptions that cannot be read.
    pub fn start(
        room: Room,
        settings: ApiSettings,
        clock: Clock,
        stop: watch::Receiver<bool>,
    ) -> Result<(Self, JoinSet<()>), ApiError> {
        let world = Arc::new(World::new());
        let tokens = settings.tokens()?;
        let folder = settings.folder.join("subscriptions");
        let subscriptions =
            Subscriptions::open(&folder).map_err(|source| ApiError::Subscriptions { folder, source })?;
        let courier = Courier::new(&settings)?;
        let limiter = Limiter::new(settings.requests_per_s, settings.burst);
        let mut tasks = JoinSet::new();
        tasks.spawn(world.clone().run(room.clone(), clock.clone(), stop.clone()));
        let streams = Arc::new(Semaphore::new(MAX_STREAMS));
        let written = AtomicU64::new(0);
        let api = Self(Arc::new(Inner {
            room,
            settings,
            tokens,
            limiter,
            clock,
            world,
            subscriptions,
            courier,
            streams,
            stop,
            written,
        }));
        tasks.spawn(subscriptions::deliver(api.clone()));
        Ok((api, tasks))
    }
}

/// Ends when everything is to stop.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, and the data room with it.
    let _ = stop.wait_for(|stop| *stop).await;
}

impl Inner {
    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// A number for a record that is written here: greater than any before, also of earlier runs.
    fn sequence(&self) -> u64 {
        let now = self.now().unix_ns().unsigned_abs();
        let last = self.written.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(now.max(last + 1)));
        last.map_or(now, |last| now.max(last + 1))
    }

    /// Leaves the audit record of `records` personal records that `caller` is about to see.
    ///
    /// # Errors
    /// A store that cannot note it: then nothing may be shown.
    async fn audit(&self, caller: &Caller, words: String, records: usize) -> Result<(), Problem> {
        self.note(caller, AuditAction::Read, words, records).await
    }

    pub(crate) async fn note(
        &self,
        caller: &Caller,
        action: AuditAction,
        words: String,
        records: usize,
    ) -> Result<(), Problem> {
        let entry = AuditEntry {
            number: 0,
            at: self.now(),
            tenant: caller.tenant.clone(),
            by: caller.name.clone(),
            action,
            words,
            records: records as u64,
        };
        Ok(self.room.store.note(entry).await?)
    }
}
