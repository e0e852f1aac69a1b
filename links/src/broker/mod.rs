//! An MQTT 3.1.1 broker inside this process: the default that needs no set-up. A site runs mosquitto.
//!
//! The routing (subscriptions, sessions, QoS) is rumqttd's; listening, connections and authentication are ours, because
//! rumqttd's own server can neither be stopped nor told to listen on a free port, and never sets TCP_NODELAY, which
//! stalls 1.5 kB messages by 20 ms. `docs/adr/0003-embedded-broker.md` has the comparison.
//!
//! Invariants: listens on 127.0.0.1 unless told otherwise; connections, packet size and in-flight messages are bounded;
//! one thread serves all connections. After [`Broker::stop`] one idle thread of rumqttd's router remains until the
//! process ends; it cannot be joined.
//!
//! Absent: TLS, access rules, last wills, persistence, MQTT 5.

mod connection;

use crate::error::LinkError;
use crate::settings::Secret;
use crate::stats::{Ledger, LinkName, LinkState};
use connection::{Connection, OpenLink};
use rumqttd::local::LinkBuilder;
use rumqttd::{Router, RouterConfig};
use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot};

/// Messages a subscription keeps at most for slow or absent subscribers: segments × bytes.
const SEGMENTS: usize = 4;
const SEGMENT_BYTES: usize = 4 * 1024 * 1024;
/// Messages the router hands to one connection at a time.
const OUTGOING: u64 = 200;
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// The embedded broker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct BrokerSettings {
    /// Address and port to listen on; port 0 for a free one.
    pub listen: SocketAddr,
    /// User that clients must name; absent: anybody may connect.
    pub user: Option<String>,
    /// Password of `user`.
    pub password: Option<Secret>,
    /// Most clients at a time.
    pub max_connections: usize,
    /// Largest packet, bytes.
    pub max_packet_bytes: usize,
}

impl Default for BrokerSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 1883)),
            user: None,
            password: None,
            max_connections: 64,
            max_packet_bytes: 1024 * 1024,
        }
    }
}

/// A running broker; dropping it stops it.
#[derive(Debug)]
pub struct Broker {
    address: SocketAddr,
    /// Dropped to stop.
    stop: Option<oneshot::Sender<()>>,
    stopped: oneshot::Receiver<()>,
}

impl Broker {
    /// Listens and serves until stopped, for those who are no node.
    ///
    /// # Errors
    /// An address that cannot be listened on.
    pub async fn listen(settings: &BrokerSettings) -> Result<Self, LinkError> {
        Self::start(settings, Ledger::new()).await
    }

    /// Listens and serves until stopped.
    pub(crate) async fn start(settings: &BrokerSettings, ledger: Arc<Ledger>) -> Result<Self, LinkError> {
        let failed = |source| LinkError::Broker { address: settings.listen.to_string(), source };
        let listener = std::net::TcpListener::bind(settings.listen).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (stop, stop_rx) = oneshot::channel();
        let (stopped_tx, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let settings_of_thread = settings.clone();
        let thread_ledger = ledger.clone();
        std::thread::Builder::new()
            .name("mqtt-broker".into())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        _ = stop_rx => {}
                        () = serve(listener, settings_of_thread, &thread_ledger) => {}
                    }
                });
                // Ends every connection, and the listener with them.
                drop(runtime);
                let _ = stopped_tx.send(());
            })
            .map_err(failed)?;
        let open =
            if settings.user.is_none() && !settings.listen.ip().is_loopback() { ", open to anybody" } else { "" };
        ledger.status(LinkName::Broker, LinkState::Up, format!("listening on {address}{open}"));
        Ok(Self { address, stop: Some(stop), stopped })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes every connection and the port.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        let _ = (&mut self.stopped).await;
    }
}

async fn serve(listener: std::net::TcpListener, settings: BrokerSettings, ledger: &Ledger) {
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(e) => return ledger.status(LinkName::Broker, LinkState::Failed, e.to_string()),
    };
    let open_link = start_router(settings.max_connections);
    let settings = Arc::new(settings);
    let places = Arc::new(Semaphore::new(settings.max_connections));
    loop {
        let (socket, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(e) => {
                // Out of file descriptors and the like: others may free some.
                tracing::warn!(error = %e, "broker cannot accept");
                tokio::time::sleep(ACCEPT_AGAIN_AFTER).await;
                continue;
            }
        };
        let Ok(place) = places.clone().try_acquire_owned() else {
            tracing::warn!(%peer, limit = settings.max_connections, "broker is full");
            continue;
        };
        let (settings, open_link) = (settings.clone(), open_link.clone());
        tokio::spawn(async move {
            match Connection::accept(socket, settings, &open_link).await {
                Ok(mut connection) => {
                    let end = connection.run().await;
                    connection.leave().await;
                    tracing::debug!(%peer, client = connection.client_id(), ?end, "broker connection ended");
                }
                Err(e) => tracing::debug!(%peer, error = %e, "broker refused a connection"),
            }
            drop(place);
        });
    }
}

/// Starts rumqttd's router and returns how to open a session in it; its event type has no public name.
fn start_router(max_connections: usize) -> OpenLink {
    let router = Router::new(
        0,
        RouterConfig {
            max_connections,
            max_outgoing_packet_count: OUTGOING,
            max_segment_size: SEGMENT_BYTES,
            max_segment_count: SEGMENTS,
            ..RouterConfig::default()
        },
    );
    let events = router.spawn();
    Arc::new(move |client_id, clean| {
        let link = LinkBuilder::new(client_id, events.clone()).clean_session(clean).build();
        link.map_err(|e| e.to_string())
    })
}
