//! Transports: how messages leave a node and reach a reader.
//!
//! In: finished messages ([`Outgoing`]) and settings. Out: the messages on Zenoh and MQTT, their fate as counters, the
//! links' states in words; on the other side a [`Reader`] that gives them back once and in order.
//!
//! ```text
//! publish ─┬─ CAM, CPM ──────────────────────────► queue of each link ─► driver ─► transport
//!          └─ DENM ─► outbox (SQLite) ─ numbered ─►        "                "          "
//!                        ▲    └────── what is owed, after a reconnection ───┘
//!                        └─────────── acknowledgements ◄──────────────────────────────┘
//! ```
//!
//! Invariants: `publish` never blocks; every queue is bounded and every loss counted with a reason; at-least-once
//! messages leave the disk only when acknowledged, expired or beyond the row limit.
//!
//! Absent: what is in a message; gRPC.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod broker;
pub mod clock;
mod current;
mod driver;
mod error;
pub mod geonet;
pub mod keys;
mod kind;
mod links;
pub mod message;
mod observation;
mod outbox;
pub mod protocol;
mod queue;
mod reader;
pub mod settings;
mod stats;
pub mod transport;

pub use broker::{Broker, BrokerSettings};
pub use current::{Current, Phase};
pub use error::LinkError;
pub use geonet::{ChannelReport, GeonetNotice, GeonetParts, GeonetSettings, IdentityRule, ReceivedPacket};
pub use keys::Selector;
pub use kind::Kind;
pub use links::{Links, ShutdownReport};
pub use masa_v2x_proto::MessageKind;
pub use message::{Delivery, Outgoing, Policy, Priority, Station};
pub use observation::{NodeProblem, Problems, Quantity, Reading};
pub use reader::{Reader, ReaderSettings, ReaderStats, Received};
pub use settings::{Durability, LinksSettings, OutboxSettings, QueueSettings, Secret, TlsSettings};
pub use stats::{DropReason, KindStats, LinkName, LinkState, LinkStatus};
pub use transport::mqtt::MqttSettings;
pub use transport::zenoh::{Mode, ZenohSettings};
