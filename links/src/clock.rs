//! The one place where this crate reads a clock.
//!
//! Everything else takes `now` or asks here, so that logic stays testable and a ban on clocks has one exception. Runners of
//! other crates that need the same clock ask here, too.

use masa_v2x_proto::time::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// Unix time now.
#[allow(clippy::disallowed_methods, reason = "links are I/O: expiry and latency need the wall clock, read only here")]
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix_ns(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}
