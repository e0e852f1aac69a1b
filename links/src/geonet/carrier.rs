//! What carries the frames: a UDP tunnel or a network interface.

use super::settings::{Medium, RawSettings, UdpSettings};
use crate::error::LinkError;
use masa_v2x_proto::geonet::{ETHERTYPE, MacAddress};
use pnet_datalink::{Channel, DataLinkReceiver, DataLinkSender};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

/// Longest frame that is taken; ITS-G5 allows 2,304 octets.
const FRAME_BYTES: usize = 4_096;
/// Received frames of an interface that wait for the router; beyond, new ones are dropped as a full socket does.
const RECEIVED_FRAMES: usize = 512;
/// How long the reader of an interface waits before it looks whether it is to end.
const READ_TIMEOUT: Duration = Duration::from_millis(200);

/// An open medium.
pub(crate) enum Carrier {
    Udp(Tunnel),
    Raw(Interface),
}

impl Carrier {
    pub(crate) fn open(medium: &Medium) -> Result<Self, LinkError> {
        match medium {
            Medium::Udp(settings) => Tunnel::open(settings).map(Self::Udp),
            Medium::Raw(settings) => Interface::open(settings).map(Self::Raw),
        }
    }

    /// The link-layer address that the medium has itself.
    pub(crate) fn mac(&self) -> Option<MacAddress> {
        match self {
            Self::Udp(_) => None,
            Self::Raw(interface) => interface.mac,
        }
    }

    /// Where a tunnel listens.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Udp(tunnel) => tunnel.socket.local_addr().ok(),
            Self::Raw(_) => None,
        }
    }

    /// In words, for the operator.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Udp(tunnel) => {
                let at = tunnel.socket.local_addr().map_or_else(|error| error.to_string(), |at| at.to_string());
                format!("UDP tunnel at {at} to {} peers", tunnel.peers.len())
            }
            Self::Raw(interface) => format!("interface {}", interface.name),
        }
    }

    /// The next frame; cancel-safe.
    pub(crate) async fn receive(&mut self) -> Vec<u8> {
        match self {
            Self::Udp(tunnel) => tunnel.receive().await,
            Self::Raw(interface) => match interface.frames.recv().await {
                Some(frame) => frame,
                // The reader has ended with an error, which it logged: nothing will come.
                None => std::future::pending().await,
            },
        }
    }

    /// Sends a frame; never waits.
    pub(crate) fn send(&mut self, frame: &[u8]) -> io::Result<()> {
        match self {
            Self::Udp(tunnel) => tunnel.send(frame),
            Self::Raw(interface) => interface.sender.send_to(frame, None).unwrap_or_else(|| Err(too_long())),
        }
    }
}

fn too_long() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "the frame is longer than the interface's buffer")
}

/// A UDP socket and who gets what goes out.
pub(crate) struct Tunnel {
    socket: UdpSocket,
    /// The same socket to send on: tokio's `try_send_to` refuses until its driver has seen the socket writable once.
    sending: std::net::UdpSocket,
    peers: Vec<SocketAddr>,
    buffer: Box<[u8; FRAME_BYTES]>,
}

impl Tunnel {
    fn open(settings: &UdpSettings) -> Result<Self, LinkError> {
        let address = settings.listen.to_string();
        let open = || {
            let sending = bind(settings)?;
            Ok((UdpSocket::from_std(sending.try_clone()?)?, sending))
        };
        let failed = |source| LinkError::Medium { medium: address, source, hint: "" };
        let (socket, sending) = open().map_err(failed)?;
        Ok(Self { socket, sending, peers: settings.peers.clone(), buffer: Box::new([0; FRAME_BYTES]) })
    }

    async fn receive(&mut self) -> Vec<u8> {
        loop {
            match self.socket.recv_from(&mut self.buffer[..]).await {
                Ok((length, from)) if self.knows(from) => return self.buffer[..length].to_vec(),
                Ok((_, from)) => tracing::debug!(%from, "frame of a stranger"),
                // On loopback the refusal of a peer that is not there yet arrives here.
                Err(error) => tracing::debug!(%error, "tunnel"),
            }
        }
    }

    fn knows(&self, from: SocketAddr) -> bool {
        self.peers.is_empty() || self.peers.iter().any(|peer| peer.ip().is_multicast() || *peer == from)
    }

    fn send(&self, frame: &[u8]) -> io::Result<()> {
        let mut result = Ok(());
        for peer in &self.peers {
            match self.sending.send_to(frame, peer) {
                Err(error) if error.kind() != io::ErrorKind::ConnectionRefused => result = Err(error),
                _ => {}
            }
        }
        result
    }
}

fn bind(settings: &UdpSettings) -> io::Result<std::net::UdpSocket> {
    let socket = Socket::new(Domain::for_address(settings.listen), Type::DGRAM, Some(Protocol::UDP))?;
    let groups: Vec<_> = settings.peers.iter().filter(|peer| peer.ip().is_multicast()).collect();
    if !groups.is_empty() {
        // Several stations on one machine listen to one group.
        socket.set_reuse_address(true)?;
        socket.set_multicast_if_v4(&settings.multicast_interface)?;
        socket.set_multicast_loop_v4(true)?;
    }
    socket.bind(&settings.listen.into())?;
    for group in groups {
        match group {
            SocketAddr::V4(group) => socket.join_multicast_v4(group.ip(), &settings.multicast_interface)?,
            SocketAddr::V6(group) => socket.join_multicast_v6(group.ip(), group.scope_id())?,
        }
    }
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// A network interface (AF_PACKET).
pub(crate) struct Interface {
    name: String,
    mac: Option<MacAddress>,
    sender: Box<dyn DataLinkSender>,
    frames: mpsc::Receiver<Vec<u8>>,
    stop: Arc<AtomicBool>,
}

impl Interface {
    fn open(settings: &RawSettings) -> Result<Self, LinkError> {
        let name = settings.interface.clone();
        let failed = |source: io::Error| LinkError::Medium {
            hint: match source.kind() {
                io::ErrorKind::PermissionDenied => {
                    " (needs the capability CAP_NET_RAW: AmbientCapabilities in the unit, or setcap cap_net_raw+ep)"
                }
                _ => "",
            },
            medium: name.clone(),
            source,
        };
        let missing = || failed(io::Error::new(io::ErrorKind::NotFound, "no such network interface"));
        let interface =
            pnet_datalink::interfaces().into_iter().find(|interface| interface.name == name).ok_or_else(missing)?;
        let config = pnet_datalink::Config {
            promiscuous: false,
            read_timeout: Some(READ_TIMEOUT),
            read_buffer_size: FRAME_BYTES,
            write_buffer_size: FRAME_BYTES,
            ..pnet_datalink::Config::default()
        };
        let unsupported = || failed(io::Error::new(io::ErrorKind::Unsupported, "not an Ethernet-like interface"));
        let Channel::Ethernet(sender, receiver) = pnet_datalink::channel(&interface, config).map_err(failed)? else {
            return Err(unsupported());
        };
        let (frames_in, frames) = mpsc::channel(RECEIVED_FRAMES);
        let stop = Arc::new(AtomicBool::new(false));
        let reader = std::thread::Builder::new().name(format!("geonet {name}"));
        let (reader_name, reader_stop) = (name.clone(), stop.clone());
        reader.spawn(move || read(&reader_name, receiver, &frames_in, &reader_stop)).map_err(failed)?;
        let mac = interface.mac.map(|mac| MacAddress(mac.octets())).filter(|mac| *mac != MacAddress::default());
        Ok(Self { name, mac, sender, frames, stop })
    }
}

impl Drop for Interface {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Passes frames of GeoNetworking on until it is told to end.
fn read(name: &str, mut from: Box<dyn DataLinkReceiver>, to: &mpsc::Sender<Vec<u8>>, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        match from.next() {
            Ok(frame) if frame.get(12..14) == Some(&ETHERTYPE.to_be_bytes()) => {
                if to.try_send(frame.to_vec()).is_err() {
                    metrics::counter!("masa_geonet_dropped_total", "reason" => "interface-queue-full").increment(1);
                }
            }
            Ok(_) => {}
            Err(error) if matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::Interrupted) => {}
            Err(error) => return tracing::error!(interface = name, %error, "nothing is received any more"),
        }
    }
}
