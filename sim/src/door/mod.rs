//! The door: a gRPC server through which a client in any language loads a world, steps it, puts actors and sensors into it
//! and receives what they see. `sim/python` is such a client, shaped like CARLA's.
//!
//! In: calls of `proto/masa/sim/v1/simulator.proto`. Out: answers and streams. Invariants: time moves by `Step` alone; a
//! step returns when every reader of a sensor has got its data, and all data of a step carry the same frame number; sizes,
//! numbers of actors, sensors, readers and steps are bounded; the server listens to this machine only, unless it is given an
//! address and a token. Absent: encryption (use a tunnel), several worlds at a time.

mod autopilot;
mod convert;
mod guests;
mod map;
mod sensors;
mod service;
mod session;

/// The interface, generated from `proto/masa/sim/v1/simulator.proto`.
#[allow(missing_docs, unreachable_pub, clippy::all, reason = "generated")]
pub mod proto {
    tonic::include_proto!("masa.sim.v1");
}

use crate::roads::{Roads, RoadsError};
use crate::traci::{self, Sumo};
use proto::simulator_server::SimulatorServer;
use service::Door;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tonic::service::Interceptor;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Status};

/// Longest request that is read, bytes.
const MAX_REQUEST_BYTES: usize = 1 << 20;
/// Longest answer that is sent, bytes: a 4K image with its depth.
const MAX_ANSWER_BYTES: usize = 128 << 20;
/// Calls of one connection at a time.
const MAX_CALLS: usize = 128;

/// Settings of the door.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// What clients must show; required unless the address is this machine's own.
    pub token: Option<String>,
    /// Map files that clients may load by their names, besides the shipped maps; the first is loaded at the start.
    pub maps: Vec<PathBuf>,
    /// The shipped map that is loaded at the start, where there is no file.
    pub map: String,
    /// SUMO moves the traffic of the first map, which must be the network of its configuration.
    pub sumo: Option<SumoSettings>,
}

/// SUMO beside a world.
#[derive(Clone, Debug)]
pub struct SumoSettings {
    /// The program.
    pub program: PathBuf,
    /// Its configuration.
    pub config: PathBuf,
}

impl Default for Settings {
    /// CARLA's port, the shipped junction.
    fn default() -> Self {
        Self {
            listen: ([127, 0, 0, 1], 2000).into(),
            token: None,
            maps: Vec::new(),
            map: "masa".to_owned(),
            sumo: None,
        }
    }
}

/// Why the door does not open.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// Others could come in.
    #[error("{0} is reachable from other machines: a token is needed")]
    Open(SocketAddr),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The first map does not load.
    #[error("{0}")]
    Map(String),
    /// The server ended with an error.
    #[error("{0}")]
    Serve(#[from] tonic::transport::Error),
}

/// Maps that clients may load.
#[derive(Debug)]
pub(crate) struct Maps {
    files: Vec<(String, PathBuf)>,
    first: String,
    sumo: Option<SumoSettings>,
}

impl Maps {
    fn new(settings: &Settings) -> Self {
        let name = |path: &PathBuf| {
            let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            name.trim_end_matches(".xml").trim_end_matches(".net").trim_end_matches(".xodr").to_owned()
        };
        let files: Vec<_> = settings.maps.iter().map(|path| (name(path), path.clone())).collect();
        let first = files.first().map_or(&settings.map, |(name, _)| name).clone();
        Self { files, first, sumo: settings.sumo.clone() }
    }

    fn list(&self) -> Vec<proto::MapName> {
        let files = self.files.iter().map(|(name, path)| (name.clone(), path.display().to_string()));
        let shipped = Roads::SHIPPED.iter().map(|(name, what)| ((*name).to_owned(), (*what).to_owned()));
        files.chain(shipped).map(|(name, description)| proto::MapName { name, description }).collect()
    }

    /// The map of this name; an empty one is the first.
    fn load(&self, name: &str) -> Result<(String, Roads), Status> {
        let name = if name.is_empty() { &self.first } else { name };
        let roads: Result<Roads, RoadsError> = match self.files.iter().find(|(known, _)| known == name) {
            Some((_, path)) => Roads::load(path),
            None => Roads::shipped(name),
        };
        match roads {
            Ok(roads) => Ok((name.to_owned(), roads)),
            Err(error @ RoadsError::NotShipped { .. }) => Err(Status::not_found(error.to_string())),
            Err(error) => Err(Status::failed_precondition(error.to_string())),
        }
    }
}

impl Maps {
    /// SUMO's traffic for a map, where there is any.
    fn traffic(&self, map: &str, roads: &Arc<Roads>, seed: u64, step_s: f64) -> Result<Option<Sumo>, Status> {
        let Some(SumoSettings { program, config }) = self.sumo.as_ref().filter(|_| map == self.first) else {
            return Ok(None);
        };
        // SUMO's seed is an `int`.
        let seed = ["--seed".to_owned(), (seed & 0x7fff_ffff).to_string()];
        let sumo =
            traci::launch(program, config, step_s, &seed).and_then(|launched| Sumo::new(launched, roads.clone()));
        sumo.map(Some).map_err(|error| Status::failed_precondition(error.to_string()))
    }
}

/// Lets in who shows the token.
#[derive(Clone, Debug)]
struct Gate(Option<String>);

impl Interceptor for Gate {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        let Some(token) = &self.0 else { return Ok(request) };
        let shown = request.metadata().get("authorization").and_then(|value| value.to_str().ok());
        match shown.and_then(|value| value.strip_prefix("Bearer ")) {
            Some(shown) if same(shown.as_bytes(), token.as_bytes()) => Ok(request),
            _ => Err(Status::unauthenticated("a token is needed: metadata `authorization: Bearer …`")),
        }
    }
}

/// Whether two texts are the same, in a time that does not tell where they differ.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

/// A door that is open.
pub struct Opened {
    address: SocketAddr,
    incoming: TcpIncoming,
    door: Door,
    gate: Gate,
}

/// Loads the first world and listens.
///
/// # Errors
/// [`DoorError`]
pub async fn open(settings: &Settings) -> Result<Opened, DoorError> {
    if !settings.listen.ip().is_loopback() && settings.token.as_ref().is_none_or(String::is_empty) {
        return Err(DoorError::Open(settings.listen));
    }
    let failed = |source| DoorError::Listen { address: settings.listen, source };
    let listener = tokio::net::TcpListener::bind(settings.listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    // Small answers must not wait for the next: a step is a round trip.
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let door = Door::new(settings).map_err(|status| DoorError::Map(status.message().to_owned()))?;
    Ok(Opened { address, incoming, door, gate: Gate(settings.token.clone()) })
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Opened {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` is done.
    ///
    /// # Errors
    /// [`DoorError::Serve`]
    pub async fn serve(self, stop: impl Future<Output = ()>) -> Result<(), DoorError> {
        let server = SimulatorServer::new(self.door)
            .max_decoding_message_size(MAX_REQUEST_BYTES)
            .max_encoding_message_size(MAX_ANSWER_BYTES);
        let server = tonic::service::interceptor::InterceptedService::new(server, self.gate);
        tonic::transport::Server::builder()
            .concurrency_limit_per_connection(MAX_CALLS)
            .add_service(server)
            .serve_with_incoming_shutdown(self.incoming, stop)
            .await?;
        Ok(())
    }
}
