//! One client of the embedded broker: bytes on the socket to packets for rumqttd's router, and back.

use crate::broker::BrokerSettings;
use crate::settings::Secret;
use bytes::BytesMut;
use futures::FutureExt;
use rumqttd::Notification;
use rumqttd::local::{LinkError, LinkRx, LinkTx};
use rumqttd::protocol::v4::V4;
use rumqttd::protocol::{ConnAck, ConnectReturnCode, Disconnect, DisconnectReasonCode, Error, Packet, Protocol};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Opens a session in the router: client id, clean session.
pub(crate) type OpenLink = Arc<dyn Fn(&str, bool) -> Result<(LinkTx, LinkRx, Notification), String> + Send + Sync>;

/// Time a new connection has for its CONNECT.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Keep-alive of clients that ask for none: a dead one must not hold its place for ever.
const LONGEST_SILENCE: Duration = Duration::from_secs(600);
/// Packets written at once.
const WRITE_BATCH: usize = 64;

/// Why a connection was refused or ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum End {
    #[error("socket: {0}")]
    Io(#[from] io::Error),
    #[error("malformed packet: {0}")]
    Malformed(Error),
    #[error("no CONNECT within {CONNECT_WITHIN:?}")]
    NoConnect,
    #[error("the first packet is not CONNECT")]
    NotConnect,
    #[error("unknown user or wrong password")]
    BadCredentials,
    #[error("a persistent session needs a client id")]
    NoClientId,
    #[error("silent for longer than its keep-alive")]
    KeepAlive,
    #[error("router: {0}")]
    Router(String),
}

/// rumqttd's error carries whole events; its words are what is needed.
impl From<LinkError> for End {
    fn from(error: LinkError) -> Self {
        Self::Router(error.to_string())
    }
}

/// A client with a session.
pub(crate) struct Connection {
    wire: Wire,
    client_id: String,
    silence: Duration,
    to_router: LinkTx,
    from_router: LinkRx,
}

/// Socket and codec.
struct Wire {
    socket: TcpStream,
    codec: V4,
    incoming: BytesMut,
    outgoing: BytesMut,
    max_packet_bytes: usize,
}

impl Wire {
    /// A whole packet that has already arrived.
    fn parse(&mut self) -> Result<Option<Packet>, End> {
        if self.incoming.is_empty() {
            return Ok(None);
        }
        match self.codec.read_mut(&mut self.incoming, self.max_packet_bytes) {
            Ok(packet) => Ok(Some(packet)),
            Err(Error::InsufficientBytes(_)) => Ok(None),
            Err(e) => Err(End::Malformed(e)),
        }
    }

    /// Waits for more bytes; cancel-safe.
    async fn fill(&mut self) -> Result<(), End> {
        match self.socket.read_buf(&mut self.incoming).await? {
            0 => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            _ => Ok(()),
        }
    }

    fn queue(&mut self, packet: Packet) -> Result<(), End> {
        self.codec.write(packet, &mut self.outgoing).map(drop).map_err(End::Malformed)
    }

    async fn flush(&mut self) -> Result<(), End> {
        self.socket.write_all(&self.outgoing).await?;
        self.outgoing.clear();
        Ok(())
    }

    async fn first_packet(&mut self) -> Result<Packet, End> {
        loop {
            if let Some(packet) = self.parse()? {
                return Ok(packet);
            }
            self.fill().await?;
        }
    }

    async fn refuse(&mut self, code: ConnectReturnCode, end: End) -> End {
        let answer = self.queue(Packet::ConnAck(ConnAck { session_present: false, code }, None));
        if answer.is_ok() {
            let _ = self.flush().await;
        }
        end
    }
}

impl Connection {
    /// Reads CONNECT, checks the credentials and opens a session.
    pub(crate) async fn accept(
        socket: TcpStream,
        settings: Arc<BrokerSettings>,
        open_link: &OpenLink,
    ) -> Result<Self, End> {
        socket.set_nodelay(true)?;
        let mut wire = Wire {
            socket,
            codec: V4,
            incoming: BytesMut::with_capacity(4096),
            outgoing: BytesMut::with_capacity(4096),
            max_packet_bytes: settings.max_packet_bytes,
        };
        let first = timeout(CONNECT_WITHIN, wire.first_packet()).await.map_err(|_| End::NoConnect)??;
        let Packet::Connect(connect, _, _, _, login) = first else { return Err(End::NotConnect) };
        if let Some(user) = &settings.user {
            let password = settings.password.as_ref().map_or("", Secret::reveal);
            if !login.is_some_and(|l| same(&l.username, user) & same(&l.password, password)) {
                return Err(wire.refuse(ConnectReturnCode::BadUserNamePassword, End::BadCredentials).await);
            }
        }
        let client_id = match (connect.client_id.is_empty(), connect.clean_session) {
            (true, false) => {
                return Err(wire.refuse(ConnectReturnCode::ClientIdentifierNotValid, End::NoClientId).await);
            }
            // The peer's port tells anonymous clients apart while they are connected.
            (true, true) => format!("anonymous-{}", wire.socket.peer_addr()?.port()),
            (false, _) => connect.client_id,
        };
        let (to_router, from_router, accepted) = open_link(&client_id, connect.clean_session).map_err(End::Router)?;
        if let Some(packet) = Option::<Packet>::from(accepted) {
            wire.queue(packet)?;
            wire.flush().await?;
        }
        let silence = match connect.keep_alive {
            0 => LONGEST_SILENCE,
            seconds => Duration::from_millis(u64::from(seconds) * 1_500),
        };
        Ok(Self { wire, client_id, silence, to_router, from_router })
    }

    pub(crate) fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Carries packets until one side ends it; says why.
    pub(crate) async fn run(&mut self) -> Result<(), End> {
        loop {
            while let Some(packet) = self.wire.parse()? {
                let last = matches!(packet, Packet::Disconnect(..));
                self.to_router.send(packet).await?;
                if last {
                    return Ok(());
                }
            }
            tokio::select! {
                notification = self.from_router.next() => {
                    let notification = notification?;
                    self.forward(notification).await?;
                }
                filled = timeout(self.silence, self.wire.fill()) => filled.map_err(|_| End::KeepAlive)??,
            }
        }
    }

    /// Writes this notification and those that wait behind it.
    async fn forward(&mut self, first: Option<Notification>) -> Result<(), End> {
        let mut paused = false;
        let mut next = Some(first);
        for _ in 0..WRITE_BATCH {
            match next {
                Some(Some(notification)) => match Option::<Packet>::from(notification) {
                    Some(packet) => self.wire.queue(packet)?,
                    // The router pauses after a full batch until it is asked to go on.
                    None => paused = true,
                },
                Some(None) => {}
                None => break,
            }
            next = self.from_router.next().now_or_never().transpose()?;
        }
        if let Some(Some(left)) = next {
            match Option::<Packet>::from(left) {
                Some(packet) => self.wire.queue(packet)?,
                None => paused = true,
            }
        }
        self.wire.flush().await?;
        if paused {
            self.from_router.wake().await?;
        }
        Ok(())
    }

    /// Tells the router that the client is gone; its session stays if it is persistent.
    pub(crate) async fn leave(&mut self) {
        let goodbye = Disconnect { reason_code: DisconnectReasonCode::NormalDisconnection };
        let _ = self.to_router.send(Packet::Disconnect(goodbye, None)).await;
    }
}

/// Compares without telling by its duration where the difference is.
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |difference, (x, y)| difference | (x ^ y)) == 0
}
