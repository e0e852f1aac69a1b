//! The simulator as a street: its cameras, receivers and sensors on the network, in real time, as real devices are.
//!
//! In: a world that is stepped by a runner. Out: network cameras ([`mjpeg`]), GNSS receivers ([`lines`]), so that the node
//! program reads them as it reads the ones of a road. Only here does the simulator meet a clock and sockets.

mod configuration;
mod devices;
pub mod driver;
pub mod lines;
pub mod mjpeg;
pub mod mqtt;
pub mod stage;
pub mod street;

use std::net::SocketAddr;

/// Why the street cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// An address cannot be listened on.
    #[error("{what}: cannot listen on {address}: {source}")]
    Listen {
        /// What for.
        what: &'static str,
        /// Where.
        address: SocketAddr,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The scenario cannot be put on stage.
    #[error(transparent)]
    Scenario(#[from] crate::run::RunError),
    /// A node does not start.
    #[error(transparent)]
    Node(#[from] masa_edge_node::run::RunError),
    /// A reader cannot be set up.
    #[error(transparent)]
    Link(#[from] masa_links::LinkError),
    /// The system refuses a thread.
    #[error("no thread for the street: {0}")]
    Thread(std::io::Error),
}
