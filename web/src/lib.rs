//! What the pages of a node and of the data room share: files compiled in, the rules every request passes, and the
//! modules, colours and map view in `static/`.
//!
//! In: a page's own [`Asset`]s. Out: HTTP answers. Invariants: a page needs no file beside its binary and no network beyond
//! its server; a foreign page can neither read nor frame it; text from outside never becomes markup ([`Files::faults`]).
//! Absent: sockets, routes, anything about roads.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod assets;
pub mod guard;

pub use assets::{Asset, Files};
