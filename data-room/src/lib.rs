//! The city side: what every node said, kept once, in order, and found again.
//!
//! In: messages of any number of nodes over Zenoh and MQTT ([`ingest`]). Out: records by kind, time, place and source, the
//! state of the world at any moment, and Parquet files ([`store`]).
//!
//! ```text
//! nodes' outboxes ─► reader (links) ─► ingest ─► store: SQLite, hourly Parquet │ PostgreSQL
//!        ▲                                │         │
//!        └──── acknowledged when stored ──┘         └─► feed of what is new, queries, export
//! ```
//!
//! Invariants: a message is acknowledged only when the store has committed it; a record is seen once however often it
//! arrives; a store that takes no more refuses, so that messages wait in their nodes' outboxes; personal data has a
//! policy of its own; every deletion leaves an audit entry.
//!
//! Absent: raw pictures; decisions about traffic.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod api;
pub mod control_room;
pub mod entity;
pub mod ingest;
mod page;
pub mod publish;
pub mod record;
mod room;
pub mod run;
pub mod services;
pub mod settings;
pub mod store;

pub use record::{Kind, Record, Sensitivity, Source, Tenant};
pub use room::{FEED, Room};
pub use run::DataRoom;
pub use settings::DataRoomSettings;
pub use store::{Store, StoreError};
