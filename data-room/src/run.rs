//! A running data room: broker, store, ingest, policies and servers, started together and stopped in order.
//!
//! Invariants: the ingest stops before the store closes; stopping takes at most the time it is given.

use crate::api::{self, Api, ApiError};
use crate::control_room::{ControlRoom, ControlRoomError};
use crate::ingest::Ingest;
use crate::room::Room;
use crate::services::Follower;
use crate::services::site::{ServiceSite, ServiceSiteError};
use crate::settings::{DataRoomSettings, StoreSettings};
use crate::store::embedded::EmbeddedStore;
use crate::store::postgres::PostgresStore;
use crate::store::{Policies, Store, StoreError};
use masa_links::{Broker, LinkError, LinkStatus, MqttSettings, clock};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Why a data room does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its links or broker.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// Its API.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// Its control room.
    #[error(transparent)]
    ControlRoom(#[from] ControlRoomError),
    /// Its port.
    #[error("listening on {address}: {source}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The services of a site.
    #[error(transparent)]
    Services(#[from] ServiceSiteError),
    /// A setting cannot work.
    #[error("settings: {0}")]
    Setting(String),
}

/// A running data room.
#[derive(Debug)]
pub struct DataRoom {
    room: Room,
    ingest: Ingest,
    broker: Option<Broker>,
    address: SocketAddr,
    tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
}

/// Opens the store that the settings name.
///
/// # Errors
/// A folder or database that cannot be used.
pub async fn open_store(settings: &StoreSettings) -> Result<Arc<dyn Store>, StoreError> {
    Ok(match &settings.postgres {
        Some(postgres) => Arc::new(PostgresStore::connect(postgres).await?),
        None => Arc::new(EmbeddedStore::open(&settings.embedded)?),
    })
}

impl DataRoom {
    /// Starts everything; must be called on a multi-threaded tokio runtime.
    ///
    /// # Errors
    /// Settings that cannot work, a store that cannot be used, a port that is taken. Brokers and peers that cannot be
    /// reached are no error.
    pub async fn start(settings: &DataRoomSettings) -> Result<Self, StartError> {
        if let Some(fault) = settings.policies.faults() {
            return Err(StartError::Setting(format!("policies: {fault}")));
        }
        let store = open_store(&settings.store).await?;
        let listener = TcpListener::bind(settings.listen)
            .await
            .map_err(|source| StartError::Listen { address: settings.listen, source })?;
        let grpc = match settings.api.grpc_listen {
            Some(address) => {
                Some(TcpListener::bind(address).await.map_err(|source| StartError::Listen { address, source })?)
            }
            None => None,
        };
        let address =
            listener.local_addr().map_err(|source| StartError::Listen { address: settings.listen, source })?;
        let broker = match settings.broker() {
            Some(broker) => Some(Broker::listen(&broker).await?),
            None => None,
        };
        let mut ingest_settings = settings.ingest.clone();
        if let (None, Some(broker)) = (&ingest_settings.mqtt, &broker) {
            ingest_settings.mqtt = Some(MqttSettings::to_local_broker(broker.address()));
        }
        let room = Room::new(store);
        let ingest = Ingest::start(&ingest_settings, room.clone())?;
        let stop = watch::Sender::new(false);
        let clock: api::Clock = Arc::new(clock::now);
        let (served, mut tasks) = Api::start(room.clone(), settings.api.clone(), clock, stop.subscribe())?;
        let every = Duration::from_secs(u64::from(settings.sweep_s.max(1)));
        tasks.spawn(sweep(room.clone(), settings.policies.clone(), every, stop.subscribe()));
        for site in &settings.services {
            let follower = Follower::new(room.clone(), site.tenant.clone(), ServiceSite::load(&site.file)?)?;
            tasks.spawn(follower.run(clock::now, stop.subscribe()));
        }
        if let Some(grpc) = grpc {
            tasks.spawn(api::serve_grpc(grpc, served.clone(), stop.subscribe()));
        }
        let control = ControlRoom::new(settings.control_room.clone(), served.clone(), stop.subscribe())?;
        let routes = api::router(served).merge(control.routes());
        tasks.spawn(control.run());
        tasks.spawn(api::serve(listener, routes, stop.subscribe()));
        Ok(Self { room, ingest, broker, address, tasks, stop })
    }

    /// Where the servers listen.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the broker inside listens.
    pub fn broker_address(&self) -> Option<SocketAddr> {
        self.broker.as_ref().map(Broker::address)
    }

    /// What its parts share.
    pub const fn room(&self) -> &Room {
        &self.room
    }

    /// The state of the links it reads over.
    pub fn links(&self) -> watch::Receiver<Vec<LinkStatus>> {
        self.ingest.status()
    }

    /// Finishes the batch under way and closes everything, within about `deadline`.
    pub async fn shutdown(mut self, deadline: Duration) {
        self.ingest.shutdown(deadline).await;
        self.stop.send_replace(true);
        let drained = async { while self.tasks.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(deadline, drained).await;
        self.tasks.abort_all();
        self.room.store.close().await;
        if let Some(broker) = self.broker.take() {
            broker.stop().await;
        }
    }
}

/// Applies the policies now and then.
async fn sweep(room: Room, policies: Policies, every: Duration, mut stopped: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(every) => {}
        }
        match room.store.sweep(&policies, clock::now()).await {
            Ok(swept) if swept == Default::default() => {}
            Ok(swept) => tracing::info!(swept.expired, swept.thinned, swept.rolled, "policies applied"),
            Err(error) => tracing::warn!(%error, "policies not applied; the next sweep goes on"),
        }
    }
}
