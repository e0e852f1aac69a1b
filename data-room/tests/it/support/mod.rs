//! What several test programs need: a PostgreSQL server of their own, and records.

#![allow(dead_code, reason = "each test program uses its part")]
#![allow(clippy::unwrap_used, reason = "test support")]

pub(crate) mod messages;
pub(crate) mod postgres;
pub(crate) mod records;
