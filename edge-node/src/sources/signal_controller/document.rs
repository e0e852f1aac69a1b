//! The controller's JSON documents. Pure.
//!
//! What signals show, one document an intersection, whenever something changes and at least once a second:
//! ```json
//! {"intersection": 101, "time": "2026-03-05T12:00:00.1Z", "operation": "traffic-dependent", "groups": [
//!   {"group": 1, "shows": "protected-movement-allowed", "min-end": "2026-03-05T12:00:08Z",
//!    "max-end": "2026-03-05T12:00:20Z", "likely-end": "2026-03-05T12:00:12Z"},
//!   {"group": 2, "shows": "stop-and-remain"}]}
//! ```
//! An answer to a request for priority: `{"station": 4711, "intersection": 101, "request": 3, "status": "granted"}`.
//! A request: `{"station": 4711, "intersection": 101, "request": 3, "action": "request", "inbound": {"lane": 1},
//! "outbound": {"approach": 2}, "arrives-at": "2026-03-05T12:00:30Z"}`; what is not known is `null`.
//!
//! Times are RFC 3339; phases, ways of working and answers have the names of [`crate::event`]; unknown members are errors.

use crate::effect::PriorityRequest;
use crate::event::{GroupState, Operation, PriorityAnswer, PriorityStatus, SignalPhase, SignalReport};
use masa_v2x_proto::time::Timestamp;
use serde::{Deserialize, Deserializer, de};
use serde_json::json;
use std::collections::BTreeSet;

/// Most signal groups of an intersection (`SignalGroupID` 1 to 254).
const MAX_GROUPS: usize = 254;
/// Farthest end of a phase that is believed, milliseconds: what a SPATEM's time mark can say.
const MAX_AHEAD_MS: i64 = 3_600_000;

/// Why a document is not used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Reject {
    /// The payload is larger than the settings allow.
    #[error("the payload has {bytes} bytes, more than {limit}")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// What is allowed.
        limit: usize,
    },
    /// No JSON, or not the document it should be.
    #[error("{0}")]
    Malformed(String),
    /// The controller's clock and ours differ too much.
    #[error("the controller's clock is {0:.1} s off")]
    ImplausibleTime(f64),
    /// Values that cannot be.
    #[error("{0}")]
    NotValid(String),
}

impl Reject {
    /// Name in metrics.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "too-large",
            Self::Malformed(_) => "malformed",
            Self::ImplausibleTime(_) => "implausible-time",
            Self::NotValid(_) => "not-valid",
        }
    }
}

fn instant<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(from)?;
    let at = text.parse::<jiff::Timestamp>().map_err(|error| de::Error::custom(format!("`{text}`: {error}")))?;
    i64::try_from(at.as_nanosecond()).map(Timestamp::from_unix_ns).map_err(|_| de::Error::custom("too far away"))
}

fn instant_if_any<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    #[derive(Deserialize)]
    struct Instant(#[serde(deserialize_with = "instant")] Timestamp);
    Ok(Option::<Instant>::deserialize(from)?.map(|at| at.0))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct SignalsDocument {
    intersection: u16,
    #[serde(deserialize_with = "instant")]
    time: Timestamp,
    #[serde(default)]
    operation: Operation,
    groups: Vec<GroupDocument>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct GroupDocument {
    group: u8,
    shows: SignalPhase,
    #[serde(default, deserialize_with = "instant_if_any")]
    min_end: Option<Timestamp>,
    #[serde(default, deserialize_with = "instant_if_any")]
    max_end: Option<Timestamp>,
    #[serde(default, deserialize_with = "instant_if_any")]
    likely_end: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct AnswerDocument {
    station: u32,
    intersection: u16,
    request: u8,
    status: PriorityStatus,
}

fn parse<'a, T: Deserialize<'a>>(payload: &'a [u8]) -> Result<T, Reject> {
    serde_json::from_slice(payload).map_err(|error| Reject::Malformed(error.to_string()))
}

/// Reads what signals show.
pub(super) fn signals(payload: &[u8], now: Timestamp, clock_error_ms: u32) -> Result<SignalReport, Reject> {
    let document: SignalsDocument = parse(payload)?;
    let off_s = document.time.seconds_since(now);
    if off_s.abs() * 1e3 > f64::from(clock_error_ms) {
        return Err(Reject::ImplausibleTime(off_s));
    }
    if document.groups.is_empty() || document.groups.len() > MAX_GROUPS {
        return Err(Reject::NotValid(format!("{} groups, 1 to {MAX_GROUPS} are possible", document.groups.len())));
    }
    let (earliest, latest) = (document.time.plus_ms(-i64::from(clock_error_ms)), document.time.plus_ms(MAX_AHEAD_MS));
    let mut seen = BTreeSet::new();
    for GroupDocument { group, min_end, max_end, likely_end, .. } in &document.groups {
        let wrong = |what: &str| Err(Reject::NotValid(format!("signal group {group} {what}")));
        if !(1..=254).contains(group) || !seen.insert(*group) {
            return wrong("is there twice or is not 1 to 254");
        }
        if [min_end, max_end, likely_end].into_iter().flatten().any(|end| *end < earliest || *end > latest) {
            return wrong("ends its phase in the past or in more than an hour");
        }
        let ends: Vec<_> = [min_end, likely_end, max_end].into_iter().flatten().collect();
        if !ends.is_sorted() {
            return wrong("ends its phase at the latest before the earliest, or likely at neither");
        }
    }
    let groups = document.groups.into_iter().map(|document| {
        let GroupDocument { group, shows, min_end, max_end, likely_end } = document;
        GroupState { group, shows, min_end, max_end, likely_end }
    });
    Ok(SignalReport {
        intersection: document.intersection,
        captured_at: document.time,
        operation: document.operation,
        groups: groups.collect(),
    })
}

/// Reads an answer.
pub(super) fn answer(payload: &[u8]) -> Result<PriorityAnswer, Reject> {
    let AnswerDocument { station, intersection, request, status } = parse(payload)?;
    Ok(PriorityAnswer { station, intersection, request, status })
}

/// Writes a request.
pub(super) fn request(request: &PriorityRequest) -> Vec<u8> {
    let PriorityRequest { station, intersection, request, action, requester, inbound, outbound, arrives_at } = request;
    let arrives_at = arrives_at.and_then(|at| jiff::Timestamp::from_nanosecond(at.unix_ns().into()).ok());
    json!({
        "station": station,
        "intersection": intersection,
        "request": request,
        "action": action,
        "requester": requester,
        "inbound": inbound,
        "outbound": outbound,
        "arrives-at": arrives_at.map(|at| at.to_string()),
    })
    .to_string()
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effect::{PriorityAction, Requester, Way};
    use proptest::prelude::*;

    /// 2026-03-05T12:00:00Z.
    const NOON: Timestamp = Timestamp::from_unix_ms(1_772_712_000_000);

    const GOOD: &str = r#"{"intersection": 101, "time": "2026-03-05T12:00:00.1Z", "operation": "traffic-dependent",
        "groups": [{"group": 1, "shows": "protected-movement-allowed", "min-end": "2026-03-05T13:00:08+01:00",
        "max-end": "2026-03-05T12:00:20Z", "likely-end": "2026-03-05T12:00:12.5Z"},
        {"group": 2, "shows": "stop-and-remain", "min-end": null}]}"#;

    #[test]
    fn documents_become_events() {
        let report = signals(GOOD.as_bytes(), NOON, 2_000).unwrap();
        assert_eq!((report.intersection, report.captured_at), (101, NOON.plus_ms(100)));
        assert_eq!(report.operation, Operation::TrafficDependent);
        let green = GroupState {
            group: 1,
            shows: SignalPhase::ProtectedMovementAllowed,
            min_end: Some(NOON.plus_ms(8_000)),
            max_end: Some(NOON.plus_ms(20_000)),
            likely_end: Some(NOON.plus_ms(12_500)),
        };
        let red = GroupState { group: 2, shows: SignalPhase::StopAndRemain, ..GroupState::default() };
        assert_eq!(report.groups, [green, red]);
        let answer = answer(br#"{"station": 7, "intersection": 101, "request": 3, "status": "reservice-locked"}"#);
        let expected =
            PriorityAnswer { station: 7, intersection: 101, request: 3, status: PriorityStatus::ReserviceLocked };
        assert_eq!(answer, Ok(expected));
    }

    #[test]
    fn requests_become_documents() {
        let asked = PriorityRequest {
            station: 7,
            intersection: 101,
            request: 3,
            action: PriorityAction::Request,
            requester: Requester::PublicTransport,
            inbound: Some(Way::Lane(1)),
            outbound: None,
            arrives_at: Some(NOON.plus_ms(500)),
        };
        let document: serde_json::Value = serde_json::from_slice(&request(&asked)).unwrap();
        let expected = json!({"station": 7, "intersection": 101, "request": 3, "action": "request",
            "requester": "public-transport", "inbound": {"lane": 1}, "outbound": null, "arrives-at": "2026-03-05T12:00:00.5Z"});
        assert_eq!(document, expected);
    }

    #[test]
    fn what_does_not_fit_is_refused_with_its_reason() {
        for (from, to, label) in [
            ("\"groups\"", "\"group\"", "malformed"),
            ("\"min-end\"", "\"minend\"", "malformed"),
            ("101", "70000", "malformed"),
            ("protected-movement-allowed", "green", "malformed"),
            ("12:00:00.1Z", "noon", "malformed"),
            ("12:00:00.1Z", "12:00:02.1Z", "implausible-time"),
            ("12:00:00.1Z", "11:59:57.9Z", "implausible-time"),
            ("\"group\": 2", "\"group\": 1", "not-valid"),
            ("\"group\": 2", "\"group\": 0", "not-valid"),
            ("\"group\": 2", "\"group\": 255", "not-valid"),
            ("12:00:20Z", "12:00:07Z", "not-valid"),
            ("12:00:12.5Z", "12:00:21Z", "not-valid"),
            ("12:00:20Z", "14:00:20Z", "not-valid"),
            ("13:00:08", "12:00:08", "not-valid"),
        ] {
            assert!(GOOD.contains(from), "{from}");
            let reject = signals(GOOD.replace(from, to).as_bytes(), NOON, 2_000).unwrap_err();
            assert_eq!(reject.label(), label, "{from} → {to}: {reject}");
        }
        let none = br#"{"intersection": 1, "time": "2026-03-05T12:00:00Z", "groups": []}"#;
        assert_eq!(signals(none, NOON, 2_000).unwrap_err().label(), "not-valid");
        for payload in ["", "[", "7", r#"{"station": -1, "intersection": 1, "request": 3, "status": "granted"}"#] {
            assert_eq!(answer(payload.as_bytes()).unwrap_err().label(), "malformed", "{payload}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0_usize..500) {
            let _ = signals(&bytes, NOON, 2_000);
            let mut damaged = GOOD.as_bytes().to_vec();
            let at = at % damaged.len();
            damaged.splice(at..(at + bytes.len() % 8).min(damaged.len()), bytes.iter().copied().take(4));
            let _ = (signals(&damaged, NOON, 2_000), answer(&damaged));
        }
    }
}
