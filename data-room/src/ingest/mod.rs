//! From the links into the store: messages of any number of nodes, acknowledged when they are committed.

mod ledger;

pub use ledger::{Ledger, Report, SourceReport};
